/* SPDX-License-Identifier: MIT */
/* What is known of routes agrees with the routes there are. */
#include "daemon/route-info.h"

#include <string.h>

#include "daemon/http/http.h"
#include "daemon/routes.h"
#include "daemon/schemas.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "tests/unit/unit.h"

static void test_route_info__every_route_is_known(void **state)
{
	(void)state;
	for (const struct http_route *r = daemon_routes; r->method; r++)
		if (!route_info(r))
			fail_msg("no line in route-info.c: %s %s", r->method,
				 r->pattern);
}

static void test_route_info__every_line_is_a_route(void **state)
{
	(void)state;
	for (const struct route_info *i = route_infos; i->method; i++) {
		unsigned n = 0;

		for (const struct http_route *r = daemon_routes; r->method;
		     r++)
			n += route_info(r) == i;
		if (n != 1)
			fail_msg("%u routes: %s %s", n, i->method,
				 i->pattern);
	}
}

/* Whoever adds a route that changes something must say what becomes of it. */
static void test_route_info__changes_are_audited(void **state)
{
	static const char *const harmless[] = { "provider.test",
						"session.resize",
						"sandbox.admission" };

	(void)state;
	for (const struct route_info *i = route_infos; i->method; i++) {
		bool exempt = strcmp(i->method, "GET") == 0;

		for (size_t k = 0; k < ARRAY_SIZE(harmless); k++)
			exempt |= strcmp(i->action, harmless[k]) == 0;
		if (!exempt && !(i->flags & ROUTE_AUDITED))
			fail_msg("not audited: %s %s", i->method, i->pattern);
	}
}

static bool has_schema(const char *name, size_t n)
{
	for (const struct schema *s = schemas; s->name; s++)
		if (strlen(s->name) == n && strncmp(s->name, name, n) == 0)
			return true;
	return false;
}

static void test_route_info__schemas_are_there(void **state)
{
	(void)state;
	for (const struct route_info *i = route_infos; i->method; i++) {
		const char *reply = strchr(i->reply, ' ');

		if (i->body && *i->body != '*' &&
		    !has_schema(i->body, strlen(i->body)))
			fail_msg("no schema %s", i->body);
		if (!reply || strchr(reply, '/'))
			continue;
		reply += reply[1] == '[' ? 2 : 1;
		if (!has_schema(reply, strcspn(reply, "]")))
			fail_msg("no schema %s", reply);
	}
}

static void test_route_info__schemas_are_json(void **state)
{
	(void)state;
	for (const struct schema *s = schemas; s->name; s++) {
		auto_err struct svm_err err = SVM_ERR_INIT;
		auto_json struct json_doc doc = JSON_DOC_INIT;

		if (json_parse_object(&doc, s->json, strlen(s->json), &err))
			fail_msg("%s: %s", s->name, err.msg);
	}
}

static void test_route_info__unknown_routes_have_a_name(void **state)
{
	const struct http_route r = { .method = "PUT", .pattern = "/x" };
	auto_free char *name = route_info_action(&r);
	auto_free char *none = route_info_action(NULL);

	(void)state;
	assert_string_equal(name, "PUT /x");
	assert_string_equal(none, "call");
	assert_int_equal(route_info_flags(&r), ROUTE_AUDITED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_route_info__every_route_is_known),
		cmocka_unit_test(test_route_info__every_line_is_a_route),
		cmocka_unit_test(test_route_info__changes_are_audited),
		cmocka_unit_test(test_route_info__schemas_are_there),
		cmocka_unit_test(test_route_info__schemas_are_json),
		cmocka_unit_test(test_route_info__unknown_routes_have_a_name),
	};

	return cmocka_run_group_tests_name("route-info", tests, NULL, NULL);
}
