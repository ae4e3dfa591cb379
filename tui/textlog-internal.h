/* SPDX-License-Identifier: MIT */
/* What the parts of textlog share. */
#ifndef SVM_TUI_TEXTLOG_INTERNAL_H
#define SVM_TUI_TEXTLOG_INTERNAL_H

#include "tui/textlog.h"

struct textlog_line *textlog_at(const struct textlog *t, size_t i); /* < n */
/* Filters leave it; how many they leave. */
bool textlog_shows(const struct textlog *t, const struct textlog_line *l);
size_t textlog_count(const struct textlog *t);
/* How many of those came since one stopped following. */
size_t textlog_news(const struct textlog *t);
void textlog_pause(struct textlog *t);
/* How many rows of `cols` columns it takes. */
size_t textlog_rows(const struct textlog *t, const struct textlog_line *l,
		    int cols);

#endif
