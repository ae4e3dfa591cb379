/* SPDX-License-Identifier: MIT */
/*
 * The event hub behind a stand-in for the HTTP engine that shows what each
 * stream was given and lets a test decide how much of it the client took.
 */
#include "daemon/events.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/api.h"
#include "daemon/auth.h"
#include "daemon/daemon.h"
#include "daemon/http/http.h"
#include "lib/api/limits.h"
#include "lib/base/clock.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/path.h"
#include "tests/unit/unit.h"

/* The stand-in. */

struct http_req {
	const char *since, *last_event_id, *type, *sandbox_id;
	void *data;
	void (*on_gone)(struct http_req *r);
	void (*on_drain)(struct http_req *r);
	struct buf out;
	size_t queued;
	bool stuck; /* the client does not read */
	bool begun, ended, aborted, refused;
};

struct http_blob {
	int refs;
	struct buf text;
};
static int blobs;

const char *http_header(const struct http_req *r, const char *name)
{
	return strcmp(name, "Last-Event-ID") == 0 ? r->last_event_id : NULL;
}

const char *http_query(const struct http_req *r, const char *name)
{
	return strcmp(name, "since") == 0 ? r->since :
	       strcmp(name, "type") == 0 ? r->type :
	       strcmp(name, "sandbox_id") == 0 ? r->sandbox_id : NULL;
}

void http_set_data(struct http_req *r, void *data)
{
	r->data = data;
}

void *http_data(const struct http_req *r)
{
	return r->data;
}

void http_on_gone(struct http_req *r, void (*fn)(struct http_req *r))
{
	r->on_gone = fn;
}

void http_on_drain(struct http_req *r, void (*fn)(struct http_req *r))
{
	r->on_drain = fn;
}

void http_reply_header(struct http_req *r, const char *name, const char *fmt,
		       ...)
{
	(void)r;
	(void)name;
	(void)fmt;
}

void http_reply_error(struct http_req *r, const struct svm_err *err)
{
	assert_int_equal(err->code, SVM_BAD_REQUEST);
	r->refused = true;
}

void http_stream_begin(struct http_req *r, int status, const char *type,
		       int64_t length)
{
	assert_int_equal(status, 200);
	assert_string_equal(type, "text/event-stream");
	assert_int_equal(length, -1);
	r->begun = true;
}

void http_stream_keepalive(struct http_req *r, const char *text)
{
	(void)r;
	assert_int_equal(text[0], ':');
}

size_t http_stream_write(struct http_req *r, const void *p, size_t n)
{
	assert_true(r->begun && !r->ended);
	buf_add(&r->out, p, n);
	r->queued = r->stuck ? r->queued + n : 0;
	return r->queued;
}

size_t http_stream_queued(const struct http_req *r)
{
	return r->queued;
}

void http_stream_end(struct http_req *r)
{
	assert_false(r->ended);
	r->ended = true;
}

void http_stream_abort(struct http_req *r)
{
	r->ended = r->aborted = true;
}

struct http_blob *http_blob_new(const void *p, size_t n)
{
	struct http_blob *b = xcalloc(1, sizeof(*b));

	b->refs = 1;
	buf_add(&b->text, p, n);
	blobs++;
	return b;
}

void http_blob_unref(struct http_blob *b)
{
	if (--b->refs)
		return;
	buf_release(&b->text);
	free(b);
	blobs--;
}

size_t http_stream_write_blob(struct http_req *r, struct http_blob *b)
{
	return http_stream_write(r, b->text.data, b->text.len);
}

/* Who the callers are. */
static struct caller caller = { .all = true };

void auth_caller(const struct daemon *dm, const struct http_req *r,
		 struct caller *ret)
{
	(void)dm;
	(void)r;
	*ret = caller;
}

/* A daemon with only what the hub needs. */

static struct daemon d;
static char dir[32];

static int setup(void **state)
{
	auto_err struct svm_err err = SVM_ERR_INIT;

	(void)state;
	strcpy(dir, "/tmp/svm-events-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	auto_free char *path = path_join(dir, "db");
	d = (struct daemon){ 0 };
	d.loop = loop_new();
	d.workers = work_pool_new(d.loop, 1, "test");
	if (store_open(path, d.loop, &d.store, &err) < 0)
		return -1;
	d.events = events_new(&d);
	return 0;
}

static void nothing(struct work *w)
{
	(void)w;
}

static bool came_home;

static void come_home(struct work *w)
{
	(void)w;
	came_home = true;
}

/* Wait until no batch is out: the one worker takes ours after those that
 * wait, and no replay here needs more batches than this has rounds. */
static void settle(void)
{
	for (int i = 0; i < 40; i++) {
		struct work marker = { .run = nothing, .done = come_home };

		came_home = false;
		work_submit(d.workers, &marker);
		while (!came_home)
			loop_turn(d.loop, 1000);
	}
}

static int teardown(void **state)
{
	int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	work_pool_free(d.workers);
	store_close(d.store);
	loop_run_posts(d.loop);
	events_free(d.events);
	loop_free(d.loop);
	path_remove_tree(tmp, dir + 5);
	close(tmp);
	assert_int_equal(blobs, 0);
	return 0;
}

static void restart(void)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_free char *path = path_join(dir, "db");

	settle();
	store_close(d.store);
	loop_run_posts(d.loop); /* what it still had to tell the hub */
	events_free(d.events);
	assert_int_equal(store_open(path, d.loop, &d.store, &err), 0);
	d.events = events_new(&d);
}

static void emit(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		events_emit(&d, i % 2 ? EVENT_EXEC_STARTED : EVENT_FILE_WRITTEN,
			    i % 3 ? "sb-00000001" : "sb-00000002", "alice",
			    "{\"n\":\n1}");
}

/* Wait until `last` was published, by a subscriber of our own. */
static void wait_for(int64_t last)
{
	struct http_req r = { 0 };
	auto_free char *want = xasprintf("id: %lld\n", (long long)last);

	size_t seen = 0; /* nothing of it is before this */

	r.since = "0";
	api_events(&r, &d);
	while (!strstr(buf_str(&r.out) + seen, want)) {
		seen = r.out.len - MIN(r.out.len, strlen(want));
		loop_turn(d.loop, 1000);
	}
	r.on_gone(&r);
	buf_release(&r.out);
	settle();
}

/* The stream holds exactly the ids from..to by `step`, in order. */
static void expect_ids(const struct http_req *r, int64_t from, int64_t to,
		       int64_t step)
{
	const char *p = buf_str(&r->out), *end = p + r->out.len;

	/* Not strstr: a sanitizer reads all the rest at each call. */
	for (int64_t id = from; id <= to; id += step) {
		auto_free char *want = xasprintf("id: %lld\n", (long long)id);

		p = memmem(p, (size_t)(end - p), "id: ", 4);
		if (!p || strncmp(p, want, strlen(want)) != 0)
			fail_msg("expected %sgot %.20s", want, p ? p : "end");
		p += 4;
	}
	p = strstr(p, "\nid: ");
	if (p)
		fail_msg("more than expected: %.20s", p);
}

static void release(struct http_req *r)
{
	if (!r->ended && r->on_gone)
		r->on_gone(r);
	buf_release(&r->out);
}

static void test_events__live(void **state)
{
	struct http_req r = { 0 };
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;

	(void)state;
	api_events(&r, &d);
	assert_true(r.begun);
	emit(3);
	wait_for(3);
	expect_ids(&r, 1, 3, 1);
	/* Two lines and a blank one; the owner is nobody's business. */
	char *data = strstr(r.out.data, "\ndata: ") + 7;
	char *end = strchr(data, '\n');
	assert_memory_equal(end, "\n\nid: 2\n", 8);
	assert_null(strstr(r.out.data, "alice"));
	assert_null(strstr(r.out.data, "event:"));
	assert_int_equal(json_parse_object(&doc, data, (size_t)(end - data),
					   &err), 0);
	assert_true(json_get(doc.root, "id")->valuedouble == 1);
	assert_string_equal(json_get(doc.root, "type")->valuestring,
			    "file.written");
	assert_string_equal(json_get(doc.root, "sandbox_id")->valuestring,
			    "sb-00000002");
	assert_true(json_get(json_get(doc.root, "data"), "n")->valuedouble ==
		    1);
	assert_int_equal(strlen(json_get(doc.root, "timestamp")->valuestring),
			 24);
	release(&r);
}

static void test_events__filters(void **state)
{
	struct http_req live = { .type = "exec.started" };
	struct http_req replay = { .type = "exec.started", .since = "0" };
	struct http_req box = { .sandbox_id = "sb-00000002", .since = "0" };

	(void)state;
	api_events(&live, &d);
	emit(10);
	wait_for(10);
	api_events(&replay, &d);
	api_events(&box, &d);
	settle();
	emit(2);
	wait_for(12);
	expect_ids(&live, 2, 12, 2);
	expect_ids(&replay, 2, 12, 2);
	assert_non_null(strstr(box.out.data, "id: 10\n"));
	assert_null(strstr(box.out.data, "id: 9\n"));
	assert_non_null(strstr(box.out.data, "id: 11\n"));
	assert_null(strstr(box.out.data, "id: 12\n"));
	release(&live);
	release(&replay);
	release(&box);
}

/* From the store, after a restart, in several batches, while more events
 * come in: every one once, in order. */
/* Live, from memory and from the store: only what the owner owns. */
static void test_events__owners(void **state)
{
	struct http_req live = { 0 }, replay = { .since = "0" };

	(void)state;
	caller = (struct caller){ .owner = "bob" };
	api_events(&live, &d);
	caller.all = true;
	emit(2); /* alice's */
	events_emit(&d, EVENT_FILE_WRITTEN, "sb-00000003", "bob", "{}");
	events_emit(&d, EVENT_RECONCILE_ACTION, NULL, NULL, "{}");
	wait_for(4);
	caller.all = false;
	expect_ids(&live, 3, 3, 1);
	api_events(&replay, &d);
	settle();
	expect_ids(&replay, 3, 3, 1);
	release(&replay);
	release(&live);
	caller.all = true;
	restart();
	caller.all = false;
	replay = (struct http_req){ .since = "0" };
	api_events(&replay, &d);
	settle();
	expect_ids(&replay, 3, 3, 1);
	release(&replay);
	caller = (struct caller){ .all = true };
}

static void test_events__replay_meets_live(void **state)
{
	struct http_req r[20] = { 0 };

	(void)state;
	emit(3000);
	restart();
	for (int i = 0; i < 20; i++) {
		r[i].since = i % 2 ? "0" : NULL;
		r[i].last_event_id = i % 2 ? NULL : "100";
		api_events(&r[i], &d);
		emit(150);
		loop_turn(d.loop, 0);
	}
	wait_for(6000);
	for (int i = 0; i < 20; i++) {
		expect_ids(&r[i], i % 2 ? 1 : 101, 6000, 1);
		release(&r[i]);
	}
}

/* A filter that matches little must not make the hub go back for ever. */
static void test_events__replay_of_nothing(void **state)
{
	struct http_req r = { .since = "0", .type = "no.such" };

	(void)state;
	emit(2000);
	wait_for(2000);
	api_events(&r, &d);
	settle();
	emit(2);
	wait_for(2002);
	assert_int_equal(r.out.len, 0);
	release(&r);
}

static void test_events__since_is_checked(void **state)
{
	const char *const bad[] = { "x", "-1", "99999999999999999999", "1.5",
				    "5 m", "0x10", "-5m" };
	const char *const good[] = { "0", "7", "10m", "1h30m",
				     "2026-01-02T03:04:05Z" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct http_req r = { .since = bad[i] };

		api_events(&r, &d);
		if (!r.refused)
			fail_msg("'%s' was accepted", bad[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct http_req r = { .since = good[i] };

		api_events(&r, &d);
		assert_true(r.begun);
		settle();
		release(&r);
	}
}

static void test_events__since_a_time(void **state)
{
	struct http_req r = { .since = "1h" }, all = { .since = "3h" };

	(void)state;
	clock_inject_wall_jump(-SECONDS(7200));
	emit(5);
	wait_for(5);
	clock_inject_wall_jump(0);
	emit(5);
	wait_for(10);
	api_events(&r, &d);
	api_events(&all, &d);
	settle();
	expect_ids(&r, 6, 10, 1);
	expect_ids(&all, 1, 10, 1);
	release(&r);
	release(&all);
}

/* An id from another life of the database: live, not deaf. */
static void test_events__id_from_the_future(void **state)
{
	struct http_req r = { .last_event_id = "999999" };

	(void)state;
	emit(5);
	wait_for(5);
	api_events(&r, &d);
	settle();
	emit(1);
	wait_for(6);
	expect_ids(&r, 6, 6, 1);
	release(&r);
}

static void test_events__lagging_reader_is_closed(void **state)
{
	struct http_req slow = { .stuck = true }, fine = { 0 };

	(void)state;
	api_events(&slow, &d);
	api_events(&fine, &d);
	emit(2000);
	wait_for(2000);
	assert_true(slow.ended);
	assert_false(slow.aborted);
	assert_true(slow.out.len < LIMIT_QUEUE_SSE + 4096);
	assert_non_null(strstr(slow.out.data, "\n\n: lagged\n\n"));
	expect_ids(&fine, 1, 2000, 1);
	release(&slow);
	release(&fine);
}

/* A replay goes at the reader's pace, in bounded memory, without loss. */
static void test_events__slow_replay(void **state)
{
	struct http_req r = { .since = "0", .stuck = true };
	int drains = 0;

	(void)state;
	emit(6000);
	wait_for(6000);
	api_events(&r, &d);
	settle();
	while (r.queued > LIMIT_QUEUE_HIGH) {
		assert_true(r.queued <
			    LIMIT_QUEUE_HIGH + 2 * LIMIT_TURN_BYTES);
		r.queued = 0;
		drains++;
		r.on_drain(&r);
		settle();
	}
	assert_true(drains >= 2);
	assert_false(r.ended);
	r.queued = 0;
	r.stuck = false;
	emit(1);
	wait_for(6001);
	expect_ids(&r, 1, 6001, 1);
	release(&r);
}

static void test_events__gone_while_a_batch_is_out(void **state)
{
	struct http_req r[30] = { 0 };

	(void)state;
	emit(2000);
	wait_for(2000);
	for (int i = 0; i < 30; i++) {
		r[i].since = "0";
		api_events(&r[i], &d);
		release(&r[i]);
	}
	settle();
}

/* The newest are in memory only within bounds, of number and of bytes, and
 * none once they are to be forgotten; nobody misses them. */
static void test_events__newest_are_bounded(void **state)
{
	char data[4096];
	struct http_req r = { .since = "1900" };

	(void)state;
	emit(2000);
	wait_for(2000);
	assert_int_equal(blobs, LIMIT_EVENTS_NEWEST);
	memset(data, ' ', sizeof(data));
	memcpy(data, "{}", 2);
	data[sizeof(data) - 1] = '\0';
	for (int i = 0; i < 200; i++)
		events_emit(&d, EVENT_EXEC_STARTED, NULL, NULL, data);
	wait_for(2200);
	assert_in_range(blobs, 10, LIMIT_EVENTS_NEWEST_BYTES / 4096);
	api_events(&r, &d);
	settle();
	expect_ids(&r, 1901, 2200, 1);
	release(&r);
}

static void test_events__forgotten_while_a_batch_is_out(void **state)
{
	struct http_req live = { 0 }, r = { .since = "0" };

	(void)state;
	emit(800);
	wait_for(800);
	api_events(&live, &d);
	api_events(&r, &d);
	events_forget(d.events);
	assert_int_equal(blobs, 0);
	emit(50);
	wait_for(850);
	events_forget(d.events);
	settle();
	emit(50);
	wait_for(900);
	expect_ids(&r, 1, 900, 1);
	expect_ids(&live, 801, 900, 1);
	release(&live);
	release(&r);
}

static void test_events__close_all(void **state)
{
	struct http_req r[2] = { { 0 }, { .since = "0" } };

	(void)state;
	emit(2000);
	wait_for(2000);
	api_events(&r[0], &d);
	api_events(&r[1], &d);
	events_close_all(d.events);
	assert_true(r[0].ended && r[1].ended);
	assert_false(r[0].aborted || r[1].aborted);
	settle();
	release(&r[0]);
	release(&r[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(test_events__##f, setup, teardown)
		TEST(live),
		TEST(filters),
		TEST(owners),
		TEST(replay_meets_live),
		TEST(replay_of_nothing),
		TEST(since_is_checked),
		TEST(since_a_time),
		TEST(id_from_the_future),
		TEST(lagging_reader_is_closed),
		TEST(slow_replay),
		TEST(gone_while_a_batch_is_out),
		TEST(newest_are_bounded),
		TEST(forgotten_while_a_batch_is_out),
		TEST(close_all),
#undef TEST
	};

	return cmocka_run_group_tests_name("events", tests, NULL, NULL);
}
