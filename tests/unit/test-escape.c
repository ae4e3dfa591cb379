/* SPDX-License-Identifier: MIT */
#include "lib/base/escape.h"

#include <string.h>

#include "lib/base/defs.h"
#include "lib/base/mem.h"
#include "lib/base/utf8.h"
#include "tests/unit/unit.h"

static void check(const char *in, const char *line, const char *text)
{
	auto_buf struct buf a = BUF_INIT, b = BUF_INIT;

	escape_line(&a, in, strlen(in));
	escape_text(&b, in, strlen(in));
	assert_string_equal(buf_str(&a), line);
	assert_string_equal(buf_str(&b), text);
}

static void test_escape__cases(void **state)
{
	(void)state;
	check("", "", "");
	check("plain \xc3\xa9 \xf0\x9f\x98\x80", "plain \xc3\xa9 \xf0\x9f\x98"
	      "\x80", "plain \xc3\xa9 \xf0\x9f\x98\x80");
	check("\x1b[31mred", "^[[31mred", "^[[31mred");
	check("a\nb\tc\r", "a^Jb^Ic^M", "a\nb\tc^M");
	check("\x7f", "^?", "^?");
	check("\xc2\x9b" "31m", "\\u{9b}31m", "\\u{9b}31m");
	check("\xe2\x80\xae" "cod", "\\u{202e}cod", "\\u{202e}cod");
	check("\xff\xfe", "\\xff\\xfe", "\\xff\\xfe");
	check("\xe2\x82", "\\xe2\\x82", "\\xe2\\x82");
}

/* Every byte pair and every character: the result is one valid line without
 * control or deceptive characters. */
static void test_escape__nothing_gets_through(void **state)
{
	(void)state;
	for (unsigned v = 0; v < 0x10000; v++) {
		auto_buf struct buf b = BUF_INIT;
		const char in[2] = { (char)(v >> 8), (char)v };

		escape_line(&b, in, 2);
		const char *p = b.data;
		for (size_t n = b.len; n;) {
			uint32_t cp = 0;
			int k = utf8_decode(p, n, &cp);

			if (k <= 0 || cp < 0x20 || cp == 0x7f ||
			    escape_is_deceptive(cp))
				fail_msg("%02x %02x gives '%s'", v >> 8,
					 v & 255, b.data);
			p += k;
			n -= (size_t)k;
		}
	}
}

static void test_escape__deceptive(void **state)
{
	static const uint32_t yes[] = { 0x80, 0x9b, 0x9f, 0xad, 0x200b, 0x200d,
					0x200e, 0x2028, 0x202a, 0x202e, 0x2066,
					0x2069, 0xfeff, 0xe0041, 0x3164 };
	static const uint32_t no[] = { 'a', 0xa0, 0xe9, 0x20ac, 0x4e2d,
				       0x1f600 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(yes); i++)
		assert_true(escape_is_deceptive(yes[i]));
	for (size_t i = 0; i < ARRAY_SIZE(no); i++)
		assert_false(escape_is_deceptive(no[i]));
}

static void check_json(const char *in, const char *out)
{
	auto_buf struct buf b = BUF_INIT;

	escape_json(&b, in, strlen(in));
	assert_string_equal(buf_str(&b), out);
}

static void test_escape__json(void **state)
{
	(void)state;
	check_json("{\n\t\"a\": \"\xc3\xa9\\u001b\"}",
		   "{\n\t\"a\": \"\xc3\xa9\\u001b\"}");
	check_json("\"\x7f\xc2\x9b\xe2\x80\xae\"",
		   "\"\\u007f\\u009b\\u202e\"");
	check_json("\"\xf3\xa0\x81\x81\"", "\"\\udb40\\udc41\"");
	check_json("\"\xff\x1b\"", "\"\\ufffd\\u001b\"");
}

/* For a terminal that reads no UTF-8; never unasked. */
static void test_escape__ascii(void **state)
{
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	{
		auto_escape bool before = escape_ascii(true);

		assert_false(before);
		escape_line(&b, "a\xc3\x9b\xf0\x9f\x98\x80\xff\n", 9);
		assert_string_equal(buf_str(&b), "a\\u{db}\\u{1f600}\\xff^J");
		check_json("\"\xc3\x9b\xf0\x9f\x98\x80\"",
			   "\"\\u00db\\ud83d\\ude00\"");
	}
	buf_clear(&b);
	escape_line(&b, "\xc3\x9b", 2);
	assert_string_equal(buf_str(&b), "\xc3\x9b");
}

static void check_strip(const char *in, const char *out)
{
	auto_free char *s = xstrdup(in);

	escape_strip(s);
	assert_string_equal(s, out);
}

static void test_escape__strip(void **state)
{
	(void)state;
	check_strip("", "");
	check_strip("as \303\251\tit\b is", "as \303\251\tit\b is");
	check_strip("\033[?2004h$ \033[1;31mls\033[m", "$ ls");
	check_strip("\033]0;title\aa\033]8;;u\033\\b\033P+q\033\\c", "abc");
	check_strip("\033(Ba\0337b\033=c\033#8d", "abcd");
	check_strip("\r10%\r20%", "10%20%");
	check_strip("a\033", "a");
	check_strip("a\033[12", "a");
	check_strip("a\033]0;x", "a");
	check_strip("a\033]0;x\033", "a");
	check_strip("\033\033[mb", "b");
	check_strip("\033]0;abc\033[31mRED", "RED");
}

static void check_repaint(const char *in, size_t n)
{
	size_t len = strlen(in), found = escape_repaint(in, len);

	if (found != n)
		fail_msg("%zu bytes of %s, not %zu", found, in, n);
	/* Wherever it is cut off, it is no longer than that. */
	for (size_t i = 0; i <= len; i++)
		if (escape_repaint(in, i) != MIN(i, n) &&
		    escape_repaint(in, i) != i)
			fail_msg("%zu bytes of %zu of %s",
				 escape_repaint(in, i), i, in);
}

static void test_escape__repaint(void **state)
{
	static const char *const repaints[] = {
		"\r", "\033[H", "\033[f", "\033[1;1H", "\033[12;1H",
		"\033[12H", "\033[;H", "\033[2J", "\033[3J", "\033c",
		"\033[?1049h", "\033[?1049l",
	};
	static const char *const others[] = {
		"", "c", "H", "\033", "\033[", "\033[12", "\033[m", "\033[K",
		"\033[J", "\033[1J", "\033[5;12H", "\033[;2H", "\033[?25h",
		"\033[1;1;1H", "\033]0;\r\a", "\033(B", "\033[?1048h",
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(repaints); i++) {
		auto_free char *one = xasprintf("ab%sc", repaints[i]);

		check_repaint(one, 2);
		check_repaint(one + 2, strlen(one + 2));
	}
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		auto_free char *one = xasprintf("ab%s", others[i]);

		check_repaint(one, strlen(one));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_escape__cases),
		cmocka_unit_test(test_escape__nothing_gets_through),
		cmocka_unit_test(test_escape__deceptive),
		cmocka_unit_test(test_escape__json),
		cmocka_unit_test(test_escape__ascii),
		cmocka_unit_test(test_escape__strip),
		cmocka_unit_test(test_escape__repaint),
	};

	return cmocka_run_group_tests_name("escape", tests, NULL, NULL);
}
