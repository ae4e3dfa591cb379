/* SPDX-License-Identifier: MIT */
/* The table of sandboxes.  See fleet-table.h. */
#include "tui/fleet-table.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/width.h"
#include "tui/fleet-group.h"
#include "tui/frame.h"
#include "tui/views.h"

#define SECOND INT64_C(1000000000)
#define POLL_NS (3 * SECOND)
#define SECOND_POLL_NS SECOND /* a rate is of two */

void fleet_table_release(struct fleet_table *t)
{
	free(t->selected);
	free(t->mark_from);
	free(t->shown);
	fleet_group_release(t);
	field_release(&t->filter);
}

void fleet_table_init(struct fleet_table *t)
{
	static const char *const names[FLEET_SORT_MAX + 1] = {
		"age", "id", "state", "image", "cpu", "memory", "ttl",
		"name",
	};

	t->order.names = names;
}

/* -- which, in which order */

static int number(double a, double b)
{
	return (a > b) - (a < b);
}

static int64_t end_of(const struct sandbox *s)
{
	return s->expires_ns ? s->expires_ns : INT64_MAX;
}

static int compare(const struct sandbox *a, const struct sandbox *b,
		   enum fleet_sort sort)
{
	switch (sort) {
	case FLEET_BY_ID:
		return strcmp(a->id, b->id);
	case FLEET_BY_STATE:
		return strcmp(a->state, b->state);
	case FLEET_BY_IMAGE:
		return strcmp(a->image, b->image);
	case FLEET_BY_CPU:
		return number(b->cpu_pct, a->cpu_pct);
	case FLEET_BY_MEMORY:
		return number((double)b->mem, (double)a->mem);
	case FLEET_BY_TTL:
		return number((double)end_of(a), (double)end_of(b));
	case FLEET_BY_NAME:
		if (!*a->name != !*b->name)
			return *a->name ? -1 : 1;
		return strcmp(a->name, b->name);
	default:
		return number((double)b->created_ns, (double)a->created_ns);
	}
}

static int in_order(const void *pa, const void *pb, void *pt)
{
	const struct fleet_table *t = pt;
	const struct sandbox *a = *(struct sandbox *const *)pa;
	const struct sandbox *b = *(struct sandbox *const *)pb;
	int r = fleet_group_compare(t, a, b);

	if (r != 0) /* groups stay where they are */
		return r;
	r = compare(a, b, (enum fleet_sort)t->order.by);
	if (r == 0)
		return strcmp(a->id, b->id);
	return t->order.invert ? -r : r;
}

static void select_at(struct fleet_table *t)
{
	const struct fleet_row *r = t->pos.at < t->n_rows ?
					    &t->rows[t->pos.at] : NULL;

	free(t->selected);
	t->on_header = r && !r->s;
	t->selected = !r   ? NULL :
		      r->s ? xstrdup(r->s->id) :
			     xstrdup(t->groups[r->group].name);
}

/* What was waited for is what the next key is for, if it is shown. */
static void select_made(struct model *m, struct fleet_table *t)
{
	for (size_t i = 0; m->made && i < t->n; i++)
		if (strcmp(t->shown[i]->id, m->made) == 0) {
			free(t->selected);
			t->selected = steal_ptr(&m->made);
			t->on_header = false;
		}
}

static bool is_selected(const struct fleet_table *t,
			const struct fleet_row *r)
{
	if (r->s)
		return !t->on_header && strcmp(r->s->id, t->selected) == 0;
	return t->on_header &&
	       strcmp(t->groups[r->group].name, t->selected) == 0;
}

/* The header of the group that was folded over the selected one. */
static bool find_folded_over(const struct fleet_table *t, size_t *ret_row)
{
	for (size_t i = 0; i < t->n_rows; i++) {
		const struct fleet_group *g = &t->groups[t->rows[i].group];

		if (t->rows[i].s || !g->folded)
			continue;
		for (size_t k = g->from; k < g->from + g->n; k++)
			if (strcmp(t->shown[k]->id, t->selected) == 0) {
				*ret_row = i;
				return true;
			}
	}
	return false;
}

static void find_selected(struct fleet_table *t)
{
	for (size_t i = 0; t->selected && i < t->n_rows; i++)
		if (is_selected(t, &t->rows[i])) {
			t->pos.at = i;
			return;
		}
	if (!t->selected || t->on_header || find_folded_over(t, &t->pos.at))
		return;
	/* It is gone: a key meant for a sandbox must not meet a whole group. */
	if (t->pos.at < t->n_rows && !t->rows[t->pos.at].s && t->pos.at &&
	    t->rows[t->pos.at - 1].s)
		t->pos.at--;
}

void fleet_table_settle(struct model *m, struct fleet_table *t,
			struct area a)
{
	const char *filter = field_text(&t->filter);

	t->shown = xreallocarray(t->shown, m->fleet.n + 1,
				 sizeof(struct sandbox *));
	t->n = 0;
	t->longest_name = t->longest_provider = 0;
	t->owned = false;
	for (size_t i = 0; i < m->fleet.n; i++) {
		struct sandbox *s = m->fleet.all[i];
		int width = (int)width_text(s->name, strlen(s->name));
		int provider = (int)width_text(s->provider,
					       strlen(s->provider));

		/* Not of what is shown: columns stand still while the filter
		 * is typed. */
		t->longest_name = MAX(t->longest_name, width);
		t->longest_provider = MAX(t->longest_provider, provider);
		t->owned |= *s->owner != '\0';
		s->hidden = !fleet_filter(filter, s);
		if (!s->hidden)
			t->shown[t->n++] = s;
	}
	qsort_r(t->shown, t->n, sizeof(struct sandbox *), in_order, t);
	fleet_group_settle(t);
	select_made(m, t);
	find_selected(t);
	t->area = (struct area){ a.row + 1, a.col, MAX(a.rows - 1, 0),
				 a.cols };
	list_settle(&t->pos, t->n_rows, t->area.rows);
	/* Of the few that were told of before all of them none was chosen. */
	if (m->fleet.loaded)
		select_at(t);
}

struct sandbox *fleet_table_selected(const struct fleet_table *t)
{
	return t->pos.at < t->n_rows ? t->rows[t->pos.at].s : NULL;
}

/* -- keys and mouse */

/* The last mark: where a range begins. */
static void marked_here(struct fleet_table *t, const struct sandbox *s)
{
	free(t->mark_from);
	t->mark_from = s ? xstrdup(s->id) : NULL;
}

/* A header stands for its group where nothing else does. */
static void mark_row(struct fleet_table *t, const struct fleet_row *r,
		     bool alone)
{
	const struct fleet_group *g = r->s ? NULL : &t->groups[r->group];

	if (r->s)
		r->s->marked = true;
	else if ((g->folded || alone) && !fleet_group_all_marked(t, g))
		fleet_group_mark(t, g);
}

static void mark_range(struct fleet_table *t)
{
	size_t at = t->pos.at, from = at;

	for (size_t i = 0; t->mark_from && i < t->n_rows; i++)
		if (t->rows[i].s &&
		    strcmp(t->rows[i].s->id, t->mark_from) == 0)
			from = i;
	for (size_t i = MIN(from, at); i <= MAX(from, at); i++)
		mark_row(t, &t->rows[i], from == at);
	marked_here(t, t->rows[at].s);
}

static void mark(struct fleet_table *t)
{
	struct sandbox *s = t->rows[t->pos.at].s;

	if (s)
		s->marked = !s->marked;
	else
		fleet_group_mark(t, fleet_group_selected(t));
	marked_here(t, s);
	list_act(&t->pos, ACT_DOWN);
}

static void mark_all(struct model *m, struct fleet_table *t, bool marked)
{
	if (marked)
		for (size_t i = 0; i < t->n; i++)
			t->shown[i]->marked = true;
	else
		for (size_t i = 0; i < m->fleet.n; i++)
			m->fleet.all[i]->marked = false;
	marked_here(t, NULL);
}

static bool act_on_rows(struct model *m, struct fleet_table *t,
			enum action a)
{
	switch (a) {
	case ACT_MARK:
		if (t->n_rows)
			mark(t);
		return true;
	case ACT_MARK_RANGE:
		if (t->n_rows)
			mark_range(t);
		return true;
	case ACT_MARK_ALL:
	case ACT_UNMARK_ALL:
		mark_all(m, t, a == ACT_MARK_ALL);
		return true;
	default:
		return false;
	}
}

static void toggle_column(struct model *m, size_t i, void *data)
{
	struct fleet_table *t = data;

	(void)m;
	t->hidden ^= 1u << (i + 1);
}

static void choose_columns(struct model *m, struct fleet_table *t)
{
	struct menu_item items[32] = { 0 };
	char *labels[32] = { NULL };
	size_t n = 0;

	for (; n < ARRAY_SIZE(labels) - 1 &&
	       fleet_column_name((unsigned)n + 1); n++) {
		bool hidden = t->hidden & 1u << (n + 1);

		labels[n] = xasprintf("%s %s", hidden ? "show" : "hide",
				      fleet_column_name((unsigned)n + 1));
		items[n].label = labels[n];
	}
	menu_open(m, "COLUMNS", items, n, toggle_column, t, NULL);
	for (size_t i = 0; i < n; i++)
		free(labels[i]);
}

bool fleet_table_act(struct model *m, struct fleet_table *t, enum action a)
{
	bool moved = list_act(&t->pos, a) || act_on_rows(m, t, a) ||
		     fleet_group_act(m, t, a);

	if (moved) {
		select_at(t);
		return true;
	}
	if (order_act(m, &t->order, a))
		return true;
	switch (a) {
	case ACT_COLUMNS:
		choose_columns(m, t);
		return true;
	case ACT_SAVE_VIEW:
		views_keep(m);
		return true;
	case ACT_VIEWS:
		views_menu(m);
		return true;
	case ACT_FILTER:
		t->typing = true;
		t->filter.past = past_of(m, PAST_SANDBOXES);
		return true;
	case ACT_BACK:
		if (!*field_text(&t->filter))
			return false;
		field_set(&t->filter, "");
		return true;
	default:
		return false;
	}
}

static bool click(struct fleet_table *t, const struct mouse *mouse)
{
	const struct area *a = &t->area;
	size_t row = t->pos.top + (size_t)(mouse->row - a->row);

	if (mouse->row < a->row || mouse->row >= a->row + a->rows ||
	    mouse->col < a->col || mouse->col >= a->col + a->cols)
		return false;
	if (mouse->kind == MOUSE_WHEEL_UP || mouse->kind == MOUSE_WHEEL_DOWN)
		list_scroll(&t->pos, mouse->kind == MOUSE_WHEEL_UP ? -3 : 3);
	else if (mouse->kind == MOUSE_PRESS && row < t->n_rows)
		t->pos.at = row;
	select_at(t);
	return true;
}

bool fleet_table_input(struct model *m, struct fleet_table *t,
		       const struct input_event *ev)
{
	static const enum context field_chain[] = { CTX_FIELD, CTX_NONE };

	if (ev->type == INPUT_MOUSE)
		return click(t, &ev->mouse);
	if (!t->typing)
		return false;
	enum action a = ev->type == INPUT_KEY ?
				keymap_find(m->keymap, field_chain, ev->key) :
				ACT_NONE;

	if ((a == ACT_UP || a == ACT_DOWN) && list_act(&t->pos, a)) {
		select_at(t); /* or it would be where it was */
		return true;
	}
	t->typing = field_type(&t->filter, m->keymap, ev) == FIELD_GOES_ON;
	return true;
}

/* -- figures */

/* The i-th row that is: s NULL of a header; false past the last. */
static bool in_view(const struct fleet_table *t, size_t i,
		    struct sandbox **ret_s)
{
	size_t at = t->pos.top + i;

	*ret_s = NULL;
	if (i >= t->pos.height || at >= t->n_rows)
		return false;
	*ret_s = t->rows[at].s;
	return true;
}

static bool in_view_runs(const struct fleet_table *t)
{
	struct sandbox *s;

	for (size_t i = 0; in_view(t, i, &s); i++)
		if (s && sandbox_is(s, "running"))
			return true;
	return false;
}

/* One was asked about once: its figure waits for the second time. */
static bool in_view_waits(const struct fleet_table *t)
{
	struct sandbox *s;

	for (size_t i = 0; in_view(t, i, &s); i++)
		if (s && sandbox_is(s, "running") && s->has_stats &&
		    !s->has_cpu)
			return true;
	return false;
}

static int64_t next_poll(const struct fleet_table *t)
{
	return t->polled + (in_view_waits(t) ? SECOND_POLL_NS : POLL_NS);
}

/* When the text of a time left changes next. */
static int64_t next_countdown(const struct model *m,
			      const struct fleet_table *t)
{
	struct sandbox *s;
	int64_t best = 0;

	for (size_t i = 0; in_view(t, i, &s); i++) {
		int64_t left = (s ? s->expires_ns : 0) - m->wall_ns;
		int64_t unit = left >= 60 * SECOND ? 60 * SECOND : SECOND;
		int64_t at = m->boot_ns + left % unit + 1;

		if (s && s->expires_ns && left > 0 &&
		    (!best || at < best))
			best = at;
	}
	/* Many of them tick together. */
	return best ? (best / SECOND + 1) * SECOND : 0;
}

/* Where nothing ticks until there are figures, then only with what does. */
static bool is_polled(const struct model *m, const struct fleet_table *t)
{
	return m->set.motion || !t->polled ? in_view_runs(t) :
					     in_view_waits(t);
}

int64_t fleet_table_wake(const struct model *m, const struct fleet_table *t)
{
	int64_t at = next_countdown(m, t);
	int64_t poll = next_poll(t);

	if (m->link == LINK_LIVE && m->focused && is_polled(m, t) &&
	    (!at || poll < at))
		at = poll;
	return at;
}

static void stats_arrived(struct model *m, struct request *r)
{
	auto_json struct json_doc doc = JSON_DOC_INIT;
	cJSON *object = request_object(r, &doc);
	struct sandbox *s = fleet_find(&m->fleet, r->about);

	if (object && s)
		fleet_stats(s, object);
	svm_err_release(&r->err); /* it may be gone: no news */
	m->polling--;
}

void fleet_table_tick(struct model *m, struct fleet_table *t)
{
	struct sandbox *s;

	if (m->link != LINK_LIVE || !m->focused || m->polling ||
	    m->boot_ns < next_poll(t))
		return;
	t->polled = m->boot_ns;
	m->effects |= EFFECT_HOST;
	for (size_t i = 0; in_view(t, i, &s); i++) {
		if (!s || !sandbox_is(s, "running"))
			continue;
		struct request *r = request_new(
			"GET", request_sandbox(s->id, "/stats"),
			stats_arrived);

		r->about = xstrdup(s->id);
		r->quiet = true;
		m->polling++;
		request_send(m, r);
	}
}
