/* SPDX-License-Identifier: MIT */
/* Screen 1: figures, the sandboxes, and what just happened. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/duration.h"
#include "lib/base/mem.h"
#include "tui/event-text.h"
#include "tui/fleet-table.h"
#include "tui/frame.h"
#include "tui/sandbox-act.h"
#include "tui/glyph.h"
#include "tui/objects.h"

#define EVENTS_KEPT 64
#define EVENT_BYTES 1024 /* of each: more than a line shows */
#define MINUTE INT64_C(60000000000)

struct told {
	char *what, *outcome; /* in short words of ours */
};

struct dash {
	struct fleet_table table;
	struct told events[EVENTS_KEPT]; /* newest first */
	size_t n_events;
};

static void told_release(struct told *t)
{
	free(t->what);
	free(t->outcome);
}

static void *dash_make(struct model *m)
{
	struct dash *d = xcalloc(1, sizeof(*d));

	(void)m;
	fleet_table_init(&d->table);
	return d;
}

static void dash_release(struct model *m, void *state)
{
	struct dash *d = state;

	(void)m;
	fleet_table_release(&d->table);
	for (size_t i = 0; i < d->n_events; i++)
		told_release(d->events + i);
	free(d);
}

static void dash_event(struct model *m, void *state, const cJSON *event)
{
	struct dash *d = state;
	struct buf line = BUF_INIT;
	size_t outcome;

	if (!event)
		return;
	outcome = event_text(m, event, &line);
	if (d->n_events == EVENTS_KEPT)
		told_release(d->events + --d->n_events);
	memmove(d->events + 1, d->events, d->n_events * sizeof(*d->events));
	d->events[0].outcome = xstrdup(buf_str(&line) + outcome);
	buf_truncate(&line, MIN(outcome, EVENT_BYTES));
	d->events[0].what = buf_steal(&line);
	d->n_events++;
}

/* Wide: figures above, the table left, the rest right.  Narrow: one line of
 * figures, the table, and the rest below if there is room. */
struct dash_areas {
	struct area tiles, table, side;
	bool boxed;
};

static struct dash_areas split(struct area a)
{
	struct dash_areas r = { .boxed = a.rows >= 18 };
	int tiles = r.boxed ? 3 : 1;

	r.tiles = (struct area){ a.row, a.col, tiles, a.cols };
	r.table = (struct area){ a.row + tiles, a.col, a.rows - tiles,
				 a.cols };
	if (a.cols >= 100) {
		r.table.cols = a.cols * 62 / 100;
		r.side = (struct area){ r.table.row, r.table.cols,
					r.table.rows,
					a.cols - r.table.cols };
	} else if (a.rows >= 24) {
		int below = a.rows / 3;

		r.table.rows -= below;
		r.side = (struct area){ r.table.row + r.table.rows, a.col,
					below, a.cols };
	}
	return r;
}

static struct area inside(struct area a)
{
	return (struct area){ a.row + 1, a.col + 1, MAX(a.rows - 2, 0),
			      MAX(a.cols - 2, 0) };
}

static size_t in_state(const struct model *m, const char *state)
{
	size_t n = 0;

	for (size_t i = 0; i < m->fleet.n; i++)
		n += sandbox_is(m->fleet.all[i], state);
	return n;
}

static char *tile_sandboxes(const struct model *m, int room)
{
	size_t run = in_state(m, "running"), boot = in_state(m, "creating");
	size_t bad = in_state(m, "error") + in_state(m, "unhealthy");
	struct frame_parts p = { .n = 0 };

	if (!m->fleet.loaded)
		return xstrdup("-");
	frame_part(&p, 0, NULL, "%zu", m->fleet.n);
	frame_part(&p, 2, NULL, "run %zu", run);
	if (bad)
		frame_part(&p, 1, NULL, "err %zu", bad);
	if (boot)
		frame_part(&p, 3, NULL, "boot %zu", boot);
	return frame_parts_fit(&p, "  ", room);
}

static char *tile_templates(const struct model *m, int room)
{
	struct frame_parts p = { .n = 0 };
	const cJSON *t;
	int warm = 0;

	cJSON_ArrayForEach(t, m->templates) {
		const cJSON *pool = json_get(t, "pool_size");

		warm += cJSON_IsNumber(pool) ? pool->valueint : 0;
	}
	frame_part(&p, 0, NULL, "%d", cJSON_GetArraySize(m->templates));
	if (warm)
		frame_part(&p, 1, NULL, "warm %d", warm);
	return frame_parts_fit(&p, "  ", room);
}

static char *tile_providers(const struct model *m, int room)
{
	struct frame_parts p = { .n = 0 };
	auto_free char *brief = NULL;
	const cJSON *o;
	int healthy = 0, on = 0;

	if (!m->providers)
		return xstrdup("-");
	cJSON_ArrayForEach(o, m->providers) {
		healthy += cJSON_IsTrue(json_get(o, "healthy"));
		on += !objects_is_off(o);
	}
	brief = xasprintf("%d/%d", healthy, on);
	frame_part(&p, 0, brief, "%d of %d", healthy, on);
	frame_part(&p, 1, NULL, "healthy");
	return frame_parts_fit(&p, " ", room);
}

static char *tile_uptime(const struct model *m, int room)
{
	const cJSON *up = json_get(m->metrics, "uptime");
	const cJSON *total = json_get(m->metrics, "total_sandboxes");
	struct frame_parts p = { .n = 0 };
	char text[FRAME_TIME_SIZE];
	int64_t ns;

	if (cJSON_IsString(up) && duration_parse(up->valuestring, &ns) == 0) {
		ns += m->boot_ns - m->metrics_at;
		frame_left(ns, text);
		/* It is drawn anew each minute, with the clock. */
		frame_part(&p, 0, NULL, "%s", ns < MINUTE ? "<1m" : text);
	}
	if (cJSON_IsNumber(total)) {
		double n = total->valuedouble;
		auto_free char *brief = xasprintf("%.0f", n);

		frame_part(&p, 1, brief, "%.0f spawn%s", n, n == 1 ? "" : "s");
	}
	return p.n ? frame_parts_fit(&p, room < 18 ? " " : "  ", room) :
		     xstrdup("-");
}

/* In what a tile has room for no figure is cut: those that matter least are
 * left out. */
static void view_tiles(const struct model *m, struct canvas *c,
		       struct area a, bool boxed)
{
	static const struct {
		const char *title;
		char *(*text)(const struct model *m, int room);
	} tiles[] = {
		{ "SANDBOXES", tile_sandboxes },
		{ "TEMPLATES", tile_templates },
		{ "PROVIDERS", tile_providers },
		{ "UPTIME", tile_uptime },
	};
	int shown = a.cols >= 80 ? (int)ARRAY_SIZE(tiles) : 2;
	int width = a.cols / shown;

	for (int i = 0; i < shown; i++) {
		struct area t = { a.row, a.col + i * width, a.rows,
				  i + 1 < shown ? width :
						  a.cols - i * width };
		auto_free char *text = NULL;
		int col = t.col + 1;

		if (boxed) {
			t = frame_pane(c, t, tiles[i].title, false);
			col = t.col + 1;
		} else {
			col += canvas_textf(c, t.row, col, t.cols - 2,
					    pen_role(ROLE_DIM), "%s ",
					    tiles[i].title);
		}
		int room = t.col + t.cols - col - 1;

		text = tiles[i].text(m, room);
		canvas_text(c, t.row, col, room, pen_role(ROLE_VALUE), text);
	}
}

static int view_providers(const struct model *m, struct canvas *c,
			  struct area a)
{
	const cJSON *p;
	int row = 0;

	cJSON_ArrayForEach(p, m->providers) {
		const cJSON *name = json_get(p, "name");
		const cJSON *why = json_get(p, "error");
		bool healthy = cJSON_IsTrue(json_get(p, "healthy"));

		if (row == a.rows || !cJSON_IsString(name))
			break;
		canvas_textf(c, a.row + row, a.col + 1, a.cols - 2,
			     pen_role(healthy ? ROLE_OK : ROLE_DIM),
			     "%s %-9s %s", healthy ? (m->set.ascii ? "*" :
								     GLYPH_DOT) :
						     (m->set.ascii ? "o" :
								     GLYPH_RING),
			     name->valuestring,
			     healthy ? cJSON_IsTrue(json_get(p, "default")) ?
				       "healthy, default" : "healthy" :
			     objects_is_off(p) ? "switched off" :
			     cJSON_IsString(why) ? why->valuestring :
						   "not usable");
		row++;
	}
	return row;
}

/* "CPU  ####.... 34%" */
static void view_gauge(const struct model *m, struct canvas *c,
		       struct area at, const char *label, double part)
{
	int bar = at.cols - 11;

	canvas_text(c, at.row, at.col, at.cols, pen_role(ROLE_DIM), label);
	if (bar > 0)
		frame_bar(m, c, at.row, at.col + 5, bar, part / 100,
			  pen_role(ROLE_ACCENT));
	canvas_textf(c, at.row, at.col + 5 + MAX(bar, 0), 5,
		     pen_role(ROLE_VALUE), "%4.0f%%", part);
}

/* "NET  .:-=+ 1.2 MiB/s": the curve is as wide as the bars beside it, and
 * its top the most that there was lately. */
static void view_net(const struct model *m, struct canvas *c, struct area at)
{
	const struct host *h = &m->host;
	uint8_t curve[HOST_SAMPLES] = { 0 };
	char net[FRAME_TIME_SIZE];
	int width = m->set.motion ? MIN(MAX(at.cols - 17, 0), HOST_SAMPLES) : 0;

	canvas_text(c, at.row, at.col, at.cols, pen_role(ROLE_DIM),
		    h->has_rates ? "NET" : "NET  -");
	if (!h->has_rates)
		return;
	host_net_curve(h, curve);
	frame_spark(m, c, at.row, at.col + 5, width, curve, h->n_samples,
		    pen_role(ROLE_ACCENT));
	frame_bytes(h->net, net);
	canvas_textf(c, at.row, at.col + 5 + width + (width > 0),
		     at.cols - 5 - width - (width > 0), pen_role(ROLE_VALUE),
		     "%s/s", net);
}

static void view_host(const struct model *m, struct canvas *c, struct area in)
{
	const struct host *h = &m->host;
	int half = (in.cols - 2) / 2;
	struct area left = { in.row, in.col + 1, 1, half };
	struct area right = { in.row, in.col + 1 + half + 1, 1, half };

	if (h->has_rates)
		view_gauge(m, c, left, "CPU", h->cpu);
	else
		canvas_text(c, left.row, left.col, half, pen_role(ROLE_DIM),
			    "CPU  -");
	view_gauge(m, c, right, "DISK", h->disk);
	left.row++;
	right.row++;
	view_gauge(m, c, left, "MEM", h->mem);
	view_net(m, c, right);
}

/* How it ended is there however little room is left for what it was; how long
 * it took only where that leaves enough. */
static void view_event(struct canvas *c, int row, int col, int cols,
		       struct cell pen, const struct told *t)
{
	const char *took = cols < 60 ? strstr(t->outcome, " in ") : NULL;
	auto_free char *outcome = took ?
		xstrndup(t->outcome, (size_t)(took - t->outcome)) :
		xstrdup(t->outcome);
	int room = MAX(cols - (int)strlen(outcome), cols / 2);
	auto_free char *brief = event_text_brief(t->what, cols);
	int used = canvas_text(c, row, col, room, pen,
			       brief ? brief : t->what);

	canvas_text(c, row, col + used, cols - used, pen, outcome);
}

static void view_side(const struct model *m, const struct dash *d,
		      struct canvas *c, struct area a)
{
	int n = MIN(cJSON_GetArraySize(m->providers), 5);

	if (m->host.known && a.rows >= 12) {
		struct area host = { a.row, a.col, 4, a.cols };

		view_host(m, c, frame_pane(c, host, "HOST", false));
		a.row += host.rows;
		a.rows -= host.rows;
	}
	struct area top = { a.row, a.col, MAX(n, 1) + 2, a.cols };
	struct area rest = { a.row + top.rows, a.col, a.rows - top.rows,
			     a.cols };

	if (a.rows < 8) {
		rest = a;
	} else {
		view_providers(m, c, frame_pane(c, top, "PROVIDERS", false));
	}
	struct area in = frame_pane(c, rest, "EVENTS", false);
	bool live = m->link == LINK_LIVE && !m->silent;

	frame_corner(c, rest, false, pen_role(live ? ROLE_OK : ROLE_BAD),
		     live ? " live " : " not live ");
	for (int i = 0; i < in.rows && (size_t)i < d->n_events; i++)
		view_event(c, in.row + i, in.col + 1, in.cols - 2,
			   pen_role(i ? ROLE_DIM : ROLE_INK), d->events + i);
}

static void dash_view(const struct model *m, const void *state,
		      struct canvas *c, struct area a)
{
	const struct dash *d = state;
	struct dash_areas at = split(a);

	view_tiles(m, c, at.tiles, at.boxed);
	fleet_table_view(m, &d->table, c,
			 frame_pane(c, at.table, "ACTIVE SANDBOXES", true));
	frame_place(c, at.table, d->table.pos.at, d->table.n_rows);
	if (at.side.rows > 2)
		view_side(m, d, c, at.side);
}

static void dash_settle(struct model *m, void *state, struct area a)
{
	struct dash *d = state;

	fleet_table_settle(m, &d->table, inside(split(a).table));
}

static void dash_contexts(const struct model *m, const void *state,
			  enum context ret[CONTEXT_CHAIN], bool *alone)
{
	(void)m, (void)state, (void)alone;
	ret[0] = CTX_SANDBOXES;
	ret[1] = CTX_TABLE;
	ret[2] = CTX_LIST;
}

static bool dash_act(struct model *m, void *state, enum action a)
{
	struct dash *d = state;

	return fleet_table_act(m, &d->table, a) ||
	       sandbox_act(m, fleet_table_selected(&d->table), a);
}

static struct fleet_table *dash_table(void *state)
{
	return &((struct dash *)state)->table;
}

static const cJSON *dash_subject(const struct model *m, const void *state)
{
	const struct dash *d = state;
	const struct sandbox *s = fleet_table_selected(&d->table);

	(void)m;
	return s ? s->json : NULL;
}

static bool dash_empty(const struct model *m, const void *state)
{
	(void)m;
	return !((const struct dash *)state)->table.n_rows;
}

static bool dash_input(struct model *m, void *state,
		       const struct input_event *ev)
{
	struct dash *d = state;

	return fleet_table_input(m, &d->table, ev);
}

static const struct field *dash_typing(const struct model *m,
				       const void *state,
				       const char **ret_label)
{
	const struct dash *d = state;

	(void)m;
	*ret_label = "filter";
	return d->table.typing ? &d->table.filter : NULL;
}

static void dash_status(const struct model *m, const void *state,
			struct buf *out)
{
	const struct dash *d = state;

	fleet_table_status(m, &d->table, out);
}

static int64_t dash_wake(const struct model *m, const void *state)
{
	const struct dash *d = state;

	return fleet_table_wake(m, &d->table);
}

static void dash_tick(struct model *m, void *state)
{
	struct dash *d = state;

	fleet_table_tick(m, &d->table);
}

const struct screen screen_dash = {
	.name = "dash",
	.title = "DASH",
	.make = dash_make,
	.release = dash_release,
	.view = dash_view,
	.settle = dash_settle,
	.contexts = dash_contexts,
	.act = dash_act,
	.input = dash_input,
	.table = dash_table,
	.subject = dash_subject,
	.empty = dash_empty,
	.event = dash_event,
	.status = dash_status,
	.typing = dash_typing,
	.wake = dash_wake,
	.tick = dash_tick,
};
