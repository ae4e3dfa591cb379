/* SPDX-License-Identifier: MIT */
/* Lists of objects.  See objects.h. */
#include "tui/objects.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "tui/facts.h"
#include "tui/frame.h"
#include "tui/glyph.h"
#include "tui/views.h"

bool objects_is_off(const cJSON *provider)
{
	return cJSON_IsFalse(json_get(provider, "enabled"));
}

void objects_release(struct objects *x)
{
	field_release(&x->filter);
	free(x->selected);
	free(x->wanted);
	free(x->shown);
}

static struct area inside(struct area a)
{
	return (struct area){ a.row + 1, a.col + 1, MAX(a.rows - 2, 0),
			      MAX(a.cols - 2, 0) };
}

/* Left the list, right the details; narrow: what has the keys. */
static void split(const struct objects *x, struct area a,
		  struct area *ret_list, struct area *ret_details)
{
	*ret_list = *ret_details = a;
	if (a.cols < 80 && x->beside)
		ret_list->cols = 0;
	else if (a.cols < 80)
		ret_details->cols = 0;
	if (a.cols < 80)
		return;
	ret_list->cols = a.cols / 2;
	ret_details->col = ret_list->cols;
	ret_details->cols = a.cols - ret_list->cols;
}

static int compare(const cJSON *a, const cJSON *b,
		   const struct objects_sort *s)
{
	const cJSON *x = s->key ? json_get(a, s->key) : NULL;
	const cJSON *y = s->key ? json_get(b, s->key) : NULL;
	/* What has none comes last. */
	double most = cJSON_IsNumber(x) ? x->valuedouble : -1;
	double other = cJSON_IsNumber(y) ? y->valuedouble : -1;

	if (!s->key)
		return 0;
	switch (s->how) {
	case SORT_TRUE:
		return cJSON_IsTrue(y) - cJSON_IsTrue(x);
	case SORT_LEAST:
		if (most >= 0 && other >= 0)
			return (most > other) - (most < other);
		return (most < other) - (most > other);
	case SORT_MOST:
		return (most < other) - (most > other);
	default:
		return strcmp(json_text(a, s->key), json_text(b, s->key));
	}
}

/* A place among the listed, so that equal ones stay as they are. */
struct listed {
	const cJSON *o;
	size_t at;
};

static int in_order(const void *pa, const void *pb, void *px)
{
	const struct objects *x = px;
	const struct listed *a = pa, *b = pb;
	int r = compare(a->o, b->o, &x->sorts[x->order.by]);

	if (r == 0)
		r = (a->at > b->at) - (a->at < b->at);
	return x->order.invert ? -r : r;
}

static void sort(struct objects *x)
{
	struct listed *all = xcalloc(x->n + 1, sizeof(*all));

	for (size_t i = 0; i < x->n; i++)
		all[i] = (struct listed){ x->shown[i], i };
	qsort_r(all, x->n, sizeof(*all), in_order, x);
	for (size_t i = 0; i < x->n; i++)
		x->shown[i] = all[i].o;
	free(all);
}

/* Where they stand within their frame, below what is above them. */
static struct area below_head(const struct objects *x, struct area in)
{
	if (x->head && in.rows > 1) {
		in.row++;
		in.rows--;
	}
	return in;
}

/* Cards, apart or close to each other, or a row each: all in view at once. */
static int rows_of_one(const struct objects *x)
{
	int n = (int)x->n, room = x->rows.rows;

	if (!x->card || n > room / 2)
		return 1;
	return 3 * n - 1 <= room ? 3 : 2;
}

void objects_choose(void *state, const char *name)
{
	struct objects *x = state;

	field_set(&x->filter, "");
	free(x->wanted);
	x->wanted = xstrdup(name);
	x->pos.at = x->settled;
	x->beside = false;
}

static bool find(struct objects *x, const char *name)
{
	for (size_t i = 0; name && i < x->n; i++)
		if (strcmp(json_text(x->shown[i], "name"), name) == 0) {
			x->pos.at = i;
			return true;
		}
	return false;
}

/* Unless another was chosen since. */
static void find_selected(struct objects *x)
{
	if (x->pos.at == x->settled && !find(x, x->wanted)) {
		(void)find(x, x->selected);
		return;
	}
	free(x->wanted);
	x->wanted = NULL;
}

void objects_settle(struct objects *x, const cJSON *list, struct area a)
{
	struct area rows, details;
	const cJSON *o;

	split(x, a, &rows, &details);
	x->shown = xreallocarray(x->shown,
				 (size_t)cJSON_GetArraySize(list) + 1,
				 sizeof(*x->shown));
	x->n = 0;
	cJSON_ArrayForEach(o, list)
		if (strcasestr(json_text(o, "name"),
			       field_text(&x->filter)) ||
		    strcasestr(json_text(o, "image"),
			       field_text(&x->filter)))
			x->shown[x->n++] = o;
	if (x->sorts)
		sort(x);
	find_selected(x);
	x->rows = below_head(x, inside(x->wide ? a : rows));
	x->details = inside(details);
	x->each = rows_of_one(x);
	/* Below the last one there may be no row that sets it apart. */
	list_settle(&x->pos, x->n, (x->rows.rows + (x->each > 2)) / x->each);
	x->beside &= x->n > 0;
	x->settled = x->pos.at;
	if (!x->n)
		return;
	free(x->selected);
	x->selected = xstrdup(json_text(objects_selected(x), "name"));
}

const cJSON *objects_selected(const struct objects *x)
{
	return x->pos.at < x->n ? x->shown[x->pos.at] : NULL;
}

/* Of a template: who was made from it. */
static void used_by(struct facts *f, const cJSON *o)
{
	auto_free char *text = NULL;
	size_t n = 0;

	if (!json_get(o, "pool_size"))
		return;
	for (size_t i = 0; i < f->m->fleet.n; i++)
		n += strcmp(f->m->fleet.all[i]->template,
			    json_text(o, "name")) == 0;
	text = xasprintf("%zu sandbox%s", n, n == 1 ? "" : "es");
	facts_pair(f, "used by", text);
}

/* All there is to say; its lines are counted without a canvas. */
static size_t add_details(struct facts *f, const cJSON *o)
{
	facts_object(f, o);
	used_by(f, o);
	return f->line;
}

static struct list_pos details_pos(const struct model *m,
				   const struct objects *x)
{
	struct facts f = { m, NULL, x->details, 0, 0 };
	const cJSON *o = objects_selected(x);
	size_t n = o ? add_details(&f, o) : 0;
	size_t height = (size_t)MAX(x->details.rows, 1);
	size_t most = n > height ? n - height : 0;

	/* There is no selection: the first line in view is where one is. */
	return (struct list_pos){ MIN(x->top, most), 0, most + 1, height };
}

static void view_details(const struct model *m, const struct objects *x,
			 struct canvas *c, struct area pane)
{
	const cJSON *o = objects_selected(x);
	struct list_pos pos = details_pos(m, x);
	struct facts f = { m, c, frame_pane(c, pane, o ? json_text(o, "name") :
						     "DETAILS",
					    x->beside), pos.at, 0 };
	size_t n = o ? add_details(&f, o) : 0;

	if (x->beside && !m->dialog)
		canvas_cursor(c, f.a.row, f.a.col);
	if (pos.n < 2)
		return;
	auto_free char *place = xasprintf(
		" %zu-%zu/%zu%s ", pos.at + 1, MIN(pos.at + pos.height, n), n,
		x->beside ? "" : "  Tab scrolls");

	frame_corner(c, pane, true, pen_role(ROLE_DIM), place);
}

/* And what to do about it. */
static void view_nothing(const struct model *m, const struct objects *x,
			 const cJSON *list, struct canvas *c, struct area in)
{
	enum context chain[CONTEXT_CHAIN];
	char key[KEY_NAME_MAX];

	update_screen_contexts(m, chain);
	in = (struct area){ in.row, in.col + 2, in.rows, in.cols - 2 };
	if (!list)
		canvas_text(c, in.row, in.col, in.cols, pen_role(ROLE_DIM),
			    m->link == LINK_LOST ? "no daemon answers" :
						   "asking the daemon");
	else if (*field_text(&x->filter))
		canvas_text(c, in.row, in.col, in.cols, pen_role(ROLE_DIM),
			    "nothing matches the filter; Esc clears it");
	else if (*keymap_key(m->keymap, chain, ACT_NEW, key))
		canvas_textf(c, in.row, in.col, in.cols, pen_role(ROLE_DIM),
			     "none yet; %s makes one", key);
	else
		canvas_text(c, in.row, in.col, in.cols, pen_role(ROLE_DIM),
			    "none");
}

static void view_head(const struct objects *x, struct canvas *c,
		      struct area in)
{
	auto_buf struct buf text = BUF_INIT;

	if (!x->head || !x->n || in.rows < 2)
		return;
	x->head(in.cols - 2, &text);
	canvas_text(c, in.row, in.col + 2, in.cols - 2, pen_role(ROLE_DIM),
		    buf_str(&text));
}

static void view_one(const struct model *m, const struct objects *x,
		     size_t at, struct canvas *c, struct area a,
		     objects_row_fn row)
{
	struct area in = { a.row, a.col + 2, a.rows, a.cols - 2 };
	auto_buf struct buf text = BUF_INIT;

	if (a.rows > 1) {
		x->card(m, x, x->shown[at], c, in);
	} else {
		row(m, x->shown[at], in.cols, &text);
		canvas_text(c, in.row, in.col, in.cols, pen_role(ROLE_INK),
			    buf_str(&text));
	}
	if (at != x->pos.at)
		return;
	canvas_shade(c, a.row, a.col, a.rows, a.cols, ROLE_SELECTED);
	for (int i = 0; i < a.rows; i++)
		canvas_text(c, a.row + i, a.col, 1,
			    pen_on(pen_role(ROLE_ACCENT), ROLE_SELECTED),
			    m->set.ascii ? ">" : GLYPH_MARKER);
	if (!m->dialog && !x->beside)
		canvas_cursor(c, a.row, a.col);
}

void objects_view(const struct model *m, const struct objects *x,
		  const cJSON *list, struct canvas *c, struct area a,
		  const char *title, objects_row_fn row)
{
	struct area rows, details, in;
	auto_buf struct buf head = BUF_INIT;

	split(x, a, &rows, &details);
	if (details.cols)
		view_details(m, x, c, details);
	if (!rows.cols)
		return;
	buf_addstr(&head, title);
	if (x->sorts)
		order_title(m, &x->order, &head);
	in = frame_pane(c, rows, buf_str(&head), !x->beside);
	if (!x->n)
		view_nothing(m, x, list, c, in);
	frame_place(c, rows, x->pos.at, x->n);
	view_head(x, c, in);
	in = below_head(x, in);
	for (size_t i = 0; i < x->pos.height && x->pos.top + i < x->n &&
			   (int)i * x->each < in.rows; i++)
		view_one(m, x, x->pos.top + i, c,
			 (struct area){ in.row + (int)i * x->each, in.col,
					MIN(x->each, 2), in.cols }, row);
}

/* Between the list and the details. */
static bool act_on_panes(const struct model *m, struct objects *x,
			 enum action a)
{
	struct list_pos pos;

	if (a == ACT_NEXT_PANE || a == ACT_PREV_PANE ||
	    (a == ACT_OPEN && !x->beside && !x->wide) ||
	    (a == ACT_BACK && x->beside)) {
		x->beside = !x->beside && x->n && !x->wide;
		return true;
	}
	if (!x->beside)
		return false;
	pos = details_pos(m, x);
	if (!list_act(&pos, a))
		return false;
	x->top = pos.at;
	return true;
}

static bool move(struct objects *x, enum action a)
{
	size_t was = x->pos.at;

	if (!list_act(&x->pos, a))
		return false;
	if (x->pos.at != was)
		x->top = 0;
	return true;
}

bool objects_act(struct model *m, struct objects *x, enum action a)
{
	const cJSON *o = objects_selected(x);

	if (act_on_panes(m, x, a) || move(x, a) ||
	    (x->sorts && order_act(m, &x->order, a)))
		return true;
	switch (a) {
	case ACT_SAVE_VIEW:
		views_keep(m);
		return true;
	case ACT_FILTER:
		x->typing = true;
		x->filter.past = past_of(m, PAST_FILTER);
		return true;
	case ACT_BACK:
		if (!*field_text(&x->filter))
			return false;
		field_set(&x->filter, "");
		return true;
	case ACT_COPY:
		if (o)
			model_copy(m, json_text(o, "name"),
				   strlen(json_text(o, "name")),
				   json_text(o, "name"));
		return true;
	case ACT_COPY_JSON:
		if (o)
			model_copy_json(m, o, "it as JSON");
		return true;
	default:
		return false;
	}
}

static bool click(struct objects *x, const struct mouse *mouse)
{
	size_t at = x->pos.top +
		    (size_t)((mouse->row - x->rows.row) / MAX(x->each, 1));

	if (mouse->kind != MOUSE_PRESS || mouse->row < x->rows.row ||
	    mouse->row >= x->rows.row + x->rows.rows ||
	    mouse->col < x->rows.col ||
	    mouse->col >= x->rows.col + x->rows.cols || at >= x->n)
		return false;
	x->pos.at = at;
	x->top = 0;
	x->beside = false;
	return true;
}

/* Three rows of what the mouse is on. */
static void wheel(const struct model *m, struct objects *x,
		  const struct mouse *mouse)
{
	bool up = mouse->kind == MOUSE_WHEEL_UP;
	struct list_pos pos;

	if (x->wide || !x->details.cols || mouse->col < x->details.col) {
		list_scroll(&x->pos, up ? -3 : 3);
		return;
	}
	pos = details_pos(m, x);
	for (int i = 0; i < 3; i++)
		list_act(&pos, up ? ACT_UP : ACT_DOWN);
	x->top = pos.at;
}

bool objects_input(struct model *m, struct objects *x,
		   const struct input_event *ev)
{
	if (ev->type == INPUT_MOUSE &&
	    (ev->mouse.kind == MOUSE_WHEEL_UP ||
	     ev->mouse.kind == MOUSE_WHEEL_DOWN)) {
		wheel(m, x, &ev->mouse);
		return true;
	}
	if (ev->type == INPUT_MOUSE)
		return click(x, &ev->mouse);
	if (!x->typing)
		return false;
	x->typing = field_type(&x->filter, m->keymap, ev) == FIELD_GOES_ON;
	return true;
}

void *objects_screen_make(const char *const *names,
			  const struct objects_sort *sorts)
{
	struct objects *x = xcalloc(1, sizeof(*x));

	x->order.names = names;
	x->sorts = sorts;
	return x;
}

struct order *objects_screen_order(void *state)
{
	return &((struct objects *)state)->order;
}

void objects_screen_release(struct model *m, void *state)
{
	(void)m;
	objects_release(state);
	free(state);
}

bool objects_screen_input(struct model *m, void *state,
			  const struct input_event *ev)
{
	return objects_input(m, state, ev);
}

const struct field *objects_screen_typing(const struct model *m,
					  const void *state,
					  const char **ret_label)
{
	const struct objects *x = state;

	(void)m;
	*ret_label = "filter";
	return x->typing ? &x->filter : NULL;
}

bool objects_screen_empty(const struct model *m, const void *state)
{
	(void)m;
	return !objects_selected(state);
}

const cJSON *objects_screen_subject(const struct model *m, const void *state)
{
	(void)m;
	return objects_selected(state);
}
