/* SPDX-License-Identifier: MIT */
/*
 * HTTP/1.1 messages, strictly (RFC 9112): heads of requests and responses,
 * and the chunked coding.  Pure functions over bytes; no I/O, no allocation
 * but for trailers.  http1-chunked.c has the coding, http1.c the rest.
 *
 * Both sides use it the same way:
 *
 *	size_t scan = 0;
 *	int len = http1_head_length(text, n, &scan);   0: read more
 *	len < 0: refuse with status -len
 *	http1_parse_request(text, len, &head)          0, or -status
 *
 * and then decode the body by head.content_length or head.chunked.  Whatever
 * could be read in two ways is refused: bare CR or LF, NUL, obs-fold, space
 * before a colon, lengths given twice or together with a coding.  After a
 * refusal the place of the next message is unknown: close the connection.
 */
#ifndef SVM_BASE_HTTP1_H
#define SVM_BASE_HTTP1_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"

#define HTTP1_MAX_HEAD (16 * 1024)
#define HTTP1_MAX_TARGET (8 * 1024)
#define HTTP1_MAX_HEADERS 64
#define HTTP1_MAX_TRAILERS (4 * 1024) /* bytes */

/* A run of bytes of the head, by offset, so that it survives a copy. */
struct http1_slice {
	uint16_t at, len;
};

struct http1_header {
	struct http1_slice name, value; /* the value without outer blanks */
};

struct http1_head {
	unsigned minor;                 /* of HTTP/1.x: 0 or 1 */
	struct http1_slice method;      /* requests */
	struct http1_slice target;
	int status;                     /* responses */
	struct http1_slice reason;
	/* Drawn from the headers. */
	int64_t content_length;         /* -1: not given */
	bool chunked;
	bool close, keep_alive, upgrade; /* tokens of Connection */
	bool expect_continue;
	int host;                       /* index, -1: no Host */
	unsigned nheaders;
	struct http1_header headers[HTTP1_MAX_HEADERS];
	const char *why;                /* after a refusal: what was wrong */
};

/* Bytes of the head at the beginning of text[0..n), blank line included; 0
 * when its end is not there yet; -400, -414 or -431.  *scan starts at 0 and
 * makes repeated calls on growing text cheap. */
int http1_head_length(const char *text, size_t n, size_t *scan);

/* Parse a whole head of n bytes, as http1_head_length() gave.  0, or
 * -(the status to refuse it with): 400, 414, 417, 431, 501, 505.  One empty
 * line before a request is skipped (RFC 9112 2.2). */
int http1_parse_request(const char *text, size_t n, struct http1_head *ret);
/* The same for responses, with -502 for whatever is wrong. */
int http1_parse_response(const char *text, size_t n, struct http1_head *ret);

/* Does a body follow this response?  (1xx, 204, 304, HEAD: no.)  With
 * neither length nor coding it then ends with the connection. */
bool http1_response_has_body(const struct http1_head *h, const char *method);

/* The first header of that name (any case) or NULL. */
const struct http1_header *http1_find(const struct http1_head *h,
				      const char *text, const char *name);
/* Is `token` (any case) an element of the comma-separated list? */
bool http1_has_token(const char *list, size_t n, const char *token);

bool http1_is_token(const char *s, size_t n); /* tchar, at least one */

/* field-vchar, obs-text, blank and tab: no control characters. */
static inline bool http1_is_value_byte(unsigned char c)
{
	return (c >= 0x20 && c != 0x7f) || c == '\t';
}

const char *http1_reason(int status); /* reason phrase; never NULL */

/*
 * The chunked decoder.  Zero it to begin; set `trailers` to an empty buffer
 * to accept trailers (the raw lines land there), else they are refused.
 */
struct http1_chunked {
	struct buf *trailers;
	uint64_t left;   /* of the current chunk's data, or its size so far */
	uint16_t line;   /* bytes of the current size or trailer line */
	uint8_t state;
};

enum http1_chunk {
	HTTP1_CHUNK_BAD = -1,
	HTTP1_CHUNK_MORE, /* everything was consumed */
	HTTP1_CHUNK_DATA, /* *ret_data has *ret_len > 0 bytes; call again */
	HTTP1_CHUNK_END,  /* complete; *p is behind it */
};

/* Advances *p and *n over what was consumed; data points into the input. */
enum http1_chunk http1_chunked_next(struct http1_chunked *c, const char **p,
				    size_t *n, const char **ret_data,
				    size_t *ret_len);

#endif
