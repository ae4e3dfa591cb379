/* SPDX-License-Identifier: MIT */
/* The form of names and labels, of one sandbox and of several. */
#include "tests/unit/model-fixture.h"
#include "tui/label-form.h"
#include "tui/pairs.h"

#define WEB "/api/v1/sandboxes/sb-7f3a91c2"

static struct model *start(void **state)
{
	(void)state;
	return fixture_model(24, 100);
}

/* The sandbox with these labels; its form is open. */
static struct model *with_labels(void **state, const char *metadata)
{
	struct model *m = start(state);
	auto_free char *text = xasprintf(
		"{\"id\":\"sb-7f3a91c2\",\"name\":\"web\",\"state\":"
		"\"running\",\"metadata\":%s}", metadata);
	cJSON *o = cJSON_Parse(text);

	assert_non_null(o);
	fleet_put(&m->fleet, o);
	update_act(m, ACT_PALETTE);
	fixture_type(m, "label sb-7f3a91c2");
	fixture_keys(m, "Enter");
	assert_shown(m, "NAME AND LABELS OF sb-7f3a91c2");
	return m;
}

static const char *sent(struct model *m)
{
	struct request *r = fixture_request(m, "PATCH");

	assert_non_null(r);
	return buf_str(&r->body);
}

static void test_label__rename(void **state)
{
	struct model *m = with_labels(state, "{\"task\":\"ci\"}");

	assert_shown(m, "task=ci");
	assert_shown(m, "= nothing changes");
	fixture_keys(m, "^U");
	fixture_type(m, "site");
	assert_shown(m, "= stacyvm rename sb-7f3a91c2 site ");
	fixture_keys(m, "Enter");
	assert_string_equal(fixture_request(m, "PATCH")->target, WEB);
	assert_string_equal(sent(m), "{\"name\":\"site\"}");
	assert_shown(m, "changing");
	fixture_keys(m, "Enter x"); /* it can't be sent twice */
	/* What was typed is still there when the daemon says no. */
	assert_int_equal(fixture_answer(m, "PATCH", WEB, SVM_CONFLICT,
					"'site' is there already"), 1);
	assert_shown(m, "'site' is there already");
	fixture_type(m, "2");
	assert_not_shown(m, "is there already");
	fixture_keys(m, "Enter");
	assert_string_equal(sent(m), "{\"name\":\"site2\"}");
	assert_int_equal(fixture_answer(m, "PATCH", WEB, SVM_OK,
		"{\"id\":\"sb-7f3a91c2\",\"name\":\"site2\","
		"\"state\":\"running\"}"), 1);
	assert_null(m->dialog);
	assert_shown(m, "changed sb-7f3a91c2");
	assert_string_equal(fleet_find(&m->fleet, "sb-7f3a91c2")->name,
			    "site2");
	fixture_free(m);
}

/* Labels that are there, what is typed at the end of their line after some
 * keys, the command that is shown, and what is sent. */
static void test_label__only_what_is_edited(void **state)
{
	static const struct {
		const char *metadata, *keys, *typed, *command, *body;
	} cases[] = {
		{ "{\"a\":\"1\"}", NULL, " b=2", "label sb-7f3a91c2 b=2 ",
		  "{\"metadata\":{\"b\":\"2\"}}" },
		{ "{\"a\":\"1\",\"b\":\"2\"}", NULL, "3",
		  "label sb-7f3a91c2 b=23 ", "{\"metadata\":{\"b\":\"23\"}}" },
		{ "{\"a\":\"1\",\"b\":\"2\"}", "^W", "",
		  "label sb-7f3a91c2 b- ", "{\"metadata\":{\"b\":null}}" },
		{ "{\"a\":\"1\",\"b\":\"2\"}", "^U", "c=",
		  "label sb-7f3a91c2 c= a- b- ",
		  "{\"metadata\":{\"c\":\"\",\"a\":null,\"b\":null}}" },
		{ "{\"a\":\"x y\",\"b c\":\"it's\",\"d\":\"'q' z\"}", NULL,
		  " e='1 2'", "label sb-7f3a91c2 'e=1 2'",
		  "{\"metadata\":{\"e\":\"1 2\"}}" },
		{ "{\"a\":\"1\"}", NULL, " -x=1", "label sb-7f3a91c2 -- -x=1",
		  "{\"metadata\":{\"-x\":\"1\"}}" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct model *m = with_labels(state, cases[i].metadata);

		assert_shown(m, "= nothing changes");
		fixture_keys(m, "Tab");
		if (cases[i].keys)
			fixture_keys(m, cases[i].keys);
		fixture_type(m, cases[i].typed);
		assert_shown(m, cases[i].command);
		fixture_keys(m, "^S");
		assert_string_equal(sent(m), cases[i].body);
		fixture_free(m);
	}
}

/* What no line can hold is not there, and so is never changed. */
static void test_label__what_is_not_shown_stays(void **state)
{
	struct model *m = with_labels(state,
		"{\"evil\":\"\\u001b[31mred\",\"bidi\":\"\\u202e\","
		"\"both\":\"a ' b \\\" c\",\"good\":\"1\"}");

	assert_shown(m, "good=1");
	assert_shown(m, "3 not shown, stay");
	assert_not_shown(m, "evil");
	fixture_keys(m, "Tab ^U Enter");
	assert_string_equal(sent(m), "{\"metadata\":{\"good\":null}}");
	fixture_free(m);
}

static void test_label__says_what_is_wrong(void **state)
{
	static const struct {
		const char *typed, *said;
	} cases[] = {
		{ " word", "'word' is not KEY=VALUE" },
		{ " a-", "'a-' is not KEY=VALUE" },
		{ " =x", "'=x' is not KEY=VALUE" },
		{ " b='x", "is not closed" },
		{ " a=2", "'a' is there twice" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct model *m = with_labels(state, "{\"a\":\"1\"}");

		fixture_keys(m, "Tab");
		fixture_type(m, cases[i].typed);
		fixture_keys(m, "Enter");
		assert_shown(m, cases[i].said);
		assert_null(fixture_request(m, "PATCH"));
		fixture_free(m);
	}
}

static void test_label__asks_before_it_forgets(void **state)
{
	struct model *m = with_labels(state, "{}");

	fixture_keys(m, "Escape");
	assert_null(m->dialog);
	fixture_free(m);
	m = with_labels(state, "{}");
	fixture_type(m, "x");
	fixture_keys(m, "Escape");
	assert_shown(m, "LEAVE THE FORM?");
	fixture_keys(m, "y");
	assert_null(m->dialog);
	fixture_free(m);
	m = with_labels(state, "{}");
	fixture_keys(m, "Enter");
	assert_null(m->dialog);
	assert_shown(m, "nothing changes");
	assert_null(fixture_request(m, "PATCH"));
	/* Left while the daemon is at work: it goes on. */
	fixture_keys(m, "2 G R");
	fixture_type(m, "x");
	fixture_keys(m, "Enter Escape");
	assert_null(m->dialog);
	assert_non_null(fixture_request(m, "PATCH"));
	fixture_free(m);
}

/* The answer to one that was left is no answer to another. */
static void test_label__answers_are_for_their_own_form(void **state)
{
	struct model *m = with_labels(state, "{}");

	fixture_type(m, "1");
	fixture_keys(m, "Enter Escape 2 g R");
	assert_shown(m, "NAME AND LABELS OF sb-9d11ba00");
	fixture_type(m, "other");
	fixture_answer(m, "PATCH", WEB, SVM_CONFLICT, "it is taken");
	assert_shown(m, "change sb-7f3a91c2: it is taken");
	assert_shown(m, "NAME AND LABELS OF sb-9d11ba00");
	fixture_keys(m, "Enter Escape R");
	fixture_type(m, "more");
	fixture_time(m, 1);
	fixture_answer(m, "PATCH", "/api/v1/sandboxes/sb-9d11ba00", SVM_OK,
		       "{\"id\":\"sb-9d11ba00\",\"name\":\"other\"}");
	assert_shown(m, "more"); /* it was not sent yet */
	fixture_keys(m, "Enter");
	assert_shown(m, "changing");
	fixture_free(m);
	/* Both of one sandbox. */
	m = with_labels(state, "{}");
	fixture_type(m, "1");
	fixture_keys(m, "Enter Escape");
	struct request *early = fixture_request(m, "PATCH");
	list_remove(&early->link);
	fixture_time(m, 1);
	fixture_keys(m, "2 g Down R");
	fixture_type(m, "2");
	fixture_keys(m, "Enter");
	assert_shown(m, "changing");
	svm_err_set(&early->err, SVM_CONFLICT, "it is taken");
	request_done(m, early);
	request_free(early);
	assert_shown(m, "changing");
	fixture_free(m);
}

static void test_label__of_all_marked(void **state)
{
	struct model *m = start(state);

	fixture_keys(m, "2 A b");
	assert_shown(m, "rename, change labels (labels of all marked)");
	fixture_keys(m, "R");
	assert_shown(m, "LABEL 5 SANDBOXES");
	assert_not_shown(m, "name    ");
	fixture_type(m, "task=ci old- ");
	assert_shown(m, "task=ci old-  # and 4 more");
	fixture_type(m, "nonsense");
	fixture_keys(m, "Enter");
	assert_shown(m, "'nonsense' is not KEY=VALUE or KEY-");
	fixture_keys(m, "^W Enter");
	for (int i = 0; i < 5; i++) {
		struct request *r = fixture_request(m, "PATCH");
		auto_free char *target = xstrdup(r->target);
		bool bad = strcmp(target, WEB) == 0;

		assert_string_equal(buf_str(&r->body),
				    "{\"metadata\":{\"task\":\"ci\","
				    "\"old\":null}}");
		fixture_answer(m, "PATCH", target,
			       bad ? SVM_FORBIDDEN : SVM_OK,
			       bad ? "somebody else's" :
				     "{\"id\":\"sb-2c8e04d7\",\"state\":"
				     "\"running\",\"metadata\":"
				     "{\"task\":\"ci\"}}");
	}
	assert_shown(m, "labelled 4 of 5, 1 failed and are marked");
	assert_shown(m, "sb-7f3a91c2: somebody else's");
	assert_string_equal(json_text(json_get(fleet_find(&m->fleet,
				"sb-2c8e04d7")->json, "metadata"), "task"),
			    "ci");
	fixture_free(m);
}

static void test_label__read_only(void **state)
{
	struct model *m = start(state);

	m->read_only = true;
	fixture_keys(m, "2 R");
	assert_null(m->dialog);
	assert_shown(m, "read-only");
	fixture_keys(m, "A b");
	assert_not_shown(m, "labels");
	fixture_free(m);
}

/* Whatever is written is what is read again. */
static void test_label__pairs_come_back(void **state)
{
	static const char *const values[] = { "", "x", "a b", "it's", "'q'",
					      "\"q\"", "' x", "\" x", "=",
					      "a='b c'", "\u6f22 \u5b57" };

	(void)state;
	for (size_t k = 1; k < ARRAY_SIZE(values) - 3; k++)
		for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
			auto_buf struct buf line = BUF_INIT;
			auto_free char *whole = xasprintf("%s=%s", values[k],
							  values[i]);
			bool open;

			assert_true(pairs_write(&line, values[k], values[i]));
			const char *at = buf_str(&line);
			auto_free char *word = pairs_next(&at, &open);

			assert_false(open);
			assert_string_equal(word, whole);
			assert_string_equal(at, "");
		}
	auto_buf struct buf line = BUF_INIT;
	assert_false(pairs_write(&line, "k", "' \""));
	assert_false(pairs_write(&line, "k", "\n"));
	assert_int_equal(line.len, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test(test_label__##name)
	const struct CMUnitTest tests[] = {
		TEST(rename),
		TEST(only_what_is_edited),
		TEST(what_is_not_shown_stays),
		TEST(says_what_is_wrong),
		TEST(asks_before_it_forgets),
		TEST(answers_are_for_their_own_form),
		TEST(of_all_marked),
		TEST(read_only),
		TEST(pairs_come_back),
#undef TEST
	};

	return cmocka_run_group_tests_name("label", tests, NULL, NULL);
}
