/* SPDX-License-Identifier: MIT */
#include "lib/base/log.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/fd.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/path.h"
#include "tests/unit/unit.h"

static char dir[32];
static char *path;

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/svm-log-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	path = path_join(dir, "log");
	return 0;
}

static int teardown(void **state)
{
	int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	log_close();
	path_remove_tree(tmp, dir + 5);
	close(tmp);
	free(path);
	return 0;
}

static void start(enum log_level level, bool json, uint64_t max_size,
		  unsigned keep)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	const struct log_options o = { level, json, path, max_size, keep };

	assert_int_equal(log_open(&o, &err), 0);
}

static char *text_of(const char *suffix)
{
	auto_free char *name = xasprintf("%s%s", path, suffix);
	struct buf b = BUF_INIT;

	if (fd_slurp_path(AT_FDCWD, name, 1u << 24, &b) < 0) {
		buf_release(&b);
		return NULL;
	}
	return buf_steal(&b);
}

static void test_log__levels(void **state)
{
	enum log_level level = LOG_LEVEL_ERROR;

	(void)state;
	start(LOG_LEVEL_WARN, false, 0, 0);
	log_debug("one");
	log_info("two");
	log_warn("three");
	log_error("four");
	auto_free char *text = text_of("");
	assert_null(strstr(text, "one"));
	assert_null(strstr(text, "two"));
	assert_non_null(strstr(text, "Z warn  three\n"));
	assert_non_null(strstr(text, "Z error four\n"));
	assert_true(log_level_parse("debug", &level));
	assert_int_equal(level, LOG_LEVEL_DEBUG);
	assert_false(log_level_parse("loud", &level));
}

static void test_log__escapes(void **state)
{
	(void)state;
	start(LOG_LEVEL_INFO, false, 0, 0);
	log_info("sandbox=%s \x1b[2J\nforged line \xc2\x9b" "31m \xff", "sb");
	auto_free char *text = text_of("");
	assert_non_null(strstr(text, "sandbox=sb ^[[2J^Jforged line "
			       "\\u{9b}31m \\xff\n"));
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
}

static void test_log__json(void **state)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_err struct svm_err cause = SVM_ERR_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;

	(void)state;
	start(LOG_LEVEL_INFO, true, 0, 0);
	svm_err_set(&cause, SVM_TIMEOUT, "too late");
	log_info_e(&cause, "a \"quoted\" \n\xc2\x9b\xe2\x80\xae thing");
	auto_free char *text = text_of("");
	size_t n = strlen(text);
	assert_ptr_equal(strchr(text, '\n'), text + n - 1);
	assert_int_equal(json_parse_object(&doc, text, n, &err), 0);
	assert_string_equal(json_get(doc.root, "level")->valuestring, "info");
	assert_string_equal(json_get(doc.root, "msg")->valuestring,
			    "a \"quoted\" ^J\\u{9b}\\u{202e} thing: too "
			    "late");
	assert_int_equal(strlen(json_get(doc.root, "time")->valuestring), 24);
}

static void test_log__rotation(void **state)
{
	(void)state;
	start(LOG_LEVEL_INFO, false, 1000, 2);
	for (int i = 0; i < 200; i++)
		log_info("line %04d of the log", i);
	auto_free char *now = text_of(""), *one = text_of(".1");
	auto_free char *two = text_of(".2"), *three = text_of(".3");
	assert_null(three);
	assert_true(strlen(now) <= 1000 && strlen(one) <= 1000 &&
		    strlen(two) <= 1000);
	/* The newest lines, in order, over the files. */
	auto_free char *all = xasprintf("%s%s%s", two, one, now);
	const char *p = strstr(all, "line ");
	for (int i = atoi(p + 5); i < 200; i++) {
		assert_non_null(p);
		assert_int_equal(atoi(p + 5), i);
		p = strstr(p + 5, "line ");
	}
	assert_null(p);
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

/* A later start goes on in the file it finds. */
static void test_log__appends(void **state)
{
	(void)state;
	start(LOG_LEVEL_INFO, false, 1000, 1);
	log_info("first");
	log_close();
	start(LOG_LEVEL_INFO, false, 1000, 1);
	log_info("second");
	auto_free char *text = text_of("");
	assert_non_null(strstr(text, "first"));
	assert_non_null(strstr(text, "second"));
}

/* When the new file can't be made, the old ones are not shifted away line by
 * line. */
static void test_log__rotation_that_fails(void **state)
{
	(void)state;
	start(LOG_LEVEL_INFO, false, 500, 3);
	log_info("keep me");
	/* A directory where the file should be, once it was renamed. */
	auto_free char *one = xasprintf("%s.1", path);
	assert_int_equal(rename(path, one), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	auto_free char *inside = path_join(path, "x");
	close(open(inside, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	for (int i = 0; i < 30; i++)
		log_info("a line of some length, number %d", i);
	bool found = false;
	for (int i = 1; i <= 3; i++) {
		auto_free char *suffix = xasprintf(".%d", i);
		auto_free char *text = text_of(suffix);

		found = found || (text && strstr(text, "keep me"));
	}
	assert_true(found);
}

static void *log_a_lot(void *arg)
{
	for (int i = 0; i < 500; i++)
		log_info("thread %s says something of some length", (char *)arg);
	return NULL;
}

static void test_log__threads_keep_lines_whole(void **state)
{
	pthread_t t[2];

	(void)state;
	start(LOG_LEVEL_INFO, false, 0, 0);
	pthread_create(&t[0], NULL, log_a_lot, (void *)"one");
	pthread_create(&t[1], NULL, log_a_lot, (void *)"two");
	pthread_join(t[0], NULL);
	pthread_join(t[1], NULL);
	auto_free char *text = text_of("");
	int lines = 0;
	for (char *p = text; *p; p = strchr(p, '\n') + 1, lines++)
		assert_memory_equal(strchr(p, '\n') - 6, "length", 6);
	assert_int_equal(lines, 1000);
}

static void test_log__bad_files(void **state)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_free char *link = path_join(dir, "link");
	auto_free char *fifo = path_join(dir, "fifo");
	struct log_options o = { .file = "/no/such/dir/log" };

	(void)state;
	assert_int_equal(log_open(&o, &err), -1);
	assert_int_equal(err.code, SVM_UNAVAILABLE);
	assert_non_null(strstr(err.msg, "/no/such/dir/log"));
	svm_err_release(&err);
	assert_int_equal(symlink("/etc/hostname", link), 0);
	o.file = link;
	assert_int_equal(log_open(&o, &err), -1);
	svm_err_release(&err);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	o.file = fifo;
	assert_int_equal(log_open(&o, &err), -1);
}

static void test_log__limited(void **state)
{
	struct log_limit limit = { 0 };
	int yes = 0;

	(void)state;
	start(LOG_LEVEL_INFO, false, 0, 0);
	for (int i = 0; i < 100; i++)
		yes += log_limited(&limit, 7);
	assert_int_equal(yes, 7);
	limit.window_ns -= INT64_C(61000000000);
	assert_true(log_limited(&limit, 7));
	auto_free char *text = text_of("");
	assert_non_null(strstr(text, "93 similar messages"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(test_log__##f, setup, teardown)
		TEST(levels),
		TEST(escapes),
		TEST(json),
		TEST(rotation),
		TEST(appends),
		TEST(rotation_that_fails),
		TEST(threads_keep_lines_whole),
		TEST(bad_files),
		TEST(limited),
#undef TEST
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
