/* SPDX-License-Identifier: MIT */
/* File operations of a real agent, in a box of the mock provider. */
#include "tests/unit/agent-box.h"

static int setup(void **state)
{
	struct box *b = xcalloc(1, sizeof(*b));

	box_start(b);
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	box_stop(*state);
	free(*state);
	return 0;
}

static void test_agent_files__write_then_read(void **state)
{
	const size_t n = 1000 * 1000 + 7;
	auto_free char *big = xmalloc(n);

	for (size_t i = 0; i < n; i++)
		big[i] = (char)(i * 31 + i / 977);
	struct answer a = file_put(*state, "/app/new/deep/file", 0640, big, n);
	assert_int_equal(a.code, 0);
	assert_true(a.ended);
	answer_release(&a);
	a = file_get(*state, "/app/new/deep/file");
	assert_true(a.ended);
	assert_int_equal(a.file.size, n);
	assert_int_equal(a.file.mode, S_IFREG | 0640);
	assert_int_equal(a.data.len, n);
	assert_memory_equal(a.data.data, big, n);
	answer_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_agent_files__write_then_read),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
