/* SPDX-License-Identifier: MIT */
/* Lines typed before: in fields, in the file, and what is never there. */
#include <fcntl.h>
#include <locale.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "tests/unit/model-fixture.h"

static char dir[64];

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/svm-past-XXXXXX");
	assert_non_null(mkdtemp(dir));
	setenv("STACYVM_STATE_DIR", dir, 1);
	return 0;
}

static char *file(void)
{
	return xasprintf("%s/tui-history.json", dir);
}

static int teardown(void **state)
{
	auto_free char *path = file();

	(void)state;
	unlink(path);
	unsetenv("STACYVM_STATE_DIR");
	return rmdir(dir);
}

static char *text_of_file(void)
{
	auto_free char *path = file();
	struct buf text = BUF_INIT;

	assert_int_equal(fd_slurp_path(AT_FDCWD, path, MIB(16), &text), 0);
	buf_addstr(&text, "");
	return buf_steal(&text);
}

static void assert_in_file(const char *text, bool wanted)
{
	auto_free char *is = text_of_file();

	if ((strstr(is, text) != NULL) != wanted)
		fail_msg("'%s' is %sin %s", text, wanted ? "not " : "", is);
}

/* As the program does. */
static void write_file(struct model *m)
{
	auto_err struct svm_err err = SVM_ERR_INIT;

	assert_true(m->effects & EFFECT_SAVE_PAST);
	m->effects &= ~(unsigned)EFFECT_SAVE_PAST;
	if (pasts_write(m, &err) < 0)
		fail_msg("%s", err.msg);
	update_settle(m);
	assert_false(m->effects & EFFECT_SAVE_PAST);
}

static struct model *start(int rows, int cols)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct model *m = fixture_model(rows, cols);

	if (pasts_read(m, &err) < 0)
		fail_msg("%s", err.msg);
	return m;
}

static void typed(struct model *m, const char *before, const char *text)
{
	fixture_keys(m, before);
	fixture_type(m, text);
	fixture_keys(m, "Enter");
}

/* At any size, in each kind of field, and only of that kind. */
static void test_past__in_fields(void **state)
{
	static const struct {
		int rows, cols;
	} sizes[] = { { 50, 200 }, { 40, 120 }, { 24, 80 }, { 16, 60 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct model *m = fixture_model(sizes[i].rows, sizes[i].cols);

		typed(m, "2 /", "python");
		typed(m, "Escape /", "node");
		typed(m, "Escape /", "node");
		fixture_keys(m, "Escape /");
		fixture_type(m, "beg");
		fixture_keys(m, "Up");
		assert_shown(m, "filter node");
		assert_shown(m, "sb-2c8e04");
		assert_not_shown(m, "sb-7f3a91");
		fixture_keys(m, "M-p");
		assert_shown(m, "filter python");
		assert_not_shown(m, "sb-2c8e04");
		fixture_keys(m, "Up Up");
		assert_shown(m, "filter python");
		fixture_keys(m, "Down M-n");
		assert_shown(m, "filter beg");
		fixture_keys(m, "Down Escape");
		/* The dashboard's table is one of sandboxes too. */
		fixture_keys(m, "1 / Up");
		assert_shown(m, "filter node");
		fixture_keys(m, "Escape 3 / Up");
		assert_not_shown(m, "filter node");
		fixture_keys(m, "Escape 5 / Up");
		assert_not_shown(m, "search node");
		fixture_free(m);
	}
}

/* A line of before that is changed is a line of its own, which is not lost by
 * looking further. */
static void test_past__changed(void **state)
{
	struct model *m = fixture_model(24, 120);

	(void)state;
	typed(m, "7 /", "one");
	typed(m, "/ ^U", "two");
	fixture_keys(m, "/ ^U Up Up");
	assert_shown(m, "search one");
	fixture_type(m, "s");
	fixture_keys(m, "Up");
	assert_shown(m, "search two");
	fixture_keys(m, "Down");
	assert_shown(m, "search ones");
	fixture_keys(m, "^W Up");
	assert_shown(m, "search two");
	fixture_keys(m, "Enter / ^U Up Up");
	assert_shown(m, "search one");
	fixture_free(m);
}

static void test_past__in_prompts(void **state)
{
	struct model *m = fixture_model(24, 120);

	(void)state;
	typed(m, "2 Down e", "make test");
	typed(m, "e", "ls");
	typed(m, "E ^U", "45m");
	fixture_keys(m, "e Up Up");
	assert_shown(m, "command make test");
	fixture_keys(m, "Down");
	assert_shown(m, "command ls");
	fixture_keys(m, "Down Escape");
	/* What is offered comes back as what was begun. */
	fixture_keys(m, "E Up");
	assert_shown(m, "from now on 45m");
	fixture_keys(m, "Down");
	assert_shown(m, "from now on 30m");
	/* What isn't taken is not kept. */
	fixture_keys(m, "^U");
	fixture_type(m, "nose");
	fixture_keys(m, "Enter Up");
	assert_shown(m, "from now on 45m");
	fixture_keys(m, "Up");
	assert_shown(m, "from now on 45m");
	fixture_free(m);
}

/* In forms the arrows move between fields. */
static void test_past__not_in_forms(void **state)
{
	struct model *m = fixture_model(40, 120);

	(void)state;
	typed(m, "2 Down e", "make test");
	fixture_keys(m, "s Down ^U");
	fixture_type(m, "below");
	fixture_keys(m, "Up");
	fixture_type(m, "above");
	assert_shown(m, "below");
	assert_shown(m, "above");
	fixture_free(m);
}

/* The palette's arrows choose, but on an empty line, and on from there. */
static void test_past__in_palette(void **state)
{
	struct model *m = fixture_model(24, 120);

	(void)state;
	typed(m, ":", "sandboxes /python");
	typed(m, ":", "events");
	fixture_keys(m, ": Up");
	assert_shown(m, ": events");
	fixture_keys(m, "Up");
	assert_shown(m, ": sandboxes /python");
	fixture_keys(m, "Down Down");
	assert_not_shown(m, ": events");
	fixture_keys(m, "Down Up Up");
	assert_shown(m, ": events");
	/* It is what was run, not what it was found by. */
	fixture_keys(m, "^U");
	typed(m, "", "refre");
	fixture_keys(m, ": M-p");
	assert_shown(m, ": refresh");
	/* Typed on, they choose again. */
	fixture_keys(m, "^U");
	fixture_type(m, "s");
	fixture_keys(m, "Down Up Up");
	assert_not_shown(m, ": refresh");
	fixture_keys(m, "M-p");
	assert_shown(m, ": refresh");
	fixture_free(m);
}

static void test_past__limits(void **state)
{
	struct past p = { .n = 0 };
	auto_free char *longest = xcalloc(1, LIMIT_TUI_PAST_LINE + 2);

	(void)state;
	for (int i = 0; i < 3 * LIMIT_TUI_PAST; i++) {
		auto_free char *line = xasprintf("line %d", i);

		past_add(&p, line);
	}
	assert_int_equal(p.n, LIMIT_TUI_PAST);
	assert_int_equal(p.fresh, LIMIT_TUI_PAST);
	assert_string_equal(past_line(&p, 1), "line 299");
	assert_string_equal(past_line(&p, LIMIT_TUI_PAST), "line 200");
	assert_null(past_line(&p, LIMIT_TUI_PAST + 1));
	assert_null(past_line(&p, 0));
	memset(longest, 'x', LIMIT_TUI_PAST_LINE + 1);
	past_add(&p, longest);
	assert_string_equal(past_line(&p, 1), "line 299");
	longest[LIMIT_TUI_PAST_LINE] = '\0';
	past_add(&p, longest);
	assert_string_equal(past_line(&p, 1), longest);
	past_add(&p, "");
	past_add(NULL, "x");
	assert_null(past_line(NULL, 1));
	assert_string_equal(past_line(&p, 1), longest);
	for (size_t i = 0; i < p.n; i++)
		free(p.line[i]);
}

static int any_key(void *data, const char *key, struct svm_err *err)
{
	(void)data, (void)key, (void)err;
	return 0;
}

static int no_value(void *data, const char *key, const char *value,
		    struct config_change *ret, struct svm_err *err)
{
	(void)data, (void)value, (void)ret;
	return svm_err_set(err, SVM_BAD_REQUEST, "%s: not now", key);
}

static int nothing(void *data, struct buf *json, struct svm_err *err)
{
	(void)data, (void)err;
	buf_addstr(json, "{}");
	return 0;
}

static bool none(void *data, size_t i, struct setting *ret)
{
	(void)data, (void)i, (void)ret;
	return false;
}

static void test_past__no_secrets(void **state)
{
	static const struct settings_ops settings = {
		.at = none, .check = any_key, .show = nothing,
		.change = no_value,
	};
	static const char *const secret[] = {
		"API_TOKEN=abc ./run", "curl --password abc x",
		"login --api-key=abc", "run -e HOME=abc", " for nobody",
		"curl -H 'Authorization: Basic abc'", "export MY_KEY=abc",
		"x --client-secret abc", "config set auth.api_key abc",
	};
	static const char *const open[] = {
		"token", "task=ci", "key=value", "keyboard layout",
	};
	struct model *m = start(24, 120);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(secret); i++) {
		past_add(&m->past[PAST_EXEC], secret[i]);
		if (m->past[PAST_EXEC].n)
			fail_msg("kept: %s", secret[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(open); i++) {
		past_add(&m->past[PAST_EXEC], open[i]);
		if (m->past[PAST_EXEC].n != i + 1)
			fail_msg("not kept: %s", open[i]);
	}
	update_settle(m);
	write_file(m);
	/* Names typed to agree, and values of settings. */
	fixture_keys(m, ":");
	typed(m, "", "read-only");
	typed(m, ":", "read-only");
	typed(m, "", "write");
	assert_false(m->read_only);
	m->settings = &settings;
	typed(m, "6 n ^U", "templates.of");
	typed(m, "", "nobody knows");
	write_file(m);
	assert_in_file("templates.of", true);
	assert_in_file("nobody knows", false);
	assert_in_file("\"write\"", false);
	fixture_free(m);
}

/* What each of two dashboards has typed is there, in the order of writing. */
static void test_past__of_two_dashboards(void **state)
{
	struct model *a = start(24, 120), *b = start(24, 120), *c;
	auto_free char *path = file();
	struct stat st;

	(void)state;
	typed(a, "2 /", "of a");
	write_file(a);
	typed(b, "2 /", "of b");
	write_file(b);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	fixture_keys(b, "Escape / Up Up");
	assert_shown(b, "filter of a");
	typed(a, "Escape /", "of a again");
	fixture_keys(a, "Escape / Up Up");
	assert_shown(a, "filter of a");
	fixture_keys(a, "Escape");
	write_file(a);
	c = start(24, 120);
	fixture_keys(c, "2 / Up");
	assert_shown(c, "filter of a again");
	fixture_keys(c, "Up");
	assert_shown(c, "filter of b");
	fixture_keys(c, "Up");
	assert_shown(c, "filter of a\n");
	/* When the file was taken away, nothing of it comes back. */
	assert_int_equal(unlink(path), 0);
	typed(c, "Escape /", "anew");
	write_file(c);
	assert_in_file("of b", false);
	assert_in_file("anew", true);
	fixture_keys(c, "Escape / Up Up");
	assert_shown(c, "filter anew");
	fixture_free(a);
	fixture_free(b);
	fixture_free(c);
}

/* A file that makes no sense is said, and replaced; control characters don't
 * get in by it; one that can't be written stops the writing. */
static void test_past__hostile_file(void **state)
{
	static const char *const texts[] = {
		"{}", "{\"sandboxes\":7}", "{\"sandboxes\":[7,{},null,[]]}",
		"{\"nothing\":[\"x\"]}",
	};
	struct model *m = fixture_model(24, 120);
	auto_err struct svm_err err = SVM_ERR_INIT, nowhere = SVM_ERR_INIT;
	auto_free char *path = file();
	char steer[] = "{\"sandboxes\":[\"a\\u001b[2J\\nb\"]}";

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		assert_int_equal(fd_replace_path(AT_FDCWD, path, texts[i],
						 strlen(texts[i]), 0600), 0);
		assert_int_equal(pasts_read(m, &err), 0);
		assert_int_equal(m->past[PAST_SANDBOXES].n, 0);
	}
	fd_replace_path(AT_FDCWD, path, steer, strlen(steer), 0600);
	assert_int_equal(pasts_read(m, &err), 0);
	fixture_keys(m, "2 / Up");
	assert_shown(m, "filter a[2Jb");
	fixture_keys(m, "Escape");
	fd_replace_path(AT_FDCWD, path, "[", 1, 0600);
	assert_int_equal(pasts_read(m, &err), -1);
	assert_non_null(strstr(err.msg, "tui-history.json"));
	typed(m, "/", "good");
	write_file(m);
	assert_in_file("good", true);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	typed(m, "Escape /", "more");
	assert_true(m->effects & EFFECT_SAVE_PAST);
	assert_int_equal(pasts_write(m, &nowhere), -1);
	m->effects = 0;
	typed(m, "Escape /", "still more");
	assert_false(m->effects & EFFECT_SAVE_PAST);
	fixture_keys(m, "Escape / Up Up");
	assert_shown(m, "filter more");
	assert_int_equal(rmdir(path), 0);
	fixture_free(m);
}

int main(void)
{
#define TEST(name) \
	cmocka_unit_test_setup_teardown(test_past__##name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(in_fields),
		TEST(changed),
		TEST(in_prompts),
		TEST(not_in_forms),
		TEST(in_palette),
		TEST(limits),
		TEST(no_secrets),
		TEST(of_two_dashboards),
		TEST(hostile_file),
#undef TEST
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8")) {
		print_message("needs the locale C.UTF-8\n");
		return 1;
	}
	return cmocka_run_group_tests_name("past", tests, NULL, NULL);
}
