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

static char said[200]; /* the last error */

static void done(struct model *m, struct request *r)
{
	(void)m;
	snprintf(said, sizeof(said), "%s",
		 r->err.code == SVM_OK ? "" : r->err.msg);
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
static void ask_for(const char *method, const char *target, const char *file)
{
	unsigned long before = fetch_answers(ours.f);
	int64_t end_ms = now_ms() + 30000;

	struct request *r = request_new(method, xstrdup(target), done);

	r->quiet = true;
	if (file)
		r->download = xasprintf("%s/%s", fx.dir, file);
	request_send(ours.m, r);
	fetch_sync(ours.f);
	while (fetch_answers(ours.f) == before) {
		assert_true(now_ms() < end_ms);
		turn(10);
	}
}

static void ask(const char *method, const char *target)
{
	ask_for(method, target, strcmp(method, REQUEST_KEEP) == 0 ? "kept" :
								    NULL);
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

static void assert_file(const char *name, const char *text)
{
	auto_buf struct buf b = BUF_INIT;
	struct stat st;

	assert_int_equal(fstatat(fx.dirfd, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(fd_slurp_path(fx.dirfd, name, 100, &b), 0);
	assert_string_equal(buf_str(&b), text);
	assert_int_equal(unlinkat(fx.dirfd, name, 0), 0);
}

/* A download and a text kept: links stay, and so does what is no file. */
static void test_fetch__writes_files_alone(void **state)
{
	static const struct {
		const char *method, *text;
	} ways[] = { { "GET", "{}" }, { REQUEST_KEEP, "" } };
	char longest[256], to[10];
	struct stat st;

	(void)state;
	memset(longest, 'n', 255);
	longest[255] = '\0';
	assert_int_equal(mkfifoat(fx.dirfd, "fifo", 0600), 0);
	assert_int_equal(symlinkat("fifo", fx.dirfd, "to-fifo"), 0);
	assert_int_equal(symlinkat("kept", fx.dirfd, "link"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		ask_for(ways[i].method, "/here", "fifo");
		assert_non_null(strstr(said, "/fifo: it is no file"));
		ask_for(ways[i].method, "/here", "to-fifo");
		assert_non_null(strstr(said, "/to-fifo: it is no file"));
		ask_for(ways[i].method, "/here", "none/f");
		assert_non_null(strstr(said, "/none/f"));
		ask_for(ways[i].method, "/here", "link");
		assert_string_equal(said, "");
		assert_file("kept", ways[i].text);
		ask_for(ways[i].method, "/here", longest);
		assert_string_equal(said, "");
		assert_file(longest, ways[i].text);
		assert_int_equal(readlinkat(fx.dirfd, "to-fifo", to, 10), 4);
		assert_int_equal(readlinkat(fx.dirfd, "link", to, 10), 4);
		assert_int_equal(fstatat(fx.dirfd, "fifo", &st, 0), 0);
		assert_true(S_ISFIFO(st.st_mode));
	}
	assert_int_equal(unlinkat(fx.dirfd, "fifo", 0), 0);
	assert_int_equal(unlinkat(fx.dirfd, "to-fifo", 0), 0);
	assert_int_equal(unlinkat(fx.dirfd, "link", 0), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_fetch__##name, setup, \
						   teardown)
	const struct CMUnitTest tests[] = {
		TEST(an_answer_ends_the_silence),
		TEST(writes_files_alone),
	};

	return cmocka_run_group_tests_name("fetch", tests, NULL, NULL);
}
