/* SPDX-License-Identifier: MIT */
/* A part of a long log.  See log-window.h. */
#include "tui/log-window.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/escape.h"
#include "lib/base/mem.h"
#include "lib/base/urlenc.h"
#include "tui/textlog-internal.h"

#define PAGE 1000 /* lines at a time */

void log_window_release(struct log_window *w)
{
	for (size_t i = 0; i < w->n; i++)
		free(w->of[i].id);
	w->n = 0;
	free(w->since);
	w->since = NULL;
}

void log_window_begin(struct log_window *w, const char *since)
{
	struct log_window new = { .text = w->text, .turn = w->turn + 1 };

	new.since = xstrdup(since);
	log_window_release(w);
	w->text->orders.set = false;
	*w = new;
}

void log_window_add(struct log_window *w, const char *id)
{
	w->of[w->n++] = (struct log_stretch){ .id = xstrdup(id) };
}

void log_window_forget(struct log_window *w)
{
	for (size_t i = 0; i < w->n; i++)
		w->of[i] = (struct log_stretch){ .id = w->of[i].id };
	w->asked = WINDOW_STILL;
	w->turn++;
	w->cleared = w->behind = w->text->orders.set = false;
}

/* -- lines */

static enum textlog_source source_named(const char *name)
{
	for (int i = TEXTLOG_ANY + 1; i < TEXTLOG_SOURCES; i++)
		if (strcmp(textlog_source_name((enum textlog_source)i),
			   name) == 0)
			return (enum textlog_source)i;
	return TEXTLOG_ANY;
}

/* What programs say of themselves: {"level":"error",...}. */
static bool says_error(const char *line)
{
	static const char *const levels[] = { "error", "fatal", "critical",
					      "panic" };
	const char *at = line[strspn(line, " ")] == '{' ?
				 strcasestr(line, "\"level\"") : NULL;

	at = at ? at + 7 + strspn(at + 7, " :\"") : NULL;
	for (size_t i = 0; at && i < ARRAY_SIZE(levels); i++)
		if (strncasecmp(at, levels[i], strlen(levels[i])) == 0)
			return true;
	return false;
}

const char *log_window_parse(const cJSON *v, struct textlog_line *ret_about)
{
	const cJSON *line = cJSON_IsObject(v) ? json_get(v, "line") : v;
	const cJSON *at = cJSON_IsObject(v) ? json_get(v, "at") : NULL;

	if (!cJSON_IsString(line))
		return NULL;
	*ret_about = (struct textlog_line){ 0 };
	ret_about->from = source_named(json_text(v, "stream"));
	if (clock_parse_rfc3339(json_text(v, "time"),
				&ret_about->wall_ns) < 0)
		ret_about->wall_ns = 0;
	ret_about->bad = ret_about->from == TEXTLOG_STDERR ||
			 says_error(line->valuestring);
	if (cJSON_IsNumber(at) && at->valuedouble >= 0 &&
	    at->valuedouble < 9e15)
		ret_about->at = (uint64_t)at->valuedouble + 1;
	return line->valuestring;
}

const char *log_window_read(const cJSON *v, struct textlog_line *ret_about)
{
	const char *text = log_window_parse(v, ret_about);

	if (text && ret_about->from == TEXTLOG_PTY)
		escape_strip((char *)(uintptr_t)text);
	return text;
}

/* -- stretches */

static bool has_older(const struct log_stretch *s)
{
	return s->lo > 1 && !s->begun;
}

/* What can't be shown yet: of some log nothing is known there.  With a
 * beginning, all from there on comes by itself. */
static void set_orders(struct log_window *w)
{
	int64_t least = INT64_MIN, most = INT64_MAX;

	w->behind = false;
	for (size_t i = 0; i < w->n; i++) {
		const struct log_stretch *s = &w->of[i];

		if (has_older(s) && !w->cleared && (!w->since || s->trimmed))
			least = MAX(least, s->lo_order);
		if (s->behind)
			most = MIN(most, s->hi_order);
		w->behind |= s->behind;
	}
	w->text->orders.least = least;
	w->text->orders.most = most;
	w->text->orders.set = w->n > 1 && (least > INT64_MIN ||
					   most < INT64_MAX);
}

/* The first index whose line belongs behind one of this order, or with
 * `before` not before it. */
static size_t index_of(const struct textlog *t, int64_t order, bool before)
{
	size_t from = 0, to = t->n;

	while (from < to) {
		size_t mid = from + (to - from) / 2;
		int64_t there = textlog_at(t, mid)->order;

		if (before ? there < order : there <= order)
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

/* It isn't here, or no longer. */
static void lost_first(struct log_window *w, const struct textlog_line *l)
{
	struct log_stretch *s = &w->of[l->group - 1];

	s->lo = l->at ? l->at + 1 : 0;
	s->lo_order = l->order;
	s->begun = w->cleared = false;
	s->trimmed = true;
}

static void lost_last(struct log_window *w, const struct textlog_line *l)
{
	struct log_stretch *s = &w->of[l->group - 1];

	s->hi = l->at - (l->at > 0);
	s->hi_order = l->order;
	s->behind = true;
}

static void put(struct log_window *w, const char *text,
		const struct textlog_line *about, bool older, size_t *anchor)
{
	struct textlog *t = w->text;
	size_t i = index_of(t, about->order, older);
	bool full = t->n == LIMIT_TUI_LINES;
	const struct textlog_line *lost = !full ? NULL :
		older ? (i == t->n ? about : textlog_at(t, t->n - 1)) :
			(i ? textlog_at(t, 0) : about);

	if (lost && older)
		lost_last(w, lost);
	else if (lost)
		lost_first(w, lost);
	textlog_insert(t, i, text, about, older, anchor);
}

/* At its end. */
static void append(struct log_window *w, size_t i, const char *text,
		   struct textlog_line *about, size_t *anchor)
{
	struct log_stretch *s = &w->of[i];

	about->order = MAX(about->wall_ns, s->hi_order);
	about->group = i + 1;
	if (!s->lo) {
		/* What is lost is told before the first that is there. */
		s->begun |= !about->at && about->from == TEXTLOG_SYSTEM;
		s->lo = about->at;
		s->lo_order = about->order;
	}
	s->hi = about->at;
	s->hi_order = about->order;
	put(w, text, about, false, anchor);
}

void log_window_gap(struct log_window *w, size_t i)
{
	w->of[i].behind = w->of[i].hi > 0;
	set_orders(w);
}

void log_window_line(struct log_window *w, size_t i, const char *text,
		     const struct textlog_line *about)
{
	struct textlog *t = w->text;
	struct log_stretch *s = &w->of[i];
	struct textlog_line line = *about;
	/* At the end, with room for it, it moves nothing. */
	bool moves = t->paused && (w->n > 1 || t->n == LIMIT_TUI_LINES);
	size_t anchor;

	if (line.at && line.at <= s->hi) /* it came on the other way */
		return;
	if (w->behind && line.at && line.at <= s->last) /* once more */
		return;
	s->last = MAX(s->last, line.at);
	/* What one reads doesn't go for what one doesn't. */
	w->behind |= t->paused && t->n == LIMIT_TUI_LINES && line.at;
	if (w->behind && line.at) {
		s->behind = true;
		line.text = (char *)(uintptr_t)text;
		textlog_miss(t, &line);
		return;
	}
	anchor = moves ? textlog_anchor(t) : 0;
	line.fresh = t->paused;
	append(w, i, text, &line, &anchor);
	set_orders(w);
	if (moves)
		textlog_anchored(t, anchor);
}

/* -- asking */

/* Of which one older lines are wanted first, or newer ones; n: of none. */
static size_t choose(const struct log_window *w, enum log_window_asked what)
{
	size_t best = w->n;

	for (size_t i = 0; i < w->n; i++) {
		const struct log_stretch *s = &w->of[i], *b = &w->of[best];

		if (what == WINDOW_OLDER ? !has_older(s) : !s->behind)
			continue;
		if (best == w->n || (what == WINDOW_OLDER ?
					     s->lo_order > b->lo_order :
					     s->hi_order < b->hi_order))
			best = i;
	}
	return best;
}

static void ask(struct model *m, struct log_window *w,
		enum log_window_asked what, request_fn done)
{
	const struct log_stretch *s;
	auto_buf struct buf rest = BUF_INIT;
	struct request *r;

	w->asked_of = choose(w, what);
	s = &w->of[w->asked_of];
	buf_addstr(&rest, "/logs?details=true");
	/* Before the very first there is no place to go on from. */
	if (what == WINDOW_NEWER && !s->hi)
		buf_addf(&rest, "&lines=%d", LIMIT_LOG_LINES);
	else
		buf_addf(&rest, "&lines=%d&%s=%llu", PAGE,
			 what == WINDOW_OLDER ? "before" : "after",
			 (unsigned long long)(what == WINDOW_OLDER ? s->lo :
								     s->hi) -
				 1);
	if (w->since) {
		buf_addstr(&rest, "&since=");
		urlenc_encode(&rest, w->since, strlen(w->since));
	}
	r = request_new("GET", request_sandbox(s->id, buf_str(&rest)), done);
	r->about = xasprintf("%u", ++w->turn);
	r->doing = xasprintf("%s lines of %s",
			     what == WINDOW_OLDER ? "older" : "newer", s->id);
	w->asked = what;
	request_send(m, r);
}

static bool has_more(const struct log_window *w, enum log_window_asked what)
{
	return what == WINDOW_OLDER ?
		       !w->cleared && choose(w, WINDOW_OLDER) < w->n :
		       w->behind;
}

bool log_window_settle(struct model *m, struct log_window *w, request_fn done)
{
	const struct textlog *t = w->text;
	bool older = has_more(w, WINDOW_OLDER);
	size_t n;

	for (size_t i = 0; !t->paused && i < w->n; i++)
		w->of[i].read = w->of[i].last;
	if (!t->n)
		return false;
	if (!t->paused && w->behind)
		return true;
	if (w->asked)
		return false;
	if (w->hunt) {
		ask(m, w, w->hunt, done);
		return false;
	}
	n = textlog_count(t);
	/* Where few are shown of all there is room for, what comes in at one
	 * end would let go what is wanted at the other. */
	if (n <= t->height && t->n == LIMIT_TUI_LINES) {
		if (!w->wanted || !has_more(w, w->wanted))
			return false;
		ask(m, w, w->wanted, done);
		w->wanted = w->rush ? w->wanted : WINDOW_STILL;
		return false;
	}
	/* Who follows is shown what is here, where there is room for it. */
	if (older && t->top == 0 &&
	    (t->paused || (n < t->height && t->orders.set &&
			   textlog_at(t, 0)->order < t->orders.least)))
		ask(m, w, WINDOW_OLDER, done);
	else if (w->behind && t->top + t->height >= n)
		ask(m, w, WINDOW_NEWER, done);
	return false;
}

bool log_window_act(struct log_window *w, enum action a)
{
	bool hunted = w->hunt != WINDOW_STILL;

	w->hunt = WINDOW_STILL;
	w->rush = a == ACT_TOP;
	w->wanted = a == ACT_UP || a == ACT_PAGE_UP || a == ACT_TOP ?
			    WINDOW_OLDER :
		    a == ACT_DOWN || a == ACT_PAGE_DOWN ? WINDOW_NEWER :
							  WINDOW_STILL;
	if (a != ACT_CLEAR)
		return hunted && a == ACT_BACK;
	for (size_t i = 0; i < w->n; i++) {
		struct log_stretch *s = &w->of[i];

		s->lo = 0;
		s->hi = s->last;
		s->behind = false;
	}
	w->cleared = true;
	w->asked = WINDOW_STILL;
	w->turn++;
	set_orders(w);
	return false;
}

bool log_window_hunt(struct log_window *w, bool back)
{
	enum log_window_asked what = back ? WINDOW_OLDER : WINDOW_NEWER;

	if (!has_more(w, what))
		return false;
	w->followed = !w->text->paused;
	textlog_pause(w->text);
	w->hunt = what;
	return true;
}

/* -- answers */

static void put_older(struct log_window *w, const cJSON *list, size_t *anchor)
{
	struct log_stretch *s = &w->of[w->asked_of];
	const cJSON *v = list->child ? list->child->prev : NULL;

	/* From the last one on: the list is a ring backwards. */
	for (int i = cJSON_GetArraySize(list); i > 0; i--, v = v->prev) {
		struct textlog_line about;
		const char *text = log_window_read(v, &about);

		if (!text)
			continue;
		about.order = about.wall_ns ?
				      MIN(about.wall_ns, s->lo_order) :
				      s->lo_order;
		about.group = w->asked_of + 1;
		about.tag = w->n > 1 ? s->id : NULL;
		s->lo_order = about.order;
		if (about.at)
			s->lo = about.at;
		put(w, text, &about, true, anchor);
	}
	s->begun = cJSON_GetArraySize(list) < PAGE;
}

/* It may have been counted when it came. */
static void put_newer(struct log_window *w, const cJSON *list, size_t *anchor)
{
	struct log_stretch *s = &w->of[w->asked_of];
	struct textlog *t = w->text;
	const cJSON *v;

	cJSON_ArrayForEach(v, list) {
		struct textlog_line about;
		const char *text = log_window_read(v, &about);

		if (!text || (about.at && about.at <= s->hi))
			continue;
		about.tag = w->n > 1 ? s->id : NULL;
		about.fresh = about.at > s->read;
		if (about.fresh && about.at <= s->last && t->missed) {
			about.text = (char *)(uintptr_t)text;
			t->missed -= textlog_passes(t, &about);
		}
		append(w, w->asked_of, text, &about, anchor);
	}
	s->behind = list->child && s->hi < s->last;
}

/* After more of it has come. */
static void hunt_on(struct model *m, struct log_window *w)
{
	struct textlog *t = w->text;
	bool back = w->hunt == WINDOW_OLDER;

	if (!textlog_find(t, back, false)) {
		if (has_more(w, w->hunt))
			return;
		if (!textlog_find_around(m, t, back)) {
			model_say(m, "%s is not in the log",
				  field_text(&t->search));
			t->paused = !w->followed;
		}
	}
	w->hunt = WINDOW_STILL;
}

void log_window_arrived(struct model *m, struct log_window *w,
			struct request *r)
{
	auto_json struct json_doc doc = JSON_DOC_INIT;
	auto_free char *turn = xasprintf("%u", w->turn);
	enum log_window_asked asked = w->asked;
	struct textlog *t = w->text;
	size_t anchor = textlog_anchor(t);
	cJSON *list;

	if (!asked || strcmp(turn, r->about) != 0) {
		svm_err_release(&r->err);
		return;
	}
	w->asked = WINDOW_STILL;
	list = request_array(r, &doc);
	if (list && asked == WINDOW_OLDER)
		put_older(w, list, &anchor);
	else if (list)
		put_newer(w, list, &anchor);
	else if (asked == WINDOW_OLDER) /* not again and again */
		w->of[w->asked_of].begun = true;
	else
		w->of[w->asked_of].behind = false;
	set_orders(w);
	textlog_anchored(t, anchor);
	if (!list)
		w->hunt = WINDOW_STILL;
	if (w->hunt)
		hunt_on(m, w);
	if (asked == WINDOW_OLDER && w->rush)
		t->top = t->at = 0;
}

const char *log_window_place(const struct model *m,
			     const struct log_window *w)
{
	bool ascii = m->set.ascii, known = true;

	if (w->hunt)
		return w->hunt == WINDOW_OLDER ?
			       "searching older lines, Esc stops" :
			       "searching newer lines, Esc stops";
	if (w->asked)
		return w->asked == WINDOW_OLDER ?
			       (ascii ? "loading older..." :
					"loading older\u2026") :
			       (ascii ? "loading newer..." :
					"loading newer\u2026");
	if (!w->n || !w->text->n || w->text->top)
		return "";
	if (w->cleared)
		return "cleared above";
	for (size_t i = 0; i < w->n; i++)
		known &= !has_older(&w->of[i]) &&
			 (w->of[i].lo || w->of[i].begun || w->n > 1);
	return !known ? "" : w->n > 1 ? "beginning of the logs" :
					"beginning of the log";
}
