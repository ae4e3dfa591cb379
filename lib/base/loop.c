/* SPDX-License-Identifier: MIT */
/* The event loop.  See loop.h. */
#include "lib/base/loop.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"

#define BATCH 64
#define POSTS 1024 /* handled in one turn */
#define SIGNALS 65
#define HEAP_MIN 16 /* timers there is always room for */

struct loop_fd {
	struct list grave; /* on loop->graveyard once deleted */
	struct loop *loop;
	int fd;
	unsigned events;
	bool dead;
	loop_fd_fn fn;
	void *data;
};

struct loop_timer {
	struct loop *loop;
	int64_t at;
	size_t pos; /* index in the heap + 1; 0 when not armed */
	loop_timer_fn fn;
	void *data;
};

struct loop {
	int epoll;
	bool stopping;
	int64_t now;
	struct list graveyard;

	int alarm; /* timerfd on CLOCK_BOOTTIME */
	int64_t alarm_at;
	struct loop_fd *alarm_source;

	struct loop_timer **heap; /* binary min-heap by `at` */
	size_t heap_len, heap_cap;

	int wake; /* eventfd */
	struct loop_fd *wake_source;
	pthread_mutex_t post_lock;
	struct list posts;

	int sigfd;
	struct loop_fd *sig_source;
	sigset_t sigset;
	struct {
		loop_signal_fn fn;
		void *data;
	} signals[SIGNALS];

	void (*hook)(struct loop *l, void *data);
	void *hook_data;
};

/* Descriptors. */

static uint32_t to_epoll(unsigned events)
{
	uint32_t e = 0;

	if (events & LOOP_READ)
		e |= EPOLLIN;
	if (events & LOOP_WRITE)
		e |= EPOLLOUT;
	if (events & LOOP_RDHUP)
		e |= EPOLLRDHUP;
	return e;
}

static unsigned from_epoll(uint32_t e)
{
	unsigned events = 0;

	if (e & EPOLLIN)
		events |= LOOP_READ;
	if (e & EPOLLOUT)
		events |= LOOP_WRITE;
	if (e & EPOLLRDHUP)
		events |= LOOP_RDHUP;
	if (e & EPOLLHUP)
		events |= LOOP_HUP;
	if (e & EPOLLERR)
		events |= LOOP_ERR;
	return events;
}

struct loop_fd *loop_fd_add(struct loop *l, int fd, unsigned events,
			    loop_fd_fn fn, void *data)
{
	struct loop_fd *s = xcalloc(1, sizeof(*s));
	struct epoll_event ev = { .events = to_epoll(events),
				  .data.ptr = s };

	s->loop = l;
	s->fd = fd;
	s->events = events;
	s->fn = fn;
	s->data = data;
	list_init(&s->grave);
	if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &ev) < 0)
		BUG("fd %d can't be watched: %s", fd, strerror(errno));
	return s;
}

void loop_fd_mod(struct loop_fd *s, unsigned events)
{
	struct epoll_event ev = { .events = to_epoll(events),
				  .data.ptr = s };

	if (s->events == events)
		return;
	s->events = events;
	if (epoll_ctl(s->loop->epoll, EPOLL_CTL_MOD, s->fd, &ev) < 0)
		BUG("fd %d can't be changed: %s", s->fd, strerror(errno));
}

unsigned loop_fd_events(const struct loop_fd *s)
{
	return s->events;
}

void loop_fd_del(struct loop_fd *s)
{
	if (!s || s->dead)
		return;
	s->dead = true;
	(void)epoll_ctl(s->loop->epoll, EPOLL_CTL_DEL, s->fd, NULL);
	list_append(&s->loop->graveyard, &s->grave);
}

static void empty_graveyard(struct loop *l)
{
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &l->graveyard) {
		list_remove(pos);
		free(list_entry(pos, struct loop_fd, grave));
	}
}

/* Timers. */

static void heap_resize(struct loop *l, size_t cap)
{
	l->heap_cap = cap;
	l->heap = xreallocarray(l->heap, cap, sizeof(struct loop_timer *));
}

static void heap_put(struct loop *l, size_t i, struct loop_timer *t)
{
	l->heap[i] = t;
	t->pos = i + 1;
}

static void heap_up(struct loop *l, size_t i)
{
	struct loop_timer *t = l->heap[i];

	for (; i && t->at < l->heap[(i - 1) / 2]->at; i = (i - 1) / 2)
		heap_put(l, i, l->heap[(i - 1) / 2]);
	heap_put(l, i, t);
}

static void heap_down(struct loop *l, size_t i)
{
	struct loop_timer *t = l->heap[i];

	for (;;) {
		size_t kid = 2 * i + 1;

		if (kid + 1 < l->heap_len &&
		    l->heap[kid + 1]->at < l->heap[kid]->at)
			kid++;
		if (kid >= l->heap_len || l->heap[kid]->at >= t->at)
			break;
		heap_put(l, i, l->heap[kid]);
		i = kid;
	}
	heap_put(l, i, t);
}

struct loop_timer *loop_timer_new(struct loop *l, loop_timer_fn fn,
				  void *data)
{
	struct loop_timer *t = xcalloc(1, sizeof(*t));

	t->loop = l;
	t->fn = fn;
	t->data = data;
	return t;
}

void loop_timer_at(struct loop_timer *t, int64_t boot_ns)
{
	struct loop *l = t->loop;

	loop_timer_stop(t);
	t->at = boot_ns;
	if (l->heap_len == l->heap_cap)
		heap_resize(l, MAX(l->heap_cap * 2, (size_t)HEAP_MIN));
	l->heap[l->heap_len++] = t;
	heap_up(l, l->heap_len - 1);
}

void loop_timer_after(struct loop_timer *t, int64_t ns)
{
	loop_timer_at(t, clock_boot_ns() + ns);
}

void loop_timer_stop(struct loop_timer *t)
{
	struct loop *l = t->loop;

	if (!t->pos)
		return;
	size_t i = t->pos - 1;
	struct loop_timer *last = l->heap[--l->heap_len];
	t->pos = 0;
	if (last != t) {
		heap_put(l, i, last);
		heap_up(l, i);
		heap_down(l, last->pos - 1);
	}
	if (l->heap_cap > HEAP_MIN && l->heap_len < l->heap_cap / 4)
		heap_resize(l, l->heap_cap / 2);
}

bool loop_timer_armed(const struct loop_timer *t)
{
	return t->pos != 0;
}

void loop_timer_free(struct loop_timer *t)
{
	if (!t)
		return;
	loop_timer_stop(t);
	free(t);
}

static void run_timers(struct loop *l)
{
	/* A callback that sets its timer to "now" again must not keep us
	 * here: no more calls than there were timers. */
	for (size_t n = l->heap_len;
	     n && l->heap_len && l->heap[0]->at <= l->now; n--) {
		struct loop_timer *t = l->heap[0];

		loop_timer_stop(t);
		t->fn(l, t->data);
	}
}

/* epoll's timeout stands still while the machine is suspended, deadlines
 * don't: a long sleep is also ended by a timerfd. */
static void set_alarm(struct loop *l, int64_t at)
{
	struct itimerspec spec = {
		.it_value = { at / 1000000000, at % 1000000000 },
	};

	if (l->alarm_at == at)
		return;
	l->alarm_at = at;
	(void)timerfd_settime(l->alarm, TFD_TIMER_ABSTIME, &spec, NULL);
}

static void on_alarm(struct loop *l, void *data, unsigned events)
{
	uint64_t count;

	(void)data;
	(void)events;
	l->alarm_at = 0;
	(void)!read(l->alarm, &count, sizeof(count));
}

static int next_timeout(struct loop *l, int max_ms)
{
	if (!l->heap_len)
		return max_ms;
	int64_t ns = l->heap[0]->at - clock_boot_ns();
	int64_t ms = ns <= 0 ? 0 : (ns + 999999) / 1000000;
	if (ms > 1000 && max_ms < 0)
		set_alarm(l, l->heap[0]->at);
	if (max_ms >= 0 && ms > max_ms)
		return max_ms;
	return ms > 3600000 ? 3600000 : (int)ms;
}

/* Posts. */

static void on_wake(struct loop *l, void *data, unsigned events)
{
	uint64_t count;

	(void)data;
	(void)events;
	(void)!read(l->wake, &count, sizeof(count));
	/* One at a time under the lock: a producer may link more meanwhile;
	 * and not for ever, if one posts itself again and again. */
	for (int n = 0;; n++) {
		struct loop_post *post = NULL;

		pthread_mutex_lock(&l->post_lock);
		if (!list_empty(&l->posts) && n == POSTS) {
			count = 1;
			(void)!write(l->wake, &count, sizeof(count));
		} else if (!list_empty(&l->posts)) {
			post = list_entry(l->posts.next, struct loop_post,
					  link);
			list_remove(&post->link);
			post->queued = false;
		}
		pthread_mutex_unlock(&l->post_lock);
		if (!post)
			break;
		post->fn(post);
	}
}

void loop_run_posts(struct loop *l)
{
	on_wake(l, NULL, 0);
}

void loop_post(struct loop *l, struct loop_post *post)
{
	const uint64_t one = 1;
	bool was_empty;

	pthread_mutex_lock(&l->post_lock);
	if (post->queued)
		BUG("a post was queued twice");
	post->queued = true;
	was_empty = list_empty(&l->posts);
	list_append(&l->posts, &post->link);
	pthread_mutex_unlock(&l->post_lock);
	if (was_empty)
		(void)!write(l->wake, &one, sizeof(one));
}

/* Signals. */

static void on_signal(struct loop *l, void *data, unsigned events)
{
	struct signalfd_siginfo info;

	(void)data;
	(void)events;
	while (read(l->sigfd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		if (info.ssi_signo < SIGNALS && l->signals[info.ssi_signo].fn)
			l->signals[info.ssi_signo].fn(
				l, l->signals[info.ssi_signo].data, &info);
}

int loop_signal_add(struct loop *l, int signo, loop_signal_fn fn, void *data)
{
	sigaddset(&l->sigset, signo);
	l->signals[signo].fn = fn;
	l->signals[signo].data = data;
	int r = pthread_sigmask(SIG_BLOCK, &l->sigset, NULL);
	if (r)
		return -r;
	int fd = signalfd(l->sigfd, &l->sigset, SFD_NONBLOCK | SFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (l->sigfd < 0) {
		l->sigfd = fd;
		l->sig_source = loop_fd_add(l, fd, LOOP_READ, on_signal, NULL);
	}
	return 0;
}

/* The loop itself. */

struct loop *loop_new(void)
{
	struct loop *l = xcalloc(1, sizeof(*l));

	l->sigfd = -1;
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	l->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	l->alarm = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	list_init(&l->graveyard);
	list_init(&l->posts);
	pthread_mutex_init(&l->post_lock, NULL);
	sigemptyset(&l->sigset);
	l->now = clock_boot_ns();
	if (l->epoll < 0 || l->wake < 0 || l->alarm < 0) {
		fd_close(l->alarm);
		fd_close(l->epoll);
		fd_close(l->wake);
		pthread_mutex_destroy(&l->post_lock);
		free(l);
		return NULL;
	}
	l->wake_source = loop_fd_add(l, l->wake, LOOP_READ, on_wake, NULL);
	l->alarm_source = loop_fd_add(l, l->alarm, LOOP_READ, on_alarm, NULL);
	return l;
}

void loop_free(struct loop *l)
{
	if (!l)
		return;
	loop_fd_del(l->wake_source);
	loop_fd_del(l->alarm_source);
	loop_fd_del(l->sig_source);
	empty_graveyard(l);
	fd_close(l->wake);
	fd_close(l->alarm);
	fd_close(l->sigfd);
	fd_close(l->epoll);
	pthread_mutex_destroy(&l->post_lock);
	free(l->heap);
	free(l);
}

void loop_turn(struct loop *l, int timeout_ms)
{
	struct epoll_event ev[BATCH];

	if (l->hook)
		l->hook(l, l->hook_data);
	if (l->stopping)
		return;
	int n = epoll_wait(l->epoll, ev, BATCH, next_timeout(l, timeout_ms));
	if (n < 0 && errno != EINTR)
		BUG("epoll_wait: %s", strerror(errno));
	l->now = clock_boot_ns();
	for (int i = 0; i < n; i++) {
		struct loop_fd *s = ev[i].data.ptr;

		if (!s->dead)
			s->fn(l, s->data, from_epoll(ev[i].events));
	}
	run_timers(l);
	empty_graveyard(l);
}

void loop_run(struct loop *l)
{
	while (!l->stopping)
		loop_turn(l, -1);
	l->stopping = false; /* turns after it, at shutdown, are real ones */
}

void loop_stop(struct loop *l)
{
	l->stopping = true;
}

int64_t loop_now_ns(const struct loop *l)
{
	return l->now;
}

void loop_before_sleep(struct loop *l, void (*fn)(struct loop *l, void *data),
		       void *data)
{
	l->hook = fn;
	l->hook_data = data;
}
