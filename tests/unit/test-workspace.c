/* SPDX-License-Identifier: MIT */
/* The workspace of a sandbox, and what the frame says of it. */
#include "tests/unit/model-fixture.h"

#define SESSIONS "/api/v1/sandboxes/sb-7f3a91c2/sessions"
#define SESSION(id, tty, state) \
	"{\"id\":\"" id "\",\"tty\":" tty ",\"state\":\"" state "\"}"

static struct model *start(void **state, int cols)
{
	struct model *m = fixture_model(30, cols);

	(void)state;
	fixture_keys(m, "2 Down");
	assert_shown(m, "sb-7f3a91c2");
	model_open(m, "sb-7f3a91c2", WORKSPACE_FILES);
	return m;
}

static const struct terminal *session(const struct model *m, const char *sid)
{
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &m->terminals) {
		const struct terminal *t =
			list_entry(pos, struct terminal, link);

		if (t->sid && strcmp(t->sid, sid) == 0 && !t->closed)
			return t;
	}
	return NULL;
}

/* `t` comes back to the newest terminal.  Those that others opened can be gone
 * to; only who is looked at is connected, as that gives it our size. */
static void test_workspace__sessions_of_others(void **state)
{
	struct model *m = start(state, 120);

	fixture_keys(m, "t");
	assert_int_equal(fixture_answer(m, "GET", SESSIONS, SVM_OK,
		"[" SESSION("s1", "true", "running") ","
		SESSION("s2", "false", "running") ","
		SESSION("s3", "true", "exited") ","
		SESSION("s4", "true", "running") "]"), 1);
	assert_null(session(m, "s2"));
	assert_null(session(m, "s3"));
	assert_shown(m, "TERMINAL s1 s4*  ^] leaves");
	assert_true(session(m, "s4")->wanted);
	assert_false(session(m, "s1")->wanted);
	fixture_keys(m, "^] }");
	assert_shown(m, "TERMINAL s1* s4 ");
	assert_true(session(m, "s1")->wanted);
	fixture_free(m);
}

/* Who types on after `t` types into the terminal. */
static void test_workspace__typed_before_it_is_there(void **state)
{
	struct model *m = start(state, 120);
	const struct terminal *t;

	fixture_keys(m, "t q 3 d Enter");
	assert_int_equal(m->screen, SCREEN_WORKSPACE);
	assert_int_equal(fixture_answer(m, "GET", SESSIONS, SVM_OK,
		"[" SESSION("s1", "true", "running") "]"), 1);
	t = session(m, "s1");
	assert_non_null(t);
	assert_string_equal(buf_str(&t->typed), "q3d\r");
	fixture_free(m);
}

static void test_workspace__sessions_come_and_go(void **state)
{
	struct model *m = start(state, 120);

	fixture_keys(m, "t");
	fixture_answer(m, "GET", SESSIONS, SVM_OK,
		       "[" SESSION("s1", "true", "running") "]");
	fixture_line(m, m->events,
		     "{\"type\":\"exec.started\",\"sandbox_id\":"
		     "\"sb-7f3a91c2\",\"data\":{\"session_id\":\"s2\"}}");
	assert_int_equal(fixture_answer(m, "GET", SESSIONS, SVM_OK,
		"[" SESSION("s1", "true", "running") ","
		SESSION("s2", "true", "running") ","
		SESSION("s3", "true", "running") "]"), 1);
	assert_shown(m, "TERMINAL s1* s2 s3 ");
	fixture_line(m, m->events,
		     "{\"type\":\"exec.completed\",\"sandbox_id\":"
		     "\"sb-7f3a91c2\",\"data\":{\"session_id\":\"s2\"}}");
	assert_shown(m, "TERMINAL s1* s3 ");
	fixture_line(m, m->events,
		     "{\"type\":\"sandbox.destroyed\",\"sandbox_id\":"
		     "\"sb-7f3a91c2\"}");
	assert_shown(m, "TERMINAL s1* ");
	assert_not_shown(m, "s3");
	fixture_free(m);
}

static void test_workspace__many_sessions(void **state)
{
	struct model *m = start(state, 120);
	auto_buf struct buf list = BUF_INIT;

	for (int i = 0; i < 100; i++)
		buf_addf(&list, "%s" SESSION("s%d", "true", "running"),
			 i ? "," : "[", i);
	buf_addch(&list, ']');
	fixture_keys(m, "t");
	fixture_answer(m, "GET", SESSIONS, SVM_OK, buf_str(&list));
	assert_shown(m, "TERMINAL s63* 64 of 64 ");
	fixture_keys(m, "^] }");
	assert_shown(m, "TERMINAL s0* 1 of 64 ");
	fixture_free(m);
}

/* Who has left a terminal is told how to go on, zoomed or not. */
static void test_workspace__after_leaving(void **state)
{
	struct model *m = start(state, 100);

	fixture_keys(m, "T ^]");
	fixture_time(m, INT64_C(60000000000));
	update_tick(m);
	assert_shown(m, "Enter open  [ copy  X end  } next");
	fixture_keys(m, "z");
	assert_shown(m, "Enter back  [ copy  z smaller");
	assert_not_shown(m, "^] leaves");
	fixture_keys(m, "Enter");
	assert_shown(m, "^] leaves  ^]^] sends ^]");
	fixture_free(m);
}

/* "r restart  X close" is true at once, and only on request. */
static void test_workspace__ended(void **state)
{
	struct model *m = start(state, 120);
	struct terminal *t;

	fixture_keys(m, "t");
	fixture_answer(m, "GET", SESSIONS, SVM_OK,
		       "[" SESSION("s1", "true", "running") "]");
	t = (struct terminal *)session(m, "s1");
	t->state = TERMINAL_LIVE;
	fixture_keys(m, "r X");
	assert_ptr_equal(session(m, "s1"), t);
	assert_null(m->dialog);
	t->state = TERMINAL_EXITED;
	fixture_keys(m, "a q");
	assert_shown(m, "[exited 0  r restart  Enter close]");
	fixture_keys(m, "r");
	assert_null(session(m, "s1"));
	assert_shown(m, "[opening]");
	assert_shown(m, "^] leaves");
	fixture_keys(m, "^] ^T");
	assert_not_shown(m, "[opening]");
	fixture_keys(m, "^T");
	assert_shown(m, "[opening]");
	fixture_keys(m, "^T 3");
	assert_shown(m, "[opening]");
	fixture_free(m);
	/* One that was taken over is attached to again. */
	m = start(state, 120);
	fixture_keys(m, "t");
	fixture_answer(m, "GET", SESSIONS, SVM_OK,
		       "[" SESSION("s2", "true", "running") "]");
	t = (struct terminal *)session(m, "s2");
	t->state = TERMINAL_FAILED;
	m->read_only = true;
	fixture_keys(m, "r");
	assert_ptr_equal(session(m, "s2"), t);
	m->read_only = false;
	fixture_keys(m, "r");
	assert_ptr_not_equal(session(m, "s2"), t);
	assert_non_null(session(m, "s2"));
	t = (struct terminal *)session(m, "s2");
	t->state = TERMINAL_FAILED;
	fixture_keys(m, "X");
	assert_null(session(m, "s2"));
	fixture_free(m);
}

/* No key is shown where it does something else. */
static void test_workspace__navigation(void **state)
{
	struct model *m = start(state, 100);
	auto_err struct svm_err err = SVM_ERR_INIT;

	assert_shown(m, "  DASH    SANDBOXES    TEMPLATES  4 PROVIDERS");
	assert_not_shown(m, "3 TEMPLATES");
	assert_shown(m, ": command  ? help");
	fixture_keys(m, "T");
	assert_shown(m, "TEMPLATES    PROVIDERS");
	assert_not_shown(m, ": command");
	fixture_keys(m, "^] Escape Escape");
	assert_shown(m, "3 TEMPLATES");
	/* Also below a dialog, and by other keys. */
	fixture_keys(m, "?");
	assert_shown(m, "3 TEMPLATES");
	fixture_keys(m, "Escape");
	assert_int_equal(keymap_set(m->keymap, "global.templates", "0", &err),
			 0);
	assert_shown(m, "0 TEMPLATES");
	fixture_free(m);
}

/* The help has each key once: with what it does here. */
static void test_workspace__help(void **state)
{
	struct model *m = start(state, 120);
	auto_free char *screen = NULL;
	const char *first;

	fixture_keys(m, "T ^] ?");
	fixture_type(m, "new terminal");
	screen = fixture_screen(m);
	first = strstr(screen, " T  ");
	assert_non_null(first);
	assert_null(strstr(first + 1, " T  "));
	fixture_keys(m, "^U");
	fixture_type(m, "live terminal");
	assert_shown(m, " 3              live terminal");
	fixture_free(m);
}

/* It is up as long as it says, and has spawned what was spawned. */
static void test_workspace__daemon_figures(void **state)
{
	struct model *m = fixture_model(30, 120);

	(void)state;
	assert_shown(m, "up 4h02m  312 spawned");
	fixture_time(m, INT64_C(3600000000000));
	update_tick(m);
	assert_shown(m, "up 5h02m  312 spawned");
	for (int i = 0; i < 5; i++)
		fixture_line(m, m->events,
			     "{\"type\":\"sandbox.created\","
			     "\"sandbox_id\":\"sb-7f3a91c2\"}");
	/* Once, and once after: not for each of many. */
	assert_int_equal(fixture_answer(m, "GET", "/api/v1/metrics", SVM_OK,
		"{\"uptime\":\"2s\",\"total_sandboxes\":317}"), 2);
	assert_shown(m, "up <1m  317 spawned");
	fixture_free(m);
}

static void test_workspace__empty_lists(void **state)
{
	struct model *m = fixture_model(30, 120);

	(void)state;
	sync_templates(m);
	fixture_answer(m, "GET", "/api/v1/templates", SVM_OK, "[]");
	fixture_keys(m, "3");
	assert_shown(m, "none yet; n makes one");
	assert_shown(m, "DETAILS");
	assert_not_shown(m, "0/0");
	fixture_keys(m, "4 /");
	fixture_type(m, "nose");
	assert_shown(m, "nothing matches the filter; Esc clears it");
	fixture_no_sandboxes(m);
	fixture_keys(m, "Escape 2");
	assert_not_shown(m, "0/0");
	fixture_free(m);
}

/* The sandbox itself can be acted on: this one, whatever is marked. */
static void test_workspace__its_sandbox(void **state)
{
	struct model *m = fixture_model(60, 120);

	(void)state;
	fixture_keys(m, "2 j Space j Space");
	model_open(m, "sb-7f3a91c2", WORKSPACE_FILES);
	fixture_keys(m, "R");
	assert_non_null(m->dialog);
	assert_shown(m, "sb-7f3a91c2");
	assert_shown(m, "task=ci");
	fixture_keys(m, "Escape x");
	assert_shown(m, "rename, change labels");
	assert_shown(m, "find files by a pattern");
	fixture_keys(m, "Escape t");
	fixture_answer(m, "GET", SESSIONS, SVM_OK, "[]");
	fixture_keys(m, "^] x");
	assert_shown(m, "rename, change labels");
	assert_shown(m, "end the session");
	assert_not_shown(m, "find files by a pattern");
	fixture_free(m);
}

static void test_workspace__json_is_as_one_writes_it(void **state)
{
	struct model *m = fixture_model(30, 120);

	(void)state;
	fixture_keys(m, "2 Down ] ] ] ]");
	assert_shown(m, "  \"state\": \"running\",");
	fixture_free(m);
}

int main(void)
{
#define TEST(name) cmocka_unit_test(test_workspace__##name)
	const struct CMUnitTest tests[] = {
		TEST(sessions_of_others),
		TEST(typed_before_it_is_there),
		TEST(sessions_come_and_go),
		TEST(many_sessions),
		TEST(after_leaving),
		TEST(ended),
		TEST(navigation),
		TEST(help),
		TEST(daemon_figures),
		TEST(empty_lists),
		TEST(its_sandbox),
		TEST(json_is_as_one_writes_it),
#undef TEST
	};

	return cmocka_run_group_tests_name("workspace", tests, NULL, NULL);
}
