/* SPDX-License-Identifier: MIT */
/* Events as lines, and the kinds that screen 7 shows. */
#include <locale.h>

#include "lib/api/event-type.h"
#include "tests/unit/model-fixture.h"
#include "tui/event-text.h"

#define EVENT(type, id, data)                                      \
	"{\"type\":\"" type "\",\"sandbox_id\":\"" id "\","          \
	"\"timestamp\":\"2026-03-01T11:55:00Z\",\"data\":" data "}"

static void assert_text(const char *event, const char *expected)
{
	struct model *m = fixture_model(24, 80);
	cJSON *json = cJSON_Parse(event);
	auto_buf struct buf out = BUF_INIT;

	event_text(m, json, &out);
	assert_string_equal(buf_str(&out), expected);
	cJSON_Delete(json);
	fixture_free(m);
}

static void test_event_text__lines(void **state)
{
	static const char *const cases[][2] = {
		{ EVENT("sandbox.created", "sb-1",
			"{\"name\":\"web\",\"ttl\":\"30m0s\",\"owner_id\":"
			"\"al\",\"image\":\"python\",\"provider\":\"native\"}"),
		  "SPAWN    sb-1 native python name=web ttl=30m by al" },
		{ EVENT("sandbox.created", "sb-1",
			"{\"ttl\":\"1h0m0s\"}"), "SPAWN    sb-1 ttl=1h" },
		{ EVENT("sandbox.created", "sb-1",
			"{\"ttl\":\"10m30s\"}"), "SPAWN    sb-1 ttl=10m30s" },
		{ EVENT("sandbox.updated", "sb-1",
			"{\"changed\":[\"name\",5,\"metadata\"]}"),
		  "UPDATE   sb-1 changed=name,metadata" },
		{ EVENT("sandbox.destroyed", "sb-1",
			"{\"reason\":\"expired\"}"),
		  "KILL     sb-1 reason=expired" },
		{ EVENT("exec.started", "sb-1",
			"{\"session_id\":\"ex-1\",\"command\":\"pytest -q\"}"),
		  "EXEC     sb-1 pytest -q started" },
		{ EVENT("exec.completed", "sb-1",
			"{\"session_id\":\"ex-1\",\"command\":\"pytest\","
			"\"exit_code\":3,\"duration\":\"11.344507ms\"}"),
		  "EXEC     sb-1 pytest exit 3 in 11ms" },
		{ EVENT("exec.timeout", "sb-1",
			"{\"command\":\"sleep\",\"exit_code\":137,"
			"\"duration\":\"1m1.254152614s\"}"),
		  "EXEC     sb-1 sleep exit 137 in 1m1.2s timed out" },
		{ EVENT("file.moved", "sb-1",
			"{\"new_path\":\"/b\",\"path\":\"/a\"}"),
		  "MOVE     sb-1 /a to /b" },
		{ EVENT("template.deleted", "", "{\"name\":\"ci\"}"),
		  "TEMPLATE name=ci deleted" },
		/* What this program doesn't know is shown all the same. */
		{ EVENT("moon.landed", "sb-1", "{\"at\":1,\"by\":{},"
			"\"warm\":true}"),
		  "moon.landed sb-1 at=1 warm=true" },
		{ EVENT("exec.completed", "sb-1",
			"{\"duration\":\"never\",\"command\":7}"),
		  "EXEC     sb-1 7" },
		{ EVENT("sandbox.running", "sb-1", "[1,\"x\"]"),
		  "RUN      sb-1" },
		{ EVENT("sandbox.running", "sb-1", "null"), "RUN      sb-1" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_free char *line = xasprintf("11:55:00 %s", cases[i][1]);

		assert_text(cases[i][0], line);
	}
}

/* Where a line without room for all of it may be cut. */
static void test_event_text__outcome(void **state)
{
	static const char *const cases[][2] = {
		{ EVENT("exec.completed", "sb-1",
			"{\"exit_code\":3,\"duration\":\"1.2s\","
			"\"command\":\"pytest exit 0\",\"more\":1}"),
		  " exit 3 in 1.2s" },
		{ EVENT("exec.started", "sb-1", "{\"command\":\"pytest\"}"),
		  " started" },
		{ EVENT("sandbox.created", "sb-1", "{\"ttl\":\"1h0m0s\"}"),
		  "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct model *m = fixture_model(24, 80);
		cJSON *json = cJSON_Parse(cases[i][0]);
		auto_buf struct buf out = BUF_INIT;
		size_t at = event_text(m, json, &out);

		assert_string_equal(buf_str(&out) + at, cases[i][1]);
		cJSON_Delete(json);
		fixture_free(m);
	}
}

/* Of another day too, whatever room there is. */
static void test_event_text__other_days(void **state)
{
	static const char yesterday[] =
		"{\"type\":\"exec.completed\",\"sandbox_id\":\"sb-1\","
		"\"timestamp\":\"2026-02-28T23:55:01Z\",\"data\":"
		"{\"command\":\"make\",\"exit_code\":3,"
		"\"duration\":\"8ms\"}}";
	static const struct {
		int cols;
		const char *screen, *shown;
	} cases[] = {
		{ 120, "1", "02-28    EXEC     sb-1 make exit 3" },
		{ 60, "7", "02-28    EXEC     sb-1 make exit 3 in 8ms" },
		{ 120, "7", "2026-02-28 23:55:01 EXEC     sb-1 make exit 3" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct model *m = fixture_model(40, cases[i].cols);

		fixture_line(m, m->events, yesterday);
		fixture_line(m, m->events, EVENT("sandbox.running", "sb-1",
						 "{}"));
		fixture_keys(m, cases[i].screen);
		assert_shown(m, cases[i].shown);
		assert_shown(m, "11:55:00 RUN      sb-1");
		fixture_free(m);
	}
}

/* No line but an event's is touched, and none that only looks like it. */
static void test_event_text__brief(void **state)
{
	static const char *const as_they_are[] = {
		"", "2026-02-2", "11:55:00 EXEC", "--:--:-- EXEC",
		"2026-02-28 23:55:0x EXEC",
	};
	auto_free char *brief = event_text_brief("2026-02-28 23:55:01 EXEC",
						 EVENT_DATE_COLS - 1);

	(void)state;
	assert_string_equal(brief, "02-28    EXEC");
	assert_null(event_text_brief("2026-02-28 23:55:01 EXEC",
				     EVENT_DATE_COLS));
	for (size_t i = 0; i < ARRAY_SIZE(as_they_are); i++)
		assert_null(event_text_brief(as_they_are[i], 10));
}

/* The columns behind it stand below each other. */
static void test_event_text__every_type_has_a_word(void **state)
{
	(void)state;
	for (int i = EVENT_NONE + 1; i < EVENT_TYPE_MAX; i++) {
		struct model *m = fixture_model(24, 80);
		auto_free char *event = xasprintf(
			EVENT("%s", "sb-1", "{}"), event_type_name(i));
		cJSON *json = cJSON_Parse(event);
		auto_buf struct buf out = BUF_INIT;

		event_text(m, json, &out);
		assert_int_equal(strstr(buf_str(&out), "sb-1") -
				 buf_str(&out), 18);
		cJSON_Delete(json);
		fixture_free(m);
	}
}

static void test_event_text__kinds(void **state)
{
	struct model *m = fixture_model(24, 80);

	(void)state;
	fixture_keys(m, "7");
	fixture_line(m, m->events, EVENT("sandbox.running", "sb-1", "{}"));
	fixture_line(m, m->events, EVENT("exec.started", "sb-2",
					 "{\"command\":\"sandbox\"}"));
	fixture_line(m, m->events, EVENT("moon.landed", "sb-3", "{}"));
	assert_shown(m, "kind: all");
	fixture_keys(m, "t");
	assert_shown(m, "kind: sandbox");
	assert_shown(m, "RUN      sb-1");
	assert_not_shown(m, "sb-2");
	assert_not_shown(m, "sb-3");
	fixture_keys(m, "t");
	assert_shown(m, "kind: exec");
	assert_shown(m, "EXEC     sb-2 sandbox");
	assert_not_shown(m, "sb-1");
	fixture_keys(m, "t t t t t t t t"); /* once around */
	assert_shown(m, "kind: all");
	assert_shown(m, "moon.landed sb-3");
	fixture_free(m);
}

#define LIVE "sb-7f3a91c2"

/* One alone, also one that is gone; Escape takes it back. */
static void test_event_text__one_sandbox(void **state)
{
	struct model *m = fixture_model(24, 80);

	(void)state;
	fixture_keys(m, "7");
	fixture_line(m, m->events, EVENT("sandbox.destroyed", "sb-gone", "{}"));
	fixture_line(m, m->events, EVENT("exec.started", LIVE,
					 "{\"command\":\"about sb-gone\"}"));
	fixture_line(m, m->events, EVENT("template.saved", "",
					 "{\"name\":\"ci\"}"));
	assert_shown(m, "sandbox: all");
	fixture_keys(m, "i");
	assert_shown(m, "EVENTS OF");
	assert_shown(m, LIVE " web");
	fixture_keys(m, "Down Down Down Down Down Down");
	assert_shown(m, "sb-gone (gone)");
	fixture_keys(m, "Enter");
	assert_shown(m, "sandbox: sb-gone");
	assert_shown(m, "KILL     sb-gone");
	assert_not_shown(m, "EXEC");
	assert_shown(m, "1 shown");
	fixture_keys(m, "i Enter"); /* the same */
	assert_shown(m, "KILL     sb-gone");
	fixture_keys(m, "Escape");
	assert_shown(m, "sandbox: all");
	assert_shown(m, "EXEC");
	fixture_keys(m, "Up i Enter"); /* whose line it is */
	assert_shown(m, "sandbox: " LIVE);
	fixture_keys(m, "t t");
	assert_shown(m, "kind: exec");
	fixture_keys(m, "Escape");
	assert_shown(m, "kind: all");
	assert_shown(m, "sandbox: all");
	fixture_keys(m, "Escape");
	assert_not_shown(m, "EVENTS  kind");
	fixture_free(m);
}

/* A long command makes room for what became of it. */
static void test_event_text__outcome_in_view(void **state)
{
	struct model *m = fixture_model(24, 60);

	(void)state;
	fixture_keys(m, "7");
	fixture_line(m, m->events, EVENT("exec.completed", LIVE,
					 "{\"command\":\"python -m pytest -q "
					 "tests/unit tests/system\","
					 "\"exit_code\":3,"
					 "\"duration\":\"1.2s\"}"));
	assert_shown(m, "EXEC     " LIVE " python -m py~ exit 3 in 1.2s");
	fixture_keys(m, "/ p y t e s t Enter");
	assert_shown(m, "~ exit 3 in 1.2s");
	fixture_keys(m, "w");
	assert_shown(m, "python -m pytest -q tests/un");
	fixture_keys(m, "w");
	model_resize(m, 24, 40);
	update_settle(m);
	assert_shown(m, "EXEC     ");
	fixture_free(m);
}

/* To the sandbox, the template, the provider that it names. */
static void test_event_text__jump(void **state)
{
	static const struct {
		const char *event, *shown;
	} cases[] = {
		{ EVENT("sandbox.running", LIVE, "{}"), "FILES" },
		{ EVENT("sandbox.destroyed", "sb-gone", "{}"),
		  "sb-gone is gone" },
		{ EVENT("template.saved", "", "{\"name\":\"web-build\"}"),
		  "\u258c web-build" },
		{ EVENT("provider.failed", "", "{\"provider\":\"docker\"}"),
		  "\u258c DOCKER" },
		{ EVENT("quota.saved", "", "{\"name\":\"x\"}"),
		  "nothing to go to" },
		{ EVENT("template.saved", "", "7"), "nothing to go to" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct model *m = fixture_model(24, 120);

		fixture_keys(m, "7");
		fixture_line(m, m->events, cases[i].event);
		fixture_keys(m, "y");
		assert_non_null(strstr(buf_str(&m->clipboard),
				       "\"timestamp\":\"2026"));
		fixture_keys(m, "Enter");
		assert_shown(m, cases[i].shown);
		fixture_free(m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_event_text__lines),
		cmocka_unit_test(test_event_text__outcome),
		cmocka_unit_test(test_event_text__other_days),
		cmocka_unit_test(test_event_text__brief),
		cmocka_unit_test(test_event_text__every_type_has_a_word),
		cmocka_unit_test(test_event_text__kinds),
		cmocka_unit_test(test_event_text__one_sandbox),
		cmocka_unit_test(test_event_text__outcome_in_view),
		cmocka_unit_test(test_event_text__jump),
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8")) {
		print_message("needs the locale C.UTF-8\n");
		return 1;
	}
	return cmocka_run_group_tests_name("event-text", tests, NULL, NULL);
}
