/* SPDX-License-Identifier: MIT */
/*
 * The table of sandboxes: which are shown, in which order, which is selected.
 * The dashboard and the sandboxes screen each have one.
 *
 * The filter: text found anywhere, `!text` what hasn't it, `~text` its letters
 * in order, `key=value` of the metadata or of a field (state=running).  Words
 * must all hold.
 */
#ifndef SVM_TUI_FLEET_TABLE_H
#define SVM_TUI_FLEET_TABLE_H

#include "tui/list.h"
#include "tui/order.h"
#include "tui/screen.h"

enum fleet_sort {
	FLEET_BY_AGE, /* newest first */
	FLEET_BY_ID,
	FLEET_BY_STATE,
	FLEET_BY_IMAGE,
	FLEET_BY_CPU, /* most first */
	FLEET_BY_MEMORY,
	FLEET_BY_TTL, /* soonest first */
	FLEET_SORT_MAX
};

struct fleet_table {
	struct list_pos pos;
	char *selected; /* its id: it stays selected while rows move */
	struct field filter;
	bool typing;
	struct order order; /* enum fleet_sort */
	unsigned hidden; /* columns, by bit; the first is always there */
	char *mark_from; /* where a range begins */
	struct sandbox **shown;
	size_t n;
	struct area area; /* of the rows, as of the last settle */
	int64_t polled;   /* boot */
};

void fleet_table_init(struct fleet_table *t);
void fleet_table_release(struct fleet_table *t);

/* `a` is what fleet_table_view() will get: a line of titles, then rows. */
void fleet_table_settle(struct model *m, struct fleet_table *t,
			struct area a);
void fleet_table_view(const struct model *m, const struct fleet_table *t,
		      struct canvas *c, struct area a);

/* NULL when nothing is. */
struct sandbox *fleet_table_selected(const struct fleet_table *t);

/* Moving, marking, sorting, filtering. */
bool fleet_table_act(struct model *m, struct fleet_table *t, enum action a);
bool fleet_table_input(struct model *m, struct fleet_table *t,
		       const struct input_event *ev);

/* Figures of what is in view are asked for from time to time. */
int64_t fleet_table_wake(const struct model *m, const struct fleet_table *t);
void fleet_table_tick(struct model *m, struct fleet_table *t);

/* "2 marked of 3 shown (5 in all)" */
void fleet_table_status(const struct model *m, const struct fleet_table *t,
			struct buf *out);
/* "owner"; NULL past the last. */
const char *fleet_column_name(unsigned i);

/* Does it hold for this sandbox? */
bool fleet_filter(const char *filter, const struct sandbox *s);

#endif
