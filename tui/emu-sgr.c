/* SPDX-License-Identifier: MIT */
/*
 * SGR: what the pen looks like.  Colours come as 38;5;n and 38;2;r;g;b, where
 * the numbers are parameters of their own, and as 38:5:n, 38:2:r:g:b and
 * 38:2:space:r:g:b, where they belong to the 38.
 */
#include "tui/emu-internal.h"

/* One past the parameters joined to i with colons. */
static unsigned group_end(const struct emu_parser *p, unsigned i)
{
	for (i++; i < p->nparams && p->colon >> i & 1;)
		i++;
	return i;
}

static bool rgb(const uint16_t *v, uint32_t *ret_colour)
{
	if (v[0] > 255 || v[1] > 255 || v[2] > 255)
		return false;
	*ret_colour = COLOUR_RGB((uint32_t)v[0] << 16 | (uint32_t)v[1] << 8 |
				 v[2]);
	return true;
}

/* The colour that the 38 or 48 at i begins; how many parameters it took. */
static unsigned colour(const struct emu_parser *p, unsigned i,
		       uint32_t *ret_colour)
{
	unsigned end = group_end(p, i), n = end - i;
	const uint16_t *v = p->params + i;
	bool colons = n > 1;

	if (!colons)
		n = p->nparams - i;
	if (n >= 3 && v[1] == 5) {
		if (v[2] <= 255)
			*ret_colour = COLOUR_PALETTE((uint32_t)v[2]);
		return colons ? n : 3;
	}
	if (n >= 5 && v[1] == 2) {
		rgb(v + (colons && n > 5 ? 3 : 2), ret_colour);
		return colons ? n : 5;
	}
	return n; /* not understood: nothing after it can be either */
}

static void attr(struct emu *e, unsigned mask, bool on)
{
	if (on)
		e->pen.attr |= mask;
	else
		e->pen.attr &= ~mask;
}

static void style(struct emu *e, unsigned n)
{
	static const unsigned masks[] = {
		[1] = CELL_BOLD, [2] = CELL_DIM, [3] = CELL_ITALIC,
		[4] = CELL_UNDERLINE, [5] = CELL_BLINK, [6] = CELL_BLINK,
		[7] = CELL_REVERSE, [8] = CELL_HIDDEN, [9] = CELL_STRIKE,
	};

	if (n == 0)
		e->pen = CELL_BLANK;
	else if (n <= 9)
		attr(e, masks[n], true);
	else if (n == 21)
		attr(e, CELL_UNDERLINE, true);
	else if (n == 22)
		attr(e, CELL_BOLD | CELL_DIM, false);
	else if (n >= 23 && n <= 29)
		attr(e, masks[n - 20], false);
	else if (n >= 30 && n <= 37)
		e->pen.fg = COLOUR_PALETTE(n - 30);
	else if (n == 39)
		e->pen.fg = COLOUR_DEFAULT;
	else if (n >= 40 && n <= 47)
		e->pen.bg = COLOUR_PALETTE(n - 40);
	else if (n == 49)
		e->pen.bg = COLOUR_DEFAULT;
	else if (n >= 90 && n <= 97)
		e->pen.fg = COLOUR_PALETTE(n - 90 + 8);
	else if (n >= 100 && n <= 107)
		e->pen.bg = COLOUR_PALETTE(n - 100 + 8);
}

void emu_sgr(struct emu *e)
{
	const struct emu_parser *p = &e->parser;

	if (!p->nparams)
		style(e, 0);
	for (unsigned i = 0; i < p->nparams;) {
		unsigned n = p->params[i], end = group_end(p, i);
		uint32_t c = n == 38 ? (uint32_t)e->pen.fg :
				       (uint32_t)e->pen.bg;

		if (n == 38 || n == 48 || n == 58) {
			end = i + colour(p, i, &c);
			if (n == 38)
				e->pen.fg = c;
			else if (n == 48)
				e->pen.bg = c;
		} else if (n == 4 && end > i + 1) { /* 4:0 is no underline */
			attr(e, CELL_UNDERLINE, p->params[i + 1]);
		} else {
			style(e, n);
		}
		i = end;
	}
}
