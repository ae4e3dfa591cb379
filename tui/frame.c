/* SPDX-License-Identifier: MIT */
/* Ribbon, navigation and footer.  See frame.h. */
#include "tui/frame.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/base/mem.h"
#include "lib/base/width.h"
#include "tui/dialog.h"
#include "tui/glyph.h"
#include "tui/message.h"
#include "tui/spawning.h"
#include "tui/start.h"

#define SECOND INT64_C(1000000000)
/* Columns, for how busy this machine is. */
#define METERS_FROM 60

static bool too_small(const struct model *m)
{
	return m->rows < FRAME_ROWS_MIN || m->cols < FRAME_COLS_MIN;
}

static bool is_full(const struct model *m)
{
	const struct screen *s = screens[m->screen];

	return s->full && s->full(m, m->state[m->screen]);
}

struct area frame_body(const struct model *m)
{
	if (is_full(m))
		return (struct area){ 0, 0, m->rows, m->cols };
	return (struct area){ 2, 0, MAX(m->rows - 3, 1), m->cols };
}

bool frame_has_meters(const struct model *m)
{
	return m->host.known && m->cols >= METERS_FROM && !too_small(m) &&
	       !start_shown(m) && !is_full(m);
}

static void count(const struct model *m, size_t *ret_running,
		  size_t *ret_coming)
{
	*ret_running = *ret_coming = 0;
	for (size_t i = 0; i < m->fleet.n; i++) {
		*ret_running += sandbox_is(m->fleet.all[i], "running");
		*ret_coming += sandbox_is(m->fleet.all[i], "creating");
	}
}

/* Right to left: what matters most stays longest. */
static void put_right(struct canvas *c, int row, int *right,
		      struct cell pen, const char *text)
{
	int width = (int)width_text(text, strlen(text));

	if (*right - width < 12)
		return;
	*right -= width;
	canvas_text(c, row, *right, width, pen, text);
}

/* What goes on in the background, which nothing stands before; of several the
 * last, and how many. */
static void ribbon_spawns(const struct model *m, struct canvas *c,
			  int *right)
{
	auto_buf struct buf text = BUF_INIT;
	const struct spawning *s = NULL;
	unsigned n = 0;

	for (struct list *l = m->spawns.next; l != &m->spawns; l = l->next) {
		s = list_entry(l, struct spawning, link);
		n++;
	}
	if (!n || m->dialog)
		return;
	buf_addstr(&text, "  ");
	if (n > 1)
		buf_addf(&text, "%u spawns ", n);
	else if (m->cols >= 80)
		buf_addstr(&text, "spawn ");
	if (n == 1 && m->cols >= 100 && s->id)
		buf_addf(&text, "%s ", s->id);
	buf_addf(&text, "%s ", m->set.ascii ? "~" : GLYPH_HALF);
	spawning_brief(s, &text);
	buf_addstr(&text, "  ");
	put_right(c, 0, right, pen_role(ROLE_ACCENT2), buf_str(&text));
}

/* By the second, later less. */
static int64_t silence_step(const struct model *m)
{
	return m->boot_ns - m->heard_ns < 60 * SECOND ? SECOND : 60 * SECOND;
}

void frame_silence(const struct model *m, char out[FRAME_SILENCE_SIZE])
{
	int64_t step = silence_step(m);

	snprintf(out, FRAME_SILENCE_SIZE, "no answer for %lld %s",
		 (long long)(MAX(m->boot_ns - m->heard_ns, 0) / step),
		 step == SECOND ? "s" : "min");
}

int64_t frame_silence_wake(const struct model *m)
{
	int64_t step = silence_step(m);

	return m->silent ? m->heard_ns +
			   ((m->boot_ns - m->heard_ns) / step + 1) * step : 0;
}

bool frame_can_start(const struct model *m)
{
	return m->link == LINK_LOST && !m->silent && m->starts;
}

/* "  r start", where it would: a dialog has the keys before. */
static void ribbon_start(const struct model *m, struct canvas *c, int *right)
{
	enum context chain[CONTEXT_CHAIN];
	auto_buf struct buf text = BUF_INIT;
	char key[KEY_NAME_MAX];

	if (!frame_can_start(m))
		return;
	update_contexts(m, chain);
	if (!*keymap_key(m->keymap, chain, ACT_REFRESH, key))
		return;
	buf_addf(&text, "  %s start", key);
	put_right(c, 0, right, pen_role(ROLE_DIM), buf_str(&text));
}

/* How the daemon is, and what one can do about it. */
static void ribbon_link(const struct model *m, struct canvas *c, int *right)
{
	static const struct {
		const char *text;
		enum theme_role role;
	} links[] = {
		[LINK_CONNECTING] = { "connecting", ROLE_ACCENT2 },
		[LINK_LIVE] = { "live", ROLE_OK },
		[LINK_LOST] = { "no daemon", ROLE_BAD },
	};
	struct cell pen = pen_role(m->silent ? ROLE_BAD : links[m->link].role);
	char silence[FRAME_SILENCE_SIZE];

	frame_silence(m, silence);
	ribbon_start(m, c, right);
	put_right(c, 0, right, pen, m->silent ? silence : links[m->link].text);
	put_right(c, 0, right, pen, m->set.ascii ? "* " : GLYPH_DOT " ");
}

/* Where it begins. */
static int ribbon_right(const struct model *m, struct canvas *c)
{
	int right = m->cols - 1;
	time_t now = (time_t)(m->wall_ns / SECOND) + m->utc_offset;
	char clock[8] = "";
	struct tm tm;

	if (gmtime_r(&now, &tm))
		strftime(clock, sizeof(clock), " %H:%M", &tm);
	put_right(c, 0, &right, pen_role(ROLE_INK), clock);
	if (m->version && m->cols >= 80) {
		auto_free char *version = xasprintf(" %s", m->version);

		put_right(c, 0, &right, pen_role(ROLE_DIM), version);
	}
	ribbon_link(m, c, &right);
	ribbon_spawns(m, c, &right);
	if (m->read_only)
		put_right(c, 0, &right, pen_role(ROLE_ACCENT),
			  "READ-ONLY  ");
	if (m->waiting)
		put_right(c, 0, &right, pen_role(ROLE_DIM),
			  m->set.words ? "waiting " :
			  m->set.ascii ? "~ " : GLYPH_HALF " ");
	return right;
}

/* What fits before `end`: with the curve and the load, or the figures. */
static void ribbon_host(const struct model *m, struct canvas *c, int col,
			int end)
{
	const struct host *h = &m->host;
	int width = !m->set.motion ? 0 : m->cols >= 140 ? 12 : 5;
	auto_free char *brief = xasprintf("%.0f%%  mem %.0f%%", h->cpu,
					  h->mem);
	auto_free char *text = xasprintf("%s%s  load %.2f", width ? " " : "",
					 brief, h->load);

	if (col + 4 + width + (int)strlen(text) <= end) {
		frame_spark(m, c, 0, col + 4, width, h->cpu_samples,
			    h->n_samples, pen_role(ROLE_ACCENT));
	} else {
		width = 0;
		free(steal_ptr(&text));
		text = steal_ptr(&brief);
	}
	if (col + 4 + width + (int)strlen(text) > end)
		return;
	canvas_text(c, 0, col, 4, pen_role(ROLE_DIM), "cpu ");
	canvas_text(c, 0, col + 4 + width, (int)strlen(text),
		    pen_role(ROLE_DIM), text);
}

/* How many there are, where it has the room; the columns it took. */
static int ribbon_count(const struct model *m, struct canvas *c, int col,
			int end, size_t running)
{
	auto_free char *brief = xasprintf("  %zu running", running);
	auto_free char *text = xasprintf("  %zu sandbox%s%s", m->fleet.n,
					 m->fleet.n == 1 ? "" : "es", brief);
	/* The footer has them all, the meters stand nowhere else. */
	bool meters = m->cols < 80 && m->host.has_rates && frame_has_meters(m);
	const char *shown = meters || col + (int)strlen(text) > end ? brief :
								      text;

	if (!m->fleet.loaded || m->cols < 60 ||
	    col + (int)strlen(shown) > end)
		return 0;
	return canvas_text(c, 0, col, end - col, pen_role(ROLE_DIM), shown);
}

static void ribbon(const struct model *m, struct canvas *c)
{
	size_t running, coming;
	int col = 1, right;

	count(m, &running, &coming);
	col += canvas_text(c, 0, col, 10, pen_role(ROLE_ACCENT), "STACYVM");
	right = ribbon_right(m, c);
	col += ribbon_count(m, c, col, right - 1, running);
	if (coming && m->cols >= 80 && list_empty(&m->spawns) &&
	    col + 14 <= right)
		col += canvas_textf(c, 0, col, 20, pen_role(ROLE_ACCENT2),
				    "  %zu creating", coming);
	if (m->host.has_rates && frame_has_meters(m))
		ribbon_host(m, c, col + 2, right - 2);
}

/* The screen one is on; a workspace belongs to the one it was opened from. */
static bool nav_is_here(const struct model *m, size_t i)
{
	return i == m->screen ||
	       (m->screen == SCREEN_WORKSPACE && i == m->previous);
}

static bool nav_has_title(const struct model *m, size_t i)
{
	return m->cols >= 90 || nav_is_here(m, i);
}

/* Where each title of the navigation stands; the width of all. */
static int nav_layout(const struct model *m, int col[SCREEN_MAX + 1])
{
	int at = 1;

	for (size_t i = 0; i < SCREEN_WORKSPACE; i++) {
		col[i] = at;
		at += 2;
		if (nav_has_title(m, i))
			at += (int)strlen(screens[i]->title) + 1;
		at += m->cols >= 90;
	}
	col[SCREEN_WORKSPACE] = at;
	return at;
}

/* ": command  ? help"; where there is less room ": ? help", then ": ?". */
static void nav_hints(const struct model *m, struct canvas *c, int from)
{
	static const struct {
		enum action action;
		const char *what;
	} shown[] = { { ACT_PALETTE, " command" }, { ACT_HELP, " help" } };
	enum context chain[CONTEXT_CHAIN];
	char key[KEY_NAME_MAX];

	update_screen_contexts(m, chain);
	for (size_t bare = 0; bare <= ARRAY_SIZE(shown); bare++) {
		auto_buf struct buf text = BUF_INIT;

		for (size_t i = 0; i < ARRAY_SIZE(shown); i++)
			if (*keymap_key(m->keymap, chain, shown[i].action,
					key))
				buf_addf(&text, "%s%s%s",
					 !text.len ? "" : bare ? " " : "  ",
					 key, i < bare ? "" : shown[i].what);
		int width = (int)width_text(buf_str(&text), text.len);

		if (from + width >= m->cols)
			continue;
		canvas_text(c, 1, m->cols - width - 1, width,
			    pen_role(ROLE_DIM), buf_str(&text));
		break;
	}
}

/* The key is there where it works: in a terminal it goes to the program, and
 * beside one some choose the pane. */
static void nav(const struct model *m, struct canvas *c)
{
	enum context chain[CONTEXT_CHAIN];
	int col[SCREEN_MAX + 1];
	int end = nav_layout(m, col);

	update_screen_contexts(m, chain);
	for (size_t i = 0; i < SCREEN_WORKSPACE; i++) {
		struct cell pen = pen_role(nav_is_here(m, i) ? ROLE_ACCENT :
							       ROLE_DIM);
		char key[KEY_NAME_MAX];

		keymap_key(m->keymap, chain,
			   (enum action)(ACT_DASH + (int)i), key);
		canvas_text(c, 1, col[i], 1, pen, key);
		if (nav_has_title(m, i))
			canvas_text(c, 1, col[i] + 2, m->cols - col[i] - 2,
				    pen, screens[i]->title);
	}
	nav_hints(m, c, end);
}

bool frame_mouse(struct model *m, const struct mouse *mouse)
{
	int col[SCREEN_MAX + 1];

	if (is_full(m) || too_small(m) || mouse->row > 1)
		return false;
	nav_layout(m, col);
	for (size_t i = 0; i < SCREEN_WORKSPACE; i++)
		if (mouse->kind == MOUSE_PRESS && mouse->row == 1 &&
		    mouse->col >= col[i] && mouse->col < col[i + 1] - 1)
			model_show(m, (enum screen_id)i);
	return true;
}

/* What its keys are about isn't there.  A workspace's own are about its
 * sandbox, whatever is in its panes; a file of settings is there always. */
static bool is_idle(const struct model *m, enum context c, enum action a)
{
	const struct screen *s = screens[m->screen];

	return !m->dialog && c != CTX_WORKSPACE &&
	       (c != CTX_CONFIG || a != ACT_EDITOR) &&
	       action_info(a)->flags & ACTION_SELECTED && s->empty &&
	       s->empty(m, m->state[m->screen]);
}

/* "d kill  s spawn ...", as much as fits before `right`. */
static void hints(const struct model *m, struct canvas *c, int left)
{
	enum context chain[CONTEXT_CHAIN];
	int right = m->cols - 1;
	auto_buf struct buf text = BUF_INIT;
	bool seen[ACT_MAX] = { false };

	update_contexts(m, chain);
	for (size_t x = 0; x < CONTEXT_CHAIN && chain[x]; x++) {
		auto_buf struct buf keys = BUF_INIT;
		enum action a;

		for (size_t i = 0; keymap_binding(m->keymap, chain[x], i,
						  &keys, &a); i++) {
			const struct action_info *info = action_info(a);
			char key[KEY_NAME_MAX];
			size_t before = text.len;

			if (!info->brief || seen[a] ||
			    is_idle(m, chain[x], a) ||
			    (m->read_only && info->flags & ACTION_CHANGES))
				continue;
			seen[a] = true;
			keymap_key(m->keymap, chain, a, key);
			if (!*key)
				continue;
			buf_addf(&text, "%s%s %s", before ? "  " : "", key,
				 info->brief);
			if (left + (int)width_text(text.data, text.len) + 2 >
			    right)
				buf_truncate(&text, before);
		}
	}
	int width = (int)width_text(buf_str(&text), text.len);

	canvas_text(c, m->rows - 1, right - width, width, pen_role(ROLE_DIM),
		    buf_str(&text));
}

static void footer(const struct model *m, struct canvas *c)
{
	const struct screen *s = screens[m->screen];
	const void *state = m->state[m->screen];
	const char *label = "";
	const struct field *typing = s->typing && !m->dialog ?
					     s->typing(m, state, &label) :
					     NULL;
	auto_buf struct buf text = BUF_INIT;
	int row = m->rows - 1, used;

	if (typing) {
		used = canvas_text(c, row, 1, m->cols / 2,
				   pen_role(ROLE_ACCENT), label);
		field_view(typing, c, row, used + 2,
			   MAX(m->cols - used - 3, 1), pen_role(ROLE_INK),
			   true);
		return;
	}
	if (m->toast) {
		used = message_view(m, c);
	} else {
		if (s->status)
			s->status(m, state, &text);
		used = canvas_text(c, row, 1, m->cols - 2,
				   pen_role(ROLE_DIM), buf_str(&text));
	}
	hints(m, c, used + 1);
}

/* As much as there is room for, and what it needs above all. */
static void view_too_small(const struct model *m, struct canvas *c)
{
	auto_free char *size = xasprintf(" (%dx%d)", m->cols, m->rows);
	const char *const says[][2] = { { "stacyvm: window too small", size },
					{ "window too small", size },
					{ "window too small", "" } };
	auto_buf struct buf say = BUF_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(says); i++) {
		buf_clear(&say);
		buf_addf(&say, "%s%s, need %dx%d", says[i][0], says[i][1],
			 FRAME_COLS_MIN, FRAME_ROWS_MIN);
		if ((int)say.len <= m->cols)
			break;
	}
	if ((int)say.len > m->cols) {
		buf_clear(&say);
		buf_addf(&say, "need %dx%d", FRAME_COLS_MIN, FRAME_ROWS_MIN);
	}
	canvas_text(c, m->rows / 2, MAX((m->cols - (int)say.len) / 2, 0),
		    m->cols, pen_role(ROLE_INK), buf_str(&say));
}

void frame_view(const struct model *m, struct canvas *c)
{
	const struct screen *s = screens[m->screen];

	canvas_clear(c);
	if (too_small(m)) {
		view_too_small(m, c);
		return;
	}
	if (start_shown(m)) {
		start_view(m, c);
		return;
	}
	s->view(m, m->state[m->screen], c, frame_body(m));
	if (!is_full(m)) {
		ribbon(m, c);
		nav(m, c);
		footer(m, c);
	}
	if (m->dialog)
		dialog_view(m, c);
}
