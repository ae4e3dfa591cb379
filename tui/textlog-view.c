/* SPDX-License-Identifier: MIT */
/* Drawing lines that go on arriving.  See textlog.h. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/escape.h"
#include "lib/base/mem.h"
#include "lib/base/width.h"
#include "tui/event-text.h"
#include "tui/frame.h"
#include "tui/glyph.h"
#include "tui/textlog-internal.h"

#define TAG_COLS 14
#define OUTCOME_AFTER 24 /* columns: clock, word and some of the id */
#define TIME_COLS 17 /* "17:38:02.120 out " */

/* What stands before a line: when and whence, then the tag. */
static int head_cols(const struct textlog *t, const struct textlog_line *l,
		     int cols)
{
	size_t n = l->tag ? width_text(l->tag, strlen(l->tag)) + 1 : 0;

	n = MIN(n, TAG_COLS) + (t->times ? TIME_COLS : 0);
	return (int)MIN(n, (size_t)cols);
}

/* How much of the rest a row takes; all of it where nothing would fit. */
static size_t piece(const struct buf *safe, size_t from, int cols)
{
	size_t width, n = width_fit(buf_str(safe) + from, safe->len - from,
				    (size_t)MAX(cols, 1), &width);

	return n ? n : safe->len - from;
}

static void add_safe(const struct textlog *t, const struct textlog_line *l,
		     struct buf *out)
{
	const char *text = textlog_text(t, l);

	escape_line(out, text, strlen(text));
}

size_t textlog_rows(const struct textlog *t, const struct textlog_line *l,
		    int cols)
{
	auto_buf struct buf safe = BUF_INIT;
	size_t rows = 0, at = 0;

	if (!t->wrap)
		return 1;
	add_safe(t, l, &safe);
	do {
		at += piece(&safe, at, cols - head_cols(t, l, cols));
		rows++;
	} while (at < safe.len);
	return rows;
}

/* -- JSON */

/* Behind the string that begins here. */
static size_t string_end(const char *s, size_t n, size_t at)
{
	for (at++; at < n && s[at] != '"'; at++)
		if (s[at] == '\\')
			at++;
	return MIN(at + 1, n);
}

/* A role for each byte of what looks like an object or a list; false when it
 * looks like neither. */
static bool json_roles(const char *s, size_t n, enum theme_role text,
		       unsigned char *roles)
{
	size_t at = strspn(s, " ");

	if (s[at] != '{' && s[at] != '[')
		return false;
	memset(roles, ROLE_DIM, n);
	while (at < n) {
		size_t end = at + 1;
		enum theme_role role = ROLE_DIM;

		if (s[at] == '"') {
			end = string_end(s, n, at);
			role = s[end + strspn(s + end, " ")] == ':' ?
				       ROLE_VALUE : text;
		} else if (isalnum((unsigned char)s[at]) || s[at] == '-') {
			end = at + strcspn(s + at, " ,:]}\"");
			end = MAX(end, at + 1);
			role = ROLE_ACCENT2;
		}
		memset(roles + at, (int)role, end - at);
		at = end;
	}
	return true;
}

/* -- lines */

static void view_head(const struct model *m, const struct textlog *t,
		      struct canvas *c, int row, struct area in,
		      const struct textlog_line *l)
{
	static const char *const sources[TEXTLOG_SOURCES] = {
		"", "out", "err", "pty", "sys",
	};
	int64_t ms = l->wall_ns / 1000000 + m->utc_offset * INT64_C(1000);
	int used = 0;

	if (t->times && l->wall_ns)
		canvas_textf(c, row, in.col, MIN(12, in.cols),
			     pen_role(ROLE_DIM), "%02d:%02d:%02d.%03d",
			     (int)(ms / 3600000 % 24), (int)(ms / 60000 % 60),
			     (int)(ms / 1000 % 60), (int)(ms % 1000));
	if (t->times) {
		used = MIN(TIME_COLS, in.cols);
		canvas_text(c, row, in.col + 13, MIN(4, MAX(in.cols - 13, 0)),
			    pen_role(l->from == TEXTLOG_STDERR ? ROLE_BAD :
								 ROLE_DIM),
			    sources[l->from]);
	}
	if (l->tag)
		canvas_textf(c, row, in.col + used,
			     head_cols(t, l, in.cols) - used,
			     pen_role(ROLE_VALUE), "%s ", l->tag);
}

/* One row of it, then its runs of roles, if there are any. */
static void view_part(struct canvas *c, int row, int col, int width,
		      enum theme_role role, const char *s, size_t n,
		      const unsigned char *roles)
{
	auto_free char *part = xstrndup(s, n);
	int end = col + canvas_text(c, row, col, width, pen_role(role), part);

	for (size_t at = 0, run; roles && at < n && col < end; at += run) {
		for (run = 1; at + run < n && roles[at + run] == roles[at];)
			run++;
		int cols = (int)width_text(s + at, run);

		canvas_tint(c, row, col, 1, MIN(cols, end - col),
			    (enum theme_role)roles[at]);
		col += cols;
	}
}

/* What stands before the outcome is cut where both have no room; false when it
 * needn't, or there would be too little of it. */
static bool view_outcome(struct canvas *c, int row, int col, int width,
			 enum theme_role role, const struct textlog_line *l,
			 const char *text)
{
	auto_buf struct buf head = BUF_INIT, tail = BUF_INIT;
	size_t whole = strlen(l->text), n = whole - MIN(l->outcome, whole);
	size_t at = strlen(text) - n;

	escape_line(&head, text, at);
	escape_line(&tail, text + at, n);
	int before = (int)width_text(buf_str(&head), head.len);
	int after = (int)width_text(buf_str(&tail), tail.len);

	if (before + after <= width || after + OUTCOME_AFTER > width)
		return false;
	before = width - after;
	canvas_text(c, row, col, before, pen_role(role), buf_str(&head));
	canvas_text(c, row, col + before, after, pen_role(role),
		    buf_str(&tail));
	return true;
}

/* Returns the rows it takes. */
static int view_line(const struct model *m, const struct textlog *t,
		     struct canvas *c, int row, struct area in,
		     const struct textlog_line *l)
{
	const char *search = field_text(&t->search);
	enum theme_role role = l->bad ? ROLE_BAD : ROLE_INK;
	auto_buf struct buf safe = BUF_INIT;
	int head = head_cols(t, l, in.cols), rows = 0;
	size_t at = 0, width;
	/* Wrapped, it has room. */
	auto_free char *brief = l->outcome && !t->wrap ?
		event_text_brief(l->text, in.cols - head) : NULL;

	view_head(m, t, c, row, in, l);
	if (l->outcome && !t->wrap && !t->left &&
	    view_outcome(c, row, in.col + head, in.cols - head, role, l,
			 brief ? brief : l->text)) {
		if (*search && strcasestr(textlog_text(t, l), search))
			canvas_shade(c, row, in.col, 1, in.cols,
				     ROLE_SELECTED);
		return 1;
	}
	if (brief)
		escape_line(&safe, brief, strlen(brief));
	else
		add_safe(t, l, &safe);
	auto_free unsigned char *roles = xcalloc(safe.len + 1, 1);
	bool json = t->json && json_roles(buf_str(&safe), safe.len, role,
					  roles);
	if (!t->wrap)
		at = width_fit(buf_str(&safe), safe.len, t->left, &width);
	do {
		size_t n = t->wrap ? piece(&safe, at, in.cols - head) :
				     safe.len - at;

		view_part(c, row + rows++, in.col + head, in.cols - head, role,
			  buf_str(&safe) + at, n, json ? roles + at : NULL);
		at += n;
	} while (at < safe.len && row + rows < in.row + in.rows);
	if (*search && strcasestr(textlog_text(t, l), search))
		canvas_shade(c, row, in.col, rows, in.cols, ROLE_SELECTED);
	return rows;
}

/* -- the border */

#define SEPARATOR " \u00b7 "

/* A line that a terminal repainted is read as several: that is why more are
 * kept than the log has. */
static void count_repaints(const struct textlog *t, struct frame_parts *corner)
{
	char lines[FRAME_TIME_SIZE], more[FRAME_TIME_SIZE];
	size_t repaints = 0;

	for (size_t i = 0; i < t->n; i++)
		repaints += textlog_at(t, i)->piece > 0;
	if (!repaints)
		return;
	frame_count(t->n - repaints, lines);
	frame_count(repaints, more);
	frame_part(corner, 5, NULL, "%s line%s + %s repaint%s", lines,
		   t->n - repaints == 1 ? "" : "s", more,
		   repaints == 1 ? "" : "s");
}

static void view_kept(const struct textlog *t, struct canvas *c,
		      struct area pane, struct frame_parts *corner)
{
	char n[FRAME_TIME_SIZE], most[FRAME_TIME_SIZE];
	size_t shown = textlog_count(t), news = textlog_news(t);
	bool vague = t->paused && t->vague;

	if (shown != t->n) {
		frame_count(shown, n);
		frame_part(corner, 3, NULL, "%s shown", n);
	}
	count_repaints(t, corner);
	frame_count(t->n, n);
	frame_count(LIMIT_TUI_LINES, most);
	frame_part(corner, 4, NULL, "%s/%s kept", n, most);
	frame_count(news, n);
	frame_part(corner, 1, NULL, "+%s new%s", n,
		   vague ? " and more" : "");
	auto_free char *text = frame_parts_fit(corner, SEPARATOR,
					       pane.cols - 6);
	auto_free char *spaced = xasprintf(" %s ", text);

	frame_corner(c, pane, true,
		     pen_role(news || vague ? ROLE_ACCENT : ROLE_DIM),
		     spaced);
}

static struct area view_border(const struct model *m, const struct textlog *t,
			       struct canvas *c, struct area pane,
			       struct frame_parts *title,
			       struct frame_parts *corner, bool focused)
{
	const char *only = field_text(&t->only);
	enum theme_role role = t->paused ? ROLE_ACCENT :
			       t->over ? ROLE_DIM : ROLE_OK;
	auto_free char *state =
		t->paused ? xstrdup(" paused ") :
			    xasprintf(" %s%s ",
				      t->over	   ? "" :
				      m->set.ascii ? "* " :
						     GLYPH_DOT " ",
				      t->live ? t->live : "following");

	if (*only)
		frame_part(title, 1, "& filter", "& %s", only);
	if (t->wrap)
		frame_part(title, 4, NULL, "wrap");
	if (t->raw)
		frame_part(title, 4, NULL, "raw");
	auto_free char *text = frame_parts_fit(title, "  ", pane.cols - 6 -
					       (int)width_text(state,
							strlen(state)));
	struct area in = frame_pane(c, pane, text, focused);

	frame_corner(c, pane, false, pen_role(role), state);
	view_kept(t, c, pane, corner);
	return in;
}

void textlog_view(const struct model *m, const struct textlog *t,
		  struct canvas *c, struct area pane,
		  struct frame_parts *title, struct frame_parts *corner,
		  bool focused)
{
	struct area in = view_border(m, t, c, pane, title, corner, focused);
	size_t k = 0;
	int row = 0, cursor = 0;

	for (size_t i = 0; i < t->n && row < in.rows; i++) {
		if (!textlog_shows(t, textlog_at(t, i)) || k++ < t->top)
			continue;
		if (k - 1 == t->top + t->at)
			cursor = row;
		row += view_line(m, t, c, in.row + row, in, textlog_at(t, i));
	}
	if (!row)
		canvas_text(c, in.row, in.col + 1, in.cols - 1,
			    pen_role(ROLE_DIM),
			    !t->n ? "nothing yet" :
			    *t->none ? t->none : "no line matches");
	/* The line that keys are about, once one is chosen. */
	if (focused && t->paused && row)
		canvas_shade(c, in.row + cursor, in.col, 1, in.cols,
			     ROLE_SELECTED);
	if (focused && !m->dialog)
		canvas_cursor(c, in.row + cursor, in.col);
}
