/* SPDX-License-Identifier: MIT */
/*
 * What a filter shows of a long log stays here while the rest of the log is
 * looked at for more.  Where all is full, lines that the filter doesn't show
 * make room, and those to come aren't kept.  Then there are gaps between the
 * lines that are alone, until the filter is another one: those without gaps
 * remain, and the stretches are of them again.
 */
#ifndef SVM_TUI_LOG_THIN_H
#define SVM_TUI_LOG_THIN_H

#include "tui/log-window.h"

/* With a filter, before the line is inserted: makes room for it.  False when
 * it isn't kept. */
bool log_thin_put(struct log_window *w, struct textlog_line *about, bool older,
		  size_t *anchor);

/* There is, for what the filter shows. */
bool log_thin_has_room(struct log_window *w);

/* The filter is another one.  The line with the cursor stays, and what is
 * around it will be loaded.  False when nothing without gaps is left. */
bool log_thin_end(struct log_window *w);

#endif
