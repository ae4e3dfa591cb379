/* SPDX-License-Identifier: MIT */
/* WebSocket: the handshake, framing as RFC 6455 demands it, closing. */
#include "tests/unit/ws-fixture.h"

static int setup(void **state)
{
	(void)state;
	ws_start((struct http_options){ 0 });
	return 0;
}

static int setup_fast(void **state)
{
	(void)state;
	ws_start((struct http_options){ .time_keepalive = 20 * 1000000 });
	return 0;
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
		get_until(fd, &b, "\r\n\r\n", 30000);
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
		get_until(fd, &b, "hello", 30000);
		assert_memory_equal(b.data, "\x81\x05hello", 7);
		memset(big, 'b', sizeof(big));
		big[sizeof(big) - 1] = 'E';
		buf_clear(&b);
		frame(fd, 0x82, true, big, sizeof(big));
		get_until(fd, &b, "E", 30000);
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
	get_until(fd, &b, "\x81\x02hi", 30000);
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
	get_until(fd, &b, "hello", 30000);
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
	get_until(fd, &b, "E", 30000);
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
	assert_int_equal(get_until(fd2, &b, NULL, 30000), GOT_EOF);
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
	get_until(fd, &b, "\x03\xe8" "done", 30000);
	assert_has(&b, "LAST\x88\x06\x03\xe8" "done");
	assert_true(b.len > 4 * sizeof(big));
	assert_int_equal(closes, 0);
	frame(fd, 0x88, true, "\x03\xe8", 2);
	assert_int_equal(get_until(fd, &b, NULL, 30000), GOT_EOF);
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
		while (!closes && now_ms() < begin + 30000)
			turn(1);
		assert_int_equal(closes, 1);
		assert_int_equal(close_code, 1006);
		assert_true(now_ms() - begin < 5000);
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
	for (int64_t end = now_ms() + 30000; !drains && now_ms() < end;)
		get_until(fd, &b, NULL, 1);
	assert_int_equal(drains, 1);
	get_until(fd, &b, NULL, 50);
	http_ws_pause(ws, true);
	text(fd, "wait");
	turns(20);
	assert_int_equal(got.len, 0);
	http_ws_pause(ws, false);
	get_until(fd, &b, "wait", 30000);
	assert_int_equal(got.len, 4);
}

static void test_http_ws__silence_is_pinged(void **state)
{
	auto_close int fd = open_ws(UNIX);
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	get_until(fd, &b, "\x89", 30000);
	assert_memory_equal(b.data, "\x89\0", 2);
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
	get_until(fd, &b, "\x03\xe9", 30000);
	assert_has(&b, "\x03\xe9");
	assert_false(done);
	frame(fd, 0x88, true, "\x03\xe9", 2);
	get_until(fd, &b, NULL, 30000);
	close(fd);
	fd = -1;
	turns(20);
	assert_true(done);
	assert_int_equal(close_code, 1001);
}

#define T(name) \
	cmocka_unit_test_setup_teardown(test_http_ws__##name, setup, ws_teardown)

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
		T(shutdown_says_1001),
		cmocka_unit_test_setup_teardown(
			test_http_ws__silence_is_pinged, setup_fast,
			ws_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
