/* SPDX-License-Identifier: MIT */
/* A timer's signal ends flock().  See lock.h. */
#include "lib/base/lock.h"

#include <errno.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/time.h>

#include "lib/base/clock.h"

/* It comes again: one may come just before flock() begins to wait. */
#define AGAIN_US 20000

static void on_alarm(int signo)
{
	(void)signo;
}

static int lock_until(int fd, int64_t end_ns)
{
	while (flock(fd, LOCK_EX) < 0) {
		if (errno != EINTR)
			return -errno;
		if (clock_mono_ns() >= end_ns)
			return -EWOULDBLOCK;
	}
	return 0;
}

int lock_within(int fd, unsigned ms)
{
	const struct sigaction wake = { .sa_handler = on_alarm };
	const struct itimerval often = { { 0, AGAIN_US }, { 0, AGAIN_US } };
	const struct itimerval never = { { 0, 0 }, { 0, 0 } };
	struct sigaction old;
	sigset_t alarm, mask;

	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno != EWOULDBLOCK && errno != EINTR)
		return -errno;
	sigemptyset(&alarm);
	sigaddset(&alarm, SIGALRM);
	if (sigaction(SIGALRM, &wake, &old) < 0)
		return -errno;
	(void)sigprocmask(SIG_UNBLOCK, &alarm, &mask);
	(void)setitimer(ITIMER_REAL, &often, NULL);
	int r = lock_until(fd, clock_mono_ns() + (int64_t)ms * 1000000);
	(void)setitimer(ITIMER_REAL, &never, NULL);
	(void)sigprocmask(SIG_SETMASK, &mask, NULL);
	(void)sigaction(SIGALRM, &old, NULL);
	return r;
}
