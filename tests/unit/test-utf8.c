/* SPDX-License-Identifier: MIT */
#include "lib/base/utf8.h"

#include <string.h>

#include "lib/base/defs.h"
#include "tests/unit/unit.h"

static void test_utf8__every_code_point(void **state)
{
	(void)state;
	for (uint32_t cp = 0; cp <= 0x110000; cp++) {
		unsigned char s[4];
		size_t n;
		uint32_t got = 0;

		if (cp < 0x80) {
			s[0] = (unsigned char)cp;
			n = 1;
		} else if (cp < 0x800) {
			s[0] = (unsigned char)(0xc0 | cp >> 6);
			s[1] = (unsigned char)(0x80 | (cp & 63));
			n = 2;
		} else if (cp < 0x10000) {
			s[0] = (unsigned char)(0xe0 | cp >> 12);
			s[1] = (unsigned char)(0x80 | (cp >> 6 & 63));
			s[2] = (unsigned char)(0x80 | (cp & 63));
			n = 3;
		} else {
			s[0] = (unsigned char)(0xf0 | cp >> 18);
			s[1] = (unsigned char)(0x80 | (cp >> 12 & 63));
			s[2] = (unsigned char)(0x80 | (cp >> 6 & 63));
			s[3] = (unsigned char)(0x80 | (cp & 63));
			n = 4;
		}
		bool legal = cp <= 0x10ffff && (cp < 0xd800 || cp > 0xdfff);
		int k = utf8_decode((char *)s, n, &got);
		if (legal ? (k != (int)n || got != cp) : k >= 0)
			fail_msg("U+%04x decodes to U+%04x, %d", cp, got, k);
		char back[4];
		if (legal && (utf8_encode(cp, back) != n ||
			      memcmp(back, s, n) != 0))
			fail_msg("U+%04x is not encoded back", cp);
		for (size_t cut = 1; legal && cut < n; cut++)
			assert_int_equal(utf8_decode((char *)s, cut, &got), 0);
	}
}

static void test_utf8__invalid(void **state)
{
	static const char *const bad[] = {
		"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xe0\x80\x80",
		"\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x80\x80\x80",
		"\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
		"\xff", "\xc3", "\xc3(", "a\xe2\x82", "\xe2(\xa1",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (utf8_valid(bad[i], strlen(bad[i])))
			fail_msg("case %zu is accepted", i);
	assert_true(utf8_valid("", 0));
	assert_true(utf8_valid("a\0b", 3));
}

/* Cut anywhere: what is not tail is whole, what is tail is a beginning. */
static void test_utf8__tail(void **state)
{
	static const char text[] = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z";

	(void)state;
	for (size_t n = 0; n < sizeof(text); n++) {
		size_t tail = utf8_tail(text, n);

		assert_true(tail <= 3 && tail <= n);
		assert_true(utf8_valid(text, n - tail));
		uint32_t cp;
		if (tail)
			assert_int_equal(utf8_decode(text + n - tail, tail,
						     &cp), 0);
	}
	assert_int_equal(utf8_tail("\x80\x80\x80\x80", 4), 0);
	assert_int_equal(utf8_tail("\xff", 1), 0);
	assert_int_equal(utf8_tail("\xe2(", 2), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_utf8__every_code_point),
		cmocka_unit_test(test_utf8__invalid),
		cmocka_unit_test(test_utf8__tail),
	};

	return cmocka_run_group_tests_name("utf8", tests, NULL, NULL);
}
