/* SPDX-License-Identifier: MIT */
/* Drawing the settings.  See config-view.h. */
#include "tui/config-view.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/width.h"
#include "tui/facts.h"
#include "tui/frame.h"
#include "tui/glyph.h"
#include "tui/wrap.h"

/* A rule, and what the setting is; briefer where there is little room. */
#define ABOUT_ROWS 5
#define ABOUT_BRIEF 2

struct area config_rows(struct area a)
{
	int about = a.rows >= ABOUT_ROWS + 6 ? ABOUT_ROWS : ABOUT_BRIEF;

	if (a.rows >= about + 4)
		a.rows -= about;
	return a;
}

char *config_text(const cJSON *value)
{
	struct buf out = BUF_INIT;
	const cJSON *item;
	char *json;

	if (cJSON_IsString(value))
		return xstrdup(value->valuestring);
	if (cJSON_IsArray(value)) {
		cJSON_ArrayForEach(item, value)
			if (cJSON_IsString(item))
				buf_addf(&out, "%s%s", out.len ? "," : "",
					 item->valuestring);
		return buf_steal(&out);
	}
	json = value && !cJSON_IsNull(value) ? cJSON_PrintUnformatted(value) :
					       NULL;
	buf_addstr(&out, json ? json : "");
	cJSON_free(json);
	return buf_steal(&out);
}

/* "/home/al/.config/stacyvm/config.yaml:12" as "config.yaml:12". */
static const char *source(const char *origin)
{
	const char *slash = strrchr(origin, '/');

	return strcmp(origin, "default") == 0 ? "built-in" :
	       strncmp(origin, "environment ", 12) == 0 ? "environment" :
	       slash && origin[0] == '/' ? slash + 1 : origin;
}

/* From which word on there is room for the chosen one. */
static const char *first_shown(const char *choices, const char *value,
			       int width)
{
	const char *from = choices;
	int used = 0;

	for (const char *w = choices; *w;) {
		size_t n = strcspn(w, "|");
		bool it = strlen(value) == n && strncmp(w, value, n) == 0;

		used += (int)n + (it ? 5 : 2);
		while (it && used > width && from < w) {
			used -= (int)strcspn(from, "|") + 2;
			from += strcspn(from, "|") + 1;
		}
		if (it)
			return from;
		w += n + (w[n] == '|');
	}
	return choices;
}

/* "( auto ) mission  light", or "( auto ) mission  ~" where there is no room
 * for all. */
static void view_choices(struct canvas *c, int row, int col, int width,
			 const char *choices, const char *value)
{
	auto_free char *words = xstrdup(first_shown(choices, value, width));
	int end = col + width;
	char *rest = NULL;

	for (char *w = strtok_r(words, "|", &rest); w && col < end;
	     w = strtok_r(NULL, "|", &rest)) {
		bool it = strcmp(w, value) == 0;
		int need = (int)width_text(w, strlen(w)) + (it ? 4 : 0) +
			   (rest && *rest ? 3 : 0);

		if (!it && col + need > end) {
			canvas_text(c, row, col, 1, pen_role(ROLE_DIM), "~");
			break;
		}
		col += canvas_textf(c, row, col, end - col,
				    pen_role(it ? ROLE_VALUE : ROLE_DIM),
				    it ? "( %s ) " : "%s  ", w);
	}
}

struct columns {
	int value, source, end;
};

static struct columns layout(struct area in)
{
	struct columns k = { .end = in.col + in.cols };

	k.source = in.cols >= 70 ? k.end - 20 : k.end;
	k.value = in.col + 2 + MIN(40, in.cols * 9 / 20);
	return k;
}

static void view_value(const struct model *m, const struct config_screen *s,
		       struct canvas *c, int row, struct columns k,
		       const cJSON *o, bool here)
{
	auto_free char *text = config_text(json_get(o, "value"));
	const char *value = here && s->draft ? s->draft : text;
	struct setting about;

	if (here && s->editing)
		field_view(&s->edit, c, row, k.value, k.end - k.value - 1,
			   pen_role(ROLE_INK), true);
	else if (settings_find(m, json_text(o, "name"), &about) &&
		 about.choices)
		view_choices(c, row, k.value, k.source - k.value - 1,
			     about.choices, value);
	else
		canvas_text(c, row, k.value, k.source - k.value - 1,
			    pen_role(ROLE_VALUE), value);
}

static void view_row(const struct model *m, const struct config_screen *s,
		     struct canvas *c, struct area in, int row, const cJSON *o,
		     bool here)
{
	struct columns k = layout(in);

	canvas_text(c, row, in.col + 2, k.value - in.col - 3,
		    pen_role(ROLE_INK), json_text(o, "name"));
	view_value(m, s, c, row, k, o, here);
	if (k.source < k.end && !(here && s->editing))
		canvas_text(c, row, k.source, k.end - k.source,
			    pen_role(ROLE_DIM), source(json_text(o, "origin")));
	if (!here)
		return;
	canvas_shade(c, row, in.col, 1, in.cols, ROLE_SELECTED);
	canvas_text(c, row, in.col, 1,
		    pen_on(pen_role(ROLE_ACCENT), ROLE_SELECTED),
		    m->set.ascii ? ">" : GLYPH_MARKER);
	if (!m->dialog && !s->editing)
		canvas_cursor(c, row, in.col);
}

/* What the daemon goes by is not what the file says. */
static void about_file(const struct config_screen *s, const cJSON *o,
		       struct buf *out)
{
	const cJSON *ours = json_get(s->local, json_text(o, "name"));
	auto_free char *in_file = config_text(json_get(ours, "value"));
	auto_free char *in_force = config_text(json_get(o, "value"));
	const char *from = json_text(ours, "origin");

	if (ours && strchr(from, ':') && strcmp(in_file, in_force) != 0)
		buf_addf(out, "%s says %s, which is not in force yet",
			 source(from), in_file);
	else if (strncmp(json_text(o, "origin"), "environment ", 12) == 0)
		buf_addf(out, "%s is set and wins over the file",
			 json_text(o, "origin") + 12);
}

static void view_about(const struct model *m, const struct config_screen *s,
		       struct canvas *c, struct area in, int row,
		       const cJSON *o)
{
	struct facts f = { m, c,
			   { row + 1, in.col + 1, in.row + in.rows - row - 1,
			     in.cols - 1 }, 0, 0 };
	auto_buf struct buf note = BUF_INIT;
	struct setting about;

	for (int i = 0; i < in.cols; i++)
		canvas_text(c, row, in.col + i, 1, pen_role(ROLE_LINE),
			    m->set.ascii ? "-" : "\u2500");
	if (o && settings_find(m, json_text(o, "name"), &about)) {
		auto_free char *def = xasprintf(
			"default %s%s", *about.def ? about.def : "none",
			about.restart ? "   ! needs a restart of the daemon" :
			about.next    ? "   ! from the next start on" :
					"");

		facts_plain(&f, ROLE_INK, about.help);
		facts_plain(&f, ROLE_DIM, def);
	}
	if (o && settings_find(m, json_text(o, "name"), &about) && about.over)
		buf_addf(&note, "started with %s: the next one goes by this",
			 about.over);
	else if (o)
		about_file(s, o, &note);
	if (note.len)
		facts_plain(&f, ROLE_ACCENT2, buf_str(&note));
}

/* Beside the row it is about: below, or above the last. */
static void view_error(const struct config_screen *s, struct canvas *c,
		       struct area in, int row, int rows)
{
	char **lines = wrap_lines(s->error, (size_t)MAX(in.cols - 3, 1));
	int n = MIN((int)strv_len(lines), rows - 1);
	bool below = row + n < in.row + rows || row - n < in.row;

	for (int i = 0; i < n; i++) {
		int at = below ? row + 1 + i : row - n + i;

		canvas_fill(c, at, in.col, 1, in.cols, pen_role(ROLE_BAD));
		canvas_text(c, at, in.col + 2, in.cols - 2,
			    pen_role(ROLE_BAD), lines[i]);
	}
	strv_free(lines);
}

void config_view(const struct model *m, const void *state, struct canvas *c,
		 struct area a)
{
	const struct config_screen *s = state;
	const struct list_pos *pos = &s->list.pos;
	struct area in = frame_pane(c, a, "SETTINGS", true);
	int rows = config_rows(a).rows - 2;

	if (in.cols >= 70 && a.cols > 20)
		frame_corner(c, a, false, pen_role(ROLE_DIM), " source ");
	if (!s->list.n)
		canvas_text(c, in.row, in.col + 2, in.cols - 2,
			    pen_role(ROLE_DIM),
			    s->all ? "nothing matches the filter; Esc clears it" :
				     "asking the daemon");
	for (int i = 0; i < rows && pos->top + (size_t)i < s->list.n; i++)
		view_row(m, s, c, in, in.row + i,
			 s->list.shown[pos->top + (size_t)i],
			 pos->top + (size_t)i == pos->at);
	if (rows < in.rows)
		view_about(m, s, c, in, in.row + rows,
			   objects_selected(&s->list));
	if (s->error && s->editing)
		view_error(s, c, in, in.row + (int)(pos->at - pos->top), rows);
}
