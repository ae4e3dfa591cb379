/* SPDX-License-Identifier: MIT */
/* Names of signals, as people write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "lib/base/signame.h"

static void test_signame__both_ways(void **state)
{
	(void)state;
	assert_string_equal("KILL", signame(9));
	assert_null(signame(0));
	assert_int_equal(2, signame_parse("INT"));
	assert_int_equal(15, signame_parse("SIGTERM"));
	assert_int_equal(15, signame_parse("sigterm"));
	assert_int_equal(9, signame_parse("9"));
	assert_int_equal(-EINVAL, signame_parse(""));
	assert_int_equal(-EINVAL, signame_parse("0"));
	assert_int_equal(-EINVAL, signame_parse("65"));
	assert_int_equal(-EINVAL, signame_parse("NOPE"));
	assert_int_equal(-EINVAL, signame_parse("9x"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signame__both_ways),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
