/* SPDX-License-Identifier: MIT */
/*
 * What the unpack worker gives up before it reads the archive.  Order: limits,
 * capabilities, no new privileges, Landlock, seccomp.  A kernel without
 * Landlock is fine, the rest is not optional.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "daemon/image/unpack.h"
#include "lib/api/limits.h"
#include "lib/base/defs.h"
#include "lib/base/fd.h"
#include "lib/base/kernel.h"

static int limit(int what, rlim_t value)
{
	struct rlimit r = { value, value };

	/* Never raise: the hard limit may be lower already. */
	struct rlimit old;
	if (getrlimit((__rlimit_resource_t)what, &old) == 0 &&
	    old.rlim_max < value)
		r.rlim_cur = r.rlim_max = old.rlim_max;
	return setrlimit((__rlimit_resource_t)what, &r) < 0 ? -errno : 0;
}

static int set_limits(uint64_t max_file)
{
	int r = limit(RLIMIT_CPU, LIMIT_TIME_IMAGE_CPU / SECONDS(1));

	signal(SIGXFSZ, SIG_IGN); /* EFBIG instead */
	signal(SIGPIPE, SIG_IGN);
	if (r == 0)
		r = limit(RLIMIT_FSIZE, max_file);
	if (r == 0)
		r = limit(RLIMIT_NOFILE, 64);
	/* 1, not 0: a piped core handler would run on the host with 0. */
	if (r == 0)
		r = limit(RLIMIT_CORE, 1);
	if (r == 0 && !SANITIZED)
		r = limit(RLIMIT_AS, LIMIT_IMAGE_WORKER_MEMORY);
	return r;
}

/* Uid 0 of a user namespace may have the capability and no id to give. */
static bool can_give_away(int dirfd)
{
	return fchown(dirfd, LAYER_OWNER_MAX, LAYER_OWNER_MAX) == 0 &&
	       fchown(dirfd, geteuid(), getegid()) == 0;
}

static bool can_be_trusted(int dirfd)
{
	const char *name = "trusted.stacyvm.probe";

	if (fsetxattr(dirfd, name, "", 0, 0) < 0)
		return errno != EPERM;
	(void)fremovexattr(dirfd, name);
	return true;
}

/* Keep what chown and the overlay attribute need, and only if it works. */
static int drop_capabilities(int dirfd, unsigned *ret_flags)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct have[2], keep[2] = { 0 };
	const unsigned owner = 1u << CAP_CHOWN | 1u << CAP_DAC_OVERRIDE |
			       1u << CAP_FOWNER;

	if (syscall(SYS_capget, &head, have) < 0)
		return -errno;
	*ret_flags = 0;
	if ((have[0].effective & owner) == owner && geteuid() == 0 &&
	    can_give_away(dirfd)) {
		keep[0].effective = keep[0].permitted =
			(owner | 1u << CAP_MKNOD | 1u << CAP_SYS_ADMIN) &
			have[0].effective;
		*ret_flags = LAYER_CHOWN;
		if (keep[0].effective & 1u << CAP_SYS_ADMIN &&
		    can_be_trusted(dirfd))
			*ret_flags |= LAYER_TRUSTED;
	}
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	for (unsigned long c = 0; c < 64; c++)
		(void)prctl(PR_CAPBSET_DROP, c, 0, 0, 0);
	return syscall(SYS_capset, &head, keep) < 0 ? -errno : 0;
}

/* Nothing outside dirfd can be opened, made or removed any more; in blobs
 * files can be read. */
static int landlock(int dirfd, int blobs)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
			   LANDLOCK_CREATE_RULESET_VERSION);
	/* Bits 0..12 are ABI 1; 13 refer (2), 14 truncate (3), 15 ioctl (5) */
	uint64_t all = (1u << 13) - 1;

	if (abi < 0)
		return errno == ENOSYS || errno == EOPNOTSUPP ? 0 : -errno;
	all |= (abi >= 2 ? 1u << 13 : 0) | (abi >= 3 ? 1u << 14 : 0) |
	       (abi >= 5 ? 1u << 15 : 0);
	struct { uint64_t fs; } attr = { all };
	auto_close int set = (int)syscall(SYS_landlock_create_ruleset, &attr,
					  sizeof(attr), 0u);
	if (set < 0)
		return -errno;
	struct landlock_path_beneath_attr below = {
		/* All but execute (0), sockets (9), char (6) and block (11)
		 * devices, and device ioctl; whiteouts are checked as char. */
		.allowed_access = all & ~(1u << 0 | 1u << 9 | 1u << 11 |
					  1u << 15),
		.parent_fd = dirfd,
	};
	struct landlock_path_beneath_attr read = {
		.allowed_access = 1u << 2, /* read a file */
		.parent_fd = blobs,
	};
	if (syscall(SYS_landlock_add_rule, set, LANDLOCK_RULE_PATH_BENEATH,
		    &below, 0u) < 0 ||
	    (blobs >= 0 && syscall(SYS_landlock_add_rule, set,
				   LANDLOCK_RULE_PATH_BENEATH, &read, 0u) <
				   0) ||
	    syscall(SYS_landlock_restrict_self, set, 0u) < 0)
		return -errno;
	return 0;
}

/* What unpacking needs; everything else does not exist. */
static const int allowed[] = {
	SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(write), SCMP_SYS(writev),
	SCMP_SYS(pread64), SCMP_SYS(pwrite64), SCMP_SYS(lseek),
	SCMP_SYS(openat), SCMP_SYS(openat2), SCMP_SYS(close), SCMP_SYS(dup),
	SCMP_SYS(fcntl), SCMP_SYS(fstat), SCMP_SYS(newfstatat),
	SCMP_SYS(statx), SCMP_SYS(getdents64), SCMP_SYS(ftruncate),
	SCMP_SYS(mkdirat), SCMP_SYS(mknodat), SCMP_SYS(unlinkat),
	SCMP_SYS(linkat), SCMP_SYS(symlinkat), SCMP_SYS(fchmod),
	SCMP_SYS(fchmodat), SCMP_SYS(fchown), SCMP_SYS(fchownat),
	SCMP_SYS(utimensat), SCMP_SYS(fsetxattr),
	SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(brk),
	SCMP_SYS(madvise), SCMP_SYS(futex), SCMP_SYS(getrandom),
	SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday), SCMP_SYS(uname),
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn), SCMP_SYS(getpid), SCMP_SYS(gettid),
	SCMP_SYS(tgkill), SCMP_SYS(exit), SCMP_SYS(exit_group),
};

static int filter(void)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
	int r = ctx ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(allowed); i++)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, allowed[i], 0);
	/* No page is ever executable again (bit 2 is PROT_EXEC). */
	if (r == 0)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
				     SCMP_A2(SCMP_CMP_MASKED_EQ, 4, 0));
	if (r == 0)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mprotect),
				     1, SCMP_A2(SCMP_CMP_MASKED_EQ, 4, 0));
	if (r == 0)
		r = seccomp_load(ctx);
	seccomp_release(ctx);
	return r;
}

int unpack_confine(int dirfd, int blobs, uint64_t max_file,
		   unsigned *ret_flags, struct svm_err *err)
{
	const char *step = "limits";
	int r = set_limits(max_file);

	if (r == 0) {
		step = "capabilities";
		r = drop_capabilities(dirfd, ret_flags);
	}
	if (r == 0 && (step = "no_new_privs",
		       prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0))
		r = -errno;
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (r == 0) {
		step = "Landlock";
		r = landlock(dirfd, blobs);
	}
	if (r == 0 && !SANITIZED) {
		step = "seccomp";
		r = filter();
	}
	if (r < 0)
		return svm_err_sys(err, SVM_UNAVAILABLE, r,
				   "can't confine the unpack worker: %s",
				   step);
	return 0;
}
