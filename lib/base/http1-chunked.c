/* SPDX-License-Identifier: MIT */
/* The chunked coding (RFC 9112 7.1).  See http1.h. */
#include "lib/base/http1.h"

enum chunk_state {
	SIZE_FIRST, /* at least one digit must come */
	SIZE,
	EXTENSION,
	SIZE_LF,
	DATA,
	DATA_CR,
	DATA_LF,
	TRAILER,    /* at the beginning of a line */
	TRAILER_LINE,
	TRAILER_LF,
	END_LF,
	DONE,
	BAD,
};

#define CHUNK_LINE 256 /* size and extensions, which we ignore */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static enum chunk_state size_byte(struct http1_chunked *c, char b)
{
	int digit = hex_digit(b);

	if (digit >= 0) {
		if (++c->line > 15) /* 60 bits: no overflow */
			return BAD;
		c->left = c->left << 4 | (unsigned)digit;
		return SIZE;
	}
	if (c->state == SIZE_FIRST)
		return BAD;
	if (b == ';')
		return EXTENSION;
	return b == '\r' ? SIZE_LF : BAD;
}

static enum chunk_state trailer_byte(struct http1_chunked *c, char b)
{
	if (c->state == TRAILER && b == '\r')
		return END_LF;
	if (!c->trailers || c->trailers->len >= HTTP1_MAX_TRAILERS)
		return BAD;
	if (c->state == TRAILER && !http1_is_token(&b, 1))
		return BAD;
	buf_addch(c->trailers, b);
	if (b == '\r')
		return TRAILER_LF;
	return http1_is_value_byte((unsigned char)b) ? TRAILER_LINE : BAD;
}

/* Everything but chunk data, one byte at a time. */
static enum chunk_state framing_byte(struct http1_chunked *c, char b)
{
	switch ((enum chunk_state)c->state) {
	case SIZE_FIRST:
	case SIZE:
		return size_byte(c, b);
	case EXTENSION:
		if (b == '\r')
			return SIZE_LF;
		return ++c->line < CHUNK_LINE &&
		       http1_is_value_byte((unsigned char)b) ? EXTENSION : BAD;
	case SIZE_LF:
		if (b != '\n')
			return BAD;
		return c->left ? DATA : TRAILER;
	case DATA_CR:
		return b == '\r' ? DATA_LF : BAD;
	case DATA_LF:
		c->line = 0;
		return b == '\n' ? SIZE_FIRST : BAD;
	case TRAILER:
	case TRAILER_LINE:
		return trailer_byte(c, b);
	case TRAILER_LF:
		if (b != '\n')
			return BAD;
		buf_addch(c->trailers, b);
		return TRAILER;
	case END_LF:
		return b == '\n' ? DONE : BAD;
	case DATA:
	case DONE:
	case BAD:
		break;
	}
	return BAD;
}

enum http1_chunk http1_chunked_next(struct http1_chunked *c, const char **p,
				    size_t *n, const char **ret_data,
				    size_t *ret_len)
{
	while (c->state != DONE && c->state != BAD && *n) {
		if (c->state != DATA) {
			c->state = (uint8_t)framing_byte(c, **p);
			(*p)++;
			(*n)--;
			continue;
		}
		size_t take = c->left < *n ? (size_t)c->left : *n;

		*ret_data = *p;
		*ret_len = take;
		*p += take;
		*n -= take;
		c->left -= take;
		if (!c->left)
			c->state = DATA_CR;
		return HTTP1_CHUNK_DATA;
	}
	if (c->state == DONE)
		return HTTP1_CHUNK_END;
	return c->state == BAD ? HTTP1_CHUNK_BAD : HTTP1_CHUNK_MORE;
}
