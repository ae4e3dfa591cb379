/* SPDX-License-Identifier: MIT */
/*
 * WebSocket peers that break the rules, flood, or never answer.  Every case
 * ends with the close code that RFC 6455 names for it, and none costs more
 * than its bounded share of memory and of a turn of the loop.
 */
#include "tests/unit/ws-fixture.h"

#include <malloc.h>

#define MS INT64_C(1000000)

static int setup(void **state)
{
	(void)state;
	ws_start((struct http_options){ 0 });
	return 0;
}

/* -- frames that are none */

#define F(bytes) bytes, sizeof(bytes) - 1
#define MASK "\0\0\0\0"

static void test_http_ws_hostile__violations(void **state)
{
	static const struct {
		const char *what, *p;
		size_t n;
		unsigned code;
	} cases[] = {
		{ "not masked", F("\x81\x01x"), 1002 },
		{ "RSV1", F("\xc1\x81" MASK "x"), 1002 },
		{ "RSV2", F("\xa1\x81" MASK "x"), 1002 },
		{ "RSV3", F("\x91\x81" MASK "x"), 1002 },
		{ "RSV1 of a ping", F("\xc9\x81" MASK "x"), 1002 },
		{ "reserved data opcode", F("\x87\x81" MASK "x"), 1002 },
		{ "reserved control opcode", F("\x8b\x81" MASK "x"), 1002 },
		{ "fragmented ping", F("\x09\x81" MASK "x"), 1002 },
		{ "fragmented pong", F("\x0a\x81" MASK "x"), 1002 },
		{ "fragmented close", F("\x08\x82" MASK "\x03\xe8"), 1002 },
		{ "ping of 126 bytes", F("\x89\xfe\0\x7e" MASK), 1002 },
		{ "ping of 2^63 bytes",
		  F("\x89\xff\x80\0\0\0\0\0\0\0" MASK), 1002 },
		{ "close of 126 bytes", F("\x88\xfe\0\x7e" MASK), 1002 },
		{ "2^63 bytes", F("\x82\xff\x80\0\0\0\0\0\0\0" MASK), 1002 },
		{ "a length in too many bytes",
		  F("\x82\xfe\0\x01" MASK "x"), 1002 },
		{ "a length in far too many",
		  F("\x82\xff\0\0\0\0\0\0\0\x01" MASK "x"), 1002 },
		{ "2^62 bytes", F("\x82\xff\x40\0\0\0\0\0\0\0" MASK "x"), 1009 },
		{ "nothing to continue", F("\x80\x81" MASK "x"), 1002 },
		{ "text within a text",
		  F("\x01\x81" MASK "x" "\x81\x81" MASK "y"), 1002 },
		{ "close of one byte", F("\x88\x81" MASK "\x03"), 1002 },
		{ "close 0", F("\x88\x82" MASK "\0\0"), 1002 },
		{ "close 999", F("\x88\x82" MASK "\x03\xe7"), 1002 },
		{ "close 1004", F("\x88\x82" MASK "\x03\xec"), 1002 },
		{ "close 1005", F("\x88\x82" MASK "\x03\xed"), 1002 },
		{ "close 1006", F("\x88\x82" MASK "\x03\xee"), 1002 },
		{ "close 1015", F("\x88\x82" MASK "\x03\xf7"), 1002 },
		{ "close 2999", F("\x88\x82" MASK "\x0b\xb7"), 1002 },
		{ "close 5000", F("\x88\x82" MASK "\x13\x88"), 1002 },
		{ "close 65535", F("\x88\x82" MASK "\xff\xff"), 1002 },
		{ "close with a reason that is no UTF-8",
		  F("\x88\x83" MASK "\x03\xe8\xff"), 1007 },
		{ "no UTF-8", F("\x81\x82" MASK "\xff\xfe"), 1007 },
		{ "a surrogate", F("\x81\x83" MASK "\xed\xa0\x80"), 1007 },
		{ "overlong", F("\x81\x82" MASK "\xc0\xaf"), 1007 },
		{ "over U+10FFFF", F("\x81\x84" MASK "\xf4\x90\x80\x80"),
		  1007 },
		{ "half a character at the end",
		  F("\x81\x82" MASK "a\xc3"), 1007 },
		{ "a character broken off by the next fragment",
		  F("\x01\x82" MASK "a\xc3" "\x80\x81" MASK "b"), 1007 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_close int fd = open_ws(UNIX);
		auto_buf struct buf b = BUF_INIT;
		char want[2] = { (char)(cases[i].code >> 8),
				 (char)cases[i].code };

		closes = 0;
		put(fd, cases[i].p, cases[i].n);
		if (get_until(fd, &b, NULL, 30000) != GOT_EOF || b.len < 4 ||
		    (unsigned char)b.data[0] != 0x88 ||
		    memcmp(b.data + 2, want, 2) != 0 || closes != 1 ||
		    got.len)
			fail_msg("%s: %u closes (%u), %zu bytes: '%s'",
				 cases[i].what, closes, close_code, b.len,
				 buf_str(&b));
	}
}

/* Whoever may be named, is: the peer's own code comes back. */
static void test_http_ws_hostile__codes_of_peers(void **state)
{
	static const unsigned codes[] = { 1000, 1001, 1002, 1003, 1007, 1008,
					  1009, 1010, 1011, 3000, 3999, 4000,
					  4001, 4999 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		const char code[2] = { (char)(codes[i] >> 8),
				       (char)codes[i] };
		auto_close int fd = open_ws(TCP);

		closes = 0;
		frame(fd, 0x88, true, code, 2);
		expect_close(fd, codes[i]);
		assert_int_equal(close_code, codes[i]);
	}
}

static void test_http_ws_hostile__text_split_anywhere(void **state)
{
	static const char text[] = "\xf0\x9f\x98\x80\xc3\xbc";
	auto_close int fd = open_ws(UNIX);
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(text) - 1; i++)
		frame(fd, i ? 0x00 : 0x01, true, text + i, 1);
	frame(fd, 0x80, true, NULL, 0);
	get_until(fd, &b, text, 30000);
	assert_memory_equal(b.data, "\x81\x06\xf0\x9f\x98\x80\xc3\xbc", 8);
}

/* The limit is the message's, not the frame's. */
static void test_http_ws_hostile__fragments_add_up(void **state)
{
	static char part[LIMIT_WS_MESSAGE / 4];
	auto_close int fd = open_ws(UNIX);

	(void)state;
	for (int i = 0; i < 4; i++)
		frame(fd, i ? 0x00 : 0x02, true, part, sizeof(part));
	turns(20);
	assert_int_equal(closes, 0);
	frame(fd, 0x80, true, part, 1);
	expect_close(fd, 1009);
	assert_int_equal(got.len, 0);
}

/* -- closing */

static void test_http_ws_hostile__close_storm(void **state)
{
	auto_close int fd = open_ws(UNIX);
	auto_buf struct buf storm = BUF_INIT, b = BUF_INIT;

	(void)state;
	for (int i = 0; i < 1000; i++)
		buf_add(&storm, "\x88\x82" MASK "\x03\xe8"
				"\x81\x82" MASK "no", 16);
	put(fd, storm.data, storm.len);
	assert_int_equal(get_until(fd, &b, NULL, 30000), GOT_EOF);
	assert_int_equal(b.len, 4); /* one close, no echo */
	assert_memory_equal(b.data, "\x88\x02\x03\xe8", 4);
	assert_int_equal(closes, 1);
	assert_int_equal(got.len, 0);
}

static void until_closed(int ms)
{
	for (int64_t end = now_ms() + ms; !closes && now_ms() < end;)
		turn(1);
}

/* Who doesn't answer our close is cut. */
static void test_http_ws_hostile__close_without_an_answer(void **state)
{
	(void)state;
	ws_start((struct http_options){ .time_pong = 60 * MS });
	auto_close int fd = open_ws(UNIX);
	http_ws_close(ws, 1000, "done");
	turns(20);
	assert_int_equal(closes, 0); /* it has its time */
	until_closed(30000);
	assert_int_equal(closes, 1);
	assert_int_equal(close_code, 1000);
}

/* -- silence */

static void test_http_ws_hostile__no_pong(void **state)
{
	(void)state;
	ws_start((struct http_options){ .time_keepalive = 20 * MS,
					.time_pong = 100 * MS });
	auto_close int fd = open_ws(UNIX);
	turns(60);
	assert_int_equal(closes, 0);
	until_closed(30000);
	assert_int_equal(closes, 1);
	assert_int_equal(close_code, 1006);
}

static void test_http_ws_hostile__pongs_keep_it(void **state)
{
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	ws_start((struct http_options){ .time_keepalive = 20 * MS,
					.time_pong = 500 * MS });
	auto_close int fd = open_ws(UNIX);
	for (int64_t end = now_ms() + 1500; now_ms() < end;) {
		buf_clear(&b);
		get_until(fd, &b, "\x89", 30);
		frame(fd, 0x8a, true, NULL, 0);
	}
	assert_int_equal(closes, 0);
}

/* -- floods */

/* Send copies of p until the server has taken nothing for a while, without
 * reading; false when it took `most` bytes. */
static bool flood(int fd, const char *p, size_t n, size_t most)
{
	size_t taken = 0, at = 0;

	for (int64_t last = now_ms(); now_ms() - last < 100; turn(0)) {
		ssize_t sent = send(fd, p + at, n - at,
				    MSG_DONTWAIT | MSG_NOSIGNAL);

		if (sent <= 0)
			continue;
		at = (at + (size_t)sent) % n;
		taken += (size_t)sent;
		last = now_ms();
		if (taken > most)
			return false;
	}
	return true;
}

static void test_http_ws_hostile__pings_without_reading(void **state)
{
	static char junk[100];
	auto_close int fd = open_ws(UNIX);
	auto_buf struct buf b = BUF_INIT;
	size_t before = mallinfo2().uordblks;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		buf_add(&b, "\x89\xe4" MASK, 6);
		buf_add(&b, junk, sizeof(junk));
	}
	assert_true(flood(fd, b.data, b.len, MIB(64)));
	assert_true(mallinfo2().uordblks - before < b.cap + KIB(64));
	assert_int_equal(closes, 0);
}

static void test_http_ws_hostile__messages_without_reading(void **state)
{
	static char kb[1024];
	auto_close int fd = open_ws(UNIX);
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	for (int i = 0; i < 100; i++) {
		buf_add(&b, "\x82\xfe\x04\0" MASK, 8);
		buf_add(&b, kb, sizeof(kb));
	}
	assert_true(flood(fd, b.data, b.len, MIB(64)));
	assert_in_range(http_ws_queued(ws), 1,
			2 * LIMIT_QUEUE_HIGH + LIMIT_TURN_BYTES);
	assert_int_equal(closes, 0);
}

/* Sixteen, and what wslay had read by then: 4 KiB of frames at most. */
static void test_http_ws_hostile__messages_of_a_turn(void **state)
{
	auto_close int fd = open_ws(UNIX);
	auto_buf struct buf b = BUF_INIT;
	const size_t messages = 4000;

	(void)state;
	for (size_t i = 0; i < messages; i++)
		buf_add(&b, "\x82\x81" MASK "x", 7);
	assert_int_equal(send(fd, b.data, b.len, MSG_DONTWAIT), b.len);
	turn(10);
	assert_in_range(got.len, 16, 16 + 4096 / 7);
	for (int64_t end = now_ms() + 30000; got.len < messages &&
	     now_ms() < end;)
		get_until(fd, &b, NULL, 1);
	assert_int_equal(got.len, messages);
}

static void test_http_ws_hostile__bytes_of_a_turn(void **state)
{
	static char block[KIB(15)];
	auto_close int fd = open_ws(UNIX);
	auto_buf struct buf b = BUF_INIT;
	const size_t frames = 10;

	(void)state;
	buf_add(&b, "\x82\xfe\x3c\0" MASK, 8);
	buf_add(&b, block, sizeof(block));
	for (size_t i = 0; i < frames; i++)
		assert_int_equal(send(fd, b.data, b.len, MSG_DONTWAIT), b.len);
	turn(10);
	assert_in_range(got.len, sizeof(block),
			LIMIT_TURN_BYTES + 2 * sizeof(block));
	for (int64_t end = now_ms() + 30000;
	     got.len < frames * sizeof(block) && now_ms() < end;)
		get_until(fd, &b, NULL, 1);
	assert_int_equal(got.len, frames * sizeof(block));
}

static void test_http_ws_hostile__sent_in_a_turn(void **state)
{
	static char block[KIB(16)];
	auto_close int fd = open_ws(UNIX);
	auto_buf struct buf b = BUF_INIT;
	size_t before;

	(void)state;
	for (int i = 0; i < 100; i++)
		http_ws_send(ws, true, block, sizeof(block));
	assert_true(http_ws_queued(ws) > MIB(1));
	get_now(fd, &b); /* there is room for more than a turn's share */
	before = http_ws_queued(ws);
	turn(10);
	assert_in_range(before - http_ws_queued(ws), 1,
			2 * LIMIT_TURN_BYTES);
}

#define T(name)                                                        \
	cmocka_unit_test_setup_teardown(test_http_ws_hostile__##name, \
					setup, ws_teardown)
#define T_OWN(name)                                               \
	cmocka_unit_test_teardown(test_http_ws_hostile__##name, ws_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(violations),
		T(codes_of_peers),
		T(text_split_anywhere),
		T(fragments_add_up),
		T(close_storm),
		T_OWN(close_without_an_answer),
		T_OWN(no_pong),
		T_OWN(pongs_keep_it),
		T(pings_without_reading),
		T(messages_without_reading),
		T(messages_of_a_turn),
		T(bytes_of_a_turn),
		T(sent_in_a_turn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
