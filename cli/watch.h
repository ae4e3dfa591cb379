/* SPDX-License-Identifier: MIT */
/*
 * A view that follows the daemon until it is left: q, Ctrl-C, a signal, the
 * end of --timeout.  Painted in place on a terminal, else told in lines.  The
 * terminal is put back on every way out, and for the time of a Ctrl-Z.
 */
#ifndef SVM_CLI_WATCH_H
#define SVM_CLI_WATCH_H

#include "cli/feed.h"
#include "cli/live.h"

struct watch {
	struct feed_options feed;
	void *data;

	/* A new picture.  With l NULL it is to be printed now.  1: enough. */
	int (*take)(struct cli *cli, void *data, struct buf *picture,
		    bool live, struct svm_err *err);
	/* Rows of the newest picture into l; at most `room` of them.  Returns
	 * after how many ms it would look different by itself, or -1. */
	int (*draw)(struct cli *cli, void *data, struct live *l, size_t room);
	const char *thing, *things; /* "sandbox", for the last line */
	const char *note; /* there too, or NULL */
	size_t (*count)(void *data);
};

/* Whether it is told in blocks of text, for a person who asked that nothing is
 * painted over (ui.accessible). */
bool watch_is_blocks(const struct cli *cli);

/* Whether it is painted in place. */
bool watch_is_live(const struct cli *cli);

/* For `help keys`: those of every such view. */
void watch_print_keys(void);

/* The exit status, or -1 with err. */
int watch_run(struct cli *cli, const struct watch *w, struct svm_err *err);

#endif
