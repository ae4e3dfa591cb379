/* SPDX-License-Identifier: MIT */
/* Two sockets joined behind a 101: bytes, ends, and an end to silence. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/daemon.h"
#include "daemon/preview.h"
#include "daemon/sandbox.h"
#include "lib/api/limits.h"
#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "tests/unit/unit.h"

#define MS INT64_C(1000000)

static struct daemon d;
static struct sandbox box;
static int client, port; /* the far ends */

static int setup(void **state)
{
	(void)state;
	d = (struct daemon){ .loop = loop_new() };
	box = (struct sandbox){ .daemon = &d, .refs = 1 };
	list_init(&d.raws);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	preview_close_all(&d);
	fd_close(client);
	fd_close(port);
	client = port = -1;
	loop_free(d.loop);
	return 0;
}

static void join(const char *to_port, const char *to_client)
{
	struct buf p = BUF_INIT, c = BUF_INIT;
	int a[2], b[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, a),
			 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, b),
			 0);
	client = a[0];
	port = b[0];
	fd_set_nonblock(client, true);
	fd_set_nonblock(port, true);
	buf_addstr(&p, to_port);
	buf_addstr(&c, to_client);
	preview_join(&box, a[1], &p, b[1], &c);
	assert_int_equal(d.previews, 1);
	assert_int_equal(box.previews, 1);
}

static bool over(int64_t ms)
{
	int64_t end = clock_mono_ns() + ms * MS;

	while (d.previews && clock_mono_ns() < end)
		loop_turn(d.loop, 1);
	return !d.previews && !box.previews && box.refs == 1;
}

static void expect(int fd, const char *want)
{
	char got[256] = "";
	size_t n = 0;

	for (int i = 0; i < 1000 && n < strlen(want); i++) {
		ssize_t r = read(fd, got + n, sizeof(got) - 1 - n);

		n += r > 0 ? (size_t)r : 0;
		loop_turn(d.loop, 1);
	}
	assert_string_equal(got, want);
}

static bool at_end(int fd)
{
	char c;

	return recv(fd, &c, 1, MSG_DONTWAIT) == 0;
}

static void test_preview_raw__what_was_there_goes_first(void **state)
{
	(void)state;
	join("early ", "head ");
	assert_int_equal(write(client, "ask", 3), 3);
	assert_int_equal(write(port, "tell", 4), 4);
	expect(port, "early ask");
	expect(client, "head tell");
}

static void test_preview_raw__halves_end_one_by_one(void **state)
{
	(void)state;
	join("", "");
	assert_int_equal(write(client, "last", 4), 4);
	shutdown(client, SHUT_WR);
	expect(port, "last");
	for (int i = 0; i < 1000 && !at_end(port); i++)
		loop_turn(d.loop, 1);
	assert_true(at_end(port));
	assert_int_equal(d.previews, 1); /* the other half goes on */
	assert_int_equal(write(port, "bye", 3), 3);
	expect(client, "bye");
	shutdown(port, SHUT_WR);
	assert_true(over(3000));
	assert_true(at_end(client));
}

static void test_preview_raw__vanished(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		int *gone = i ? &port : &client, *left = i ? &client : &port;

		join("", "");
		close(*gone);
		*gone = -1;
		for (int t = 0; t < 1000 && !at_end(*left); t++)
			loop_turn(d.loop, 1);
		assert_true(at_end(*left));
		close(*left);
		*left = -1;
		assert_true(over(3000));
	}
}

/* An hour of silence, made short; what is said starts it anew. */
static void test_preview_raw__silence_ends_it(void **state)
{
	int64_t began = clock_mono_ns();

	(void)state;
	d.tunnel_idle = 1000 * MS;
	join("", "");
	for (int i = 0; i < 4; i++) {
		assert_int_equal(write(i & 1 ? port : client, "x", 1), 1);
		over(400);
		assert_int_equal(d.previews, 1);
	}
	assert_true(clock_mono_ns() - began >= 1600 * MS);
	assert_true(over(5000));
	assert_true(clock_mono_ns() - began >= 2200 * MS);
	expect(client, "xx");
	assert_true(at_end(client));
}

/* Who doesn't read stops who sends. */
static void test_preview_raw__slow_reader(void **state)
{
	static char block[4096];
	size_t taken = 0;

	(void)state;
	join("", "");
	for (int quiet = 0; quiet < 50; loop_turn(d.loop, 1)) {
		ssize_t n = write(port, block, sizeof(block));

		quiet = n > 0 ? 0 : quiet + 1;
		taken += n > 0 ? (size_t)n : 0;
		if (taken > (size_t)MIB(16))
			break;
	}
	/* a queue, and what two sockets hold */
	assert_in_range(taken, LIMIT_QUEUE_HIGH, MIB(2));
	assert_int_equal(d.previews, 1);
}

static void test_preview_raw__all_end_at_shutdown(void **state)
{
	(void)state;
	join("", "");
	preview_close_all(&d);
	assert_true(over(0));
	assert_true(at_end(client) && at_end(port));
}

#define T(name)                                                       \
	cmocka_unit_test_setup_teardown(test_preview_raw__##name, setup, \
					teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(what_was_there_goes_first),
		T(halves_end_one_by_one),
		T(vanished),
		T(silence_ends_it),
		T(slow_reader),
		T(all_end_at_shutdown),
	};

	client = port = -1;
	return cmocka_run_group_tests_name("preview-raw", tests, NULL, NULL);
}
