/* SPDX-License-Identifier: MIT */
/*
 * The life of a command: started under its supervisor, followed, killed,
 * ended, remembered.  Requests about sessions are in session.c.
 */
#include "agent/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/fault.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "lib/base/proc-tree.h"

#define PIPE_SIZE KIB(256) /* where the user may: pipe(7) */
/* After KILL: when a tree that goes on forking meets the last resort, and
 * when a process that is stuck in the kernel is left to itself. */
#define LAST_RESORT SECONDS(5)
#define GIVE_UP SECONDS(10)
#ifndef TIOCGPTPEER
#define TIOCGPTPEER 0x5441
#endif

static void on_report(struct loop *l, void *data, unsigned events);
static void on_timer(struct loop *l, void *data);

bool exec_is_session(const struct exec *x)
{
	return !x->forget && ((x->flags & (AGENT_EXEC_TTY | AGENT_EXEC_DETACH))
			      || x->lost || x->state != EXEC_DONE);
}

struct exec *exec_find(struct agent *a, const char *sid)
{
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &a->execs) {
		struct exec *x = list_entry(pos, struct exec, link);

		if (strcmp(x->sid, sid) == 0)
			return x;
	}
	return NULL;
}

static void exec_free(struct exec *x)
{
	list_remove(&x->link);
	x->agent->nexecs--;
	stream_close(&x->out);
	stream_close(&x->err);
	stream_close_input(x);
	loop_fd_del(x->ctl_watch);
	fd_close(x->ctl);
	loop_timer_free(x->timer);
	ring_release(&x->ring);
	free(x->sid);
	free(x->command);
	free(x->cwd);
	free(x);
}

/* Nothing can happen with it any more. */
static bool is_over(const struct exec *x)
{
	return x->state == EXEC_DONE && x->ctl < 0 && x->out.fd < 0 &&
	       x->err.fd < 0 && list_empty(&x->attached) &&
	       list_empty(&x->waiting);
}

/* Free what is over, but remember the results of the latest sessions. */
void exec_sweep(struct agent *a)
{
	struct list *pos, *tmp;
	unsigned sessions = 0;

	list_for_each_safe(pos, tmp, &a->execs)
		sessions += exec_is_session(list_entry(pos, struct exec,
						       link));
	list_for_each_safe(pos, tmp, &a->execs) {
		struct exec *x = list_entry(pos, struct exec, link);
		bool session = exec_is_session(x);

		if (!is_over(x) ||
		    (session && sessions <= LIMIT_AGENT_SESSIONS))
			continue;
		sessions -= session;
		exec_free(x);
	}
}

static void tell(struct exec *x, enum supervise_op op, int arg, int group)
{
	struct supervise_request r = { (int32_t)op, arg, group };

	if (x->ctl >= 0)
		(void)fd_send_msg(x->ctl, &r, sizeof(r), NULL, 0);
}

void exec_tell_signal(struct exec *x, int signo)
{
	int group = 0;

	if ((x->flags & AGENT_EXEC_TTY) && x->out.fd >= 0 &&
	    ioctl(x->out.fd, TIOCGPGRP, &group) < 0)
		group = 0;
	tell(x, SUPERVISE_SIGNAL, signo, group);
}

static void kill_now(struct exec *x)
{
	x->killing = true;
	tell(x, SUPERVISE_KILL, 0, 0);
	/* Until the child has become the command its supervisor waits for it
	 * and hears nothing; others with its uid may have stopped it, or hold
	 * a lease on the program. */
	if (x->state == EXEC_STARTING && x->ctl >= 0)
		(void)proc_tree_kill(x->supervisor);
	x->timer_means = TIMER_LAST_RESORT;
	loop_timer_after(x->timer, LAST_RESORT);
}

void exec_cancel(struct exec *x)
{
	if (x->killing || x->ctl < 0)
		return;
	if (x->state != EXEC_DONE)
		x->exit.flags |= AGENT_EXIT_CANCELLED;
	x->killing = true;
	tell(x, SUPERVISE_TERM, 0, 0);
	x->timer_means = TIMER_KILL;
	loop_timer_after(x->timer, LIMIT_TIME_CANCEL);
}

static void tree_is_gone(struct exec *x)
{
	struct list *pos, *tmp;

	loop_fd_del(x->ctl_watch);
	fd_close(x->ctl);
	x->ctl_watch = NULL;
	x->ctl = -1;
	loop_timer_stop(x->timer);
	list_for_each_safe(pos, tmp, &x->waiting) {
		struct conn *c = list_entry(pos, struct conn, peers);

		conn_finish(c);
		conn_update(c);
	}
}

/* Whether processes of a tree that was killed LAST_RESORT ago are younger than
 * that: they fork, and continue each other, faster than they are killed. */
static bool outruns_kill(const struct exec *x)
{
	auto_free struct proc_tree_entry *v = NULL;
	int64_t recent = clock_boot_ns() - LAST_RESORT / 2;
	int64_t tick = SECONDS(1) / sysconf(_SC_CLK_TCK);
	int n = x->ctl < 0 ? 0 : proc_tree_list(x->supervisor, &v);

	for (int i = 0; i < n; i++)
		if (v[i].start_time > recent / tick)
			return true;
	return false;
}

static void on_timer(struct loop *l, void *data)
{
	struct exec *x = data;

	(void)l;
	switch (x->timer_means) {
	case TIMER_START:
	case TIMER_TIMEOUT:
		if (x->state == EXEC_DONE)
			return;
		x->exit.flags |= AGENT_EXIT_TIMEOUT;
		kill_now(x);
		break;
	case TIMER_KILL:
		kill_now(x);
		break;
	case TIMER_LAST_RESORT:
		/* One call reaches all at once; what else runs in here was at
		 * their mercy anyway. */
		if ((x->agent->setup.flags & AGENT_SETUP_INIT) &&
		    outruns_kill(x))
			(void)kill(-1, SIGKILL);
		x->timer_means = TIMER_GIVE_UP;
		loop_timer_after(x->timer, GIVE_UP - LAST_RESORT);
		break;
	case TIMER_GIVE_UP:
		x->exit.flags |= AGENT_EXIT_LEFT;
		if (x->state < EXEC_DRAINING) {
			x->state = EXEC_DRAINING;
			x->exit.code = 137;
			x->exit.signal = 9;
		}
		tree_is_gone(x);
		x->out.owed = x->err.owed = 0;
		exec_finish_if_done(x);
	}
}

void exec_finish_if_done(struct exec *x)
{
	if (x->state != EXEC_DRAINING || x->out.owed || x->err.owed ||
	    (x->killing && x->ctl >= 0))
		return;
	x->state = EXEC_DONE;
	if (x->left && x->ctl >= 0)
		x->exit.flags |= AGENT_EXIT_LEFT;
	x->exit.duration_ns = (uint64_t)(clock_boot_ns() - x->start_ns);
	if (!x->killing)
		loop_timer_stop(x->timer);
	stream_close_input(x);
	stream_give(x); /* EXIT follows the last byte */
	stream_update(x);
}

/* Processes of the sandbox that the kernel killed for memory, so far; only a
 * v2 cgroup of ours says so. */
static uint64_t oom_kills(const struct agent *a)
{
	auto_buf struct buf text = BUF_INIT;

	if (a->cgroup < 0 ||
	    fd_slurp_path(a->cgroup, "memory.events", 4096, &text) < 0)
		return 0;
	const char *p = strstr(buf_str(&text), "oom_kill ");
	return p ? strtoull(p + strlen("oom_kill "), NULL, 10) : 0;
}

static void command_ended(struct exec *x, int status, bool left)
{
	if (x->state != EXEC_RUNNING)
		return;
	x->left = left;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL &&
	    !x->killing && oom_kills(x->agent) > x->oom_kills)
		x->exit.flags |= AGENT_EXIT_OOM;
	x->state = EXEC_DRAINING;
	if (WIFSIGNALED(status)) {
		x->exit.signal = (uint32_t)WTERMSIG(status);
		x->exit.code = 128 + WTERMSIG(status);
	} else {
		x->exit.code = WEXITSTATUS(status);
	}
	stream_owe(&x->out, x->flags & AGENT_EXEC_TTY);
	stream_owe(&x->err, false);
}

void exec_started(const struct exec *x, uint64_t offset, struct buf *out)
{
	msg_add_u32(out, (uint32_t)x->pid);
	msg_add_u64(out, offset);
	msg_add_u32(out, !!(x->flags & AGENT_EXEC_TTY));
	msg_add_u16(out, x->cols);
	msg_add_u16(out, x->rows);
}

static void announce(struct exec *x)
{
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &x->attached) {
		struct conn *c = list_entry(pos, struct conn, peers);
		auto_buf struct buf text = BUF_INIT;

		exec_started(x, c->cursor, &text);
		conn_reply(c, FRAME_STARTED, text.data, text.len);
		c->started = true;
	}
	stream_give(x);
}

/* The supervisor has ended: nothing of the tree is left, or somebody killed
 * it. */
static void supervisor_ended(struct exec *x)
{
	bool unheard = x->state == EXEC_STARTING;

	if (x->state <= EXEC_RUNNING) {
		if (!x->killing) /* else by us, as the last resort */
			x->exit.flags |= AGENT_EXIT_UNKNOWN;
		x->exit.signal = 9;
		x->exit.code = 137;
		x->state = EXEC_DRAINING;
	}
	if (unheard)
		announce(x); /* EXIT follows STARTED, always */
	tree_is_gone(x);
	/* Without writers all that is left can be read to the end. */
	stream_owe(&x->out, x->flags & AGENT_EXEC_TTY);
	stream_owe(&x->err, false);
	exec_finish_if_done(x);
}

static void set_timeout(struct exec *x, int64_t left)
{
	x->timer_means = TIMER_TIMEOUT;
	if (left)
		loop_timer_after(x->timer, left);
	else
		loop_timer_stop(x->timer);
}

static void command_started(struct exec *x, pid_t pid)
{
	x->pid = pid;
	x->state = EXEC_RUNNING;
	if (x->timer_means == TIMER_START)
		set_timeout(x, x->timeout_ns ?
				       MAX(x->timeout_ns + x->start_ns -
						   clock_boot_ns(),
					   INT64_C(1)) : 0);
	fault_point("agent.exec.started");
	announce(x);
	stream_update(x);
}

/* Failures that only the agent can have end in ERROR; a program that can't be
 * run is an ordinary result. */
static void command_failed(struct exec *x, int step, int e)
{
	auto_free char *text = NULL;
	struct list *pos, *tmp;

	x->forget = true;
	if (step == COMMAND_EXEC) {
		bool none = e == ENOENT || e == ENOTDIR;

		text = xasprintf("%s: %s\n", x->command,
				 e == ENOENT ? "not found" : strerror(e));
		ring_add(&x->ring, FRAME_STDERR, clock_boot_ns(), text,
			 strlen(text));
		if (x->flags & AGENT_EXEC_DETACH)
			stream_leave(x, 0);
		x->exit.code = none ? 127 : 126;
		x->state = EXEC_DRAINING;
		announce(x);
		return;
	}
	x->state = EXEC_DONE;
	list_for_each_safe(pos, tmp, &x->attached) {
		struct conn *c = list_entry(pos, struct conn, peers);

		if (step == COMMAND_CWD)
			conn_fail(c, SVM_BAD_REQUEST, e,
				  "can't use the working directory '%s': %s",
				  x->cwd, strerror(e));
		else if (step == COMMAND_FORK && e == EAGAIN)
			conn_fail(c, SVM_RESOURCE_LIMIT, e,
				  "the sandbox has no room for another "
				  "process");
		else
			conn_fail(c, SVM_PROVIDER, e,
				  "can't start the command (step %d): %s",
				  step, strerror(e));
		conn_update(c);
	}
}

static void on_report(struct loop *l, void *data, unsigned events)
{
	struct exec *x = data;
	struct supervise_report r;

	(void)l;
	(void)events;
	ssize_t n = recv(x->ctl, &r, sizeof(r), MSG_DONTWAIT);
	/* ECONNRESET: it ended with a request of ours unread.  That comes
	 * before the reports it left; they come after. */
	if (n < 0 && (errno == EAGAIN || errno == EINTR ||
		      errno == ECONNRESET))
		return;
	if (n != (ssize_t)sizeof(r)) {
		supervisor_ended(x);
		return;
	}
	switch (r.kind) {
	case SUPERVISE_STARTED:
		command_started(x, r.a);
		break;
	case SUPERVISE_FAILED:
		command_failed(x, r.a, r.b);
		break;
	case SUPERVISE_ENDED:
		command_ended(x, r.a, r.b);
		break;
	}
	exec_finish_if_done(x);
}

/* Starting. */

struct ends {
	int child[3];  /* stdin, stdout, stderr */
	int parent[3];
};

static void close_ends(int v[3])
{
	for (int i = 0; i < 3; i++)
		fd_close(v[i]);
}

/* The terminal belongs to who opens /dev/ptmx, by its file-system ids. */
static int open_terminal(const struct agent *a, struct ends *e, uint16_t cols,
			 uint16_t rows)
{
	struct winsize size = { .ws_col = cols, .ws_row = rows };
	bool other = a->setup.flags & AGENT_SETUP_SWITCH;
	int unlock = 0;

	if (other) {
		setfsgid(a->setup.gid);
		setfsuid(a->setup.uid);
	}
	int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC |
				       O_NONBLOCK);
	int r = master < 0 ? -errno : 0;
	if (r == 0 && ioctl(master, TIOCSPTLCK, &unlock) < 0)
		r = -errno;
	int slave = r < 0 ? -1 : ioctl(master, TIOCGPTPEER,
				       O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (r == 0 && slave < 0)
		r = -errno;
	if (other) {
		setfsuid(geteuid());
		setfsgid(getegid());
	}
	e->parent[1] = master;
	e->child[0] = slave;
	if (r < 0)
		return r;
	(void)ioctl(master, TIOCSWINSZ, &size);
	e->parent[0] = fcntl(master, F_DUPFD_CLOEXEC, 0);
	e->child[1] = fcntl(slave, F_DUPFD_CLOEXEC, 0);
	e->child[2] = fcntl(slave, F_DUPFD_CLOEXEC, 0);
	return e->parent[0] < 0 || e->child[1] < 0 || e->child[2] < 0 ?
		       -EMFILE : 0;
}

static int open_pipe(int *reader, int *writer)
{
	int p[2];

	if (pipe2(p, O_CLOEXEC) < 0)
		return -errno;
	/* A wake-up costs more than the copying of what it brings. */
	(void)fcntl(p[0], F_SETPIPE_SZ, PIPE_SIZE);
	*reader = p[0];
	*writer = p[1];
	return 0;
}

static int open_pipes(const struct agent *a, const struct agent_exec *m,
		      struct ends *e)
{
	int r = open_pipe(&e->parent[1], &e->child[1]);

	if (r == 0)
		r = open_pipe(&e->parent[2], &e->child[2]);
	if (r == 0 && (m->flags & AGENT_EXEC_STDIN))
		r = open_pipe(&e->child[0], &e->parent[0]);
	else if (r == 0)
		e->child[0] = fcntl(a->null, F_DUPFD_CLOEXEC, 0);
	if (r == 0 && e->child[0] < 0)
		r = -errno;
	for (int i = 0; r == 0 && i < 3; i++)
		if (e->parent[i] >= 0)
			r = fd_set_nonblock(e->parent[i], true);
	return r;
}

static int open_ends(const struct agent *a, const struct agent_exec *m,
		     struct ends *e)
{
	for (int i = 0; i < 3; i++)
		e->child[i] = e->parent[i] = -1;
	return m->flags & AGENT_EXEC_TTY ?
		       open_terminal(a, e, m->cols, m->rows) :
		       open_pipes(a, m, e);
}

static char *join_command(char *const *argv)
{
	struct buf b = BUF_INIT;

	for (; *argv && b.len <= 256; argv++) {
		if (b.len)
			buf_addch(&b, ' ');
		buf_add(&b, *argv, MIN(strlen(*argv), (size_t)257));
	}
	buf_truncate(&b, MIN(b.len, (size_t)256));
	return buf_steal(&b);
}

static struct exec *exec_new(struct conn *c, struct agent_exec *m,
			     struct ends *e, pid_t supervisor, int ctl)
{
	struct agent *a = c->agent;
	struct exec *x = xcalloc(1, sizeof(*x));

	x->agent = a;
	x->supervisor = supervisor;
	x->sid = steal_ptr(&m->sid);
	x->command = join_command(m->argv);
	x->cwd = steal_ptr(&m->cwd);
	x->flags = m->flags;
	x->cols = m->cols;
	x->rows = m->rows;
	x->start_ns = clock_boot_ns();
	x->oom_kills = oom_kills(a);
	x->in = e->parent[0];
	stream_open(&x->out, x, FRAME_STDOUT, e->parent[1]);
	stream_open(&x->err, x, FRAME_STDERR, e->parent[2]);
	x->ctl = ctl;
	x->ctl_watch = loop_fd_add(a->loop, x->ctl, LOOP_READ, on_report, x);
	x->timer = loop_timer_new(a->loop, on_timer, x);
	x->timeout_ns = (int64_t)MIN(m->timeout_ns, (uint64_t)INT64_MAX / 4);
	/* Nobody waits longer for a command to start. */
	x->timer_means = TIMER_START;
	loop_timer_after(x->timer, x->timeout_ns ?
				 MIN(x->timeout_ns, LIMIT_TIME_AGENT_REPLY) :
				 LIMIT_TIME_AGENT_REPLY);
	list_init(&x->attached);
	list_init(&x->waiting);
	list_append(&a->execs, &x->link);
	a->nexecs++;
	return x;
}

void exec_follow(struct conn *c, struct exec *x, uint64_t since,
		 bool may_write)
{
	c->exec = x;
	c->ring = &x->ring;
	c->cursor = MIN(since, x->ring.end);
	c->may_write = may_write;
	c->state = CONN_OUTPUT;
	list_append(&x->attached, &c->peers);
}

/* What speaks against starting it; said to the caller. */
static bool refused(struct conn *c, const struct agent_exec *m)
{
	struct agent *a = c->agent;
	unsigned sessions = 0;
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &a->execs) {
		struct exec *x = list_entry(pos, struct exec, link);

		sessions += exec_is_session(x) && !is_over(x) &&
			    (x->flags & (AGENT_EXEC_TTY | AGENT_EXEC_DETACH));
	}
	if (exec_find(a, m->sid))
		conn_fail(c, SVM_CONFLICT, 0, "session '%s' exists already",
			  m->sid);
	else if (m->cols > LIMIT_TTY_SIZE || m->rows > LIMIT_TTY_SIZE)
		conn_fail(c, SVM_BAD_REQUEST, 0,
			  "a terminal has at most %d columns and rows",
			  LIMIT_TTY_SIZE);
	else if (sessions >= LIMIT_AGENT_SESSIONS &&
		 (m->flags & (AGENT_EXEC_TTY | AGENT_EXEC_DETACH)))
		conn_fail(c, SVM_RESOURCE_LIMIT, 0,
			  "%d sessions run in this sandbox already",
			  LIMIT_AGENT_SESSIONS);
	else if (a->nexecs >= LIMIT_AGENT_OPS + LIMIT_AGENT_SESSIONS)
		conn_fail(c, SVM_RESOURCE_LIMIT, 0,
			  "%u commands run in this sandbox already or have "
			  "left children behind", a->nexecs);
	else
		return false;
	return true;
}

void exec_start(struct conn *c, const char *p, size_t n)
{
	struct agent *a = c->agent;
	struct agent_exec m;
	struct ends e;
	int ctl = -1;

	if (agent_exec_decode(p, n, &m) < 0) {
		conn_fail(c, SVM_BAD_REQUEST, 0, "malformed exec request");
		return;
	}
	if (refused(c, &m)) {
		agent_exec_release(&m);
		return;
	}
	int r = open_ends(a, &m, &e);
	if (r == 0)
		r = supervise_start(a, &m, p, n, e.child, &ctl);
	close_ends(e.child);
	if (r < 0) {
		close_ends(e.parent);
		conn_fail(c, r == -EAGAIN || r == -EMFILE || r == -ENOSPC ?
				     SVM_RESOURCE_LIMIT : SVM_PROVIDER, r,
			  "can't start the command: %s", strerror(-r));
	} else {
		exec_follow(c, exec_new(c, &m, &e, r, ctl), 0, true);
		supervise_expect(a);
	}
	agent_exec_release(&m);
}

bool exec_exit(const struct exec *x, struct buf *out)
{
	if (x->state != EXEC_DONE)
		return false;
	agent_exit_encode(out, &x->exit);
	((struct exec *)(uintptr_t)x)->delivered = true;
	return true;
}

void exec_detach(struct conn *c)
{
	struct exec *x = c->exec;
	bool follower = c->state == CONN_OUTPUT;

	list_remove(&c->peers);
	c->exec = NULL;
	if (!follower)
		return;
	if (!x->delivered) {
		x->lost = true;
		if (list_empty(&x->attached) &&
		    !(x->flags & AGENT_EXEC_DETACH))
			stream_leave(x, c->cursor);
	}
	stream_update(x);
}
