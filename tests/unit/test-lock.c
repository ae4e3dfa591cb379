/* SPDX-License-Identifier: MIT */
#include "lib/base/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "tests/unit/unit.h"

static int open_it(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	return fd;
}

static void test_lock__whoever_keeps_it_isnt_waited_for(void **state)
{
	char path[] = "/tmp/svm-lock-XXXXXX";
	auto_close int first = mkstemp(path), second = open_it(path);
	struct itimerval left;
	struct sigaction act;

	(void)state;
	assert_int_equal(lock_within(first, 1000), 0);
	assert_int_equal(lock_within(second, 30), -EWOULDBLOCK);
	/* Nothing of the waiting stays. */
	assert_int_equal(getitimer(ITIMER_REAL, &left), 0);
	assert_int_equal(left.it_value.tv_sec + left.it_value.tv_usec, 0);
	assert_int_equal(sigaction(SIGALRM, NULL, &act), 0);
	assert_true(act.sa_handler == SIG_DFL);
	fd_close(steal_fd(&first));
	assert_int_equal(lock_within(second, 1000), 0);
	assert_int_equal(lock_within(-1, 1000), -EBADF);
	unlink(path);
}

static void test_lock__whoever_is_done_with_it_is(void **state)
{
	char path[] = "/tmp/svm-lock-XXXXXX", c;
	auto_close int ours = mkstemp(path);
	int to[2], from[2], status;

	(void)state;
	assert_int_equal(pipe2(to, O_CLOEXEC), 0);
	assert_int_equal(pipe2(from, O_CLOEXEC), 0);
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		int theirs = open(path, O_RDWR);

		close(to[1]);
		if (flock(theirs, LOCK_EX) < 0 || write(from[1], "x", 1) != 1)
			_exit(1);
		_exit(read(to[0], &c, 1) != 0);
	}
	close(from[1]);
	assert_int_equal(read(from[0], &c, 1), 1);
	assert_int_equal(lock_within(ours, 1), -EWOULDBLOCK);
	close(to[1]);
	assert_int_equal(lock_within(ours, 600000), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(to[0]);
	close(from[0]);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test(test_lock__##name)
		TEST(whoever_keeps_it_isnt_waited_for),
		TEST(whoever_is_done_with_it_is),
#undef TEST
	};

	return cmocka_run_group_tests_name("lock", tests, NULL, NULL);
}
