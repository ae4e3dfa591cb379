/* SPDX-License-Identifier: MIT */
/* What the parts of textlog share. */
#ifndef SVM_TUI_TEXTLOG_INTERNAL_H
#define SVM_TUI_TEXTLOG_INTERNAL_H

#include "tui/textlog.h"

struct textlog_line *textlog_at(const struct textlog *t, size_t i); /* < n */
/* As it is shown, but for what is escaped. */
const char *textlog_text(const struct textlog *t,
			 const struct textlog_line *l);
/* Filters leave it. */
bool textlog_passes(const struct textlog *t, const struct textlog_line *l);
/* And nothing that belongs before it is missing. */
bool textlog_shows(const struct textlog *t, const struct textlog_line *l);
/* Some text, or one stream alone. */
bool textlog_is_filtered(const struct textlog *t);
/* How many are shown. */
size_t textlog_count(const struct textlog *t);
/* How many of those came since one stopped following. */
size_t textlog_news(const struct textlog *t);
void textlog_pause(struct textlog *t);
/* To the nearest line with the text that is searched, in that direction;
 * false when there is none. */
bool textlog_find(struct textlog *t, bool back);
/* It has the text that is searched, and filters leave it. */
bool textlog_is_found(const struct textlog *t, const struct textlog_line *l);
/* Some line has. */
bool textlog_has(const struct textlog *t);
/* From the other end on, and says so. */
bool textlog_find_around(struct model *m, struct textlog *t, bool back);
void textlog_say_around(struct model *m, bool back);
/* The cursor is on the last line that is shown, or the first. */
void textlog_to_end(struct textlog *t, bool last);

/*
 * Among lines of others: at index i, where all is full it drops the first, or
 * the last with `drop_last`, which may be the new one.  `*anchor` is the index
 * of a line, and goes on being that.
 */
void textlog_insert(struct textlog *t, size_t i, const char *text,
		    const struct textlog_line *about, bool drop_last,
		    size_t *anchor);
/* The i-th goes, and all that are alone. */
void textlog_drop(struct textlog *t, size_t i, size_t *anchor);
void textlog_drop_alone(struct textlog *t, size_t *anchor);
/* On the i-th of all, or the next that is shown. */
void textlog_set_cursor(struct textlog *t, size_t i);
/* Of the line at the top of the view; n when there is none. */
size_t textlog_anchor(const struct textlog *t);
/* That one is at the top again, whatever was inserted. */
void textlog_anchored(struct textlog *t, size_t anchor);
/* How many rows of `cols` columns it takes. */
size_t textlog_rows(const struct textlog *t, const struct textlog_line *l,
		    int cols);

#endif
