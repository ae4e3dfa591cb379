/* SPDX-License-Identifier: MIT */
/* A daemon that says nothing, and what is said of it. */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/api/limits.h"
#include "tests/unit/model-fixture.h"
#include "tui/frame.h"

#define SECOND INT64_C(1000000000)

/* Nothing was heard for so long, says the stream of events. */
static void be_silent(struct model *m, int64_t ns)
{
	fixture_time(m, ns);
	sync_silent(m, m->boot_ns - ns, m->boot_ns);
	update_settle(m);
}

/* It counts by itself, and ends with the first thing heard. */
static void test_silence__counts(void **state)
{
	struct model *m = fixture_model(24, 80);

	(void)state;
	m->focused = false; /* nothing else moves */
	assert_shown(m, "live");
	assert_int_equal(frame_silence_wake(m), 0);
	be_silent(m, 7 * SECOND + SECOND / 2);
	assert_shown(m, "no answer for 7 s");
	assert_not_shown(m, "live");
	assert_int_equal(update_wake(m), m->boot_ns + SECOND / 2);
	fixture_time(m, SECOND / 2);
	update_tick(m);
	assert_shown(m, "no answer for 8 s");
	assert_int_equal(update_wake(m), m->boot_ns + SECOND);
	fixture_time(m, 60 * SECOND);
	assert_shown(m, "no answer for 1 min");
	assert_int_equal(frame_silence_wake(m), m->heard_ns + 120 * SECOND);
	assert_shown(m, "sb-7f3a91c2");
	m->effects = 0;
	sync_heard(m, m->boot_ns);
	assert_true(m->effects & EFFECT_REDRAW);
	assert_not_shown(m, "no answer");
	assert_shown(m, "live");
	fixture_free(m);
}

/* Also beside the narrowest frame's other words. */
static void test_silence__has_room(void **state)
{
	static const int64_t long_ago[] = { 7, 59, 60, 59 * 60 };
	struct model *m = fixture_model(FRAME_ROWS_MIN, FRAME_COLS_MIN);

	(void)state;
	m->waiting++;
	m->set.words = true;
	for (size_t i = 0; i < ARRAY_SIZE(long_ago); i++) {
		auto_free char *wanted = xasprintf(
			"no answer for %d %s", (int)(long_ago[i] < 60 ?
				long_ago[i] : long_ago[i] / 60),
			long_ago[i] < 60 ? "s" : "min");

		sync_heard(m, m->boot_ns);
		be_silent(m, long_ago[i] * SECOND);
		assert_shown(m, wanted);
		assert_shown(m, "STACYVM");
	}
	fixture_free(m);
}

/* What else it says counts as well: then only one stream is stuck. */
static void test_silence__of_one_stream(void **state)
{
	struct model *m = fixture_model(24, 80);
	int64_t begun = m->boot_ns;

	(void)state;
	fixture_time(m, 9 * SECOND);
	sync_heard(m, m->boot_ns - SECOND);
	sync_silent(m, begun, m->boot_ns);
	assert_false(m->silent);
	fixture_time(m, LIMIT_TUI_SILENCE);
	sync_silent(m, begun, m->boot_ns);
	assert_true(m->silent);
	assert_shown(m, "no answer for 8 s");
	/* It is gone: that is more. */
	m->events->state = STREAM_BROKEN;
	m->events->changed(m, m->events);
	assert_shown(m, "no daemon");
	assert_not_shown(m, "no answer");
	fixture_free(m);
}

static void test_silence__in_a_terminal(void **state)
{
	struct model *m = fixture_model(24, 80);
	struct terminal *t = terminal_new(m, "sb-7f3a91c2", "s1", 5, 40);
	auto_buf struct buf status = BUF_INIT;

	(void)state;
	be_silent(m, 9 * SECOND);
	for (int i = 0; i < 2; i++) {
		t->state = i ? TERMINAL_LIVE : TERMINAL_OPENING;
		terminal_status(m, t, 27, &status);
		assert_string_equal(buf_str(&status), "[no answer for 9 s]");
		buf_clear(&status);
	}
	sync_heard(m, m->boot_ns);
	terminal_status(m, t, 27, &status);
	assert_string_equal(buf_str(&status), "");
	fixture_free(m);
}

static void be_lost(struct model *m)
{
	m->events->state = STREAM_BROKEN;
	m->events->changed(m, m->events);
}

/* The key that starts a daemon stands where it would, as it is bound. */
static void test_silence__start_key(void **state)
{
	struct model *m = fixture_model(FRAME_ROWS_MIN, FRAME_COLS_MIN);
	auto_err struct svm_err err = SVM_ERR_INIT;

	(void)state;
	m->starts = true;
	assert_not_shown(m, "start");
	be_lost(m);
	assert_shown(m, "no daemon  ^R start");
	fixture_keys(m, "^R");
	assert_non_null(fixture_request(m, "GET"));
	fixture_keys(m, "?"); /* the key is the dialog's */
	assert_not_shown(m, "R start");
	fixture_keys(m, "Escape");
	assert_int_equal(keymap_set(m->keymap, "global.refresh", "F5", &err),
			 0);
	assert_shown(m, "no daemon  F5 start");
	be_silent(m, 9 * SECOND);
	assert_shown(m, "no answer for 9 s");
	assert_not_shown(m, "start");
	sync_heard(m, m->boot_ns);
	m->starts = false; /* it is somebody else's to start */
	assert_shown(m, "no daemon");
	assert_not_shown(m, "start");
	fixture_free(m);
}

/* Nothing complains of a daemon that is there again, but what it didn't do for
 * its silence isn't done. */
static void test_silence__complaint_ends(void **state)
{
	struct model *m = fixture_model(24, 120);
	auto_err struct svm_err late = SVM_ERR_INIT, none = SVM_ERR_INIT;

	(void)state;
	svm_err_set(&late, SVM_TIMEOUT, "it is late");
	svm_err_set(&none, SVM_UNREACHABLE, "there is none");
	be_silent(m, 9 * SECOND);
	model_complain(m, &late, NULL);
	assert_shown(m, "it is late");
	sync_heard(m, m->boot_ns);
	assert_not_shown(m, "it is late");
	be_lost(m);
	model_complain(m, &none, NULL);
	assert_shown(m, "there is none");
	m->events->state = STREAM_LIVE;
	m->events->changed(m, m->events);
	assert_not_shown(m, "there is none");
	be_lost(m);
	model_complain(m, &none, "kill it");
	m->events->state = STREAM_LIVE;
	m->events->changed(m, m->events);
	assert_shown(m, "kill it: there is none");
	fixture_free(m);
}

int main(void)
{
#define TEST(name) cmocka_unit_test(test_silence__##name)
	const struct CMUnitTest tests[] = {
		TEST(counts),
		TEST(has_room),
		TEST(of_one_stream),
		TEST(in_a_terminal),
		TEST(start_key),
		TEST(complaint_ends),
#undef TEST
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8")) {
		print_message("needs the locale C.UTF-8\n");
		return 1;
	}
	return cmocka_run_group_tests_name("silence", tests, NULL, NULL);
}
