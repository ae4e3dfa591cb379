/* SPDX-License-Identifier: MIT */
/* Patterns of paths. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/defs.h"
#include "lib/base/glob.h"

static void test_glob__match(void **state)
{
	static const struct {
		const char *pattern, *path;
		bool match;
	} t[] = {
		{ "/a/b", "/a/b", true },
		{ "/a/b", "/a/b/c", false },
		{ "/a/b/c", "/a/b", false },
		{ "/", "/", true },
		{ "//a///b/", "/a/b", true },
		{ "/*", "/a", true },
		{ "/*", "/a/b", false },
		{ "/*", "/.hidden", true },
		{ "/*.py", "/main.py", true },
		{ "/*.py", "/.py", true },
		{ "/*.py", "/main.pyc", false },
		{ "/?", "/a", true },
		{ "/?", "/ab", false },
		{ "/?", "/", false },
		{ "/a?c", "/a/c", false },
		{ "/a*c", "/a/c", false },
		{ "/**", "/", true },
		{ "/**", "/a/b/c", true },
		{ "/**/c", "/c", true },
		{ "/**/c", "/a/b/c", true },
		{ "/**/c", "/a/b/cc", false },
		{ "/a/**/c", "/a/c", true },
		{ "/a/**/c", "/a/x/y/c", true },
		{ "/a/**/c", "/b/x/c", false },
		{ "/**/a/**/b", "/x/a/y/z/b", true },
		{ "/**/a/**/b", "/x/a", false },
		{ "/a/**/**/b", "/a/b", true },
		{ "/a**b", "/axxb", true },
		{ "/a**b", "/ax/xb", false },
		{ "/[a-c]x", "/bx", true },
		{ "/[a-c]x", "/dx", false },
		{ "/[!a-c]x", "/dx", true },
		{ "/[^a-c]x", "/ax", false },
		{ "/[]]", "/]", true },
		{ "/[a-]", "/-", true },
		{ "/[\\]]", "/]", true },
		{ "/[x", "/[x", true },
		{ "/[", "/[", true },
		{ "/\\*", "/*", true },
		{ "/\\*", "/a", false },
		{ "/a\\", "/a\\", true },
		{ "/*a*b*c*", "/xxaxxbxxcxx", true },
		{ "/*a*b*c*", "/xxaxxcxxbxx", false },
		{ "/\xff*", "/\xff\xfe", true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++)
		if (glob_match(t[i].pattern, t[i].path) != t[i].match)
			fail_msg("'%s' and '%s': not %d", t[i].pattern,
				 t[i].path, t[i].match);
}

static void test_glob__below(void **state)
{
	static const struct {
		const char *pattern, *dir;
		bool below;
	} t[] = {
		{ "/a/b", "/a", true },      { "/a/b", "/b", false },
		{ "/a/b", "/a/b", false },   { "/a/**", "/a/b/c", true },
		{ "/**/x", "/any", true },   { "/*/x", "/any", true },
		{ "/*/x", "/any/y", false }, { "/a/*.c", "/", true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++)
		if (glob_match_below(t[i].pattern, t[i].dir) != t[i].below)
			fail_msg("'%s' below '%s': not %d", t[i].pattern,
				 t[i].dir, t[i].below);
}

static void test_glob__literal_prefix(void **state)
{
	(void)state;
	assert_int_equal(glob_literal_prefix("/usr/lib/x*"), 8);
	assert_int_equal(glob_literal_prefix("/usr/lib/x"), 8);
	assert_int_equal(glob_literal_prefix("/x"), 0);
	assert_int_equal(glob_literal_prefix("/*/x"), 0);
	assert_int_equal(glob_literal_prefix("/a/[b]/c"), 2);
	assert_int_equal(glob_literal_prefix(""), 0);
}

/* Would take longer than the universe has with backtracking. */
static void test_glob__no_blow_up(void **state)
{
	char pattern[4097] = "/", path[4097] = "/";

	(void)state;
	for (size_t i = 1; i + 2 < sizeof(pattern); i += 2)
		memcpy(pattern + i, "*a", 3);
	memset(path + 1, 'a', sizeof(path) - 2);
	path[sizeof(path) - 2] = 'b';
	assert_false(glob_match(pattern, path));
	/* The same with whole components. */
	pattern[0] = path[0] = '\0';
	for (int i = 0; i < 500; i++)
		strcat(pattern, "/**/a");
	for (int i = 0; i < 1000; i++)
		strcat(path, "/a");
	strcat(path, "/b");
	assert_false(glob_match(pattern, path));
	assert_true(glob_match_below(pattern, path));
	/* Too long is no pattern. */
	char longer[5000];
	memset(longer, '/', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_false(glob_match(longer, "/"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_glob__match),
		cmocka_unit_test(test_glob__below),
		cmocka_unit_test(test_glob__literal_prefix),
		cmocka_unit_test(test_glob__no_blow_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
