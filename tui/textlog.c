/* SPDX-License-Identifier: MIT */
/* Lines that go on arriving.  See textlog.h. */
#include "tui/textlog-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/api/limits.h"
#include "lib/base/clock.h"
#include "lib/base/place.h"
#include "lib/base/mem.h"

struct textlog_line *textlog_at(const struct textlog *t, size_t i)
{
	return &t->lines[(t->first + i) % LIMIT_TUI_LINES];
}

const struct textlog_line *textlog_line(const struct textlog *t, size_t i)
{
	return textlog_at(t, i);
}

const char *textlog_text(const struct textlog *t, const struct textlog_line *l)
{
	return t->raw && l->raw ? l->raw : l->text;
}

static void line_release(struct textlog_line *l)
{
	free(l->text);
	free(l->raw);
	free(l->tag);
	free(l->about);
	free(l->json);
}

static void line_init(struct textlog_line *l, const char *text, size_t n,
		      const struct textlog_line *about)
{
	*l = *about;
	l->text = xstrndup(text, MIN(n, LIMIT_TUI_LINE_KEPT));
	if (about->raw)
		l->raw = xstrndup(about->raw, LIMIT_TUI_LINE_KEPT);
	l->tag = xstrdup(about->tag);
	l->about = xstrdup(about->about);
	l->json = xstrdup(about->json);
}

void textlog_clear(struct textlog *t)
{
	for (size_t i = 0; i < t->n; i++)
		line_release(textlog_at(t, i));
	t->first = t->n = t->top = t->at = t->missed = 0;
	t->vague = false;
}

void textlog_release(struct textlog *t)
{
	textlog_clear(t);
	free(t->lines);
	free(t->about);
	field_release(&t->search);
	field_release(&t->only);
}

const char *textlog_source_name(enum textlog_source from)
{
	static const char *const names[TEXTLOG_SOURCES] = {
		"all", "stdout", "stderr", "pty", "system",
	};

	return names[from];
}

static bool shows_all(const struct textlog *t)
{
	return !*field_text(&t->only) && t->from == TEXTLOG_ANY && !t->group &&
	       !t->about && !t->orders.set;
}

/* "!word" is what hasn't it. */
bool textlog_passes(const struct textlog *t, const struct textlog_line *l)
{
	const char *only = field_text(&t->only);
	bool not = only[0] == '!';

	if (t->group && l->group != t->group)
		return false;
	if (t->about && (!l->about || strcmp(t->about, l->about) != 0))
		return false;
	/* What isn't known to come from elsewhere is shown. */
	if (t->from != TEXTLOG_ANY && l->from != TEXTLOG_ANY &&
	    l->from != t->from)
		return false;
	bool has = strcasestr(textlog_text(t, l), only + not) ||
		   (l->tag && strcasestr(l->tag, only + not));

	return !only[not] || has != not;
}

bool textlog_is_filtered(const struct textlog *t)
{
	const char *only = field_text(&t->only);

	return only[only[0] == '!'] || t->from != TEXTLOG_ANY;
}

bool textlog_shows(const struct textlog *t, const struct textlog_line *l)
{
	if (t->orders.set && (l->order < t->orders.least ||
			      l->order > t->orders.most))
		return false;
	return textlog_passes(t, l);
}

void textlog_add(struct textlog *t, const char *text, size_t n,
		 const char *tag, bool bad)
{
	textlog_add_line(t, text, n,
			 &(struct textlog_line){ .tag = (char *)(uintptr_t)tag,
						 .bad = bad });
}

void textlog_miss(struct textlog *t, const struct textlog_line *l)
{
	t->missed += textlog_passes(t, l);
}

void textlog_refilter(struct textlog *t, size_t cursor)
{
	t->vague |= t->missed > 0;
	t->missed = 0;
	t->filters++;
	if (t->paused)
		textlog_set_cursor(t, cursor);
}

size_t textlog_news(const struct textlog *t)
{
	size_t n = t->missed;

	for (size_t i = 0; t->paused && i < t->n; i++)
		n += textlog_at(t, i)->fresh &&
		     textlog_passes(t, textlog_at(t, i));
	return t->paused ? n : 0;
}

/* The first or the last goes, which may be one that nobody has seen. */
static void let_go(struct textlog *t, struct textlog_line *l)
{
	if (l->fresh)
		textlog_miss(t, l);
	line_release(l);
}

void textlog_add_line(struct textlog *t, const char *text, size_t n,
		      const struct textlog_line *about)
{
	struct textlog_line *l;

	if (!t->lines)
		t->lines = xcalloc(LIMIT_TUI_LINES, sizeof(*t->lines));
	if (t->n == LIMIT_TUI_LINES) {
		/* What is in view stays there. */
		if (textlog_shows(t, textlog_at(t, 0)) && t->top)
			t->top--;
		let_go(t, textlog_at(t, 0));
		t->first = (t->first + 1) % LIMIT_TUI_LINES;
		t->n--;
	}
	l = textlog_at(t, t->n++);
	line_init(l, text, n, about);
	l->fresh = t->paused;
}

size_t textlog_count(const struct textlog *t)
{
	size_t n = 0;

	if (shows_all(t))
		return t->n;
	for (size_t i = 0; i < t->n; i++)
		n += textlog_shows(t, textlog_at(t, i));
	return n;
}

/* Where in the ring the k-th line that is shown is. */
static size_t find_shown(const struct textlog *t, size_t k)
{
	size_t i = 0;

	if (shows_all(t))
		return k;
	for (; i < t->n; i++)
		if (textlog_shows(t, textlog_at(t, i)) && k-- == 0)
			break;
	return i;
}

void textlog_insert(struct textlog *t, size_t i, const char *text,
		    const struct textlog_line *about, bool drop_last,
		    size_t *anchor)
{
	if (!t->lines)
		t->lines = xcalloc(LIMIT_TUI_LINES, sizeof(*t->lines));
	if (t->n == LIMIT_TUI_LINES && i == (drop_last ? t->n : 0))
		return;
	if (t->n == LIMIT_TUI_LINES && drop_last) {
		let_go(t, textlog_at(t, --t->n));
	} else if (t->n == LIMIT_TUI_LINES) {
		let_go(t, textlog_at(t, 0));
		t->first = (t->first + 1) % LIMIT_TUI_LINES;
		t->n--;
		i--;
		*anchor -= *anchor > 0;
	}
	/* The shorter part moves. */
	if (i < t->n / 2) {
		t->first = (t->first + LIMIT_TUI_LINES - 1) % LIMIT_TUI_LINES;
		t->n++;
		for (size_t k = 0; k < i; k++)
			*textlog_at(t, k) = *textlog_at(t, k + 1);
	} else {
		for (size_t k = t->n++; k > i; k--)
			*textlog_at(t, k) = *textlog_at(t, k - 1);
	}
	line_init(textlog_at(t, i), text, strlen(text), about);
	*anchor += i <= *anchor;
}

void textlog_drop(struct textlog *t, size_t i, size_t *anchor)
{
	let_go(t, textlog_at(t, i));
	if (i < t->n / 2) {
		for (size_t k = i; k > 0; k--)
			*textlog_at(t, k) = *textlog_at(t, k - 1);
		t->first = (t->first + 1) % LIMIT_TUI_LINES;
		t->n--;
	} else {
		t->n--;
		for (size_t k = i; k < t->n; k++)
			*textlog_at(t, k) = *textlog_at(t, k + 1);
	}
	*anchor -= i < *anchor;
}

void textlog_drop_alone(struct textlog *t, size_t *anchor)
{
	size_t n = 0, before = 0;

	for (size_t i = 0; i < t->n; i++) {
		if (textlog_at(t, i)->alone) {
			let_go(t, textlog_at(t, i));
			before += i < *anchor;
			continue;
		}
		*textlog_at(t, n++) = *textlog_at(t, i);
	}
	t->n = n;
	*anchor -= before;
}

size_t textlog_cursor(const struct textlog *t)
{
	return MIN(find_shown(t, t->top + t->at), t->n);
}

void textlog_set_cursor(struct textlog *t, size_t i)
{
	size_t k = 0;

	for (size_t j = 0; j < i && j < t->n; j++)
		k += textlog_shows(t, textlog_at(t, j));
	t->top = k - MIN(k, t->at);
	t->at = k - t->top;
}

size_t textlog_anchor(const struct textlog *t)
{
	return MIN(find_shown(t, t->top), t->n);
}

void textlog_anchored(struct textlog *t, size_t anchor)
{
	t->top = 0;
	for (size_t i = 0; i < anchor && i < t->n; i++)
		t->top += textlog_shows(t, textlog_at(t, i));
}

/* How many lines from the i-th on, forwards or back, have room; one always. */
static size_t count_fit(const struct textlog *t, struct area in, size_t i,
			bool back)
{
	size_t used = 0, fit = 0, rows = (size_t)MAX(in.rows, 1);

	for (; i < t->n; i += back ? SIZE_MAX : 1) {
		if (!textlog_shows(t, textlog_at(t, i)))
			continue;
		used += textlog_rows(t, textlog_at(t, i), in.cols);
		if (fit && used > rows)
			break;
		fit++;
		if (used >= rows)
			break;
	}
	return MAX(fit, 1);
}

/* The line with the cursor is in view, the last when following. */
static void settle_wrapped(struct textlog *t, struct area in, size_t n)
{
	size_t at = t->paused ? MIN(t->top + t->at, n - 1) : n - 1;
	size_t least = at + 1 - count_fit(t, in, find_shown(t, at), true);

	t->top = t->paused && t->top <= at ? MAX(t->top, least) : least;
	t->at = at - t->top;
	t->height = count_fit(t, in, find_shown(t, t->top), false);
}

void textlog_settle(struct textlog *t, struct area inside)
{
	size_t n = textlog_count(t), most;

	if (t->wrap && n) {
		settle_wrapped(t, inside, n);
		return;
	}
	t->height = (size_t)MAX(inside.rows, 1);
	most = n > t->height ? n - t->height : 0;
	if (t->paused && t->top > most) /* the cursor is where it was */
		t->at += t->top - most;
	t->top = t->paused ? MIN(t->top, most) : most;
	t->at = t->paused ? MIN(t->at, t->height - 1) :
			    MIN(n, t->height) - (n > 0);
	if (n && t->top + t->at >= n)
		t->at = n - 1 - t->top;
}

/* The k-th line that is shown. */
static const struct textlog_line *shown_at(const struct textlog *t, size_t k)
{
	size_t i = find_shown(t, k);

	return i < t->n ? textlog_at(t, i) : NULL;
}

const struct textlog_line *textlog_current(const struct textlog *t)
{
	return shown_at(t, t->top + t->at);
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
	if (*field_text(&t->search))
		buf_addf(out, "search: %s", field_text(&t->search));
}

size_t textlog_newlines(const struct buf *file)
{
	size_t n = 0;

	for (size_t i = 0; i < file->len; i++)
		n += file->data[i] == '\n';
	return n;
}

bool textlog_save(struct model *m, const struct textlog *t, const char *path)
{
	auto_buf struct buf all = BUF_INIT;
	int r;

	for (size_t i = 0; i < t->n; i++) {
		const struct textlog_line *l = textlog_at(t, i);

		if (t->times && l->wall_ns) {
			char when[CLOCK_RFC3339_SIZE];

			clock_format_rfc3339(l->wall_ns, when);
			buf_addf(&all, "%s %s ", when,
				 textlog_source_name(l->from));
		}
		buf_addf(&all, "%s%s%s\n", l->tag ? l->tag : "",
			 l->tag ? " " : "", textlog_text(t, l));
	}
	r = place_replace(path, buf_str(&all), all.len);
	if (r < 0)
		model_say(m, "can't write %s: %s", path, strerror(-r));
	else
		model_say(m, "saved %zu lines to %s", textlog_newlines(&all),
			  path);
	return r == 0;
}
