/* SPDX-License-Identifier: MIT */
/*
 * An editor of one text, with a few commands of vi: the cursor, modes,
 * operators, a register, searching, and the command line.  It knows nothing
 * of files: what the user wants done with them is in `wants`.
 *
 *	edit_open(&e, data, n);
 *	edit_input(&e, keymap, &ev) || edit_act(&e, action);
 *	if (e.wants & EDIT_WRITE) ...
 *	edit_settle(&e, rows, cols);
 *	edit_view(&e, c, area, focused);
 */
#ifndef SVM_TUI_EDIT_H
#define SVM_TUI_EDIT_H

#include "lib/base/defs.h"
#include "tui/edit-text.h"
#include "tui/field.h"
#include "tui/screen.h"

#define EDIT_NUMBERS 7 /* columns of a line's number */

enum edit_mode {
	EDIT_NORMAL,
	EDIT_INSERT,
	EDIT_LINE, /* a command or a search is typed */
};

enum edit_wants {
	EDIT_WRITE = 1u << 0,
	EDIT_LEAVE = 1u << 1,
	EDIT_FORCE = 1u << 2,  /* :w! over what another wrote, :q! without */
	EDIT_RELOAD = 1u << 3, /* :e!, :e */
};

struct edit {
	struct edit_text text;
	uint64_t saved;      /* edit_text_mark() of what is in the file */
	enum edit_mode mode;
	size_t at;           /* where the cursor is */
	size_t col;          /* that it keeps to when it moves up and down */
	size_t top, left;    /* the first line and column in view */
	size_t rows, cols;
	size_t column;       /* of the cursor, as of the last settle */
	unsigned count, pending_count;
	enum action pending; /* CUT, CHANGE or YANK_TEXT: where to? */
	struct buf reg;
	bool reg_lines;
	struct field line;   /* what is typed in EDIT_LINE */
	struct past *searches, *commands; /* typed there before, borrowed; may
					   * be NULL */
	char prompt;         /* ':' '/' or '?' */
	struct buf pattern;
	bool pattern_back;
	bool paste_cr;       /* the last byte pasted was one */
	bool leaving;        /* Escape was pressed once */
	unsigned wants;      /* enum edit_wants; the caller clears them */
	char *message;       /* what the last key led to, or NULL */
	bool message_bad;
};

void edit_open(struct edit *e, const char *data, size_t n);
/* Another text in place of this one, as one change that can be undone. */
void edit_replace(struct edit *e, const char *data, size_t n);
void edit_release(struct edit *e);
bool edit_modified(const struct edit *e);

/* Keys that are text, pastes and the mouse, whose place is the view's own.
 * False for a key that is for the keymap. */
bool edit_input(struct edit *e, const struct keymap *k,
		const struct input_event *ev);

/* An action of CTX_EDIT or CTX_INSERT; false for another. */
bool edit_act(struct edit *e, enum action a);

/* Bring the cursor into a place it can be, and the view to the cursor. */
void edit_settle(struct edit *e, int rows, int cols);
void edit_view(const struct edit *e, struct canvas *c, struct area in,
	       bool focused);

/* "6:12  CRLF  modified": appended. */
void edit_status(const struct edit *e, struct buf *out);
/* "INSERT", "" */
const char *edit_mode_name(const struct edit *e);

/* -- for its own files */

void edit_say(struct edit *e, bool bad, const char *fmt, ...)
	PRINTF_LIKE(3, 4);
/* False, with a message, when the text would be too long. */
bool edit_change(struct edit *e, size_t at, size_t old, const char *with,
		 size_t n);

/* edit-motion.c: where this leads from the cursor; false when it is no
 * motion.  *ret_lines: whole lines are meant; *ret_past: the unit there
 * belongs to it. */
bool edit_motion(struct edit *e, enum action a, unsigned count, size_t *ret,
		 bool *ret_lines, bool *ret_past);
bool edit_search(struct edit *e, bool back, size_t *ret);

/* edit-change.c. */
#define EDIT_COUNT_MAX 99999u
/* After an operator: over what the motion went, or, when it comes again, over
 * lines.  Anything else takes it back. */
void edit_operate(struct edit *e, enum action a, unsigned count);
bool edit_change_act(struct edit *e, enum action a, unsigned count);
void edit_rub_out(struct edit *e, enum action a);
const char *edit_newline(const struct edit *e);
void edit_insert(struct edit *e, const char *s, size_t n); /* at the cursor */

/* edit-line.c: what was typed after ':' '/' '?'. */
void edit_line_begin(struct edit *e, char prompt);
void edit_line_done(struct edit *e);

#endif
