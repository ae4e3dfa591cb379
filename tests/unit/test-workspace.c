/* SPDX-License-Identifier: MIT */
/* The workspace of a sandbox, and what the frame says of it. */
#include "lib/base/width.h"
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
	assert_shown(m, "TERMINAL s1 s2* +new  ^] leaves");
	assert_true(session(m, "s4")->wanted);
	assert_false(session(m, "s1")->wanted);
	fixture_keys(m, "^] }");
	assert_shown(m, "TERMINAL s1* s2 +new ");
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

static void click_on(struct model *m, const char *text)
{
	auto_free char *screen = fixture_screen(m);
	struct input_event ev = { .type = INPUT_MOUSE,
				  .mouse = { .kind = MOUSE_PRESS,
					     .button = 1 } };
	const char *at = strstr(screen, text), *line = screen;

	assert_non_null(at);
	for (const char *p = screen; p < at; p++)
		if (*p == '\n') {
			line = p + 1;
			ev.mouse.row++;
		}
	ev.mouse.col = (int)width_text(line, (size_t)(at - line));
	update_input(m, &ev);
}

/* Named for those who read, by numbers that stay theirs; the daemon's name is
 * there for who is to type it elsewhere. */
static void test_workspace__names_of_sessions(void **state)
{
	struct model *m = start(state, 120);

	fixture_keys(m, "t");
	fixture_answer(m, "GET", SESSIONS, SVM_OK,
		"[" SESSION("ex-00c0ffee", "true", "running") ","
		SESSION("ex-0badcafe", "true", "running") "]");
	assert_shown(m, "TERMINAL s1 s2* +new  ^] leaves");
	click_on(m, "+new");
	assert_shown(m, "TERMINAL s1 s2 s3* +new  ^] leaves");
	fixture_line(m, m->events,
		     "{\"type\":\"exec.completed\",\"sandbox_id\":"
		     "\"sb-7f3a91c2\",\"data\":{\"session_id\":"
		     "\"ex-00c0ffee\"}}");
	assert_shown(m, "TERMINAL s2 s3* +new ");
	click_on(m, "s2 s3*");
	assert_shown(m, "TERMINAL s2* s3 +new ");
	click_on(m, "TERMINAL"); /* is no session */
	assert_shown(m, "TERMINAL s2* s3 +new ");
	fixture_keys(m, "^]");
	fixture_time(m, INT64_C(4000000000));
	update_tick(m);
	assert_shown(m, "left: Enter goes back  s2 is ex-0badcafe");
	m->read_only = true;
	assert_shown(m, "TERMINAL s2* s3 ");
	assert_not_shown(m, "+new");
	m->read_only = false;
	model_resize(m, 30, 40);
	assert_shown(m, "s2* s3");
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
	assert_shown(m, "TERMINAL s64* 64 of 64 ");
	fixture_keys(m, "^] }");
	assert_shown(m, "TERMINAL s1* 1 of 64 ");
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
	assert_shown(m, "left: Enter goes back");
	fixture_keys(m, "z");
	assert_shown(m, "Enter back  [ copy  z smaller");
	assert_not_shown(m, "^] leaves");
	fixture_keys(m, "Enter");
	assert_shown(m, "^] leaves  ^]^] sends ^]");
	fixture_free(m);
}

/* What the key just did is said until the next, or for some seconds. */
static void test_workspace__left_is_brief(void **state)
{
	struct model *m = start(state, 120);

	fixture_keys(m, "T ^]");
	assert_shown(m, "left; ^] sends the key itself, Enter goes back");
	fixture_keys(m, "Tab");
	assert_not_shown(m, "left; ^]");
	fixture_keys(m, "3 ^]");
	assert_shown(m, "left; ^]");
	fixture_time(m, INT64_C(2900000000));
	update_tick(m);
	assert_shown(m, "left; ^]");
	fixture_time(m, INT64_C(200000000));
	assert_true(update_wake(m) <= m->boot_ns);
	update_tick(m);
	assert_not_shown(m, "left; ^]");
	/* Others stay: a key is no answer to them. */
	model_say(m, "something else");
	fixture_keys(m, "Tab");
	assert_shown(m, "something else");
	fixture_free(m);
}

/* However it is entered again; and no other screen has left one. */
static void test_workspace__left_until_back(void **state)
{
	struct model *m = start(state, 120);

	fixture_keys(m, "T ^]");
	update_input(m, &(struct input_event){
			.type = INPUT_MOUSE,
			.mouse = { .kind = MOUSE_PRESS, .button = 1,
				   .row = 10, .col = 60 } });
	assert_shown(m, "^] leave");
	assert_not_shown(m, "left; ^]");
	fixture_keys(m, "^]");
	assert_shown(m, "left; ^]");
	model_show(m, SCREEN_EVENTS);
	assert_not_shown(m, "left; ^]");
	fixture_free(m);
}

/* What was looked for is of no matter once nobody looks back. */
static void test_workspace__not_found_until_back(void **state)
{
	struct model *m = start(state, 120);

	fixture_keys(m, "T ^] [ / z q Enter");
	assert_shown(m, "zq is not in it");
	fixture_keys(m, "Up");
	assert_shown(m, "zq is not in it");
	fixture_keys(m, "q");
	assert_not_shown(m, "zq is not in it");
	fixture_free(m);
}

/* The bar goes before anything else does; what never ends has none. */
static void test_workspace__time_left(void **state)
{
	struct model *m = start(state, 120);
	struct sandbox *s = fleet_find(&m->fleet, "sb-7f3a91c2");

	s->created_ns = m->wall_ns - INT64_C(3600000000000);
	s->expires_ns = m->wall_ns + INT64_C(1230000000000);
	assert_shown(m, "  ttl \u2588\u2591\u2591\u2591\u2591 20m");
	assert_int_equal(update_wake(m) - m->boot_ns, INT64_C(30000000001));
	m->set.ascii = true;
	assert_shown(m, "  ttl #.... 20m");
	model_resize(m, 30, 60);
	assert_shown(m, "  python:3.12  mock  ttl #.... 20m");
	model_resize(m, 30, 56);
	assert_shown(m, "  python:3.12  mock  ttl 20m");
	model_resize(m, 30, 48);
	assert_shown(m, "  python:3.12  ttl 20m");
	model_resize(m, 30, 40);
	assert_shown(m, " running  ttl 20m");
	s->created_ns = 0; /* not known */
	model_resize(m, 30, 120);
	assert_shown(m, "  ttl 20m");
	s->expires_ns = 0;
	assert_not_shown(m, "ttl");
	fixture_free(m);
}

/* Its logs are one key away, until others were chosen. */
static void test_workspace__logs_of_it(void **state)
{
	struct model *m = start(state, 120);

	fixture_keys(m, "5");
	assert_shown(m, "LOGS  sb-7f3a91c2");
	model_open(m, "sb-2c8e04d7", WORKSPACE_FILES);
	fixture_keys(m, "5");
	assert_shown(m, "LOGS  sb-2c8e04d7");
	model_logs(m, "sb-7f3a91c2");
	model_open(m, "sb-2c8e04d7", WORKSPACE_FILES);
	fixture_keys(m, "5");
	assert_shown(m, "LOGS  sb-7f3a91c2");
	fixture_free(m);
}

static struct terminal *attach(struct model *m, const char *sid)
{
	struct terminal *t;

	fixture_keys(m, "t");
	fixture_answer(m, "GET", SESSIONS, SVM_OK,
		       "[" SESSION("s1", "true", "running") "]");
	t = (struct terminal *)session(m, sid);
	assert_non_null(t);
	t->state = TERMINAL_LIVE;
	update_settle(m);
	return t;
}

/* A dashboard that changes nothing watches what is there. */
static void test_workspace__read_only(void **state)
{
	struct model *m = start(state, 120);
	struct terminal *t;

	m->read_only = true;
	fixture_keys(m, "T");
	assert_shown(m, "read-only: new-terminal changes something");
	fixture_keys(m, "t");
	assert_int_equal(fixture_answer(m, "GET", SESSIONS, SVM_OK, "[]"), 1);
	assert_shown(m, "read-only: it has no terminal to watch");
	assert_true(m->terminals.next == &m->terminals);
	t = attach(m, "s1");
	assert_shown(m, "[read only]");
	assert_shown(m, "^] leaves");
	fixture_keys(m, "l s Enter");
	assert_shown(m, "read-only: nothing is typed here; ^] leaves");
	assert_int_equal(t->typed.len, 0);
	fixture_time(m, INT64_C(4000000000));
	update_tick(m);
	assert_not_shown(m, "nothing is typed");
	fixture_paste(m, "text");
	update_input(m, &(struct input_event){ .type = INPUT_PASTE_BEGIN });
	assert_shown(m, "read-only: nothing is typed here");
	assert_int_equal(t->typed.len, 0);
	/* Zoomed there is no footer. */
	fixture_keys(m, "^] z Enter x");
	assert_shown(m, "read-only: nothing is typed here");
	assert_shown(m, "^] leaves");
	fixture_keys(m, "^] z X");
	assert_shown(m, "read-only: close-session changes something");
	assert_non_null(session(m, "s1"));
	m->read_only = false;
	fixture_keys(m, "Enter x");
	assert_string_equal(buf_str(&t->typed), "x");
	fixture_free(m);
}

static void row_of(const struct model *m, const char *text, char out[1024])
{
	auto_free char *screen = fixture_screen(m);
	const char *at = strstr(screen, text), *begin = at;

	if (!at) {
		fputs(screen, stderr);
		fail_msg("'%s' is not there", text);
	}
	while (begin > screen && begin[-1] != '\n')
		begin--;
	snprintf(out, 1024, "%.*s", (int)strcspn(begin, "\n"), begin);
}

/* What matters least goes first; the key that leaves never does, and nothing
 * stands on it. */
static void test_workspace__zoomed_line(void **state)
{
	static const struct {
		int cols;
		enum terminal_state state;
		const char *line;
	} cases[] = {
		{ 120, TERMINAL_EXITED,
		  " sb-7f3a91c2 web s1*  vim main.py             ● 24m  "
		  "[exited 3 in 4m  r restart  Enter close]  ^] leaves  "
		  "^]^] sends ^]" },
		{ 80, TERMINAL_EXITED,
		  " sb-7f3a91c2 web s1*        "
		  "[exited 3 in 4m  r restart  Enter close]  ^] leaves" },
		{ 60, TERMINAL_EXITED,
		  " s1*    [exited 3 in 4m  r restart  Enter close]  ^] "
		  "leaves" },
		{ 40, TERMINAL_EXITED,
		  " [exited 3 in 4m  r restart]  ^] leaves" },
		{ 200, TERMINAL_LOST, NULL },
		{ 80, TERMINAL_LOST,
		  " sb-7f3a91c2 web s1*        ● 24m  [reconnecting 2 s]  "
		  "^] leaves  ^]^] sends ^]" },
		{ 60, TERMINAL_LOST, NULL },
		{ 40, TERMINAL_LOST, " s1*      [reconnecting 2 s]  ^] leaves" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct model *m = start(state, 120);
		struct terminal *t = attach(m, "s1");
		char row[1024];

		model_resize(m, 30, cases[i].cols);
		terminal_write(t, "\033]0;vim main.py\a", 16);
		fixture_keys(m, "^] z Enter");
		t->state = cases[i].state;
		t->exit_code = 3;
		t->lasted_ns = INT64_C(250000000000);
		t->lost_ns = m->boot_ns - INT64_C(2500000000);
		row_of(m, "^] leaves", row);
		if (cases[i].line)
			assert_string_equal(row, cases[i].line);
		assert_non_null(strstr(row, cases[i].state == TERMINAL_LOST ?
						"[reconnecting 2 s]  ^] leaves" :
						"restart"));
		fixture_free(m);
	}
}

/* Typed without a connection: what becomes of it is in the help, and leaving
 * asks. */
static void test_workspace__waiting(void **state)
{
	struct model *m = start(state, 120);
	struct terminal *t = attach(m, "s1");

	t->state = TERMINAL_LOST;
	t->lost_ns = m->boot_ns;
	fixture_keys(m, "a b ^]");
	assert_shown(m, "2 bytes waiting]");
	model_resize(m, 100, 120);
	fixture_keys(m, "?");
	assert_shown(m, "typed without a connection, 4 KiB at most");
	fixture_keys(m, "Escape q");
	assert_shown(m, "is not sent yet; it is lost.");
	fixture_keys(m, "Escape X y");
	assert_true(t->closed);
	assert_shown(m, "closed; 2 bytes typed not sent");
	fixture_free(m);
}

/* Nothing else says how one gets out of a terminal without a daemon. */
static void test_workspace__no_daemon(void **state)
{
	struct model *m = start(state, 120);
	struct terminal *t = attach(m, "s1");

	t->state = TERMINAL_LOST;
	t->lost_ns = m->boot_ns - INT64_C(2500000000);
	m->link = LINK_LOST;
	fixture_keys(m, "a");
	assert_shown(m, "^] leaves"); /* there is none to be started */
	m->starts = true;
	assert_shown(m, "^] then ^R starts the daemon");
	assert_shown(m, "[reconnecting 2 s  1 byte waiting]");
	/* What waits has the room first. */
	model_resize(m, 30, 60);
	assert_shown(m, "^] leaves");
	assert_shown(m, "[reconnecting 2 s  1 byte waiting]");
	/* Alone on the screen, also once one has left. */
	model_resize(m, 30, 120);
	fixture_keys(m, "^] z");
	fixture_time(m, INT64_C(4000000000));
	update_tick(m);
	assert_shown(m, "  ^R starts the daemon");
	assert_not_shown(m, "then ^R");
	fixture_keys(m, "Enter");
	assert_shown(m, "^] then ^R starts the daemon");
	m->silent = true; /* it is there, and hangs */
	assert_not_shown(m, "starts the daemon");
	m->silent = false;
	m->link = LINK_LIVE;
	assert_not_shown(m, "starts the daemon");
	fixture_free(m);
}

/* Of a sandbox that is killed nothing begins again, and no key is said to. */
static void test_workspace__killed_elsewhere(void **state)
{
	struct model *m = start(state, 120);
	struct terminal *t = attach(m, "s1");

	t->state = TERMINAL_FAILED;
	t->why = xstrdup("it was lost");
	assert_shown(m, "[it was lost  r attaches again  Enter close]");
	assert_shown(m, "\n not connected ");
	fleet_put(&m->fleet,
		  cJSON_Parse("{\"id\":\"sb-7f3a91c2\",\"state\":"
			      "\"destroying\"}"));
	for (int gone = 0; gone < 2; gone++) {
		assert_shown(m, "[it was lost  Enter close]");
		assert_shown(m, "\n ended ");
		fixture_keys(m, "r");
		assert_ptr_equal(session(m, "s1"), t);
		assert_shown(m, "sb-7f3a91c2 is gone or being destroyed");
		fixture_time(m, INT64_C(60000000000));
		update_tick(m);
		fleet_remove(&m->fleet, "sb-7f3a91c2");
	}
	t->state = TERMINAL_EXITED;
	assert_shown(m, "[exited 0  Enter close]");
	fixture_keys(m, "Enter");
	assert_null(session(m, "s1"));
	fixture_free(m);
}

/* Copying ends it, so the q that was to end it must not quit. */
static void test_workspace__quit_after_copying(void **state)
{
	struct model *m = start(state, 120);

	attach(m, "s1");
	fixture_keys(m, "^] [ y");
	assert_shown(m, "copied ");
	m->effects = 0;
	fixture_keys(m, "q");
	assert_false(m->effects & EFFECT_QUIT);
	assert_shown(m, "no longer looking back; q again quits");
	fixture_keys(m, "q");
	assert_true(m->effects & EFFECT_QUIT);
	/* One did something else since. */
	m->effects = 0;
	fixture_keys(m, "[ y Tab q");
	assert_true(m->effects & EFFECT_QUIT);
	m->effects = 0;
	fixture_keys(m, "3 ^] [ y Enter ^] q");
	assert_true(m->effects & EFFECT_QUIT);
	/* Word of it isn't for long. */
	fixture_keys(m, "[ y");
	fixture_time(m, INT64_C(4000000000));
	update_tick(m);
	assert_not_shown(m, "copied ");
	fixture_free(m);
}

/* A click moves the cursor there, and nothing else: what is typed next goes
 * into no shell. */
static void test_workspace__a_click_looking_back(void **state)
{
	struct model *m = start(state, 120);
	struct input_event ev = { .type = INPUT_MOUSE,
				  .mouse = { .kind = MOUSE_PRESS, .button = 1 } };

	attach(m, "s1");
	fixture_keys(m, "^] z [ V");
	ev.mouse.row = 6;
	ev.mouse.col = 40;
	update_input(m, &ev);
	ev.mouse.kind = MOUSE_RELEASE;
	update_input(m, &ev);
	assert_shown(m, "selected ");
	fixture_type(m, "x");
	assert_shown(m, "[COPY ");
	fixture_keys(m, "q");
	/* Letting go over one that was left scrolls nothing. */
	update_input(m, &ev);
	assert_not_shown(m, "[-1");
	fixture_free(m);
}

/* Also where titles have no room: whence one came, which a click goes to. */
static void test_workspace__narrow_navigation(void **state)
{
	struct model *m = start(state, 80);

	assert_shown(m, "     SANDBOXES   4 5 6 7 ");
	fixture_keys(m, "t");
	assert_shown(m, "     SANDBOXES\n");
	assert_not_shown(m, "4 5 6 7");
	click_on(m, "SANDBOXES\n");
	assert_int_equal(m->screen, SCREEN_SANDBOXES);
	fixture_free(m);
}

/* Nothing else tells the keys of looking back: ? searches there. */
static void test_workspace__looking_back_line(void **state)
{
	struct model *m = start(state, 120);

	attach(m, "s1");
	fixture_keys(m, "^] z [");
	assert_shown(m, "[COPY line ");
	assert_shown(m, "v select  V lines  y copy  s save  / search");
	assert_shown(m, "]  q live");
	model_resize(m, 30, 40);
	assert_shown(m, "]  q live");
	assert_not_shown(m, "v select");
	fixture_keys(m, "q");
	assert_shown(m, "Enter back");
	/* Nor is what Enter does any longer said to go back. */
	model_resize(m, 30, 120);
	fixture_keys(m, "z [");
	fixture_time(m, INT64_C(4000000000));
	update_tick(m);
	assert_shown(m, "looking back: y copies");
	assert_shown(m, "v select  V lines  s save  / search");
	assert_not_shown(m, "goes back");
	fixture_free(m);
}

/* The same beside the files, whose pane is narrower. */
static void test_workspace__pane_line(void **state)
{
	static const int cols[] = { 200, 120, 80, 60, 40 };

	for (size_t i = 0; i < ARRAY_SIZE(cols); i++) {
		struct model *m = start(state, 120);
		struct terminal *t = attach(m, "s1");
		char row[1024];

		model_resize(m, 30, cols[i]);
		terminal_write(t, "\033]0;a title that is long\a", 24);
		t->state = TERMINAL_EXITED;
		t->exit_code = 127;
		row_of(m, "^] leaves", row);
		assert_non_null(strstr(row, "[exited 127"));
		t->state = TERMINAL_FAILED;
		t->why = xstrdup("a reason that is much longer than all that "
				 "a line of eighty columns could hold, ever");
		row_of(m, "^] leaves", row);
		assert_non_null(strstr(row, "[a reason"));
		fixture_free(m);
	}
}

/* Awake for the seconds only while they are in view. */
static void test_workspace__counts_while_seen(void **state)
{
	struct model *m = start(state, 120);
	struct terminal *t = attach(m, "s1");
	int64_t due;

	t->state = TERMINAL_LOST;
	t->lost_ns = m->boot_ns;
	m->toast_until = m->boot_ns; /* whatever was said */
	fleet_find(&m->fleet, "sb-7f3a91c2")->expires_ns = 0;
	update_tick(m);
	due = m->boot_ns + INT64_C(1000000000);
	assert_int_equal(update_wake(m), due);
	fixture_time(m, INT64_C(2000000000));
	update_tick(m);
	assert_shown(m, "[reconnecting 2 s]");
	assert_int_equal(update_wake(m), due + INT64_C(2000000000));
	m->focused = false;
	assert_true(update_wake(m) > due + INT64_C(2000000000));
	m->focused = true;
	model_show(m, SCREEN_CONFIG);
	assert_true(update_wake(m) > due + INT64_C(2000000000));
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
	assert_shown(m, "\n ended ");
	t->state = TERMINAL_LOST;
	assert_shown(m, "\n not connected ");
	t->state = TERMINAL_EXITED;
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
	/* That changes nothing; to begin one does. */
	m->read_only = true;
	t->state = TERMINAL_EXITED;
	fixture_keys(m, "r");
	assert_ptr_equal(session(m, "s2"), t);
	assert_shown(m, "read-only: new-terminal changes something");
	t->state = TERMINAL_FAILED;
	fixture_keys(m, "r");
	m->read_only = false;
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
	assert_shown(m, " 4h02m  312 spawns ");
	fixture_time(m, INT64_C(3600000000000));
	update_tick(m);
	assert_shown(m, " 5h02m  312 spawns ");
	for (int i = 0; i < 5; i++)
		fixture_line(m, m->events,
			     "{\"type\":\"sandbox.created\","
			     "\"sandbox_id\":\"sb-7f3a91c2\"}");
	/* Once, and once after: not for each of many. */
	assert_int_equal(fixture_answer(m, "GET", "/api/v1/metrics", SVM_OK,
		"{\"uptime\":\"2s\",\"total_sandboxes\":317}"), 2);
	assert_shown(m, " <1m  317 spawns ");
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
	fixture_keys(m, "2 Down ] ] ] ] ]");
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
		TEST(names_of_sessions),
		TEST(many_sessions),
		TEST(after_leaving),
		TEST(left_is_brief),
		TEST(left_until_back),
		TEST(not_found_until_back),
		TEST(time_left),
		TEST(read_only),
		TEST(zoomed_line),
		TEST(waiting),
		TEST(no_daemon),
		TEST(killed_elsewhere),
		TEST(looking_back_line),
		TEST(pane_line),
		TEST(counts_while_seen),
		TEST(ended),
		TEST(navigation),
		TEST(help),
		TEST(logs_of_it),
		TEST(quit_after_copying),
		TEST(a_click_looking_back),
		TEST(narrow_navigation),
		TEST(daemon_figures),
		TEST(empty_lists),
		TEST(its_sandbox),
		TEST(json_is_as_one_writes_it),
#undef TEST
	};

	return cmocka_run_group_tests_name("workspace", tests, NULL, NULL);
}
