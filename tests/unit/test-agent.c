/* SPDX-License-Identifier: MIT */
/* Commands and sessions of a real agent, in a box of the mock provider. */
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

static void test_agent__output_and_exit(void **state)
{
	struct result r = sh(*state, "echo out; echo err >&2; exit 3");

	if (!r.started)
		print_message("error %u %s\n", r.code, r.error ? r.error : "-");
	assert_true(r.started);
	assert_string_equal(buf_str(&r.out), "out\n");
	assert_string_equal(buf_str(&r.err), "err\n");
	assert_int_equal(r.exit.code, 3);
	assert_int_equal(r.exit.flags, 0);
	result_release(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_agent__output_and_exit),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
