/* SPDX-License-Identifier: MIT */
/*
 * A long log and the screen that shows it: the test tells its lines, and
 * answers as the daemon would when older or newer ones are asked for.
 */
#ifndef SVM_TESTS_LOG_FIXTURE_H
#define SVM_TESTS_LOG_FIXTURE_H

#include "tests/unit/model-fixture.h"
#include "tui/textlog.h"

#define LOGS "/api/v1/sandboxes/sb-7f3a91c2/logs"
#define LINES 12000 /* those there are */
#define STEP 10     /* from one to the next */

/* screen-logs.c begins with it. */
static inline struct textlog *text_of(const struct model *m)
{
	return m->state[SCREEN_LOGS];
}

static inline void add(struct buf *out, int i)
{
	buf_addf(out, "{\"time\":\"2026-03-01T11:00:00Z\",\"stream\":"
		      "\"stdout\",\"line\":\"line %d.\",\"at\":%d}", i,
		 i * STEP);
}

static void (*add_line_as)(struct buf *out, int i) = add;

static inline struct stream *stream(const struct model *m)
{
	struct list *pos, *tmp;
	struct stream *s = NULL;

	list_for_each_safe(pos, tmp, &m->streams) {
		struct stream *x = list_entry(pos, struct stream, link);

		if (!x->closed && strstr(x->target, "/logs?follow"))
			s = x;
	}
	assert_non_null(s);
	return s;
}

static inline void come(struct model *m, int from, int to)
{
	for (int i = from; i < to; i++) {
		auto_buf struct buf line = BUF_INIT;

		add_line_as(&line, i);
		fixture_line(m, stream(m), buf_str(&line));
	}
}

/* As the daemon would; "" when it wasn't asked.  The query, the caller's. */
static inline char *answer(struct model *m, int lines)
{
	struct request *r = fixture_request(m, "GET");
	const char *before, *after;
	int from, to;
	char *query;

	if (!r || !strstr(r->target, "/logs?"))
		return xstrdup("");
	query = xstrdup(strchr(r->target, '?'));
	before = strstr(query, "before=");
	after = strstr(query, "after=");
	assert_true(!before != !after);
	to = before ? MIN((atoi(before + 7) + STEP - 1) / STEP, lines) : lines;
	from = before ? MAX(to - 1000, 0) : atoi(after + 6) / STEP + 1;
	to = MIN(to, from + 1000);
	/* Another may be on its way, of an earlier turn. */
	list_remove(&r->link);
	m->waiting--;
	buf_addch(&r->reply, '[');
	for (int i = from; i < to; i++) {
		if (i > from)
			buf_addch(&r->reply, ',');
		add_line_as(&r->reply, i);
	}
	buf_addch(&r->reply, ']');
	request_done(m, r);
	request_free(r);
	update_settle(m);
	assert_true(text_of(m)->n <= LIMIT_TUI_LINES);
	return query;
}

static inline bool is_asked(struct model *m)
{
	struct request *r = fixture_request(m, "GET");

	return r && strstr(r->target, "/logs?");
}

/* The last thousand lines of it. */
static inline struct model *start(void **state)
{
	struct model *m = fixture_model(24, 100);

	(void)state;
	fixture_keys(m, "j l");
	come(m, LINES - 1000, LINES);
	return m;
}

#endif
