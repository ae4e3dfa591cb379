/* SPDX-License-Identifier: MIT */
/* The command and option tables, and the parser that reads them. */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "cli/cmd.h"
#include "cli/nearest.h"
#include "cli/term.h"
#include "lib/base/mem.h"

static void check_text(const char *what, const char *s)
{
	assert_non_null(s);
	assert_true(s[0]);
	if (s[strlen(s) - 1] == '.')
		fail_msg("'%s' ends with a full stop: %s", what, s);
}

static void check_options(const struct cmd *cmd)
{
	for (const struct opt *o = cmd->opts; o && o->type != OPT_END; o++) {
		check_text(cmd->name, o->help);
		assert_non_null(o->name);
		if ((o->type == OPT_FLAG) == (o->arg != NULL))
			fail_msg("%s --%s: a flag has no value, the rest do",
				 cmd->name, o->name);
		if (o->off >= cmd->opts_size)
			fail_msg("%s --%s lies outside", cmd->name, o->name);
		for (const struct opt *p = o + 1; p->type != OPT_END; p++) {
			if (strcmp(o->name, p->name) == 0 ||
			    (o->letter && o->letter == p->letter) ||
			    o->off == p->off)
				fail_msg("%s: --%s and --%s clash", cmd->name,
					 o->name, p->name);
		}
	}
}

static void check_commands(const struct cmd *const *list)
{
	for (const struct cmd *const *c = list; *c; c++) {
		const struct cmd *cmd = *c;

		check_text(cmd->name, cmd->summary);
		check_options(cmd);
		if (!cmd->run == !cmd->subs)
			fail_msg("%s: run or subs, and not both", cmd->name);
		if (cmd->min_args && !cmd->args)
			fail_msg("%s: arguments without a name", cmd->name);
		if (cmd->max_args >= 0 && cmd->max_args < cmd->min_args)
			fail_msg("%s: max below min", cmd->name);
		/* Aliases must not hide another command. */
		for (const struct cmd *const *d = list; *d; d++)
			assert_ptr_equal(cmd_find(list, (*d)->name), *d);
		if (cmd->subs)
			check_commands(cmd->subs);
	}
}

static void test_options__tables_are_sound(void **state)
{
	const struct cmd global = { .name = "global", .opts = global_opts,
				    .opts_size = sizeof(struct cli) };

	(void)state;
	check_commands(cmds);
	check_options(&global);
}

struct values {
	bool flag, other;
	const char *string, *optional, *duration;
	char **list;
	int64_t number, size;
	const char *choice;
};

#define O(m) offsetof(struct values, m)

static const struct opt opts[] = {
	{ OPT_FLAG, 'f', "flag", O(flag), NULL, "h", COMPLETE_NONE, false },
	{ OPT_FLAG, 'o', "other", O(other), NULL, "h", COMPLETE_NONE, false },
	{ OPT_STRING, 's', "string", O(string), "S", "h", COMPLETE_NONE,
	  false },
	{ OPT_OPTIONAL, 0, "optional", O(optional), "S", "h", COMPLETE_NONE,
	  false },
	{ OPT_DURATION, 0, "for", O(duration), "D", "h", COMPLETE_NONE,
	  false },
	{ OPT_LIST, 'l', "list", O(list), "L", "h", COMPLETE_NONE, false },
	{ OPT_NUMBER, 'n', "number", O(number), "N", "h", COMPLETE_NONE,
	  false },
	{ OPT_MEBIBYTES, 0, "size", O(size), "M", "h", COMPLETE_NONE, false },
	{ OPT_CHOICE, 0, "choice", O(choice), "one|two", "h", COMPLETE_NONE,
	  false },
	OPTS_END,
};

static const struct cmd plain = { .name = "plain", .opts = opts };
static const struct cmd tail = { .name = "tail", .opts = opts,
				 .command_at = 2 };

struct parsed {
	struct values v;
	struct cli cli;
	char *argv[16];
	int n, dashes, result;
	struct svm_err err;
};

/* Parse words separated by blanks. */
static void parse(struct parsed *p, const struct cmd *cmd, const char *line)
{
	static char copy[256];
	int argc = 0;

	memset(p, 0, sizeof(*p));
	snprintf(copy, sizeof(copy), "%s", line);
	for (char *s = copy; *s;) {
		size_t n = strcspn(s, " ");

		p->argv[argc++] = s;
		s += n;
		if (*s)
			*s++ = '\0';
	}
	p->result = opts_parse(cmd, &p->v, &p->cli, argc, p->argv, &p->n,
			       &p->dashes, &p->err);
}

static void done(struct parsed *p)
{
	opts_release(opts, &p->v);
	svm_err_release(&p->err);
}

static void test_options__mixes_options_and_arguments(void **state)
{
	struct parsed p;

	(void)state;
	parse(&p, &plain, "a -fo --string=x b -l one -ltwo -n 7 --json c");
	assert_int_equal(p.result, 0);
	assert_int_equal(p.n, 3);
	assert_string_equal(p.argv[0], "a");
	assert_string_equal(p.argv[2], "c");
	assert_null(p.argv[3]);
	assert_true(p.v.flag && p.v.other);
	assert_string_equal(p.v.string, "x");
	assert_string_equal(p.v.list[0], "one");
	assert_string_equal(p.v.list[1], "two");
	assert_null(p.v.list[2]);
	assert_int_equal(p.v.number, 7);
	assert_string_equal(p.cli.json, "");
	assert_int_equal(p.dashes, -1);
	done(&p);
}

static void test_options__leaves_commands_alone(void **state)
{
	struct parsed p;

	(void)state;
	parse(&p, &tail, "id -f ls -s --number x");
	assert_int_equal(p.result, 0);
	assert_int_equal(p.n, 5);
	assert_true(p.v.flag);
	assert_string_equal(p.argv[1], "ls");
	assert_string_equal(p.argv[2], "-s");
	done(&p);
	parse(&p, &tail, "id -- -f --x");
	assert_int_equal(p.n, 3);
	assert_int_equal(p.dashes, 1);
	assert_false(p.v.flag);
	assert_string_equal(p.argv[1], "-f");
	done(&p);
	parse(&p, &plain, "- a");
	assert_int_equal(p.n, 2);
	done(&p);
}

static void test_options__refuses_nonsense(void **state)
{
	static const char *const bad[] = {
		"--nope", "-x", "-fx", "--string", "-n", "--flag=1", "-n 1x",
		"-n -1", "-n 99999999999", "--for 10", "--for -1s",
		"--for x", "--size 1t", "--size 0", "--size m", "--size 9999999999g",
		"--=x", "--choice three", "--choice on", "--choice one|two",
		"--choice=", "--choice",
	};
	struct parsed p;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		parse(&p, &plain, bad[i]);
		if (p.result != -1 || p.err.code != SVM_BAD_REQUEST)
			fail_msg("'%s' was taken", bad[i]);
		done(&p);
	}
	parse(&p, &plain, "--flga");
	assert_non_null(strstr(p.err.msg, "'--flag'"));
	done(&p);
}

static void test_options__takes_a_choice(void **state)
{
	struct parsed p;

	(void)state;
	parse(&p, &plain, "--choice one --choice=two");
	assert_int_equal(p.result, 0);
	assert_string_equal(p.v.choice, "two");
	done(&p);
}

static void test_options__reads_sizes(void **state)
{
	static const struct {
		const char *text;
		int64_t mib;
	} good[] = {
		{ "--size 512", 512 }, { "--size 512m", 512 },
		{ "--size 2g", 2048 }, { "--size 2GiB", 2048 },
		{ "--size 3MB", 3 },
	};
	struct parsed p;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		parse(&p, &plain, good[i].text);
		assert_int_equal(p.result, 0);
		assert_int_equal(p.v.size, good[i].mib);
		done(&p);
	}
}

static void test_options__suggests_the_nearest(void **state)
{
	struct nearest n = { .word = "spwan" };

	(void)state;
	nearest_offer(&n, "exec");
	assert_null(n.best);
	nearest_offer(&n, "spawn");
	assert_string_equal(n.best, "spawn");
	n = (struct nearest){ .word = "zzzz" };
	nearest_offer(&n, "list");
	assert_null(n.best);
}

/* Of a short word a slip is one letter; two of three are another word. */
static void test_options__suggests_little_for_short_words(void **state)
{
	static const struct {
		const char *word, *candidate;
		bool near;
	} cases[] = {
		{ "tpo", "top", true },     { "tp", "top", true },
		{ "lst", "list", true },    { "exce", "exec", true },
		{ "kil", "kill", true },    { "isnpct", "inspect", true },
		{ "foo", "top", false },    { "nope", "top", false },
		{ "up", "cp", false },      { "rm", "cp", false },
		{ "log", "tui", false },    { "wall", "kill", false },
		{ "send", "spawn", false }, { "a", "cp", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct nearest n = { .word = cases[i].word };

		nearest_offer(&n, cases[i].candidate);
		if (!n.best == cases[i].near)
			fail_msg("'%s': '%s'", cases[i].word,
				 cases[i].candidate);
	}
}

static void test_options__reads_detach_keys(void **state)
{
	(void)state;
	assert_int_equal(term_parse_key("ctrl-]"), 0x1d);
	assert_int_equal(term_parse_key("^a"), 1);
	assert_int_equal(term_parse_key("q"), 'q');
	assert_int_equal(term_parse_key("none"), 0);
	assert_int_equal(term_parse_key(""), -1);
	assert_int_equal(term_parse_key("ctrl-1"), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options__tables_are_sound),
		cmocka_unit_test(test_options__mixes_options_and_arguments),
		cmocka_unit_test(test_options__leaves_commands_alone),
		cmocka_unit_test(test_options__refuses_nonsense),
		cmocka_unit_test(test_options__reads_sizes),
		cmocka_unit_test(test_options__takes_a_choice),
		cmocka_unit_test(test_options__suggests_the_nearest),
		cmocka_unit_test(
			test_options__suggests_little_for_short_words),
		cmocka_unit_test(test_options__reads_detach_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
