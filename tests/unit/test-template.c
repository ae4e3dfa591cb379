/* SPDX-License-Identifier: MIT */
/* What a template is made of, and what it adds to a spawn. */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/template.h"
#include "lib/api/template-name.h"
#include "lib/base/mem.h"

static struct template *from(const char *text, const struct template *old,
			     bool keep)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	cJSON *body = cJSON_Parse(text);
	struct template *t = template_new("t", body, old, keep, &err);

	assert_non_null(body);
	cJSON_Delete(body);
	if (!t)
		assert_int_equal(err.code, SVM_BAD_REQUEST);
	return t;
}

static char *shown(const struct template *t)
{
	struct buf out = BUF_INIT;
	struct json_writer w = json_writer(&out);

	template_json(t, &w);
	return buf_steal(&out);
}

static void has(const struct template *t, const char *text)
{
	auto_free char *all = shown(t);

	if (!strstr(all, text))
		fail_msg("no %s in %s", text, all);
}

static void test_template__defaults(void **state)
{
	struct template *t = from("{\"image\":\"i\"}", NULL, true);

	(void)state;
	has(t, "\"memory_mb\":1024,\"vcpus\":1,\"cpu_cores\":1,");
	has(t, "\"ttl\":\"30m\",\"ttl_seconds\":1800,");
	has(t, "\"env\":{},\"metadata\":{},\"setup\":[]");
	assert_null(template_setup(t));
	assert_int_equal(t->pool_size, 0);
	template_free(t);
	assert_null(from("{}", NULL, true));
	assert_null(from("{\"image\":\"i\",\"ttl\":\"0\"}", NULL, true));
	assert_null(from("{\"image\":\"i\",\"setup\":[\"\"]}", NULL, true));
}

/* Of two spellings that differ the one counts that is not what it was. */
static void test_template__spellings(void **state)
{
	struct template *a = from("{\"image\":\"i\",\"cpu_cores\":2,"
				  "\"ttl\":\"90m\"}", NULL, true);
	struct template *b = from("{\"vcpus\":2,\"cpu_cores\":4,\"ttl\":"
				  "\"90m\",\"ttl_seconds\":60}", a, true);
	struct template *c = from("{\"vcpus\":3,\"cpu_cores\":2,\"ttl\":"
				  "\"5m\",\"ttl_seconds\":5400}", a, true);

	(void)state;
	has(a, "\"vcpus\":2,\"cpu_cores\":2,");
	has(a, "\"ttl\":\"90m\",\"ttl_seconds\":5400,");
	has(b, "\"vcpus\":4,\"cpu_cores\":4,");
	has(b, "\"ttl\":\"1m0s\",\"ttl_seconds\":60,");
	has(c, "\"vcpus\":3,\"cpu_cores\":3,");
	has(c, "\"ttl\":\"5m\",\"ttl_seconds\":300,");
	template_free(a);
	template_free(b);
	template_free(c);
}

/* The key changes with what a warm copy is made of, and with nothing else. */
static void test_template__key(void **state)
{
	static const char *const same[] = {
		"{\"description\":\"d\"}", "{\"ttl\":\"1h\"}",
		"{\"metadata\":{\"a\":\"b\"}}", "{\"pool_size\":5}",
		"{\"version\":2}", "{\"memory_mb\":1024}",
	};
	static const char *const other[] = {
		"{\"image\":\"j\"}", "{\"env\":{\"a\":\"c\"}}",
		"{\"setup\":[\"x\"]}", "{\"memory_mb\":1}", "{\"vcpus\":2}",
		"{\"disk_mb\":9}", "{\"pids\":9}", "{\"provider\":\"p\"}",
		"{\"network\":\"bridge\"}", "{\"read_only_rootfs\":true}",
	};
	struct template *a = from("{\"image\":\"i\",\"env\":{\"a\":\"b\"}}",
				  NULL, true);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(same); i++) {
		struct template *t = from(same[i], a, true);

		assert_string_equal(t->key, a->key);
		template_free(t);
	}
	for (size_t i = 0; i < ARRAY_SIZE(other); i++) {
		struct template *t = from(other[i], a, true);

		assert_string_not_equal(t->key, a->key);
		template_free(t);
	}
	template_free(a);
}

static void test_template__survives_its_row(void **state)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct template *a = from("{\"image\":\"i\",\"setup\":[\"x\",\"y\"],"
				  "\"network\":{\"allow\":[\"h\"]},"
				  "\"ttl\":\"90m\",\"pool_size\":3}",
				  NULL, true);
	auto_free char *text = template_text(a);
	struct template *b = template_load("t", text, &err);
	auto_free char *one = shown(a), *two = shown(b);

	(void)state;
	assert_string_equal(one, two);
	assert_string_equal(a->key, b->key);
	assert_int_equal(b->pool_size, 3);
	template_free(a);
	template_free(b);
}

static void merges(const struct template *t, const char *request,
		   const char *want)
{
	cJSON *body = cJSON_Parse(request), *expected = cJSON_Parse(want);
	cJSON *got = template_merge(t, body, "alpine:latest");
	char *text = cJSON_PrintUnformatted(got);

	if (!cJSON_Compare(got, expected, true))
		fail_msg("%s gives %s, not %s", request, text, want);
	cJSON_free(text);
	cJSON_Delete(body);
	cJSON_Delete(expected);
	cJSON_Delete(got);
}

static void test_template__merge(void **state)
{
	struct template *t = from("{\"image\":\"i\",\"env\":{\"A\":\"t\","
				  "\"B\":\"t\"},\"pool_size\":2}", NULL,
				  true);

	(void)state;
#define REST "\"memory_mb\":1024,\"vcpus\":1,\"ttl\":\"30m\""
	merges(t, "{\"image\":\"alpine:latest\",\"memory_mb\":0,\"ttl\":\"\"}",
	       "{\"image\":\"i\",\"env\":{\"A\":\"t\",\"B\":\"t\"}," REST "}");
	merges(t, "{\"image\":\"j\",\"env\":{\"B\":\"r\",\"C\":\"r\"}}",
	       "{\"image\":\"j\",\"env\":{\"A\":\"t\",\"B\":\"r\","
	       "\"C\":\"r\"}," REST "}");
	template_free(t);
}

static void test_template__names(void **state)
{
	static const char *const good[] = { "a", "A b", "1.2_3-4", "..." };
	static const char *const bad[] = { "", ".", "..", "a/b", "\xc3\xbc",
					   "a\tb", "a%20b" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		auto_err struct svm_err err = SVM_ERR_INIT;

		assert_int_equal(template_check_name(good[i], &err), 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		auto_err struct svm_err err = SVM_ERR_INIT;

		assert_int_equal(template_check_name(bad[i], &err), -1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_template__defaults),
		cmocka_unit_test(test_template__spellings),
		cmocka_unit_test(test_template__key),
		cmocka_unit_test(test_template__survives_its_row),
		cmocka_unit_test(test_template__merge),
		cmocka_unit_test(test_template__names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
