/* SPDX-License-Identifier: MIT */
/* Terminals.  See terminal.h. */
#include "tui/terminal.h"

#include <stdlib.h>
#include <string.h>

#include "lib/api/limits.h"
#include "lib/base/mem.h"
#include "tui/frame.h"

struct terminal *terminal_new(struct model *m, const char *sandbox,
			      const char *sid, int rows, int cols)
{
	struct terminal *t = xcalloc(1, sizeof(*t));

	t->sandbox = xstrdup(sandbox);
	t->sid = xstrdup(sid);
	t->wanted = true;
	t->rows = MAX(rows, 1);
	t->cols = MAX(cols, 1);
	t->emu = emu_new(t->rows, t->cols,
			 &(struct emu_options){
				 .history_lines = m->set.scrollback,
				 .history_bytes = LIMIT_TUI_SCROLLBACK });
	list_append(&m->terminals, &t->link);
	return t;
}

void terminals_keep(struct model *m)
{
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &m->terminals) {
		struct terminal *t = list_entry(pos, struct terminal, link);

		emu_keep(t->emu, &(struct emu_options){
					 .history_lines = m->set.scrollback,
					 .history_bytes =
						 LIMIT_TUI_SCROLLBACK });
		t->top = MAX(t->top, emu_first(t->emu));
	}
}

void terminal_free(struct terminal *t)
{
	list_remove(&t->link);
	emu_free(t->emu);
	buf_release(&t->typed);
	free(t->sandbox);
	free(t->sid);
	free(t->why);
	free(t);
}

void terminal_resize(struct terminal *t, int rows, int cols)
{
	rows = MAX(rows, 1);
	cols = MAX(cols, 1);
	if (rows == t->rows && cols == t->cols)
		return;
	t->rows = rows;
	t->cols = cols;
	t->theirs = false;
	emu_resize(t->emu, rows, cols);
}

void terminal_resized(struct terminal *t, int rows, int cols)
{
	rows = MIN(MAX(rows, 1), LIMIT_EMU_ROWS);
	cols = MIN(MAX(cols, 1), LIMIT_EMU_COLS);
	t->theirs = rows != t->rows || cols != t->cols;
	emu_resize(t->emu, rows, cols);
}

void terminal_take_size(struct terminal *t)
{
	if (!t->theirs)
		return;
	t->theirs = false;
	emu_resize(t->emu, t->rows, t->cols);
}

void terminal_type(struct terminal *t, const void *data, size_t n)
{
	if (!t->cut && t->typed.len + n <= LIMIT_TUI_TYPED) {
		buf_add(&t->typed, data, n);
		return;
	}
	t->dropped += n;
	/* A paste with a hole in it would be another text. */
	t->cut = t->pasting;
}

/* Its end is told also when it was cut: the program waits for it. */
static void end_paste(struct terminal *t)
{
	auto_buf struct buf end = BUF_INIT;

	t->pasting = t->cut = false;
	emu_paste_end(t->emu, &end);
	if (end.len)
		buf_add(&t->typed, end.data, end.len);
}

/* Once the program has read all, what was dropped before is history. */
static void forget_dropped(struct terminal *t)
{
	if (!t->typed.len)
		t->dropped = 0;
}

void terminal_write(struct terminal *t, const void *data, size_t n)
{
	const char *reply;
	size_t size;

	emu_write(t->emu, data, n);
	reply = emu_reply(t->emu, &size);
	if (size)
		terminal_type(t, reply, size);
	emu_reply_clear(t->emu);
	t->bell |= (emu_events(t->emu) & EMU_BELL) != 0;
	if (t->scrolled && t->top < emu_first(t->emu))
		t->top = emu_first(t->emu); /* it was forgotten */
}

void terminal_scroll(struct terminal *t, int lines)
{
	uint64_t first = emu_first(t->emu), now = emu_top(t->emu);
	uint64_t top = t->scrolled ? t->top : now;
	uint64_t by = (uint64_t)(lines < 0 ? -lines : lines);

	if (lines < 0)
		top -= MIN(by, top - first);
	else
		top = lines ? top + by : now;
	t->scrolled = top < now;
	t->top = MIN(top, now);
}

static bool input_mouse(struct terminal *t, const struct mouse *mouse,
			struct buf *out)
{
	bool shift = mouse->mods & KEY_MOD_SHIFT;

	if (!shift && !t->scrolled && emu_mouse(t->emu, mouse, out))
		return true;
	if (mouse->kind == MOUSE_WHEEL_UP || mouse->kind == MOUSE_WHEEL_DOWN) {
		terminal_scroll(t, mouse->kind == MOUSE_WHEEL_UP ? -3 : 3);
		return true;
	}
	return false;
}

bool terminal_input(struct terminal *t, const struct input_event *ev)
{
	auto_buf struct buf out = BUF_INIT;
	bool taken = true;

	switch (ev->type) {
	case INPUT_KEY:
		terminal_take_size(t);
		forget_dropped(t);
		terminal_scroll(t, 0); /* who types wants to see it */
		emu_key(t->emu, ev->key, &out);
		break;
	case INPUT_MOUSE:
		taken = input_mouse(t, &ev->mouse, &out);
		break;
	case INPUT_PASTE_BEGIN:
		terminal_take_size(t);
		forget_dropped(t);
		t->pasting = true;
		emu_paste_begin(t->emu, &out);
		break;
	case INPUT_PASTE:
		emu_paste(t->emu, ev->data, ev->size, &out);
		break;
	case INPUT_PASTE_END:
		end_paste(t);
		break;
	case INPUT_FOCUS_IN:
	case INPUT_FOCUS_OUT:
		emu_focus(t->emu, ev->type == INPUT_FOCUS_IN, &out);
		break;
	}
	if (out.len)
		terminal_type(t, out.data, out.len);
	return taken;
}

void terminal_view(const struct terminal *t, struct canvas *c, int row,
		   int col, int rows, int cols, bool focused)
{
	struct cell *line = xcalloc((size_t)MAX(cols, 1), sizeof(*line));
	struct emu_cursor cursor = emu_cursor(t->emu);
	int shown = MIN(rows, emu_rows(t->emu));
	/* Of a screen larger than the view, the part with the cursor. */
	int first = MIN(MAX(cursor.row - rows + 1, 0),
			emu_rows(t->emu) - shown);

	for (int r = 0; r < shown; r++) {
		if (!t->scrolled) {
			canvas_cells(c, row + r, col,
				     emu_row(t->emu, first + r),
				     MIN(cols, emu_cols(t->emu)));
			continue;
		}
		if (emu_line(t->emu, t->top + (uint64_t)r, line, cols) >= 0)
			canvas_cells(c, row + r, col, line, cols);
	}
	free(line);
	if (focused && !t->scrolled && cursor.visible &&
	    t->state == TERMINAL_LIVE && cursor.row - first < rows &&
	    cursor.col < cols)
		canvas_cursor(c, row + cursor.row - first,
			      col + cursor.col);
}

bool terminal_is_over(const struct terminal *t)
{
	return t->state == TERMINAL_EXITED || t->state == TERMINAL_FAILED;
}

void terminal_status(const struct terminal *t, struct buf *out)
{
	char lasted[FRAME_TIME_SIZE];

	switch (t->state) {
	case TERMINAL_OPENING:
		buf_addstr(out, "[opening]");
		break;
	case TERMINAL_LOST:
		buf_addstr(out, "[reconnecting]");
		break;
	case TERMINAL_EXITED:
		buf_addf(out, "[exited %d", t->exit_code);
		if (t->lasted_ns) {
			frame_left(t->lasted_ns, lasted);
			buf_addf(out, " in %s", lasted);
		}
		buf_addstr(out, "  r restart  Enter close]");
		break;
	case TERMINAL_FAILED:
		buf_addf(out, "[%s]", t->why ? t->why : "failed");
		break;
	default:
		if (t->dropped)
			buf_addf(out, "[%zu bytes not sent: it does not "
				 "read]", t->dropped);
		else if (t->theirs)
			buf_addf(out, "[another viewer %dx%d]",
				 emu_cols(t->emu), emu_rows(t->emu));
		else if (t->scrolled)
			buf_addf(out, "[scrollback -%llu]",
				 (unsigned long long)(emu_top(t->emu) -
						      t->top));
		else if (t->bell)
			buf_addstr(out, "BELL");
	}
}
