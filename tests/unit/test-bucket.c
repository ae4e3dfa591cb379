/* SPDX-License-Identifier: MIT */
/* Token buckets. */
#include "daemon/bucket.h"

#include "lib/api/limits.h"
#include "lib/base/mem.h"
#include "tests/unit/unit.h"

#define T0 SECONDS(1000)

static void test_bucket__burst_then_rate(void **state)
{
	struct buckets *b = buckets_new(SECONDS(2), 3);
	struct bucket_state st;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		assert_true(bucket_take(b, "a", T0, &st));
		assert_int_equal(st.left, 2 - i);
		assert_int_equal(st.wait_ns, 0);
	}
	assert_int_equal(st.full_ns, SECONDS(6));
	assert_false(bucket_take(b, "a", T0, &st));
	assert_int_equal(st.left, 0);
	assert_int_equal(st.wait_ns, SECONDS(2));
	/* Being refused costs nothing: the time does not move away. */
	assert_false(bucket_take(b, "a", T0 + SECONDS(2) - 1, &st));
	assert_int_equal(st.wait_ns, 1);
	assert_true(bucket_take(b, "a", T0 + SECONDS(2), NULL));
	assert_false(bucket_take(b, "a", T0 + SECONDS(2), NULL));
	/* It never holds more than the burst. */
	for (int i = 0; i < 3; i++)
		assert_true(bucket_take(b, "a", T0 + SECONDS(9999), NULL));
	assert_false(bucket_take(b, "a", T0 + SECONDS(9999), NULL));
	buckets_free(b);
}

static void test_bucket__callers_are_apart(void **state)
{
	struct buckets *b = buckets_new(SECONDS(1), 1);

	(void)state;
	assert_true(bucket_take(b, "a", T0, NULL));
	assert_false(bucket_take(b, "a", T0, NULL));
	assert_true(bucket_take(b, "b", T0, NULL));
	assert_true(bucket_take(b, "", T0, NULL));
	buckets_free(b);
}

static void test_bucket__peek_takes_nothing(void **state)
{
	struct buckets *b = buckets_new(SECONDS(1), 1);
	struct bucket_state st;

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_true(bucket_peek(b, "a", T0, &st));
	assert_int_equal(st.left, 1);
	assert_int_equal(st.full_ns, 0);
	assert_true(bucket_take(b, "a", T0, NULL));
	assert_false(bucket_peek(b, "a", T0, &st));
	assert_int_equal(st.left, 0);
	buckets_free(b);
}

/* A crowd makes the table forget the idle before the busy. */
static void test_bucket__busy_ones_are_remembered(void **state)
{
	struct buckets *b = buckets_new(SECONDS(1), 100);

	(void)state;
	for (int i = 0; i < 100; i++)
		assert_true(bucket_take(b, "busy", T0, NULL));
	for (int i = 0; i < 10 * LIMIT_BUCKETS; i++) {
		auto_free char *who = xasprintf("crowd-%d", i);

		assert_true(bucket_take(b, who, T0, NULL));
	}
	assert_false(bucket_take(b, "busy", T0, NULL));
	buckets_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test(test_bucket__##f)
		TEST(burst_then_rate),
		TEST(callers_are_apart),
		TEST(peek_takes_nothing),
		TEST(busy_ones_are_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
