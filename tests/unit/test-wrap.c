/* SPDX-License-Identifier: MIT */
#include "tui/wrap.h"

#include <string.h>

#include "lib/base/defs.h"
#include "lib/base/mem.h"
#include "tests/unit/unit.h"

static void assert_lines(const char *text, size_t width,
			 const char *const *expected)
{
	char **lines = wrap_lines(text, width);
	size_t n = 0;

	for (; lines[n] && expected[n]; n++)
		assert_string_equal(lines[n], expected[n]);
	assert_ptr_equal(lines[n], expected[n]);
	strv_free(lines);
}

#define LINES(text, width, ...) \
	assert_lines(text, width, (const char *const[]){ __VA_ARGS__, NULL })

static void test_wrap__at_blanks(void **state)
{
	(void)state;
	LINES("", 5, "");
	LINES("one two", 7, "one two");
	LINES("one two", 6, "one", "two");
	LINES("one two", 2, "on", "e", "tw", "o");
	LINES("a\n\nb", 5, "a", "", "b");
}

/* Never cut into bytes, nor waited for for ever. */
static void test_wrap__wide_characters(void **state)
{
	(void)state;
	for (size_t width = 0; width < 4; width++)
		LINES("\u6f22\u5b57", width, "\u6f22", "\u5b57");
	LINES("\u6f22\u5b57", 4, "\u6f22\u5b57");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wrap__at_blanks),
		cmocka_unit_test(test_wrap__wide_characters),
	};

	return cmocka_run_group_tests_name("wrap", tests, NULL, NULL);
}
