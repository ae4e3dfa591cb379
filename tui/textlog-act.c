/* SPDX-License-Identifier: MIT */
/* Moving and searching in lines that go on arriving.  See textlog.h. */
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "tui/list.h"
#include "tui/textlog-internal.h"

void textlog_pause(struct textlog *t)
{
	if (t->paused)
		return;
	for (size_t i = 0; i < t->n; i++)
		textlog_at(t, i)->fresh = false;
	t->missed = 0;
	t->vague = false;
	t->paused = true;
}

static bool move(struct textlog *t, enum action a)
{
	size_t n = textlog_count(t);
	struct list_pos pos = { t->top + t->at, t->top, n, t->height };

	if (a == ACT_LEFT || a == ACT_RIGHT) {
		if (t->wrap)
			return true;
		t->left = a == ACT_RIGHT ? t->left + 8 :
					   t->left - MIN(t->left, 8);
		return true;
	}
	if (a == ACT_BOTTOM) {
		t->paused = false;
		return true;
	}
	if (!list_act(&pos, a))
		return false;
	textlog_pause(t);
	list_settle(&pos, n, (int)t->height);
	t->top = pos.top;
	t->at = pos.at - pos.top;
	return true;
}

bool textlog_is_found(const struct textlog *t, const struct textlog_line *l)
{
	return textlog_passes(t, l) &&
	       strcasestr(textlog_text(t, l), field_text(&t->search));
}

bool textlog_has(const struct textlog *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (textlog_is_found(t, textlog_at(t, i)))
			return true;
	return false;
}

/* Of the lines that are shown, the nearest with the text after or before
 * `at`, or with `around` from the other end on; SIZE_MAX when none has it. */
static size_t find_text(const struct textlog *t, const char *text, size_t at,
			bool back, bool around)
{
	size_t before = SIZE_MAX, after = SIZE_MAX, first = SIZE_MAX,
	       last = SIZE_MAX, k = 0;

	for (size_t i = 0; i < t->n; i++) {
		const struct textlog_line *l = textlog_at(t, i);

		if (!textlog_shows(t, l))
			continue;
		if (strcasestr(textlog_text(t, l), text)) {
			first = MIN(first, k);
			last = k;
			if (k < at)
				before = k;
			else if (k > at)
				after = MIN(after, k);
		}
		k++;
	}
	if (around)
		return back ? last : first;
	return back ? before : after;
}

static bool find(struct textlog *t, bool back, bool around)
{
	size_t n = textlog_count(t);
	struct list_pos pos = { .top = t->top };

	pos.at = find_text(t, field_text(&t->search), t->top + t->at, back,
			   around);
	if (pos.at == SIZE_MAX)
		return false;
	textlog_pause(t);
	list_settle(&pos, n, (int)t->height);
	t->top = pos.top;
	t->at = pos.at - pos.top;
	return true;
}

bool textlog_find(struct textlog *t, bool back)
{
	return find(t, back, false);
}

void textlog_say_around(struct model *m, bool back)
{
	model_say(m, back ? "not before; from the end again" :
			    "not behind; from the top again");
}

bool textlog_find_around(struct model *m, struct textlog *t, bool back)
{
	if (!find(t, back, true))
		return false;
	textlog_say_around(m, back);
	return true;
}

void textlog_to_end(struct textlog *t, bool last)
{
	size_t n = textlog_count(t);

	t->top = last && n > t->height ? n - t->height : 0;
	t->at = last && n ? n - 1 - t->top : 0;
}

static void search(struct model *m, struct textlog *t, bool back)
{
	const char *text = field_text(&t->search);

	if (!*text || textlog_find(t, back) ||
	    (t->beyond && t->beyond(m, t, back)))
		return;
	if (textlog_count(t) && !textlog_find_around(m, t, back))
		model_say(m, "%s is not in it", text);
}

/* What is known of the line. */
static void copy_json(struct model *m, const struct textlog *t,
		      const struct textlog_line *l)
{
	auto_buf struct buf text = BUF_INIT;
	struct json_writer w = json_writer(&text);
	char when[CLOCK_RFC3339_SIZE];

	if (l->json) {
		model_copy(m, l->json, strlen(l->json), "it as JSON");
		return;
	}
	json_open(&w, NULL, '{');
	if (l->wall_ns) {
		clock_format_rfc3339(l->wall_ns, when);
		json_str(&w, "time", when);
	}
	if (l->from != TEXTLOG_ANY)
		json_str(&w, "stream", textlog_source_name(l->from));
	json_str(&w, "line", textlog_text(t, l));
	json_close(&w, '}');
	model_copy(m, buf_str(&text), text.len, "it as JSON");
}

static void copy_line(struct model *m, const struct textlog *t,
		      const struct textlog_line *l)
{
	const char *text = textlog_text(t, l);

	model_copy(m, text, strlen(text), "the line");
}

bool textlog_act(struct model *m, struct textlog *t, enum action a)
{
	const struct textlog_line *l = textlog_current(t);
	size_t cursor = textlog_cursor(t);
	bool only;

	if (move(t, a))
		return true;
	switch (a) {
	case ACT_FOLLOW:
		if (t->paused)
			t->paused = false;
		else
			textlog_pause(t);
		return true;
	case ACT_SEARCH:
	case ACT_FILTER:
		t->typing = TEXTLOG_SEARCH;
		t->search.past = past_of(m, PAST_SEARCH);
		return true;
	case ACT_MATCHING:
		t->typing = TEXTLOG_ONLY;
		t->only.past = past_of(m, PAST_MATCHING);
		return true;
	case ACT_SEARCH_NEXT:
	case ACT_SEARCH_PREV:
		search(m, t, a == ACT_SEARCH_NEXT); /* as / does */
		return true;
	case ACT_WRAP:
		t->wrap = !t->wrap;
		t->left = 0;
		return true;
	case ACT_TIMES:
		t->times = !t->times;
		return true;
	case ACT_JSON:
		t->json = !t->json;
		return true;
	case ACT_RAW:
		t->raw = !t->raw;
		textlog_refilter(t, cursor); /* it is the other form that passes */
		return true;
	case ACT_STREAM:
		t->from = (t->from + 1) % TEXTLOG_SOURCES;
		textlog_refilter(t, cursor);
		model_say(m, "stream: %s", textlog_source_name(t->from));
		return true;
	case ACT_CLEAR:
		textlog_clear(t);
		return true;
	case ACT_COPY_JSON:
		if (l)
			copy_json(m, t, l);
		return true;
	case ACT_COPY:
		if (l)
			copy_line(m, t, l);
		return true;
	case ACT_BACK:
		only = *field_text(&t->only);
		if (!only && !*field_text(&t->search))
			return false;
		field_set(&t->only, "");
		field_set(&t->search, "");
		if (only)
			textlog_refilter(t, cursor);
		return true;
	default:
		return false;
	}
}

void textlog_screen_settle(struct model *m, void *state, struct area a)
{
	(void)m;
	a.rows -= 2;
	a.cols -= 2;
	textlog_settle(state, a);
}

bool textlog_screen_input(struct model *m, void *state,
			  const struct input_event *ev)
{
	return textlog_input(m, state, ev);
}

const struct field *textlog_screen_typing(const struct model *m,
					  const void *state,
					  const char **ret_label)
{
	(void)m;
	return textlog_typing(state, ret_label);
}

bool textlog_screen_empty(const struct model *m, const void *state)
{
	(void)m;
	return !textlog_current(state);
}

void textlog_screen_status(const struct model *m, const void *state,
			   struct buf *out)
{
	(void)m;
	textlog_status(state, out);
}

bool textlog_input(struct model *m, struct textlog *t,
		   const struct input_event *ev)
{
	struct field *f = t->typing == TEXTLOG_ONLY ? &t->only : &t->search;

	if (ev->type == INPUT_MOUSE) {
		enum action a = ev->mouse.kind == MOUSE_WHEEL_UP ? ACT_UP :
				ev->mouse.kind == MOUSE_WHEEL_DOWN ?
								ACT_DOWN :
								ACT_NONE;

		for (int i = 0; a != ACT_NONE && i < 3; i++) {
			t->at = a == ACT_UP ? 0 : t->height - 1;
			move(t, a);
		}
		return a != ACT_NONE;
	}
	if (t->typing == TEXTLOG_IDLE)
		return false;
	auto_free char *before = xstrdup(field_text(f));
	size_t cursor = textlog_cursor(t);
	enum field_typed r = field_type(f, m->keymap, ev);

	if (f == &t->only && strcmp(before, field_text(f)) != 0)
		textlog_refilter(t, cursor);
	if (r == FIELD_DONE && t->typing == TEXTLOG_SEARCH)
		search(m, t, true);
	if (r != FIELD_GOES_ON)
		t->typing = TEXTLOG_IDLE;
	return true;
}
