/* SPDX-License-Identifier: MIT */
/* Inside app*.c: the program around the model. */
#ifndef SVM_TUI_APP_H
#define SVM_TUI_APP_H

#include "lib/base/loop.h"
#include "tui/fetch.h"
#include "tui/input.h"
#include "tui/link.h"
#include "tui/model.h"
#include "tui/term-curses.h"
#include "tui/tui.h"

struct app {
	const struct tui_options *o;
	struct loop *loop;
	struct model *m;
	struct fetch *fetch;
	struct links *links;
	struct term_curses *term; /* NULL with `dump` */
	struct input *input;
	struct canvas *canvas;
	struct loop_fd *tty;
	struct loop_timer *tick, *escape, *frame;
	int64_t painted;          /* boot */
	int64_t opening_until;
	int64_t spent;            /* up to then, of a frame each FRAME_NS */
	unsigned frames_left;
	bool pressed;             /* a key, since the last frame */
	bool closing;
	bool away; /* to end in the background: the terminal is another's */
	int signal;               /* that ended it */
};

/* Another had the terminal: draw again as soon as we are in the foreground.
 * False: we have to end before, and the terminal isn't touched any more. */
bool app_resume(struct app *a);

/* app-effects.c: what an update asked for, but painting and quitting, and
 * what comes of that at once: an editor that was left has something to be
 * sent. */
void app_carry_out(struct app *a);

#endif
