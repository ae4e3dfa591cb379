/* SPDX-License-Identifier: MIT */
/* Sandboxes by template and by owner: headers, folding, marks, what is done
 * to a whole group, and what stays selected. */
#include <locale.h>

#include "tests/unit/model-fixture.h"
#include "tui/fleet-group.h"
#include "tui/sandbox-act.h"

#define BOX(id, state, minute, template, owner) \
	"{\"id\":\"sb-" id "\",\"name\":\"\",\"state\":\"" state \
	"\",\"image\":\"alpine\",\"created_at\":\"2026-03-01T11:" minute \
	":00Z\",\"template\":\"" template "\",\"owner_id\":\"" owner "\"}"

static const char fleet[] =
	"[" BOX("00000001", "running", "10", "web", "bob") ","
	BOX("00000002", "running", "20", "", "al") ","
	BOX("00000003", "stopped", "30", "data", "al") ","
	BOX("00000004", "running", "40", "web", "al") ","
	BOX("00000005", "running", "50", "e\\u001b[2Jvil", "") "]";

static struct fleet_table *table(const struct model *m)
{
	return screen_sandboxes.table(m->state[SCREEN_SANDBOXES]);
}

/* Last digits of sandboxes, names of groups; what is selected in brackets. */
static char *rows(const struct model *m)
{
	const struct fleet_table *t = table(m);
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < t->n_rows; i++) {
		const struct fleet_row *r = &t->rows[i];
		const struct fleet_group *g = &t->groups[r->group];
		const char *name = r->s ? r->s->id + 10 :
					  fleet_group_title(t, g);

		buf_addf(&b, "%s%s%s%s%s", i ? " " : "",
			 i == t->pos.at ? "[" : "",
			 r->s || !g->folded ? "" : "+", name,
			 i == t->pos.at ? "]" : "");
	}
	buf_addstr(&b, "");
	return buf_steal(&b);
}

#define assert_rows(m, wanted)                                               \
	do {                                                                 \
		auto_free char *is = rows(m);                                \
		assert_string_equal(is, wanted);                             \
	} while (0)

static void load(struct model *m, const char *list)
{
	model_refresh(m);
	fixture_answer(m, "GET", "/api/v1/sandboxes", SVM_OK, list);
}

/* By template, at the first header. */
static struct model *start(void **state)
{
	struct model *m = fixture_model(24, 120);

	(void)state;
	load(m, fleet);
	fixture_keys(m, "2 B");
	assert_shown(m, "GROUP BY");
	fixture_keys(m, "Down Enter g");
	return m;
}

static void test_fleet_group__order(void **state)
{
	struct model *m = start(state);

	assert_rows(m, "[data] 3 e\033[2Jvil 5 web 4 1 no template 2");
	assert_shown(m, "FLEET  sort: age  by: template");
	assert_shown(m, "web  2 running");
	assert_shown(m, "data  0 of 1 running");
	assert_shown(m, "e^[[2Jvil  1 running"); /* steers nothing */
	/* Order and filter hold inside. */
	fixture_keys(m, "O");
	assert_rows(m, "[data] 3 e\033[2Jvil 5 web 1 4 no template 2");
	fixture_keys(m, "/");
	fixture_type(m, "running");
	fixture_keys(m, "Enter g");
	assert_rows(m, "[e\033[2Jvil] 5 web 1 4 no template 2");
	fixture_keys(m, "Escape B Down Enter g");
	assert_rows(m, "[al] 2 3 4 bob 1 no owner 5");
	assert_shown(m, "al  2 of 3 running");
	fixture_keys(m, "B Up Up Enter g");
	assert_rows(m, "[1] 2 3 4 5");
	fixture_free(m);
}

static void test_fleet_group__folds(void **state)
{
	struct model *m = start(state);

	/* Left goes to the header first; what it folds away comes back. */
	fixture_keys(m, "j j j j j Left");
	assert_rows(m, "data 3 e\033[2Jvil 5 [web] 4 1 no template 2");
	fixture_keys(m, "Left");
	assert_rows(m, "data 3 e\033[2Jvil 5 [+web] no template 2");
	assert_shown(m, "\u25b8 web  2 running");
	fixture_keys(m, "h Enter");
	assert_rows(m, "data 3 e\033[2Jvil 5 [web] 4 1 no template 2");
	fixture_keys(m, "Enter Right");
	assert_rows(m, "data 3 e\033[2Jvil 5 [web] 4 1 no template 2");
	assert_shown(m, "\u25be web  2 running");
	fixture_keys(m, "Right");
	assert_rows(m, "data 3 e\033[2Jvil 5 web [4] 1 no template 2");
	fixture_keys(m, "Right"); /* nothing: it is no header */
	assert_rows(m, "data 3 e\033[2Jvil 5 web [4] 1 no template 2");
	/* Several, and the last one. */
	fixture_keys(m, "G h h g h");
	assert_rows(m, "[+data] e\033[2Jvil 5 web 4 1 +no template");
	m->set.ascii = true;
	assert_shown(m, "> data  0 of 1 running");
	assert_shown(m, "v web  2 running");
	fixture_free(m);
}

/* Rows come, go and change places: one stays on the same sandbox, or on the
 * same header. */
static void test_fleet_group__selection_stays(void **state)
{
	struct model *m = start(state);

	fixture_keys(m, "j j j j j");
	assert_rows(m, "data 3 e\033[2Jvil 5 web [4] 1 no template 2");
	fleet_remove(&m->fleet, "sb-00000003");
	update_settle(m);
	assert_rows(m, "e\033[2Jvil 5 web [4] 1 no template 2");
	fleet_put(&m->fleet, cJSON_Parse(BOX("00000006", "running", "55",
					     "a", "al")));
	update_settle(m);
	assert_rows(m, "a 6 e\033[2Jvil 5 web [4] 1 no template 2");
	fixture_keys(m, "k");
	fleet_remove(&m->fleet, "sb-00000006");
	update_settle(m);
	assert_rows(m, "e\033[2Jvil 5 [web] 4 1 no template 2");
	/* It goes itself: its neighbour, and not the next group. */
	fixture_keys(m, "j j");
	fleet_remove(&m->fleet, "sb-00000001");
	update_settle(m);
	assert_rows(m, "e\033[2Jvil 5 web [4] no template 2");
	/* Its group is folded by another name of it. */
	fixture_keys(m, "k h j");
	assert_rows(m, "e\033[2Jvil 5 +web [no template] 2");
	fixture_no_sandboxes(m);
	assert_rows(m, "");
	for (int a = ACT_NONE; a < ACT_MAX; a++)
		fleet_table_act(m, table(m), (enum action)a);
	fixture_free(m);
}

/* A sandbox becomes part of a group that is folded: its header. */
static void test_fleet_group__selected_is_folded_away(void **state)
{
	struct model *m = start(state);

	fixture_keys(m, "j j j j h G");
	assert_rows(m, "data 3 e\033[2Jvil 5 +web no template [2]");
	fleet_put(&m->fleet, cJSON_Parse(BOX("00000002", "running", "20",
					     "web", "al")));
	update_settle(m);
	assert_rows(m, "data 3 e\033[2Jvil 5 [+web]");
	fixture_free(m);
}

static void test_fleet_group__marks(void **state)
{
	struct model *m = start(state);

	fixture_keys(m, "j j j j Space");
	assert_int_equal(fleet_marked(&m->fleet), 2);
	assert_shown(m, "*\u25be web  2 running, 2 marked");
	assert_rows(m, "data 3 e\033[2Jvil 5 web [4] 1 no template 2");
	fixture_keys(m, "Space"); /* one of them off */
	assert_shown(m, "web  2 running, 1 marked");
	assert_not_shown(m, "*\u25be web");
	fixture_keys(m, "k k Space"); /* the rest of them, then none */
	assert_int_equal(fleet_marked(&m->fleet), 2);
	fixture_keys(m, "k Space");
	assert_int_equal(fleet_marked(&m->fleet), 0);
	/* Only what the filter shows; folded or not. */
	fixture_keys(m, "/");
	fixture_type(m, "00004");
	fixture_keys(m, "Enter g h Space Escape");
	assert_int_equal(fleet_marked(&m->fleet), 1);
	fixture_keys(m, "U A");
	assert_int_equal(fleet_marked(&m->fleet), 5);
	assert_shown(m, "5 marked of 5 sandboxes");
	assert_shown(m, "*\u25b8 web  2 running, 2 marked");
	/* A range takes a folded group with it, of an open one its rows. */
	fixture_keys(m, "U g j Space G v");
	assert_int_equal(fleet_marked(&m->fleet), 5);
	fixture_keys(m, "U g v");
	assert_int_equal(fleet_marked(&m->fleet), 1);
	fixture_free(m);
}

/* d, E, R, X and the bulk menu on a header are about its group, as the filter
 * shows it; marks elsewhere have precedence, as ever. */
static void test_fleet_group__acts(void **state)
{
	struct model *m = start(state);

	fixture_keys(m, "j j j j d");
	assert_shown(m, "KILL 2 SANDBOXES?");
	fixture_keys(m, "Escape E");
	assert_shown(m, "EXTEND 2 SANDBOXES");
	fixture_keys(m, "Escape X");
	assert_shown(m, "EXPORT /workspace OF 2 SANDBOXES");
	fixture_keys(m, "Escape");
	assert_int_equal(fleet_marked(&m->fleet), 0);
	fixture_keys(m, "b");
	assert_shown(m, "2 MARKED");
	fixture_keys(m, "Escape U G Space k k k k d");
	assert_rows(m, "data 3 e\033[2Jvil 5 [web] 4 1 no template 2");
	assert_shown(m, "KILL sb-00000002?");
	fixture_keys(m, "Escape U /");
	fixture_type(m, "00004");
	fixture_keys(m, "Enter d");
	assert_shown(m, "KILL sb-00000004?");
	fixture_keys(m, "y");
	assert_true(fleet_find(&m->fleet, "sb-00000004")->going_until);
	assert_false(fleet_find(&m->fleet, "sb-00000001")->going_until);
	/* Nothing of one sandbox alone is done to a group. */
	fixture_keys(m, "t f l e p");
	assert_int_equal(m->screen, SCREEN_SANDBOXES);
	assert_null(m->dialog);
	m->read_only = true;
	fixture_keys(m, "d");
	assert_null(m->dialog);
	fixture_free(m);
}

/* The mouse and figures have rows, not sandboxes. */
static void test_fleet_group__mouse_and_figures(void **state)
{
	struct input_event ev = { .type = INPUT_MOUSE };
	struct model *m = start(state);

	ev.mouse = (struct mouse){ .kind = MOUSE_PRESS, .row = 8, .col = 5 };
	update_input(m, &ev);
	assert_rows(m, "data 3 e\033[2Jvil 5 [web] 4 1 no template 2");
	assert_shown(m, "5/9");
	m->focused = true;
	table(m)->polled = m->boot_ns;
	assert_true(fleet_table_wake(m, table(m)) > 0);
	fixture_keys(m, "j j h h G h h g j j h h");
	assert_rows(m, "data 3 [+e\033[2Jvil] +web +no template");
	/* Nothing that runs is in view. */
	assert_int_equal(fleet_table_wake(m, table(m)), 0);
	fixture_free(m);
}

int main(void)
{
#define TEST(name) cmocka_unit_test(test_fleet_group__##name)
	const struct CMUnitTest tests[] = {
		TEST(order),
		TEST(folds),
		TEST(selection_stays),
		TEST(selected_is_folded_away),
		TEST(marks),
		TEST(acts),
		TEST(mouse_and_figures),
#undef TEST
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8")) {
		print_message("needs the locale C.UTF-8\n");
		return 1;
	}
	return cmocka_run_group_tests_name("fleet-group", tests, NULL, NULL);
}
