/* SPDX-License-Identifier: MIT */
/*
 * The supervisor: one small process above each command.
 *
 * It is a subreaper, so everything the command leaves behind, however often
 * it forked or called setsid, stays below it: that is what makes a tree kill
 * complete and keeps it from hitting anything else.  It lives until nothing
 * of the tree is left, then waits for another command, and takes the tree
 * along when the agent is gone.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/agent.h"
#include "lib/base/clock.h"
#include "lib/base/fault.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "lib/base/proc-tree.h"

#define IDLE_TEXT KIB(64) /* requests an idle one takes */
#define AGAIN_MS 20   /* look again for what escaped a sweep */
#define REAP_TURN 4096 /* the dead must not keep us from the living */
#define COMMANDS_MAX 256 /* what a vfork allocates is never freed */

struct supervisor {
	int ctl, children; /* children: signalfd of SIGCHLD */
	pid_t command;     /* 0 once it was reaped: its pid may be reused */
	bool killing;
	int64_t swept;     /* when that ended last */
	unsigned commands; /* so far */
};

static void report(const struct supervisor *s, enum supervise_kind kind, int a,
		   int b)
{
	struct supervise_report r = { (int32_t)kind, a, b };

	(void)fd_send_msg(s->ctl, &r, sizeof(r), NULL, 0);
}

/* Bring the descriptors to their fixed numbers and close all others: no copy
 * of anybody's connection may live on in here. */
static int place_fds(const struct agent *a, const int fds[4])
{
	const int want[SUPERVISE_FD_MAX] = {
		fds[0], fds[1], fds[2],
		[SUPERVISE_FD_STATUS] = -1,
		[SUPERVISE_FD_ROOT] = a->root,
		[SUPERVISE_FD_CGROUP] = a->cgroup,
		[SUPERVISE_FD_CTL] = fds[3],
		[SUPERVISE_FD_LOCK] = a->lock,
	};
	int high[SUPERVISE_FD_MAX];

	for (int i = 0; i < SUPERVISE_FD_MAX; i++) {
		high[i] = want[i] < 0 ? -1 :
				fcntl(want[i], F_DUPFD_CLOEXEC, 32);
		if (want[i] >= 0 && high[i] < 0)
			return -errno;
	}
	for (int i = 0; i < SUPERVISE_FD_MAX; i++) {
		if (high[i] < 0)
			close(i);
		else if (dup3(high[i], i, i < 3 ? 0 : O_CLOEXEC) < 0)
			return -errno;
	}
	fd_close_from(SUPERVISE_FD_MAX);
	return 0;
}

/* Whether nothing of the tree is left; then we have another command to wait
 * for, or end.  Who was told to kill ends: the agent may have given us up. */
static bool reap(struct supervisor *s)
{
	int status, result = 0, budget = REAP_TURN;
	bool ended = false;
	pid_t pid = 0;

	while (budget-- > 0 && (pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != s->command)
			continue;
		s->command = 0;
		ended = true;
		result = status;
	}
	bool none_left = pid < 0 && errno == ECHILD;
	bool stays = ended && none_left && !s->killing &&
		     s->commands < COMMANDS_MAX;
	if (ended)
		report(s, SUPERVISE_ENDED, result,
		       (none_left ? 0 : SUPERVISE_LEFT) |
		       (stays ? SUPERVISE_STAYS : 0));
	if (none_left && !stays)
		_exit(0);
	return none_left;
}

static void sweep(struct supervisor *s)
{
	s->killing = true;
	if (fault_errno("agent.kill.sweep") == 0)
		(void)proc_tree_kill(getpid());
	s->swept = clock_mono_ns();
}

/* Milliseconds until the next sweep; those who fork and end without a pause
 * would put off a mere poll timeout for ever. */
static int until_sweep(const struct supervisor *s)
{
	int64_t ms = (clock_mono_ns() - s->swept) / 1000000;

	return !s->killing ? -1 : ms >= AGAIN_MS ? 0 : AGAIN_MS - (int)ms;
}

static void deliver(const struct supervisor *s, int signo, pid_t group)
{
	/* A terminal's foreground group counts only if it is of the command's
	 * session: the number came from the terminal, which the command owns. */
	if (group > 0 && s->command && getsid(group) == s->command)
		(void)kill(-group, signo);
	else if (s->command)
		(void)kill(-s->command, signo);
}

static void on_request(struct supervisor *s)
{
	struct supervise_request r;
	ssize_t n = recv(s->ctl, &r, sizeof(r), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n != (ssize_t)sizeof(r)) {
		/* The agent is gone, and the sandbox with it. */
		close(s->ctl);
		s->ctl = -1;
		sweep(s);
		return;
	}
	switch (r.op) {
	case SUPERVISE_SIGNAL:
		deliver(s, r.arg, r.group);
		break;
	case SUPERVISE_TERM:
		(void)proc_tree_signal(getpid(), SIGTERM);
		break;
	case SUPERVISE_KILL:
		sweep(s);
		break;
	}
}

static void follow(struct supervisor *s)
{
	struct pollfd fds[2] = { { .events = POLLIN }, { .events = POLLIN } };

	while (!reap(s)) {
		struct signalfd_siginfo info;

		fds[0].fd = s->ctl;
		fds[1].fd = s->children;
		int n = poll(fds, 2, until_sweep(s));
		if (until_sweep(s) == 0)
			sweep(s);
		if (n > 0 && fds[1].revents)
			(void)!read(s->children, &info, sizeof(info));
		if (n > 0 && fds[0].revents)
			on_request(s);
	}
}

struct start {
	const struct agent *a;
	const struct agent_exec *m;
	char *const *env;
};

static void run_command(void *arg)
{
	const struct start *s = arg;

	command_run(s->a, s->m, s->env);
}

/* Start the command and say how that went.  It shares our memory until it
 * has become another program: a copy would cost more than all the rest.  That
 * memory is not dumpable, so nobody with its uid can get at it. */
static void start_command(struct supervisor *s, const struct agent *a,
			  const struct agent_exec *m, char *const *env)
{
	struct command_error failed = { COMMAND_FORK, 0 };
	int p[2];

	if (pipe2(p, O_CLOEXEC) < 0)
		_exit(1);
	/* Either end may have landed on a number that has a meaning. */
	int status = fcntl(p[0], F_DUPFD_CLOEXEC, SUPERVISE_FD_MAX);
	int writer = fcntl(p[1], F_DUPFD_CLOEXEC, SUPERVISE_FD_MAX);
	close(p[0]);
	close(p[1]);
	if (status < 0 || writer < 0 ||
	    dup3(writer, SUPERVISE_FD_STATUS, O_CLOEXEC) < 0)
		_exit(1);
	close(writer);
	fault_point("agent.exec.fork");
	struct start start = { a, m, env };
	pid_t pid = confine_vfork(a->cgroup < 0 ? -1 : SUPERVISE_FD_CGROUP,
				  run_command, &start);
	s->commands++;
	/* What the command holds only it may hold: end of file on its pipes
	 * must mean that it, and its children, have let go. */
	for (int fd = 0; fd <= SUPERVISE_FD_STATUS; fd++)
		close(fd);
	ssize_t n = 0;
	if (pid < 0)
		failed.error = -pid;
	else
		n = fd_read_full(status, &failed, sizeof(failed));
	close(status);
	s->command = MAX(pid, 0);
	if (pid < 0 || n)
		report(s, SUPERVISE_FAILED, failed.step, failed.error);
	else
		report(s, SUPERVISE_STARTED, pid, 0);
}

/* What every supervisor does first.  fds: 0-2 and ctl. */
static void become_supervisor(const struct agent *a, const int fds[4],
			      struct supervisor *s)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	(void)sigprocmask(SIG_SETMASK, &mask, NULL);
	if (place_fds(a, fds) < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		_exit(1);
	*s = (struct supervisor){ .ctl = SUPERVISE_FD_CTL };
	/* 0-2 may be free, and are kept for what is free there. */
	int fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	s->children = fcntl(fd, F_DUPFD_CLOEXEC, SUPERVISE_FD_MAX);
	if (fd < 0 || s->children < 0)
		_exit(1);
	close(fd);
}

static void supervise(struct supervisor *s, const struct agent *a,
		      const struct agent_exec *m)
{
	auto_free char **env = command_env(a, m);

	start_command(s, a, m, env);
	follow(s);
}

/* The next command comes with its stdio, which lands on 0-2, the lowest
 * numbers there are.  What comes without was meant for the one before. */
static ssize_t next_request(char *text, size_t room)
{
	for (;;) {
		int fds[3];
		size_t nfds = ARRAY_SIZE(fds);
		ssize_t n = fd_recv_msg(SUPERVISE_FD_CTL, text, room, fds,
					&nfds);

		if (n <= 0)
			_exit(0); /* nobody wants us, or nobody is left */
		if (nfds == 0 && n == sizeof(struct supervise_request))
			continue;
		if (nfds != ARRAY_SIZE(fds))
			_exit(1);
		for (int i = 0; i < 3; i++)
			if (fds[i] != i || fd_set_cloexec(i, false) < 0)
				_exit(1);
		return n;
	}
}

static NORETURN void supervise_more(struct supervisor *s,
				    const struct agent *a)
{
	static char text[IDLE_TEXT];

	for (;;) {
		ssize_t n = next_request(text, sizeof(text));
		struct agent_exec m;

		if (agent_exec_decode(text, (size_t)n, &m) < 0)
			_exit(1);
		supervise(s, a, &m);
		agent_exec_release(&m);
	}
}

/* The pid and our end of its socket. */
static pid_t fork_supervisor(const struct agent *a, const struct agent_exec *m,
			     const int fds[3], int *ret_ctl)
{
	struct supervisor s;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	pid_t pid = fork();
	int e = errno;
	if (pid == 0) {
		become_supervisor(a, (const int[]){ fds[0], fds[1], fds[2],
						    pair[1] }, &s);
		supervise(&s, a, m);
		supervise_more(&s, a);
	}
	close(pair[1]);
	if (pid < 0) {
		close(pair[0]);
		return -e;
	}
	*ret_ctl = pair[0];
	return pid;
}

static void forget_idle(struct agent *a)
{
	fd_close(steal_fd(&a->idle_ctl));
	a->idle_pid = 0;
}

pid_t supervise_start(struct agent *a, const struct agent_exec *m,
		      const char *text, size_t n, const int fds[3],
		      int *ret_ctl)
{
	pid_t pid = a->idle_pid;

	if (a->idle_ctl >= 0 && n <= IDLE_TEXT) {
		if (fd_send_msg(a->idle_ctl, text, n, fds, 3) == (ssize_t)n) {
			*ret_ctl = steal_fd(&a->idle_ctl);
			forget_idle(a);
			return pid;
		}
		forget_idle(a); /* somebody has ended it */
	}
	return fork_supervisor(a, m, fds, ret_ctl);
}

static void on_idle(struct loop *l, void *data)
{
	(void)l;
	forget_idle(data);
}

void supervise_take_back(struct agent *a, pid_t pid, int ctl)
{
	if (a->idle_ctl >= 0) {
		close(ctl); /* one is enough: this one ends */
		return;
	}
	if (!a->idle_timer)
		a->idle_timer = loop_timer_new(a->loop, on_idle, a);
	loop_timer_after(a->idle_timer, SUPERVISE_IDLE);
	a->idle_ctl = ctl;
	a->idle_pid = pid;
}

void supervise_ended(struct agent *a, pid_t pid)
{
	if (a->idle_pid == pid)
		forget_idle(a);
}

void supervise_stopped(struct agent *a, pid_t pid)
{
	if (a->idle_pid != pid)
		return;
	(void)kill(pid, SIGKILL);
	forget_idle(a);
}
