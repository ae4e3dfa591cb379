/* SPDX-License-Identifier: MIT */
/* The emulator as others see it: making, resizing, reading.  See emu.h. */
#include "tui/emu.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "tui/emu-internal.h"

static int clamp(int n, int high)
{
	return MAX(1, MIN(n, high));
}

static void default_tabs(struct emu *e, int from)
{
	for (int c = from; c < LIMIT_EMU_COLS; c++)
		e->tabs[c] = c % 8 == 0 && c;
}

void emu_soft_reset(struct emu *e)
{
	bool alt = e->screen == &e->alt;

	e->modes = (e->modes & EMU_MODE_ALT) | EMU_MODE_WRAP |
		   EMU_MODE_VISIBLE;
	e->events |= EMU_MODES;
	e->top = 0;
	e->bottom = e->nrows - 1;
	e->pen = CELL_BLANK;
	e->pending = false;
	e->line_drawing[0] = e->line_drawing[1] = false;
	e->shift = 0;
	e->shape = EMU_CURSOR_DEFAULT;
	e->blink = true;
	e->saved[alt] = (struct emu_saved){ .pen = CELL_BLANK };
}

void emu_full_reset(struct emu *e)
{
	e->screen = &e->main;
	e->modes = 0;
	emu_soft_reset(e);
	emu_screen_clear(e, &e->main);
	emu_screen_clear(e, &e->alt);
	emu_move(e, 0, 0);
	e->saved[1] = e->saved[0];
	e->last = (struct cell){ 0 };
	default_tabs(e, 0);
	e->title[0] = e->title_saved[0] = '\0';
	e->events |= EMU_TITLE;
}

void emu_reset(struct emu *e)
{
	emu_full_reset(e);
	e->parser = (struct emu_parser){ 0 };
	e->reply_len = 0;
	e->events = EMU_DAMAGE | EMU_MODES | EMU_TITLE;
}

struct emu *emu_new(int rows, int cols, const struct emu_options *options)
{
	struct emu *e = xcalloc(1, sizeof(*e));

	e->nrows = clamp(rows, LIMIT_EMU_ROWS);
	e->ncols = clamp(cols, LIMIT_EMU_COLS);
	emu_screen_init(&e->main, e->nrows, e->ncols);
	emu_screen_init(&e->alt, e->nrows, e->ncols);
	emu_history_init(&e->history, options);
	emu_reset(e);
	return e;
}

void emu_keep(struct emu *e, const struct emu_options *options)
{
	emu_history_limit(&e->history, options);
}

void emu_free(struct emu *e)
{
	if (!e)
		return;
	emu_screen_release(&e->main);
	emu_screen_release(&e->alt);
	emu_history_release(&e->history);
	free(e);
}

void emu_free_cleanup(struct emu **e)
{
	emu_free(*e);
}

void emu_resize(struct emu *e, int rows, int cols)
{
	bool alt = e->screen == &e->alt;
	struct emu_saved *hidden = &e->saved[!alt];

	rows = clamp(rows, LIMIT_EMU_ROWS);
	cols = clamp(cols, LIMIT_EMU_COLS);
	if (rows == e->nrows && cols == e->ncols)
		return;
	hidden->row = MIN(hidden->row, e->nrows - 1);
	emu_screen_resize(e, &e->main, rows, cols,
			  alt ? &hidden->row : &e->row,
			  alt ? &hidden->col : &e->col);
	emu_screen_resize(e, &e->alt, rows, cols,
			  alt ? &e->row : &hidden->row,
			  alt ? &e->col : &hidden->col);
	if (cols > e->ncols)
		default_tabs(e, e->ncols);
	e->nrows = rows;
	e->ncols = cols;
	e->top = 0;
	e->bottom = rows - 1;
	e->pending = hidden->pending = false;
	e->events |= EMU_DAMAGE;
}

void emu_save(struct emu *e)
{
	e->saved[e->screen == &e->alt] = (struct emu_saved){
		.row = e->row, .col = e->col, .pen = e->pen,
		.pending = e->pending, .origin = e->modes & EMU_MODE_ORIGIN,
		.line_drawing = { e->line_drawing[0], e->line_drawing[1] },
		.shift = e->shift,
	};
}

void emu_restore(struct emu *e)
{
	const struct emu_saved *s = &e->saved[e->screen == &e->alt];

	emu_set_mode(e, EMU_MODE_ORIGIN, s->origin);
	emu_move(e, s->row, s->col);
	e->pending = s->pending && e->col == e->ncols - 1 &&
		     (e->modes & EMU_MODE_WRAP);
	e->pen = s->pen;
	memcpy(e->line_drawing, s->line_drawing, sizeof(e->line_drawing));
	e->shift = s->shift;
}

int emu_rows(const struct emu *e)
{
	return e->nrows;
}

int emu_cols(const struct emu *e)
{
	return e->ncols;
}

const struct cell *emu_row(const struct emu *e, int row)
{
	struct emu_line *l = &e->screen->lines[row];

	emu_line_reach(l, e->ncols);
	return l->cells;
}

struct emu_cursor emu_cursor(const struct emu *e)
{
	return (struct emu_cursor){
		.row = e->row, .col = e->col,
		.visible = e->modes & EMU_MODE_VISIBLE,
		.blink = e->blink, .shape = e->shape,
	};
}

unsigned emu_modes(const struct emu *e)
{
	return e->modes;
}

const char *emu_title(const struct emu *e)
{
	return e->title;
}

unsigned emu_events(struct emu *e)
{
	unsigned events = e->events;

	e->events = 0;
	return events;
}

const char *emu_reply(const struct emu *e, size_t *ret_n)
{
	*ret_n = e->reply_len;
	return e->reply;
}

void emu_reply_clear(struct emu *e)
{
	e->reply_len = 0;
}

uint64_t emu_first(const struct emu *e)
{
	return e->history.first;
}

uint64_t emu_top(const struct emu *e)
{
	return e->history.next;
}

int emu_line(const struct emu *e, uint64_t number, struct cell *out, int cols)
{
	uint64_t top = emu_top(e);
	struct emu_line l = { .cells = out };

	if (cols < 0 || number >= top + (uint64_t)e->nrows)
		return -1;
	if (number < top) {
		if (!emu_history_get(&e->history, number, &l, cols))
			return -1;
	} else {
		const struct emu_line *from = &e->screen->lines[number - top];

		l = *from;
		l.cells = out;
		l.used = MIN(l.used, cols);
		memcpy(out, from->cells, (size_t)l.used * sizeof(*out));
		if (l.used && out[l.used - 1].attr & CELL_WIDE) {
			out[l.used - 1].cp = ' ';
			out[l.used - 1].attr &= CELL_STYLE_ATTRS;
		}
	}
	emu_line_reach(&l, cols);
	return l.wrapped;
}

static const char *check_line(const struct emu *e, const struct emu_line *l)
{
	if (l->used < 0 || l->used > e->ncols)
		return "a line is longer than the screen";
	if (l->fill.attr & (CELL_WIDE | CELL_TAIL) || l->fill.cp < ' ')
		return "a fill is no blank";
	for (int i = 0; i < l->used; i++) {
		const struct cell *c = &l->cells[i];
		bool wide = c->attr & CELL_WIDE, tail = c->attr & CELL_TAIL;
		bool after = i > 0 && c[-1].attr & CELL_WIDE;

		if (tail != after || (wide && (tail || i + 1 >= l->used)))
			return "half of a wide character";
		if (tail ? c->cp != 0 : c->cp < ' ')
			return "a cell without a character";
		if (c->mark2 && !c->mark1)
			return "a second mark alone";
	}
	return NULL;
}

const char *emu_check(const struct emu *e)
{
	const struct emu_screen *screens[] = { &e->main, &e->alt };

	if (e->row < 0 || e->row >= e->nrows || e->col < 0 ||
	    e->col >= e->ncols)
		return "the cursor is outside";
	if (e->top < 0 || e->top > e->bottom || e->bottom >= e->nrows)
		return "the region is outside";
	if (e->pending && e->col != e->ncols - 1)
		return "a wrap is pending inside of a line";
	if (e->history.first > e->history.next ||
	    e->history.next - e->history.first > e->history.max_lines)
		return "more history than there may be";
	for (size_t s = 0; s < ARRAY_SIZE(screens); s++)
		for (int r = 0; r < e->nrows; r++) {
			const char *why = check_line(e,
						     &screens[s]->lines[r]);
			if (why)
				return why;
		}
	return NULL;
}
