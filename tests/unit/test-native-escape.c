/* SPDX-License-Identifier: MIT */
/*
 * What a workload tries.  This program is copied into a box and run there by
 * the agent (`__inside NAME`); it tries the forbidden thing and prints how
 * that went.  Every test here fails when its guard is taken out.
 */
#include "tests/unit/native-box.h"

#include <linux/capability.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>

#include "lib/base/kernel.h"

/* Inside. */

#define REFUSED(call) ((call) < 0)

static int try_socket(int family, int type, int proto)
{
	int fd = socket(family, type, proto);

	return fd < 0 ? -errno : fd;
}

static bool no_namespaces(void)
{
	static const int flags[] = { CLONE_NEWUSER, CLONE_NEWNS, CLONE_NEWPID,
				     CLONE_NEWNET, CLONE_NEWIPC, CLONE_NEWUTS,
				     CLONE_NEWCGROUP };

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		if (unshare(flags[i]) == 0)
			return false;
		long pid = syscall(SYS_clone, flags[i] | SIGCHLD, 0, 0, 0, 0);
		if (pid == 0)
			_exit(0);
		if (pid > 0)
			return false;
	}
	struct svm_clone_args args = { .exit_signal = SIGCHLD };
	return syscall(SYS_clone3, &args, sizeof(args)) < 0 &&
	       errno == ENOSYS;
}

static bool no_mounts(void)
{
	return REFUSED(mount("tmpfs", "/tmp", "tmpfs", 0, NULL)) &&
	       REFUSED(umount2("/usr", MNT_DETACH)) &&
	       REFUSED(mount(NULL, "/usr", NULL, MS_REMOUNT | MS_BIND, NULL)) &&
	       REFUSED(syscall(SYS_fsopen, "tmpfs", 0)) &&
	       REFUSED(syscall(SYS_open_tree, AT_FDCWD, "/", 1)) &&
	       REFUSED(syscall(SYS_pivot_root, ".", ".")) &&
	       REFUSED(chroot("/tmp"));
}

static bool no_tracing(void)
{
	char byte;
	struct iovec to = { &byte, 1 }, from = { &byte, 1 };

	return REFUSED(ptrace(PTRACE_TRACEME, 0, NULL, NULL)) &&
	       REFUSED(syscall(SYS_process_vm_readv, getpid(), &to, 1, &from,
			       1, 0)) &&
	       REFUSED(syscall(SYS_kcmp, getpid(), getpid(), 0, 0, 0));
}

static bool no_keys(void)
{
	return REFUSED(syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID,
			       KEY_SPEC_SESSION_KEYRING, 1)) &&
	       REFUSED(syscall(SYS_add_key, "user", "x", "y", 1,
			       KEY_SPEC_PROCESS_KEYRING));
}

static bool sockets_are_few(void)
{
	return try_socket(AF_UNIX, SOCK_STREAM, 0) >= 0 &&
	       try_socket(AF_INET, SOCK_STREAM, 0) >= 0 &&
	       try_socket(AF_NETLINK, SOCK_RAW, 0) >= 0 &&
	       try_socket(AF_NETLINK, SOCK_RAW, 12) == -EAFNOSUPPORT &&
	       try_socket(38 /* AF_ALG */, SOCK_SEQPACKET, 0) ==
		       -EAFNOSUPPORT &&
	       try_socket(40 /* AF_VSOCK */, SOCK_STREAM, 0) ==
		       -EAFNOSUPPORT &&
	       try_socket(AF_PACKET, SOCK_RAW, 0) == -EAFNOSUPPORT;
}

static bool no_kernel_surface(void)
{
	char params[120] = { 0 };

	return REFUSED(syscall(425 /* io_uring_setup */, 4, params)) &&
	       REFUSED(syscall(SYS_bpf, 0, params, 48)) &&
	       REFUSED(syscall(SYS_userfaultfd, 1)) &&
	       REFUSED(syscall(SYS_perf_event_open, params, 0, -1, -1, 0)) &&
	       REFUSED(syscall(SYS_syslog, 3, params, 10)) &&
	       REFUSED(syscall(SYS_personality, 0x0400000 /* ADDR_COMPAT */)) &&
	       REFUSED(syscall(SYS_open_by_handle_at, 0, params, 0)) &&
	       REFUSED(sethostname("x", 1));
}

/* The kernel looks at 32 bits of the request; so must the filter. */
static bool no_terminal_injection(void)
{
	char byte = 'x';

	return syscall(SYS_ioctl, 0, 0x5412ul, &byte) < 0 && errno == EPERM &&
	       syscall(SYS_ioctl, 0, 0x100005412ul, &byte) < 0 &&
	       errno == EPERM && syscall(SYS_ioctl, 0, 0x541Cul, &byte) < 0 &&
	       errno == EPERM;
}

static bool no_capabilities(void)
{
	auto_buf struct buf b = BUF_INIT;
	static const char *const sets[] = { "CapInh", "CapPrm", "CapEff",
					    "CapBnd", "CapAmb" };

	if (fd_slurp_path(AT_FDCWD, "/proc/self/status", 65536, &b) < 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
		auto_free char *want = xasprintf("%s:\t0000000000000000",
						 sets[i]);

		if (!strstr(b.data, want))
			return false;
	}
	return strstr(b.data, "NoNewPrivs:\t1") &&
	       strstr(b.data, "Seccomp:\t2");
}

static bool no_setuid(void)
{
	return REFUSED(setresuid(0, 0, 0)) && REFUSED(setresgid(0, 0, 0)) &&
	       getuid() == 1000 && geteuid() == 1000;
}

/* 0 would start the host's core handler as the host's root. */
static bool core_limit_sticks(void)
{
	const struct rlimit zero = { 0, 0 };
	struct rlimit now;

	(void)setrlimit(RLIMIT_CORE, &zero);
	(void)syscall(SYS_prlimit64, 0, RLIMIT_CORE, &zero, NULL);
	return getrlimit(RLIMIT_CORE, &now) == 0 && now.rlim_cur == 1 &&
	       now.rlim_max == 1;
}

/* Where the agent has our own id only these rules protect it. */
static bool agent_is_out_of_reach(void)
{
	const struct rlimit one = { 1, 1 };
	struct sched_param idle = { 0 };

	(void)kill(1, SIGKILL);
	(void)kill(1, SIGTERM);
	(void)kill(1, SIGSTOP);
	return REFUSED(syscall(SYS_prlimit64, 1, RLIMIT_NOFILE, &one, NULL)) &&
	       REFUSED(setpriority(PRIO_PROCESS, 1, 19)) &&
	       REFUSED(sched_setscheduler(1, SCHED_IDLE, &idle)) &&
	       REFUSED(open("/proc/1/mem", O_RDWR)) &&
	       REFUSED(open("/proc/1/environ", O_RDONLY));
}

static bool no_host_files(void)
{
	static const char *const hidden[] = {
		"/etc/shadow", "/root/.ssh", "/var/lib/dpkg", "/boot", "/sys",
		"/srv", "/media", "/etc/ssh", "/run/systemd", "/.hide",
		"/usr/../etc/shadow", "/proc/1/root/etc/shadow",
		"/dev/kmsg", "/dev/mem", "/dev/fuse", "/dev/kvm",
	};

	for (size_t i = 0; i < ARRAY_SIZE(hidden); i++) {
		if (access(hidden[i], F_OK) < 0)
			continue;
		printf("visible: %s\n", hidden[i]);
		return false;
	}
	return REFUSED(open("/usr/x", O_WRONLY | O_CREAT, 0600));
}

/* By its owner, or with a single id by a mount. */
static bool etc_is_as_made(void)
{
	return REFUSED(open("/etc/x", O_WRONLY | O_CREAT, 0600)) &&
	       REFUSED(open("/etc/passwd", O_WRONLY)) &&
	       REFUSED(unlink("/etc/hosts")) &&
	       REFUSED(chmod("/etc/group", 0666)) &&
	       REFUSED(chmod("/etc", 0777)) &&
	       REFUSED(rename("/etc/nsswitch.conf", "/tmp/n")) &&
	       access("/etc/hosts", R_OK) == 0;
}

/* stdio, and what reading the directory takes. */
static bool no_host_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	bool clean = d != NULL;

	for (struct dirent *e; d && (e = readdir(d));) {
		int fd = atoi(e->d_name);

		if (e->d_name[0] != '.' && fd > 2 && fd != dirfd(d)) {
			printf("open: %d\n", fd);
			clean = false;
		}
	}
	return clean;
}

static bool is_masked(const char *path)
{
	char byte;
	int fd = open(path, O_RDONLY);
	bool empty = fd < 0 || read(fd, &byte, 1) <= 0;

	if (fd >= 0)
		close(fd);
	return empty;
}

static bool proc_is_masked(void)
{
	static const char *const files[] = {
		"/proc/kcore", "/proc/keys", "/proc/timer_list",
		"/proc/interrupts", "/proc/kmsg", "/proc/kallsyms",
		"/proc/sched_debug",
	};

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		if (!is_masked(files[i]))
			return false;
	return REFUSED(open("/proc/sysrq-trigger", O_WRONLY)) &&
	       REFUSED(open("/proc/sys/kernel/core_pattern", O_WRONLY)) &&
	       REFUSED(open("/proc/sys/user/max_user_namespaces", O_WRONLY)) &&
	       access("/proc/acpi/button", F_OK) < 0;
}

/* A setuid program gives nothing, and devices can't be made. */
static bool no_privileged_files(void)
{
	return REFUSED(mknod("/tmp/null", S_IFCHR | 0666, 0x103)) &&
	       REFUSED(mknod("/tmp/mem", S_IFBLK | 0666, 0x800));
}

static bool few_inotify(void)
{
	int n = 0;

	while (n < 200 && inotify_init1(IN_CLOEXEC) >= 0)
		n++;
	printf("inotify: %d\n", n);
	return n <= 32;
}

static bool few_ptys(void)
{
	int n = 0;

	while (n < 200 && open("/dev/ptmx", O_RDWR | O_NOCTTY) >= 0)
		n++;
	printf("ptys: %d\n", n);
	return n > 0 && n <= 64;
}

/* The quota of 32 MiB holds over all that can be written, whichever place. */
static bool disk_is_bounded(void)
{
	static const char *const places[] = { "/workspace/a", "/tmp/a",
					      "/dev/shm/a" };
	static char block[65536];
	size_t total = 0;

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		int fd = open(places[i], O_WRONLY | O_CREAT, 0600);

		for (ssize_t n; fd >= 0 && total < (64u << 20) &&
				(n = write(fd, block, sizeof(block))) > 0;)
			total += (size_t)n;
	}
	printf("bytes: %zu\n", total);
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		(void)unlink(places[i]);
	return total > (16u << 20) && total <= (32u << 20);
}

static bool inodes_are_bounded(void)
{
	int n = 0;

	for (; n < 10000; n++) {
		char path[32];

		snprintf(path, sizeof(path), "/tmp/i%d", n);
		int fd = open(path, O_WRONLY | O_CREAT, 0600);
		if (fd < 0)
			break;
		close(fd);
	}
	printf("inodes: %d\n", n);
	for (int i = 0; i < n; i++) {
		char path[32];

		snprintf(path, sizeof(path), "/tmp/i%d", i);
		(void)unlink(path);
	}
	return n > 1000 && n < 4096;
}

static bool forks_are_bounded(void)
{
	pid_t pids[500];
	int n = 0;

	for (; n < 500; n++) {
		pids[n] = fork();
		if (pids[n] == 0) {
			pause();
			_exit(0);
		}
		if (pids[n] < 0)
			break;
	}
	printf("forks: %d\n", n);
	for (int i = 0; i < n; i++) {
		(void)kill(pids[i], SIGKILL);
		(void)waitpid(pids[i], NULL, 0);
	}
	return n > 0 && n < 64;
}

/* Ends by the killer, or the limit was not there. */
static bool memory_is_bounded(void)
{
	const size_t step = 1u << 20;

	for (size_t i = 0; i < 512; i++) {
		char *p = mmap(NULL, step, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p == MAP_FAILED)
			return true;
		memset(p, 1, step);
	}
	return false;
}

static const struct {
	const char *name;
	bool (*holds)(void);
} attempts[] = {
	{ "namespaces", no_namespaces },
	{ "mounts", no_mounts },
	{ "tracing", no_tracing },
	{ "keys", no_keys },
	{ "sockets", sockets_are_few },
	{ "kernel", no_kernel_surface },
	{ "terminal", no_terminal_injection },
	{ "capabilities", no_capabilities },
	{ "setuid", no_setuid },
	{ "core", core_limit_sticks },
	{ "agent", agent_is_out_of_reach },
	{ "files", no_host_files },
	{ "etc", etc_is_as_made },
	{ "descriptors", no_host_descriptors },
	{ "proc", proc_is_masked },
	{ "devices", no_privileged_files },
	{ "inotify", few_inotify },
	{ "ptys", few_ptys },
	{ "disk", disk_is_bounded },
	{ "inodes", inodes_are_bounded },
	{ "forks", forks_are_bounded },
	{ "memory", memory_is_bounded },
};

static int inside(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(attempts); i++) {
		if (strcmp(attempts[i].name, name))
			continue;
		bool holds = attempts[i].holds();

		printf("%s: %s\n", name, holds ? "holds" : "BROKEN");
		return 0;
	}
	return 2;
}

/* Outside. */

static struct native_env env;
static struct box box;

/* This program, readable by whoever runs it inside. */
static void copy_ourselves(struct box *b)
{
	auto_buf struct buf self = BUF_INIT;

	assert_int_equal(fd_slurp_path(AT_FDCWD, "/proc/self/exe", 64 << 20,
				       &self), 0);
	struct answer a = file_put(b, "/app/probe", 0755, self.data, self.len);
	if (a.code)
		fail_msg("can't copy the probe: %s", a.error);
	answer_release(&a);
}

static int start_box(void **state)
{
	static const struct sandbox_spec spec = NATIVE_TEST_SPEC;

	(void)state;
	native_start(&env);
	native_make(&env, &box, &spec);
	copy_ourselves(&box);
	return 0;
}

static int stop_box(void **state)
{
	(void)state;
	native_unmake(&box);
	native_stop(&env);
	return 0;
}

/* The leak check of a sanitizer's build traces us, which is refused here. */
#define PROBE "ASAN_OPTIONS=detect_leaks=0 exec /app/probe __inside "

static void attempt(const char *name)
{
	auto_free char *script = xasprintf(PROBE "%s", name);
	auto_free char *want = xasprintf("%s: holds\n", name);
	struct result r = sh(&box, script);

	if (r.error || !strstr(buf_str(&r.out), want))
		fail_msg("%s: exit %d signal %u '%s' '%s'",
			 r.error ? r.error : name, r.exit.code,
			 (unsigned)r.exit.signal, buf_str(&r.out),
			 buf_str(&r.err));
	result_release(&r);
	/* Whatever it did, the agent is there for the next one. */
	assert_prints(&box, "echo alive", "alive\n");
}

#define ATTEMPT(name)                               \
	static void test_escape__##name(void **state) \
	{                                           \
		(void)state;                        \
		attempt(#name);                     \
	}

ATTEMPT(namespaces)
ATTEMPT(mounts)
ATTEMPT(tracing)
ATTEMPT(keys)
ATTEMPT(sockets)
ATTEMPT(kernel)
ATTEMPT(terminal)
ATTEMPT(capabilities)
ATTEMPT(setuid)
ATTEMPT(core)
ATTEMPT(agent)
ATTEMPT(files)
ATTEMPT(etc)
ATTEMPT(descriptors)
ATTEMPT(proc)
ATTEMPT(devices)
ATTEMPT(inotify)
ATTEMPT(ptys)
ATTEMPT(disk)
ATTEMPT(inodes)
ATTEMPT(forks)

/* What the posture says of signals is so: commands reach each other or, where
 * all is one user, only what they started themselves; and nobody reaches the
 * agent or the supervisor of a command, unless the kernel can't tell. */
static void test_escape__signals(void **state)
{
	bool one = strstr(box.box.posture, "\"signals\":\"own command\"");
	bool any = strstr(box.box.posture, "\"signals\":\"any command\"");
	struct result r;

	(void)state;
	assert_int_equal(one || any, strstr(box.box.posture, "single-id") !=
					     NULL);
	r = sh(&box, "sleep 3113 & echo $! >/tmp/pid; kill -0 $!; echo $?");
	assert_string_equal(buf_str(&r.out), "0\n");
	result_release(&r);
	assert_prints(&box, "kill -0 $(cat /tmp/pid) 2>/dev/null; echo $?",
		      one ? "1\n" : "0\n");
	assert_prints(&box, "kill -0 1 2>/dev/null; echo $?",
		      any ? "0\n" : "1\n");
	if (!any) /* its parent is the supervisor */
		assert_prints(&box, "kill -9 $PPID 2>/dev/null; echo $?",
			      "1\n");
	r = sh(&box, "read p </tmp/pid; kill -9 $p 2>/dev/null; true");
	result_release(&r);
	assert_prints(&box, "echo alive", "alive\n");
}

static void test_escape__memory(void **state)
{
	(void)state;
	if (strstr(box.box.posture, "\"limits\":\"best effort\"")) {
		print_message("skipped: no memory controller for us here\n");
		skip();
	}
	struct result r = sh(&box, PROBE "memory");
	assert_true(r.ended && !r.error);
	assert_int_equal(r.exit.signal, SIGKILL);
	result_release(&r);
	assert_prints(&box, "echo alive", "alive\n");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_escape__namespaces),
		cmocka_unit_test(test_escape__mounts),
		cmocka_unit_test(test_escape__tracing),
		cmocka_unit_test(test_escape__keys),
		cmocka_unit_test(test_escape__sockets),
		cmocka_unit_test(test_escape__kernel),
		cmocka_unit_test(test_escape__terminal),
		cmocka_unit_test(test_escape__capabilities),
		cmocka_unit_test(test_escape__setuid),
		cmocka_unit_test(test_escape__core),
		cmocka_unit_test(test_escape__agent),
		cmocka_unit_test(test_escape__files),
		cmocka_unit_test(test_escape__etc),
		cmocka_unit_test(test_escape__descriptors),
		cmocka_unit_test(test_escape__proc),
		cmocka_unit_test(test_escape__devices),
		cmocka_unit_test(test_escape__inotify),
		cmocka_unit_test(test_escape__ptys),
		cmocka_unit_test(test_escape__disk),
		cmocka_unit_test(test_escape__inodes),
		cmocka_unit_test(test_escape__forks),
		cmocka_unit_test(test_escape__signals),
		cmocka_unit_test(test_escape__memory),
	};
	int ret;

	if (native_main(argc, argv, &ret))
		return ret;
	if (argc == 3 && strcmp(argv[1], "__inside") == 0)
		return inside(argv[2]);
	return cmocka_run_group_tests_name("native-escape", tests, start_box,
					   stop_box);
}
