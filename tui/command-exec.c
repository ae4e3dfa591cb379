/* SPDX-License-Identifier: MIT */
/* Running programs of this machine.  See command-exec.h. */
#include "tui/command-exec.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/api/limits.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "lib/base/path.h"
#include "lib/base/proc.h"

extern char **environ;

static bool is_program(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	       access(path, X_OK) == 0;
}

/* Owned; NULL when there is none.  Relative parts of PATH are left out. */
static char *find_program(const char *name)
{
	const char *path = getenv("PATH");
	auto_free char *dirs = xstrdup(path ? path : "/usr/bin:/bin");
	char *rest = NULL;

	if (strchr(name, '/'))
		return xstrdup(name);
	for (char *d = strtok_r(dirs, ":", &rest); d;
	     d = strtok_r(NULL, ":", &rest)) {
		auto_free char *full = path_join(d, name);

		if (*d == '/' && is_program(full))
			return steal_ptr(&full);
	}
	return NULL;
}

static int not_found(const char *name, struct svm_err *err)
{
	return svm_err_set(err, SVM_NOT_FOUND, "'%s' is not in PATH", name);
}

int command_check(const char *name, struct svm_err *err)
{
	auto_free char *path = find_program(name);

	if (!path)
		return not_found(name, err);
	if (is_program(path))
		return 0;
	return svm_err_sys(err, SVM_NOT_FOUND, access(path, X_OK) < 0 ?
			   -errno : -EACCES, "can't run '%s'", path);
}

pid_t command_spawn(char *const *argv, const int fds[3], unsigned flags,
		    int *ret_pidfd, struct svm_err *err)
{
	auto_free char *path = find_program(argv[0]);
	char **full = strv_dup(argv);
	pid_t pid;

	if (!path) {
		strv_free(full);
		return not_found(argv[0], err);
	}
	free(full[0]);
	full[0] = steal_ptr(&path);
	pid = proc_spawn(full, environ, fds, 3, flags, ret_pidfd);
	if (pid < 0)
		svm_err_sys(err, SVM_NOT_FOUND, (int)pid, "can't run '%s'",
			    full[0]);
	strv_free(full);
	return pid < 0 ? -1 : pid;
}

/* What is there now; false at its end. */
static bool take(int fd, struct buf *output)
{
	char chunk[4096];
	ssize_t n;

	while ((n = read(fd, chunk, sizeof(chunk))) > 0)
		buf_add(output, chunk,
			MIN((size_t)n, LIMIT_TUI_OUTPUT - output->len));
	return n < 0 && (errno == EAGAIN || errno == EINTR);
}

/* Until it ends, or is to be ended: what it leaves behind may hold the pipe
 * open for ever. */
static bool watch(int out, int pidfd, int cancel_fd, struct buf *output)
{
	struct pollfd p[] = { { .fd = pidfd, .events = POLLIN },
			      { .fd = cancel_fd, .events = POLLIN },
			      { .fd = out, .events = POLLIN } };

	for (;;) {
		if (poll(p, ARRAY_SIZE(p), -1) < 0)
			continue;
		if (p[2].revents && !take(out, output))
			p[2].fd = -1;
		if (p[0].revents) {
			take(out, output);
			return true;
		}
		if (p[1].revents)
			return false;
	}
}

int command_exec(char *const *argv, int cancel_fd, struct buf *output,
		 int *ret_status, struct svm_err *err)
{
	auto_close int out = -1, in = -1, pidfd = -1;
	int ends[2], status;
	bool ended;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return svm_err_sys(err, SVM_INTERNAL, errno, "pipe");
	out = ends[0];
	in = ends[1];
	fd_set_nonblock(out, true);
	const int fds[3] = { -1, in, in };
	pid_t pid = command_spawn(argv, fds, PROC_SPAWN_SETSID, &pidfd, err);
	if (pid < 0)
		return -1;
	fd_close(steal_fd(&in));
	ended = watch(out, pidfd, cancel_fd, output);
	if (!ended)
		kill(-pid, SIGKILL); /* not reaped yet: it is its own */
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!ended)
		return svm_err_set(err, SVM_CANCELLED, "cancelled");
	*ret_status = WIFEXITED(status) ? WEXITSTATUS(status) :
					  128 + WTERMSIG(status);
	return 0;
}
