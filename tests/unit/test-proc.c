/* SPDX-License-Identifier: MIT */
#include "lib/base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "tests/unit/unit.h"

static pid_t start(char *const argv[], char *const envp[], const int *fds,
		   unsigned nfds, unsigned flags, int *ret_pidfd)
{
	return proc_spawn(argv, envp, fds, nfds, flags, ret_pidfd);
}

static void test_proc__start_time(void **state)
{
	(void)state;
	int64_t t = proc_start_time(getpid());
	assert_true(t > 0);
	assert_int_equal(proc_start_time(getpid()), t);
	assert_int_equal(proc_start_time(0x3fffffff), -ESRCH);
	assert_int_equal(proc_state(0x3fffffff), 0);
	assert_int_equal(proc_state(getpid()), 'R');
	assert_int_equal(strlen(proc_boot_id()), 36);
	/* The name is the program's choice: it can't fool the parser. */
	char old[17];
	prctl(PR_GET_NAME, old);
	prctl(PR_SET_NAME, ") Z 1 2 (x");
	assert_int_equal(proc_start_time(getpid()), t);
	assert_int_equal(proc_state(getpid()), 'R');
	prctl(PR_SET_NAME, old);
}

static void test_proc__pidfd_is_for_one_process(void **state)
{
	char *argv[] = { (char *)"/bin/sleep", (char *)"60", NULL };
	char *envp[] = { NULL };
	int pidfd = -1, status;

	(void)state;
	pid_t pid = start(argv, envp, (int[]){ -1, -1, -1 }, 3, 0, &pidfd);
	assert_true(pid > 0);
	assert_true(pidfd >= 0);
	int64_t t = proc_start_time(pid);
	assert_int_equal(proc_open_pidfd(pid, t + 1), -ESRCH);
	int other = proc_open_pidfd(pid, t);
	assert_true(other >= 0);
	assert_int_equal(proc_pidfd_wait(other, 20), -ETIMEDOUT);
	assert_int_equal(proc_pidfd_kill(other, SIGKILL), 0);
	assert_int_equal(proc_pidfd_wait(pidfd, 10000), 0);
	/* A zombie still has its number, but is no process any more. */
	assert_int_equal(proc_state(pid), 'Z');
	assert_int_equal(proc_open_pidfd(pid, t), -ESRCH);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WTERMSIG(status), SIGKILL);
	assert_int_equal(proc_pidfd_kill(pidfd, 0), -ESRCH);
	close(other);
	close(pidfd);
}

/* Forks children one after the other, tells their pids, and reaps them. */
static void breed(int fd, int n)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* when a test fails */
	for (int i = 0; i < n; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			for (;;)
				pause();
		}
		if (write(fd, &pid, sizeof(pid)) != sizeof(pid))
			_exit(1);
		waitpid(pid, NULL, 0);
	}
	_exit(0);
}

/* A process that somebody else is reaping while we look has ended. */
static void test_proc__ended_is_ended(void **state)
{
	int p[2];
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(p), 0);
	pid_t breeder = fork();
	if (breeder == 0)
		breed(p[1], 4000);
	close(p[1]);
	while (read(p[0], &pid, sizeof(pid)) == sizeof(pid)) {
		int64_t start = proc_start_time(pid);
		auto_close int fd = proc_open_pidfd(pid, start);

		assert_true(fd >= 0);
		assert_int_equal(proc_pidfd_kill(fd, SIGKILL), 0);
		assert_int_equal(proc_pidfd_wait(fd, 10000), 0);
		char now = proc_state(pid);
		if (now && now != 'Z')
			fail_msg("%d is '%c'", (int)pid, now);
		assert_int_equal(proc_open_pidfd(pid, start), -ESRCH);
	}
	close(p[0]);
	assert_int_equal(waitpid(breeder, NULL, 0), breeder);
}

/* What a child that we start says on its standard output. */
static char *output_of(const char *script, char *const envp[], unsigned flags)
{
	char *argv[] = { (char *)"/bin/sh", (char *)"-c",
			 (char *)(uintptr_t)script, NULL };
	int out[2], status;
	struct buf b = BUF_INIT;

	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	pid_t pid = start(argv, envp, (int[]){ -1, out[1], out[1] }, 3, flags,
			  NULL);
	assert_true(pid > 0);
	close(out[1]);
	assert_int_equal(fd_slurp(out[0], 65536, &b), 0);
	close(out[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	return buf_steal(&b);
}

static void test_proc__spawn_passes_only_what_is_named(void **state)
{
	char *envp[] = { (char *)"ONLY=this", NULL };
	int leaked = open("/dev/null", O_RDONLY); /* not CLOEXEC */

	(void)state;
	auto_free char *fds = output_of("ls -1 /proc/self/fd | wc -l; "
					"readlink /proc/self/fd/0", envp, 0);
	/* 0, 1, 2 and the one of ls itself */
	assert_string_equal(fds, "4\n/dev/null\n");
	auto_free char *env = output_of("cat /proc/$$/environ | tr '\\0' '\\n'",
					envp, 0);
	assert_string_equal(env, "ONLY=this\n");
	close(leaked);
}

static void test_proc__spawn_resets_signals(void **state)
{
	char *envp[] = { NULL };
	sigset_t block, old;

	(void)state;
	signal(SIGHUP, SIG_IGN);
	sigemptyset(&block);
	sigaddset(&block, SIGTERM);
	sigprocmask(SIG_BLOCK, &block, &old);
	auto_free char *text = output_of("grep -E 'SigBlk|SigIgn' "
					 "/proc/self/status", envp, 0);
	sigset_t now;
	sigprocmask(SIG_SETMASK, NULL, &now);
	assert_int_equal(sigismember(&now, SIGTERM), 1);
	sigprocmask(SIG_SETMASK, &old, NULL);
	signal(SIGHUP, SIG_DFL);
	assert_string_equal(text, "SigBlk:\t0000000000000000\n"
			    "SigIgn:\t0000000000000000\n");
}

static void test_proc__spawn_session(void **state)
{
	char *envp[] = { NULL };
	auto_free char *same = output_of("cut -d' ' -f6 /proc/$$/stat", envp,
					 0);
	auto_free char *own = output_of("cut -d' ' -f6 /proc/$$/stat", envp,
					PROC_SPAWN_SETSID);

	(void)state;
	assert_int_equal(atoi(same), getsid(0));
	assert_int_not_equal(atoi(own), getsid(0));
}

/* Descriptors that stand in each other's way. */
static void test_proc__spawn_swaps_descriptors(void **state)
{
	char *argv[] = { (char *)"/bin/sh", (char *)"-c",
			 (char *)"echo to-one; echo to-three >&3", NULL };
	char *envp[] = { NULL };
	int a[2], b[2];
	auto_buf struct buf one = BUF_INIT, three = BUF_INIT;

	(void)state;
	assert_int_equal(pipe2(a, O_CLOEXEC), 0);
	assert_int_equal(pipe2(b, O_CLOEXEC), 0);
	/* 3 and up were just taken: pass them crosswise, one twice. */
	pid_t pid = start(argv, envp, (int[]){ -1, a[1], a[1], b[1] }, 4, 0,
			  NULL);
	assert_true(pid > 0);
	close(a[1]);
	close(b[1]);
	fd_slurp(a[0], 100, &one);
	fd_slurp(b[0], 100, &three);
	close(a[0]);
	close(b[0]);
	waitpid(pid, NULL, 0);
	assert_string_equal(buf_str(&one), "to-one\n");
	assert_string_equal(buf_str(&three), "to-three\n");
}

static void test_proc__spawn_failures(void **state)
{
	char *argv[] = { (char *)"/no/such/program", NULL };
	char *envp[] = { NULL };
	int pidfd = 77;

	(void)state;
	assert_int_equal(start(argv, envp, (int[]){ -1, -1, -1 }, 3, 0,
			       &pidfd), -ENOENT);
	assert_int_equal(pidfd, 77);
	argv[0] = (char *)"/etc/passwd";
	assert_int_equal(start(argv, envp, (int[]){ -1, -1, -1 }, 3, 0, NULL),
			 -EACCES);
	argv[0] = (char *)"/bin/true";
	assert_int_equal(start(argv, envp, (int[]){ 9999, -1, -1 }, 3, 0,
			       NULL), -EBADF);
	assert_int_equal(start(argv, envp, NULL, 17, 0, NULL), -EINVAL);
	/* None of them left a child behind. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void test_proc__nofile(void **state)
{
	char *envp[] = { NULL };
	struct rlimit before, now;

	(void)state;
	getrlimit(RLIMIT_NOFILE, &before);
	struct rlimit low = { MIN(before.rlim_max, 100), before.rlim_max };
	setrlimit(RLIMIT_NOFILE, &low);
	proc_raise_nofile();
	getrlimit(RLIMIT_NOFILE, &now);
	assert_int_equal(now.rlim_cur, now.rlim_max);
	assert_int_equal(proc_most_files(), now.rlim_max);
	proc_raise_nofile(); /* the first is what children get */
	auto_free char *text = output_of("ulimit -Sn", envp, 0);
	assert_int_equal(atoi(text), low.rlim_cur);
	setrlimit(RLIMIT_NOFILE, &before);
}

/* No more are needed than those that are passed, twice. */
static void test_proc__spawn_with_few_files(void **state)
{
	char *envp[] = { NULL };
	struct rlimit before;

	(void)state;
	getrlimit(RLIMIT_NOFILE, &before);
	struct rlimit low = { 20, before.rlim_max };
	setrlimit(RLIMIT_NOFILE, &low);
	auto_free char *text = output_of("echo here", envp, 0);
	assert_string_equal(text, "here\n");
	setrlimit(RLIMIT_NOFILE, &before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_proc__start_time),
		cmocka_unit_test(test_proc__pidfd_is_for_one_process),
		cmocka_unit_test(test_proc__ended_is_ended),
		cmocka_unit_test(test_proc__spawn_passes_only_what_is_named),
		cmocka_unit_test(test_proc__spawn_resets_signals),
		cmocka_unit_test(test_proc__spawn_session),
		cmocka_unit_test(test_proc__spawn_swaps_descriptors),
		cmocka_unit_test(test_proc__spawn_failures),
		cmocka_unit_test(test_proc__spawn_with_few_files),
		cmocka_unit_test(test_proc__nofile),
	};

	return cmocka_run_group_tests_name("proc", tests, NULL, NULL);
}
