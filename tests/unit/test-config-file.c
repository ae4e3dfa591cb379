/* SPDX-License-Identifier: MIT */
/* Configuration files are changed by one key, and by nothing else. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/config-edit.h"
#include "daemon/config.h"
#include "lib/api/config-text.h"
#include "lib/api/limits.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "lib/base/path.h"
#include "tests/unit/unit.h"

static char dir[32];

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/svm-conffile-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	path_remove_tree(tmp, dir + 5);
	close(tmp);
	return 0;
}

static void becomes(const char *text, const char *key, const char *value,
		    const char *expect)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_buf struct buf out = BUF_INIT;
	int r = config_text_set("f", text, strlen(text), key, value, &out,
				&err);

	if (r < 0)
		fail_msg("%s=%s in <%s>: %s", key, value, text, err.msg);
	assert_int_equal(r, !!expect);
	assert_string_equal(buf_str(&out), expect ? expect : "");
}

static void refuses(const char *text, const char *key, const char *value,
		    const char *why)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_buf struct buf out = BUF_INIT;

	if (config_text_set("f", text, strlen(text), key, value, &out,
			    &err) >= 0)
		fail_msg("%s=%s in <%s> gave <%s>", key, value, text,
			 buf_str(&out));
	assert_int_equal(out.len, 0);
	if (!strstr(err.msg, why))
		fail_msg("expected <%s>, got <%s>", why, err.msg);
}

static void test_config_file__values_change_where_they_stand(void **state)
{
	(void)state;
	becomes("# mine\nserver:\n  port: 1 # one\n  host: a\n\n# end\n",
		"server.port", "2",
		"# mine\nserver:\n  port: 2 # one\n  host: a\n\n# end\n");
	becomes("server.port: 1\n", "server.port", "2", "server.port: 2\n");
	becomes("a: 'x' # c\nb: 1\n", "a", "y z", "a: y z # c\nb: 1\n");
	becomes("a: {b: 1, c: 2}\n", "a.c", "3,4", "a: {b: 1, c: \"3,4\"}\n");
	becomes("a: # c\nb: 1\n", "a", "1", "a: 1 # c\nb: 1\n");
	becomes("a: ~\n", "a", "1", "a: 1\n");
	becomes("a: |\n  long\n  text\n\n# c\nb: 1\n", "a", "1",
		"a: 1\n\n# c\nb: 1\n");
	becomes("a:\n  long plain\n  text\nb: 1\n", "a", "1", "a: 1\nb: 1\n");
	becomes("a: [x,\n  y] # c\nb: 1\n", "a", "1", "a: 1 # c\nb: 1\n");
	becomes("a: # c\n  # d\n  - x\n  - y # e\n  # f\nb: 1\n", "a", "1",
		"a: 1 # c\n  # d\n  # f\nb: 1\n");
	becomes("a:\n- x\n- y\nb: 1\n", "a", "1", "a: 1\nb: 1\n");
	becomes("\xef\xbb\xbfü: ö\na: é # ñ\n", "a", "ß",
		"\xef\xbb\xbfü: ö\na: \"ß\" # ñ\n");
	becomes("a: 1", "a", "2", "a: 2");
	becomes("a: 1\r\nb: 2\r\n", "a", "3", "a: 3\r\nb: 2\r\n");
}

static void test_config_file__new_keys_join_their_section(void **state)
{
	(void)state;
	becomes("", "a.b.c", "1", "a:\n  b:\n    c: 1\n");
	becomes("# only words", "a", "1", "# only words\na: 1\n");
	becomes("a:\n    b: 1 # one\n    # mine\n\nz: 1\n", "a.c", "2",
		"a:\n    b: 1 # one\n    c: 2\n    # mine\n\nz: 1\n");
	becomes("a:\n  b:\n    c: 1\nz: 1\n", "a.d.e", "2",
		"a:\n  b:\n    c: 1\n  d:\n    e: 2\nz: 1\n");
	becomes("a:\nz: 1\n", "a.b", "1", "a:\n  b: 1\nz: 1\n");
	becomes("a:\n  b:\nz: 1", "a.c", "1", "a:\n  b:\n  c: 1\nz: 1");
	becomes("a: {b: 1}\n", "a.c.d", "2", "a: {b: 1, c: {d: 2}}\n");
	becomes("a: {}\n", "a.b", "1", "a: {b: 1}\n");
	becomes("{a: 1,\n}\n", "b", "2", "{a: 1, b: 2,\n}\n");
	becomes("---\na: 1\n...\n# tail\n", "b", "2",
		"---\na: 1\nb: 2\n...\n# tail\n");
	becomes("a.b: 1\n", "a.c", "2", "a.b: 1\na:\n  c: 2\n");
	becomes("a:\n  - x\n  - y\n", "b", "2", "a:\n  - x\n  - y\nb: 2\n");
	becomes("a:\n  b: [x,\n   y]\n", "a.c", "2",
		"a:\n  b: [x,\n   y]\n  c: 2\n");
}

static void test_config_file__what_is_taken_out_is_gone(void **state)
{
	(void)state;
	becomes("# top\na:\n  b: 1 # one\n  # two\n  c: 2\n", "a.b", NULL,
		"# top\na:\n  # two\n  c: 2\n");
	becomes("x: 1\na:\n  b:\n    c: 1\nz: 1\n", "a.b.c", NULL,
		"x: 1\nz: 1\n");
	becomes("a:\n  # why\n  b: 1\nz: 1\n", "a.b", NULL,
		"a:\n  # why\nz: 1\n");
	becomes("a: {b: 1, c: 2}\n", "a.b", NULL, "a: {c: 2}\n");
	becomes("a: {b: 1, c: 2 }\n", "a.c", NULL, "a: {b: 1 }\n");
	becomes("a: {b: 1}\nz: 1\n", "a.b", NULL, "z: 1\n");
	becomes("a:\n  - x\n  - y\nz: 1\n", "a", NULL, "z: 1\n");
	becomes("a: |\n  x\n\nz: 1\n", "a", NULL, "\nz: 1\n");
	becomes("a: 1", "a", NULL, "");
	becomes("a:\nz: 1\n", "a", NULL, "z: 1\n");
}

static void test_config_file__no_change_is_none(void **state)
{
	(void)state;
	becomes("a: 1\n", "a", "1", NULL);
	becomes("a: \"1\"\n", "a", "1", NULL);
	becomes("a: 1\n", "b", NULL, NULL);
	becomes("", "b.c", NULL, NULL);
}

/* What is written is read as what was meant. */
static void test_config_file__any_value_survives(void **state)
{
	static const char *const values[] = {
		"", " ", "null", "~", "true", "0x10", "- a", "a: b", "a #b",
		"#", "\"", "'", "\\", "{a}", "[a", "a, b", "&a", "*a", "!a",
		"|", ">", "%a", "@a", "`a", "? a", "a:", "https://x.org:80/#a",
		"\t", "\x1b[1m", "\x7f", "ü", "\xe2\x80\xa8", "---", "...",
		"a\nb", "^]", "=", "<<", "a\\", "x  y",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		auto_err struct svm_err err = SVM_ERR_INIT;
		auto_buf struct buf block = BUF_INIT, flow = BUF_INIT;

		/* config_text_set() itself reads it back. */
		if (config_text_set("f", "a: 1\n", 5, "b.c", values[i], &block,
				    &err) != 1 ||
		    config_text_set("f", "b: {c: 1, d: 2}\n", 16, "b.c",
				    values[i], &flow, &err) != 1)
			fail_msg("<%s>: %s", values[i], err.msg);
	}
}

static void test_config_file__refuses_what_it_can_not_do(void **state)
{
	(void)state;
	refuses("a: [1\n", "b", "1", "f:");
	refuses("a: 1\na: 2\n", "b", "1", "f:2: 'a' stands twice");
	refuses("a: &x 1\n", "b", "1", "anchors");
	refuses("- a\n", "b", "1", "\"key: value\"");
	refuses("a: 1\n", "a.b", "1", "'a' is a value there");
	refuses("a: {b: 1}\n", "a", "1", "'a' is a section");
	refuses("a: {b: 1}\n", "a", NULL, "'a' is a section");
	refuses("a: 1\n", "a..b", "1", "is not a key");
	refuses("a: 1\n", "", "1", "is not a key");
	refuses("a\xff: 1\n", "b", "1", "not UTF-8");
	refuses("~\n", "b", "1", "can't be changed");
	/* Lines that belong to a value can't be told from those behind it. */
	refuses("a:\n  b: |+\n    x\n\n\nc: 1\n", "a.d", "1",
		"can't be changed");
}

static void test_config_file__lists(void **state)
{
	static const char *const words[] = { "git", "log", "{id}", "a:b",
					     "x, y", "", NULL };
	char *const *items = (char *const *)words;
	static const char line[] =
		"[git, log, \"{id}\", a:b, \"x, y\", \"\"]";
	static const struct {
		const char *text, *after;
	} to[] = {
		{ "", "c:\n  run: %s\n" },
		{ "c:\n  run: [a] # mine\n", "c:\n  run: %s # mine\n" },
		{ "c: {run: a, x: 1}\n", "c: {run: %s, x: 1}\n" },
		{ "c:\n  run:\n  - a\n", "c:\n  run: %s\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(to); i++) {
		auto_err struct svm_err err = SVM_ERR_INIT;
		auto_buf struct buf out = BUF_INIT, again = BUF_INIT;
		auto_buf struct buf expect = BUF_INIT;
		const char *at = strchr(to[i].after, '%');

		buf_addf(&expect, "%.*s%s%s", (int)(at - to[i].after),
			 to[i].after, line, at + 2);
		if (config_text_set_list("f", to[i].text, strlen(to[i].text),
					 "c.run", items, &out, &err) != 1)
			fail_msg("<%s>: %s", to[i].text, err.msg);
		assert_string_equal(buf_str(&out), buf_str(&expect));
		assert_int_equal(config_text_set_list("f", buf_str(&out),
						      out.len, "c.run", items,
						      &again, &err), 0);
	}
	char **read = config_text_read_list(line);
	assert_non_null(read);
	for (size_t i = 0; i < ARRAY_SIZE(words) - 1; i++)
		assert_string_equal(read[i], items[i]);
	assert_null(read[ARRAY_SIZE(words) - 1]);
	strv_free(read);
}

static void test_config_file__what_is_no_list(void **state)
{
	static const char *const bad[] = {
		"", "a", "[a", "a]", "[a] b", "[a]\nb: 1", "[{a: b}]", "[[a]]",
		"{a: b}", "&x [a]", "[*x]", "[!t a]", "- a", "[a]]",
	};
	auto_buf struct buf many = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (config_text_read_list(bad[i]))
			fail_msg("<%s> was read", bad[i]);
	for (int i = 0; i <= LIMIT_CONFIG_LIST; i++)
		buf_addstr(&many, i ? ",a" : "[a");
	buf_addch(&many, ']');
	assert_null(config_text_read_list(buf_str(&many)));
}

static char *put(const char *text)
{
	char *path = path_join(dir, "config.yaml");

	assert_int_equal(fd_replace_path(AT_FDCWD, path, text, strlen(text),
					 0640), 0);
	return path;
}

static void holds(const char *path, const char *text)
{
	auto_buf struct buf b = BUF_INIT;

	assert_int_equal(fd_slurp_path(AT_FDCWD, path, KIB(64), &b), 0);
	assert_string_equal(buf_str(&b), text);
}

static void test_config_file__replaced_with_its_mode(void **state)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_config_change struct config_change c = CONFIG_CHANGE_INIT;
	auto_free char *path = put("a: 1\n");
	struct stat st;

	(void)state;
	assert_int_equal(config_file_set(path, "a", "2", NULL, NULL, &c,
					 &err), 1);
	holds(path, "a: 2\n");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(config_file_undo(&c, &err), 0);
	holds(path, "a: 1\n");
	assert_int_equal(config_file_set(path, "a", "1", NULL, NULL, NULL,
					 &err), 0);
}

static void test_config_file__new_file_is_private(void **state)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_config_change struct config_change c = CONFIG_CHANGE_INIT;
	auto_free char *path = xasprintf("%s/x/y/config.yaml", dir);
	struct stat st;

	(void)state;
	if (config_file_set(path, "a.b", "2", NULL, NULL, &c, &err) != 1)
		fail_msg("%s", err.msg);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(config_file_undo(&c, &err), 0);
	assert_int_equal(stat(path, &st), -1);
}

static void test_config_file__a_link_stays_one(void **state)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_free char *path = put("a: 1\n");
	auto_free char *link = path_join(dir, "link.yaml");
	struct stat st;

	(void)state;
	assert_int_equal(symlink("config.yaml", link), 0);
	assert_int_equal(config_file_set(link, "a", "2", NULL, NULL, NULL,
					 &err), 1);
	assert_int_equal(lstat(link, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	holds(path, "a: 2\n");
}

static int forbid(const char *path, const char *text, size_t n, void *data,
		  struct svm_err *err)
{
	(void)path;
	*(size_t *)data = n;
	return svm_err_set(err, SVM_BAD_REQUEST, "no: %s", text);
}

static void test_config_file__refused_text_is_not_written(void **state)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_free char *path = put("a: 1\n");
	size_t n = 0;

	(void)state;
	assert_int_equal(config_file_set(path, "a", "2", forbid, &n, NULL,
					 &err), -1);
	assert_int_equal(n, 5);
	assert_string_equal(err.msg, "no: a: 2\n");
	holds(path, "a: 1\n");
}

static void test_config_file__others_work_is_not_undone(void **state)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_config_change struct config_change c = CONFIG_CHANGE_INIT;
	auto_free char *path = put("a: 1\n");

	(void)state;
	assert_int_equal(config_file_set(path, "a", "2", NULL, NULL, &c,
					 &err), 1);
	auto_free char *same = put("a: 2\n# mine\n");
	assert_int_equal(config_file_undo(&c, &err), -1);
	assert_int_equal(err.code, SVM_CONFLICT);
	holds(path, "a: 2\n# mine\n");
}

static int edit(const char *key, const char *value, struct svm_err *err)
{
	const struct config_source src = { .dir = dir };

	return config_edit(&src, key, value, NULL, NULL, err);
}

static void test_config_file__the_daemons_keys_are_checked(void **state)
{
	auto_free char *path = put("defaults:\n  ttl: 1h\n");

	(void)state;
	static const struct {
		const char *key, *value, *why;
	} bad[] = {
		{ "server.port", "x", "cannot set: server.port: 'x'" },
		{ "server.prot", "1", "did you mean 'server.port'" },
		{ "defaults.max_ttl", "30m",
		  "defaults.ttl is longer than defaults.max_ttl" },
		{ "providers.docker.x", "1", "not supported" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		auto_err struct svm_err err = SVM_ERR_INIT;

		assert_int_equal(edit(bad[i].key, bad[i].value, &err), -1);
		if (!strstr(err.msg, bad[i].why))
			fail_msg("<%s>", err.msg);
	}
	auto_err struct svm_err err = SVM_ERR_INIT;
	holds(path, "defaults:\n  ttl: 1h\n");
	assert_int_equal(edit("defaults.max_ttl", "2h", &err), 1);
	assert_int_equal(edit("keys.sandboxes.kill", "F8", &err), 1);
	holds(path, "defaults:\n  ttl: 1h\n  max_ttl: 2h\n"
		    "keys:\n  sandboxes:\n    kill: F8\n");
	assert_int_equal(edit("defaults.ttl", NULL, &err), 1);
	holds(path, "defaults:\n  max_ttl: 2h\n"
		    "keys:\n  sandboxes:\n    kill: F8\n");
}

/* The words of a program are a list; of every other key "[" is text. */
static void test_config_file__what_a_command_runs(void **state)
{
	auto_free char *path = put("a: 1\n");
	auto_err struct svm_err none = SVM_ERR_INIT;

	(void)state;
	assert_int_equal(fd_replace_path(AT_FDCWD, path, "", 0, 0600), 0);
	if (edit("commands.x.run", "[echo, \"{id}\"]", &none) != 1)
		fail_msg("%s", none.msg);
	assert_int_equal(edit("commands.x.run", " [echo,\"{id}\"] ", &none), 0);
	assert_int_equal(edit("keys.list.up", "[", &none), 1);
	holds(path, "commands:\n  x:\n    run: [echo, \"{id}\"]\n"
		    "keys:\n  list:\n    up: \"[\"\n");
	for (int i = 0; i < 2; i++) {
		auto_err struct svm_err err = SVM_ERR_INIT;

		assert_int_equal(edit("commands.x.run", i ? "[a, \"\\n\"]" :
							    "[echo, x", &err),
				 -1);
		assert_int_equal(strncmp(err.msg, "cannot set: commands.x.run:",
					 27), 0);
	}
}

/* Lines are those of the file as it is; what isn't in it has none. */
static void test_config_file__no_line_that_is_not_there(void **state)
{
	static const struct {
		const char *text, *key, *value, *says;
	} bad[] = {
		{ "# a\ndefaults:\n  ttl: 1h\n", "defaults.max_ttl", "30m",
		  "config.yaml:3: defaults.ttl is longer than "
		  "defaults.max_ttl (to be set)" },
		{ "# a\ndefaults:\n  max_ttl: 1h\n", "defaults.ttl", "2h",
		  "cannot set: defaults.ttl is longer than "
		  "defaults.max_ttl (/" },
		{ "defaults:\n  ttl: 30m\n  max_ttl: 1h\n# x\n",
		  "defaults.ttl", "2h", "config.yaml:3)" },
		/* What is behind moves on. */
		{ "server:\n  port: 1\nx: 1\n", "server.host", "localhost",
		  "config.yaml:3: unknown key 'x'" },
		{ "server:\n  port: 1\n  host: a\nx: 1\n", "server.port",
		  NULL, "config.yaml:4: unknown key 'x'" },
		{ "x: 1", "server.port", "1", "config.yaml:1: unknown key" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		auto_free char *path = put(bad[i].text);
		auto_err struct svm_err err = SVM_ERR_INIT;

		assert_int_equal(edit(bad[i].key, bad[i].value, &err), -1);
		if (!strstr(err.msg, bad[i].says))
			fail_msg("%zu: expected <%s>, got <%s>", i,
				 bad[i].says, err.msg);
	}
}

static void test_config_file__keys_are_known_alone(void **state)
{
	auto_err struct svm_err err = SVM_ERR_INIT;

	(void)state;
	assert_int_equal(config_edit_check_key("server.port", &err), 0);
	assert_int_equal(config_edit_check_key("keys.a.b", &err), 0);
	assert_int_equal(config_edit_check_key("server.prot", &err), -1);
	assert_non_null(strstr(err.msg, "did you mean 'server.port'"));
}

static int refuse(const struct config *c, struct svm_err *err)
{
	assert_int_equal(c->server_port, 1234);
	return svm_err_set(err, SVM_BAD_REQUEST, "others disagree");
}

static void test_config_file__others_are_asked_too(void **state)
{
	const struct config_source src = { .dir = dir };
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_free char *path = put("server:\n  port: 1\n");

	(void)state;
	assert_int_equal(config_edit(&src, "server.port", "1234", refuse,
				     NULL, &err), -1);
	assert_string_equal(err.msg, "others disagree");
	holds(path, "server:\n  port: 1\n");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_config_file__##name, \
						   setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(values_change_where_they_stand),
		TEST(new_keys_join_their_section),
		TEST(what_is_taken_out_is_gone),
		TEST(no_change_is_none),
		TEST(any_value_survives),
		TEST(refuses_what_it_can_not_do),
		TEST(lists),
		TEST(what_is_no_list),
		TEST(what_a_command_runs),
		TEST(no_line_that_is_not_there),
		TEST(keys_are_known_alone),
		TEST(replaced_with_its_mode),
		TEST(new_file_is_private),
		TEST(a_link_stays_one),
		TEST(refused_text_is_not_written),
		TEST(others_work_is_not_undone),
		TEST(the_daemons_keys_are_checked),
		TEST(others_are_asked_too),
#undef TEST
	};

	return cmocka_run_group_tests_name("config-file", tests, NULL, NULL);
}
