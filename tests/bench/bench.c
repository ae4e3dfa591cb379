/* SPDX-License-Identifier: MIT */
/*
 * The stop-watch of the benchmarks: does one thing N times over one
 * persistent connection (or as child processes) and prints each duration in
 * nanoseconds, one a line.  tests/bench/run decides what, in which order, and
 * makes the table.
 *
 *	bench spawn SOCKET N PROVIDER	spawn, first exec, destroy
 *	bench keep SOCKET N PROVIDER	spawn and keep; "ns id" a line
 *	bench exec SOCKET ID N		exec of true
 *	bench get SOCKET ID PATH N	download; ns for the whole file
 *	bench put SOCKET ID PATH BYTES N	upload
 *	bench stream SOCKET ID BYTES N	streamed output of a command
 *	bench child N ARGV...		posix_spawn and wait
 *	bench pipe BYTES N		bytes through a kernel pipe
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"

extern char **environ;

struct conn {
	int fd;
	struct buf in; /* received, not used yet */
	size_t at;
};

struct reply {
	int status;
	int64_t length; /* -1: chunked */
	struct buf body; /* only what keep asked for */
	uint64_t bytes;
};

static void fail(const char *what)
{
	fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

static long number(const char *text)
{
	return strtol(text, NULL, 10);
}

static void conn_open(struct conn *c, const char *path)
{
	c->fd = fd_unix_connect(AT_FDCWD, path, SOCK_STREAM);
	if (c->fd < 0) {
		errno = -c->fd;
		fail(path);
	}
}

static void conn_fill(struct conn *c)
{
	ssize_t n;

	if (c->at == c->in.len) {
		buf_clear(&c->in);
		c->at = 0;
	}
	buf_reserve(&c->in, 256 * 1024);
	n = read(c->fd, c->in.data + c->in.len, c->in.cap - c->in.len);
	if (n <= 0)
		fail("the daemon closed the connection");
	c->in.len += (size_t)n;
}

/* The next line, its CRLF cut off; valid until the next call. */
static char *conn_line(struct conn *c)
{
	for (;;) {
		char *start = c->in.data ? c->in.data + c->at : NULL;
		char *end = start ? memmem(start, c->in.len - c->at, "\r\n", 2)
				  : NULL;

		if (end) {
			*end = '\0';
			c->at = (size_t)(end + 2 - c->in.data);
			return start;
		}
		if (c->at) {
			buf_consume(&c->in, c->at);
			c->at = 0;
		}
		conn_fill(c);
	}
}

/* Pass over n body bytes, keeping the first few. */
static void conn_body(struct conn *c, uint64_t n, struct reply *r)
{
	r->bytes += n;
	while (n) {
		size_t have;

		if (c->at == c->in.len)
			conn_fill(c);
		have = MIN(c->in.len - c->at, n);
		if (r->body.len < 65536)
			buf_add(&r->body, c->in.data + c->at,
				MIN(have, 65536 - r->body.len));
		c->at += have;
		n -= have;
	}
}

static void conn_head(struct conn *c, struct reply *r)
{
	const char *line;

	do {
		line = conn_line(c);
		if (strncmp(line, "HTTP/1.1 ", 9) != 0)
			fail("not HTTP");
		r->status = (int)number(line + 9);
		r->length = 0;
		while (*(line = conn_line(c))) {
			if (strncasecmp(line, "content-length:", 15) == 0)
				r->length = number(line + 15);
			if (strncasecmp(line, "transfer-encoding:", 18) == 0)
				r->length = -1;
		}
	} while (r->status < 200);
}

static void conn_reply(struct conn *c, struct reply *r)
{
	uint64_t size;

	buf_clear(&r->body);
	r->bytes = 0;
	conn_head(c, r);
	if (r->length >= 0) {
		conn_body(c, (uint64_t)r->length, r);
		return;
	}
	while ((size = strtoull(conn_line(c), NULL, 16))) {
		conn_body(c, size, r);
		conn_line(c);
	}
	while (*conn_line(c))
		;
}

static void conn_send(struct conn *c, const char *method, const char *target,
		      const char *body)
{
	auto_buf struct buf b = BUF_INIT;

	buf_addf(&b, "%s /api/v1%s HTTP/1.1\r\nHost: localhost\r\n", method,
		 target);
	if (body)
		buf_addf(&b, "Content-Length: %zu\r\n", strlen(body));
	buf_addf(&b, "\r\n%s", body ? body : "");
	if (fd_write_full(c->fd, b.data, b.len) < 0)
		fail("write");
}

static void conn_do(struct conn *c, struct reply *r, const char *method,
		    const char *target, const char *body, int want)
{
	conn_send(c, method, target, body);
	conn_reply(c, r);
	if (r->status != want) {
		fprintf(stderr, "bench: %s %s: %d %s\n", method, target,
			r->status, buf_str(&r->body));
		exit(1);
	}
}

/* The id in a sandbox object. */
static void id_of(const struct reply *r, char out[16])
{
	const char *p = strstr(buf_str(&r->body), "\"id\":\"");

	if (!p || sscanf(p + 6, "%15[a-z0-9-]", out) != 1)
		fail("no id in the reply");
}

static const char exec_true[] = "{\"mode\":\"argv\",\"command\":\"true\"}";

static void print_ns(int64_t ns)
{
	printf("%lld\n", (long long)ns);
}

static int bench_spawn(struct conn *c, long n, const char *provider, bool keep)
{
	auto_free char *body = xasprintf("{\"provider\":\"%s\",\"ttl\":\"1h\"}",
					 provider);
	struct reply r = { 0 };

	while (n--) {
		auto_free char *target = NULL, *exec = NULL;
		int64_t begin = clock_mono_ns(), spawned;
		char id[16];

		conn_do(c, &r, "POST", "/sandboxes", body, 201);
		spawned = clock_mono_ns();
		id_of(&r, id);
		if (keep) {
			printf("%lld %s\n", (long long)(spawned - begin), id);
			continue;
		}
		target = xasprintf("/sandboxes/%s", id);
		exec = xasprintf("%s/exec", target);
		conn_do(c, &r, "POST", exec, exec_true, 200);
		print_ns(clock_mono_ns() - begin);
		conn_do(c, &r, "DELETE", target, NULL, 200);
	}
	buf_release(&r.body);
	return 0;
}

static int bench_exec(struct conn *c, const char *id, long n)
{
	auto_free char *target = xasprintf("/sandboxes/%s/exec", id);
	struct reply r = { 0 };

	while (n--) {
		int64_t begin = clock_mono_ns();

		conn_do(c, &r, "POST", target, exec_true, 200);
		print_ns(clock_mono_ns() - begin);
	}
	buf_release(&r.body);
	return 0;
}

static int bench_get(struct conn *c, const char *id, const char *path, long n)
{
	auto_free char *target =
		xasprintf("/sandboxes/%s/files?path=%s", id, path);
	struct reply r = { 0 };

	while (n--) {
		int64_t begin = clock_mono_ns();

		conn_do(c, &r, "GET", target, NULL, 200);
		print_ns(clock_mono_ns() - begin);
	}
	buf_release(&r.body);
	return 0;
}

static int bench_put(struct conn *c, const char *id, const char *path,
		     long bytes, long n)
{
	auto_free char *block = xcalloc(1, 256 * 1024);
	struct reply r = { 0 };

	while (n--) {
		auto_free char *head = xasprintf(
			"PUT /api/v1/sandboxes/%s/files?path=%s HTTP/1.1\r\n"
			"Host: localhost\r\nContent-Length: %ld\r\n\r\n",
			id, path, bytes);
		int64_t begin = clock_mono_ns();

		if (fd_write_full(c->fd, head, strlen(head)) < 0)
			fail("write");
		for (long left = bytes; left > 0; left -= 256 * 1024)
			if (fd_write_full(c->fd, block,
					  (size_t)MIN(left, 256 * 1024)) < 0)
				fail("write");
		conn_reply(c, &r);
		if (r.status != 200)
			fail(buf_str(&r.body));
		print_ns(clock_mono_ns() - begin);
	}
	buf_release(&r.body);
	return 0;
}

static int bench_stream(struct conn *c, const char *id, long bytes, long n)
{
	auto_free char *target = xasprintf("/sandboxes/%s/exec", id);
	/* What makes the bytes must not be what is measured. */
	auto_free char *body = xasprintf(
		"{\"stream\":true,\"command\":\"[ -s /tmp/s ] || "
		"yes %s | head -c %ld >/tmp/s; cat /tmp/s\"}",
		"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
		bytes);
	struct reply r = { 0 };

	while (n--) {
		int64_t begin = clock_mono_ns();

		conn_do(c, &r, "POST", target, body, 200);
		if (r.bytes < (uint64_t)bytes)
			fail("output is missing");
		print_ns(clock_mono_ns() - begin);
	}
	buf_release(&r.body);
	return 0;
}

static int bench_child(long n, char **argv)
{
	posix_spawn_file_actions_t quiet;

	posix_spawn_file_actions_init(&quiet);
	posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
	while (n--) {
		int64_t begin = clock_mono_ns();
		int status;
		pid_t pid;

		errno = posix_spawnp(&pid, argv[0], &quiet, NULL, argv,
				     environ);
		if (errno)
			fail(argv[0]);
		if (waitpid(pid, &status, 0) < 0 || status)
			fail("the child failed");
		print_ns(clock_mono_ns() - begin);
	}
	posix_spawn_file_actions_destroy(&quiet);
	return 0;
}

static int bench_pipe(long bytes, long n)
{
	auto_free char *block = xcalloc(1, 64 * 1024);

	while (n--) {
		int64_t begin = clock_mono_ns();
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
		while (read(fds[0], block, 64 * 1024) > 0)
			;
		close(fds[0]);
		waitpid(pid, NULL, 0);
		print_ns(clock_mono_ns() - begin);
	}
	return 0;
}

static int with_daemon(const char *what, int n, char **v)
{
	struct conn c = { .fd = -1, .in = BUF_INIT };
	int r = 2;

	conn_open(&c, v[0]);
	if (strcmp(what, "spawn") == 0 && n == 3)
		r = bench_spawn(&c, number(v[1]), v[2], false);
	else if (strcmp(what, "keep") == 0 && n == 3)
		r = bench_spawn(&c, number(v[1]), v[2], true);
	else if (strcmp(what, "exec") == 0 && n == 3)
		r = bench_exec(&c, v[1], number(v[2]));
	else if (strcmp(what, "get") == 0 && n == 4)
		r = bench_get(&c, v[1], v[2], number(v[3]));
	else if (strcmp(what, "put") == 0 && n == 5)
		r = bench_put(&c, v[1], v[2], number(v[3]), number(v[4]));
	else if (strcmp(what, "stream") == 0 && n == 4)
		r = bench_stream(&c, v[1], number(v[2]), number(v[3]));
	close(c.fd);
	buf_release(&c.in);
	return r;
}

int main(int argc, char **argv)
{
	if (argc >= 4 && strcmp(argv[1], "child") == 0)
		return bench_child(number(argv[2]), argv + 3);
	if (argc == 4 && strcmp(argv[1], "pipe") == 0)
		return bench_pipe(number(argv[2]), number(argv[3]));
	if (argc < 4)
		return 2;
	return with_daemon(argv[1], argc - 2, argv + 2);
}
