/* SPDX-License-Identifier: MIT */
/* Lines, units, words and columns of a text.  See edit-text.h. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "lib/base/defs.h"
#include "lib/base/escape.h"
#include "lib/base/utf8.h"
#include "lib/base/width.h"
#include "tui/edit-text.h"

#define TAB 8
#define MARKS_MAX 8 /* on one character */

static unsigned char byte(const struct edit_text *t, size_t at)
{
	return (unsigned char)t->text.data[at];
}

/* The bytes of the line end there; 0 when there is none. */
static size_t newline(const struct edit_text *t, size_t at)
{
	if (at < t->text.len && byte(t, at) == '\n')
		return 1;
	return t->crlf && at + 1 < t->text.len && byte(t, at) == '\r' &&
			       byte(t, at + 1) == '\n' ? 2 : 0;
}

size_t edit_line_start(const struct edit_text *t, size_t at)
{
	const char *p = at ? memrchr(t->text.data, '\n', at) : NULL;

	return p ? (size_t)(p - t->text.data) + 1 : 0;
}

size_t edit_line_end(const struct edit_text *t, size_t at)
{
	const char *p = at < t->text.len ?
				memchr(t->text.data + at, '\n',
				       t->text.len - at) : NULL;
	size_t end = p ? (size_t)(p - t->text.data) : t->text.len;

	return p && end > at && newline(t, end - 1) == 2 ? end - 1 : end;
}

bool edit_line_next(const struct edit_text *t, size_t at, size_t *ret)
{
	size_t end = edit_line_end(t, at);

	end += newline(t, end);
	if (end >= t->text.len)
		return false;
	*ret = end;
	return true;
}

bool edit_line_prev(const struct edit_text *t, size_t at, size_t *ret)
{
	size_t start = edit_line_start(t, at);

	if (!start)
		return false;
	*ret = edit_line_start(t, start - 1);
	return true;
}

size_t edit_line_number(const struct edit_text *t, size_t at)
{
	const char *p = buf_str(&t->text), *end = p + at;
	size_t n = 1;

	while (p < end && (p = memchr(p, '\n', (size_t)(end - p)))) {
		n++;
		p++;
	}
	return n;
}

size_t edit_line_at(const struct edit_text *t, size_t number)
{
	size_t at = 0;

	while (number-- > 1 && edit_line_next(t, at, &at))
		;
	return at;
}

size_t edit_line_last(const struct edit_text *t)
{
	size_t len = t->text.len;

	return edit_line_start(t, len && byte(t, len - 1) == '\n' ? len - 1 :
								    len);
}

/* Bytes of the character there, without what stands on it. */
static size_t character(const struct edit_text *t, size_t at, uint32_t *ret_cp)
{
	int k = utf8_decode(t->text.data + at, t->text.len - at, ret_cp);

	if (k > 0)
		return (size_t)k;
	*ret_cp = 0; /* none: one byte */
	return 1;
}

static bool is_mark(const struct edit_text *t, size_t at, size_t *ret_size)
{
	uint32_t cp;

	if (at >= t->text.len || byte(t, at) < 0x80)
		return false;
	*ret_size = character(t, at, &cp);
	return cp && !escape_is_deceptive(cp) && width_char(cp) == 0;
}

size_t edit_next(const struct edit_text *t, size_t at)
{
	size_t size, end = newline(t, at);
	uint32_t cp;

	if (at >= t->text.len)
		return t->text.len;
	if (end)
		return at + end;
	at += character(t, at, &cp);
	for (int i = 0; i < MARKS_MAX && is_mark(t, at, &size); i++)
		at += size;
	return at;
}

#define BACK_MAX 256

/* Where units begin is known from the left alone: a few characters back there
 * is one, certainly at a byte below 0x80. */
size_t edit_prev(const struct edit_text *t, size_t at)
{
	size_t line = edit_line_start(t, at), from = at, next;

	if (at == line && at) /* over the line end */
		return at >= 2 && newline(t, at - 2) == 2 ? at - 2 : at - 1;
	if (!at)
		return 0;
	do
		from--;
	while (from > line && at - from < BACK_MAX && byte(t, from) >= 0x80);
	for (;; from = next) {
		next = edit_next(t, from);
		if (next >= at)
			return from;
	}
}

/* One byte, one column, and nothing stands on it. */
static bool is_plain(const struct edit_text *t, size_t at)
{
	unsigned char c = byte(t, at);

	return c >= 0x20 && c < 0x7f &&
	       (at + 1 == t->text.len || byte(t, at + 1) < 0x80);
}

size_t edit_unit_width(const struct edit_text *t, size_t at, size_t col)
{
	if (at >= t->text.len || newline(t, at))
		return 0;
	if (is_plain(t, at))
		return 1;
	if (byte(t, at) == '\t')
		return TAB - col % TAB;
	auto_buf struct buf safe = BUF_INIT;

	escape_line(&safe, t->text.data + at, edit_next(t, at) - at);
	return width_text(buf_str(&safe), safe.len);
}

size_t edit_column(const struct edit_text *t, size_t at)
{
	size_t col = 0;

	/* Lines can be very long: most of them is plain. */
	for (size_t i = edit_line_start(t, at); i < at;) {
		bool plain = is_plain(t, i);

		col += plain ? 1 : edit_unit_width(t, i, col);
		i = plain ? i + 1 : edit_next(t, i);
	}
	return col;
}

size_t edit_at_column(const struct edit_text *t, size_t line, size_t col)
{
	size_t end = edit_line_end(t, line), at = line, here = 0;

	while (at < end) {
		bool plain = is_plain(t, at);

		here += plain ? 1 : edit_unit_width(t, at, here);
		if (here > col)
			break;
		at = plain ? at + 1 : edit_next(t, at);
	}
	return at;
}

/* -- words */

enum kind { BLANK, WORD, OTHER };

static enum kind kind(const struct edit_text *t, size_t at)
{
	unsigned char c = at < t->text.len ? byte(t, at) : ' ';

	return isspace(c) ? BLANK : isalnum(c) || c == '_' || c >= 0x80 ?
			    WORD : OTHER;
}

static bool is_empty_line(const struct edit_text *t, size_t at)
{
	return newline(t, at) && (at == 0 || byte(t, at - 1) == '\n');
}

size_t edit_word_next(const struct edit_text *t, size_t at)
{
	enum kind k = kind(t, at);

	while (k != BLANK && at < t->text.len && kind(t, at) == k)
		at = edit_next(t, at);
	while (at < t->text.len && kind(t, at) == BLANK) {
		at = edit_next(t, at);
		if (is_empty_line(t, at))
			break;
	}
	return at;
}

size_t edit_word_prev(const struct edit_text *t, size_t at)
{
	enum kind k;

	do {
		if (!at)
			return 0;
		at = edit_prev(t, at);
	} while (kind(t, at) == BLANK && !is_empty_line(t, at));
	k = kind(t, at);
	while (k != BLANK && at && kind(t, edit_prev(t, at)) == k)
		at = edit_prev(t, at);
	return at;
}

size_t edit_word_end(const struct edit_text *t, size_t at)
{
	size_t next = edit_next(t, at);
	enum kind k;

	while (next < t->text.len && kind(t, next) == BLANK)
		next = edit_next(t, next);
	if (next >= t->text.len)
		return at;
	k = kind(t, next);
	for (at = next; (next = edit_next(t, at)) < t->text.len &&
			kind(t, next) == k;)
		at = next;
	return at;
}

size_t edit_first_char(const struct edit_text *t, size_t at)
{
	size_t end = edit_line_end(t, at);

	at = edit_line_start(t, at);
	while (at < end && (byte(t, at) == ' ' || byte(t, at) == '\t'))
		at++;
	return at;
}

/* -- searching */

static bool has_large(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (isupper((unsigned char)s[i]))
			return true;
	return false;
}

static bool same(const char *a, const char *b, size_t n, bool exact)
{
	return exact ? memcmp(a, b, n) == 0 : strncasecmp(a, b, n) == 0;
}

bool edit_find(const struct edit_text *t, const char *pattern, size_t n,
	       size_t at, bool back, size_t *ret)
{
	size_t places = t->text.len >= n ? t->text.len - n + 1 : 0;
	bool exact = has_large(pattern, n) || memchr(pattern, '\0', n);

	if (!n || !places)
		return false;
	at = MIN(at, back ? places : places - 1);
	for (size_t k = 1; k <= places; k++) {
		size_t i = back ? (at + places - k) % places :
				  (at + k) % places;

		if (same(t->text.data + i, pattern, n, exact)) {
			*ret = i;
			return true;
		}
	}
	return false;
}
