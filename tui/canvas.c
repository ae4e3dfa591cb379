/* SPDX-License-Identifier: MIT */
/* A grid of cells to draw on.  See canvas.h. */
#include "tui/canvas.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/escape.h"
#include "lib/base/mem.h"
#include "lib/base/utf8.h"
#include "lib/base/width.h"

struct canvas *canvas_new(int rows, int cols)
{
	struct canvas *c = xcalloc(1, sizeof(*c));

	canvas_resize(c, rows, cols);
	return c;
}

void canvas_free(struct canvas *c)
{
	if (!c)
		return;
	free(c->cells);
	free(c);
}

void canvas_free_cleanup(struct canvas **c)
{
	canvas_free(*c);
}

void canvas_resize(struct canvas *c, int rows, int cols)
{
	c->rows = MAX(rows, 1);
	c->cols = MAX(cols, 1);
	free(c->cells);
	c->cells = xcalloc((size_t)c->rows * (size_t)c->cols,
			   sizeof(*c->cells));
	canvas_clear(c);
}

void canvas_clear(struct canvas *c)
{
	for (size_t i = 0; i < (size_t)c->rows * (size_t)c->cols; i++)
		c->cells[i] = CELL_BLANK;
	c->cursor_row = c->cursor_col = 0;
	c->cursor_visible = false;
}

static struct cell *cell_at(const struct canvas *c, int row, int col)
{
	return &c->cells[(size_t)row * (size_t)c->cols + (size_t)col];
}

static void make_blank(struct cell *cell)
{
	cell->cp = ' ';
	cell->mark1 = cell->mark2 = 0;
	cell->attr &= CELL_STYLE_ATTRS;
}

/* Let no wide character lie across the left edge of column col. */
static void split(struct canvas *c, int row, int col)
{
	if (col <= 0 || col >= c->cols ||
	    !(cell_at(c, row, col)->attr & CELL_TAIL))
		return;
	make_blank(cell_at(c, row, col - 1));
	make_blank(cell_at(c, row, col));
}

/* One character of one or two columns, cut at the edges. */
static void put(struct canvas *c, int row, int col, struct cell cell)
{
	bool wide = cell.attr & CELL_WIDE;
	int end = col + 1 + wide;

	if (row < 0 || row >= c->rows || end <= 0 || col >= c->cols)
		return;
	if (col < 0 || end > c->cols) { /* half of it is outside */
		make_blank(&cell);
		put(c, row, col < 0 ? 0 : col, cell);
		return;
	}
	split(c, row, col);
	split(c, row, end);
	*cell_at(c, row, col) = cell;
	if (wide) {
		cell.cp = cell.mark1 = cell.mark2 = 0;
		cell.attr ^= CELL_WIDE | CELL_TAIL;
		*cell_at(c, row, col + 1) = cell;
	}
}

/* Escaped text of which everything fits; the column behind it. */
static int put_text(struct canvas *c, int row, int col, struct cell pen,
		    const char *s, size_t n)
{
	struct cell cell = pen;
	int width = 0;

	while (n) {
		uint32_t cp = 0xfffd;
		int k = utf8_decode(s, n, &cp);
		size_t step = k > 0 ? (size_t)k : 1;
		int w = (int)width_char(cp);

		s += step;
		n -= step;
		if (w == 0) {
			if (width && !cell.mark1)
				cell.mark1 = cp;
			else if (width && !cell.mark2)
				cell.mark2 = cp;
			continue;
		}
		if (width)
			put(c, row, col, cell);
		col += width;
		width = w;
		cell = pen;
		cell.cp = cp;
		cell.attr |= w == 2 ? CELL_WIDE : 0u;
	}
	if (width)
		put(c, row, col, cell);
	return col + width;
}

/* Of text, per column: a character and the marks on it that anybody needs.
 * What is longer isn't looked at: text may be megabytes. */
#define COLUMN_BYTES 32

int canvas_text(struct canvas *c, int row, int col, int width,
		struct cell pen, const char *text)
{
	auto_buf struct buf safe = BUF_INIT;
	size_t fits, used, n;
	int end;

	if (width <= 0)
		return 0;
	n = strnlen(text, ((size_t)width + 1) * COLUMN_BYTES);
	escape_line(&safe, text, n);
	fits = width_fit(buf_str(&safe), safe.len, (size_t)width, &used);
	if (fits == safe.len && !text[n])
		return put_text(c, row, col, pen, buf_str(&safe), fits) - col;
	fits = width_fit(safe.data, safe.len, (size_t)width - 1, &used);
	end = put_text(c, row, col, pen, safe.data, fits);
	pen.cp = '~';
	put(c, row, end, pen);
	return end + 1 - col;
}

int canvas_textf(struct canvas *c, int row, int col, int width,
		 struct cell pen, const char *fmt, ...)
{
	auto_buf struct buf text = BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(&text, fmt, ap);
	va_end(ap);
	return canvas_text(c, row, col, width, pen, buf_str(&text));
}

void canvas_fill(struct canvas *c, int row, int col, int rows, int cols,
		 struct cell pen)
{
	int end_row = MIN(row + rows, c->rows);
	int end_col = MIN(col + cols, c->cols);

	for (int r = MAX(row, 0); r < end_row; r++)
		for (int k = MAX(col, 0); k < end_col; k++)
			put(c, r, k, pen);
}

void canvas_cells(struct canvas *c, int row, int col,
		  const struct cell *cells, int n)
{
	for (int i = 0; i < n; i++) {
		struct cell cell = cells[i];

		if (cell.attr & CELL_TAIL)
			continue;
		if (cell.attr & CELL_WIDE && i + 1 == n)
			make_blank(&cell);
		put(c, row, col + i, cell);
	}
}

void canvas_box(struct canvas *c, int row, int col, int rows, int cols,
		struct cell pen, const char *title)
{
	static const uint16_t shapes[] = { 0x250c, 0x2510, 0x2514, 0x2518 };

	if (rows < 2 || cols < 2)
		return;
	pen.cp = 0x2500;
	canvas_fill(c, row, col, 1, cols, pen);
	canvas_fill(c, row + rows - 1, col, 1, cols, pen);
	pen.cp = 0x2502;
	canvas_fill(c, row, col, rows, 1, pen);
	canvas_fill(c, row, col + cols - 1, rows, 1, pen);
	for (int i = 0; i < 4; i++) {
		pen.cp = shapes[i];
		put(c, i < 2 ? row : row + rows - 1,
		    i % 2 ? col + cols - 1 : col, pen);
	}
	pen.cp = ' ';
	if (title && cols > 6) {
		int n = canvas_text(c, row, col + 2, cols - 5, pen, title);

		put(c, row, col + 1, pen);
		put(c, row, col + 2 + n, pen);
	}
}

void canvas_shade(struct canvas *c, int row, int col, int rows, int cols,
		  enum theme_role background)
{
	int end_row = MIN(row + rows, c->rows);
	int end_col = MIN(col + cols, c->cols);

	for (int r = MAX(row, 0); r < end_row; r++)
		for (int k = MAX(col, 0); k < end_col; k++)
			cell_at(c, r, k)->bg =
				COLOUR_ROLE((uint32_t)background);
}

void canvas_tint(struct canvas *c, int row, int col, int rows, int cols,
		 enum theme_role role)
{
	int end_row = MIN(row + rows, c->rows);
	int end_col = MIN(col + cols, c->cols);

	for (int r = MAX(row, 0); r < end_row; r++)
		for (int k = MAX(col, 0); k < end_col; k++)
			cell_at(c, r, k)->fg = COLOUR_ROLE((uint32_t)role);
}

void canvas_cursor(struct canvas *c, int row, int col)
{
	c->cursor_visible = row >= 0 && row < c->rows && col >= 0 &&
			    col < c->cols;
	if (c->cursor_visible) {
		c->cursor_row = row;
		c->cursor_col = col;
	}
}

void canvas_dump(const struct canvas *c, struct buf *out)
{
	for (int r = 0; r < c->rows; r++) {
		int n = c->cols;

		while (n && cell_at(c, r, n - 1)->cp == ' ')
			n--;
		for (int k = 0; k < n; k++) {
			char text[CELL_TEXT_MAX];

			buf_add(out, text, cell_text(cell_at(c, r, k), text));
		}
		buf_addch(out, '\n');
	}
}
