/* SPDX-License-Identifier: MIT */
/* A new template, or a clone: never in the place of one that is there. */
#include "lib/api/limits.h"
#include "tests/unit/model-fixture.h"

#define TEMPLATES "/api/v1/templates"

static const char said[] = "a template is there already";

/* What waits is a POST that only makes what isn't there. */
static struct request *asked(struct model *m, const char *body)
{
	struct request *r = fixture_request(m, "POST");

	assert_non_null(r);
	assert_string_equal(r->target, TEMPLATES);
	assert_non_null(r->if_match);
	assert_string_equal(r->if_match, "");
	if (!strstr(buf_str(&r->body), body))
		fail_msg("%s is not in %s", body, buf_str(&r->body));
	return r;
}

static void answer(struct model *m, enum svm_code code, const char *reply)
{
	assert_int_equal(fixture_answer(m, "POST", TEMPLATES, code, reply), 1);
}

/* The list as it is then. */
static void list_new(struct model *m)
{
	fixture_answer(m, "GET", TEMPLATES, SVM_OK,
		       "[{\"name\":\"data-science\"},"
		       "{\"name\":\"web-build\"},"
		       "{\"name\":\"web-builder\"}]");
}

static void test_template_new__clone(void **state)
{
	struct model *m = fixture_model(24, 100);

	(void)state;
	fixture_keys(m, "3 c");
	fixture_answer(m, "GET", TEMPLATES, SVM_OK, FIXTURE_TEMPLATES);
	assert_shown(m, "name data-science-2");
	fixture_keys(m, "^U");
	fixture_type(m, "web-build");
	fixture_keys(m, "Enter");
	asked(m, "\"name\":\"web-build\"");
	answer(m, SVM_CONFLICT, said);
	/* In place, with what was typed; and nowhere else. */
	assert_shown(m, "name web-build");
	assert_shown(m, "that name is taken");
	assert_not_shown(m, said);
	assert_null(fixture_request(m, "GET"));
	fixture_type(m, "-3");
	fixture_keys(m, "Enter");
	asked(m, "\"name\":\"web-build-3\"");
	asked(m, "\"image\":\"python:3.12\""); /* of the first */
	answer(m, SVM_OK, "{}");
	assert_not_shown(m, "CLONE");
	assert_non_null(fixture_request(m, "GET")); /* they are read again */
	fixture_free(m);
}

static void test_template_new__clone_fails(void **state)
{
	struct model *m = fixture_model(24, 100);

	(void)state;
	fixture_keys(m, "3 c Enter");
	answer(m, SVM_RESOURCE_LIMIT, "no more are allowed");
	assert_shown(m, "no more are allowed");
	assert_not_shown(m, "CLONE");
	fixture_keys(m, "c Enter"); /* and the program ends */
	fixture_free(m);
}

/* What the prompt begins with: the first that is free, and short enough. */
static void test_template_new__free_name(void **state)
{
	char longest[LIMIT_TEMPLATE_NAME + 1];
	struct model *m = fixture_model(24, 100);

	(void)state;
	fixture_keys(m, "3 ^R");
	fixture_answer(m, "GET", TEMPLATES, SVM_OK,
		       "[{\"name\":\"a\"},{\"name\":\"a-2\"},"
		       "{\"name\":\"a-4\"}]");
	fixture_keys(m, "g c");
	assert_shown(m, "name a-3");
	fixture_keys(m, "Escape ^R");
	memset(longest, 'x', LIMIT_TEMPLATE_NAME);
	longest[LIMIT_TEMPLATE_NAME] = '\0';
	auto_free char *list = xasprintf("[{\"name\":\"%s\"}]", longest);
	fixture_answer(m, "GET", TEMPLATES, SVM_OK, list);
	fixture_keys(m, "g c Enter");
	assert_shown(m, "a name is needed");
	fixture_free(m);
}

static void test_template_new__new(void **state)
{
	struct model *m = fixture_model(24, 100);

	(void)state;
	fixture_keys(m, "3 n");
	fixture_type(m, "web-build");
	fixture_keys(m, "Enter");
	assert_shown(m, "image host");
	fixture_keys(m, "^U");
	fixture_type(m, "alpine");
	fixture_keys(m, "Enter");
	asked(m, "{\"name\":\"web-build\",\"image\":\"alpine\"}");
	answer(m, SVM_CONFLICT, said);
	assert_shown(m, "name web-build");
	assert_shown(m, "that name is taken");
	assert_not_shown(m, said);
	/* The image is not asked for from the beginning. */
	fixture_type(m, "er");
	fixture_keys(m, "Enter");
	assert_shown(m, "image alpine");
	fixture_keys(m, "Enter");
	asked(m, "{\"name\":\"web-builder\",\"image\":\"alpine\"}");
	answer(m, SVM_OK, "{}");
	assert_not_shown(m, "NEW TEMPLATE");
	/* It is selected once it is listed, whatever came meanwhile. */
	update_settle(m);
	list_new(m);
	assert_shown(m, "\u258c web-builder");
	fixture_keys(m, "k");
	assert_not_shown(m, "\u258c web-builder");
	fixture_free(m);
}

/* Unless another was chosen before. */
static void test_template_new__other_chosen(void **state)
{
	struct model *m = fixture_model(24, 100);

	(void)state;
	fixture_keys(m, "3 n");
	fixture_type(m, "web-builder");
	fixture_keys(m, "Enter Enter");
	answer(m, SVM_OK, "{}");
	fixture_keys(m, "j");
	list_new(m);
	assert_shown(m, "web-builder");
	assert_not_shown(m, "\u258c web-builder");
	fixture_free(m);
}

int main(void)
{
#define TEST(name) cmocka_unit_test(test_template_new__##name)
	const struct CMUnitTest tests[] = {
		TEST(clone),
		TEST(clone_fails),
		TEST(free_name),
		TEST(new),
		TEST(other_chosen),
#undef TEST
	};

	return cmocka_run_group_tests_name("template-new", tests, NULL, NULL);
}
