/* SPDX-License-Identifier: MIT */
/*
 * Every deadline and limit of the HTTP front (HTTP.md 2, "Timeouts" and
 * "Limits") that the other test-http-*.c programs don't pass by on their way:
 * what happens when it is reached, and that it isn't reached by the patient.
 * Deadlines are a few milliseconds here, all others the real, long ones.
 */
#include "tests/unit/http-fixture.h"

#include <malloc.h>
#include <sys/ioctl.h>
#include <sys/resource.h>

#define MS INT64_C(1000000)
#define H "Host: localhost\r\n"
#define BIG (8u << 20)

static unsigned handled, gone, ends;
static size_t uploaded;
static struct http_req *parked;

static void on_gone(struct http_req *r)
{
	gone++;
	if (parked == r)
		parked = NULL;
}

static void h_ok(struct http_req *r, void *app)
{
	(void)app;
	handled++;
	http_reply_bytes(r, 200, "text/plain", "ok", 2);
}

static void h_big(struct http_req *r, void *app)
{
	static char big[BIG];

	(void)app;
	http_reply_bytes(r, 200, "text/plain", big, sizeof(big));
}

/* Its end is queued at once, behind more than the socket takes. */
static void h_big_stream(struct http_req *r, void *app)
{
	static char big[BIG];

	(void)app;
	http_stream_begin(r, 200, "text/plain", -1);
	http_stream_write(r, big, sizeof(big));
	http_stream_end(r);
}

static void h_park(struct http_req *r, void *app)
{
	(void)app;
	handled++;
	parked = r;
	http_on_gone(r, on_gone);
}

static void h_stream(struct http_req *r, void *app)
{
	(void)app;
	handled++;
	parked = r;
	http_on_gone(r, on_gone);
	http_stream_begin(r, 200, "application/x-ndjson", -1);
}

static void h_sse(struct http_req *r, void *app)
{
	(void)app;
	handled++;
	http_on_gone(r, on_gone);
	http_stream_begin(r, 200, "text/event-stream", -1);
}

static void up_data(struct http_req *r, const void *p, size_t n)
{
	(void)r;
	(void)p;
	uploaded += n;
}

static void up_end(struct http_req *r)
{
	ends++;
	http_reply_bytes(r, 200, "text/plain", "all", 3);
}

static void h_upload(struct http_req *r, void *app)
{
	static const struct http_body_sink sink = { up_data, up_end };

	(void)app;
	handled++;
	parked = r;
	http_on_gone(r, on_gone);
	http_body_read(r, &sink);
}

static void on_message(struct http_ws *ws, void *data, bool binary,
		       const void *p, size_t n)
{
	(void)ws;
	(void)data;
	(void)binary;
	(void)p;
	(void)n;
}

static void on_drain(struct http_ws *ws, void *data)
{
	(void)ws;
	(void)data;
}

static void on_close(struct http_ws *ws, void *data, unsigned code)
{
	(void)ws;
	(void)data;
	(void)code;
}

static void h_ws(struct http_req *r, void *app)
{
	static const struct http_ws_events events = { on_message, on_drain,
						      on_close };

	(void)app;
	handled++;
	http_ws_accept(r, &events, NULL);
}

static const struct http_route routes[] = {
	{ "GET", "/ok", 0, 0, h_ok },
	{ "GET", "/big", 0, 0, h_big },
	{ "GET", "/big-stream", 0, 0, h_big_stream },
	{ "GET", "/park", 0, 0, h_park },
	{ "GET", "/stream", 0, 0, h_stream },
	{ "GET", "/events", 0, 0, h_sse },
	{ "POST", "/small", 0, 100, h_ok },
	{ "PUT", "/upload", HTTP_STREAM_IN, UINT64_MAX, h_upload },
	{ "GET", "/ws", HTTP_WS, 0, h_ws },
	{ NULL, NULL, 0, 0, NULL },
};

static void start(struct http_options o)
{
	o.routes = routes;
	handled = gone = ends = 0;
	uploaded = 0;
	parked = NULL;
	fixture_start(&o);
}

static int teardown(void **state)
{
	(void)state;
	if (fx.server)
		fixture_stop();
	return 0;
}

static unsigned connections(void)
{
	struct http_counts counts;

	http_server_counts(fx.server, &counts);
	return counts.connections;
}

static bool until_connections(unsigned n, int ms)
{
	int64_t end = now_ms() + ms;

	while (connections() != n && now_ms() < end)
		turn(1);
	return connections() == n;
}

static bool until_handled(unsigned n)
{
	int64_t end = now_ms() + 30000;

	while (handled != n && now_ms() < end)
		turn(1);
	return handled == n;
}

static void get(int fd, const char *path)
{
	auto_free char *req = xasprintf("GET %s HTTP/1.1\r\n" H "\r\n", path);

	put_str(fd, req);
}

/* -- deadlines */

/* At least 1 kB/s over any 30 s, scaled down: 61 bytes in 60 ms. */
#define UPLOAD { .time_body = 60 * MS, .time_keepalive = 20 * MS }

static void test_http_limits__upload_that_drips(void **state)
{
	auto_buf struct buf b = BUF_INIT;
	int64_t begin = now_ms(), next = begin;

	(void)state;
	start((struct http_options)UPLOAD);
	auto_close int fd = dial(TCP);
	put_str(fd, "PUT /upload HTTP/1.1\r\n" H
		    "Content-Length: 1000000\r\n\r\n");
	while (!has(&b, "\r\n\r\n") && now_ms() - begin < 30000) {
		if (now_ms() >= next && put_str(fd, "x"))
			next = now_ms() + 10;
		get_until(fd, &b, "\r\n\r\n", 1);
	}
	assert_has(&b, "408 Request Timeout");
	assert_has(&b, "too slowly");
	assert_int_equal(gone, 1);
	assert_int_equal(ends, 0);
	assert_true(uploaded > 0);
}

static bool take_foreign(struct http_req *r, const char *host, void *app)
{
	(void)host;
	h_upload(r, app);
	if (strcmp(http_target(r), "/talk") == 0)
		http_stream_begin(r, 200, "text/plain", -1);
	return true;
}

/* The same for what goes to a stranger's program; but when that has begun to
 * answer it is a conversation, which may be slow. */
static void test_http_limits__foreign_upload_that_drips(void **state)
{
	static const char *const paths[] = { "/", "/talk" };

	(void)state;
	for (int i = 0; i < 2; i++) {
		auto_buf struct buf b = BUF_INIT;
		int64_t begin = now_ms(), next = begin;

		start((struct http_options){ .time_body = 60 * MS,
					     .time_keepalive = 20 * MS,
					     .foreign_host = take_foreign });
		auto_close int fd = dial(TCP);
		auto_free char *head = xasprintf(
			"PUT %s HTTP/1.1\r\nHost: 1-a.localhost\r\n"
			"Content-Length: 1000000\r\n\r\n", paths[i]);
		put_str(fd, head);
		while (!has(&b, "too slowly") && !gone &&
		       now_ms() - begin < (i ? 400 : 30000)) {
			if (now_ms() >= next && put_str(fd, "x"))
				next = now_ms() + 10;
			get_until(fd, &b, "too slowly", 1);
		}
		assert_int_equal(has(&b, "408 Request Timeout"), i == 0);
		assert_int_equal(gone, i == 0);
		assert_true(uploaded > 0);
		if (i == 0)
			fixture_stop();
	}
}

static void test_http_limits__upload_that_flows(void **state)
{
	static char some[4096];
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	start((struct http_options)UPLOAD);
	auto_close int fd = dial(TCP);
	put_str(fd, "PUT /upload HTTP/1.1\r\n" H
		    "Content-Length: 819200\r\n\r\n");
	for (int i = 0; i < 200; i++) {
		assert_true(put(fd, some, sizeof(some)));
		turn(1);
		turn(2);
	}
	get_until(fd, &b, "all", 30000);
	assert_has(&b, "200 OK");
	assert_int_equal(ends, 1);
}

/* Who makes the client wait can't blame it. */
static void test_http_limits__upload_that_we_paused(void **state)
{
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	start((struct http_options)UPLOAD);
	auto_close int fd = dial(TCP);
	put_str(fd, "PUT /upload HTTP/1.1\r\n" H "Content-Length: 4\r\n\r\nab");
	for (int64_t end = now_ms() + 30000; !uploaded && now_ms() < end;)
		turn(1);
	assert_int_equal(uploaded, 2);
	http_body_pause(parked, true);
	put_str(fd, "cd");
	turns(300);
	assert_int_equal(gone, 0);
	assert_int_equal(uploaded, 2);
	http_body_pause(parked, false);
	get_until(fd, &b, "all", 30000);
	assert_has(&b, "200 OK");
}

static void test_http_limits__write_that_stalls(void **state)
{
	const struct http_options o = { .time_write = 60 * MS };

	(void)state;
	for (int t = UNIX; t <= TCP; t++) {
		start(o);
		auto_close int fd = dial(t);
		get(fd, "/big");
		assert_true(until_connections(1, 30000));
		assert_true(until_connections(0, 30000));
		fixture_stop();
	}
}

/* Progress, however little, is what counts. */
static void test_http_limits__write_that_creeps(void **state)
{
	auto_buf struct buf b = BUF_INIT;
	static char some[65536];
	size_t total = 0;
	ssize_t n = 0;

	(void)state;
	start((struct http_options){ .time_write = 200 * MS });
	auto_close int fd = dial(UNIX);
	get(fd, "/big");
	turn(1);
	while (total <= BIG) { /* there is a head, too */
		n = recv(fd, some, sizeof(some), MSG_DONTWAIT);
		if (n == 0 || (n < 0 && errno != EAGAIN))
			break;
		total += n > 0 ? (size_t)n : 0;
		turn(1);
		turn(8);
	}
	assert_true(total > BIG);
}

/* A consumer of a stream may think for as long as it likes. */
static void test_http_limits__stream_without_a_reader(void **state)
{
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	start((struct http_options){ .time_write = 20 * MS,
				     .time_idle = 20 * MS });
	auto_close int fd = dial(UNIX);
	get(fd, "/big-stream");
	turns(200);
	assert_int_equal(connections(), 1);
	for (int64_t end = now_ms() + 30000; b.len < BIG && now_ms() < end;)
		get_until(fd, &b, NULL, 1);
	get_until(fd, &b, "\r\n0\r\n\r\n", 30000);
	assert_has(&b, "\r\n0\r\n\r\n");
}

static void test_http_limits__idle(void **state)
{
	const struct http_options o = { .time_idle = 30 * MS };

	(void)state;
	for (int t = UNIX; t <= TCP; t++) {
		auto_buf struct buf b = BUF_INIT;

		start(o);
		auto_close int fd = dial(t);
		get(fd, "/ok");
		assert_int_equal(get_until(fd, &b, NULL, 30000), GOT_EOF);
		assert_has(&b, "200 OK");
		assert_has_not(&b, " 408 ");
		close(steal_fd(&fd));
		assert_true(until_connections(0, 30000));
		fixture_stop();
	}
}

/* After our last word a client has a little time to read it, whether it goes
 * on sending or not. */
static void test_http_limits__lingers(void **state)
{
	(void)state;
	for (int sending = 0; sending <= 1; sending++) {
		int64_t begun, end = now_ms() + 30000;

		start((struct http_options){ .time_linger = 60 * MS });
		auto_close int fd = dial(UNIX);
		assert_true(until_connections(1, 30000));
		begun = now_ms();
		put_str(fd, "nonsense\r\n\r\n");
		while (connections() && now_ms() < end) {
			if (sending)
				(void)!send(fd, "x", 1,
					    MSG_NOSIGNAL | MSG_DONTWAIT);
			turn(1);
		}
		assert_int_equal(connections(), 0);
		assert_in_range(now_ms() - begun, 59, 30000); /* whole ms */
		fixture_stop();
	}
}

static void test_http_limits__lingering_bytes(void **state)
{
	static char mb[MIB(1)];
	unsigned sent = 0;

	(void)state;
	start((struct http_options){ .time_linger = 600 * 1000 * MS });
	auto_close int fd = dial(UNIX);
	put_str(fd, "nonsense\r\n\r\n");
	while (sent < 80 && put(fd, mb, sizeof(mb)))
		sent++;
	assert_in_range(sent, 60, 68);
	assert_int_equal(connections(), 0);
}

/* -- the end */

static void stopped(void *data)
{
	*(bool *)data = true;
}

static void test_http_limits__shutdown_is_not_held_up(void **state)
{
	static const char *const paths[] = { "/park", "/stream", "/big" };
	bool done = false;
	int fds[3];

	(void)state;
	start((struct http_options){ .time_shutdown = 500 * MS });
	for (int i = 0; i < 3; i++) {
		fds[i] = dial(i ? TCP : UNIX);
		get(fds[i], paths[i]);
	}
	assert_true(until_handled(2));
	http_server_shutdown(fx.server, stopped, &done);
	turns(20);
	assert_false(done); /* it waits a while */
	assert_int_equal(gone, 0);
	for (int64_t end = now_ms() + 30000; !done && now_ms() < end;)
		turn(1);
	assert_true(done);
	assert_int_equal(gone, 2);
	for (int i = 0; i < 3; i++)
		close(fds[i]);
}

/* ... and who was not answered by then is told, not just cut off; what comes
 * after the stop is not begun. */
static void test_http_limits__last_words(void **state)
{
	auto_buf struct buf a = BUF_INIT, b = BUF_INIT;
	bool done = false;

	(void)state;
	start((struct http_options){ .time_shutdown = 500 * MS });
	auto_close int waits = dial(TCP), late = dial(UNIX);
	get(waits, "/park");
	put_str(late, "GET /park HTTP/1.1\r\n");
	assert_true(until_handled(1));
	http_server_shutdown(fx.server, stopped, &done);
	put_str(late, "Host: localhost\r\n\r\n");
	assert_int_equal(get_until(late, &b, NULL, 30000), GOT_EOF);
	assert_ptr_equal(strstr(buf_str(&b), "HTTP/1.1 503 "), b.data);
	assert_non_null(strstr(buf_str(&b), "nothing was done"));
	assert_int_equal(handled, 1); /* it never came to the handler */
	assert_int_equal(get_until(waits, &a, NULL, 30000), GOT_EOF);
	assert_ptr_equal(strstr(buf_str(&a), "HTTP/1.1 503 "), a.data);
	assert_non_null(strstr(buf_str(&a), "\"UNAVAILABLE\""));
	for (int64_t end = now_ms() + 30000; !done && now_ms() < end;)
		turn(1);
	assert_true(done);
	assert_int_equal(gone, 1);
}

/* -- how many */

/* Two descriptors each; false, having said so, where there are too few. */
static bool enough_descriptors(rlim_t n)
{
	struct rlimit rl;

	getrlimit(RLIMIT_NOFILE, &rl);
	if (rl.rlim_cur < 2 * n + 100 && rl.rlim_max >= 2 * n + 100) {
		rl.rlim_cur = rl.rlim_max;
		setrlimit(RLIMIT_NOFILE, &rl);
	}
	if (rl.rlim_cur >= 2 * n + 100)
		return true;
	print_message("needs %llu descriptors, RLIMIT_NOFILE is %llu\n",
		      (unsigned long long)(2 * n + 100),
		      (unsigned long long)rl.rlim_cur);
	return false;
}

#define WS_HELLO                                                \
	"GET /ws HTTP/1.1\r\n" H "Upgrade: websocket\r\n"       \
	"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"  \
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

/* The one above the limit is refused, another kind of request is not, and
 * when one has gone there is room again. */
static void fill(const char *req, unsigned limit)
{
	auto_buf struct buf b = BUF_INIT, c = BUF_INIT, d = BUF_INIT;
	auto_free int *fds = xcalloc(limit, sizeof(*fds));

	start((struct http_options){ 0 });
	for (unsigned i = 0; i < limit; i++) {
		fds[i] = dial(UNIX);
		put_str(fds[i], req);
		turn(0);
	}
	assert_true(until_handled(limit));
	auto_close int over = dial(UNIX), other = dial(UNIX);
	put_str(over, req);
	get_until(over, &b, "RESOURCE_LIMIT", 30000);
	assert_has(&b, "429 Too Many Requests");
	assert_has(&b, "Retry-After: 1\r\n");
	get(other, "/ok");
	get_until(other, &c, "ok", 30000);
	assert_has(&c, "200 OK");
	close(fds[0]);
	turns(20);
	put_str(other, req);
	get_until(other, &d, "\r\n\r\n", 30000);
	assert_has_not(&d, " 429 ");
	for (unsigned i = 1; i < limit; i++)
		close(fds[i]);
	fixture_stop();
}

static void test_http_limits__websockets(void **state)
{
	(void)state;
	fill(WS_HELLO, LIMIT_HTTP_WS);
}

static void test_http_limits__streams(void **state)
{
	(void)state;
	fill("GET /stream HTTP/1.1\r\n" H "\r\n", LIMIT_HTTP_STREAMS);
}

static void test_http_limits__event_subscribers(void **state)
{
	(void)state;
	if (!enough_descriptors(LIMIT_HTTP_SSE + 2))
		skip();
	fill("GET /events HTTP/1.1\r\n" H "\r\n", LIMIT_HTTP_SSE);
}

/* -- how much */

static void expect_status(const struct buf *req, const char *status)
{
	auto_close int fd = dial(UNIX);
	auto_buf struct buf b = BUF_INIT;

	put(fd, req->data, req->len);
	get_until(fd, &b, "\r\n\r\n", 30000);
	assert_has(&b, status);
}

static void test_http_limits__size_of_a_head(void **state)
{
	(void)state;
	start((struct http_options){ 0 });
	for (int over = 0; over <= 1; over++) {
		auto_buf struct buf req = BUF_INIT;

		buf_addstr(&req, "GET /ok HTTP/1.1\r\n" H "X: ");
		while (req.len < LIMIT_HTTP_HEAD - 4 + (size_t)over)
			buf_addch(&req, 'x');
		buf_addstr(&req, "\r\n\r\n");
		expect_status(&req, over ? "431 Request Header" : "200 OK");
	}
	for (int over = 0; over <= 1; over++) {
		auto_buf struct buf req = BUF_INIT;

		buf_addstr(&req, "GET /ok?");
		while (req.len < 4 + LIMIT_HTTP_TARGET + (size_t)over)
			buf_addch(&req, 'q');
		buf_addstr(&req, " HTTP/1.1\r\n" H "\r\n");
		expect_status(&req, over ? "414 URI Too Long" : "200 OK");
	}
}

/* What is announced needn't be sent to be refused. */
static void test_http_limits__size_of_a_body(void **state)
{
	(void)state;
	start((struct http_options){ 0 });
	for (int over = 0; over <= 1; over++) {
		auto_buf struct buf req = BUF_INIT;

		buf_addf(&req, "POST /small HTTP/1.1\r\n" H
			       "Content-Length: %d\r\n\r\n", 100 + over);
		for (int i = 0; i < 100 && !over; i++)
			buf_addch(&req, 'b');
		expect_status(&req, over ? "413 Content Too Large" : "200 OK");
	}
}

static void test_http_limits__length_of_a_request_id(void **state)
{
	(void)state;
	start((struct http_options){ 0 });
	for (int over = 0; over <= 1; over++) {
		auto_free char *id = xcalloc(1, LIMIT_REQUEST_ID + 2);
		auto_close int fd = dial(UNIX);
		auto_buf struct buf b = BUF_INIT;

		memset(id, 'i', LIMIT_REQUEST_ID + (size_t)over);
		auto_free char *req = xasprintf("GET /ok HTTP/1.1\r\n" H
						"X-Request-ID: %s\r\n\r\n", id);
		put_str(fd, req);
		get_until(fd, &b, "ok", 30000);
		assert_int_equal(has(&b, id), !over);
	}
}

/* -- in one turn: none may keep the loop from the others */

#define TINY "GET /ok HTTP/1.1\r\nHost:localhost\r\n\r\n"

static void test_http_limits__accepts_of_a_turn(void **state)
{
	struct http_counts counts;
	int fds[200];

	(void)state;
	start((struct http_options){ 0 });
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = dial(UNIX);
	turn(0);
	http_server_counts(fx.server, &counts);
	assert_in_range(counts.accepted, 1, 64);
	assert_true(until_connections(ARRAY_SIZE(fds), 30000));
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
}

static void test_http_limits__requests_of_a_turn(void **state)
{
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	start((struct http_options){ 0 });
	auto_close int fd = dial(UNIX);
	turn(10);
	for (int i = 0; i < 200; i++)
		assert_int_equal(send(fd, TINY, strlen(TINY), MSG_DONTWAIT),
				 strlen(TINY));
	turn(10);
	assert_in_range(handled, 1, 64);
	for (int64_t end = now_ms() + 30000; handled < 200 && now_ms() < end;)
		get_until(fd, &b, NULL, 1);
	assert_int_equal(handled, 200);
}

static void test_http_limits__bytes_of_a_turn(void **state)
{
	static char block[LIMIT_QUEUE_HIGH];
	size_t queued, before;
	int there;

	(void)state;
	start((struct http_options){ 0 });
	auto_close int fd = dial(UNIX);
	auto_buf struct buf b = BUF_INIT;
	get(fd, "/stream");
	assert_true(until_handled(1));
	get_until(fd, &b, "\r\n\r\n", 30000);
	for (int i = 0; i < 8; i++)
		queued = http_stream_write(parked, block, sizeof(block));
	assert_true(queued > MIB(1));
	get_now(fd, &b); /* the socket would take more than a turn's share */
	assert_int_equal(ioctl(fd, FIONREAD, &there), 0);
	assert_int_equal(there, 0);
	before = http_stream_queued(parked);
	turn(10);
	assert_in_range(before - http_stream_queued(parked), 1,
			LIMIT_TURN_BYTES);
}

/* What one callback writes is sent at once up to a limit, then queued, so
 * that its source sees the queue grow. */
static void test_http_limits__bytes_of_a_callback(void **state)
{
	static char block[KIB(16)];
	size_t queued = 0;

	(void)state;
	start((struct http_options){ 0 });
	auto_close int fd = dial(TCP);
	auto_buf struct buf b = BUF_INIT;
	get(fd, "/stream");
	assert_true(until_handled(1));
	for (size_t n = 0; n < 2 * LIMIT_QUEUE_HIGH; n += sizeof(block)) {
		queued = http_stream_write(parked, block, sizeof(block));
		get_now(fd, &b); /* there is always room */
	}
	assert_true(queued >= LIMIT_QUEUE_HIGH - sizeof(block));
}

/* A client that pipelines faster than it is served, and reads every answer,
 * waits in its own kernel. */
static void test_http_limits__pipelined_input_waits_outside(void **state)
{
	auto_buf struct buf many = BUF_INIT, b = BUF_INIT;
	size_t at = 0, grown = 0, before;

	(void)state;
	for (int i = 0; i < 1000; i++)
		buf_addstr(&many, TINY);
	start((struct http_options){ 0 });
	auto_close int fd = dial(UNIX);
	buf_reserve(&b, MIB(1));
	turn(10);
	before = mallinfo2().uordblks;
	for (int i = 0; i < 500; i++) {
		ssize_t n;

		while ((n = send(fd, many.data + at, many.len - at,
				 MSG_DONTWAIT | MSG_NOSIGNAL)) > 0)
			at = (at + (size_t)n) % many.len;
		turn(0);
		buf_clear(&b);
		get_now(fd, &b);
		grown = MAX(grown, mallinfo2().uordblks - before);
	}
	assert_true(handled > 5000);
	if (grown > 3 * (LIMIT_TURN_BYTES + LIMIT_HTTP_HEAD))
		fail_msg("%zu bytes are waiting", grown);
}

#define T(name) cmocka_unit_test_teardown(test_http_limits__##name, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(upload_that_drips),
		T(foreign_upload_that_drips),
		T(upload_that_flows),
		T(upload_that_we_paused),
		T(write_that_stalls),
		T(write_that_creeps),
		T(stream_without_a_reader),
		T(idle),
		T(lingers),
		T(lingering_bytes),
		T(shutdown_is_not_held_up),
		T(last_words),
		T(websockets),
		T(streams),
		T(event_subscribers),
		T(size_of_a_head),
		T(size_of_a_body),
		T(length_of_a_request_id),
		T(accepts_of_a_turn),
		T(requests_of_a_turn),
		T(bytes_of_a_turn),
		T(bytes_of_a_callback),
		T(pipelined_input_waits_outside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
