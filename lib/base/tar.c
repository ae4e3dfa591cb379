/* SPDX-License-Identifier: MIT */
/* Tar headers written and read.  See tar.h. */
#include "lib/base/tar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct ustar {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12];
	char chksum[8], typeflag, linkname[100], magic[6], version[2];
	char uname[32], gname[32], devmajor[8], devminor[8], prefix[155];
	char pad[12];
};
_Static_assert(sizeof(struct ustar) == TAR_BLOCK, "a header is a block");

enum state { ST_HEADER, ST_META, ST_META_PAD, ST_DATA, ST_PAD, ST_END };

#define MAX_OCTAL 077777777777ull /* eleven digits */

/* Writing. */

static void put_octal(char *field, size_t n, uint64_t v)
{
	char text[24];

	snprintf(text, sizeof(text), "%0*llo", (int)n - 1,
		 (unsigned long long)v);
	memcpy(field, text, n - 1);
}

static void finish(struct buf *out, struct ustar *h)
{
	unsigned sum = 0;

	memcpy(h->magic, "ustar", 6);
	memcpy(h->version, "00", 2);
	memset(h->chksum, ' ', sizeof(h->chksum));
	for (size_t i = 0; i < sizeof(*h); i++)
		sum += ((unsigned char *)h)[i];
	put_octal(h->chksum, 7, sum);
	h->chksum[6] = '\0';
	buf_add(out, h, sizeof(*h));
}

static void pad_block(struct buf *out, uint64_t size)
{
	static const char zeroes[TAR_BLOCK];

	buf_add(out, zeroes, tar_padding(size));
}

/* "LEN key=value\n", where LEN counts itself. */
static void pax_record(struct buf *out, const char *key, const char *value)
{
	size_t n = strlen(key) + strlen(value) + 3, len = n + 1;

	for (;;) {
		char digits[24];
		size_t want = n + (size_t)snprintf(digits, sizeof(digits),
						   "%zu", len);

		if (want == len)
			break;
		len = want;
	}
	buf_addf(out, "%zu %s=%s\n", len, key, value);
}

static void add_pax(struct buf *out, const struct buf *records)
{
	struct ustar h = { .typeflag = 'x' };

	memcpy(h.name, "pax", 3);
	put_octal(h.mode, sizeof(h.mode), 0644);
	put_octal(h.uid, sizeof(h.uid), 0);
	put_octal(h.gid, sizeof(h.gid), 0);
	put_octal(h.size, sizeof(h.size), records->len);
	put_octal(h.mtime, sizeof(h.mtime), 0);
	finish(out, &h);
	buf_add(out, records->data, records->len);
	pad_block(out, records->len);
}

static void put_name(char *field, size_t size, const char *s,
		     const char *key, struct buf *records)
{
	size_t n = strlen(s);

	if (n > size)
		pax_record(records, key, s);
	memcpy(field, s, n < size ? n : size);
}

void tar_add_header(struct buf *out, const struct tar_entry *e)
{
	auto_buf struct buf records = BUF_INIT;
	struct ustar h = { .typeflag = (char)e->type };
	char number[24];

	put_name(h.name, sizeof(h.name), e->path, "path", &records);
	put_name(h.linkname, sizeof(h.linkname), e->link ? e->link : "",
		 "linkpath", &records);
	if (e->size > MAX_OCTAL) {
		snprintf(number, sizeof(number), "%llu",
			 (unsigned long long)e->size);
		pax_record(&records, "size", number);
	}
	put_octal(h.mode, sizeof(h.mode), e->mode & 07777);
	put_octal(h.uid, sizeof(h.uid), e->uid & 07777777);
	put_octal(h.gid, sizeof(h.gid), e->gid & 07777777);
	put_octal(h.size, sizeof(h.size),
		  e->size > MAX_OCTAL ? MAX_OCTAL : e->size);
	put_octal(h.mtime, sizeof(h.mtime),
		  e->mtime > 0 ? (uint64_t)e->mtime & MAX_OCTAL : 0);
	if (records.len)
		add_pax(out, &records);
	finish(out, &h);
}

size_t tar_padding(uint64_t size)
{
	return (size_t)(-size % TAR_BLOCK);
}

void tar_add_end(struct buf *out)
{
	static const char zeroes[2 * TAR_BLOCK];

	buf_add(out, zeroes, sizeof(zeroes));
}

/* Reading. */

static enum tar_event bad(struct tar_reader *t, const char *why)
{
	t->why = why;
	return TAR_BAD;
}

/* Octal, or GNU's base 256 when the first bit is set.  -1 when neither. */
static int64_t get_number(const char *field, size_t n)
{
	const unsigned char *p = (const unsigned char *)field;
	uint64_t v = 0;
	size_t i = 0;

	if (p[0] & 0x80) {
		v = p[0] & 0x3f;
		for (i = 1; i < n; i++) {
			if (v >> 55)
				return -1;
			v = v << 8 | p[i];
		}
		return p[0] & 0x40 ? -1 : (int64_t)v;
	}
	while (i < n && p[i] == ' ')
		i++;
	for (; i < n && p[i] >= '0' && p[i] <= '7'; i++) {
		if (v >> 60)
			return -1;
		v = v << 3 | (uint64_t)(p[i] - '0');
	}
	return i == n || p[i] == '\0' || p[i] == ' ' ? (int64_t)v : -1;
}

static int checksum_ok(const struct ustar *h)
{
	const unsigned char *p = (const unsigned char *)h;
	const size_t at = offsetof(struct ustar, chksum);
	int64_t sum = 0;

	for (size_t i = 0; i < sizeof(*h); i++)
		sum += i >= at && i < at + sizeof(h->chksum) ? ' ' : p[i];
	return get_number(h->chksum, sizeof(h->chksum)) == sum;
}

static void add_field(struct buf *b, const char *field, size_t n)
{
	buf_add(b, field, strnlen(field, n));
}

/* The records of a pax header: "LEN key=value\n"... */
static int parse_pax(struct tar_reader *t)
{
	char *p = t->meta.data, *end = p + t->meta.len;

	while (p < end) {
		char *rest;
		unsigned long len = strtoul(p, &rest, 10);

		if (len < 5 || len > (size_t)(end - p) || *rest != ' ' ||
		    rest >= p + len - 1 || p[len - 1] != '\n')
			return -1;
		char *key = rest + 1;
		char *value = memchr(key, '=', (size_t)(p + len - key));

		if (!value)
			return -1;
		*value++ = '\0';
		size_t n = (size_t)(p + len - 1 - value);

		p[len - 1] = '\0';
		if (strcmp(key, "path") == 0) {
			buf_clear(&t->next_path);
			buf_add(&t->next_path, value, n);
		} else if (strcmp(key, "linkpath") == 0) {
			buf_clear(&t->next_link);
			buf_add(&t->next_link, value, n);
		} else if (strcmp(key, "size") == 0) {
			long long v = strtoll(value, NULL, 10);

			if (v < 0 || v == INT64_MAX)
				return -1;
			t->next_size = v + 1;
		} else if (strcmp(key, "mtime") == 0) {
			long long v = strtoll(value, NULL, 10);

			t->next_mtime = v > 0 && v < INT64_MAX ? v + 1 : 1;
		}
		p += len;
	}
	return 0;
}

static enum tar_event take_meta(struct tar_reader *t)
{
	struct buf *to = t->meta_type == 'K' ? &t->next_link : &t->next_path;

	if (t->meta_type == 'x') {
		if (t->meta.len && parse_pax(t) < 0)
			return bad(t, "a pax header that makes no sense");
	} else if (t->meta_type != 'g') {
		buf_clear(to);
		add_field(to, buf_str(&t->meta), t->meta.len);
	}
	buf_clear(&t->meta);
	t->state = t->pad ? ST_META_PAD : ST_HEADER;
	return TAR_MORE;
}

static void set_path(struct tar_reader *t, const struct ustar *h)
{
	buf_clear(&t->path);
	buf_clear(&t->link);
	if (t->next_path.len) {
		buf_add(&t->path, t->next_path.data, t->next_path.len);
	} else {
		if (memcmp(h->magic, "ustar\0", 6) == 0 && h->prefix[0]) {
			add_field(&t->path, h->prefix, sizeof(h->prefix));
			buf_addch(&t->path, '/');
		}
		add_field(&t->path, h->name, sizeof(h->name));
	}
	if (t->next_link.len)
		buf_add(&t->link, t->next_link.data, t->next_link.len);
	else
		add_field(&t->link, h->linkname, sizeof(h->linkname));
}

/* A header that begins an entry; pax and long names were applied. */
static enum tar_event begin_entry(struct tar_reader *t, const struct ustar *h,
				  int64_t size)
{
	char type = h->typeflag ? h->typeflag : '0';
	struct tar_entry *e = &t->entry;

	set_path(t, h);
	if (t->next_size)
		size = t->next_size - 1;
	if (size < 0 || t->path.len == 0 ||
	    strlen(t->path.data) != t->path.len)
		return bad(t, "an entry with a bad size or name");
	if (type == '7')
		type = '0';
	if (type == '0' && t->path.data[t->path.len - 1] == '/')
		type = '5'; /* as old archives write directories */
	*e = (struct tar_entry){
		.type = (enum tar_type)type,
		.mode = (mode_t)(get_number(h->mode, sizeof(h->mode)) & 07777),
		.size = type == '0' ? (uint64_t)size : 0,
		.mtime = t->next_mtime ? t->next_mtime - 1 :
					 get_number(h->mtime,
						    sizeof(h->mtime)),
		.uid = (uint32_t)get_number(h->uid, sizeof(h->uid)),
		.gid = (uint32_t)get_number(h->gid, sizeof(h->gid)),
		.path = t->path.data,
		.link = t->link.len ? t->link.data : NULL,
	};
	buf_clear(&t->next_path);
	buf_clear(&t->next_link);
	t->next_size = t->next_mtime = 0;
	/* Links may claim a size; no data follows them. */
	t->left = type == '1' || type == '2' || type == '5' ? 0 :
							     (uint64_t)size;
	t->pad = tar_padding(t->left);
	t->state = ST_DATA;
	return type >= '0' && type <= '6' ? TAR_ENTRY : TAR_MORE;
}

static enum tar_event take_header(struct tar_reader *t)
{
	static const char zero[TAR_BLOCK];
	const struct ustar *h = (const struct ustar *)(void *)t->block.data;

	if (memcmp(h, zero, TAR_BLOCK) == 0) {
		t->state = ++t->zeroes == 2 ? ST_END : ST_HEADER;
		return t->zeroes == 2 ? TAR_END : TAR_MORE;
	}
	t->zeroes = 0;
	int64_t size = get_number(h->size, sizeof(h->size));

	if (!checksum_ok(h))
		return bad(t, "a header with a wrong checksum");
	if (!strchr("xgLK", h->typeflag) || !h->typeflag)
		return begin_entry(t, h, size);
	if (size < 0 || size > TAR_META_MAX)
		return bad(t, "a header that is too long");
	t->meta_type = h->typeflag;
	t->left = (uint64_t)size;
	t->pad = tar_padding(t->left);
	t->state = ST_META;
	return size ? TAR_MORE : take_meta(t);
}

static size_t take(const char **p, size_t *n, uint64_t want)
{
	size_t k = want < *n ? (size_t)want : *n;

	*p += k;
	*n -= k;
	return k;
}

enum tar_event tar_next(struct tar_reader *t, const char **p, size_t *n,
			const char **ret_data, size_t *ret_len)
{
	enum tar_event ev = TAR_MORE;

	for (;;) {
		const char *at = *p;
		size_t k;

		switch ((enum state)t->state) {
		case ST_HEADER:
			k = take(p, n, TAR_BLOCK - t->block.len);
			buf_add(&t->block, at, k);
			if (t->block.len < TAR_BLOCK)
				return TAR_MORE;
			ev = take_header(t);
			buf_clear(&t->block);
			break;
		case ST_META:
			k = take(p, n, t->left);
			buf_add(&t->meta, at, k);
			t->left -= k;
			if (t->left)
				return TAR_MORE;
			ev = take_meta(t);
			break;
		case ST_DATA:
			if (t->left == 0) {
				t->state = ST_PAD;
				break;
			}
			if (*n == 0)
				return TAR_MORE;
			*ret_data = at;
			*ret_len = k = take(p, n, t->left);
			t->left -= k;
			if (t->entry.type == TAR_FILE)
				return TAR_DATA;
			break;
		case ST_PAD:
		case ST_META_PAD:
			t->pad -= take(p, n, t->pad);
			if (t->pad)
				return TAR_MORE;
			if (t->state == ST_PAD)
				ev = TAR_DONE;
			t->state = ST_HEADER;
			break;
		case ST_END:
			(void)take(p, n, *n);
			return TAR_MORE;
		}
		if (ev != TAR_MORE)
			return ev;
	}
}

void tar_reader_release(struct tar_reader *t)
{
	buf_release(&t->block);
	buf_release(&t->meta);
	buf_release(&t->path);
	buf_release(&t->link);
	buf_release(&t->next_path);
	buf_release(&t->next_link);
}
