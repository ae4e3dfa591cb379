/* SPDX-License-Identifier: MIT */
/*
 * A small pool of threads for work that blocks.
 *
 * `run` is called on some worker; then `done` on the loop's thread.  The item
 * belongs to the pool from work_submit() until `done` is called.  A pool with
 * one thread runs its items in the order they were submitted.
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

/* Threads start with all signals blocked and the given name (15 bytes). */
struct work_pool *work_pool_new(struct loop *l, unsigned threads,
				const char *name);

/* Waits for everything submitted; `done` is called for it on later loop
 * turns, so turn the loop before loop_free(). */
void work_pool_free(struct work_pool *p);
void work_submit(struct work_pool *p, struct work *w);
size_t work_pending(struct work_pool *p); /* submitted, not yet run */

#endif
