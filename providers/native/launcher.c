/* SPDX-License-Identifier: MIT */
/*
 * The launcher: a small single-threaded process that clones boxes, because a
 * clone costs by the size of the process that does it, and because here power
 * can live apart from the parsing of strangers' bytes.  It keeps nothing of a
 * box, reaps what it cloned, and ends with the daemon.
 */
#include "providers/native/native.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/fault.h"
#include "lib/base/fd.h"
#include "lib/base/kernel.h"
#include "lib/base/path.h"
#include "lib/base/proc.h"
#include "providers/native/child.h"
#include "providers/native/launch.h"
#include "providers/native/rootfs.h"
#include "providers/provider.h"

#define LAUNCHER_SOCK 3

struct launcher {
	enum native_mode mode;
	const char *instance;
	int agent;   /* memfd */
	int signals; /* signalfd of SIGCHLD */
	int proc;    /* /proc, opened before anything could cover it */
};

/* What came with a request. */
struct attached {
	int fds[FD_PASS_MAX];
	size_t n;
};

static void attached_release(struct attached *a)
{
	for (size_t i = 0; i < a->n; i++)
		fd_close(a->fds[i]);
	a->n = 0;
}

static int reply_error(struct launch_reply *reply, int e, const char *step)
{
	reply->sys_errno = e < 0 ? -e : e;
	snprintf(reply->step, sizeof(reply->step), "%s", step);
	return -1;
}

static bool id_ok(const struct launch_request *q)
{
	bool ok = memchr(q->id, 0, sizeof(q->id)) && q->id[0];

	for (const char *p = q->id; ok && *p; p++)
		ok = strchr("abcdefghijklmnopqrstuvwxyz0123456789-", *p);
	return ok;
}

/* The daemon is not believed: every field, every time. */
static int check_request(const struct launcher *l,
			 const struct launch_request *q, size_t n,
			 const struct attached *a, struct launch_reply *reply)
{
	bool v2 = q->flags & LAUNCH_CGROUP2;
	bool ok = n >= LAUNCH_REQUEST_HEAD && q->text_len <= LAUNCH_TEXT &&
		  n == LAUNCH_REQUEST_HEAD + q->text_len &&
		  q->op == LAUNCH_CREATE && id_ok(q) && a->n >= 1 &&
		  a->n <= 1 + LAUNCH_TASKS_MAX &&
		  (!v2 || a->n == 2) && q->disk_mb && q->inodes &&
		  q->disk_mb <= LIMIT_DISK_MB;

	if (ok && l->mode == NATIVE_ROOT) /* never our own ids */
		ok = q->base >= NATIVE_BLOCK && q->base % NATIVE_BLOCK == 0;
	if (ok && l->mode == NATIVE_SUBIDS)
		ok = q->base >= 1;
	if (ok && (q->flags & (LAUNCH_LAYERS | LAUNCH_UPPER)))
		ok = q->text_len && !q->text[q->text_len - 1];
	return ok ? 0 : reply_error(reply, EINVAL, "bad request");
}

static int write_map(int proc, pid_t pid, const char *file, const char *text)
{
	char path[48];

	snprintf(path, sizeof(path), "%ld/%s", (long)pid, file);
	return fd_write_path(proc, path, text);
}

/* Give the clone its ids.  See native.h for the three ways. */
static int map_ids(const struct launcher *l, pid_t pid, uint32_t base)
{
	char uids[160], gids[160];
	int r = 0;

	switch (l->mode) {
	case NATIVE_ROOT:
		snprintf(uids, sizeof(uids), "0 %u %u", base, NATIVE_BLOCK);
		snprintf(gids, sizeof(gids), "%s", uids);
		break;
	case NATIVE_SUBIDS: /* Inner root is the host's user, so that his
			     * layers are root's; the rest has its own. */
		snprintf(uids, sizeof(uids),
			 "0 0 1\n%u %u 1\n65534 %u 1\n1 %u %u", NATIVE_UID,
			 base, base + 1, base + 2, NATIVE_SLICE - 2);
		snprintf(gids, sizeof(gids), "%s", uids);
		break;
	default:
		snprintf(uids, sizeof(uids), "%u %u 1", NATIVE_UID,
			 (unsigned)geteuid());
		snprintf(gids, sizeof(gids), "%u %u 1", NATIVE_UID,
			 (unsigned)getegid());
		/* Else a group that denies access could be dropped. */
		r = write_map(l->proc, pid, "setgroups", "deny");
	}
	if (r == 0)
		r = write_map(l->proc, pid, "uid_map", uids);
	if (r == 0)
		r = write_map(l->proc, pid, "gid_map", gids);
	return r;
}

static pid_t clone_box(const struct attached *a, bool cgroup2, int *ret_pidfd)
{
	struct svm_clone_args args = {
		.flags = SVM_CLONE_PIDFD | SVM_CLONE_CLEAR_SIGHAND |
			 SVM_CLONE_NEWUSER | SVM_CLONE_NEWNS |
			 SVM_CLONE_NEWPID | SVM_CLONE_NEWIPC |
			 SVM_CLONE_NEWUTS | SVM_CLONE_NEWNET,
		.pidfd = (uintptr_t)ret_pidfd,
		.exit_signal = SIGCHLD,
	};

	if (cgroup2) {
		/* The new cgroup namespace has the target as its root. */
		args.flags |= SVM_CLONE_INTO_CGROUP | SVM_CLONE_NEWCGROUP;
		args.cgroup = (uint64_t)a->fds[1];
	}
	return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

NORETURN static void run_child(const struct launcher *l,
			       const struct launch_request *q,
			       const struct attached *a, int release)
{
	char name[64];
	struct child c = {
		.mode = l->mode,
		.req = q,
		.setup = a->fds[0],
		.release = release,
		.agent = l->agent,
		.name = name,
		.tree = -1,
	};
	sigset_t none;

	snprintf(name, sizeof(name), "%s@%s", q->id, l->instance);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	for (size_t i = 1; !(q->flags & LAUNCH_CGROUP2) && i < a->n; i++)
		c.tasks[c.ntasks++] = a->fds[i];
	child_main(&c);
}

/* Root: the layers, shifted to the ids the clone has just been given. */
static int shift_layers(const struct launcher *l, pid_t pid,
			const struct launch_request *q,
			struct launch_reply *reply)
{
	char path[32];

	snprintf(path, sizeof(path), "%ld/ns/user", (long)pid);
	auto_close int userns = openat(l->proc, path, O_RDONLY | O_CLOEXEC);
	if (userns < 0)
		return -errno;
	return layers_tree(q, userns, reply->step);
}

/* End the clone: the daemon will take away what it made, and nobody may hold
 * it then.  True when it was already ending, having told the daemon why: its
 * maps can't be written from then on, long before it can be waited for. */
static bool ended_by_itself(pid_t pid, int pidfd)
{
	siginfo_t info = { 0 };

	(void)proc_pidfd_kill(pidfd, SIGKILL);
	(void)proc_pidfd_wait(pidfd, 5000);
	return waitid(P_PID, (id_t)pid, &info,
		      WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       info.si_code == CLD_EXITED;
}

/* Ids first, then the byte that lets the clone go on. */
static int release_child(const struct launcher *l, pid_t pid, int pidfd,
			 const struct launch_request *q, int release,
			 struct launch_reply *reply)
{
	auto_close int tree = -1;
	int r = map_ids(l, pid, q->base);
	const char *step = "writing the id maps";

	fault_point("spawn.map");
	if (r == 0 && l->mode == NATIVE_ROOT && (q->flags & LAUNCH_LAYERS)) {
		r = tree = shift_layers(l, pid, q, reply);
		step = "mounting the layers";
	}
	if (r >= 0)
		r = (int)fd_send_msg(release, "", 1, &tree, tree >= 0);
	if (r > 0 || ended_by_itself(pid, pidfd))
		return 0;
	return reply_error(reply, r, step);
}

static int do_create(const struct launcher *l, const struct launch_request *q,
		     size_t n, const struct attached *a,
		     struct launch_reply *reply, int *ret_pidfd)
{
	int64_t start = clock_mono_ns();
	auto_close int pidfd = -1, hold = -1, release = -1;
	int pair[2];

	if (check_request(l, q, n, a, reply) < 0)
		return -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return reply_error(reply, errno, "socketpair");
	hold = pair[0];
	release = pair[1];
	fault_point("spawn.clone");
	pid_t pid = clone_box(a, q->flags & LAUNCH_CGROUP2, &pidfd);
	if (pid < 0)
		return reply_error(reply, errno, "clone3");
	if (pid == 0) {
		close(release);
		run_child(l, q, a, hold);
	}
	if (release_child(l, pid, pidfd, q, release, reply) < 0)
		return -1;
	reply->pid = pid;
	reply->clone_ns = clock_mono_ns() - start;
	*ret_pidfd = steal_fd(&pidfd);
	return 0;
}

/* The writable layer of a box on disk holds files of ids that only we may
 * touch.  The directory of all boxes is attached. */
static int do_remove(const struct launch_request *q, size_t n,
		     const struct attached *a, struct launch_reply *reply)
{
	if (n < LAUNCH_REQUEST_HEAD || !id_ok(q) || a->n != 1)
		return reply_error(reply, EINVAL, "bad request");
	int r = path_remove_tree(a->fds[0], q->id);
	return r < 0 ? reply_error(reply, r, "removing the box") : 0;
}

static void reap(const struct launcher *l)
{
	struct signalfd_siginfo info;

	while (read(l->signals, &info, sizeof(info)) > 0)
		;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

/* One request, one reply.  False when the daemon is gone. */
static bool serve(const struct launcher *l)
{
	static struct launch_request q;
	struct launch_reply reply = { .op = LAUNCH_CREATE };
	CLEANUP(attached_release) struct attached a = { .n = FD_PASS_MAX };
	auto_close int pidfd = -1;
	ssize_t n = fd_recv_msg(LAUNCHER_SOCK, &q, sizeof(q), a.fds, &a.n);

	if (n <= 0)
		return false;
	if (n >= (ssize_t)sizeof(q.op) && q.op == LAUNCH_REMOVE)
		(void)do_remove(&q, (size_t)n, &a, &reply);
	else
		(void)do_create(l, &q, (size_t)n, &a, &reply, &pidfd);
	return fd_send_msg(LAUNCHER_SOCK, &reply, sizeof(reply), &pidfd,
			   pidfd >= 0) > 0;
}

static int loop(const struct launcher *l)
{
	struct pollfd p[2] = {
		{ .fd = LAUNCHER_SOCK, .events = POLLIN },
		{ .fd = l->signals, .events = POLLIN },
	};

	for (;;) {
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return 1;
		if (p[1].revents)
			reap(l);
		if (p[0].revents && !serve(l))
			return 0;
	}
}

/* Subids: be root of one outer user namespace, whose ids the daemon has
 * newuidmap write once (that costs milliseconds). */
static int enter_outer(struct launch_reply *reply)
{
	struct launch_request q;

	if (unshare(CLONE_NEWUSER) < 0)
		return reply_error(reply, errno, "unshare(CLONE_NEWUSER)");
	reply->op = LAUNCH_MAPPED;
	(void)fd_send_msg(LAUNCHER_SOCK, reply, sizeof(*reply), NULL, 0);
	reply->op = LAUNCH_READY;
	ssize_t n = fd_recv_msg(LAUNCHER_SOCK, &q, sizeof(q), NULL, NULL);
	if (n < (ssize_t)sizeof(q.op) || q.op != LAUNCH_MAPPED)
		return reply_error(reply, EPERM, "newuidmap");
	if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		return reply_error(reply, errno, "entering the namespace");
	return 0;
}

/* A private copy of the mounts: what is mounted on the host later is not
 * copied by every clone. */
static int own_mounts(struct launch_reply *reply)
{
	if (unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return reply_error(reply, errno, "unshare(CLONE_NEWNS)");
	return 0;
}

static int start(struct launcher *l, struct launch_reply *reply)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	sigset_t chld;

	if (l->mode == NATIVE_SUBIDS && enter_outer(reply) < 0)
		return -1;
	if (l->mode != NATIVE_SINGLE && own_mounts(reply) < 0)
		return -1;
	/* Root: nobody may trace the holder of power, nor its clones before
	 * they exec.  Without root a clone's map files must stay ours. */
	if (l->mode == NATIVE_ROOT)
		(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	l->agent = provider_agent_memfd(&err);
	if (l->agent < 0)
		return reply_error(reply, err.sys_errno ? err.sys_errno : EIO,
				   "memfd of the agent");
	l->proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &chld, NULL);
	l->signals = signalfd(-1, &chld, SFD_CLOEXEC | SFD_NONBLOCK);
	if (l->proc < 0 || l->signals < 0)
		return reply_error(reply, errno, "start");
	return 0;
}

int native_launcher_main(int argc, char **argv)
{
	struct launcher l = { .mode = NATIVE_MODE_MAX, .agent = -1,
			      .signals = -1, .proc = -1 };
	struct launch_reply reply = { .op = LAUNCH_READY };
	struct stat st;

	(void)fd_sanitise_std();
	for (int m = 0; argc == 3 && m < NATIVE_MODE_MAX; m++)
		if (strcmp(argv[1], native_mode_name(m)) == 0)
			l.mode = m;
	l.instance = argc == 3 ? argv[2] : "";
	if (l.mode == NATIVE_MODE_MAX || fstat(LAUNCHER_SOCK, &st) < 0 ||
	    !S_ISSOCK(st.st_mode)) {
		fputs("stacyvm: __launcher is started by the daemon\n", stderr);
		return 2;
	}
	fd_close_from(LAUNCHER_SOCK + 1);
	(void)fd_set_cloexec(LAUNCHER_SOCK, true);
	umask(022);
	int r = start(&l, &reply);
	(void)fd_send_msg(LAUNCHER_SOCK, &reply, sizeof(reply), NULL, 0);
	return r < 0 ? 1 : loop(&l);
}
