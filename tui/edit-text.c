/* SPDX-License-Identifier: MIT */
/* Bytes and their undo.  See edit-text.h. */
#include "tui/edit-text.h"

#include <stdlib.h>
#include <string.h>

#include "lib/api/limits.h"
#include "lib/base/mem.h"

struct edit_change {
	size_t at;
	struct buf was, is;
	uint64_t id;
	bool first; /* of a step */
};

static void forget(struct edit_text *t, struct edit_change *c)
{
	t->bytes -= c->was.len + c->is.len;
	buf_release(&c->was);
	buf_release(&c->is);
}

void edit_text_release(struct edit_text *t)
{
	for (size_t i = 0; i < t->n; i++)
		forget(t, &t->log[i]);
	free(t->log);
	buf_release(&t->text);
	*t = (struct edit_text){ 0 };
}

void edit_text_load(struct edit_text *t, const char *data, size_t n)
{
	const char *end = n ? memchr(data, '\n', n) : NULL;

	edit_text_release(t);
	if (n)
		buf_add(&t->text, data, n);
	t->crlf = end && end > data && end[-1] == '\r';
	t->step = true;
}

static void put(struct edit_text *t, size_t at, size_t old, const char *with,
		size_t n)
{
	struct buf *b = &t->text;
	size_t tail = b->len - at - old, len = b->len;

	if (n > old)
		buf_reserve(b, n - old);
	if (tail)
		memmove(b->data + at + n, b->data + at + old, tail);
	if (n)
		memcpy(b->data + at, with, n);
	b->len = len - old + n;
	if (b->data)
		b->data[b->len] = '\0';
	t->changed++;
}

/* What was undone is out of reach once something else is done. */
static void forget_undone(struct edit_text *t)
{
	while (t->undone) {
		forget(t, &t->log[--t->n]);
		t->undone--;
	}
}

static void forget_oldest(struct edit_text *t)
{
	size_t k = 0;

	while (t->bytes > LIMIT_TUI_EDIT_UNDO && k < t->n - t->undone) {
		t->base_id = t->log[k].id;
		forget(t, &t->log[k++]);
	}
	/* Half a step can't be undone. */
	for (; k && k < t->n - t->undone && !t->log[k].first; k++) {
		t->base_id = t->log[k].id;
		forget(t, &t->log[k]);
	}
	memmove(t->log, t->log + k, (t->n - k) * sizeof(*t->log));
	t->n -= k;
}

/* Typing on goes with what was typed just before. */
static bool extends(const struct edit_text *t, size_t at, size_t old)
{
	const struct edit_change *c = t->n ? &t->log[t->n - 1] : NULL;

	return c && !t->step && !old && at == c->at + c->is.len;
}

static void record(struct edit_text *t, size_t at, size_t old,
		   const char *with, size_t n)
{
	struct edit_change *c;

	forget_undone(t);
	t->bytes += old + n;
	if (extends(t, at, old)) {
		buf_add(&t->log[t->n - 1].is, with, n);
		return;
	}
	t->log = xreallocarray(t->log, t->n + 1, sizeof(*t->log));
	c = &t->log[t->n++];
	*c = (struct edit_change){ .at = at, .id = ++t->last_id,
				   .first = t->step };
	if (old)
		buf_add(&c->was, edit_text_at(t, at), old);
	if (n)
		buf_add(&c->is, with, n);
	t->step = false;
}

bool edit_text_replace(struct edit_text *t, size_t at, size_t old,
		       const char *with, size_t n)
{
	if (t->text.len - old + n > LIMIT_TUI_EDIT)
		return false;
	if (!old && !n)
		return true;
	record(t, at, old, with, n);
	put(t, at, old, with, n);
	forget_oldest(t);
	return true;
}

void edit_text_step(struct edit_text *t)
{
	t->step = true;
}

bool edit_text_undo(struct edit_text *t, size_t *ret_at)
{
	const struct edit_change *c;

	t->step = true;
	if (t->undone == t->n)
		return false;
	do {
		c = &t->log[t->n - ++t->undone];
		put(t, c->at, c->is.len, c->was.data, c->was.len);
		*ret_at = c->at;
	} while (!c->first && t->undone < t->n);
	return true;
}

bool edit_text_redo(struct edit_text *t, size_t *ret_at)
{
	const struct edit_change *c;

	t->step = true;
	if (!t->undone)
		return false;
	*ret_at = t->log[t->n - t->undone].at;
	do {
		c = &t->log[t->n - t->undone--];
		put(t, c->at, c->was.len, c->is.data, c->is.len);
	} while (t->undone && !t->log[t->n - t->undone].first);
	return true;
}

static uint64_t id_now(const struct edit_text *t)
{
	return t->undone == t->n ? t->base_id :
				   t->log[t->n - t->undone - 1].id;
}

uint64_t edit_text_mark(struct edit_text *t)
{
	/* What is typed on is another text than the marked one. */
	t->step = true;
	return id_now(t);
}

bool edit_text_is(const struct edit_text *t, uint64_t mark)
{
	return id_now(t) == mark;
}
