/* SPDX-License-Identifier: MIT */
/* A template in $EDITOR, from screen 3. */
#include <fcntl.h>
#include <sys/stat.h>

#include "lib/base/fd.h"
#include "lib/base/path.h"
#include "tests/unit/model-fixture.h"

#define TEMPLATE "/api/v1/templates/data-science"
#define BODY(stamp) \
	"{\"name\":\"data-science\",\"image\":\"python:3.12\"," \
	"\"memory_mb\":1024,\"cpu_cores\":2,\"updated_at\":\"" stamp "\"}"

static char dir[32];

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/svm-tpl-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	auto_free char *runtime = path_join(dir, "r");
	return setenv("STACYVM_RUNTIME_DIR", runtime, 1);
}

static int teardown(void **state)
{
	int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	path_remove_tree(tmp, dir + 5);
	close(tmp);
	return unsetenv("STACYVM_RUNTIME_DIR");
}

/* e, and the daemon's answer: the editor is to be opened. */
static struct model *opened(void)
{
	struct model *m = fixture_model(24, 100);

	fixture_keys(m, "3 e");
	assert_int_equal(fixture_answer(m, "GET", TEMPLATE, SVM_OK,
					BODY("1")), 1);
	assert_true(m->effects & EFFECT_EDITOR);
	return m;
}

static bool is_there(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0;
}

static void test_template_edit__what_can_be_changed(void **state)
{
	struct model *m = opened();
	auto_buf struct buf b = BUF_INIT;
	struct stat st;

	(void)state;
	assert_int_equal(stat(m->editor.path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(fd_slurp_path(AT_FDCWD, m->editor.path, 4096, &b), 0);
	assert_string_equal(buf_str(&b),
			    "# The template 'data-science'.  A field that is "
			    "taken out gets its default.\n"
			    "name: data-science\nimage: python:3.12\n"
			    "memory_mb: 1024\n");
	auto_free char *path = fixture_leave_editor(m, NULL, true);
	assert_shown(m, "nothing was changed");
	assert_false(is_there(path));
	assert_null(fixture_request(m, "PUT"));
	fixture_free(m);
}

/* An editor that couldn't be started has written nothing that is to be kept or
 * edited again. */
static void test_template_edit__no_editor(void **state)
{
	struct model *m = opened();

	(void)state;
	svm_err_set(&m->editor.err, SVM_CANCELLED, "no such editor");
	auto_free char *path = fixture_leave_editor(m, NULL, false);
	assert_null(m->dialog);
	assert_shown(m, "no such editor");
	assert_false(is_there(path));
	fixture_free(m);
}

static void test_template_edit__taken(void **state)
{
	struct model *m = opened();
	auto_free char *path = fixture_leave_editor(m, "image: alpine\nmemory_mb: 64\n", true);
	struct request *put;

	(void)state;
	fixture_answer(m, "GET", TEMPLATE, SVM_OK, BODY("1"));
	put = fixture_request(m, "PUT");
	assert_non_null(put);
	assert_string_equal(put->target, TEMPLATE);
	assert_non_null(strstr(buf_str(&put->body), "\"memory_mb\":\t64"));
	fixture_answer(m, "PUT", TEMPLATE, SVM_OK, "{}");
	assert_shown(m, "changed data-science");
	assert_false(is_there(path));
	fixture_free(m);
}

static void test_template_edit__not_over_anothers_change(void **state)
{
	struct model *m = opened();
	auto_free char *path = fixture_leave_editor(m, "image: alpine\n", true);

	(void)state;
	fixture_answer(m, "GET", TEMPLATE, SVM_OK, BODY("2"));
	assert_null(fixture_request(m, "PUT"));
	assert_shown(m, "changed by another since");
	assert_shown(m, path);
	fixture_keys(m, "n");
	assert_true(is_there(path));
	fixture_free(m);
}

static void test_template_edit__refused_text_can_be_mended(void **state)
{
	struct model *m = opened();
	auto_free char *first = fixture_leave_editor(m, "image: [alpine\n", true);

	(void)state;
	assert_shown(m, "template.yaml:");
	assert_shown(m, "EDIT IT AGAIN?");
	m->effects = 0;
	fixture_keys(m, "y");
	assert_true(m->effects & EFFECT_EDITOR);
	auto_free char *again = fixture_leave_editor(m, "image: alpine\nttl: x\n", true);
	assert_string_equal(first, again);
	fixture_answer(m, "GET", TEMPLATE, SVM_OK, BODY("1"));
	fixture_answer(m, "PUT", TEMPLATE, SVM_BAD_REQUEST, "ttl: 'x' is no "
		       "duration");
	assert_shown(m, "ttl: 'x' is no duration");
	fixture_keys(m, "y");
	auto_free char *third = fixture_leave_editor(m, NULL, false);
	assert_shown(m, "The editor failed.");
	fixture_keys(m, "Escape");
	assert_true(is_there(third));
	fixture_free(m);
}

static void test_template_edit__read_only(void **state)
{
	struct model *m = fixture_model(24, 100);

	(void)state;
	m->read_only = true;
	fixture_keys(m, "3");
	fixture_answer(m, "GET", "/api/v1/templates", SVM_OK,
		       FIXTURE_TEMPLATES);
	fixture_keys(m, "e");
	assert_null(fixture_request(m, "GET"));
	fixture_free(m);
}

static void test_template_edit__gone_meanwhile(void **state)
{
	struct model *m = fixture_model(24, 100);

	(void)state;
	fixture_keys(m, "3 e");
	fixture_answer(m, "GET", TEMPLATE, SVM_NOT_FOUND, "no such template");
	assert_shown(m, "edit data-science: no such template");
	assert_false(m->effects & EFFECT_EDITOR);
	fixture_free(m);
}

/* Screen 3 is as the events say, nothing is polled. */
static void test_template_edit__live_from_events(void **state)
{
	struct model *m = fixture_model(24, 100);

	(void)state;
	fixture_keys(m, "3");
	fixture_answer(m, "GET", "/api/v1/templates", SVM_OK,
		       FIXTURE_TEMPLATES);
	assert_null(fixture_request(m, "GET"));
	fixture_line(m, m->events, "{\"type\":\"template.saved\","
				   "\"data\":{\"name\":\"new\"}}");
	fixture_answer(m, "GET", "/api/v1/templates", SVM_OK,
		       "[{\"name\":\"fresh\",\"image\":\"host\"}]");
	assert_shown(m, "fresh");
	fixture_line(m, m->events, "{\"type\":\"template.deleted\","
				   "\"data\":{\"name\":\"fresh\"}}");
	fixture_answer(m, "GET", "/api/v1/templates", SVM_OK, "[]");
	assert_not_shown(m, "fresh");
	fixture_free(m);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown( \
		test_template_edit__##name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_can_be_changed),
		TEST(no_editor),
		TEST(taken),
		TEST(not_over_anothers_change),
		TEST(refused_text_can_be_mended),
		TEST(read_only),
		TEST(gone_meanwhile),
		TEST(live_from_events),
#undef TEST
	};

	return cmocka_run_group_tests_name("template-edit", tests, NULL, NULL);
}
