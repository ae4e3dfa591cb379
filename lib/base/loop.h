/* SPDX-License-Identifier: MIT */
/*
 * The event loop: level-triggered epoll, timers, signals, posts from other
 * threads, and one hook before sleeping.
 *
 * Everything here belongs to the loop's thread, except loop_post(), which any
 * thread may call.  A source that is deleted inside a callback is never
 * called again, even if it is ready in the same turn: deleted sources go to a
 * graveyard that is emptied after the turn.
 */
#ifndef SVM_BASE_LOOP_H
#define SVM_BASE_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/signalfd.h>

#include "lib/base/list.h"

struct loop;
struct loop_fd;
struct loop_timer;

typedef void (*loop_fd_fn)(struct loop *l, void *data, unsigned events);
typedef void (*loop_timer_fn)(struct loop *l, void *data);
typedef void (*loop_signal_fn)(struct loop *l, void *data,
			       const struct signalfd_siginfo *info);

/* What to watch and what happened; HUP and ERR are always reported. */
enum loop_events {
	LOOP_READ = 1u << 0,
	LOOP_WRITE = 1u << 1,
	LOOP_RDHUP = 1u << 2, /* the peer will send no more */
	LOOP_HUP = 1u << 3,
	LOOP_ERR = 1u << 4,
};

struct loop *loop_new(void);   /* NULL with errno when the kernel refuses */
void loop_free(struct loop *l); /* all sources must be gone or are dropped */
void loop_run(struct loop *l);  /* until loop_stop() */
void loop_stop(struct loop *l);
void loop_turn(struct loop *l, int timeout_ms); /* one wait and its events */
int64_t loop_now_ns(const struct loop *l);      /* CLOCK_BOOTTIME, per turn */

/* Borrows fd: the caller closes it, after loop_fd_del(). */
struct loop_fd *loop_fd_add(struct loop *l, int fd, unsigned events,
			    loop_fd_fn fn, void *data);
void loop_fd_mod(struct loop_fd *s, unsigned events);
unsigned loop_fd_events(const struct loop_fd *s);
void loop_fd_del(struct loop_fd *s); /* accepts NULL; frees */

/* One-shot at a CLOCK_BOOTTIME deadline.  The timer is the caller's until
 * loop_timer_free(); it may be set again, also inside its own callback. */
struct loop_timer *loop_timer_new(struct loop *l, loop_timer_fn fn,
				  void *data);
void loop_timer_at(struct loop_timer *t, int64_t boot_ns);
void loop_timer_after(struct loop_timer *t, int64_t ns);
void loop_timer_stop(struct loop_timer *t);
bool loop_timer_armed(const struct loop_timer *t);
void loop_timer_free(struct loop_timer *t); /* accepts NULL */

/* Signals named here must be blocked in every thread (loop_signal_add blocks
 * them in the caller's, so call it before any thread is started). */
int loop_signal_add(struct loop *l, int signo, loop_signal_fn fn, void *data);

/* Run fn(post) on the loop's thread, soon and in order.  The post belongs to
 * the loop until fn is called.  Posting one twice before it ran is a BUG. */
struct loop_post {
	struct list link;
	void (*fn)(struct loop_post *post);
	bool queued;
};
void loop_post(struct loop *l, struct loop_post *post);

/* Run what was posted and nothing else: for taking leave, when no event may
 * begin anything new. */
void loop_run_posts(struct loop *l);

/* Called once per turn, after the events and before sleeping. */
void loop_before_sleep(struct loop *l, void (*fn)(struct loop *l, void *data),
		       void *data);

#endif
