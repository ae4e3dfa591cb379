/* SPDX-License-Identifier: MIT */
/* Screen 2: the fleet, and all there is to know of the selected one. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "tui/facts.h"
#include "tui/fleet-group.h"
#include "tui/frame.h"
#include "tui/inspect.h"
#include "tui/panes.h"
#include "tui/sandbox-act.h"

/* Of the width, in percent: the table's. */
#define SHARE_LEAST 30
#define SHARE_MOST 80
#define SHARE_STEP 10

struct sandboxes {
	struct fleet_table table;
	struct inspect inspect;
	int share;
	bool details; /* the details have the keys */
	bool zoomed;
};

static void *sandboxes_make(struct model *m)
{
	struct sandboxes *s = xcalloc(1, sizeof(*s));

	(void)m;
	s->share = 50;
	fleet_table_init(&s->table);
	return s;
}

static void sandboxes_release(struct model *m, void *state)
{
	struct sandboxes *s = state;

	inspect_release(m, &s->inspect);
	fleet_table_release(&s->table);
	free(s);
}

/* Under 80 columns, or zoomed, one of the two is shown. */
static void split(const struct sandboxes *s, struct area a,
		  struct area *ret_table, struct area *ret_details)
{
	*ret_table = *ret_details = a;
	if (a.cols < 80 || s->zoomed) {
		(s->details ? ret_table : ret_details)->cols = 0;
		return;
	}
	ret_table->cols = a.cols * s->share / 100;
	ret_details->col = ret_table->cols;
	ret_details->cols = a.cols - ret_table->cols;
}

static struct area inside(struct area a)
{
	return (struct area){ a.row + 1, a.col + 1, MAX(a.rows - 2, 0),
			      MAX(a.cols - 2, 0) };
}

static void fleet_title(const struct model *m, const struct sandboxes *s,
			struct buf *out)
{
	size_t marked = fleet_marked(&m->fleet);

	buf_addf(out, "FLEET  sort: %s%s", order_name(&s->table.order),
		 s->table.order.invert ? ", inverted" : "");
	if (s->table.grouping)
		buf_addf(out, "  by: %s",
			 fleet_grouping_name(s->table.grouping));
	if (*field_text(&s->table.filter))
		buf_addf(out, "  filter: %s", field_text(&s->table.filter));
	if (marked)
		buf_addf(out, "  marked %zu", marked);
}

/* What a header stands for. */
static void view_group(const struct model *m, const struct fleet_table *t,
		       const struct fleet_group *g, struct canvas *c,
		       struct area a, bool focused)
{
	struct facts f = { m, c, frame_pane(c, a, fleet_group_title(t, g),
					    focused), 0, 0 };
	auto_buf struct buf counts = BUF_INIT;

	fleet_group_counts(t, g, &counts);
	facts_pair(&f, "sandboxes", buf_str(&counts));
	for (size_t i = g->from; i < g->from + g->n; i++) {
		const struct sandbox *s = t->shown[i];
		auto_free char *text = xasprintf("%s  %s%s%s", s->id, s->state,
						 *s->name ? "  " : "",
						 s->name);

		facts_plain(&f, ROLE_INK, text);
	}
}

static void sandboxes_view(const struct model *m, const void *state,
			   struct canvas *c, struct area a)
{
	const struct sandboxes *s = state;
	struct area table, details;
	auto_buf struct buf title = BUF_INIT;

	split(s, a, &table, &details);
	fleet_title(m, s, &title);
	if (table.cols) {
		fleet_table_view(m, &s->table, c,
				 frame_pane(c, table, buf_str(&title),
					    !s->details));
		frame_place(c, table, s->table.pos.at, s->table.n_rows);
	}
	if (details.cols && fleet_group_selected(&s->table))
		view_group(m, &s->table, fleet_group_selected(&s->table), c,
			   details, s->details);
	else if (details.cols)
		inspect_view(m, &s->inspect,
			     fleet_table_selected(&s->table), c, details,
			     s->details);
}

static void sandboxes_settle(struct model *m, void *state, struct area a)
{
	struct sandboxes *s = state;
	struct area table, details;

	split(s, a, &table, &details);
	/* What isn't shown keeps its place. */
	fleet_table_settle(m, &s->table, inside(table.cols ? table : a));
	inspect_settle(m, &s->inspect, fleet_table_selected(&s->table),
		       inside(details));
}

static void sandboxes_contexts(const struct model *m, const void *state,
			       enum context ret[CONTEXT_CHAIN], bool *alone)
{
	(void)m, (void)state, (void)alone;
	ret[0] = CTX_SANDBOXES;
	ret[1] = CTX_TABLE;
	ret[2] = CTX_PANES;
	ret[3] = CTX_DETAILS;
	ret[4] = CTX_LIST;
}

static bool act_on_panes(struct sandboxes *s, enum action a)
{
	switch (a) {
	case ACT_NEXT_PANE:
	case ACT_PREV_PANE:
		s->details = !s->details;
		return true;
	case ACT_BIGGER:
	case ACT_SMALLER:
		s->share += (a == ACT_BIGGER) == s->details ? -SHARE_STEP :
							      SHARE_STEP;
		s->share = MIN(MAX(s->share, SHARE_LEAST), SHARE_MOST);
		return true;
	case ACT_EQUAL:
		s->share = 50;
		s->zoomed = false;
		return true;
	case ACT_ZOOM:
		s->zoomed = !s->zoomed;
		return true;
	case ACT_INSPECT:
		s->details = true;
		return true;
	default:
		return false;
	}
}

static bool sandboxes_act(struct model *m, void *state, enum action a)
{
	struct sandboxes *s = state;

	if (act_on_panes(s, a) || inspect_act(&s->inspect, a, s->details))
		return true;
	if (a == ACT_BACK && (s->details || s->zoomed)) {
		s->details = s->zoomed = false;
		return true;
	}
	return fleet_table_act(m, &s->table, a) ||
	       sandbox_act(m, fleet_table_selected(&s->table), a);
}

static struct fleet_table *sandboxes_table(void *state)
{
	return &((struct sandboxes *)state)->table;
}

static bool sandboxes_size(void *state, size_t k, struct pane_size *ret)
{
	struct sandboxes *s = state;

	if (k)
		return false;
	*ret = (struct pane_size){ "fleet", &s->share, SHARE_LEAST,
				   SHARE_MOST };
	return true;
}

static const cJSON *sandboxes_subject(const struct model *m, const void *state)
{
	const struct sandboxes *d = state;
	const struct sandbox *s = fleet_table_selected(&d->table);

	(void)m;
	return s ? s->json : NULL;
}

static bool sandboxes_empty(const struct model *m, const void *state)
{
	(void)m;
	return !((const struct sandboxes *)state)->table.n_rows;
}

static bool sandboxes_input(struct model *m, void *state,
			    const struct input_event *ev)
{
	struct sandboxes *s = state;

	return fleet_table_input(m, &s->table, ev);
}

static const struct field *sandboxes_typing(const struct model *m,
					    const void *state,
					    const char **ret_label)
{
	const struct sandboxes *s = state;

	(void)m;
	*ret_label = "filter";
	return s->table.typing ? &s->table.filter : NULL;
}

static void sandboxes_status(const struct model *m, const void *state,
			     struct buf *out)
{
	const struct sandboxes *s = state;

	fleet_table_status(m, &s->table, out);
}

static int64_t sandboxes_wake(const struct model *m, const void *state)
{
	const struct sandboxes *s = state;

	return fleet_table_wake(m, &s->table);
}

static void sandboxes_tick(struct model *m, void *state)
{
	struct sandboxes *s = state;

	fleet_table_tick(m, &s->table);
}

static void sandboxes_leave(struct model *m, void *state)
{
	struct sandboxes *s = state;

	inspect_leave(m, &s->inspect);
}

void sandboxes_filter(struct model *m, const char *filter)
{
	struct sandboxes *s = m->state[SCREEN_SANDBOXES];

	field_set(&s->table.filter, filter);
}

const struct screen screen_sandboxes = {
	.name = "sandboxes",
	.title = "SANDBOXES",
	.make = sandboxes_make,
	.release = sandboxes_release,
	.leave = sandboxes_leave,
	.view = sandboxes_view,
	.settle = sandboxes_settle,
	.contexts = sandboxes_contexts,
	.act = sandboxes_act,
	.input = sandboxes_input,
	.table = sandboxes_table,
	.size = sandboxes_size,
	.subject = sandboxes_subject,
	.empty = sandboxes_empty,
	.status = sandboxes_status,
	.typing = sandboxes_typing,
	.wake = sandboxes_wake,
	.tick = sandboxes_tick,
};
