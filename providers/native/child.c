/* SPDX-License-Identifier: MIT */
/*
 * From clone3() to the agent.  The order is the security argument: cgroups
 * and identity, then the file system, then limits that only root of the
 * namespace may write, then capabilities, then exec.  Any failure ends it.
 */
#include "providers/native/child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <net/if.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/api/agent-setup.h"
#include "lib/api/msg.h"
#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "lib/base/fd.h"
#include "lib/base/kernel.h"
#include "providers/native/rootfs.h"

void child_fail(const struct child *c, int e, const char *fmt, ...)
{
	auto_buf struct buf text = BUF_INIT, msg = BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(&text, fmt, ap);
	va_end(ap);
	buf_addf(&text, ": %s", strerror(e));
	msg_add_u32(&msg, e == ENOSPC ? SVM_NO_SPACE : SVM_UNAVAILABLE);
	msg_add_u32(&msg, (uint32_t)e);
	msg_add_str(&msg, buf_str(&text));
	(void)fd_send_msg(c->setup, msg.data, msg.len, NULL, 0);
	_exit(1);
}

/* A single-threaded process that writes "0" to a v1 `tasks` file skips the
 * lock that makes cgroup.procs wait for an RCU grace period (10 ms). */
static void enter_cgroups(const struct child *c)
{
	for (unsigned i = 0; i < c->ntasks; i++)
		if (write(c->tasks[i], "0", 1) != 1)
			child_fail(c, errno, "can't enter the cgroup");
	if (!(c->req->flags & LAUNCH_CGROUP2) && unshare(CLONE_NEWCGROUP) < 0)
		child_fail(c, errno, "can't make a cgroup namespace");
}

static void loopback_up(const struct child *c)
{
	struct ifreq ifr = { .ifr_name = "lo" };
	auto_close int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return; /* a kernel without IPv4 has no loopback to raise */
	ifr.ifr_flags = IFF_UP | IFF_RUNNING;
	if (ioctl(fd, SIOCSIFFLAGS, &ifr) < 0)
		child_fail(c, errno, "can't raise the loopback interface");
}

static void wait_for_maps(struct child *c)
{
	size_t n = 1;
	char byte;

	if (fd_recv_msg(c->release, &byte, 1, &c->tree, &n) != 1)
		_exit(1); /* the launcher died: so do we */
	if (!n)
		c->tree = -1;
}

static void become_root_inside(const struct child *c)
{
	if (c->mode == NATIVE_SINGLE)
		return;
	/* Without this we'd stay an unmapped id, and nothing could be made in
	 * the new file system (EOVERFLOW). */
	if (setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 ||
	    setresuid(0, 0, 0) < 0)
		child_fail(c, errno, "can't become root of the namespace");
}

/* Whether a crash starts a program of the host's; unreadable counts as yes. */
static bool core_dumps_are_piped(void)
{
	auto_buf struct buf b = BUF_INIT;

	return fd_slurp_path(AT_FDCWD, "/proc/sys/kernel/core_pattern", 4096,
			     &b) < 0 || buf_str(&b)[0] == '|';
}

static void set_identity(const struct child *c)
{
	const struct rlimit core = { 1, 1 };

	if (sethostname(c->req->id, strlen(c->req->id)) < 0)
		child_fail(c, errno, "can't set the host name");
	/* Exactly 1: with 0 a piped core handler still runs, as host root. */
	if (setrlimit(RLIMIT_CORE, &core) < 0 &&
	    (errno != EPERM || core_dumps_are_piped()))
		child_fail(c, errno, "can't set the limit of core dumps to 1 "
			   "(the daemon's hard limit, `ulimit -Hc`, is 0)");
}

/* Keep what the agent needs to run commands as somebody else and to end
 * them; valid inside this user namespace only. */
static const unsigned kept_caps[] = { CAP_SETUID, CAP_SETGID, CAP_KILL,
				      CAP_SETPCAP };

static void drop_caps(const struct child *c)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2] = { { 0, 0, 0 }, { 0, 0, 0 } };
	unsigned keep = 0;

	for (size_t i = 0; i < ARRAY_SIZE(kept_caps); i++)
		keep |= 1u << kept_caps[i];
	for (unsigned cap = 0; cap < 64; cap++) {
		if (cap < 32 && (keep & 1u << cap))
			continue;
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0) {
			if (errno == EINVAL && cap > CAP_AUDIT_READ)
				break; /* past the last one of this kernel */
			child_fail(c, errno, "can't drop capability %u", cap);
		}
	}
	/* No capabilities by being uid 0 or by changing to it: what the agent
	 * keeps comes through the ambient set, which its children clear. */
	if (prctl(PR_SET_SECUREBITS,
		  SECBIT_NOROOT | SECBIT_NOROOT_LOCKED |
			  SECBIT_KEEP_CAPS_LOCKED, 0, 0, 0) < 0)
		child_fail(c, errno, "can't lock the secure bits");
	data[0].effective = data[0].permitted = data[0].inheritable = keep;
	if (syscall(SYS_capset, &head, data) < 0)
		child_fail(c, errno, "can't drop capabilities");
	for (size_t i = 0; i < ARRAY_SIZE(kept_caps); i++)
		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, kept_caps[i],
			  0, 0) < 0)
			child_fail(c, errno, "can't keep capability %u",
				   kept_caps[i]);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		child_fail(c, errno, "can't set no_new_privs");
}

static void report_mounted(const struct child *c, int64_t start)
{
	int64_t now = clock_mono_ns();
	const struct launch_mounted m = { LAUNCH_MOUNTED, 0, now - start, now };

	(void)fd_send_msg(c->setup, &m, sizeof(m), NULL, 0);
}

/* stdio from the new /dev, the setup socket as 3, the agent as 4. */
static void exec_agent(const struct child *c)
{
	/* By the second word `ps`, and a daemon that lost its record, can
	 * tell whose agent it is. */
	char *argv[] = { (char[]){ "stacyvm-agent" },
			 (char *)(uintptr_t)c->name, NULL };
#ifdef SVM_FAULTS /* test builds hand their fault points on */
	char **envp = environ;
#else
	char *envp[] = { NULL };
#endif
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct child moved = *c;

	if (null < 0)
		child_fail(c, errno, "can't open '/dev/null'");
	for (int fd = 0; fd < 3; fd++)
		if (dup2(null, fd) < 0)
			child_fail(c, errno, "can't place descriptors");
	int agent = fcntl(c->agent, F_DUPFD_CLOEXEC, 16);
	int setup = fcntl(c->setup, F_DUPFD_CLOEXEC, 16);
	if (agent < 0 || setup < 0 || dup2(setup, AGENT_SETUP_FD) < 0 ||
	    dup3(agent, 4, O_CLOEXEC) < 0)
		child_fail(c, errno, "can't place descriptors");
	moved.setup = AGENT_SETUP_FD;
	fd_close_from(5);
	(void)setsid();
	(void)syscall(SYS_execveat, 4, "", argv, envp, AT_EMPTY_PATH);
	child_fail(&moved, errno, "can't start the agent");
}

void child_main(struct child *c)
{
	enter_cgroups(c);
	loopback_up(c);
	/* Still the id that owns them; the new root's may not enter. */
	if (c->mode != NATIVE_ROOT && (c->req->flags & LAUNCH_LAYERS))
		layers_open(c, c->layers, &c->nlayers);
	wait_for_maps(c);
	int64_t start = clock_mono_ns();
	become_root_inside(c);
	if (syscall(SYS_keyctl, 1 /* JOIN_SESSION_KEYRING */, NULL) < 0 &&
	    errno != ENOSYS)
		child_fail(c, errno, "can't make a session keyring");
	set_identity(c);
	child_enter_rootfs(c);
	report_mounted(c, start);
	drop_caps(c);
	exec_agent(c);
	_exit(1);
}
