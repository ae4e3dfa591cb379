/* SPDX-License-Identifier: MIT */
/*
 * Lines from a person or a script, one at a time.
 *
 * At a terminal they are edited by readline (libreadline.h); where that is
 * not there, or standard error is no terminal to edit on, the terminal's own
 * editing does.  Between two lines the terminal is as it was found, for
 * whatever runs then.
 *
 * There can be one: readline has but one line.
 */
#ifndef SVM_CLI_PROMPT_H
#define SVM_CLI_PROMPT_H

#include <stdbool.h>

#include "cli/offers.h"
#include "lib/base/err.h"

/* Offer what may stand for the last word of `line`; sets at and quote. */
typedef void (*prompt_complete_fn)(void *data, const char *line,
				   struct offers *o);

struct prompt {
	int signals; /* a signalfd with the signals of PROMPT_SIGNALS */
	bool tty;    /* a person types on standard input */
	prompt_complete_fn complete;
	void *data;

	bool edits;       /* readline does */
	bool ended;
	int pending;      /* a signal that came in the midst of a key */
	struct buf typed; /* read, not given out yet */
};

#define PROMPT_SIGNALS \
	SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGWINCH, SIGTSTP, SIGCONT

enum prompt_result {
	PROMPT_LINE,
	PROMPT_END,
	PROMPT_SIGNAL, /* the program has to go */
	PROMPT_ERROR,
};

/* With signals, tty, complete and data set: load readline.  -1 with err when
 * it can't be, which is no reason not to go on. */
int prompt_init(struct prompt *p, struct svm_err *err);
void prompt_release(struct prompt *p);

/* A line without its end, in *line, which is cleared first.  `text` is shown
 * before it at a terminal; it must be fit to be shown.  At a terminal Ctrl-C
 * begins the line anew and Ctrl-Z suspends the program; *ret_signo is what
 * PROMPT_SIGNAL came from.  BAD_REQUEST when a line is too long or has a NUL
 * byte.  Pasted lines come as one with newlines in it. */
enum prompt_result prompt_read(struct prompt *p, const char *text,
			       struct buf *line, int *ret_signo,
			       struct svm_err *err);

/* To the beginning of a line, if a command has left the cursor in one. */
void prompt_fresh_line(const struct prompt *p);

/* From now on the arrow keys bring the line back. */
void prompt_remember(const struct prompt *p, const char *line);

#endif
