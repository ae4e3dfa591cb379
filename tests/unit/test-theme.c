/* SPDX-License-Identifier: MIT */
#include "tui/theme.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "lib/base/defs.h"
#include "tests/unit/unit.h"

static double linear(uint32_t byte)
{
	double v = byte / 255.0;

	return v <= 0.03928 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4);
}

/* As WCAG 2 has it: 1 to 21. */
static double contrast(uint32_t a, uint32_t b)
{
	double l[2];
	uint32_t v[2] = { a, b };

	for (int i = 0; i < 2; i++)
		l[i] = 0.2126 * linear(v[i] >> 16 & 255) +
		       0.7152 * linear(v[i] >> 8 & 255) +
		       0.0722 * linear(v[i] & 255);
	return (MAX(l[0], l[1]) + 0.05) / (MIN(l[0], l[1]) + 0.05);
}

static struct cell shown(const struct theme *t, enum theme_role fg,
			 bool selected)
{
	struct cell c = CELL_BLANK;

	c.fg = COLOUR_ROLE((uint32_t)fg);
	if (selected)
		c.bg = COLOUR_ROLE((uint32_t)ROLE_SELECTED);
	return theme_resolve(t, c);
}

/* As a terminal of that many colours shows it, by xterm's palette. */
static uint32_t as_rgb(int colour, uint32_t none)
{
	static const uint32_t basic[] = {
		0x000000, 0xcd0000, 0x00cd00, 0xcdcd00, 0x0000ee, 0xcd00cd,
		0x00cdcd, 0xe5e5e5, 0x7f7f7f, 0xff0000, 0x00ff00, 0xffff00,
		0x5c5cff, 0xff00ff, 0x00ffff, 0xffffff,
	};
	static const uint32_t level[6] = { 0, 95, 135, 175, 215, 255 };
	uint32_t n = (uint32_t)colour;

	if (colour < 0)
		return none;
	if (n < 16)
		return basic[n];
	if (n > 255)
		return n; /* direct */
	if (n >= 232)
		return (8 + 10 * (n - 232)) * 0x010101;
	n -= 16;
	return level[n / 36] << 16 | level[n / 6 % 6] << 8 | level[n % 6];
}

/* 1, or 0 for a theme that paints its own background. */
static unsigned check_on(const struct theme *theme, int colours,
			 uint32_t paper, uint32_t ink)
{
	struct theme t = *theme;

	if (t.background)
		return 0;
	theme_adapt(&t, colours);
	for (int r = 0; r < ROLE_SELECTED; r++) {
		struct cell c = shown(&t, r, false);
		bool text = r != ROLE_FAINT && r != ROLE_LINE;
		int fg, bg;

		theme_pair(&c, colours, &fg, &bg);
		double is = contrast(as_rgb(fg, ink), as_rgb(bg, paper));

		/* A red of few colours is anybody's own. */
		if (is < (!text ? 1.9 : colours < 256 ? 3.5 : 3.9))
			fail_msg("%s: role %d has %.1f on %06x, with %d "
				 "colours", t.name, r, is, paper, colours);
	}
	return 1;
}

/* Whatever one has to read can be read, on a selected row too. */
static void test_theme__contrast(void **state)
{
	unsigned painted = 0;

	(void)state;
	for (unsigned i = 0; theme_at(i); i++) {
		const struct theme *t = theme_at(i);

		painted += t->background != 0;
		for (int r = 0; t->background && r < ROLE_SELECTED; r++) {
			bool text = r != ROLE_FAINT && r != ROLE_LINE;
			struct cell c = shown(t, r, false);
			double plain = contrast((uint32_t)c.fg,
						(uint32_t)c.bg);

			if (plain < (text ? 4.5 : 1.9))
				fail_msg("%s: role %d has %.1f", t->name, r,
					 plain);
			c = shown(t, r, true);
			plain = contrast((uint32_t)c.fg, (uint32_t)c.bg);
			if (text && plain < 3)
				fail_msg("%s: role %d has %.1f where selected",
					 t->name, r, plain);
		}
	}
	assert_int_equal(painted, 3);
}

/* Those that leave the background to the terminal, on black as on white. */
static void test_theme__contrast_on_both(void **state)
{
	static const int colours[] = { 8, 16, 256, COLOURS_DIRECT };
	static const struct {
		uint32_t paper, ink;
	} terminals[] = { { 0x000000, 0xe5e5e5 }, { 0xffffff, 0x000000 } };
	unsigned checked = 0;

	(void)state;
	for (unsigned i = 0; theme_at(i); i++)
		for (size_t k = 0; k < ARRAY_SIZE(colours); k++)
			for (size_t p = 0; p < ARRAY_SIZE(terminals); p++)
				checked += check_on(theme_at(i), colours[k],
						    terminals[p].paper,
						    terminals[p].ink);
	assert_int_equal(checked, 2 * ARRAY_SIZE(colours) *
					  ARRAY_SIZE(terminals));
}

/* The colours of a theme that say something stay apart from its text where
 * there are as many as it takes. */
static void test_theme__accents_are_colours(void **state)
{
	const struct theme *t = theme_find("auto");

	(void)state;
	for (int r = ROLE_FOCUS; r <= ROLE_BAD; r++)
		assert_int_not_equal(shown(t, r, false).fg, 0);
	assert_int_not_equal(shown(t, ROLE_OK, false).fg,
			     shown(t, ROLE_BAD, false).fg);
	assert_int_not_equal(shown(t, ROLE_OK, false).fg,
			     shown(t, ROLE_ACCENT, false).fg);
}

static void test_theme__roles(void **state)
{
	struct cell c;

	(void)state;
	assert_null(theme_find("none"));
	for (unsigned i = 0; theme_at(i); i++) {
		const struct theme *t = theme_at(i);

		assert_ptr_equal(theme_find(t->name), t);
		for (int r = 0; r < ROLE_MAX; r++) {
			c = shown(t, r, true);
			assert_int_not_equal(colour_kind((uint32_t)c.fg),
					     COLOUR_KIND_ROLE);
			assert_int_not_equal(colour_kind((uint32_t)c.bg),
					     COLOUR_KIND_ROLE);
		}
		/* A selected row differs from others in every theme. */
		c = shown(t, ROLE_INK, true);
		assert_true(c.attr || c.bg != t->background);
	}
	c = shown(theme_find("mono"), ROLE_BAD, false);
	assert_int_equal(c.fg, 0);
	assert_int_equal(c.attr, CELL_BOLD);
	c = CELL_BLANK; /* out of range is not out of bounds */
	c.fg = COLOUR_ROLE(0xffffffu);
	theme_resolve(theme_find("auto"), c);
}

static void test_theme__reduce(void **state)
{
	static const struct {
		uint32_t colour;
		int colours, want;
	} cases[] = {
		{ COLOUR_DEFAULT, 256, -1 },
		{ COLOUR_PALETTE(200), 256, 200 },
		{ COLOUR_PALETTE(9), 16, 9 }, { COLOUR_PALETTE(9), 8, 1 },
		{ COLOUR_PALETTE(196), 16, 9 }, { COLOUR_PALETTE(1), 0, -1 },
		{ COLOUR_PALETTE(255), 8, 7 },
		{ COLOUR_RGB(0xffa60c), 256, 214 },
		{ COLOUR_RGB(0x22c55e), 256, 41 },
		{ COLOUR_RGB(0xff4747), 256, 203 },
		{ COLOUR_RGB(0x7d7d86), 256, 244 },
		{ COLOUR_RGB(0x08080a), 256, 232 },
		{ COLOUR_RGB(0x000000), 256, 16 },
		{ COLOUR_RGB(0xff0000), 16, 9 },
		{ COLOUR_RGB(0xff0000), 8, 1 }, { COLOUR_RGB(0xff0000), 0, -1 },
		{ COLOUR_ROLE(1), 256, -1 },
		{ COLOUR_DEFAULT, COLOURS_DIRECT, -1 },
		{ COLOUR_PALETTE(7), COLOURS_DIRECT, 7 },
		{ COLOUR_PALETTE(208), COLOURS_DIRECT, 0xff8700 },
		{ COLOUR_PALETTE(16), COLOURS_DIRECT, 8 },
		{ COLOUR_RGB(0x123456), COLOURS_DIRECT, 0x123456 },
		{ COLOUR_RGB(0x000007), COLOURS_DIRECT, 8 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (theme_reduce(cases[i].colour, cases[i].colours) !=
		    cases[i].want)
			fail_msg("%x in %d colours is %d", cases[i].colour,
				 cases[i].colours,
				 theme_reduce(cases[i].colour,
					      cases[i].colours));
}

/* What can be read stays so where there are few colours. */
static void test_theme__pair(void **state)
{
	static const struct {
		uint32_t fg, bg;
		int colours, want_fg, want_bg;
	} cases[] = {
		{ COLOUR_PALETTE(8), 0, 8, -1, -1 },
		{ COLOUR_PALETTE(8), 0, 16, 8, -1 },
		{ COLOUR_PALETTE(0), 0, 8, 0, -1 },
		{ COLOUR_RGB(0x4a4a52), 0, 8, -1, -1 },
		{ COLOUR_RGB(0x4a4a52), COLOUR_RGB(0x08080a), 8, 7, 0 },
		{ COLOUR_RGB(0xb0b0b8), COLOUR_RGB(0xffffff), 8, 0, 7 },
		{ COLOUR_RGB(0x4a4a52), COLOUR_RGB(0x08080a), 16, 8, 0 },
		{ COLOUR_PALETTE(4), COLOUR_PALETTE(4), 8, 4, 4 },
		{ COLOUR_RGB(0x08080a), COLOUR_RGB(0x08080b), 256, 232, 232 },
		{ COLOUR_PALETTE(8), COLOUR_PALETTE(0), 0, -1, -1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct cell c = CELL_BLANK;
		int fg, bg;

		c.fg = cases[i].fg;
		c.bg = cases[i].bg;
		theme_pair(&c, cases[i].colours, &fg, &bg);
		if (fg != cases[i].want_fg || bg != cases[i].want_bg)
			fail_msg("%zu: %d on %d", i, fg, bg);
	}
	/* Nor is anything of ours drawn in black on whatever there is. */
	for (unsigned i = 0; theme_at(i); i++)
		for (int r = 0; r < ROLE_MAX; r++) {
			struct cell c = shown(theme_at(i), r, false);
			int fg, bg;

			theme_pair(&c, 8, &fg, &bg);
			if (bg < 0 ? fg == 0 : fg == bg)
				fail_msg("%s: role %d is %d on %d",
					 theme_at(i)->name, r, fg, bg);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_theme__contrast),
		cmocka_unit_test(test_theme__contrast_on_both),
		cmocka_unit_test(test_theme__accents_are_colours),
		cmocka_unit_test(test_theme__roles),
		cmocka_unit_test(test_theme__reduce),
		cmocka_unit_test(test_theme__pair),
	};

	return cmocka_run_group_tests_name("theme", tests, NULL, NULL);
}
