/* SPDX-License-Identifier: MIT */
/* An event of the daemon as a line. */
#ifndef SVM_TUI_EVENT_TEXT_H
#define SVM_TUI_EVENT_TEXT_H

#include "tui/model.h"

/* "17:38:04 EXEC     sb-7f3a91c2 pytest exit 3 in 1.2s": appended, not
 * escaped.  What has no words of its own is named as the daemon names it, and
 * all that came with it stands behind.  Returns where in `out` the outcome
 * begins (" exit 3 in 1.2s"; the end if there is none): a view without room
 * for the whole line cuts what stands before it. */
size_t event_text(const struct model *m, const cJSON *event, struct buf *out);

/* Such a line in a view of fewer columns than these: of another day's, which
 * begins with "2026-02-28 17:38:04", the day alone, "02-28   ", as wide as the
 * time that today's begin with.  NULL: it is as it is; else the caller's. */
#define EVENT_DATE_COLS 64
char *event_text_brief(const char *line, int cols);

/* " in 1.2s", of a duration as the daemon tells it, when it is one. */
void event_took(const cJSON *took, struct buf *out);

/* Something went wrong, or against somebody's wish. */
bool event_is_bad(const cJSON *event);

#endif
