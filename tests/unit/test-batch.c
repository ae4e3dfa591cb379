/* SPDX-License-Identifier: MIT */
/* What is done to many sandboxes at once. */
#include "lib/base/clock.h"
#include "tests/unit/model-fixture.h"

#define GRACE_OVER INT64_C(6000000000)

static size_t waiting(const struct model *m, const char *method)
{
	struct list *pos, *tmp;
	size_t n = 0;

	list_for_each_safe(pos, tmp, &m->requests)
		n += strcmp(list_entry(pos, struct request, link)->method,
			    method) == 0;
	return n;
}

/* The one that waits longest. */
static void answer(struct model *m, const char *method, enum svm_code code,
		   const char *reply)
{
	auto_free char *target = xstrdup(fixture_request(m, method)->target);

	assert_int_equal(fixture_answer(m, method, target, code, reply), 1);
}

static void pass(struct model *m)
{
	fixture_time(m, GRACE_OVER);
	update_tick(m);
}

static void many(struct model *m, size_t n)
{
	cJSON *all = cJSON_CreateArray();

	for (size_t i = 0; i < n; i++) {
		cJSON *o = cJSON_CreateObject();
		auto_free char *id = xasprintf("sb-%08zx", i);

		cJSON_AddStringToObject(o, "id", id);
		cJSON_AddStringToObject(o, "state", "running");
		cJSON_AddItemToArray(all, o);
	}
	fleet_load(&m->fleet, all);
	cJSON_Delete(all);
	update_settle(m);
}

static void test_batch__kill_is_undone_together(void **state)
{
	struct model *m = fixture_model(24, 100);

	(void)state;
	fixture_keys(m, "2 A d");
	assert_shown(m, "KILL 5 SANDBOXES?");
	fixture_keys(m, "y");
	assert_shown(m, "killing 5 in 5 s; u undoes");
	fixture_keys(m, "u");
	assert_shown(m, "5 stay");
	pass(m);
	assert_int_equal(waiting(m, "DELETE"), 0);
	fixture_keys(m, "u");
	assert_shown(m, "nothing to undo");
	fixture_free(m);
}

/* What is not seen isn't meant. */
static void test_batch__marks_that_a_filter_hides(void **state)
{
	struct model *m = fixture_model(24, 100);

	(void)state;
	fixture_keys(m, "2 A /");
	fixture_type(m, "9d11");
	fixture_keys(m, "Enter");
	assert_shown(m, "1 marked of (4 marked, not shown) 1 shown (5 in all)");
	fixture_keys(m, "d");
	assert_shown(m, "KILL sb-9d11ba00");
	fixture_keys(m, "n Space d"); /* none is left: the selected one */
	assert_shown(m, "KILL sb-9d11ba00");
	fixture_keys(m, "n / ^U Enter d"); /* they are marked still */
	assert_shown(m, "KILL 4 SANDBOXES?");
	fixture_free(m);
}

/* What fails is told at the end, is marked, and holds nobody up. */
static void test_batch__some_fail(void **state)
{
	struct model *m = fixture_model(24, 100);

	(void)state;
	fixture_keys(m, "2 A d y");
	assert_int_equal(waiting(m, "DELETE"), 0);
	pass(m);
	assert_int_equal(waiting(m, "DELETE"), 3);
	answer(m, "DELETE", SVM_OK, "");
	assert_shown(m, "killing 1 of 5; ^C stops");
	answer(m, "DELETE", SVM_PROVIDER, "it is \033[2Jstuck");
	answer(m, "DELETE", SVM_OK, "");
	answer(m, "DELETE", SVM_FORBIDDEN, "somebody else's");
	assert_shown(m, "killing 4 of 5");
	assert_int_equal(m->batches, 1);
	answer(m, "DELETE", SVM_OK, "");
	assert_int_equal(m->batches, 0);
	assert_int_equal(waiting(m, "DELETE"), 0);
	assert_shown(m, "killed 3 of 5, 2 failed and are marked");
	assert_shown(m, ": it is ^[[2Jstuck");
	assert_shown(m, ": somebody else's");
	fixture_keys(m, "Escape");
	assert_int_equal(m->fleet.n, 2);
	assert_int_equal(fleet_marked(&m->fleet), 2);
	assert_not_shown(m, "killing");
	/* Again, of what is left. */
	fixture_keys(m, "d y");
	pass(m);
	assert_int_equal(waiting(m, "DELETE"), 2);
	fixture_free(m); /* the answers never came */
}

/* Over what one is typing nothing opens. */
static void test_batch__not_in_the_way(void **state)
{
	struct model *m = fixture_model(24, 100);

	(void)state;
	fixture_keys(m, "2 Space Space d y");
	pass(m);
	fixture_keys(m, "s");
	assert_shown(m, "SPAWN");
	answer(m, "DELETE", SVM_PROVIDER, "stuck");
	answer(m, "DELETE", SVM_PROVIDER, "stuck");
	assert_shown(m, "killed 0 of 2, 2 failed and are marked");
	assert_shown(m, "SPAWN");
	assert_not_shown(m, ": stuck");
	fixture_free(m);
}

static void test_batch__a_thousand(void **state)
{
	struct model *m = fixture_model(24, 100);
	size_t most = 0;

	(void)state;
	many(m, 1000);
	fixture_keys(m, "2 A d");
	assert_shown(m, "KILL 1000 SANDBOXES?");
	assert_shown(m, "and 994 more");
	fixture_keys(m, "y");
	assert_int_equal(fleet_marked(&m->fleet), 0);
	pass(m);
	for (size_t i = 0; i < 1000; i++) {
		most = MAX(most, waiting(m, "DELETE"));
		answer(m, "DELETE", i % 100 ? SVM_OK : SVM_PROVIDER, "no");
	}
	assert_int_equal(most, 3);
	assert_shown(m, "killed 990 of 1000, 10 failed and are marked");
	assert_int_equal(m->fleet.n, 10);
	fixture_free(m);
}

/* Stopped: what wasn't asked for yet is as before. */
static void test_batch__stopped(void **state)
{
	struct model *m = fixture_model(24, 120);

	(void)state;
	fixture_keys(m, "2 A d y");
	pass(m);
	fixture_keys(m, "^C");
	assert_true(m->effects & EFFECT_CANCEL);
	for (int i = 0; i < 3; i++)
		answer(m, "DELETE", SVM_CANCELLED, "cancelled");
	assert_int_equal(m->batches, 0);
	assert_int_equal(waiting(m, "DELETE"), 0);
	assert_shown(m, "killed 0 of 5, 3 failed and are marked, "
			"2 left alone");
	for (size_t i = 0; i < m->fleet.n; i++)
		assert_false(m->fleet.all[i]->asked);
	fixture_free(m);
}

static void test_batch__quitting_finishes_it(void **state)
{
	struct model *m = fixture_model(24, 120);

	(void)state;
	fixture_keys(m, "2 A d y q"); /* in the grace: it is sent */
	assert_int_equal(waiting(m, "DELETE"), 3);
	assert_true(m->effects & EFFECT_QUIT);
	m->effects = 0;
	fixture_keys(m, "q");
	assert_shown(m, "What was begun for many is finished first.");
	fixture_free(m);
}

static void test_batch__extend(void **state)
{
	struct model *m = fixture_model(24, 120);

	(void)state;
	fixture_keys(m, "2 A E");
	assert_shown(m, "EXTEND 5 SANDBOXES");
	fixture_keys(m, "Enter");
	for (int i = 0; i < 4; i++)
		answer(m, "POST", SVM_OK, "{\"id\":\"sb-7f3a91c2\","
					  "\"state\":\"running\"}");
	answer(m, "POST", SVM_OK, "[]"); /* nonsense */
	assert_shown(m, "extended 4 of 5, 1 failed and are marked");
	fixture_free(m);
}

/* The daemon gives what it may, which is said. */
static void test_batch__extend_less(void **state)
{
	struct model *m = fixture_model(24, 120);
	char body[256], at[CLOCK_RFC3339_SIZE];

	(void)state;
	clock_format_rfc3339(m->wall_ns + INT64_C(1200) * 1000000000, at);
	snprintf(body, sizeof(body), "{\"id\":\"sb-9d11ba00\","
		 "\"state\":\"running\",\"expires_at\":\"%s\"}", at);
	fixture_keys(m, "2 E Enter");
	answer(m, "POST", SVM_OK, body);
	assert_shown(m, "extended sb-9d11ba00; only 20m left: no sandbox lives "
			"longer (defaults.max_ttl)");
	fixture_keys(m, "E ^U");
	fixture_type(m, "20m");
	fixture_keys(m, "Enter");
	answer(m, "POST", SVM_OK, body);
	assert_shown(m, "extended sb-9d11ba00");
	assert_not_shown(m, "no sandbox lives");
	fixture_free(m);
}

static void test_batch__export(void **state)
{
	struct model *m = fixture_model(24, 120);
	struct request *r;

	(void)state;
	fixture_keys(m, "2 Space Space X");
	model_resize(m, 16, 60); /* all of it, however small */
	assert_shown(m, "EXPORT /workspace OF 2 SANDBOXES AS ID.tar");
	assert_shown(m, "local directory .");
	fixture_keys(m, "^U");
	fixture_type(m, "/tmp/there");
	fixture_keys(m, "Enter");
	r = fixture_request(m, "GET");
	assert_string_equal(r->target, "/api/v1/sandboxes/sb-9d11ba00/files/"
				       "archive?path=/workspace");
	assert_string_equal(r->download, "/tmp/there/sb-9d11ba00.tar");
	answer(m, "GET", SVM_OK, "");
	answer(m, "GET", SVM_OK, "");
	assert_shown(m, "exported 2 of 2");
	fixture_free(m);
}

/* An id is the daemon's word: it leads to no other place. */
static void test_batch__export_of_an_evil_id(void **state)
{
	struct model *m = fixture_model(24, 120);
	cJSON *o = cJSON_CreateObject();

	(void)state;
	cJSON_AddStringToObject(o, "id", "../../etc/x");
	cJSON_AddStringToObject(o, "created_at", "2026-03-01T11:59:30Z");
	fleet_put(&m->fleet, o);
	update_settle(m);
	fixture_keys(m, "2 g X Enter");
	assert_null(fixture_request(m, "GET"));
	assert_shown(m, "can't be a file's name");
	fixture_free(m);
}

static void test_batch__menu(void **state)
{
	struct model *m = fixture_model(24, 120);

	(void)state;
	fixture_keys(m, "2 b");
	assert_shown(m, "NOTHING IS MARKED");
	assert_not_shown(m, "kill the selected or the marked");
	fixture_keys(m, "A b");
	assert_shown(m, "5 MARKED");
	fixture_keys(m, "d");
	assert_shown(m, "KILL 5 SANDBOXES?");
	fixture_keys(m, "n b U b");
	assert_shown(m, "NOTHING IS MARKED");
	fixture_keys(m, "Escape Space b");
	m->read_only = true;
	fixture_keys(m, "Escape b");
	assert_not_shown(m, "kill the selected");
	assert_shown(m, "copy /workspace");
	fixture_free(m);
}

int main(void)
{
#define TEST(name) cmocka_unit_test(test_batch__##name)
	const struct CMUnitTest tests[] = {
		TEST(kill_is_undone_together),
		TEST(marks_that_a_filter_hides),
		TEST(some_fail),
		TEST(not_in_the_way),
		TEST(a_thousand),
		TEST(stopped),
		TEST(quitting_finishes_it),
		TEST(extend),
		TEST(extend_less),
		TEST(export),
		TEST(export_of_an_evil_id),
		TEST(menu),
#undef TEST
	};

	return cmocka_run_group_tests_name("batch", tests, NULL, NULL);
}
