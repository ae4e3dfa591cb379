/* SPDX-License-Identifier: MIT */
/*
 * The one line a terminal has beside itself: whose it is, how it is, and how
 * one gets out of it.  When not all of it fits, what matters least goes
 * first; the key that leaves never does.
 */
#ifndef SVM_TUI_TERMINAL_LINE_H
#define SVM_TUI_TERMINAL_LINE_H

#include "tui/screen.h"
#include "tui/terminal.h"

struct terminal_line {
	const struct terminal *t; /* or NULL: it is not there yet */
	const char *name;         /* "TERMINAL", "sb-7f3a91c2 web" */
	const char *sessions;     /* "s1* s2", "" */
	const char *add;          /* "+new" after them; or "" */
	const char *life;         /* of the sandbox: its mark and "24m"; or "" */
	const char *copying;      /* status while looking back; or NULL */
	const enum context *chain; /* what holds now */
	bool live;                /* keys go to the terminal */
};

/* The whole screen is the terminal but this line; a message stands in it, for
 * there is no footer. */
void terminal_line_view(const struct model *m, const struct terminal_line *l,
			struct canvas *c, struct area a);

/* A pane's border with it. */
void terminal_line_pane(const struct model *m, const struct terminal_line *l,
			struct canvas *c, struct area a, bool focused);

/* Which of the sessions, or what is after them, is at this column of that
 * border: the word, the caller's; NULL when it is neither. */
char *terminal_line_word(const struct model *m, const struct terminal_line *l,
			 struct area a, int col);

#endif
