/* SPDX-License-Identifier: MIT */
/* An editor on the screen.  See edit.h. */
#include <string.h>

#include "lib/base/escape.h"
#include "lib/base/mem.h"
#include "tui/edit.h"

#define SIDE 8    /* the view moves sideways by so much */

/* -- keeping the cursor in view */

/* Commands stand on a unit; typing may stand behind the last one. */
static void settle_cursor(struct edit *e)
{
	size_t len = e->text.text.len;

	e->at = MIN(e->at, len);
	if (e->mode == EDIT_INSERT)
		return;
	if (e->at == len && len && e->text.text.data[len - 1] == '\n')
		e->at = edit_line_last(&e->text);
	if (e->at > edit_line_start(&e->text, e->at) &&
	    e->at == edit_line_end(&e->text, e->at))
		e->at = edit_prev(&e->text, e->at);
}

/* Lines from one place to another, counted to `most`. */
static size_t lines_between(const struct edit *e, size_t from, size_t to,
			    size_t most)
{
	const char *p = buf_str(&e->text.text) + from;
	const char *end = buf_str(&e->text.text) + to;
	size_t n = 0;

	while (n < most && p < end &&
	       (p = memchr(p, '\n', (size_t)(end - p)))) {
		n++;
		p++;
	}
	return n;
}

static void settle_top(struct edit *e)
{
	size_t line = edit_line_start(&e->text, e->at), back = 0, gap;

	e->top = edit_line_start(&e->text, MIN(e->top, e->text.text.len));
	if (line < e->top) {
		gap = lines_between(e, line, e->top, e->rows);
		back = gap < e->rows ? 0 : e->rows / 2;
	} else {
		gap = lines_between(e, e->top, line, 2 * e->rows);
		if (gap < e->rows)
			return;
		/* Near: as little as needed.  Far: into the middle. */
		back = gap < 2 * e->rows ? e->rows - 1 : e->rows / 2;
	}
	e->top = line;
	while (back-- && edit_line_prev(&e->text, e->top, &e->top))
		;
}

static void settle_left(struct edit *e)
{
	size_t col = edit_column(&e->text, e->at);
	size_t width = edit_unit_width(&e->text, e->at, col);

	e->column = col;
	width = MAX(width, 1);
	if (col < e->left)
		e->left = col - col % SIDE;
	if (col + width > e->left + e->cols)
		e->left = (col + width - e->cols + SIDE - 1) / SIDE * SIDE;
	if (e->cols <= width || col < e->left)
		e->left = col;
}

void edit_settle(struct edit *e, int rows, int cols)
{
	rows -= e->mode == EDIT_LINE;
	e->rows = (size_t)MAX(rows, 1);
	e->cols = (size_t)MAX(cols - EDIT_NUMBERS, 1);
	settle_cursor(e);
	settle_top(e);
	settle_left(e);
}

/* -- drawing */

struct line {
	struct canvas *c;
	int row, col, width;
	struct buf run; /* plain text not drawn yet, and where it begins */
	size_t run_at;
};

static void flush(struct line *l)
{
	if (l->run.len)
		canvas_text(l->c, l->row, l->col + (int)l->run_at,
			    l->width - (int)l->run_at, pen_role(ROLE_INK),
			    buf_str(&l->run));
	buf_clear(&l->run);
}

/* One unit at a column of the view. */
static void add_unit(struct line *l, const char *s, size_t n, size_t at)
{
	auto_buf struct buf safe = BUF_INIT;

	if (*s == '\t') {
		flush(l);
		return;
	}
	escape_line(&safe, s, n);
	if (safe.len == n && memcmp(buf_str(&safe), s, n) == 0) {
		if (!l->run.len)
			l->run_at = at;
		buf_add(&l->run, s, n);
		return;
	}
	flush(l);
	canvas_text(l->c, l->row, l->col + (int)at, l->width - (int)at,
		    pen_role(ROLE_ACCENT2), buf_str(&safe));
}

static void view_line(const struct edit *e, struct canvas *c, int row,
		      struct area in, size_t at)
{
	struct line l = { c, row, in.col + EDIT_NUMBERS, in.cols - EDIT_NUMBERS,
			  BUF_INIT, 0 };
	size_t end = edit_line_end(&e->text, at), col = 0, next;

	if (e->left) {
		at = edit_at_column(&e->text, at, e->left);
		col = edit_column(&e->text, at);
	}
	for (; at < end && col < e->left + (size_t)MAX(l.width, 0);
	     at = next) {
		next = edit_next(&e->text, at);
		if (col >= e->left) /* of one cut at the left: nothing */
			add_unit(&l, edit_text_at(&e->text, at), next - at,
				 col - e->left);
		col += edit_unit_width(&e->text, at, col);
	}
	flush(&l);
	buf_release(&l.run);
}

static void view_prompt(const struct edit *e, struct canvas *c,
			struct area in, bool focused)
{
	int row = in.row + in.rows - 1;

	canvas_fill(c, row, in.col, 1, in.cols, pen_role(ROLE_INK));
	canvas_text(c, row, in.col, 1, pen_role(ROLE_ACCENT),
		    (char[2]){ e->prompt, '\0' });
	field_view(&e->line, c, row, in.col + 1, MAX(in.cols - 1, 1),
		   pen_role(ROLE_INK), focused);
}

static void view_cursor(const struct edit *e, struct canvas *c,
			struct area in)
{
	size_t row = lines_between(e, e->top, e->at, e->rows);
	size_t col = e->column;

	if (row < (size_t)in.rows && col >= e->left &&
	    col - e->left < (size_t)MAX(in.cols - EDIT_NUMBERS, 0))
		canvas_cursor(c, in.row + (int)row,
			      in.col + EDIT_NUMBERS + (int)(col - e->left));
}

void edit_view(const struct edit *e, struct canvas *c, struct area in,
	       bool focused)
{
	size_t line = e->top, number = edit_line_number(&e->text, line);
	size_t own = edit_line_start(&e->text, e->at);
	bool more = true;

	for (int i = 0; i < in.rows; i++) {
		if (!more) {
			canvas_text(c, in.row + i, in.col, 1,
				    pen_role(ROLE_FAINT), "~");
			continue;
		}
		canvas_textf(c, in.row + i, in.col, EDIT_NUMBERS,
			     pen_role(line == own ? ROLE_DIM : ROLE_FAINT),
			     "%6zu ", number++);
		view_line(e, c, in.row + i, in, line);
		more = edit_line_next(&e->text, line, &line);
		/* The line that is begun behind the last line end. */
		if (!more && own > line && own == e->text.text.len) {
			line = own;
			more = true;
		}
	}
	if (e->mode == EDIT_LINE)
		view_prompt(e, c, in, focused);
	else if (focused)
		view_cursor(e, c, in);
}

const char *edit_mode_name(const struct edit *e)
{
	return e->mode == EDIT_INSERT ? "INSERT" : "NORMAL";
}

void edit_status(const struct edit *e, struct buf *out)
{
	size_t len = e->text.text.len;

	if (e->pending || e->count)
		buf_addf(out, "%.0u%s  ", e->pending ? e->pending_count :
						       e->count,
			 e->pending == ACT_CUT	       ? "d" :
			 e->pending == ACT_CHANGE      ? "c" :
			 e->pending == ACT_YANK_TEXT   ? "y" : "");
	buf_addf(out, "%zu:%zu", edit_line_number(&e->text, e->at),
		 e->column + 1);
	if (e->text.crlf)
		buf_addstr(out, "  CRLF");
	if (len && e->text.text.data[len - 1] != '\n')
		buf_addstr(out, "  no newline at end");
	if (edit_modified(e))
		buf_addstr(out, "  modified");
}
