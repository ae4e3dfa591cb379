/* SPDX-License-Identifier: MIT */
/* A part of a long log.  See log-window.h. */
#include "tui/log-window.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/urlenc.h"
#include "tui/frame.h"
#include "tui/log-line.h"
#include "tui/log-thin.h"
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
	struct log_window new = { .text = w->text, .turn = w->turn + 1,
				  .filters = w->text->filters,
				  .pages = LIMIT_TUI_LOOK_PAGES };

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
	w->all_pass = w->unseen = w->anew = w->looking = false;
	w->pages = LIMIT_TUI_LOOK_PAGES;
	w->looked = 0;
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
	s->lo_piece = l->piece + 1;
	s->lo_order = l->order;
	s->begun = w->cleared = false;
	s->trimmed = true;
}

static void lost_last(struct log_window *w, const struct textlog_line *l)
{
	struct log_stretch *s = &w->of[l->group - 1];

	s->hi = l->at - (l->at > 0);
	s->hi_piece = l->piece;
	s->hi_order = l->order;
	s->behind = true;
}

static void put(struct log_window *w, struct textlog_line *about, bool older,
		size_t *anchor)
{
	struct textlog *t = w->text;
	const struct textlog_line *lost = NULL;
	size_t i;

	w->looked += !about->piece;
	if (textlog_is_filtered(t) && !log_thin_put(w, about, older, anchor))
		return;
	i = index_of(t, about->order, older);
	if (t->n == LIMIT_TUI_LINES)
		lost = older ? (i == t->n ? about : textlog_at(t, t->n - 1)) :
			       (i ? textlog_at(t, 0) : about);
	if (lost && older)
		lost_last(w, lost);
	else if (lost)
		lost_first(w, lost);
	if (w->hunt.turning && !w->hunt.met)
		w->hunt.met = textlog_is_found(t, about);
	textlog_insert(t, i, about->text, about, older, anchor);
}

/* At its end. */
static void append(struct log_window *w, size_t i, struct textlog_line *about,
		   size_t *anchor)
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
	s->hi_piece = 0;
	s->hi_order = about->order;
	put(w, about, false, anchor);
}

void log_window_gap(struct log_window *w, size_t i)
{
	w->of[i].behind = w->of[i].hi > 0;
	set_orders(w);
}

static void miss(struct textlog *t, const struct log_pieces *p)
{
	for (size_t k = 0; k < p->n; k++)
		textlog_miss(t, &p->of[k]);
}

void log_window_line(struct log_window *w, size_t i, const char *text,
		     const struct textlog_line *about)
{
	struct textlog *t = w->text;
	struct log_stretch *s = &w->of[i];
	auto_pieces struct log_pieces p = log_line_split(text, about);
	/* At the end, with room for it, it moves nothing. */
	bool moves = t->paused && (w->n > 1 || t->n == LIMIT_TUI_LINES);
	size_t anchor;

	if (about->at && about->at <= s->hi) /* it came on the other way */
		return;
	if (w->behind && about->at && about->at <= s->last) /* once more */
		return;
	s->last = MAX(s->last, about->at);
	/* What one reads doesn't go for what one doesn't. */
	w->behind |= t->paused && t->n == LIMIT_TUI_LINES && about->at &&
		     !log_thin_has_room(w);
	if (w->behind && about->at) {
		s->behind = true;
		miss(t, &p);
		return;
	}
	anchor = moves ? textlog_anchor(t) : 0;
	for (size_t k = 0; k < p.n; k++) {
		p.of[k].fresh = t->paused;
		append(w, i, &p.of[k], &anchor);
	}
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

static enum log_window_asked opposite(enum log_window_asked what)
{
	return what == WINDOW_OLDER ? WINDOW_NEWER : WINDOW_OLDER;
}

/* Whence lines come for what is searched. */
static enum log_window_asked hunt_way(const struct log_window *w)
{
	return w->hunt.turning ? opposite(w->hunt.to) : w->hunt.to;
}

/* For whom reads all of it. */
static enum log_window_asked read_on(struct log_window *w)
{
	const struct textlog *t = w->text;
	size_t n = textlog_count(t);
	enum log_window_asked wanted = w->wanted;

	/* Where few are shown of all there is room for, what comes in at one
	 * end would let go what is wanted at the other. */
	if (n <= t->height && t->n == LIMIT_TUI_LINES) {
		if (!w->rush)
			w->wanted = WINDOW_STILL;
		return wanted && has_more(w, wanted) ? wanted : WINDOW_STILL;
	}
	/* Who follows is shown what is here, where there is room for it. */
	if (has_more(w, WINDOW_OLDER) && t->top == 0 &&
	    (t->paused || (n < t->height && t->orders.set &&
			   textlog_at(t, 0)->order < t->orders.least)))
		return WINDOW_OLDER;
	return w->behind && t->top + t->height >= n ? WINDOW_NEWER :
						      WINDOW_STILL;
}

/* For what the filter shows, until there is no room for it. */
static enum log_window_asked look_for(struct log_window *w)
{
	const struct textlog *t = w->text;
	size_t n = textlog_count(t);
	enum log_window_asked what = WINDOW_STILL;

	if (w->wanted == WINDOW_NEWER && w->behind && t->top + t->height >= n)
		what = WINDOW_NEWER;
	else if (has_more(w, WINDOW_OLDER) &&
		 (n < t->height || (t->paused && t->top == 0)))
		what = WINDOW_OLDER;
	else if (w->behind && n < t->height)
		what = WINDOW_NEWER;
	/* With each key that is typed it is another one. */
	if (!w->pages || t->typing == TEXTLOG_ONLY)
		return WINDOW_STILL;
	w->pages -= what && !w->rush;
	w->looking = what != WINDOW_STILL;
	return what;
}

void log_window_refilter(struct log_window *w)
{
	struct textlog *t = w->text;

	if (w->filters == t->filters)
		return;
	w->filters = t->filters;
	w->pages = LIMIT_TUI_LOOK_PAGES;
	w->wanted = WINDOW_STILL;
	w->rush = w->looking = false;
	if (!log_thin_end(w)) {
		t->paused = false;
		w->anew = true;
	}
	w->looked = 0;
	for (size_t i = 0; i < t->n; i++)
		w->looked += !textlog_at(t, i)->piece;
	set_orders(w);
}

bool log_window_settle(struct model *m, struct log_window *w, request_fn done)
{
	const struct textlog *t = w->text;
	enum log_window_asked what;

	for (size_t i = 0; !t->paused && i < w->n; i++)
		w->of[i].read = w->of[i].last;
	if (w->anew)
		return true;
	if (!t->n)
		return false;
	if (!t->paused && w->behind)
		return true;
	if (w->asked)
		return false;
	what = w->hunt.to ? hunt_way(w) :
	       textlog_is_filtered(t) ? look_for(w) : read_on(w);
	if (what)
		ask(m, w, what, done);
	return false;
}

/* For what the filter shows; with no page left, this is the last. */
static bool is_looking(const struct log_window *w)
{
	return w->asked && (w->looking || w->pages || w->rush) &&
	       textlog_is_filtered(w->text);
}

bool log_window_act(struct log_window *w, enum action a)
{
	bool hunted = w->hunt.to != WINDOW_STILL || is_looking(w);

	w->hunt.to = WINDOW_STILL;
	w->rush = a == ACT_TOP;
	w->wanted = a == ACT_UP || a == ACT_PAGE_UP || a == ACT_TOP ?
			    WINDOW_OLDER :
		    a == ACT_DOWN || a == ACT_PAGE_DOWN ? WINDOW_NEWER :
							  WINDOW_STILL;
	if (w->wanted)
		w->pages = LIMIT_TUI_LOOK_PAGES;
	if (hunted && (a == ACT_BACK || a == ACT_CANCEL)) {
		w->pages = 0;
		w->looking = false;
		return true;
	}
	if (a != ACT_CLEAR)
		return false;
	for (size_t i = 0; i < w->n; i++) {
		struct log_stretch *s = &w->of[i];

		s->lo = 0;
		s->hi = s->last;
		s->lo_piece = s->hi_piece = 0;
		s->behind = s->thin_lo = s->thin_hi = false;
	}
	w->cleared = true;
	w->all_pass = w->unseen = false;
	w->looked = 0;
	w->looking = false;
	w->asked = WINDOW_STILL;
	w->turn++;
	set_orders(w);
	return false;
}

bool log_window_hunt(struct log_window *w, bool back)
{
	enum log_window_asked what = back ? WINDOW_OLDER : WINDOW_NEWER;
	bool more = has_more(w, what), whole = !has_more(w, opposite(what));

	if (!more && whole)
		return false;
	w->hunt.to = what;
	w->hunt.followed = !w->text->paused;
	w->hunt.whole = whole;
	w->hunt.met = textlog_has(w->text);
	w->hunt.turning = !more;
	w->hunt.around = false;
	textlog_pause(w->text);
	return true;
}

/* -- answers */

static void put_older(struct log_window *w, const cJSON *list, size_t *anchor)
{
	struct log_stretch *s = &w->of[w->asked_of];
	struct log_page page = log_page_end(list);
	struct textlog_line about;
	const char *text;

	while ((text = log_page_prev(&page, &about))) {
		auto_pieces struct log_pieces p = log_line_split(text, &about);
		bool cut = s->lo_piece && about.at && about.at + 1 == s->lo;
		size_t n = cut ? MIN(p.n, s->lo_piece) : p.n;

		if (about.wall_ns)
			s->lo_order = MIN(about.wall_ns, s->lo_order);
		if (about.at)
			s->lo = about.at;
		s->lo_piece = 0;
		while (n--) {
			p.of[n].order = s->lo_order;
			p.of[n].group = w->asked_of + 1;
			p.of[n].tag = w->n > 1 ? s->id : NULL;
			put(w, &p.of[n], true, anchor);
		}
	}
	s->begun = cJSON_GetArraySize(list) < PAGE;
}

/* Its pieces from `first` on; they may have been counted when they came. */
static void put_behind(struct log_window *w, struct log_pieces *p, size_t first,
		       size_t *anchor)
{
	struct log_stretch *s = &w->of[w->asked_of];
	struct textlog *t = w->text;

	for (size_t k = first; k < p->n; k++) {
		struct textlog_line *l = &p->of[k];

		l->tag = w->n > 1 ? s->id : NULL;
		l->fresh = l->at > s->read;
		if (l->fresh && l->at <= s->last && t->missed)
			t->missed -= textlog_passes(t, l);
		append(w, w->asked_of, l, anchor);
	}
}

static void put_newer(struct log_window *w, const cJSON *list, size_t *anchor)
{
	struct log_stretch *s = &w->of[w->asked_of];
	const cJSON *v;

	cJSON_ArrayForEach(v, list) {
		struct textlog_line about;
		const char *text = log_line_parse(v, &about);

		if (!text || (about.at && about.at <= s->hi))
			continue;
		auto_pieces struct log_pieces p = log_line_split(text, &about);
		put_behind(w, &p, about.at == s->hi + 1 ? s->hi_piece : 0,
			   anchor);
		/* Also where all its pieces were here. */
		if (about.at) {
			s->hi = about.at;
			s->hi_piece = 0;
		}
	}
	s->behind = list->child && s->hi < s->last;
}

/* What is there is searched; true when it goes on no further. */
static bool hunt_here(struct model *m, struct log_window *w)
{
	bool back = w->hunt.to == WINDOW_OLDER;

	if (w->hunt.turning || !textlog_find(w->text, back))
		return false;
	if (w->hunt.around)
		textlog_say_around(m, back);
	return true;
}

/* All in that direction was searched: on to the other end, where that isn't
 * here; true when that goes on no further. */
static bool hunt_turns(struct model *m, struct log_window *w)
{
	bool back = w->hunt.to == WINDOW_OLDER;

	if (w->hunt.around || (!w->hunt.met && w->hunt.whole))
		return false;
	if (!w->hunt.turning && has_more(w, opposite(w->hunt.to))) {
		w->hunt.met |= textlog_has(w->text);
		w->hunt.turning = true;
		return true;
	}
	if (textlog_find_around(m, w->text, back)) {
		w->hunt.to = WINDOW_STILL;
		return true;
	}
	if (!w->hunt.met || !has_more(w, w->hunt.to))
		return false;
	w->hunt.turning = false;
	w->hunt.around = true;
	textlog_to_end(w->text, back);
	return true;
}

/* After more of it has come. */
static void hunt_on(struct model *m, struct log_window *w)
{
	struct textlog *t = w->text;

	if (hunt_here(m, w)) {
		w->hunt.to = WINDOW_STILL;
	} else if (!has_more(w, hunt_way(w)) && !hunt_turns(m, w)) {
		model_say(m, "%s is not in the log", field_text(&t->search));
		t->paused = !w->hunt.followed;
		w->hunt.to = WINDOW_STILL;
	}
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
	w->looking = false;
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
		w->hunt.to = WINDOW_STILL;
	if (w->hunt.to)
		hunt_on(m, w);
	if (asked == WINDOW_OLDER && w->rush)
		t->top = t->at = 0;
}

enum log_window_asked log_window_unseen(const struct log_window *w)
{
	return !textlog_is_filtered(w->text) ? WINDOW_STILL :
	       has_more(w, WINDOW_OLDER) ? WINDOW_OLDER :
	       has_more(w, WINDOW_NEWER) ? WINDOW_NEWER : WINDOW_STILL;
}

const char *log_window_place(const struct model *m,
			     const struct log_window *w,
			     char out[LOG_WINDOW_SAID])
{
	bool ascii = m->set.ascii, known = true;
	char n[FRAME_TIME_SIZE];

	if (w->hunt.to)
		return hunt_way(w) == WINDOW_OLDER ?
			       "searching older lines, Esc stops" :
			       "searching newer lines, Esc stops";
	if (is_looking(w)) {
		frame_count(w->looked, n);
		snprintf(out, LOG_WINDOW_SAID, "%s lines looked at, Esc stops",
			 n);
		return out;
	}
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
