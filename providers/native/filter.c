/* SPDX-License-Identifier: MIT */
/*
 * seccomp as an allow-list: a deny-list goes stale with every kernel.  What is
 * refused by name says EPERM; what this list has never heard of says ENOSYS,
 * because C libraries probe for new calls.  Only the native architecture is
 * let in: int 0x80 and x32 would go around the argument rules.
 */
#include "providers/native/filter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <stddef.h>
#include <unistd.h>

#include "lib/base/fd.h"

/* clone flags that make namespaces (CLONE_NEWTIME can't be passed to it). */
#define CLONE_NS_MASK 0x7E020000u

static const char *const allowed[] = {
	"accept", "accept4", "access", "adjtimex", "alarm", "arch_prctl",
	"bind", "brk", "cachestat", "capget", "capset", "chdir", "chmod",
	"chown", "clock_adjtime", "clock_getres", "clock_gettime",
	"clock_nanosleep", "close", "close_range", "connect", "copy_file_range",
	"creat", "dup", "dup2", "dup3", "epoll_create", "epoll_create1",
	"epoll_ctl", "epoll_ctl_old", "epoll_pwait", "epoll_pwait2",
	"epoll_wait", "epoll_wait_old", "eventfd", "eventfd2", "execve",
	"execveat", "exit", "exit_group", "faccessat", "faccessat2",
	"fadvise64", "fallocate", "fanotify_mark", "fchdir", "fchmod",
	"fchmodat", "fchmodat2", "fchown", "fchownat", "fcntl", "fdatasync",
	"fgetxattr", "flistxattr", "flock", "fork", "fremovexattr",
	"fsetxattr", "fstat", "fstatfs", "fsync", "ftruncate", "futex",
	"futex_requeue", "futex_wait", "futex_waitv", "futex_wake", "futimesat",
	"get_robust_list", "get_thread_area", "getcpu", "getcwd", "getdents",
	"getdents64", "getegid", "geteuid", "getgid", "getgroups", "getitimer",
	"getpeername", "getpgid", "getpgrp", "getpid", "getppid",
	"getpriority", "getrandom", "getresgid", "getresuid", "getrlimit",
	"getrusage", "getsid", "getsockname", "getsockopt", "gettid",
	"gettimeofday", "getuid", "getxattr", "getxattrat",
	"inotify_add_watch", "inotify_init", "inotify_init1",
	"inotify_rm_watch", "io_cancel", "io_destroy", "io_getevents",
	"io_pgetevents", "io_setup", "io_submit", "ioprio_get", "kill",
	"landlock_add_rule", "landlock_create_ruleset",
	"landlock_restrict_self", "lchown", "lgetxattr", "link", "linkat",
	"listen", "listmount", "listxattr", "listxattrat", "llistxattr",
	"lremovexattr", "lseek", "lsetxattr", "lstat", "madvise",
	"map_shadow_stack", "membarrier", "memfd_create", "memfd_secret",
	"mincore", "mkdir", "mkdirat", "mknod", "mknodat", "mlock", "mlock2",
	"mlockall", "mmap", "mprotect", "mq_getsetattr", "mq_notify",
	"mq_open", "mq_timedreceive", "mq_timedsend", "mq_unlink", "mremap",
	"mseal", "msgctl", "msgget", "msgrcv", "msgsnd", "msync", "munlock",
	"munlockall", "munmap", "nanosleep", "newfstatat", "open", "openat",
	"openat2", "pause", "pidfd_open", "pidfd_send_signal", "pipe", "pipe2",
	"pkey_alloc", "pkey_free", "pkey_mprotect", "poll", "ppoll", "pread64",
	"preadv", "preadv2", "pselect6", "pwrite64", "pwritev", "pwritev2",
	"read", "readahead", "readlink", "readlinkat", "readv", "recvfrom",
	"recvmmsg", "recvmsg", "remap_file_pages", "removexattr",
	"removexattrat", "rename", "renameat", "renameat2", "restart_syscall",
	"riscv_flush_icache", "riscv_hwprobe", "rmdir", "rseq",
	"rt_sigaction", "rt_sigpending", "rt_sigprocmask", "rt_sigqueueinfo",
	"rt_sigreturn", "rt_sigsuspend", "rt_sigtimedwait",
	"rt_tgsigqueueinfo", "sched_get_priority_max",
	"sched_get_priority_min", "sched_getaffinity", "sched_getattr",
	"sched_getparam", "sched_getscheduler", "sched_rr_get_interval",
	"sched_yield", "seccomp", "select", "semctl", "semget", "semop",
	"semtimedop", "sendfile", "sendmmsg", "sendmsg", "sendto",
	"set_robust_list", "set_thread_area", "set_tid_address", "setfsgid",
	"setfsuid", "setgid", "setgroups", "setitimer", "setpgid", "setregid",
	"setresgid", "setresuid", "setreuid", "setsid", "setsockopt",
	"setuid", "setxattr", "setxattrat", "shmat", "shmctl", "shmdt",
	"shmget", "shutdown", "sigaltstack", "signalfd", "signalfd4", "splice",
	"stat", "statfs", "statmount", "statx", "symlink", "symlinkat", "sync",
	"sync_file_range", "syncfs", "sysinfo", "tee", "tgkill", "time",
	"timer_create", "timer_delete", "timer_getoverrun", "timer_gettime",
	"timer_settime", "timerfd_create", "timerfd_gettime",
	"timerfd_settime", "times", "tkill", "truncate", "umask", "uname",
	"unlink", "unlinkat", "uretprobe", "utime", "utimensat", "utimes",
	"vfork", "vmsplice", "wait4", "waitid", "write", "writev",
};

/* Known and refused: EPERM, where unknown is ENOSYS. */
static const char *const refused[] = {
	"_sysctl", "acct", "add_key", "afs_syscall", "bpf", "chroot",
	"clock_settime", "create_module", "delete_module", "fanotify_init",
	"finit_module", "fsconfig", "fsmount", "fsopen", "fspick",
	"get_kernel_syms", "get_mempolicy", "getpmsg", "init_module",
	"io_uring_enter", "io_uring_register", "io_uring_setup", "ioperm",
	"iopl", "kexec_file_load", "kexec_load", "keyctl", "lookup_dcookie",
	"mbind", "migrate_pages", "modify_ldt", "mount", "mount_setattr",
	"move_mount", "move_pages", "name_to_handle_at", "nfsservctl",
	"open_by_handle_at", "open_tree", "perf_event_open", "pivot_root",
	"putpmsg", "query_module", "quotactl", "quotactl_fd", "reboot",
	"request_key", "security", "set_mempolicy",
	"set_mempolicy_home_node", "setdomainname", "sethostname", "setns",
	"settimeofday", "swapoff", "swapon", "sysfs", "syslog", "tuxcall",
	"umount2", "unshare", "uselib", "userfaultfd", "ustat", "vhangup",
	"vserver",
};

static const char *const tracing[] = {
	"ptrace", "process_vm_readv", "process_vm_writev", "kcmp",
	"pidfd_getfd", "process_madvise",
};

const char *filter_name(enum filter_list list, size_t i)
{
	switch (list) {
	case FILTER_ALLOWED:
		return i < ARRAY_SIZE(allowed) ? allowed[i] : NULL;
	case FILTER_REFUSED:
		return i < ARRAY_SIZE(refused) ? refused[i] : NULL;
	case FILTER_TRACING:
		return i < ARRAY_SIZE(tracing) ? tracing[i] : NULL;
	}
	return NULL;
}

static void add_names(scmp_filter_ctx ctx, int *r, uint32_t action,
		      const char *const *names, size_t n)
{
	for (size_t i = 0; i < n && *r == 0; i++) {
		int nr = seccomp_syscall_resolve_name(names[i]);

		/* Negative: libseccomp or this architecture has none. */
		if (nr >= 0)
			*r = seccomp_rule_add_exact(ctx, action, nr, 0);
	}
}

/*
 * Rules about arguments are written by hand, in front of what libseccomp
 * makes: it can't say "any other value" with an action of its own, and one
 * unconditional rule wipes out all conditional ones for a call.
 *
 * A block is entered when its number matches and always ends in a return.
 */
struct prologue {
	struct sock_filter v[192];
	unsigned n;
	unsigned open; /* index of the jump that skips the open block */
};

#define ALLOW SECCOMP_RET_ALLOW
#define FAIL(e) (SECCOMP_RET_ERRNO | (e))
#define ARG_LOW(i) \
	((uint32_t)offsetof(struct seccomp_data, args[i]) + LOW_HALF)
#define ARG_HIGH(i) \
	((uint32_t)offsetof(struct seccomp_data, args[i]) + (4 - LOW_HALF))
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define LOW_HALF 0
#else
#define LOW_HALF 4
#endif

static void emit(struct prologue *p, uint16_t code, uint32_t k, uint8_t jt,
		 uint8_t jf)
{
	if (p->n == ARRAY_SIZE(p->v))
		BUG("the prologue is too long");
	p->v[p->n++] = (struct sock_filter){ code, jt, jf, k };
}

static void load(struct prologue *p, uint32_t offset)
{
	emit(p, BPF_LD | BPF_W | BPF_ABS, offset, 0, 0);
}

static void give(struct prologue *p, uint32_t action)
{
	emit(p, BPF_RET | BPF_K, action, 0, 0);
}

static void if_equal(struct prologue *p, uint32_t value, uint32_t action)
{
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
	give(p, action);
}

static void unless_equal(struct prologue *p, uint32_t value, uint32_t action)
{
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, value, 1, 0);
	give(p, action);
}

/* False when this architecture has no such call. */
static bool begin(struct prologue *p, const char *name)
{
	int nr = seccomp_syscall_resolve_name(name);

	if (nr < 0)
		return false;
	p->open = p->n;
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)nr, 0, 0);
	return true;
}

static void end(struct prologue *p, uint32_t action)
{
	give(p, action);
	p->v[p->open].jf = (uint8_t)(p->n - p->open - 1);
}

/* vsock is not namespaced, AF_ALG was the escape of 2026: an allow-list. The
 * kernel looks at 32 bits of these arguments, so must we. */
static void add_sockets(struct prologue *p)
{
	static const char *const names[] = { "socket", "socketpair" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!begin(p, names[i]))
			continue;
		load(p, ARG_LOW(0));
		if_equal(p, AF_UNIX, ALLOW);
		if_equal(p, AF_INET, ALLOW);
		if_equal(p, AF_INET6, ALLOW);
		unless_equal(p, AF_NETLINK, FAIL(EAFNOSUPPORT));
		load(p, ARG_LOW(2));
		if_equal(p, NETLINK_ROUTE, ALLOW);
		end(p, FAIL(EAFNOSUPPORT));
	}
}

/* ioctl: input put into somebody's terminal.  clone: namespaces. */
static void add_flags(struct prologue *p)
{
	if (begin(p, "ioctl")) {
		load(p, ARG_LOW(1));
		if_equal(p, 0x5412 /* TIOCSTI */, FAIL(EPERM));
		if_equal(p, 0x541C /* TIOCLINUX */, FAIL(EPERM));
		if_equal(p, 0x5423 /* TIOCSETD */, FAIL(EPERM));
		if_equal(p, 0x541D /* TIOCCONS */, FAIL(EPERM));
		end(p, ALLOW);
	}
	if (begin(p, "clone")) {
		load(p, ARG_LOW(0));
		emit(p, BPF_ALU | BPF_AND | BPF_K, CLONE_NS_MASK, 0, 0);
		if_equal(p, 0, ALLOW);
		end(p, FAIL(EPERM));
	}
	if (begin(p, "prctl")) {
		load(p, ARG_LOW(0));
		if_equal(p, PR_SET_MM, FAIL(EPERM));
		end(p, ALLOW);
	}
	if (begin(p, "personality")) {
		load(p, ARG_LOW(0));
		if_equal(p, 0, ALLOW);
		if_equal(p, 8, ALLOW);
		if_equal(p, 0x20000, ALLOW);
		if_equal(p, 0x20008, ALLOW);
		if_equal(p, 0xffffffffu, ALLOW);
		end(p, FAIL(EPERM));
	}
}

/* RLIMIT_CORE stays 1, because 0 would start the host's core handler as host
 * root: setting it only seems to work.  Limits of others are not ours. */
static void add_limits(struct prologue *p)
{
	if (begin(p, "setrlimit")) {
		load(p, ARG_LOW(0));
		if_equal(p, RLIMIT_CORE, FAIL(0));
		end(p, ALLOW);
	}
	if (begin(p, "prlimit64")) {
		load(p, ARG_LOW(2));
		emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 3);
		load(p, ARG_HIGH(2));
		if_equal(p, 0, ALLOW); /* no new limit: only reads */
		load(p, ARG_LOW(1));
		if_equal(p, RLIMIT_CORE, FAIL(0));
		load(p, ARG_LOW(0));
		if_equal(p, 0, ALLOW);
		end(p, FAIL(EPERM));
	}
}

/* Calls that act on a process by pid: only 0, ourselves, because where agent
 * and workload share an id the agent could be crippled by them. */
static void add_self_only(struct prologue *p)
{
	static const char *const by_pid[] = {
		"sched_setaffinity", "sched_setattr", "sched_setparam",
		"sched_setscheduler",
	};
	static const struct { const char *name; uint32_t which; } by_which[] = {
		{ "setpriority", PRIO_PROCESS },
		{ "ioprio_set", 1 /* IOPRIO_WHO_PROCESS */ },
	};

	for (size_t i = 0; i < ARRAY_SIZE(by_pid); i++) {
		if (!begin(p, by_pid[i]))
			continue;
		load(p, ARG_LOW(0));
		if_equal(p, 0, ALLOW);
		end(p, FAIL(EPERM));
	}
	for (size_t i = 0; i < ARRAY_SIZE(by_which); i++) {
		if (!begin(p, by_which[i].name))
			continue;
		load(p, ARG_LOW(0));
		unless_equal(p, by_which[i].which, FAIL(EPERM));
		load(p, ARG_LOW(1));
		if_equal(p, 0, ALLOW);
		end(p, FAIL(EPERM));
	}
}

/* Another architecture's numbers mean other calls: those go straight on to
 * libseccomp's part, which kills.  The agent clones into cgroups with clone3;
 * for commands it does not exist and the libraries fall back to clone, whose
 * flags can be seen. */
static void build_prologue(struct buf *out, bool clone3)
{
	struct prologue p = { .n = 0 };

	load(&p, offsetof(struct seccomp_data, arch));
	emit(&p, BPF_JMP | BPF_JEQ | BPF_K, seccomp_arch_native(), 1, 0);
	unsigned skip = p.n;
	emit(&p, BPF_JMP | BPF_JA, 0, 0, 0);
	load(&p, offsetof(struct seccomp_data, nr));
	add_sockets(&p);
	add_flags(&p);
	add_limits(&p);
	add_self_only(&p);
	if (clone3 && begin(&p, "clone3"))
		end(&p, ALLOW);
	p.v[skip].k = p.n - skip - 1;
	buf_add(out, p.v, p.n * sizeof(p.v[0]));
}

static int export_filter(scmp_filter_ctx ctx, struct buf *out)
{
	auto_close int fd = memfd_create("filter", MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	int r = seccomp_export_bpf(ctx, fd);
	if (r == 0 && lseek(fd, 0, SEEK_SET) < 0)
		r = -errno;
	return r < 0 ? r : fd_slurp(fd, 1 << 20, out);
}

/* What both have in common: the names.  This is the slow part. */
static int build_names(bool allow_ptrace, struct buf *out)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));

	if (!ctx)
		return -ENOMEM;
	int r = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (r == 0)
		r = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH,
				     SCMP_ACT_KILL_PROCESS);
	add_names(ctx, &r, SCMP_ACT_ALLOW, allowed, ARRAY_SIZE(allowed));
	add_names(ctx, &r, SCMP_ACT_ERRNO(EPERM), refused, ARRAY_SIZE(refused));
	add_names(ctx, &r, allow_ptrace ? SCMP_ACT_ALLOW :
					  SCMP_ACT_ERRNO(EPERM),
		  tracing, ARRAY_SIZE(tracing));
	if (r == 0)
		r = export_filter(ctx, out);
	seccomp_release(ctx);
	return r;
}

int filter_build(bool allow_ptrace, struct buf *agent, struct buf *work,
		 struct svm_err *err)
{
	auto_buf struct buf names = BUF_INIT;
	int r = build_names(allow_ptrace, &names);

	if (r < 0)
		return svm_err_sys(err, SVM_INTERNAL, r,
				   "can't compile the seccomp filter");
	build_prologue(agent, true);
	buf_add(agent, names.data, names.len);
	build_prologue(work, false);
	buf_add(work, names.data, names.len);
	return 0;
}
