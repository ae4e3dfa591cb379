/* SPDX-License-Identifier: MIT */
/*
 * What the pull worker gives up before it says a word to a registry.  It
 * needs the network, names and certificates of the system, and one directory;
 * of the rest, no capability, no file, no other program and no unix socket
 * (the daemon's own would obey it).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/image/pull.h"
#include "lib/api/limits.h"
#include "lib/base/defs.h"
#include "lib/base/fd.h"
#include "lib/base/kernel.h"

static int limit(__rlimit_resource_t what, rlim_t value)
{
	struct rlimit old;

	if (getrlimit(what, &old) < 0)
		return -errno;
	value = MIN(value, old.rlim_max);
	struct rlimit r = { value, value };
	return setrlimit(what, &r) < 0 ? -errno : 0;
}

static int set_limits(void)
{
	int r = limit(RLIMIT_FSIZE, LIMIT_IMAGE_BYTES);

	signal(SIGXFSZ, SIG_IGN); /* EFBIG instead */
	signal(SIGPIPE, SIG_IGN);
	if (r == 0)
		r = limit(RLIMIT_CPU, LIMIT_TIME_IMAGE_CPU / SECONDS(1));
	if (r == 0)
		r = limit(RLIMIT_NOFILE, 256);
	/* 1, not 0: a piped core handler would run on the host with 0. */
	if (r == 0)
		r = limit(RLIMIT_CORE, 1);
	if (r == 0 && !SANITIZED)
		r = limit(RLIMIT_AS, LIMIT_IMAGE_WORKER_MEMORY);
	return r;
}

static int drop_capabilities(void)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct none[2] = { 0 };

	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	for (unsigned long c = 0; c < 64; c++)
		(void)prctl(PR_CAPBSET_DROP, c, 0, 0, 0);
	return syscall(SYS_capset, &head, none) < 0 ? -errno : 0;
}

/* Bits: 1 write, 2 read a file, 3 list, 5 remove a file, 8 make a file,
 * 14 truncate. */
static int allow(int set, int fd, uint64_t access)
{
	struct landlock_path_beneath_attr rule = { access, fd };

	return syscall(SYS_landlock_add_rule, set, LANDLOCK_RULE_PATH_BENEATH,
		       &rule, 0u) < 0 ? -errno : 0;
}

static int landlock(int downloads)
{
	/* Names, certificates, the libraries that look names up. */
	static const char *const readable[] = {
		"/etc", "/usr", "/lib", "/lib64", "/run/systemd/resolve",
		"/run/resolvconf", "/run/NetworkManager", "/dev/urandom",
		"/dev/null",
	};
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
			   LANDLOCK_CREATE_RULESET_VERSION);
	uint64_t all = (1u << 13) - 1;
	uint64_t ours = 1u << 1 | 1u << 2 | 1u << 3 | 1u << 5 | 1u << 8;

	if (abi < 0)
		return errno == ENOSYS || errno == EOPNOTSUPP ? 0 : -errno;
	all |= (abi >= 2 ? 1u << 13 : 0) | (abi >= 3 ? 1u << 14 : 0);
	ours |= all & 1u << 14;
	struct { uint64_t fs; } attr = { all };
	auto_close int set = (int)syscall(SYS_landlock_create_ruleset, &attr,
					  sizeof(attr), 0u);
	int r = set < 0 ? -errno : allow(set, downloads, ours);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(readable); i++) {
		auto_close int fd = open(readable[i], O_PATH | O_CLOEXEC);

		if (fd >= 0)
			r = allow(set, fd, *readable[i] == '/' &&
					   readable[i][1] == 'd' ?
						   1u << 2 : 1u << 2 | 1u << 3);
	}
	if (r == 0 && syscall(SYS_landlock_restrict_self, set, 0u) < 0)
		r = -errno;
	return r;
}

/* A resolver and TLS need too much for a list of what is allowed; this is
 * what a worker that was taken over could do harm with. */
static const int denied[] = {
	SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(fork), SCMP_SYS(vfork),
	SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev), SCMP_SYS(kcmp), SCMP_SYS(pidfd_open),
	SCMP_SYS(pidfd_getfd), SCMP_SYS(pidfd_send_signal), SCMP_SYS(kill),
	SCMP_SYS(tkill), SCMP_SYS(mount), SCMP_SYS(umount2),
	SCMP_SYS(move_mount), SCMP_SYS(open_tree), SCMP_SYS(fsopen),
	SCMP_SYS(fsmount), SCMP_SYS(mount_setattr), SCMP_SYS(pivot_root),
	SCMP_SYS(chroot), SCMP_SYS(unshare), SCMP_SYS(setns), SCMP_SYS(bpf),
	SCMP_SYS(perf_event_open), SCMP_SYS(userfaultfd),
	SCMP_SYS(io_uring_setup), SCMP_SYS(io_uring_enter),
	SCMP_SYS(io_uring_register), SCMP_SYS(keyctl), SCMP_SYS(add_key),
	SCMP_SYS(request_key), SCMP_SYS(kexec_load), SCMP_SYS(init_module),
	SCMP_SYS(finit_module), SCMP_SYS(delete_module), SCMP_SYS(listen),
	SCMP_SYS(accept), SCMP_SYS(accept4), SCMP_SYS(name_to_handle_at),
	SCMP_SYS(open_by_handle_at), SCMP_SYS(link), SCMP_SYS(linkat),
	SCMP_SYS(symlink), SCMP_SYS(symlinkat), SCMP_SYS(mknod),
	SCMP_SYS(mknodat), SCMP_SYS(setsid), SCMP_SYS(prlimit64),
};

/* Internet only; netlink tells the resolver which addresses we have. */
static int filter_sockets(scmp_filter_ctx ctx)
{
	int r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EAFNOSUPPORT),
				 SCMP_SYS(socket), 1,
				 SCMP_A0(SCMP_CMP_GT, AF_NETLINK, 0));

	for (unsigned f = 0; r == 0 && f < AF_NETLINK; f++)
		if (f != AF_INET && f != AF_INET6)
			r = seccomp_rule_add(ctx,
					     SCMP_ACT_ERRNO(EAFNOSUPPORT),
					     SCMP_SYS(socket), 1,
					     SCMP_A0(SCMP_CMP_EQ, f, 0));
	return r;
}

static int filter(void)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	int r = ctx ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(denied); i++)
		r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), denied[i], 0);
	if (r == 0)
		r = filter_sockets(ctx);
	/* Threads, no processes; clone3's flags can't be looked at, and libc
	 * then uses clone. */
	if (r == 0)
		r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM),
				     SCMP_SYS(clone), 1,
				     SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD,
					     0));
	if (r == 0)
		r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS),
				     SCMP_SYS(clone3), 0);
	if (r == 0)
		r = seccomp_load(ctx);
	seccomp_release(ctx);
	return r;
}

int pull_confine(int downloads, struct svm_err *err)
{
	const char *step = "limits";
	int r = set_limits();

	if (r == 0) {
		step = "capabilities";
		r = drop_capabilities();
	}
	if (r == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		r = -errno;
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (r == 0) {
		step = "Landlock";
		r = landlock(downloads);
	}
	if (r == 0 && !SANITIZED) {
		step = "seccomp";
		r = filter();
	}
	if (r < 0)
		return svm_err_sys(err, SVM_UNAVAILABLE, r,
				   "can't confine the pull worker: %s", step);
	return 0;
}
