/* SPDX-License-Identifier: MIT */
/*
 * By what a list is sorted: chosen from a menu, turned around, shown in the
 * title and kept with the view.
 */
#ifndef SVM_TUI_ORDER_H
#define SVM_TUI_ORDER_H

#include <stdbool.h>

#include "lib/base/buf.h"
#include "tui/keymap.h"

struct model;

struct order {
	const char *const *names; /* "age", "id", ...; NULL ends them */
	unsigned by;              /* one of these */
	bool invert;
};

const char *order_name(const struct order *o);

/* SORT opens the menu, SORT_INVERT turns it around; false for another.  The
 * order has to live as long as the model. */
bool order_act(struct model *m, struct order *o, enum action a);

/* "  sort: size" and its arrow, where it isn't the order that a list begins
 * with. */
void order_title(const struct model *m, const struct order *o,
		 struct buf *out);
/* The arrow of the column that is sorted by. */
const char *order_arrow(const struct model *m, const struct order *o);

/* By its name, as kept; another name changes nothing. */
void order_set(struct order *o, const char *name, bool invert);

#endif
