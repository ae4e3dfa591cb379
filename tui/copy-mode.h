/* SPDX-License-Identifier: MIT */
/*
 * Looking back in a terminal: move, select, search, copy.  What is looked at
 * stays where it is while output arrives.
 */
#ifndef SVM_TUI_COPY_MODE_H
#define SVM_TUI_COPY_MODE_H

#include "tui/screen.h"
#include "tui/terminal.h"

enum copy_kind { COPY_NOTHING, COPY_CHARS, COPY_LINES, COPY_BLOCK };

struct copy {
	bool on;
	const struct terminal *of; /* to be compared only: it may be gone */
	int rows;                  /* of the view */
	uint64_t line;             /* the cursor, by the emulator's numbers */
	int col;
	enum copy_kind kind;
	uint64_t from_line;        /* the other end of what is selected */
	int from_col;
	struct field search;
	bool searching, back;
	bool taken;                /* copying just ended it */
};

void copy_release(struct copy *c);
void copy_begin(struct copy *c, struct terminal *t);
void copy_end(struct copy *c, struct terminal *t); /* t may be NULL */

/* After each update: the cursor is on a line that exists, and in view. */
void copy_settle(struct copy *c, struct terminal *t, int rows);

/* The cursor to where the mouse points, from the view's first cell. */
void copy_place(struct copy *c, const struct terminal *t, int row, int col);

bool copy_act(struct model *m, struct copy *c, struct terminal *t,
	      enum action a);
/* The search being typed, and the wheel. */
bool copy_input(struct model *m, struct copy *c, struct terminal *t,
		const struct input_event *ev);

/* Upon the terminal_view(): what is selected, and the cursor. */
void copy_view(const struct copy *c, const struct terminal *t,
	       struct canvas *canvas, struct area in, bool focused);
void copy_status(const struct copy *c, const struct terminal *t,
		 struct buf *out);

/* What is selected, or the cursor's line, without blanks at the ends; lines
 * that the terminal wrapped are one. */
void copy_text(const struct copy *c, const struct terminal *t,
	       struct buf *out);

#endif
