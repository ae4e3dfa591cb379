/* SPDX-License-Identifier: MIT */
/* A part of a long log.  See log-window.h. */
#include "tui/log-window.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/urlenc.h"
#include "tui/textlog-internal.h"

#define PAGE 1000 /* lines at a time */

void log_window_release(struct log_window *w)
{
	free(w->id);
	free(w->since);
}

void log_window_begin(struct log_window *w, const char *id,
		      const char *since)
{
	struct log_window new = { .text = w->text, .turn = w->turn + 1 };

	new.id = xstrdup(id);
	new.since = xstrdup(since);
	log_window_release(w);
	*w = new;
}

void log_window_forget(struct log_window *w)
{
	w->asked = WINDOW_STILL;
	w->turn++;
	w->begun = w->cleared = false;
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

static uint64_t first_at(const struct textlog *t)
{
	return t->n ? textlog_at(t, 0)->at : 0;
}

static uint64_t last_at(const struct textlog *t)
{
	return t->n ? textlog_at(t, t->n - 1)->at : 0;
}

/* At the end; where there is no room the first one goes. */
static void append(struct log_window *w, const char *text,
		   const struct textlog_line *about)
{
	if (w->text->n == LIMIT_TUI_LINES)
		w->begun = w->cleared = false;
	textlog_add_line(w->text, text, strlen(text), about);
}

void log_window_line(struct log_window *w, const char *text,
		     const struct textlog_line *about)
{
	struct textlog *t = w->text;

	if (!w->id || !about->at) {
		append(w, text, about);
		return;
	}
	w->last = MAX(w->last, about->at);
	if (about->at <= last_at(t)) /* it came on the other way */
		return;
	/* What one reads doesn't go for what one doesn't. */
	w->behind |= t->paused && t->n == LIMIT_TUI_LINES;
	if (w->behind)
		textlog_miss(t, &(struct textlog_line){
					.text = (char *)(uintptr_t)text,
					.tag = about->tag,
					.from = about->from });
	else
		append(w, text, about);
}

/* -- asking */

static void ask(struct model *m, struct log_window *w,
		enum log_window_asked what, request_fn done)
{
	uint64_t at = what == WINDOW_OLDER ? first_at(w->text) :
					     last_at(w->text);
	auto_buf struct buf rest = BUF_INIT;
	struct request *r;

	buf_addf(&rest, "/logs?details=true&lines=%d&%s=%llu", PAGE,
		 what == WINDOW_OLDER ? "before" : "after",
		 (unsigned long long)at - 1);
	if (w->since) {
		buf_addstr(&rest, "&since=");
		urlenc_encode(&rest, w->since, strlen(w->since));
	}
	r = request_new("GET", request_sandbox(w->id, buf_str(&rest)), done);
	r->about = xasprintf("%u", ++w->turn);
	r->doing = xasprintf("older lines of %s", w->id);
	w->asked = what;
	request_send(m, r);
}

bool log_window_settle(struct model *m, struct log_window *w, request_fn done)
{
	const struct textlog *t = w->text;
	size_t n;

	if (!t->paused)
		w->read = w->last;
	if (!w->id || !t->n)
		return false;
	if (!t->paused)
		return w->behind;
	if (w->asked)
		return false;
	n = textlog_count(t);
	if (t->top == 0 && !w->begun && !w->cleared && first_at(t) > 1)
		ask(m, w, WINDOW_OLDER, done);
	else if (w->behind && t->top + t->height >= n && last_at(t))
		ask(m, w, WINDOW_NEWER, done);
	return false;
}

void log_window_act(struct log_window *w, enum action a)
{
	w->rush = a == ACT_TOP;
	if (a != ACT_CLEAR)
		return;
	w->cleared = true;
	w->behind = false;
	w->asked = WINDOW_STILL;
	w->turn++;
}

/* -- answers */

static void put_older(struct log_window *w, const cJSON *list)
{
	struct textlog *t = w->text;
	const cJSON *v = list->child ? list->child->prev : NULL;

	/* From the last one on: the list is a ring backwards. */
	for (int i = cJSON_GetArraySize(list); i > 0; i--, v = v->prev) {
		struct textlog_line about;
		const char *text = log_window_parse(v, &about);

		if (text)
			w->behind |= textlog_put_before(t, text, strlen(text),
							&about);
	}
	w->begun = cJSON_GetArraySize(list) < PAGE;
	if (w->rush)
		t->top = t->at = 0;
}

/* It may have been counted when it came. */
static void append_newer(struct log_window *w, const char *text,
			 const struct textlog_line *about)
{
	struct textlog *t = w->text;
	struct textlog_line *l;

	append(w, text, about);
	l = textlog_at(t, t->n - 1);
	l->fresh = about->at > w->read;
	if (l->fresh && about->at <= w->last && t->missed)
		t->missed -= textlog_shows(t, l);
}

static void put_newer(struct log_window *w, const cJSON *list)
{
	const cJSON *v;

	cJSON_ArrayForEach(v, list) {
		struct textlog_line about;
		const char *text = log_window_parse(v, &about);

		if (!text || (about.at && about.at <= last_at(w->text)))
			continue;
		append_newer(w, text, &about);
	}
	w->behind = list->child && last_at(w->text) < w->last;
}

void log_window_arrived(struct log_window *w, struct request *r)
{
	auto_json struct json_doc doc = JSON_DOC_INIT;
	auto_free char *turn = xasprintf("%u", w->turn);
	enum log_window_asked asked = w->asked;
	cJSON *list;

	if (!asked || strcmp(turn, r->about) != 0) {
		svm_err_release(&r->err);
		return;
	}
	w->asked = WINDOW_STILL;
	list = request_array(r, &doc);
	if (list && asked == WINDOW_OLDER)
		put_older(w, list);
	else if (list)
		put_newer(w, list);
	else
		w->begun = asked == WINDOW_OLDER; /* not again and again */
}

const char *log_window_place(const struct model *m,
			     const struct log_window *w)
{
	bool ascii = m->set.ascii;

	if (w->asked)
		return w->asked == WINDOW_OLDER ?
			       (ascii ? "loading older..." :
					"loading older\u2026") :
			       (ascii ? "loading newer..." :
					"loading newer\u2026");
	if (!w->id || !w->text->n || w->text->top)
		return "";
	if (w->cleared)
		return "cleared above";
	return w->begun || first_at(w->text) == 1 ? "beginning of the log" :
						    "";
}
