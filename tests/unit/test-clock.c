/* SPDX-License-Identifier: MIT */
#include "lib/base/clock.h"

#include <errno.h>
#include <string.h>

#include "lib/base/defs.h"
#include "tests/unit/unit.h"

static void test_clock__format(void **state)
{
	static const struct {
		int64_t ns;
		const char *text;
	} cases[] = {
		{ 0, "1970-01-01T00:00:00.000Z" },
		{ 1767323045678000000, "2026-01-02T03:04:05.678Z" },
		{ 951782399999999999, "2000-02-28T23:59:59.999Z" },
		{ -1, "1969-12-31T23:59:59.999Z" },
		{ INT64_MAX, "2262-04-11T23:47:16.854Z" },
		{ INT64_MIN, "1677-09-21T00:12:43.145Z" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char out[CLOCK_RFC3339_SIZE];

		clock_format_rfc3339(cases[i].ns, out);
		assert_string_equal(out, cases[i].text);
	}
}

static void test_clock__parse(void **state)
{
	static const struct {
		const char *text;
		int64_t ns;
	} cases[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "2026-01-02T03:04:05.678Z", 1767323045678000000 },
		{ "2026-01-02T05:04:05.678+02:00", 1767323045678000000 },
		{ "2026-01-01T22:34:05.678-04:30", 1767323045678000000 },
		{ "1969-12-31T23:59:59.999999999Z", -1 },
		{ "1970-01-01T00:00:00.1234567891111Z", 123456789 },
		{ "2016-12-31T23:59:60Z", 1483228800000000000 },
		{ "2024-02-29T00:00:00Z", 1709164800000000000 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int64_t ns = 77;

		if (clock_parse_rfc3339(cases[i].text, &ns) < 0 ||
		    ns != cases[i].ns)
			fail_msg("'%s' is %lld", cases[i].text, (long long)ns);
	}
}

static void test_clock__refuse(void **state)
{
	static const char *const bad[] = {
		"", "2026", "2026-01-02", "2026-01-02T03:04:05",
		"2026-1-2T3:4:5Z", " 2026-01-02T03:04:05Z",
		"2026-01-02T03:04:05Zx", "2026-01-02 03:04:05Z",
		"2026-13-02T03:04:05Z", "2026-00-02T03:04:05Z",
		"2026-02-30T03:04:05Z", "2025-02-29T00:00:00Z",
		"2026-01-02T24:04:05Z", "2026-01-02T03:60:05Z",
		"2026-01-02T03:04:61Z", "2026-01-02T03:04:05.Z",
		"2026-01-02T03:04:05+2:00", "2026-01-02T03:04:05+ 2:00",
		"2026-01-02T03:04:05+24:00", "2026-01-02T03:04:05+0200",
		"9999-12-31T23:59:59Z", "0000-01-01T00:00:00Z",
		"-026-01-02T03:04:05Z", "+026-01-02T03:04:05Z",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		int64_t ns = 77;

		if (clock_parse_rfc3339(bad[i], &ns) != -EINVAL || ns != 77)
			fail_msg("'%s' is accepted", bad[i]);
	}
}

static void test_clock__jumps(void **state)
{
	int64_t boot = clock_boot_ns(), mono = clock_mono_ns();
	int64_t wall = clock_wall_ns();
	const int64_t day = INT64_C(86400000000000);

	(void)state;
	clock_inject_wall_jump(-day);
	assert_true(clock_wall_ns() < wall - day / 2);
	assert_true(clock_boot_ns() >= boot);
	assert_true(clock_boot_ns() < boot + day / 2);
	assert_true(clock_mono_ns() >= mono);
	clock_inject_wall_jump(0);
	assert_true(clock_wall_ns() >= wall);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clock__format),
		cmocka_unit_test(test_clock__parse),
		cmocka_unit_test(test_clock__refuse),
		cmocka_unit_test(test_clock__jumps),
	};

	return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
