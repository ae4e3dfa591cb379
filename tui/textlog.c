/* SPDX-License-Identifier: MIT */
/* Lines that go on arriving.  See textlog.h. */
#include "tui/textlog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/api/limits.h"
#include "lib/base/escape.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "lib/base/width.h"
#include "tui/frame.h"
#include "tui/list.h"
#include "tui/glyph.h"

static struct textlog_line *line_at(const struct textlog *t, size_t i)
{
	return &t->lines[(t->first + i) % LIMIT_TUI_LINES];
}

static void line_release(struct textlog_line *l)
{
	free(l->text);
	free(l->tag);
}

void textlog_clear(struct textlog *t)
{
	for (size_t i = 0; i < t->n; i++)
		line_release(line_at(t, i));
	t->first = t->n = t->top = t->at = 0;
	t->seen = t->total;
}

void textlog_release(struct textlog *t)
{
	textlog_clear(t);
	free(t->lines);
	field_release(&t->search);
	field_release(&t->only);
}

/* "!word" is what hasn't it. */
static bool is_shown(const struct textlog *t, const struct textlog_line *l)
{
	const char *only = field_text(&t->only);
	bool not = only[0] == '!';
	bool has = strcasestr(l->text, only + not) ||
		   (l->tag && strcasestr(l->tag, only + not));

	return !only[not] || has != not;
}

void textlog_add(struct textlog *t, const char *text, size_t n,
		 const char *tag, bool bad)
{
	struct textlog_line *l;

	if (!t->lines)
		t->lines = xcalloc(LIMIT_TUI_LINES, sizeof(*t->lines));
	if (t->n == LIMIT_TUI_LINES) {
		/* What is in view stays there. */
		if (is_shown(t, line_at(t, 0)) && t->top)
			t->top--;
		line_release(line_at(t, 0));
		t->first = (t->first + 1) % LIMIT_TUI_LINES;
		t->n--;
	}
	l = line_at(t, t->n++);
	*l = (struct textlog_line){
		.text = xstrndup(text, MIN(n, LIMIT_TUI_LINE_KEPT)),
		.tag = xstrdup(tag),
		.bad = bad,
	};
	t->total++;
}

static size_t count_shown(const struct textlog *t)
{
	size_t n = 0;

	if (!*field_text(&t->only))
		return t->n;
	for (size_t i = 0; i < t->n; i++)
		n += is_shown(t, line_at(t, i));
	return n;
}

void textlog_settle(struct textlog *t, struct area inside)
{
	size_t n = count_shown(t), most;

	t->height = (size_t)MAX(inside.rows, 1);
	most = n > t->height ? n - t->height : 0;
	t->top = t->paused ? MIN(t->top, most) : most;
	t->at = t->paused ? MIN(t->at, t->height - 1) :
			    MIN(n, t->height) - (n > 0);
	if (n && t->top + t->at >= n)
		t->at = n - 1 - t->top;
}

/* The k-th line that is shown. */
static const struct textlog_line *shown_at(const struct textlog *t, size_t k)
{
	if (!*field_text(&t->only))
		return k < t->n ? line_at(t, k) : NULL;
	for (size_t i = 0; i < t->n; i++)
		if (is_shown(t, line_at(t, i)) && k-- == 0)
			return line_at(t, i);
	return NULL;
}

const struct textlog_line *textlog_current(const struct textlog *t)
{
	return shown_at(t, t->top + t->at);
}

static void view_line(const struct textlog *t, struct canvas *c, int row,
		      struct area in, const struct textlog_line *l)
{
	const char *search = field_text(&t->search);
	auto_buf struct buf safe = BUF_INIT;
	size_t width, skip;
	int col = in.col;

	if (l->tag)
		col += canvas_textf(c, row, col, MIN(14, in.cols),
				    pen_role(ROLE_VALUE), "%s ", l->tag);
	escape_line(&safe, l->text, strlen(l->text));
	skip = width_fit(buf_str(&safe), safe.len, t->left, &width);
	canvas_text(c, row, col, in.col + in.cols - col,
		    pen_role(l->bad ? ROLE_BAD : ROLE_INK),
		    buf_str(&safe) + skip);
	if (*search && strcasestr(l->text, search))
		canvas_shade(c, row, in.col, 1, in.cols, ROLE_SELECTED);
}

void textlog_view(const struct model *m, const struct textlog *t,
		  struct canvas *c, struct area pane, const char *title,
		  bool focused)
{
	struct area in = frame_pane(c, pane, title, focused);
	size_t k = 0, row = 0;
	char corner[64];

	if (t->paused)
		snprintf(corner, sizeof(corner), " paused  +%zu new ",
			 t->total - t->seen);
	else
		snprintf(corner, sizeof(corner), " %s following ",
			 m->set.ascii ? "*" : GLYPH_DOT);
	frame_corner(c, pane, false,
		     pen_role(t->paused ? ROLE_ACCENT : ROLE_OK), corner);
	for (size_t i = 0; i < t->n && row < (size_t)in.rows; i++) {
		if (!is_shown(t, line_at(t, i)) || k++ < t->top)
			continue;
		view_line(t, c, in.row + (int)row, in, line_at(t, i));
		row++;
	}
	if (!row)
		canvas_text(c, in.row, in.col + 1, in.cols - 1,
			    pen_role(ROLE_DIM),
			    t->n ? "no line matches" : "nothing yet");
	if (focused && !m->dialog)
		canvas_cursor(c, in.row + (int)t->at, in.col);
}

static void pause_at(struct textlog *t)
{
	if (!t->paused)
		t->seen = t->total;
	t->paused = true;
}

static bool move(struct textlog *t, enum action a)
{
	size_t n = count_shown(t);
	struct list_pos pos = { t->top + t->at, t->top, n, t->height };

	if (a == ACT_LEFT || a == ACT_RIGHT) {
		t->left = a == ACT_RIGHT ? t->left + 8 :
					   t->left - MIN(t->left, 8);
		return true;
	}
	if (a == ACT_BOTTOM) {
		t->paused = false;
		return true;
	}
	if (!list_act(&pos, a))
		return false;
	pause_at(t);
	list_settle(&pos, n, (int)t->height);
	t->top = pos.top;
	t->at = pos.at - pos.top;
	return true;
}

/* Of the lines that are shown, the nearest with the text after or before
 * `at`, around; SIZE_MAX when none has it. */
static size_t find_text(const struct textlog *t, const char *text, size_t at,
			bool back)
{
	size_t before = SIZE_MAX, after = SIZE_MAX, first = SIZE_MAX,
	       last = SIZE_MAX, k = 0;

	for (size_t i = 0; i < t->n; i++) {
		const struct textlog_line *l = line_at(t, i);

		if (!is_shown(t, l))
			continue;
		if (strcasestr(l->text, text)) {
			first = MIN(first, k);
			last = k;
			if (k < at)
				before = k;
			else if (k > at)
				after = MIN(after, k);
		}
		k++;
	}
	if (back)
		return before != SIZE_MAX ? before : last;
	return after != SIZE_MAX ? after : first;
}

static void search(struct model *m, struct textlog *t, bool back)
{
	const char *text = field_text(&t->search);
	size_t n = count_shown(t);
	struct list_pos pos = { .top = t->top };

	if (!*text || !n)
		return;
	pos.at = find_text(t, text, t->top + t->at, back);
	if (pos.at == SIZE_MAX) {
		model_say(m, "%s is not in it", text);
		return;
	}
	pause_at(t);
	list_settle(&pos, n, (int)t->height);
	t->top = pos.top;
	t->at = pos.at - pos.top;
}

bool textlog_act(struct model *m, struct textlog *t, enum action a)
{
	const struct textlog_line *l = textlog_current(t);

	if (move(t, a))
		return true;
	switch (a) {
	case ACT_FOLLOW:
		if (t->paused)
			t->paused = false;
		else
			pause_at(t);
		return true;
	case ACT_SEARCH:
	case ACT_FILTER:
		t->typing = TEXTLOG_SEARCH;
		return true;
	case ACT_MATCHING:
		t->typing = TEXTLOG_ONLY;
		return true;
	case ACT_SEARCH_NEXT:
	case ACT_SEARCH_PREV:
		search(m, t, a == ACT_SEARCH_PREV);
		return true;
	case ACT_CLEAR:
		textlog_clear(t);
		return true;
	case ACT_COPY:
		if (l)
			model_copy(m, l->text, strlen(l->text), "the line");
		return true;
	case ACT_BACK:
		if (!*field_text(&t->only) && !*field_text(&t->search))
			return false;
		field_set(&t->only, "");
		field_set(&t->search, "");
		return true;
	default:
		return false;
	}
}

bool textlog_input(struct model *m, struct textlog *t,
		   const struct input_event *ev)
{
	static const enum context chain[] = { CTX_FIELD, CTX_NONE };
	struct field *f = t->typing == TEXTLOG_ONLY ? &t->only : &t->search;

	if (ev->type == INPUT_MOUSE) {
		enum action a = ev->mouse.kind == MOUSE_WHEEL_UP ? ACT_UP :
				ev->mouse.kind == MOUSE_WHEEL_DOWN ?
								ACT_DOWN :
								ACT_NONE;

		for (int i = 0; a != ACT_NONE && i < 3; i++) {
			t->at = a == ACT_UP ? 0 : t->height - 1;
			move(t, a);
		}
		return a != ACT_NONE;
	}
	if (t->typing == TEXTLOG_IDLE)
		return false;
	if (ev->type == INPUT_PASTE)
		field_add(f, ev->data, ev->size);
	if (ev->type != INPUT_KEY)
		return true;
	if (key_is(ev->key, KEY_CODE_ENTER, 0)) {
		if (t->typing == TEXTLOG_SEARCH)
			search(m, t, true);
		t->typing = TEXTLOG_IDLE;
	} else if (key_is(ev->key, KEY_CODE_ESCAPE, 0) ||
		   key_is(ev->key, 'c', KEY_MOD_CTRL)) {
		field_set(f, "");
		t->typing = TEXTLOG_IDLE;
	} else if (!field_key(f, ev->key)) {
		field_act(f, keymap_find(m->keymap, chain, ev->key));
	}
	return true;
}

const struct field *textlog_typing(const struct textlog *t,
				   const char **ret_label)
{
	*ret_label = t->typing == TEXTLOG_ONLY ? "only" : "search";
	return t->typing == TEXTLOG_IDLE ? NULL :
	       t->typing == TEXTLOG_ONLY ? &t->only : &t->search;
}

void textlog_status(const struct textlog *t, struct buf *out)
{
	buf_addf(out, "%zu kept", t->n);
	if (*field_text(&t->only))
		buf_addf(out, "  only: %s", field_text(&t->only));
	if (*field_text(&t->search))
		buf_addf(out, "  search: %s", field_text(&t->search));
}

bool textlog_save(struct model *m, const struct textlog *t, const char *path)
{
	auto_buf struct buf all = BUF_INIT;
	int r;

	for (size_t i = 0; i < t->n; i++) {
		const struct textlog_line *l = line_at(t, i);

		buf_addf(&all, "%s%s%s\n", l->tag ? l->tag : "",
			 l->tag ? " " : "", l->text);
	}
	r = fd_replace_path(AT_FDCWD, path, buf_str(&all), all.len, 0600);
	if (r < 0)
		model_say(m, "can't write %s: %s", path, strerror(-r));
	else
		model_say(m, "saved %zu lines to %s", t->n, path);
	return r == 0;
}
