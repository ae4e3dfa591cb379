/* SPDX-License-Identifier: MIT */
/* A long log: its end first, older lines on demand, no more than are kept. */
#include <locale.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/log-fixture.h"
#include "tui/log-window.h"
#include "tui/textlog-internal.h"

/* A log whose beginning is lost says so once, however it was come to. */
static void test_log_window__lost_once(void **state)
{
	struct model *m = fixture_model(24, 100);

	(void)state;
	fixture_keys(m, "j l");
	fixture_line(m, stream(m), "{\"stream\":\"system\",\"line\":"
				   "\"[... 99 bytes lost ...]\"}");
	come(m, 500, 510);
	assert_shown(m, "99 bytes lost");
	fixture_keys(m, "g");
	assert_false(is_asked(m));
	assert_shown(m, "beginning of the log");
	fixture_free(m);
}

static void test_log_window__back_and_forth(void **state)
{
	struct model *m = start(state);
	char *query;

	assert_shown(m, "line 11999.");
	assert_false(is_asked(m)); /* nobody wants them yet */
	fixture_keys(m, "g");
	assert_shown(m, "line 11000.");
	assert_shown(m, "loading older\u2026");
	for (int i = 0; i < 20; i++) {
		query = answer(m, LINES);
		free(query);
	}
	assert_false(is_asked(m));
	assert_shown(m, "line 0.");
	assert_shown(m, "beginning of the log");
	assert_int_equal(text_of(m)->n, LIMIT_TUI_LINES);
	/* Who reads there is not disturbed by what comes. */
	come(m, LINES, LINES + 1);
	assert_shown(m, "line 0.");
	assert_shown(m, "+1 new");
	for (int i = 0; i < 1000; i++) {
		fixture_keys(m, "PageDown");
		query = answer(m, LINES + 1);
		free(query);
	}
	assert_shown(m, "line 12000.");
	assert_shown(m, "+1 new");
	assert_not_shown(m, "beginning");
	/* There is no room for more while one reads. */
	come(m, LINES + 1, LINES + 2);
	assert_not_shown(m, "line 12001.");
	fixture_keys(m, "G");
	come(m, LINES - 998, LINES + 2);
	assert_shown(m, "line 12001.");
	assert_shown(m, "following");
	fixture_free(m);
}

/* A page at a time; what is in view stays where it is. */
static void test_log_window__by_lines(void **state)
{
	struct model *m = start(state);
	char *query;

	fixture_keys(m, "g j k");
	assert_shown(m, "line 11000.");
	query = answer(m, LINES);
	assert_non_null(strstr(query, "before=110000"));
	free(query);
	assert_shown(m, "line 11000.");
	assert_not_shown(m, "line 10999.");
	assert_not_shown(m, "loading");
	fixture_keys(m, "k");
	assert_shown(m, "line 10999.");
	assert_false(is_asked(m));
	fixture_free(m);
}

/* From far back to the end, with a stream that tells of it once more. */
static void test_log_window__to_the_end(void **state)
{
	struct model *m = start(state);
	struct stream *old = stream(m);

	fixture_keys(m, "g");
	for (int i = 0; i < 20; i++)
		free(answer(m, LINES));
	assert_shown(m, "line 0.");
	fixture_keys(m, "G");
	assert_true(old->closed);
	assert_ptr_not_equal(stream(m), old);
	assert_not_shown(m, "nothing yet"); /* what was there stays so long */
	come(m, LINES - 500, LINES + 500);
	assert_int_equal(text_of(m)->n, 1000);
	assert_shown(m, "line 12499.");
	fixture_keys(m, "g");
	assert_shown(m, "line 11500.");
	assert_true(is_asked(m));
	fixture_free(m);
}

/* Where it is full and one reads, nothing goes for what comes. */
static void test_log_window__full(void **state)
{
	struct model *m = fixture_model(24, 100);
	const struct textlog *t = text_of(m);

	(void)state;
	fixture_keys(m, "j l");
	come(m, LINES - LIMIT_TUI_LINES, LINES);
	fixture_keys(m, "PageUp");
	come(m, LINES, LINES + 10);
	assert_int_equal(t->n, LIMIT_TUI_LINES);
	assert_string_equal(t->lines[t->first].text, "line 7000.");
	assert_shown(m, "+10 new");
	/* Who follows has what is new. */
	fixture_keys(m, "G");
	come(m, LINES - 990, LINES + 10);
	come(m, LINES + 10, LINES + 5000);
	assert_int_equal(t->n, LIMIT_TUI_LINES);
	assert_shown(m, "line 16999.");
	fixture_free(m);
}

/* An answer to what was asked before something else was. */
static void test_log_window__too_late(void **state)
{
	struct model *m = start(state);
	struct request *r;

	fixture_keys(m, "g");
	r = fixture_request(m, "GET");
	list_remove(&r->link);
	m->waiting--;
	fixture_keys(m, "S");
	fixture_type(m, "1h");
	fixture_keys(m, "Enter");
	come(m, LINES - 100, LINES);
	fixture_keys(m, "g");
	assert_true(is_asked(m));
	buf_addstr(&r->reply, "[]");
	request_done(m, r);
	request_free(r);
	update_settle(m);
	assert_shown(m, "loading older");
	free(answer(m, LINES));
	assert_int_equal(text_of(m)->n, 1100);
	fixture_free(m);
}

/* An answer for another log, or one that isn't one, changes nothing. */
static void test_log_window__stale_and_bad(void **state)
{
	static const char *const bad[] = {
		"7", "{}", "[7,null,{},[]]", "[]",
		"[{\"line\":7},{\"line\":\"x\",\"at\":-1}]",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct model *m = start(state);

		fixture_keys(m, "g");
		fixture_answer(m, "GET", LOGS, SVM_OK, bad[i]);
		assert_true(text_of(m)->n <= 1001);
		assert_shown(m, "line 11001.");
		assert_false(is_asked(m)); /* not again and again */
		fixture_free(m);
	}
	struct model *m = start(state);

	fixture_keys(m, "g S");
	fixture_type(m, "1h");
	fixture_keys(m, "Enter");
	free(answer(m, LINES));
	assert_int_equal(text_of(m)->n, 0);
	come(m, LINES - 100, LINES);
	fixture_keys(m, "g");
	char *query = answer(m, LINES);
	assert_non_null(strstr(query, "since=1h"));
	free(query);
	fixture_free(m);
}

/* Cleared, of a daemon that doesn't say where lines are: nothing is asked
 * for. */
static void test_log_window__not_asked(void **state)
{
	struct model *m = start(state);

	fixture_keys(m, "c");
	come(m, LINES, LINES + 50);
	fixture_keys(m, "g");
	assert_false(is_asked(m));
	assert_shown(m, "cleared above");
	fixture_free(m);
	m = fixture_model(24, 100);
	fixture_keys(m, "j l");
	for (int i = 0; i < 50; i++)
		fixture_line(m, stream(m), "{\"line\":\"x\"}");
	fixture_keys(m, "g");
	assert_false(is_asked(m));
	fixture_free(m);
}

/* Of a terminal's output what can be read is shown; of a program's all. */
static void test_log_window__of_a_terminal(void **state)
{
	struct model *m = fixture_model(24, 100);

	(void)state;
	fixture_keys(m, "j l");
	fixture_line(m, stream(m), "{\"stream\":\"pty\",\"at\":0,\"line\":"
		     "\"\\u001b[?2004h$ \\u001b[1;31mmake\\u001b[m\"}");
	fixture_line(m, stream(m), "{\"stream\":\"stdout\",\"at\":9,\"line\":"
		     "\"\\u001b[1mbold\"}");
	assert_shown(m, "$ make");
	assert_not_shown(m, "2004h");
	assert_shown(m, "^[[1mbold");
	/* What a filter counts is what it shows. */
	fixture_keys(m, "& m a k e Enter Space");
	fixture_line(m, stream(m), "{\"stream\":\"pty\",\"at\":30,\"line\":"
		     "\"ma\\u001b[1mke\"}");
	assert_shown(m, "+1 new");
	fixture_free(m);
}

/* What is painted over what was is read below it, unless one asks how it was
 * written. */
static void test_log_window__repaints(void **state)
{
	struct model *m = fixture_model(24, 100);

	(void)state;
	fixture_keys(m, "j l");
	fixture_line(m, stream(m), "{\"stream\":\"pty\",\"at\":0,\"line\":"
		     "\"\\u001b[H\\u001b[2J  one\\u001b[3;1H\\u001b[K\\u001b[H"
		     "two\\r   \\rthree\\u001b[m\"}");
	assert_int_equal(text_of(m)->n, 3);
	/* The log has one line, not three. */
	assert_shown(m, " 1 line + 2 repaints \u00b7 3/5 000 kept");
	assert_shown(m, "\u2502  one  ");
	assert_shown(m, "\u2502two  ");
	assert_shown(m, "\u2502three  ");
	fixture_keys(m, "R");
	assert_shown(m, "\u2502^[[H^[[2J  one  ");
	assert_shown(m, "\u2502^[[3;1H^[[K^[[Htwo  ");
	assert_shown(m, "\u2502^M   ^Mthree^[[m  ");
	/* Filters and searches are about what is shown. */
	fixture_keys(m, "& [ 3 ; Enter");
	assert_shown(m, "1 shown");
	fixture_keys(m, "R");
	assert_shown(m, "no line matches");
	fixture_free(m);
	m = fixture_model(24, 100);
	fixture_keys(m, "j l");
	come(m, 0, 10);
	assert_shown(m, "10/5 000 kept");
	assert_not_shown(m, "repaint");
	fixture_free(m);
}

/* As the daemon tells line i, in three repaints. */
static void add_painted(struct buf *out, int i)
{
	buf_addf(out, "{\"stream\":\"pty\",\"line\":\"%d\\r%d\\r%d\","
		      "\"at\":%d}", 3 * i, 3 * i + 1, 3 * i + 2, i * STEP);
}

/* Neither twice nor missing: what is here is without gaps. */
static void assert_in_order(const struct textlog *t)
{
	for (size_t i = 1; i < t->n; i++)
		if (atoi(textlog_line(t, i)->text) !=
		    atoi(textlog_line(t, i - 1)->text) + 1)
			fail_msg("%s after %s", textlog_line(t, i)->text,
				 textlog_line(t, i - 1)->text);
}

/* Of a line that is partly here, older or newer, the rest comes. */
static void test_log_window__repaints_cut(void **state)
{
	struct model *m = fixture_model(24, 100);
	const struct textlog *t = text_of(m);

	(void)state;
	add_line_as = add_painted;
	fixture_keys(m, "j l");
	come(m, 2000, 4000);
	assert_int_equal(t->n, LIMIT_TUI_LINES);
	assert_string_equal(textlog_line(t, 0)->text, "7000");
	fixture_keys(m, "g");
	for (int i = 0; i < 20; i++) {
		free(answer(m, 4000));
		assert_in_order(t);
	}
	assert_string_equal(textlog_line(t, 0)->text, "0");
	assert_int_equal(t->n, LIMIT_TUI_LINES);
	for (int i = 0; i < 1000; i++) {
		fixture_keys(m, "PageDown");
		free(answer(m, 4000));
		assert_in_order(t);
	}
	assert_string_equal(textlog_line(t, t->n - 1)->text, "11999");
	fixture_free(m);
	add_line_as = add;
}

/* The daemon went, and is there again; then the sandbox goes. */
static void test_log_window__reconnects(void **state)
{
	struct model *m = start(state);
	struct stream *old = stream(m);

	fixture_broken(m, old, SVM_UNREACHABLE, "gone");
	assert_shown(m, "waiting for the daemon");
	assert_ptr_equal(stream(m), old);
	fixture_time(m, INT64_C(1100000000));
	m->link = LINK_LOST;
	update_tick(m);
	assert_ptr_equal(stream(m), old);
	m->link = LINK_LIVE;
	assert_true(update_wake(m) <= m->boot_ns);
	update_tick(m);
	assert_ptr_not_equal(stream(m), old);
	come(m, LINES - 500, LINES + 500);
	assert_shown(m, "following");
	assert_shown(m, "line 12499.");
	assert_int_equal(text_of(m)->n, 1000);
	/* Who reads stays there; what nobody told of is found below. */
	fixture_keys(m, "PageUp");
	fixture_broken(m, stream(m), SVM_UNREACHABLE, "gone");
	fixture_time(m, INT64_C(1100000000));
	update_tick(m);
	come(m, LINES + 1000, LINES + 2000);
	assert_shown(m, "paused");
	assert_shown(m, "line 12481.");
	assert_shown(m, "+1 000 new");
	fixture_keys(m, "PageDown PageDown");
	free(answer(m, LINES + 2000));
	assert_shown(m, "line 12499.");
	for (int i = 0; i < 90; i++) {
		fixture_keys(m, "PageDown");
		free(answer(m, LINES + 2000));
	}
	assert_shown(m, "line 13999.");
	assert_shown(m, "+1 500 new");
	fixture_keys(m, "G");
	stream(m)->err.code = SVM_OK;
	fixture_broken(m, stream(m), SVM_OK, "");
	assert_shown(m, "ended");
	/* Refused: it is said, and not asked for again and again. */
	fixture_keys(m, "S");
	fixture_type(m, "1h");
	fixture_keys(m, "Enter");
	fixture_broken(m, stream(m), SVM_FORBIDDEN, "not yours");
	assert_shown(m, "logs of sb-7f3a91c2: not yours");
	old = stream(m);
	fixture_time(m, INT64_C(5000000000));
	update_tick(m);
	assert_ptr_equal(stream(m), old);
	fixture_free(m);
}

/* -- of several */

static struct stream *stream_of(const struct model *m, const char *id)
{
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &m->streams) {
		struct stream *s = list_entry(pos, struct stream, link);

		if (!s->closed && strstr(s->target, id) &&
		    strstr(s->target, "/logs?follow"))
			return s;
	}
	fail_msg("%s isn't followed", id);
	return NULL;
}

/* The i-th line of a log that has one each `every` seconds. */
static void add_timed(struct buf *out, const char *id, int every, int i)
{
	int s = i * every;

	buf_addf(out, "{\"time\":\"2026-03-01T%02d:%02d:%02dZ\",\"line\":"
		      "\"%.4s %d.\",\"at\":%d}", s / 3600, s / 60 % 60,
		 s % 60, id, s, i * STEP);
}

static const struct {
	const char *id;
	int every, lines; /* all end at the same time */
} logs[] = {
	{ "sb-7f3a91c2", 1, 12000 }, { "sb-2c8e04d7", 1000, 12 },
	{ "sb-1e90cf33", 4, 3000 },
};

static void come_of(struct model *m, size_t of, int from, int to)
{
	for (int i = from; i < to; i++) {
		auto_buf struct buf line = BUF_INIT;

		add_timed(&line, logs[of].id, logs[of].every, i);
		fixture_line(m, stream_of(m, logs[of].id), buf_str(&line));
	}
}

/* As the daemon would; false when it wasn't asked. */
static bool answer_of_several(struct model *m, int more)
{
	struct request *r = fixture_request(m, "GET");
	const char *before, *after;
	size_t of = 0;
	int from, to, all;

	if (!r || !strstr(r->target, "/logs?"))
		return false;
	while (!strstr(r->target, logs[of].id))
		assert_true(++of < ARRAY_SIZE(logs));
	before = strstr(r->target, "before=");
	after = strstr(r->target, "after=");
	all = logs[of].lines + more;
	to = before ? MIN(atoi(before + 7) / STEP, all) : all;
	from = before ? MAX(to - 1000, 0) :
	       after  ? atoi(after + 6) / STEP + 1 : 0;
	to = before ? to : MIN(to, from + 1000);
	list_remove(&r->link);
	m->waiting--;
	buf_addch(&r->reply, '[');
	for (int i = from; i < to; i++) {
		if (i > from)
			buf_addch(&r->reply, ',');
		add_timed(&r->reply, logs[of].id, logs[of].every, i);
	}
	buf_addch(&r->reply, ']');
	request_done(m, r);
	request_free(r);
	update_settle(m);
	return true;
}

/* Those in view belong there, and none is missing between them. */
static void assert_whole(const struct model *m)
{
	const struct textlog *t = text_of(m);
	int last = -1;

	for (size_t i = 0; i < t->n; i++) {
		const struct textlog_line *l = textlog_line(t, i);
		int at = atoi(l->text + 5);

		if (t->orders.set && (l->order < t->orders.least ||
				      l->order > t->orders.most))
			continue;
		assert_true(at >= last);
		/* Every second has a line of the first log. */
		if (last >= 0 && at - last > 1 && at < logs[0].lines)
			fail_msg("%d follows %d", at, last);
		last = at;
	}
	assert_true(t->n <= LIMIT_TUI_LINES);
}

static struct model *start_several(void)
{
	struct model *m = fixture_model(24, 100);

	for (size_t i = 0; i < ARRAY_SIZE(logs); i++)
		fleet_find(&m->fleet, logs[i].id)->marked = true;
	fixture_keys(m, "2 a");
	for (size_t i = 0; i < ARRAY_SIZE(logs); i++)
		come_of(m, i, MAX(logs[i].lines - 1000, 0), logs[i].lines);
	return m;
}

/* Each tells of another time: what one doesn't tell of isn't shown. */
static void test_log_window__merged(void **state)
{
	struct model *m = start_several();
	const struct textlog *t = text_of(m);

	(void)state;
	assert_shown(m, "sb-7 11999.");
	assert_shown(m, "sb-1 11996.");
	assert_int_equal(t->n, 2012);
	fixture_keys(m, "g");
	assert_shown(m, "sb-7 11000.");
	assert_shown(m, "sb-2 11000.");
	assert_not_shown(m, "sb-2 10000.");
	assert_shown(m, "loading older");
	assert_whole(m);
	for (int i = 0; i < 40 && answer_of_several(m, 0); i++)
		assert_whole(m);
	assert_false(is_asked(m));
	assert_shown(m, "sb-7 0.");
	assert_shown(m, "sb-2 0.");
	assert_shown(m, "beginning of the logs");
	assert_int_equal(t->n, LIMIT_TUI_LINES);
	/* What comes while one reads there is counted, and found below. */
	for (size_t i = 0; i < ARRAY_SIZE(logs); i++)
		come_of(m, i, logs[i].lines, logs[i].lines + 2);
	assert_shown(m, "+6 new");
	assert_not_shown(m, "sb-7 12000");
	for (int i = 0; i < 1500; i++) {
		fixture_keys(m, "PageDown");
		if (answer_of_several(m, 2))
			assert_whole(m);
	}
	assert_false(is_asked(m));
	assert_shown(m, "+6 new");
	assert_shown(m, "sb-2 13000.");
	assert_shown(m, "sb-7 12001.");
	fixture_keys(m, "G");
	assert_shown(m, "following");
	assert_shown(m, "sb-2 13000.");
	fixture_free(m);
}

/* Of the first log, those that the filter shows: none is missing, of any of
 * them none is before an older one. */
static void assert_filtered(const struct textlog *t, int every)
{
	int last = -1, before = -1;

	for (size_t i = 0; i < t->n; i++) {
		const struct textlog_line *l = textlog_line(t, i);
		int at = atoi(l->text + 5);

		if (!textlog_shows(t, l))
			continue;
		assert_true(at >= before);
		before = at;
		if (strncmp(l->text, "sb-7", 4) != 0)
			continue;
		if (last >= 0 && at != last + every)
			fail_msg("%d follows %d", at, last);
		last = at;
	}
}

/* A filter that shows little of several logs, and none: whatever one does. */
static void test_log_window__merged_filtered(void **state)
{
	static const char *const keys[] = {
		"g", "PageUp", "PageDown", "k", "j", "PageDown", "PageUp", "k",
	};
	struct model *m = start_several();
	unsigned dice = 1;
	int every = 1;

	(void)state;
	fixture_keys(m, "& 0 0 . Enter");
	for (int i = 0; i < 40 && answer_of_several(m, 0); i++)
		assert_filtered(text_of(m), 100);
	assert_shown(m, "sb-7 11900.");
	assert_shown(m, "sb-1 11900.");
	fixture_keys(m, "g");
	for (int i = 0; i < 40 && answer_of_several(m, 0); i++)
		assert_filtered(text_of(m), 100);
	assert_shown(m, "249 shown"); /* all but "0." */
	assert_shown(m, "sb-7 100.");
	assert_shown(m, "beginning of the logs");
	fixture_keys(m, "Escape");
	for (int i = 0; i < 2000; i++) {
		dice = dice * 1103515245 + 12345;
		unsigned what = dice >> 16 & 15, which = dice >> 20 & 7;
		struct stream *old = stream_of(m, logs[0].id);

		if (what < 4) {
			fixture_keys(m, keys[which]);
		} else if (what == 4 && which < 2) {
			fixture_keys(m, which ? "& ^U 0 0 . Enter" :
						"& ^U Enter");
			every = which ? 100 : 1;
		} else {
			answer_of_several(m, 0);
		}
		for (size_t k = 0; old != stream_of(m, logs[0].id) &&
				   k < ARRAY_SIZE(logs); k++)
			come_of(m, k, MAX(logs[k].lines - 1000, 0),
				logs[k].lines);
		assert_filtered(text_of(m), every);
	}
	fixture_free(m);
}

/* Who has few lines to show is shown older ones without asking for them; a
 * log that is gone doesn't hold up the others. */
static void test_log_window__merged_few(void **state)
{
	struct model *m = fixture_model(24, 100);

	(void)state;
	fleet_find(&m->fleet, logs[0].id)->marked = true;
	fleet_find(&m->fleet, logs[2].id)->marked = true;
	fixture_keys(m, "2 a");
	come_of(m, 0, 11000, 12000);
	assert_false(is_asked(m));
	come_of(m, 2, 2999, 3000); /* the rest of it isn't here */
	assert_true(is_asked(m));
	assert_non_null(strstr(fixture_request(m, "GET")->target,
			       logs[2].id));
	assert_int_equal(fixture_answer(m, "GET", "/api/v1/sandboxes/"
					"sb-1e90cf33/logs", SVM_NOT_FOUND,
					"gone"), 1);
	assert_false(is_asked(m));
	assert_shown(m, "sb-7 11990.");
	fixture_free(m);
}

/* Without a time it stays where its log has it. */
static void test_log_window__merged_untimed(void **state)
{
	struct model *m = fixture_model(24, 100);
	static const char *const order[] = { "a1", "b1", "a2", "a3", "b2" };

	(void)state;
	fleet_find(&m->fleet, logs[0].id)->marked = true;
	fleet_find(&m->fleet, logs[1].id)->marked = true;
	fixture_keys(m, "2 a");
	struct stream *a = stream_of(m, logs[0].id),
		      *b = stream_of(m, logs[1].id);

	fixture_line(m, b, "{\"at\":0,\"time\":\"2026-03-01T11:00:02Z\","
			   "\"line\":\"b1\"}");
	fixture_line(m, b, "{\"at\":9,\"time\":\"2026-03-01T11:00:09Z\","
			   "\"line\":\"b2\"}");
	fixture_line(m, a, "{\"at\":0,\"time\":\"2026-03-01T11:00:01Z\","
			   "\"line\":\"a1\"}");
	fixture_line(m, a, "{\"at\":5,\"time\":\"2026-03-01T11:00:05Z\","
			   "\"line\":\"a2\"}");
	fixture_line(m, a, "{\"at\":7,\"time\":\"2026-03-01T10:00:00Z\","
			   "\"line\":\"a3\"}");
	assert_int_equal(text_of(m)->n, ARRAY_SIZE(order));
	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		assert_string_equal(textlog_line(text_of(m), i)->text,
				    order[i]);
	fixture_free(m);
}

/* -- to a file */

static void save_as(struct model *m, const char *name)
{
	fixture_keys(m, "s ^U");
	fixture_type(m, name);
	fixture_keys(m, "Enter");
}

/* Lines [from, to) as the daemon gives them, to who asked first. */
static void give(struct model *m, int from, int to)
{
	struct request *r = fixture_request(m, "GET");

	assert_non_null(r);
	assert_int_equal(strncmp(r->target, LOGS "?", sizeof(LOGS)), 0);
	list_remove(&r->link);
	m->waiting--;
	buf_addch(&r->reply, '[');
	for (int i = from; i < to; i++) {
		if (i > from)
			buf_addch(&r->reply, ',');
		add(&r->reply, i);
	}
	buf_addch(&r->reply, ']');
	request_done(m, r);
	request_free(r);
	update_settle(m);
}

/* All that there is, not what is loaded or left by a filter. */
static void test_log_window__save(void **state)
{
	struct model *m = start(state);
	struct request *r;

	fixture_keys(m, "& 1 1 9 Enter");
	save_as(m, "all.log");
	r = fixture_request(m, "GET");
	assert_non_null(strstr(r->target, "lines=10000"));
	assert_null(strstr(r->target, "before"));
	give(m, 2000, LINES);
	assert_shown(m, "saving, 10 000 lines so far; Esc stops it");
	r = fixture_request(m, "GET");
	assert_non_null(strstr(r->target, "before=20000"));
	save_as(m, "other.log");
	give(m, 0, 2000);
	r = fixture_request(m, REQUEST_KEEP);
	assert_string_equal(r->download, "all.log");
	assert_int_equal(strncmp(buf_str(&r->body), "line 0.\nline 1.\n", 16),
			 0);
	assert_string_equal(buf_str(&r->body) + r->body.len - 24,
			    "line 11998.\nline 11999.\n");
	fixture_answer(m, REQUEST_KEEP, "all.log", SVM_OK, "");
	assert_shown(m, "saved 12 000 lines to all.log, also what is filtered");
	fixture_free(m);
}

/* Stopped, refused, gone. */
static void test_log_window__save_fails(void **state)
{
	char name[300] = ""; /* longer than any may be */
	struct model *m = start(state);

	save_as(m, "x.log");
	fixture_keys(m, "Escape");
	assert_shown(m, "stopped; nothing was saved");
	save_as(m, "y.log");
	give(m, 0, 1);
	assert_null(fixture_request(m, REQUEST_KEEP));
	give(m, 0, 1);
	assert_string_equal(fixture_request(m, REQUEST_KEEP)->download,
			    "y.log");
	fixture_free(m);

	m = start(state);
	save_as(m, "x.log");
	fixture_answer(m, "GET", LOGS, SVM_UNREACHABLE, "no daemon");
	assert_shown(m, "save the log of sb-7f3a91c2: no daemon");
	assert_null(fixture_request(m, REQUEST_KEEP));
	fixture_keys(m, "T");
	save_as(m, "x.log");
	give(m, 0, 1);
	assert_string_equal(buf_str(&fixture_request(m, REQUEST_KEEP)->body),
			    "2026-03-01T11:00:00.000Z stdout line 0.\n");
	fixture_answer(m, REQUEST_KEEP, "x.log", SVM_FORBIDDEN, "no room");
	assert_shown(m, "save the log: no room");
	/* Where no file can be made, the path stays to be mended. */
	save_as(m, "/proc/nonexistent/x.log");
	assert_shown(m, "can't write in /proc/nonexistent");
	assert_shown(m, "local file, for all there is /proc/nonexistent/");
	assert_null(fixture_request(m, "GET"));
	fixture_keys(m, "Escape");
	/* Its log went with it: what is here is saved. */
	memset(name, 'n', sizeof(name) - 1);
	memcpy(name, "/tmp/", 5);
	save_as(m, name);
	fixture_answer(m, "GET", LOGS, SVM_NOT_FOUND, "gone");
	assert_shown(m, "can't write");
	assert_shown(m, " /tmp/nnn");
	fixture_free(m);
}

/* As many lines as the file has, however they stand in the log. */
static void test_log_window__save_counts(void **state)
{
	struct model *m = fixture_model(24, 100);

	(void)state;
	fixture_keys(m, "2 A a");
	save_as(m, "x.log");
	for (size_t i = 0; i < m->fleet.n; i++) {
		auto_free char *path = request_sandbox(m->fleet.all[i]->id,
						       "/logs");

		fixture_answer(m, "GET", path, SVM_OK,
			       i ? "[]" : "[{\"line\":\"a\"},"
					  "{\"line\":\"\"},"
					  "{\"line\":\"b\\n\\nc\"}]");
	}
	assert_non_null(strstr(buf_str(&fixture_request(m, REQUEST_KEEP)
						->body), "b\n\nc\n"));
	fixture_answer(m, REQUEST_KEEP, "x.log", SVM_OK, "");
	assert_shown(m, "saved 5 lines to x.log");
	fixture_free(m);
}

/* Of several, by time, whatever a clock did. */
static void test_log_window__save_merged(void **state)
{
	struct model *m = fixture_model(24, 100);

	(void)state;
#define LINE(at, time, text)                                              \
	"{\"at\":" at ",\"time\":" time ",\"line\":\"" text "\"}"
#define AT(second) "\"2026-03-01T11:00:" second "Z\""
	fixture_keys(m, "2 A a");
	save_as(m, "x.log");
	for (size_t i = 0; i < m->fleet.n; i++) {
		auto_free char *path = request_sandbox(m->fleet.all[i]->id,
						       "/logs");

		fixture_answer(m, "GET", path, SVM_OK,
			       i == 0 ? "[" LINE("0", "null", "a0") ","
					LINE("1", AT("05"), "a1") ","
					LINE("2", AT("03"), "a2") ","
					LINE("3", AT("09"), "a3") "]" :
			       i == 1 ? "[" LINE("0", AT("04"), "b0") "]" :
					"[]");
	}
	const char *body = buf_str(&fixture_request(m, REQUEST_KEEP)->body);
	const char *order[] = { "a0", "a1", "a2", "b0", "a3" };
	const char *at = body;

	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		at = strstr(at, order[i]);
		if (!at)
			fail_msg("%s in %s", order[i], body);
	}
	assert_int_equal(strncmp(body, "sb-", 3), 0);
	fixture_answer(m, REQUEST_KEEP, "x.log", SVM_OK, "");
	assert_shown(m, "saved 5 lines to x.log");
	fixture_free(m);
}

/* Where files can be made, and there are none. */
static char place[] = "/tmp/svm-log-window-XXXXXX";

static int setup(void **state)
{
	(void)state;
	return mkdtemp(place) ? chdir(place) : -1;
}

static int teardown(void **state)
{
	(void)state;
	return rmdir(place);
}

int main(void)
{
#define TEST(name) cmocka_unit_test(test_log_window__##name)
	const struct CMUnitTest tests[] = {
		TEST(back_and_forth),
		TEST(lost_once),
		TEST(by_lines),
		TEST(to_the_end),
		TEST(stale_and_bad),
		TEST(not_asked),
		TEST(full),
		TEST(too_late),
		TEST(save),
		TEST(save_fails),
		TEST(save_merged),
		TEST(save_counts),
		TEST(reconnects),
		TEST(of_a_terminal),
		TEST(repaints),
		TEST(repaints_cut),
		TEST(merged),
		TEST(merged_few),
		TEST(merged_filtered),
		TEST(merged_untimed),
#undef TEST
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8")) {
		print_message("needs the locale C.UTF-8\n");
		return 1;
	}
	return cmocka_run_group_tests_name("log-window", tests, setup, teardown);
}
