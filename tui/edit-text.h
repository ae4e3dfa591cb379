/* SPDX-License-Identifier: MIT */
/*
 * The text of an editor: bytes, whatever they are, and every change since it
 * was opened.  What isn't changed stays as it is to the byte.
 *
 *	edit_text_load(&t, data, n);
 *	edit_text_step(&t);                       a new step of undo begins
 *	edit_text_replace(&t, at, 3, "new", 3);
 *	edit_text_undo(&t, &at);
 *
 * Positions are offsets of bytes.  A unit is what the cursor stands on: a
 * character with its marks, one byte that is no part of a character, or a
 * line end.
 */
#ifndef SVM_TUI_EDIT_TEXT_H
#define SVM_TUI_EDIT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"

struct edit_change;

struct edit_text {
	struct buf text;
	bool crlf;       /* lines end in CR LF, as the first one does */
	struct edit_change *log;
	size_t n, undone; /* changes; of these, at the end, taken back */
	size_t bytes;    /* in the log */
	uint64_t last_id, base_id;
	bool step;       /* the next change begins a step of undo */
	uint64_t changed; /* how often, undoing included */
};

void edit_text_load(struct edit_text *t, const char *data, size_t n);
void edit_text_release(struct edit_text *t);

static inline const char *edit_text_at(const struct edit_text *t, size_t at)
{
	return buf_str(&t->text) + at;
}

/* False, and nothing is changed, when it would be over LIMIT_TUI_EDIT. */
bool edit_text_replace(struct edit_text *t, size_t at, size_t old,
		       const char *with, size_t n);

/* The changes from here on are undone without those before. */
void edit_text_step(struct edit_text *t);
/* One step; where it was.  False when there is none (any more: the oldest
 * are forgotten beyond LIMIT_TUI_EDIT_UNDO). */
bool edit_text_undo(struct edit_text *t, size_t *ret_at);
bool edit_text_redo(struct edit_text *t, size_t *ret_at);

/* Names what the text is now: the same again after undoing what came since. */
uint64_t edit_text_mark(struct edit_text *t);
bool edit_text_is(const struct edit_text *t, uint64_t mark);

/* -- places (edit-place.c) */

size_t edit_line_start(const struct edit_text *t, size_t at);
/* Before its line end, or the end of the text. */
size_t edit_line_end(const struct edit_text *t, size_t at);
/* The start of the next line; false on the last.  What follows the last line
 * end is no line. */
bool edit_line_next(const struct edit_text *t, size_t at, size_t *ret);
bool edit_line_prev(const struct edit_text *t, size_t at, size_t *ret);
/* From 1. */
size_t edit_line_number(const struct edit_text *t, size_t at);
/* The start of that line, or of the last one. */
size_t edit_line_at(const struct edit_text *t, size_t number);
size_t edit_line_last(const struct edit_text *t); /* its start */

/* One unit on or back; stays at the ends of the text. */
size_t edit_next(const struct edit_text *t, size_t at);
size_t edit_prev(const struct edit_text *t, size_t at);

/* Columns of the unit there when it begins in column `col`; 0 for a line
 * end. */
size_t edit_unit_width(const struct edit_text *t, size_t at, size_t col);
size_t edit_column(const struct edit_text *t, size_t at);
/* The unit that covers this column of the line, or its end. */
size_t edit_at_column(const struct edit_text *t, size_t line, size_t col);

size_t edit_word_next(const struct edit_text *t, size_t at);
size_t edit_word_prev(const struct edit_text *t, size_t at);
size_t edit_word_end(const struct edit_text *t, size_t at);
size_t edit_first_char(const struct edit_text *t, size_t at);

/* The next place of these bytes after `at`, or before it, around the ends;
 * false when they are nowhere.  Small letters stand for large ones as well
 * when the pattern has no large one. */
bool edit_find(const struct edit_text *t, const char *pattern, size_t n,
	       size_t at, bool back, size_t *ret);

#endif
