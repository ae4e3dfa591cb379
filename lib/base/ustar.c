/* SPDX-License-Identifier: MIT */
/* Tar archives.  See ustar.h. */
#include "lib/base/ustar.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"

struct header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12];
	char checksum[8], type, target[100], magic[6], version[2];
	char user[32], group[32], major[8], minor[8], prefix[155], pad[12];
};
_Static_assert(sizeof(struct header) == USTAR_BLOCK, "one block");

enum have { HAVE_PATH = 1, HAVE_TARGET = 2, HAVE_SIZE = 4, HAVE_MTIME = 8 };

static unsigned checksum(const unsigned char *block)
{
	const size_t at = offsetof(struct header, checksum);
	unsigned sum = 0;

	/* The field itself counts as spaces. */
	for (size_t i = 0; i < USTAR_BLOCK; i++)
		sum += i >= at && i < at + 8 ? ' ' : block[i];
	return sum;
}

/* Writing. */

static void put_octal(char *field, size_t n, uint64_t v)
{
	field[--n] = '\0';
	while (n--) {
		field[n] = (char)('0' + (v & 7));
		v >>= 3;
	}
}

static void add_block(struct buf *out, struct header *h)
{
	memcpy(h->magic, "ustar", 6);
	memcpy(h->version, "00", 2);
	put_octal(h->checksum, 7, checksum((unsigned char *)h));
	h->checksum[7] = ' ';
	buf_add(out, h, sizeof(*h));
}

static void add_padding(struct buf *out, size_t n)
{
	static const char zeros[USTAR_BLOCK];

	buf_add(out, zeros, ustar_padding(n));
}

static size_t digits_of(size_t n)
{
	size_t digits = 1;

	while (n /= 10)
		digits++;
	return digits;
}

/* "LEN key=value\n", where LEN counts itself. */
static void add_record(struct buf *out, const char *key, const char *value)
{
	size_t n = strlen(key) + strlen(value) + 3, digits = 1;

	while (digits_of(n + digits) > digits)
		digits++;
	buf_addf(out, "%zu %s=%s\n", n + digits, key, value);
}

void ustar_add_header(struct buf *out, const struct ustar_entry *e)
{
	const uint64_t octal_max = (UINT64_C(1) << 33) - 1;
	const char *target = e->target ? e->target : "";
	auto_buf struct buf extra = BUF_INIT;
	struct header h = { 0 }, x = { 0 };
	size_t path_len = strlen(e->path), target_len = strlen(target);

	if (path_len > sizeof(h.name))
		add_record(&extra, "path", e->path);
	if (target_len > sizeof(h.target))
		add_record(&extra, "linkpath", target);
	if (e->size > octal_max) {
		auto_free char *size = xasprintf("%llu",
						 (unsigned long long)e->size);

		add_record(&extra, "size", size);
	}
	if (extra.len) {
		memcpy(x.name, "pax", 4);
		put_octal(x.mode, 8, 0644);
		put_octal(x.size, 12, extra.len);
		put_octal(x.mtime, 12, 0);
		x.type = 'x';
		add_block(out, &x);
		buf_add(out, extra.data, extra.len);
		add_padding(out, extra.len);
	}
	memcpy(h.name, e->path, MIN(path_len, sizeof(h.name)));
	memcpy(h.target, target, MIN(target_len, sizeof(h.target)));
	put_octal(h.mode, 8, e->mode & 07777);
	put_octal(h.uid, 8, 0);
	put_octal(h.gid, 8, 0);
	put_octal(h.size, 12, MIN(e->size, octal_max));
	put_octal(h.mtime, 12, (uint64_t)MIN(MAX(e->mtime, 0),
					     (int64_t)octal_max));
	h.type = e->type;
	add_block(out, &h);
}

void ustar_add_end(struct buf *out)
{
	static const char zeros[2 * USTAR_BLOCK];

	buf_add(out, zeros, sizeof(zeros));
}

/* Reading. */

void ustar_release(struct ustar_reader *r)
{
	buf_release(&r->path);
	buf_release(&r->target);
	*r = (struct ustar_reader){ 0 };
}

/* Octal with spaces and NULs around it, or GNU's base 256. */
static bool get_number(const char *field, size_t n, uint64_t *ret)
{
	const unsigned char *p = (const unsigned char *)field, *end = p + n;
	uint64_t v = 0;

	if (*p & 0x80) {
		v = *p++ & 0x7f;
		for (; p < end; p++) {
			if (v >> 55)
				return false;
			v = v << 8 | *p;
		}
		*ret = v;
		return true;
	}
	while (p < end && *p == ' ')
		p++;
	for (; p < end && *p >= '0' && *p <= '7'; p++)
		v = v << 3 | (uint64_t)(*p - '0'); /* 12 digits at most */
	for (; p < end; p++)
		if (*p != ' ' && *p != '\0')
			return false;
	*ret = v;
	return true;
}

static void set_text(struct buf *b, const char *p, size_t n)
{
	buf_clear(b);
	buf_add(b, p, strnlen(p, n));
}

static void take_names(struct ustar_reader *r, const struct header *h)
{
	if (!(r->have & HAVE_PATH)) {
		buf_clear(&r->path);
		if (memcmp(h->magic, "ustar\0", 6) == 0 && h->prefix[0]) {
			set_text(&r->path, h->prefix, sizeof(h->prefix));
			buf_addch(&r->path, '/');
		}
		buf_add(&r->path, h->name, strnlen(h->name, sizeof(h->name)));
	}
	if (!(r->have & HAVE_TARGET))
		set_text(&r->target, h->target, sizeof(h->target));
}

static bool is_extra(char type)
{
	return type == 'x' || type == 'g' || type == 'L' || type == 'K';
}

int ustar_read(struct ustar_reader *r, const unsigned char block[USTAR_BLOCK],
	       struct ustar_entry *ret)
{
	struct header h;
	uint64_t sum, size, mode, mtime;

	memcpy(&h, block, sizeof(h));
	if (!block[0] && checksum(block) == 8 * ' ')
		return ++r->zeros == 2 ? USTAR_END : USTAR_NOTHING;
	r->zeros = 0;
	if (!get_number(h.checksum, sizeof(h.checksum), &sum) ||
	    sum != checksum(block) ||
	    !get_number(h.size, sizeof(h.size), &size) ||
	    !get_number(h.mode, sizeof(h.mode), &mode) ||
	    !get_number(h.mtime, sizeof(h.mtime), &mtime))
		return -EPROTO;
	*ret = (struct ustar_entry){ .type = h.type ? h.type : USTAR_FILE,
				     .size = size,
				     .mode = (uint32_t)(mode & 07777) };
	if (is_extra(ret->type))
		return size > USTAR_EXTRA_MAX ? -EPROTO : USTAR_EXTRA;
	take_names(r, &h);
	ret->path = (char *)(uintptr_t)buf_str(&r->path);
	ret->target = (char *)(uintptr_t)buf_str(&r->target);
	if (r->have & HAVE_SIZE)
		ret->size = r->size;
	ret->mtime = r->have & HAVE_MTIME ? r->mtime : (int64_t)mtime;
	if (ret->size > INT64_MAX - USTAR_BLOCK)
		return -EPROTO;
	/* Some archives give links and directories a size; no data follows. */
	if (ret->type == USTAR_SYMLINK || ret->type == USTAR_DIR ||
	    ret->type == USTAR_HARD_LINK)
		ret->size = 0;
	r->have = 0;
	return USTAR_ENTRY;
}

static bool get_decimal(const char *p, size_t n, uint64_t *ret)
{
	uint64_t v = 0;
	size_t i = 0;

	for (; i < n && p[i] >= '0' && p[i] <= '9'; i++) {
		if (v > (UINT64_MAX - 9) / 10)
			return false;
		v = v * 10 + (uint64_t)(p[i] - '0');
	}
	*ret = v;
	return i > 0 && (i == n || p[i] == '.'); /* fractions of mtime */
}

static int take_record(struct ustar_reader *r, const char *key, size_t nkey,
		       const char *value, size_t n)
{
	uint64_t v;

	if (nkey == 4 && memcmp(key, "path", 4) == 0) {
		if (memchr(value, '\0', n))
			return -EPROTO;
		set_text(&r->path, value, n);
		r->have |= HAVE_PATH;
	} else if (nkey == 8 && memcmp(key, "linkpath", 8) == 0) {
		if (memchr(value, '\0', n))
			return -EPROTO;
		set_text(&r->target, value, n);
		r->have |= HAVE_TARGET;
	} else if (nkey == 4 && memcmp(key, "size", 4) == 0) {
		if (!get_decimal(value, n, &v))
			return -EPROTO;
		r->size = v;
		r->have |= HAVE_SIZE;
	} else if (nkey == 5 && memcmp(key, "mtime", 5) == 0 &&
		   get_decimal(value, n, &v) && v < INT64_MAX) {
		r->mtime = (int64_t)v;
		r->have |= HAVE_MTIME;
	}
	return 0; /* others don't matter to us */
}

static int read_pax(struct ustar_reader *r, const char *p, size_t n)
{
	const char *end = p + n;

	while (p < end) {
		const char *space = memchr(p, ' ', (size_t)(end - p));
		uint64_t len;

		if (!space || space - p > 6 ||
		    !get_decimal(p, (size_t)(space - p), &len) ||
		    len > (size_t)(end - p) ||
		    len < (size_t)(space - p) + 3 || p[len - 1] != '\n')
			return -EPROTO;
		const char *key = space + 1, *stop = p + len - 1;
		const char *equals = memchr(key, '=', (size_t)(stop - key));
		if (!equals)
			return -EPROTO;
		int e = take_record(r, key, (size_t)(equals - key),
				    equals + 1, (size_t)(stop - equals - 1));
		if (e < 0)
			return e;
		p += len;
	}
	return 0;
}

int ustar_read_extra(struct ustar_reader *r, const struct ustar_entry *e,
		     const char *p, size_t n)
{
	switch (e->type) {
	case 'x':
		return read_pax(r, p, n);
	case 'L':
		set_text(&r->path, p, n);
		r->have |= HAVE_PATH;
		return 0;
	case 'K':
		set_text(&r->target, p, n);
		r->have |= HAVE_TARGET;
		return 0;
	default:
		return 0; /* 'g': defaults for all, nothing we need */
	}
}
