/* SPDX-License-Identifier: MIT */
/*
 * Where one is in a list: the selected row and the rows in view.  The list
 * itself is somebody else's; this knows its length only.
 *
 * Views draw rows [top, top + height) and mark `at`.  Updates move and then
 * settle.
 */
#ifndef SVM_TUI_LIST_H
#define SVM_TUI_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "tui/keymap.h"

struct list_pos {
	size_t at, top;
	size_t n, height; /* as of the last settle */
};

/* Bring everything into bounds, with `at` in view. */
void list_settle(struct list_pos *l, size_t n, int height);

/* Carry out UP, DOWN, TOP, BOTTOM, PAGE_UP, PAGE_DOWN; false for another. */
bool list_act(struct list_pos *l, enum action a);

/* The wheel: moves the view, and the selection only when it must. */
void list_scroll(struct list_pos *l, int rows);

#endif
