/* SPDX-License-Identifier: MIT */
/* A thread that lets signals through.  See ending.h. */
#include "lib/base/ending.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "lib/base/foreground.h"

#define STEP_MS 100
#define STACK_BYTES (64 * 1024)

static struct {
	pid_t of; /* the process that has the thread; 0: none has */
	int signals, wake, ms;
	sem_t begun;
	atomic_int heard;
	atomic_bool held;
	struct termios modes;
	bool has_modes;
	pthread_mutex_t lock; /* of what follows */
	int fd;
	const char *bytes;
	size_t n;
} ending = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* By another open file: that flag of the one we were given is its other
 * users' too.  Who is in a write there keeps out whoever won't wait. */
static void write_last(void)
{
	char path[32];

	(void)pthread_mutex_lock(&ending.lock); /* for good */
	if (!ending.n)
		return;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", ending.fd);
	int fd = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	if (fd >= 0 && poll(&p, 1, 0) > 0 && p.revents & POLLOUT)
		(void)!write(fd, ending.bytes, ending.n);
}

static void end(int signo)
{
	sigset_t set;

	write_last();
	if (ending.has_modes && foreground_has(STDIN_FILENO))
		(void)tcsetattr(STDIN_FILENO, TCSANOW, &ending.modes);
	(void)signal(signo, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, signo);
	(void)pthread_kill(pthread_self(), signo);
	(void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	_exit(128 + signo);
}

static bool is_ready(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, ms) > 0;
}

int ending_pending(void)
{
	sigset_t set;

	(void)sigpending(&set);
	return sigismember(&set, SIGTERM) ? SIGTERM :
	       sigismember(&set, SIGHUP) ? SIGHUP : 0;
}

static void wait_until_heard(void)
{
	int signo = 0, waited = 0;

	while (!atomic_load(&ending.heard) && (signo = ending_pending())) {
		if (waited >= ending.ms)
			end(signo);
		(void)is_ready(ending.wake, STEP_MS);
		waited = atomic_load(&ending.held) ? 0 : waited + STEP_MS;
	}
}

static void *run(void *unused)
{
	struct pollfd p[] = { { .fd = ending.signals, .events = POLLIN },
			      { .fd = ending.wake, .events = POLLIN } };

	(void)unused;
	(void)sem_post(&ending.begun);
	while (!atomic_load(&ending.heard)) {
		(void)poll(p, 2, -1);
		wait_until_heard();
	}
	(void)poll(NULL, 0, ending.ms);
	end(atomic_load(&ending.heard));
	return NULL;
}

/* Returns when it runs: a fork(2) while a thread is being made leaves the child
 * with locks that nobody lets go of; AddressSanitizer's are such. */
static int start(void)
{
	pthread_attr_t attr;
	sigset_t all, old;
	pthread_t thread;

	if (sem_init(&ending.begun, 0, 0) < 0 || pthread_attr_init(&attr))
		return -ENOMEM;
	(void)pthread_attr_setstacksize(&attr, STACK_BYTES + PTHREAD_STACK_MIN);
	(void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	int r = pthread_create(&thread, &attr, run, NULL);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	(void)pthread_attr_destroy(&attr);
	while (r == 0 && sem_wait(&ending.begun) < 0 && errno == EINTR)
		continue;
	return -r;
}

int ending_watch(int ms)
{
	sigset_t set;
	int r;

	if (ending.of == getpid())
		return 0;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	ending.ms = ms;
	atomic_store(&ending.heard, 0);
	atomic_store(&ending.held, false);
	ending.has_modes = tcgetattr(STDIN_FILENO, &ending.modes) == 0;
	ending.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ending.signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	r = ending.wake < 0 || ending.signals < 0 ? -errno : start();
	if (r < 0) {
		fd_close(ending.wake);
		fd_close(ending.signals);
		return r;
	}
	ending.of = getpid();
	return 0;
}

void ending_heard(int signo)
{
	const uint64_t one = 1;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTTOU);
	(void)pthread_sigmask(SIG_BLOCK, &set, NULL);
	if (ending.of != getpid())
		return;
	atomic_store(&ending.heard, signo);
	(void)!write(ending.wake, &one, sizeof(one));
}

void ending_writes(int fd, const char *bytes, size_t n)
{
	(void)pthread_mutex_lock(&ending.lock);
	ending.fd = fd;
	ending.bytes = bytes;
	ending.n = n;
	(void)pthread_mutex_unlock(&ending.lock);
}

void ending_hold(bool held)
{
	atomic_store(&ending.held, held);
}
