/* SPDX-License-Identifier: MIT */
#include "lib/base/buf.h"

#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/unit.h"

static void test_buf__is_a_c_string(void **state)
{
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	assert_string_equal(buf_str(&b), "");
	buf_add(&b, "", 0);
	assert_null(b.data);
	for (int i = 0; i < 1000; i++) {
		buf_addch(&b, (char)('a' + i % 26));
		assert_int_equal(strlen(b.data), i + 1);
	}
	buf_clear(&b);
	assert_string_equal(b.data, "");
	buf_addstr(&b, "one");
	buf_addf(&b, "%s", "");
	buf_addf(&b, " %d %s", 2, "three");
	assert_string_equal(b.data, "one 2 three");
}

/* Around every size at which the format has to be printed twice. */
static void test_buf__formats_of_any_length(void **state)
{
	(void)state;
	for (int n = 0; n < 300; n++) {
		auto_buf struct buf b = BUF_INIT;

		buf_addstr(&b, "x");
		buf_addf(&b, "%0*d", n, 7);
		assert_int_equal(b.len, (n ? n : 1) + 1);
		assert_int_equal(strlen(b.data), b.len);
		assert_int_equal(b.data[b.len - 1], '7');
	}
}

static void test_buf__consume_and_truncate(void **state)
{
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	buf_consume(&b, 0);
	buf_truncate(&b, 0);
	buf_add(&b, "a\0bcd", 5);
	buf_consume(&b, 2);
	assert_string_equal(b.data, "bcd");
	buf_truncate(&b, 1);
	assert_string_equal(b.data, "b");
	buf_consume(&b, 1);
	assert_int_equal(b.len, 0);
}

static void test_buf__steal(void **state)
{
	struct buf b = BUF_INIT;
	char *s = buf_steal(&b);

	(void)state;
	assert_string_equal(s, "");
	free(s);
	buf_addstr(&b, "mine");
	s = buf_steal(&b);
	assert_string_equal(s, "mine");
	assert_null(b.data);
	assert_int_equal(b.len, 0);
	free(s);
}

/* Does fn end in abort()? */
static bool aborts(void (*fn)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		struct rlimit none = { 0, 0 };

		setrlimit(RLIMIT_CORE, &none);
		signal(SIGABRT, SIG_DFL);
		close(2);
		fn();
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void grow_past_the_end(void)
{
	struct buf b = BUF_INIT;

	buf_addstr(&b, "x");
	buf_reserve(&b, (size_t)-1);
}

static void consume_too_much(void)
{
	struct buf b = BUF_INIT;

	buf_addstr(&b, "x");
	buf_consume(&b, 2);
}

static void truncate_upwards(void)
{
	struct buf b = BUF_INIT;

	buf_addstr(&b, "x");
	buf_truncate(&b, 2);
}

static void test_buf__misuse_aborts(void **state)
{
	(void)state;
	assert_true(aborts(grow_past_the_end));
	assert_true(aborts(consume_too_much));
	assert_true(aborts(truncate_upwards));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_buf__is_a_c_string),
		cmocka_unit_test(test_buf__formats_of_any_length),
		cmocka_unit_test(test_buf__consume_and_truncate),
		cmocka_unit_test(test_buf__steal),
		cmocka_unit_test(test_buf__misuse_aborts),
	};

	return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
