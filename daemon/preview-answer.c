/* SPDX-License-Identifier: MIT */
/* What a program in a sandbox answers.  See preview-answer.h. */
#include "daemon/preview-answer.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "daemon/http/http.h"
#include "daemon/preview.h"
#include "lib/api/limits.h"
#include "lib/base/mem.h"

void preview_answer_init(struct preview_answer *a, const char *method,
			 bool upgrade, const struct preview_answer_events *ev,
			 void *data)
{
	*a = (struct preview_answer){
		.ev = ev, .data = data, .method = method, .upgrade = upgrade,
	};
}

void preview_answer_release(struct preview_answer *a)
{
	buf_release(&a->in);
	buf_release(&a->trailers);
}

static enum preview_result bad(struct preview_answer *a, const char *why)
{
	a->why = why;
	return PREVIEW_BAD;
}

/* -- headers */

static bool not_for_client(const char *name)
{
	static const char *const names[] = {
		"Connection", "Keep-Alive", "TE", "Trailer",
		"Transfer-Encoding", "Content-Length", "Upgrade",
		"Content-Type", "X-Request-ID", "Strict-Transport-Security",
		"Alt-Svc", "Proxy-Authenticate", "Proxy-Connection",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcasecmp(names[i], name) == 0)
			return true;
	return false;
}

/* A cookie is for this host alone: no Domain, and not our own name.  Browsers
 * take blanks around a name away, write a cookie without a name as its value
 * alone, and don't take one that has neither (RFC 6265bis, 5.6). */
static void give_cookie(struct preview_answer *a, const char *value)
{
	auto_free char *copy = xstrdup(value);
	auto_buf struct buf out = BUF_INIT;
	char *rest = copy, *c = strsep(&rest, ";");

	c += strspn(c, " \t=");
	if (!*c || strncmp(c, PREVIEW_COOKIE, strlen(PREVIEW_COOKIE)) == 0)
		return;
	buf_addstr(&out, copy + strspn(copy, " \t"));
	while ((c = strsep(&rest, ";"))) {
		c += strspn(c, " \t");
		if (*c && strncasecmp(c, "domain", 6) != 0)
			buf_addf(&out, "; %s", c);
	}
	a->ev->header(a->data, "Set-Cookie", buf_str(&out));
}

static bool is_for_one_hop(const struct http1_head *h, const char *text,
			   const char *name)
{
	for (unsigned i = 0; i < h->nheaders; i++) {
		const struct http1_header *x = &h->headers[i];

		if (x->name.len == 10 &&
		    strncasecmp(text + x->name.at, "Connection", 10) == 0 &&
		    http1_has_token(text + x->value.at, x->value.len, name))
			return true;
	}
	return false;
}

static char *slice(const char *text, struct http1_slice s)
{
	return xstrndup(text + s.at, s.len);
}

static void give_headers(struct preview_answer *a, const struct http1_head *h,
			 const char *text)
{
	for (unsigned i = 0; i < h->nheaders; i++) {
		auto_free char *name = slice(text, h->headers[i].name);
		auto_free char *value = slice(text, h->headers[i].value);

		if (strcasecmp(name, "Set-Cookie") == 0)
			give_cookie(a, value);
		else if (!not_for_client(name) &&
			 !is_for_one_hop(h, text, name))
			a->ev->header(a->data, name, value);
	}
}

/* -- the head */

static void begin(struct preview_answer *a, const struct http1_head *h,
		  const char *text)
{
	const struct http1_header *type = http1_find(h, text, "Content-Type");
	auto_free char *kind = type ? slice(text, type->value) : NULL;
	bool body = http1_response_has_body(h, a->method);
	int64_t length = h->chunked ? -1 : h->content_length;

	a->begun = true;
	a->chunked = body && h->chunked;
	a->until_close = body && !h->chunked && length < 0;
	a->left = body && length > 0 ? (uint64_t)length : 0;
	a->decoder.trailers = &a->trailers;
	if (!body && strcmp(a->method, "HEAD") != 0)
		length = h->status == 204 || h->status == 304 ?
				 HTTP_BODILESS : 0;
	give_headers(a, h, text);
	a->ev->begin(a->data, h->status, kind, length);
}

/* The head of the 101 is written anew in front of what follows it. */
static enum preview_result switch_over(struct preview_answer *a,
				       const struct http1_head *h, size_t n)
{
	auto_buf struct buf out = BUF_INIT;
	const char *text = a->in.data;

	buf_addstr(&out, "HTTP/1.1 101 Switching Protocols\r\n"
			 "Connection: Upgrade\r\n");
	for (unsigned i = 0; i < h->nheaders; i++) {
		const struct http1_header *x = &h->headers[i];
		const char *name = text + x->name.at;
		bool upgrade = x->name.len == 7 &&
			       strncasecmp(name, "Upgrade", 7) == 0;

		if (upgrade || (x->name.len > 4 &&
				strncasecmp(name, "Sec-", 4) == 0))
			buf_addf(&out, "%.*s: %.*s\r\n", (int)x->name.len,
				 name, (int)x->value.len, text + x->value.at);
	}
	buf_addstr(&out, "\r\n");
	buf_add(&out, text + n, a->in.len - n);
	buf_release(&a->in);
	a->in = out;
	out = (struct buf)BUF_INIT;
	return PREVIEW_SWITCHED;
}

/* MORE: when a->begun, the head is told. */
static enum preview_result take_head(struct preview_answer *a)
{
	struct http1_head h;

	for (;;) {
		int n = http1_head_length(buf_str(&a->in), a->in.len,
					  &a->scan);

		if (n == 0)
			return PREVIEW_MORE;
		if (n < 0 ||
		    http1_parse_response(a->in.data, (size_t)n, &h) < 0)
			return bad(a, "it answered with something that is "
				      "not HTTP");
		if (h.status == 101 && a->upgrade)
			return switch_over(a, &h, (size_t)n);
		if (h.status == 101 ||
		    (h.status < 200 && ++a->interim > LIMIT_PREVIEW_INTERIM))
			return bad(a, "it answered out of turn");
		if (h.status >= 200)
			begin(a, &h, a->in.data);
		buf_consume(&a->in, (size_t)n);
		a->scan = 0;
		if (a->begun)
			return PREVIEW_MORE;
	}
}

/* -- the body */

static enum preview_result take_chunks(struct preview_answer *a)
{
	const char *p = buf_str(&a->in), *data;
	size_t n = a->in.len, len;

	for (;;) {
		switch (http1_chunked_next(&a->decoder, &p, &n, &data, &len)) {
		case HTTP1_CHUNK_DATA:
			a->ev->body(a->data, data, len);
			break;
		case HTTP1_CHUNK_MORE:
			return PREVIEW_MORE;
		case HTTP1_CHUNK_END:
			return PREVIEW_DONE;
		case HTTP1_CHUNK_BAD:
			return bad(a, "its chunks are malformed");
		}
	}
}

static enum preview_result take_body(struct preview_answer *a)
{
	size_t n = a->in.len;

	if (a->chunked)
		return take_chunks(a);
	if (!a->until_close)
		n = MIN(n, a->left);
	if (n)
		a->ev->body(a->data, a->in.data, n);
	if (a->until_close)
		return PREVIEW_MORE;
	a->left -= n;
	return a->left ? PREVIEW_MORE : PREVIEW_DONE;
}

enum preview_result preview_answer_take(struct preview_answer *a,
					const char *p, size_t n)
{
	enum preview_result r = PREVIEW_MORE;

	buf_add(&a->in, p, n);
	if (!a->begun)
		r = take_head(a);
	if (r != PREVIEW_MORE || !a->begun)
		return r;
	r = take_body(a);
	buf_clear(&a->in);
	return r;
}

enum preview_result preview_answer_end(struct preview_answer *a)
{
	if (a->begun && a->until_close)
		return PREVIEW_DONE;
	return bad(a, "it closed the connection before its answer was "
		      "complete");
}
