/* SPDX-License-Identifier: MIT */
/* How far a long copy has come: one line on stderr, redrawn on a terminal. */
#ifndef SVM_CLI_PROGRESS_H
#define SVM_CLI_PROGRESS_H

#include <stdint.h>

#include "cli/cmd.h"

struct progress {
	const char *what; /* borrowed; NULL: silent */
	bool redraw;
	int64_t total;    /* bytes, -1: unknown */
	int64_t done;
	int64_t begun_ns, shown_ns;
	bool shown;
};

/* Shows nothing for copies that take less than half a second. */
void progress_init(struct progress *p, const struct cli *cli,
		   const char *what, int64_t total);
void progress_add(struct progress *p, int64_t bytes);
/* Where it has got to, when that is told and not counted. */
void progress_set(struct progress *p, int64_t done, int64_t total);
void progress_end(struct progress *p);

#endif
