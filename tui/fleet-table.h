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
	FLEET_BY_NAME, /* who has none last */
	FLEET_SORT_MAX
};

enum fleet_grouping {
	FLEET_GROUPED_NOT,
	FLEET_BY_TEMPLATE,
	FLEET_BY_OWNER,
	FLEET_GROUPING_MAX
};

struct fleet_row {
	struct sandbox *s; /* NULL: the header of the group */
	size_t group;
};

/* Some of `shown`, one after the other; see fleet-group.h. */
struct fleet_group {
	const char *name; /* borrowed of one of them; "" of who has none */
	size_t from, n;
	bool folded; /* its header alone is a row */
};

struct fleet_table {
	struct list_pos pos; /* in the rows */
	/* An id, or of a header the group's name: it stays selected while
	 * rows move. */
	char *selected;
	bool on_header;
	struct field filter;
	bool typing;
	struct order order; /* enum fleet_sort */
	unsigned hidden; /* columns, by bit; the first is always there */
	char *mark_from; /* where a range begins */
	struct sandbox **shown; /* what the filter shows, in order */
	size_t n;
	enum fleet_grouping grouping;
	struct fleet_row *rows; /* without groups those of `shown` */
	struct fleet_group *groups;
	size_t n_rows, n_groups;
	char **folded; /* names of groups */
	size_t n_folded;
	/* Columns, of all there are; 0: none has one. */
	int longest_name, longest_provider;
	bool owned; /* one at least */
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
