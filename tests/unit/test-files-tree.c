/* SPDX-License-Identifier: MIT */
/* The tree of a sandbox's files: opened, closed, looked at again. */
#include <locale.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "tests/unit/model-fixture.h"
#include "tui/glyph.h"

#define FILES "/api/v1/sandboxes/sb-7f3a91c2/files"
#define LIST FILES "/list?path="
#define ROOT LIST "%2Fworkspace"
#define SRC ROOT "%2Fsrc"
#define LIB SRC "%2Flib"

#define DIR(path, name) \
	"{\"name\":\"" name "\",\"path\":\"" path "/" name \
	"\",\"is_dir\":true,\"mode\":\"0755\"," \
	"\"mod_time\":\"2026-03-01T11:50:00.000Z\"}"
#define FILE_AT(path, name, size, second) \
	"{\"name\":\"" name "\",\"path\":\"" path "/" name \
	"\",\"size\":" size ",\"mode\":\"0644\"," \
	"\"mod_time\":\"2026-03-01T11:50:" second ".000Z\"}"
#define FILE(path, name) FILE_AT(path, name, "1", "00")

#define W "/workspace"
#define ROOT_LIST \
	"[" DIR(W, "src") "," DIR(W, "tests") "," FILE(W, "README") "]"
#define SRC_LIST \
	"[" DIR(W "/src", "lib") "," FILE(W "/src", "main.py") "," \
	FILE(W "/src", "util.py") "]"
#define LIB_LIST "[" FILE(W "/src/lib", "deep.py") "]"

static int answer(struct model *m, const char *target, const char *reply)
{
	return fixture_answer(m, "GET", target, SVM_OK, reply);
}

static int refuse(struct model *m, const char *target, enum svm_code code)
{
	return fixture_answer(m, "GET", target, code, "no");
}

static struct model *in_files_of(int rows, int cols)
{
	struct model *m = fixture_model(rows, cols);

	fixture_keys(m, "j f");
	assert_int_equal(answer(m, ROOT, ROOT_LIST), 1);
	return m;
}

static struct model *in_files(void)
{
	return in_files_of(30, 120);
}

/* With /workspace/src and /workspace/src/lib open; on src. */
static struct model *in_tree(void)
{
	struct model *m = in_files();

	fixture_keys(m, "l");
	assert_int_equal(answer(m, SRC, SRC_LIST), 1);
	fixture_keys(m, "j l");
	assert_int_equal(answer(m, LIB, LIB_LIST), 1);
	fixture_keys(m, "g");
	return m;
}

/* All names of the list from top to bottom, the selected one with a bar. */
static void assert_rows_(const struct model *m, const char *rows, int line)
{
	auto_free char *screen = fixture_screen(m), *is = xstrdup("");
	char *rest = NULL, *s = strtok_r(screen, "\n", &rest);

	for (int i = 0; s; s = strtok_r(NULL, "\n", &rest), i++) {
		const char *p = s + strlen("│");
		char word[64];
		bool at = strncmp(p, GLYPH_MARKER, 3) == 0;

		if (strncmp(s, "│", strlen("│")) != 0)
			continue;
		p += at ? 3 : 1;
		p += *p == '*' || *p == ' ';
		p += strspn(p, " ");
		if (strncmp(p, GLYPH_DOWN, 3) == 0 ||
		    strncmp(p, GLYPH_RIGHT, 3) == 0)
			p += 3 + (p[3] == ' ');
		if (sscanf(p, "%63s", word) != 1 ||
		    strncmp(word, "│", strlen("│")) == 0)
			break;
		char *more = xasprintf("%s%s%s%s", is, *is ? " " : "",
				       at ? "|" : "", word);
		free(is);
		is = more;
	}
	if (strcmp(is, rows) != 0) {
		auto_free char *all = fixture_screen(m);

		fputs(all, stderr);
		fail_msg("line %d: rows are '%s', not '%s'", line, is, rows);
	}
}
#define assert_rows(m, rows) assert_rows_(m, rows, __LINE__)

static void test_files_tree__open_and_close(void **state)
{
	struct model *m = in_files();

	(void)state;
	assert_rows(m, "|src/ tests/ README");
	assert_shown(m, GLYPH_RIGHT " src/");
	fixture_keys(m, "Right");
	assert_shown(m, GLYPH_DOWN " src/");
	assert_shown(m, "asking");
	assert_int_equal(answer(m, SRC, SRC_LIST), 1);
	assert_not_shown(m, "asking");
	assert_rows(m, "|src/ lib/ main.py util.py tests/ README");
	/* What is open is gone into, and out of it to its directory. */
	fixture_keys(m, "l");
	assert_rows(m, "src/ |lib/ main.py util.py tests/ README");
	fixture_keys(m, "j j h");
	assert_rows(m, "|src/ lib/ main.py util.py tests/ README");
	fixture_keys(m, "Left");
	assert_rows(m, "|src/ tests/ README");
	/* Enter does both; what was there is there at once, and asked for. */
	fixture_keys(m, "Enter");
	assert_rows(m, "|src/ lib/ main.py util.py tests/ README");
	assert_int_equal(answer(m, SRC, "[]"), 1);
	assert_rows(m, "|src/ tests/ README");
	assert_shown(m, "empty");
	fixture_keys(m, "l"); /* there is nothing to go to */
	assert_rows(m, "|src/ tests/ README");
	fixture_keys(m, "Enter");
	assert_not_shown(m, "empty");
	/* At the top, to the directory above, as - does. */
	fixture_keys(m, "j j h");
	assert_int_equal(answer(m, LIST "%2F",
				"[" DIR("", "etc") "," DIR("", "workspace")
				"]"), 1);
	assert_shown(m, "FILES / ");
	assert_rows(m, "etc/ |workspace/");
	fixture_keys(m, "l");
	assert_rows(m, "etc/ |workspace/ src/ tests/ README");
	assert_int_equal(answer(m, ROOT, ROOT_LIST), 1);
	fixture_keys(m, "h h h");
	assert_shown(m, "FILES / ");
	fixture_free(m);
}

static void test_files_tree__a_file_is_shown(void **state)
{
	struct model *m = in_tree();

	(void)state;
	fixture_keys(m, "j j j Enter");
	assert_int_equal(answer(m, FILES, "import sys\n"), 1);
	assert_shown(m, "import sys");
	fixture_free(m);
}

/* Only who tries to read it knows that it leads to a directory. */
static void test_files_tree__a_link_is_followed(void **state)
{
	static const char list[] =
		"[{\"name\":\"link\",\"path\":\"/workspace/link\","
		"\"type\":\"symlink\",\"target\":\"src\"}]";
	struct model *m = in_files();

	(void)state;
	fixture_keys(m, "^R");
	assert_int_equal(answer(m, ROOT, list), 1);
	fixture_keys(m, "g Enter");
	assert_int_equal(refuse(m, FILES, SVM_BAD_REQUEST), 1);
	assert_int_equal(answer(m, ROOT "%2Flink",
				"[" FILE(W "/link", "f") "]"), 1);
	assert_shown(m, "FILES /workspace/link ");
	assert_not_shown(m, " A\xe2\x94\x82"); /* it was there before */
	assert_null(m->toast);
	fixture_keys(m, "-");
	assert_shown(m, "FILES /workspace ");
	fixture_free(m);
}

static void test_files_tree__this_directory_alone(void **state)
{
	struct model *m = in_tree();

	(void)state;
	fixture_keys(m, "j j >"); /* of a file: the one that it is in */
	assert_shown(m, "FILES /workspace/src/lib ");
	assert_rows(m, "|deep.py");
	assert_int_equal(answer(m, LIB, LIB_LIST), 1);
	fixture_keys(m, "-");
	assert_shown(m, "FILES /workspace/src ");
	assert_rows(m, "|lib/ deep.py main.py util.py");
	fixture_keys(m, "~ g >");
	assert_shown(m, "FILES /workspace/src ");
	fixture_free(m);
}

/* The tree looks at all that can be seen, and stays as it is. */
static void test_files_tree__refresh(void **state)
{
	struct model *m = in_tree();

	(void)state;
	fixture_keys(m, "j j ^R");
	assert_rows(m, "src/ lib/ |deep.py main.py util.py tests/ README");
	assert_int_equal(answer(m, LIB, "[" FILE(W "/src/lib", "a.py") ","
				FILE(W "/src/lib", "deep.py") "]"), 1);
	assert_int_equal(answer(m, SRC, SRC_LIST), 1);
	assert_int_equal(answer(m, ROOT, ROOT_LIST), 1);
	assert_rows(m, "src/ lib/ a.py |deep.py main.py util.py tests/ README");
	/* What can't be seen isn't asked for, and is as it was left. */
	fixture_keys(m, "h h h h ^R");
	assert_rows(m, "|src/ tests/ README");
	assert_int_equal(answer(m, SRC, SRC_LIST), 0);
	assert_int_equal(answer(m, ROOT, ROOT_LIST), 1);
	fixture_free(m);
}

/* An answer on its way may be from before what was changed. */
static void test_files_tree__asked_again(void **state)
{
	struct model *m = in_files();

	(void)state;
	fixture_keys(m, "^R ^R ^R");
	struct request *r = fixture_request(m, "GET");

	assert_string_equal(r->target, ROOT);
	list_remove(&r->link);
	m->waiting--;
	assert_null(fixture_request(m, "GET"));
	buf_addstr(&r->reply, ROOT_LIST);
	request_done(m, r);
	request_free(r);
	update_settle(m);
	assert_rows(m, "|src/ tests/ README");
	assert_int_equal(answer(m, ROOT, "[]"), 1);
	assert_shown(m, "empty");
	assert_null(fixture_request(m, "GET"));
	fixture_free(m);
}

static void test_files_tree__vanished(void **state)
{
	struct model *m = in_tree();

	(void)state;
	fixture_keys(m, "j ^R");
	/* Gone while it is listed: its directory is asked once more. */
	assert_int_equal(refuse(m, LIB, SVM_FILE_NOT_FOUND), 1);
	assert_rows(m, "src/ |lib/ main.py util.py tests/ README");
	assert_shown(m, "gone");
	assert_int_equal(answer(m, ROOT, ROOT_LIST), 1);
	assert_int_equal(answer(m, SRC, SRC_LIST), 1); /* from before that */
	assert_int_equal(answer(m, SRC, "[" FILE(W "/src", "main.py") "]"), 1);
	assert_rows(m, "src/ |main.py tests/ README");
	assert_null(fixture_request(m, "GET"));
	/* It comes back closed. */
	fixture_keys(m, "^R");
	assert_int_equal(answer(m, SRC, SRC_LIST), 1);
	assert_rows(m, "src/ lib/ |main.py util.py tests/ README");
	assert_shown(m, GLYPH_RIGHT " lib/");
	/* One that holds others, with those in it. */
	fixture_keys(m, "k l");
	assert_int_equal(answer(m, LIB, LIB_LIST), 1);
	assert_int_equal(answer(m, ROOT, "[" FILE(W, "src") "]"), 1);
	assert_rows(m, "|src");
	fixture_keys(m, "^R");
	assert_int_equal(answer(m, ROOT, ROOT_LIST), 1);
	fixture_keys(m, "g l");
	assert_rows(m, "|src/ tests/ README");
	assert_int_equal(answer(m, SRC, SRC_LIST), 1);
	assert_rows(m, "|src/ lib/ main.py util.py tests/ README");
	fixture_free(m);
}

/* Who stands on what vanishes stays near: beside it, else on its directory. */
static void test_files_tree__stays_near(void **state)
{
	struct model *m = in_tree();

	(void)state;
	fixture_keys(m, "j j j j");
	assert_rows(m, "src/ lib/ deep.py main.py |util.py tests/ README");
	fixture_keys(m, "^R");
	assert_int_equal(answer(m, SRC, "[" DIR(W "/src", "lib") ","
					FILE(W "/src", "a.py") ","
					FILE(W "/src", "main.py") "]"), 1);
	assert_rows(m, "src/ lib/ deep.py a.py |main.py tests/ README");
	assert_int_equal(answer(m, SRC, "[" DIR(W "/src", "lib") "]"), 0);
	fixture_keys(m, "^R");
	assert_int_equal(answer(m, SRC, "[" DIR(W "/src", "lib") ","
					FILE(W "/src", "b.py") "]"), 1);
	/* Both of its neighbours went with it. */
	assert_rows(m, "|src/ lib/ deep.py b.py tests/ README");
	fixture_keys(m, "j j ^R");
	assert_rows(m, "src/ lib/ |deep.py b.py tests/ README");
	answer(m, LIB, "[]");
	assert_rows(m, "src/ |lib/ b.py tests/ README");
	answer(m, ROOT, "[" FILE(W, "other") "]");
	assert_rows(m, "|other");
	fixture_free(m);
}

/* What is in view and was deleted meanwhile goes on being shown, as that. */
static void test_files_tree__gone_from_view(void **state)
{
	struct model *m = in_tree();

	(void)state;
	fixture_keys(m, "j j j Enter");
	assert_shown(m, "reading ...");
	assert_not_shown(m, "READ ");
	assert_int_equal(answer(m, FILES, "import sys"), 1);
	assert_not_shown(m, "reading ...");
	assert_shown(m, "text  UTF-8  READ");
	fixture_keys(m, "1 ^R");
	assert_int_equal(answer(m, SRC, "[" DIR(W "/src", "lib") "]"), 1);
	assert_shown(m, "gone  text  UTF-8  READ");
	assert_shown(m, "/workspace/src/main.py was deleted in the sandbox; "
			"what you see is what was read");
	assert_shown(m, "import sys");
	fixture_keys(m, "^R");
	assert_int_equal(answer(m, SRC, SRC_LIST), 1);
	assert_not_shown(m, "gone  text");
	/* With the directory that it was in. */
	fixture_keys(m, "^R");
	answer(m, ROOT, "[" FILE(W, "README") "]");
	assert_shown(m, "gone  text  UTF-8  READ");
	/* It is no row of the tree, but has its name: it is read to be edited. */
	fixture_keys(m, "2 i");
	assert_int_equal(answer(m, FILES, "import os"), 1);
	assert_shown(m, "import os");
	assert_shown(m, "/workspace/src/main.py");
	fixture_free(m);
}

/* Why there is nothing to see stands where it would. */
static void test_files_tree__unreadable(void **state)
{
	struct model *m = in_tree();

	(void)state;
	fixture_keys(m, "j j j Enter");
	assert_int_equal(refuse(m, FILES, SVM_FORBIDDEN), 1);
	assert_shown(m, "cannot read it: no");
	assert_not_shown(m, "reading ...");
	assert_not_shown(m, "READ ");
	fixture_free(m);
}

static void assert_copied(const char *json, const char *text, const char *say)
{
	struct model *m = fixture_model(30, 200);
	auto_free char *list = xasprintf(
		"[{\"name\":\"%s\",\"path\":\"/workspace/%s\"}]", json,
		json);

	fixture_keys(m, "j f");
	assert_int_equal(answer(m, ROOT, list), 1);
	fixture_keys(m, "c");
	assert_string_equal(buf_str(&m->clipboard), text);
	assert_shown(m, say);
	fixture_free(m);
}

static void test_files_tree__copy_path(void **state)
{
	(void)state;
	assert_copied("it's \u00e4", "/workspace/it's \u00e4",
		      "copied /workspace/it's \u00e4 ");
	assert_copied("e\\u001b[31mvil\\n", "$'/workspace/e\\033[31mvil\\012'",
		      "copied $'/workspace/e\\033[31mvil\\012', as a shell "
		      "reads it");
	assert_copied("a\\ufffdb", "/workspace/a\xef\xbf\xbd" "b",
		      "it may have another name");
	assert_copied("a\\u202etxt", "$'/workspace/a\\342\\200\\256txt'",
		      "as a shell reads it");
}

/* What can't be listed says so, and is no end of the rest. */
static void test_files_tree__refused(void **state)
{
	struct model *m = in_tree();

	(void)state;
	fixture_keys(m, "G k l");
	assert_int_equal(refuse(m, ROOT "%2Ftests", SVM_FORBIDDEN), 1);
	assert_shown(m, "denied");
	assert_rows(m, "src/ lib/ deep.py main.py util.py |tests/ README");
	/* What one had is kept when the daemon doesn't answer. */
	fixture_keys(m, "^R");
	assert_int_equal(refuse(m, SRC, SVM_UNAVAILABLE), 1);
	assert_int_equal(refuse(m, ROOT, SVM_UNAVAILABLE), 1);
	assert_shown(m, "failed");
	assert_shown(m, "FILES /workspace (failed)");
	assert_rows(m, "src/ lib/ deep.py main.py util.py |tests/ README");
	assert_int_equal(answer(m, LIB, LIB_LIST), 1);
	assert_int_equal(refuse(m, ROOT "%2Ftests", SVM_FORBIDDEN), 1);
	fixture_keys(m, "^R");
	assert_int_equal(answer(m, ROOT "%2Ftests", "[]"), 1);
	assert_int_equal(answer(m, SRC, SRC_LIST), 1);
	assert_int_equal(answer(m, ROOT, ROOT_LIST), 1);
	assert_not_shown(m, "denied");
	assert_not_shown(m, "failed");
	fixture_free(m);
	/* And of the first one there is nothing else. */
	m = fixture_model(30, 120);
	fixture_keys(m, "j f");
	assert_int_equal(refuse(m, ROOT, SVM_FORBIDDEN), 1);
	assert_shown(m, " denied ");
	fixture_free(m);
}

/* A name is a name: nothing leads up, around, or to another place. */
static void test_files_tree__hostile(void **state)
{
	struct model *m = fixture_model(30, 200);

	(void)state;
	fixture_keys(m, "j f");
	assert_int_equal(answer(m, ROOT,
		"[{\"name\":\"workspace\",\"path\":\"/workspace\","
		"\"is_dir\":true},"
		"{\"name\":\"..\",\"path\":\"/\",\"is_dir\":true},"
		"{\"name\":\"x/y\",\"path\":\"/workspace/x/y\","
		"\"is_dir\":true},"
		"{\"name\":\"a\",\"path\":\"/workspace/b\",\"is_dir\":true},"
		"7,null,{},[],{\"name\":7,\"path\":[]},"
		"{\"name\":\"link\",\"path\":\"/workspace/link\","
		"\"type\":\"symlink\",\"target\":\"/workspace\"},"
		"{\"name\":\"e\\u001b[2J\\u202evil\",\"path\":"
		"\"/workspace/e\\u001b[2J\\u202evil\",\"is_dir\":true}]"), 1);
	assert_shown(m, GLYPH_RIGHT " e^[[2J\\u{202e}vil/");
	/* What says to be elsewhere is seen, but not opened. */
	fixture_keys(m, "l j j Enter j l");
	assert_null(fixture_request(m, "GET"));
	assert_shown(m, " link -> /workspace");
	fixture_keys(m, "g j l");
	assert_int_equal(answer(m, ROOT "%2Fe%1B%5B2J%E2%80%AEvil",
		"[{\"name\":\"\\u001b]0;x\\u0007\",\"path\":"
		"\"/workspace/e\\u001b[2J\\u202evil/\\u001b]0;x\\u0007\"}]"),
			 1);
	assert_shown(m, "^[]0;x^G");
	/* A link is no directory, whatever it leads to. */
	fixture_keys(m, "G l");
	assert_null(strstr(fixture_request(m, "GET")->target, "/list"));
	fixture_free(m);
}

static void add_many(struct buf *out, const char *path, const char *prefix,
		     int n, bool dirs)
{
	buf_addch(out, '[');
	for (int i = 0; i < n; i++)
		buf_addf(out, "%s{\"name\":\"%s%05d\",\"path\":\"%s/%s%05d\","
			 "\"is_dir\":%s}", i ? "," : "", prefix, i, path,
			 prefix, i, dirs ? "true" : "false");
	buf_addch(out, ']');
}

static void test_files_tree__many_directories(void **state)
{
	struct model *m = fixture_model(30, 120);
	auto_buf struct buf list = BUF_INIT;

	(void)state;
	fixture_keys(m, "j f");
	add_many(&list, W, "d", LIMIT_TUI_TREE_DIRS + 5, true);
	assert_int_equal(answer(m, ROOT, buf_str(&list)), 1);
	for (int i = 1; i < LIMIT_TUI_TREE_DIRS; i++) { /* and the first */
		fixture_keys(m, "l j");
		auto_free char *target = xasprintf("%s%%2Fd%05d",
						   ROOT, i - 1);

		assert_int_equal(answer(m, target, "[]"), 1);
	}
	fixture_keys(m, "l");
	assert_shown(m, "256 directories are open; close some of them");
	assert_null(fixture_request(m, "GET"));
	fixture_keys(m, "k h j l"); /* another in its place */
	assert_non_null(fixture_request(m, "GET"));
	fixture_free(m);
}

/* Where one goes there is always room: the others are closed. */
static void test_files_tree__room_for_the_first(void **state)
{
	struct model *m = fixture_model(30, 120);
	auto_buf struct buf list = BUF_INIT;

	(void)state;
	fixture_keys(m, "j f -");
	assert_int_equal(answer(m, LIST "%2F", "[" DIR("", "workspace") "]"),
			 1);
	add_many(&list, W, "d", LIMIT_TUI_TREE_DIRS, true);
	assert_int_equal(answer(m, ROOT, "[]"), 1); /* as of "f" */
	fixture_keys(m, "l");
	assert_int_equal(answer(m, ROOT, buf_str(&list)), 1);
	fixture_keys(m, ">");
	for (int i = 1; i < LIMIT_TUI_TREE_DIRS; i++)
		fixture_keys(m, "l j");
	fixture_keys(m, "l");
	assert_shown(m, "256 directories are open");
	fixture_keys(m, "-");
	assert_int_equal(answer(m, LIST "%2F", "[" DIR("", "workspace") "]"),
			 1);
	assert_rows(m, "|workspace/");
	fixture_free(m);
}

/* Of what is too much the first is shown, and that there is more. */
static void test_files_tree__many_entries(void **state)
{
	struct model *m = in_files();
	auto_buf struct buf list = BUF_INIT;
	char at[32];

	(void)state;
	fixture_keys(m, "l");
	add_many(&list, W "/src", "f", LIMIT_TUI_TREE_ENTRIES, false);
	assert_int_equal(answer(m, SRC, buf_str(&list)), 1);
	assert_shown(m, "partial");
	assert_shown(m, "src: only the first 19997 entries are shown");
	snprintf(at, sizeof(at), "1/%d", LIMIT_TUI_TREE_ENTRIES);
	assert_shown(m, at);
	/* No room for others, until this one is closed. */
	fixture_keys(m, "G k l");
	assert_int_equal(answer(m, ROOT "%2Ftests",
				"[" FILE(W "/tests", "t.py") "]"), 1);
	assert_not_shown(m, "t.py");
	fixture_keys(m, "g h j h l");
	assert_int_equal(answer(m, ROOT "%2Ftests",
				"[" FILE(W "/tests", "t.py") "]"), 1);
	assert_rows(m, "src/ |tests/ t.py README");
	/* What had to go is asked for when it is opened again. */
	fixture_keys(m, "k l");
	assert_shown(m, "asking");
	assert_int_equal(answer(m, SRC, SRC_LIST), 1);
	assert_rows(m, "|src/ lib/ main.py util.py tests/ t.py README");
	fixture_free(m);
}

/* -- what goes on with all of them */

static void test_files_tree__sorted_and_hidden(void **state)
{
	struct model *m = in_files();

	(void)state;
	fixture_keys(m, "l");
	assert_int_equal(answer(m, SRC,
		"[" DIR(W "/src", ".git") "," DIR(W "/src", "lib") ","
		FILE_AT(W "/src", "a", "1", "05") ","
		FILE_AT(W "/src", "b", "9", "00") "]"), 1);
	assert_rows(m, "|src/ lib/ a b tests/ README");
	fixture_keys(m, "o Down Enter");
	assert_rows(m, "|src/ lib/ b a tests/ README");
	fixture_keys(m, "O");
	assert_rows(m, "|src/ lib/ a b tests/ README");
	fixture_keys(m, ".");
	assert_rows(m, "|src/ .git/ lib/ a b tests/ README");
	fixture_free(m);
}

/* Directories lead to what matches, in those that are open. */
static void test_files_tree__filter(void **state)
{
	struct model *m = in_tree();

	(void)state;
	fixture_keys(m, "/");
	fixture_type(m, "deep");
	fixture_keys(m, "Enter");
	assert_rows(m, "|src/ lib/ deep.py");
	fixture_keys(m, "Escape /");
	fixture_type(m, "TESTS");
	fixture_keys(m, "Enter");
	assert_rows(m, "|tests/");
	fixture_keys(m, "Escape");
	assert_rows(m, "src/ lib/ deep.py main.py util.py |tests/ README");
	fixture_free(m);
}

static void test_files_tree__marks(void **state)
{
	struct model *m = in_tree();

	(void)state;
	fixture_keys(m, "j j v j v D");
	assert_shown(m, "DELETE 2 FILES?");
	fixture_keys(m, "y");
	assert_string_equal(fixture_request(m, "DELETE")->target,
			    FILES "?path=%2Fworkspace%2Fsrc%2Flib%2Fdeep.py");
	assert_int_equal(fixture_answer(m, "DELETE", FILES, SVM_OK, ""), 2);
	assert_int_equal(answer(m, LIB, "[]"), 1);
	assert_int_equal(answer(m, SRC, "[" DIR(W "/src", "lib") ","
				FILE(W "/src", "util.py") "]"), 1);
	assert_int_equal(answer(m, ROOT, ROOT_LIST), 1);
	/* Marks stay while rows move, and aren't those of other rows. */
	fixture_keys(m, "G Space g");
	fixture_keys(m, "h D");
	assert_shown(m, "/workspace/README");
	fixture_keys(m, "n U D");
	assert_shown(m, "/workspace/src");
	fixture_free(m);
}

static void test_files_tree__new_ones_are_where_one_is(void **state)
{
	struct model *m = in_tree();

	(void)state;
	fixture_keys(m, "j j n"); /* beside deep.py */
	assert_shown(m, "NEW FILE IN /workspace/src/lib");
	fixture_type(m, "new.py");
	fixture_keys(m, "Enter");
	assert_string_equal(fixture_request(m, "PUT")->target,
			    FILES "?path=%2Fworkspace%2Fsrc%2Flib%2Fnew.py");
	fixture_answer(m, "PUT", FILES, SVM_OK, "");
	fixture_keys(m, "g N"); /* in what is open */
	assert_shown(m, "NEW DIRECTORY IN /workspace/src");
	fixture_keys(m, "Escape G n"); /* README is in the first one */
	assert_shown(m, "NEW FILE IN /workspace");
	fixture_keys(m, "Escape k n"); /* and so is what is closed */
	assert_shown(m, "NEW FILE IN /workspace");
	assert_not_shown(m, "NEW FILE IN /workspace/");
	fixture_keys(m, "Escape g j j r ^U");
	fixture_type(m, "other.py");
	fixture_keys(m, "Enter");
	assert_string_equal(buf_str(&fixture_request(m, "POST")->body),
		"{\"old_path\":\"/workspace/src/lib/deep.py\","
		"\"new_path\":\"/workspace/src/lib/other.py\"}");
	fixture_free(m);
}

static void test_files_tree__click(void **state)
{
	struct model *m = in_files();
	struct input_event ev = { .type = INPUT_MOUSE };

	(void)state;
	ev.mouse = (struct mouse){ MOUSE_PRESS, 1, 0, 4, 3 };
	update_input(m, &ev);
	assert_int_equal(answer(m, SRC, SRC_LIST), 1);
	assert_rows(m, "|src/ lib/ main.py util.py tests/ README");
	ev.mouse.row = 5; /* on lib, which is indented: beside its arrow */
	update_input(m, &ev);
	assert_rows(m, "src/ |lib/ main.py util.py tests/ README");
	assert_null(fixture_request(m, "GET"));
	ev.mouse.col = 5;
	update_input(m, &ev);
	assert_int_equal(answer(m, LIB, LIB_LIST), 1);
	ev.mouse = (struct mouse){ MOUSE_PRESS, 1, 0, 4, 3 };
	update_input(m, &ev);
	assert_rows(m, "|src/ tests/ README");
	fixture_free(m);
}

/* However deep, however narrow: some of each name is there. */
static void test_files_tree__deep(void **state)
{
	struct model *m = fixture_model(30, 60);
	auto_buf struct buf path = BUF_INIT, target = BUF_INIT;

	(void)state;
	fixture_keys(m, "j f");
	buf_addstr(&path, W);
	buf_addstr(&target, ROOT);
	for (int i = 0; i < 40; i++) {
		auto_free char *list = xasprintf(
			"[{\"name\":\"n%02d\",\"path\":\"%s/n%02d\","
			"\"is_dir\":true}]", i, buf_str(&path), i);

		assert_int_equal(answer(m, buf_str(&target), list), 1);
		buf_addf(&path, "/n%02d", i);
		buf_addf(&target, "%%2Fn%02d", i);
		fixture_keys(m, i ? "j l" : "l");
	}
	assert_shown(m, GLYPH_DOWN " n39/");
	for (int i = 0; i < 39; i++)
		fixture_keys(m, "h h");
	fixture_keys(m, "h");
	assert_shown(m, GLYPH_RIGHT " n00/");
	fixture_free(m);
}

int main(void)
{
#define TEST(name) cmocka_unit_test(test_files_tree__##name)
	const struct CMUnitTest tests[] = {
		TEST(open_and_close),
		TEST(a_file_is_shown),
		TEST(a_link_is_followed),
		TEST(this_directory_alone),
		TEST(refresh),
		TEST(asked_again),
		TEST(vanished),
		TEST(stays_near),
		TEST(gone_from_view),
		TEST(unreadable),
		TEST(copy_path),
		TEST(refused),
		TEST(hostile),
		TEST(many_directories),
		TEST(room_for_the_first),
		TEST(many_entries),
		TEST(sorted_and_hidden),
		TEST(filter),
		TEST(marks),
		TEST(new_ones_are_where_one_is),
		TEST(click),
		TEST(deep),
#undef TEST
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8")) {
		print_message("needs the locale C.UTF-8\n");
		return 1;
	}
	return cmocka_run_group_tests_name("files_tree", tests, NULL, NULL);
}
