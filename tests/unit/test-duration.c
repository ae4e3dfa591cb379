/* SPDX-License-Identifier: MIT */
/* Go's durations; the expected values are what Go's time package says. */
#include "lib/base/duration.h"

#include <errno.h>
#include <string.h>

#include "lib/base/defs.h"
#include "tests/unit/unit.h"

static void test_duration__parse(void **state)
{
	static const struct {
		const char *text;
		int64_t ns;
	} cases[] = {
		{ "0", 0 }, { "-0", 0 }, { "+0", 0 }, { "0s", 0 },
		{ "5s", 5000000000 }, { "+5s", 5000000000 },
		{ "-5s", -5000000000 }, { "30m", 1800000000000 },
		{ "1h30m", 5400000000000 }, { "1.5h", 5400000000000 },
		{ "127.3ms", 127300000 }, { ".5s", 500000000 },
		{ "1.s", 1000000000 }, { "1us", 1000 },
		{ "1\xc2\xb5s", 1000 }, { "1\xce\xbcs", 1000 },
		{ "3ns2us", 2003 }, { "0.1ns", 0 },
		{ "0.9999999999999999999999s", 999999999 },
		{ "1.1h", 3960000000000 }, { "0.3333333333333333333h",
					      1200000000000 - 1 },
		{ "9223372036854775807ns", INT64_MAX },
		{ "-9223372036854775807ns", -INT64_MAX },
		{ "2562047h47m16.854775807s", INT64_MAX },
		{ "0.100000000000000000000h", 360000000000 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int64_t ns = -1;

		if (duration_parse(cases[i].text, &ns) < 0 ||
		    ns != cases[i].ns)
			fail_msg("'%s' is %lld, not %lld", cases[i].text,
				 (long long)ns, (long long)cases[i].ns);
	}
}

static void test_duration__refuse(void **state)
{
	static const struct {
		const char *text;
		int error;
	} cases[] = {
		{ "", -EINVAL }, { "-", -EINVAL }, { "+", -EINVAL },
		{ "5", -EINVAL }, { "s", -EINVAL }, { ".", -EINVAL },
		{ ".s", -EINVAL }, { "1x", -EINVAL }, { "1 s", -EINVAL },
		{ " 1s", -EINVAL }, { "1s ", -EINVAL }, { "1d", -EINVAL },
		{ "--1s", -EINVAL }, { "1s-1s", -EINVAL }, { "1e3s", -EINVAL },
		{ "1.2.3s", -EINVAL }, { "0x1s", -EINVAL }, { "inf", -EINVAL },
		{ "00", -EINVAL }, { "1S", -EINVAL },
		{ "9223372036854775808ns", -ERANGE },
		{ "9999999999999999999999h", -ERANGE },
		{ "2562048h", -ERANGE },
		/* 2^64 ns and a little: must not wrap to 19 minutes. */
		{ "5124095.9h", -ERANGE },
		{ "2562047h2562047h", -ERANGE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int64_t ns = 77;
		int r = duration_parse(cases[i].text, &ns);

		if (r != cases[i].error || ns != 77)
			fail_msg("'%s' gives %d and %lld", cases[i].text, r,
				 (long long)ns);
	}
}

static void test_duration__format(void **state)
{
	static const struct {
		int64_t ns;
		const char *text;
	} cases[] = {
		{ 0, "0s" }, { 1, "1ns" }, { 999, "999ns" },
		{ 1000, "1\xc2\xb5s" }, { 1500, "1.5\xc2\xb5s" },
		{ 127300000, "127.3ms" }, { 1000000000, "1s" },
		{ 1000000001, "1.000000001s" }, { 60000000000, "1m0s" },
		{ 3600000000000, "1h0m0s" }, { 5400000000000, "1h30m0s" },
		{ -2000000000, "-2s" }, { -1, "-1ns" },
		{ INT64_MAX, "2562047h47m16.854775807s" },
		{ INT64_MIN, "-2562047h47m16.854775808s" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char out[DURATION_SIZE];

		duration_format(cases[i].ns, out);
		assert_string_equal(out, cases[i].text);
	}
}

static void test_duration__less(void **state)
{
	int64_t s = 1000000000;

	(void)state;
	assert_false(duration_is_less(3600 * s, 3600 * s));
	assert_false(duration_is_less(3541 * s, 3600 * s));
	assert_true(duration_is_less(3539 * s, 3600 * s));
	assert_false(duration_is_less(6 * s, 10 * s));
	assert_true(duration_is_less(4 * s, 10 * s));
	assert_true(duration_is_less(3600 * s, INT64_MAX));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_duration__parse),
		cmocka_unit_test(test_duration__refuse),
		cmocka_unit_test(test_duration__format),
		cmocka_unit_test(test_duration__less),
	};

	return cmocka_run_group_tests_name("duration", tests, NULL, NULL);
}
