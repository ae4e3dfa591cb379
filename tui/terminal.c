/* SPDX-License-Identifier: MIT */
/* Terminals.  See terminal.h. */
#include "tui/terminal.h"

#include <stdlib.h>
#include <string.h>

#include "lib/api/limits.h"
#include "lib/base/mem.h"
#include "lib/base/width.h"
#include "tui/frame.h"

#define SECOND INT64_C(1000000000)

/* After those that are there, as it stands after them. */
static unsigned next_number(const struct model *m, const char *sandbox)
{
	struct list *pos, *tmp;
	unsigned last = 0;

	list_for_each_safe(pos, tmp, &m->terminals) {
		const struct terminal *t =
			list_entry(pos, struct terminal, link);

		if (!t->closed && strcmp(t->sandbox, sandbox) == 0)
			last = MAX(last, t->number);
	}
	return last + 1;
}

struct terminal *terminal_new(struct model *m, const char *sandbox,
			      const char *sid, int rows, int cols)
{
	struct terminal *t = xcalloc(1, sizeof(*t));

	t->sandbox = xstrdup(sandbox);
	t->sid = xstrdup(sid);
	t->number = next_number(m, sandbox);
	t->wanted = true;
	t->read_only = m->read_only;
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

void terminals_settle(struct model *m)
{
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &m->terminals) {
		struct terminal *t = list_entry(pos, struct terminal, link);

		t->read_only = m->read_only;
		if (!t->read_only)
			continue;
		if (terminal_waiting(t))
			model_say(m, "read-only; %zu byte%s typed not sent",
				  t->typed.len, t->typed.len == 1 ? "" : "s");
		buf_clear(&t->typed);
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
	/* Who only watches has the size that the session has. */
	t->theirs = t->read_only && t->state != TERMINAL_OPENING &&
		    (rows != emu_rows(t->emu) || cols != emu_cols(t->emu));
	if (!t->read_only || t->state == TERMINAL_OPENING)
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
	if (!t->theirs || t->read_only)
		return;
	t->theirs = false;
	emu_resize(t->emu, t->rows, t->cols);
}

size_t terminal_waiting(const struct terminal *t)
{
	return t->state == TERMINAL_OPENING || t->state == TERMINAL_LOST ?
		       t->typed.len : 0;
}

bool terminals_wait(const struct model *m)
{
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &m->terminals) {
		const struct terminal *t =
			list_entry(pos, struct terminal, link);

		if (!t->closed && terminal_waiting(t))
			return true;
	}
	return false;
}

void terminal_give_up(struct terminal *t)
{
	t->dropped += t->typed.len;
	buf_clear(&t->typed);
}

void terminal_type(struct terminal *t, const void *data, size_t n)
{
	size_t most = t->state == TERMINAL_LOST ? LIMIT_TUI_WAITING :
						  LIMIT_TUI_TYPED;

	if (t->read_only)
		return;
	if (!t->cut && t->typed.len + n <= most) {
		buf_add(&t->typed, data, n);
		return;
	}
	t->dropped += n;
	t->dropped_away = t->state == TERMINAL_LOST;
	/* A paste with a hole in it would be another text. */
	t->cut = t->pasting;
}

/* Its end is told also when it was cut: the program waits for it. */
static void end_paste(struct terminal *t)
{
	auto_buf struct buf end = BUF_INIT;

	t->pasting = t->cut = false;
	emu_paste_end(t->emu, &end);
	if (end.len && !t->read_only)
		buf_add(&t->typed, end.data, end.len);
}

/* Once the program has read all, what was dropped before is history. */
static void forget_dropped(struct terminal *t)
{
	if (!t->typed.len)
		t->dropped = 0;
}

void terminal_replay(struct terminal *t, const void *data, size_t n)
{
	emu_write(t->emu, data, n);
	emu_reply_clear(t->emu);
	(void)emu_events(t->emu);
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

	if (!shift && !t->scrolled && !t->read_only &&
	    emu_mouse(t->emu, mouse, out))
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

bool terminal_has_sandbox(const struct model *m, const struct terminal *t)
{
	const struct sandbox *s = fleet_find(&m->fleet, t->sandbox);

	return s ? !s->asked && !sandbox_is(s, "destroying") &&
			   !sandbox_is(s, "destroyed") : !m->fleet.loaded;
}

/* How long it has been gone: where it is tried again says little. */
static int64_t lost_for(const struct model *m, const struct terminal *t)
{
	return MAX(m->boot_ns - t->lost_ns, 0);
}

int64_t terminal_status_wake(const struct model *m, const struct terminal *t)
{
	int64_t step = lost_for(m, t) < 60 * SECOND ? SECOND : 60 * SECOND;

	return t->state == TERMINAL_LOST ?
		       t->lost_ns + (lost_for(m, t) / step + 1) * step : 0;
}

static void add_lost(const struct model *m, const struct terminal *t,
		     struct buf *out)
{
	int64_t seconds = lost_for(m, t) / SECOND;

	buf_addf(out, "[reconnecting %lld %s",
		 (long long)(seconds < 60 ? seconds : seconds / 60),
		 seconds < 60 ? "s" : "min");
}

/* "  r restart", when it and the closing bracket have the room. */
static void add_key(const struct model *m, enum action a, const char *what,
		    int width, struct buf *out)
{
	static const enum context chain[] = { CTX_LEFT, CTX_NONE };
	size_t before = out->len;
	char key[KEY_NAME_MAX];

	if (!*keymap_key(m->keymap, chain, a, key))
		return;
	buf_addf(out, "  %s %s", key, what);
	if ((int)width_text(buf_str(out), out->len) >= width)
		buf_truncate(out, before);
}

/* "  3 bytes waiting": what was typed meanwhile, or that no more is taken. */
static void add_waiting(const struct terminal *t, struct buf *out)
{
	if (terminal_waiting(t))
		buf_addf(out, "%s%zu byte%s waiting",
			 out->len > 1 ? "  " : "", terminal_waiting(t),
			 terminal_waiting(t) == 1 ? "" : "s");
	if (t->dropped)
		buf_addf(out, "%s%zu not taken", out->len > 1 ? "  " : "",
			 t->dropped);
}

/* Nothing gets there: for how long goes first when there is no room. */
static void add_away(const struct model *m, const struct terminal *t,
		     int width, struct buf *out)
{
	char silence[FRAME_SILENCE_SIZE];

	frame_silence(m, silence);
	if (t->state == TERMINAL_LOST)
		add_lost(m, t, out);
	else
		buf_addf(out, "[%s", m->silent ? silence : "opening");
	if (!terminal_waiting(t) && !t->dropped)
		return;
	add_waiting(t, out);
	if ((int)out->len < width)
		return;
	buf_clear(out);
	buf_addch(out, '[');
	add_waiting(t, out);
}

/* What is over, and how one goes on. */
static void add_over(const struct model *m, const struct terminal *t,
		     int width, struct buf *out)
{
	bool again = t->state == TERMINAL_FAILED && t->sid;
	char lasted[FRAME_TIME_SIZE];

	if (t->state == TERMINAL_FAILED) {
		buf_addf(out, "[%s", t->why ? t->why : "failed");
		if (t->dropped)
			buf_addf(out, "  %zu byte%s not sent", t->dropped,
				 t->dropped == 1 ? "" : "s");
	} else {
		buf_addf(out, "[exited %d", t->exit_code);
		if (t->lasted_ns) {
			frame_left(t->lasted_ns, lasted);
			buf_addf(out, " in %s", lasted);
		}
	}
	if (terminal_has_sandbox(m, t) && (again || !t->read_only))
		add_key(m, ACT_RESTART, again ? "attaches again" : "restart",
			width, out);
	add_key(m, ACT_OPEN, "close", width, out);
}

/* Behind what is there already, when it has the room. */
static void add_note(struct buf *out, int width, const char *note)
{
	size_t before = out->len;

	buf_addf(out, "%s%s", before ? "  " : "", note);
	if (before && (int)width_text(buf_str(out), out->len) > width)
		buf_truncate(out, before);
}

static void add_live(const struct terminal *t, int width, struct buf *out)
{
	auto_free char *note = NULL;

	if (t->read_only)
		add_note(out, width, "[read only]");
	if (t->dropped)
		note = xasprintf("[%zu bytes not sent: %s]", t->dropped,
				 t->dropped_away ? "no connection" :
						   "it does not read");
	else if (t->theirs)
		note = xasprintf("[another viewer %dx%d]", emu_cols(t->emu),
				 emu_rows(t->emu));
	else if (t->scrolled)
		note = xasprintf("[scrollback -%llu]",
				 (unsigned long long)(emu_top(t->emu) -
						      t->top));
	else if (t->bell)
		note = xstrdup("BELL");
	if (note)
		add_note(out, width, note);
}

void terminal_status(const struct model *m, const struct terminal *t,
		     int width, struct buf *out)
{
	auto_buf struct buf text = BUF_INIT;

	if (terminal_is_over(t))
		add_over(m, t, width, &text);
	else if (t->state != TERMINAL_LIVE || m->silent)
		add_away(m, t, width, &text);
	if (text.len)
		buf_addch(&text, ']');
	else
		add_live(t, width, &text);
	buf_addstr(out, buf_str(&text));
}
