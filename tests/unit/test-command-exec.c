/* SPDX-License-Identifier: MIT */
/* Programs run for the user. */
#include "tui/command-exec.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>

#include "lib/api/limits.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "tests/unit/unit.h"

static int run(const char *script, int cancel, struct buf *out, int *status,
	       struct svm_err *err)
{
	char *argv[] = { (char *)(uintptr_t)"sh", (char *)(uintptr_t)"-c",
			 (char *)(uintptr_t)script, NULL };

	return command_exec(argv, cancel, out, status, err);
}

static void test_command_exec__output_and_status(void **state)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_buf struct buf out = BUF_INIT;
	auto_close int cancel = eventfd(0, EFD_CLOEXEC);
	int status = -1;

	(void)state;
	assert_int_equal(run("echo a; echo b >&2; cat; exit 3", cancel, &out,
			     &status, &err), 0);
	assert_string_equal(buf_str(&out), "a\nb\n");
	assert_int_equal(status, 3);
	assert_int_equal(run("kill -9 $$", cancel, &out, &status, &err), 0);
	assert_int_equal(status, 137);
}

static void test_command_exec__much_output_is_cut(void **state)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_buf struct buf out = BUF_INIT;
	auto_close int cancel = eventfd(0, EFD_CLOEXEC);
	int status = -1;

	(void)state;
	assert_int_equal(run("head -c 3000000 /dev/zero", cancel, &out,
			     &status, &err), 0);
	assert_int_equal(out.len, LIMIT_TUI_OUTPUT);
	assert_int_equal(status, 0);
}

/* What it leaves behind has the pipe still. */
static void test_command_exec__ends_with_the_program(void **state)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_buf struct buf out = BUF_INIT;
	auto_close int cancel = eventfd(0, EFD_CLOEXEC);
	int status = -1;

	(void)state;
	assert_int_equal(run("sleep 1000 & echo $!", cancel, &out, &status,
			     &err), 0);
	assert_int_equal(status, 0);
	pid_t left = (pid_t)strtol(buf_str(&out), NULL, 10);
	assert_true(left > 1);
	assert_int_equal(kill(left, SIGKILL), 0);
}

static void test_command_exec__cancelled(void **state)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_buf struct buf out = BUF_INIT;
	auto_close int cancel = eventfd(1, EFD_CLOEXEC);
	int status = -1;

	(void)state;
	assert_int_equal(run("sleep 1000", cancel, &out, &status, &err), -1);
	assert_int_equal(err.code, SVM_CANCELLED);
	/* Nothing of ours is left to wait for. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void test_command_exec__found_in_absolute_parts_of_path(void **state)
{
	auto_err struct svm_err none = SVM_ERR_INIT, rel = SVM_ERR_INIT;
	auto_free char *path = xstrdup(getenv("PATH"));
	auto_buf struct buf out = BUF_INIT;
	auto_close int cancel = eventfd(0, EFD_CLOEXEC);
	char *argv[] = { (char *)(uintptr_t)"no-such-program", NULL };
	int status = -1;

	(void)state;
	assert_int_equal(command_exec(argv, cancel, &out, &status, &none),
			 -1);
	assert_string_equal(none.msg, "'no-such-program' is not in PATH");
	setenv("PATH", "../../../../../../../bin:.", 1);
	assert_int_equal(run("true", cancel, &out, &status, &rel), -1);
	setenv("PATH", path ? path : "", 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test(test_command_exec__##name)
	const struct CMUnitTest tests[] = {
		TEST(output_and_status),
		TEST(much_output_is_cut),
		TEST(ends_with_the_program),
		TEST(cancelled),
		TEST(found_in_absolute_parts_of_path),
#undef TEST
	};

	return cmocka_run_group_tests_name("command-exec", tests, NULL, NULL);
}
