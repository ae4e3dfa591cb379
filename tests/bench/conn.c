/* SPDX-License-Identifier: MIT */
/* Connections to the daemon.  See bench.h. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "tests/bench/bench.h"

#define KEEP_BODY 65536

static int connect_port(long port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons((uint16_t)port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		return -errno;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 },
			 sizeof(int));
	return fd;
}

int address_connect(const char *address)
{
	int fd = strchr(address, '/') ?
			 fd_unix_connect(AT_FDCWD, address, SOCK_STREAM) :
			 connect_port(number(address));

	if (fd < 0) {
		errno = -fd;
		fail(address);
	}
	return fd;
}

void conn_open(struct conn *c, const char *address)
{
	*c = (struct conn){ .fd = address_connect(address), .in = BUF_INIT };
}

void conn_close(struct conn *c)
{
	close(c->fd);
	buf_release(&c->in);
}

void reply_release(struct reply *r)
{
	buf_release(&r->body);
}

static void fill(struct conn *c)
{
	ssize_t n;

	if (c->at == c->in.len) {
		buf_clear(&c->in);
		c->at = 0;
	}
	buf_reserve(&c->in, 256 * 1024);
	n = read(c->fd, c->in.data + c->in.len, c->in.cap - c->in.len);
	if (n == 0)
		errno = ECONNRESET;
	if (n <= 0)
		fail("the daemon's answer");
	c->in.len += (size_t)n;
}

/* The next line, its CRLF cut off; valid until the next call. */
static char *next_line(struct conn *c)
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
		fill(c);
	}
}

/* Pass over n body bytes, keeping the first few. */
static void take_body(struct conn *c, uint64_t n, struct reply *r)
{
	r->bytes += n;
	while (n) {
		size_t have;

		if (c->at == c->in.len)
			fill(c);
		have = MIN(c->in.len - c->at, n);
		if (r->body.len < KEEP_BODY)
			buf_add(&r->body, c->in.data + c->at,
				MIN(have, KEEP_BODY - r->body.len));
		c->at += have;
		n -= have;
	}
}

static void take_head(struct conn *c, struct reply *r)
{
	const char *line;

	do {
		line = next_line(c);
		errno = EPROTO;
		if (strncmp(line, "HTTP/1.1 ", 9) != 0)
			fail(line);
		r->status = (int)number(line + 9);
		r->length = 0;
		while (*(line = next_line(c))) {
			if (strncasecmp(line, "content-length:", 15) == 0)
				r->length = number(line + 15);
			if (strncasecmp(line, "transfer-encoding:", 18) == 0)
				r->length = -1;
		}
	} while (r->status < 200);
}

void conn_reply(struct conn *c, struct reply *r)
{
	uint64_t size;

	buf_clear(&r->body);
	r->bytes = 0;
	take_head(c, r);
	if (r->length >= 0) {
		take_body(c, (uint64_t)r->length, r);
		return;
	}
	while ((size = strtoull(next_line(c), NULL, 16))) {
		take_body(c, size, r);
		next_line(c);
	}
	while (*next_line(c))
		;
}

void conn_send(struct conn *c, const char *method, const char *target,
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

static void expect(const struct reply *r, const struct ask *a)
{
	if (r->status == a->want)
		return;
	fprintf(stderr, "bench: %s %s: %d %s\n", a->method, a->target,
		r->status, buf_str(&r->body));
	exit(1);
}

void conn_do(struct conn *c, struct reply *r, const char *method,
	     const char *target, const char *body, int want)
{
	const struct ask a = { method, target, body, want };

	conn_send(c, method, target, body);
	conn_reply(c, r);
	expect(r, &a);
}

struct conn *many_open(size_t n, const char *address)
{
	struct conn *c = xcalloc(n, sizeof(*c));

	for (size_t i = 0; i < n; i++)
		conn_open(&c[i], address);
	return c;
}

void many_close(struct conn *c, size_t n)
{
	for (size_t i = 0; i < n; i++)
		conn_close(&c[i]);
	free(c);
}

void many_do(struct conn *c, size_t n, const struct ask *asks, many_fn told,
	     void *data)
{
	auto_free struct pollfd *fds = xcalloc(n, sizeof(*fds));
	struct reply r = { 0 };
	int64_t begin = clock_mono_ns();

	for (size_t i = 0; i < n; i++) {
		conn_send(&c[i], asks[i].method, asks[i].target, asks[i].body);
		fds[i] = (struct pollfd){ .fd = c[i].fd, .events = POLLIN };
	}
	for (size_t left = n; left;) {
		if (poll(fds, n, -1) < 0)
			fail("poll");
		for (size_t i = 0; i < n; i++) {
			if (!fds[i].revents)
				continue;
			conn_reply(&c[i], &r);
			expect(&r, &asks[i]);
			told(data, i, &r, clock_mono_ns() - begin);
			fds[i].fd = -1;
			fds[i].revents = 0;
			left--;
		}
	}
	reply_release(&r);
}
