/* SPDX-License-Identifier: MIT */
/* A line of text being typed.  See field.h. */
#include "tui/field.h"

#include <stdlib.h>
#include <string.h>

#include "lib/api/limits.h"
#include "lib/base/escape.h"
#include "lib/base/mem.h"
#include "lib/base/utf8.h"
#include "lib/base/width.h"
#include "tui/past.h"

/* No line of before is shown any more. */
static void here_again(struct field *f)
{
	free(f->unfinished);
	f->unfinished = NULL;
	f->back = 0;
}

void field_release(struct field *f)
{
	buf_release(&f->text);
	buf_release(&f->killed);
	f->at = 0;
	here_again(f);
}

const char *field_text(const struct field *f)
{
	return buf_str(&f->text);
}

void field_set(struct field *f, const char *text)
{
	here_again(f);
	buf_clear(&f->text);
	f->at = 0;
	field_add(f, text, strlen(text));
}

void field_keep(struct field *f)
{
	past_add(f->past, field_text(f));
	here_again(f);
}

/* Behind the newest is the line that was begun. */
static void recall(struct field *f, bool older)
{
	size_t back = older ? f->back + 1 : f->back - 1;
	const char *line = past_line(f->past, back);
	auto_free char *unfinished = NULL;

	if (back && !line)
		return; /* there is none before that */
	unfinished = f->back ? steal_ptr(&f->unfinished) :
			       xstrdup(field_text(f));
	field_set(f, back ? line : unfinished);
	if (!back)
		return;
	f->back = back;
	f->unfinished = steal_ptr(&unfinished);
}

static void insert(struct field *f, const char *s, size_t n)
{
	if (f->text.len + n > LIMIT_TUI_FIELD)
		return;
	here_again(f); /* a line of before that is changed is a new one */
	buf_reserve(&f->text, n);
	buf_add(&f->text, s, n); /* makes the room, then it is moved */
	memmove(f->text.data + f->at + n, f->text.data + f->at,
		f->text.len - n - f->at);
	memcpy(f->text.data + f->at, s, n);
	f->at += n;
}

void field_add(struct field *f, const char *s, size_t n)
{
	while (n) {
		uint32_t cp;
		int size = utf8_decode(s, n, &cp);

		if (size <= 0) { /* not text: leave the byte out */
			s++, n--;
			continue;
		}
		if (cp >= 0x20 && cp != 0x7f && !(cp >= 0x80 && cp < 0xa0) &&
		    !escape_is_deceptive(cp))
			insert(f, s, (size_t)size);
		s += size;
		n -= (size_t)size;
	}
}

bool field_key(struct field *f, struct key k)
{
	char text[4];

	if (k.code >= KEY_NAMED || k.code < 0x20 || k.mods & ~KEY_MOD_SHIFT)
		return false;
	field_add(f, text, utf8_encode(k.code, text));
	return true;
}

static bool starts(const struct field *f, size_t at)
{
	return ((unsigned char)f->text.data[at] & 0xc0) != 0x80;
}

/* A character goes with the marks that stand on it. */
static bool is_mark(const struct field *f, size_t at)
{
	uint32_t cp;

	return at < f->text.len &&
	       utf8_decode(f->text.data + at, f->text.len - at, &cp) > 0 &&
	       width_char(cp) == 0;
}

static size_t before(const struct field *f, size_t at)
{
	do {
		while (at && !starts(f, --at))
			;
	} while (at && is_mark(f, at));
	return at;
}

static size_t after(const struct field *f, size_t at)
{
	do {
		while (at < f->text.len && ++at < f->text.len &&
		       !starts(f, at))
			;
	} while (is_mark(f, at));
	return at;
}

static size_t word_before(const struct field *f, size_t at)
{
	while (at && f->text.data[at - 1] == ' ')
		at--;
	while (at && f->text.data[at - 1] != ' ')
		at--;
	return at;
}

static size_t word_after(const struct field *f, size_t at)
{
	while (at < f->text.len && f->text.data[at] == ' ')
		at++;
	while (at < f->text.len && f->text.data[at] != ' ')
		at++;
	return at;
}

static void cut(struct field *f, size_t from, size_t to, bool keep)
{
	if (from >= to)
		return;
	here_again(f);
	if (keep) {
		buf_clear(&f->killed);
		buf_add(&f->killed, f->text.data + from, to - from);
	}
	memmove(f->text.data + from, f->text.data + to, f->text.len - to);
	buf_truncate(&f->text, f->text.len - (to - from));
	f->at = from;
}

static bool move(struct field *f, enum action a)
{
	switch (a) {
	case ACT_LEFT:
		f->at = before(f, f->at);
		return true;
	case ACT_RIGHT:
		f->at = after(f, f->at);
		return true;
	case ACT_LINE_START:
		f->at = 0;
		return true;
	case ACT_LINE_END:
		f->at = f->text.len;
		return true;
	case ACT_WORD_PREV:
		f->at = word_before(f, f->at);
		return true;
	case ACT_WORD_NEXT:
		f->at = word_after(f, f->at);
		return true;
	default:
		return false;
	}
}

bool field_act(struct field *f, enum action a)
{
	if (move(f, a))
		return true;
	switch (a) {
	case ACT_RUBOUT:
		cut(f, before(f, f->at), f->at, false);
		return true;
	case ACT_ERASE:
		cut(f, f->at, after(f, f->at), false);
		return true;
	case ACT_WORD_RUBOUT:
		cut(f, word_before(f, f->at), f->at, true);
		return true;
	case ACT_LINE_DISCARD:
		cut(f, 0, f->at, true);
		return true;
	case ACT_LINE_KILL:
		cut(f, f->at, f->text.len, true);
		return true;
	case ACT_YANK:
		if (f->killed.len)
			insert(f, f->killed.data, f->killed.len);
		return true;
	case ACT_OLDER:
		recall(f, true);
		return true;
	case ACT_NEWER:
		if (f->back)
			recall(f, false);
		return true;
	default:
		return false;
	}
}

enum field_typed field_type(struct field *f, const struct keymap *k,
			    const struct input_event *ev)
{
	static const enum context chain[] = { CTX_FIELD, CTX_NONE };

	if (ev->type == INPUT_PASTE)
		field_add(f, ev->data, ev->size);
	if (ev->type != INPUT_KEY)
		return FIELD_GOES_ON;
	if (key_is(ev->key, KEY_CODE_ENTER, 0)) {
		field_keep(f);
		return FIELD_DONE;
	}
	if (key_is(ev->key, KEY_CODE_ESCAPE, 0) ||
	    key_is(ev->key, 'c', KEY_MOD_CTRL)) {
		field_set(f, "");
		return FIELD_LEFT;
	}
	if (!field_key(f, ev->key))
		field_act(f, keymap_find(k, chain, ev->key));
	return FIELD_GOES_ON;
}

void field_view(const struct field *f, struct canvas *c, int row, int col,
		int width, struct cell pen, bool focused)
{
	const char *text = field_text(f);
	size_t from = f->at, used;

	/* The cursor stays inside, with a column to itself. */
	while (from) {
		size_t more = before(f, from);

		if (width_text(text + more, f->at - more) + 1 > (size_t)width)
			break;
		from = more;
	}
	canvas_fill(c, row, col, 1, width, pen);
	used = width_text(text + from, f->at - from);
	if (f->text.len > from)
		canvas_text(c, row, col, width, pen, text + from);
	if (focused)
		canvas_cursor(c, row, col + (int)used);
}
