/* SPDX-License-Identifier: MIT */
/*
 * What things look like.  Views say what something is (a role); a theme says
 * which colours and attributes that has; the painter brings those down to
 * what the terminal can show.
 *
 * A cell whose foreground is a role takes that role's foreground and
 * attributes, one whose background is a role takes its background and
 * attributes.  State is never told by colour alone: views write a symbol or
 * a word too, so that `mono` loses nothing.
 */
#ifndef SVM_TUI_THEME_H
#define SVM_TUI_THEME_H

#include <stdint.h>

#include "tui/cell.h"

enum theme_role {
	ROLE_INK,      /* text */
	ROLE_DIM,      /* text of less weight: labels, hints */
	ROLE_FAINT,    /* decoration, never text one has to read */
	ROLE_LINE,     /* borders */
	ROLE_FOCUS,    /* borders and title of the pane with the keys */
	ROLE_ACCENT,   /* markers, keys in hints, the name */
	ROLE_ACCENT2,  /* on its way: creating, pulling */
	ROLE_OK,
	ROLE_BAD,
	ROLE_VALUE,    /* what was measured or is chosen */
	ROLE_SELECTED, /* background of the selected row or field */
	ROLE_MAX,
};

struct theme {
	const char *name;
	/* What COLOUR_DEFAULT is: 0 leaves it to the terminal. */
	uint32_t ink, background;
	struct theme_style {
		uint32_t fg, bg;
		unsigned attr;
	} role[ROLE_MAX];
};

/* "auto", "mission", "light", "contrast", "mono"; NULL for another name. */
const struct theme *theme_find(const char *name);
const struct theme *theme_at(unsigned i); /* NULL past the last */

/* As a terminal of so few colours can show it: what `auto` has, and who is
 * made from it, is nothing that could be brought down to sixteen. */
void theme_adapt(struct theme *t, int colours);

/* The cell with colours instead of roles. */
struct cell theme_resolve(const struct theme *t, struct cell c);

/* What ui.color wants; what there is depends on the terminal. */
enum colour_mode {
	COLOUR_MODE_AUTO,   /* the terminal's palette */
	COLOUR_MODE_NEVER,  /* attributes only */
	COLOUR_MODE_DIRECT, /* every colour, if terminfo knows how */
};

#define COLOURS_DIRECT (1 << 24)

/*
 * The nearest colour that a terminal of `colours` (0, 8, 16, 256,
 * COLOURS_DIRECT) has, as terminfo's setaf takes it: the number in its
 * palette, or 0xrrggbb where that is past the eight that stay a palette;
 * -1 for its default.
 */
int theme_reduce(uint32_t colour, int colours);

/* Both of a cell.  Where few colours are left, they don't become one, nor grey
 * the black that can't be seen on a dark terminal. */
void theme_pair(const struct cell *c, int colours, int *ret_fg, int *ret_bg);

#endif
