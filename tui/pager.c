/* SPDX-License-Identifier: MIT */
/* A window on a file.  See pager.h. */
#include "tui/pager.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/bisect.h"
#include "lib/base/escape.h"
#include "lib/base/mem.h"
#include "lib/base/utf8.h"
#include "lib/base/width.h"

#define TAB 8
#define SIDEWAYS 8
/* So much of a window is before what is on top when it is read. */
#define BEFORE (PAGER_WINDOW / 4)
#define NEAR (PAGER_WINDOW / 8)
/* Of a very long line a row is as long, and at least so long. */
#define PIECE (32 << 10)
#define PIECE_MIN (4 << 10)

void pager_clear(struct pager *p)
{
	buf_release(&p->window);
	free(p->lines);
	*p = (struct pager){ .height = p->height, .wrap = p->wrap };
}

static uint64_t window_end(const struct pager *p)
{
	return p->base + p->window.len;
}

bool pager_whole(const struct pager *p)
{
	return !p->base && window_end(p) >= p->size;
}

/* Columns of the character there, as it will be shown; its bytes. */
static size_t shown_width(const char *s, size_t n, size_t col,
			  size_t *ret_width)
{
	auto_buf struct buf safe = BUF_INIT;
	uint32_t cp;
	int k;

	*ret_width = *s == '\t' ? TAB - col % TAB : 1;
	if (*s == '\t' || (*s >= 0x20 && *s < 0x7f))
		return 1;
	k = utf8_decode(s, n, &cp);
	n = k > 0 ? (size_t)k : 1;
	escape_line(&safe, s, n);
	*ret_width = width_text(buf_str(&safe), safe.len);
	return n;
}

/* Where the row ends that is as wide as it may be; a row has something. */
static size_t wrap_end(const struct pager *p, size_t at, size_t end)
{
	const char *data = p->window.data;
	size_t col = 0, width, n;

	if (data[end - 1] == '\n')
		end--;
	for (size_t i = at; i < end; i += n) {
		n = shown_width(data + i, end - i, col, &width);
		if (i > at && col + width > p->wrap)
			return i;
		col += width;
	}
	return SIZE_MAX; /* with its line */
}

/* Where a piece of a very long line ends: at places that are the same for
 * every window, so that rows stay what they are when another one is read. */
static size_t piece_end(const struct pager *p, size_t at, size_t end)
{
	if (p->wrap)
		return MIN(wrap_end(p, at, end), end);
	uint64_t from = p->base + at + PIECE_MIN;
	uint64_t cut = (from + PIECE - 1) / PIECE * PIECE;

	return end - at > PIECE_MIN && cut < p->base + end ?
		       (size_t)(cut - p->base) : end;
}

static void add_row(struct pager *p, size_t at, size_t before, size_t *room)
{
	if (p->n_lines == *room) {
		*room = MAX(*room * 2, 1024);
		p->lines = xreallocarray(p->lines, *room, sizeof(*p->lines));
	}
	p->lines[p->n_lines++] = (struct pager_line){ (uint32_t)at,
						      (uint32_t)before };
}

/* Before the first line end of a window there is the rest of a line, which
 * has no beginning here: it is left out, unless it is very long. */
static void index_lines(struct pager *p)
{
	const char *data = buf_str(&p->window), *end;
	size_t len = p->window.len, at = 0, to, before = 0, room = 0;

	free(p->lines);
	p->lines = NULL;
	p->n_lines = 0;
	if (p->base) {
		end = memchr(data, '\n', MIN(len, (size_t)PIECE));
		at = end && end + 1 < data + len ? (size_t)(end + 1 - data) :
						   0;
	}
	for (; at < len; at = to) {
		end = memchr(data + at, '\n', len - at);
		to = end ? (size_t)(end - data) + 1 : len;
		add_row(p, at, before, &room);
		while ((at = piece_end(p, at, to)) < to)
			add_row(p, at, before, &room);
		before++;
	}
}

static uint64_t line_at(const void *pager, size_t i)
{
	return ((const struct pager *)pager)->lines[i].at;
}

/* The line that has this offset of the window. */
static size_t line_of(const struct pager *p, size_t at)
{
	return bisect_last(p, p->n_lines, at, line_at);
}

static bool is_here(const struct pager *p)
{
	return p->top >= p->base && p->top <= window_end(p);
}

/* The number of the first line, when the one that was on top is in it. */
static uint64_t count_from(const struct pager *p, uint64_t line,
			   uint64_t number)
{
	size_t i;

	if (!p->base)
		return 1;
	if (!number || line < p->base || line >= window_end(p))
		return 0;
	i = line_of(p, (size_t)(line - p->base));
	return p->base + p->lines[i].at == line &&
			       number > p->lines[i].before ?
		       number - p->lines[i].before : 0;
}

void pager_take(struct pager *p, uint64_t base, struct buf *bytes,
		uint64_t size)
{
	uint64_t line = 0, number = 0;

	if (p->number && p->n_lines && is_here(p)) {
		size_t i = line_of(p, (size_t)(p->top - p->base));

		while (i && p->lines[i].before == p->lines[i - 1].before)
			i--;
		line = p->base + p->lines[i].at;
		number = p->number + p->lines[i].before;
	}
	buf_release(&p->window);
	p->window = *bytes;
	*bytes = (struct buf)BUF_INIT;
	p->base = base;
	p->size = MAX(size, base + p->window.len);
	index_lines(p);
	p->number = count_from(p, line, number);
	if (p->at_end)
		p->top = p->size;
	pager_settle(p, p->height);
}

bool pager_wants(const struct pager *p, uint64_t *ret_from, size_t *ret_n)
{
	uint64_t end = window_end(p), from, to;
	bool out = p->top < p->base || p->top > end;
	bool before = p->base && p->top < p->base + NEAR;
	bool after = end < p->size && p->top + NEAR > end;

	if (!p->window.len || (!out && !before && !after))
		return false;
	from = p->top > BEFORE ? p->top - BEFORE : 0;
	if (p->size > PAGER_WINDOW)
		from = MIN(from, p->size - PAGER_WINDOW);
	from -= from % PAGER_HEX_ROW;
	to = MIN(from + PAGER_WINDOW + PAGER_HEX_ROW, p->size);
	if (from >= to || (from >= p->base && to <= end))
		return false; /* there is no better one */
	*ret_from = from;
	*ret_n = (size_t)(to - from);
	return true;
}

size_t pager_rows(const struct pager *p)
{
	return p->hex ? (p->window.len + PAGER_HEX_ROW - 1) / PAGER_HEX_ROW :
			p->n_lines;
}

uint64_t pager_row_at(const struct pager *p, size_t i)
{
	return p->base + (p->hex ? i * PAGER_HEX_ROW :
			  i < p->n_lines ? p->lines[i].at : p->window.len);
}

uint64_t pager_row_number(const struct pager *p, size_t i)
{
	if (p->hex || !p->number || i >= p->n_lines ||
	    (i && p->lines[i].before == p->lines[i - 1].before))
		return 0;
	return p->number + p->lines[i].before;
}

static size_t row_of(const struct pager *p, size_t at)
{
	return p->hex ? at / PAGER_HEX_ROW : line_of(p, at);
}

size_t pager_top(const struct pager *p)
{
	return p->top < p->base ? 0 : row_of(p, (size_t)(p->top - p->base));
}

/* The end of the file is at the end of the view, if not before. */
static size_t last_top(const struct pager *p)
{
	size_t rows = pager_rows(p);

	return window_end(p) >= p->size && rows > p->height ?
		       rows - p->height :
	       window_end(p) >= p->size ? 0 : rows ? rows - 1 : 0;
}

void pager_settle(struct pager *p, size_t height)
{
	p->height = MAX(height, 1);
	if (p->window.len && is_here(p))
		p->top = pager_row_at(p, MIN(pager_top(p), last_top(p)));
}

void pager_wrap(struct pager *p, size_t columns)
{
	if (columns == p->wrap)
		return;
	p->wrap = columns;
	p->left = 0;
	if (p->window.len)
		index_lines(p);
	pager_settle(p, p->height);
}

static void scroll(struct pager *p, size_t rows, bool up)
{
	size_t top = pager_top(p);

	p->at_end = false;
	if (is_here(p))
		p->top = pager_row_at(p, up ? top - MIN(top, rows) :
					     MIN(top + rows, last_top(p)));
}

void pager_go(struct pager *p, uint64_t at)
{
	p->at_end = at >= p->size;
	p->top = MIN(at, p->size);
	pager_settle(p, p->height);
}

/* The first row of this line; false when it is not in the window. */
static bool find_line(const struct pager *p, uint64_t number, uint64_t *ret)
{
	for (size_t i = 0; p->number && i < p->n_lines; i++)
		if (p->number + p->lines[i].before == number) {
			*ret = p->base + p->lines[i].at;
			return true;
		}
	return false;
}

bool pager_go_line(struct pager *p, uint64_t number)
{
	uint64_t at;

	number = MAX(number, 1);
	if (number == 1)
		pager_go(p, 0);
	else if (find_line(p, number, &at))
		pager_go(p, at);
	else if (pager_whole(p))
		pager_go(p, p->size);
	else
		return false;
	return true;
}

bool pager_act(struct pager *p, enum action a)
{
	size_t page = p->height > 1 ? p->height - 1 : 1;

	switch (a) {
	case ACT_UP:
	case ACT_DOWN:
		scroll(p, 1, a == ACT_UP);
		return true;
	case ACT_PAGE_UP:
	case ACT_PAGE_DOWN:
		scroll(p, page, a == ACT_PAGE_UP);
		return true;
	case ACT_TOP:
	case ACT_BOTTOM:
		pager_go(p, a == ACT_TOP ? 0 : p->size);
		return true;
	case ACT_LEFT:
		p->left -= MIN(p->left, SIDEWAYS);
		return true;
	case ACT_RIGHT:
		p->left += SIDEWAYS;
		return true;
	case ACT_HEX:
		p->hex = !p->hex;
		p->left = 0;
		pager_settle(p, p->height);
		return true;
	default:
		return false;
	}
}

/* -- what is in a row */

static void text_row(const struct pager *p, size_t i, struct buf *out)
{
	size_t from = p->lines[i].at, col = 0;
	size_t to = i + 1 < p->n_lines ? p->lines[i + 1].at : p->window.len;
	const char *data = p->window.data;

	if (to > from && data[to - 1] == '\n')
		to--;
	for (size_t at = from; at < to;) {
		const char *tab = memchr(data + at, '\t', to - at);
		size_t n = tab ? (size_t)(tab - data) - at : to - at;

		buf_add(out, data + at, n);
		col += width_text(data + at, n);
		at += n;
		if (at == to)
			break;
		do
			buf_addch(out, ' ');
		while (++col % TAB);
		at++;
	}
}

static void hex_row(const struct pager *p, size_t i, struct buf *out)
{
	size_t at = i * PAGER_HEX_ROW;
	size_t n = MIN((size_t)PAGER_HEX_ROW, p->window.len - at);
	const unsigned char *s = (const unsigned char *)p->window.data + at;

	buf_addf(out, "%08llx", (unsigned long long)(p->base + at));
	for (size_t x = 0; x < PAGER_HEX_ROW; x++)
		if (x < n)
			buf_addf(out, "%s%02x", x % 8 ? " " : "  ", s[x]);
		else
			buf_addstr(out, x % 8 ? "   " : "    ");
	buf_addstr(out, "  ");
	for (size_t x = 0; x < n; x++)
		buf_addch(out, isprint(s[x]) && s[x] < 0x80 ? (char)s[x] :
							      '.');
}

void pager_row(const struct pager *p, size_t i, struct buf *out)
{
	if (i >= pager_rows(p))
		return;
	if (p->hex)
		hex_row(p, i, out);
	else
		text_row(p, i, out);
}

/* -- searching */

void pager_pattern(const char *text, bool hex, struct buf *out)
{
	const char *p = text;

	while (hex && isxdigit((unsigned char)p[0]) &&
	       isxdigit((unsigned char)p[1]) &&
	       (p[2] == ' ' || p[2] == '\0')) {
		const char pair[] = { p[0], p[1], '\0' };

		buf_addch(out, (char)strtol(pair, NULL, 16));
		p += p[2] ? 3 : 2;
	}
	if (*p || !hex) { /* it is text after all */
		buf_clear(out);
		buf_addstr(out, text);
	}
}

static bool same(const char *a, const struct buf *what)
{
	return memchr(what->data, '\0', what->len) ?
		       memcmp(a, what->data, what->len) == 0 :
		       strncasecmp(a, what->data, what->len) == 0;
}

size_t pager_find(const char *data, size_t from, size_t to,
		  const struct buf *what, bool back)
{
	if (!what->len || to < what->len)
		return SIZE_MAX;
	to -= what->len - 1;
	for (size_t k = from; k < to; k++) {
		size_t i = back ? to - 1 - (k - from) : k;

		if (same(data + i, what))
			return i;
	}
	return SIZE_MAX;
}
