/* SPDX-License-Identifier: MIT */
/*
 * The processes of a command, known by what its supervisor reports: started,
 * failed, ended, none left; and how they are told to end, ever more firmly.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/exec.h"
#include "lib/base/clock.h"
#include "lib/base/fault.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "lib/base/proc-tree.h"

/* After KILL: when a tree that goes on forking meets the last resort, and
 * when a process that is stuck in the kernel is left to itself. */
#define LAST_RESORT SECONDS(5)
#define GIVE_UP SECONDS(10)

static int64_t last_resort(void)
{
	return fault_time("agent.resort", LAST_RESORT);
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
	loop_timer_after(x->timer, last_resort());
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

static void stop_watching(struct exec *x)
{
	loop_fd_del(x->ctl_watch);
	fd_close(x->ctl);
	x->ctl_watch = NULL;
	x->ctl = -1;
}

static void tree_is_gone(struct exec *x)
{
	struct list *pos, *tmp;

	stop_watching(x);
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
	int64_t recent = clock_boot_ns() - last_resort() / 2;
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
		loop_timer_after(x->timer, GIVE_UP - last_resort());
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

/* Nothing of the tree is left: without writers all that is left can be read
 * to the end. */
static void end_with_tree(struct exec *x)
{
	tree_is_gone(x);
	stream_owe(&x->out, x->flags & AGENT_EXEC_TTY);
	stream_owe(&x->err, false);
}

static void supervisor_stays(struct exec *x)
{
	loop_fd_del(steal_ptr(&x->ctl_watch));
	supervise_take_back(x->agent, x->supervisor, steal_fd(&x->ctl));
	end_with_tree(x);
}

/* Nothing of the tree is left, or somebody killed the supervisor. */
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
	end_with_tree(x);
	exec_finish_if_done(x);
}

/* Stopped, it hears nothing: neither that the command has ended nor that its
 * time is over.  The tree goes first: nobody would watch over it. */
void exec_supervisor_stopped(struct agent *a, pid_t pid)
{
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &a->execs) {
		struct exec *x = list_entry(pos, struct exec, link);

		if (x->supervisor != pid || x->ctl < 0)
			continue;
		if (++x->stops < LIMIT_AGENT_STOPS) {
			(void)kill(pid, SIGCONT);
		} else {
			(void)proc_tree_kill(pid);
			(void)kill(pid, SIGKILL);
		}
	}
}

/* From the limit on starting to the caller's own, which began with it. */
static void set_timeout(struct exec *x)
{
	int64_t left = x->timeout_ns + x->start_ns - clock_boot_ns();

	x->timer_means = TIMER_TIMEOUT;
	if (x->timeout_ns)
		loop_timer_after(x->timer, MAX(left, INT64_C(1)));
	else
		loop_timer_stop(x->timer);
}

static void command_started(struct exec *x, pid_t pid)
{
	x->pid = pid;
	x->state = EXEC_RUNNING;
	if (x->timer_means == TIMER_START)
		set_timeout(x);
	fault_point("agent.exec.started");
	announce(x);
	stream_update(x);
}

/* A program that can't be run is an ordinary result, as of a shell. */
static void cant_run(struct exec *x, int e)
{
	auto_free char *text =
		xasprintf("%s: %s\n", x->command,
			  e == ENOENT ? "not found" : strerror(e));

	ring_add(&x->ring, FRAME_STDERR, clock_boot_ns(), text, strlen(text));
	if (x->flags & AGENT_EXEC_DETACH)
		stream_leave(x, 0);
	x->exit.code = e == ENOENT || e == ENOTDIR ? 127 : 126;
	x->state = EXEC_DRAINING;
	announce(x);
}

/* Failures that only the agent can have end in ERROR. */
static void cant_start(struct exec *x, int step, int e)
{
	struct list *pos, *tmp;

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
		x->forget = true;
		if (r.a == COMMAND_EXEC)
			cant_run(x, r.b);
		else
			cant_start(x, r.a, r.b);
		break;
	case SUPERVISE_ENDED:
		command_ended(x, r.a, r.b & SUPERVISE_LEFT);
		if (r.b & SUPERVISE_STAYS)
			supervisor_stays(x);
		break;
	}
	exec_finish_if_done(x);
}

void exec_tree_open(struct exec *x, pid_t supervisor, int ctl)
{
	struct loop *l = x->agent->loop;
	int64_t longest = LIMIT_TIME_AGENT_REPLY;

	x->supervisor = supervisor;
	x->oom_kills = oom_kills(x->agent);
	x->ctl = ctl;
	x->ctl_watch = loop_fd_add(l, ctl, LOOP_READ, on_report, x);
	x->timer = loop_timer_new(l, on_timer, x);
	/* Nobody waits longer for a command to start. */
	x->timer_means = TIMER_START;
	loop_timer_after(x->timer, x->timeout_ns ?
					   MIN(x->timeout_ns, longest) :
					   longest);
}

void exec_tree_close(struct exec *x)
{
	stop_watching(x);
	loop_timer_free(x->timer);
}
