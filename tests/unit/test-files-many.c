/* SPDX-License-Identifier: MIT */
/* Files found by a pattern, and what is done to all that are marked. */
#include "tests/unit/model-fixture.h"
#include "tui/glyph.h"

#define A "/api/v1/sandboxes/sb-7f3a91c2/files"

static const char list[] =
	"[{\"name\":\"dir\",\"path\":\"/workspace/dir\",\"is_dir\":true},"
	"{\"name\":\"one\",\"path\":\"/workspace/one\",\"size\":1},"
	"{\"name\":\"two\",\"path\":\"/workspace/two\",\"size\":1}]";

static const char matches[] =
	"[\"/workspace/a/x.py\",\"/workspace/b/x.py\",7,"
	"\"/workspace/e\\u001b[2Jvil.py\"]";

static struct model *in_files(void)
{
	struct model *m = fixture_model(30, 120);

	fixture_keys(m, "j f");
	fixture_answer(m, "GET", A "/list", SVM_OK, list);
	return m;
}

static struct model *in_matches(void)
{
	struct model *m = in_files();

	fixture_keys(m, "* ^U");
	fixture_type(m, "**/*.py");
	fixture_keys(m, "Enter");
	assert_string_equal(fixture_request(m, "GET")->target,
			    A "/glob?pattern=%2Fworkspace%2F%2A%2A%2F%2A.py");
	assert_int_equal(fixture_answer(m, "GET", A "/glob", SVM_OK, matches),
			 1);
	return m;
}

static void test_files_many__found(void **state)
{
	struct model *m = in_matches();

	(void)state;
	assert_shown(m, "FOUND /workspace/**/*.py");
	assert_shown(m, " a/x.py");
	assert_shown(m, "e^[[2Jvil.py");
	assert_shown(m, "1/3");
	/* It is looked at, then opened, and has the keys. */
	fixture_keys(m, "Enter");
	fixture_answer(m, "GET", A "/stat", SVM_OK,
		       "{\"path\":\"/workspace/a/x.py\",\"type\":\"file\"}");
	fixture_answer(m, "GET", A, SVM_OK, "import this");
	assert_shown(m, "import this");
	fixture_keys(m, "Escape");
	assert_shown(m, "FOUND /workspace/**/*.py");
	fixture_keys(m, "Escape");
	fixture_answer(m, "GET", A "/list", SVM_OK, list);
	assert_not_shown(m, "FOUND");
	assert_shown(m, "FILES /workspace");
	fixture_free(m);
}

static void test_files_many__to_where_it_is(void **state)
{
	struct model *m = in_matches();

	(void)state;
	fixture_keys(m, "j -");
	assert_string_equal(fixture_request(m, "GET")->target,
			    A "/list?path=%2Fworkspace%2Fb");
	fixture_answer(m, "GET", A "/list", SVM_OK,
		       "[{\"name\":\"w.py\",\"path\":\"/workspace/b/w.py\"},"
		       "{\"name\":\"x.py\",\"path\":\"/workspace/b/x.py\"}]");
	assert_shown(m, "2/2");
	fixture_free(m);
}

static void test_files_many__a_late_list_is_not_shown(void **state)
{
	struct model *m = in_files();

	(void)state;
	fixture_keys(m, "^R * Enter");
	fixture_answer(m, "GET", A "/glob", SVM_OK, matches);
	fixture_answer(m, "GET", A "/list", SVM_OK, list);
	assert_shown(m, " a/x.py");
	fixture_keys(m, "* Enter Escape");
	fixture_answer(m, "GET", A "/list", SVM_OK, list);
	fixture_answer(m, "GET", A "/glob", SVM_OK, matches);
	assert_not_shown(m, " a/x.py");
	fixture_free(m);
}

static void test_files_many__delete(void **state)
{
	struct model *m = in_files();

	(void)state;
	fixture_keys(m, "Space Space D");
	assert_shown(m, "DELETE 1 FILE AND 1 DIRECTORY?");
	fixture_keys(m, "Enter"); /* No */
	assert_null(fixture_request(m, "DELETE"));
	fixture_keys(m, "D y");
	assert_string_equal(fixture_request(m, "DELETE")->target,
			    A "?path=%2Fworkspace%2Fdir&recursive=true");
	/* Both, the second in vain: that one stays marked. */
	struct list *pos, *tmp;
	int n = 0;

	list_for_each_safe(pos, tmp, &m->requests)
		n += strstr(list_entry(pos, struct request, link)->target,
			    "recursive") != NULL;
	assert_int_equal(n, 1);
	assert_int_equal(fixture_answer(m, "DELETE", A, SVM_FORBIDDEN, "no"),
			 2);
	assert_shown(m, "deleted 0 of 2, 2 failed and are marked");
	assert_shown(m, "/workspace/dir: no");
	assert_int_equal(fixture_answer(m, "GET", A "/list", SVM_OK, list), 1);
	fixture_keys(m, "Escape D");
	assert_shown(m, "DELETE 1 FILE AND 1 DIRECTORY?");
	fixture_keys(m, "y");
	fixture_answer(m, "DELETE", A, SVM_OK, "");
	assert_shown(m, "deleted 2 of 2");
	assert_int_equal(fixture_answer(m, "GET", A "/list", SVM_OK, "[]"), 1);
	fixture_free(m);
}

/* From the last mark, up as well as down. */
static void test_files_many__range(void **state)
{
	struct model *m = in_files();

	(void)state;
	fixture_keys(m, "v"); /* from nowhere: this one */
	assert_shown(m, "*" GLYPH_RIGHT " dir/");
	assert_not_shown(m, "*  one");
	fixture_keys(m, "j j v"); /* and on from there */
	assert_shown(m, "*  one");
	assert_shown(m, "*  two");
	fixture_keys(m, "U g Space G v");
	assert_shown(m, "*" GLYPH_RIGHT " dir/");
	assert_shown(m, "*  one");
	assert_shown(m, "*  two");
	fixture_keys(m, "U G Space k v D");
	assert_shown(m, "DELETE 2 FILES?");
	assert_shown(m, "They can't be brought back.");
	/* Another directory knows nothing of it. */
	fixture_keys(m, "n -");
	fixture_answer(m, "GET", A "/list", SVM_OK, list);
	fixture_keys(m, "j v");
	assert_shown(m, "*  one");
	assert_not_shown(m, "*" GLYPH_RIGHT " dir/");
	assert_not_shown(m, "*  two");
	fixture_free(m);
}

/* What was found may be a directory: it goes with all that is in it, as one
 * that was listed does, and what went with it was deleted. */
static void test_files_many__delete_found(void **state)
{
	struct model *m = in_files();

	(void)state;
	fixture_keys(m, "* ^U");
	fixture_type(m, "*");
	fixture_keys(m, "Enter");
	fixture_answer(m, "GET", A "/glob", SVM_OK,
		       "[\"/workspace/a\",\"/workspace/a/b\","
		       "\"/workspace/c\"]");
	fixture_keys(m, "D");
	assert_shown(m, "and all that is in it, if it is a directory");
	fixture_keys(m, "y");
	assert_string_equal(fixture_request(m, "DELETE")->target,
			    A "?path=%2Fworkspace%2Fa&recursive=true");
	fixture_answer(m, "DELETE", A, SVM_OK, "");
	fixture_keys(m, "A D");
	assert_shown(m, "DELETE 3 FILES?");
	assert_shown(m, "what is a directory goes with all that is in it");
	fixture_keys(m, "y");
	struct request *r = fixture_request(m, "DELETE");

	assert_non_null(strstr(r->target, "Fa&recursive=true"));
	/* The first of them; then the other two are gone. */
	list_remove(&r->link);
	m->waiting--;
	request_done(m, r);
	request_free(r);
	assert_int_equal(fixture_answer(m, "DELETE", A, SVM_NOT_FOUND,
					"not there"), 2);
	assert_shown(m, "deleted 2 of 3, 1 failed and are marked");
	fixture_free(m);
}

/* Two of one name would be one file. */
static void test_files_many__download(void **state)
{
	struct model *m = in_matches();

	(void)state;
	fixture_keys(m, "A s ^U");
	fixture_type(m, "/tmp/to");
	fixture_keys(m, "Enter");
	assert_string_equal(fixture_request(m, "GET")->download,
			    "/tmp/to/x.py");
	assert_int_equal(fixture_answer(m, "GET", A, SVM_OK, "x"), 2);
	assert_shown(m, "copied 2 of 3, 1 failed");
	fixture_free(m);
}

static struct request *asked_for(const struct model *m, const char *target)
{
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &m->requests) {
		struct request *r = list_entry(pos, struct request, link);

		if (strcmp(r->target, target) == 0)
			return r;
	}
	return NULL;
}

/* A directory is an archive here, and files are files. */
static void test_files_many__download_directories(void **state)
{
	struct model *m = in_files();
	const struct request *r;

	(void)state;
	fixture_keys(m, "Space Space s");
	assert_shown(m, "SAVE 1 FILE AND 1 DIRECTORY AS NAME.tar");
	fixture_keys(m, "^U");
	fixture_type(m, "/tmp/to");
	fixture_keys(m, "Enter");
	r = asked_for(m, A "/archive?path=%2Fworkspace%2Fdir");
	assert_non_null(r);
	assert_string_equal(r->download, "/tmp/to/dir.tar");
	r = asked_for(m, A "?path=%2Fworkspace%2Fone");
	assert_non_null(r);
	assert_string_equal(r->download, "/tmp/to/one");
	fixture_answer(m, "GET", A, SVM_OK, "x");
	fixture_answer(m, "GET", A "/archive", SVM_OK, "x");
	assert_shown(m, "copied 2 of 2");
	fixture_free(m);
	/* Beside a file of the archive's name there is no place for it. */
	m = fixture_model(30, 120);
	fixture_keys(m, "j f");
	fixture_answer(m, "GET", A "/list", SVM_OK,
		       "[{\"name\":\"d\",\"path\":\"/workspace/d\","
		       "\"is_dir\":true},"
		       "{\"name\":\"d.tar\",\"path\":\"/workspace/d.tar\"}]");
	fixture_keys(m, "A s ^U");
	fixture_type(m, "/tmp/to");
	fixture_keys(m, "Enter");
	assert_null(asked_for(m, A "?path=%2Fworkspace%2Fd.tar"));
	fixture_answer(m, "GET", A "/archive", SVM_OK, "x");
	assert_shown(m, "copied 1 of 2, 1 failed");
	fixture_free(m);
}

/* The same of one alone; it hasn't the directory's permissions. */
static void test_files_many__download_one_directory(void **state)
{
	struct model *m = in_files();
	const struct request *r;

	(void)state;
	fixture_keys(m, "s");
	assert_shown(m, "SAVE dir AS dir.tar");
	assert_shown(m, "local file dir.tar");
	fixture_keys(m, "^U");
	fixture_type(m, "/tmp/svm-not-there.tar");
	fixture_keys(m, "Enter");
	r = asked_for(m, A "/archive?path=%2Fworkspace%2Fdir");
	assert_non_null(r);
	assert_string_equal(r->download, "/tmp/svm-not-there.tar");
	assert_int_equal(r->mode, 0);
	fixture_answer(m, "GET", A "/archive", SVM_OK, "");
	assert_shown(m, "copied /workspace/dir");
	fixture_free(m);
}

/* What can't be sent is told while the path can be mended. */
static void test_files_many__upload_is_checked(void **state)
{
	static const char *const bad[][2] = {
		{ "/tmp/svm-not-there", "can't read it: No such file" },
		{ "/", "a directory: stacyvm cp -r DIR ID:PATH" },
		{ "/dev/null", "it is no file" },
		{ "", "a name is needed" },
	};
	struct model *m = in_files();

	(void)state;
	fixture_keys(m, "u");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		fixture_keys(m, "^U");
		fixture_type(m, bad[i][0]);
		fixture_keys(m, "Enter");
		assert_shown(m, "UPLOAD TO /workspace");
		assert_shown(m, bad[i][1]);
		assert_null(fixture_request(m, "PUT"));
	}
	fixture_keys(m, "^U");
	fixture_type(m, "/proc/self/status");
	fixture_keys(m, "Enter");
	assert_not_shown(m, "UPLOAD TO");
	assert_string_equal(fixture_request(m, "PUT")->target,
			    A "?path=%2Fworkspace%2Fstatus");
	fixture_free(m);
}

/* Marks are of the directory in which they were set. */
static void test_files_many__marks_stay_behind(void **state)
{
	struct model *m = in_files();

	(void)state;
	fixture_keys(m, "A -");
	fixture_answer(m, "GET", A "/list", SVM_OK, list);
	fixture_keys(m, "D");
	assert_shown(m, "DELETE?");
	fixture_free(m);
}

/* In a directory and in what was found; gone with the directory. */
static void test_files_many__filter(void **state)
{
	struct model *m = in_files();

	(void)state;
	fixture_keys(m, "/");
	fixture_type(m, "Wj");
	fixture_keys(m, "Backspace Enter");
	assert_shown(m, "filter: W");
	assert_shown(m, " two");
	assert_not_shown(m, " one");
	assert_shown(m, "1/1");
	fixture_keys(m, "A Escape");
	assert_shown(m, " one");
	fixture_keys(m, "D"); /* what was shown */
	assert_shown(m, "DELETE 1 FILE?");
	fixture_keys(m, "n /");
	fixture_paste(m, "\033[2J\n%s");
	model_resize(m, 1, 1);
	model_resize(m, 30, 120);
	assert_shown(m, "nothing matches");
	fixture_keys(m, "Enter -");
	fixture_answer(m, "GET", A "/list", SVM_OK, list);
	assert_not_shown(m, "filter:");
	assert_shown(m, " one");
	fixture_free(m);
}

int main(void)
{
#define TEST(name) cmocka_unit_test(test_files_many__##name)
	const struct CMUnitTest tests[] = {
		TEST(found),
		TEST(to_where_it_is),
		TEST(a_late_list_is_not_shown),
		TEST(delete),
		TEST(range),
		TEST(delete_found),
		TEST(download),
		TEST(download_directories),
		TEST(download_one_directory),
		TEST(upload_is_checked),
		TEST(marks_stay_behind),
		TEST(filter),
#undef TEST
	};

	return cmocka_run_group_tests_name("files_many", tests, NULL, NULL);
}
