/* SPDX-License-Identifier: MIT */
/*
 * The HTTP/1.1 parser against RFC 9112's MUSTs.  Every vector is also given
 * in all splits into two parts, and byte by byte.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "lib/base/base64.h"
#include "lib/base/http1.h"
#include "lib/base/urlenc.h"

struct vector {
	const char *text;
	size_t n;
	int want; /* 0: accepted; 1: needs more; else -status */
};

#define V(s, want) { s, sizeof(s) - 1, want }
#define H "Host: a\r\n"

static const struct vector requests[] = {
	V("GET / HTTP/1.1\r\n" H "\r\n", 0),
	V("\r\nGET / HTTP/1.1\r\n" H "\r\n", 0),
	V("GET / HTTP/1.0\r\n\r\n", 0),
	V("GET http://a/x HTTP/1.1\r\n" H "\r\n", 0),
	V("OPTIONS * HTTP/1.1\r\n" H "\r\n", 0),
	V("GET /a?b=*&c=%20 HTTP/1.1\r\n" H "\r\n", 0),
	V("GET / HTTP/1.1\r\nhOsT:a\r\n\r\n", 0),
	V("GET / HTTP/1.1\r\nHost: \r\n\r\n", 0),
	V("GET / HTTP/1.1\r\n" H "X: a\tb \xff c\r\n\r\n", 0),
	V("GET / HTTP/1.1\r\n" H "X:\r\n\r\n", 0),
	V("GET / HTTP/1.1\r\n" H "X:  \t \r\n\r\n", 0),
	V("POST / HTTP/1.1\r\n" H "Content-Length: 0\r\n\r\n", 0),
	V("POST / HTTP/1.1\r\n" H "Content-Length:  12 \r\n\r\n", 0),
	V("POST / HTTP/1.1\r\n" H "Transfer-Encoding: Chunked\r\n\r\n", 0),
	V("POST / HTTP/1.1\r\n" H "Expect: 100-Continue\r\n\r\n", 0),
	/* The request line. */
	V("\r\n\r\nGET / HTTP/1.1\r\n" H "\r\n", -400),
	V("GET  / HTTP/1.1\r\n" H "\r\n", -400),
	V("GET /  HTTP/1.1\r\n" H "\r\n", -400),
	V("GET / HTTP/1.1 \r\n" H "\r\n", -400),
	V(" GET / HTTP/1.1\r\n" H "\r\n", -400),
	V("GET\t/\tHTTP/1.1\r\n" H "\r\n", -400),
	V("GET /\r\n" H "\r\n", -400),
	V("GET /a b HTTP/1.1\r\n" H "\r\n", -400),
	V("GET /\x80 HTTP/1.1\r\n" H "\r\n", -400),
	V("GET /\x7f HTTP/1.1\r\n" H "\r\n", -400),
	V("GET /#frag HTTP/1.1\r\n" H "\r\n", -400),
	V("G(T / HTTP/1.1\r\n" H "\r\n", -400),
	V("GET / http/1.1\r\n" H "\r\n", -400),
	V("GET / HTTP/1\r\n" H "\r\n", -400),
	V("GET / HTTP/1.10\r\n" H "\r\n", -400),
	V("GET / HTTP/11\r\n" H "\r\n", -400),
	V("GET / HTTP/2.0\r\n" H "\r\n", -505),
	V("PRI * HTTP/2.0\r\n\r\n", -505),
	V("GET / HTTP/0.9\r\n" H "\r\n", -505),
	V("\x16\x03\x01\x02", -400),
	/* Line ends and control characters. */
	V("GET / HTTP/1.1\n" H "\n", -400),
	V("GET / HTTP/1.1\r\nHost: a\n\r\n", -400),
	V("GET / HTTP/1.1\r\r\n" H "\r\n", -400),
	V("GET / HTTP/1.1\r\n" H "X: a\rb\r\n\r\n", -400),
	V("GET / HTTP/1.1\r\n" H "X: a\0b\r\n\r\n", -400),
	V("GET / HTTP/1.1\r\n" H "X: a\x01" "b\r\n\r\n", -400),
	V("GET / HTTP/1.1\r\n" H "X: a\x7f" "b\r\n\r\n", -400),
	V("GET /\0 HTTP/1.1\r\n" H "\r\n", -400),
	V("GET / HTTP/1.1\r\n" H "X\0: a\r\n\r\n", -400),
	/* Names. */
	V("GET / HTTP/1.1\r\n" H "X : a\r\n\r\n", -400),
	V("GET / HTTP/1.1\r\n" H ": a\r\n\r\n", -400),
	V("GET / HTTP/1.1\r\n" H "no colon\r\n\r\n", -400),
	V("GET / HTTP/1.1\r\n" H "X\x80: a\r\n\r\n", -400),
	V("GET / HTTP/1.1\r\n" H "X: a\r\n folded\r\n\r\n", -400),
	V("GET / HTTP/1.1\r\n" H "X: a\r\n\tfolded\r\n\r\n", -400),
	V("GET / HTTP/1.1\r\n Host: a\r\n\r\n", -400),
	/* Host. */
	V("GET / HTTP/1.1\r\n\r\n", -400),
	V("GET / HTTP/1.1\r\n" H H "\r\n", -400),
	V("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", -400),
	V("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", -400),
	V("GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", -400),
	V("GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", 0),
	/* Lengths. */
	V("POST / HTTP/1.1\r\n" H "Content-Length: \r\n\r\n", -400),
	V("POST / HTTP/1.1\r\n" H "Content-Length: -1\r\n\r\n", -400),
	V("POST / HTTP/1.1\r\n" H "Content-Length: +1\r\n\r\n", -400),
	V("POST / HTTP/1.1\r\n" H "Content-Length: 1 1\r\n\r\n", -400),
	V("POST / HTTP/1.1\r\n" H "Content-Length: 0x1\r\n\r\n", -400),
	V("POST / HTTP/1.1\r\n" H "Content-Length: 1, 1\r\n\r\n", -400),
	V("POST / HTTP/1.1\r\n" H "Content-Length: 1\r\n"
	  "Content-Length: 1\r\n\r\n", -400),
	V("POST / HTTP/1.1\r\n" H "Content-Length: 99999999999999999999\r\n"
	  "\r\n", -400),
	/* Codings. */
	V("POST / HTTP/1.1\r\n" H "Content-Length: 1\r\n"
	  "Transfer-Encoding: chunked\r\n\r\n", -400),
	V("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n"
	  "Content-Length: 1\r\n\r\n", -400),
	V("POST / HTTP/1.0\r\n" H "Transfer-Encoding: chunked\r\n\r\n", -400),
	V("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked, chunked\r\n"
	  "\r\n", -501),
	V("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n"
	  "Transfer-Encoding: chunked\r\n\r\n", -400),
	V("POST / HTTP/1.1\r\n" H "Transfer-Encoding: gzip, chunked\r\n"
	  "\r\n", -501),
	V("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked, gzip\r\n"
	  "\r\n", -400),
	V("POST / HTTP/1.1\r\n" H "Transfer-Encoding: xchunked\r\n\r\n",
	  -400),
	V("POST / HTTP/1.1\r\n" H "Transfer-Encoding: identity\r\n\r\n",
	  -400),
	V("POST / HTTP/1.1\r\n" H "Transfer-Encoding:\r\n\r\n", -400),
	V("POST / HTTP/1.1\r\n" H "Transfer-Encoding: \x0b" "chunked\r\n"
	  "\r\n", -400),
	V("POST / HTTP/1.1\r\n" H "Transfer-Encoding : chunked\r\n\r\n",
	  -400),
	V("POST / HTTP/1.1\r\n" H "Content-Length:\t12\r\n\r\n", -400),
	V("POST / HTTP/1.1\r\n" H "Content-Length: 12 \t\r\n\r\n", -400),
	V("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\t\r\n\r\n",
	  -400),
	V("POST / HTTP/1.1\r\n" H "Expect: 200-ok\r\n\r\n", -417),
	/* Not there yet. */
	V("", 1),
	V("GET", 1),
	V("GET / HTTP/1.1\r\n" H "\r", 1),
	V("GET / HTTP/1.1\r\n" H, 1),
	V("\r\n", 1),
};

static const struct vector responses[] = {
	V("HTTP/1.1 200 OK\r\n\r\n", 0),
	V("HTTP/1.1 200\r\n\r\n", 0),
	V("HTTP/1.1 200 \r\n\r\n", 0),
	V("HTTP/1.0 404 Not \xc3\xa4\r\nContent-Length: 3\r\n\r\n", 0),
	V("HTTP/1.1 102 Processing\r\n\r\n", 0),
	V("HTTP/2.0 200 OK\r\n\r\n", -502),
	V("HTTP/1.1 99 OK\r\n\r\n", -502),
	V("HTTP/1.1 600 OK\r\n\r\n", -502),
	V("HTTP/1.1  200 OK\r\n\r\n", -502),
	V("HTTP/1.1 200OK\r\n\r\n", -502),
	V("HTTP/1.1 200 O\0K\r\n\r\n", -502),
	V("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
	  -502),
	V("ICY 200 OK\r\n\r\n", -502),
};

static int parse(const char *text, size_t n, bool request, size_t *scan,
		 struct http1_head *h)
{
	int len = http1_head_length(text, n, scan);

	if (len <= 0)
		return len ? len : 1;
	if (request)
		return http1_parse_request(text, (size_t)len, h);
	return http1_parse_response(text, (size_t)len, h);
}

/* The verdict may come early, but never change. */
static void in_parts(const struct vector *v, bool request)
{
	struct http1_head h;
	size_t scan;
	int r;

	for (size_t cut = 0; cut <= v->n; cut++) {
		/* An exact copy, so that ASan sees a byte too far. */
		char *part = malloc(cut ? cut : 1);

		memcpy(part, v->text, cut);
		scan = 0;
		r = parse(part, cut, request, &scan, &h);
		free(part);
		if (r == 1)
			r = parse(v->text, v->n, request, &scan, &h);
		if (!request && r == -400)
			r = -502;
		if (r != v->want)
			fail_msg("'%s' cut at %zu: %d, not %d", v->text, cut,
				 r, v->want);
	}
	scan = 0;
	r = 1;
	for (size_t n = 0; r == 1 && n <= v->n; n++)
		r = parse(v->text, n, request, &scan, &h);
	if (!request && r == -400)
		r = -502;
	assert_int_equal(r, v->want);
}

static void test_http1__requests(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(requests); i++)
		in_parts(&requests[i], true);
}

static void test_http1__responses(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(responses); i++)
		in_parts(&responses[i], false);
}

#define PARSE(h, text)                                               \
	assert_int_equal(http1_parse_request(text, strlen(text), h), 0)

static void test_http1__what_a_head_says(void **state)
{
	static const char text[] =
		"PUT /a?b HTTP/1.1\r\nHost: x:1\r\nX-Empty:\r\n"
		"Connection: foo , Upgrade\r\nCONNECTION: Close\r\n"
		"Content-Length: 42\r\nX-B:  v w \t\r\n\r\n";
	const struct http1_header *f;
	struct http1_head h;

	(void)state;
	PARSE(&h, text);
	assert_memory_equal(text + h.method.at, "PUT", h.method.len);
	assert_memory_equal(text + h.target.at, "/a?b", h.target.len);
	assert_int_equal(h.minor, 1);
	assert_int_equal(h.content_length, 42);
	assert_false(h.chunked);
	assert_true(h.close);
	assert_true(h.upgrade);
	assert_false(h.keep_alive);
	assert_int_equal(h.host, 0);
	f = http1_find(&h, text, "x-b");
	assert_non_null(f);
	assert_int_equal(f->value.len, 3);
	assert_memory_equal(text + f->value.at, "v w", 3);
	assert_int_equal(http1_find(&h, text, "x-empty")->value.len, 0);
	assert_null(http1_find(&h, text, "x-c"));
}

static void test_http1__limits(void **state)
{
	struct http1_head h;
	size_t scan = 0;
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	/* A first line without end, then a head without end. */
	buf_addstr(&b, "GET /");
	while (b.len < HTTP1_MAX_HEAD)
		buf_addch(&b, 'a');
	assert_int_equal(http1_head_length(b.data, b.len, &scan), -414);
	scan = 0;
	buf_clear(&b);
	buf_addstr(&b, "GET / HTTP/1.1\r\nX: ");
	while (b.len < HTTP1_MAX_HEAD)
		buf_addch(&b, 'a');
	assert_int_equal(http1_head_length(b.data, b.len - 1, &scan), 0);
	assert_int_equal(http1_head_length(b.data, b.len, &scan), -431);
	/* The target's own limit. */
	buf_clear(&b);
	buf_addstr(&b, "GET /");
	for (int i = 0; i < HTTP1_MAX_TARGET; i++)
		buf_addch(&b, 'a');
	buf_addstr(&b, " HTTP/1.1\r\n" H "\r\n");
	assert_int_equal(http1_parse_request(b.data, b.len, &h), -414);
	/* The 65th header. */
	buf_clear(&b);
	buf_addstr(&b, "GET / HTTP/1.1\r\n" H);
	for (int i = 1; i < HTTP1_MAX_HEADERS; i++)
		buf_addf(&b, "X-%d: 1\r\n", i);
	size_t full = b.len;
	buf_addstr(&b, "\r\n");
	assert_int_equal(http1_parse_request(b.data, b.len, &h), 0);
	buf_truncate(&b, full);
	buf_addstr(&b, "Y: 1\r\n\r\n");
	assert_int_equal(http1_parse_request(b.data, b.len, &h), -431);
}

/* Chunks: the decoded text, "MORE" or "BAD"; in every split. */

static const struct {
	const char *in, *want;
	bool trailers;
} chunks[] = {
	{ "0\r\n\r\n", "", false },
	{ "3\r\nabc\r\n0\r\n\r\n", "abc", false },
	{ "003\r\nabc\r\n2\r\nde\r\n000\r\n\r\n", "abcde", false },
	{ "a\r\n0123456789\r\n0\r\n\r\n", "0123456789", false },
	{ "A\r\n0123456789\r\n0\r\n\r\n", "0123456789", false },
	{ "3;a=b\r\nabc\r\n0;q=\"x y\"\r\n\r\n", "abc", false },
	{ "3\r\nabc\r\n0\r\nX-A: b\r\n\r\n", "abc", true },
	{ "0\r\nX-A: b\r\nC: d\r\n\r\n", "", true },
	{ "3\r\nabc\r\n0\r\nX-A: b\r\n\r\n", "BAD", false },
	{ "0\r\n folded: b\r\n\r\n", "BAD", true },
	{ "0\r\nX-A: b\n\r\n", "BAD", true },
	{ "0\r\nX: \x01\r\n\r\n", "BAD", true },
	{ "", "MORE", false },
	{ "3\r\nab", "MORE", false },
	{ "3\r\nabc\r\n0\r\n", "MORE", false },
	{ "\r\n", "BAD", false },
	{ ";x\r\n", "BAD", false },
	{ "3\nabc\r\n0\r\n\r\n", "BAD", false },
	{ "3\r\nabc\n0\r\n\r\n", "BAD", false },
	{ "3\r\nabcd\r\n0\r\n\r\n", "BAD", false },
	{ "3\r\nab\r\n0\r\n\r\n", "BAD", false },
	{ "3 \r\nabc\r\n0\r\n\r\n", "BAD", false },
	{ " 3\r\nabc\r\n0\r\n\r\n", "BAD", false },
	{ "0x3\r\nabc\r\n0\r\n\r\n", "BAD", false },
	{ "-3\r\nabc\r\n0\r\n\r\n", "BAD", false },
	{ "+3\r\nabc\r\n0\r\n\r\n", "BAD", false },
	{ "3g\r\nabc\r\n0\r\n\r\n", "BAD", false },
	{ "3;a\rb\r\nabc\r\n0\r\n\r\n", "BAD", false },
	{ "3;a\nb\r\nabc\r\n0\r\n\r\n", "BAD", false },
	{ "10000000000000003\r\nabc\r\n0\r\n\r\n", "BAD", false },
	{ "ffffffffffffffff\r\nabc", "BAD", false },
	{ "0\r\n\rX", "BAD", false },
};

static void feed(struct http1_chunked *c, const char *p, size_t n,
		 struct buf *out, enum http1_chunk *last)
{
	const char *data;
	size_t len;

	do {
		*last = http1_chunked_next(c, &p, &n, &data, &len);
		if (*last == HTTP1_CHUNK_DATA) {
			assert_true(len > 0);
			buf_add(out, data, len);
		}
	} while (*last == HTTP1_CHUNK_DATA);
}

static void one_chunk_case(size_t i, size_t cut)
{
	auto_buf struct buf out = BUF_INIT, trailers = BUF_INIT;
	struct http1_chunked c = { .trailers = NULL };
	size_t n = strlen(chunks[i].in);
	enum http1_chunk last;

	if (chunks[i].trailers)
		c.trailers = &trailers;
	feed(&c, chunks[i].in, cut, &out, &last);
	if (last == HTTP1_CHUNK_MORE)
		feed(&c, chunks[i].in + cut, n - cut, &out, &last);
	if (strcmp(chunks[i].want, "BAD") == 0)
		assert_int_equal(last, HTTP1_CHUNK_BAD);
	else if (strcmp(chunks[i].want, "MORE") == 0)
		assert_int_equal(last, HTTP1_CHUNK_MORE);
	else if (last != HTTP1_CHUNK_END ||
		 strcmp(buf_str(&out), chunks[i].want) != 0)
		fail_msg("'%s' cut at %zu gives '%s' (%d)", chunks[i].in, cut,
			 buf_str(&out), last);
}

static void test_http1__chunks(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(chunks); i++)
		for (size_t cut = 0; cut <= strlen(chunks[i].in); cut++)
			one_chunk_case(i, cut);
}

static void test_http1__chunks_stop_at_the_end(void **state)
{
	const char *p = "1\r\nx\r\n0\r\n\r\nGET / next", *data;
	size_t n = strlen(p), len;
	struct http1_chunked c = { .trailers = NULL };

	(void)state;
	assert_int_equal(http1_chunked_next(&c, &p, &n, &data, &len),
			 HTTP1_CHUNK_DATA);
	assert_int_equal(http1_chunked_next(&c, &p, &n, &data, &len),
			 HTTP1_CHUNK_END);
	assert_string_equal(p, "GET / next");
	assert_int_equal(n, 10);
}

static void test_http1__chunk_lines_are_bounded(void **state)
{
	auto_buf struct buf in = BUF_INIT, out = BUF_INIT, tr = BUF_INIT;
	struct http1_chunked c = { .trailers = NULL };
	struct http1_chunked d = { .trailers = &tr };
	enum http1_chunk last;

	(void)state;
	buf_addstr(&in, "1;");
	for (int i = 0; i < 300; i++)
		buf_addch(&in, 'e');
	feed(&c, in.data, in.len, &out, &last);
	assert_int_equal(last, HTTP1_CHUNK_BAD);
	buf_clear(&in);
	buf_addstr(&in, "0\r\n");
	for (int i = 0; i < 1000; i++)
		buf_addstr(&in, "X: yyyy\r\n");
	feed(&d, in.data, in.len, &out, &last);
	assert_int_equal(last, HTTP1_CHUNK_BAD);
	assert_true(tr.len <= HTTP1_MAX_TRAILERS);
}

static void test_http1__tokens(void **state)
{
	(void)state;
	assert_true(http1_has_token("a, Close ,b", 11, "close"));
	assert_true(http1_has_token("close", 5, "close"));
	assert_false(http1_has_token("closed", 6, "close"));
	assert_false(http1_has_token("a close", 7, "close"));
	assert_false(http1_has_token("", 0, "close"));
	assert_false(http1_has_token(",,", 2, "close"));
}

static void test_http1__base64(void **state)
{
	static const struct {
		const char *raw, *text;
	} pairs[] = {
		{ "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" },
		{ "foo", "Zm9v" }, { "foob", "Zm9vYg==" },
		{ "\xff\xfe\xfd", "//79" },
	};
	static const char *const bad[] = {
		"Zg", "Zg=", "Zh==", "Zm9=", "Z===", "====", "Zm8=Zm8=",
		"Zm 8", "Zm8\n", "Zg=a",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		auto_buf struct buf e = BUF_INIT, d = BUF_INIT;

		base64_encode(&e, pairs[i].raw, strlen(pairs[i].raw));
		assert_string_equal(buf_str(&e), pairs[i].text);
		assert_int_equal(base64_decode(&d, e.data, e.len), 0);
		assert_string_equal(buf_str(&d), pairs[i].raw);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		auto_buf struct buf d = BUF_INIT;

		buf_addstr(&d, "x");
		assert_true(base64_decode(&d, bad[i], strlen(bad[i])) < 0);
		assert_string_equal(buf_str(&d), "x");
	}
}

static void test_http1__urlenc(void **state)
{
	auto_buf struct buf b = BUF_INIT;
	char out[32];

	(void)state;
	urlenc_encode(&b, "a b/c+~%\xc3\xa4", 10);
	assert_string_equal(buf_str(&b), "a%20b%2Fc%2B~%25%C3%A4");
	ssize_t n = urlenc_decode(b.data, b.data, b.len, false);
	assert_int_equal(n, 10);
	assert_memory_equal(b.data, "a b/c+~%\xc3\xa4", 10);
	assert_int_equal(urlenc_decode(out, "a+b", 3, true), 3);
	assert_memory_equal(out, "a b", 3);
	assert_int_equal(urlenc_decode(out, "a+b", 3, false), 3);
	assert_memory_equal(out, "a+b", 3);
	assert_true(urlenc_decode(out, "%", 1, true) < 0);
	assert_true(urlenc_decode(out, "%4", 2, true) < 0);
	assert_true(urlenc_decode(out, "%4g", 3, true) < 0);
	assert_true(urlenc_decode(out, "%00", 3, true) < 0);
	assert_int_equal(urlenc_decode(out, "%41", 3, true), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_http1__requests),
		cmocka_unit_test(test_http1__responses),
		cmocka_unit_test(test_http1__what_a_head_says),
		cmocka_unit_test(test_http1__limits),
		cmocka_unit_test(test_http1__chunks),
		cmocka_unit_test(test_http1__chunks_stop_at_the_end),
		cmocka_unit_test(test_http1__chunk_lines_are_bounded),
		cmocka_unit_test(test_http1__tokens),
		cmocka_unit_test(test_http1__base64),
		cmocka_unit_test(test_http1__urlenc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
