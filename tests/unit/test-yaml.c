/* SPDX-License-Identifier: MIT */
#include "lib/api/yaml.h"

#include <string.h>

#include "lib/base/mem.h"
#include "unit.h"

static char *as_json(const char *text)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	cJSON *o = yaml_read("t", text, strlen(text), &err);

	if (!o)
		return xasprintf("error: %s", err.msg);
	char *printed = cJSON_PrintUnformatted(o);
	char *copy = xstrdup(printed);

	cJSON_free(printed);
	cJSON_Delete(o);
	return copy;
}

static void reads(const char *text, const char *json)
{
	auto_free char *got = as_json(text);

	assert_string_equal(got, json);
}

static void test_yaml__reads(void **state)
{
	(void)state;
	reads("", "{}");
	reads("# nothing\n", "{}");
	reads("a: 1\nb: x y\nc: '1'\nd:\ne: ~\n",
	      "{\"a\":1,\"b\":\"x y\",\"c\":\"1\",\"d\":null,"
	      "\"e\":null}");
	reads("a: [1, two, {b: true}]\n",
	      "{\"a\":[1,\"two\",{\"b\":true}]}");
	reads("a:\n- |\n  x\n  y\n- z\n", "{\"a\":[\"x\\ny\\n\",\"z\"]}");
	reads("{\"a\": {\"b\": [-1.5e3, false, null]}}",
	      "{\"a\":{\"b\":[-1500,false,null]}}");
	/* What YAML 1.1 took for something else is text. */
	reads("a: no\nb: 012\nc: 1:30\nd: 0x1f\ne: .5\nf: 1.\ng: inf\n",
	      "{\"a\":\"no\",\"b\":\"012\",\"c\":\"1:30\","
	      "\"d\":\"0x1f\",\"e\":\".5\",\"f\":\"1.\",\"g\":\"inf\"}");
}

static void fails(const char *text, const char *why)
{
	auto_free char *got = as_json(text);

	if (strncmp(got, "error: t:", 9) != 0 || !strstr(got, why))
		fail_msg("'%s' gave: %s", text, got);
}

static void test_yaml__refuses(void **state)
{
	auto_buf struct buf deep = BUF_INIT;

	(void)state;
	fails("- a\n", "key: value");
	fails("text\n", "key: value");
	fails("a: 1\na: 2\n", "t:2: the same key stands twice");
	fails("a: {b: 1, b: 2}\n", "twice");
	fails("a: &x 1\nb: *x\n", "anchors");
	fails("a: !!str 1\n", "tags");
	fails("a: &x [1]\n", "anchors");
	fails("a: 1\n---\nb: 2\n", "one document");
	fails("? [a]\n: 1\n", "a key must be text");
	fails("a: 1e999\n", "too large");
	fails("a: [\n", "t:");
	fails("a: \"x\\0y\"\n", "NUL");
	buf_addstr(&deep, "a: ");
	for (int i = 0; i < 100000; i++)
		buf_addch(&deep, '[');
	fails(buf_str(&deep), "nested too deep");
}

/* Whatever the strings are, reading gives back what was written. */
static void test_yaml__writes_what_it_reads(void **state)
{
	static const char *const texts[] = {
		"", " ", "a", "a b", "a  b", "a:", "a: b", "a:b", ":a", "#a",
		"a #b", "a#b", "-", "- a", "-a", "1", "1.5", "1e5", "0x1",
		"true", "True", "null", "~", "no", "Off", "y", "'a'", "\"a\"",
		"a\nb", "a\nb\n", "a\nb\n\n", "\na", " a\nb", "a\n b",
		"a\n\nb", "a\n#b", "a\tb\nc", "\t", "\r\n", "a\r", "\n",
		"\n\n", "a\n", "\x01", "\x7f", "\u00e4", "\u2028", "{a}",
		"[a]", "a, b", "&a", "*a", "!a", "|", ">", "%a", "@a", "`a`",
		"/usr/bin", "python:3.12", "docker.io/library/x:1", "---",
		"...", "a\n---\nb", "a \nb", "a\\b", "\xc2\x81x", "\xef\xbb\xbf",
		"x\xef\xbf\xbe", "\xc2\x85", "\u20ac\U0001d11e",
	};
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_buf struct buf out = BUF_INIT;
	cJSON *o = cJSON_CreateObject();

	(void)state;
	cJSON *list = cJSON_AddArrayToObject(o, "list");
	cJSON *map = cJSON_AddObjectToObject(o, "map");
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		auto_free char *key = xasprintf("k%zu", i);

		cJSON_AddStringToObject(o, key, texts[i]);
		cJSON_AddItemToArray(list, cJSON_CreateString(texts[i]));
		cJSON_AddStringToObject(map, texts[i], texts[i]);
	}
	char longest[700] = "";

	for (size_t i = 480; i < sizeof(longest); i += 10) {
		memset(longest, '\\', i);
		cJSON_AddStringToObject(map, longest, "a");
		cJSON_AddItemToObject(o, longest, cJSON_Duplicate(map, true));
		memset(longest, '\0', i);
	}
	cJSON_AddNumberToObject(o, "number", 1024);
	cJSON_AddBoolToObject(o, "no", false);
	cJSON_AddItemToObject(o, "empty", cJSON_CreateArray());
	cJSON_AddItemToObject(o, "none", cJSON_CreateObject());
	cJSON_AddNullToObject(o, "null");
	cJSON_AddItemToArray(list, cJSON_Duplicate(map, true));
	cJSON_AddItemToArray(list, cJSON_CreateObject());
	yaml_write(o, &out);
	cJSON *again = yaml_read("t", buf_str(&out), out.len, &err);
	if (!again)
		fail_msg("%s\n%s", err.msg, buf_str(&out));
	char *had = cJSON_PrintUnformatted(o);
	char *got = cJSON_PrintUnformatted(again);
	assert_string_equal(got, had);
	cJSON_free(had);
	cJSON_free(got);
	cJSON_Delete(again);
	cJSON_Delete(o);
}

static void test_yaml__writes_for_people(void **state)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_buf struct buf out = BUF_INIT;
	const char *json = "{\"image\":\"python:3.12\",\"memory_mb\":256,"
			   "\"ttl\":\"30m\",\"env\":{\"A\":\"1\"},"
			   "\"setup\":[\"pip install numpy\",\"a\\nb\"]}";

	(void)state;
	cJSON *o = yaml_read("t", json, strlen(json), &err);
	yaml_write(o, &out);
	assert_string_equal(buf_str(&out),
			    "image: python:3.12\n"
			    "memory_mb: 256\n"
			    "ttl: \"30m\"\n"
			    "env:\n"
			    "  A: \"1\"\n"
			    "setup:\n"
			    "  - pip install numpy\n"
			    "  - |-\n"
			    "    a\n"
			    "    b\n");
	cJSON_Delete(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_yaml__reads),
		cmocka_unit_test(test_yaml__refuses),
		cmocka_unit_test(test_yaml__writes_what_it_reads),
		cmocka_unit_test(test_yaml__writes_for_people),
	};

	return cmocka_run_group_tests_name("yaml", tests, NULL, NULL);
}
