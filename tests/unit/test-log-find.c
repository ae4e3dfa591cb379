/* SPDX-License-Identifier: MIT */
/* Searching and filtering in a long log of which a part is here. */
#include <locale.h>

#include "tests/unit/log-fixture.h"
#include "tui/textlog-internal.h"

/* What isn't here is searched in what is before, and behind. */
static void test_log_find__search(void **state)
{
	struct model *m = start(state);

	fixture_keys(m, "/");
	fixture_type(m, "line 1234.");
	fixture_keys(m, "Enter");
	assert_shown(m, "searching older lines, Esc stops");
	for (int i = 0; i < 9; i++) {
		assert_true(is_asked(m));
		assert_not_shown(m, "line 1234.\u2502");
		free(answer(m, LINES));
	}
	assert_true(is_asked(m));
	free(answer(m, LINES));
	assert_false(is_asked(m));
	assert_shown(m, "line 1234. ");
	assert_not_shown(m, "searching");
	assert_string_equal(textlog_current(text_of(m))->text, "line 1234.");
	/* On the other way: it had to go for that. */
	fixture_keys(m, "/ ^U");
	fixture_type(m, "line 11500.");
	fixture_keys(m, "Enter N");
	for (int i = 0; i < 20 && is_asked(m); i++)
		free(answer(m, LINES));
	assert_string_equal(textlog_current(text_of(m))->text, "line 11500.");
	fixture_free(m);
}

/* Around is said, also where all there is is here. */
static void test_log_find__around(void **state)
{
	struct model *m = fixture_model(24, 100);

	(void)state;
	fixture_keys(m, "j l");
	come(m, 0, 10);
	fixture_keys(m, "/ l i n e Space 7 Enter");
	assert_not_shown(m, "again");
	fixture_keys(m, "n");
	assert_shown(m, "not before; from the end again");
	fixture_keys(m, "N");
	assert_shown(m, "not behind; from the top again");
	fixture_free(m);
}

static const char *current(const struct model *m)
{
	const struct textlog_line *l = textlog_current(text_of(m));

	return l ? l->text : "";
}

static size_t answer_all(struct model *m)
{
	size_t n = 0;

	for (; n < 100 && is_asked(m); n++)
		free(answer(m, LINES));
	return n;
}

static void search(struct model *m, const char *text)
{
	fixture_keys(m, "/ ^U");
	fixture_type(m, text);
	fixture_keys(m, "Enter");
}

/* As / does, n goes up: what is there isn't passed over for what is here. */
static void test_log_find__goes_on(void **state)
{
	struct model *m = start(state);

	search(m, "line 115");
	assert_string_equal(current(m), "line 11599.");
	fixture_keys(m, "n");
	assert_string_equal(current(m), "line 11598.");
	fixture_keys(m, "N");
	assert_string_equal(current(m), "line 11599.");
	search(m, "line 11500.");
	search(m, "line 115");
	assert_shown(m, "searching older lines");
	assert_int_equal(answer_all(m), 10);
	assert_string_equal(current(m), "line 1159.");
	assert_not_shown(m, "again");
	fixture_free(m);
}

/* The other end is that of the log, wherever what is here ends. */
static void test_log_find__the_other_end(void **state)
{
	struct model *m = start(state);

	search(m, "line 1234.");
	answer_all(m);
	assert_string_equal(current(m), "line 1234.");
	search(m, "5.");
	assert_string_equal(current(m), "line 1225.");
	search(m, "line 5.");
	answer_all(m);
	assert_string_equal(current(m), "line 5.");
	/* In 5000 lines at the beginning, none of the end. */
	search(m, "77.");
	assert_shown(m, "searching newer lines");
	assert_true(answer_all(m) >= 7);
	assert_string_equal(current(m), "line 11977.");
	assert_shown(m, "not before; from the end again");
	/* Of what is neither before nor in the last 5000 lines, too. */
	fixture_keys(m, "g");
	answer_all(m);
	search(m, "line 5000.");
	answer_all(m);
	assert_string_equal(current(m), "line 5000.");
	assert_shown(m, "not before; from the end again");
	/* The only one: around, to where it is. */
	fixture_keys(m, "N");
	answer_all(m);
	assert_string_equal(current(m), "line 5000.");
	assert_shown(m, "not behind; from the top again");
	search(m, "nowhere");
	answer_all(m);
	assert_shown(m, "nowhere is not in the log");
	fixture_free(m);
}

/* In vain, or stopped. */
static void test_log_find__ends(void **state)
{
	struct model *m = start(state);

	fixture_keys(m, "/ n o w h e r e Enter");
	for (int i = 0; i < 20 && is_asked(m); i++)
		free(answer(m, LINES));
	assert_shown(m, "nowhere is not in the log");
	come(m, LINES - 1000, LINES); /* from the end, as before */
	assert_shown(m, "following");
	assert_shown(m, "line 11999.");
	fixture_keys(m, "n");
	assert_shown(m, "searching older");
	fixture_keys(m, "Escape");
	assert_shown(m, "the search was stopped");
	free(answer(m, LINES));
	assert_not_shown(m, "searching");
	assert_string_equal(field_text(&text_of(m)->search), "nowhere");
	assert_false(is_asked(m));
	fixture_keys(m, "n");
	assert_shown(m, "searching older");
	fixture_keys(m, "^C");
	assert_shown(m, "the search was stopped");
	assert_false(m->quitting);
	free(answer(m, LINES));
	assert_false(is_asked(m));
	/* Around, once all was searched. */
	fixture_keys(m, "G / ^U");
	fixture_type(m, "line 11995.");
	fixture_keys(m, "Enter");
	assert_string_equal(textlog_current(text_of(m))->text, "line 11995.");
	fixture_keys(m, "n");
	for (int i = 0; i < 5; i++)
		free(answer(m, LINES));
	fixture_answer(m, "GET", LOGS, SVM_UNREACHABLE, "no daemon");
	assert_not_shown(m, "searching");
	assert_shown(m, "no daemon");
	fixture_free(m);
}

/* -- filters */

static void filter(struct model *m, const char *text)
{
	fixture_keys(m, "& ^U");
	fixture_type(m, text);
	fixture_keys(m, "Enter");
}

/* Neither twice nor missing: of those that the filter shows each is `every`
 * behind the one before. */
static void assert_every(const struct textlog *t, int every)
{
	const struct textlog_line *last = NULL;

	for (size_t i = 0; i < t->n; i++) {
		const struct textlog_line *l = textlog_line(t, i);

		if (!textlog_shows(t, l))
			continue;
		if (last && atoi(l->text + 5) != atoi(last->text + 5) + every)
			fail_msg("%s after %s", l->text, last->text);
		last = l;
	}
}

/* What it shows is looked for where the screen has room, without a key. */
static void test_log_find__filter_looks(void **state)
{
	struct model *m = start(state);

	filter(m, "line 1234.");
	assert_shown(m, "1 000 lines looked at, Esc stops");
	assert_shown(m, "none yet in the 1 000 lines looked at ");
	free(answer(m, LINES));
	assert_shown(m, "2 000 lines looked at, Esc stops");
	assert_int_equal(answer_all(m), 10);
	assert_shown(m, "line 1234.");
	assert_shown(m, "1 shown");
	assert_shown(m, "following");
	/* All have been here now: nothing more is asked for. */
	fixture_keys(m, "g");
	assert_shown(m, "beginning of the log");
	fixture_keys(m, "j j PageDown");
	assert_false(is_asked(m));
	filter(m, "nowhere");
	answer_all(m);
	assert_shown(m, "no line matches");
	fixture_free(m);
}

/* Until it is full: the rest is for who scrolls there. */
static void test_log_find__filter_fills(void **state)
{
	struct model *m = start(state);

	filter(m, "50.");
	assert_int_equal(answer_all(m), 1);
	fixture_keys(m, "g");
	assert_int_equal(answer_all(m), 10);
	assert_shown(m, "line 50.");
	assert_shown(m, "beginning of the log");
	assert_every(text_of(m), 100);
	fixture_free(m);
}

/* By typing it nothing is asked for. */
static void test_log_find__filter_is_typed(void **state)
{
	struct model *m = start(state);

	fixture_keys(m, "& n o n e");
	assert_false(is_asked(m));
	assert_shown(m, "none yet in the 1 000 lines looked at; Enter looks "
			"further");
	fixture_keys(m, "Enter");
	assert_true(is_asked(m));
	fixture_free(m);
}

/* What it shows isn't let go for what it doesn't show. */
static void test_log_find__filter_keeps(void **state)
{
	struct model *m = start(state);

	filter(m, "line 1199");
	assert_int_equal(answer_all(m), 11);
	assert_shown(m, "11 shown");
	assert_shown(m, "line 1199.");
	assert_shown(m, "line 11999.");
	assert_int_equal(text_of(m)->n, LIMIT_TUI_LINES);
	/* Who follows sees what comes, and the end when the filter goes. */
	come(m, LINES, LINES + 3000);
	come(m, 119900, 119901);
	assert_shown(m, "12 shown");
	assert_shown(m, "line 119900.");
	fixture_keys(m, "Escape");
	assert_false(is_asked(m));
	assert_shown(m, "following");
	assert_shown(m, "line 14999.");
	assert_not_shown(m, "line 11999.");
	fixture_free(m);
}

/* Who reads goes on with the line that was found, and what is around it. */
static void test_log_find__filter_and_around(void **state)
{
	struct model *m = start(state);

	filter(m, "34.");
	fixture_keys(m, "g");
	answer_all(m);
	fixture_keys(m, "j j j");
	assert_string_equal(current(m), "line 334.");
	fixture_keys(m, "Escape");
	assert_string_equal(current(m), "line 334.");
	for (int i = 0; i < 10; i++) {
		free(answer(m, LINES));
		assert_every(text_of(m), 1);
	}
	assert_string_equal(current(m), "line 334.");
	assert_shown(m, "line 333.");
	fixture_keys(m, "j");
	assert_string_equal(current(m), "line 335.");
	fixture_free(m);
}

/* The very first line is one, too. */
static void test_log_find__filter_and_around_the_first(void **state)
{
	struct model *m = start(state);

	filter(m, "line 0.");
	answer_all(m);
	fixture_keys(m, "k Escape");
	assert_string_equal(current(m), "line 0.");
	assert_true(is_asked(m));
	answer_all(m);
	assert_shown(m, "line 0.");
	assert_shown(m, "line 1.");
	assert_every(text_of(m), 1);
	fixture_free(m);
}

/* A long one isn't gone through at once. */
static void test_log_find__filter_is_bounded(void **state)
{
	struct model *m = fixture_model(24, 100);
	int n;

	(void)state;
	fixture_keys(m, "j l");
	come(m, 39000, 40000);
	filter(m, "nowhere");
	for (n = 0; n < 100 && is_asked(m); n++)
		free(answer(m, 40000));
	assert_int_equal(n, LIMIT_TUI_LOOK_PAGES);
	assert_shown(m, "none yet in the 21 000 lines looked at; ^U looks "
			"further");
	fixture_keys(m, "PageUp");
	for (n = 0; n < 5; n++)
		free(answer(m, 40000));
	assert_shown(m, "26 000 lines looked at, Esc stops");
	fixture_keys(m, "Escape");
	assert_shown(m, "the search was stopped");
	free(answer(m, 40000));
	assert_false(is_asked(m));
	assert_shown(m, "27 000 lines looked at; ^U");
	fixture_keys(m, "PageUp ^C");
	assert_shown(m, "the search was stopped");
	assert_string_equal(field_text(&text_of(m)->only), "nowhere");
	free(answer(m, 40000));
	assert_false(is_asked(m));
	fixture_keys(m, "PageUp");
	for (n = 0; n < 100 && is_asked(m); n++)
		free(answer(m, 40000));
	assert_int_equal(n, 12);
	assert_shown(m, "no line matches");
	assert_shown(m, "beginning of the log");
	fixture_free(m);
}

/* The last page of them is looked at, too: Escape stops that, and leaves the
 * filter as it is. */
static void test_log_find__filter_stops_on_the_last_page(void **state)
{
	struct model *m = fixture_model(24, 100);

	(void)state;
	fixture_keys(m, "j l");
	come(m, 39000, 40000);
	filter(m, "nowhere");
	for (int n = 1; n < LIMIT_TUI_LOOK_PAGES; n++)
		free(answer(m, 40000));
	assert_true(is_asked(m));
	assert_shown(m, "20 000 lines looked at, Esc stops");
	fixture_keys(m, "Escape");
	assert_shown(m, "the search was stopped");
	assert_string_equal(field_text(&text_of(m)->only), "nowhere");
	/* It is stopped: another one is about the filter. */
	fixture_keys(m, "Escape");
	assert_string_equal(field_text(&text_of(m)->only), "");
	fixture_free(m);
}

static void add_some_pty(struct buf *out, int i)
{
	buf_addf(out, "{\"stream\":\"%s\",\"line\":\"line %d.\",\"at\":%d}",
		 i == 20 || i > 11990 ? "pty" : "stdout", i, i * STEP);
}

/* One stream alone is a filter, too. */
static void test_log_find__one_stream(void **state)
{
	struct model *m;

	add_line_as = add_some_pty;
	m = start(state);
	fixture_keys(m, "t t t");
	answer_all(m);
	assert_shown(m, "stream: pty");
	assert_shown(m, "line 20.");
	assert_shown(m, "line 11991.");
	assert_shown(m, "10 shown");
	add_line_as = add;
	fixture_free(m);
}

/* Full, and one reads: new lines that the filter shows have room. */
static void test_log_find__filter_while_paused(void **state)
{
	struct model *m = start(state);

	filter(m, "99.");
	fixture_keys(m, "g");
	answer_all(m);
	fixture_keys(m, "j");
	assert_string_equal(current(m), "line 199.");
	come(m, LINES, LINES + 200);
	assert_shown(m, "+2 new");
	assert_string_equal(current(m), "line 199.");
	fixture_keys(m, "G");
	assert_shown(m, "line 12199.");
	assert_every(text_of(m), 100);
	assert_shown(m, "122 shown");
	fixture_free(m);
}

/* Full of what it shows, and the newest line is behind one that it doesn't:
 * once it is gone there is nothing behind that, which is found out once. */
static void test_log_find__filter_at_the_end(void **state)
{
	struct model *m = start(state);
	const int end = LINES + 5000;

	filter(m, "line");
	come(m, LINES, end);
	assert_shown(m, "5 000/5 000 kept");
	fixture_line(m, stream(m), "{\"line\":\"other\",\"at\":170000}");
	come(m, end + 1, end + 2);
	assert_shown(m, "line 17001.");
	fixture_keys(m, "Space Escape");
	assert_string_equal(current(m), "line 17001.");
	for (int i = 0; i < 2; i++)
		free(answer(m, end + 2));
	assert_false(is_asked(m));
	assert_string_equal(current(m), "line 17001.");
	assert_every(text_of(m), 1);
	fixture_free(m);
}

/* Whatever one does, nothing is missing or there twice. */
static void test_log_find__any_way(void **state)
{
	static const struct {
		const char *text;
		int every;
	} filters[] = {
		{ "7.", 10 }, { "77.", 100 }, { "777.", 1000 }, { ".", 1 },
	};
	static const char *const keys[] = {
		"g", "G", "PageUp", "PageDown", "k", "j", "g", "PageDown",
	};
	struct model *m = start(state);
	struct stream *now = stream(m);
	unsigned dice = 1;
	int end = LINES, every = 1;

	for (int i = 0; i < 3000; i++) {
		dice = dice * 1103515245 + 12345;
		unsigned what = dice >> 16 & 15, which = dice >> 20 & 7;

		if (what < 4) {
			fixture_keys(m, keys[which]);
		} else if (what == 4 && which < 2) {
			which = dice >> 24 & 3;
			filter(m, filters[which].text);
			every = filters[which].every;
		} else if (what == 5 && which < 3) {
			filter(m, "");
			every = 1;
		} else if (what == 6 && which < 4) {
			come(m, end, end + 100);
			end += 100;
		} else {
			free(answer(m, end));
		}
		if (stream(m) != now)
			come(m, end - 1000, end);
		now = stream(m);
		assert_every(text_of(m), every);
	}
	fixture_free(m);
}

int main(void)
{
#define TEST(name) cmocka_unit_test(test_log_find__##name)
	const struct CMUnitTest tests[] = {
		TEST(search),
		TEST(around),
		TEST(goes_on),
		TEST(the_other_end),
		TEST(ends),
		TEST(filter_looks),
		TEST(filter_fills),
		TEST(filter_is_typed),
		TEST(filter_keeps),
		TEST(filter_and_around),
		TEST(filter_and_around_the_first),
		TEST(filter_is_bounded),
		TEST(filter_stops_on_the_last_page),
		TEST(one_stream),
		TEST(filter_while_paused),
		TEST(filter_at_the_end),
		TEST(any_way),
#undef TEST
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8")) {
		print_message("needs the locale C.UTF-8\n");
		return 1;
	}
	return cmocka_run_group_tests_name("log-find", tests, NULL, NULL);
}
