/* SPDX-License-Identifier: MIT */
/*
 * Lines that left the screen, packed into a ring of bytes.
 *
 * A record is the fill (a whole cell), whether the line goes on (1 byte),
 * then the cells: UTF-8, 0xfe before a style that begins (8 bytes), 0xff
 * before a mark.  Neither byte occurs in UTF-8.  The blank right end is not
 * stored.  A record never lies across the end of the ring.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/utf8.h"
#include "lib/base/width.h"
#include "tui/emu-internal.h"

#define STYLE 0xfe
#define MARK 0xff
#define HEADER (sizeof(struct cell) + 1)
#define CELL_MAX (1 + sizeof(uint64_t) + 3 * (1 + 4))
#define RECORD_MAX (HEADER + LIMIT_EMU_COLS * CELL_MAX)

void emu_history_init(struct emu_history *h, const struct emu_options *o)
{
	*h = (struct emu_history){ 0 };
	h->max_lines = MIN(o->history_lines, LIMIT_EMU_HISTORY_LINES);
	if (!h->max_lines)
		return;
	/* At least room for any one line. */
	h->size = MIN(o->history_bytes, (size_t)LIMIT_EMU_HISTORY_BYTES);
	h->size = MAX(h->size, RECORD_MAX);
	h->ring = xmalloc(h->size);
	h->scratch = xmalloc(RECORD_MAX);
	h->index = xcalloc(h->max_lines, sizeof(*h->index));
}

void emu_history_release(struct emu_history *h)
{
	free(h->ring);
	free(h->scratch);
	free(h->index);
	*h = (struct emu_history){ 0 };
}

/* The bytes stay where they are; what is known of their lines moves. */
static void change_index(struct emu_history *h, unsigned lines)
{
	struct emu_record *index = xcalloc(lines, sizeof(*index));

	if (h->next - h->first > lines)
		h->first = h->next - lines;
	for (uint64_t n = h->first; n < h->next; n++)
		index[n % lines] = h->index[n % h->max_lines];
	free(h->index);
	h->index = index;
	h->max_lines = lines;
}

void emu_history_limit(struct emu_history *h, const struct emu_options *o)
{
	unsigned lines = MIN(o->history_lines, LIMIT_EMU_HISTORY_LINES);
	uint64_t next = h->next;

	if (lines == h->max_lines)
		return;
	if (lines && h->max_lines) {
		change_index(h, lines);
		return;
	}
	emu_history_release(h); /* all there is, or there was nothing */
	emu_history_init(h, o);
	h->first = h->next = next;
}

void emu_history_clear(struct emu_history *h)
{
	h->first = h->next;
}

static struct emu_record *record(const struct emu_history *h, uint64_t number)
{
	return &h->index[number % h->max_lines];
}

static struct cell style_cell(uint64_t style)
{
	struct cell c = { 0 };

	c.fg = style & 0x3ffffff;
	c.bg = style >> 26 & 0x3ffffff;
	c.attr = style >> 52;
	return c;
}

static unsigned char *pack_char(unsigned char *p, uint32_t cp)
{
	return p + utf8_encode(cp, (char *)p);
}

static size_t pack(unsigned char *out, const struct emu_line *l)
{
	unsigned char *p = out;
	uint64_t now = 0;
	int used = l->used;

	while (used && memcmp(&l->cells[used - 1], &l->fill,
			      sizeof(l->fill)) == 0)
		used--;
	memcpy(p, &l->fill, sizeof(l->fill));
	p += sizeof(l->fill);
	*p++ = l->wrapped;
	for (const struct cell *c = l->cells; c < l->cells + used; c++) {
		uint64_t style = emu_style(c);

		if (c->attr & CELL_TAIL)
			continue;
		if (style != now) {
			*p++ = STYLE;
			memcpy(p, &style, sizeof(style));
			p += sizeof(style);
			now = style;
		}
		p = pack_char(p, (uint32_t)c->cp);
		if (c->mark1) {
			*p++ = MARK;
			p = pack_char(p, (uint32_t)c->mark1);
		}
		if (c->mark2) {
			*p++ = MARK;
			p = pack_char(p, (uint32_t)c->mark2);
		}
	}
	return (size_t)(p - out);
}

/* A place for n <= h->size bytes, over the oldest lines if need be. */
static size_t make_room(struct emu_history *h, size_t n)
{
	bool around = h->head + n > h->size;
	size_t at = around ? 0 : h->head;

	if (h->next - h->first == h->max_lines)
		h->first++;
	while (h->first < h->next) {
		const struct emu_record *old = record(h, h->first);

		if (!(around && old->at >= h->head) &&
		    !(old->at >= at && old->at < at + n))
			break;
		h->first++;
	}
	return at;
}

void emu_history_push(struct emu_history *h, const struct emu_line *l)
{
	size_t n, at;

	if (!h->max_lines) {
		h->first = ++h->next;
		return;
	}
	n = pack(h->scratch, l);
	at = make_room(h, n);
	memcpy(h->ring + at, h->scratch, n);
	*record(h, h->next++) = (struct emu_record){
		.at = (uint32_t)at, .size = (uint32_t)n,
	};
	h->head = at + n;
}

/* One character at p into the cells from col on; the next column. */
static int unpack_char(struct emu_line *l, int col, int ncols, struct cell c)
{
	int width = (int)width_char((uint32_t)c.cp);

	if (col + width > ncols) {
		l->cells[col] = l->fill;
		return ncols;
	}
	l->cells[col] = c;
	if (width == 2) {
		l->cells[col].attr |= CELL_WIDE;
		l->cells[col + 1] = c;
		l->cells[col + 1].cp = 0;
		l->cells[col + 1].attr |= CELL_TAIL;
	}
	return col + width;
}

static void unpack_mark(struct emu_line *l, int col, uint32_t cp)
{
	if (col && l->cells[col - 1].attr & CELL_TAIL)
		col--;
	if (!col)
		return;
	if (!l->cells[col - 1].mark1)
		l->cells[col - 1].mark1 = cp;
	else
		l->cells[col - 1].mark2 = cp;
}

static void unpack(struct emu_line *l, int ncols, const unsigned char *p,
		   size_t n)
{
	const unsigned char *end = p + n;
	struct cell style = { 0 };
	int col = 0;

	memcpy(&l->fill, p, sizeof(l->fill));
	l->wrapped = p[sizeof(l->fill)];
	p += HEADER;
	while (p < end && col < ncols) {
		unsigned char kind = *p;
		uint32_t cp = 0;

		p += kind >= STYLE;
		if (kind == STYLE) {
			uint64_t bits;

			memcpy(&bits, p, sizeof(bits));
			style = style_cell(bits);
			p += sizeof(bits);
			continue;
		}
		p += utf8_decode((const char *)p, (size_t)(end - p), &cp);
		if (kind == MARK) {
			unpack_mark(l, col, cp);
			continue;
		}
		style.cp = cp;
		col = unpack_char(l, col, ncols, style);
	}
	l->used = col;
}

bool emu_history_get(const struct emu_history *h, uint64_t number,
		     struct emu_line *l, int ncols)
{
	const struct emu_record *r;

	if (number < h->first || number >= h->next)
		return false;
	r = record(h, number);
	unpack(l, ncols, h->ring + r->at, r->size);
	return true;
}

bool emu_history_pop(struct emu_history *h, struct emu_line *l, int ncols)
{
	if (h->first == h->next || !emu_history_get(h, h->next - 1, l, ncols))
		return false;
	h->next--;
	h->head = record(h, h->next)->at;
	return true;
}
