/* SPDX-License-Identifier: MIT */
/*
 * Control sequences carried out.  One switch over leader, intermediate and
 * final byte; whatever is not in it does nothing.
 */
#include <string.h>

#include "tui/emu-internal.h"

#define SEQUENCE(leader, inter, final) \
	((unsigned)(leader) << 16 | (unsigned)(inter) << 8 | (unsigned)(final))

/* Parameter i; what is missing or 0 is `otherwise`. */
static int param(const struct emu *e, unsigned i, int otherwise)
{
	const struct emu_parser *p = &e->parser;

	return i < p->nparams && p->params[i] ? p->params[i] : otherwise;
}

static int clamp(int n, int low, int high)
{
	return MAX(low, MIN(n, high));
}

void emu_move(struct emu *e, int row, int col)
{
	e->row = clamp(row, 0, e->nrows - 1);
	e->col = clamp(col, 0, e->ncols - 1);
	e->pending = false;
}

/* To a place counted from 1, in the region when that is the origin. */
static void move_to(struct emu *e, int row, int col)
{
	if (e->modes & EMU_MODE_ORIGIN)
		row = clamp(row + e->top, e->top + 1, e->bottom + 1);
	emu_move(e, row - 1, col - 1);
}

/* Up and down stop at the edge of the region when they begin inside. */
static void move_rows(struct emu *e, int n, int col)
{
	int top = e->row >= e->top ? e->top : 0;
	int bottom = e->row <= e->bottom ? e->bottom : e->nrows - 1;

	emu_move(e, clamp(e->row + n, top, bottom), col);
}

void emu_tab(struct emu *e, int n)
{
	int col = e->col, step = n < 0 ? -1 : 1;

	for (n *= step; n > 0 && col + step >= 0 && col + step < e->ncols; n--)
		do
			col += step;
		while (col > 0 && col < e->ncols - 1 && !e->tabs[col]);
	if (col != e->col)
		emu_move(e, e->row, col);
}

static void clear_tabs(struct emu *e, int what)
{
	if (what == 0)
		e->tabs[e->col] = false;
	else if (what == 3)
		memset(e->tabs, 0, sizeof(e->tabs));
}

static void erase_display(struct emu *e, int what)
{
	if (what == 0) {
		emu_erase(e, e->row, e->col, e->ncols);
		emu_erase_rows(e, e->row + 1, e->nrows);
	} else if (what == 1) {
		emu_erase_rows(e, 0, e->row);
		emu_erase(e, e->row, 0, e->col + 1);
	} else if (what == 2) {
		emu_erase_rows(e, 0, e->nrows);
	} else if (what == 3) {
		emu_history_clear(&e->history);
	}
}

static void erase_line(struct emu *e, int what)
{
	if (what == 0)
		emu_erase(e, e->row, e->col, e->ncols);
	else if (what == 1)
		emu_erase(e, e->row, 0, e->col + 1);
	else if (what == 2)
		emu_erase(e, e->row, 0, e->ncols);
}

static void insert_lines(struct emu *e, int n)
{
	if (e->row < e->top || e->row > e->bottom)
		return;
	emu_scroll(e, e->row, e->bottom, n);
	emu_move(e, e->row, 0);
}

static void scroll_up(struct emu *e, int n)
{
	n = MIN(n, e->bottom - e->top + 1);
	for (int r = 0; r < n && !e->top && e->screen == &e->main; r++)
		emu_history_push(&e->history, &e->screen->lines[r]);
	emu_scroll(e, e->top, e->bottom, n);
}

static void set_region(struct emu *e, int top, int bottom)
{
	bottom = MIN(bottom, e->nrows);
	if (top >= bottom)
		return;
	e->top = top - 1;
	e->bottom = bottom - 1;
	move_to(e, 1, 1);
}

/* Once a row is enough for any use, and what one sequence may cost. */
static void repeat(struct emu *e, int n)
{
	struct cell pen = e->pen;
	uint32_t cp = (uint32_t)e->last.cp;

	if (!cp)
		return;
	e->pen = e->last;
	e->pen.cp = ' ';
	for (n = MIN(n, e->ncols); n > 0; n--)
		emu_put(e, cp);
	e->pen = pen;
}

static void set_shape(struct emu *e, int n)
{
	static const enum emu_cursor_shape shapes[] = {
		EMU_CURSOR_DEFAULT, EMU_CURSOR_BLOCK, EMU_CURSOR_BLOCK,
		EMU_CURSOR_UNDERLINE, EMU_CURSOR_UNDERLINE, EMU_CURSOR_BAR,
		EMU_CURSOR_BAR,
	};

	if (n >= (int)ARRAY_SIZE(shapes))
		return;
	e->shape = shapes[n];
	e->blink = n == 0 || n % 2;
}

static void window(struct emu *e)
{
	int what = param(e, 0, 0);

	if (what == 18) {
		emu_answer(e, "\033[8;%d;%dt", e->nrows, e->ncols);
	} else if (what == 22) {
		memcpy(e->title_saved, e->title, sizeof(e->title));
	} else if (what == 23) {
		memcpy(e->title, e->title_saved, sizeof(e->title));
		e->events |= EMU_TITLE;
	}
}

static void report_status(struct emu *e, bool private)
{
	int row = e->row - (e->modes & EMU_MODE_ORIGIN ? e->top : 0);

	if (param(e, 0, 0) == 5 && !private)
		emu_answer(e, "\033[0n");
	else if (param(e, 0, 0) == 6)
		emu_answer(e, "\033[%s%d;%dR", private ? "?" : "", row + 1,
			   e->col + 1);
}

static void modes(struct emu *e, bool private, bool on)
{
	for (unsigned i = 0; i < e->parser.nparams; i++) {
		unsigned n = e->parser.params[i];

		if (private)
			emu_private_mode(e, n, on);
		else if (n == 4)
			emu_set_mode(e, EMU_MODE_INSERT, on);
		else if (n == 20)
			emu_set_mode(e, EMU_MODE_NEWLINE, on);
	}
}

static void csi_move(struct emu *e, char final)
{
	int n = param(e, 0, 1), m = param(e, 1, 1);

	switch (final) {
	case 'A':
		move_rows(e, -n, e->col);
		break;
	case 'B':
	case 'e':
		move_rows(e, n, e->col);
		break;
	case 'C':
	case 'a':
		emu_move(e, e->row, e->col + n);
		break;
	case 'D':
		emu_move(e, e->row, e->col - n);
		break;
	case 'E':
		move_rows(e, n, 0);
		break;
	case 'F':
		move_rows(e, -n, 0);
		break;
	case 'G':
	case '`':
		emu_move(e, e->row, n - 1);
		break;
	case 'H':
	case 'f':
		move_to(e, n, m);
		break;
	case 'I':
		emu_tab(e, n);
		break;
	case 'Z':
		emu_tab(e, -n);
		break;
	case 'd':
		move_to(e, n, e->col + 1);
		break;
	}
}

static void csi_edit(struct emu *e, char final)
{
	int n = param(e, 0, 1), what = param(e, 0, 0);

	switch (final) {
	case '@':
		emu_insert_cells(e, n);
		break;
	case 'J':
		erase_display(e, what);
		break;
	case 'K':
		erase_line(e, what);
		break;
	case 'L':
		insert_lines(e, -n);
		break;
	case 'M':
		insert_lines(e, n);
		break;
	case 'P':
		emu_delete_cells(e, n);
		break;
	case 'S':
		scroll_up(e, n);
		break;
	case 'T':
		if (e->parser.nparams <= 1) /* more: highlighting */
			emu_scroll(e, e->top, e->bottom, -n);
		break;
	case 'X':
		emu_erase(e, e->row, e->col, MIN(e->col + n, e->ncols));
		break;
	case 'b':
		repeat(e, n);
		break;
	}
}

static void csi_other(struct emu *e, unsigned sequence)
{
	switch (sequence) {
	case SEQUENCE(0, 0, 'c'):
		if (!param(e, 0, 0))
			emu_answer(e, "\033[?62;22c");
		break;
	case SEQUENCE('>', 0, 'c'):
		if (!param(e, 0, 0)) /* of xterm's: vim takes SGR mouse */
			emu_answer(e, "\033[>0;277;0c");
		break;
	case SEQUENCE(0, 0, 'g'):
		clear_tabs(e, param(e, 0, 0));
		break;
	case SEQUENCE(0, 0, 'h'):
	case SEQUENCE(0, 0, 'l'):
	case SEQUENCE('?', 0, 'h'):
	case SEQUENCE('?', 0, 'l'):
		modes(e, sequence >> 16, (sequence & 0xff) == 'h');
		break;
	case SEQUENCE(0, 0, 'm'):
		emu_sgr(e);
		break;
	case SEQUENCE(0, 0, 'n'):
	case SEQUENCE('?', 0, 'n'):
		report_status(e, sequence >> 16);
		break;
	case SEQUENCE(0, '$', 'p'):
	case SEQUENCE('?', '$', 'p'):
		emu_report_mode(e, sequence >> 16, (unsigned)param(e, 0, 0));
		break;
	case SEQUENCE(0, '!', 'p'):
		emu_soft_reset(e);
		break;
	case SEQUENCE(0, ' ', 'q'):
		set_shape(e, param(e, 0, 0));
		break;
	case SEQUENCE(0, 0, 'r'):
		set_region(e, param(e, 0, 1), param(e, 1, e->nrows));
		break;
	case SEQUENCE(0, 0, 's'):
		emu_save(e);
		break;
	case SEQUENCE(0, 0, 't'):
		window(e);
		break;
	case SEQUENCE(0, 0, 'u'):
		emu_restore(e);
		break;
	case SEQUENCE('?', 0, 'J'): /* nothing is protected here */
		erase_display(e, param(e, 0, 0));
		break;
	case SEQUENCE('?', 0, 'K'):
		erase_line(e, param(e, 0, 0));
		break;
	}
}

void emu_csi(struct emu *e, char final)
{
	const struct emu_parser *p = &e->parser;

	if (p->bad)
		return;
	if (!p->leader && !p->inter && strchr("ABCDEFGHIZ`adef", final))
		csi_move(e, final);
	else if (!p->leader && !p->inter && strchr("@JKLMPSTXb", final))
		csi_edit(e, final);
	else
		csi_other(e, SEQUENCE(p->leader, p->inter, final));
}
