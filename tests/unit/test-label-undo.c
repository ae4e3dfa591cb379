/* SPDX-License-Identifier: MIT */
/* Names and labels are taken back, as far as they are still ours. */
#include "tests/unit/model-fixture.h"

#define ID(x) "/api/v1/sandboxes/" x

static void put(struct model *m, const char *id, const char *name,
		const char *metadata)
{
	auto_free char *text = xasprintf(
		"{\"id\":\"%s\",\"name\":\"%s\",\"state\":\"running\","
		"\"metadata\":%s}", id, name, metadata);
	cJSON *o = cJSON_Parse(text);

	assert_non_null(o);
	fleet_put(&m->fleet, o);
}

/* The sandbox as an answer has it. */
static void answer(struct model *m, const char *id, const char *name,
		   const char *metadata)
{
	auto_free char *target = xasprintf(ID("%s"), id);
	auto_free char *text = xasprintf(
		"{\"id\":\"%s\",\"name\":\"%s\",\"state\":\"running\","
		"\"metadata\":%s}", id, name, metadata);

	assert_int_equal(fixture_answer(m, "PATCH", target, SVM_OK, text), 1);
}

static struct request *patch_of(struct model *m, const char *id)
{
	for (struct list *l = m->requests.next; l != &m->requests;
	     l = l->next) {
		struct request *r = list_entry(l, struct request, link);

		if (strcmp(r->method, "PATCH") == 0 && strstr(r->target, id))
			return r;
	}
	return NULL;
}

static void assert_body(struct model *m, const char *id, const char *body)
{
	struct request *r = patch_of(m, id);

	if (!body) {
		assert_null(r);
		return;
	}
	assert_non_null(r);
	assert_string_equal(buf_str(&r->body), body);
}

/* Two that are labelled task=ci, old-. */
static struct model *labelled(void)
{
	struct model *m = fixture_model(24, 100);

	put(m, "sb-7f3a91c2", "web", "{\"task\":\"x\",\"old\":\"1\"}");
	put(m, "sb-2c8e04d7", "db", "{\"stays\":\"2\"}");
	fixture_keys(m, "2 g");
	for (size_t i = 0; i < m->fleet.n; i++)
		m->fleet.all[i]->marked =
			strcmp(m->fleet.all[i]->id, "sb-7f3a91c2") == 0 ||
			strcmp(m->fleet.all[i]->id, "sb-2c8e04d7") == 0;
	fixture_keys(m, "R");
	assert_shown(m, "LABEL 2 SANDBOXES");
	fixture_type(m, "task=ci old-");
	fixture_keys(m, "Enter");
	answer(m, "sb-7f3a91c2", "web", "{\"task\":\"ci\"}");
	answer(m, "sb-2c8e04d7", "db",
	       "{\"task\":\"ci\",\"stays\":\"2\"}");
	assert_shown(m, "labelled 2 of 2; u takes it back");
	return m;
}

static void test_label_undo__of_several(void **state)
{
	struct model *m = labelled();

	(void)state;
	fixture_keys(m, "u");
	assert_body(m, "sb-7f3a91c2",
		    "{\"metadata\":{\"task\":\"x\",\"old\":\"1\"}}");
	assert_body(m, "sb-2c8e04d7", "{\"metadata\":{\"task\":null}}");
	answer(m, "sb-7f3a91c2", "web", "{\"task\":\"x\",\"old\":\"1\"}");
	answer(m, "sb-2c8e04d7", "db", "{\"stays\":\"2\"}");
	assert_shown(m, "took back the labels of 2 of 2");
	fixture_keys(m, "u"); /* once */
	assert_shown(m, "nothing to undo");
	assert_null(patch_of(m, "sb-"));
	fixture_free(m);
}

/* What somebody has changed since is his. */
static void test_label_undo__not_what_is_others(void **state)
{
	struct model *m = labelled();

	(void)state;
	put(m, "sb-7f3a91c2", "web", "{\"task\":\"his\",\"new\":\"3\"}");
	put(m, "sb-2c8e04d7", "db", "{\"task\":\"his\",\"stays\":\"2\"}");
	fixture_keys(m, "u");
	assert_body(m, "sb-7f3a91c2", "{\"metadata\":{\"old\":\"1\"}}");
	assert_body(m, "sb-2c8e04d7", NULL);
	fixture_free(m);

	m = labelled();
	fleet_remove(&m->fleet, "sb-7f3a91c2");
	fleet_remove(&m->fleet, "sb-2c8e04d7");
	fixture_keys(m, "u");
	assert_shown(m, "nothing to undo");
	fixture_free(m);
}

static void test_label_undo__of_a_name(void **state)
{
	struct model *m = fixture_model(24, 100);

	(void)state;
	put(m, "sb-7f3a91c2", "web", "{}");
	update_act(m, ACT_PALETTE);
	fixture_type(m, "label sb-7f3a91c2");
	fixture_keys(m, "Enter ^U");
	fixture_type(m, "site");
	fixture_keys(m, "Enter");
	answer(m, "sb-7f3a91c2", "site", "{}");
	assert_shown(m, "changed sb-7f3a91c2; u takes it back");
	fixture_keys(m, "2 u");
	assert_body(m, "sb-7f3a91c2", "{\"name\":\"web\"}");
	fixture_free(m);
}

/* A kill that waits comes first: it can't be undone later. */
static void test_label_undo__after_a_kill(void **state)
{
	struct model *m = labelled();

	(void)state;
	fixture_keys(m, "U g d y");
	assert_shown(m, "in 5 s; u undoes");
	fixture_keys(m, "u");
	assert_shown(m, "stays");
	assert_null(patch_of(m, "sb-"));
	fixture_keys(m, "u");
	assert_non_null(patch_of(m, "sb-7f3a91c2"));
	fixture_free(m);
}

static void test_label_undo__read_only(void **state)
{
	struct model *m = labelled();

	(void)state;
	m->read_only = true;
	fixture_keys(m, "u");
	assert_shown(m, "read-only");
	assert_null(patch_of(m, "sb-"));
	m->read_only = false;
	fixture_keys(m, "u");
	assert_non_null(patch_of(m, "sb-7f3a91c2"));
	fixture_free(m);
}

int main(void)
{
#define TEST(name) cmocka_unit_test(test_label_undo__##name)
	const struct CMUnitTest tests[] = {
		TEST(of_several),
		TEST(not_what_is_others),
		TEST(of_a_name),
		TEST(after_a_kill),
		TEST(read_only),
#undef TEST
	};

	return cmocka_run_group_tests_name("label-undo", tests, NULL, NULL);
}
