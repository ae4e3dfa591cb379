/* SPDX-License-Identifier: MIT */
#include "lib/base/err.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/mem.h"
#include "tests/unit/unit.h"

static void test_err__set_prefix_hint(void **state)
{
	auto_err struct svm_err err = SVM_ERR_INIT;

	(void)state;
	assert_int_equal(svm_err_set(&err, SVM_CONFLICT, "name '%s' taken",
				     "x"), -1);
	assert_int_equal(svm_err_prefix(&err, "cannot %s", "spawn"), -1);
	assert_int_equal(svm_err_hint(&err, "first"), -1);
	assert_int_equal(svm_err_hint(&err, "second"), -1);
	assert_int_equal(err.code, SVM_CONFLICT);
	assert_int_equal(err.sys_errno, 0);
	assert_string_equal(err.msg, "cannot spawn: name 'x' taken");
	assert_string_equal(err.hint, "first");
	svm_err_release(&err);
	svm_err_release(&err);
	assert_int_equal(err.code, SVM_OK);
	assert_null(err.msg);
}

static void test_err__errno_chooses_the_code(void **state)
{
	auto_err struct svm_err err = SVM_ERR_INIT;

	(void)state;
	svm_err_sys(&err, SVM_PROVIDER, -ENOENT, "mount '%s'", "/proc");
	assert_int_equal(err.code, SVM_PROVIDER);
	assert_int_equal(err.sys_errno, ENOENT);
	assert_string_equal(err.msg, "mount '/proc': No such file or "
			    "directory");
	svm_err_release(&err);
	svm_err_sys(&err, SVM_PROVIDER, ENOSPC, "write");
	assert_int_equal(err.code, SVM_NO_SPACE);
	svm_err_release(&err);
	svm_err_sys(&err, SVM_PROVIDER, -EDQUOT, "write");
	assert_int_equal(err.code, SVM_NO_SPACE);
}

static void test_err__move(void **state)
{
	auto_err struct svm_err a = SVM_ERR_INIT, b = SVM_ERR_INIT;

	(void)state;
	svm_err_set(&a, SVM_TIMEOUT, "late");
	assert_int_equal(svm_err_move(&b, &a), -1);
	assert_int_equal(a.code, SVM_OK);
	assert_null(a.msg);
	assert_string_equal(b.msg, "late");
}

static void test_err__names_round_trip(void **state)
{
	(void)state;
	for (int i = 1; i < SVM_CODE_MAX; i++) {
		const char *name = svm_code_name((enum svm_code)i);

		assert_int_equal(svm_code_parse(name), i);
		for (const char *p = name; *p; p++)
			assert_true((*p >= 'A' && *p <= 'Z') || *p == '_');
	}
	assert_int_equal(svm_code_parse("NO_SUCH"), SVM_OK);
	assert_string_equal(svm_code_name((enum svm_code)9999), "OK");
}

static void set_twice(void)
{
	struct svm_err err = SVM_ERR_INIT;

	svm_err_set(&err, SVM_TIMEOUT, "a");
	svm_err_set(&err, SVM_TIMEOUT, "b");
}

static void hint_on_nothing(void)
{
	struct svm_err err = SVM_ERR_INIT;

	svm_err_hint(&err, "a");
}

static void without_code(void)
{
	struct svm_err err = SVM_ERR_INIT;

	svm_err_set(&err, SVM_OK, "a");
}

static void test_err__misuse_is_a_bug(void **state)
{
	void (*const all[])(void) = { set_twice, hint_on_nothing,
				      without_code };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		int status;
		pid_t pid = fork();

		if (pid == 0) {
			struct rlimit none = { 0, 0 };

			setrlimit(RLIMIT_CORE, &none);
			signal(SIGABRT, SIG_DFL);
			close(2);
			all[i]();
			_exit(0);
		}
		waitpid(pid, &status, 0);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), SIGABRT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_err__set_prefix_hint),
		cmocka_unit_test(test_err__errno_chooses_the_code),
		cmocka_unit_test(test_err__move),
		cmocka_unit_test(test_err__names_round_trip),
		cmocka_unit_test(test_err__misuse_is_a_bug),
	};

	return cmocka_run_group_tests_name("err", tests, NULL, NULL);
}
