/* SPDX-License-Identifier: MIT */
/*
 * What the store keeps in memory, given up.  Each connection has a cache of
 * pages of its own and belongs to a thread or a lock, so each is emptied
 * there; the next use finds its pages in the system's cache of the file.
 * Then the threads rest.
 */
#include <stdlib.h>

#include "daemon/store-internal.h"
#include "lib/base/mem.h"
#include "lib/base/work.h"

/* One round, on two threads. */
struct forget {
	struct work writer, sweeper;
	struct store *store; /* NULL: closed before it came home */
	unsigned left; /* of those two; the loop's */
	void (*done)(void *data);
	void *data;
};

static void forget_writer(struct work *w)
{
	struct store *s = container_of(w, struct forget, writer)->store;

	(void)sqlite3_db_release_memory(s->writer);
}

/* The reader too: the writer need not wait for a long read. */
static void forget_others(struct work *w)
{
	struct store *s = container_of(w, struct forget, sweeper)->store;

	(void)sqlite3_db_release_memory(s->sweep_db);
	pthread_mutex_lock(&s->read_lock);
	(void)sqlite3_db_release_memory(s->reader);
	pthread_mutex_unlock(&s->read_lock);
}

static void came_home(struct forget *f)
{
	struct store *s = f->store;

	if (--f->left)
		return;
	if (s) {
		s->forget = NULL;
		work_pool_rest(s->pool);
		work_pool_rest(s->sweeper);
		f->done(f->data);
	}
	free(f);
}

static void writer_done(struct work *w)
{
	came_home(container_of(w, struct forget, writer));
}

static void sweeper_done(struct work *w)
{
	came_home(container_of(w, struct forget, sweeper));
}

bool store_forget(struct store *s, void (*done)(void *data), void *data)
{
	if (s->forget || !atomic_exchange(&s->used, false))
		return false;
	struct forget *f = s->forget = xcalloc(1, sizeof(*f));
	f->writer = (struct work){ .run = forget_writer, .done = writer_done };
	f->sweeper = (struct work){ .run = forget_others,
				    .done = sweeper_done };
	f->store = s;
	f->left = 2;
	f->done = done;
	f->data = data;
	work_submit(s->pool, &f->writer);
	work_submit(s->sweeper, &f->sweeper);
	return true;
}

void store_forget_leave(struct store *s)
{
	if (s->forget)
		s->forget->store = NULL;
}
