/* SPDX-License-Identifier: MIT */
#include "lib/api/errmap.h"

#include <string.h>

#include "lib/base/json.h"
#include "tests/unit/unit.h"

/* API.md section 2 and TUI.md 6.3. */
static void test_errmap__table(void **state)
{
	static const struct {
		enum svm_code code;
		int http, exit;
	} cases[] = {
		{ SVM_OK, 200, 0 }, { SVM_BAD_REQUEST, 400, 1 },
		{ SVM_UNAUTHORIZED, 401, 4 }, { SVM_FORBIDDEN, 403, 4 },
		{ SVM_NOT_FOUND, 404, 3 }, { SVM_FILE_NOT_FOUND, 404, 3 },
		{ SVM_METHOD_NOT_ALLOWED, 405, 1 }, { SVM_TIMEOUT, 408, 124 },
		{ SVM_CONFLICT, 409, 6 }, { SVM_TOO_LARGE, 413, 1 },
		{ SVM_RANGE, 416, 1 }, { SVM_RESOURCE_LIMIT, 429, 7 },
		{ SVM_INTERNAL, 500, 1 }, { SVM_UNSUPPORTED, 501, 1 },
		{ SVM_PROVIDER, 502, 1 }, { SVM_UNAVAILABLE, 503, 1 },
		{ SVM_NO_SPACE, 507, 1 }, { SVM_UNREACHABLE, 503, 5 },
		{ SVM_CANCELLED, 500, 8 }, { SVM_PRECONDITION, 412, 6 },
	};

	(void)state;
	assert_int_equal(ARRAY_SIZE(cases), SVM_CODE_MAX);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(errmap_http_status(cases[i].code),
				 cases[i].http);
		assert_int_equal(errmap_exit_status(cases[i].code),
				 cases[i].exit);
	}
}

static void test_errmap__json(void **state)
{
	auto_err struct svm_err err = SVM_ERR_INIT, none = SVM_ERR_INIT;
	auto_buf struct buf b = BUF_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;

	(void)state;
	svm_err_set(&err, SVM_NO_SPACE, "no \"room\"\n\xff");
	errmap_json(&b, &err, NULL);
	assert_string_equal(b.data, "{\"code\":\"NO_SPACE\",\"message\":\"no "
			    "\\\"room\\\"\\n\xef\xbf\xbd\"}");
	buf_clear(&b);
	svm_err_hint(&err, "make some");
	errmap_json(&b, &err, "r-1");
	assert_int_equal(json_parse_object(&doc, b.data, b.len, &none), 0);
	assert_string_equal(json_get(doc.root, "remediation")->valuestring,
			    "make some");
	assert_string_equal(json_get(doc.root, "request_id")->valuestring,
			    "r-1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_errmap__table),
		cmocka_unit_test(test_errmap__json),
	};

	return cmocka_run_group_tests_name("errmap", tests, NULL, NULL);
}
