/* SPDX-License-Identifier: MIT */
/*
 * Start the user's daemon when none answers: exactly one, however many calls
 * come at once.  The lock is held until the new daemon answers, so whoever
 * waited for it finds the daemon at the second look.
 *
 * The socket is never unlinked here: the daemon does that itself, after it
 * holds the lock of its state directory.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/api/nofile.h"
#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "lib/base/path.h"
#include "lib/base/proc.h"
#include "lib/client/conn.h"
#include "lib/client/scope.h"

#define START_TIMEOUT_MS 15000
#define LOG_TAIL 4096
#define READY_TEXT 1024

extern char **environ;

/* Said, not left to the last close(2): a process that was forked meanwhile, as
 * another thread's below, has the file, too, and would keep the lock. */
static void unlock(int *fd)
{
	if (*fd >= 0)
		(void)flock(*fd, LOCK_UN);
	fd_close(*fd);
}
#define auto_lock CLEANUP(unlock)

/* Whoever is asked to do so waits for the lock, which belongs to the file that
 * was opened, and so to us as well; then says how that went. */
static pid_t fork_waiter(int fd, int out)
{
	pid_t us = getpid(), pid = fork();

	if (pid)
		return pid;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	unsigned char e = 0;

	while (getppid() == us && flock(fd, LOCK_EX) < 0)
		if (errno != EINTR) {
			e = (unsigned char)errno;
			break;
		}
	_exit(write(out, &e, 1) == 1 ? 0 : 1);
}

/* flock() can't be waited for beside anything else, and who waits here may
 * have blocked the signals that are to interrupt it. */
static int wait_for_lock(struct client *c, int fd, struct svm_err *err)
{
	auto_close int in = -1, out = -1;
	unsigned char e = 0;
	int p[2];

	if (pipe2(p, O_CLOEXEC) < 0)
		return svm_err_sys(err, SVM_UNREACHABLE, errno, "pipe");
	in = p[0];
	out = p[1];
	pid_t pid = fork_waiter(fd, out);

	if (pid < 0)
		return svm_err_sys(err, SVM_UNREACHABLE, errno, "fork");
	fd_close(steal_fd(&out));
	int r = client_wait(c, in, POLLIN, err);

	if (r >= 0 && read(in, &e, 1) != 1)
		e = EIO;
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	if (r >= 0 && e)
		r = svm_err_sys(err, SVM_UNREACHABLE, e,
				"cannot start the daemon: wait for another "
				"that starts it");
	return r < 0 ? -1 : 0;
}

static int take_lock(struct client *c, struct svm_err *err)
{
	auto_free char *path = path_join(c->dirs.runtime, "start.lock");
	auto_lock int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC |
				O_NOFOLLOW, 0600);

	if (fd < 0)
		return svm_err_sys(err, SVM_UNREACHABLE, errno,
				   "cannot start the daemon: open '%s'", path);
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return steal_fd(&fd);
	if (errno != EWOULDBLOCK)
		return svm_err_sys(err, SVM_UNREACHABLE, errno,
				   "cannot start the daemon: lock '%s'", path);
	return wait_for_lock(c, fd, err) < 0 ? -1 : steal_fd(&fd);
}

/* What the daemon wrote since `from`, at most the end of it. */
static char *log_since(const char *path, off_t from)
{
	char text[LOG_TAIL + 1];
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return NULL;
	off_t end = lseek(fd, 0, SEEK_END);

	from = MAX(from, end - LOG_TAIL);
	if (end <= from || lseek(fd, from, SEEK_SET) < 0)
		return NULL;
	ssize_t n = fd_read_full(fd, text, LOG_TAIL);

	while (n > 0 && text[n - 1] == '\n')
		n--;
	return n > 0 ? xstrndup(text, (size_t)n) : NULL;
}

/* The reason in that text: the last line that is meant for people, with the
 * indented ones after it in *ret_hint, else the last line of all.  Borrowed;
 * the text is cut up. */
static const char *find_reason(char *text, const char **ret_hint)
{
	static const char mark[] = "stacyvm: ";
	const char *found = NULL, *line;

	*ret_hint = NULL;
	for (char *rest = text; (line = strsep(&rest, "\n"));) {
		if (strncmp(line, mark, strlen(mark)) == 0) {
			found = line + strlen(mark);
			*ret_hint = rest && strncmp(rest, "  ", 2) == 0 ?
					    rest + 2 : NULL;
		} else if (!rest && !found) {
			found = line;
		}
	}
	return found;
}

/* `told` is what it said itself, or NULL: then its log is asked, which may
 * have had no room. */
static int failed(const char *log_path, off_t log_start, const char *told,
		  const char *why, struct svm_err *err)
{
	auto_free char *text = told ? xstrdup(told) :
				      log_since(log_path, log_start);
	const char *hint = NULL, *reason = text ? find_reason(text, &hint) :
						  NULL;

	svm_err_set(err, SVM_UNREACHABLE, "the daemon did not start: %s",
		    reason ? reason : why);
	return svm_err_hint(err, "%s%sfind out more with:  stacyvm doctor\n"
				 "its log:             %s", hint ? hint : "",
			    hint ? "\n" : "", log_path);
}

/* A NUL on the ready pipe means its sockets answer, with what it has to say of
 * them; another text is why it ends, and end of file that it is gone.  All
 * comes in one write. */
static int wait_ready(struct client *c, int ready, const char *log_path,
		      off_t log_start, char text[READY_TEXT],
		      struct svm_err *err)
{
	int64_t end = clock_boot_ns() + START_TIMEOUT_MS * INT64_C(1000000);
	auto_err struct svm_err wait_err = SVM_ERR_INIT;
	int64_t saved = c->deadline_ns;

	if (!saved || saved > end)
		c->deadline_ns = end;
	int r = client_wait(c, ready, POLLIN, &wait_err);

	c->deadline_ns = saved;
	if (r < 0 && wait_err.code == SVM_TIMEOUT) {
		failed(log_path, log_start, NULL, "it took too long", err);
		err->sys_errno = ETIMEDOUT;
		return -1;
	}
	if (r < 0)
		return svm_err_move(err, &wait_err);
	ssize_t n = read(ready, text, READY_TEXT - 1);

	text[MAX(n, 0)] = '\0';
	if (n > 0 && !text[0]) {
		memmove(text, text + 1, (size_t)n);
		return 0;
	}
	return failed(log_path, log_start, n > 0 ? text : NULL,
		      "it ended at once", err);
}

/* Its real path reads better in ps; after an upgrade only the link works. */
static char *own_path(char exe[PATH_MAX])
{
	ssize_t n = readlink("/proc/self/exe", exe, PATH_MAX - 1);

	exe[MAX(n, 0)] = '\0';
	if (access(exe, X_OK) < 0)
		snprintf(exe, PATH_MAX, "/proc/self/exe");
	return exe;
}

static int start(struct client *c, char *const *argv, struct svm_err *err)
{
	auto_free char *log_path = path_join(c->dirs.state, "logs/daemon.log");
	auto_close int log = open(log_path, O_WRONLY | O_CREAT | O_APPEND |
				  O_CLOEXEC | O_NOFOLLOW, 0600);
	auto_close int in = -1, out = -1;
	int p[2];

	if (log < 0)
		return svm_err_sys(err, SVM_UNREACHABLE, errno,
				   "cannot start the daemon: open '%s'",
				   log_path);
	off_t log_start = lseek(log, 0, SEEK_END);

	if (pipe2(p, O_CLOEXEC) < 0)
		return svm_err_sys(err, SVM_UNREACHABLE, errno, "pipe");
	in = p[0];
	out = p[1];
	const int fds[] = { -1, log, log, out };
	char text[READY_TEXT];
	pid_t pid = proc_spawn(argv, environ, fds, ARRAY_SIZE(fds),
			       PROC_SPAWN_SETSID, NULL);

	if (pid < 0)
		return svm_err_sys(err, SVM_UNREACHABLE, pid,
				   "cannot start the daemon");
	fd_close(steal_fd(&out));
	if (wait_ready(c, in, log_path, log_start, text, err) < 0)
		return -1;
	if (c->on_started)
		c->on_started(c->data, pid, *text ? text : NULL);
	return 0;
}

/* Where it helps, in a scope that can limit its sandboxes.  A systemd-run
 * that can't is no reason to have no daemon, but one that takes too long may
 * have started it. */
static int start_daemon(struct client *c, struct svm_err *err)
{
	char exe[PATH_MAX];
	char *argv[] = { own_path(exe), (char[]){ "serve" },
			 (char[]){ "--detached" }, (char[]){ "--ready-fd" },
			 (char[]){ "3" }, NULL };
	auto_err struct svm_err first = SVM_ERR_INIT;
	const char *program = geteuid() ? scope_program() : NULL;

	if (!program || !scope_wanted("/sys/fs/cgroup", "/proc/self/cgroup",
				      getenv("XDG_RUNTIME_DIR")))
		return start(c, argv, err);
	auto_free char **scoped = scope_argv(program, argv);

	if (start(c, scoped, &first) == 0)
		return 0;
	if (first.code != SVM_UNREACHABLE || first.sys_errno == ETIMEDOUT)
		return svm_err_move(err, &first);
	return start(c, argv, err);
}

static int connect_started(struct client *c, struct svm_err *err)
{
	auto_lock int lock = -1;
	int fd;

	if (nofile_check(err) < 0)
		return svm_err_prefix(err, "cannot start the daemon");
	if (dirs_make(&c->dirs, err) < 0) {
		err->code = SVM_UNREACHABLE;
		return svm_err_prefix(err, "cannot start the daemon");
	}
	lock = take_lock(c, err);
	if (lock < 0)
		return -1;
	fd = client_unix_connect(c->unix_path);
	if (fd >= 0)
		return fd;
	/* Who gave up while another tried doesn't try as well. */
	if (client_check(c, err) < 0)
		return -1;
	if (start_daemon(c, err) < 0)
		return -1;
	fd = client_unix_connect(c->unix_path);
	if (fd < 0)
		return svm_err_sys(err, SVM_UNREACHABLE, fd, "connect to %s",
				   c->name);
	return fd;
}

int autostart_connect(struct client *c, struct svm_err *err)
{
	int fd;

	if (c->on_starting)
		c->on_starting(c->data, true);
	fd = connect_started(c, err);
	if (c->on_starting)
		c->on_starting(c->data, false);
	return fd;
}
