/* SPDX-License-Identifier: MIT */
/* The dashboard's figures at every width, and when they are read. */
#include <locale.h>

#include "tests/unit/model-fixture.h"
#include "tests/unit/settings-fixture.h"

#define SECOND INT64_C(1000000000)

/* No figure is cut: what matters least is left out. */
static void test_dash__tiles(void **state)
{
	static const struct {
		int rows, cols;
		const char *shown[4];
	} cases[] = {
		{ 50, 200, { "5  run 2  err 1  boot 1", "2  warm 3",
			     "2 of 3 healthy", "4h02m  312 spawns" } },
		{ 40, 120, { "5  run 2  err 1  boot 1", "2  warm 3",
			     "2 of 3 healthy", "4h02m  312 spawns" } },
		{ 30, 110, { "5  run 2  err 1  boot 1", "2  warm 3",
			     "2 of 3 healthy", "4h02m  312 spawns" } },
		{ 30, 100, { "5  run 2  err 1 ", "2  warm 3",
			     "2 of 3 healthy", "4h02m  312 spawns" } },
		{ 24, 80, { "5  run 2  err 1 ", "2  warm 3", "2 of 3 healthy",
			    " 4h02m 312 spawns " } },
		{ 16, 80, { "SANDBOXES 5  err 1 ", "TEMPLATES 2  ",
			    "PROVIDERS 2 of 3 ", "UPTIME 4h02m 312" } },
		{ 16, 60, { "SANDBOXES 5  run 2  err 1 ",
			    "TEMPLATES 2  warm 3" } },
		{ 10, 40, { "SANDBOXES 5  err 1 ", "TEMPLATES 2" } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct model *m = fixture_model(cases[i].rows, cases[i].cols);

		for (size_t k = 0; k < 4 && cases[i].shown[k]; k++)
			assert_shown(m, cases[i].shown[k]);
		fixture_free(m);
	}
}

/* What the table has is what there is room for; columns stand still. */
static void test_dash__columns(void **state)
{
	struct model *m = fixture_model(30, 110);

	(void)state;
	assert_shown(m, "NAME     STATE      PROVIDER IMAGE");
	assert_shown(m, "mock     python:3.12");
	model_resize(m, 24, 80);
	update_settle(m);
	assert_shown(m, "NAME     STATE      PROVIDER IMAGE");
	model_resize(m, 50, 200);
	update_settle(m);
	assert_shown(m, "24m \u2588\u2588\u2588\u2591");
	m->set.ascii = true;
	assert_shown(m, "24m ###.");
	m->set.words = true; /* neither can be read out */
	assert_not_shown(m, "24m ###.");
	m->set.words = m->set.ascii = false;
	fixture_keys(m, "C");
	assert_shown(m, "hide cpu curve");
	assert_shown(m, "hide ttl bar");
	fixture_keys(m, "Down Down Down Down Down Down Down Down Down");
	fixture_keys(m, "Enter");
	assert_not_shown(m, "24m \u2588");
	fixture_free(m);
}

/* Of one that is busier and busier. */
static void test_dash__curve(void **state)
{
	struct model *m = fixture_model(50, 200);

	(void)state;
	for (int i = 0; i <= 100; i += 20) {
		auto_free char *stats = xasprintf(
			"{\"supported\":true,\"cpu_pct\":%d,"
			"\"mem_bytes\":1,\"mem_limit_bytes\":2}", i);

		fixture_time(m, 3 * SECOND);
		update_tick(m);
		fixture_answer(m, "GET",
			       "/api/v1/sandboxes/sb-7f3a91c2/stats", SVM_OK,
			       stats);
		fixture_answer(m, "GET",
			       "/api/v1/sandboxes/sb-2c8e04d7/stats", SVM_OK,
			       "{\"supported\":false}");
	}
	assert_shown(m, "100% \u2583\u2585\u2586\u2588");
	m->set.motion = false;
	assert_shown(m, "100%");
	assert_not_shown(m, "100% \u2583");
	fixture_free(m);
}

/* A rate is known of the second time alone, which isn't long after the first,
 * also where nothing ticks. */
static void test_dash__first_figure(void **state)
{
	static const char path[] = "/api/v1/sandboxes/sb-00000001/stats";
	static const char stats[] = "{\"supported\":true,\"cpu_pct\":7}";
	struct model *m = fixture_model(24, 120);
	cJSON *one = cJSON_Parse("[{\"id\":\"sb-00000001\",\"state\":"
				 "\"running\",\"image\":\"host\"}]");

	(void)state;
	m->set.motion = false;
	fleet_load(&m->fleet, one);
	cJSON_Delete(one);
	update_settle(m);
	fixture_time(m, 3 * SECOND);
	update_tick(m);
	assert_int_equal(fixture_answer(m, "GET", path, SVM_OK, stats), 1);
	assert_not_shown(m, "7%");
	assert_int_equal(update_wake(m), m->boot_ns + SECOND);
	fixture_time(m, SECOND);
	update_tick(m);
	assert_int_equal(fixture_answer(m, "GET", path, SVM_OK, stats), 1);
	assert_shown(m, " 7%");
	assert_true(update_wake(m) > m->boot_ns + 3 * SECOND);
	fixture_free(m);
}

/* The ribbon's meters are read while they are seen and something runs. */
static void test_dash__meters(void **state)
{
	struct model *m = fixture_model(30, 120);
	int64_t soon;

	(void)state;
	m->host = (struct host){ .known = true, .has_rates = true,
				 .at = m->boot_ns };
	fixture_keys(m, "6");
	soon = m->boot_ns + 3 * SECOND;
	assert_true(update_wake(m) <= soon);
	fixture_time(m, 3 * SECOND);
	m->effects = 0;
	update_tick(m);
	assert_true(m->effects & EFFECT_HOST);
	/* Not read while nobody sees them. */
	m->host.at = m->boot_ns;
	soon = m->boot_ns + 3 * SECOND;
	m->focused = false;
	assert_true(update_wake(m) > soon);
	m->focused = true;
	model_resize(m, 30, 50);
	assert_true(update_wake(m) > soon);
	model_resize(m, 30, 120);
	m->set.motion = false;
	assert_true(update_wake(m) > soon);
	m->set.motion = true;
	assert_true(update_wake(m) <= soon);
	fixture_no_sandboxes(m);
	m->host.at = m->boot_ns;
	fixture_time(m, 3 * SECOND);
	m->effects = 0;
	update_tick(m);
	assert_false(m->effects & EFFECT_HOST);
	fixture_free(m);
}

/* Two keys are told of at any width, the help by its name. */
static void test_dash__narrow_navigation(void **state)
{
	struct model *m = fixture_model(10, 40);

	(void)state;
	assert_shown(m, ": command  ? help");
	fixture_keys(m, "2");
	assert_shown(m, " 1 2 SANDBOXES 3 4 5 6 7       : ? help");
	fixture_free(m);
}

/* Of keys that are about what is selected none is told of where nothing is;
 * those of the rest are. */
static void test_dash__hints_of_nothing(void **state)
{
	struct model *m = fixture_model(24, 150);

	(void)state;
	/* What is filtered out isn't there either. */
	fixture_keys(m, "2 / z z z z Enter");
	assert_shown(m, "s spawn");
	assert_not_shown(m, "d kill");
	fixture_keys(m, "Escape");
	assert_shown(m, "d kill");
	model_open(m, "sb-7f3a91c2", WORKSPACE_FILES);
	fixture_answer(m, "GET", "/api/v1/sandboxes/sb-7f3a91c2/files", SVM_OK,
		       "[]");
	assert_shown(m, "- up  u upload");
	assert_shown(m, "3 terminal  x actions"); /* of the sandbox */
	assert_not_shown(m, "i edit");
	fixture_keys(m, "Escape 7");
	assert_not_shown(m, "Enter open");
	fixture_no_sandboxes(m);
	fixture_keys(m, "1");
	assert_shown(m, "s spawn  o sort");
	assert_not_shown(m, "t terminal");
	fixture_keys(m, "2");
	assert_shown(m, "s spawn  o sort  Tab pane");
	model_refresh(m);
	fixture_answer(m, "GET", "/api/v1/templates", SVM_OK, "[]");
	fixture_answer(m, "GET", "/api/v1/providers", SVM_OK, "[]");
	fixture_keys(m, "3");
	assert_shown(m, "s spawn  n new  o sort");
	fixture_keys(m, "4");
	assert_not_shown(m, "r test");
	assert_shown(m, "o sort");
	fixture_free(m);
}

/* The logs open a sandbox, if one is chosen. */
static void test_dash__hints_of_no_log(void **state)
{
	struct model *m = fixture_model(24, 150);

	(void)state;
	fixture_no_sandboxes(m);
	fixture_keys(m, "5");
	assert_shown(m, "Space follow");
	assert_not_shown(m, "Enter open");
	fixture_free(m);
}

/* Nobody is an owner: there is no column of them. */
static void test_dash__no_owners(void **state)
{
	struct model *m = fixture_model(50, 200);

	(void)state;
	assert_shown(m, "OWNER");
	fixture_no_sandboxes(m);
	assert_not_shown(m, "OWNER");
	fixture_free(m);
}

/* The curve and the load go before the figures do. */
static void test_dash__narrow_meters(void **state)
{
	struct model *m = fixture_model(16, 120);

	(void)state;
	m->host = (struct host){ .known = true, .has_rates = true, .cpu = 34,
				 .mem = 61, .load = 0.82, .at = m->boot_ns };
	assert_shown(m, " 34%  mem 61%  load 0.82 ");
	model_resize(m, 16, 90);
	assert_shown(m, "  cpu 34%  mem 61% ");
	assert_not_shown(m, "load");
	model_resize(m, 16, 60);
	assert_shown(m, " STACYVM  2 running  cpu 34%  mem 61% ");
	model_resize(m, 16, 59);
	assert_not_shown(m, "cpu 34%");
	fixture_free(m);
}

/* Where not all fields fit, the form says which of how many one is in. */
static void test_dash__spawn_form_has_more(void **state)
{
	struct model *m = fixture_model(10, 40);

	(void)state;
	fixture_keys(m, "s");
	assert_shown(m, " 2/");
	fixture_keys(m, "Tab");
	assert_shown(m, " 3/");
	model_resize(m, 24, 80);
	update_settle(m);
	assert_not_shown(m, " 3/");
	fixture_free(m);
}

/* Of the tabs of the details the one that is shown is always seen. */
static void test_dash__narrow_tabs(void **state)
{
	struct model *m = fixture_model(12, 40);

	(void)state;
	fixture_keys(m, "2 j i");
	assert_shown(m, " [Info]  Stats  Logs  Net  Posture > ");
	fixture_keys(m, "] ] ]");
	assert_shown(m, "[Net]");
	fixture_keys(m, "] ]");
	assert_shown(m, " < Stats  Logs  Net  Posture  [JSON] ");
	model_resize(m, 12, 80);
	update_settle(m);
	assert_shown(m, "Posture  [JSON] ");
	fixture_free(m);
}

static void test_dash__info(void **state)
{
	struct model *m = fixture_model(30, 120);

	(void)state;
	fixture_keys(m, "2 j");
	assert_shown(m, "\u25cf running  since 11:55:00");
	assert_shown(m, "24m left   E extend");
	assert_not_shown(m, "+ its disk");
	struct sandbox *b = fleet_find(&m->fleet, "sb-7f3a91c2");

	b->has_stats = true;
	b->mem_limit = 512 << 20;
	b->mem = b->mem_limit;
	assert_shown(m, "512 MiB of 512 MiB ");
	assert_not_shown(m, "+ its disk");
	b->mem++;
	assert_shown(m, "of 512 MiB + its disk");
	m->read_only = true;
	assert_not_shown(m, "E extend");
	fixture_keys(m, "] ] ]");
	assert_shown(m, "its own loopback, and nothing beyond");
	assert_shown(m, "none is reached from outside");
	fixture_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dash__tiles),
		cmocka_unit_test(test_dash__columns),
		cmocka_unit_test(test_dash__curve),
		cmocka_unit_test(test_dash__meters),
		cmocka_unit_test(test_dash__narrow_meters),
		cmocka_unit_test(test_dash__narrow_navigation),
		cmocka_unit_test(test_dash__no_owners),
		cmocka_unit_test(test_dash__spawn_form_has_more),
		cmocka_unit_test(test_dash__narrow_tabs),
		cmocka_unit_test(test_dash__info),
		cmocka_unit_test(test_dash__first_figure),
		cmocka_unit_test(test_dash__hints_of_nothing),
		cmocka_unit_test(test_dash__hints_of_no_log),
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8")) {
		print_message("needs the locale C.UTF-8\n");
		return 1;
	}
	return cmocka_run_group_tests_name("dash", tests,
					   settings_fixture_setup,
					   settings_fixture_teardown);
}
