/* SPDX-License-Identifier: MIT */
/* A file of a sandbox in the editor: what is asked, sent, and never lost. */
#include <fcntl.h>
#include <locale.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "tests/unit/edit-fixture.h"

#define EVIL "/api/v1/sandboxes/..%2F..%2F..%2Fx/files"
#define PUT_A A "?path=%2Fworkspace%2Fmain.py&mode=0755"

static void expect_put(struct model *m, const char *text,
		       const char *if_match)
{
	struct request *r = fixture_request(m, "PUT");

	assert_non_null(r);
	assert_string_equal(r->target, PUT_A);
	assert_int_equal(r->body.len, strlen(text));
	assert_memory_equal(buf_str(&r->body), text, strlen(text));
	if (if_match)
		assert_string_equal(r->if_match, if_match);
	else
		assert_null(r->if_match);
}

static void test_files_edit__save(void **state)
{
	struct model *m = editing("a\xff\r\nb");

	(void)state;
	fixture_keys(m, "x ^S");
	assert_shown(m, "saving");
	expect_put(m, "\xff\r\nb", "\"1\"");
	fixture_tagged(m, "PUT", A, SVM_OK, "{}", "\"2\"");
	assert_shown(m, "saved main.py, 4 B");
	assert_not_shown(m, "modified");
	/* What was written is what the next save expects there. */
	fixture_keys(m, "x :");
	fixture_type(m, "wq");
	fixture_keys(m, "Enter");
	expect_put(m, "\r\nb", "\"2\"");
	fixture_answer(m, "PUT", A, SVM_OK, "{}");
	assert_not_shown(m, "WRITE");
	fixture_free(m);
}

/* Its title says so, as that of one that is read does. */
static void test_files_edit__gone(void **state)
{
	struct model *m = editing("abc\n");

	(void)state;
	assert_not_shown(m, "gone");
	fixture_line(m, m->events, "{\"type\":\"file.deleted\",\"sandbox_id\":"
				   "\"sb-7f3a91c2\",\"data\":{}}");
	fixture_time(m, INT64_C(1000000000));
	update_tick(m);
	assert_int_equal(fixture_answer(m, "GET", A "/list", SVM_OK, "[]"), 1);
	assert_shown(m, "gone  \u25cf WRITE");
	fixture_free(m);
}

/* Whoever else wrote to it is not run over without a question. */
static void test_files_edit__conflict(void **state)
{
	struct model *m = editing("abc\n");

	(void)state;
	fixture_keys(m, "x ^S");
	fixture_answer(m, "PUT", A, SVM_PRECONDITION, "another");
	fixture_tagged(m, "GET", A, SVM_OK, "another's\n", "\"7\"");
	assert_null(fixture_request(m, "PUT"));
	assert_shown(m, "main.py WAS CHANGED BY ANOTHER");
	fixture_keys(m, "Enter"); /* nothing is written */
	assert_null(fixture_request(m, "PUT"));
	assert_shown(m, "modified");
	assert_shown(m, "WRITE");
	fixture_keys(m, "^S");
	fixture_answer(m, "PUT", A, SVM_PRECONDITION, "another");
	fixture_tagged(m, "GET", A, SVM_OK, "another's\n", "\"7\"");
	fixture_keys(m, "v");
	assert_shown(m, "-another's");
	assert_shown(m, "+bc");
	fixture_keys(m, "Escape o");
	/* Over what was seen, not over what came since. */
	expect_put(m, "bc\n", "\"7\"");
	fixture_tagged(m, "PUT", A, SVM_OK, "{}", "\"8\"");
	assert_not_shown(m, "modified");
	/* It was deleted. */
	fixture_keys(m, "x ^S");
	fixture_answer(m, "PUT", A, SVM_PRECONDITION, "gone");
	fixture_answer(m, "GET", A, SVM_FILE_NOT_FOUND, "no such file");
	assert_shown(m, "IS NO LONGER THERE");
	fixture_keys(m, "o");
	expect_put(m, "c\n", "");
	fixture_tagged(m, "PUT", A, SVM_OK, "{}", "\"9\"");
	assert_not_shown(m, "modified");
	/* :w! asks nobody. */
	fixture_keys(m, "x :");
	fixture_type(m, "w!");
	fixture_keys(m, "Enter");
	expect_put(m, "\n", NULL);
	fixture_free(m);
}

/* The same text under another ETag is no conflict. */
static void test_files_edit__touched(void **state)
{
	struct model *m = editing("abc\n");

	(void)state;
	fixture_keys(m, "x ^S");
	fixture_answer(m, "PUT", A, SVM_PRECONDITION, "another");
	fixture_tagged(m, "GET", A, SVM_OK, "abc\n", "\"5\"");
	expect_put(m, "bc\n", "\"5\"");
	fixture_free(m);
}

/* That one alone, whatever is sent for it. */
static void put_answered(struct model *m, const char *etag)
{
	struct request *r = fixture_request(m, "PUT");

	assert_non_null(r);
	list_remove(&r->link);
	m->waiting--;
	r->etag = xstrdup(etag);
	request_done(m, r);
	request_free(r);
	update_settle(m);
}

/* A save that takes long says so as long, and what is saved meanwhile comes
 * after it: the last of it, once. */
static void test_files_edit__saved_while_saving(void **state)
{
	struct model *m = editing("abcdef\n");

	(void)state;
	fixture_keys(m, "x ^S");
	assert_shown(m, "saving main.py");
	fixture_time(m, INT64_C(20000000000));
	update_tick(m);
	assert_shown(m, "saving main.py");
	fixture_keys(m, "^S");
	assert_shown(m, "main.py is being saved");
	fixture_keys(m, "x ^S x ^S");
	assert_shown(m, "main.py is still being saved; your text of now is "
			"saved after that");
	fixture_keys(m, "x"); /* and this isn't */
	expect_put(m, "bcdef\n", "\"1\"");
	put_answered(m, "\"2\"");
	assert_shown(m, "saved main.py, 6 B; saving what came after");
	expect_put(m, "def\n", "\"2\"");
	put_answered(m, "\"3\"");
	assert_shown(m, "saved main.py, 4 B");
	assert_not_shown(m, "saving");
	assert_shown(m, "modified");
	assert_null(fixture_request(m, "PUT"));
	fixture_free(m);
}

/* What was there at first is another text than the one under way. */
static void test_files_edit__saved_as_it_was(void **state)
{
	struct model *m = editing("abc\n");

	(void)state;
	fixture_keys(m, "x ^S u ^S");
	put_answered(m, "\"2\"");
	expect_put(m, "abc\n", "\"2\"");
	put_answered(m, "\"3\"");
	assert_not_shown(m, "modified");
	fixture_free(m);
}

/* It is left when the last was saved, and what was saved is, also without
 * the editor. */
static void test_files_edit__left_while_saving(void **state)
{
	struct model *m = editing("abcdef\n");

	(void)state;
	fixture_keys(m, "x ^S x :");
	fixture_type(m, "wq");
	fixture_keys(m, "Enter");
	put_answered(m, "\"2\"");
	assert_shown(m, "WRITE");
	expect_put(m, "cdef\n", "\"2\"");
	put_answered(m, "\"3\"");
	assert_not_shown(m, "WRITE");
	fixture_free(m);
	m = editing("abcdef\n");
	fixture_keys(m, "x ^S x ^S :");
	fixture_type(m, "q!");
	fixture_keys(m, "Enter");
	assert_not_shown(m, "WRITE");
	put_answered(m, "\"2\"");
	expect_put(m, "cdef\n", "\"2\"");
	fixture_free(m);
	/* When the first isn't, neither is what waits for it. */
	m = editing("abcdef\n");
	fixture_keys(m, "x ^S x ^S");
	fixture_answer(m, "PUT", A, SVM_UNREACHABLE, "nobody there");
	assert_shown(m, "not saved: nobody there");
	assert_null(fixture_request(m, "PUT"));
	fixture_keys(m, "^S");
	expect_put(m, "cdef\n", "\"1\"");
	put_answered(m, "\"2\""); /* no draft is left */
	fixture_free(m);
}

/* Theirs comes in; one's own is a step of undo away. */
static void test_files_edit__take_theirs(void **state)
{
	struct model *m = editing("abc\n");

	(void)state;
	fixture_keys(m, "x ^S");
	fixture_answer(m, "PUT", A, SVM_PRECONDITION, "another");
	fixture_tagged(m, "GET", A, SVM_OK, "theirs\n", "\"5\"");
	fixture_keys(m, "r");
	assert_shown(m, "1 theirs");
	assert_not_shown(m, "modified");
	fixture_keys(m, "u");
	assert_shown(m, "1 bc");
	assert_shown(m, "modified");
	fixture_keys(m, "^S");
	expect_put(m, "bc\n", "\"5\"");
	fixture_free(m);
}

/* Under another name, where nothing is; that is what is edited then. */
static void test_files_edit__save_as(void **state)
{
	struct model *m = editing("abc\n");
	struct request *r;

	(void)state;
	fixture_keys(m, "x ^S");
	fixture_answer(m, "PUT", A, SVM_PRECONDITION, "another");
	fixture_tagged(m, "GET", A, SVM_OK, "theirs\n", "\"5\"");
	fixture_keys(m, "s ^U");
	fixture_type(m, "mine.py");
	fixture_keys(m, "Enter");
	r = fixture_request(m, "PUT");
	assert_non_null(r);
	assert_string_equal(r->about, "/workspace/mine.py");
	assert_string_equal(r->if_match, "");
	/* Taken: nothing is overwritten, and the editor is where it was. */
	fixture_answer(m, "PUT", A, SVM_PRECONDITION, "it is there already");
	assert_shown(m, "it is there already");
	assert_shown(m, "/workspace/main.py");
	fixture_keys(m, "h");
	assert_shown(m, "modified");
	fixture_keys(m, "^S");
	fixture_answer(m, "PUT", A, SVM_PRECONDITION, "another");
	fixture_tagged(m, "GET", A, SVM_OK, "theirs\n", "\"5\"");
	fixture_keys(m, "s ^U");
	fixture_type(m, "mine.py");
	fixture_keys(m, "Enter");
	fixture_tagged(m, "PUT", A, SVM_OK, "{}", "\"6\"");
	assert_shown(m, "saved mine.py");
	assert_shown(m, "/workspace/mine.py");
	assert_not_shown(m, "modified");
	fixture_free(m);
}

/* Nothing that would take the text away does it without a question. */
static void test_files_edit__unsaved(void **state)
{
	struct model *m = editing("abc\n");

	(void)state;
	fixture_keys(m, "x Escape Escape");
	assert_shown(m, "LEAVE WITHOUT SAVING?");
	fixture_keys(m, "Enter");
	assert_shown(m, "WRITE");
	fixture_keys(m, ":");
	fixture_type(m, "q");
	fixture_keys(m, "Enter n");
	fixture_keys(m, "S-Tab j Enter"); /* another file of the list */
	assert_shown(m, "main.py of sb-7f3a91c2 is not saved");
	fixture_keys(m, "S-Tab Escape j f"); /* another sandbox */
	assert_shown(m, "main.py of sb-7f3a91c2 is not saved");
	assert_shown(m, "bc");
	fixture_keys(m, "S-Tab q");
	assert_shown(m, "main.py is not saved; a draft is kept.");
	fixture_keys(m, "n");
	assert_false(m->effects & EFFECT_QUIT);
	/* What isn't changed is in nobody's way. */
	fixture_keys(m, "Tab u Escape Escape");
	assert_not_shown(m, "WRITE");
	fixture_free(m);
}

/* What was said of the editor, and of its draft, is over with it. */
static void test_files_edit__said_until_left(void **state)
{
	struct model *m = editing("abc\n");

	(void)state;
	fixture_keys(m, "x S-Tab j Enter");
	assert_shown(m, "main.py of sb-7f3a91c2 is not saved");
	fixture_keys(m, "l");
	assert_shown(m, "main.py of sb-7f3a91c2 is not saved");
	fixture_keys(m, ":");
	fixture_type(m, "q!");
	fixture_keys(m, "Enter");
	assert_not_shown(m, "WRITE");
	assert_not_shown(m, "is not saved");
	fixture_free(m);
	m = editing("abc\n");
	fixture_keys(m, "x ^S");
	fixture_answer(m, "PUT", A, SVM_NOT_FOUND, "no sandbox");
	assert_shown(m, "not saved: no sandbox; a draft is");
	fixture_keys(m, "^O");
	assert_shown(m, "LEAVE WITHOUT SAVING?");
	fixture_keys(m, "y");
	assert_not_shown(m, "a draft is");
	fixture_free(m);
}

/* Of what was left before it came nobody wants to hear. */
static void test_files_edit__refused_late(void **state)
{
	struct model *m = fixture_model(30, 120);

	(void)state;
	fixture_keys(m, "j f");
	fixture_answer(m, "GET", A "/list", SVM_OK,
		       "[{\"name\":\"d.txt\",\"path\":\"/workspace/d.txt\","
		       "\"type\":\"file\",\"size\":3,\"mode\":\"0644\"}]");
	fixture_keys(m, "Enter");
	fixture_keys(m, "Escape Escape j f"); /* another sandbox */
	assert_int_equal(fixture_answer(m, "GET", A, SVM_NOT_FOUND,
					"no sandbox 'sb-7f3a91c2'"), 1);
	assert_not_shown(m, "no sandbox");
	fixture_free(m);
}

/* What is typed while a save is under way is another change. */
static void test_files_edit__typed_meanwhile(void **state)
{
	struct model *m = editing("abc\n");

	(void)state;
	fixture_keys(m, "i");
	fixture_type(m, "1");
	fixture_keys(m, "^S");
	fixture_type(m, "2");
	expect_put(m, "1abc\n", "\"1\"");
	fixture_tagged(m, "PUT", A, SVM_OK, "{}", "\"2\"");
	assert_shown(m, "modified");
	fixture_keys(m, "Escape ^S");
	expect_put(m, "12abc\n", "\"2\"");
	fixture_free(m);
}

static void remove_below(const char *dir)
{
	auto_free char *drafts = xasprintf("%s/stacyvm/drafts", dir);
	auto_free char *ours = xasprintf("%s/stacyvm", dir);

	assert_int_equal(rmdir(drafts), 0);
	assert_int_equal(rmdir(ours), 0);
	assert_int_equal(rmdir(dir), 0);
}

/* A daemon that is gone takes no text along: it is in a draft, and here. */
static void test_files_edit__draft(void **state)
{
	char dir[] = "/tmp/svm-edit-XXXXXX";
	auto_buf struct buf kept = BUF_INIT, say = BUF_INIT;
	struct model *m;
	char *draft;

	(void)state;
	assert_non_null(mkdtemp(dir));
	setenv("XDG_STATE_HOME", dir, 1);
	m = editing("abc\n");
	fixture_keys(m, "x ^S");
	fixture_answer(m, "PUT", A, SVM_UNREACHABLE, "nobody there");
	assert_shown(m, "not saved: nobody there; a draft is");
	draft = only_draft(dir);
	assert_non_null(draft);
	assert_shown(m, draft); /* the whole path */
	fixture_keys(m, "h");
	assert_shown(m, "modified");
	assert_int_equal(fd_slurp_path(AT_FDCWD, draft, 100, &kept), 0);
	assert_string_equal(buf_str(&kept), "bc\n");
	/* The end by force keeps what came since. */
	fixture_keys(m, "x");
	screens[SCREEN_WORKSPACE]->rescue(m, m->state[SCREEN_WORKSPACE], &say);
	assert_non_null(strstr(buf_str(&say), draft));
	buf_clear(&kept);
	assert_int_equal(fd_slurp_path(AT_FDCWD, draft, 100, &kept), 0);
	assert_string_equal(buf_str(&kept), "c\n");
	/* Once it is saved there is none. */
	fixture_keys(m, "^S");
	fixture_answer(m, "PUT", A, SVM_OK, "{}");
	assert_null(only_draft(dir));
	buf_clear(&say);
	screens[SCREEN_WORKSPACE]->rescue(m, m->state[SCREEN_WORKSPACE], &say);
	assert_int_equal(say.len, 0);
	free(draft);
	fixture_free(m);
	remove_below(dir);
}

/* A sandbox that is named like a path makes no path of it. */
static void test_files_edit__draft_stays_inside(void **state)
{
	char dir[] = "/tmp/svm-edit-XXXXXX";
	struct model *m = fixture_model(30, 120);
	auto_free char *draft = NULL;

	(void)state;
	assert_non_null(mkdtemp(dir));
	setenv("XDG_STATE_HOME", dir, 1);
	model_refresh(m);
	fixture_answer(m, "GET", "/api/v1/sandboxes", SVM_OK,
		       "[" FIXTURE_SANDBOX("../../../x", "", "running", "i",
					   "55", "") "]");
	fixture_keys(m, "f");
	fixture_answer(m, "GET", EVIL "/list", SVM_OK, list_a);
	fixture_keys(m, "i");
	fixture_answer(m, "GET", EVIL, SVM_OK, "abc");
	fixture_answer(m, "GET", EVIL "/stat", SVM_OK,
		       STAT("file", "4", ""));
	fixture_answer(m, "GET", EVIL, SVM_OK, "abc");
	fixture_keys(m, "x ^S");
	fixture_answer(m, "GET", EVIL, SVM_UNREACHABLE, "nobody there");
	draft = only_draft(dir);
	assert_non_null(draft);
	assert_int_equal(unlink(draft), 0);
	fixture_free(m);
	remove_below(dir);
}

static void test_files_edit__refused(void **state)
{
	static const struct {
		const char *stat, *says;
	} all[] = {
		{ STAT("file", "2097153", ""), "over 2 MiB" },
		{ STAT("dir", "0", ""), "is a dir" },
		{ STAT("fifo", "0", ""), "is a fifo" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		struct model *m = fixture_model(30, 120);

		fixture_keys(m, "j f");
		fixture_answer(m, "GET", A "/list", SVM_OK, list_a);
		fixture_keys(m, "i");
		fixture_answer(m, "GET", A, SVM_OK, "text");
		fixture_answer(m, "GET", A "/stat", SVM_OK, all[i].stat);
		assert_shown(m, all[i].says);
		assert_null(fixture_request(m, "GET"));
		assert_not_shown(m, "WRITE");
		fixture_free(m);
	}
}

static void test_files_edit__read_only(void **state)
{
	struct model *m = fixture_model(30, 120);

	(void)state;
	m->read_only = true;
	fixture_keys(m, "j f");
	fixture_answer(m, "GET", A "/list", SVM_OK, list_a);
	fixture_keys(m, "i");
	assert_null(fixture_request(m, "GET"));
	fixture_free(m);
	/* Also when it became so meanwhile. */
	m = editing("abc\n");
	fixture_keys(m, "x");
	m->read_only = true;
	fixture_keys(m, "^S");
	assert_null(fixture_request(m, "GET"));
	fixture_keys(m, ":");
	fixture_type(m, "w!");
	fixture_keys(m, "Enter");
	assert_null(fixture_request(m, "PUT"));
	fixture_free(m);
}

/* A link stays one: what it leads to is edited. */
static void test_files_edit__link(void **state)
{
	struct model *m = fixture_model(30, 120);
	struct request *r;

	(void)state;
	fixture_keys(m, "j f");
	fixture_answer(m, "GET", A "/list", SVM_OK, list_a);
	fixture_keys(m, "i");
	fixture_answer(m, "GET", A, SVM_OK, "text");
	fixture_answer(m, "GET", A "/stat", SVM_OK,
		       STAT("symlink", "4", ",\"target\":\"../etc/x\""));
	r = fixture_request(m, "GET");
	assert_non_null(r);
	assert_string_equal(r->about, "/workspace/../etc/x");
	fixture_answer(m, "GET", A "/stat", SVM_OK, STAT("file", "4", ""));
	fixture_answer(m, "GET", A, SVM_OK, "text");
	assert_shown(m, "/workspace/../etc/x");
	/* One that leads to itself ends. */
	fixture_keys(m, "^O S-Tab i");
	fixture_answer(m, "GET", A, SVM_OK, "text");
	for (int i = 0; i < 9; i++)
		assert_int_equal(fixture_answer(m, "GET", A "/stat", SVM_OK,
						STAT("symlink", "4",
						     ",\"target\":\"x\"")),
				 1);
	assert_null(fixture_request(m, "GET"));
	fixture_free(m);
}

/* :e! takes what is there now; :e only when nothing is lost. */
static void test_files_edit__reload(void **state)
{
	struct model *m = editing("abc\n");

	(void)state;
	fixture_keys(m, "x :");
	fixture_type(m, "e");
	fixture_keys(m, "Enter");
	assert_null(fixture_request(m, "GET"));
	assert_shown(m, "not saved");
	fixture_keys(m, ":");
	fixture_type(m, "e!");
	fixture_keys(m, "Enter");
	fixture_answer(m, "GET", A "/stat", SVM_OK, STAT("file", "4", ""));
	fixture_answer(m, "GET", A, SVM_OK, "another\n");
	assert_shown(m, "1 another");
	assert_not_shown(m, "modified");
	/* And that is what a save compares with. */
	fixture_keys(m, "x ^S");
	/* Without an ETag what is there is compared. */
	fixture_answer(m, "GET", A, SVM_OK, "another\n");
	expect_put(m, "nother\n", "*");
	fixture_free(m);
}

/* Keys that are not the editor's: help, panes, the mouse. */
static void test_files_edit__around(void **state)
{
	struct input_event ev = { .type = INPUT_MOUSE };
	struct model *m = editing("abc\ndef\n");

	(void)state;
	fixture_keys(m, "F1");
	assert_shown(m, "insert before the cursor");
	fixture_keys(m, "Escape z");
	assert_not_shown(m, "FILES");
	fixture_keys(m, "z Tab");
	assert_shown(m, "FILES");
	/* A click goes into the text: column 42 is a border, then numbers. */
	ev.mouse = (struct mouse){ MOUSE_PRESS, 1, 0, 5, 42 + 1 + 7 + 2 };
	update_input(m, &ev);
	assert_shown(m, "2:3");
	fixture_keys(m, "x");
	assert_shown(m, "de ");
	/* Digits and q are the text's, not the program's. */
	fixture_keys(m, "2 q 7");
	assert_int_equal(m->screen, SCREEN_WORKSPACE);
	assert_null(m->dialog);
	fixture_free(m);
}

/* An answer that comes late is for nobody. */
static void test_files_edit__late(void **state)
{
	struct model *m = editing("abc\n");

	(void)state;
	fixture_keys(m, "x ^S :");
	fixture_type(m, "q!");
	fixture_keys(m, "Enter");
	fixture_answer(m, "PUT", A, SVM_PRECONDITION, "another");
	assert_null(m->dialog);
	fixture_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files_edit__save),
		cmocka_unit_test(test_files_edit__said_until_left),
		cmocka_unit_test(test_files_edit__refused_late),
		cmocka_unit_test(test_files_edit__saved_while_saving),
		cmocka_unit_test(test_files_edit__saved_as_it_was),
		cmocka_unit_test(test_files_edit__left_while_saving),
		cmocka_unit_test(test_files_edit__gone),
		cmocka_unit_test(test_files_edit__conflict),
		cmocka_unit_test(test_files_edit__touched),
		cmocka_unit_test(test_files_edit__take_theirs),
		cmocka_unit_test(test_files_edit__save_as),
		cmocka_unit_test(test_files_edit__unsaved),
		cmocka_unit_test(test_files_edit__typed_meanwhile),
		cmocka_unit_test(test_files_edit__draft),
		cmocka_unit_test(test_files_edit__draft_stays_inside),
		cmocka_unit_test(test_files_edit__refused),
		cmocka_unit_test(test_files_edit__read_only),
		cmocka_unit_test(test_files_edit__link),
		cmocka_unit_test(test_files_edit__reload),
		cmocka_unit_test(test_files_edit__around),
		cmocka_unit_test(test_files_edit__late),
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8")) {
		print_message("needs the locale C.UTF-8\n");
		return 1;
	}
	return cmocka_run_group_tests_name("files-edit", tests, make_state,
					   remove_state);
}
