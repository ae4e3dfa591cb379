/* SPDX-License-Identifier: MIT */
/* One daemon per state directory. */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "daemon/instance.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "lib/base/path.h"
#include "tests/unit/unit.h"

static char dir[] = "/tmp/svm-instance-XXXXXX";

/* In a process of its own: the lock is the process's. */
static bool is_free(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		struct svm_err err = SVM_ERR_INIT;

		_exit(instance_lock(dir, &err) < 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status == 0;
}

/* A holder that has forked, ended by SIGKILL; what it forked lives on until
 * the pipe is closed.  Returns the pipe. */
static int killed_holder(void)
{
	int said[2], held[2];
	char c;

	assert_int_equal(pipe(said), 0);
	assert_int_equal(pipe(held), 0);
	pid_t pid = fork();

	if (pid == 0) {
		struct svm_err err = SVM_ERR_INIT;

		if (instance_lock(dir, &err) < 0)
			_exit(1);
		if (fork() == 0) {
			close(held[1]);
			(void)!read(held[0], &c, 1); /* until it is closed */
			_exit(0);
		}
		(void)!write(said[1], "", 1);
		for (;;)
			pause();
	}
	assert_int_equal(read(said[0], &c, 1), 1);
	assert_false(is_free());
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	close(said[0]);
	close(said[1]);
	close(held[0]);
	return held[1];
}

static void test_instance__lock(void **state)
{
	auto_err struct svm_err err = SVM_ERR_INIT;

	(void)state;
	int fd = instance_lock(dir, &err);

	assert_true(fd >= 0);
	assert_false(is_free());
	fd_close(fd);
	assert_true(is_free());
}

static void test_instance__what_a_killed_one_forked(void **state)
{
	(void)state;
	int pipe = killed_holder();

	assert_true(is_free());
	close(pipe);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_instance__lock),
		cmocka_unit_test(test_instance__what_a_killed_one_forked),
	};

	if (!mkdtemp(dir))
		return 1;
	int r = cmocka_run_group_tests_name("instance", tests, NULL, NULL);
	auto_free char *path = path_join(dir, "lock");

	unlink(path);
	rmdir(dir);
	return r;
}
