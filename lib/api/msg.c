/* SPDX-License-Identifier: MIT */
/* Fields of a payload.  See msg.h. */
#include "lib/api/msg.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"

static void add_le(struct buf *b, uint64_t v, unsigned bytes)
{
	unsigned char raw[8];

	for (unsigned i = 0; i < bytes; i++)
		raw[i] = (unsigned char)(v >> (8 * i));
	buf_add(b, raw, bytes);
}

void msg_add_u16(struct buf *b, uint16_t v)
{
	add_le(b, v, 2);
}

void msg_add_u32(struct buf *b, uint32_t v)
{
	add_le(b, v, 4);
}

void msg_add_u64(struct buf *b, uint64_t v)
{
	add_le(b, v, 8);
}

void msg_add_bytes(struct buf *b, const void *p, size_t n)
{
	msg_add_u32(b, (uint32_t)n);
	buf_add(b, p, n);
}

void msg_add_str(struct buf *b, const char *s)
{
	msg_add_bytes(b, s ? s : "", s ? strlen(s) : 0);
}

void msg_add_strv(struct buf *b, char *const *v)
{
	size_t n = strv_len(v);

	msg_add_u32(b, (uint32_t)n);
	for (size_t i = 0; i < n; i++)
		msg_add_str(b, v[i]);
}

static const unsigned char *take(struct msg_reader *r, size_t n)
{
	const unsigned char *p = r->p;

	if (r->bad || n > r->left) {
		r->bad = true;
		return NULL;
	}
	r->p += n;
	r->left -= n;
	return p;
}

static uint64_t get_le(struct msg_reader *r, unsigned bytes)
{
	const unsigned char *p = take(r, bytes);
	uint64_t v = 0;

	for (unsigned i = 0; p && i < bytes; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

uint16_t msg_u16(struct msg_reader *r)
{
	return (uint16_t)get_le(r, 2);
}

uint32_t msg_u32(struct msg_reader *r)
{
	return (uint32_t)get_le(r, 4);
}

uint64_t msg_u64(struct msg_reader *r)
{
	return get_le(r, 8);
}

const void *msg_bytes(struct msg_reader *r, size_t max, size_t *ret_n)
{
	size_t n = msg_u32(r);

	if (n > max)
		r->bad = true;
	const void *p = take(r, n);
	*ret_n = p ? n : 0;
	return p;
}

char *msg_str(struct msg_reader *r, size_t max)
{
	size_t n;
	const void *p = msg_bytes(r, max, &n);

	if (p && memchr(p, '\0', n))
		r->bad = true;
	return p && !r->bad ? xstrndup(p, n) : NULL;
}

char **msg_strv(struct msg_reader *r, size_t max_count, size_t max_each)
{
	size_t n = msg_u32(r);

	/* Each string takes at least its length field: no huge allocation. */
	if (n > max_count || n > r->left / 4)
		r->bad = true;
	if (r->bad)
		return NULL;
	char **v = xcalloc(n + 1, sizeof(*v));
	for (size_t i = 0; i < n && !r->bad; i++)
		v[i] = msg_str(r, max_each);
	if (!r->bad)
		return v;
	strv_free(v);
	return NULL;
}
