/* SPDX-License-Identifier: MIT */
/* Modes and keys of an editor.  See edit.h. */
#include "tui/edit.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/utf8.h"

void edit_open(struct edit *e, const char *data, size_t n)
{
	edit_text_load(&e->text, data, n);
	e->saved = edit_text_mark(&e->text);
}

void edit_release(struct edit *e)
{
	edit_text_release(&e->text);
	buf_release(&e->reg);
	buf_release(&e->pattern);
	field_release(&e->line);
	free(e->message);
	*e = (struct edit){ 0 };
}

bool edit_modified(const struct edit *e)
{
	return !edit_text_is(&e->text, e->saved);
}

void edit_say(struct edit *e, bool bad, const char *fmt, ...)
{
	va_list ap;
	struct buf text = BUF_INIT;

	va_start(ap, fmt);
	buf_vaddf(&text, fmt, ap);
	va_end(ap);
	free(e->message);
	e->message = buf_steal(&text);
	e->message_bad = bad;
}

bool edit_change(struct edit *e, size_t at, size_t old, const char *with,
		 size_t n)
{
	if (edit_text_replace(&e->text, at, old, with, n))
		return true;
	edit_say(e, true, "too long: a text here has at most 4 MiB");
	return false;
}

void edit_replace(struct edit *e, const char *data, size_t n)
{
	edit_text_step(&e->text);
	if (!edit_change(e, 0, e->text.text.len, data, n))
		return;
	edit_text_step(&e->text);
	e->mode = EDIT_NORMAL;
	e->pending = ACT_NONE;
	e->at = MIN(e->at, n);
	e->at = edit_line_start(&e->text, e->at);
}

static void keep_column(struct edit *e)
{
	e->col = edit_column(&e->text, e->at);
}

/* -- actions */

static void move(struct edit *e, enum action a, size_t to, bool lines)
{
	e->at = lines ? edit_at_column(&e->text, to, e->col) : to;
	if (a == ACT_LINE_END)
		e->col = SIZE_MAX; /* the ends of the other lines as well */
	else if (!lines)
		keep_column(e);
	if (e->mode == EDIT_INSERT)
		edit_text_step(&e->text);
}

static void escape(struct edit *e, bool was_leaving)
{
	bool idle = !e->pending && !e->count;

	e->pending = ACT_NONE;
	if (!idle)
		return;
	if (was_leaving) {
		e->wants |= EDIT_LEAVE;
		return;
	}
	e->leaving = true;
	edit_say(e, false, "Escape again leaves the editor");
}

static bool act_on_program(struct edit *e, enum action a)
{
	switch (a) {
	case ACT_COMMAND_LINE:
	case ACT_SEARCH:
	case ACT_SEARCH_BACK:
		edit_line_begin(e, a == ACT_SEARCH ? '/' :
				   a == ACT_SEARCH_BACK ? '?' : ':');
		return true;
	case ACT_WRITE:
		e->wants |= EDIT_WRITE;
		return true;
	case ACT_READ:
		e->wants |= EDIT_LEAVE;
		return true;
	default:
		return false;
	}
}

static bool act_normal(struct edit *e, enum action a)
{
	unsigned count = e->count;
	bool was_leaving = e->leaving, lines, past;
	size_t to;

	e->leaving = false;
	if (a == ACT_BACK) {
		escape(e, was_leaving);
		e->count = 0;
		return true;
	}
	e->count = 0;
	if (e->pending) {
		edit_operate(e, a, count);
		keep_column(e);
		return true;
	}
	if (a == ACT_CUT || a == ACT_CHANGE || a == ACT_YANK_TEXT) {
		e->pending = a;
		e->pending_count = count;
		return true;
	}
	if (edit_motion(e, a, count, &to, &lines, &past)) {
		move(e, a, to, lines);
		return true;
	}
	if (act_on_program(e, a))
		return true;
	if (!edit_change_act(e, a, count))
		return false;
	keep_column(e);
	return true;
}

static void to_normal(struct edit *e)
{
	if (e->mode == EDIT_INSERT &&
	    e->at > edit_line_start(&e->text, e->at))
		e->at = edit_prev(&e->text, e->at);
	e->mode = EDIT_NORMAL;
	edit_text_step(&e->text);
}

static bool act_insert(struct edit *e, enum action a)
{
	bool lines, past;
	size_t to;

	switch (a) {
	case ACT_NORMAL:
		to_normal(e);
		break;
	case ACT_RUBOUT:
	case ACT_ERASE:
	case ACT_WORD_RUBOUT:
	case ACT_LINE_DISCARD:
		edit_rub_out(e, a);
		break;
	default:
		if (edit_motion(e, a, 0, &to, &lines, &past)) {
			move(e, a, to, lines);
			return true;
		}
		return act_on_program(e, a);
	}
	keep_column(e);
	return true;
}

static void forget_message(struct edit *e)
{
	free(e->message);
	e->message = NULL;
}

bool edit_act(struct edit *e, enum action a)
{
	forget_message(e);
	return e->mode == EDIT_INSERT ? act_insert(e, a) : act_normal(e, a);
}

/* -- input */

/* Terminals send CR for the line ends of what is pasted. */
static void paste_text(struct edit *e, const char *s, size_t n)
{
	auto_buf struct buf text = BUF_INIT;

	for (size_t i = 0; i < n; i++) {
		bool after_cr = e->paste_cr;

		e->paste_cr = s[i] == '\r';
		if (s[i] == '\r' || (s[i] == '\n' && !after_cr))
			buf_addstr(&text, edit_newline(e));
		else if (s[i] != '\n')
			buf_addch(&text, s[i]);
	}
	edit_insert(e, buf_str(&text), text.len);
	keep_column(e);
}

static bool type_key(struct edit *e, struct key k)
{
	char text[4];

	if (key_is(k, KEY_CODE_ENTER, 0))
		edit_insert(e, edit_newline(e), strlen(edit_newline(e)));
	else if (key_is(k, KEY_CODE_TAB, 0))
		edit_insert(e, "\t", 1);
	else if (k.code < KEY_NAMED && k.code >= 0x20 &&
		 !(k.mods & ~(unsigned)KEY_MOD_SHIFT))
		edit_insert(e, text, utf8_encode(k.code, text));
	else
		return false;
	keep_column(e);
	return true;
}

static bool count_key(struct edit *e, struct key k)
{
	if (k.mods || k.code < '0' || k.code > '9' ||
	    (k.code == '0' && !e->count))
		return false;
	e->count = MIN(e->count * 10 + (k.code - '0'), EDIT_COUNT_MAX);
	e->leaving = false;
	return true;
}

static bool point(struct edit *e, const struct mouse *mouse)
{
	size_t line = e->top;

	if (mouse->kind == MOUSE_WHEEL_UP || mouse->kind == MOUSE_WHEEL_DOWN) {
		for (int i = 0; i < 3; i++)
			edit_act(e, mouse->kind == MOUSE_WHEEL_UP ? ACT_UP :
								    ACT_DOWN);
		return true;
	}
	if (mouse->kind != MOUSE_PRESS || mouse->row < 0 || mouse->col < 0 ||
	    e->mode == EDIT_LINE)
		return false;
	for (int i = 0; i < mouse->row; i++)
		if (!edit_line_next(&e->text, line, &line))
			break;
	e->pending = ACT_NONE;
	move(e, ACT_NONE, edit_at_column(&e->text, line,
					 e->left + (size_t)mouse->col),
	     false);
	return true;
}

/* Escape and the next key in one read look like Alt with that key. */
static bool escaped_key(struct edit *e, const struct keymap *k,
			const struct input_event *ev)
{
	static const enum context chain[] = { CTX_EDIT, CTX_NONE };
	struct input_event own = *ev;

	if (e->mode != EDIT_INSERT || ev->key.mods != KEY_MOD_ALT ||
	    ev->key.code >= KEY_NAMED)
		return false;
	own.key.mods = 0;
	edit_act(e, ACT_NORMAL);
	if (!edit_input(e, k, &own))
		edit_act(e, keymap_find(k, chain, own.key));
	return true;
}

bool edit_input(struct edit *e, const struct keymap *k,
		const struct input_event *ev)
{
	enum field_typed r;

	if (ev->type == INPUT_MOUSE)
		return point(e, &ev->mouse);
	if (e->mode == EDIT_LINE) {
		r = field_type(&e->line, k, ev);
		if (r == FIELD_LEFT)
			e->mode = EDIT_NORMAL;
		else if (r == FIELD_DONE)
			edit_line_done(e);
		return true;
	}
	if (ev->type == INPUT_PASTE_BEGIN) {
		e->paste_cr = false;
		e->pending = ACT_NONE;
		edit_text_step(&e->text);
	}
	if (ev->type == INPUT_PASTE)
		paste_text(e, ev->data, ev->size);
	if (ev->type != INPUT_KEY)
		return true;
	forget_message(e);
	if (escaped_key(e, k, ev))
		return true;
	return e->mode == EDIT_INSERT ? type_key(e, ev->key) :
					count_key(e, ev->key);
}
