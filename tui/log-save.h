/* SPDX-License-Identifier: MIT */
/*
 * The logs of sandboxes, all that the daemon has of them, into one local file:
 * pages from the end to the beginning, then merged by time and put in place
 * whole.  What filters leave out of the view is in it.
 */
#ifndef SVM_TUI_LOG_SAVE_H
#define SVM_TUI_LOG_SAVE_H

#include "tui/textlog.h"

/* Which is under way, 0: none; who sets it to that stops it. */
struct log_saving {
	unsigned last, now;
};

struct log_save_options {
	char *const *ids;     /* of sandboxes; NULL at the end; copied */
	const char *since;    /* as the daemon takes it, or NULL */
	const char *since_said; /* as it was typed, or NULL */
	const char *path;
	bool times;           /* when and whence, before each line */
	struct log_saving *saving; /* outlives it */
	const struct textlog *here; /* what is left of one that is gone */
};

void log_save(struct model *m, const struct log_save_options *o);

#endif
