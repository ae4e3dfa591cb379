/* SPDX-License-Identifier: MIT */
/* The dashboard's requests, with a daemon in this process. */
#include "tests/unit/http-fixture.h"
#include "tui/fetch.h"

static struct {
	struct model *m;
	struct fetch *f;
	char *server;
} ours;

static void h_here(struct http_req *r, void *app)
{
	(void)app;
	auto_buf struct buf body = BUF_INIT;

	buf_addstr(&body, "{}");
	http_reply_json(r, 200, &body);
}

static const struct http_route routes[] = {
	{ "GET", "/here", 0, 0, h_here },
	{ NULL, NULL, 0, 0, NULL },
};

static void done(struct model *m, struct request *r)
{
	(void)m, (void)r;
}

static void changed(void *data)
{
	(void)data;
}

static int setup(void **state)
{
	struct fetch_options to = { 0 };

	(void)state;
	fixture_start(&(struct http_options){ .routes = routes });
	ours.server = xasprintf("unix:%s/sock", fx.dir);
	to.server = ours.server;
	ours.m = model_new(24, 80);
	ours.f = fetch_new(fx.loop, ours.m, &to, changed, NULL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fetch_free(ours.f);
	model_free(ours.m);
	unlinkat(fx.dirfd, "kept", 0);
	fixture_stop();
	free(ours.server);
	return 0;
}

/* A request and its answer; the daemon and the dashboard share the loop. */
static void ask(const char *method, const char *target)
{
	unsigned long before = fetch_answers(ours.f);
	int64_t end_ms = now_ms() + 30000;

	struct request *r = request_new(method, xstrdup(target), done);

	r->quiet = true;
	if (strcmp(method, REQUEST_KEEP) == 0)
		r->download = xasprintf("%s/kept", fx.dir);
	request_send(ours.m, r);
	fetch_sync(ours.f);
	while (fetch_answers(ours.f) == before) {
		assert_true(now_ms() < end_ms);
		turn(10);
	}
}

/* The model as it is when its stream of events has said nothing for long. */
static void be_silent(void)
{
	int64_t now = clock_boot_ns();

	ours.m->heard_ns = 0;
	sync_silent(ours.m, now - 2 * LIMIT_TUI_SILENCE, now);
	assert_true(ours.m->silent);
}

/* An answer is a sign of life as well; one that isn't the daemon's is none. */
static void test_fetch__an_answer_ends_the_silence(void **state)
{
	int64_t before = clock_boot_ns();

	(void)state;
	be_silent();
	ask("GET", "/here");
	assert_false(ours.m->silent);
	assert_true(ours.m->heard_ns >= before);

	be_silent();
	int64_t silent_ns = ours.m->heard_ns;
	ask("GET", "/nowhere"); /* an error, which may be ours */
	assert_true(ours.m->silent);
	ask(REQUEST_KEEP, "/");
	assert_true(ours.m->silent);
	assert_int_equal(ours.m->heard_ns, silent_ns);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_fetch__##name, setup, \
						   teardown)
	const struct CMUnitTest tests[] = {
		TEST(an_answer_ends_the_silence),
	};

	return cmocka_run_group_tests_name("fetch", tests, NULL, NULL);
}
