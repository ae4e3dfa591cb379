/* SPDX-License-Identifier: MIT */
/* Themes, and colours brought down to palettes.  See theme.h. */
#include "tui/theme.h"

#include <stdbool.h>
#include <string.h>

#include "lib/base/defs.h"

#define RGB COLOUR_RGB
#define P COLOUR_PALETTE

static const struct theme themes[] = {
	{ /* the terminal's own ink and background, and accents halfway
	   * between black and white: to be read on both.  Of the sixteen
	   * that anybody may have changed, yellow is nothing on white. */
	  .name = "auto",
	  .role = { [ROLE_DIM] = { P(243), 0, 0 },
		    [ROLE_FAINT] = { P(8), 0, 0 },
		    [ROLE_LINE] = { P(8), 0, 0 },
		    [ROLE_FOCUS] = { P(130), 0, CELL_BOLD },
		    [ROLE_ACCENT] = { P(130), 0, CELL_BOLD },
		    [ROLE_ACCENT2] = { P(130), 0, 0 },
		    [ROLE_OK] = { P(28), 0, 0 },
		    [ROLE_BAD] = { P(196), 0, CELL_BOLD },
		    [ROLE_SELECTED] = { 0, 0, CELL_REVERSE } } },
	{ .name = "mission",
	  .ink = RGB(0xece7dd), .background = RGB(0x08080a),
	  .role = { [ROLE_DIM] = { RGB(0x7d7d86), 0, 0 },
		    [ROLE_FAINT] = { RGB(0x4a4a52), 0, 0 },
		    [ROLE_LINE] = { RGB(0x4a4a52), 0, 0 },
		    [ROLE_FOCUS] = { RGB(0xffa60c), 0, CELL_BOLD },
		    [ROLE_ACCENT] = { RGB(0xffa60c), 0, CELL_BOLD },
		    [ROLE_ACCENT2] = { RGB(0xff7a1a), 0, 0 },
		    [ROLE_OK] = { RGB(0x22c55e), 0, 0 },
		    [ROLE_BAD] = { RGB(0xff4747), 0, CELL_BOLD },
		    [ROLE_VALUE] = { RGB(0xd7f6e2), 0, 0 },
		    [ROLE_SELECTED] = { 0, RGB(0x33333d), CELL_BOLD } } },
	{ .name = "light",
	  .ink = RGB(0x1a1a1e), .background = RGB(0xffffff),
	  .role = { [ROLE_DIM] = { RGB(0x5f5f68), 0, 0 },
		    [ROLE_FAINT] = { RGB(0xb0b0b8), 0, 0 },
		    [ROLE_LINE] = { RGB(0xb0b0b8), 0, 0 },
		    [ROLE_FOCUS] = { RGB(0x9a5200), 0, CELL_BOLD },
		    [ROLE_ACCENT] = { RGB(0x9a5200), 0, CELL_BOLD },
		    [ROLE_ACCENT2] = { RGB(0xa34400), 0, 0 },
		    [ROLE_OK] = { RGB(0x0b6b2d), 0, 0 },
		    [ROLE_BAD] = { RGB(0xb81c1c), 0, CELL_BOLD },
		    [ROLE_VALUE] = { RGB(0x10502a), 0, 0 },
		    [ROLE_SELECTED] = { 0, RGB(0xe4e2da), CELL_BOLD } } },
	{ .name = "contrast",
	  .ink = RGB(0xffffff), .background = RGB(0x000000),
	  .role = { [ROLE_LINE] = { RGB(0xffffff), 0, 0 },
		    [ROLE_FAINT] = { RGB(0xc0c0c0), 0, 0 },
		    [ROLE_FOCUS] = { RGB(0xffff00), 0, CELL_BOLD },
		    [ROLE_ACCENT] = { RGB(0xffff00), 0, CELL_BOLD },
		    [ROLE_ACCENT2] = { RGB(0xffff00), 0, 0 },
		    [ROLE_OK] = { RGB(0x00ff00), 0, CELL_BOLD },
		    [ROLE_BAD] = { RGB(0xff8080), 0, CELL_BOLD },
		    [ROLE_SELECTED] = { 0, 0, CELL_REVERSE } } },
	{ .name = "mono",
	  .role = { [ROLE_FOCUS] = { 0, 0, CELL_BOLD },
		    [ROLE_ACCENT] = { 0, 0, CELL_BOLD },
		    [ROLE_BAD] = { 0, 0, CELL_BOLD },
		    [ROLE_SELECTED] = { 0, 0, CELL_REVERSE } } },
};

const struct theme *theme_at(unsigned i)
{
	return i < ARRAY_SIZE(themes) ? &themes[i] : NULL;
}

const struct theme *theme_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(themes); i++)
		if (strcmp(themes[i].name, name) == 0)
			return &themes[i];
	return NULL;
}

void theme_adapt(struct theme *t, int colours)
{
	/* Of few colours red alone is told from both; where it's only bold,
	 * a word says the rest. */
	static const uint32_t few[ROLE_MAX] = { [ROLE_DIM] = P(8),
						[ROLE_BAD] = P(1) };

	if (colours >= 256 || t->background)
		return;
	for (unsigned i = 0; i < ROLE_MAX; i++)
		if (t->role[i].fg == themes[0].role[i].fg &&
		    colour_value(t->role[i].fg) >= 16)
			t->role[i].fg = few[i];
}

static const struct theme_style *role_of(const struct theme *t, uint32_t colour)
{
	if (colour_kind(colour) != COLOUR_KIND_ROLE)
		return NULL;
	return &t->role[MIN(colour_value(colour), ROLE_MAX - 1u)];
}

struct cell theme_resolve(const struct theme *t, struct cell c)
{
	const struct theme_style *fg = role_of(t, (uint32_t)c.fg);
	const struct theme_style *bg = role_of(t, (uint32_t)c.bg);

	if (fg) {
		c.fg = fg->fg;
		c.attr |= fg->attr;
	}
	if (bg) {
		c.bg = bg->bg;
		c.attr |= bg->attr;
	}
	if (c.fg == COLOUR_DEFAULT)
		c.fg = t->ink;
	if (c.bg == COLOUR_DEFAULT)
		c.bg = t->background;
	return c;
}

static const uint32_t basic[16] = {
	0x000000, 0xcd0000, 0x00cd00, 0xcdcd00, 0x0000ee, 0xcd00cd, 0x00cdcd,
	0xe5e5e5, 0x7f7f7f, 0xff0000, 0x00ff00, 0xffff00, 0x5c5cff, 0xff00ff,
	0x00ffff, 0xffffff,
};

/* xterm's palette: sixteen, a cube of 6x6x6, a ramp of greys. */
static uint32_t palette_rgb(uint32_t n)
{
	static const uint32_t level[6] = { 0, 95, 135, 175, 215, 255 };

	if (n < 16)
		return basic[n];
	if (n >= 232)
		return (8 + 10 * (n - 232)) * 0x010101;
	n -= 16;
	return level[n / 36] << 16 | level[n / 6 % 6] << 8 | level[n % 6];
}

/* How far apart they look, roughly: the eye takes green for brightness. */
static unsigned distance(uint32_t a, uint32_t b)
{
	int dr = (int)(a >> 16 & 255) - (int)(b >> 16 & 255);
	int dg = (int)(a >> 8 & 255) - (int)(b >> 8 & 255);
	int db = (int)(a & 255) - (int)(b & 255);

	return (unsigned)(2 * dr * dr + 4 * dg * dg + 3 * db * db);
}

static int nearest(uint32_t rgb, uint32_t first, uint32_t end)
{
	uint32_t best = first;

	for (uint32_t n = first; n < end; n++)
		if (distance(rgb, palette_rgb(n)) <
		    distance(rgb, palette_rgb(best)))
			best = n;
	return (int)best;
}

/* Below 8 a number is one of the palette: the darkest blues are all one. */
static int direct(uint32_t rgb)
{
	return (int)MAX(rgb, 8u);
}

int theme_reduce(uint32_t colour, int colours)
{
	uint32_t value = colour_value(colour);

	switch (colour_kind(colour)) {
	case COLOUR_KIND_PALETTE:
		value &= 255;
		if (colours <= 0)
			return -1;
		if (colours >= COLOURS_DIRECT && value >= 8)
			return direct(palette_rgb(value));
		if ((int)value < colours)
			return (int)value;
		if (value < 16) /* bright, of eight */
			return (int)value - 8;
		return nearest(palette_rgb(value), 0,
			       (uint32_t)MIN(colours, 16));
	case COLOUR_KIND_RGB:
		if (colours >= COLOURS_DIRECT)
			return direct(value);
		if (colours >= 256) /* the sixteen are anybody's */
			return nearest(value, 16, 256);
		return colours < 8 ? -1 :
		       nearest(value, 0, (uint32_t)MIN(colours, 16));
	default:
		return -1;
	}
}

void theme_pair(const struct cell *c, int colours, int *ret_fg, int *ret_bg)
{
	uint32_t from = (uint32_t)c->fg;
	bool was_black = from == COLOUR_PALETTE(0) || from == COLOUR_RGB(0);

	*ret_fg = theme_reduce(from, colours);
	*ret_bg = theme_reduce((uint32_t)c->bg, colours);
	if (colours > 16)
		return;
	if (*ret_bg < 0 && *ret_fg == 0 && !was_black)
		*ret_fg = -1;
	else if (*ret_bg >= 0 && *ret_fg == *ret_bg && c->fg != c->bg)
		*ret_fg = *ret_bg == 0 ? 7 : 0;
}
