/* SPDX-License-Identifier: MIT */
/*
 * What the user types: bytes of the terminal in, keys and mouse out.
 *
 *	struct input *in = input_new(on_event, app);
 *	input_write(in, bytes, n);
 *	if (input_waits(in))
 *		arm a timer of INPUT_ESC_MS, then call input_expire(in)
 *
 * libtickit names keys and decodes the mouse, without a file descriptor.  It
 * must not see what a terminal, or something that pretends to be one, can
 * send: sequences with many numbers make it write past its stack, unknown
 * ones and missing numbers index out of its tables, pastes arrive as
 * commands.  So each sequence is put together here, however it was cut, and
 * passed on whole if it is one of those it knows:
 *
 *	characters and C0 controls, ESC and one of them,
 *	CSI, or CSI 1;m, and one of A-H P-S Z; SS3 and one of A-H P-S M,
 *	CSI n ~, n;m ~, 27;m;c ~, c u, c;m u; CSI < b ; x ; y M or m,
 *
 * with all numbers there, of at most 5 digits, m from 1 to 16.
 *
 * Bracketed pastes and focus are told by events of their own.  The function
 * keys of the Linux console are decoded here.  Everything else is dropped:
 * other CSI (and the three bytes of an old mouse report), OSC, DCS, APC, PM
 * and SOS up to their end.  No query is ever sent, so answers are noise.
 */
#ifndef SVM_TUI_INPUT_H
#define SVM_TUI_INPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/defs.h"
#include "tui/key.h"

/* How long an ESC may be the beginning of something. */
#define INPUT_ESC_MS 25

enum input_type {
	INPUT_KEY,
	INPUT_MOUSE,
	INPUT_PASTE_BEGIN,
	INPUT_PASTE, /* some bytes of it: anything at all, cut anywhere */
	INPUT_PASTE_END,
	INPUT_FOCUS_IN,
	INPUT_FOCUS_OUT,
};

struct input_event {
	enum input_type type;
	struct key key;     /* INPUT_KEY */
	struct mouse mouse; /* INPUT_MOUSE */
	const char *data;   /* INPUT_PASTE; borrowed during the call */
	size_t size;
};

/* Called from input_write() and input_expire().  May not call either, nor
 * free the input. */
typedef void input_event_fn(void *data, const struct input_event *ev);

struct input;

/* NULL when libtickit can't be set up. */
struct input *input_new(input_event_fn *fn, void *data);
void input_free(struct input *in); /* accepts NULL */
void input_write(struct input *in, const void *data, size_t n);

/* Does it hold an ESC that may be a key of its own? */
bool input_waits(const struct input *in);
void input_expire(struct input *in);

void input_free_cleanup(struct input **in);
#define auto_input CLEANUP(input_free_cleanup)

#endif
