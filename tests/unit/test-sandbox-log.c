/* SPDX-License-Identifier: MIT */
/* The ring file of a sandbox's output. */
#include "daemon/sandbox-log.h"

#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/api/limits.h"
#include "lib/base/buf.h"
#include "lib/base/mem.h"
#include "lib/base/path.h"
#include "tests/unit/unit.h"

static char dir[32];
static char *path;
static struct sandbox_log *l;

/* Every line that was given, with '|' after each. */
static struct buf got;
static size_t n_lines;

static void on_line(void *data, const char *line, size_t n)
{
	(void)data;
	buf_add(&got, line, n);
	buf_addch(&got, '|');
	n_lines++;
}

static int setup(void **state)
{
	auto_err struct svm_err err = SVM_ERR_INIT;

	(void)state;
	strcpy(dir, "/tmp/svm-log-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	path = path_join(dir, "log");
	return sandbox_log_open(dir, &l, &err);
}

static int teardown(void **state)
{
	int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	sandbox_log_close(l);
	path_remove_tree(tmp, dir + 5);
	close(tmp);
	free(path);
	buf_release(&got);
	n_lines = 0;
	return 0;
}

static void reopen(void)
{
	auto_err struct svm_err err = SVM_ERR_INIT;

	sandbox_log_close(l);
	assert_int_equal(sandbox_log_open(dir, &l, &err), 0);
}

static void add(bool is_stderr, const char *s)
{
	sandbox_log_add(l, is_stderr, s, strlen(s));
}

static uint64_t tail(unsigned lines)
{
	uint64_t end = 0;

	buf_clear(&got);
	n_lines = 0;
	assert_int_equal(sandbox_log_tail(l, lines, on_line, NULL, &end), 0);
	return end;
}

static uint64_t since(uint64_t offset)
{
	uint64_t next = 0;

	buf_clear(&got);
	n_lines = 0;
	assert_int_equal(sandbox_log_since(l, offset, on_line, NULL, &next),
			 0);
	return next;
}

static void test_sandbox_log__lines(void **state)
{
	(void)state;
	assert_int_equal(tail(10), 0);
	assert_int_equal(n_lines, 0);
	add(false, "one\ntwo\n\nthree");
	assert_int_equal(tail(10), sandbox_log_end(l));
	assert_string_equal(got.data, "one|two||");
	add(false, "!\n");
	assert_int_equal(tail(2), 16);
	assert_string_equal(got.data, "|three!|");
	tail(0);
	assert_int_equal(n_lines, 0);
	tail(1);
	assert_string_equal(got.data, "three!|");
}

/* Half a line of one stream must not swallow a line of the other. */
static void test_sandbox_log__streams_do_not_mix(void **state)
{
	(void)state;
	add(false, "out");
	add(true, "err\n");
	add(false, "put\n");
	tail(10);
	assert_string_equal(got.data, "err|output|");
}

static void test_sandbox_log__follow(void **state)
{
	uint64_t at;

	(void)state;
	add(false, "a\nb\n");
	at = tail(1);
	add(false, "c\nd");
	at = since(at);
	assert_string_equal(got.data, "c|");
	assert_int_equal(since(at), at);
	assert_int_equal(n_lines, 0);
	/* An offset from another life of the file is no reason to fail. */
	assert_int_equal(since(UINT64_MAX), at);
	assert_int_equal(n_lines, 0);
	add(false, "\n");
	since(at);
	assert_string_equal(got.data, "d|");
}

static void test_sandbox_log__survives_reopening(void **state)
{
	(void)state;
	add(false, "kept\nunfinished");
	reopen();
	tail(10);
	assert_string_equal(got.data, "kept|unfinished|");
	add(false, "more\n");
	sandbox_log_flush(l);
	/* What was flushed is there without a proper close too. */
	struct sandbox_log *second = NULL;
	auto_err struct svm_err err = SVM_ERR_INIT;
	assert_int_equal(sandbox_log_open(dir, &second, &err), 0);
	assert_int_equal(sandbox_log_end(second), sandbox_log_end(l));
	sandbox_log_close(second);
}

static void fill(unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++) {
		char line[128];
		int n = snprintf(line, sizeof(line), "line %08u %0*d\n", i,
				 (int)(i % 60) + 1, 0);

		sandbox_log_add(l, i % 2, line, (size_t)n);
	}
}

static void test_sandbox_log__wraps_within_its_limit(void **state)
{
	struct stat st;
	char last[64];

	(void)state;
	for (unsigned i = 0; i < 100000; i += 10000) {
		fill(i, i + 10000);
		sandbox_log_flush(l);
		assert_int_equal(stat(path, &st), 0);
		assert_true(st.st_size <= LIMIT_LOG_RING);
	}
	tail(3);
	assert_int_equal(n_lines, 3);
	snprintf(last, sizeof(last), "line %08u ", 99997);
	assert_memory_equal(got.data, last, strlen(last));
	/* Everything: a marker first, then only whole lines. */
	tail(1000000);
	assert_memory_equal(got.data, "[... ", 5);
	uint64_t lost = strtoull(got.data + 5, NULL, 10);
	assert_true(lost > 0);
	assert_int_equal(lost + got.len - (strchr(got.data, '|') + 1 -
					   got.data), sandbox_log_end(l));
	assert_memory_equal(strchr(got.data, '|') + 1, "line ", 5);
	reopen();
	size_t before = n_lines;
	tail(1000000);
	assert_int_equal(n_lines, before);
}

static void test_sandbox_log__slow_follower_is_told(void **state)
{
	uint64_t at;

	(void)state;
	add(false, "first\n");
	at = tail(1);
	fill(0, 60000);
	uint64_t end = sandbox_log_end(l);
	assert_int_equal(since(at), end);
	assert_memory_equal(got.data, "[... ", 5);
	uint64_t lost = strtoull(got.data + 5, NULL, 10);
	size_t shown = got.len - (size_t)(strchr(got.data, '|') + 1 -
					  got.data);
	assert_int_equal(at + lost + shown, end);
}

static void test_sandbox_log__long_lines_are_cut(void **state)
{
	auto_free char *big = xmalloc(3 * LIMIT_LOG_LINE + 5);

	(void)state;
	memset(big, 'x', 3 * LIMIT_LOG_LINE + 5);
	sandbox_log_add(l, false, big, 3 * LIMIT_LOG_LINE + 5);
	add(false, "\n");
	tail(10);
	assert_int_equal(n_lines, 4);
	assert_int_equal(got.len, 3 * LIMIT_LOG_LINE + 5 + 4);
	/* Exactly the limit and its newline are one line, not two. */
	sandbox_log_add(l, false, big, LIMIT_LOG_LINE);
	add(false, "\n");
	add(false, "next\n");
	tail(10);
	assert_int_equal(n_lines, 6);
}

static void test_sandbox_log__bytes_are_data(void **state)
{
	(void)state;
	sandbox_log_add(l, false, "a\0b\xff\n", 5);
	tail(1);
	assert_int_equal(got.len, 5);
	assert_memory_equal(got.data, "a\0b\xff|", 5);
}

/* Damage of every byte of the header, and cutting the file anywhere, give an
 * empty or a sound log, never a crash or an error. */
static void test_sandbox_log__damage_starts_anew(void **state)
{
	(void)state;
	for (off_t i = 0; i < 32; i++) {
		add(false, "text\n");
		sandbox_log_flush(l);
		int fd = open(path, O_RDWR | O_CLOEXEC);
		char c;
		assert_int_equal(pread(fd, &c, 1, i), 1);
		c ^= 0x55;
		assert_int_equal(pwrite(fd, &c, 1, i), 1);
		close(fd);
		sandbox_log_close(l);
		l = NULL;
		auto_err struct svm_err err = SVM_ERR_INIT;
		assert_int_equal(sandbox_log_open(dir, &l, &err), 0);
		assert_int_equal(sandbox_log_end(l), 0);
		tail(10);
		assert_int_equal(n_lines, 0);
	}
	for (off_t cut = 0; cut < 37; cut++) {
		add(false, "text\n");
		sandbox_log_flush(l);
		assert_int_equal(truncate(path, cut), 0);
		reopen();
		assert_int_equal(sandbox_log_end(l), 0);
	}
	/* Larger than it may be. */
	add(false, "text\n");
	sandbox_log_flush(l);
	assert_int_equal(truncate(path, LIMIT_LOG_RING + 1), 0);
	reopen();
	assert_int_equal(sandbox_log_end(l), 0);
}

/* Dying between giving up old bytes and having the new ones: the ring is cut
 * short, but what it shows was written. */
static void test_sandbox_log__disk_full(void **state)
{
	struct rlimit old, small = { 100, RLIM_INFINITY };

	(void)state;
	add(false, "first\n");
	sandbox_log_flush(l);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	small.rlim_max = old.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	for (int i = 0; i < 20; i++) {
		add(false, "twenty bytes of text\n");
		sandbox_log_flush(l);
	}
	setrlimit(RLIMIT_FSIZE, &old);
	add(true, "last\n");
	tail(100);
	assert_memory_equal(got.data, "first|", 6);
	assert_non_null(strstr(got.data, "bytes lost ...]|last|"));
	reopen();
	tail(1);
	assert_string_equal(got.data, "last|");
}

static void test_sandbox_log__link_is_refused(void **state)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct sandbox_log *other = NULL;

	(void)state;
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_int_equal(sandbox_log_open(dir, &other, &err), -1);
	assert_int_equal(err.code, SVM_UNAVAILABLE);
	svm_err_release(&err);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(sandbox_log_open(dir, &other, &err), -1);
	assert_null(other);
}

/* A thousand sandboxes that have written much are to cost no more than a
 * thousand that have not. */
static void test_sandbox_log__no_room_is_kept(void **state)
{
	size_t before = mallinfo2().uordblks;

	(void)state;
	for (int i = 0; i < LIMIT_LOG_LINE; i++)
		sandbox_log_add(l, i % 2, "xyz", 3);
	sandbox_log_add(l, false, "\n", 1);
	sandbox_log_add(l, true, "\n", 1);
	sandbox_log_flush(l);
	assert_true(mallinfo2().uordblks < before + LIMIT_LOG_LINE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(test_sandbox_log__##f, setup, teardown)
		TEST(lines),
		TEST(streams_do_not_mix),
		TEST(follow),
		TEST(survives_reopening),
		TEST(wraps_within_its_limit),
		TEST(slow_follower_is_told),
		TEST(long_lines_are_cut),
		TEST(bytes_are_data),
		TEST(damage_starts_anew),
		TEST(disk_full),
		TEST(link_is_refused),
		TEST(no_room_is_kept),
#undef TEST
	};

	return cmocka_run_group_tests_name("sandbox-log", tests, NULL, NULL);
}
