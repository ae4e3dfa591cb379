/* SPDX-License-Identifier: MIT */
/* A new file, a new name, an upload: nothing in its place is lost unasked. */
#include "tests/unit/model-fixture.h"

#define A "/api/v1/sandboxes/sb-7f3a91c2/files"

static const char list[] =
	"[{\"name\":\"one\",\"path\":\"/workspace/one\",\"size\":1},"
	"{\"name\":\"two\",\"path\":\"/workspace/two\",\"size\":1}]";
static const char said[] = "'/workspace/two' is there already";

static struct model *in_files(void)
{
	struct model *m = fixture_model(30, 120);

	fixture_keys(m, "j f");
	assert_int_equal(fixture_answer(m, "GET", A "/list", SVM_OK, list), 1);
	return m;
}

/* What waits, which must leave alone what is there, or not. */
static struct request *asked(struct model *m, const char *method,
			     const char *target, bool over)
{
	struct request *r = fixture_request(m, method);

	assert_non_null(r);
	assert_string_equal(r->target, target);
	assert_int_equal(r->if_match == NULL, over);
	if (!over)
		assert_string_equal(r->if_match, "");
	return r;
}

static void answer(struct model *m, const char *method, const char *path,
		   enum svm_code code, const char *reply)
{
	assert_int_equal(fixture_answer(m, method, path, code, reply), 1);
}

static void test_files_place__new_file(void **state)
{
	struct model *m = in_files();

	(void)state;
	fixture_keys(m, "n");
	fixture_type(m, "two");
	fixture_keys(m, "Enter");
	assert_int_equal(asked(m, "PUT", A "?path=%2Fworkspace%2Ftwo",
			       false)->body.len, 0);
	answer(m, "PUT", A, SVM_PRECONDITION, said);
	/* In place, with what was typed; and nowhere else. */
	assert_shown(m, "NEW FILE IN /workspace");
	assert_shown(m, "name two");
	assert_shown(m, "it is there already");
	assert_not_shown(m, said);
	assert_null(fixture_request(m, "GET"));
	fixture_type(m, "/");
	fixture_keys(m, "Enter");
	answer(m, "PUT", A, SVM_BAD_REQUEST, "'two/' names a directory");
	assert_shown(m, "'two/' names a directory");
	fixture_keys(m, "Backspace");
	fixture_type(m, ".txt");
	fixture_keys(m, "Enter");
	asked(m, "PUT", A "?path=%2Fworkspace%2Ftwo.txt", false);
	answer(m, "PUT", A, SVM_OK, "{}");
	assert_not_shown(m, "NEW FILE IN");
	answer(m, "GET", A "/list", SVM_OK, list); /* it is read again */
	/* What no name can mend is said below. */
	fixture_keys(m, "n x Enter");
	answer(m, "PUT", A, SVM_FORBIDDEN, "Permission denied");
	assert_not_shown(m, "NEW FILE IN");
	assert_shown(m, "make /workspace/x: Permission denied");
	fixture_keys(m, "n y Enter"); /* and the program ends */
	fixture_free(m);
}

/* In the sandbox that it was typed for. */
static void test_files_place__another_sandbox(void **state)
{
	struct model *m = in_files();

	(void)state;
	fixture_keys(m, "n");
	fixture_type(m, "two");
	fixture_keys(m, "Enter Escape j f");
	answer(m, "PUT", A, SVM_PRECONDITION, said);
	fixture_type(m, "3");
	fixture_keys(m, "Enter");
	asked(m, "PUT", A "?path=%2Fworkspace%2Ftwo3", false);
	fixture_free(m);
}

static void rename_to(struct model *m, const char *name)
{
	fixture_keys(m, "g r ^U");
	fixture_type(m, name);
	fixture_keys(m, "Enter");
}

static void test_files_place__rename(void **state)
{
	static const char body[] = "{\"old_path\":\"/workspace/one\","
				   "\"new_path\":\"/workspace/two\"}";
	struct model *m = in_files();

	(void)state;
	rename_to(m, "two");
	assert_string_equal(buf_str(&asked(m, "POST", A "/move", false)->body),
			    body);
	answer(m, "POST", A "/move", SVM_PRECONDITION, said);
	assert_shown(m, "REPLACE A FILE?");
	assert_shown(m, "/workspace/two");
	assert_shown(m, "What it holds now is lost.");
	assert_not_shown(m, said);
	fixture_keys(m, "Enter"); /* No */
	assert_not_shown(m, "REPLACE A FILE?");
	assert_null(fixture_request(m, "POST"));

	rename_to(m, "/workspace/two");
	answer(m, "POST", A "/move", SVM_PRECONDITION, said);
	fixture_keys(m, "y");
	assert_string_equal(buf_str(&asked(m, "POST", A "/move", true)->body),
			    body);
	answer(m, "POST", A "/move", SVM_OK, "{}");
	answer(m, "GET", A "/list", SVM_OK, list);

	rename_to(m, "dir");
	answer(m, "POST", A "/move", SVM_CONFLICT,
	       "'/workspace/dir' is a directory that exists already");
	assert_not_shown(m, "REPLACE A FILE?");
	assert_shown(m, "is a directory that exists already");
	rename_to(m, "one"); /* as it is */
	assert_null(fixture_request(m, "POST"));
	fixture_free(m);
}

static void upload(struct model *m)
{
	fixture_keys(m, "u");
	fixture_type(m, "/proc/self/status");
	fixture_keys(m, "Enter");
}

static void test_files_place__upload(void **state)
{
	static const char target[] = A "?path=%2Fworkspace%2Fstatus";
	struct model *m = in_files();

	(void)state;
	upload(m);
	assert_string_equal(asked(m, "PUT", target, false)->upload,
			    "/proc/self/status");
	answer(m, "PUT", A, SVM_PRECONDITION, said);
	assert_shown(m, "REPLACE A FILE?");
	assert_shown(m, "/workspace/status");
	assert_not_shown(m, said);
	fixture_keys(m, "Enter"); /* No */
	assert_null(fixture_request(m, "PUT"));
	assert_not_shown(m, "copied");

	upload(m);
	answer(m, "PUT", A, SVM_PRECONDITION, said);
	fixture_keys(m, "y");
	assert_string_equal(asked(m, "PUT", target, true)->upload,
			    "/proc/self/status");
	answer(m, "PUT", A, SVM_OK, "{}");
	assert_shown(m, "copied /workspace/status");
	answer(m, "GET", A "/list", SVM_OK, list);
	/* Nothing was there. */
	upload(m);
	answer(m, "PUT", A, SVM_OK, "{}");
	assert_not_shown(m, "REPLACE A FILE?");
	/* Something is on its way, until it is answered. */
	upload(m);
	fixture_keys(m, "q");
	assert_shown(m, "A copy of a file is under way.");
	fixture_keys(m, "n");
	answer(m, "PUT", A, SVM_PRECONDITION, said);
	fixture_keys(m, "n q");
	assert_true(m->effects & EFFECT_QUIT);
	upload(m); /* and the program ends */
	fixture_free(m);
}

/* mkdir takes no place of another, and says so. */
static void test_files_place__new_directory(void **state)
{
	struct model *m = in_files();

	(void)state;
	fixture_keys(m, "N");
	fixture_type(m, "two");
	fixture_keys(m, "Enter");
	answer(m, "POST", "/api/v1/sandboxes/sb-7f3a91c2/exec", SVM_OK,
	       "{\"exit_code\":1,\"stdout\":\"\",\"stderr\":"
	       "\"mkdir: two: File exists\\nsecond line\\n\"}");
	assert_shown(m, "make /workspace/two: mkdir: two: File exists");
	assert_not_shown(m, "second line");
	fixture_free(m);
}

int main(void)
{
#define TEST(name) cmocka_unit_test(test_files_place__##name)
	const struct CMUnitTest tests[] = {
		TEST(new_file),
		TEST(another_sandbox),
		TEST(rename),
		TEST(upload),
		TEST(new_directory),
#undef TEST
	};

	return cmocka_run_group_tests_name("files-place", tests, NULL, NULL);
}
