/* SPDX-License-Identifier: MIT */
/* The HTTP server as its clients see it: requests, replies, streams. */
#include "tests/unit/http-fixture.h"

/* Toy routes. */

static unsigned handled, gone, drained;
static struct http_req *parked;

static void on_gone(struct http_req *r)
{
	gone++;
	if (parked == r)
		parked = NULL;
}

static void h_hello(struct http_req *r, void *app)
{
	auto_buf struct buf b = BUF_INIT;

	(void)app;
	handled++;
	buf_addstr(&b, "{\"hello\":\"world\"}");
	http_reply_json(r, 200, &b);
}

static void h_echo(struct http_req *r, void *app)
{
	(void)app;
	handled++;
	http_reply_bytes(r, 200, "application/octet-stream",
			 http_body(r)->data, http_body(r)->len);
}

static void h_param(struct http_req *r, void *app)
{
	auto_buf struct buf b = BUF_INIT;
	const char *name, *value;

	(void)app;
	handled++;
	buf_addf(&b, "[%s][%s]", http_param(r, "id"),
		 http_query(r, "q") ? http_query(r, "q") : "-");
	for (unsigned i = 0; http_query_prefix(r, "meta.", i, &name, &value);
	     i++)
		buf_addf(&b, "[%s=%s]", name, value);
	http_reply_bytes(r, 200, "text/plain", b.data, b.len);
}

static void h_literal(struct http_req *r, void *app)
{
	(void)app;
	http_reply_bytes(r, 200, "text/plain", "literal", 7);
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
	http_reply_header(r, "Trailer", "X-Exit-Code");
	http_stream_begin(r, 200, "application/x-ndjson", -1);
	http_stream_keepalive(r, "\n");
	http_stream_write(r, "{\"a\":1}\n", 8);
}

static void h_sse(struct http_req *r, void *app)
{
	(void)app;
	parked = r;
	http_on_gone(r, on_gone);
	http_stream_begin(r, 200, "text/event-stream", -1);
	http_stream_keepalive(r, ": \n\n");
	http_stream_write(r, ": hi\n\n", 6);
}

static struct buf uploaded;
static unsigned upload_ends;

static void up_data(struct http_req *r, const void *p, size_t n)
{
	(void)r;
	buf_add(&uploaded, p, n);
}

static void up_end(struct http_req *r)
{
	auto_buf struct buf b = BUF_INIT;

	upload_ends++;
	buf_addf(&b, "{\"bytes\":%zu}", uploaded.len);
	http_reply_json(r, 200, &b);
}

static const struct http_body_sink up_sink = { up_data, up_end };

static void h_upload(struct http_req *r, void *app)
{
	(void)app;
	handled++;
	buf_clear(&uploaded);
	http_on_gone(r, on_gone);
	http_body_read(r, &up_sink);
}

static const struct http_route routes[] = {
	{ "GET", "/hello", 0, 0, h_hello },
	{ "POST", "/echo", 0, 4096, h_echo },
	{ "GET", "/things", 0, 0, h_hello },
	{ "GET", "/things/{id}", 0, 0, h_param },
	{ "DELETE", "/things/{id}", 0, 0, h_hello },
	{ "GET", "/things/special", 0, 0, h_literal },
	{ "GET", "/things/{id}/deep/{sub}", 0, 0, h_param },
	{ "POST", "/park", 0, 0, h_park },
	{ "POST", "/exec", HTTP_GONE, 0, h_park },
	{ "POST", "/slow", HTTP_GONE | HTTP_SLOW, 0, h_park },
	{ "POST", "/stream", HTTP_GONE, 0, h_stream },
	{ "GET", "/events", HTTP_GONE, 0, h_sse },
	{ "PUT", "/upload", HTTP_STREAM_IN, 1 << 20, h_upload },
	{ NULL, NULL, 0, 0, NULL },
};

static int setup(void **state)
{
	const struct http_options o = { .routes = routes };

	(void)state;
	handled = gone = drained = upload_ends = 0;
	parked = NULL;
	fixture_start(&o);
	return 0;
}

static int setup_fast(void **state)
{
	const int64_t ms = 1000000;
	const struct http_options o = {
		.routes = routes, .time_first_byte = 60 * ms,
		.time_head = 60 * ms, .time_body = 60 * ms,
		.time_idle = 60 * ms, .time_write = 60 * ms,
		.time_keepalive = 20 * ms,
	};

	(void)state;
	handled = gone = drained = upload_ends = 0;
	parked = NULL;
	fixture_start(&o);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fixture_stop();
	buf_release(&uploaded);
	return 0;
}

#define H "Host: localhost\r\n"

/* One request on a fresh connection; everything until the server closes or
 * is silent for a little while. */
static void ask(enum transport t, const char *req, size_t n, struct buf *b)
{
	auto_close int fd = dial(t);

	put(fd, req, n);
	get_until(fd, b, "\r\n\r\n", 30000);
	for (int i = 0; i < 3; i++)
		turn(1);
	get_now(fd, b);
}

static void ask_str(enum transport t, const char *req, struct buf *b)
{
	ask(t, req, strlen(req), b);
}

static void test_http_server__get(void **state)
{
	(void)state;
	for (int t = UNIX; t <= TCP; t++) {
		auto_buf struct buf b = BUF_INIT;

		ask_str(t, "GET /hello HTTP/1.1\r\n" H "\r\n", &b);
		assert_has(&b, "HTTP/1.1 200 OK\r\n");
		assert_has(&b, "Content-Type: application/json\r\n");
		assert_has(&b, "Content-Length: 17\r\n");
		assert_has(&b, "\r\n\r\n{\"hello\":\"world\"}");
		assert_has_not(&b, "Connection: close");
	}
}

static void test_http_server__routing(void **state)
{
	static const struct {
		const char *line, *want;
	} cases[] = {
		{ "GET /things/", "200 OK" },
		{ "GET /things/special", "literal" },
		{ "GET /things/a%2Fb%20c", "[a/b c][-]" },
		{ "GET /things/x?q=a+b%2Bc", "[x][a b+c]" },
		{ "GET /things/x?q=*", "[x][*]" },
		{ "GET /things/x?q", "[x][]" },
		{ "GET /things/x?&&q=1&q=2", "[x][1]" },
		{ "GET /things/x?meta.a=1&meta.b=2&other=3",
		  "[x][-][meta.a=1][meta.b=2]" },
		{ "GET /things/x/deep/y/", "[x][-]" },
		{ "GET http://localhost/things/abs", "[abs][-]" },
		{ "GET http://elsewhere/things/abs", "400 Bad Request" },
		{ "GET /things/%00", "400 Bad Request" },
		{ "GET /things/%zz", "400 Bad Request" },
		{ "GET /things/%2", "400 Bad Request" },
		{ "GET /things/x?q=%00", "400 Bad Request" },
		{ "GET /things/x?q=%", "400 Bad Request" },
		{ "GET /things//deep/y", "404 Not Found" },
		{ "GET /nothing", "\"code\":\"NOT_FOUND\"" },
		{ "PUT /things/x", "405 Method Not Allowed" },
		{ "PUT /things/x", "Allow: GET, HEAD, DELETE\r\n" },
		{ "PUT /things/x", "\"code\":\"METHOD_NOT_ALLOWED\"" },
		{ "OPTIONS /things/x", "Allow: GET, HEAD, DELETE\r\n" },
		{ "OPTIONS /things/x", "405 Method Not Allowed" },
		{ "OPTIONS *", "405 Method Not Allowed" },
		{ "HEAD /hello", "Content-Length: 17\r\n" },
		{ "BREW /hello", "405 Method Not Allowed" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_buf struct buf b = BUF_INIT;
		auto_free char *req = xasprintf("%s HTTP/1.1\r\n" H "\r\n",
						cases[i].line);
		ask_str(UNIX, req, &b);
		assert_has(&b, cases[i].want);
		assert_has(&b, "\r\nX-Request-ID: ");
	}
}

static void test_http_server__head_has_no_body(void **state)
{
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	ask_str(UNIX, "HEAD /hello HTTP/1.1\r\n" H "\r\n", &b);
	assert_has(&b, "200 OK");
	assert_true(memcmp(b.data + b.len - 4, "\r\n\r\n", 4) == 0);
}

static void test_http_server__request_id(void **state)
{
	static const struct {
		const char *sent;
		bool echoed;
	} cases[] = {
		{ "abc-123 x", true }, { "\x80\x81", false }, { "", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_buf struct buf b = BUF_INIT;
		auto_free char *req = xasprintf(
			"GET /nothing HTTP/1.1\r\n" H
			"X-Request-ID: %s\r\n\r\n", cases[i].sent);
		auto_free char *want = xasprintf("X-Request-ID: %s\r\n",
						 cases[i].sent);
		ask_str(UNIX, req, &b);
		assert_int_equal(has(&b, want), cases[i].echoed);
	}
}

static void test_http_server__bodies(void **state)
{
	auto_buf struct buf a = BUF_INIT, b = BUF_INIT, c = BUF_INIT;
	auto_buf struct buf d = BUF_INIT;

	(void)state;
	ask_str(UNIX, "POST /echo HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\n"
		"hello", &a);
	assert_has(&a, "\r\n\r\nhello");
	ask_str(UNIX, "POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: chunked"
		"\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\n\r\n", &b);
	assert_has(&b, "\r\n\r\nhello");
	ask_str(UNIX, "POST /echo HTTP/1.1\r\n" H "\r\n", &c);
	assert_has(&c, "Content-Length: 0\r\n");
	ask_str(UNIX, "POST /echo HTTP/1.1\r\n" H "Expect: 100-continue\r\n"
		"Content-Length: 5\r\n\r\nhello", &d);
	assert_has(&d, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK");
}

static void test_http_server__upload(void **state)
{
	auto_buf struct buf b = BUF_INIT, c = BUF_INIT;
	auto_buf struct buf big = BUF_INIT;
	auto_close int fd = dial(TCP);

	(void)state;
	ask_str(UNIX, "PUT /upload HTTP/1.1\r\n" H "\r\n", &b);
	assert_has(&b, "{\"bytes\":0}");
	for (int i = 0; i < 500000; i++)
		buf_addch(&big, (char)i);
	put_str(fd, "PUT /upload HTTP/1.1\r\n" H
		"Content-Length: 500000\r\n\r\n");
	put(fd, big.data, big.len);
	get_until(fd, &c, "}", 30000);
	assert_has(&c, "{\"bytes\":500000}");
	assert_memory_equal(big.data, uploaded.data, big.len);
	assert_int_equal(upload_ends, 2);
}

static void test_http_server__early_413_is_readable(void **state)
{
	(void)state;
	for (int t = UNIX; t <= TCP; t++) {
		auto_close int fd = dial(t);
		auto_buf struct buf b = BUF_INIT;
		auto_free char *junk = xcalloc(1, 1 << 20);

		put_str(fd, "POST /echo HTTP/1.1\r\n" H
			"Content-Length: 8388608\r\n\r\n");
		for (int i = 0; i < 8; i++)
			assert_true(put(fd, junk, 1 << 20));
		assert_int_equal(get_until(fd, &b, NULL, 30000), GOT_EOF);
		assert_has(&b, "413 Content Too Large");
		assert_has(&b, "\"code\":\"TOO_LARGE\"");
		assert_has(&b, "Connection: close");
	}
	assert_int_equal(handled, 0);
}

static void test_http_server__chunked_is_counted(void **state)
{
	auto_close int fd = dial(UNIX);
	auto_buf struct buf b = BUF_INIT;
	char kb[1024];

	(void)state;
	memset(kb, 'x', sizeof(kb));
	put_str(fd, "POST /echo HTTP/1.1\r\n" H
		"Transfer-Encoding: chunked\r\n\r\n");
	for (int i = 0; i < 5; i++) {
		put_str(fd, "400\r\n");
		put(fd, kb, sizeof(kb));
		put_str(fd, "\r\n");
	}
	get_until(fd, &b, "TOO_LARGE", 30000);
	assert_has(&b, "413 Content Too Large");
	assert_int_equal(handled, 0);
}

static void test_http_server__pipelining(void **state)
{
	auto_close int fd = dial(UNIX);
	auto_buf struct buf req = BUF_INIT, b = BUF_INIT;

	(void)state;
	for (int i = 0; i < 500; i++)
		buf_addf(&req, "GET /things/n%d HTTP/1.1\r\n" H "\r\n"
			 "POST /echo HTTP/1.1\r\n" H "Content-Length: 3\r\n"
			 "\r\nabc", i);
	assert_true(put(fd, req.data, req.len));
	get_until(fd, &b, "[n499][-]", 30000);
	assert_int_equal(handled, 1000);
	for (int i = 0, at = 0; i < 500; i++) { /* in order */
		auto_free char *want = xasprintf("[n%d][-]", i);
		const char *p = memmem(b.data + at, b.len - (size_t)at, want,
				       strlen(want));
		assert_non_null(p);
		at = (int)(p - b.data);
	}
}

static void test_http_server__stream_and_trailer(void **state)
{
	auto_close int fd = dial(TCP);
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	put_str(fd, "POST /stream HTTP/1.1\r\n" H "\r\n");
	get_until(fd, &b, "\"a\":1}\n\r\n", 30000);
	assert_has(&b, "Transfer-Encoding: chunked\r\n");
	assert_has(&b, "\r\n\r\n8\r\n{\"a\":1}\n\r\n");
	assert_non_null(parked);
	http_stream_write(parked, "xyz", 3);
	http_stream_trailer(parked, "X-Exit-Code", "%d", 3);
	http_stream_end(parked);
	parked = NULL;
	get_until(fd, &b, "X-Exit-Code: 3\r\n\r\n", 30000);
	assert_has(&b, "3\r\nxyz\r\n0\r\nX-Exit-Code: 3\r\n\r\n");
	/* The connection goes on. */
	put_str(fd, "GET /hello HTTP/1.1\r\n" H "\r\n");
	assert_int_equal(get_until(fd, &b, "world", 30000), GOT_MORE);
	assert_has(&b, "world");
	assert_int_equal(gone, 0);
}

static void test_http_server__abort_has_no_end(void **state)
{
	auto_close int fd = dial(UNIX);
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	put_str(fd, "POST /stream HTTP/1.1\r\n" H "\r\n");
	get_until(fd, &b, "}\n", 30000);
	http_stream_abort(parked);
	parked = NULL;
	assert_int_equal(get_until(fd, &b, NULL, 30000), GOT_EOF);
	assert_has_not(&b, "0\r\n\r\n");
}

static void test_http_server__http10(void **state)
{
	auto_close int fd = dial(TCP);
	auto_buf struct buf b = BUF_INIT, c = BUF_INIT;

	(void)state;
	put_str(fd, "GET /hello HTTP/1.0\r\n" H "\r\n");
	assert_int_equal(get_until(fd, &b, NULL, 30000), GOT_EOF);
	assert_has(&b, "world");
	auto_close int fd2 = dial(TCP);
	put_str(fd2, "POST /stream HTTP/1.0\r\n" H "\r\n");
	get_until(fd2, &c, "\n\r\n", 30000);
	http_stream_end(parked);
	parked = NULL;
	assert_int_equal(get_until(fd2, &c, NULL, 30000), GOT_EOF);
	assert_has(&c, "\r\n\r\n{\"a\":1}\n");
	assert_has_not(&c, "chunked");
}

/* Going away. */

static void vanish(enum transport t, const char *req, bool reset)
{
	int fd = dial(t);
	const struct linger now = { 1, 0 };
	auto_buf struct buf b = BUF_INIT;
	int64_t start;

	gone = 0;
	put_str(fd, req);
	for (int64_t end = now_ms() + 30000; !parked && now_ms() < end;)
		turn(1);
	assert_non_null(parked);
	get_now(fd, &b);
	if (reset)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(fd);
	start = now_ms();
	while (!gone && now_ms() < start + 30000)
		turn(1);
	assert_int_equal(gone, 1);
	assert_true(now_ms() - start < 5000);
	assert_null(parked);
}

static void test_http_server__vanished_client(void **state)
{
	static const char *const reqs[] = {
		"POST /exec HTTP/1.1\r\n" H "\r\n",
		"POST /stream HTTP/1.1\r\n" H "\r\n",
		"GET /events HTTP/1.1\r\n" H "\r\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(reqs); i++) {
		vanish(UNIX, reqs[i], false);
		vanish(TCP, reqs[i], false);
		vanish(TCP, reqs[i], true);
	}
}

static void test_http_server__half_close_is_answered(void **state)
{
	static const char *const reqs[] = {
		"POST /park HTTP/1.1\r\n" H "\r\n",
		"POST /exec HTTP/1.1\r\n" H "\r\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(reqs); i++) {
		for (int t = UNIX; t <= TCP; t++) {
			auto_close int fd = dial(t);
			auto_buf struct buf b = BUF_INIT;

			put_str(fd, reqs[i]);
			shutdown(fd, SHUT_WR);
			turns(20);
			assert_int_equal(gone, 0);
			assert_non_null(parked);
			http_reply_bytes(parked, 200, "text/plain", "late", 4);
			parked = NULL;
			assert_int_equal(get_until(fd, &b, NULL, 30000),
					 GOT_EOF);
			assert_has(&b, "\r\n\r\nlate");
		}
	}
}

/* A handler that never asked to be told may still reply to nobody. */
static void test_http_server__reply_to_nobody(void **state)
{
	int fd = dial(UNIX);

	(void)state;
	put_str(fd, "POST /park HTTP/1.1\r\n" H "\r\n");
	turns(10);
	assert_non_null(parked);
	http_on_gone(parked, NULL);
	close(fd);
	turns(10);
	http_stream_begin(parked, 200, "text/plain", -1);
	assert_int_equal(http_stream_write(parked, "x", 1), 0);
	http_stream_end(parked);
	parked = NULL;
}

static void test_http_server__slow_route_says_102(void **state)
{
	auto_close int fd = dial(TCP);
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	put_str(fd, "POST /slow HTTP/1.1\r\n" H "\r\n");
	get_until(fd, &b, "HTTP/1.1 102 Processing\r\n\r\n"
		  "HTTP/1.1 102 Processing\r\n\r\n", 2000);
	http_reply_bytes(parked, 200, "text/plain", "done", 4);
	parked = NULL;
	get_until(fd, &b, "done", 30000);
	assert_has(&b, "102 Processing\r\n\r\nHTTP/1.1 102 Processing\r\n");
	assert_has(&b, "HTTP/1.1 200 OK");
}

static void test_http_server__silent_stream_keepalive(void **state)
{
	auto_close int fd = dial(UNIX);
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	put_str(fd, "POST /stream HTTP/1.1\r\n" H "\r\n");
	assert_int_equal(get_until(fd, &b, "1\r\n\n\r\n1\r\n\n\r\n", 30000),
			 GOT_MORE);
	assert_has(&b, "1\r\n\n\r\n1\r\n\n\r\n");
}

static void test_http_server__deadlines(void **state)
{
	static const struct {
		const char *sent, *want; /* NULL: closed in silence */
	} cases[] = {
		{ "", NULL },
		{ "GET /hel", "408 Request Timeout" },
		{ "POST /echo HTTP/1.1\r\n" H "Content-Length: 9\r\n\r\nabc",
		  "408 Request Timeout" },
		{ "PUT /upload HTTP/1.1\r\n" H "Content-Length: 9\r\n\r\nabc",
		  "408 Request Timeout" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_close int fd = dial(UNIX);
		auto_buf struct buf b = BUF_INIT;
		int64_t start = now_ms();

		put_str(fd, cases[i].sent);
		assert_int_equal(get_until(fd, &b, NULL, 30000), GOT_EOF);
		assert_true(now_ms() - start < 8000);
		if (cases[i].want)
			assert_has(&b, cases[i].want);
		else
			assert_int_equal(b.len, 0);
	}
	assert_int_equal(gone, 1); /* the upload's handler was told */
}

/* One byte at a time doesn't stretch the head's deadline. */
static void test_http_server__slow_drip(void **state)
{
	auto_close int fd = dial(TCP);
	auto_buf struct buf b = BUF_INIT;
	int64_t start = now_ms();

	(void)state;
	while (now_ms() - start < 30000 && !has(&b, "408"))
		if (put_str(fd, "a"))
			get_until(fd, &b, "408", 5);
	assert_has(&b, "408 Request Timeout");
	assert_true(now_ms() - start < 8000);
}

static void test_http_server__idle_closes_in_silence(void **state)
{
	auto_close int fd = dial(UNIX);
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	put_str(fd, "GET /hello HTTP/1.1\r\n" H "\r\n");
	assert_int_equal(get_until(fd, &b, NULL, 30000), GOT_EOF);
	assert_has(&b, "world");
	assert_has_not(&b, " 408 ");
}

#define T(name) \
	cmocka_unit_test_setup_teardown(test_http_server__##name, setup, \
					teardown)
#define T_FAST(name) \
	cmocka_unit_test_setup_teardown(test_http_server__##name, setup_fast, \
					teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(get),
		T(routing),
		T(head_has_no_body),
		T(request_id),
		T(bodies),
		T(upload),
		T(early_413_is_readable),
		T(chunked_is_counted),
		T(pipelining),
		T(stream_and_trailer),
		T(abort_has_no_end),
		T(http10),
		T(vanished_client),
		T(half_close_is_answered),
		T(reply_to_nobody),
		T_FAST(slow_route_says_102),
		T_FAST(silent_stream_keepalive),
		T_FAST(deadlines),
		T_FAST(slow_drip),
		T_FAST(idle_closes_in_silence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
