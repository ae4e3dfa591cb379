/* SPDX-License-Identifier: MIT */
/*
 * The agent's entry: one set-up message on fd 3, then the loop.
 *
 * Runs as PID 1 of a sandbox, or as an ordinary process that is a subreaper
 * (mock, proot).  Arguments and environment are not looked at.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/agent.h"
#include "lib/base/clock.h"
#include "lib/base/fault.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "lib/base/proc-tree.h"
#include "lib/base/proc.h"

#define SETUP_MAX KIB(512) /* two filters, an environment */

/* The end of everything in here.  PID 1 need only leave. */
static NORETURN void end_all(struct agent *a)
{
	if (a->setup.flags & AGENT_SETUP_INIT)
		_exit(0);
	for (;;) {
		int n = proc_tree_kill(getpid());

		/* Supervisors die with the rest; what they had comes to us. */
		while (waitpid(-1, NULL, n > 0 ? 0 : WNOHANG) > 0)
			;
		if (n <= 0)
			_exit(0);
	}
}

static void on_deadline(struct loop *l, void *data)
{
	(void)l;
	end_all(data);
}

void agent_set_deadline(struct agent *a, uint64_t boot_ns)
{
	if (boot_ns)
		loop_timer_at(a->deadline,
			      (int64_t)MIN(boot_ns, (uint64_t)INT64_MAX));
	else
		loop_timer_stop(a->deadline);
}

NORETURN void agent_shut_down(struct agent *a)
{
	end_all(a);
}

static void before_sleep(struct loop *l, void *data)
{
	(void)l;
	exec_sweep(data);
}

/* Everything is ours to reap: supervisors, workers, orphans. */
static void on_child(struct loop *l, void *data,
		     const struct signalfd_siginfo *info)
{
	struct agent *a = data;
	pid_t pid;
	int status;

	(void)l;
	(void)info;
	while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0) {
		if (!WIFSTOPPED(status)) {
			supervise_ended(a, pid);
			conn_worker_ended(a, pid);
		} else {
			supervise_stopped(a, pid);
			exec_supervisor_stopped(a, pid);
			conn_worker_stopped(a, pid);
		}
	}
}

static void on_term(struct loop *l, void *data,
		    const struct signalfd_siginfo *info)
{
	struct agent *a = data;

	(void)l;
	(void)info;
	if (!(a->setup.flags & AGENT_SETUP_INIT))
		end_all(a);
}

/* Which descriptors came, by the flags that announce them. */
static int take_fds(struct agent *a, int *fds, size_t n)
{
	size_t next = 0;

	a->listener = next < n ? fds[next++] : -1;
	if (a->setup.flags & AGENT_SETUP_ROOT)
		a->root = next < n ? fds[next++] : -1;
	else
		a->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (a->setup.flags & AGENT_SETUP_CGROUP)
		a->cgroup = next < n ? fds[next++] : -1;
	if (next < n)
		a->lock = fds[next++];
	if (a->listener < 0 || a->root < 0 || next != n)
		return -EPROTO;
	if ((a->setup.flags & AGENT_SETUP_CGROUP) && a->cgroup < 0)
		return -EPROTO;
	return fd_set_nonblock(a->listener, true);
}

static int receive_setup(struct agent *a)
{
	int fds[AGENT_SETUP_FD_MAX];
	size_t nfds = ARRAY_SIZE(fds);

	buf_reserve(&a->setup_text, SETUP_MAX);
	ssize_t n = fd_recv_msg(AGENT_SETUP_FD, a->setup_text.data, SETUP_MAX,
				fds, &nfds);
	if (n <= 0)
		return n < 0 ? (int)n : -EPIPE;
	a->setup_text.len = (size_t)n;
	/* Most of the room was not needed, and it is there for life. */
	a->setup_text.data = xrealloc(a->setup_text.data, (size_t)n + 1);
	a->setup_text.cap = (size_t)n + 1;
	int r = agent_setup_decode(a->setup_text.data, (size_t)n, &a->setup);
	return r < 0 ? r : take_fds(a, fds, nfds);
}

/* What init does for everybody: found or fail.  Names the step for people. */
static int prepare(struct agent *a, const char **ret_step)
{
	*ret_step = "becoming a subreaper";
	if (!(a->setup.flags & AGENT_SETUP_INIT) &&
	    prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		return -errno;
	/* Now: later the sandbox may have a FIFO there, to hold us up. */
	*ret_step = "/dev/null";
	a->null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (a->null < 0)
		return -errno;
	*ret_step = "the event loop";
	a->loop = loop_new();
	if (!a->loop)
		return -errno;
	int r = loop_signal_add(a->loop, SIGCHLD, on_child, a);
	if (r == 0)
		r = loop_signal_add(a->loop, SIGTERM, on_term, a);
	if (r < 0)
		return r;
	loop_before_sleep(a->loop, before_sleep, a);
	a->deadline = loop_timer_new(a->loop, on_deadline, a);
	agent_set_deadline(a, a->setup.deadline_boot_ns);
	a->accepting = loop_fd_add(a->loop, a->listener, LOOP_READ,
				   conn_accept, a);
	*ret_step = "the system call filter";
	if (a->setup.agent_filter_len) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
			return -errno;
		return confine_filter(a->setup.agent_filter,
				      a->setup.agent_filter_len);
	}
	return 0;
}

static int answer(enum svm_code code, int e, const char *step)
{
	auto_buf struct buf text = BUF_INIT;

	msg_add_u32(&text, code);
	if (code) {
		auto_free char *why = xasprintf("%s: %s", step, strerror(-e));

		msg_add_u32(&text, (uint32_t)-e);
		msg_add_str(&text, why);
	}
	return fd_send_msg(AGENT_SETUP_FD, text.data, text.len, NULL, 0) < 0;
}

int main(void)
{
	/* Nobody may look into us, not even somebody with our uid. */
	(void)prctl(PR_SET_DUMPABLE, 0);
	(void)fd_sanitise_std();
	fd_close_from(AGENT_SETUP_FD + 1);
	(void)fd_set_cloexec(AGENT_SETUP_FD, true);
	umask(077);
	(void)signal(SIGPIPE, SIG_IGN); /* the rest is at its default */
	proc_raise_nofile();

	struct agent *a = xcalloc(1, sizeof(*a));
	const char *step = "the set-up message";

	a->cgroup = a->lock = a->listener = a->root = a->idle_ctl = -1;
	a->turn = memfd_create("turn", MFD_CLOEXEC);
	a->permitted = confine_permitted();
	list_init(&a->conns);
	list_init(&a->execs);
	list_init(&a->log_readers);
	fault_point("agent.setup");
	int r = receive_setup(a);
	if (r == 0)
		r = prepare(a, &step);
	if (answer(r < 0 ? SVM_PROVIDER : SVM_OK, r, step) || r < 0)
		return 1;
	close(AGENT_SETUP_FD);
	loop_run(a->loop);
	return 0;
}
