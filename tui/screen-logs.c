/* SPDX-License-Identifier: MIT */
/* Screen 5: what the commands of a sandbox write, or of several. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/duration.h"
#include "lib/base/mem.h"
#include "lib/base/urlenc.h"
#include "lib/client/reply.h"
#include "tui/fleet-table.h"
#include "tui/frame.h"
#include "tui/glyph.h"
#include "tui/log-line.h"
#include "tui/log-save.h"
#include "tui/log-window.h"
#include "tui/message.h"

#define SOURCES_MAX LOG_WINDOW_MAX

struct source {
	struct logs *logs;
	size_t i; /* its how manieth */
	char *id;
	struct stream *stream;
	bool over;   /* the sandbox is gone, or said nothing more */
	bool broken; /* to be opened again */
};

#define RETRY_NS INT64_C(1000000000)

struct logs {
	struct textlog text; /* first */
	struct source *sources[SOURCES_MAX];
	size_t n;
	bool guessed; /* nobody chose them */
	char *since; /* as it was typed: these alone; or NULL */
	struct log_window window; /* of these, in their order */
	struct log_saving saving; /* to a file */
	int64_t retry_at; /* boot; when the broken ones are; 0: there is none */
	bool anew;   /* opened again: the first line is of another place */
};

static bool beyond(struct model *m, struct textlog *t, bool back)
{
	struct logs *g = (struct logs *)t;

	(void)m;
	return log_window_hunt(&g->window, back);
}

static void *logs_make(struct model *m)
{
	struct logs *g = xcalloc(1, sizeof(*g));

	(void)m;
	g->text.json = true;
	g->window.text = &g->text;
	g->text.beyond = beyond;
	return g;
}

static void close_sources(struct model *m, struct logs *g)
{
	for (size_t i = 0; i < g->n; i++) {
		stream_close(m, g->sources[i]->stream);
		free(g->sources[i]->id);
		free(g->sources[i]);
	}
	g->n = 0;
	g->retry_at = 0;
}

static void logs_release(struct model *m, void *state)
{
	struct logs *g = state;

	close_sources(m, g);
	textlog_release(&g->text);
	log_window_release(&g->window);
	free(g->since);
	free(g);
}

/* A JSON string, or an object with the line, its time and its stream. */
static void log_line(struct model *m, struct stream *s, const char *text,
		     size_t n)
{
	struct source *from = s->data;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct textlog_line about;
	const char *line;
	cJSON *v;

	(void)m;
	if (!from || reply_parse(&doc, text, n, &v, &err) < 0)
		return;
	line = log_line_parse(v, &about);
	if (!line)
		return;
	about.tag = from->logs->n > 1 ? from->id : NULL;
	if (from->logs->anew) { /* until now what was there before is better */
		textlog_clear(&from->logs->text);
		log_window_forget(&from->logs->window);
	}
	from->logs->anew = false;
	log_window_line(&from->logs->window, from->i, line, &about);
}

static bool is_worth_retrying(enum svm_code code)
{
	return code == SVM_UNREACHABLE || code == SVM_TIMEOUT ||
	       code == SVM_PROVIDER || code == SVM_UNAVAILABLE ||
	       code == SVM_INTERNAL;
}

/* Cleanly, with its sandbox; else it goes on when it can be had again. */
static void log_changed(struct model *m, struct stream *s)
{
	struct source *from = s->data;

	if (!from || (s->state != STREAM_ENDED && s->state != STREAM_BROKEN))
		return;
	from->broken = is_worth_retrying(s->err.code);
	from->over = !from->broken;
	if (from->over && s->err.code != SVM_OK &&
	    s->err.code != SVM_NOT_FOUND) {
		auto_free char *doing = xasprintf("logs of %s", from->id);

		model_complain(m, &s->err, doing);
	}
	if (from->broken)
		from->logs->retry_at = m->boot_ns + RETRY_NS;
}

/* "14:30" */
static bool parse_minute(const char *text, int *ret_minute)
{
	unsigned hour, minute;
	int n = -1;

	if (strspn(text, "0123456789:") != strlen(text) ||
	    sscanf(text, "%2u:%2u%n", &hour, &minute, &n) != 2 || n < 0 ||
	    text[n] || hour > 23 || minute > 59)
		return false;
	*ret_minute = (int)(hour * 60 + minute);
	return true;
}

/* Today, or yesterday when that is still to come. */
static int64_t last_time(const struct model *m, int minute)
{
	const int64_t second = INT64_C(1000000000), day = 86400 * second;
	int64_t shift = m->utc_offset * second;
	int64_t at = (m->wall_ns + shift) / day * day - shift +
		     minute * 60 * second;

	return at <= m->wall_ns ? at : at - day;
}

/* As the daemon takes it: "14:30" is when that was last. */
static char *since_of(const struct model *m, const struct logs *g)
{
	char day[CLOCK_RFC3339_SIZE];
	int minute;

	if (!g->since || !parse_minute(g->since, &minute))
		return xstrdup(g->since);
	clock_format_rfc3339(last_time(m, minute), day);
	return xstrdup(day);
}

/* With a beginning, all that there is from there on. */
static char *logs_target(const char *id, const char *since)
{
	auto_buf struct buf rest = BUF_INIT;

	buf_addstr(&rest, "/logs?follow=true&details=true");
	if (!since) {
		buf_addstr(&rest, "&lines=1000");
	} else {
		buf_addstr(&rest, "&since=");
		urlenc_encode(&rest, since, strlen(since));
	}
	return request_sandbox(id, buf_str(&rest));
}

static void open_source(struct model *m, struct logs *g, struct source *s)
{
	auto_free char *since = since_of(m, g);

	s->stream = stream_open(m, logs_target(s->id, since), false,
				log_line);
	s->stream->once = true;
	s->stream->data = s;
	s->stream->changed = log_changed;
	s->over = s->broken = false;
}

static void add_source(struct model *m, struct logs *g, const char *id)
{
	struct source *s;

	if (g->n == SOURCES_MAX)
		return;
	s = xcalloc(1, sizeof(*s));
	s->logs = g;
	s->id = xstrdup(id);
	s->i = g->n;
	g->anew = false;
	if (!g->n) {
		auto_free char *since = since_of(m, g);

		log_window_begin(&g->window, since);
	}
	log_window_add(&g->window, id);
	g->sources[g->n++] = s;
	open_source(m, g, s);
}

static void older_arrived(struct model *m, struct request *r)
{
	struct logs *g = m->state[SCREEN_LOGS];

	log_window_arrived(m, &g->window, r);
	m->effects |= EFFECT_REDRAW;
}

/* The end again, and on from there. */
static void open_anew(struct model *m, struct logs *g)
{
	log_window_forget(&g->window);
	for (size_t i = 0; i < g->n; i++) {
		stream_close(m, g->sources[i]->stream);
		open_source(m, g, g->sources[i]);
	}
	g->anew = true;
}

/* Who reads is not disturbed: what came meanwhile is below. */
static void open_broken(struct model *m, struct logs *g)
{
	for (size_t i = 0; i < g->n; i++) {
		struct source *s = g->sources[i];

		if (!s->broken)
			continue;
		stream_close(m, s->stream);
		open_source(m, g, s);
		log_window_gap(&g->window, i);
	}
}

static void say_state(const struct model *m, struct logs *g)
{
	size_t over = 0, broken = 0;

	for (size_t i = 0; i < g->n; i++) {
		over += g->sources[i]->over;
		broken += g->sources[i]->broken;
	}
	g->text.over = g->n && (over == g->n || broken || m->link == LINK_LOST);
	g->text.live = !g->text.over ? NULL : over == g->n ? "ended" :
		       "waiting for the daemon";
}

/* That no line matches is known once all were looked at. */
static void say_none(const struct model *m, struct logs *g)
{
	enum context chain[CONTEXT_CHAIN];
	enum log_window_asked where = log_window_unseen(&g->window);
	char key[KEY_NAME_MAX] = "Enter", n[FRAME_TIME_SIZE];

	g->text.none[0] = '\0';
	if (!where)
		return;
	if (g->text.typing != TEXTLOG_ONLY) {
		update_contexts(m, chain);
		keymap_key(m->keymap, chain, where == WINDOW_OLDER ?
			   ACT_PAGE_UP : ACT_PAGE_DOWN, key);
	}
	frame_count(g->window.looked, n);
	snprintf(g->text.none, sizeof(g->text.none),
		 g->window.asked ? "none yet in the %s lines looked at" :
				   "none yet in the %s lines looked at; %s "
				   "looks further", n, key);
}

static void logs_settle(struct model *m, void *state, struct area a)
{
	struct logs *g = state;

	if (g->retry_at && m->boot_ns >= g->retry_at &&
	    m->link == LINK_LIVE) {
		g->retry_at = 0;
		if (g->text.paused)
			open_broken(m, g);
		else
			open_anew(m, g);
	}
	say_state(m, g);
	log_window_refilter(&g->window);
	textlog_screen_settle(m, &g->text, a);
	if (log_window_settle(m, &g->window, older_arrived))
		open_anew(m, g);
	say_none(m, g);
}

static int64_t logs_wake(const struct model *m, const void *state)
{
	const struct logs *g = state;

	return m->link == LINK_LIVE ? g->retry_at : 0;
}

/* What is due is done as it settles. */
static void logs_tick(struct model *m, void *state)
{
	(void)m, (void)state;
}

static void look_at(struct model *m, struct logs *g, const char *id)
{
	auto_free char *wanted = xstrdup(id);

	if (g->n == 1 && strcmp(g->sources[0]->id, wanted) == 0)
		return;
	close_sources(m, g);
	textlog_clear(&g->text);
	g->text.paused = false;
	add_source(m, g, wanted);
}

void model_logs(struct model *m, const char *id)
{
	struct logs *g = m->state[SCREEN_LOGS];

	look_at(m, g, id);
	g->guessed = false;
	model_show(m, SCREEN_LOGS);
}

static char **source_ids(const struct logs *g)
{
	char **ids = xcalloc(g->n + 1, sizeof(*ids));

	for (size_t i = 0; i < g->n; i++)
		ids[i] = xstrdup(g->sources[i]->id);
	return ids;
}

/* The same sandboxes, from another beginning. */
static void set_since(struct model *m, struct logs *g, const char *since)
{
	char **ids = source_ids(g);

	free(g->since);
	g->since = *since ? xstrdup(since) : NULL;
	close_sources(m, g);
	textlog_clear(&g->text);
	for (char **id = ids; *id; id++)
		add_source(m, g, *id);
	strv_free(ids);
}

static bool is_since(const char *text, struct svm_err *err)
{
	int64_t ns;
	int minute;

	if (!*text || (duration_parse(text, &ns) == 0 && ns >= 0) ||
	    clock_parse_rfc3339(text, &ns) == 0 ||
	    parse_minute(text, &minute))
		return true;
	svm_err_set(err, SVM_BAD_REQUEST, "10m, 1h30m, 14:30 or "
		    "2026-01-31T12:00:00Z");
	return false;
}

static void since_typed(struct model *m, const char *text, void *data)
{
	set_since(m, data, text);
}

/* The sandbox that one comes from. */
static const struct sandbox *come_from(const struct model *m)
{
	const struct screen *from = screens[m->previous];
	const cJSON *o = from->subject ?
		from->subject(m, m->state[m->previous]) : NULL;

	return o ? fleet_find(&m->fleet, json_text(o, "id")) : NULL;
}

/* While nobody chose any: of where one comes from, or the newest that runs. */
static void logs_enter(struct model *m, void *state)
{
	struct logs *g = state;
	const struct sandbox *s = come_from(m);

	if (g->n && !g->guessed)
		return;
	for (size_t i = 0; !s && !g->n && i < m->fleet.n; i++)
		if (sandbox_is(m->fleet.all[i], "running"))
			s = m->fleet.all[i];
	if (!s)
		return;
	look_at(m, g, s->id);
	g->guessed = true;
}

/* Whose they are; of several in brief how many. */
static void title_sources(const struct logs *g, struct frame_parts *out)
{
	auto_buf struct buf ids = BUF_INIT;
	auto_free char *brief = g->n > 1 ? xasprintf("%zu sandboxes", g->n) :
					   NULL;

	for (size_t i = 0; i < g->n && i < 4; i++)
		buf_addf(&ids, "%s%s", i ? "  " : "", g->sources[i]->id);
	if (g->n > 4)
		buf_addf(&ids, " and %zu more", g->n - 4);
	if (g->n)
		frame_part(out, 0, brief, "%s " GLYPH_DOWN, buf_str(&ids));
	else
		frame_part(out, 0, NULL, "i chooses a sandbox");
}

static void logs_title(const struct logs *g, struct frame_parts *out)
{
	frame_part(out, 0, NULL, "LOGS");
	title_sources(g, out);
	frame_part(out, g->text.from == TEXTLOG_ANY ? 5 : 2, NULL,
		   "stream: %s", textlog_source_name(g->text.from));
	if (g->since)
		frame_part(out, 3, NULL, "since %s", g->since);
}

static void logs_view(const struct model *m, const void *state,
		      struct canvas *c, struct area a)
{
	const struct logs *g = state;
	struct frame_parts title = { .n = 0 }, corner = { .n = 0 };
	char said[LOG_WINDOW_SAID];
	const char *place = log_window_place(m, &g->window, said);

	logs_title(g, &title);
	if (*place)
		frame_part(&corner, 2, NULL, "%s", place);
	textlog_view(m, &g->text, c, a, &title, &corner, true);
}

static void chosen(struct model *m, size_t i, void *data)
{
	char **ids = data;

	model_logs(m, ids[i]);
}

static void free_ids(void *data)
{
	strv_free(data);
}

static void choose(struct model *m)
{
	struct menu_item *items;
	char **ids = xcalloc(m->fleet.n + 1, sizeof(*ids));
	char **labels = xcalloc(m->fleet.n + 1, sizeof(*labels));

	items = xcalloc(m->fleet.n + 1, sizeof(*items));
	for (size_t i = 0; i < m->fleet.n; i++) {
		const struct sandbox *s = m->fleet.all[i];

		ids[i] = xstrdup(s->id);
		labels[i] = xasprintf("%s %s %s", s->id, s->name, s->image);
		items[i].label = labels[i];
	}
	menu_open(m, "LOGS OF", items, m->fleet.n, chosen, ids, free_ids);
	free(items);
	strv_free(labels);
}

static void merge(struct model *m, struct logs *g)
{
	if (!fleet_marked(&m->fleet)) {
		model_say(m, "mark sandboxes first, with Space in their list");
		return;
	}
	close_sources(m, g);
	textlog_clear(&g->text);
	g->guessed = false;
	for (size_t i = 0; i < m->fleet.n; i++)
		if (sandbox_is_marked(m->fleet.all[i]))
			add_source(m, g, m->fleet.all[i]->id);
	if (fleet_marked(&m->fleet) > SOURCES_MAX)
		model_say(m, "the first %d of %zu", SOURCES_MAX,
			  fleet_marked(&m->fleet));
}

void model_logs_marked(struct model *m)
{
	merge(m, m->state[SCREEN_LOGS]);
	if (fleet_marked(&m->fleet))
		model_show(m, SCREEN_LOGS);
}

static const cJSON *logs_subject(const struct model *m, const void *state)
{
	const struct logs *g = state;
	const struct sandbox *s =
		g->n ? fleet_find(&m->fleet, g->sources[0]->id) : NULL;

	return s ? s->json : NULL;
}

/* What is opened from here is the sandbox. */
static bool logs_empty(const struct model *m, const void *state)
{
	(void)m;
	return !((const struct logs *)state)->n;
}

static void save(struct model *m, const char *path, void *data)
{
	struct logs *g = data;
	auto_free char *local = prompt_path(path);
	auto_free char *since = since_of(m, g);
	char **ids;

	if (!g->n) {
		textlog_save(m, &g->text, local);
		return;
	}
	ids = source_ids(g);
	log_save(m, &(struct log_save_options){
			    .ids = ids, .since = since,
			    .since_said = g->since, .path = local,
			    .times = g->text.times,
			    .saving = &g->saving, .here = &g->text });
	strv_free(ids);
}

static bool logs_act(struct model *m, void *state, enum action a)
{
	struct logs *g = state;

	if (log_window_act(&g->window, a)) {
		model_say(m, "the search was stopped");
		return true;
	}
	switch (a) {
	case ACT_SOURCE:
		choose(m);
		return true;
	case ACT_MERGE:
		merge(m, g);
		return true;
	case ACT_SAVE:
		if (g->saving.now) {
			model_say(m, "one is being saved; Esc stops it");
			return true;
		}
		prompt_open(m, &(struct prompt){
				       .title = "SAVE LOGS",
				       .label = "local file, for all there is",
				       .text = g->n ? g->sources[0]->id : "",
				       .past = PAST_LOCAL,
				       .writes = prompt_writes_it,
				       .done = save,
				       .data = g });
		return true;
	case ACT_SINCE:
		prompt_open(m, &(struct prompt){
				       .title = "LOGS SINCE",
				       .label = "10m, 1h, 14:30, a time",
				       .text = g->since,
				       .past = PAST_SINCE,
				       .check = is_since,
				       .done = since_typed,
				       .data = g });
		return true;
	case ACT_BACK:
		if (g->saving.now) {
			g->saving.now = 0;
			model_say(m, "stopped; nothing was saved");
			return true;
		}
		if (textlog_act(m, &g->text, a))
			return true;
		if (!g->since)
			return false;
		set_since(m, g, "");
		return true;
	case ACT_OPEN:
		if (g->n)
			model_open(m, g->sources[0]->id, WORKSPACE_FILES);
		return true;
	default:
		return textlog_act(m, &g->text, a);
	}
}

/* Whose logs they are. */
static uint64_t logs_place(const struct model *m, const void *state)
{
	const struct logs *g = state;
	uint64_t h = 0;

	(void)m;
	for (size_t i = 0; i < g->n; i++)
		h = message_place(h, g->sources[i]->id);
	return h;
}

const struct screen screen_logs = {
	.name = "logs",
	.title = "LOGS",
	.make = logs_make,
	.release = logs_release,
	.enter = logs_enter,
	.view = logs_view,
	.settle = logs_settle,
	.wake = logs_wake,
	.tick = logs_tick,
	.context = CTX_LOGS,
	.subject = logs_subject,
	.empty = logs_empty,
	.act = logs_act,
	.input = textlog_screen_input,
	.place = logs_place,
	.typing = textlog_screen_typing,
	.status = textlog_screen_status,
};
