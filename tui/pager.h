/* SPDX-License-Identifier: MIT */
/*
 * A file of any size, read through a window: the part of it that is here.
 * Rows are lines, or sixteen bytes each.  It knows which part it would have;
 * whoever has the file brings it.
 *
 *	if (pager_wants(&p, &from, &n))
 *		... pager_take(&p, from, data, n, size);
 *	pager_act(&p, action);
 *	pager_row(&p, i, &out);
 *
 * Offsets are the file's.
 */
#ifndef SVM_TUI_PAGER_H
#define SVM_TUI_PAGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "tui/keymap.h"

#define PAGER_WINDOW (1 << 20)
/* The first window is larger: what isn't longer is here as a whole. */
#define PAGER_FIRST (2 << 20)
#define PAGER_HEX_ROW 16

/* A line; or, of one that is very long, a piece. */
struct pager_line {
	uint32_t at;     /* in the window */
	uint32_t before; /* lines of the window before it */
};

struct pager {
	uint64_t size;    /* of the file, as far as we know */
	uint64_t base;    /* where the window begins */
	struct buf window;
	struct pager_line *lines;
	size_t n_lines;
	uint64_t number;  /* of the first of them, from 1; 0: unknown */
	uint64_t top;     /* the first row in view begins there */
	size_t left, height;
	size_t wrap;      /* columns of a row; 0: as long as the line is */
	bool hex, at_end; /* the last row is to be in view */
};

void pager_clear(struct pager *p); /* also releases */

/* The window; the bytes become the pager's. */
void pager_take(struct pager *p, uint64_t base, struct buf *bytes,
		uint64_t size);

/* Another part is wanted; which. */
bool pager_wants(const struct pager *p, uint64_t *ret_from, size_t *ret_n);

/* All of the file is here. */
bool pager_whole(const struct pager *p);

void pager_settle(struct pager *p, size_t height);
/* Break lines after so many columns; 0: not at all. */
void pager_wrap(struct pager *p, size_t columns);
/* UP, DOWN, PAGE_*, TOP, BOTTOM, LEFT, RIGHT, HEX; false for another. */
bool pager_act(struct pager *p, enum action a);
void pager_go(struct pager *p, uint64_t at); /* the row that has it on top */
/* The line with this number; false when it isn't known where that is. */
bool pager_go_line(struct pager *p, uint64_t number);

/* Rows in the window; the one on top; what is in one, as text that isn't
 * escaped yet, with its tabs as blanks. */
size_t pager_rows(const struct pager *p);
size_t pager_top(const struct pager *p);
void pager_row(const struct pager *p, size_t i, struct buf *out);
uint64_t pager_row_at(const struct pager *p, size_t i); /* where it begins */
/* The number of the line that begins there; 0: unknown, or none begins. */
uint64_t pager_row_number(const struct pager *p, size_t i);

/* The first place of these bytes (letters of either case) in [from, to) of
 * the data, or the last one with `back`; SIZE_MAX without one. */
size_t pager_find(const char *data, size_t from, size_t to,
		  const struct buf *what, bool back);
/* What is to be found: with hex, pairs of digits are bytes. */
void pager_pattern(const char *text, bool hex, struct buf *out);

#endif
