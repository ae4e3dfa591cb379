/* SPDX-License-Identifier: MIT */
/* What a filter leaves of a long log.  See log-thin.h. */
#include "tui/log-thin.h"

#include "tui/textlog-internal.h"

/* The first that the filter doesn't show; n when there is none. */
static size_t unwanted(struct log_window *w)
{
	const struct textlog *t = w->text;

	for (size_t i = 0; !w->all_pass && i < t->n; i++) {
		const struct textlog_line *l = textlog_at(t, i);

		if (!l->alone && !textlog_passes(t, l))
			return i;
	}
	w->all_pass = true; /* not again for each that comes */
	return t->n;
}

bool log_thin_has_room(struct log_window *w)
{
	return textlog_is_filtered(w->text) && unwanted(w) < w->text->n;
}

/* From now on what is before it of its log has gaps. */
static void let_go(struct log_window *w, size_t i, size_t *anchor)
{
	struct textlog *t = w->text;
	size_t group = textlog_at(t, i)->group;

	for (size_t k = 0; k < i; k++)
		textlog_at(t, k)->alone |= textlog_at(t, k)->group == group;
	w->of[group - 1].thin_lo = true;
	w->unseen |= textlog_at(t, i)->fresh;
	textlog_drop(t, i, anchor);
}

bool log_thin_put(struct log_window *w, struct textlog_line *about, bool older,
		  size_t *anchor)
{
	struct textlog *t = w->text;
	struct log_stretch *s = &w->of[about->group - 1];
	bool *thin = older ? &s->thin_lo : &s->thin_hi;
	bool full = t->n == LIMIT_TUI_LINES, passes = textlog_passes(t, about);
	size_t i = full ? unwanted(w) : t->n;

	/* One that follows sees the newest, should the filter be taken away. */
	if (!passes && (*thin || (full && (older || i == t->n)))) {
		*thin = true;
		w->unseen |= about->fresh;
		return false;
	}
	if (full && i < t->n)
		let_go(w, i, anchor);
	about->alone = *thin;
	return true;
}

/* -- the end of it */

/* What has gaps goes: the one with the cursor alone is without. */
static void keep_current(struct log_window *w, size_t cursor)
{
	struct textlog *t = w->text;

	if (w->n > 1 || !t->paused || cursor >= t->n ||
	    !textlog_at(t, cursor)->alone || !textlog_at(t, cursor)->at)
		return;
	for (size_t i = 0; i < t->n; i++)
		textlog_at(t, i)->alone = i != cursor;
	w->of[0].thin_lo = w->of[0].thin_hi = true;
}

/* Its stretch is of the lines without gaps; false when there is none. */
static bool mend(struct log_window *w, size_t of)
{
	struct log_stretch *s = &w->of[of];
	const struct textlog_line *first = NULL, *last = NULL;

	if (!s->thin_lo && !s->thin_hi)
		return true;
	for (size_t i = 0; i < w->text->n; i++) {
		const struct textlog_line *l = textlog_at(w->text, i);

		if (l->alone || l->group != of + 1)
			continue;
		first = first ? first : l;
		last = l;
	}
	if (!first)
		return false;
	if (s->thin_lo) {
		s->lo = first->at + (first->at && first->piece);
		s->lo_piece = first->piece;
		s->lo_order = first->order;
		s->begun = !first->at;
		s->trimmed = true;
		w->cleared = false;
	}
	if (s->thin_hi && last->at) {
		/* On from its line, of which there may be more; before a log's
		 * first there is no place to go on from. */
		s->hi = MAX(last->at - 1, 1);
		s->hi_piece = last->at > 1 ? last->piece + 1 : 0;
		s->hi_order = last->order;
		s->behind = true;
	}
	s->thin_lo = s->thin_hi = false;
	return true;
}

bool log_thin_end(struct log_window *w)
{
	struct textlog *t = w->text;
	bool thin = false, whole = true;
	size_t cursor = textlog_cursor(t);

	for (size_t i = 0; i < w->n; i++)
		thin |= w->of[i].thin_lo || w->of[i].thin_hi;
	w->all_pass = false;
	if (!thin)
		return true;
	/* What was asked for doesn't fit any longer. */
	w->hunt.to = w->asked = WINDOW_STILL;
	w->turn++;
	t->vague |= t->paused && w->unseen;
	w->unseen = false;
	keep_current(w, cursor);
	for (size_t i = 0; i < w->n; i++)
		whole &= mend(w, i);
	if (!whole)
		return false;
	textlog_drop_alone(t, &cursor);
	textlog_set_cursor(t, cursor);
	return true;
}
