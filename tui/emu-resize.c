/* SPDX-License-Identifier: MIT */
/*
 * Another size for a screen: cut or padded at the right, and rows given to
 * or taken from the history at the top.  See emu.h for the rules.
 */
#include <stdlib.h>
#include <string.h>

#include "tui/emu-internal.h"

static bool is_blank(const struct emu_line *l)
{
	if (l->fill.bg || l->fill.cp != ' ')
		return false;
	for (int i = 0; i < l->used; i++)
		if (l->cells[i].cp != ' ' || l->cells[i].bg ||
		    l->cells[i].attr)
			return false;
	return true;
}

static void copy_line(struct emu_line *to, const struct emu_line *from,
		      int cols)
{
	struct cell *last;

	to->fill = from->fill;
	to->used = MIN(from->used, cols);
	to->wrapped = false;
	if (!to->used)
		return;
	memcpy(to->cells, from->cells, (size_t)to->used * sizeof(*to->cells));
	last = &to->cells[to->used - 1];
	if (last->attr & CELL_WIDE) { /* its other half was cut off */
		last->cp = ' ';
		last->mark1 = last->mark2 = 0;
		last->attr &= CELL_STYLE_ATTRS;
	}
}

/* How many rows leave at the top so that `rows` are enough. */
static int rows_to_push(const struct emu *e, const struct emu_screen *s,
			int rows, int cursor)
{
	int surplus = e->nrows - rows, below = e->nrows - 1;

	while (surplus > 0 && below > cursor && is_blank(&s->lines[below])) {
		below--;
		surplus--;
	}
	return MAX(0, MIN(surplus, cursor));
}

/* Rows from the history in front of those there are; how many. */
static int pull(struct emu *e, struct emu_screen *to, int want, int cols)
{
	struct emu_history *h = &e->history;
	int n = 0;

	want = (int)MIN((uint64_t)MAX(want, 0), h->next - h->first);
	for (n = want; n > 0; n--)
		if (!emu_history_pop(h, &to->lines[n - 1], cols))
			break;
	return want;
}

void emu_screen_resize(struct emu *e, struct emu_screen *s, int rows,
		       int cols, int *row, int *col)
{
	struct emu_screen to;
	int pushed = 0, pulled = 0;

	emu_screen_init(&to, rows, cols);
	if (s == &e->main) {
		pushed = rows_to_push(e, s, rows, *row);
		for (int r = 0; r < pushed; r++)
			emu_history_push(&e->history, &s->lines[r]);
		pulled = pull(e, &to, rows - e->nrows, cols);
	}
	for (int r = pushed; r < e->nrows; r++)
		if (r - pushed + pulled < rows)
			copy_line(&to.lines[r - pushed + pulled],
				  &s->lines[r], cols);
	emu_screen_release(s);
	*s = to;
	*row = MAX(0, MIN(*row - pushed + pulled, rows - 1));
	*col = MIN(*col, cols - 1);
}
