/* SPDX-License-Identifier: MIT */
/* WebSocket: the handshake, framing as RFC 6455 demands it, closing. */
#include "tests/unit/http-fixture.h"

static struct http_ws *ws;
static unsigned closes, close_code, drains;
static struct buf got;

static void on_message(struct http_ws *w, void *data, bool binary,
		       const void *p, size_t n)
{
	(void)data;
	buf_add(&got, p, n);
	http_ws_send(w, binary, p, n);
}

static void on_drain(struct http_ws *w, void *data)
{
	(void)w;
	(void)data;
	drains++;
}

static void on_close(struct http_ws *w, void *data, unsigned code)
{
	(void)w;
	(void)data;
	closes++;
	close_code = code;
	ws = NULL;
}

static const struct http_ws_events events = { on_message, on_drain,
					      on_close };

static void h_ws(struct http_req *r, void *app)
{
	(void)app;
	ws = http_ws_accept(r, &events, NULL);
}

static const struct http_route routes[] = {
	{ "GET", "/ws", HTTP_WS, 0, h_ws },
	{ NULL, NULL, 0, 0, NULL },
};

static int start(int64_t keepalive)
{
	const struct http_options o = { .routes = routes,
					.time_keepalive = keepalive };

	closes = close_code = drains = 0;
	ws = NULL;
	fixture_start(&o);
	return 0;
}

static int setup(void **state)
{
	(void)state;
	return start(0);
}

static int setup_fast(void **state)
{
	(void)state;
	return start(20 * 1000000);
}

static int teardown(void **state)
{
	(void)state;
	fixture_stop();
	buf_release(&got);
	return 0;
}

#define HELLO                                                             \
	"GET /ws HTTP/1.1\r\nHost: localhost\r\n"                         \
	"Upgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n"       \
	"Sec-WebSocket-Version: 13\r\n"                                   \
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

static int open_ws(enum transport t)
{
	int fd = dial(t);
	auto_buf struct buf b = BUF_INIT;

	put_str(fd, HELLO);
	get_until(fd, &b, "\r\n\r\n", 2000);
	assert_has(&b, "HTTP/1.1 101 Switching Protocols\r\n");
	assert_has(&b, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
		       "\r\n"); /* the sample of RFC 6455 1.3 */
	assert_non_null(ws);
	return fd;
}

/* first: FIN, RSV and opcode.  The mask is not zero, so that unmasking is
 * seen to happen. */
static void frame(int fd, unsigned first, bool masked, const void *p,
		  size_t n)
{
	static const unsigned char mask[4] = { 0x11, 0x22, 0x33, 0x44 };
	auto_buf struct buf b = BUF_INIT;

	buf_addch(&b, (char)first);
	unsigned m = masked ? 0x80 : 0;
	if (n < 126) {
		buf_addch(&b, (char)(m | n));
	} else if (n < 65536) {
		buf_addch(&b, (char)(m | 126));
		buf_addch(&b, (char)(n >> 8));
		buf_addch(&b, (char)n);
	} else {
		buf_addch(&b, (char)(m | 127));
		for (int i = 7; i >= 0; i--)
			buf_addch(&b, (char)((uint64_t)n >> (8 * i)));
	}
	if (masked)
		buf_add(&b, mask, 4);
	for (size_t i = 0; i < n; i++)
		buf_addch(&b, (char)(((const unsigned char *)p)[i] ^
				     (masked ? mask[i % 4] : 0)));
	put(fd, b.data, b.len);
}

static void text(int fd, const char *s)
{
	frame(fd, 0x81, true, s, strlen(s));
}

/* The server's close frame with this code, then the end. */
static void expect_close(int fd, unsigned code)
{
	auto_buf struct buf b = BUF_INIT;
	char want[2] = { (char)(code >> 8), (char)code };
	const char *at;

	assert_int_equal(get_until(fd, &b, NULL, 2000), GOT_EOF);
	at = memchr(b.data, 0x88, b.len);
	assert_non_null(at);
	if ((size_t)(at - b.data) + 4 > b.len)
		fail_msg("a close of %zu bytes, not %u", b.len, code);
	assert_memory_equal(at + 2, want, 2);
	assert_int_equal(closes, 1);
}

static void test_http_ws__handshake_is_checked(void **state)
{
	static const struct {
		const char *version, *key, *upgrade, *connection, *want;
	} cases[] = {
		{ "13", "dGhlIHNhbXBsZSBub25jZQ==", "websocket", "upgrade",
		  "101 " },
		{ "12", "dGhlIHNhbXBsZSBub25jZQ==", "websocket", "upgrade",
		  "426 Upgrade Required" },
		{ "12", "dGhlIHNhbXBsZSBub25jZQ==", "websocket", "upgrade",
		  "Sec-WebSocket-Version: 13\r\n" },
		{ "13", "dGhlIHNhbXBsZSBub25jZQ=", "websocket", "upgrade",
		  "400 Bad Request" },
		{ "13", "dGhlIHNhbXBsZSBub25jZQ!!", "websocket", "upgrade",
		  "400 Bad Request" },
		{ "13", "dGhlIHNhbXBsZSBub25jZWVl", "websocket", "upgrade",
		  "400 Bad Request" },
		{ "13", "dGhlIHNhbXBsZSBub25jZQ==", "h2c", "upgrade",
		  "426 Upgrade Required" },
		{ "13", "dGhlIHNhbXBsZSBub25jZQ==", "websocket", "close",
		  "426 Upgrade Required" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_close int fd = dial(TCP);
		auto_buf struct buf b = BUF_INIT;
		auto_free char *req = xasprintf(
			"GET /ws HTTP/1.1\r\nHost: localhost\r\n"
			"Upgrade: %s\r\nConnection: %s\r\n"
			"Sec-WebSocket-Version: %s\r\n"
			"Sec-WebSocket-Key: %s\r\n\r\n", cases[i].upgrade,
			cases[i].connection, cases[i].version, cases[i].key);

		put_str(fd, req);
		get_until(fd, &b, "\r\n\r\n", 2000);
		assert_has(&b, cases[i].want);
	}
}

static void test_http_ws__echo(void **state)
{
	(void)state;
	for (int t = UNIX; t <= TCP; t++) {
		auto_close int fd = open_ws(t);
		auto_buf struct buf b = BUF_INIT;
		static char big[70000];

		text(fd, "hello");
		get_until(fd, &b, "hello", 2000);
		assert_memory_equal(b.data, "\x81\x05hello", 7);
		memset(big, 'b', sizeof(big));
		big[sizeof(big) - 1] = 'E';
		buf_clear(&b);
		frame(fd, 0x82, true, big, sizeof(big));
		get_until(fd, &b, "E", 2000);
		assert_int_equal(b.len, sizeof(big) + 10);
		assert_int_equal((unsigned char)b.data[0], 0x82);
	}
}

static void test_http_ws__frames_behind_the_handshake(void **state)
{
	auto_close int fd = dial(UNIX);
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	put(fd, HELLO "\x81\x82\0\0\0\0hi", sizeof(HELLO) - 1 + 8);
	get_until(fd, &b, "\x81\x02hi", 2000);
	assert_has(&b, "\r\n\r\n\x81\x02hi");
}

static void test_http_ws__fragments_and_ping_between(void **state)
{
	auto_close int fd = open_ws(UNIX);
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	frame(fd, 0x01, true, "he", 2);
	frame(fd, 0x89, true, "p", 1);
	frame(fd, 0x00, true, "l", 1);
	frame(fd, 0x80, true, "lo", 2);
	get_until(fd, &b, "hello", 2000);
	assert_memory_equal(b.data, "\x8a\x01p\x81\x05hello", 10);
}

static void test_http_ws__many_small_messages(void **state)
{
	auto_close int fd = open_ws(TCP);
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	for (int i = 0; i < 2000; i++) {
		text(fd, "0123456789");
		get_now(fd, &b);
	}
	text(fd, "E");
	get_until(fd, &b, "E", 2000);
	assert_int_equal(b.len, 2000 * 12 + 3);
	assert_int_equal(got.len, 20001);
}

static void test_http_ws__violations(void **state)
{
	static const struct {
		unsigned first;
		bool masked;
		const char *p;
		size_t n;
		unsigned code;
	} cases[] = {
		{ 0x81, false, "x", 1, 1002 },         /* not masked */
		{ 0xc1, true, "x", 1, 1002 },          /* RSV1 */
		{ 0x83, true, "x", 1, 1002 },          /* unknown opcode */
		{ 0x09, true, "x", 1, 1002 },          /* fragmented ping */
		{ 0x80, true, "x", 1, 1002 },          /* nothing to continue */
		{ 0x81, true, "\xff\xfe", 2, 1007 },   /* not UTF-8 */
		{ 0x81, true, "\xed\xa0\x80", 3, 1007 }, /* a surrogate */
		{ 0x88, true, "\x03\xed", 2, 1002 },   /* 1005 on the wire */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_close int fd = open_ws(UNIX);

		closes = 0;
		frame(fd, cases[i].first, cases[i].masked, cases[i].p,
		      cases[i].n);
		expect_close(fd, cases[i].code);
		assert_int_equal(close_code, cases[i].code);
		assert_int_equal(got.len, 0);
	}
}

static void test_http_ws__too_big(void **state)
{
	auto_close int fd = open_ws(UNIX);
	static char mb[LIMIT_WS_MESSAGE + 1];
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	memset(mb, 'x', sizeof(mb));
	frame(fd, 0x82, true, mb, sizeof(mb));
	expect_close(fd, 1009);
	assert_int_equal(got.len, 0);
}

static void test_http_ws__peer_closes(void **state)
{
	auto_close int fd = open_ws(TCP);

	(void)state;
	frame(fd, 0x88, true, "\x03\xe8" "bye", 5);
	expect_close(fd, 1000);
	assert_int_equal(close_code, 1000);
	auto_close int fd2 = open_ws(TCP);
	auto_buf struct buf b = BUF_INIT;
	frame(fd2, 0x88, true, NULL, 0);
	assert_int_equal(get_until(fd2, &b, NULL, 2000), GOT_EOF);
	assert_int_equal(close_code, 1005);
	assert_int_equal(closes, 2);
}

/* Our close comes behind everything that was queued before it. */
static void test_http_ws__we_close_last(void **state)
{
	static char big[200000];
	auto_close int fd = open_ws(UNIX);
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	memset(big, 'x', sizeof(big));
	for (int i = 0; i < 4; i++)
		http_ws_send(ws, true, big, sizeof(big));
	http_ws_send(ws, false, "LAST", 4);
	http_ws_close(ws, 1000, "done");
	assert_true(http_ws_queued(ws) > 0);
	get_until(fd, &b, "\x03\xe8" "done", 2000);
	assert_has(&b, "LAST\x88\x06\x03\xe8" "done");
	assert_true(b.len > 4 * sizeof(big));
	assert_int_equal(closes, 0);
	frame(fd, 0x88, true, "\x03\xe8", 2);
	assert_int_equal(get_until(fd, &b, NULL, 2000), GOT_EOF);
	assert_int_equal(closes, 1);
	assert_int_equal(close_code, 1000);
}

static void test_http_ws__vanished(void **state)
{
	const struct linger now = { 1, 0 };

	(void)state;
	for (int i = 0; i < 3; i++) {
		int fd = open_ws(i ? TCP : UNIX);
		int64_t begin = now_ms();

		closes = 0;
		if (i == 2)
			setsockopt(fd, SOL_SOCKET, SO_LINGER, &now,
				   sizeof(now));
		close(fd);
		while (!closes && now_ms() < begin + 2000)
			turn(1);
		assert_int_equal(closes, 1);
		assert_int_equal(close_code, 1006);
		assert_true(now_ms() - begin < 100);
	}
}

static void test_http_ws__drain_and_pause(void **state)
{
	static char block[32768];
	auto_close int fd = open_ws(UNIX);
	auto_buf struct buf b = BUF_INIT;
	size_t queued = 0;

	(void)state;
	while (queued < LIMIT_QUEUE_HIGH) {
		queued = http_ws_send(ws, true, block, sizeof(block));
		turn(0);
	}
	assert_int_equal(drains, 0);
	for (int64_t end = now_ms() + 2000; !drains && now_ms() < end;)
		get_until(fd, &b, NULL, 1);
	assert_int_equal(drains, 1);
	get_until(fd, &b, NULL, 50);
	http_ws_pause(ws, true);
	text(fd, "wait");
	turns(20);
	assert_int_equal(got.len, 0);
	http_ws_pause(ws, false);
	get_until(fd, &b, "wait", 2000);
	assert_int_equal(got.len, 4);
}

static void test_http_ws__silence_is_pinged(void **state)
{
	auto_close int fd = open_ws(UNIX);
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	get_until(fd, &b, "\x89", 2000);
	assert_memory_equal(b.data, "\x89\0", 2);
}

/* A flood of pings from a peer that doesn't read stays bounded. */
static void test_http_ws__ping_flood(void **state)
{
	static char junk[100];
	auto_close int fd = open_ws(UNIX);
	size_t taken = 0;

	(void)state;
	auto_buf struct buf b = BUF_INIT;
	for (int i = 0; i < 100; i++) { /* one masked ping of 100 bytes */
		buf_add(&b, "\x89\xe4\0\0\0\0", 6);
		buf_add(&b, junk, sizeof(junk));
	}
	for (int64_t last = now_ms(); now_ms() - last < 100;) {
		ssize_t n = send(fd, b.data, b.len,
				 MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n > 0) {
			/* Whole pings only: resend the rest as it is. */
			size_t rest = b.len - (size_t)n;
			put(fd, b.data + n, rest);
			taken += b.len;
			last = now_ms();
			if (taken > 64u * 1024 * 1024)
				break;
		}
		turn(0);
		if (taken > 8u * 1024 * 1024)
			break;
	}
	assert_true(taken < 8u * 1024 * 1024);
}

static void stopped(void *data)
{
	*(bool *)data = true;
}

static void test_http_ws__shutdown_says_1001(void **state)
{
	auto_close int fd = open_ws(TCP);
	auto_buf struct buf b = BUF_INIT;
	bool done = false;

	(void)state;
	http_server_shutdown(fx.server, stopped, &done);
	get_until(fd, &b, "\x03\xe9", 2000);
	assert_has(&b, "\x03\xe9");
	assert_false(done);
	frame(fd, 0x88, true, "\x03\xe9", 2);
	get_until(fd, &b, NULL, 2000);
	close(fd);
	fd = -1;
	turns(20);
	assert_true(done);
	assert_int_equal(close_code, 1001);
}

#define T(name) \
	cmocka_unit_test_setup_teardown(test_http_ws__##name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(handshake_is_checked),
		T(echo),
		T(frames_behind_the_handshake),
		T(fragments_and_ping_between),
		T(many_small_messages),
		T(violations),
		T(too_big),
		T(peer_closes),
		T(we_close_last),
		T(vanished),
		T(drain_and_pause),
		T(ping_flood),
		T(shutdown_says_1001),
		cmocka_unit_test_setup_teardown(
			test_http_ws__silence_is_pinged, setup_fast, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
