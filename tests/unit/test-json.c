/* SPDX-License-Identifier: MIT */
/* What is read is what was sent; what would be misread is refused. */
#include "lib/base/json.h"

#include <math.h>
#include <string.h>

#include "lib/base/mem.h"
#include "tests/unit/unit.h"

static int parse(struct json_doc *doc, const char *text, size_t n)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	int r = json_parse_object(doc, text, n, &err);

	if (r < 0)
		assert_int_equal(err.code, SVM_BAD_REQUEST);
	return r;
}

static void test_json__refuse(void **state)
{
	static const char *const bad[] = {
		"{", "}", "[]", "1", "\"x\"", "null", "{]", "{\"a\"}",
		"{\"a\":}", "{\"a\":1,}", "{,}", "{\"a\":1}x", "{\"a\":1}{}",
		"{'a':1}", "{a:1}", "{\"a\":01}", "{\"a\":1.}", "{\"a\":.5}",
		"{\"a\":+1}", "{\"a\":-}", "{\"a\":1e}", "{\"a\":0x10}",
		"{\"a\":NaN}", "{\"a\":Infinity}", "{\"a\":nul}",
		"{\"a\":True}", "{\"a\":\"\\x\"}", "{\"a\":\"\\u12\"}",
		"{\"a\":\"\\ud800\"}", "{\"a\":\"\\udc00\"}",
		"{\"a\":\"\\ud800\\u0041\"}", "{\"a\":\"x}", "{\"a\":\"\\\"}",
		"{\"a\":\"\n\"}", "{\"a\":\"\x01\"}", "{\"a\":\"\xff\"}",
		"{\"\xc0\x80\":1}", "{\"a\":1,\"a\":2}",
		"{\"b\":{\"a\":1,\"c\":2,\"a\":3}}", "{\"a\":\"x\\u0000y\"}",
		"{\"a\\u0000\":1}", "{\"a\":[\"\\u0000\"]}",
		"{\"content\":[\"\\u0000\"]}",
		"{\"x\":{\"content\":\"\\u0000\"}}",
		"{\"a\":\"\\uzzzz\"}", "{\"data\":\"\\udz00\"}",
		"{\"data\":\"\\u12\"}", "{\"a\":\"\\x41\"}",
		"{\"\\u0063ontent\":\"\\u0000\"}", "{\v\"a\":1}",
		"{\"a\":1\x01}", "// c\n{}", "{/* c */}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		auto_json struct json_doc doc = JSON_DOC_INIT;

		if (parse(&doc, bad[i], strlen(bad[i])) == 0)
			fail_msg("accepted: %s", bad[i]);
		assert_null(doc.root);
	}
	auto_json struct json_doc doc = JSON_DOC_INIT;
	assert_int_equal(parse(&doc, "{\"a\":1}\0", 8), -1);
	assert_int_equal(parse(&doc, "{\0}", 3), -1);
}

static void test_json__accept(void **state)
{
	static const char *const good[] = {
		"", "  \r\n\t", "{}", " {} ", "{\"a\":0}", "{\"a\":-0.5e+10}",
		"{\"a\":1E5}", "{\"A\":1,\"a\":2}", "{\"a\":\"\\\\u0000\"}",
		"{\"a\":[1,[2,{\"b\":null}],true,false]}",
		"{\"\":1}", "{\"a\":\"\\ud83d\\ude00\"}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		auto_json struct json_doc doc = JSON_DOC_INIT;

		if (parse(&doc, good[i], strlen(good[i])) < 0)
			fail_msg("refused: %s", good[i]);
		assert_true(cJSON_IsObject(doc.root));
	}
}

static void test_json__depth(void **state)
{
	(void)state;
	for (int depth = 62; depth <= 66; depth++) {
		auto_json struct json_doc doc = JSON_DOC_INIT;
		auto_buf struct buf b = BUF_INIT;

		buf_addstr(&b, "{\"a\":");
		for (int i = 1; i < depth; i++)
			buf_addch(&b, '[');
		for (int i = 1; i < depth; i++)
			buf_addch(&b, ']');
		buf_addch(&b, '}');
		assert_int_equal(parse(&doc, b.data, b.len),
				 depth <= JSON_MAX_DEPTH ? 0 : -1);
	}
	/* Far too deep, unbalanced, and long. */
	auto_buf struct buf b = BUF_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	for (int i = 0; i < 1000000; i++)
		buf_addstr(&b, "{\"a\":");
	assert_int_equal(parse(&doc, b.data, b.len), -1);
}

static void test_json__getters(void **state)
{
	static const char text[] =
		"{\"s\":\"x\",\"S\":\"other\",\"empty\":\"\",\"null\":null,"
		"\"n\":5,\"zero\":0,\"frac\":1.5,\"big\":9223372036854775808,"
		"\"neg\":-1,\"huge\":1e999,\"t\":true,\"a\":[]}";
	auto_json struct json_doc doc = JSON_DOC_INIT;
	const char *s = "kept";
	int64_t n = 77;
	bool b = false;

	(void)state;
	assert_int_equal(parse(&doc, text, strlen(text)), 0);
#define OK(call) do {                                              \
		auto_err struct svm_err err = SVM_ERR_INIT;        \
		assert_int_equal(call, 0);                         \
	} while (0)
#define BAD(call, key) do {                                        \
		auto_err struct svm_err err = SVM_ERR_INIT;        \
		assert_int_equal(call, -1);                        \
		assert_int_equal(err.code, SVM_BAD_REQUEST);       \
		assert_non_null(strstr(err.msg, "'" key "'"));     \
	} while (0)
	OK(json_get_string(doc.root, "none", &s, &err));
	OK(json_get_string(doc.root, "empty", &s, &err));
	OK(json_get_string(doc.root, "null", &s, &err));
	assert_string_equal(s, "kept");
	OK(json_get_string(doc.root, "s", &s, &err));
	assert_string_equal(s, "x");
	BAD(json_get_string(doc.root, "n", &s, &err), "n");
	BAD(json_get_string(doc.root, "a", &s, &err), "a");
	OK(json_get_int(doc.root, "zero", 1, 9, &n, &err));
	OK(json_get_int(doc.root, "empty", 1, 9, &n, &err));
	OK(json_get_int(doc.root, "none", 1, 9, &n, &err));
	assert_int_equal(n, 77);
	OK(json_get_int(doc.root, "n", 1, 9, &n, &err));
	assert_int_equal(n, 5);
	BAD(json_get_int(doc.root, "n", 6, 9, &n, &err), "n");
	BAD(json_get_int(doc.root, "neg", 0, 9, &n, &err), "neg");
	BAD(json_get_int(doc.root, "frac", 0, 9, &n, &err), "frac");
	BAD(json_get_int(doc.root, "s", 0, 9, &n, &err), "s");
	BAD(json_get_int(doc.root, "t", 0, 9, &n, &err), "t");
	BAD(json_get_int(doc.root, "big", INT64_MIN, INT64_MAX, &n, &err),
	    "big");
	BAD(json_get_int(doc.root, "huge", INT64_MIN, INT64_MAX, &n, &err),
	    "huge");
	OK(json_get_bool(doc.root, "none", &b, &err));
	assert_false(b);
	OK(json_get_bool(doc.root, "t", &b, &err));
	assert_true(b);
	BAD(json_get_bool(doc.root, "n", &b, &err), "n");
}

static void test_json__data_carries_nul(void **state)
{
	static const char text[] =
		"{\"path\":\"/x\",\"content\":\"a\\u0000b\\n\\\"\\u00e9"
		"\\ud83d\\ude00\\/\xc3\xa9\\u0000\",\"stdin\":\"\"}";
	static const char want[] = "a\0b\n\"\xc3\xa9\xf0\x9f\x98\x80/\xc3\xa9";
	auto_json struct json_doc doc = JSON_DOC_INIT;
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_buf struct buf out = BUF_INIT;
	bool present = false;

	(void)state;
	assert_int_equal(parse(&doc, text, strlen(text)), 0);
	assert_int_equal(json_data(&doc, JSON_CONTENT, &out, &present, &err),
			 0);
	assert_true(present);
	assert_int_equal(out.len, sizeof(want)); /* its own NUL is the last */
	assert_memory_equal(out.data, want, sizeof(want));
	buf_clear(&out);
	assert_int_equal(json_data(&doc, JSON_STDIN, &out, &present, &err), 0);
	assert_true(present);
	assert_int_equal(out.len, 0);
	json_release(&doc);
	assert_int_equal(parse(&doc, "{\"content\":5}", 13), 0);
	assert_int_equal(json_data(&doc, JSON_STDIN, &out, &present, &err), 0);
	assert_false(present);
	assert_int_equal(json_data(&doc, JSON_CONTENT, &out, &present, &err),
			 -1);
}

static void test_json__strings_out(void **state)
{
	static const struct {
		const char *in;
		size_t n;
		const char *out;
	} cases[] = {
		{ "", 0, "\"\"" },
		{ "a\"\\b", 4, "\"a\\\"\\\\b\"" },
		{ "\n\t\r\x01", 4, "\"\\n\\t\\r\\u0001\"" },
		{ "a\0b", 3, "\"a\\u0000b\"" },
		{ "\x7f", 1, "\"\\u007f\"" },
		{ "\xc2\x85", 2, "\"\\u0085\"" },
		{ "\xe2\x80\xa8\xe2\x80\xa9", 6, "\"\\u2028\\u2029\"" },
		{ "\xff" "a\xe2\x82", 4,
		  "\"\xef\xbf\xbd" "a\xef\xbf\xbd\"" },
		{ "\xf0\x9f\x98\x80", 4, "\"\xf0\x9f\x98\x80\"" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_buf struct buf b = BUF_INIT;

		json_add_string(&b, cases[i].in, cases[i].n);
		assert_string_equal(b.data, cases[i].out);
	}
}

static void test_json__writer(void **state)
{
	char *pairs[] = { (char *)"a=1", (char *)"b", (char *)"c=x=y", NULL };
	auto_buf struct buf b = BUF_INIT;
	struct json_writer w = json_writer(&b);

	(void)state;
	json_open(&w, NULL, '{');
	json_str(&w, "s", NULL);
	json_int(&w, "i", INT64_MIN);
	json_open(&w, "list", '[');
	json_bool(&w, NULL, true);
	json_null(&w, NULL);
	json_open(&w, NULL, '{');
	json_close(&w, '}');
	json_raw(&w, NULL, "[1]");
	json_close(&w, ']');
	json_double(&w, "d", 0.5);
	json_double(&w, "inf", INFINITY);
	json_strmap(&w, "m", pairs);
	json_strmap(&w, "none", NULL);
	json_close(&w, '}');
	assert_string_equal(b.data,
			    "{\"s\":\"\",\"i\":-9223372036854775808,\"list\":"
			    "[true,null,{},[1]],\"d\":0.5,\"inf\":null,"
			    "\"m\":{\"a\":\"1\",\"b\":\"\",\"c\":\"x=y\"},"
			    "\"none\":{}}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json__refuse),
		cmocka_unit_test(test_json__accept),
		cmocka_unit_test(test_json__depth),
		cmocka_unit_test(test_json__getters),
		cmocka_unit_test(test_json__data_carries_nul),
		cmocka_unit_test(test_json__strings_out),
		cmocka_unit_test(test_json__writer),
	};

	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
