/* SPDX-License-Identifier: MIT */
/* The command palette: what is typed, what is found, what is run. */
#include <locale.h>

#include "tests/unit/model-fixture.h"

static struct model *start(void **state)
{
	(void)state;
	return fixture_model(30, 100);
}

static void assert_no_dialog(const struct model *m)
{
	assert_null(m->dialog);
}

static void type_command(struct model *m, const char *text)
{
	fixture_keys(m, ":");
	fixture_type(m, text);
	fixture_keys(m, "Enter");
	assert_true(!m->dialog || strcmp(text, "q") != 0);
}

static void test_palette__ranks(void **state)
{
	struct model *m = start(state);
	auto_free char *screen = NULL;

	fixture_keys(m, "j :");
	fixture_type(m, "ev");
	screen = fixture_screen(m);
	/* The name that begins so comes first, then those that have it. */
	assert_true(strstr(screen, "events") < strstr(screen, "preview"));
	fixture_keys(m, "^U");
	fixture_type(m, "tml"); /* letters in order */
	assert_shown(m, "terminal sb-7f3a91c2 ");
	fixture_keys(m, "^U");
	fixture_type(m, "port inside");
	assert_shown(m, "preview sb-7f3a91c2 ");
	assert_not_shown(m, "kill sb-");
	fixture_keys(m, "Enter");
	assert_shown(m, "PREVIEW sb-7f3a91c2");
	fixture_free(m);
}

static void test_palette__commands(void **state)
{
	struct model *m = start(state);

	type_command(m, "logs sb-2c");
	assert_int_equal(m->screen, SCREEN_LOGS);
	assert_shown(m, "LOGS  sb-2c8e04d7");
	type_command(m, "sandboxes /state=error");
	assert_int_equal(m->screen, SCREEN_SANDBOXES);
	assert_shown(m, "filter: state=error");
	assert_not_shown(m, "sb-7f3a91c2");
	/* Whatever is selected: the one that was named. */
	type_command(m, "kill sb-7f");
	assert_shown(m, "KILL sb-7f3a91c2?");
	fixture_keys(m, "n");
	type_command(m, "kill web");
	assert_shown(m, "KILL sb-7f3a91c2?");
	fixture_keys(m, "n");
	type_command(m, "spawn web-build");
	assert_shown(m, "--template web-build");
	fixture_keys(m, "Escape"); /* nothing was typed */
	type_command(m, "q");
	assert_true(m->effects & EFFECT_QUIT);
	fixture_free(m);
}

/* A name that isn't there doesn't fall back to what is selected. */
static void test_palette__unknown(void **state)
{
	static const char *const bad[] = {
		"kill sb-nobody", "kil sb-7f3a91c2", "nosuch", "extend x y",
		"sort sb-7f3a91c2", "spawn nosuch",
	};
	struct model *m = start(state);

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		type_command(m, bad[i]);
		assert_no_dialog(m);
		assert_shown(m, "no command");
		assert_null(fixture_request(m, "DELETE"));
	}
	fixture_free(m);
}

static void test_palette__completes(void **state)
{
	struct model *m = start(state);

	fixture_keys(m, ":");
	fixture_type(m, "kil");
	fixture_keys(m, "Tab");
	assert_shown(m, ": kill ");
	assert_shown(m, "web python:3.12 running");
	fixture_type(m, "zz");
	fixture_keys(m, "Tab");
	assert_shown(m, "nothing has this name");
	fixture_keys(m, "^W");
	fixture_type(m, "1e9");
	fixture_keys(m, "Tab");
	assert_shown(m, ": kill sb-1e90cf33");
	fixture_keys(m, "Enter");
	assert_shown(m, "KILL sb-1e90cf33?");
	fixture_free(m);
}

static void test_palette__read_only(void **state)
{
	struct model *m = start(state);

	m->read_only = true;
	type_command(m, "kill web");
	assert_no_dialog(m);
	fixture_keys(m, ":");
	fixture_type(m, "kill");
	assert_not_shown(m, "kill sb-");
	assert_not_shown(m, "kill the selected");
	fixture_keys(m, "Escape");
	type_command(m, "spawn web-build");
	assert_no_dialog(m);
	/* Out of it only a word leads. */
	type_command(m, "read-only");
	assert_shown(m, "ALLOW CHANGES?");
	fixture_keys(m, "Enter y Enter");
	assert_shown(m, "it is write:");
	assert_true(m->read_only);
	fixture_keys(m, "Escape");
	assert_no_dialog(m);
	assert_true(m->read_only);
	type_command(m, "read-only");
	fixture_type(m, "write");
	fixture_keys(m, "Enter");
	assert_no_dialog(m);
	assert_false(m->read_only);
	/* Into it at once. */
	type_command(m, "read-only");
	assert_no_dialog(m);
	assert_true(m->read_only);
	fixture_free(m);
}

/* The fleet may change while it is open. */
static void test_palette__while_sandboxes_go(void **state)
{
	struct model *m = start(state);

	fixture_keys(m, ":");
	fixture_type(m, "kill web");
	fixture_no_sandboxes(m);
	assert_shown(m, "sb-7f3a91c2");
	fixture_keys(m, "Enter");
	assert_no_dialog(m);
	assert_shown(m, "no sandbox sb-7f3a91c2");
	fixture_free(m);
}

/* -- what an action would act on */

static void test_palette__says_on_what(void **state)
{
	struct model *m = start(state);

	fixture_keys(m, "j :");
	fixture_type(m, "kill");
	assert_shown(m, "\xe2\x96\x8ckill sb-7f3a91c2 ");
	/* What it said, whatever is selected by then. */
	fixture_no_sandboxes(m);
	fixture_keys(m, "Enter");
	assert_no_dialog(m);
	assert_shown(m, "no sandbox sb-7f3a91c2");
	fixture_free(m);
}

static void test_palette__marked(void **state)
{
	struct model *m = start(state);

	fixture_keys(m, "Space j Space :");
	fixture_type(m, "kill");
	assert_shown(m, "\xe2\x96\x8ckill marked (2) ");
	fixture_keys(m, "Enter");
	assert_shown(m, "KILL 2 SANDBOXES?");
	fixture_keys(m, "n");
	/* One terminal is of one sandbox. */
	fixture_keys(m, ":");
	fixture_type(m, "terminal");
	assert_shown(m, "terminal sb-");
	fixture_keys(m, "Escape");
	/* Elsewhere no sandbox is selected. */
	fixture_keys(m, "3 :");
	fixture_type(m, "sandboxes");
	assert_not_shown(m, "marked (");
	fixture_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_palette__ranks),
		cmocka_unit_test(test_palette__commands),
		cmocka_unit_test(test_palette__unknown),
		cmocka_unit_test(test_palette__completes),
		cmocka_unit_test(test_palette__read_only),
		cmocka_unit_test(test_palette__while_sandboxes_go),
		cmocka_unit_test(test_palette__says_on_what),
		cmocka_unit_test(test_palette__marked),
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8")) {
		print_message("needs the locale C.UTF-8\n");
		return 1;
	}
	return cmocka_run_group_tests_name("palette", tests, NULL, NULL);
}
