/* SPDX-License-Identifier: MIT */
/* A tar archive read as it comes.  See tar.h. */
#include "lib/base/tar.h"

#include <stdbool.h>

void tar_reader_release(struct tar_reader *t)
{
	ustar_release(&t->headers);
	buf_release(&t->held);
	*t = (struct tar_reader){ 0 };
}

static enum tar_event bad(struct tar_reader *t, const char *why)
{
	t->why = why;
	return TAR_BAD;
}

/* Move bytes to t->held until it has `want`; false: more must come first. */
static bool collect(struct tar_reader *t, size_t want, const char **p,
		    size_t *n)
{
	size_t take = MIN(want - t->held.len, *n);

	buf_add(&t->held, *p, take);
	*p += take;
	*n -= take;
	return t->held.len == want;
}

static enum tar_event take_header(struct tar_reader *t)
{
	int kind = ustar_read(&t->headers,
			      (const unsigned char *)t->held.data, &t->entry);

	buf_clear(&t->held);
	if (kind == USTAR_NOTHING)
		return TAR_MORE;
	if (kind == USTAR_END) {
		t->state = TAR_AT_END;
		return TAR_END;
	}
	t->left = t->entry.size;
	if (kind == USTAR_EXTRA) {
		t->state = TAR_IN_EXTRA;
		return TAR_MORE;
	}
	t->state = TAR_IN_DATA;
	return kind == USTAR_ENTRY ? TAR_ENTRY : bad(t, "not a tar header");
}

static enum tar_event take_extra(struct tar_reader *t)
{
	int r = ustar_read_extra(&t->headers, &t->entry, buf_str(&t->held),
				 (size_t)t->left);

	buf_clear(&t->held);
	t->state = TAR_IN_HEADER;
	return r < 0 ? bad(t, "a bad extended header") : TAR_MORE;
}

static enum tar_event take_data(struct tar_reader *t, const char **p,
				size_t *n, const char **ret_data,
				size_t *ret_len)
{
	size_t take = (size_t)MIN((uint64_t)*n, t->left);

	if (!t->left) {
		t->left = ustar_padding(t->entry.size);
		t->state = TAR_IN_PADDING;
		return TAR_DONE;
	}
	*ret_data = *p;
	*ret_len = take;
	*p += take;
	*n -= take;
	t->left -= take;
	return take ? TAR_DATA : TAR_MORE;
}

static void skip_padding(struct tar_reader *t, const char **p, size_t *n)
{
	size_t take = (size_t)MIN((uint64_t)*n, t->left);

	*p += take;
	*n -= take;
	t->left -= take;
	if (!t->left)
		t->state = TAR_IN_HEADER;
}

enum tar_event tar_next(struct tar_reader *t, const char **p, size_t *n,
			const char **ret_data, size_t *ret_len)
{
	enum tar_event ev;
	size_t extra;

	for (;;) {
		switch (t->state) {
		case TAR_IN_HEADER:
			if (!collect(t, USTAR_BLOCK, p, n))
				return TAR_MORE;
			ev = take_header(t);
			if (ev != TAR_MORE)
				return ev;
			break;
		case TAR_IN_EXTRA:
			extra = (size_t)t->left + ustar_padding(t->left);
			if (!collect(t, extra, p, n))
				return TAR_MORE;
			ev = take_extra(t);
			if (ev != TAR_MORE)
				return ev;
			break;
		case TAR_IN_DATA:
			return take_data(t, p, n, ret_data, ret_len);
		case TAR_IN_PADDING:
			skip_padding(t, p, n);
			if (t->state == TAR_IN_PADDING)
				return TAR_MORE;
			break;
		case TAR_AT_END:
			*p += *n;
			*n = 0;
			return TAR_MORE;
		}
	}
}
