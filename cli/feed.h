/* SPDX-License-Identifier: MIT */
/*
 * What the daemon has, again and again: a thread that listens to its events
 * and fetches anew after each (many at once are one), or as time passes.
 * When the daemon goes away it says so and tries until it is back; it never
 * starts one again that somebody stopped.
 *
 * Block the signals you wait for before feed_start().  The client of `cli` is
 * the thread's until feed_free().
 */
#ifndef SVM_CLI_FEED_H
#define SVM_CLI_FEED_H

#include "cli/cmd.h"
#include "lib/base/buf.h"

struct feed_options {
	/* In the feed's thread: append a picture of what there is. */
	int (*fetch)(struct cli *cli, void *data, struct buf *ret,
		     struct svm_err *err);
	void *data;
	int64_t period_ns; /* 0: only when something happened */
	/* Or in how many ns after a picture was fetched; in the feed's thread.
	 * May be NULL. */
	int64_t (*period)(void *data);
};

struct feed;

struct feed *feed_start(struct cli *cli, const struct feed_options *o,
			struct svm_err *err);
void feed_free(struct feed *f);

/* Readable when there is something to take. */
int feed_fd(const struct feed *f);

/*
 * The newest picture into *ret: 1, or 0 when it was taken before.  *ret_gone
 * tells whether the daemon is away.  -1 with err when it refuses us, or was
 * not there from the beginning.
 */
int feed_take(struct feed *f, struct buf *ret, bool *ret_gone,
	      struct svm_err *err);

#endif
