/* SPDX-License-Identifier: MIT */
/* Frames of the agent channel: there and back, and from an enemy. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/api/agent-setup.h"
#include "lib/api/frame.h"
#include "lib/api/msg.h"
#include "lib/base/mem.h"

static char *argv[] = { (char *)"sh", (char *)"-c", (char *)"", NULL };
static char *env[] = { (char *)"A=b", NULL };
static const struct agent_exec exec = {
	.sid = (char *)"s1",
	.argv = argv,
	.env = env,
	.cwd = (char *)"/w",
	.flags = AGENT_EXEC_TTY,
	.cols = 80,
	.rows = 24,
	.timeout_ns = UINT64_C(1) << 40,
};

static void test_frame__round_trip(void **state)
{
	auto_buf struct buf b = BUF_INIT;
	struct frame f;

	(void)state;
	frame_add(&b, FRAME_STDOUT, FRAME_MORE, UINT64_MAX - 1, "hello", 5);
	frame_add(&b, FRAME_END, 0, 1, NULL, 0);
	assert_int_equal(b.len, 2 * FRAME_HEADER + 5);
	assert_int_equal(frame_decode(b.data, b.len, &f), FRAME_HEADER + 5);
	assert_int_equal(f.type, FRAME_STDOUT);
	assert_int_equal(f.flags, FRAME_MORE);
	assert_true(f.id == UINT64_MAX - 1);
	assert_memory_equal(f.payload, "hello", 5);
	/* Any shorter piece is no frame yet. */
	for (size_t n = 0; n < FRAME_HEADER + 5; n++)
		assert_int_equal(frame_decode(b.data, n, &f), 0);
}

static void test_frame__bad_headers(void **state)
{
	auto_buf struct buf b = BUF_INIT;
	struct frame f;

	(void)state;
	frame_add(&b, FRAME_END, 0, 1, NULL, 0);
	b.data[2] = 2; /* 128 KiB */
	assert_int_equal(frame_decode(b.data, b.len, &f), -EPROTO);
	b.data[2] = 1; /* 64 KiB: allowed, but not there yet */
	assert_int_equal(frame_decode(b.data, b.len, &f), 0);
	b.data[0] = 1;
	assert_int_equal(frame_decode(b.data, b.len, &f), -EPROTO);
	b.data[0] = b.data[2] = 0;
	b.data[4] = 0;
	assert_int_equal(frame_decode(b.data, b.len, &f), -EPROTO);
	b.data[4] = (char)FRAME_TYPE_MAX;
	assert_int_equal(frame_decode(b.data, b.len, &f), -EPROTO);
}

static void test_frame__long_request(void **state)
{
	const size_t n = 3 * LIMIT_FRAME + 10;
	auto_buf struct buf b = BUF_INIT;
	auto_free char *data = xcalloc(1, n);
	size_t at = 0, joined = 0;
	struct frame f;
	int used;

	(void)state;
	frame_add_request(&b, FRAME_EXEC, 3, data, n);
	while ((used = frame_decode(b.data + at, b.len - at, &f)) > 0) {
		joined += f.len;
		at += (size_t)used;
		assert_int_equal(!!(f.flags & FRAME_MORE), at < b.len);
	}
	assert_int_equal(joined, n);
	/* A whole number of frames needs no empty one. */
	buf_clear(&b);
	frame_add_request(&b, FRAME_EXEC, 3, data, 2 * LIMIT_FRAME);
	assert_int_equal(b.len, 2 * (FRAME_HEADER + LIMIT_FRAME));
}

static void test_frame__exec(void **state)
{
	auto_buf struct buf b = BUF_INIT;
	struct agent_exec m;

	(void)state;
	agent_exec_encode(&b, &exec);
	assert_int_equal(agent_exec_decode(b.data, b.len, &m), 0);
	assert_string_equal(m.sid, "s1");
	assert_string_equal(m.argv[1], "-c");
	assert_string_equal(m.argv[2], "");
	assert_null(m.argv[3]);
	assert_string_equal(m.env[0], "A=b");
	assert_string_equal(m.cwd, "/w");
	assert_int_equal(m.rows, 24);
	assert_true(m.timeout_ns == exec.timeout_ns);
	agent_exec_release(&m);
	/* Cut anywhere it is refused; longer it is the same. */
	for (size_t n = 0; n < b.len; n++) {
		auto_free char *cut = xmemdup(b.data, n);

		assert_int_equal(agent_exec_decode(cut, n, &m), -EPROTO);
	}
	buf_addstr(&b, "a later version");
	assert_int_equal(agent_exec_decode(b.data, b.len, &m), 0);
	agent_exec_release(&m);
}

static void test_frame__exec_without_argv(void **state)
{
	auto_buf struct buf b = BUF_INIT;
	char *none[] = { NULL };
	struct agent_exec m = exec;

	(void)state;
	m.argv = none;
	agent_exec_encode(&b, &m);
	assert_int_equal(agent_exec_decode(b.data, b.len, &m), -EPROTO);
}

/* A count of four billion strings must not be believed. */
static void test_frame__huge_counts(void **state)
{
	auto_buf struct buf b = BUF_INIT;
	struct agent_exec m;
	struct agent_setup s;

	(void)state;
	msg_add_str(&b, "sid");
	msg_add_u32(&b, UINT32_MAX);
	assert_int_equal(agent_exec_decode(b.data, b.len, &m), -EPROTO);
	buf_clear(&b);
	msg_add_u32(&b, UINT32_MAX);
	assert_int_equal(agent_exec_decode(b.data, b.len, &m), -EPROTO);
	assert_int_equal(agent_setup_decode(b.data, b.len, &s), -EPROTO);
}

static void test_frame__exit_is_checked(void **state)
{
	struct agent_exit m = { .code = 255, .signal = 64,
				.flags = AGENT_EXIT_OOM, .duration_ns = 5 };
	struct agent_exit got;
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	agent_exit_encode(&b, &m);
	assert_int_equal(agent_exit_decode(b.data, b.len, &got), 0);
	assert_int_equal(got.code, 255);
	assert_int_equal(got.flags, AGENT_EXIT_OOM);
	m.code = 256;
	buf_clear(&b);
	agent_exit_encode(&b, &m);
	assert_int_equal(agent_exit_decode(b.data, b.len, &got), -EPROTO);
	m.code = 0;
	m.signal = 65;
	buf_clear(&b);
	agent_exit_encode(&b, &m);
	assert_int_equal(agent_exit_decode(b.data, b.len, &got), -EPROTO);
}

static void test_frame__session_and_file(void **state)
{
	const struct agent_session s = { .sid = (char *)"x",
					 .command = (char *)"c",
					 .output = 7,
					 .exit = { .code = 3 } };
	const struct agent_file f = { .name = (char *)"n\n",
				      .target = (char *)"t",
				      .size = UINT64_MAX,
				      .mtime_ns = -1 };
	auto_buf struct buf a = BUF_INIT, b = BUF_INIT;
	struct agent_session s2;
	struct agent_file f2;

	(void)state;
	agent_session_encode(&a, &s);
	assert_int_equal(agent_session_decode(a.data, a.len, &s2), 0);
	assert_int_equal(s2.output, 7);
	assert_int_equal(s2.exit.code, 3);
	agent_session_release(&s2);
	agent_file_encode(&b, &f);
	assert_int_equal(agent_file_decode(b.data, b.len, &f2), 0);
	assert_string_equal(f2.name, "n\n");
	assert_true(f2.mtime_ns == -1);
	agent_file_release(&f2);
	for (size_t n = 0; n < b.len; n++)
		assert_int_equal(agent_file_decode(b.data, n, &f2), -EPROTO);
	for (size_t n = 0; n < a.len; n++)
		assert_int_equal(agent_session_decode(a.data, n, &s2),
				 -EPROTO);
}

static void test_frame__setup(void **state)
{
	const unsigned char filter[16] = { 6 };
	const struct agent_setup s = { .nonce = "0123456789abcde",
				       .flags = AGENT_SETUP_ROOT,
				       .uid = 1000,
				       .home = (char *)"/home/user",
				       .env = env,
				       .work_filter = filter,
				       .work_filter_len = sizeof(filter) };
	auto_buf struct buf b = BUF_INIT;
	struct agent_setup got;

	(void)state;
	agent_setup_encode(&b, &s);
	assert_int_equal(agent_setup_decode(b.data, b.len, &got), 0);
	assert_memory_equal(got.nonce, s.nonce, FRAME_NONCE);
	assert_int_equal(got.uid, 1000);
	assert_int_equal(got.agent_filter_len, 0);
	assert_int_equal(got.work_filter_len, 16);
	assert_memory_equal(got.work_filter, filter, 16);
	agent_setup_release(&got);
	for (size_t n = 0; n < b.len; n++)
		assert_int_equal(agent_setup_decode(b.data, n, &got),
				 -EPROTO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frame__round_trip),
		cmocka_unit_test(test_frame__bad_headers),
		cmocka_unit_test(test_frame__long_request),
		cmocka_unit_test(test_frame__exec),
		cmocka_unit_test(test_frame__exec_without_argv),
		cmocka_unit_test(test_frame__huge_counts),
		cmocka_unit_test(test_frame__exit_is_checked),
		cmocka_unit_test(test_frame__session_and_file),
		cmocka_unit_test(test_frame__setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
