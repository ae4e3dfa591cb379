/* SPDX-License-Identifier: MIT */
/* SHA-256 digests and their text.  See digest.h. */
#include "lib/base/digest.h"

#include <errno.h>
#include <string.h>

void digest_start(struct digest_stream *s)
{
	SHA256Init(&s->ctx);
}

void digest_update(struct digest_stream *s, const void *p, size_t n)
{
	SHA256Update(&s->ctx, p, n);
}

void digest_finish(struct digest_stream *s, struct digest *ret)
{
	SHA256Final(ret->b, &s->ctx);
}

struct digest digest_of(const void *p, size_t n)
{
	struct digest_stream s;
	struct digest d;

	digest_start(&s);
	digest_update(&s, p, n);
	digest_finish(&s, &d);
	return d;
}

static int nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int digest_parse_hex(const char *hex64, struct digest *ret)
{
	struct digest d;

	if (strnlen(hex64, 2 * DIGEST_BYTES + 1) != 2 * DIGEST_BYTES)
		return -EINVAL;
	for (size_t i = 0; i < DIGEST_BYTES; i++) {
		int hi = nibble(hex64[2 * i]), lo = nibble(hex64[2 * i + 1]);

		if (hi < 0 || lo < 0)
			return -EINVAL;
		d.b[i] = (unsigned char)(hi << 4 | lo);
	}
	*ret = d;
	return 0;
}

int digest_parse(const char *text, struct digest *ret)
{
	const size_t n = strlen(DIGEST_PREFIX);

	if (strncmp(text, DIGEST_PREFIX, n) != 0)
		return -EINVAL;
	return digest_parse_hex(text + n, ret);
}

void digest_format(const struct digest *d, char out[DIGEST_TEXT + 1])
{
	static const char hex[] = "0123456789abcdef";
	char *p = out;

	memcpy(p, DIGEST_PREFIX, strlen(DIGEST_PREFIX));
	p += strlen(DIGEST_PREFIX);
	for (size_t i = 0; i < DIGEST_BYTES; i++) {
		*p++ = hex[d->b[i] >> 4];
		*p++ = hex[d->b[i] & 15];
	}
	*p = '\0';
}

bool digest_equal(const struct digest *a, const struct digest *b)
{
	unsigned differ = 0;

	for (int i = 0; i < DIGEST_BYTES; i++)
		differ |= (unsigned)(a->b[i] ^ b->b[i]);
	return !differ;
}
