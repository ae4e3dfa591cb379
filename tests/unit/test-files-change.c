/* SPDX-License-Identifier: MIT */
/* What is new in a sandbox and what changed: told by comparing, never guessed;
 * and looked for when something happened in there. */
#include <locale.h>

#include "tests/unit/model-fixture.h"
#include "tui/glyph.h"

#define FILES "/api/v1/sandboxes/sb-7f3a91c2/files"
#define ROOT FILES "/list?path=%2Fworkspace"
#define SRC ROOT "%2Fsrc"
#define OF_B "/api/v1/sandboxes/sb-2c8e04d7/files/list?path=%2Fworkspace"

#define DIR(path, name) \
	"{\"name\":\"" name "\",\"path\":\"" path "/" name \
	"\",\"is_dir\":true,\"mod_time\":\"2026-03-01T11:50:00.000Z\"}"
/* At this time, its seconds: "00.000". */
#define FILE(path, name, size, at) \
	"{\"name\":\"" name "\",\"path\":\"" path "/" name \
	"\",\"size\":" size ",\"mod_time\":\"2026-03-01T11:50:" at "Z\"}"
#define W "/workspace"

/* The letter at the end of the line that has this name; ' ' for none. */
static void assert_letter_(const struct model *m, const char *name, char letter,
			   int line)
{
	auto_free char *screen = fixture_screen(m);
	auto_free char *word = xasprintf(" %s ", name);
	const char *at = strstr(screen, word);
	const char *end = at ? strstr(at, "│") : NULL;

	if (end && end[-1] == letter)
		return;
	fputs(screen, stderr);
	fail_msg("line %d: %s has '%c', not '%c'", line, name,
		 end ? end[-1] : '?', letter);
}
#define assert_letter(m, name, letter) \
	assert_letter_(m, name, letter, __LINE__)

static int answer(struct model *m, const char *target, const char *reply)
{
	return fixture_answer(m, "GET", target, SVM_OK, reply);
}

static struct model *in_files(void)
{
	struct model *m = fixture_model(30, 120);

	fixture_keys(m, "j f");
	assert_int_equal(answer(m, ROOT,
		"[" DIR(W, "src") "," FILE(W, "a", "1", "00.000") ","
		FILE(W, "b", "1", "00.000") "," FILE(W, "c", "1", "00.000")
		"]"), 1);
	return m;
}

static void test_files_change__size_time_new(void **state)
{
	struct model *m = in_files();

	(void)state;
	assert_letter(m, "a", ' ');
	fixture_keys(m, "^R");
	assert_int_equal(answer(m, ROOT,
		"[{\"name\":\"src\",\"path\":\"/workspace/src\","
		"\"is_dir\":true,\"size\":8192,\"mod_time\":"
		"\"2026-03-01T11:59:00.000Z\"},"
		FILE(W, "a", "2", "00.000") "," FILE(W, "b", "1", "00.001") "," FILE(W, "c", "1", "00.000")
		"," FILE(W, "d", "1", "00.000") "]"), 1);
	assert_letter(m, "src/", ' ');
	assert_letter(m, "a", 'M');
	assert_letter(m, "b", 'M');
	assert_letter(m, "c", ' ');
	assert_letter(m, "d", 'A');
	assert_shown(m, "/workspace  1 new  2 changed");
	/* As it was first, nothing is said; new is new however it changes. */
	fixture_keys(m, "^R");
	assert_int_equal(answer(m, ROOT,
		"[" DIR(W, "b") "," FILE(W, "a", "1", "00.000") ","
		FILE(W, "src", "1", "00.000") ","
		FILE(W, "d", "2", "00.001") "]"), 1);
	assert_letter(m, "a", ' ');
	assert_letter(m, "b/", 'M'); /* was a file */
	assert_letter(m, "src", 'M'); /* was a directory */
	assert_letter(m, "d", 'A');
	/* What went and comes back is compared with what it was. */
	fixture_keys(m, "^R");
	assert_int_equal(answer(m, ROOT,
		"[" DIR(W, "src") "," FILE(W, "c", "1", "09.000") "]"), 1);
	assert_letter(m, "src/", ' ');
	assert_letter(m, "c", 'M');
	fixture_free(m);
}

/* Its own first listing is what a directory is compared with, however late. */
static void test_files_change__below(void **state)
{
	struct model *m = in_files();

	(void)state;
	fixture_keys(m, "^R");
	assert_int_equal(answer(m, ROOT, "[" DIR(W, "src") ","
				DIR(W, "new") "," DIR(W, "zed") "]"), 1);
	assert_letter(m, "new/", 'A');
	fixture_keys(m, "g l"); /* new */
	assert_int_equal(answer(m, ROOT "%2Fnew",
				"[" FILE(W "/new", "in", "1", "00.000") ","
				DIR(W "/new", "sub") "]"), 1);
	assert_letter(m, "in", 'A'); /* there was nothing to be in */
	assert_letter(m, "sub/", 'A');
	fixture_keys(m, "j l");
	assert_int_equal(answer(m, ROOT "%2Fnew%2Fsub",
				"[" FILE(W "/new/sub", "deep", "1", "00.000")
				"]"), 1);
	assert_letter(m, "deep", 'A');
	fixture_keys(m, "j j j l"); /* src was there */
	assert_int_equal(answer(m, SRC, "[" FILE(W "/src", "x", "1", "00.000")
				"," FILE(W "/src", ".y", "1", "00.000") "]"),
			 1);
	assert_letter(m, "x", ' ');
	/* Closed it tells what it holds, as far as that is shown. */
	fixture_keys(m, "^R");
	assert_int_equal(answer(m, SRC, "[" FILE(W "/src", "x", "1", "00.000")
				"," FILE(W "/src", ".y", "2", "00.000") "]"),
			 1);
	fixture_keys(m, "h");
	assert_letter(m, "src/", ' ');
	fixture_keys(m, ".");
	assert_letter(m, "src/", 'M');
	fixture_keys(m, ". l");
	assert_letter(m, "src/", ' ');
	assert_int_equal(answer(m, SRC, "[" FILE(W "/src", "x", "3", "00.000")
				"]"), 1);
	assert_letter(m, "src/", ' ');
	assert_letter(m, "x", 'M');
	fixture_keys(m, "h");
	assert_letter(m, "src/", 'M');
	fixture_free(m);
}

/* What a hidden directory holds is as hidden. */
static void test_files_change__below_hidden(void **state)
{
	struct model *m = in_files();

	(void)state;
	fixture_keys(m, "l .");
	assert_int_equal(answer(m, SRC, "[" DIR(W "/src", ".git") "]"), 1);
	fixture_keys(m, "j l");
	assert_int_equal(answer(m, SRC "%2F.git", "[]"), 1);
	fixture_keys(m, "^R");
	assert_int_equal(answer(m, SRC "%2F.git", "[" FILE(W "/src/.git", "x",
							   "1", "00.000")
				"]"), 1);
	assert_letter(m, "x", 'A');
	fixture_keys(m, "h h h");
	assert_letter(m, "src/", 'M');
	fixture_keys(m, ".");
	assert_letter(m, "src/", ' ');
	fixture_free(m);
}

/* It may have been there beyond what was told: that is no news. */
static void test_files_change__cut_short(void **state)
{
	struct model *m = fixture_model(30, 120);
	auto_buf struct buf list = BUF_INIT;

	(void)state;
	for (int i = 0; i < LIMIT_LIST_ENTRIES; i++)
		buf_addf(&list, "%s{\"name\":\"f%05d\",\"path\":"
			 "\"/workspace/f%05d\",\"size\":1}",
			 i ? "," : "[", i, i);
	buf_addch(&list, ']');
	fixture_keys(m, "j f");
	assert_int_equal(answer(m, ROOT, buf_str(&list)), 1);
	assert_shown(m, "FILES /workspace (partial)");
	fixture_keys(m, "^R");
	assert_int_equal(answer(m, ROOT, "[" FILE(W, "g", "1", "00.000") ","
				FILE(W, "f00001", "2", "00.000") "]"), 1);
	assert_letter(m, "g", ' ');
	assert_letter(m, "f00001", 'M');
	assert_not_shown(m, "partial");
	fixture_free(m);
}

/* Each workspace begins anew. */
static void test_files_change__another_sandbox(void **state)
{
	struct model *m = in_files();

	(void)state;
	fixture_keys(m, "^R");
	assert_int_equal(answer(m, ROOT, "[" FILE(W, "z", "1", "00.000") "]"),
			 1);
	assert_letter(m, "z", 'A');
	fixture_keys(m, "Escape j f");
	assert_int_equal(answer(m, OF_B, "[" FILE(W, "z", "1", "00.000") "]"),
			 1);
	assert_letter(m, "z", ' ');
	model_open(m, "sb-7f3a91c2", WORKSPACE_FILES);
	assert_int_equal(answer(m, ROOT, "[" FILE(W, "z", "1", "00.000") "]"),
			 1);
	assert_letter(m, "z", ' ');
	fixture_free(m);
}

static void tell(struct model *m, const char *type, const char *id)
{
	auto_free char *line = xasprintf(
		"{\"type\":\"%s\",\"sandbox_id\":\"%s\",\"data\":{}}", type,
		id);

	fixture_line(m, m->events, line);
}

/* What happened inside is looked at by itself, soon, once, and quietly. */
static void test_files_change__followed(void **state)
{
	static const char *const types[] = { "file.written", "file.deleted",
					     "file.moved", "exec.completed" };
	struct model *m = in_files();
	int64_t soon = INT64_C(1000000000);

	(void)state;
	fixture_keys(m, "l");
	assert_int_equal(answer(m, SRC, "[]"), 1);
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		tell(m, types[i], "sb-7f3a91c2");
		assert_null(fixture_request(m, "GET"));
		fixture_time(m, soon / 2);
		tell(m, types[i], "sb-7f3a91c2"); /* no later for that */
		assert_int_equal(update_wake(m), m->boot_ns + soon / 2);
		fixture_time(m, soon / 2);
		update_tick(m);
		assert_int_equal(answer(m, SRC, "[" FILE(W "/src", "x", "1",
							  "00.000") "]"), 1);
		assert_int_equal(answer(m, ROOT, "[" DIR(W, "src") "]"), 1);
	}
	assert_letter(m, "x", 'A');
	/* Nobody asked for it: no complaint. */
	tell(m, "file.written", "sb-7f3a91c2");
	fixture_time(m, soon);
	update_tick(m);
	assert_int_equal(m->waiting, 0);
	fixture_answer(m, "GET", SRC, SVM_FORBIDDEN, "quiet please");
	assert_not_shown(m, "quiet please");
	assert_shown(m, "denied");
	answer(m, ROOT, "[" DIR(W, "src") "]");
	/* Others' don't matter, nor what tells of no change. */
	tell(m, "file.written", "sb-2c8e04d7");
	tell(m, "exec.started", "sb-2c8e04d7");
	fixture_time(m, soon * 2);
	update_tick(m);
	assert_int_equal(answer(m, ROOT, "[]"), 0);
	/* Out of view it waits until one is back. */
	tell(m, "file.written", "sb-7f3a91c2");
	fixture_keys(m, "Escape");
	fixture_time(m, soon * 2);
	update_tick(m);
	assert_int_equal(answer(m, ROOT, "[]"), 0);
	model_open(m, "sb-7f3a91c2", WORKSPACE_FILES);
	update_tick(m);
	assert_int_equal(answer(m, ROOT, "[]"), 1);
	fixture_free(m);
}

/* What was typed in a terminal tells no event: who comes back from there
 * sees what it did. */
static void test_files_change__after_the_terminal(void **state)
{
	struct model *m = in_files();

	(void)state;
	fixture_keys(m, "T ^]");
	update_tick(m);
	assert_int_equal(answer(m, ROOT, "[]"), 0);
	fixture_keys(m, "1");
	update_tick(m);
	assert_int_equal(answer(m, ROOT, "[" FILE(W, "typed", "1", "00.000")
				"]"), 1);
	assert_letter(m, "typed", 'A');
	update_tick(m);
	assert_int_equal(answer(m, ROOT, "[]"), 0);
	fixture_free(m);
}

/* The letters are explained where the keys are. */
static void test_files_change__help(void **state)
{
	struct model *m = in_files();

	(void)state;
	fixture_keys(m, "?");
	fixture_type(m, "listed first");
	assert_shown(m, "at the end A");
	fixture_keys(m, "^U");
	fixture_type(m, "changed since");
	assert_shown(m, "at the end M");
	fixture_free(m);
}

static void writes(struct model *m, struct terminal *t, const char *text)
{
	terminal_write(t, text, strlen(text));
	t->offset += strlen(text);
	update_settle(m);
}

/* What a command in the terminal beside them did, too; not each second of a
 * program that has the whole screen. */
static void test_files_change__terminal_followed(void **state)
{
	struct model *m = in_files();
	int64_t soon = INT64_C(1000000000);
	struct terminal *t;

	(void)state;
	fixture_keys(m, "t");
	fixture_answer(m, "GET", "/api/v1/sandboxes/sb-7f3a91c2/sessions",
		       SVM_OK, "[]");
	t = list_entry(m->terminals.next, struct terminal, link);
	t->state = TERMINAL_LIVE;
	update_settle(m);
	writes(m, t, "$ make\r\n");
	fixture_time(m, soon / 2);
	writes(m, t, "cc -c x.c\r\n"); /* no later for that */
	assert_int_equal(update_wake(m), m->boot_ns + soon / 2);
	fixture_time(m, soon / 2);
	update_tick(m);
	assert_int_equal(answer(m, ROOT, "[" FILE(W, "x.o", "1", "00.000")
				"]"), 1);
	assert_letter(m, "x.o", 'A');
	/* Nothing was written: nothing is asked. */
	fixture_time(m, soon * 2);
	update_tick(m);
	assert_int_equal(answer(m, ROOT, "[]"), 0);
	writes(m, t, "\033[?1049htop");
	fixture_time(m, soon * 2);
	update_tick(m);
	assert_int_equal(answer(m, ROOT, "[]"), 0);
	writes(m, t, "\033[?1049l$ ");
	fixture_time(m, soon * 2);
	update_tick(m);
	assert_int_equal(answer(m, ROOT, "[]"), 1);
	/* Not seen beside it: not before one is back. */
	fixture_keys(m, "^] z");
	writes(m, t, "$ ls\r\n");
	fixture_time(m, soon * 2);
	update_tick(m);
	assert_int_equal(answer(m, ROOT, "[]"), 0);
	fixture_free(m);
}

int main(void)
{
#define TEST(name) cmocka_unit_test(test_files_change__##name)
	const struct CMUnitTest tests[] = {
		TEST(size_time_new),
		TEST(below),
		TEST(below_hidden),
		TEST(cut_short),
		TEST(another_sandbox),
		TEST(followed),
		TEST(after_the_terminal),
		TEST(terminal_followed),
		TEST(help),
#undef TEST
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8")) {
		print_message("needs the locale C.UTF-8\n");
		return 1;
	}
	return cmocka_run_group_tests_name("files_change", tests, NULL, NULL);
}
