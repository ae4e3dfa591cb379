/* SPDX-License-Identifier: MIT */
/*
 * How a child loses every right it does not need: limits, identity,
 * capabilities, Landlock, system calls.  Used by commands and file workers
 * alike, so that neither can do what the other may not.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "agent/agent.h"
#include "lib/base/fd.h"
#include "lib/base/kernel.h"
#include "lib/base/proc.h"

#define OOM_SCORE "200" /* of a thousand; the agent has 0 */

pid_t confine_fork(int cgroup)
{
	struct svm_clone_args args = {
		.flags = SVM_CLONE_INTO_CGROUP,
		.exit_signal = SIGCHLD,
		.cgroup = (uint64_t)cgroup,
	};
	long pid = cgroup < 0 ? fork() :
				syscall(SYS_clone3, &args, sizeof(args));

	return pid < 0 ? -errno : (pid_t)pid;
}

/* vfork(2) into a cgroup.  As with vfork the child runs on our stack, so it
 * must be made right here: a wrapper would return into a frame that the child
 * has overwritten. */
#if defined(__x86_64__)
#define CLONE3(args)                                                     \
	({                                                               \
		long __r = SYS_clone3;                                   \
		__asm__ volatile("syscall"                               \
				 : "+a"(__r)                             \
				 : "D"(args), "S"(sizeof(*(args)))       \
				 : "rcx", "r11", "memory");              \
		__r;                                                     \
	})
#define CLONE3_SHARES (SVM_CLONE_VM | SVM_CLONE_VFORK)
#else
#define CLONE3(args) syscall(SYS_clone3, args, sizeof(*(args)))
#define CLONE3_SHARES 0
#endif

__attribute__((noinline)) pid_t confine_vfork(int cgroup,
					      void (*child)(void *arg),
					      void *arg)
{
	struct svm_clone_args args = {
		.flags = SVM_CLONE_INTO_CGROUP | CLONE3_SHARES,
		.exit_signal = SIGCHLD,
		.cgroup = (uint64_t)cgroup,
	};
	long pid = cgroup < 0 ? vfork() : CLONE3(&args);

	if (pid == 0) {
		child(arg);
		_exit(127);
	}
	if (cgroup < 0)
		return pid < 0 ? -errno : (pid_t)pid;
	return CLONE3_SHARES || pid > 0 ? (pid_t)pid : -errno;
}

/* capset(2), as linux/capability.h has it. */
#define CAPABILITY_VERSION 0x20080522u

struct capability_header {
	uint32_t version;
	int32_t pid;
};

struct capability_data {
	uint32_t effective, permitted, inheritable;
};

static void limit(int what, uint64_t value)
{
	struct rlimit now, lim = { value, value };

	if (!value || getrlimit(what, &now) < 0)
		return;
	lim.rlim_cur = lim.rlim_max = MIN(lim.rlim_max, now.rlim_max);
	(void)setrlimit(what, &lim);
}

static void set_limits(const struct agent_setup *s)
{
	proc_restore_nofile();
	limit(RLIMIT_NOFILE, s->rlimit_nofile);
	limit(RLIMIT_NPROC, s->rlimit_nproc);
	limit(RLIMIT_FSIZE, s->rlimit_fsize);
	/* When memory is short the agent is to be the last that dies.  Only
	 * root of the namespace may write it: we are not dumpable. */
	(void)fd_write_path(AT_FDCWD, "/proc/self/oom_score_adj", OOM_SCORE);
	/* Exactly 1: with 0 the kernel still starts the host's piped core
	 * handler, as the host's root. */
	limit(RLIMIT_CORE, 1);
}

uint64_t confine_permitted(void)
{
	struct capability_header header = { CAPABILITY_VERSION, 0 };
	struct capability_data have[2] = { { 0, 0, 0 } };

	if (syscall(SYS_capget, &header, have) < 0)
		return ~UINT64_C(0);
	return (uint64_t)have[1].permitted << 32 | have[0].permitted;
}

int confine_identity(const struct agent *a)
{
	const struct agent_setup *s = &a->setup;

	set_limits(s);
	/* While we may: execve must find nothing to give back. */
	for (int cap = 0; cap < 64; cap++)
		if (a->permitted >> cap & 1)
			(void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
	if (!(s->flags & AGENT_SETUP_SWITCH))
		return 0;
	if (setgroups(0, NULL) < 0 && errno != EPERM)
		return -errno; /* EPERM: setgroups is denied in the map */
	if (setresgid(s->gid, s->gid, s->gid) < 0 ||
	    setresuid(s->uid, s->uid, s->uid) < 0)
		return -errno;
	return 0;
}

static int drop_capabilities(void)
{
	struct capability_header header = { CAPABILITY_VERSION, 0 };
	struct capability_data none[2] = { { 0, 0, 0 } };

	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	return syscall(SYS_capset, &header, none) < 0 ? -errno : 0;
}

/* Landlock, as linux/landlock.h has it. */
struct landlock_ruleset {
	uint64_t handled_fs, handled_net, scoped;
};

struct landlock_path {
	uint64_t allowed;
	int32_t parent_fd;
} __attribute__((packed));

#define LANDLOCK_VERSION 1u
#define LANDLOCK_SCOPES 3u /* abstract unix sockets, signals: ABI 6 */
#define LANDLOCK_WRITES_1 0x1ff2u /* write, remove, make: ABI 1 */
#define LANDLOCK_REFER (1u << 13)    /* ABI 2 */
#define LANDLOCK_TRUNCATE (1u << 14) /* ABI 3 */

static uint64_t landlock_writes(long abi)
{
	return LANDLOCK_WRITES_1 | (abi >= 2 ? LANDLOCK_REFER : 0) |
	       (abi >= 3 ? LANDLOCK_TRUNCATE : 0);
}

static void allow_writes(int ruleset, int root, const char *path, long abi)
{
	auto_close int fd = file_openat(root, path,
					O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	struct landlock_path rule = { landlock_writes(abi), fd };

	if (fd >= 0)
		(void)syscall(SYS_landlock_add_rule, ruleset, 1, &rule, 0);
}

static int landlock(const struct agent *a, int root)
{
	static const char *const writable[] = { "/tmp", "/workspace", "/app",
						"/dev" };
	bool read_only = a->setup.flags & AGENT_SETUP_READ_ONLY;
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
			   LANDLOCK_VERSION);
	struct landlock_ruleset r = { 0 };

	if (abi < 1) /* posture says what the kernel had to offer */
		return 0;
	if ((a->setup.flags & AGENT_SETUP_LANDLOCK) && abi >= 6)
		r.scoped = LANDLOCK_SCOPES;
	if (read_only)
		r.handled_fs = landlock_writes(abi);
	if (!r.scoped && !r.handled_fs)
		return 0;
	size_t size = abi >= 6 ? sizeof(r) : abi >= 4 ?
			offsetof(struct landlock_ruleset, scoped) :
			offsetof(struct landlock_ruleset, handled_net);
	auto_close int fd = (int)syscall(SYS_landlock_create_ruleset, &r, size,
					 0);
	if (fd < 0)
		return -errno;
	for (size_t i = 0; read_only && i < ARRAY_SIZE(writable); i++)
		allow_writes(fd, root, writable[i], abi);
	if (read_only && a->setup.home && *a->setup.home)
		allow_writes(fd, root, a->setup.home, abi);
	return syscall(SYS_landlock_restrict_self, fd, 0) < 0 ? -errno : 0;
}

int confine_filter(const void *filter, size_t len)
{
	const struct {
		unsigned short len;
		const void *filter;
	} program = { (unsigned short)(len / 8), filter };

	return prctl(PR_SET_SECCOMP, 2 /* SECCOMP_MODE_FILTER */, &program,
		     0, 0) < 0 ? -errno : 0;
}

int confine_seal(const struct agent *a, int root)
{
	int r = drop_capabilities();

	if (r == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		r = -errno;
	if (r == 0)
		r = landlock(a, root);
	if (r == 0 && a->setup.work_filter_len)
		r = confine_filter(a->setup.work_filter,
				   a->setup.work_filter_len);
	return r;
}
