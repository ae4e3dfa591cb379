/* SPDX-License-Identifier: MIT */
/* Searching and filtering in a long log of which a part is here. */
#include <locale.h>

#include "tests/unit/log-fixture.h"

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

/* Both ends are in view: it doesn't load the one and let go the other. */
static void test_log_find__few_are_shown(void **state)
{
	struct model *m = start(state);
	int n = 0;

	fixture_keys(m, "& 1 2 3 4 . Enter g");
	while (n < 50 && is_asked(m)) {
		free(answer(m, LINES));
		n++;
	}
	assert_in_range(n, 10, 13);
	assert_shown(m, "line 1234.");
	assert_shown(m, "beginning of the log");
	fixture_keys(m, "j j PageDown"); /* a page each */
	for (n = 0; n < 50 && is_asked(m); n++)
		free(answer(m, LINES));
	assert_in_range(n, 1, 3);
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
		TEST(few_are_shown),
#undef TEST
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8")) {
		print_message("needs the locale C.UTF-8\n");
		return 1;
	}
	return cmocka_run_group_tests_name("log-find", tests, NULL, NULL);
}
