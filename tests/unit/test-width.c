/* SPDX-License-Identifier: MIT */
#include "lib/base/width.h"

#include <locale.h>
#include <string.h>
#include <wchar.h>

#include "lib/base/defs.h"
#include "tests/unit/unit.h"

/* Unicode grows: a C library other than the table's may differ in a few. */
static void test_width__agrees_with_libc(void **state)
{
	unsigned differ = 0, known = 0;

	(void)state;
	if (!setlocale(LC_CTYPE, "C.UTF-8")) {
		print_message("needs the locale C.UTF-8\n");
		skip();
	}
	for (uint32_t cp = 0x20; cp < 0x110000; cp++) {
		int theirs = wcwidth((wchar_t)cp);

		if (theirs < 0)
			continue;
		known++;
		differ += (unsigned)theirs != width_char(cp);
	}
	assert_true(known > 280000);
	if (differ > 500)
		fail_msg("%u of %u characters differ", differ, known);
}

static void test_width__chars(void **state)
{
	static const struct {
		uint32_t cp;
		unsigned width;
	} cases[] = {
		{ 'a', 1 }, { 0xe9, 1 }, { 0x2500, 1 }, { 0x25cf, 1 },
		{ 0x301, 0 }, { 0x200b, 0 }, { 0x200d, 0 }, { 0xfe0f, 0 },
		{ 0x20d0, 0 }, { 0x1e944, 0 }, { 0x6f22, 2 }, { 0xac00, 2 },
		{ 0xff21, 2 }, { 0x1f970, 2 }, { 0x1f600, 2 }, { 0xffe6, 2 },
		{ 0x10ffff, 1 }, { 0xfffd, 1 }, { 0x2764, 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (width_char(cases[i].cp) != cases[i].width)
			fail_msg("U+%04x is %u", cases[i].cp,
				 width_char(cases[i].cp));
}

static void test_width__text(void **state)
{
	static const struct {
		const char *s;
		size_t width;
	} cases[] = {
		{ "", 0 }, { "abc", 3 }, { "\xe6\xbc\xa2\xe5\xad\x97", 4 },
		{ "e\xcc\x81", 1 }, { "a\xff" "b", 3 }, { "end\xe2\x82", 4 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(width_text(cases[i].s, strlen(cases[i].s)),
				 cases[i].width);
}

static void test_width__fit(void **state)
{
	static const struct {
		const char *s;
		size_t columns, bytes, width;
	} cases[] = {
		{ "abc", 2, 2, 2 }, { "abc", 9, 3, 3 }, { "abc", 0, 0, 0 },
		{ "a\xe6\xbc\xa2", 2, 1, 1 }, { "a\xe6\xbc\xa2", 3, 4, 3 },
		{ "e\xcc\x81x", 1, 3, 1 }, { "\xff\xff", 1, 1, 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		size_t width = 99;

		assert_int_equal(width_fit(cases[i].s, strlen(cases[i].s),
					   cases[i].columns, &width),
				 cases[i].bytes);
		assert_int_equal(width, cases[i].width);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_width__agrees_with_libc),
		cmocka_unit_test(test_width__chars),
		cmocka_unit_test(test_width__text),
		cmocka_unit_test(test_width__fit),
	};

	return cmocka_run_group_tests_name("width", tests, NULL, NULL);
}
