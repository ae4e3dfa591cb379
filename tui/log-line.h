/* SPDX-License-Identifier: MIT */
/*
 * A line of a sandbox's log: as the daemon tells it, and as it is read.  What
 * was written to a terminal is one line up to its line feed, however often the
 * screen was painted over in it: each repaint is a line of its own to read.
 */
#ifndef SVM_TUI_LOG_LINE_H
#define SVM_TUI_LOG_LINE_H

#include "lib/base/json.h"
#include "tui/textlog.h"

/* An object of the daemon's as a line, or a string that is one; NULL when it
 * is neither.  Borrows from v. */
const char *log_line_parse(const cJSON *v, struct textlog_line *ret_about);

/* A list of them, from its end. */
struct log_page {
	const cJSON *last;
	int left;
};

struct log_page log_page_end(const cJSON *list);
/* The one before; what isn't a line is passed over.  NULL: there is none. */
const char *log_page_prev(struct log_page *p, struct textlog_line *ret_about);

struct log_pieces {
	struct textlog_line *of; /* `text` and `raw` are theirs alone */
	size_t n;                /* at least one */
	size_t room;
};

void log_pieces_release(struct log_pieces *p);
#define auto_pieces CLEANUP(log_pieces_release)

/* The lines that one is to be read as, all of them `about` the same; of its
 * first LIMIT_TUI_LINE_KEPT bytes.  Borrows the rest of `about`. */
struct log_pieces log_line_split(const char *text,
				 const struct textlog_line *about);

#endif
