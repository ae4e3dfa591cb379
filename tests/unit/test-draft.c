/* SPDX-License-Identifier: MIT */
/* Texts that were not saved: written at a pause, offered again, harmless. */
#include <fcntl.h>
#include <locale.h>
#include <sys/stat.h>

#include "lib/base/fd.h"
#include "tests/unit/edit-fixture.h"
#include "tui/draft.h"

#define SECOND INT64_C(1000000000)

static void pass(struct model *m, int64_t ns)
{
	fixture_time(m, ns);
	update_tick(m);
}

static void expect_keep(struct model *m, const char *text)
{
	struct request *r = fixture_request(m, REQUEST_KEEP);

	assert_non_null(r);
	assert_int_equal(r->body.len, strlen(text));
	assert_memory_equal(buf_str(&r->body), text, strlen(text));
	assert_int_equal(fixture_answer(m, REQUEST_KEEP, "draft", SVM_OK, ""),
			 1);
}

static void test_draft__at_a_pause(void **state)
{
	struct model *m = editing("abc\n");

	(void)state;
	pass(m, 1); /* what is left of the sandbox's time was drawn */
	fixture_keys(m, "x");
	assert_int_equal(update_wake(m), m->boot_ns + SECOND);
	pass(m, SECOND / 2);
	assert_null(fixture_request(m, REQUEST_KEEP));
	pass(m, SECOND / 2);
	expect_keep(m, "bc\n");
	/* Nothing changed: nothing is due. */
	fixture_keys(m, "l");
	pass(m, 2 * SECOND);
	assert_null(fixture_request(m, REQUEST_KEEP));
	/* Who never pauses has one all the same; also behind another screen. */
	fixture_keys(m, "i");
	for (int i = 0; i < 10; i++) {
		fixture_type(m, "1");
		pass(m, SECOND / 2);
	}
	expect_keep(m, "b1111111111c\n");
	fixture_type(m, "2");
	model_show(m, SCREEN_DASH);
	pass(m, SECOND);
	expect_keep(m, "b11111111112c\n");
	fixture_free(m);
}

/* One that arrives after it was saved, or undone, doesn't stay. */
static void test_draft__too_late(void **state)
{
	struct model *m = editing("abc\n");
	struct request *r;
	auto_free char *file = NULL;

	(void)state;
	fixture_keys(m, "x");
	pass(m, SECOND);
	r = fixture_request(m, REQUEST_KEEP);
	assert_non_null(r);
	file = xstrdup(r->download);
	fixture_keys(m, "u");
	assert_int_equal(fd_replace_path(AT_FDCWD, file, "bc\n", 3, 0600), 0);
	fixture_answer(m, REQUEST_KEEP, "draft", SVM_OK, "");
	assert_int_equal(access(file, F_OK), -1);
	fixture_free(m);
}

/* As a dashboard leaves it that ends by force. */
static void leave_behind(const char *text, const char *keys)
{
	auto_buf struct buf say = BUF_INIT;
	struct model *m = editing(text);

	fixture_keys(m, keys);
	screens[SCREEN_WORKSPACE]->rescue(m, m->state[SCREEN_WORKSPACE], &say);
	fixture_free(m);
}

static void test_draft__restore(void **state)
{
	auto_free char *file = NULL;
	struct model *m;
	struct stat st;

	(void)state;
	leave_behind("a\xff\r\nb", "x");
	file = only_draft(state_dir);
	assert_non_null(file);
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	m = editing("a\xff\r\nb");
	assert_shown(m, "A DRAFT FROM ");
	fixture_keys(m, "v");
	assert_shown(m, "from line 1:");
	fixture_keys(m, "Escape r");
	assert_null(m->dialog);
	assert_shown(m, "modified");
	fixture_keys(m, "^S");
	assert_int_equal(fixture_request(m, "PUT")->body.len, 4);
	assert_memory_equal(buf_str(&fixture_request(m, "PUT")->body),
			    "\xff\r\nb", 4);
	free(steal_ptr(&file));
	file = only_draft(state_dir);
	assert_non_null(file); /* until it is saved */
	fixture_answer(m, "PUT", A, SVM_OK, "{}");
	assert_int_equal(access(file, F_OK), -1);
	fixture_free(m);
}

static void test_draft__discard_and_later(void **state)
{
	struct model *m;
	char *file;

	(void)state;
	leave_behind("abc\n", "x");
	m = editing("abc\n");
	fixture_keys(m, "Escape"); /* later */
	assert_shown(m, "1 abc");
	fixture_free(m);
	m = editing("changed\n");
	assert_shown(m, "restore it over what was changed since");
	fixture_keys(m, "d");
	file = only_draft(state_dir);
	assert_null(file);
	assert_shown(m, "1 changed");
	assert_not_shown(m, "modified");
	fixture_free(m);
	/* What the file has by now isn't asked about. */
	leave_behind("abc\n", "x");
	m = editing("bc\n");
	assert_null(m->dialog);
	assert_null(only_draft(state_dir));
	fixture_free(m);
}

/* One that was quit with Yes is still there. */
static void test_draft__quit(void **state)
{
	struct model *m = editing("abc\n");
	auto_free char *file = NULL;

	(void)state;
	fixture_keys(m, "x S-Tab q y");
	assert_true(m->effects & EFFECT_QUIT);
	fixture_free(m);
	file = only_draft(state_dir);
	assert_non_null(file);
	drop_drafts();
}

/* Whatever lies there: no hang, no crash, nothing offered. */
static void test_draft__hostile(void **state)
{
	auto_free char *file = NULL;
	struct model *m;

	(void)state;
	leave_behind("abc\n", "x");
	file = only_draft(state_dir);
	for (int kind = 0; kind < 6; kind++) {
		auto_free char *end = xasprintf("-%d-main.py", (int)getpid());
		auto_free char *other = NULL;

		assert_int_equal(unlink(file), 0);
		switch (kind) {
		case 0:
			assert_int_equal(symlink("/etc/passwd", file), 0);
			break;
		case 1:
			assert_int_equal(mkfifo(file, 0600), 0);
			break;
		case 2: /* too long */
			close(open(file, O_CREAT | O_WRONLY, 0600));
			assert_int_equal(truncate(file, LIMIT_TUI_EDIT + 1),
					 0);
			break;
		case 3: /* another's, who runs */
			other = xasprintf("%.*s-%d-main.py",
					  (int)(strlen(file) - strlen(end)),
					  file, (int)getppid());
			close(open(other, O_CREAT | O_WRONLY, 0600));
			break;
		case 4: /* no number */
			other = xasprintf("%.*s-x-main.py",
					  (int)(strlen(file) - strlen(end)),
					  file);
			close(open(other, O_CREAT | O_WRONLY, 0600));
			break;
		case 5:
			assert_int_equal(mkdir(file, 0700), 0);
			break;
		}
		m = editing("abc\n");
		assert_null(m->dialog);
		fixture_free(m);
		if (other)
			assert_int_equal(rename(other, file), 0);
		if (kind == 5)
			assert_int_equal(rmdir(file), 0);
	}
	/* Bytes that would steer a terminal are a text like any other. */
	assert_int_equal(fd_replace_path(AT_FDCWD, file, "\033]0;x\a\0\xff", 8,
					 0600), 0);
	m = editing("abc\n");
	fixture_keys(m, "v");
	assert_shown(m, "+^[]0;x^G");
	fixture_free(m);
	drop_drafts();
}

static void test_draft__so_many(void **state)
{
	struct digest base = digest_of("", 0);
	char path[32];
	size_t n = 0;
	glob_t g;

	(void)state;
	for (int i = 0; i < LIMIT_TUI_DRAFTS + 5; i++) {
		snprintf(path, sizeof(path), "/f%d", i);
		const struct draft_of of = { "", "sb-1", path, &base };
		auto_free char *file = draft_file(&of);

		assert_int_equal(fd_replace_path(AT_FDCWD, file, "x", 1, 0600),
				 0);
	}
	auto_free char *all = xasprintf("%s/stacyvm/drafts/*", state_dir);
	if (glob(all, 0, NULL, &g) == 0)
		n = g.gl_pathc;
	globfree(&g);
	assert_int_equal(n, LIMIT_TUI_DRAFTS);
	drop_drafts();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_draft__at_a_pause),
		cmocka_unit_test(test_draft__too_late),
		cmocka_unit_test(test_draft__restore),
		cmocka_unit_test(test_draft__discard_and_later),
		cmocka_unit_test(test_draft__quit),
		cmocka_unit_test(test_draft__hostile),
		cmocka_unit_test(test_draft__so_many),
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8")) {
		print_message("needs the locale C.UTF-8\n");
		return 1;
	}
	return cmocka_run_group_tests_name("draft", tests, make_state,
					   remove_state);
}
