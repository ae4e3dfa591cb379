/* SPDX-License-Identifier: MIT */
/* The workspace as it is drawn: the sandbox's line, and the panes. */
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/width.h"
#include "tui/frame.h"
#include "tui/terminal-line.h"
#include "tui/workspace.h"

#define TTL_BAR 5
#define TERMINALS_NAMED 3 /* of more, the title has the shown one alone */

/* Of the time that it has in all, what is left; negative: not known. */
static double ttl_part(const struct model *m, const struct sandbox *s)
{
	int64_t all = s->expires_ns - s->created_ns;

	if (!s->expires_ns || !s->created_ns || all <= 0)
		return -1;
	return (double)(s->expires_ns - m->wall_ns) / (double)all;
}

/* What it is, and for how long: the bar goes first where that is too much. */
static void view_what(const struct model *m, const struct sandbox *s,
		      struct canvas *c, struct area a)
{
	struct frame_parts parts = { .n = 0 };
	char left[FRAME_TIME_SIZE] = "";
	double part = ttl_part(m, s);

	frame_part(&parts, 2, NULL, "%s", s->image);
	frame_part(&parts, 3, NULL, "%s", s->provider);
	if (s->expires_ns) {
		frame_left(s->expires_ns - m->wall_ns, left);
		frame_part(&parts, 1, NULL, "ttl %s", left);
	}
	auto_free char *text = frame_parts_fit(&parts, "  ", a.cols);
	int width = (int)width_text(text, strlen(text));
	int at = width - (int)strlen(left);

	canvas_text(c, a.row, a.col, a.cols, pen_role(ROLE_DIM), text);
	if (part < 0 || width + TTL_BAR + 1 > a.cols)
		return;
	frame_bar(m, c, a.row, a.col + at, TTL_BAR, part,
		  pen_role(part < 0.1 ? ROLE_BAD : ROLE_OK));
	canvas_textf(c, a.row, a.col + at + TTL_BAR, FRAME_TIME_SIZE,
		     pen_role(ROLE_DIM), " %s", left);
}

static void view_line(const struct model *m, const struct workspace *w,
		      struct canvas *c, struct area a)
{
	const struct sandbox *s = workspace_sandbox(m, w);
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
	view_what(m, s, c, (struct area){ a.row, col, 1,
					  MAX(a.col + a.cols - col, 0) });
}

/* Whether it runs and for how long, in few columns. */
static void add_life(const struct model *m, const struct sandbox *s,
		     struct buf *out)
{
	char left[FRAME_TIME_SIZE] = "";
	enum theme_role role;

	if (s->expires_ns)
		frame_left(s->expires_ns - m->wall_ns, left);
	buf_addf(out, "%s%s%s", frame_state(m, s->state, &role),
		 *left ? " " : "", left);
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
			buf_addf(out, "%ss%u%s", out->len ? " " : "",
				 t->number, t == w->shown ? "*" : t->bell ? "!" : "");
	}
	if (n > TERMINALS_NAMED)
		buf_addf(out, " %zu of %zu", place, n);
}

/* A line with the texts that it has. */
struct texts {
	struct buf name, sessions, copying, life;
	enum context chain[CONTEXT_CHAIN];
	struct terminal_line line;
};

static void texts_release(struct texts *x)
{
	buf_release(&x->name);
	buf_release(&x->sessions);
	buf_release(&x->copying);
	buf_release(&x->life);
}

static void fill_texts(const struct model *m, const struct workspace *w,
		       struct texts *x)
{
	const struct sandbox *s = workspace_sandbox(m, w);
	struct terminal_line *l = &x->line;
	bool full = workspace_is_full(w);

	buf_addf(&x->name, "%s%s%s", w->id ? w->id : "",
		 s && *s->name ? " " : "", s ? s->name : "");
	add_sessions(m, w, &x->sessions);
	if (w->shown && w->copy.on)
		copy_status(&w->copy, w->shown, &x->copying);
	if (s && full) /* else it stands above */
		add_life(m, s, &x->life);
	update_screen_contexts(m, x->chain);
	l->t = w->shown;
	l->chain = x->chain;
	l->live = w->live;
	l->name = full ? buf_str(&x->name) : "TERMINAL";
	l->sessions = buf_str(&x->sessions);
	l->add = full || m->read_only ? "" : WORKSPACE_NEW;
	l->life = buf_str(&x->life);
	l->copying = x->copying.len ? buf_str(&x->copying) : NULL;
}

char *workspace_title_word(const struct model *m, const struct workspace *w,
			   int col)
{
	struct texts x = { 0 };

	fill_texts(m, w, &x);
	char *word = terminal_line_word(m, &x.line, w->at.terminal, col);

	texts_release(&x);
	return word;
}

static void view_terminal_line(const struct model *m,
			       const struct workspace *w, struct canvas *c,
			       struct area a, bool focused)
{
	struct texts x = { 0 };

	fill_texts(m, w, &x);
	if (workspace_is_full(w))
		terminal_line_view(m, &x.line, c, a);
	else
		terminal_line_pane(m, &x.line, c, a, focused);
	texts_release(&x);
}

static void view_terminal(const struct model *m, const struct workspace *w,
			  struct canvas *c, struct area a)
{
	bool focused = w->focus == PANE_TERMINAL && !m->dialog;
	struct area in = w->terminal_area;

	view_terminal_line(m, w, c, a, focused);
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
