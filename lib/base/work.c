/* SPDX-License-Identifier: MIT */
/* A small pool of threads for work that blocks.  See work.h. */
#include "lib/base/work.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/mem.h"

#define STACK (256 * 1024)

struct worker {
	struct list link; /* pool->workers */
	struct work_pool *pool;
	pthread_t id;
	atomic_bool busy; /* from an item's begin until its post */
	bool waits;       /* counted in pool->idle */
	bool leaves;      /* told to */
};

struct work_pool {
	struct loop *loop;
	char name[16];
	unsigned most; /* threads */
	pthread_mutex_t lock;
	pthread_cond_t wake;
	/* under the lock */
	struct list queue;
	size_t pending;
	struct list workers;
	unsigned count, idle;
	bool stopping;
};

static void on_done(struct loop_post *post)
{
	struct work *w = container_of(post, struct work, post);

	w->done(w);
}

/* With the lock. */
static struct work *take(struct work_pool *p)
{
	struct work *w = list_entry(p->queue.next, struct work, link);

	list_remove(&w->link);
	p->pending--;
	return w;
}

/* With the lock. */
static void set_waits(struct worker *me, bool waits)
{
	if (me->waits != waits)
		me->pool->idle += waits ? 1 : -1u;
	me->waits = waits;
}

static struct work *next_item(struct worker *me)
{
	struct work_pool *p = me->pool;
	struct work *w = NULL;

	pthread_mutex_lock(&p->lock);
	while (list_empty(&p->queue) && !p->stopping && !me->leaves) {
		set_waits(me, true);
		pthread_cond_wait(&p->wake, &p->lock);
		set_waits(me, false);
	}
	if (!me->leaves && !list_empty(&p->queue)) {
		w = take(p);
		me->busy = true;
	}
	pthread_mutex_unlock(&p->lock);
	return w;
}

static void *worker(void *arg)
{
	struct worker *me = arg;
	struct work *w;

	while ((w = next_item(me))) {
		w->run(w);
		me->busy = false;
		loop_post(me->pool->loop, &w->post);
	}
	return NULL;
}

/* With the lock.  Whether there is one more. */
static bool start_worker(struct work_pool *p)
{
	struct worker *new = xcalloc(1, sizeof(*new));
	pthread_attr_t attr;
	sigset_t all, old;

	new->pool = p;
	list_init(&new->link);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	int r = pthread_create(&new->id, &attr, worker, new);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	if (r) {
		free(new);
		return false;
	}
	pthread_setname_np(new->id, p->name);
	list_append(&p->workers, &new->link);
	p->count++;
	return true;
}

struct work_pool *work_pool_new(struct loop *l, unsigned threads,
				const char *name)
{
	struct work_pool *p = xcalloc(1, sizeof(*p));

	p->loop = l;
	p->most = threads;
	memcpy(p->name, name, MIN(strlen(name), sizeof(p->name) - 1));
	list_init(&p->queue);
	list_init(&p->workers);
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->wake, NULL);
	return p;
}

/* Those that were told to end. */
static void join(struct list *workers)
{
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, workers) {
		struct worker *w = list_entry(pos, struct worker, link);

		pthread_join(w->id, NULL);
		list_remove(&w->link);
		free(w);
	}
}

void work_pool_rest(struct work_pool *p)
{
	struct list leavers = LIST_INIT(leavers);
	struct list *pos, *tmp;

	pthread_mutex_lock(&p->lock);
	list_for_each_safe(pos, tmp, &p->workers) {
		struct worker *w = list_entry(pos, struct worker, link);

		/* Somebody has to come for what is queued. */
		if (w->busy || p->pending)
			continue;
		set_waits(w, false);
		w->leaves = true;
		list_remove(&w->link);
		list_append(&leavers, &w->link);
		p->count--;
	}
	pthread_cond_broadcast(&p->wake);
	pthread_mutex_unlock(&p->lock);
	join(&leavers);
}

void work_pool_free(struct work_pool *p)
{
	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	p->stopping = true;
	pthread_cond_broadcast(&p->wake);
	pthread_mutex_unlock(&p->lock);
	join(&p->workers);
	pthread_mutex_destroy(&p->lock);
	pthread_cond_destroy(&p->wake);
	free(p);
}

void work_submit(struct work_pool *p, struct work *w)
{
	w->post = (struct loop_post){ .fn = on_done };
	pthread_mutex_lock(&p->lock);
	if (p->stopping)
		BUG("work submitted to a pool that is stopping");
	list_append(&p->queue, &w->link);
	p->pending++;
	if (p->pending <= p->idle || p->count == p->most ||
	    start_worker(p) || p->count) {
		pthread_cond_signal(&p->wake);
		pthread_mutex_unlock(&p->lock);
		return;
	}
	/* The system has no thread for us: better slow than never. */
	w = take(p);
	pthread_mutex_unlock(&p->lock);
	w->run(w);
	loop_post(p->loop, &w->post);
}

size_t work_pending(struct work_pool *p)
{
	pthread_mutex_lock(&p->lock);
	size_t n = p->pending;
	pthread_mutex_unlock(&p->lock);
	return n;
}
