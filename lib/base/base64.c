/* SPDX-License-Identifier: MIT */
/* Base64.  See base64.h. */
#include "lib/base/base64.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

static const char alphabet[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(struct buf *out, const void *data, size_t n)
{
	const unsigned char *p = data;

	buf_reserve(out, (n + 2) / 3 * 4);
	for (size_t i = 0; i < n; i += 3) {
		uint32_t v = (uint32_t)p[i] << 16 |
			     (i + 1 < n ? (uint32_t)p[i + 1] << 8 : 0) |
			     (i + 2 < n ? (uint32_t)p[i + 2] : 0);
		char four[4] = {
			alphabet[v >> 18], alphabet[v >> 12 & 63],
			i + 1 < n ? alphabet[v >> 6 & 63] : '=',
			i + 2 < n ? alphabet[v & 63] : '=',
		};

		buf_add(out, four, 4);
	}
}

static int digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Four characters to 1-3 bytes; 0 when malformed. */
static size_t decode_four(const char *s, bool last, unsigned char out[3])
{
	size_t pad = 0;
	uint32_t v = 0;

	if (last && s[3] == '=')
		pad = s[2] == '=' ? 2 : 1;
	for (size_t i = 0; i < 4 - pad; i++) {
		int d = digit(s[i]);

		if (d < 0)
			return 0;
		v |= (uint32_t)d << (18 - 6 * i);
	}
	/* Bits behind the data must be zero: one text per value. */
	if ((pad == 1 && (v & 0xff)) || (pad == 2 && (v & 0xffff)))
		return 0;
	out[0] = (unsigned char)(v >> 16);
	out[1] = (unsigned char)(v >> 8);
	out[2] = (unsigned char)v;
	return 3 - pad;
}

int base64_decode(struct buf *out, const char *s, size_t n)
{
	size_t before = out->len;

	if (n % 4)
		return -EINVAL;
	buf_reserve(out, n / 4 * 3);
	for (size_t i = 0; i < n; i += 4) {
		unsigned char three[3];
		size_t got = decode_four(s + i, i + 4 == n, three);

		if (!got) {
			buf_truncate(out, before);
			return -EINVAL;
		}
		buf_add(out, three, got);
	}
	return 0;
}
