/* SPDX-License-Identifier: MIT */
#include "lib/api/msg.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "tests/unit/unit.h"

static void build(struct buf *b)
{
	char *v[] = { (char *)"one", (char *)"", (char *)"three", NULL };

	msg_add_u16(b, 0x1234);
	msg_add_u32(b, 0xdeadbeef);
	msg_add_u64(b, UINT64_C(0x0123456789abcdef));
	msg_add_bytes(b, "a\0b", 3);
	msg_add_str(b, "text");
	msg_add_str(b, NULL);
	msg_add_strv(b, v);
	msg_add_strv(b, NULL);
}

static bool read_all(const char *data, size_t n)
{
	struct msg_reader r = msg_reader(data, n);
	size_t len;
	bool same = msg_u16(&r) == 0x1234 && msg_u32(&r) == 0xdeadbeef &&
		    msg_u64(&r) == UINT64_C(0x0123456789abcdef);
	const void *p = msg_bytes(&r, 3, &len);
	auto_free char *s = msg_str(&r, 4), *empty = msg_str(&r, 0);
	char **v = msg_strv(&r, 3, 5), **none = msg_strv(&r, 0, 0);

	same = same && p && len == 3 && memcmp(p, "a\0b", 3) == 0 && s &&
	       strcmp(s, "text") == 0 && empty && !*empty && v &&
	       strv_len(v) == 3 && strcmp(v[2], "three") == 0 && none &&
	       !none[0];
	strv_free(v);
	strv_free(none);
	/* What did not fit reads as nothing. */
	if (!msg_ok(&r))
		assert_true(msg_u16(&r) == 0 && msg_u64(&r) == 0);
	return msg_ok(&r) && same;
}

/* Little endian, whatever machine this is. */
static void test_msg__bytes_on_the_wire(void **state)
{
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	msg_add_u16(&b, 0x0102);
	msg_add_u32(&b, 0x03040506);
	msg_add_str(&b, "z");
	assert_int_equal(b.len, 11);
	assert_memory_equal(b.data, "\x02\x01\x06\x05\x04\x03\x01\0\0\0z", 11);
}

/* Cut after every byte: never out of bounds, only the whole is good. */
static void test_msg__truncation(void **state)
{
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	build(&b);
	for (size_t n = 0; n <= b.len; n++) {
		auto_free char *copy = xmemdup(b.data, n); /* ASan's fence */

		assert_int_equal(read_all(copy, n), n == b.len);
	}
}

static void test_msg__limits(void **state)
{
	auto_buf struct buf b = BUF_INIT;
	struct msg_reader r;
	size_t n;

	(void)state;
	msg_add_str(&b, "four");
	r = msg_reader(b.data, b.len);
	assert_null(msg_str(&r, 3));
	assert_false(msg_ok(&r));
	r = msg_reader(b.data, b.len);
	assert_null(msg_bytes(&r, 3, &n));
	assert_int_equal(n, 0);
	buf_clear(&b);
	msg_add_bytes(&b, "a\0b", 3);
	r = msg_reader(b.data, b.len);
	assert_null(msg_str(&r, 10));
	assert_false(msg_ok(&r));
	/* A count no payload could hold allocates nothing. */
	buf_clear(&b);
	msg_add_u32(&b, 0xffffffff);
	r = msg_reader(b.data, b.len);
	assert_null(msg_strv(&r, SIZE_MAX, SIZE_MAX));
	assert_false(msg_ok(&r));
	r = msg_reader(b.data, b.len);
	assert_null(msg_str(&r, SIZE_MAX));
	assert_false(msg_ok(&r));
	buf_clear(&b);
	msg_add_strv(&b, (char *[]){ (char *)"a", (char *)"b", NULL });
	r = msg_reader(b.data, b.len);
	assert_null(msg_strv(&r, 1, 10));
	r = msg_reader(b.data, b.len);
	assert_null(msg_strv(&r, 2, 0));
	r = msg_reader(NULL, 0);
	assert_int_equal(msg_u32(&r), 0);
	assert_false(msg_ok(&r));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_msg__bytes_on_the_wire),
		cmocka_unit_test(test_msg__truncation),
		cmocka_unit_test(test_msg__limits),
	};

	return cmocka_run_group_tests_name("msg", tests, NULL, NULL);
}
