/* SPDX-License-Identifier: MIT */
/* The table of sandboxes: filters, order, marks, and what stays selected. */
#include <locale.h>

#include "tests/unit/model-fixture.h"
#include "tui/fleet-table.h"

/* The shown ids' last two digits, the selected one in brackets. */
static char *rows(const struct fleet_table *t)
{
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < t->n; i++) {
		const char *id = t->shown[i]->id + strlen(t->shown[i]->id) - 2;

		buf_addf(&b, i == t->pos.at ? "%s[%s]" : "%s%s", i ? " " : "",
			 id);
	}
	buf_addstr(&b, "");
	return buf_steal(&b);
}

#define assert_rows(m, t, wanted)                                            \
	do {                                                                 \
		fleet_table_settle(m, t, (struct area){ 0, 0, 11, 80 });     \
		auto_free char *is = rows(t);                                \
		assert_string_equal(is, wanted);                             \
	} while (0)

/* By age: 00 (creating), c2 web, d7, f1 (error), 33 (stopped). */
static struct model *start(void **state)
{
	(void)state;
	return fixture_model(24, 80);
}

static void test_fleet_table__filter(void **state)
{
	static const struct {
		const char *filter, *rows;
	} cases[] = {
		{ "", "[00] c2 d7 f1 33" },
		{ "  ", "[00] c2 d7 f1 33" },
		{ "PYTHON", "[c2]" },
		{ "sb-", "[00] c2 d7 f1 33" },
		{ "!running", "[00] f1 33" },
		{ "run node", "[d7]" },
		{ "run !node", "[c2]" },
		{ "~pyt312", "[c2]" },
		{ "!~pyt312", "[00] d7 f1 33" },
		{ "!!web", "[c2]" },
		{ "!", "[00] c2 d7 f1 33" },
		{ "state=running", "[c2] d7" },
		{ "task=ci", "[c2]" },
		{ "task=", "[c2]" },
		{ "!task=ci", "[00] d7 f1 33" },
		{ "template=data", "[d7]" },
		{ "nosuch=x", "" },
		{ "=x", "" },
		{ "\u5b57", "[d7]" },
		{ "nothing of this", "" },
	};
	struct model *m = start(state);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fleet_table t = { 0 };

		field_set(&t.filter, cases[i].filter);
		assert_rows(m, &t, cases[i].rows);
		fleet_table_release(&t);
	}
	fixture_free(m);
}

static void test_fleet_table__sort(void **state)
{
	static const char *const orders[FLEET_SORT_MAX] = {
		[FLEET_BY_AGE] = "00 c2 d7 f1 33",
		[FLEET_BY_ID] = "33 d7 f1 c2 00",
		[FLEET_BY_STATE] = "00 f1 d7 c2 33",
		[FLEET_BY_IMAGE] = "00 f1 d7 c2 33",
		[FLEET_BY_CPU] = "c2 33 d7 f1 00",
		[FLEET_BY_MEMORY] = "c2 33 d7 f1 00",
		[FLEET_BY_TTL] = "d7 c2 33 f1 00",
		[FLEET_BY_NAME] = "f1 c2 33 d7 00",
	};
	struct model *m = start(state);
	struct fleet_table t = { 0 };
	cJSON *stats = cJSON_Parse("{\"supported\":true,\"cpu_pct\":50,"
				   "\"mem_bytes\":1000}");

	struct sandbox *s = fleet_find(&m->fleet, "sb-7f3a91c2");

	/* A rate is between two times. */
	fleet_stats(s, stats);
	assert_false(s->has_cpu);
	assert_int_equal(s->n_samples, 0);
	fleet_stats(s, stats);
	assert_true(s->has_cpu);
	assert_int_equal(s->n_samples, 1);
	cJSON_Delete(stats);
	for (size_t i = 0; i < FLEET_SORT_MAX; i++) {
		auto_free char *is = NULL;

		fleet_table_settle(m, &t, (struct area){ 0, 0, 11, 80 });
		t.pos.at = SIZE_MAX; /* no brackets */
		is = rows(&t);
		t.pos.at = 0;
		assert_string_equal(is, orders[t.order.by]);
		t.order.by = (t.order.by + 1) % FLEET_SORT_MAX;
	}
	assert_int_equal(t.order.by, FLEET_BY_AGE);
	fleet_table_act(m, &t, ACT_TOP);
	fleet_table_act(m, &t, ACT_SORT_INVERT);
	fleet_table_release(&t);
	t = (struct fleet_table){ .order.invert = true };
	assert_rows(m, &t, "[33] f1 d7 c2 00");
	fleet_table_release(&t);
	fixture_free(m);
}

/* Rows come, go and change places: one stays on the same sandbox. */
static void test_fleet_table__selection_stays(void **state)
{
	struct model *m = start(state);
	struct fleet_table t = { 0 };

	fleet_table_init(&t);
	assert_rows(m, &t, "[00] c2 d7 f1 33");
	fleet_table_act(m, &t, ACT_DOWN);
	fleet_table_act(m, &t, ACT_DOWN);
	fleet_remove(&m->fleet, "sb-9d11ba00");
	assert_rows(m, &t, "c2 [d7] f1 33");
	t.order.invert = true;
	assert_rows(m, &t, "33 f1 [d7] c2");
	/* It goes itself: the one that takes its place. */
	fleet_remove(&m->fleet, "sb-2c8e04d7");
	assert_rows(m, &t, "33 f1 [c2]");
	fleet_remove(&m->fleet, "sb-7f3a91c2");
	assert_rows(m, &t, "33 [f1]");
	fixture_no_sandboxes(m);
	assert_rows(m, &t, "");
	assert_null(fleet_table_selected(&t));
	for (int a = ACT_NONE; a < ACT_MAX; a++)
		fleet_table_act(m, &t, (enum action)a);
	fleet_table_release(&t);
	fixture_free(m);
}

static size_t marked(const struct model *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->fleet.n; i++)
		n += m->fleet.all[i]->marked;
	return n;
}

static void test_fleet_table__marks(void **state)
{
	struct model *m = start(state);
	struct fleet_table t = { 0 };
	auto_buf struct buf status = BUF_INIT;

	assert_rows(m, &t, "[00] c2 d7 f1 33");
	fleet_table_act(m, &t, ACT_MARK); /* and one down */
	fleet_table_act(m, &t, ACT_DOWN);
	fleet_table_act(m, &t, ACT_MARK_RANGE);
	assert_int_equal(marked(m), 3);
	fleet_table_status(m, &t, &status);
	assert_non_null(strstr(buf_str(&status), "3 marked of 5 sandboxes"));
	/* Marks stay when everything is loaded again. */
	model_refresh(m);
	fixture_answer(m, "GET", "/api/v1/sandboxes", SVM_OK, FIXTURE_FLEET);
	assert_int_equal(marked(m), 3);
	fleet_table_settle(m, &t, (struct area){ 0, 0, 11, 80 });
	/* What the filter hides isn't marked by "all". */
	fleet_table_act(m, &t, ACT_UNMARK_ALL);
	field_set(&t.filter, "running");
	assert_rows(m, &t, "c2 [d7]");
	fleet_table_act(m, &t, ACT_MARK_ALL);
	assert_int_equal(marked(m), 2);
	fleet_table_act(m, &t, ACT_UNMARK_ALL);
	assert_int_equal(marked(m), 0);
	/* From nowhere: this one, and on from there. */
	fleet_table_act(m, &t, ACT_TOP);
	fleet_table_act(m, &t, ACT_MARK_RANGE);
	assert_int_equal(marked(m), 1);
	fleet_table_act(m, &t, ACT_DOWN);
	fleet_table_act(m, &t, ACT_MARK_RANGE);
	assert_int_equal(marked(m), 2);
	fleet_table_act(m, &t, ACT_UNMARK_ALL);
	fleet_table_act(m, &t, ACT_MARK_RANGE); /* not from where it was */
	assert_int_equal(marked(m), 1);
	fleet_table_release(&t);
	fixture_free(m);
}

static void press(struct model *m, struct fleet_table *t, const char *key)
{
	struct input_event ev = { .type = INPUT_KEY };

	assert_int_equal(key_parse(key, &ev.key), 0);
	assert_true(fleet_table_input(m, t, &ev));
}

/* While the filter is typed, keys are text; Escape gives it up. */
static void test_fleet_table__typing(void **state)
{
	struct model *m = start(state);
	struct fleet_table t = { 0 };

	assert_rows(m, &t, "[00] c2 d7 f1 33");
	fleet_table_act(m, &t, ACT_FILTER);
	for (const char *c = "node"; *c; c++)
		press(m, &t, (char[2]){ *c, '\0' });
	assert_rows(m, &t, "[d7]");
	press(m, &t, "Backspace");
	press(m, &t, "Enter");
	assert_false(t.typing);
	assert_rows(m, &t, "[d7]");
	assert_true(fleet_table_act(m, &t, ACT_BACK)); /* clears it */
	assert_rows(m, &t, "00 c2 [d7] f1 33");
	assert_false(fleet_table_act(m, &t, ACT_BACK));
	fleet_table_act(m, &t, ACT_FILTER);
	press(m, &t, "x");
	press(m, &t, "Escape");
	assert_rows(m, &t, "00 c2 [d7] f1 33");
	fleet_table_act(m, &t, ACT_FILTER);
	press(m, &t, "^N"); /* one may move meanwhile */
	assert_rows(m, &t, "00 c2 d7 [f1] 33");
	fleet_table_release(&t);
	fixture_free(m);
}

static bool mouse(struct model *m, struct fleet_table *t, int kind, int row)
{
	return fleet_table_input(m, t, &(struct input_event){
						.type = INPUT_MOUSE,
						.mouse = { .kind = kind,
							   .row = row,
							   .col = 5 } });
}

static void test_fleet_table__mouse(void **state)
{
	struct model *m = start(state);
	struct fleet_table t = { 0 };

	fleet_table_settle(m, &t, (struct area){ 0, 0, 3, 80 });
	assert_true(mouse(m, &t, MOUSE_PRESS, 2));
	fleet_table_settle(m, &t, (struct area){ 0, 0, 3, 80 });
	assert_string_equal(t.selected, "sb-7f3a91c2");
	assert_true(mouse(m, &t, MOUSE_WHEEL_DOWN, 1));
	fleet_table_settle(m, &t, (struct area){ 0, 0, 3, 80 });
	assert_int_equal(t.pos.top, 3);
	assert_string_equal(t.selected, "sb-4a77e2f1");
	assert_false(mouse(m, &t, MOUSE_PRESS, 0)); /* the titles */
	assert_false(mouse(m, &t, MOUSE_PRESS, 3)); /* below */
	fleet_table_release(&t);
	fixture_free(m);
}

/* Times and numbers of a daemon that lies. */
static void test_fleet_table__absurd_values(void **state)
{
	static const char *const bad[] = {
		"0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z",
		"1677-09-21T00:12:43Z", "2262-04-11T23:47:17Z", "x", "",
	};
	struct model *m = start(state);

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		auto_free char *json = xasprintf(
			"{\"id\":\"sb-%zu\",\"state\":\"running\","
			"\"created_at\":\"%s\",\"expires_at\":\"%s\","
			"\"memory_mb\":-1e300,\"vcpus\":1e300}",
			i, bad[i], bad[i]);
		cJSON *stats = cJSON_Parse("{\"supported\":true,"
					   "\"cpu_pct\":1e308,\"pids\":-1,"
					   "\"mem_bytes\":1e308}");

		fleet_put(&m->fleet, cJSON_Parse(json));
		fleet_stats(m->fleet.all[0], stats);
		cJSON_Delete(stats);
		update_settle(m);
		update_wake(m);
		for (const char *keys = "12]]]"; *keys; keys++) {
			auto_free char *screen = NULL;

			fixture_type(m, (char[2]){ *keys, '\0' });
			screen = fixture_screen(m);
			assert_non_null(screen);
		}
	}
	fixture_free(m);
}

/* Events may tell of an old one before the list comes: that chose nothing. */
static void test_fleet_table__first_is_selected(void **state)
{
	struct model *m = start(state);
	struct fleet_table t = { 0 };
	struct fleet all = m->fleet;

	m->fleet = (struct fleet){ 0 };
	fleet_put(&m->fleet, cJSON_Duplicate(all.all[4]->json, true));
	assert_rows(m, &t, "[33]");
	fleet_release(&m->fleet);
	m->fleet = all;
	assert_rows(m, &t, "[00] c2 d7 f1 33");
	fleet_table_release(&t);
	fixture_free(m);
}

static void focus(struct model *m, bool in)
{
	update_input(m, &(struct input_event){
				.type = in ? INPUT_FOCUS_IN :
					     INPUT_FOCUS_OUT });
}

/* Meters tick only while somebody looks, and can see one that moves. */
static void test_fleet_table__meters(void **state)
{
	struct model *m = start(state);
	struct fleet_table t = { 0 };

	assert_rows(m, &t, "[00] c2 d7 f1 33");
	m->focused = true;
	for (size_t i = 0; i < t.n; i++) /* no countdown: it wakes as well */
		t.shown[i]->expires_ns = 0;
	t.polled = m->boot_ns;
	assert_true(fleet_table_wake(m, &t) > m->boot_ns);
	focus(m, false);
	assert_int_equal(fleet_table_wake(m, &t), 0);
	focus(m, true);
	assert_true(fleet_table_wake(m, &t) > m->boot_ns);
	m->set.motion = false;
	assert_int_equal(fleet_table_wake(m, &t), 0);
	m->set.motion = true;
	field_set(&t.filter, "state=stopped");
	assert_rows(m, &t, "[33]");
	assert_int_equal(fleet_table_wake(m, &t), 0);
	fleet_table_release(&t);
	fixture_free(m);
}

static void load_unnamed(struct model *m)
{
	model_refresh(m);
	fixture_answer(m, "GET", "/api/v1/sandboxes", SVM_OK,
		       "[" FIXTURE_SANDBOX("sb-7f3a91c2", "", "running",
					   "alpine", "55", "") "]");
}

/* A name is there at every width; where both have no room, it stands in
 * place of the id. */
static void test_fleet_table__names(void **state)
{
	static const struct {
		int cols;
		bool id;
	} cases[] = {
		{ 60, true }, { 80, false }, { 100, false }, { 120, true },
		{ 200, true },
	};
	struct model *m = start(state);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		model_resize(m, 24, cases[i].cols);
		fixture_keys(m, "2 j");
		auto_free char *screen = fixture_screen(m);
		char *row = strstr(screen, " web ");

		assert_non_null(row);
		while (row > screen && row[-1] != '\n')
			row--;
		*strchr(row, '\n') = '\0';
		assert_int_equal(strstr(row, "sb-7f3a91c2") != NULL,
				 cases[i].id);
		/* Of who has none the id. */
		assert_shown(m, "sb-9d11ba00");
		fixture_keys(m, "1");
		assert_shown(m, "sb-7f3a91c2 web ");
	}
	/* Whoever doesn't want them has ids; none costs no room. */
	model_resize(m, 24, 80);
	fixture_keys(m, "2 C Enter j");
	assert_not_shown(m, "\u6f22\u5b57");
	assert_shown(m, "sb-2c8e04d7 ");
	fixture_keys(m, "C Enter o Down Down Down Down Down Down Down "
			"Enter");
	assert_shown(m, "NAME/ID\u25b4");
	load_unnamed(m);
	fixture_keys(m, "1");
	assert_not_shown(m, "NAME");
	fixture_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fleet_table__filter),
		cmocka_unit_test(test_fleet_table__meters),
		cmocka_unit_test(test_fleet_table__names),
		cmocka_unit_test(test_fleet_table__sort),
		cmocka_unit_test(test_fleet_table__selection_stays),
		cmocka_unit_test(test_fleet_table__first_is_selected),
		cmocka_unit_test(test_fleet_table__marks),
		cmocka_unit_test(test_fleet_table__typing),
		cmocka_unit_test(test_fleet_table__mouse),
		cmocka_unit_test(test_fleet_table__absurd_values),
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8")) {
		print_message("needs the locale C.UTF-8\n");
		return 1;
	}
	return cmocka_run_group_tests_name("fleet-table", tests, NULL, NULL);
}
