/* SPDX-License-Identifier: MIT */
/* What a PATCH makes of a sandbox's name and metadata. */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/sandbox-patch.h"
#include "lib/api/limits.h"
#include "lib/api/spec.h"
#include "lib/base/mem.h"

static char name[] = "one", a[] = "a=1", b[] = "b=x=y", ab[] = "ab=";
static char *pairs[] = { a, b, ab, NULL };
static const struct sandbox_spec now = { .name = name, .metadata = pairs };

static char *joined(char *const *v)
{
	struct buf out = BUF_INIT;

	for (; v && *v; v++)
		buf_addf(&out, "%s%s", out.len ? " " : "", *v);
	buf_addstr(&out, "");
	return buf_steal(&out);
}

static void becomes(const char *body, const char *called,
		    const char *metadata, const char *changed)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	struct sandbox_patch p = { 0 };

	assert_int_equal(json_parse_object(&doc, body, strlen(body), &err), 0);
	assert_int_equal(sandbox_patch_parse(doc.root, &now, &p, &err), 0);
	auto_free char *have = joined(p.metadata);
	auto_free char *differs = joined(p.changed);

	if (called)
		assert_string_equal(p.name, called);
	else
		assert_null(p.name);
	assert_string_equal(have, metadata);
	assert_string_equal(differs, changed);
	sandbox_patch_release(&p);
}

static void test_sandbox_patch__merges(void **state)
{
	(void)state;
	becomes("{}", "one", "a=1 b=x=y ab=", "");
	becomes("{\"name\":\"one\",\"metadata\":{\"b\":\"x=y\"}}", "one",
		"a=1 b=x=y ab=", "");
	becomes("{\"name\":\"two\"}", "two", "a=1 b=x=y ab=", "name");
	becomes("{\"name\":null}", NULL, "a=1 b=x=y ab=", "name");
	becomes("{\"name\":\"\"}", NULL, "a=1 b=x=y ab=", "name");
	becomes("{\"metadata\":{\"a\":null,\"ab\":\"2\",\"c\":\"\"}}", "one",
		"b=x=y ab=2 c=", "metadata.a metadata.ab metadata.c");
	becomes("{\"metadata\":{\"none\":null}}", "one", "a=1 b=x=y ab=", "");
	becomes("{\"metadata\":null}", "one", "",
		"metadata.a metadata.b metadata.ab");
	/* Keys are of one case; what isn't known is not looked at. */
	becomes("{\"NAME\":7,\"metadata\":{\"A\":\"2\"}}", "one",
		"a=1 b=x=y ab= A=2", "metadata.A");
}

static void test_sandbox_patch__refuses(void **state)
{
	static const char *const bad[] = {
		"{\"name\":\"No\"}", "{\"name\":7}", "{\"name\":0}",
		"{\"name\":[]}", "{\"metadata\":\"a\"}", "{\"metadata\":[]}",
		"{\"metadata\":{\"a\":1}}", "{\"metadata\":{\"a\":{}}}",
		"{\"metadata\":{\"\":\"x\"}}", "{\"metadata\":{\"a=\":\"x\"}}",
		"{\"name\":\"good\",\"metadata\":{\"a\":true}}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		auto_err struct svm_err err = SVM_ERR_INIT;
		auto_json struct json_doc doc = JSON_DOC_INIT;
		struct sandbox_patch p = { 0 };

		assert_int_equal(json_parse_object(&doc, bad[i],
						   strlen(bad[i]), &err), 0);
		if (sandbox_patch_parse(doc.root, &now, &p, &err) == 0)
			fail_msg("taken: %s", bad[i]);
		assert_int_equal(err.code, SVM_BAD_REQUEST);
		assert_null(p.metadata);
	}
}

/* As many as a request may hold; each once looked for among all others they
 * took the daemon minutes. */
static void test_sandbox_patch__refuses_very_many_at_once(void **state)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	auto_buf struct buf body = BUF_INIT;
	struct sandbox_patch p = { 0 };

	(void)state;
	buf_addstr(&body, "{\"metadata\":{\"0\":\"\"");
	for (int i = 1; body.len < LIMIT_HTTP_BODY_JSON - 32; i++)
		buf_addf(&body, ",\"%x\":\"\"", (unsigned)i);
	buf_addstr(&body, "}}");
	assert_int_equal(json_parse_object(&doc, buf_str(&body), body.len,
					   &err), 0);
	clock_t begun = clock(); /* of the processor */
	assert_int_equal(sandbox_patch_parse(doc.root, &now, &p, &err), -1);
	assert_true(clock() - begun < 2 * CLOCKS_PER_SEC);
	assert_int_equal(err.code, SVM_BAD_REQUEST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sandbox_patch__merges),
		cmocka_unit_test(test_sandbox_patch__refuses),
		cmocka_unit_test(test_sandbox_patch__refuses_very_many_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
