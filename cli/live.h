/* SPDX-License-Identifier: MIT */
/*
 * A few lines at the bottom of the terminal, painted again in place: never
 * the other screen, no scrolling of what was there before.  Built as rows of
 * pieces of text, which are escaped, cut at the edge and then compared with
 * nothing: each picture replaces the last.
 *
 * The painter is libtickit's, writing into a buffer: of what it sends to ask
 * the terminal for its abilities nothing gets out, so no answer can end up as
 * somebody's input.
 */
#ifndef SVM_CLI_LIVE_H
#define SVM_CLI_LIVE_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/cmd.h"

enum live_role { LIVE_PLAIN, LIVE_BOLD, LIVE_DIM, LIVE_GOOD, LIVE_BUSY,
		 LIVE_BAD, LIVE_ROLE_MAX };

struct live;

/* Whether lines may be painted again on fd: a terminal that can, and nobody
 * who asked for none (ui.accessible, TERM=dumb). */
bool live_possible(const struct cli *cli, int fd);

/* NULL when the painter can't be made. */
struct live *live_new(int fd, bool color);
/* Leaves the last picture, the cursor below it. */
void live_free(struct live *l);

/* No cursor between pictures; for who makes sure that live_leave() is called,
 * whatever happens. */
void live_hide_cursor(struct live *l);

/* How many rows may be shown now. */
size_t live_room(const struct live *l);
size_t live_cols(const struct live *l); /* and columns */

/* One picture: pieces, each row ended, then painted. */
void live_text(struct live *l, enum live_role role, const char *text);
void live_row(struct live *l);
void live_paint(struct live *l);

/* The columns of a table are as wide as their widest cell, the widest cut
 * where the line has no room; the first never.  cells: rows * columns; with
 * roles as many, or NULL.  Bit c of `right`: column c is aligned right; of
 * `optional`: it goes, the last first, before any other is cut; of `spare`:
 * it is cut first, and goes where that isn't enough. */
struct live_table {
	size_t columns, rows;
	char *const *cells;
	const enum live_role *roles;
	unsigned right, optional, spare;
};
void live_table(struct live *l, const struct live_table *t);

/* The picture stays as it is: the next is painted below. */
void live_leave(struct live *l);

/* Nothing of it stays: the cursor is where the picture began. */
void live_erase(struct live *l);

/* Whether text of this process may have more than ASCII, by the locale. */
bool live_utf8(void);
/* How a state is shown, "* running", and in which role. */
const char *live_state_mark(const char *state, enum live_role *ret_role);

#endif
