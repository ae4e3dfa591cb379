/* SPDX-License-Identifier: MIT */
/* Lines of the console, split and quoted. */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "cli/words.h"
#include "lib/base/mem.h"

/* Words joined by '|', which none of these has. */
static char *join(char **v, size_t n)
{
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < n; i++)
		buf_addf(&b, "%s%s", i ? "|" : "", v[i]);
	return buf_steal(&b);
}

static void test_words__splits_as_a_shell_does(void **state)
{
	static const struct {
		const char *line, *words;
		size_t n;
	} cases[] = {
		{ "", "", 0 },
		{ " \t\r\n", "", 0 },
		{ "# all of it", "", 0 },
		{ "list", "list", 1 },
		{ "  a\tb  c\r\n", "a|b|c", 3 },
		{ "a # b", "a", 1 },
		{ "a#b c", "a#b|c", 2 },
		{ "a '#' \"#\" \\#", "a|#|#|#", 4 },
		{ "'a b' \"c d\" e\\ f", "a b|c d|e f", 3 },
		{ "a'b'\"c\"d", "abcd", 1 },
		{ "'' \"\"", "|", 2 },
		{ "''", "", 1 },
		{ "'\"$`\\;>'", "\"$`\\;>", 1 },
		{ "\"\\\"\\\\\\$\\`\"", "\"\\$`", 1 },
		{ "\"a\\nb'\\'\"", "a\\nb'\\'", 1 },
		{ "\";>&<\"", ";>&<", 1 },
		{ "\\a\\\\ \\$HOME \\;", "a\\|$HOME|;", 3 },
		{ "*.c ~/x {a,b} [x] ? !x %y", "*.c|~/x|{a,b}|[x]|?|!x|%y",
		  7 },
		{ "{{id}} é漢\x01", "{{id}}|é漢\x01", 2 },
		{ "a\\\nb", "a\nb", 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_err struct svm_err err = SVM_ERR_INIT;
		char **v = NULL;

		if (words_split(cases[i].line, &v, &err) < 0)
			fail_msg("<%s>: %s", cases[i].line, err.msg);
		auto_free char *got = join(v, strv_len(v));

		if (strv_len(v) != cases[i].n ||
		    strcmp(got, cases[i].words) != 0)
			fail_msg("<%s> gave <%s>", cases[i].line, got);
		strv_free(v);
	}
}

static void test_words__refuses_what_a_shell_would_act_on(void **state)
{
	static const struct {
		const char *line, *about;
	} cases[] = {
		{ "a | b", "'|'" }, { "a|b", "'|'" }, { "a && b", "'&'" },
		{ "a;", "';'" }, { "a > b", "'>'" }, { "a <b", "'<'" },
		{ "a $x", "'$'" }, { "a \"$x\"", "'$'" }, { "`a`", "'`'" },
		{ "\"`a`\"", "'`'" }, { "a 'b", "single quote" },
		{ "a \"b\\\"", "double quote" }, { "a \\", "backslash" },
		{ "a \"b\\", "double quote" }, { "'a' 'b' '", "single" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_err struct svm_err err = SVM_ERR_INIT;
		char **v = NULL;

		if (words_split(cases[i].line, &v, &err) == 0)
			fail_msg("<%s> was taken", cases[i].line);
		assert_null(v);
		assert_int_equal(err.code, SVM_BAD_REQUEST);
		if (!strstr(err.msg, cases[i].about))
			fail_msg("<%s>: %s", cases[i].line, err.msg);
	}
}

static void test_words__reads_as_far_as_typed(void **state)
{
	static const struct {
		const char *line, *words;
		size_t last_at;
		char quote;
	} cases[] = {
		{ "", "", 0, 0 },
		{ "li", "li", 0, 0 },
		{ " use w", "use|w", 5, 0 },
		{ "use ", "use|", 4, 0 },
		{ "cat 'a b", "cat|a b", 4, '\'' },
		{ "cat \"a \\\"", "cat|a \"", 4, '"' },
		{ "cat a'b c'd", "cat|ab cd", 4, 0 },
		{ "cat a\\ b\\", "cat|a b", 4, 0 },
		{ "cat '", "cat|", 4, '\'' },
		{ "cat $(x", "cat|$(x", 4, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_words struct words w = { 0 };

		words_open(cases[i].line, &w);
		auto_free char *got = join(w.v, w.n);

		if (strcmp(got, cases[i].words) != 0 ||
		    w.last_at != cases[i].last_at ||
		    w.quote != cases[i].quote || w.comment)
			fail_msg("<%s> gave <%s>, %zu, '%c'", cases[i].line,
				 got, w.last_at, w.quote ? w.quote : '-');
	}
	auto_words struct words w = { 0 };

	words_open("list # sb-", &w);
	assert_true(w.comment);
}

static void test_words__quotes(void **state)
{
	static const struct {
		const char *text;
		char quote;
		bool end;
		const char *quoted;
	} cases[] = {
		{ "plain-1.c", 0, true, "plain-1.c" },
		{ "", 0, true, "''" },
		{ "", 0, false, "" },
		{ "a b", 0, true, "a\\ b" },
		{ "a b", '\'', true, "'a b'" },
		{ "a b", '"', true, "\"a b\"" },
		{ "a b", '\'', false, "'a b" },
		{ "it's", '\'', true, "'it'\\''s'" },
		{ "it's", 0, true, "it\\'s" },
		{ "$x`y\\\"", '"', true, "\"\\$x\\`y\\\\\\\"\"" },
		{ "#x;y", 0, true, "\\#x\\;y" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_buf struct buf b = BUF_INIT;

		words_quote(&b, cases[i].text, cases[i].quote, cases[i].end);
		assert_string_equal(buf_str(&b), cases[i].quoted);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words__splits_as_a_shell_does),
		cmocka_unit_test(test_words__refuses_what_a_shell_would_act_on),
		cmocka_unit_test(test_words__reads_as_far_as_typed),
		cmocka_unit_test(test_words__quotes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
