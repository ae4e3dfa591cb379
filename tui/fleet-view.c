/* SPDX-License-Identifier: MIT */
/* How the table of sandboxes is drawn.  See fleet-table.h. */
#include <string.h>

#include "lib/base/width.h"
#include "tui/fleet-group.h"
#include "tui/frame.h"
#include "tui/glyph.h"

enum column { COL_ID, COL_NAME, COL_STATE, COL_PROVIDER, COL_IMAGE,
	      COL_OWNER, COL_CPU, COL_CURVE, COL_MEM, COL_TTL, COL_LEFT,
	      COL_MAX };

#define INDENT 2

/* Narrower, a name stands in place of the id of who has one. */
#define NAMES_FROM 56
#define PROVIDERS_FROM 62
#define IMAGE_LEAST 6

/* Shown from this width of the table on if IMAGE keeps so much; NAME and
 * PROVIDER take what the longest needs, IMAGE what is left. */
static const struct {
	const char *title;
	int from, keeps, width;
	bool right;
	enum fleet_sort sort;
	enum theme_role role;
} columns[COL_MAX] = {
	[COL_ID] = { "ID", 0, 0, 12, false, FLEET_BY_ID, ROLE_INK },
	[COL_NAME] = { "NAME", NAMES_FROM, 0, 0, false, FLEET_BY_NAME,
		       ROLE_VALUE },
	[COL_STATE] = { "STATE", 0, 0, 11, false, FLEET_BY_STATE, ROLE_DIM },
	[COL_PROVIDER] = { "PROVIDER", PROVIDERS_FROM, 12, 0, false,
			   FLEET_SORT_MAX, ROLE_DIM },
	[COL_IMAGE] = { "IMAGE", 0, 0, 0, false, FLEET_BY_IMAGE, ROLE_INK },
	[COL_OWNER] = { "OWNER", 100, 16, 12, false, FLEET_SORT_MAX, ROLE_DIM },
	[COL_CPU] = { "CPU", NAMES_FROM, 12, 5, true, FLEET_BY_CPU, ROLE_DIM },
	[COL_CURVE] = { "", NAMES_FROM, 16, 5, false, FLEET_SORT_MAX,
			ROLE_VALUE },
	[COL_MEM] = { "MEM", 84, 16, 9, true, FLEET_BY_MEMORY, ROLE_DIM },
	[COL_TTL] = { "TTL", 0, 0, 6, true, FLEET_BY_TTL, ROLE_DIM },
	[COL_LEFT] = { "", NAMES_FROM, 16, 5, false, FLEET_SORT_MAX,
		       ROLE_ACCENT },
};

const char *fleet_column_name(unsigned i)
{
	static const char *const names[COL_MAX] = {
		"id", "name", "state", "provider", "image", "owner", "cpu",
		"cpu curve", "memory", "ttl", "ttl bar",
	};

	return i < COL_MAX ? names[i] : NULL;
}

/* None when nobody has a name, or nobody wants to see them. */
static int name_width(const struct fleet_table *t, int total)
{
	int most = total >= 120		   ? 33 :
		   total >= 72		   ? 17 :
		   total >= PROVIDERS_FROM ? 9 : /* they have the rest */
					     13;

	if (!t->longest_name || t->hidden & 1u << COL_NAME)
		return 0;
	return MIN(MAX(t->longest_name + 1, 6), most);
}

static bool names_first(const struct fleet_table *t, int total)
{
	return total < NAMES_FROM && name_width(t, total);
}

static bool is_shown(const struct model *m, const struct fleet_table *t,
		     enum column i, int total)
{
	if (total < columns[i].from || t->hidden & 1u << i)
		return false;
	if (i == COL_OWNER && !t->owned)
		return false;
	/* Pictures: one moves, neither can be read out. */
	if (i == COL_CURVE && !m->set.motion)
		return false;
	return (i != COL_CURVE && i != COL_LEFT) || !m->set.words;
}

static int width_wanted(const struct fleet_table *t, enum column i, int total)
{
	if (i == COL_NAME)
		return name_width(t, total);
	if (i == COL_PROVIDER)
		return MIN(MAX(t->longest_provider + 1, 9), 13);
	if (i == COL_ID && names_first(t, total))
		return MAX(name_width(t, total), columns[i].width);
	return columns[i].width;
}

/* Those that matter most come first; where too little is left for images,
 * names have it. */
static void lay_out(const struct model *m, const struct fleet_table *t,
		    int total, int ret_width[COL_MAX])
{
	static const enum column order[] = {
		COL_ID, COL_STATE, COL_TTL, COL_NAME, COL_CPU, COL_PROVIDER,
		COL_CURVE, COL_LEFT, COL_MEM, COL_OWNER,
	};
	bool images = !(t->hidden & 1u << COL_IMAGE);
	int rest = total - 2;

	memset(ret_width, 0, COL_MAX * sizeof(*ret_width));
	for (size_t k = 0; k < ARRAY_SIZE(order); k++) {
		enum column i = order[k];
		int width = width_wanted(t, i, total);

		if (!is_shown(m, t, i, total) ||
		    (columns[i].keeps &&
		     rest - width < (images ? columns[i].keeps : 0)))
			continue;
		ret_width[i] = width;
		rest -= width;
	}
	if (images && rest >= IMAGE_LEAST)
		ret_width[COL_IMAGE] = rest;
	else if (names_first(t, total))
		ret_width[COL_ID] = MAX(ret_width[COL_ID] + rest, 0);
}

static void put(struct canvas *c, int row, int col, int width, bool right,
		struct cell pen, const char *text)
{
	int used = (int)width_text(text, strlen(text));

	width -= right ? 0 : 1;
	if (width > 0)
		canvas_text(c, row,
			    right ? col + MAX(width - used, 0) : col, width,
			    pen, text);
}

static void view_titles(const struct model *m, const struct fleet_table *t,
			struct canvas *c, struct area a,
			const int widths[COL_MAX])
{
	int col = a.col + 2;

	for (enum column i = 0; i < COL_MAX; i++) {
		int width = widths[i];
		bool first = i == COL_ID && names_first(t, a.cols);
		bool sorted = columns[i].sort == t->order.by ||
			      (first && t->order.by == FLEET_BY_NAME);
		auto_buf struct buf text = BUF_INIT;

		if (!width)
			continue;
		buf_addstr(&text, first ? "NAME/ID" : columns[i].title);
		if (sorted)
			buf_addstr(&text, order_arrow(m, &t->order));
		put(c, a.row, col, width, columns[i].right,
		    pen_role(sorted ? ROLE_VALUE : ROLE_DIM), buf_str(&text));
		col += width;
	}
}

static void view_state(const struct model *m, const struct sandbox *s,
		       struct canvas *c, int row, int col, int width)
{
	enum theme_role role;
	const char *symbol = frame_state(m, s->state, &role);
	bool going = s->going_until || s->asked;

	if (going)
		symbol = frame_state(m, "destroying", &role);
	canvas_textf(c, row, col, width - 1, pen_role(role), "%s %s", symbol,
		     going			  ? "killing" :
		     sandbox_is(s, "running") && !m->set.words ? "run" :
								 s->state);
}

static void cell_text_of(const struct model *m, const struct fleet_table *t,
			 const struct sandbox *s, enum column i,
			 struct buf *out)
{
	char text[FRAME_TIME_SIZE] = "";

	switch (i) {
	case COL_ID:
		buf_addstr(out, s->id);
		return;
	case COL_NAME:
		buf_addstr(out, s->name);
		return;
	case COL_PROVIDER:
		buf_addstr(out, s->provider);
		return;
	case COL_IMAGE:
		buf_addstr(out, s->image);
		if (*s->template && t->grouping != FLEET_BY_TEMPLATE)
			buf_addf(out, " (%s)", s->template);
		return;
	case COL_OWNER:
		buf_addstr(out, s->owner);
		return;
	case COL_CPU:
		if (s->has_cpu)
			buf_addf(out, "%.0f%%", s->cpu_pct);
		else if (s->has_stats)
			buf_addch(out, '-');
		return;
	case COL_MEM:
		if (s->has_stats)
			frame_bytes(s->mem, text);
		break;
	case COL_TTL:
		if (s->expires_ns)
			frame_left(s->expires_ns - m->wall_ns, text);
		break;
	default:
		break;
	}
	buf_addstr(out, text);
}

/* What is left of its time, of all it was given. */
static void view_left(const struct model *m, const struct sandbox *s,
		      struct canvas *c, int row, int col, int width)
{
	double part = (double)(s->expires_ns - m->wall_ns) /
		      (double)MAX(s->expires_ns - s->created_ns, 1);

	if (s->expires_ns && s->created_ns)
		frame_bar(m, c, row, col, width, part,
			  pen_role(part < 0.1 ? ROLE_BAD : ROLE_ACCENT));
}

static void view_row(const struct model *m, const struct fleet_table *t,
		     const struct sandbox *s, struct canvas *c, int row,
		     struct area a, const int widths[COL_MAX])
{
	int col = a.col + 2;

	for (enum column i = 0; i < COL_MAX; i++) {
		int width = widths[i];
		auto_buf struct buf text = BUF_INIT;

		if (i == COL_STATE && width) {
			view_state(m, s, c, row, col, width);
		} else if (i == COL_CURVE && width) {
			frame_spark(m, c, row, col + 1, width - 1,
				    s->cpu_samples, s->n_samples,
				    pen_role(columns[i].role));
		} else if (i == COL_LEFT && width) {
			view_left(m, s, c, row, col + 1, width - 1);
		} else if (width) {
			bool named = i == COL_ID && *s->name &&
				     names_first(t, a.cols);

			cell_text_of(m, t, s, named ? COL_NAME : i, &text);
			put(c, row, col, width, columns[i].right,
			    pen_role(named ? ROLE_VALUE : columns[i].role),
			    buf_str(&text));
		}
		col += width;
	}
}

/* "v data-science  3 running" */
static void view_header(const struct model *m, const struct fleet_table *t,
			const struct fleet_group *g, struct canvas *c,
			int row, struct area a)
{
	auto_buf struct buf counts = BUF_INIT;
	int col = a.col + 2, end = a.col + a.cols;

	fleet_group_counts(t, g, &counts);
	col += canvas_textf(c, row, col, 2, pen_role(ROLE_ACCENT), "%s ",
			    m->set.ascii ? (g->folded ? ">" : "v") :
			    g->folded	 ? GLYPH_RIGHT :
					   GLYPH_DOWN);
	/* What the group is called may be cut off, how many it has not. */
	col += canvas_text(c, row, col, end - col - (int)counts.len - 2,
			   pen_role(ROLE_VALUE), fleet_group_title(t, g));
	canvas_text(c, row, col + 2, end - col - 2, pen_role(ROLE_DIM),
		    buf_str(&counts));
}

static bool is_marked(const struct fleet_table *t, const struct fleet_row *r)
{
	return r->s ? r->s->marked :
		      fleet_group_all_marked(t, &t->groups[r->group]);
}

static void view_nothing(const struct model *m, const struct fleet_table *t,
			 struct canvas *c, struct area a)
{
	enum context chain[CONTEXT_CHAIN];
	char key[KEY_NAME_MAX];

	if (a.rows < 2)
		return;
	update_contexts(m, chain);
	if (!m->fleet.loaded)
		canvas_text(c, a.row + 1, a.col + 2, a.cols - 2,
			    pen_role(ROLE_DIM),
			    m->link == LINK_LOST ? "no daemon answers" :
						   "asking the daemon");
	else if (*field_text(&t->filter))
		canvas_text(c, a.row + 1, a.col + 2, a.cols - 2,
			    pen_role(ROLE_DIM),
			    "nothing matches the filter; Esc clears it");
	else
		canvas_textf(c, a.row + 1, a.col + 2, a.cols - 2,
			     pen_role(ROLE_DIM),
			     "no sandboxes; %s spawns one",
			     keymap_key(m->keymap, chain, ACT_SPAWN, key));
}

void fleet_table_view(const struct model *m, const struct fleet_table *t,
		      struct canvas *c, struct area a)
{
	struct area in = a;
	int widths[COL_MAX];

	/* Below their headers rows stand further in. */
	in.col += t->grouping ? INDENT : 0;
	in.cols -= t->grouping ? INDENT : 0;
	lay_out(m, t, in.cols, widths);
	view_titles(m, t, c, in, widths);
	if (!t->n)
		view_nothing(m, t, c, a);
	for (size_t i = 0; i + 1 < (size_t)MAX(a.rows, 1); i++) {
		size_t at = t->pos.top + i;
		int row = a.row + 1 + (int)i;

		if (at >= t->n_rows)
			break;
		const struct fleet_row *r = &t->rows[at];

		if (r->s)
			view_row(m, t, r->s, c, row, in, widths);
		else
			view_header(m, t, &t->groups[r->group], c, row, a);
		if (is_marked(t, r))
			canvas_text(c, row, a.col + 1, 1,
				    pen_role(ROLE_ACCENT), "*");
		if (at != t->pos.at)
			continue;
		canvas_shade(c, row, a.col, 1, a.cols, ROLE_SELECTED);
		canvas_text(c, row, a.col, 1,
			    pen_on(pen_role(ROLE_ACCENT), ROLE_SELECTED),
			    m->set.ascii ? ">" : GLYPH_MARKER);
		if (!m->dialog)
			canvas_cursor(c, row, a.col);
	}
}

void fleet_table_status(const struct model *m, const struct fleet_table *t,
			struct buf *out)
{
	size_t marked = fleet_marked(&m->fleet), idle = 0;

	for (size_t i = 0; i < m->fleet.n; i++)
		idle += m->fleet.all[i]->marked;
	idle -= marked;
	if (marked)
		buf_addf(out, "%zu marked of ", marked);
	if (idle)
		buf_addf(out, "(%zu marked, not shown) ", idle);
	if (*field_text(&t->filter))
		buf_addf(out, "%zu shown (%zu in all)  filter: %s", t->n,
			 m->fleet.n, field_text(&t->filter));
	else
		buf_addf(out, "%zu sandbox%s", m->fleet.n,
			 m->fleet.n == 1 ? "" : "es");
	if (m->cols >= 100)
		buf_addstr(out, m->set.ascii ? "  100% = 1 vCPU" :
					       " \u00b7 100% = 1 vCPU");
}
