/* SPDX-License-Identifier: MIT */
/* Pictures of what the daemon has.  See feed.h. */
#include "cli/feed.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/sse.h"
#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"

#define MS INT64_C(1000000)
#define GATHER_NS (30 * MS)     /* events this close are fetched for once */
#define FETCH_NS (10000 * MS)
#define RETRY_MIN_MS 100
#define RETRY_MAX_MS 2000

struct feed {
	struct cli *cli;
	struct feed_options o;
	pthread_t thread;
	int news, stop; /* eventfds */
	bool was_there; /* the thread's own: it has once answered */

	pthread_mutex_t lock; /* what follows */
	struct buf picture;
	bool fresh, gone, failed;
	struct svm_err err;
};

static void tell(struct feed *f)
{
	(void)!write(f->news, &(uint64_t){ 1 }, sizeof(uint64_t));
}

static void publish(struct feed *f, struct buf *picture)
{
	pthread_mutex_lock(&f->lock);
	buf_release(&f->picture);
	f->picture = *picture;
	*picture = (struct buf)BUF_INIT;
	f->fresh = true;
	f->gone = false;
	pthread_mutex_unlock(&f->lock);
	f->was_there = true;
	tell(f);
}

static int fetch(struct feed *f, struct svm_err *err)
{
	auto_buf struct buf picture = BUF_INIT;

	client_set_deadline(f->cli->client, clock_boot_ns() + FETCH_NS);
	if (f->o.fetch(f->cli, f->o.data, &picture, err) < 0)
		return -1;
	publish(f, &picture);
	return 0;
}

/* When to fetch next, having just fetched. */
static int64_t next_period(const struct feed *f)
{
	int64_t ns = f->o.period ? f->o.period(f->o.data) : f->o.period_ns;

	return ns ? clock_boot_ns() + ns : 0;
}

/* Listen and fetch until the stream breaks. */
static int follow(struct feed *f, struct exchange *x, struct svm_err *err)
{
	auto_json struct json_doc doc = JSON_DOC_INIT;
	int64_t due = next_period(f);
	bool dirty = false;
	const char *raw;

	for (;;) {
		auto_err struct svm_err e = SVM_ERR_INIT;
		int r = 1;

		if (!due || clock_boot_ns() < due) {
			client_set_deadline(f->cli->client, due);
			r = sse_next(x, &doc, &raw, &e);
		}
		if (r == 0)
			return svm_err_set(err, SVM_UNREACHABLE,
					   "the daemon ended the stream");
		if (r < 0 && (e.code != SVM_TIMEOUT || !due))
			return svm_err_move(err, &e);
		if (due && clock_boot_ns() >= due) {
			if (fetch(f, err) < 0)
				return -1;
			due = next_period(f);
			dirty = false;
		} else if (r > 0 && !dirty) {
			int64_t soon = clock_boot_ns() + GATHER_NS;

			dirty = true;
			due = due ? MIN(due, soon) : soon;
		}
	}
}

/* The stream first, the picture after: nothing falls between them. */
static int attend(struct feed *f, struct svm_err *err)
{
	if (!cli_client(f->cli, err))
		return -1;
	client_set_cancel_fd(f->cli->client, f->stop);
	client_set_deadline(f->cli->client, clock_boot_ns() + 2 * FETCH_NS);
	auto_exchange struct exchange *x =
		exchange_new(f->cli->client, "GET", API "/events",
			     CLIENT_NO_BODY, err);

	if (!x || exchange_reply(x, err) < 0 || fetch(f, err) < 0)
		return -1;
	return follow(f, x, err);
}

/* Is it worth trying again? */
static bool may_come_back(const struct feed *f, const struct svm_err *e)
{
	return f->was_there &&
	       (e->code == SVM_UNREACHABLE || e->code == SVM_PROVIDER ||
		e->code == SVM_TIMEOUT || e->code == SVM_UNAVAILABLE);
}

static bool wait_to_retry(struct feed *f, int ms)
{
	struct pollfd p = { .fd = f->stop, .events = POLLIN };

	pthread_mutex_lock(&f->lock);
	bool told = f->gone;

	f->gone = true;
	pthread_mutex_unlock(&f->lock);
	if (!told)
		tell(f);
	return poll(&p, 1, ms) == 0;
}

static void *run(void *arg)
{
	struct feed *f = arg;
	int pause = RETRY_MIN_MS;

	for (;;) {
		auto_err struct svm_err e = SVM_ERR_INIT;
		int64_t begun = clock_boot_ns();

		(void)attend(f, &e);
		if (e.code == SVM_CANCELLED)
			return NULL;
		if (!may_come_back(f, &e)) {
			pthread_mutex_lock(&f->lock);
			f->failed = true;
			svm_err_move(&f->err, &e);
			pthread_mutex_unlock(&f->lock);
			tell(f);
			return NULL;
		}
		client_free(f->cli->client);
		f->cli->client = NULL;
		f->cli->no_autostart = true;
		pause = clock_boot_ns() - begun > RETRY_MAX_MS * MS ?
				RETRY_MIN_MS : MIN(pause * 2, RETRY_MAX_MS);
		if (!wait_to_retry(f, pause))
			return NULL;
	}
}

struct feed *feed_start(struct cli *cli, const struct feed_options *o,
			struct svm_err *err)
{
	struct feed *f = xcalloc(1, sizeof(*f));

	f->cli = cli;
	cli->progress = "none"; /* the view has the screen */
	f->o = *o;
	f->lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
	f->news = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	f->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int e = f->news < 0 || f->stop < 0 ?
			errno : pthread_create(&f->thread, NULL, run, f);

	if (!e)
		return f;
	fd_close(f->news);
	fd_close(f->stop);
	free(f);
	svm_err_sys(err, SVM_INTERNAL, e, "start listening");
	return NULL;
}

void feed_free(struct feed *f)
{
	if (!f)
		return;
	(void)!write(f->stop, &(uint64_t){ 1 }, sizeof(uint64_t));
	pthread_join(f->thread, NULL);
	if (f->cli->client)
		client_set_cancel_fd(f->cli->client, -1);
	fd_close(f->news);
	fd_close(f->stop);
	buf_release(&f->picture);
	svm_err_release(&f->err);
	free(f);
}

int feed_fd(const struct feed *f)
{
	return f->news;
}

int feed_take(struct feed *f, struct buf *ret, bool *ret_gone,
	      struct svm_err *err)
{
	uint64_t n;
	int r = 0;

	(void)!read(f->news, &n, sizeof(n));
	pthread_mutex_lock(&f->lock);
	*ret_gone = f->gone;
	if (f->fresh) {
		buf_release(ret);
		*ret = f->picture;
		f->picture = (struct buf)BUF_INIT;
		f->fresh = false;
		r = 1;
	} else if (f->failed) {
		r = svm_err_move(err, &f->err);
	}
	pthread_mutex_unlock(&f->lock);
	return r;
}
