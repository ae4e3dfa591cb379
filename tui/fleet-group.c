/* SPDX-License-Identifier: MIT */
/* Sandboxes by template or owner.  See fleet-group.h. */
#include "tui/fleet-group.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "tui/sandbox-act.h"

static const char *const names[FLEET_GROUPING_MAX] = {
	[FLEET_GROUPED_NOT] = "nothing",
	[FLEET_BY_TEMPLATE] = "template",
	[FLEET_BY_OWNER] = "owner",
};

const char *fleet_grouping_name(unsigned i)
{
	return i < FLEET_GROUPING_MAX ? names[i] : NULL;
}

enum fleet_grouping fleet_grouping_find(const char *name)
{
	for (unsigned i = 0; i < FLEET_GROUPING_MAX; i++)
		if (strcmp(names[i], name) == 0)
			return (enum fleet_grouping)i;
	return FLEET_GROUPED_NOT;
}

static void unfold_all(struct fleet_table *t)
{
	for (size_t i = 0; i < t->n_folded; i++)
		free(t->folded[i]);
	t->n_folded = 0;
}

void fleet_group_release(struct fleet_table *t)
{
	unfold_all(t);
	free(t->folded);
	free(t->groups);
	free(t->rows);
}

/* -- rows */

static const char *group_of(const struct fleet_table *t,
			    const struct sandbox *s)
{
	return t->grouping == FLEET_BY_OWNER	? s->owner :
	       t->grouping == FLEET_BY_TEMPLATE ? s->template : "";
}

int fleet_group_compare(const struct fleet_table *t, const struct sandbox *a,
			const struct sandbox *b)
{
	const char *x = group_of(t, a), *y = group_of(t, b);

	if (!*x != !*y)
		return *x ? -1 : 1;
	return strcmp(x, y);
}

static size_t find_folded(const struct fleet_table *t, const char *name)
{
	size_t i = 0;

	while (i < t->n_folded && strcmp(t->folded[i], name) != 0)
		i++;
	return i;
}

bool fleet_group_is_folded(const struct fleet_table *t, const char *name)
{
	return find_folded(t, name) < t->n_folded;
}

void fleet_group_fold(struct fleet_table *t, char *const *groups, size_t n)
{
	unfold_all(t);
	t->folded = xreallocarray(t->folded, n + 1, sizeof(*t->folded));
	for (; t->n_folded < n; t->n_folded++)
		t->folded[t->n_folded] = xstrdup(groups[t->n_folded]);
}

static void add_row(struct fleet_table *t, struct sandbox *s, size_t group)
{
	t->rows[t->n_rows++] = (struct fleet_row){ s, group };
}

static void add_group(struct fleet_table *t, size_t from)
{
	const char *name = group_of(t, t->shown[from]);

	t->groups[t->n_groups++] = (struct fleet_group){
		.name = name,
		.from = from,
		.folded = fleet_group_is_folded(t, name) };
	add_row(t, NULL, t->n_groups - 1);
}

void fleet_group_settle(struct fleet_table *t)
{
	t->rows = xreallocarray(t->rows, 2 * t->n + 1, sizeof(*t->rows));
	t->groups = xreallocarray(t->groups, t->n + 1, sizeof(*t->groups));
	t->n_rows = t->n_groups = 0;
	for (size_t i = 0; i < t->n; i++) {
		struct fleet_group *g;

		if (!t->grouping) {
			add_row(t, t->shown[i], 0);
			continue;
		}
		if (!i || fleet_group_compare(t, t->shown[i - 1],
					      t->shown[i]) != 0)
			add_group(t, i);
		g = &t->groups[t->n_groups - 1];
		g->n++;
		if (!g->folded)
			add_row(t, t->shown[i], t->n_groups - 1);
	}
}

const struct fleet_group *fleet_group_selected(const struct fleet_table *t)
{
	const struct fleet_row *r = t->pos.at < t->n_rows ?
					    &t->rows[t->pos.at] : NULL;

	return r && !r->s ? &t->groups[r->group] : NULL;
}

/* -- folding */

static void fold(struct fleet_table *t, struct fleet_group *g, bool folded)
{
	size_t i = find_folded(t, g->name);

	if (folded && i == t->n_folded) {
		t->folded = xreallocarray(t->folded, i + 1,
					  sizeof(*t->folded));
		t->folded[t->n_folded++] = xstrdup(g->name);
	} else if (!folded && i < t->n_folded) {
		free(t->folded[i]);
		t->folded[i] = t->folded[--t->n_folded];
	}
	g->folded = folded;
}

/* To the header of the row one is in. */
static void to_header(struct fleet_table *t)
{
	while (t->pos.at && t->rows[t->pos.at].s)
		t->pos.at--;
}

/* Of a sandbox, Left goes to its group first. */
static bool act_on_tree(struct fleet_table *t, enum action a)
{
	struct fleet_row *r = t->pos.at < t->n_rows ? &t->rows[t->pos.at] :
						      NULL;
	struct fleet_group *g = r && t->grouping ? &t->groups[r->group] : NULL;

	if (!g)
		return false;
	switch (a) {
	case ACT_LEFT:
		if (r->s)
			to_header(t);
		else
			fold(t, g, true);
		return true;
	case ACT_RIGHT:
		if (!r->s && !g->folded)
			list_act(&t->pos, ACT_DOWN);
		else if (!r->s)
			fold(t, g, false);
		return true;
	case ACT_OPEN:
		if (!r->s)
			fold(t, g, !g->folded);
		return !r->s;
	default:
		return false;
	}
}

static void chosen(struct model *m, size_t i, void *data)
{
	struct fleet_table *t = data;

	(void)m;
	if (t->grouping == i)
		return;
	t->grouping = (enum fleet_grouping)i;
	unfold_all(t);
}

static void choose(struct model *m, struct fleet_table *t)
{
	struct menu_item items[FLEET_GROUPING_MAX] = { { 0 } };

	for (unsigned i = 0; i < FLEET_GROUPING_MAX; i++)
		items[i] = (struct menu_item){ .label = names[i],
					       .begin = i == t->grouping };
	menu_open(m, "GROUP BY", items, FLEET_GROUPING_MAX, chosen, t, NULL);
}

/* -- a header stands for its sandboxes */

bool fleet_group_all_marked(const struct fleet_table *t,
			    const struct fleet_group *g)
{
	for (size_t i = g->from; i < g->from + g->n; i++)
		if (!t->shown[i]->marked)
			return false;
	return true;
}

void fleet_group_mark(struct fleet_table *t, const struct fleet_group *g)
{
	bool marked = !fleet_group_all_marked(t, g);

	for (size_t i = g->from; i < g->from + g->n; i++)
		t->shown[i]->marked = marked;
}

static char **ids_of(const struct fleet_table *t, const struct fleet_group *g)
{
	char **ids = xcalloc(g->n + 1, sizeof(*ids));

	for (size_t i = 0; i < g->n; i++)
		ids[i] = xstrdup(t->shown[g->from + i]->id);
	return ids;
}

/* As with a sandbox: marks elsewhere have precedence.  What knows marks alone
 * gets them. */
static bool act_on_group(struct model *m, struct fleet_table *t,
			 enum action a)
{
	const struct fleet_group *g = fleet_group_selected(t);

	if (!g || fleet_marked(&m->fleet))
		return false;
	switch (a) {
	case ACT_KILL:
	case ACT_EXTEND:
	case ACT_LABEL:
	case ACT_EXPORT:
		return sandbox_act_many(m, ids_of(t, g), a);
	case ACT_BULK:
	case ACT_MERGE:
		fleet_group_mark(t, g);
		return false;
	default:
		return false;
	}
}

bool fleet_group_act(struct model *m, struct fleet_table *t, enum action a)
{
	if (a == ACT_GROUP) {
		choose(m, t);
		return true;
	}
	return act_on_tree(t, a) || act_on_group(m, t, a);
}

/* -- as text */

const char *fleet_group_title(const struct fleet_table *t,
			      const struct fleet_group *g)
{
	if (*g->name)
		return g->name;
	return t->grouping == FLEET_BY_OWNER ? "no owner" : "no template";
}

void fleet_group_counts(const struct fleet_table *t,
			const struct fleet_group *g, struct buf *out)
{
	size_t running = 0, marked = 0;

	for (size_t i = g->from; i < g->from + g->n; i++) {
		running += sandbox_is(t->shown[i], "running");
		marked += t->shown[i]->marked;
	}
	if (running < g->n)
		buf_addf(out, "%zu of %zu running", running, g->n);
	else
		buf_addf(out, "%zu running", running);
	if (marked)
		buf_addf(out, ", %zu marked", marked);
}
