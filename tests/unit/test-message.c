/* SPDX-License-Identifier: MIT */
/* What is said in the footer: how long it stays, and all of it. */
#include <locale.h>

#include "tests/unit/model-fixture.h"

#define DRAFT "/home/somebody/.local/state/stacyvm/drafts/draft-sb-7f3a91c2-" \
	      "f37cc72ccbd0d884-edeaaff3f1774ad2-15259-main.py"
#define SHORT "~/.local/state/stacyvm/drafts/draft-sb-7f3a91c2-f37cc72"

static void complain(struct model *m, const char *what, const char *hint)
{
	auto_err struct svm_err err = SVM_ERR_INIT;

	svm_err_set(&err, SVM_NOT_FOUND, "%s", what);
	if (hint)
		svm_err_hint(&err, "%s", hint);
	model_complain(m, &err, "look");
	update_settle(m);
}

/* Errors as all the others: until something else is in view. */
static void test_message__goes_with_the_screen(void **state)
{
	struct model *m = fixture_model(24, 100);

	(void)state;
	complain(m, "nothing there", NULL);
	fixture_keys(m, "j k");
	assert_shown(m, "look: nothing there");
	fixture_keys(m, "? Escape");
	assert_shown(m, "look: nothing there");
	fixture_keys(m, "3");
	assert_not_shown(m, "nothing there");
	model_say(m, "here is another");
	update_settle(m);
	assert_shown(m, "here is another");
	model_show(m, SCREEN_EVENTS);
	assert_not_shown(m, "here is another");
	/* Also when the program said it, after the update. */
	model_say(m, "written");
	fixture_keys(m, "3");
	assert_not_shown(m, "written");
	/* What is said while one goes is about where one comes to. */
	model_say(m, "now here");
	model_show(m, SCREEN_DASH);
	update_settle(m);
	assert_shown(m, "now here");
	fixture_free(m);
}

static void test_message__goes_with_the_sandbox(void **state)
{
	struct model *m = fixture_model(24, 100);

	(void)state;
	fixture_keys(m, "j T");
	complain(m, "of the one", NULL);
	assert_shown(m, "of the one");
	model_open(m, "sb-2c8e04d7", WORKSPACE_FILES);
	update_settle(m);
	assert_not_shown(m, "of the one");
	complain(m, "of the other", NULL);
	assert_shown(m, "of the other");
	fixture_free(m);
}

/* These are true wherever one goes. */
static void test_message__stays_true(void **state)
{
	struct model *m = fixture_model(24, 100);

	(void)state;
	model_say(m, "killing it");
	model_said_while(m, TOAST_ANYWHERE);
	update_settle(m);
	fixture_keys(m, "3");
	assert_shown(m, "killing it");
	model_say(m, "no daemon there");
	model_said_while(m, TOAST_NO_DAEMON);
	update_settle(m);
	fixture_keys(m, "4");
	assert_shown(m, "no daemon there");
	fixture_free(m);
}

/* On as many rows as it takes, until the next key. */
static void test_message__whole(void **state)
{
	struct model *m = fixture_model(24, 80);

	(void)state;
	complain(m, "no sandbox 'sb-7f3a91c2'", "a draft is " DRAFT);
	assert_shown(m, "15259-main.py");
	assert_shown(m, "/home/somebody/.local/");
	free(m->home);
	m->home = xstrdup("/home/somebody");
	assert_shown(m, SHORT);
	assert_shown(m, "15259-main.py");
	model_resize(m, 16, 60);
	assert_shown(m, "~/.local/state/");
	assert_shown(m, "15259-main.py");
	fixture_keys(m, "j");
	assert_shown(m, "look: no sandbox 'sb-7f3a91c2'");
	assert_not_shown(m, "15259-main.py");
	/* And no home but one's own is. */
	complain(m, "a path /home/somebody-else/.local/state/stacyvm/drafts/x",
		 NULL);
	assert_shown(m, "/home/somebody-else/");
	fixture_free(m);
}

/* A key shows all that were said, the last first, each of them whole. */
static void test_message__list(void **state)
{
	struct model *m = fixture_model(24, 80);

	(void)state;
	fixture_keys(m, "!");
	assert_shown(m, "Nothing was said yet.");
	fixture_keys(m, "Escape");
	complain(m, "no sandbox 'sb-7f3a91c2'", "a draft is " DRAFT);
	model_progress(m, "3 of 7");
	model_hint(m, "copied");
	for (int i = 0; i < LIMIT_TUI_MESSAGES - 1; i++)
		model_say(m, "this is %d", i);
	fixture_keys(m, "3 !");
	assert_shown(m, "MESSAGES");
	assert_shown(m, "12:00:00  this is 48");
	fixture_keys(m, "PageDown PageDown PageDown");
	assert_shown(m, "12:00:00  look: no sandbox");
	assert_shown(m, "15259-main.py");
	assert_not_shown(m, "3 of 7");
	assert_not_shown(m, "copied");
	fixture_keys(m, "Escape");
	model_say(m, "one more");
	fixture_keys(m, "! PageDown PageDown PageDown");
	assert_not_shown(m, "no sandbox");
	assert_shown(m, "this is 0");
	fixture_free(m);
}

/* On a line with one column a character that takes two is whole. */
static void test_message__narrow(void **state)
{
	struct model *m = fixture_model(24, 80);

	(void)state;
	model_say(m, "\u6f22\u5b57");
	update_settle(m);
	model_resize(m, 24, 10);
	fixture_keys(m, "!");
	model_resize(m, 24, 80);
	assert_shown(m, "MESSAGES");
	fixture_free(m);
	assert_int_equal(form_text_line("\u6f22\u5b57", 6, 1), 3);
	assert_int_equal(form_text_rows("\u6f22\u5b57", 1), 2);
	assert_int_equal(form_text_rows("\u6f22\u5b57", 0), 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test(test_message__##name)
	const struct CMUnitTest tests[] = {
		TEST(goes_with_the_screen),
		TEST(goes_with_the_sandbox),
		TEST(stays_true),
		TEST(whole),
		TEST(list),
		TEST(narrow),
#undef TEST
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8")) {
		print_message("needs the locale C.UTF-8\n");
		return 1;
	}
	return cmocka_run_group_tests_name("message", tests, NULL, NULL);
}
