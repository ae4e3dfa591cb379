/* SPDX-License-Identifier: MIT */
/* Themes of the user's own. */
#include "tui/theme-file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "lib/base/path.h"
#include "tests/unit/unit.h"

static char dir[32];

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/svm-theme-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	auto_free char *themes = path_join(dir, "themes");
	return mkdir(themes, 0700);
}

static int teardown(void **state)
{
	int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	path_remove_tree(tmp, dir + 5);
	close(tmp);
	return 0;
}

static void put(const char *name, const char *text)
{
	auto_free char *path = xasprintf("%s/themes/%s", dir, name);

	assert_int_equal(fd_replace_path(AT_FDCWD, path, text, strlen(text),
					 0600), 0);
}

static struct theme parse(const char *text)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct theme t;

	if (theme_parse("t.yaml", text, strlen(text), &t, &err) < 0)
		fail_msg("%s", err.msg);
	return t;
}

static void test_theme_file__changes_a_theme(void **state)
{
	const struct theme *light = theme_find("light");
	struct theme t = parse("base: light\n"
			       "background: '#101418'\n"
			       "ink: ECE7DD\n"
			       "bad: bold underline white on bright-red\n"
			       "ok: 214\n"
			       "dim: default\n"
			       "selected: reverse\n");

	(void)state;
	assert_int_equal(t.background, COLOUR_RGB(0x101418));
	assert_int_equal(t.ink, COLOUR_RGB(0xece7dd));
	assert_int_equal(t.role[ROLE_BAD].fg, COLOUR_PALETTE(7));
	assert_int_equal(t.role[ROLE_BAD].bg, COLOUR_PALETTE(9));
	assert_int_equal(t.role[ROLE_BAD].attr, CELL_BOLD | CELL_UNDERLINE);
	assert_int_equal(t.role[ROLE_OK].fg, COLOUR_PALETTE(214));
	assert_int_equal(t.role[ROLE_DIM].fg, COLOUR_DEFAULT);
	assert_int_equal(t.role[ROLE_SELECTED].attr, CELL_REVERSE);
	assert_int_equal(t.role[ROLE_FOCUS].fg, light->role[ROLE_FOCUS].fg);
	/* An empty one is "auto". */
	t = parse("# nothing\nline:\n");
	assert_memory_equal(&t, theme_find("auto"), sizeof(t));
}

static void test_theme_file__says_what_is_wrong(void **state)
{
	static const struct {
		const char *text, *why;
	} bad[] = {
		{ "base: night\n", "t.yaml:1: base: 'night' is not one of" },
		{ "ok: red\nbad: reddish\n", "t.yaml:2: bad: 'reddish' can't" },
		{ "ok: 256\n", "'256' can't be there" },
		{ "ok: '#12345'\n", "'#12345' can't be there" },
		{ "\nokay: red\n", "t.yaml:2: 'okay' is nothing of a theme" },
		{ "ok: [red]\n", "'ok' must be one line" },
		{ "ok: {a: red}\n", "'ok' must be one line" },
		{ "ok: *x\n", "anchors" },
		{ "ok: \"\\e[31m\"\n", "can't be there" },
		{ "ok: red on\n", "'on' can't be there" },
		{ "ok: red on bold\n", "'on' can't be there" },
		{ "ok: red on on blue\n", "'on' can't be there" },
		{ "ok: red blue\n", "'blue' can't be there" },
		{ "ok: red on blue green\n", "'green' can't be there" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		auto_err struct svm_err err = SVM_ERR_INIT;
		struct theme t;

		assert_int_equal(theme_parse("t.yaml", bad[i].text,
					     strlen(bad[i].text), &t, &err),
				 -1);
		if (!strstr(err.msg, bad[i].why))
			fail_msg("<%s> for <%s>", err.msg, bad[i].text);
	}
}

static void test_theme_file__found_by_name(void **state)
{
	auto_err struct svm_err none = SVM_ERR_INIT, path = SVM_ERR_INIT,
				err = SVM_ERR_INIT;
	struct theme t;

	(void)state;
	put("mine.yaml", "ok: 5\n");
	put("mono.yaml", "ok: 5\n"); /* never instead of a built-in one */
	put("a b.yaml", "ok: 5\n");
	put("other.txt", "");
	put("z.yaml", "");
	auto_free char *names = theme_names(dir);
	assert_string_equal(names,
			    "auto|mission|light|contrast|mono|mine|z");
	assert_int_equal(theme_load(dir, "mine", &t, &err), 0);
	assert_int_equal(t.role[ROLE_OK].fg, COLOUR_PALETTE(5));
	assert_int_equal(theme_load(dir, "mono", &t, &err), 0);
	assert_int_equal(t.role[ROLE_OK].fg, COLOUR_DEFAULT);
	assert_int_equal(theme_load(dir, "none", &t, &none), -1);
	assert_non_null(strstr(none.msg, "there is no /tmp/svm-theme-"));
	auto_err struct svm_err shared = SVM_ERR_INIT;
	auto_free char *mine = xasprintf("%s/themes/mine.yaml", dir);
	assert_int_equal(chmod(mine, 0666), 0);
	assert_int_equal(theme_load(dir, "mine", &t, &shared), -1);
	assert_non_null(strstr(shared.msg, "all may write it"));
	assert_int_equal(theme_load(dir, "../themes/mine", &t, &path), -1);
	assert_non_null(strstr(path.msg, "not the name of a theme"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_theme_file__##name, \
						   setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(changes_a_theme),
		TEST(says_what_is_wrong),
		TEST(found_by_name),
#undef TEST
	};

	return cmocka_run_group_tests_name("theme-file", tests, NULL, NULL);
}
