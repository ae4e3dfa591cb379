/* SPDX-License-Identifier: MIT */
/* What changes the text: operators, the register, inserting.  See edit.h. */
#include <string.h>

#include "lib/base/mem.h"
#include "tui/edit.h"

/* -- inserting */

const char *edit_newline(const struct edit *e)
{
	return e->text.crlf ? "\r\n" : "\n";
}

void edit_insert(struct edit *e, const char *s, size_t n)
{
	if (n && edit_change(e, e->at, 0, s, n))
		e->at += n;
}

static void insert_at(struct edit *e, size_t at)
{
	edit_text_step(&e->text);
	e->at = at;
	e->mode = EDIT_INSERT;
}

/* A line of its own, before or after this one. */
static void open_line(struct edit *e, bool above)
{
	size_t at = above ? edit_line_start(&e->text, e->at) :
			    edit_line_end(&e->text, e->at);

	insert_at(e, at);
	edit_insert(e, edit_newline(e), strlen(edit_newline(e)));
	if (above)
		e->at = at;
}

static void begin_insert(struct edit *e, enum action a)
{
	size_t end = edit_line_end(&e->text, e->at);

	switch (a) {
	case ACT_APPEND:
		insert_at(e, e->at < end ? edit_next(&e->text, e->at) : end);
		break;
	case ACT_APPEND_END:
		insert_at(e, end);
		break;
	case ACT_INSERT_START:
		insert_at(e, edit_first_char(&e->text, e->at));
		break;
	case ACT_OPEN_BELOW:
	case ACT_OPEN_ABOVE:
		open_line(e, a == ACT_OPEN_ABOVE);
		break;
	default:
		insert_at(e, e->at);
	}
}

/* -- operators */

/* Lines end with a line end in the register, also the last one. */
static void keep(struct edit *e, size_t from, size_t to, bool lines)
{
	buf_clear(&e->reg);
	buf_add(&e->reg, edit_text_at(&e->text, from), to - from);
	e->reg_lines = lines;
	if (lines && (!e->reg.len || e->reg.data[e->reg.len - 1] != '\n'))
		buf_addstr(&e->reg, edit_newline(e));
}

static void cut(struct edit *e, size_t from, size_t to)
{
	if (edit_change(e, from, to - from, NULL, 0))
		e->at = from;
}

/* [from, to] as whole lines: to the start of the one after `to`. */
static void widen(const struct edit *e, size_t *from, size_t *to)
{
	*from = edit_line_start(&e->text, *from);
	if (!edit_line_next(&e->text, *to, to))
		*to = e->text.text.len;
}

static void cut_lines(struct edit *e, size_t from, size_t to)
{
	bool ends = to > from && e->text.text.data[to - 1] == '\n';

	/* The last line takes the line end before it along. */
	if (!ends && from)
		from = edit_prev(&e->text, from);
	cut(e, from, to);
	if (e->at >= e->text.text.len)
		e->at = edit_line_last(&e->text);
	e->at = edit_first_char(&e->text, e->at);
}

static void operate(struct edit *e, enum action op, size_t from, size_t to,
		    bool lines)
{
	size_t last = to;

	if (lines)
		widen(e, &from, &to);
	if (from >= to && !lines) {
		if (op == ACT_CHANGE)
			insert_at(e, e->at);
		return;
	}
	keep(e, from, to, lines);
	edit_text_step(&e->text);
	if (op == ACT_YANK_TEXT) {
		e->at = lines ? e->at : from;
	} else if (op == ACT_CUT && lines) {
		cut_lines(e, from, to);
	} else {
		/* A changed line stays one. */
		cut(e, from, lines ? edit_line_end(&e->text, last) : to);
		if (op == ACT_CHANGE)
			e->mode = EDIT_INSERT;
	}
}

static size_t lines_below(const struct edit *e, unsigned count)
{
	size_t at = e->at;

	while (count-- > 1 && edit_line_next(&e->text, at, &at))
		;
	return at;
}

void edit_operate(struct edit *e, enum action a, unsigned count)
{
	enum action op = e->pending;
	unsigned n = e->pending_count && count ? e->pending_count * count :
		     MAX(e->pending_count, count);
	bool lines, past;
	size_t to;

	n = MIN(n, EDIT_COUNT_MAX);
	if (op == ACT_CHANGE && a == ACT_WORD_NEXT)
		a = ACT_WORD_END; /* as in vi: the blank stays */
	if (a == op) {
		e->pending = ACT_NONE;
		operate(e, op, e->at, lines_below(e, n), true);
		return;
	}
	bool known = edit_motion(e, a, n, &to, &lines, &past);

	e->pending = ACT_NONE;
	if (!known)
		return;
	size_t from = MIN(e->at, to), end = MAX(e->at, to);

	if (past && !lines)
		end = MIN(edit_next(&e->text, end),
			  edit_line_end(&e->text, end));
	operate(e, op, from, end, lines);
}

/* -- changes of one key */

static void paste_lines(struct edit *e, bool after)
{
	size_t at = edit_line_start(&e->text, e->at), n = e->reg.len;
	const char *end = edit_newline(e);

	if (after && !edit_line_next(&e->text, e->at, &at))
		at = e->text.text.len;
	bool unended = at && e->text.text.data[at - 1] != '\n';

	if (unended && !edit_change(e, at, 0, end, strlen(end)))
		return;
	at += unended ? strlen(end) : 0;
	/* The last line had no end, and has none. */
	if (unended)
		n -= n > 1 && e->reg.data[n - 2] == '\r' ? 2 : 1;
	if (edit_change(e, at, 0, e->reg.data, n))
		e->at = edit_first_char(&e->text, at);
}

static void paste(struct edit *e, bool after)
{
	if (!e->reg.len) {
		edit_say(e, true, "nothing was cut or copied");
		return;
	}
	edit_text_step(&e->text);
	if (e->reg_lines) {
		paste_lines(e, after);
		return;
	}
	if (after && e->at < edit_line_end(&e->text, e->at))
		e->at = edit_next(&e->text, e->at);
	if (edit_change(e, e->at, 0, e->reg.data, e->reg.len))
		e->at = edit_prev(&e->text, e->at + e->reg.len);
}

/* The next line onto this one, with a blank between them. */
static void join(struct edit *e)
{
	size_t end = edit_line_end(&e->text, e->at), next;

	if (!edit_line_next(&e->text, e->at, &next))
		return;
	next = edit_first_char(&e->text, next);
	bool blank = end > edit_line_start(&e->text, end) &&
		     next < edit_line_end(&e->text, next);

	edit_text_step(&e->text);
	if (edit_change(e, end, next - end, " ", blank))
		e->at = end;
}

static void undo(struct edit *e, bool redo)
{
	if (!(redo ? edit_text_redo(&e->text, &e->at) :
		     edit_text_undo(&e->text, &e->at)))
		edit_say(e, true, redo ? "nothing was undone" :
					 "nothing more to undo");
}

/* x, D, C: within the line. */
static void cut_here(struct edit *e, enum action a, unsigned count)
{
	size_t end = edit_line_end(&e->text, e->at), to = end;

	if (a == ACT_DELETE_CHAR)
		for (to = e->at; to < end && count--;)
			to = edit_next(&e->text, to);
	operate(e, a == ACT_CHANGE_END ? ACT_CHANGE : ACT_CUT, e->at, to,
		false);
}

bool edit_change_act(struct edit *e, enum action a, unsigned count)
{
	switch (a) {
	case ACT_INSERT:
	case ACT_APPEND:
	case ACT_INSERT_START:
	case ACT_APPEND_END:
	case ACT_OPEN_BELOW:
	case ACT_OPEN_ABOVE:
		begin_insert(e, a);
		return true;
	case ACT_DELETE_CHAR:
	case ACT_CUT_END:
	case ACT_CHANGE_END:
		cut_here(e, a, MAX(count, 1u));
		return true;
	case ACT_PASTE_AFTER:
	case ACT_PASTE_BEFORE:
		paste(e, a == ACT_PASTE_AFTER);
		return true;
	case ACT_JOIN:
		join(e);
		return true;
	case ACT_UNDO_EDIT:
	case ACT_REDO:
		undo(e, a == ACT_REDO);
		return true;
	default:
		return false;
	}
}

void edit_rub_out(struct edit *e, enum action a)
{
	size_t start = edit_line_start(&e->text, e->at), from = e->at;

	if (a == ACT_ERASE) {
		edit_change(e, e->at, edit_next(&e->text, e->at) - e->at,
			    NULL, 0);
		return;
	}
	if (a == ACT_LINE_DISCARD)
		from = start;
	else if (a == ACT_WORD_RUBOUT && e->at > start)
		from = MAX(edit_word_prev(&e->text, e->at), start);
	else if (e->at)
		from = edit_prev(&e->text, e->at);
	cut(e, from, e->at);
}
