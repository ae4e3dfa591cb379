/* SPDX-License-Identifier: MIT */
/* Whole logs into a file.  See log-save.h. */
#include "tui/log-save.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/urlenc.h"
#include "tui/frame.h"
#include "tui/log-line.h"

#define PAGE LIMIT_LOG_LINES

struct saved {
	char *text;
	int64_t wall_ns; /* 0: unknown */
	int64_t order;   /* of its sandbox's never goes back */
	enum textlog_source from;
	size_t of, at;   /* of which sandbox, its how manieth from the end */
};

struct log_save {
	char **ids;
	char *since, *since_said, *path;
	bool times;
	struct log_saving *saving;
	unsigned turn;
	const struct textlog *here;
	struct saved *lines; /* from the end, one sandbox after the other */
	size_t n, room;
	size_t of;           /* the one that is asked for */
};

static void save_free(void *data)
{
	struct log_save *s = data;

	for (size_t i = 0; i < s->n; i++)
		free(s->lines[i].text);
	free(s->lines);
	strv_free(s->ids);
	free(s->since);
	free(s->since_said);
	free(s->path);
	free(s);
}

static void end(struct log_save *s)
{
	if (s->saving->now == s->turn)
		s->saving->now = 0;
	save_free(s);
}

static void say_count(size_t n, char out[FRAME_TIME_SIZE + 8])
{
	char count[FRAME_TIME_SIZE];

	frame_count(n, count);
	snprintf(out, FRAME_TIME_SIZE + 8, "%s line%s", count,
		 n == 1 ? "" : "s");
}

/* -- the file */

static int by_time(const void *a, const void *b)
{
	const struct saved *x = a, *y = b;

	if (x->of == y->of)
		return (x->at < y->at) - (x->at > y->at);
	if (x->order != y->order)
		return x->order < y->order ? -1 : 1;
	return (x->of > y->of) - (x->of < y->of);
}

/* What has no time is as old as what follows it, and no line is younger than
 * the next of its sandbox, however the clock was set. */
static void set_orders(struct log_save *s)
{
	for (size_t i = 0; i < s->n; i++) {
		struct saved *l = &s->lines[i];
		const struct saved *next = i && s->lines[i - 1].of == l->of ?
						   &s->lines[i - 1] : NULL;

		l->order = l->wall_ns ? l->wall_ns : INT64_MAX;
		if (next)
			l->order = MIN(l->order, next->order);
	}
}

static void add_line(const struct log_save *s, const struct saved *l,
		     struct buf *out)
{
	char when[CLOCK_RFC3339_SIZE] = "-";

	if (s->times && l->wall_ns)
		clock_format_rfc3339(l->wall_ns, when);
	if (s->times)
		buf_addf(out, "%s %s ", when, textlog_source_name(l->from));
	if (s->ids[1])
		buf_addf(out, "%s ", s->ids[l->of]);
	buf_addstr(out, l->text);
	buf_addch(out, '\n');
}

static void kept(struct model *m, struct request *r)
{
	struct log_save *s = r->data;
	char count[FRAME_TIME_SIZE + 8];

	if (r->err.code == SVM_OK) {
		/* Some lines of the log are several of a file. */
		say_count(textlog_newlines(&r->body), count);
		model_say(m, "saved %s%s%s to %s%s", count,
			  s->since_said ? " since " : "",
			  s->since_said ? s->since_said : "", s->path,
			  *field_text(&s->here->only) ||
					  s->here->from != TEXTLOG_ANY ?
				  ", also what is filtered out" : "");
	}
	end(s);
}

static void keep(struct model *m, struct log_save *s)
{
	struct request *r = request_new(REQUEST_KEEP, xstrdup(s->path), kept);

	set_orders(s);
	if (s->n)
		qsort(s->lines, s->n, sizeof(*s->lines), by_time);
	for (size_t i = 0; i < s->n; i++)
		add_line(s, &s->lines[i], &r->body);
	r->download = xstrdup(s->path);
	r->data = s;
	r->forget = save_free;
	r->doing = xstrdup("save the log");
	request_send(m, r);
}

/* -- pages */

static void add_page(struct log_save *s, const cJSON *list, uint64_t *ret_first)
{
	struct log_page page = log_page_end(list);
	struct textlog_line about;
	const char *text;

	*ret_first = 0;
	while ((text = log_page_prev(&page, &about))) {
		if (s->n == s->room) {
			s->room = s->room ? s->room * 2 : 1024;
			s->lines = xreallocarray(s->lines, s->room,
						 sizeof(*s->lines));
		}
		s->lines[s->n] = (struct saved){
			.text = xstrdup(text), .wall_ns = about.wall_ns,
			.from = about.from, .of = s->of, .at = s->n };
		s->n++;
		*ret_first = about.at;
	}
}

static void ask(struct model *m, struct log_save *s, uint64_t before);

/* To the sandbox that follows, or to the file. */
static void next(struct model *m, struct log_save *s)
{
	s->of++;
	if (s->ids[s->of])
		ask(m, s, 0);
	else
		keep(m, s);
}

static void arrived(struct model *m, struct request *r)
{
	auto_json struct json_doc doc = JSON_DOC_INIT;
	struct log_save *s = r->data;
	char count[FRAME_TIME_SIZE + 8];
	const cJSON *list;
	uint64_t first;

	if (s->saving->now != s->turn) {
		svm_err_release(&r->err);
		end(s);
		return;
	}
	/* Its log went with it: of what is here, better some than none. */
	if (r->err.code == SVM_NOT_FOUND) {
		svm_err_release(&r->err);
		textlog_save(m, s->here, s->path);
		end(s);
		return;
	}
	list = request_array(r, &doc);
	if (!list) {
		end(s);
		return;
	}
	add_page(s, list, &first);
	if (cJSON_GetArraySize(list) < PAGE || first <= 1) {
		next(m, s);
		return;
	}
	say_count(s->n, count);
	model_progress(m, "saving, %s so far; Esc stops it", count);
	ask(m, s, first - 1);
}

static void ask(struct model *m, struct log_save *s, uint64_t before)
{
	auto_buf struct buf rest = BUF_INIT;
	struct request *r;

	buf_addf(&rest, "/logs?details=true&lines=%d", PAGE);
	if (before)
		buf_addf(&rest, "&before=%llu", (unsigned long long)before);
	if (s->since) {
		buf_addstr(&rest, "&since=");
		urlenc_encode(&rest, s->since, strlen(s->since));
	}
	r = request_new("GET", request_sandbox(s->ids[s->of], buf_str(&rest)),
			arrived);
	r->data = s;
	r->forget = save_free;
	r->doing = xasprintf("save the log of %s", s->ids[s->of]);
	request_send(m, r);
}

void log_save(struct model *m, const struct log_save_options *o)
{
	struct log_save *s = xcalloc(1, sizeof(*s));
	size_t n = 0;

	while (o->ids[n])
		n++;
	s->ids = xcalloc(n + 1, sizeof(*s->ids));
	for (size_t i = 0; i < n; i++)
		s->ids[i] = xstrdup(o->ids[i]);
	s->since = xstrdup(o->since);
	s->since_said = xstrdup(o->since_said);
	s->path = xstrdup(o->path);
	s->times = o->times;
	s->saving = o->saving;
	s->turn = s->saving->now = ++s->saving->last;
	s->here = o->here;
	ask(m, s, 0);
}
