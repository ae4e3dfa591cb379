/* SPDX-License-Identifier: MIT */
/*
 * Terminals and their WebSockets, with a daemon in this process that says
 * what the test wants it to.
 */
#include "tests/unit/http-fixture.h"
#include "tui/link.h"
#include "tui/terminal.h"

#define SANDBOX "sb-7f3a91c2"
#define PATH "/api/v1/sandboxes/{id}"

/* -- the daemon */

static struct daemon_side {
	struct http_ws *ws; /* the last one opened, NULL after its end */
	unsigned opened, closed;
	bool session;       /* it came to a session, not to start one */
	char *since, *mode;
	struct buf text, typed; /* what it was sent */
	bool refuse;
	char *deleted;      /* a session */
} its;

static void on_message(struct http_ws *ws, void *data, bool binary,
		       const void *p, size_t n)
{
	(void)ws, (void)data;
	buf_add(binary ? &its.typed : &its.text, p, n);
}

static void on_drain(struct http_ws *ws, void *data)
{
	(void)ws, (void)data;
}

static void on_close(struct http_ws *ws, void *data, unsigned code)
{
	(void)data, (void)code;
	its.closed++;
	if (its.ws == ws)
		its.ws = NULL;
}

static const struct http_ws_events events = { on_message, on_drain,
					      on_close };

static void accept_ws(struct http_req *r, bool session)
{
	struct svm_err err = SVM_ERR_INIT;

	if (its.refuse) {
		svm_err_set(&err, SVM_NOT_FOUND, "there is no such session");
		http_reply_error(r, &err);
		svm_err_release(&err);
		return;
	}
	free(its.since);
	its.since = xstrdup(http_query(r, "since"));
	free(its.mode);
	its.mode = xstrdup(http_query(r, "mode"));
	its.session = session;
	its.opened++;
	its.ws = http_ws_accept(r, &events, NULL);
}

static void h_exec(struct http_req *r, void *app)
{
	(void)app;
	accept_ws(r, false);
}

static void h_session(struct http_req *r, void *app)
{
	(void)app;
	accept_ws(r, true);
}

static const struct http_route routes[] = {
	{ "GET", PATH "/exec/ws", HTTP_WS, 0, h_exec },
	{ "GET", PATH "/sessions/{sid}/ws", HTTP_WS, 0, h_session },
	{ NULL, NULL, 0, 0, NULL },
};

static void say(const char *text)
{
	http_ws_send(its.ws, false, text, strlen(text));
}

static void output(const char *text)
{
	http_ws_send(its.ws, true, text, strlen(text));
}

/* -- the dashboard */

static struct {
	struct model *m;
	struct links *links;
	struct terminal *t;
	char *server;
} ours;

static void changed(void *data)
{
	(void)data;
}

static int setup(void **state)
{
	struct fetch_options to = { 0 };

	(void)state;
	its = (struct daemon_side){ 0 };
	fixture_start(&(struct http_options){ .routes = routes });
	ours.server = xasprintf("unix:%s/sock", fx.dir);
	to.server = ours.server;
	ours.m = model_new(24, 80);
	ours.m->set.scrollback = 50;
	ours.links = links_new(fx.loop, ours.m, &to, changed, NULL);
	return 0;
}

static int teardown(void **state)
{
	struct list *pos, *tmp;

	(void)state;
	links_free(ours.links);
	list_for_each_safe(pos, tmp, &ours.m->requests)
		request_free(list_entry(pos, struct request, link));
	model_free(ours.m);
	for (int64_t end = now_ms() + 30000; its.ws && now_ms() < end;)
		turn(10);
	fixture_stop();
	buf_release(&its.text);
	buf_release(&its.typed);
	free(its.since);
	free(its.mode);
	free(ours.server);
	return 0;
}

/* Until it is so; the daemon and the dashboard share the loop. */
#define until(condition)                                                   \
	do {                                                               \
		int64_t end_ms = now_ms() + 30000;                         \
									   \
		while (!(condition)) {                                     \
			if (now_ms() > end_ms)                             \
				fail_msg("never: %s", #condition);         \
			links_sync(ours.links);                            \
			turn(10);                                          \
		}                                                          \
	} while (0)

/* A running terminal of a new session. */
static void begin(void)
{
	ours.t = terminal_new(ours.m, SANDBOX, NULL, 10, 40);
	until(its.ws && has(&its.text, "}"));
	say("{\"type\":\"started\",\"session_id\":\"ex-00000001\","
	    "\"offset\":0,\"cols\":40,\"rows\":10}");
	until(ours.t->sid);
}

static bool shown(const char *text)
{
	auto_canvas struct canvas *c = canvas_new(10, 40);
	auto_buf struct buf out = BUF_INIT;

	terminal_view(ours.t, c, 0, 0, 10, 40, true);
	canvas_dump(c, &out);
	return has(&out, text);
}

/* -- tests */

static void test_link__start(void **state)
{
	(void)state;
	begin();
	assert_int_equal(ours.t->state, TERMINAL_LIVE);
	assert_string_equal(ours.t->sid, "ex-00000001");
	assert_true(has(&its.text, "\"tty\":true"));
	assert_true(has(&its.text, "\"binary\":true"));
	assert_true(has(&its.text, "\"cols\":40,\"rows\":10"));
	terminal_type(ours.t, "ls\r", 3);
	until(has(&its.typed, "ls\r"));
	output("\033[1mfile\033[m");
	until(shown("file"));
	assert_int_equal(ours.t->offset, 11);
	/* What the emulator answers goes the same way. */
	output("\033[5n");
	until(has(&its.typed, "\033[0n"));
}

/* As much as it is, in order, however slowly it is read. */
static void test_link__much_typed(void **state)
{
	auto_buf struct buf all = BUF_INIT;

	(void)state;
	begin();
	for (int i = 0; all.len < 900000; i++)
		buf_addf(&all, "%d,", i);
	http_ws_pause(its.ws, true);
	terminal_type(ours.t, all.data, all.len);
	for (int i = 0; i < 100; i++) {
		links_sync(ours.links);
		turn(1);
	}
	assert_int_equal(its.typed.len, 0);
	assert_true(ours.t->typed.len > 0); /* not all in a queue below */
	http_ws_pause(its.ws, false);
	until(its.typed.len == all.len);
	assert_memory_equal(its.typed.data, all.data, all.len);
	assert_int_equal(ours.t->dropped, 0);
}

static void test_link__size(void **state)
{
	(void)state;
	begin();
	terminal_resize(ours.t, 12, 50);
	until(has(&its.text,
		  "{\"type\":\"resize\",\"cols\":50,\"rows\":12}"));
	/* Another viewer's holds until something is typed here. */
	buf_clear(&its.text);
	say("{\"type\":\"resized\",\"cols\":20,\"rows\":5}");
	until(ours.t->theirs);
	assert_int_equal(emu_cols(ours.t->emu), 20);
	output("more");
	until(shown("more"));
	for (int i = 0; i < 10; i++) {
		links_sync(ours.links);
		turn(1);
	}
	assert_int_equal(its.text.len, 0);
	terminal_input(ours.t, &(struct input_event){ .type = INPUT_KEY,
						      .key = { 'x', 0 } });
	until(has(&its.text, "\"cols\":50,\"rows\":12") &&
	      has(&its.typed, "x"));
}

static void test_link__exit(void **state)
{
	(void)state;
	begin();
	output("bye");
	say("{\"type\":\"exit\",\"exit_code\":3}");
	say("{\"type\":\"done\"}");
	http_ws_close(its.ws, 1000, "done");
	until(ours.t->state == TERMINAL_EXITED);
	assert_int_equal(ours.t->exit_code, 3);
	assert_true(shown("bye"));
	assert_int_equal(its.opened, 1);
}

/* Broken off, it comes back to its session, from where it was. */
static void test_link__again(void **state)
{
	(void)state;
	begin();
	output("12345");
	until(shown("12345"));
	http_ws_close(its.ws, 1001, "restart");
	until(ours.t->state == TERMINAL_LOST);
	until(its.opened == 2 && its.ws);
	assert_true(its.session);
	assert_string_equal(its.since, "5");
	until(ours.t->state == TERMINAL_LIVE);
	/* And tells its size: another may have been there meanwhile. */
	until(has(&its.text, "{\"type\":\"resize\",\"cols\":40"));
	output("678");
	until(shown("12345678"));
	assert_int_equal(ours.t->offset, 8);
}

static void be_read_only(bool on)
{
	ours.m->read_only = on;
	terminals_settle(ours.m);
}

/* It is the daemon that sees to it, also when it was otherwise before; and
 * the size stays as it is. */
static void test_link__read_only(void **state)
{
	(void)state;
	be_read_only(true);
	ours.t = terminal_new(ours.m, SANDBOX, NULL, 10, 40);
	until(ours.t->state == TERMINAL_FAILED);
	assert_int_equal(its.opened, 0); /* none is begun */
	ours.t = terminal_new(ours.m, SANDBOX, "ex-00000001", 10, 40);
	until(its.opened == 1 && its.ws);
	assert_true(its.session);
	assert_string_equal(its.mode, "read-only");
	say("{\"type\":\"started\",\"session_id\":\"ex-00000001\","
	    "\"offset\":0,\"cols\":70,\"rows\":7}");
	output("12345");
	until(shown("12345"));
	assert_int_equal(emu_cols(ours.t->emu), 70);
	terminal_type(ours.t, "typed", 5);

	be_read_only(false);
	until(its.opened == 2 && its.ws);
	assert_null(its.mode);
	assert_string_equal(its.since, "5");
	until(has(&its.text, "{\"type\":\"resize\",\"cols\":40"));
	assert_int_equal(its.typed.len, 0);
	terminal_type(ours.t, "typed", 5);
	until(has(&its.typed, "typed"));

	be_read_only(true);
	until(its.opened == 3 && its.ws);
	assert_string_equal(its.mode, "read-only");
	assert_int_equal(its.deleted ? 1 : 0, 0);
}

/* How long it is gone counts from the first failure, not from the last. */
static void test_link__lost_since(void **state)
{
	int64_t since;

	(void)state;
	begin();
	its.refuse = false;
	assert_int_equal(ours.t->lost_ns, 0);
	http_ws_close(its.ws, 1001, "restart");
	until(ours.t->lost_ns);
	since = ours.t->lost_ns;
	until(its.opened == 2 && its.ws);
	assert_true(!ours.t->lost_ns || ours.t->lost_ns == since);
	until(ours.t->state == TERMINAL_LIVE);
	assert_int_equal(ours.t->lost_ns, 0);
}

/* Who is taken away hears no more of what was typed: it is told. */
static void test_link__typed_in_vain(void **state)
{
	(void)state;
	begin();
	http_ws_close(its.ws, WS_CLOSE_TAKEN, "taken over");
	terminal_type(ours.t, "typed", 5);
	ours.t->state = TERMINAL_LOST; /* nothing is sent any more */
	until(ours.t->state == TERMINAL_FAILED);
	assert_int_equal(ours.t->typed.len, 0);
	assert_int_equal(ours.t->dropped, 5);
}

/* Output is a sign of life, whatever the stream of events says. */
static void test_link__heard(void **state)
{
	(void)state;
	begin();
	ours.m->silent = true;
	output("x");
	until(!ours.m->silent);
	assert_true(ours.m->heard_ns > 0);
}

static void test_link__taken_over(void **state)
{
	(void)state;
	begin();
	http_ws_close(its.ws, WS_CLOSE_TAKEN, "taken over");
	until(ours.t->state == TERMINAL_FAILED);
	assert_non_null(strstr(ours.t->why, "another viewer"));
	for (int i = 0; i < 50; i++) {
		links_sync(ours.links);
		turn(10);
	}
	assert_int_equal(its.opened, 1); /* not fought over */
}

static void test_link__refused(void **state)
{
	(void)state;
	its.refuse = true;
	ours.t = terminal_new(ours.m, SANDBOX, "ex-0000dead", 10, 40);
	until(ours.t->state == TERMINAL_FAILED);
	assert_non_null(strstr(ours.t->why, "no such session"));
}

/* What is no message of ours changes nothing. */
static void test_link__nonsense(void **state)
{
	static const char *const texts[] = {
		"", "nonsense", "[]", "{}", "{\"type\":7}",
		"{\"type\":\"started\",\"session_id\":7,\"offset\":-1}",
		"{\"type\":\"started\",\"offset\":1e300}",
		"{\"type\":\"resized\"}",
		"{\"type\":\"resized\",\"cols\":-1,\"rows\":1e9}",
		"{\"type\":\"unheard\"}",
	};

	(void)state;
	begin();
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		say(texts[i]);
	output("still here");
	until(shown("s")); /* the size is what they made of it */
	assert_string_equal(ours.t->sid, "ex-00000001");
	assert_int_equal(ours.t->state, TERMINAL_LIVE);
	assert_int_equal(ours.t->offset, 10);
}

static void test_link__error(void **state)
{
	(void)state;
	ours.t = terminal_new(ours.m, SANDBOX, NULL, 10, 40);
	until(its.ws);
	say("{\"type\":\"error\",\"message\":\"no shell\"}");
	until(ours.t->state == TERMINAL_FAILED);
	assert_string_equal(ours.t->why, "no shell");
}

/* A terminal nobody wants goes, and its session with it if that is meant. */
static void test_link__close(void **state)
{
	struct request *r;

	(void)state;
	begin();
	ours.t->closed = ours.t->kill = true;
	links_sync(ours.links);
	assert_true(list_empty(&ours.m->terminals));
	r = list_entry(ours.m->requests.next, struct request, link);
	assert_string_equal(r->method, "DELETE");
	assert_string_equal(r->target, "/api/v1/sandboxes/" SANDBOX
				       "/sessions/ex-00000001");
	until(its.closed == 1);
	begin();
	ours.t->closed = true;
	links_sync(ours.links);
	assert_ptr_equal(ours.m->requests.next, ours.m->requests.prev);
	until(its.closed == 2);
}

/* It is gone with its sandbox: that is what was wanted.  What else went wrong
 * is told. */
static void test_link__gone_already(void **state)
{
	static const enum svm_code codes[] = { SVM_CONFLICT, SVM_NOT_FOUND,
					       SVM_INTERNAL };
	struct request *r;

	(void)state;
	begin();
	ours.t->closed = ours.t->kill = true;
	links_sync(ours.links);
	r = list_entry(ours.m->requests.next, struct request, link);
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		svm_err_set(&r->err, codes[i], "no");
		request_done(ours.m, r);
		assert_int_equal(r->err.code,
				 i < 2 ? SVM_OK : SVM_INTERNAL);
	}
	until(its.closed == 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_link__start),	     TEST(test_link__much_typed),
		TEST(test_link__size),	     TEST(test_link__exit),
		TEST(test_link__again),	     TEST(test_link__read_only),
		TEST(test_link__again),	     TEST(test_link__lost_since),
		TEST(test_link__again),	     TEST(test_link__taken_over),
		TEST(test_link__refused),    TEST(test_link__nonsense),
		TEST(test_link__error),	     TEST(test_link__close),
		TEST(test_link__gone_already),
		TEST(test_link__heard),	     TEST(test_link__typed_in_vain),
	};

	return cmocka_run_group_tests_name("link", tests, NULL, NULL);
}
