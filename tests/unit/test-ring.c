/* SPDX-License-Identifier: MIT */
/* The agent's scrollback: streams and times of bytes, in bounded memory.  The
 * agent is no library, so its file is compiled in here. */
#include "agent/ring.c"

#include "tests/unit/unit.h"

#define MS INT64_C(1000000)

static struct ring r;

static int teardown(void **state)
{
	(void)state;
	ring_release(&r);
	r = (struct ring){ 0 };
	return 0;
}

static void add(unsigned type, int64_t ms, const char *text)
{
	ring_add(&r, type, ms * MS, text, strlen(text));
}

static void assert_piece(uint64_t at, unsigned type, int64_t ms,
			 const char *text)
{
	struct ring_piece p = ring_peek(&r, at);

	assert_int_equal(p.n, strlen(text));
	assert_memory_equal(p.p, text, p.n);
	assert_int_equal(p.type, type);
	assert_int_equal(p.seen_ns, ms * MS);
}

static void test_ring__streams_and_times(void **state)
{
	(void)state;
	add(1, 10, "ab");
	add(1, 10, "c");  /* at the same time: one piece */
	add(2, 10, "de");
	add(2, 15, "f");
	add(1, 12, "g");  /* left over, older: the time does not go back */
	assert_piece(0, 1, 10, "abc");
	assert_piece(1, 1, 10, "bc");
	assert_piece(3, 2, 10, "de");
	assert_piece(5, 2, 15, "f");
	assert_piece(6, 1, 15, "g");
	assert_int_equal(ring_peek(&r, 7).n, 0);
}

/* A byte every 2 ms, for longer than times are kept one by one. */
static void test_ring__times_are_bounded(void **state)
{
	const int64_t n = 10 * TIMES_MAX;
	int64_t last = 0;

	(void)state;
	for (int64_t i = 1; i <= n; i++) {
		add(1, 2 * i, "x");
		assert_true(r.times.n <= TIMES_MAX);
	}
	assert_int_equal(r.start, 0);
	for (uint64_t at = 0; at < r.end;) {
		struct ring_piece p = ring_peek(&r, at);
		int64_t real = 2 * MS * (int64_t)(at + 1);

		assert_true(p.n > 0 && p.seen_ns > last);
		assert_int_equal(p.seen_ns, real); /* of its first byte */
		last = p.seen_ns;
		at += p.n;
	}
	assert_int_equal(r.end, n);
	/* The newest are exact. */
	assert_piece(r.end - 1, 1, 2 * n, "x");
}

/* What is forgotten takes its notes along, and leaves those of the rest. */
static void test_ring__what_wrapped_keeps_its_time(void **state)
{
	auto_free char *big = xcalloc(1, LIMIT_AGENT_RING);

	(void)state;
	add(1, 1, "old");
	add(2, 2, "kept");
	ring_add(&r, 1, 3 * MS, big, LIMIT_AGENT_RING - 4);
	assert_int_equal(r.start, 3);
	assert_piece(3, 2, 2, "kept");
	assert_int_equal(r.times.n, 2);
	ring_add(&r, 2, 4 * MS, big, LIMIT_AGENT_RING);
	assert_int_equal(r.end - r.start, LIMIT_AGENT_RING);
	assert_true(r.times.n <= 2); /* one that is about nothing may stay */
	assert_int_equal(ring_peek(&r, r.start).seen_ns, 4 * MS);
	assert_int_equal(ring_peek(&r, r.start).type, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_teardown(test_ring__##f, teardown)
		TEST(streams_and_times),
		TEST(times_are_bounded),
		TEST(what_wrapped_keeps_its_time),
#undef TEST
	};

	return cmocka_run_group_tests_name("ring", tests, NULL, NULL);
}
