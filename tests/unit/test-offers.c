/* SPDX-License-Identifier: MIT */
/* What Tab writes and shows at the console. */
#include "tests/unit/unit.h"

#include <string.h>

#include "cli/offers.h"

static void offer(struct offers *o, const char *const *words)
{
	*o = (struct offers){ 0 };
	for (; *words; words++)
		offers_add(o, *words, "");
}

static void check_complete(const char *const *words, const char *line,
			   size_t at, char quote, const char *want,
			   bool whole)
{
	auto_buf struct buf got = BUF_INIT;
	struct offers o;

	offer(&o, words);
	o.at = at;
	o.quote = quote;
	assert_int_equal(offers_complete(&o, line, &got), whole);
	assert_string_equal(buf_str(&got), want);
	offers_release(&o);
}

#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void test_offers__complete(void **state)
{
	(void)state;
	check_complete(WORDS("list"), "li", 0, 0, "list", true);
	check_complete(WORDS("/etc/"), "cat /e", 4, 0, "cat /etc/", false);
	check_complete(WORDS("web:"), "cp we", 3, 0, "cp web:", false);
	check_complete(WORDS("--for="), "wait --f", 5, 0, "wait --for=",
		       false);
	check_complete(WORDS("a b"), "cat a", 4, 0, "cat a\\ b", true);
	check_complete(WORDS("a b"), "cat \"a", 4, '"', "cat \"a b\"", true);
	check_complete(WORDS("d 1/"), "cat 'd", 4, '\'', "cat 'd 1/", false);
	check_complete(WORDS("list", "logs"), "l", 0, 0, "l", false);
	check_complete(WORDS("a b1", "a b2"), "cat a", 4, 0, "cat a\\ b",
		       false);
	check_complete(WORDS("a", "b"), "cat ", 4, 0, "cat ", false);
	check_complete(WORDS("a", "b"), "cat '", 4, '\'', "cat '", false);
}

/* e with an acute accent and with a grave: one byte in common. */
static void test_offers__cuts_no_character(void **state)
{
	auto_buf struct buf b = BUF_INIT;
	struct offers o;

	(void)state;
	offer(&o, WORDS("x\xc3\xa9", "x\xc3\xa8"));
	offers_common(&o, &b);
	assert_string_equal(buf_str(&b), "x");
	offers_release(&o);
}

static void check_show(struct offers *o, size_t columns, const char *want)
{
	auto_buf struct buf got = BUF_INIT;

	offers_show(o, columns, &got);
	assert_string_equal(buf_str(&got), want);
	offers_release(o);
}

static void test_offers__show_names_side_by_side(void **state)
{
	struct offers o;

	(void)state;
	offer(&o, WORDS("/etc/c", "/etc/a", "/etc/bb/"));
	offers_sort(&o, 1);
	check_show(&o, 80, "c    a    bb/\n");
	offer(&o, WORDS("a", "b", "c"));
	check_show(&o, 7, "a  c\nb\n");
	offer(&o, WORDS("漢", "b"));
	check_show(&o, 80, "漢  b\n");
	offer(&o, WORDS("aaaaaaaa", "b"));
	check_show(&o, 1, "aaaaaaaa\nb\n");
	/* A directory, and what is in it. */
	offer(&o, WORDS("d/", "d/x"));
	check_show(&o, 80, "d/   d/x\n");
}

static void test_offers__show_what_each_is(void **state)
{
	struct offers o = { 0 };

	(void)state;
	offers_add(&o, "use", "act in it");
	offers_add(&o, "version", "");
	offers_add(&o, "--keep-going-for-ever-and-ever", "a long one");
	check_show(&o, 42, "use                       act in it\n"
			   "version\n"
			   "--keep-going-for-ever-and-ever  a long one\n");
	offers_add(&o, "use", "act in it");
	check_show(&o, 9, "use  act \n");
}

static void test_offers__show_no_more_than_is_read(void **state)
{
	auto_buf struct buf got = BUF_INIT;
	struct offers o = { 0 };

	(void)state;
	for (int i = 0; i < 1000; i++) {
		char word[16];

		snprintf(word, sizeof(word), "w%d", i);
		offers_add(&o, word, "");
	}
	offers_show(&o, 80, &got);
	assert_non_null(strstr(buf_str(&got), "w199"));
	assert_null(strstr(buf_str(&got), "w200"));
	assert_non_null(strstr(buf_str(&got), "and 800 more\n"));
	offers_release(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_offers__complete),
		cmocka_unit_test(test_offers__cuts_no_character),
		cmocka_unit_test(test_offers__show_names_side_by_side),
		cmocka_unit_test(test_offers__show_what_each_is),
		cmocka_unit_test(test_offers__show_no_more_than_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
