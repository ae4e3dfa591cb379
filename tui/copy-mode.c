/* SPDX-License-Identifier: MIT */
/* Looking back in a terminal.  See copy-mode.h. */
#include "tui/copy-mode.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/place.h"
#include "lib/base/mem.h"
#include "lib/base/width.h"
#include "tui/frame.h"

static uint64_t last_line(const struct terminal *t)
{
	return emu_top(t->emu) + (uint64_t)emu_rows(t->emu) - 1;
}

void copy_release(struct copy *c)
{
	field_release(&c->search);
}

void copy_begin(struct copy *c, struct terminal *t)
{
	struct emu_cursor cursor = emu_cursor(t->emu);

	if (!t->scrolled)
		t->top = emu_top(t->emu);
	t->scrolled = true;
	c->on = true;
	c->of = t;
	c->taken = false;
	c->kind = COPY_NOTHING;
	c->searching = false;
	c->line = t->top + (uint64_t)cursor.row;
	c->col = cursor.col;
}

void copy_end(struct copy *c, struct terminal *t)
{
	if (c->on && t && t == c->of)
		terminal_scroll(t, 0);
	c->on = c->searching = false;
	c->of = NULL;
}

void copy_settle(struct copy *c, struct terminal *t, int rows)
{
	uint64_t first = emu_first(t->emu), height;

	c->rows = MAX(MIN(rows, emu_rows(t->emu)), 1);
	height = (uint64_t)c->rows;
	c->line = MIN(MAX(c->line, first), last_line(t));
	c->from_line = MIN(MAX(c->from_line, first), last_line(t));
	c->col = MAX(MIN(c->col, emu_cols(t->emu) - 1), 0);
	c->from_col = MAX(MIN(c->from_col, emu_cols(t->emu) - 1), 0);
	t->scrolled = true;
	if (c->line < t->top)
		t->top = c->line;
	else if (c->line >= t->top + height)
		t->top = c->line - height + 1;
	t->top = MAX(t->top, first);
}

/* -- what is selected */

/* The columns of a line, both included; false when none is. */
static bool selected(const struct copy *c, const struct terminal *t,
		     uint64_t line, int *ret_from, int *ret_to)
{
	bool down = c->from_line < c->line ||
		    (c->from_line == c->line && c->from_col <= c->col);
	uint64_t low = down ? c->from_line : c->line;
	uint64_t high = down ? c->line : c->from_line;

	*ret_from = 0;
	*ret_to = emu_cols(t->emu) - 1;
	if (c->kind == COPY_NOTHING || line < low || line > high)
		return false;
	if (c->kind == COPY_BLOCK) {
		*ret_from = MIN(c->from_col, c->col);
		*ret_to = MAX(c->from_col, c->col);
	} else if (c->kind == COPY_CHARS) {
		if (line == low)
			*ret_from = down ? c->from_col : c->col;
		if (line == high)
			*ret_to = down ? c->col : c->from_col;
	}
	return true;
}

/* The text of some columns; true when the line goes on in the next one. */
static bool add_line(const struct terminal *t, uint64_t line, int from, int to,
		     struct buf *out)
{
	int cols = emu_cols(t->emu);
	auto_free struct cell *cells = xcalloc((size_t)cols, sizeof(*cells));
	size_t begin = out->len;
	int wrapped = emu_line(t->emu, line, cells, cols);

	if (wrapped < 0)
		return false;
	if (from > 0 && cells[from].attr & CELL_TAIL)
		from--;
	for (int i = from; i <= to && i < cols; i++) {
		char text[CELL_TEXT_MAX];

		buf_add(out, text, cell_text(&cells[i], text));
	}
	while (!wrapped && out->len > begin && out->data[out->len - 1] == ' ')
		buf_truncate(out, out->len - 1);
	return wrapped > 0 && to == cols - 1;
}

void copy_text(const struct copy *c, const struct terminal *t,
	       struct buf *out)
{
	uint64_t low = MIN(c->from_line, c->line);
	uint64_t high = MAX(c->from_line, c->line);
	int from, to;

	if (c->kind == COPY_NOTHING) {
		add_line(t, c->line, 0, emu_cols(t->emu) - 1, out);
		return;
	}
	for (uint64_t line = low; line <= high; line++) {
		if (!selected(c, t, line, &from, &to))
			continue;
		if (!add_line(t, line, from, to, out) &&
		    (line < high || c->kind == COPY_LINES))
			buf_addch(out, '\n');
	}
}

/* -- search */

/* The first match right of a column, or the last one left of it; or -1. */
static int match_in(const struct copy *c, const struct terminal *t,
		    uint64_t line, int col, bool back)
{
	auto_buf struct buf text = BUF_INIT;
	const char *p, *needle = field_text(&c->search);
	int found = -1;

	add_line(t, line, 0, emu_cols(t->emu) - 1, &text);
	for (p = buf_str(&text); (p = strcasestr(p, needle)); p++) {
		int at = (int)width_text(text.data, (size_t)(p - text.data));

		if (back ? at >= col : at <= col) {
			if (back)
				break;
			continue;
		}
		found = at;
		if (!back)
			break;
	}
	return found;
}

/* The next match, around the ends; the cursor stays when there is none. */
static void search(struct model *m, struct copy *c, const struct terminal *t,
		   bool back)
{
	uint64_t first = emu_first(t->emu), last = last_line(t);
	uint64_t line = c->line;
	int col = c->col;

	if (!*field_text(&c->search))
		return;
	for (uint64_t n = last - first + 2; n; n--) {
		int at = match_in(c, t, line, col, back);

		if (at >= 0) {
			c->line = line;
			c->col = at;
			return;
		}
		col = back ? INT_MAX : -1;
		if (back)
			line = line == first ? last : line - 1;
		else
			line = line == last ? first : line + 1;
	}
	model_say(m, "%s is not in it", field_text(&c->search));
	model_said_while(m, TOAST_LOOKING_BACK);
}

/* -- keys */

static void move_lines(struct copy *c, const struct terminal *t, int by)
{
	uint64_t first = emu_first(t->emu), n = (uint64_t)(by < 0 ? -by : by);

	if (by < 0)
		c->line -= MIN(n, c->line - MIN(first, c->line));
	else
		c->line = MIN(c->line + n, last_line(t));
}

/* Where the line's text ends. */
static int text_end(const struct terminal *t, uint64_t line)
{
	auto_buf struct buf text = BUF_INIT;

	add_line(t, line, 0, emu_cols(t->emu) - 1, &text);
	return MAX((int)width_text(buf_str(&text), text.len) - 1, 0);
}

static bool is_word(const struct terminal *t, uint64_t line, int col)
{
	auto_buf struct buf text = BUF_INIT;

	add_line(t, line, col, col, &text);
	return text.len > 0 && text.data[0] != ' ';
}

/* To the beginning of a word, the next or the one before. */
static void move_word(struct copy *c, const struct terminal *t, int step)
{
	int cols = emu_cols(t->emu), col = c->col;
	uint64_t line = c->line;

	for (int left = cols * 4; left > 0; left--) {
		col += step;
		if (col < 0 || col >= cols) {
			if (line == (step > 0 ? last_line(t) :
						emu_first(t->emu)))
				return;
			line += step > 0 ? 1 : UINT64_MAX;
			col = step > 0 ? 0 : cols - 1;
		}
		if (is_word(t, line, col) &&
		    (col == 0 || !is_word(t, line, col - 1))) {
			c->line = line;
			c->col = col;
			return;
		}
	}
}

static bool act_move(struct copy *c, const struct terminal *t, enum action a)
{
	switch (a) {
	case ACT_UP:
	case ACT_DOWN:
		move_lines(c, t, a == ACT_UP ? -1 : 1);
		return true;
	case ACT_PAGE_UP:
	case ACT_PAGE_DOWN:
		move_lines(c, t, a == ACT_PAGE_UP ? -c->rows : c->rows);
		return true;
	case ACT_TOP:
		c->line = emu_first(t->emu);
		return true;
	case ACT_BOTTOM:
		c->line = last_line(t);
		return true;
	case ACT_LEFT:
	case ACT_RIGHT:
		c->col += a == ACT_LEFT ? -1 : 1;
		return true;
	case ACT_LINE_START:
		c->col = 0;
		return true;
	case ACT_LINE_END:
		c->col = text_end(t, c->line);
		return true;
	case ACT_WORD_NEXT:
	case ACT_WORD_PREV:
		move_word(c, t, a == ACT_WORD_NEXT ? 1 : -1);
		return true;
	default:
		return false;
	}
}

static void toggle(struct copy *c, enum copy_kind kind)
{
	if (c->kind == COPY_NOTHING) {
		c->from_line = c->line;
		c->from_col = c->col;
	}
	c->kind = c->kind == kind ? COPY_NOTHING : kind;
}

/* What is saved is what was selected when it was asked for. */
static void save(struct model *m, const char *path, void *data)
{
	const struct buf *text = data;
	auto_free char *local = prompt_path(path);
	int r = place_replace(local, buf_str(text), text->len);

	if (r < 0)
		model_say(m, "can't write %s: %s", path, strerror(-r));
	else
		model_say(m, "saved %zu bytes to %s", text->len, path);
}

static void save_release(void *data)
{
	struct buf *text = data;

	buf_release(text);
	free(text);
}

static void take(struct model *m, struct copy *c, struct terminal *t,
		 bool to_file)
{
	struct buf *text = xcalloc(1, sizeof(*text));

	copy_text(c, t, text);
	if (to_file) {
		prompt_open(m, &(struct prompt){ .title = "SAVE WHAT IS SELECTED",
						 .label = "local file",
						 .past = PAST_LOCAL,
						 .text = "",
						 .writes = prompt_writes_it,
						 .done = save,
						 .release = save_release,
						 .data = text });
		return;
	}
	auto_free char *what = xasprintf("%zu bytes", text->len);

	model_copy(m, buf_str(text), text->len, what);
	save_release(text);
	copy_end(c, t);
	c->taken = true;
}

bool copy_act(struct model *m, struct copy *c, struct terminal *t,
	      enum action a)
{
	if (act_move(c, t, a))
		return true;
	switch (a) {
	case ACT_SELECT:
		toggle(c, COPY_CHARS);
		return true;
	case ACT_SELECT_LINES:
		toggle(c, COPY_LINES);
		return true;
	case ACT_SELECT_BLOCK:
		toggle(c, COPY_BLOCK);
		return true;
	case ACT_COPY:
	case ACT_SAVE:
		take(m, c, t, a == ACT_SAVE);
		return true;
	case ACT_SEARCH:
	case ACT_SEARCH_BACK:
		c->searching = true;
		c->search.past = past_of(m, PAST_SEARCH);
		c->back = a == ACT_SEARCH_BACK;
		field_set(&c->search, "");
		return true;
	case ACT_SEARCH_NEXT:
	case ACT_SEARCH_PREV:
		search(m, c, t, c->back != (a == ACT_SEARCH_PREV));
		return true;
	case ACT_CLOSE:
		copy_end(c, t);
		return true;
	default:
		return false;
	}
}

void copy_place(struct copy *c, const struct terminal *t, int row, int col)
{
	c->line = MIN(t->top + (uint64_t)row, last_line(t));
	c->col = MIN(col, emu_cols(t->emu) - 1);
}

bool copy_input(struct model *m, struct copy *c, struct terminal *t,
		const struct input_event *ev)
{
	if (ev->type == INPUT_MOUSE) {
		bool up = ev->mouse.kind == MOUSE_WHEEL_UP;

		if (!up && ev->mouse.kind != MOUSE_WHEEL_DOWN)
			return false;
		move_lines(c, t, up ? -3 : 3);
		return true;
	}
	if (!c->searching)
		return false;
	enum field_typed r = field_type(&c->search, m->keymap, ev);

	c->searching = r == FIELD_GOES_ON;
	if (r == FIELD_DONE)
		search(m, c, t, c->back);
	return true;
}

/* -- drawing */

void copy_view(const struct copy *c, const struct terminal *t,
	       struct canvas *canvas, struct area in, bool focused)
{
	int from, to, row = in.row + (int)(c->line - t->top);

	for (int r = 0; r < in.rows && r < emu_rows(t->emu); r++)
		if (selected(c, t, t->top + (uint64_t)r, &from, &to))
			canvas_shade(canvas, in.row + r, in.col + from, 1,
				     MIN(to, in.cols - 1) - from + 1,
				     ROLE_SELECTED);
	if (c->searching) {
		int used;

		row = in.row + in.rows - 1;
		canvas_fill(canvas, row, in.col, 1, in.cols,
			    pen_role(ROLE_INK));
		used = canvas_text(canvas, row, in.col, in.cols,
				   pen_role(ROLE_ACCENT),
				   c->back ? "search back " : "search ");
		field_view(&c->search, canvas, row, in.col + used,
			   MAX(in.cols - used, 1), pen_role(ROLE_INK),
			   focused);
	} else if (focused) {
		canvas_cursor(canvas, row, in.col + c->col);
	}
}

void copy_status(const struct copy *c, const struct terminal *t,
		 struct buf *out)
{
	uint64_t first = emu_first(t->emu);
	uint64_t lines = (c->line > c->from_line ? c->line - c->from_line :
						   c->from_line - c->line) + 1;

	buf_addf(out, "[COPY line %llu/%llu",
		 (unsigned long long)(c->line - first + 1),
		 (unsigned long long)(last_line(t) - first + 1));
	if (c->kind != COPY_NOTHING) {
		auto_buf struct buf text = BUF_INIT;
		char size[FRAME_TIME_SIZE];

		copy_text(c, t, &text);
		frame_bytes((int64_t)text.len, size);
		buf_addf(out, "  selected %llu line%s, %s",
			 (unsigned long long)lines, lines == 1 ? "" : "s",
			 size);
	}
	buf_addstr(out, "]");
}
