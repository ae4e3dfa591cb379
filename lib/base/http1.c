/* SPDX-License-Identifier: MIT */
/*
 * The strict HTTP/1.1 parser.  See http1.h.  What is refused here and why is
 * listed in tests/unit/test-http1.c.
 */
#include "lib/base/http1.h"

#include <string.h>
#include <strings.h>

_Static_assert(HTTP1_MAX_HEAD <= UINT16_MAX, "offsets of a head fit");

/* tchar of RFC 9110 5.6.2. */
static const bool tchar[256] = {
	['!'] = 1, ['#'] = 1, ['$'] = 1, ['%'] = 1, ['&'] = 1, ['\''] = 1,
	['*'] = 1, ['+'] = 1, ['-'] = 1, ['.'] = 1, ['^'] = 1, ['_'] = 1,
	['`'] = 1, ['|'] = 1, ['~'] = 1, ['0' ... '9'] = 1,
	['A' ... 'Z'] = 1, ['a' ... 'z'] = 1,
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool http1_is_token(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!tchar[(unsigned char)s[i]])
			return false;
	return n > 0;
}

static int refuse(struct http1_head *h, int status, const char *why)
{
	h->why = why;
	return -status;
}

int http1_head_length(const char *text, size_t n, size_t *scan)
{
	const char *nl;

	/* A TLS hello or other noise is told at its first byte. */
	if (n && text[0] != '\r' && !tchar[(unsigned char)text[0]])
		return -400;
	size_t max = n < HTTP1_MAX_HEAD ? n : HTTP1_MAX_HEAD;
	while (*scan < max &&
	       (nl = memchr(text + *scan, '\n', max - *scan))) {
		size_t i = (size_t)(nl - text);

		if (i == 0 || text[i - 1] != '\r')
			return -400;
		*scan = i + 1;
		if (i >= 3 && text[i - 2] == '\n')
			return i == 3 ? -400 : (int)i + 1;
	}
	if (n >= HTTP1_MAX_HEAD) /* still in the first line: a long target */
		return memchr(text + 2, '\n', HTTP1_MAX_HEAD - 2) ? -431
								  : -414;
	*scan = n;
	return 0;
}

/* One line without its CRLF; lengths are known to be sound. */
struct line {
	const char *text; /* of the whole head */
	size_t at, end;
};

/* Lines end in CRLF and a CR is nowhere else; LFs were checked before. */
static bool next_line(const char *text, size_t n, size_t *pos,
		      struct line *ret)
{
	const char *nl = memchr(text + *pos, '\n', n - *pos);

	if (!nl || nl == text + *pos || nl[-1] != '\r')
		return false;
	ret->text = text;
	ret->at = *pos;
	ret->end = (size_t)(nl - text) - 1;
	*pos = (size_t)(nl - text) + 1;
	return !memchr(text + ret->at, '\r', ret->end - ret->at);
}

static struct http1_slice slice(size_t at, size_t end)
{
	return (struct http1_slice){ (uint16_t)at, (uint16_t)(end - at) };
}

static bool name_is(const char *text, struct http1_slice s, const char *name,
		    size_t len)
{
	return s.len == len && strncasecmp(text + s.at, name, len) == 0;
}
#define NAME_IS(text, s, literal) \
	name_is(text, s, literal, sizeof(literal) - 1)

bool http1_has_token(const char *list, size_t n, const char *token)
{
	size_t len = strlen(token), i = 0;

	while (i < n) {
		size_t at, end;

		while (i < n && (list[i] == ' ' || list[i] == '\t' ||
				 list[i] == ','))
			i++;
		for (at = i; i < n && list[i] != ',';)
			i++;
		for (end = i; end > at && (list[end - 1] == ' ' ||
					   list[end - 1] == '\t');)
			end--;
		if (end - at == len && strncasecmp(list + at, token, len) == 0)
			return true;
	}
	return false;
}

static int take_length(struct http1_head *h, const char *v, size_t n)
{
	int64_t len = 0;

	if (h->content_length >= 0)
		return refuse(h, 400, "Content-Length is given twice");
	if (!n || n > 18)
		return refuse(h, 400, "Content-Length is not a number");
	for (size_t i = 0; i < n; i++) {
		if (!is_digit(v[i]))
			return refuse(h, 400, "Content-Length is not a number");
		len = len * 10 + (v[i] - '0');
	}
	h->content_length = len;
	return 0;
}

static int take_coding(struct http1_head *h, const char *v, size_t n)
{
	if (h->chunked)
		return refuse(h, 400, "Transfer-Encoding is given twice");
	if (h->minor == 0)
		return refuse(h, 400, "Transfer-Encoding in HTTP/1.0");
	if (n != 7 || strncasecmp(v, "chunked", 7) != 0) {
		/* RFC 9112 6.1: an unknown coding below chunked is 501; when
		 * chunked is not last the length is unknown: 400. */
		bool last = n > 8 && strncasecmp(v + n - 7, "chunked", 7) == 0 &&
			    strchr(", \t", v[n - 8]) && memchr(v, ',', n);
		return refuse(h, last ? 501 : 400,
			      "Transfer-Encoding is not just 'chunked'");
	}
	h->chunked = true;
	return 0;
}

static void take_connection(struct http1_head *h, const char *v, size_t n)
{
	h->close |= http1_has_token(v, n, "close");
	h->keep_alive |= http1_has_token(v, n, "keep-alive");
	h->upgrade |= http1_has_token(v, n, "upgrade");
}

/* uri-host [ ":" port ]; just the characters, the names are the caller's. */
static bool host_ok(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c <= ' ' || c >= 0x7f || strchr("/\\?#@<>\"^`{|}", c))
			return false;
	}
	return true;
}

/* A tab is a blank by the RFC, but widely used parsers read a length or coding
 * beside one differently: nothing that frames a message may have two
 * readings. */
static bool beside_tab(const char *text, const struct http1_header *f)
{
	size_t at = (size_t)f->name.at + f->name.len;

	return memchr(text + at, '\t', strcspn(text + at, "\r"));
}

/* Meaning of the headers that frame the message; others are the caller's. */
static int take_header(struct http1_head *h, const char *text, bool request)
{
	const struct http1_header *f = &h->headers[h->nheaders - 1];
	const char *v = text + f->value.at;
	size_t n = f->value.len;

	switch (f->name.len) {
	case 4:
		if (!request || !NAME_IS(text, f->name, "Host"))
			break;
		if (h->host >= 0)
			return refuse(h, 400, "Host is given twice");
		if (!host_ok(v, n))
			return refuse(h, 400, "Host is malformed");
		h->host = (int)h->nheaders - 1;
		break;
	case 6:
		if (!request || !NAME_IS(text, f->name, "Expect"))
			break;
		if (n != 12 || strncasecmp(v, "100-continue", 12) != 0)
			return refuse(h, 417, "unknown expectation");
		h->expect_continue = true;
		break;
	case 10:
		if (NAME_IS(text, f->name, "Connection"))
			take_connection(h, v, n);
		break;
	case 14:
		if (!NAME_IS(text, f->name, "Content-Length"))
			break;
		if (beside_tab(text, f))
			return refuse(h, 400, "tab beside Content-Length");
		return take_length(h, v, n);
	case 17:
		if (!NAME_IS(text, f->name, "Transfer-Encoding"))
			break;
		if (beside_tab(text, f))
			return refuse(h, 400, "tab beside Transfer-Encoding");
		return take_coding(h, v, n);
	}
	return 0;
}

static int parse_field(const struct line *l, struct http1_header *ret,
		       struct http1_head *h)
{
	const char *colon = memchr(l->text + l->at, ':', l->end - l->at);

	if (l->text[l->at] == ' ' || l->text[l->at] == '\t')
		return refuse(h, 400, "folded header line");
	if (!colon)
		return refuse(h, 400, "header line without a colon");
	size_t c = (size_t)(colon - l->text), v = c + 1, end = l->end;
	if (!http1_is_token(l->text + l->at, c - l->at))
		return refuse(h, 400, "malformed header name");
	while (v < end && (l->text[v] == ' ' || l->text[v] == '\t'))
		v++;
	while (end > v && (l->text[end - 1] == ' ' || l->text[end - 1] == '\t'))
		end--;
	for (size_t i = v; i < end; i++)
		if (!http1_is_value_byte((unsigned char)l->text[i]))
			return refuse(h, 400, "control character in a header");
	ret->name = slice(l->at, c);
	ret->value = slice(v, end);
	return 0;
}

static int parse_fields(const char *text, size_t n, size_t pos,
			struct http1_head *h, bool request)
{
	struct line l;
	int r;

	for (;;) {
		if (!next_line(text, n, &pos, &l))
			return refuse(h, 400, "bare CR or LF");
		if (l.at == l.end)
			break;
		if (h->nheaders == HTTP1_MAX_HEADERS)
			return refuse(h, 431, "too many headers");
		r = parse_field(&l, &h->headers[h->nheaders], h);
		if (r < 0)
			return r;
		h->nheaders++;
		r = take_header(h, text, request);
		if (r < 0)
			return r;
	}
	if (pos != n)
		return refuse(h, 400, "bytes after the head");
	if (h->chunked && h->content_length >= 0)
		return refuse(h, 400, "Content-Length with Transfer-Encoding");
	return 0;
}

static void head_init(struct http1_head *h)
{
	memset(h, 0, offsetof(struct http1_head, headers));
	h->content_length = -1;
	h->host = -1;
	h->why = NULL;
}

/* "HTTP/1.x": sets minor, or says which status refuses it. */
static int parse_version(const char *s, size_t n, struct http1_head *h)
{
	if (n != 8 || memcmp(s, "HTTP/", 5) != 0 || !is_digit(s[5]) ||
	    s[6] != '.' || !is_digit(s[7]))
		return refuse(h, 400, "malformed HTTP version");
	if (s[5] != '1')
		return refuse(h, 505, "only HTTP/1.1 is spoken here");
	h->minor = s[7] == '0' ? 0 : 1;
	return 0;
}

static int parse_request_line(const struct line *l, struct http1_head *h)
{
	const char *t = l->text, *sp, *sp2;

	sp = memchr(t + l->at, ' ', l->end - l->at);
	if (!sp || !http1_is_token(t + l->at, (size_t)(sp - t) - l->at))
		return refuse(h, 400, "malformed request line");
	h->method = slice(l->at, (size_t)(sp - t));
	size_t at = (size_t)(sp - t) + 1;
	sp2 = memchr(t + at, ' ', l->end - at);
	if (!sp2 || sp2 == t + at)
		return refuse(h, 400, "malformed request line");
	h->target = slice(at, (size_t)(sp2 - t));
	if (h->target.len > HTTP1_MAX_TARGET)
		return refuse(h, 414, "target is too long");
	for (size_t i = 0; i < h->target.len; i++) {
		unsigned char c = (unsigned char)t[at + i];

		if (c <= ' ' || c >= 0x7f || c == '#')
			return refuse(h, 400, "malformed target");
	}
	size_t v = (size_t)(sp2 - t) + 1;
	return parse_version(t + v, l->end - v, h);
}

int http1_parse_request(const char *text, size_t n, struct http1_head *h)
{
	struct line l;
	size_t pos = 0;
	int r;

	head_init(h);
	if (n >= 2 && text[0] == '\r' && text[1] == '\n')
		pos = 2;
	if (!next_line(text, n, &pos, &l))
		return refuse(h, 400, "bare CR or LF");
	r = parse_request_line(&l, h);
	if (r < 0)
		return r;
	r = parse_fields(text, n, pos, h, true);
	if (r < 0)
		return r;
	if (h->minor >= 1 && h->host < 0)
		return refuse(h, 400, "Host is missing");
	return 0;
}

int http1_parse_response(const char *text, size_t n, struct http1_head *h)
{
	struct line l;
	size_t pos = 0;

	head_init(h);
	if (!next_line(text, n, &pos, &l))
		return refuse(h, 502, "bare CR or LF");
	const char *s = text + l.at;
	size_t len = l.end - l.at;
	if (len < 12 || parse_version(s, 8, h) < 0 || s[8] != ' ' ||
	    !is_digit(s[9]) || !is_digit(s[10]) || !is_digit(s[11]) ||
	    (len > 12 && s[12] != ' '))
		return refuse(h, 502, "malformed status line");
	for (size_t i = 12; i < len; i++)
		if (!http1_is_value_byte((unsigned char)s[i]))
			return refuse(h, 502, "malformed reason phrase");
	h->status = (s[9] - '0') * 100 + (s[10] - '0') * 10 + (s[11] - '0');
	if (h->status < 100 || h->status > 599)
		return refuse(h, 502, "malformed status");
	h->reason = slice(len > 12 ? l.at + 13 : l.end, l.end);
	return parse_fields(text, n, pos, h, false) < 0 ? -502 : 0;
}

bool http1_response_has_body(const struct http1_head *h, const char *method)
{
	return h->status >= 200 && h->status != 204 && h->status != 304 &&
	       strcmp(method, "HEAD") != 0;
}

const struct http1_header *http1_find(const struct http1_head *h,
				      const char *text, const char *name)
{
	size_t len = strlen(name);

	for (unsigned i = 0; i < h->nheaders; i++)
		if (name_is(text, h->headers[i].name, name, len))
			return &h->headers[i];
	return NULL;
}

const char *http1_reason(int status)
{
	static const struct {
		int status;
		const char *reason;
	} reasons[] = {
		{ 100, "Continue" }, { 101, "Switching Protocols" },
		{ 102, "Processing" }, { 200, "OK" }, { 201, "Created" },
		{ 202, "Accepted" }, { 204, "No Content" },
		{ 206, "Partial Content" }, { 304, "Not Modified" },
		{ 400, "Bad Request" }, { 401, "Unauthorized" },
		{ 403, "Forbidden" }, { 404, "Not Found" },
		{ 405, "Method Not Allowed" }, { 408, "Request Timeout" },
		{ 409, "Conflict" }, { 412, "Precondition Failed" },
		{ 413, "Content Too Large" }, { 414, "URI Too Long" },
		{ 415, "Unsupported Media Type" },
		{ 416, "Range Not Satisfiable" },
		{ 417, "Expectation Failed" }, { 426, "Upgrade Required" },
		{ 429, "Too Many Requests" },
		{ 431, "Request Header Fields Too Large" },
		{ 500, "Internal Server Error" }, { 501, "Not Implemented" },
		{ 502, "Bad Gateway" }, { 503, "Service Unavailable" },
		{ 504, "Gateway Timeout" },
		{ 505, "HTTP Version Not Supported" },
		{ 507, "Insufficient Storage" },
	};

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return status < 400 ? "OK" : "Error";
}
