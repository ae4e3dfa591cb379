/* SPDX-License-Identifier: MIT */
/* Files of a sandbox: never those of another. */
#include <locale.h>
#include <unistd.h>

#include "tests/unit/model-fixture.h"

#define A "/api/v1/sandboxes/sb-7f3a91c2/files"
#define B "/api/v1/sandboxes/sb-2c8e04d7/files"

static const char list_a[] =
	"[{\"name\":\"of-a\",\"path\":\"/workspace/same\",\"size\":1,"
	"\"mode\":\"0600\"}]";
static const char list_b[] =
	"[{\"name\":\"of-b\",\"path\":\"/workspace/same\",\"size\":1}]";

/* An answer that comes late isn't taken for the other sandbox's. */
static void test_files__late_list(void **state)
{
	struct model *m = fixture_model(30, 120);

	(void)state;
	fixture_keys(m, "j f Escape j f");
	assert_int_equal(fixture_answer(m, "GET", A "/list", SVM_OK, list_a),
			 1);
	assert_not_shown(m, "of-a");
	assert_int_equal(fixture_answer(m, "GET", B "/list", SVM_OK, list_b),
			 1);
	assert_shown(m, "of-b");
	fixture_free(m);
}

static void test_files__late_content(void **state)
{
	struct model *m = fixture_model(30, 120);

	(void)state;
	fixture_keys(m, "j f");
	fixture_answer(m, "GET", A "/list", SVM_OK, list_a);
	fixture_keys(m, "Enter Escape Escape j f");
	fixture_answer(m, "GET", B "/list", SVM_OK, list_b);
	fixture_keys(m, "Enter");
	assert_int_equal(fixture_answer(m, "GET", A, SVM_OK, "secret of a"),
			 1);
	assert_not_shown(m, "secret of a");
	assert_int_equal(fixture_answer(m, "GET", B, SVM_OK, "text of b"), 1);
	assert_shown(m, "text of b");
	fixture_free(m);
}

static void test_files__binary_is_hex(void **state)
{
	struct model *m = fixture_model(30, 120);

	(void)state;
	fixture_keys(m, "j f");
	fixture_answer(m, "GET", A "/list", SVM_OK, list_a);
	fixture_keys(m, "Enter");
	fixture_answer(m, "GET", A, SVM_OK, "[\"\x14o\xd1\xf5\xb4 here");
	assert_shown(m, "hex  binary  READ");
	assert_shown(m, "5b 22 14 6f");
	fixture_free(m);
}

/* What it is, and how it is shown, stands above it. */
static void test_files__encoding(void **state)
{
	static const struct {
		const char *text, *title;
	} all[] = {
		{ "plain\n", "text  UTF-8  READ" },
		{ "\u00e4\u6f22\n", "text  UTF-8  READ" },
		{ "\xe4pfel\n", "text  latin1  READ" },
		{ "cut \xe6\xbc", "text  latin1  READ" },
		{ "\x7f" "ELF\x01", "text  binary  READ" },
		{ "", "text  UTF-8  READ" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		struct model *m = fixture_model(30, 120);

		fixture_keys(m, "j f");
		fixture_answer(m, "GET", A "/list", SVM_OK, list_a);
		fixture_keys(m, "Enter");
		fixture_answer(m, "GET", A, SVM_OK, all[i].text);
		assert_shown(m, all[i].title);
		fixture_keys(m, "X w");
		assert_shown(m, " hex");
		fixture_keys(m, "X");
		assert_shown(m, "text  wrap");
		fixture_free(m);
	}
}

static void write_text(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* The first file of A is on its way to a local copy in this directory, a
 * template of mkdtemp(3). */
static struct model *edited_in(char *runtime)
{
	struct model *m;

	assert_non_null(mkdtemp(runtime));
	setenv("STACYVM_RUNTIME_DIR", runtime, 1);
	m = fixture_model(30, 120);
	fixture_keys(m, "j f");
	fixture_answer(m, "GET", A "/list", SVM_OK, list_a);
	fixture_keys(m, "e");
	fixture_answer(m, "GET", A "/stat", SVM_OK,
		       "{\"type\":\"file\",\"mode\":\"0600\"}");
	return m;
}

/* What the editor saved goes where it came from. */
static void test_files__edited_elsewhere(void **state)
{
	char runtime[] = "/tmp/svm-files-XXXXXX";
	struct model *m;
	struct request *r;

	(void)state;
	m = edited_in(runtime);
	fixture_keys(m, "Escape j f");
	fixture_answer(m, "GET", B "/list", SVM_OK, list_b);
	r = fixture_request(m, "GET");
	while (r && !r->download)
		r = r->link.next == &m->requests ? NULL :
		    list_entry(r->link.next, struct request, link);
	assert_non_null(r);
	write_text(r->download, "old");
	fixture_answer(m, "GET", A, SVM_OK, "");
	assert_true(m->effects & EFFECT_EDITOR);
	write_text(m->editor.path, "new");
	fixture_edited(m, true);
	r = fixture_request(m, "PUT");
	assert_non_null(r);
	assert_string_equal(r->target, A "?path=%2Fworkspace%2Fsame&mode=0600");
	assert_int_equal(fixture_answer(m, "PUT", A, SVM_OK, ""), 1);
	fixture_free(m);
	assert_int_equal(rmdir(runtime), 0); /* no copy is left */
}

/* The program ends before the file came: the local copy goes. */
static void test_files__editor_left(void **state)
{
	char runtime[] = "/tmp/svm-files-XXXXXX";
	struct model *m;

	(void)state;
	m = edited_in(runtime);
	assert_int_equal(rmdir(runtime), -1); /* there is a copy's place */
	fixture_free(m);
	assert_int_equal(rmdir(runtime), 0);
}

/* And why it failed is said. */
static void test_files__editor_failed(void **state)
{
	char runtime[] = "/tmp/svm-files-XXXXXX";
	struct model *m;

	(void)state;
	m = edited_in(runtime);
	write_text(fixture_request(m, "GET")->download, "old");
	fixture_answer(m, "GET", A, SVM_OK, "");
	fixture_edited(m, false);
	assert_shown(m, "same is as it was: the editor 'ed' ended with "
			"status 3");
	fixture_free(m);
	assert_int_equal(rmdir(runtime), 0);
}

/* It came, but there is no editor any more to be opened with it. */
static void test_files__editor_not_opened(void **state)
{
	char runtime[] = "/tmp/svm-files-XXXXXX";
	struct model *m;

	(void)state;
	m = edited_in(runtime);
	write_text(fixture_request(m, "GET")->download, "old");
	fixture_answer(m, "GET", A, SVM_OK, "");
	assert_non_null(m->editor.path);
	fixture_free(m);
	assert_int_equal(rmdir(runtime), 0);
}

/* But what was typed there and isn't saved stays, and leaving asks. */
static void test_files__editor_unsaved(void **state)
{
	char runtime[] = "/tmp/svm-files-XXXXXX";
	auto_free char *local = NULL;
	struct model *m;

	(void)state;
	m = edited_in(runtime);
	local = xstrdup(fixture_request(m, "GET")->download);
	write_text(local, "old");
	fixture_answer(m, "GET", A, SVM_OK, "");
	write_text(local, "new");
	fixture_edited(m, true);
	fixture_keys(m, "q");
	assert_shown(m, "A copy of a file is under way");
	fixture_free(m);
	assert_int_equal(unlink(local), 0);
	*strrchr(local, '/') = '\0';
	assert_int_equal(rmdir(local), 0);
	assert_int_equal(rmdir(runtime), 0);
}

/* Under another name: nothing that has it is lost, and the copy stays until it
 * is somewhere. */
static void test_files__editor_save_as(void **state)
{
	char runtime[] = "/tmp/svm-files-XXXXXX";
	struct model *m;
	struct request *r;

	(void)state;
	m = edited_in(runtime);
	r = fixture_request(m, "GET");
	write_text(r->download, "old");
	fixture_tagged(m, "GET", A, SVM_OK, "", "\"5\"");
	write_text(m->editor.path, "new");
	fixture_edited(m, true);
	fixture_answer(m, "PUT", A, SVM_PRECONDITION, "another");
	assert_shown(m, "WAS CHANGED BY ANOTHER");
	fixture_keys(m, "s ^U Enter");
	assert_shown(m, "a name is needed");
	fixture_type(m, "two");
	fixture_keys(m, "Enter");
	fixture_answer(m, "PUT", A, SVM_PRECONDITION, "another");
	assert_not_shown(m, "WAS CHANGED BY ANOTHER");
	assert_shown(m, "new file /workspace/two");
	assert_shown(m, "it is there already");
	fixture_type(m, "3");
	fixture_keys(m, "Enter");
	r = fixture_request(m, "PUT");
	assert_string_equal(r->target,
			    A "?path=%2Fworkspace%2Ftwo3&mode=0600");
	assert_string_equal(r->if_match, "");
	fixture_answer(m, "PUT", A, SVM_OK, "");
	assert_shown(m, "saved /workspace/two3");
	fixture_free(m);
	assert_int_equal(rmdir(runtime), 0); /* no copy is left */
}

/* A click selects, as a key would. */
static void test_files__click(void **state)
{
	struct model *m = fixture_model(30, 120);
	struct input_event ev = { .type = INPUT_MOUSE };

	(void)state;
	fixture_keys(m, "j f");
	fixture_answer(m, "GET", A "/list", SVM_OK,
		       "[{\"name\":\"one\",\"path\":\"/workspace/one\"},"
		       "{\"name\":\"two\",\"path\":\"/workspace/two\"}]");
	ev.mouse = (struct mouse){ MOUSE_PRESS, 1, 0, 5, 4 };
	update_input(m, &ev);
	fixture_keys(m, "Enter");
	assert_non_null(strstr(fixture_request(m, "GET")->target, "two"));
	fixture_free(m);
}

/* What is said is what is taken. */
static void test_files__mode(void **state)
{
	static const char *const good[] = { "640", "4755" };
	static const char *const bad[] = { "64", "648", "07555", "" };
	struct model *m = fixture_model(30, 120);

	(void)state;
	fixture_keys(m, "j f");
	fixture_answer(m, "GET", A "/list", SVM_OK, list_a);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		fixture_keys(m, "p ^U");
		fixture_type(m, bad[i]);
		fixture_keys(m, "Enter");
		assert_shown(m, "a mode is three or four octal digits");
		assert_null(fixture_request(m, "POST"));
		fixture_keys(m, "Escape");
	}
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		fixture_keys(m, "p ^U");
		fixture_type(m, good[i]);
		fixture_keys(m, "Enter");
		assert_int_equal(fixture_answer(m, "POST", A "/chmod", SVM_OK,
						"{}"), 1);
	}
	fixture_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files__late_list),
		cmocka_unit_test(test_files__late_content),
		cmocka_unit_test(test_files__encoding),
		cmocka_unit_test(test_files__binary_is_hex),
		cmocka_unit_test(test_files__edited_elsewhere),
		cmocka_unit_test(test_files__editor_left),
		cmocka_unit_test(test_files__editor_failed),
		cmocka_unit_test(test_files__editor_not_opened),
		cmocka_unit_test(test_files__editor_save_as),
		cmocka_unit_test(test_files__mode),
		cmocka_unit_test(test_files__editor_unsaved),
		cmocka_unit_test(test_files__click),
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8")) {
		print_message("needs the locale C.UTF-8\n");
		return 1;
	}
	return cmocka_run_group_tests_name("files", tests, NULL, NULL);
}
