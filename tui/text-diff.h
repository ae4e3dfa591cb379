/* SPDX-License-Identifier: MIT */
/* Where two texts differ, for people to look at: one stretch, from the first
 * line that does to the last. */
#ifndef SVM_TUI_TEXT_DIFF_H
#define SVM_TUI_TEXT_DIFF_H

#include "lib/base/buf.h"

/* "--- OLD", "+++ NEW", lines with '-' and '+', two lines around them;
 * appended.  Long stretches are cut. */
void text_diff(struct buf *out, const char *old_name, const struct buf *old,
	       const char *new_name, const struct buf *new);

#endif
