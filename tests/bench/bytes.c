/* SPDX-License-Identifier: MIT */
/* Many bytes: files up and down, output of commands; and bare pipes. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "tests/bench/bench.h"

#define BLOCK (256 * 1024)

void bench_get(char **v)
{
	auto_free char *target =
		xasprintf("/sandboxes/%s/files?path=%s", v[1], v[2]);
	struct reply r = { 0 };
	struct conn c;

	conn_open(&c, v[0]);
	for (long n = number(v[3]); n > 0; n--) {
		int64_t begin = clock_mono_ns();

		conn_do(&c, &r, "GET", target, NULL, 200);
		print_ns(clock_mono_ns() - begin);
	}
	reply_release(&r);
	conn_close(&c);
}

void bench_put(char **v)
{
	long bytes = number(v[3]);
	auto_free char *block = xcalloc(1, BLOCK);
	auto_free char *head = xasprintf(
		"PUT /api/v1/sandboxes/%s/files?path=%s HTTP/1.1\r\n"
		"Host: localhost\r\nContent-Length: %ld\r\n\r\n",
		v[1], v[2], bytes);
	struct reply r = { 0 };
	struct conn c;

	conn_open(&c, v[0]);
	for (long n = number(v[4]); n > 0; n--) {
		int64_t begin = clock_mono_ns();

		if (fd_write_full(c.fd, head, strlen(head)) < 0)
			fail("write");
		for (long left = bytes; left > 0; left -= BLOCK)
			if (fd_write_full(c.fd, block,
					  (size_t)MIN(left, BLOCK)) < 0)
				fail("write");
		conn_reply(&c, &r);
		errno = EPROTO;
		if (r.status != 200)
			fail(buf_str(&r.body));
		print_ns(clock_mono_ns() - begin);
	}
	reply_release(&r);
	conn_close(&c);
}

/* What makes the bytes must not be what is measured: a file is read. */
static char *stream_body(long bytes)
{
	return xasprintf(
		"{\"stream\":true,\"command\":\"[ -s /tmp/s%ld ] || "
		"yes %s | head -c %ld >/tmp/s%ld; cat /tmp/s%ld\"}",
		bytes,
		"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
		bytes, bytes, bytes);
}

static void all_there(const struct reply *r, long bytes)
{
	errno = EPROTO;
	if (r->bytes < (uint64_t)bytes)
		fail("output is missing");
}

void bench_stream(char **v)
{
	auto_free char *target = xasprintf("/sandboxes/%s/exec", v[1]);
	auto_free char *body = stream_body(number(v[2]));
	struct reply r = { 0 };
	struct conn c;

	conn_open(&c, v[0]);
	for (long n = number(v[3]); n > 0; n--) {
		int64_t begin = clock_mono_ns();

		conn_do(&c, &r, "POST", target, body, 200);
		all_there(&r, number(v[2]));
		print_ns(clock_mono_ns() - begin);
	}
	reply_release(&r);
	conn_close(&c);
}

/* Many streams at once, each read as its bytes come and none decoded: the
 * daemon hangs up behind the last one, and a good end looks like this. */
static const char good_end[] = "X-Exit-Code: 0\r\n\r\n";
#define END_SIZE (sizeof(good_end) - 1)

struct drain {
	uint64_t bytes;
	char end[END_SIZE];
};

/* False at the end. */
static bool drain_some(int fd, struct drain *d, char *block)
{
	ssize_t n = read(fd, block, BLOCK);
	size_t take = MIN((size_t)MAX(n, 0), END_SIZE);

	if (n < 0)
		fail("a stream");
	d->bytes += (uint64_t)n;
	memmove(d->end, d->end + take, END_SIZE - take);
	memcpy(d->end + END_SIZE - take, block + n - take, take);
	return n;
}

static void drain_all(struct pollfd *fds, struct drain *d, size_t n)
{
	auto_free char *block = xcalloc(1, BLOCK);

	for (size_t left = n; left;) {
		if (poll(fds, n, -1) < 0)
			fail("poll");
		for (size_t i = 0; i < n; i++) {
			if (!fds[i].revents ||
			    drain_some(fds[i].fd, &d[i], block))
				continue;
			fds[i].fd = -1;
			fds[i].revents = 0;
			left--;
		}
	}
}

static void stream_begin(int fd, const char *id, const char *body)
{
	auto_free char *ask = xasprintf(
		"POST /api/v1/sandboxes/%s/exec HTTP/1.1\r\nHost: localhost\r\n"
		"Connection: close\r\nContent-Length: %zu\r\n\r\n%s",
		id, strlen(body), body);

	if (fd_write_full(fd, ask, strlen(ask)) < 0)
		fail("write");
}

static void streams_round(const char *address, size_t n, char *const *ids,
			  long bytes)
{
	auto_free struct pollfd *fds = xcalloc(n, sizeof(*fds));
	auto_free struct drain *d = xcalloc(n, sizeof(*d));
	auto_free char *body = stream_body(bytes);
	struct conn *c = many_open(n, address);
	size_t nids = strv_len(ids);
	int64_t begin = clock_mono_ns();

	for (size_t i = 0; i < n; i++) {
		stream_begin(c[i].fd, ids[i % nids], body);
		fds[i] = (struct pollfd){ .fd = c[i].fd, .events = POLLIN };
	}
	drain_all(fds, d, n);
	print_ns(clock_mono_ns() - begin);
	errno = EPROTO;
	for (size_t i = 0; i < n; i++)
		if (d[i].bytes < (uint64_t)bytes ||
		    memcmp(d[i].end, good_end, END_SIZE) != 0)
			fail("output is missing");
	many_close(c, n);
}

void bench_streams(char **v)
{
	for (long n = number(v[3]); n > 0; n--)
		streams_round(v[0], (size_t)number(v[1]), v + 4,
			      number(v[2]));
}

static int pipe_from_child(long bytes, char *block)
{
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0 || (pid = fork()) < 0)
		fail("pipe");
	if (!pid) {
		for (long left = bytes; left > 0; left -= 64 * 1024)
			if (fd_write_full(fds[1], block, 64 * 1024) < 0)
				_exit(1);
		_exit(0);
	}
	close(fds[1]);
	return fds[0];
}

static void pipes_read(struct pollfd *fds, size_t n, char *block)
{
	for (size_t left = n; left;) {
		if (poll(fds, n, -1) < 0)
			fail("poll");
		for (size_t i = 0; i < n; i++) {
			if (!fds[i].revents ||
			    read(fds[i].fd, block, 64 * 1024) > 0)
				continue;
			close(fds[i].fd);
			fds[i].fd = -1;
			fds[i].revents = 0;
			left--;
		}
	}
	while (waitpid(-1, NULL, 0) > 0)
		;
}

void bench_pipe(char **v)
{
	size_t count = (size_t)number(v[1]);
	auto_free struct pollfd *fds = xcalloc(count, sizeof(*fds));
	auto_free char *block = xcalloc(1, 64 * 1024);

	for (long n = number(v[2]); n > 0; n--) {
		int64_t begin = clock_mono_ns();

		for (size_t i = 0; i < count; i++)
			fds[i] = (struct pollfd){
				.fd = pipe_from_child(number(v[0]), block),
				.events = POLLIN,
			};
		pipes_read(fds, count, block);
		print_ns(clock_mono_ns() - begin);
	}
}
