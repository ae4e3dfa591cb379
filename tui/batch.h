/* SPDX-License-Identifier: MIT */
/*
 * One thing done to several sandboxes: a few requests at a time, however many
 * there are; what fails doesn't stop the rest, and is told at the end.  ^C
 * stops it.
 */
#ifndef SVM_TUI_BATCH_H
#define SVM_TUI_BATCH_H

#include "tui/model.h"

struct batch {
	const char *doing, *done; /* "killing", "killed"; copied */
	size_t at_once; /* 0: as many as is good */
	/* The request about this one; `data` and `done` of it are taken.
	 * NULL with err set: it can't be; without: it needs nothing. */
	struct request *(*make)(struct model *m, const char *id, void *data,
				struct svm_err *err);
	/* It was carried out, r->err says how.  May append to what is shown
	 * at the end.  May be NULL. */
	void (*each)(struct model *m, struct request *r, void *data,
		     struct buf *report);
	/* What is said behind the end, if it was done to any: "; u takes it
	 * back".  May be NULL. */
	void (*then)(const void *data, struct buf *say);
	void *data;
	void (*release)(void *data); /* or NULL */
};

/* Takes the ids, and calls release() when all is over. */
void batch_start(struct model *m, const struct batch *b, char **ids);

/* Whether this is done to all that are marked, where any is. */
bool batch_takes_marked(enum action a);

/* The ids of all marked sandboxes that are shown, or, when none is or
 * `alone`, of s, which may be NULL; the caller's. */
char **batch_targets(const struct model *m, const struct sandbox *s,
		     bool alone);

#endif
