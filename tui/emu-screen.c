/* SPDX-License-Identifier: MIT */
/*
 * The cells of the emulator: writing, erasing, scrolling.  Every position is
 * clamped by the callers in emu-csi.c; the counts here may be anything.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/escape.h"
#include "lib/base/mem.h"
#include "lib/base/width.h"
#include "tui/emu-internal.h"

#define REPLACEMENT 0xfffd

void emu_screen_init(struct emu_screen *s, int rows, int cols)
{
	s->lines = xcalloc((size_t)rows, sizeof(*s->lines));
	s->store = xcalloc((size_t)rows * (size_t)cols, sizeof(*s->store));
	for (int r = 0; r < rows; r++) {
		s->lines[r].cells = s->store + (size_t)r * (size_t)cols;
		s->lines[r].fill = CELL_BLANK;
	}
}

void emu_screen_release(struct emu_screen *s)
{
	free(s->lines);
	free(s->store);
	*s = (struct emu_screen){ 0 };
}

/* A blank with the background of the pen, as terminals with "bce" have it. */
static struct cell blank(const struct emu *e)
{
	struct cell c = CELL_BLANK;

	c.bg = e->pen.bg;
	return c;
}

static void clear_line(struct emu_line *l, struct cell fill)
{
	l->fill = fill;
	l->used = 0;
	l->wrapped = false;
}

void emu_screen_clear(struct emu *e, struct emu_screen *s)
{
	for (int r = 0; r < e->nrows; r++)
		clear_line(&s->lines[r], blank(e));
}

void emu_line_reach(struct emu_line *l, int n)
{
	while (l->used < n)
		l->cells[l->used++] = l->fill;
}

static struct emu_line *line(const struct emu *e, int row)
{
	return &e->screen->lines[row];
}

/* Let no wide character lie across the left edge of column col. */
static void split(struct emu_line *l, int col)
{
	struct cell *c = l->cells + col;

	if (col <= 0 || col >= l->used || !(c->attr & CELL_TAIL))
		return;
	for (int i = -1; i <= 0; i++) {
		c[i].cp = ' ';
		c[i].mark1 = c[i].mark2 = 0;
		c[i].attr &= CELL_STYLE_ATTRS;
	}
}

static void wrap(struct emu *e)
{
	line(e, e->row)->wrapped = true;
	e->col = 0;
	e->pending = false;
	emu_index(e);
}

static void advance(struct emu *e, int n)
{
	e->col += n;
	if (e->col >= e->ncols) {
		e->col = e->ncols - 1;
		e->pending = e->modes & EMU_MODE_WRAP;
	}
}

/* Where a character of this width goes: there's room for it at e->col. */
static void make_room(struct emu *e, int width)
{
	if (e->pending)
		wrap(e);
	if (e->col + width > e->ncols) {
		if (e->modes & EMU_MODE_WRAP)
			wrap(e);
		else
			e->col = e->ncols - width;
	}
	if (e->modes & EMU_MODE_INSERT)
		emu_insert_cells(e, width);
}

static void put_cell(struct emu *e, struct cell c, int width)
{
	struct emu_line *l;

	if (width > e->ncols) {
		c.cp = REPLACEMENT;
		width = 1;
	}
	make_room(e, width);
	l = line(e, e->row);
	emu_line_reach(l, e->col + width);
	split(l, e->col);
	split(l, e->col + width);
	if (width == 2) {
		c.attr |= CELL_WIDE;
		l->cells[e->col + 1] = c;
		l->cells[e->col + 1].cp = 0;
		l->cells[e->col + 1].attr ^= CELL_WIDE | CELL_TAIL;
	}
	l->cells[e->col] = c;
	if (e->col + width == e->ncols)
		l->wrapped = false;
	advance(e, width);
}

/* A mark goes to the character before the cursor. */
static void put_mark(struct emu *e, uint32_t cp)
{
	struct emu_line *l = line(e, e->row);
	int col = e->pending ? e->col : e->col - 1;

	if (col < 0 || col >= l->used)
		return;
	if (l->cells[col].attr & CELL_TAIL)
		col--;
	if (!l->cells[col].mark1)
		l->cells[col].mark1 = cp;
	else if (!l->cells[col].mark2)
		l->cells[col].mark2 = cp;
}

/* Variation selectors: terminals differ in what they do to the width. */
static bool is_selector(uint32_t cp)
{
	return (cp >= 0xfe00 && cp <= 0xfe0f) ||
	       (cp >= 0xe0100 && cp <= 0xe01ef);
}

void emu_put(struct emu *e, uint32_t cp)
{
	static const uint16_t drawing[] = { /* from '_' on */
		0x20, 0x25c6, 0x2592, 0x2409, 0x240c, 0x240d, 0x240a, 0xb0,
		0xb1, 0x2424, 0x240b, 0x2518, 0x2510, 0x250c, 0x2514, 0x253c,
		0x23ba, 0x23bb, 0x2500, 0x23bc, 0x23bd, 0x251c, 0x2524, 0x2534,
		0x252c, 0x2502, 0x2264, 0x2265, 0x3c0, 0x2260, 0xa3, 0xb7,
	};
	unsigned width;

	if (cp >= '_' && cp <= '~' && e->line_drawing[e->shift])
		cp = drawing[cp - '_'];
	if (escape_is_deceptive(cp) || is_selector(cp))
		return;
	width = width_char(cp);
	if (!width) {
		put_mark(e, cp);
		return;
	}
	e->last = e->pen;
	e->last.cp = cp;
	put_cell(e, e->last, (int)width);
}

/* Printable ASCII, which most output is: a row's worth at a time. */
void emu_put_ascii(struct emu *e, const char *s, size_t n)
{
	if (e->line_drawing[e->shift] || (e->modes & EMU_MODE_INSERT)) {
		for (size_t i = 0; i < n; i++)
			emu_put(e, (unsigned char)s[i]);
		return;
	}
	while (n) {
		struct cell c = e->pen;
		struct emu_line *l;
		int k;

		if (e->pending)
			wrap(e);
		l = line(e, e->row);
		k = (int)MIN(n, (size_t)(e->ncols - e->col));
		emu_line_reach(l, e->col);
		split(l, e->col);
		split(l, e->col + k);
		for (int i = 0; i < k; i++) {
			c.cp = (unsigned char)s[i];
			l->cells[e->col + i] = c;
		}
		l->used = MAX(l->used, e->col + k);
		if (e->col + k == e->ncols)
			l->wrapped = false;
		e->last = c;
		advance(e, k);
		s += k;
		n -= (size_t)k;
	}
}

void emu_insert_cells(struct emu *e, int n)
{
	struct emu_line *l = line(e, e->row);
	int room = e->ncols - e->col;

	n = MIN(n, room);
	emu_line_reach(l, e->ncols);
	split(l, e->col);
	split(l, e->ncols - n);
	memmove(l->cells + e->col + n, l->cells + e->col,
		(size_t)(room - n) * sizeof(*l->cells));
	for (int i = 0; i < n; i++)
		l->cells[e->col + i] = blank(e);
	l->wrapped = false;
}

void emu_delete_cells(struct emu *e, int n)
{
	struct emu_line *l = line(e, e->row);
	int room = e->ncols - e->col;

	n = MIN(n, room);
	emu_line_reach(l, e->ncols);
	split(l, e->col);
	split(l, e->col + n);
	memmove(l->cells + e->col, l->cells + e->col + n,
		(size_t)(room - n) * sizeof(*l->cells));
	for (int i = e->ncols - n; i < e->ncols; i++)
		l->cells[i] = blank(e);
	l->wrapped = false;
}

void emu_erase(struct emu *e, int row, int from, int to)
{
	struct emu_line *l = line(e, row);

	to = MIN(to, e->ncols);
	emu_line_reach(l, from);
	split(l, from);
	if (to == e->ncols) {
		l->used = from;
		l->fill = blank(e);
		l->wrapped = false;
		return;
	}
	emu_line_reach(l, to);
	split(l, to);
	for (int i = from; i < to; i++)
		l->cells[i] = blank(e);
}

void emu_erase_rows(struct emu *e, int from, int to)
{
	for (int r = from; r < to; r++)
		clear_line(line(e, r), blank(e));
}

/* Rows [from, from + n) go behind those up to `end`. */
static void rotate(struct emu_line *lines, int from, int end, int n)
{
	struct emu_line kept[64];

	while (n > 0) {
		int k = MIN(n, (int)ARRAY_SIZE(kept));

		memcpy(kept, lines + from, (size_t)k * sizeof(*kept));
		memmove(lines + from, lines + from + k,
			(size_t)(end - from - k) * sizeof(*kept));
		memcpy(lines + end - k, kept, (size_t)k * sizeof(*kept));
		n -= k;
	}
}

void emu_scroll(struct emu *e, int top, int bottom, int n)
{
	int height = bottom - top + 1;
	struct emu_line *lines = e->screen->lines;

	n = n < 0 ? MAX(n, -height) : MIN(n, height);
	if (n < 0) {
		rotate(lines, top, bottom + 1, height + n);
		emu_erase_rows(e, top, top - n);
	} else {
		rotate(lines, top, bottom + 1, n);
		emu_erase_rows(e, bottom + 1 - n, bottom + 1);
	}
	/* What was joined across an edge is no more. */
	if (top > 0)
		lines[top - 1].wrapped = false;
	lines[bottom].wrapped = false;
}

void emu_index(struct emu *e)
{
	if (e->row == e->bottom) {
		if (e->top == 0 && e->screen == &e->main)
			emu_history_push(&e->history, line(e, 0));
		emu_scroll(e, e->top, e->bottom, 1);
	} else if (e->row < e->nrows - 1) {
		e->row++;
	}
}

void emu_reverse_index(struct emu *e)
{
	if (e->row == e->top)
		emu_scroll(e, e->top, e->bottom, -1);
	else if (e->row > 0)
		e->row--;
}

/* DECALN: a screen full of E. */
void emu_align(struct emu *e)
{
	struct cell c = CELL_BLANK;

	c.cp = 'E';
	for (int r = 0; r < e->nrows; r++)
		clear_line(line(e, r), c);
}
