/* SPDX-License-Identifier: MIT */
/* The workspace as it is drawn: the sandbox's line, and the panes. */
#include <string.h>

#include "lib/base/width.h"
#include "tui/frame.h"
#include "tui/workspace.h"

#define TERMINALS_NAMED 3 /* of more, the title has the shown one alone */

static void view_line(const struct model *m, const struct workspace *w,
		      struct canvas *c, struct area a)
{
	const struct sandbox *s = workspace_sandbox(m, w);
	char left[FRAME_TIME_SIZE] = "";
	enum theme_role role;
	int col = a.col + 1;

	if (!s) {
		canvas_textf(c, a.row, col, a.cols - 2, pen_role(ROLE_BAD),
			     "%s is gone", w->id ? w->id : "?");
		return;
	}
	col += canvas_textf(c, a.row, col, a.cols / 2, pen_role(ROLE_ACCENT),
			    "%s%s%s ", s->id, *s->name ? " " : "", s->name);
	const char *symbol = frame_state(m, s->state, &role);

	col += canvas_textf(c, a.row, col, 16, pen_role(role), "%s %s  ",
			    symbol, s->state);
	if (s->expires_ns)
		frame_left(s->expires_ns - m->wall_ns, left);
	canvas_textf(c, a.row, col, a.cols - col, pen_role(ROLE_DIM),
		     "%s  %s%s%s", s->image, s->provider,
		     *left ? "  ttl " : "", left);
}

/* All of few, the shown one of many. */
static void add_sessions(const struct model *m, const struct workspace *w,
			 struct buf *out)
{
	size_t n = workspace_count_terminals(m, w), at = 0, place = 0;
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &m->terminals) {
		const struct terminal *t =
			list_entry(pos, struct terminal, link);

		if (!workspace_owns(w, t))
			continue;
		at++;
		if (t == w->shown)
			place = at;
		if (n <= TERMINALS_NAMED || t == w->shown)
			buf_addf(out, " %s%s", t->sid ? t->sid : "new",
				 t == w->shown ? "*" : t->bell ? "!" : "");
	}
	if (n > TERMINALS_NAMED)
		buf_addf(out, " %zu of %zu", place, n);
}

static void terminal_title(const struct model *m, const struct workspace *w,
			   bool leave, struct buf *out)
{
	char key[KEY_NAME_MAX];

	add_sessions(m, w, out);
	if (w->shown && *emu_title(w->shown->emu))
		buf_addf(out, "  %s", emu_title(w->shown->emu));
	if (w->live && leave)
		buf_addf(out, "  %s leaves",
			 keymap_key(m->keymap, workspace_live_chain, ACT_LEAVE, key));
}

/* The keys that lead on from a terminal without a footer. */
static void full_hints(const struct model *m, const struct workspace *w,
		       struct buf *out)
{
	static const struct {
		enum action action;
		const char *what;
	} left[] = {
		{ ACT_OPEN, "back" },
		{ ACT_COPY_MODE, "copy" },
		{ ACT_ZOOM, "smaller" },
	};
	enum context chain[CONTEXT_CHAIN];
	char key[KEY_NAME_MAX];

	update_screen_contexts(m, chain);
	if (w->live) {
		keymap_key(m->keymap, workspace_live_chain, ACT_LEAVE, key);
		buf_addf(out, "%s leaves  %s%s sends %s", key, key, key, key);
	}
	for (size_t i = 0; !w->live && i < ARRAY_SIZE(left); i++)
		if (*keymap_key(m->keymap, chain, left[i].action, key))
			buf_addf(out, "%s%s %s", out->len ? "  " : "", key,
				 left[i].what);
}

/* All that a zoomed terminal has beside itself: whose it is, how it is, and
 * how one gets out of it. */
static void view_full_line(const struct model *m, const struct workspace *w,
			   struct canvas *c, struct area a,
			   const char *status)
{
	const struct sandbox *s = workspace_sandbox(m, w);
	auto_buf struct buf title = BUF_INIT, hints = BUF_INIT;
	struct cell pen = pen_role(w->live ? ROLE_ACCENT : ROLE_DIM);
	int right = a.col + a.cols - 1, width;

	buf_addf(&title, "%s%s%s", w->id, s && *s->name ? " " : "",
		 s ? s->name : "");
	terminal_title(m, w, false, &title);
	full_hints(m, w, &hints);
	canvas_fill(c, a.row, a.col, 1, a.cols, pen_role(ROLE_INK));
	width = (int)width_text(buf_str(&hints), hints.len);
	canvas_text(c, a.row, right - width, width, pen_role(ROLE_DIM),
		    buf_str(&hints));
	right -= width + 2;
	if (*status) {
		width = (int)width_text(status, strlen(status));
		canvas_text(c, a.row, MAX(right - width, a.col), width,
			    pen_role(ROLE_ACCENT2), status);
		right -= width + 2;
	}
	canvas_text(c, a.row, a.col + 1, right - a.col - 1, pen,
		    buf_str(&title));
}

static void view_terminal(const struct model *m, const struct workspace *w,
			  struct canvas *c, struct area a)
{
	bool focused = w->focus == PANE_TERMINAL && !m->dialog;
	auto_buf struct buf title = BUF_INIT, status = BUF_INIT;
	struct area in = w->terminal_area;

	if (w->shown && w->copy.on)
		copy_status(&w->copy, w->shown, &status);
	else if (w->shown)
		terminal_status(w->shown, &status);
	if (workspace_is_full(w)) {
		view_full_line(m, w, c, a, buf_str(&status));
	} else {
		buf_addf(&title, "TERMINAL");
		terminal_title(m, w, true, &title);
		frame_pane(c, a, buf_str(&title), focused);
		frame_corner(c, a, false, pen_role(ROLE_ACCENT2),
			     buf_str(&status));
	}
	if (w->shown)
		terminal_view(w->shown, c, in.row, in.col, in.rows, in.cols,
			      focused && w->live);
	else
		canvas_text(c, in.row, in.col + 1, in.cols - 1,
			    pen_role(ROLE_DIM), "opening");
	if (w->shown && w->copy.on)
		copy_view(&w->copy, w->shown, c, in, focused);
}

void workspace_view(const struct model *m, const void *state,
			   struct canvas *c, struct area a)
{
	const struct workspace *w = state;
	const struct places p = w->at;

	if (!workspace_is_full(w))
		view_line(m, w, c, a);
	if (p.files.rows)
		files_view(m, &w->files, c, p.files,
			   w->focus == PANE_FILES && !m->dialog);
	if (p.viewer.rows)
		files_view_content(m, &w->files, c, p.viewer,
				   w->focus == PANE_VIEWER && !m->dialog);
	if (p.terminal.rows)
		view_terminal(m, w, c, p.terminal);
}
