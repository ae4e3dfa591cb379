/* SPDX-License-Identifier: MIT */
#include "tui/key.h"

#include <string.h>

#include "lib/base/defs.h"
#include "tests/unit/unit.h"

static void test_key__names(void **state)
{
	static const struct {
		const char *in, *out;
		uint32_t code;
		unsigned mods;
	} cases[] = {
		{ "a", "a", 'a', 0 }, { "A", "A", 'A', 0 },
		{ "^", "^", '^', 0 }, { "-", "-", '-', 0 },
		{ "^k", "^K", 'k', KEY_MOD_CTRL },
		{ "^K", "^K", 'k', KEY_MOD_CTRL },
		{ "C-k", "^K", 'k', KEY_MOD_CTRL },
		{ "^]", "^]", ']', KEY_MOD_CTRL },
		{ "C--", "^-", '-', KEY_MOD_CTRL },
		{ "M-b", "M-b", 'b', KEY_MOD_ALT },
		{ "M-^b", "M-^B", 'b', KEY_MOD_ALT | KEY_MOD_CTRL },
		{ "Space", "Space", ' ', 0 },
		{ "C-Space", "C-Space", ' ', KEY_MOD_CTRL },
		{ "S-Tab", "S-Tab", KEY_CODE_TAB, KEY_MOD_SHIFT },
		{ "S-a", "a", 'a', 0 },
		{ "PageUp", "PgUp", KEY_CODE_PAGE_UP, 0 },
		{ "C-Up", "C-Up", KEY_CODE_UP, KEY_MOD_CTRL },
		{ "F1", "F1", KEY_CODE_F1, 0 },
		{ "F20", "F20", KEY_CODE_F1 + 19, 0 },
		{ "F", "F", 'F', 0 },
		{ "\xc3\xa9", "\xc3\xa9", 0xe9, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char name[KEY_NAME_MAX];
		struct key k;

		assert_int_equal(key_parse(cases[i].in, &k), 0);
		if (!key_is(k, cases[i].code, cases[i].mods))
			fail_msg("'%s' is %x %u", cases[i].in, k.code, k.mods);
		assert_string_equal(key_name(k, name), cases[i].out);
	}
}

static void test_key__refused(void **state)
{
	static const char *const cases[] = {
		"", " ", "\n", "ab", "F0", "F21", "F1x", "C-", "X-a", "up",
		"\xff", "\x7f", "F99999999999999999999",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct key k = { .code = 7, .mods = 7 };

		if (key_parse(cases[i], &k) == 0)
			fail_msg("'%s' is a key", cases[i]);
		assert_true(key_is(k, 7, 7));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_key__names),
		cmocka_unit_test(test_key__refused),
	};

	return cmocka_run_group_tests_name("key", tests, NULL, NULL);
}
