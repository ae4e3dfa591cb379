/* SPDX-License-Identifier: MIT */
/* Words for a shell, as a real one reads them. */
#include "lib/base/shell.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/defs.h"
#include "lib/base/proc.h"
#include "tests/unit/unit.h"

/* What `printf %s WORD` prints in a shell. */
static size_t said_by_sh(const char *word, char *out, size_t room)
{
	auto_buf struct buf line = BUF_INIT;
	int ends[2];
	size_t n = 0;
	ssize_t r;

	buf_addstr(&line, "printf %s ");
	shell_word(&line, word);
	assert_int_equal(pipe(ends), 0);
	char *argv[] = { (char[]){ "/bin/sh" }, (char[]){ "-c" },
			 line.data, NULL };
	char *env[] = { NULL };
	const int fds[] = { 0, ends[1], 2 };
	pid_t pid = proc_spawn(argv, env, fds, 3, 0, NULL);

	assert_true(pid > 0);
	close(ends[1]);
	while ((r = read(ends[0], out + n, room - n)) > 0)
		n += (size_t)r;
	close(ends[0]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	return n;
}

static void test_shell__reads_what_was_meant(void **state)
{
	static const char *const words[] = {
		"", "web", "a b", "it's", "''", "'", "$HOME", "`id`", "a\\b",
		"\"", "a\nb", "~", "*", "--x=y", "#", "!1", "caf\xc3\xa9",
	};
	char out[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		size_t n = said_by_sh(words[i], out, sizeof(out));

		if (n != strlen(words[i]) || memcmp(out, words[i], n) != 0)
			fail_msg("%s: %.*s", words[i], (int)n, out);
	}
}

static void test_shell__quotes_no_more_than_it_must(void **state)
{
	static const struct {
		const char *word, *as;
	} cases[] = {
		{ "a-b_c.d/e:1", "a-b_c.d/e:1" }, { "", "''" },
		{ "o'x", "'o'\\''x'" },           { "a b", "'a b'" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_buf struct buf b = BUF_INIT;

		shell_word(&b, cases[i].word);
		assert_string_equal(buf_str(&b), cases[i].as);
	}
}

static void test_shell__what_is_seen_is_what_it_is(void **state)
{
	static const struct {
		const char *word, *as;
	} cases[] = {
		{ "plain", "plain" },
		{ "caf\xc3\xa9 1", "'caf\xc3\xa9 1'" },
		{ "e\033[31mvil", "$'e\\033[31mvil'" },
		{ "a\nb'c\\d", "$'a\\012b\\'c\\\\d'" },
		{ "x\xe2\x80\xaetxt", "$'x\\342\\200\\256txt'" },
		{ "\xff" "7 \xc3\xa9", "$'\\3777 \xc3\xa9'" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_buf struct buf b = BUF_INIT;

		assert_int_equal(shell_seen_word(&b, cases[i].word),
				 cases[i].as[0] == '$');
		assert_string_equal(buf_str(&b), cases[i].as);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shell__reads_what_was_meant),
		cmocka_unit_test(test_shell__quotes_no_more_than_it_must),
		cmocka_unit_test(test_shell__what_is_seen_is_what_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
