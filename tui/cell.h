/* SPDX-License-Identifier: MIT */
/*
 * One cell of a screen: what the emulator keeps, what views draw, what the
 * painter shows.  Sixteen bytes, plain data, copied by assignment.
 *
 * A wide character takes two cells: the left one has CELL_WIDE and the
 * character, the right one CELL_TAIL and cp 0.  Neither is ever there without
 * the other.  Marks (accents) that follow a character are kept with it, at
 * most two.  cp is never a control character: blank is ' '.
 *
 * A colour is 26 bits: two say what the rest is.  Roles (theme.h) are made
 * colours by the painter; the emulator never writes one.
 */
#ifndef SVM_TUI_CELL_H
#define SVM_TUI_CELL_H

#include <stddef.h>
#include <stdint.h>

enum cell_attr {
	CELL_BOLD = 1u << 0,
	CELL_DIM = 1u << 1,
	CELL_ITALIC = 1u << 2,
	CELL_UNDERLINE = 1u << 3, /* single, double, curly: all one */
	CELL_BLINK = 1u << 4,
	CELL_REVERSE = 1u << 5,
	CELL_HIDDEN = 1u << 6,
	CELL_STRIKE = 1u << 7,
	CELL_WIDE = 1u << 8,
	CELL_TAIL = 1u << 9,
};
#define CELL_STYLE_ATTRS (CELL_WIDE - 1u) /* what a pen can have */

struct cell {
	uint64_t cp : 21;
	uint64_t mark1 : 21; /* 0: none */
	uint64_t mark2 : 21; /* 0: none, and none without mark1 */
	uint64_t : 1;
	uint64_t fg : 26;
	uint64_t bg : 26;
	uint64_t attr : 12;
};
_Static_assert(sizeof(struct cell) == 16, "a cell is two words");

#define CELL_BLANK ((struct cell){ .cp = ' ' })

/* Colours.  0 is the terminal's own. */
#define COLOUR_DEFAULT 0u
#define COLOUR_PALETTE(n) (1u << 24 | (n))     /* 0-255 */
#define COLOUR_RGB(rgb) (2u << 24 | (rgb))     /* 0xrrggbb */
#define COLOUR_ROLE(role) (3u << 24 | (role))  /* enum theme_role */

enum colour_kind {
	COLOUR_KIND_DEFAULT,
	COLOUR_KIND_PALETTE,
	COLOUR_KIND_RGB,
	COLOUR_KIND_ROLE,
};

static inline enum colour_kind colour_kind(uint32_t colour)
{
	return (enum colour_kind)(colour >> 24 & 3);
}

static inline uint32_t colour_value(uint32_t colour)
{
	return colour & 0xffffff;
}

/* The character and its marks in UTF-8, NUL-terminated; the number of bytes.
 * The right half of a wide character is "". */
#define CELL_TEXT_MAX 13
size_t cell_text(const struct cell *c, char out[CELL_TEXT_MAX]);

#endif
