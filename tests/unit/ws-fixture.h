/* SPDX-License-Identifier: MIT */
/*
 * A WebSocket that echoes, and a raw client of it.  Included by the
 * test-http-ws*.c programs only.
 */
#ifndef SVM_TESTS_WS_FIXTURE_H
#define SVM_TESTS_WS_FIXTURE_H

#include "tests/unit/http-fixture.h"

static struct http_ws *ws; /* the last one opened; NULL after its end */
static unsigned closes, close_code, drains;
static struct buf got;

static inline void on_message(struct http_ws *w, void *data, bool binary,
		       const void *p, size_t n)
{
	(void)data;
	buf_add(&got, p, n);
	http_ws_send(w, binary, p, n);
}

static inline void on_drain(struct http_ws *w, void *data)
{
	(void)w;
	(void)data;
	drains++;
}

static inline void on_close(struct http_ws *w, void *data, unsigned code)
{
	(void)w;
	(void)data;
	closes++;
	close_code = code;
	ws = NULL;
}

static const struct http_ws_events events = { on_message, on_drain,
					      on_close };

static inline void h_ws(struct http_req *r, void *app)
{
	(void)app;
	ws = http_ws_accept(r, &events, NULL);
}

static const struct http_route routes[] = {
	{ "GET", "/ws", HTTP_WS, 0, h_ws },
	{ NULL, NULL, 0, 0, NULL },
};

static inline void ws_start(struct http_options o)
{
	o.routes = routes;
	closes = close_code = drains = 0;
	ws = NULL;
	fixture_start(&o);
}

static inline int ws_teardown(void **state)
{
	(void)state;
	if (fx.server)
		fixture_stop();
	buf_release(&got);
	return 0;
}

#define HELLO                                                             \
	"GET /ws HTTP/1.1\r\nHost: localhost\r\n"                         \
	"Upgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n"       \
	"Sec-WebSocket-Version: 13\r\n"                                   \
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

static inline int open_ws(enum transport t)
{
	int fd = dial(t);
	auto_buf struct buf b = BUF_INIT;

	put_str(fd, HELLO);
	get_until(fd, &b, "\r\n\r\n", 2000);
	assert_has(&b, "HTTP/1.1 101 Switching Protocols\r\n");
	assert_has(&b, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
		       "\r\n"); /* the sample of RFC 6455 1.3 */
	assert_non_null(ws);
	return fd;
}

/* first: FIN, RSV and opcode.  The mask is not zero, so that unmasking is
 * seen to happen. */
static inline void frame(int fd, unsigned first, bool masked, const void *p,
		  size_t n)
{
	static const unsigned char mask[4] = { 0x11, 0x22, 0x33, 0x44 };
	auto_buf struct buf b = BUF_INIT;

	buf_addch(&b, (char)first);
	unsigned m = masked ? 0x80 : 0;
	if (n < 126) {
		buf_addch(&b, (char)(m | n));
	} else if (n < 65536) {
		buf_addch(&b, (char)(m | 126));
		buf_addch(&b, (char)(n >> 8));
		buf_addch(&b, (char)n);
	} else {
		buf_addch(&b, (char)(m | 127));
		for (int i = 7; i >= 0; i--)
			buf_addch(&b, (char)((uint64_t)n >> (8 * i)));
	}
	if (masked)
		buf_add(&b, mask, 4);
	for (size_t i = 0; i < n; i++)
		buf_addch(&b, (char)(((const unsigned char *)p)[i] ^
				     (masked ? mask[i % 4] : 0)));
	put(fd, b.data, b.len);
}

static inline void text(int fd, const char *s)
{
	frame(fd, 0x81, true, s, strlen(s));
}

/* The server's close frame with this code, then the end. */
static inline void expect_close(int fd, unsigned code)
{
	auto_buf struct buf b = BUF_INIT;
	char want[2] = { (char)(code >> 8), (char)code };
	const char *at;

	assert_int_equal(get_until(fd, &b, NULL, 2000), GOT_EOF);
	at = memchr(b.data, 0x88, b.len);
	assert_non_null(at);
	if ((size_t)(at - b.data) + 4 > b.len)
		fail_msg("a close of %zu bytes, not %u", b.len, code);
	assert_memory_equal(at + 2, want, 2);
	assert_int_equal(closes, 1);
}

#endif
