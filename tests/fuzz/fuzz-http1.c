/* SPDX-License-Identifier: MIT */
/*
 * The HTTP/1.1 parser on arbitrary bytes: no memory error, slices inside the
 * head, and the same verdict whether the bytes come at once or in two parts.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/base64.h"
#include "lib/base/http1.h"
#include "lib/base/urlenc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inside(struct http1_slice s, int len)
{
	if (s.at + s.len > len)
		abort();
}

static void check_head(const char *text, size_t n, size_t cut)
{
	struct http1_head h;
	size_t scan = 0, scan2 = 0;
	int len = http1_head_length(text, n, &scan), len2;

	len2 = http1_head_length(text, cut, &scan2);
	if (len2 == 0)
		len2 = http1_head_length(text, n, &scan2);
	if (len != len2)
		abort();
	if (len <= 0)
		return;
	if (http1_parse_response(text, (size_t)len, &h) == 0)
		inside(h.reason, len);
	if (http1_parse_request(text, (size_t)len, &h) < 0)
		return;
	inside(h.method, len);
	inside(h.target, len);
	for (unsigned i = 0; i < h.nheaders; i++) {
		inside(h.headers[i].name, len);
		inside(h.headers[i].value, len);
	}
}

/* Decode all of it, in pieces of at most `step`; the text ends in out. */
static enum http1_chunk decode(const char *p, size_t n, size_t step,
			       struct buf *out, struct buf *trailers)
{
	struct http1_chunked c = { .trailers = trailers };
	enum http1_chunk r = HTTP1_CHUNK_MORE;
	const char *d;
	size_t len;

	while (n && r == HTTP1_CHUNK_MORE) {
		size_t part = n < step ? n : step, left = part;
		const char *q = p;

		while ((r = http1_chunked_next(&c, &q, &left, &d, &len)) ==
		       HTTP1_CHUNK_DATA)
			buf_add(out, d, len);
		p += part;
		n -= part;
	}
	return r;
}

static void check_chunks(const char *p, size_t n, size_t step, bool accept)
{
	auto_buf struct buf a = BUF_INIT, b = BUF_INIT, ta = BUF_INIT,
			    tb = BUF_INIT;

	if (decode(p, n, n, &a, accept ? &ta : NULL) !=
		    decode(p, n, step, &b, accept ? &tb : NULL) ||
	    a.len != b.len || (a.len && memcmp(a.data, b.data, a.len) != 0) ||
	    ta.len != tb.len)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_buf struct buf out = BUF_INIT;
	size_t n = size;

	if (!n)
		return 0;
	size_t cut = (data[n / 2] * 256u + data[n - 1]) % n;
	char *text = malloc(n), *decoded = malloc(n);

	/* A copy of its exact size: ASan sees a byte too far. */
	memcpy(text, data, n);
	check_head(text, n, cut);
	check_chunks(text, n, cut + 1, true);
	check_chunks(text, n, cut + 1, false);
	if (base64_decode(&out, text, n) == 0) {
		auto_buf struct buf again = BUF_INIT;

		base64_encode(&again, out.data, out.len);
		if (again.len != n || memcmp(again.data, text, n) != 0)
			abort();
	}
	(void)urlenc_decode(decoded, text, n, n & 1);
	free(text);
	free(decoded);
	return 0;
}
