/* SPDX-License-Identifier: MIT */
/* A small pool of threads for work that blocks.  See work.h. */
#include "lib/base/work.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/mem.h"

struct work_pool {
	struct loop *loop;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct list queue;
	size_t pending;
	bool stopping;
	unsigned threads;
	pthread_t *ids;
};

static void on_done(struct loop_post *post)
{
	struct work *w = container_of(post, struct work, post);

	w->done(w);
}

static struct work *next_item(struct work_pool *p)
{
	struct work *w = NULL;

	pthread_mutex_lock(&p->lock);
	while (list_empty(&p->queue) && !p->stopping)
		pthread_cond_wait(&p->wake, &p->lock);
	if (!list_empty(&p->queue)) {
		w = list_entry(p->queue.next, struct work, link);
		list_remove(&w->link);
		p->pending--;
	}
	pthread_mutex_unlock(&p->lock);
	return w;
}

static void *worker(void *arg)
{
	struct work_pool *p = arg;
	struct work *w;

	while ((w = next_item(p))) {
		w->run(w);
		loop_post(p->loop, &w->post);
	}
	return NULL;
}

struct work_pool *work_pool_new(struct loop *l, unsigned threads,
				const char *name)
{
	struct work_pool *p = xcalloc(1, sizeof(*p));
	pthread_attr_t attr;
	sigset_t all, old;

	p->loop = l;
	p->threads = threads;
	p->ids = xcalloc(threads, sizeof(*p->ids));
	list_init(&p->queue);
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->wake, NULL);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 256 * 1024);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	for (unsigned i = 0; i < threads; i++) {
		int r = pthread_create(&p->ids[i], &attr, worker, p);

		if (r)
			BUG("can't start a worker thread: %s", strerror(r));
		pthread_setname_np(p->ids[i], name);
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	return p;
}

void work_pool_free(struct work_pool *p)
{
	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	p->stopping = true;
	pthread_cond_broadcast(&p->wake);
	pthread_mutex_unlock(&p->lock);
	for (unsigned i = 0; i < p->threads; i++)
		pthread_join(p->ids[i], NULL);
	pthread_mutex_destroy(&p->lock);
	pthread_cond_destroy(&p->wake);
	free(p->ids);
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
	pthread_cond_signal(&p->wake);
	pthread_mutex_unlock(&p->lock);
}

size_t work_pending(struct work_pool *p)
{
	pthread_mutex_lock(&p->lock);
	size_t n = p->pending;
	pthread_mutex_unlock(&p->lock);
	return n;
}
