/* SPDX-License-Identifier: MIT */
/*
 * The table of sandboxes as a tree: by template or by owner, each group below
 * a header that stands for what the filter shows of it.  Filter and order hold
 * inside; a group can be folded away.
 */
#ifndef SVM_TUI_FLEET_GROUP_H
#define SVM_TUI_FLEET_GROUP_H

#include "tui/fleet-table.h"

/* "template"; NULL past the last. */
const char *fleet_grouping_name(unsigned i);
/* By its name, as kept; FLEET_GROUPED_NOT for another. */
enum fleet_grouping fleet_grouping_find(const char *name);

void fleet_group_release(struct fleet_table *t);

bool fleet_group_is_folded(const struct fleet_table *t, const char *name);
/* These alone are folded from the next settle on. */
void fleet_group_fold(struct fleet_table *t, char *const *groups, size_t n);

/* Which of two comes first by their groups alone; who has none is last. */
int fleet_group_compare(const struct fleet_table *t, const struct sandbox *a,
			const struct sandbox *b);

/* From t->shown, in its order, all rows and groups. */
void fleet_group_settle(struct fleet_table *t);

/* The group whose header is selected, or NULL. */
const struct fleet_group *fleet_group_selected(const struct fleet_table *t);

/* LEFT, RIGHT, OPEN and GROUP; of a header what is done to its sandboxes. */
bool fleet_group_act(struct model *m, struct fleet_table *t, enum action a);

/* All of it, or when all of it is already, none. */
void fleet_group_mark(struct fleet_table *t, const struct fleet_group *g);

/* "data-science", or what stands for no name. */
const char *fleet_group_title(const struct fleet_table *t,
			      const struct fleet_group *g);
/* "3 running", "2 of 3 running, 1 marked" */
void fleet_group_counts(const struct fleet_table *t,
			const struct fleet_group *g, struct buf *out);
bool fleet_group_all_marked(const struct fleet_table *t,
			    const struct fleet_group *g);

#endif
