/* SPDX-License-Identifier: MIT */
/* Lines that go on arriving: following, pausing, searching, what is kept. */
#include <locale.h>
#include <unistd.h>

#include "lib/api/limits.h"
#include "tests/unit/model-fixture.h"
#include "tui/frame.h"
#include "tui/log-line.h"
#include "tui/textlog.h"

#define ROWS 4

static void add(struct textlog *t, const char *text)
{
	textlog_add(t, text, strlen(text), NULL, false);
}

static void add_numbers(struct textlog *t, int from, int to)
{
	for (int i = from; i <= to; i++) {
		auto_free char *text = xasprintf("line %d", i);

		add(t, text);
	}
}

static void settle(struct textlog *t)
{
	textlog_settle(t, (struct area){ 1, 1, ROWS, 40 });
}

static void view(const struct model *m, const struct textlog *t,
		 struct canvas *c, int cols)
{
	struct frame_parts title = { .n = 0 }, corner = { .n = 0 };

	frame_part(&title, 0, NULL, "T");
	textlog_view(m, t, c, (struct area){ 0, 0, ROWS + 2, cols }, &title,
		     &corner, true);
}

/* What is in view, the corner, and the line with the cursor. */
static void assert_view(const struct textlog *t, const char *first,
			const char *last, const char *current,
			const char *corner)
{
	struct model *m = model_new(ROWS + 2, 42);
	auto_canvas struct canvas *c = canvas_new(ROWS + 2, 42);
	auto_buf struct buf out = BUF_INIT;
	char *rest, *line;

	view(m, t, c, 42);
	canvas_dump(c, &out);
	buf_addstr(&out, "");
	if (!strstr(out.data, corner))
		fail_msg("'%s' in %s", corner, out.data);
	line = strtok_r(out.data, "\n", &rest);
	line = strtok_r(NULL, "\n", &rest);
	if (!strstr(line, first))
		fail_msg("'%s' in %s", first, line);
	for (int i = 1; i < ROWS; i++)
		line = strtok_r(NULL, "\n", &rest);
	if (!strstr(line, last))
		fail_msg("'%s' in %s", last, line);
	if (*current)
		assert_string_equal(textlog_current(t)->text, current);
	model_free(m);
}

static void act(struct textlog *t, enum action a)
{
	struct model *m = model_new(24, 80);

	assert_true(textlog_act(m, t, a));
	settle(t);
	model_free(m);
}

/* As many as the file has. */
static void test_textlog__saved_lines(void **state)
{
	struct model *m = model_new(24, 80);
	struct textlog t = { 0 };
	char path[] = "/tmp/svm-textlog-XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	textlog_add_line(&t, "a\n\nb", 4, &(struct textlog_line){ 0 });
	textlog_add_line(&t, "", 0, &(struct textlog_line){ 0 });
	assert_true(textlog_save(m, &t, path));
	assert_non_null(strstr(m->toast, "saved 4 lines to /tmp/"));
	unlink(path);
	textlog_release(&t);
	model_free(m);
}

static void test_textlog__follows_and_pauses(void **state)
{
	struct textlog t = { 0 };

	(void)state;
	settle(&t);
	assert_null(textlog_current(&t));
	add_numbers(&t, 1, 10);
	settle(&t);
	assert_view(&t, "line 7", "line 10", "line 10", "following");
	act(&t, ACT_UP); /* looking back stops it */
	assert_view(&t, "line 7", "line 10", "line 9", "+0 new");
	add_numbers(&t, 11, 13);
	settle(&t);
	assert_view(&t, "line 7", "line 10", "line 9", "+3 new");
	act(&t, ACT_TOP);
	assert_view(&t, "line 1", "line 4", "line 1", "paused");
	act(&t, ACT_BOTTOM);
	assert_view(&t, "line 10", "line 13", "line 13", "following");
	act(&t, ACT_FOLLOW);
	add_numbers(&t, 14, 14);
	settle(&t);
	assert_view(&t, "line 10", "line 13", "line 13", "+1 new");
	act(&t, ACT_FOLLOW);
	assert_view(&t, "line 11", "line 14", "line 14", "following");
	textlog_release(&t);
}

/* What is looked at stays in view while old lines go. */
static void test_textlog__bounded(void **state)
{
	struct textlog t = { 0 };
	auto_free char *longest = xmalloc(LIMIT_TUI_LINE_KEPT + 9);

	(void)state;
	add_numbers(&t, 1, LIMIT_TUI_LINES);
	settle(&t);
	act(&t, ACT_PAGE_UP);
	act(&t, ACT_PAGE_UP);
	assert_view(&t, "line 4994", "line 4997", "", "paused");
	add_numbers(&t, LIMIT_TUI_LINES + 1, LIMIT_TUI_LINES + 100);
	settle(&t);
	assert_int_equal(t.n, LIMIT_TUI_LINES);
	assert_view(&t, "line 4994", "line 4997", "", "+100 new");
	memset(longest, 'x', LIMIT_TUI_LINE_KEPT + 9);
	textlog_add(&t, longest, LIMIT_TUI_LINE_KEPT + 9, NULL, false);
	act(&t, ACT_BOTTOM);
	assert_int_equal(strlen(textlog_current(&t)->text),
			 LIMIT_TUI_LINE_KEPT);
	act(&t, ACT_CLEAR);
	assert_null(textlog_current(&t));
	textlog_release(&t);
}

static void test_textlog__search(void **state)
{
	struct textlog t = { 0 };
	struct model *m = model_new(24, 80);

	(void)state;
	add_numbers(&t, 1, 30);
	settle(&t);
	field_set(&t.search, "NE 2"); /* 2, 20 to 29 */
	act(&t, ACT_SEARCH_NEXT);
	assert_string_equal(textlog_current(&t)->text, "line 29");
	for (int i = 0; i < 9; i++)
		act(&t, ACT_SEARCH_NEXT);
	assert_string_equal(textlog_current(&t)->text, "line 20");
	act(&t, ACT_SEARCH_NEXT);
	assert_string_equal(textlog_current(&t)->text, "line 2");
	act(&t, ACT_SEARCH_NEXT); /* around */
	assert_string_equal(textlog_current(&t)->text, "line 29");
	act(&t, ACT_SEARCH_PREV);
	assert_string_equal(textlog_current(&t)->text, "line 2");
	/* Among what the filter leaves. */
	field_set(&t.only, "!25");
	settle(&t);
	field_set(&t.search, "line 24");
	act(&t, ACT_SEARCH_PREV);
	field_set(&t.search, "2");
	act(&t, ACT_SEARCH_PREV);
	assert_string_equal(textlog_current(&t)->text, "line 26");
	field_set(&t.search, "nowhere");
	assert_true(textlog_act(m, &t, ACT_SEARCH_PREV));
	assert_string_equal(m->toast, "nowhere is not in it");
	assert_string_equal(textlog_current(&t)->text, "line 26");
	/* Back: first the filters, then the screen's own.  Who reads is where
	 * one was. */
	field_set(&t.only, "6");
	textlog_refilter(&t, textlog_cursor(&t));
	settle(&t);
	assert_string_equal(textlog_current(&t)->text, "line 26");
	assert_true(textlog_act(m, &t, ACT_BACK));
	settle(&t);
	assert_string_equal(textlog_current(&t)->text, "line 26");
	assert_false(textlog_act(m, &t, ACT_BACK));
	textlog_release(&t);
	model_free(m);
}

static void test_textlog__only(void **state)
{
	struct textlog t = { 0 };

	(void)state;
	add_numbers(&t, 1, 20);
	textlog_add(&t, "tagged", 6, "sb-line 13", true);
	field_set(&t.only, "line 1");
	settle(&t);
	assert_view(&t, "line 17", "tagged", "tagged", "following");
	field_set(&t.only, "!line");
	settle(&t);
	assert_null(textlog_current(&t));
	assert_view(&t, "no line matches", "", "", "following");
	add(&t, "other");
	settle(&t);
	assert_view(&t, "other", "", "other", "following");
	field_set(&t.only, "!");
	settle(&t);
	assert_view(&t, "line 19", "other", "other", "following");
	textlog_release(&t);
}

/* What is new is what one would see of it, whatever is left out meanwhile. */
static void test_textlog__news_are_what_is_shown(void **state)
{
	struct textlog t = { 0 };
	struct model *m = model_new(24, 80);

	(void)state;
	add_numbers(&t, 1, 10);
	settle(&t);
	field_set(&t.only, "!7");
	act(&t, ACT_FOLLOW);
	add_numbers(&t, 11, 29);
	settle(&t);
	assert_view(&t, "line 6", "line 10", "", "26 shown");
	assert_view(&t, "line 6", "line 10", "", "+17 new");
	field_set(&t.only, "line 2");
	textlog_refilter(&t, textlog_cursor(&t));
	settle(&t);
	assert_view(&t, "line 24", "line 27", "", "+10 new \u2500");
	/* Those that went again are still new; of which others that would be
	 * so, nobody knows. */
	add_numbers(&t, 30, 29 + LIMIT_TUI_LINES);
	settle(&t);
	assert_view(&t, "line 200", "", "", "+1 110 new \u2500");
	assert_true(textlog_act(m, &t, ACT_STREAM));
	assert_true(textlog_act(m, &t, ACT_BACK));
	settle(&t);
	assert_view(&t, "", "", "", "+5 000 new and more");
	act(&t, ACT_FOLLOW);
	assert_view(&t, "", "", "", "+0 new \u2500");
	textlog_release(&t);
	model_free(m);
}

/* What says least goes first, and no word is cut. */
static void test_textlog__border(void **state)
{
	struct frame_parts p = { .n = 0 };
	static const struct {
		int room;
		const char *text;
	} cases[] = {
		{ 34, "LOGS  a  stream: all  & err  wrap" },
		{ 33, "LOGS  a  stream: all  & err  wrap" },
		{ 32, "LOGS  a  & err  wrap" },
		{ 19, "LOGS  a  & err" },
		{ 13, "LOGS  a  &" },
		{ 9, "LOGS  a" },
		{ 1, "LOGS  a" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		frame_part(&p, 0, NULL, "LOGS");
		frame_part(&p, 0, NULL, "a");
		frame_part(&p, 5, NULL, "stream: all");
		frame_part(&p, 1, "&", "& %s", "err");
		frame_part(&p, 4, NULL, "wrap");
		auto_free char *text = frame_parts_fit(&p, "  ",
						       cases[i].room);
		assert_string_equal(text, cases[i].text);
	}
}

/* Lines are a stranger's; what is copied and saved is as it was. */
static void test_textlog__hostile(void **state)
{
	static const char evil[] = "\033]52;c;eA==\007\xff\xe2\x80\xae z";
	struct textlog t = { 0 };
	struct model *m = model_new(24, 80);

	(void)state;
	add(&t, evil);
	settle(&t);
	assert_view(&t, "^[]52;c;eA==^G\\xff\\u{202e} z", "", evil,
		    "following");
	assert_true(textlog_act(m, &t, ACT_COPY));
	assert_int_equal(m->clipboard.len, sizeof(evil) - 1);
	for (int i = 0; i < 50; i++)
		act(&t, ACT_RIGHT); /* past its end */
	assert_view(&t, "", "", evil, "following");
	textlog_release(&t);
	model_free(m);
}

/* Rows of the view, in 40 columns. */
static char *view_text(const struct textlog *t)
{
	struct model *m = model_new(ROWS + 2, 42);
	auto_canvas struct canvas *c = canvas_new(ROWS + 2, 42);
	struct buf out = BUF_INIT;

	view(m, t, c, 42);
	canvas_dump(c, &out);
	model_free(m);
	return buf_steal(&out);
}

/* Every line gets its rows; the one with the cursor is always in view. */
static void test_textlog__wrap(void **state)
{
	struct textlog t = { 0 };
	char wide[91];

	(void)state;
	memset(wide, 'w', 89);
	wide[89] = 'E';
	wide[90] = '\0';
	add_numbers(&t, 1, 10);
	add(&t, wide); /* three rows of 40 */
	settle(&t);
	auto_free char *cut = view_text(&t);
	assert_null(strchr(cut, 'E'));
	act(&t, ACT_WRAP);
	auto_free char *whole = view_text(&t);
	assert_non_null(strchr(whole, 'E'));
	assert_non_null(strstr(whole, "line 10"));
	assert_null(strstr(whole, "line 9"));
	assert_string_equal(textlog_current(&t)->text, wide);
	/* Up line by line, down again: no line is passed over. */
	for (int i = 10; i > 0; i--) {
		auto_free char *expect = xasprintf("line %d", i);

		act(&t, ACT_UP);
		assert_string_equal(textlog_current(&t)->text, expect);
		auto_free char *text = view_text(&t);
		assert_non_null(strstr(text, expect));
	}
	for (int i = 0; i < 10; i++)
		act(&t, ACT_DOWN);
	auto_free char *end = view_text(&t);
	assert_non_null(strchr(end, 'E'));
	/* One that is higher than the view, with characters of two columns. */
	for (int i = 0; i < 9; i++)
		add(&t, "\u6f22\u6f22\u6f22\u6f22\u6f22\u6f22\u6f22\u6f22"
			"\u6f22\u6f22\u6f22\u6f22\u6f22\u6f22\u6f22\u6f22"
			"\u6f22\u6f22\u6f22\u6f22\u6f22\u6f22\u6f22\u6f22");
	act(&t, ACT_BOTTOM);
	assert_int_equal(t.height, 2);
	for (int cols = 0; cols < 50; cols++)
		textlog_settle(&t, (struct area){ 1, 1, ROWS, cols });
	act(&t, ACT_CLEAR);
	assert_null(textlog_current(&t));
	textlog_release(&t);
}

static void add_from(struct textlog *t, const char *text,
		     enum textlog_source from)
{
	textlog_add_line(t, text, strlen(text),
			 &(struct textlog_line){ .from = from });
}

/* A stream alone; what isn't known to be another's stays. */
static void test_textlog__one_stream(void **state)
{
	struct textlog t = { 0 };

	(void)state;
	add_from(&t, "out", TEXTLOG_STDOUT);
	add_from(&t, "err", TEXTLOG_STDERR);
	add_from(&t, "sys", TEXTLOG_SYSTEM);
	add_from(&t, "who knows", TEXTLOG_ANY);
	settle(&t);
	assert_int_equal(t.height, ROWS);
	act(&t, ACT_STREAM);
	settle(&t);
	assert_view(&t, "out", "", "who knows", "following");
	act(&t, ACT_STREAM);
	settle(&t);
	assert_view(&t, "err", "", "who knows", "following");
	act(&t, ACT_STREAM);
	act(&t, ACT_STREAM);
	settle(&t);
	assert_view(&t, "sys", "", "who knows", "following");
	act(&t, ACT_STREAM);
	settle(&t);
	assert_view(&t, "out", "who knows", "who knows", "following");
	textlog_release(&t);
}

/* The roles of what is on the first row, a letter each. */
static void roles_of(const struct textlog *t, int cols, char *out)
{
	static const char letters[ROLE_MAX] = {
		[ROLE_INK] = 'i', [ROLE_DIM] = '.', [ROLE_BAD] = 'b',
		[ROLE_VALUE] = 'k', [ROLE_ACCENT2] = 'n',
	};
	struct model *m = model_new(ROWS + 2, cols + 2);
	auto_canvas struct canvas *c = canvas_new(ROWS + 2, cols + 2);

	view(m, t, c, cols + 2);
	for (int i = 0; i < cols; i++) {
		struct cell cell = c->cells[c->cols + 1 + i];

		*out++ = cell.cp == ' ' ? ' ' :
			 letters[colour_value((uint32_t)cell.fg)];
	}
	*out = '\0';
	model_free(m);
}

static void test_textlog__json_stands_out(void **state)
{
	static const struct {
		const char *text, *roles;
	} cases[] = {
		{ "{\"a\": \"b\",\"c\":[-1,true]}", ".kkk. iii.kkk..nn.nnnn.." },
		{ "{\"a\\\"b\":1}", ".kkkkkk.n." },
		{ "{\"open", ".iiiii" },
		{ "plain {\"a\":1}", "iiiii iiiiiii" },
		{ "[1]", ".n." },
		{ "{\"\u6f22\":\"\u5b57\"}", ".kkkk.iiii." },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct textlog t = { .json = true };
		char roles[41];

		add(&t, cases[i].text);
		settle(&t);
		roles_of(&t, 40, roles);
		roles[strlen(cases[i].roles)] = '\0';
		if (strcmp(roles, cases[i].roles) != 0)
			fail_msg("<%s>: <%s>, expected <%s>", cases[i].text,
				 roles, cases[i].roles);
		t.json = false;
		roles_of(&t, 40, roles);
		assert_null(strchr(roles, 'k'));
		textlog_release(&t);
	}
}

/* What is cut off keeps its mark, and nothing is drawn outside. */
static void test_textlog__json_at_any_width(void **state)
{
	struct textlog t = { .json = true, .times = true };

	(void)state;
	add(&t, "{\"key\":\"value \u6f22\u5b57\",\"other\":[1,2,3,null]}");
	for (int cols = 1; cols < 60; cols++) {
		char roles[64];

		for (int wrap = 0; wrap < 2; wrap++) {
			t.wrap = wrap;
			textlog_settle(&t, (struct area){ 1, 1, ROWS, cols });
			roles_of(&t, cols, roles);
		}
	}
	textlog_release(&t);
}

static const char *log_target(struct model *m)
{
	struct list *pos, *tmp;
	const char *target = NULL;

	list_for_each_safe(pos, tmp, &m->streams) {
		const struct stream *s = list_entry(pos, struct stream, link);

		if (!s->closed && strstr(s->target, "/logs"))
			target = s->target;
	}
	return target;
}

static void test_textlog__since(void **state)
{
	struct model *m = fixture_model(24, 100);

	(void)state;
	fixture_keys(m, "2 j l S");
	fixture_type(m, "soon");
	fixture_keys(m, "Enter");
	assert_shown(m, "10m, 1h30m, 14:30 or");
	fixture_keys(m, "^U");
	fixture_type(m, "10m");
	fixture_keys(m, "Enter");
	assert_shown(m, "since 10m");
	assert_string_equal(log_target(m), "/api/v1/sandboxes/sb-7f3a91c2/logs"
			    "?follow=true&details=true&since=10m");
	/* It is noon: that was yesterday. */
	fixture_keys(m, "S ^U");
	fixture_type(m, "14:30");
	fixture_keys(m, "Enter");
	assert_non_null(strstr(log_target(m), "since=2026-02-28T14%3A30"));
	fixture_keys(m, "& x Enter Escape");
	assert_shown(m, "since 14:30");
	fixture_keys(m, "Escape");
	assert_not_shown(m, "since 14:30");
	assert_non_null(strstr(log_target(m), "lines=1000"));
	fixture_free(m);
}

/* Of a line longer than any that is kept, the rest isn't read: each two bytes
 * of it could be a line more. */
static void test_textlog__repaints_without_end(void **state)
{
	const struct textlog_line about = { .from = TEXTLOG_PTY };
	const size_t n = LIMIT_TUI_LINE;
	auto_free char *text = xmalloc(n + 1);

	(void)state;
	for (size_t i = 0; i < n; i += 2)
		memcpy(text + i, "\ra", 2);
	text[n] = '\0';

	auto_pieces struct log_pieces p = log_line_split(text, &about);

	assert_int_equal(p.n, LIMIT_TUI_LINE_KEPT / 2);
	assert_string_equal(p.of[p.n - 1].text, "a");
	assert_string_equal(p.of[p.n - 1].raw, "\ra");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_textlog__since),
		cmocka_unit_test(test_textlog__follows_and_pauses),
		cmocka_unit_test(test_textlog__saved_lines),
		cmocka_unit_test(test_textlog__bounded),
		cmocka_unit_test(test_textlog__search),
		cmocka_unit_test(test_textlog__only),
		cmocka_unit_test(test_textlog__news_are_what_is_shown),
		cmocka_unit_test(test_textlog__border),
		cmocka_unit_test(test_textlog__hostile),
		cmocka_unit_test(test_textlog__wrap),
		cmocka_unit_test(test_textlog__one_stream),
		cmocka_unit_test(test_textlog__json_stands_out),
		cmocka_unit_test(test_textlog__json_at_any_width),
		cmocka_unit_test(test_textlog__repaints_without_end),
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8")) {
		print_message("needs the locale C.UTF-8\n");
		return 1;
	}
	return cmocka_run_group_tests_name("textlog", tests, NULL, NULL);
}
