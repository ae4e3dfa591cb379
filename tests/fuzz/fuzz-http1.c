/* SPDX-License-Identifier: MIT */
/*
 * The HTTP parser, against another one: a head that ours accepts, Node's
 * former parser must read the same way, or a proxy in between could be made
 * to disagree with us about where a request ends.  Ours may refuse more.
 * The chunked decoder must give the same bytes however they are cut.
 */
#include <http_parser.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/http1.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct other {
	unsigned fields;
	bool complete;
	uint64_t length;
	bool chunked;
};

static int on_field(http_parser *p, const char *at, size_t n)
{
	(void)at;
	(void)n;
	((struct other *)p->data)->fields++;
	return 0;
}

static int on_complete(http_parser *p)
{
	struct other *o = p->data;

	o->complete = true;
	o->length = p->content_length;
	o->chunked = p->flags & F_CHUNKED;
	http_parser_pause(p, 1);
	return 0;
}

/* What the other may refuse although ours does not: methods it does not know,
 * bytes of the target it is stricter about, a tab after a length, and a length
 * beside a header whose name only begins like Transfer-Encoding. */
static bool excused(enum http_errno e, const char *text, size_t n,
		    const struct http1_head *h)
{
	if (e == HPE_INVALID_CONTENT_LENGTH && memchr(text, '\t', n))
		return true;
	return (e == HPE_UNEXPECTED_CONTENT_LENGTH &&
		!http1_find(h, text, "Transfer-Encoding")) ||
	       e == HPE_INVALID_METHOD || e == HPE_INVALID_URL ||
	       e == HPE_INVALID_HOST || e == HPE_INVALID_PORT ||
	       e == HPE_INVALID_PATH || e == HPE_INVALID_QUERY_STRING ||
	       e == HPE_INVALID_FRAGMENT || e == HPE_UNKNOWN;
}

static void compare(const char *text, size_t n, const struct http1_head *h)
{
	static const http_parser_settings settings = {
		.on_header_field = on_field,
		.on_headers_complete = on_complete,
	};
	struct other o = { 0 };
	http_parser p = { .data = &o };
	enum http_errno e;

	http_parser_init(&p, HTTP_REQUEST);
	http_parser_execute(&p, &settings, text, n);
	e = HTTP_PARSER_ERRNO(&p);
	if (!o.complete && excused(e, text, n, h))
		return;
	if (!o.complete || o.fields != h->nheaders ||
	    o.chunked != h->chunked)
		abort();
	if (h->content_length >= 0 ? o.length != (uint64_t)h->content_length :
				     !o.chunked && o.length != UINT64_MAX)
		abort();
}

/* All data of a chunked body read in pieces of `step` bytes. */
static enum http1_chunk decode(const char *p, size_t n, size_t step,
			       struct buf *out)
{
	auto_buf struct buf trailers = BUF_INIT;
	struct http1_chunked c = { .trailers = &trailers };
	enum http1_chunk r = HTTP1_CHUNK_MORE;

	while (n) {
		size_t left = step < n ? step : n, len = 0;
		const char *data = NULL, *at = p;

		p += left;
		n -= left;
		do {
			r = http1_chunked_next(&c, &at, &left, &data, &len);
			if (r == HTTP1_CHUNK_DATA)
				buf_add(out, data, len);
		} while (r == HTTP1_CHUNK_DATA);
		if (r != HTTP1_CHUNK_MORE)
			break;
	}
	return r;
}

static void try_chunked(const char *text, size_t n)
{
	auto_buf struct buf whole = BUF_INIT, bytes = BUF_INIT;
	enum http1_chunk a = decode(text, n, n, &whole);
	enum http1_chunk b = decode(text, n, 1, &bytes);

	if (a != b || whole.len != bytes.len ||
	    (whole.len && memcmp(whole.data, bytes.data, whole.len) != 0))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct http1_head h;
	size_t scan = 0;
	int n = http1_head_length(text, size, &scan);

	if (n > 0 && http1_parse_request(text, (size_t)n, &h) == 0)
		compare(text, (size_t)n, &h);
	if (n > 0)
		(void)http1_parse_response(text, (size_t)n, &h);
	try_chunked(text, size);
	return 0;
}
