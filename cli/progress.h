/* SPDX-License-Identifier: MIT */
/* How far something that takes long has come: one line on stderr, painted
 * again on a terminal, else a line now and then. */
#ifndef SVM_CLI_PROGRESS_H
#define SVM_CLI_PROGRESS_H

#include <stdint.h>

#include "cli/cmd.h"

struct live;

struct progress {
	const char *what; /* borrowed; NULL: silent */
	struct live *live; /* NULL: lines */
	bool redraw;
	int64_t total;    /* bytes, -1: unknown */
	int64_t done;
	int64_t begun_ns, shown_ns;
	bool shown, color;
};

/* Shows nothing for copies that take less than half a second. */
void progress_init(struct progress *p, const struct cli *cli,
		   const char *what, int64_t total);
void progress_add(struct progress *p, int64_t bytes);
/* Where it has got to, when that is told and not counted. */
void progress_set(struct progress *p, int64_t done, int64_t total);
void progress_end(struct progress *p);

/* For one call that tells nothing until it is done: on a terminal a line with
 * the time it takes, after a tenth of a second, gone when it ended.  NULL
 * where there is nothing to show. */
struct ticker;
struct ticker *ticker_start(const struct cli *cli, const char *what);
/* When it is told after all: what is done now (copied) and, with a total, how
 * much of it.  Accepts NULL. */
void ticker_tell(struct ticker *t, const char *what, int64_t done,
		 int64_t total);
void ticker_stop(struct ticker *t); /* accepts NULL */
/* What is printed to stderr meanwhile would be painted over. */
bool ticker_is_on(void);

#endif
