/* SPDX-License-Identifier: MIT */
/*
 * A thread for each stream: it reads lines and hands them to the loop, a few
 * at a time.  When the loop is behind, it stops reading.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/api/limits.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "tui/fetch.h"
#include "tui/start.h"

#define BEHIND_MAX KIB(16) /* handed over at once: keys wait as long */
#define PAUSE_MIN_MS 200
#define PAUSE_MAX_MS 5000
/* A daemon that goes on telling what was isn't waited for any longer. */
#define HISTORY_NS (5 * INT64_C(1000000000))

struct stream_link {
	struct loop *loop;
	struct model *m;
	struct stream *s;
	struct fetch_options options;
	void (*changed)(void *data);
	void *data;

	char *target, *body; /* the thread's */
	bool sse, once, pulse;
	bool was_live;
	int64_t last_ns;     /* boot; when the daemon said anything */
	int64_t last_id;

	pthread_t thread;
	int stop_fd;
	atomic_bool stop;
	atomic_bool over; /* the thread is about to end */

	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t room;
	struct buf lines;     /* each ends with a NUL */
	size_t live_at;       /* of those bytes: told before it is LIVE */
	enum stream_state state;
	bool state_new;
	bool starting;
	char *no_tcp;         /* of the daemon that was started, or NULL */
	bool quiet, pulse_new; /* it is silent since heard_ns, or was */
	int64_t heard_ns;
	struct svm_err err;
	bool posted;
	struct loop_post post;
};

/* -- the loop's side */

static void tell_lines(struct stream_link *k, const struct buf *lines,
		       size_t at, size_t end)
{
	while (at < end && !k->s->closed) {
		size_t n = strlen(lines->data + at);

		k->s->line(k->m, k->s, lines->data + at, n);
		at += n + 1;
	}
}

static void deliver(struct loop_post *post)
{
	struct stream_link *k = container_of(post, struct stream_link, post);
	auto_buf struct buf lines = BUF_INIT;
	struct svm_err err = SVM_ERR_INIT;
	bool state_new, pulse_new, quiet;
	int64_t heard_ns;
	size_t live_at;

	pthread_mutex_lock(&k->lock);
	pulse_new = k->pulse_new;
	quiet = k->quiet;
	heard_ns = k->heard_ns;
	k->pulse_new = false;
	lines = k->lines;
	live_at = k->live_at;
	k->live_at = 0;
	k->lines = (struct buf)BUF_INIT;
	state_new = k->state_new;
	k->state_new = k->posted = false;
	if (state_new) {
		err = k->err;
		k->err = (struct svm_err)SVM_ERR_INIT;
	}
	pthread_cond_signal(&k->room);
	if (k->s->starting != k->starting)
		start_step(k->m);
	k->s->starting = k->starting;
	enum stream_state state = k->state;
	auto_free char *no_tcp = steal_ptr(&k->no_tcp);

	pthread_mutex_unlock(&k->lock);
	if (no_tcp)
		model_say(k->m, "no API on TCP, %s; change server.port",
			  no_tcp);
	if (k->s->closed) {
		svm_err_release(&err);
	} else {
		if (pulse_new && quiet)
			sync_silent(k->m, heard_ns, clock_boot_ns());
		else if (pulse_new)
			sync_heard(k->m, heard_ns);
		/* History, live, its lines, broken. */
		tell_lines(k, &lines, 0, live_at);
		if (state_new) {
			svm_err_release(&k->s->err);
			k->s->err = err;
			k->s->state = state;
		}
		if (state_new && state == STREAM_LIVE && k->s->changed)
			k->s->changed(k->m, k->s);
		tell_lines(k, &lines, live_at, lines.len);
		if (state_new && state != STREAM_LIVE && !k->s->closed &&
		    k->s->changed)
			k->s->changed(k->m, k->s);
	}
	update_settle(k->m);
	k->m->effects |= EFFECT_REDRAW;
	k->changed(k->data);
}

/* -- the thread's side */

static void post(struct stream_link *k)
{
	if (!k->posted) {
		k->posted = true;
		loop_post(k->loop, &k->post);
	}
}

static void started(void *data, pid_t pid, const char *no_tcp)
{
	struct stream_link *k = data;

	(void)pid;
	if (!no_tcp)
		return;
	pthread_mutex_lock(&k->lock);
	free(k->no_tcp);
	k->no_tcp = xstrdup(no_tcp);
	post(k);
	pthread_mutex_unlock(&k->lock);
}

static void starting(void *data, bool under_way)
{
	struct stream_link *k = data;

	pthread_mutex_lock(&k->lock);
	k->starting = under_way;
	post(k);
	pthread_mutex_unlock(&k->lock);
}

/* Silence is told again and again: others may have heard it meanwhile. */
static void tell_pulse(struct stream_link *k, bool quiet)
{
	pthread_mutex_lock(&k->lock);
	k->quiet = quiet;
	k->heard_ns = k->last_ns;
	k->pulse_new = true;
	post(k);
	pthread_mutex_unlock(&k->lock);
}

static void heard(struct stream_link *k)
{
	k->last_ns = clock_boot_ns();
	if (k->quiet)
		tell_pulse(k, false);
}

static int64_t waits(void *data)
{
	struct stream_link *k = data;
	int64_t now = clock_boot_ns();

	if (!k->pulse)
		return 0;
	if (k->starting)
		k->last_ns = now;
	if (now < k->last_ns + LIMIT_TUI_SILENCE)
		return k->last_ns + LIMIT_TUI_SILENCE;
	tell_pulse(k, true);
	return now + SECONDS(1);
}

static void add_line(struct stream_link *k, const char *s, size_t n)
{
	pthread_mutex_lock(&k->lock);
	while (k->lines.len > BEHIND_MAX && !k->stop)
		pthread_cond_wait(&k->room, &k->lock);
	if (n <= LIMIT_TUI_LINE)
		buf_add(&k->lines, s, n + 1);
	post(k);
	pthread_mutex_unlock(&k->lock);
}

static void set_state(struct stream_link *k, enum stream_state state,
		      struct svm_err *err)
{
	pthread_mutex_lock(&k->lock);
	k->state = state;
	k->state_new = true;
	if (state == STREAM_LIVE)
		k->live_at = k->lines.len;
	if (err && err->code != SVM_OK) {
		svm_err_release(&k->err);
		svm_err_move(&k->err, err);
	}
	post(k);
	pthread_mutex_unlock(&k->lock);
}

/* Of server-sent events the data lines are told, the id is kept. */
static void take_line(struct stream_link *k, char *line, size_t n)
{
	if (!k->sse) {
		add_line(k, line, n);
	} else if (strncmp(line, "id:", 3) == 0) {
		k->last_id = strtoll(line + 3, NULL, 10);
	} else if (strncmp(line, "data:", 5) == 0) {
		size_t skip = 5 + (line[5] == ' ');

		add_line(k, line + skip, n - skip);
	}
}

/* Where it went on before: instead of the query it began with. */
static char *full_target(const struct stream_link *k)
{
	if (!k->sse || !k->last_id)
		return xstrdup(k->target);
	return xasprintf("%.*s?since=%lld", (int)strcspn(k->target, "?"),
			 k->target, (long long)k->last_id);
}

static struct exchange *ask(const struct stream_link *k, struct client *c,
			    const char *target, struct svm_err *err)
{
	size_t n = k->body ? strlen(k->body) : 0;
	auto_exchange struct exchange *x =
		exchange_new(c, k->body ? "POST" : "GET", target,
			     k->body ? (int64_t)n : CLIENT_NO_BODY, err);

	/* Who isn't heard out says why in the reply. */
	if (x && n && exchange_send(x, k->body, n, err) < 0)
		return NULL;
	return steal_ptr(&x);
}

/* One connection, to its end or until the deadline. */
static void read_lines(struct stream_link *k, const char *target,
		       int64_t deadline_ns, bool *ret_live,
		       struct svm_err *err)
{
	struct client *c = fetch_client(&k->options, !k->was_live,
					deadline_ns, k->stop_fd, err);
	auto_exchange struct exchange *x = c ? ask(k, c, target, err) : NULL;
	bool end = false;
	size_t n;
	char *line;

	if (x && exchange_reply(x, err) == 0) {
		heard(k);
		if (ret_live) {
			*ret_live = k->was_live = true;
			set_state(k, STREAM_LIVE, NULL);
		}
		while (!k->stop &&
		       (line = exchange_line(x, true, &n, &end, err))) {
			heard(k);
			take_line(k, line, n);
		}
	}
	exchange_free(steal_ptr(&x));
	client_free(c);
}

/* Of events first what is on record, then what is news: all that is asked
 * for when the stream is LIVE has the former in it.  True when there is to be
 * another. */
static bool read_once(struct stream_link *k, bool *ret_was_live)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	bool again;

	if (k->sse) {
		auto_free char *since = full_target(k);
		auto_free char *record = xasprintf("%s&follow=false", since);

		read_lines(k, record, clock_boot_ns() + HISTORY_NS, NULL,
			   &err);
	}
	/* Why it didn't work, the second says as well, but not sooner. */
	if (err.code != SVM_UNREACHABLE) {
		auto_free char *target = full_target(k);

		svm_err_release(&err);
		read_lines(k, target, 0, ret_was_live, &err);
	}
	k->last_ns = clock_boot_ns(); /* what comes now begins anew */
	again = !k->stop && !k->once &&
		(err.code == SVM_OK || err.code == SVM_UNREACHABLE ||
		 err.code == SVM_TIMEOUT || err.code == SVM_PROVIDER ||
		 err.code == SVM_UNAVAILABLE || err.code == SVM_INTERNAL);
	set_state(k, again ? STREAM_BROKEN : STREAM_ENDED, &err);
	return again;
}

static void *stream_thread(void *arg)
{
	struct stream_link *k = arg;
	int pause = PAUSE_MIN_MS;

	for (;;) {
		struct pollfd p = { .fd = k->stop_fd, .events = POLLIN };
		bool was_live = false;

		if (!read_once(k, &was_live))
			break;
		pause = was_live ? PAUSE_MIN_MS :
				   MIN(pause * 2, PAUSE_MAX_MS);
		if (poll(&p, 1, pause) != 0 && k->stop)
			break;
	}
	pthread_mutex_lock(&k->lock);
	k->over = true;
	post(k);
	pthread_mutex_unlock(&k->lock);
	return NULL;
}

struct stream_link *stream_link_new(struct loop *l, struct model *m,
				    struct stream *s,
				    const struct fetch_options *o,
				    void (*changed)(void *data), void *data)
{
	struct stream_link *k = xcalloc(1, sizeof(*k));
	sigset_t all, before;

	k->loop = l;
	k->m = m;
	k->s = s;
	k->options = *o;
	k->options.on_started = started;
	k->options.on_starting = starting;
	k->options.on_wait = waits;
	k->last_ns = clock_boot_ns();
	k->options.data = k;
	k->changed = changed;
	k->data = data;
	k->target = xstrdup(s->target);
	k->body = xstrdup(s->body);
	k->sse = s->sse;
	k->once = s->once;
	k->pulse = s->pulse;
	k->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	k->post.fn = deliver;
	pthread_mutex_init(&k->lock, NULL);
	pthread_cond_init(&k->room, NULL);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int r = pthread_create(&k->thread, NULL, stream_thread, k);

	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r)
		BUG("can't start a thread: %s", strerror(r));
	return k;
}

void stream_link_stop(struct stream_link *k)
{
	uint64_t one = 1;

	k->stop = true;
	if (write(k->stop_fd, &one, sizeof(one)) < 0)
		return; /* it is readable already */
	pthread_mutex_lock(&k->lock);
	pthread_cond_signal(&k->room);
	pthread_mutex_unlock(&k->lock);
}

bool stream_link_ended(struct stream_link *k)
{
	bool ended;

	pthread_mutex_lock(&k->lock);
	ended = k->over && !k->posted;
	pthread_mutex_unlock(&k->lock);
	return ended;
}

void stream_link_free(struct stream_link *k)
{
	if (!k)
		return;
	stream_link_stop(k);
	pthread_join(k->thread, NULL);
	/* What it posted is still queued: nobody else would take it out. */
	if (k->posted) {
		k->s->closed = true;
		loop_run_posts(k->loop);
	}
	close(k->stop_fd);
	buf_release(&k->lines);
	svm_err_release(&k->err);
	pthread_mutex_destroy(&k->lock);
	pthread_cond_destroy(&k->room);
	free(k->target);
	free(k->body);
	free(k->no_tcp);
	free(k);
}
