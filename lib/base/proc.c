/* SPDX-License-Identifier: MIT */
/* Processes by identity.  See proc.h. */
#include "lib/base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/kernel.h"

static struct rlimit first_nofile;

/* The text after "(comm) ": comm may hold anything, so the last ')' counts. */
static const char *read_stat(pid_t pid, char *text, size_t size)
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	ssize_t n = fd_read_full(fd, text, size - 1);
	if (n <= 0)
		return NULL;
	text[n] = '\0';
	const char *p = strrchr(text, ')');
	return p && p[1] == ' ' ? p + 2 : NULL;
}

int64_t proc_start_time(pid_t pid)
{
	char text[1024];
	const char *p = read_stat(pid, text, sizeof(text));

	/* p is at field 3; the start time is field 22. */
	for (int field = 3; p && field < 22; field++) {
		p = strchr(p, ' ');
		p = p ? p + 1 : NULL;
	}
	return p ? (int64_t)strtoll(p, NULL, 10) : -ESRCH;
}

char proc_state(pid_t pid)
{
	char text[1024];
	const char *p = read_stat(pid, text, sizeof(text));

	/* X: its parent is just reaping it. */
	return p && *p != 'X' ? *p : 0;
}

int proc_open_pidfd(pid_t pid, int64_t start_time)
{
	auto_close int fd = (int)syscall(SYS_pidfd_open, pid, 0u);

	if (fd < 0)
		return -errno;
	char state = proc_start_time(pid) == start_time ? proc_state(pid) : 0;
	if (!state || state == 'Z')
		return -ESRCH;
	return steal_fd(&fd);
}

int proc_pidfd_kill(int pidfd, int signo)
{
	long r = syscall(SYS_pidfd_send_signal, pidfd, signo, NULL, 0u);

	return r < 0 ? -errno : 0;
}

int proc_pidfd_wait(int pidfd, int timeout_ms)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };
	int64_t end = clock_mono_ns() + timeout_ms * INT64_C(1000000);
	int n = poll(&p, 1, timeout_ms);

	while (n < 0 && errno == EINTR) { /* for what is left */
		int64_t left = (end - clock_mono_ns()) / 1000000;

		n = poll(&p, 1, timeout_ms < 0 ? -1 : (int)MAX(left, 0));
	}
	if (n < 0)
		return -errno;
	return n ? 0 : -ETIMEDOUT;
}

const char *proc_boot_id(void)
{
	static char id[37];

	if (!*id) {
		auto_close int fd = open("/proc/sys/kernel/random/boot_id",
					 O_RDONLY | O_CLOEXEC);
		ssize_t n = fd < 0 ? -1 : fd_read_full(fd, id, 36);

		if (n != 36)
			snprintf(id, sizeof(id), "unknown");
	}
	return id;
}

void proc_raise_nofile(void)
{
	struct rlimit lim;

	if (getrlimit(RLIMIT_NOFILE, &lim) < 0)
		return;
	if (!first_nofile.rlim_max)
		first_nofile = lim;
	lim.rlim_cur = lim.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &lim);
}

uint64_t proc_most_files(void)
{
	struct rlimit lim;

	return getrlimit(RLIMIT_NOFILE, &lim) < 0 ? UINT64_MAX : lim.rlim_max;
}

void proc_restore_nofile(void)
{
	if (first_nofile.rlim_max)
		(void)setrlimit(RLIMIT_NOFILE, &first_nofile);
}

struct spawn {
	char *const *argv;
	char *const *envp;
	const int *fds;
	unsigned nfds;
	unsigned flags;
	int error; /* written by the child: memory is shared until exec */
};

/* By the system call: the library keeps two real-time signals for itself and
 * would leave them ignored if our parent did.  All zero is the default. */
static void reset_signals(void)
{
	const unsigned long dfl[4] = { 0 };
	sigset_t none;

	for (int s = 1; s <= 64; s++)
		(void)syscall(SYS_rt_sigaction, s, dfl, NULL, 8);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* First move everything above the targets, so that no dup2 hits a source. */
static int place_fds(const struct spawn *s)
{
	int high[16];

	for (unsigned i = 0; i < s->nfds; i++) {
		int src = s->fds[i] >= 0 ? s->fds[i] :
					   open("/dev/null", O_RDWR);

		high[i] = src < 0 ? -1 :
				    fcntl(src, F_DUPFD, (int)s->nfds);
		if (high[i] < 0)
			return -errno;
	}
	for (unsigned i = 0; i < s->nfds; i++)
		if (dup2(high[i], (int)i) < 0)
			return -errno;
	fd_close_from((int)s->nfds);
	return 0;
}

#ifdef __SANITIZE_THREAD__
/* The sanitizer takes clone() over, and what it does in the child it does to
 * our memory: no thread could be started any more. */
int __clone(int (*fn)(void *), void *stack, int flags, void *arg, ...);
#define clone __clone
#endif

/* It never returns, so an instrumented frame would leave its marks on
 * memory that is somebody else's after the exec. */
__attribute__((no_sanitize_address))
static int spawn_child(void *arg)
{
	struct spawn *s = arg;

	reset_signals();
	if (s->flags & PROC_SPAWN_SETSID)
		(void)setsid();
	s->error = place_fds(s);
	if (s->error == 0) {
		proc_restore_nofile();
		execve(s->argv[0], s->argv, s->envp);
		s->error = -errno;
	}
	_exit(127);
}

pid_t proc_spawn(char *const argv[], char *const envp[], const int *fds,
		 unsigned nfds, unsigned flags, int *ret_pidfd)
{
	struct spawn s = { argv, envp, fds, nfds, flags, 0 };
	const size_t stack_size = 64 * 1024;
	int pidfd = -1;
	sigset_t all, old;

	if (nfds > 16)
		return -EINVAL;
	char *stack = mmap(NULL, stack_size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (stack == MAP_FAILED)
		return -errno;
	/* No handler of ours may run in the child while memory is shared. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	pid_t pid = clone(spawn_child, stack + stack_size,
			  CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, &s,
			  &pidfd);
	int e = pid < 0 ? -errno : s.error;
	sigprocmask(SIG_SETMASK, &old, NULL);
	munmap(stack, stack_size);
	if (pid > 0 && e < 0)
		(void)waitpid(pid, NULL, 0);
	if (e < 0) {
		fd_close(pidfd);
		return e;
	}
	if (ret_pidfd)
		*ret_pidfd = pidfd;
	else
		fd_close(pidfd);
	return pid;
}
