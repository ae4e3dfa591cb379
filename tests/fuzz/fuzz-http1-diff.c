/* SPDX-License-Identifier: MIT */
/*
 * Differential: whatever request our parser accepts, Debian's http_parser
 * (link -lhttp_parser) must accept with the same framing: the same end of
 * the head, method, number of headers, length or coding, and body.
 */
#include <http_parser.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/http1.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct theirs {
	unsigned headers;
	bool in_value, head_done, done;
	uint64_t length;
	unsigned chunked;
	struct buf target, body;
	const char *end; /* of the message */
};

static int on_url(http_parser *p, const char *at, size_t n)
{
	buf_add(&((struct theirs *)p->data)->target, at, n);
	return 0;
}

static int on_field(http_parser *p, const char *at, size_t n)
{
	struct theirs *t = p->data;

	(void)at;
	(void)n;
	if (t->in_value || !t->headers)
		t->headers++;
	t->in_value = false;
	return 0;
}

static int on_value(http_parser *p, const char *at, size_t n)
{
	(void)at;
	(void)n;
	((struct theirs *)p->data)->in_value = true;
	return 0;
}

static int on_head(http_parser *p)
{
	struct theirs *t = p->data;

	t->head_done = true;
	t->length = p->content_length;
	t->chunked = p->flags & F_CHUNKED;
	return 0;
}

static int on_body(http_parser *p, const char *at, size_t n)
{
	buf_add(&((struct theirs *)p->data)->body, at, n);
	return 0;
}

static int on_done(http_parser *p)
{
	((struct theirs *)p->data)->done = true;
	http_parser_pause(p, 1);
	return 0;
}

static void differ(const char *what)
{
	fprintf(stderr, "we accept, they differ: %s\n", what);
	abort();
}

/* Our body of what follows the head: its text; false when incomplete or
 * malformed. *ret_used counts the input's bytes. */
static bool our_body(const struct http1_head *h, const char *p, size_t n,
		     struct buf *out, size_t *ret_used)
{
	struct http1_chunked c = { .trailers = NULL };
	const char *start = p, *d;
	enum http1_chunk r;
	size_t len;

	if (!h->chunked) {
		len = h->content_length > 0 ? (size_t)h->content_length : 0;
		if (len > n)
			return false;
		buf_add(out, p, len);
		*ret_used = len;
		return true;
	}
	while ((r = http1_chunked_next(&c, &p, &n, &d, &len)) ==
	       HTTP1_CHUNK_DATA)
		buf_add(out, d, len);
	*ret_used = (size_t)(p - start);
	return r == HTTP1_CHUNK_END;
}

static const http_parser_settings settings = {
	.on_url = on_url, .on_header_field = on_field,
	.on_header_value = on_value, .on_headers_complete = on_head,
	.on_body = on_body, .on_message_complete = on_done,
};

/* http_parser knows a list of methods and no others. */
static bool known_method(const char *s, size_t n)
{
	static const char *const known[] = {
		"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH",
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strlen(known[i]) == n && memcmp(known[i], s, n) == 0)
			return true;
	return false;
}

/* A quirk of theirs, harmless to us: a name that only begins like
 * Transfer-Encoding changes their mind about the coding. */
static bool confuses_them(const struct http1_head *h, const char *text)
{
	for (unsigned i = 0; i < h->nheaders; i++) {
		struct http1_slice name = h->headers[i].name;

		if (name.len > 17 &&
		    strncasecmp(text + name.at, "Transfer-Encoding", 17) == 0)
			return true;
	}
	return false;
}

static void check(const struct http1_head *h, const char *text,
		  const struct theirs *t)
{
	if (t->headers != h->nheaders)
		differ("number of headers");
	if (t->target.len != h->target.len ||
	    memcmp(t->target.data, text + h->target.at, h->target.len) != 0)
		differ("target");
	if (!!t->chunked != h->chunked)
		differ("coding");
	if (h->content_length >= 0 &&
	    t->length != (uint64_t)h->content_length && !t->done)
		differ("length");
}

static void compare(const struct http1_head *h, const char *text, size_t n,
		    size_t head)
{
	auto_buf struct buf body = BUF_INIT;
	struct theirs t = { .target = BUF_INIT, .body = BUF_INIT };
	http_parser p;
	size_t used = 0;
	bool whole = our_body(h, text + head, n - head, &body, &used);

	http_parser_init(&p, HTTP_REQUEST);
	p.data = &t;
	size_t took = http_parser_execute(&p, &settings, text,
					  whole ? head + used : head);
	if (!t.head_done)
		differ(http_errno_description(HTTP_PARSER_ERRNO(&p)));
	check(h, text, &t);
	if (whole && !t.done && !p.upgrade)
		differ("end of the body");
	if (whole && t.done && !p.upgrade &&
	    (took < head + used - 1 || t.body.len != body.len ||
	     (body.len && memcmp(t.body.data, body.data, body.len) != 0)))
		differ("body");
	buf_release(&t.target);
	buf_release(&t.body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct http1_head h;
	size_t scan = 0, n = size;

	int head = http1_head_length(text, n, &scan);
	if (head <= 0 || http1_parse_request(text, (size_t)head, &h) < 0)
		return 0;
	const char *target = text + h.target.at;
	/* What our server refuses behind the parser, or they know more of. */
	if (confuses_them(&h, text) ||
	    !known_method(text + h.method.at, h.method.len) ||
	    (*target != '/' && !(h.target.len == 1 && *target == '*')))
		return 0;
	compare(&h, text, n, (size_t)head);
	return 0;
}
