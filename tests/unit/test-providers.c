/* SPDX-License-Identifier: MIT */
/* Providers as cards: what is on them, what is always there, and how fast
 * each was. */
#include <locale.h>

#include "tests/unit/model-fixture.h"

#define LIST "/api/v1/providers"

static char *list_of(const char *more, int checked, double ms)
{
	return xasprintf("[{\"name\":\"native\",\"healthy\":true,"
			 "\"default\":true,\"latency_ms\":%g,"
			 "\"last_checked\":\"%d\",\"runtime_count\":2},"
			 "{\"name\":\"docker\",\"healthy\":false,"
			 "\"error\":\"no socket\"}%s]", ms, checked, more);
}

/* Time goes on until it asks again, and is answered. */
static void again(struct model *m, const char *more, int checked, double ms)
{
	auto_free char *list = list_of(more, checked, ms);

	fixture_time(m, INT64_C(10000000000));
	update_tick(m);
	assert_int_equal(fixture_answer(m, "GET", LIST, SVM_OK, list), 1);
}

static struct model *start(int rows, int cols)
{
	struct model *m = fixture_model(rows, cols);
	auto_free char *list = list_of("", 0, 3);

	fixture_keys(m, "4");
	fixture_answer(m, "GET", LIST, SVM_OK, list);
	return m;
}

static void test_providers__cards(void **state)
{
	struct input_event ev = { .type = INPUT_MOUSE };
	struct model *m = start(24, 120);

	(void)state;
	assert_shown(m, "\u258c NATIVE default \u25cf healthy 3.0ms \u2586\u2586 ");
	assert_shown(m, "\u258c sandboxes 2  isolation: namespaces, seccomp");
	assert_shown(m, "  DOCKER \u25cb not usable no socket");
	assert_shown(m, "  sandboxes 0  isolation: container");
	/* Both rows of a card are the card. */
	ev.mouse = (struct mouse){ .kind = MOUSE_PRESS, .row = 7, .col = 5 };
	update_input(m, &ev);
	assert_shown(m, "\u258c DOCKER");
	assert_shown(m, "2/2");
	ev.mouse.row = 4;
	update_input(m, &ev);
	assert_shown(m, "\u258c NATIVE");
	fixture_keys(m, "j D");
	assert_shown(m, "MAKE docker THE DEFAULT?");
	m->set.ascii = true;
	fixture_keys(m, "Escape");
	assert_shown(m, "> DOCKER o not usable");
	assert_shown(m, "NATIVE default * healthy 3.0ms ** ");
	fixture_free(m);
}

/* What the configuration leaves out is no trouble. */
static void test_providers__switched_off(void **state)
{
	struct model *m = start(24, 120);

	(void)state;
	again(m, ",{\"name\":\"mock\",\"healthy\":false,"
	      "\"enabled\":false,\"error\":\"is switched off\"}", 1, 3);
	assert_shown(m, "MOCK \u25cb switched off ");
	fixture_keys(m, "1");
	assert_shown(m, "1 of 2 healthy");
	assert_shown(m, "mock      switched off");
	fixture_free(m);
}

/* Isolation is what isn't cut off; without room a line each has it. */
static void test_providers__narrow_and_low(void **state)
{
	struct model *m = start(24, 80);

	(void)state;
	assert_shown(m, "isolation: namespaces, seccomp");
	assert_not_shown(m, "sandboxes 2  isolation");
	model_resize(m, 10, 80);
	update_settle(m);
	assert_shown(m, "isolation: container"); /* close to each other */
	again(m, ",{\"name\":\"proot\"},{\"name\":\"mock\"}", 1, 3);
	assert_not_shown(m, "isolation:");
	assert_shown(m, "namespaces, seccomp");
	assert_shown(m, "none: paths alone");
	fixture_keys(m, "G");
	assert_shown(m, "4/4");
	fixture_free(m);
}

/* A sample for each time that the daemon looked, and no more than have room,
 * whatever it says. */
static void test_providers__curve(void **state)
{
	struct model *m = start(24, 200);

	(void)state;
	again(m, "", 1, 12.4);
	assert_shown(m, "healthy 12ms \u2582\u2582\u2586 ");
	again(m, "", 1, 12.4); /* the same look */
	assert_shown(m, "healthy 12ms \u2582\u2582\u2586 ");
	again(m, "", 2, -5);
	again(m, "", 3, 1e300);
	again(m, ",{\"name\":\"a\",\"latency_ms\":\"x\"},{\"name\":7},9", 4, 0);
	assert_shown(m, "healthy 0.0ms \u2582\u2582\u2586\u2581 ");
	for (int i = 5; i < 50; i++) {
		auto_free char *more = xasprintf(
			",{\"name\":\"n%d\",\"healthy\":true,\"latency_ms\":1,"
			"\"last_checked\":\"1\"}", i);

		again(m, more, i, 1);
	}
	assert_shown(m, "healthy 1.0ms \u2586\u2586\u2586\u2586\u2586\u2586"
			"\u2586\u2586\u2586\u2586\u2586\u2586\u2586\u2586"
			"\u2586\u2586 ");
	assert_not_shown(m, "\u2586\u2586\u2586\u2586\u2586\u2586\u2586\u2586"
			    "\u2586\u2586\u2586\u2586\u2586\u2586\u2586\u2586"
			    "\u2586");
	m->set.motion = false;
	assert_not_shown(m, "\u2586");
	fixture_free(m);
}

/* It asks while somebody looks, one at a time, and without a word. */
static void test_providers__asks(void **state)
{
	struct model *m = start(24, 120);

	(void)state;
	fixture_time(m, INT64_C(10000000000));
	update_tick(m);
	assert_int_equal(m->waiting, 0);
	fixture_time(m, INT64_C(10000000000));
	update_tick(m); /* the first was not answered yet */
	assert_int_equal(fixture_answer(m, "GET", LIST, SVM_UNAVAILABLE,
					"no answer"), 1);
	assert_not_shown(m, "no answer");
	m->focused = false;
	fixture_time(m, INT64_C(10000000000));
	update_tick(m);
	assert_int_equal(fixture_answer(m, "GET", LIST, SVM_OK, "[]"), 0);
	m->focused = true;
	m->set.motion = false;
	update_tick(m);
	assert_int_equal(fixture_answer(m, "GET", LIST, SVM_OK, "[]"), 0);
	fixture_free(m);
}

/* Each with its cause; what is off is no failure, and how it is put on. */
static void test_providers__tested(void **state)
{
	struct model *m = start(24, 160);

	(void)state;
	again(m, ",{\"name\":\"mock\",\"healthy\":false,"
	      "\"enabled\":false,\"error\":\"is switched off\"}", 1, 3);
	fixture_keys(m, "r");
	fixture_answer(m, "POST", LIST "/test", SVM_OK,
		       "{\"mock\":false,\"native\":true,\"docker\":false}");
	assert_shown(m, "native works; docker does not work: no socket; mock "
			"is switched off (providers.mock.enabled on screen 6 "
			"switches it on)");
	fixture_free(m);
}

int main(void)
{
#define TEST(name) cmocka_unit_test(test_providers__##name)
	const struct CMUnitTest tests[] = {
		TEST(cards),
		TEST(switched_off),
		TEST(narrow_and_low),
		TEST(curve),
		TEST(asks),
		TEST(tested),
#undef TEST
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8")) {
		print_message("needs the locale C.UTF-8\n");
		return 1;
	}
	return cmocka_run_group_tests_name("providers", tests, NULL, NULL);
}
