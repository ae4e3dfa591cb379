/* SPDX-License-Identifier: MIT */
/*
 * A small pool of threads for work that blocks.
 *
 * `run` is called on some worker; then `done` on the loop's thread.  The item
 * belongs to the pool from work_submit() until `done` is called.  A pool with
 * one thread runs its items in the order they were submitted.
 *
 * Threads are started when there is work for them and end when they are told
 * to rest: a child process that was started by an item must not depend on its
 * thread (PR_SET_PDEATHSIG).
 */
#ifndef SVM_BASE_WORK_H
#define SVM_BASE_WORK_H

#include <stddef.h>

#include "lib/base/loop.h"

struct work_pool;

struct work {
	void (*run)(struct work *w);
	void (*done)(struct work *w);
	/* the pool's own */
	struct list link;
	struct loop_post post;
};

/* At most so many threads, which start with all signals blocked and the given
 * name (15 bytes).  Where the system has none to give, items are run by
 * work_submit() itself. */
struct work_pool *work_pool_new(struct loop *l, unsigned threads,
				const char *name);

/* Threads without work end, and what malloc kept for them and their stacks go
 * back with them; others start when there is work again.  On the loop's
 * thread; it waits for them to have gone, which is no work but their end. */
void work_pool_rest(struct work_pool *p);

/* Waits for everything submitted; `done` is called for it on later loop
 * turns, so turn the loop before loop_free(). */
void work_pool_free(struct work_pool *p);
void work_submit(struct work_pool *p, struct work *w);
size_t work_pending(struct work_pool *p); /* submitted, not yet run */

#endif
