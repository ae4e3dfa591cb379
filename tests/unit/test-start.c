/* SPDX-License-Identifier: MIT */
/* What is shown while the daemon isn't there yet, and when it isn't. */
#include <locale.h>

#include "tests/unit/model-fixture.h"
#include "tui/start.h"

#define MS INT64_C(1000000)

static struct model *begin(int rows, int cols)
{
	struct model *m = model_new(rows, cols);

	m->wall_ns = FIXTURE_WALL_NS;
	m->boot_ns = FIXTURE_BOOT_NS;
	model_start(m);
	m->effects = 0;
	return m;
}

static void later(struct model *m, int64_t ms)
{
	fixture_time(m, ms * MS);
	update_tick(m);
}

static void live(struct model *m)
{
	m->events->state = STREAM_LIVE;
	m->events->changed(m, m->events);
}

/* A quick daemon is never kept company; a slow one from then on. */
static void test_start__after_a_while(void **state)
{
	struct model *m = begin(24, 80);

	(void)state;
	assert_int_equal(update_wake(m), FIXTURE_BOOT_NS + START_AFTER_NS);
	later(m, 299);
	assert_false(start_shown(m));
	assert_shown(m, "DASH");
	/* What isn't known yet is no figure. */
	assert_not_shown(m, "run 0");
	assert_not_shown(m, "0 of 0");
	later(m, 1);
	assert_true(start_shown(m));
	assert_not_shown(m, "DASH");
	assert_shown(m, "STACYVM");
	assert_shown(m, "daemon ... socket ... fleet");
	assert_not_shown(m, "starting daemon");
	m->events->starting = true;
	assert_shown(m, "starting daemon ... socket ... fleet");
	m->events->starting = false;
	live(m);
	assert_shown(m, "daemon ... socket ... fleet");
	fixture_answer(m, "GET", "/api/v1/sandboxes", SVM_OK, FIXTURE_FLEET);
	assert_false(start_shown(m));
	assert_shown(m, "sb-7f3a91c2");
	later(m, 5000);
	assert_false(start_shown(m));
	fixture_free(m);
}

static void test_start__at_any_size(void **state)
{
	static const struct {
		int rows, cols;
	} sizes[] = { { 50, 200 }, { 40, 120 }, { 24, 80 }, { 16, 60 },
		      { 10, 40 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct model *m = begin(sizes[i].rows, sizes[i].cols);

		m->events->starting = true;
		later(m, 300);
		assert_shown(m, "STACYVM");
		assert_shown(m, "starting daemon ... socket ... fleet");
		assert_shown(m, "^C quit");
		m->set.ascii = true;
		later(m, 600);
		assert_shown(m, "###...");
		fixture_free(m);
	}
}

/* The step under way grows up to its end and no further: then nothing moves,
 * and nothing wakes up. */
static void test_start__moves_and_stops(void **state)
{
	struct model *m = begin(24, 80);
	const int64_t minute = 60 * 1000 * MS;
	int woken = 0;

	(void)state;
	m->set.ascii = true;
	later(m, 300);
	assert_int_equal(update_wake(m), FIXTURE_BOOT_NS + 500 * MS);
	while (update_wake(m) < FIXTURE_BOOT_NS + 20000 * MS) {
		later(m, (update_wake(m) - m->boot_ns) / MS);
		assert_true(++woken < 20);
	}
	assert_shown(m, "#########.........");
	assert_true(update_wake(m) >= FIXTURE_BOOT_NS + minute -
					      FIXTURE_WALL_NS % minute);
	live(m);
	assert_shown(m, "#################.........");
	assert_true(start_wake(m) == 0 || start_wake(m) > m->boot_ns);
	fixture_free(m);
	/* Nor does anything with ui.motion=off, or out of focus. */
	m = begin(24, 80);
	m->set.motion = false;
	m->set.ascii = true;
	assert_int_equal(start_wake(m), FIXTURE_BOOT_NS + START_AFTER_NS);
	later(m, 300);
	assert_true(start_shown(m));
	assert_int_equal(start_wake(m), 0);
	auto_free char *before = fixture_screen(m);

	later(m, 2000);
	auto_free char *after = fixture_screen(m);

	assert_string_equal(before, after);
	m->set.motion = true;
	m->focused = false;
	assert_int_equal(start_wake(m), 0);
	fixture_free(m);
}

/* It holds nobody up: a key is for what is below, and the next is too. */
static void test_start__any_key_skips(void **state)
{
	struct model *m = begin(24, 120);

	(void)state;
	later(m, 300);
	fixture_keys(m, "2");
	assert_false(start_shown(m));
	assert_int_equal(m->screen, SCREEN_SANDBOXES);
	assert_shown(m, "FLEET");
	later(m, 5000);
	assert_false(start_shown(m));
	assert_int_equal(start_wake(m), 0);
	fixture_free(m);
	/* Also before it came. */
	m = begin(24, 120);
	fixture_keys(m, "s");
	later(m, 5000);
	assert_shown(m, "SPAWN");
	fixture_free(m);
	/* A click sees nothing to click at. */
	m = begin(24, 120);
	later(m, 300);
	update_input(m, &(struct input_event){
				.type = INPUT_MOUSE,
				.mouse = { .kind = MOUSE_PRESS, .button = 1,
					   .row = 1, .col = 10 } });
	assert_false(start_shown(m));
	assert_int_equal(m->screen, SCREEN_DASH);
	fixture_free(m);
}

static void test_start__cancel_quits(void **state)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct model *m = begin(24, 120);

	(void)state;
	/* Not what it doesn't say: before, it is the question. */
	fixture_keys(m, "^C");
	assert_false(m->effects & EFFECT_QUIT);
	fixture_free(m);
	m = begin(24, 120);
	assert_int_equal(keymap_set(m->keymap, "global.cancel", "F9", &err),
			 0);
	later(m, 300);
	assert_shown(m, "F9 quit");
	fixture_keys(m, "F9");
	assert_true(m->effects & EFFECT_QUIT);
	assert_true(m->effects & EFFECT_CANCEL);
	fixture_free(m);
}

/* What isn't on its way isn't waited for. */
static void test_start__failures_end_it(void **state)
{
	struct model *m = begin(24, 120);

	(void)state;
	later(m, 300);
	assert_true(start_shown(m));
	m->events->state = STREAM_BROKEN;
	m->events->changed(m, m->events);
	assert_false(start_shown(m));
	assert_shown(m, "no daemon");
	live(m); /* later it is nobody's start any more */
	later(m, 5000);
	assert_false(start_shown(m));
	fixture_free(m);
	m = begin(24, 120);
	live(m);
	later(m, 300);
	assert_true(start_shown(m));
	fixture_answer(m, "GET", "/api/v1/sandboxes", SVM_INTERNAL, "no");
	assert_false(start_shown(m));
	assert_shown(m, "DASH");
	fixture_free(m);
	/* A shell's keys are its own. */
	m = begin(24, 120);
	model_shell(m, "sb-7f3a91c2");
	later(m, 5000);
	assert_false(start_shown(m));
	fixture_free(m);
}

int main(void)
{
#define TEST(name) cmocka_unit_test(test_start__##name)
	const struct CMUnitTest tests[] = {
		TEST(after_a_while),
		TEST(at_any_size),
		TEST(moves_and_stops),
		TEST(any_key_skips),
		TEST(cancel_quits),
		TEST(failures_end_it),
#undef TEST
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8")) {
		print_message("needs the locale C.UTF-8\n");
		return 1;
	}
	return cmocka_run_group_tests_name("start", tests, NULL, NULL);
}
