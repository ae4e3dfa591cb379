/* SPDX-License-Identifier: MIT */
/*
 * A server with toy routes in this process, and raw clients of it.  The
 * client's side is driven by turning the server's loop, so a test is one
 * thread and repeats exactly.  Included by the test-http-*.c programs only.
 */
#ifndef SVM_TESTS_HTTP_FIXTURE_H
#define SVM_TESTS_HTTP_FIXTURE_H

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/http/http.h"
#include "lib/api/limits.h"
#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "tests/unit/unit.h"

enum transport { UNIX, TCP };

struct fixture {
	struct loop *loop;
	struct http_server *server;
	struct http_options o;
	char dir[64];
	int dirfd;
	int port;
};

static struct fixture fx;

static inline int tcp_listen(int *ret_port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
			0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 1024), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	*ret_port = ntohs(a.sin_port);
	return fd;
}

static inline void fixture_start(const struct http_options *o)
{
	fx.o = *o;
	snprintf(fx.dir, sizeof(fx.dir), "/tmp/svm-http-XXXXXX");
	assert_non_null(mkdtemp(fx.dir));
	fx.dirfd = open(fx.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fx.loop = loop_new();
	fx.server = http_server_new(fx.loop, &fx.o);
	int fd = fd_unix_listen(fx.dirfd, "sock",
				SOCK_STREAM | SOCK_NONBLOCK, 1024);
	assert_true(fd >= 0);
	http_server_listen(fx.server, fd);
	http_server_listen(fx.server, tcp_listen(&fx.port));
}

static inline void fixture_stop(void)
{
	http_server_free(fx.server);
	loop_free(fx.loop);
	unlinkat(fx.dirfd, "sock", 0);
	fd_close(fx.dirfd);
	rmdir(fx.dir);
	fx = (struct fixture){ 0 };
}

static inline int dial(enum transport t)
{
	int fd;

	if (t == UNIX) {
		fd = fd_unix_connect(fx.dirfd, "sock", SOCK_STREAM);
	} else {
		struct sockaddr_in a = {
			.sin_family = AF_INET, .sin_port = htons(fx.port),
			.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		};
		fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		assert_int_equal(connect(fd, (struct sockaddr *)&a,
					 sizeof(a)), 0);
	}
	assert_true(fd >= 0);
	fd_set_nonblock(fd, true);
	return fd;
}

static inline void turn(int ms)
{
	loop_turn(fx.loop, ms);
}

static inline int64_t now_ms(void)
{
	return clock_mono_ns() / 1000000;
}

/* Send everything, turning the loop; false when the peer won't have it. */
static inline bool put(int fd, const void *p, size_t n)
{
	const char *s = p;
	int64_t end = now_ms() + 30000;

	while (n && now_ms() < end) {
		ssize_t sent = send(fd, s, n, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (sent < 0 && errno != EAGAIN)
			return false;
		if (sent > 0) {
			s += sent;
			n -= (size_t)sent;
		}
		if (n)
			turn(1);
	}
	return !n;
}

static inline bool put_str(int fd, const char *s)
{
	return put(fd, s, strlen(s));
}

enum got { GOT_MORE, GOT_EOF, GOT_RESET };

/* Read what is there now. */
static inline enum got get_now(int fd, struct buf *b)
{
	static char tmp[65536];
	ssize_t n;

	while ((n = recv(fd, tmp, sizeof(tmp), MSG_DONTWAIT)) > 0)
		buf_add(b, tmp, (size_t)n);
	if (n == 0)
		return GOT_EOF;
	return errno == EAGAIN ? GOT_MORE : GOT_RESET;
}

/* Until `text` was received, the end, or ms passed. */
static inline enum got get_until(int fd, struct buf *b, const char *text,
				 int ms)
{
	int64_t end = now_ms() + ms;
	enum got g;

	do {
		turn(1);
		g = get_now(fd, b);
		if (text && b->len && memmem(b->data, b->len, text,
					     strlen(text)))
			return GOT_MORE;
	} while (g == GOT_MORE && now_ms() < end);
	return g;
}

static inline bool has(const struct buf *b, const char *text)
{
	return b->len && memmem(b->data, b->len, text, strlen(text));
}

static inline void turns(int ms)
{
	int64_t end = now_ms() + ms;

	while (now_ms() < end)
		turn(1);
}

#define assert_has(b, text)                                              \
	do {                                                             \
		if (!has(b, text))                                       \
			fail_msg("'%s' is not in '%.600s'", text,        \
				 buf_str(b));                            \
	} while (0)
#define assert_has_not(b, text)                                          \
	do {                                                             \
		if (has(b, text))                                        \
			fail_msg("'%s' is in '%.600s'", text,            \
				 buf_str(b));                            \
	} while (0)

#endif
