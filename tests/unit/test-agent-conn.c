/* SPDX-License-Identifier: MIT */
/* The daemon's side of a channel against agents that lie, stall or die. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/agent-conn.h"
#include "lib/api/msg.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"

static const unsigned char nonce[FRAME_NONCE] = "0123456789abcde";

struct world {
	struct loop *loop;
	struct agent_conn *conn;
	int agent; /* the hostile end */
	unsigned frames, ends, drains;
	struct buf seen; /* one type byte per frame */
	size_t bytes;
	int fd;
	enum svm_code code;
	struct buf text;
	bool pause_on_frame, drop_on_frame;
};

static void on_frame(void *data, const struct frame *f, int *fd)
{
	struct world *w = data;

	w->frames++;
	w->bytes += f->len;
	buf_addch(&w->seen, (char)f->type);
	if (*fd >= 0)
		w->fd = steal_fd(fd);
	if (w->pause_on_frame)
		agent_conn_pause(w->conn, true);
	if (w->drop_on_frame)
		agent_conn_drop(w->conn);
}

static void on_drain(void *data)
{
	((struct world *)data)->drains++;
}

static void on_end(void *data, const struct svm_err *err)
{
	struct world *w = data;

	w->ends++;
	w->conn = NULL;
	w->code = err ? err->code : SVM_OK;
	if (err)
		buf_addstr(&w->text, err->msg);
}

static const struct agent_conn_events events = { on_frame, on_drain, on_end };

static void start(struct world *w, enum frame_type type, int64_t deadline)
{
	int sv[2];

	*w = (struct world){ .fd = -1 };
	assert_int_equal(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
				       sv));
	w->loop = loop_new();
	assert_non_null(w->loop);
	w->agent = sv[1];
	assert_int_equal(0, fd_set_nonblock(w->agent, true));
	w->conn = agent_conn_start(w->loop, sv[0], nonce, type, "request", 7,
				   deadline, &events, w);
}

static void stop(struct world *w)
{
	agent_conn_drop(w->conn);
	loop_turn(w->loop, 0);
	loop_free(w->loop);
	fd_close(w->agent);
	fd_close(w->fd);
	buf_release(&w->seen);
	buf_release(&w->text);
}

static void turns(struct world *w, int n)
{
	while (n--)
		loop_turn(w->loop, 0);
}

static void hello(struct buf *b, uint32_t magic, uint16_t major,
		  const void *secret, size_t n)
{
	auto_buf struct buf p = BUF_INIT;

	msg_add_u32(&p, magic);
	msg_add_u16(&p, major);
	msg_add_u16(&p, FRAME_MINOR);
	msg_add_u64(&p, 0);
	msg_add_bytes(&p, secret, n);
	frame_add(b, FRAME_HELLO, 0, 0, p.data, p.len);
}

static void say(struct world *w, const struct buf *b)
{
	assert_int_equal((ssize_t)b->len, write(w->agent, b->data, b->len));
}

static void greet(struct world *w)
{
	auto_buf struct buf b = BUF_INIT;

	hello(&b, FRAME_MAGIC, FRAME_MAJOR, nonce, sizeof(nonce));
	say(w, &b);
	turns(w, 2);
}

static void say_frame(struct world *w, enum frame_type type, uint64_t id,
		      const void *p, size_t n)
{
	auto_buf struct buf b = BUF_INIT;

	frame_add(&b, type, 0, id, p, n);
	say(w, &b);
	turns(w, 3);
}

static void expect_end(struct world *w, enum svm_code code)
{
	assert_int_equal(1, w->ends);
	assert_int_equal(code, w->code);
}

static size_t agent_reads(struct world *w, char *to, size_t n)
{
	ssize_t got = read(w->agent, to, n);

	return got < 0 ? 0 : (size_t)got;
}

static void test_agent_conn__request_follows_a_good_hello(void **state)
{
	struct world w;
	char got[256];
	struct frame f;

	(void)state;
	start(&w, FRAME_PING, 0);
	turns(&w, 2);
	assert_int_equal(0, agent_reads(&w, got, sizeof(got)));
	greet(&w);
	size_t n = agent_reads(&w, got, sizeof(got));
	assert_int_equal((int)n, frame_decode(got, n, &f));
	assert_int_equal(FRAME_PING, f.type);
	assert_memory_equal("request", f.payload, 7);
	say_frame(&w, FRAME_END, f.id, NULL, 0);
	expect_end(&w, SVM_OK);
	assert_int_equal(1, w.frames);
	stop(&w);
}

static void refuse_hello(uint32_t magic, uint16_t major, const void *secret,
			 size_t n)
{
	auto_buf struct buf b = BUF_INIT;
	struct world w;
	char got[64];

	start(&w, FRAME_PING, 0);
	hello(&b, magic, major, secret, n);
	say(&w, &b);
	turns(&w, 2);
	expect_end(&w, SVM_PROVIDER);
	assert_int_equal(0, agent_reads(&w, got, sizeof(got)));
	stop(&w);
}

static void test_agent_conn__bad_hello_gets_nothing(void **state)
{
	unsigned char wrong[FRAME_NONCE];

	(void)state;
	refuse_hello(FRAME_MAGIC + 1, FRAME_MAJOR, nonce, sizeof(nonce));
	refuse_hello(FRAME_MAGIC, FRAME_MAJOR + 1, nonce, sizeof(nonce));
	refuse_hello(FRAME_MAGIC, FRAME_MAJOR, nonce, 15);
	refuse_hello(FRAME_MAGIC, FRAME_MAJOR, "", 0);
	for (size_t i = 0; i < sizeof(nonce); i++) {
		memcpy(wrong, nonce, sizeof(nonce));
		wrong[i] ^= 1;
		refuse_hello(FRAME_MAGIC, FRAME_MAJOR, wrong, sizeof(wrong));
	}
}

static void test_agent_conn__reply_before_hello(void **state)
{
	struct world w;

	(void)state;
	start(&w, FRAME_PING, 0);
	say_frame(&w, FRAME_END, 1, NULL, 0);
	expect_end(&w, SVM_PROVIDER);
	assert_int_equal(0, w.frames);
	stop(&w);
}

/* Known agents get the request at once; their word still needs a greeting. */
static void test_agent_conn__hurry_believes_nothing(void **state)
{
	struct world w;
	char got[512];

	(void)state;
	start(&w, FRAME_PING, 0);
	turns(&w, 3);
	assert_int_equal(agent_reads(&w, got, sizeof(got)), 0);
	agent_conn_hurry(w.conn);
	assert_true(agent_reads(&w, got, sizeof(got)) > 0);
	say_frame(&w, FRAME_END, 1, NULL, 0);
	turns(&w, 3);
	expect_end(&w, SVM_PROVIDER);
	assert_int_equal(w.frames, 0);
	stop(&w);
}

static void test_agent_conn__oversized_length(void **state)
{
	auto_buf struct buf b = BUF_INIT;
	struct world w;

	(void)state;
	start(&w, FRAME_READ, 0);
	greet(&w);
	msg_add_u32(&b, LIMIT_FRAME + 1);
	msg_add_u16(&b, FRAME_DATA);
	msg_add_u16(&b, 0);
	msg_add_u64(&b, 1);
	say(&w, &b);
	turns(&w, 2);
	expect_end(&w, SVM_PROVIDER);
	stop(&w);
}

static void test_agent_conn__frames_not_allowed(void **state)
{
	static const struct {
		enum frame_type op, frame;
		uint64_t id;
	} cases[] = {
		{ FRAME_PING, FRAME_STDOUT, 1 },
		{ FRAME_PING, FRAME_HELLO, 1 },
		{ FRAME_PING, FRAME_EXEC, 1 },
		{ FRAME_PING, FRAME_CANCEL, 1 },
		{ FRAME_PING, FRAME_END, 2 }, /* another id */
		{ FRAME_EXEC, FRAME_STDOUT, 1 }, /* before STARTED */
		{ FRAME_EXEC, FRAME_EXIT, 1 },
		{ FRAME_EXEC, FRAME_END, 1 },
		{ FRAME_READ, FRAME_DATA, 1 },
		{ FRAME_READ, FRAME_END, 1 },
		{ FRAME_LIST, FRAME_PATH, 1 },
		{ FRAME_WRITE, FRAME_DATA, 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct world w;

		start(&w, cases[i].op, 0);
		greet(&w);
		say_frame(&w, cases[i].frame, cases[i].id, "abcd", 4);
		expect_end(&w, SVM_PROVIDER);
		assert_int_equal(0, w.frames);
		stop(&w);
	}
}

static void test_agent_conn__second_started(void **state)
{
	struct world w;

	(void)state;
	start(&w, FRAME_EXEC, 0);
	greet(&w);
	say_frame(&w, FRAME_STARTED, 1, "", 0);
	say_frame(&w, FRAME_STDOUT, 1, "x", 1);
	assert_int_equal(0, w.ends);
	say_frame(&w, FRAME_STARTED, 1, "", 0);
	expect_end(&w, SVM_PROVIDER);
	assert_int_equal(2, w.frames);
	stop(&w);
}

static void test_agent_conn__silence_meets_the_deadline(void **state)
{
	struct world w;

	(void)state;
	start(&w, FRAME_STAT, 5000000);
	while (!w.ends)
		loop_turn(w.loop, 1000);
	expect_end(&w, SVM_TIMEOUT);
	stop(&w);

	start(&w, FRAME_EXEC, 5000000);
	greet(&w);
	while (!w.ends)
		loop_turn(w.loop, 1000);
	expect_end(&w, SVM_TIMEOUT);
	stop(&w);
}

static void test_agent_conn__a_command_may_be_silent(void **state)
{
	struct world w;

	(void)state;
	start(&w, FRAME_EXEC, 5000000);
	greet(&w);
	say_frame(&w, FRAME_STARTED, 1, "", 0);
	loop_turn(w.loop, 20);
	loop_turn(w.loop, 20);
	assert_int_equal(0, w.ends);
	stop(&w);
}

static void test_agent_conn__end_of_file_anywhere(void **state)
{
	auto_buf struct buf all = BUF_INIT;

	(void)state;
	hello(&all, FRAME_MAGIC, FRAME_MAJOR, nonce, sizeof(nonce));
	frame_add(&all, FRAME_STARTED, 0, 1, "abcdefgh", 8);
	frame_add(&all, FRAME_STDOUT, 0, 1, "xyz", 3);
	for (size_t cut = 0; cut <= all.len; cut++) {
		struct world w;
		struct buf part = { all.data, cut, 0 };

		start(&w, FRAME_EXEC, 0);
		say(&w, &part);
		fd_close(steal_fd(&w.agent));
		turns(&w, 5);
		expect_end(&w, SVM_PROVIDER);
		stop(&w);
	}
}

static void test_agent_conn__byte_at_a_time(void **state)
{
	auto_buf struct buf all = BUF_INIT;
	struct world w;

	(void)state;
	hello(&all, FRAME_MAGIC, FRAME_MAJOR, nonce, sizeof(nonce));
	frame_add(&all, FRAME_STARTED, 0, 1, "abcdefgh", 8);
	frame_add(&all, FRAME_STDERR, 0, 1, "xyz", 3);
	frame_add(&all, FRAME_EXIT, 0, 1, "", 0);
	start(&w, FRAME_EXEC, 0);
	for (size_t i = 0; i < all.len; i++) {
		struct buf one = { all.data + i, 1, 0 };

		assert_int_equal(0, w.ends);
		say(&w, &one);
		turns(&w, 1);
	}
	expect_end(&w, SVM_OK);
	assert_int_equal(3, w.frames);
	stop(&w);
}

static void error_from_agent(uint32_t code, const char *text, size_t n,
			     enum svm_code want)
{
	auto_buf struct buf p = BUF_INIT;
	struct world w;

	start(&w, FRAME_STAT, 0);
	greet(&w);
	msg_add_u32(&p, code);
	msg_add_u32(&p, 2);
	msg_add_bytes(&p, text, n);
	say_frame(&w, FRAME_ERROR, 1, p.data, p.len);
	expect_end(&w, want);
	assert_null(strchr(buf_str(&w.text), '\033'));
	assert_null(strchr(buf_str(&w.text), '\n'));
	assert_true(w.text.len < 8192);
	stop(&w);
}

static void test_agent_conn__errors_are_tamed(void **state)
{
	char long_text[60000];

	(void)state;
	memset(long_text, '\033', sizeof(long_text));
	error_from_agent(SVM_FILE_NOT_FOUND, "no such file", 12,
			 SVM_FILE_NOT_FOUND);
	error_from_agent(SVM_NO_SPACE, "a\033[31m\nb\0c", 10, SVM_NO_SPACE);
	error_from_agent(SVM_OK, "fine", 4, SVM_PROVIDER);
	error_from_agent(SVM_UNAUTHORIZED, "no", 2, SVM_PROVIDER);
	error_from_agent(SVM_INTERNAL, "oops", 4, SVM_PROVIDER);
	error_from_agent(0xffffffff, long_text, sizeof(long_text),
			 SVM_PROVIDER);
}

static void test_agent_conn__error_without_fields(void **state)
{
	struct world w;

	(void)state;
	start(&w, FRAME_STAT, 0);
	greet(&w);
	say_frame(&w, FRAME_ERROR, 1, "abc", 3);
	expect_end(&w, SVM_PROVIDER);
	stop(&w);
}

static void test_agent_conn__pause_holds_frames_back(void **state)
{
	auto_buf struct buf b = BUF_INIT;
	struct world w;

	(void)state;
	start(&w, FRAME_EXEC, 0);
	greet(&w);
	frame_add(&b, FRAME_STARTED, 0, 1, "", 0);
	for (int i = 0; i < 10; i++)
		frame_add(&b, FRAME_STDOUT, 0, 1, "0123456789", 10);
	frame_add(&b, FRAME_EXIT, 0, 1, "", 0);
	w.pause_on_frame = true;
	say(&w, &b);
	fd_close(steal_fd(&w.agent)); /* a hang-up must not spin or lose */
	turns(&w, 5);
	assert_int_equal(1, w.frames);
	for (unsigned i = 2; i <= 12; i++) {
		agent_conn_pause(w.conn, false);
		while (w.frames < i)
			loop_turn(w.loop, 1000);
		turns(&w, 2);
		assert_int_equal(i, w.frames);
	}
	expect_end(&w, SVM_OK);
	stop(&w);
}

static void test_agent_conn__drop_inside_a_callback(void **state)
{
	auto_buf struct buf b = BUF_INIT;
	struct world w;

	(void)state;
	start(&w, FRAME_EXEC, 0);
	greet(&w);
	w.drop_on_frame = true;
	frame_add(&b, FRAME_STARTED, 0, 1, "", 0);
	frame_add(&b, FRAME_STDOUT, 0, 1, "x", 1);
	say(&w, &b);
	turns(&w, 2);
	w.conn = NULL;
	assert_int_equal(1, w.frames);
	assert_int_equal(0, w.ends);
	stop(&w);
}

static void test_agent_conn__full_queue_drains(void **state)
{
	static char block[LIMIT_FRAME];
	struct world w;
	size_t total = 0, got;

	(void)state;
	start(&w, FRAME_WRITE, 0);
	greet(&w);
	while (agent_conn_send(w.conn, FRAME_DATA, block, sizeof(block)) <=
	       LIMIT_QUEUE_HIGH)
		assert_true(++total < 100);
	turns(&w, 3);
	assert_int_equal(0, w.drains);
	while (!w.drains) {
		got = agent_reads(&w, block, sizeof(block));
		(void)got;
		turns(&w, 1);
	}
	assert_int_equal(1, w.drains);
	stop(&w);
}

static void test_agent_conn__early_error_of_an_upload_is_heard(void **state)
{
	static char block[LIMIT_FRAME];
	auto_buf struct buf p = BUF_INIT, b = BUF_INIT;
	struct world w;

	(void)state;
	start(&w, FRAME_WRITE, 0);
	greet(&w);
	msg_add_u32(&p, SVM_NO_SPACE);
	msg_add_u32(&p, 28);
	msg_add_str(&p, "full");
	frame_add(&b, FRAME_ERROR, 0, 1, p.data, p.len);
	say(&w, &b);
	fd_close(steal_fd(&w.agent));
	for (int i = 0; i < 8; i++)
		agent_conn_send(w.conn, FRAME_DATA, block, sizeof(block));
	turns(&w, 3);
	expect_end(&w, SVM_NO_SPACE);
	stop(&w);
}

static void send_with_fd(struct world *w, enum frame_type type, int nfds)
{
	auto_buf struct buf b = BUF_INIT;
	int fds[2];

	assert_int_equal(0, pipe2(fds, O_CLOEXEC));
	frame_add(&b, type, 0, 1, NULL, 0);
	assert_true(fd_send_msg(w->agent, b.data, b.len, fds, (size_t)nfds) >
		    0);
	close(fds[0]);
	close(fds[1]);
	turns(w, 3);
}

static void test_agent_conn__descriptor_of_connect(void **state)
{
	struct world w;

	(void)state;
	start(&w, FRAME_CONNECT, 0);
	greet(&w);
	send_with_fd(&w, FRAME_END, 1);
	expect_end(&w, SVM_OK);
	assert_true(w.fd >= 0);
	assert_true(fcntl(w.fd, F_GETFD) & FD_CLOEXEC);
	stop(&w);

	start(&w, FRAME_CONNECT, 0);
	greet(&w);
	send_with_fd(&w, FRAME_END, 2);
	expect_end(&w, SVM_PROVIDER);
	assert_int_equal(-1, w.fd);
	stop(&w);

	start(&w, FRAME_PING, 0); /* unasked: dropped by the kernel */
	greet(&w);
	send_with_fd(&w, FRAME_END, 1);
	expect_end(&w, SVM_OK);
	assert_int_equal(-1, w.fd);
	stop(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test(test_agent_conn__##name)
		T(request_follows_a_good_hello),
		T(bad_hello_gets_nothing),
		T(reply_before_hello),
		T(hurry_believes_nothing),
		T(oversized_length),
		T(frames_not_allowed),
		T(second_started),
		T(silence_meets_the_deadline),
		T(a_command_may_be_silent),
		T(end_of_file_anywhere),
		T(byte_at_a_time),
		T(errors_are_tamed),
		T(error_without_fields),
		T(pause_holds_frames_back),
		T(drop_inside_a_callback),
		T(full_queue_drains),
		T(early_error_of_an_upload_is_heard),
		T(descriptor_of_connect),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
