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
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/path.h"
#include "tests/unit/unit.h"

static char dir[32];
static char *path;
static struct sandbox_log *l;

/* Every line that was given, with '|' after each. */
static struct buf got;
static size_t n_lines;

static struct log_line last;

static void on_line(void *data, const struct log_line *line)
{
	(void)data;
	buf_add(&got, line->text, line->len);
	buf_addch(&got, '|');
	n_lines++;
	last = *line;
	last.text = NULL;
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
	sandbox_log_add(l, "ex-1", is_stderr ? LOG_STREAM_STDERR :
					       LOG_STREAM_STDOUT,
			0, s, strlen(s));
}

static uint64_t tail_of(const struct log_filter *f)
{
	uint64_t end = 0;

	buf_clear(&got);
	n_lines = 0;
	assert_int_equal(sandbox_log_tail(l, f, on_line, NULL, &end), 0);
	return end;
}

static uint64_t tail(unsigned lines)
{
	return tail_of(&(struct log_filter){ .lines = lines });
}

static uint64_t since(uint64_t offset)
{
	const struct log_filter all = { 0 };
	uint64_t next = 0;

	buf_clear(&got);
	n_lines = 0;
	assert_int_equal(sandbox_log_since(l, offset, &all, on_line, NULL,
					   &next), 0);
	return next;
}

/* Pages before and after a line, also where the ring has lost some. */
static void test_sandbox_log__pages(void **state)
{
	struct log_filter f = { .lines = 2, .has_before = true };
	char line[1000];

	(void)state;
	add(false, "one\ntwo\nthree\nfour\n");
	tail(2);
	f.before = last.at;
	tail_of(&f);
	assert_string_equal(got.data, "two|three|");
	f.before = 0;
	tail_of(&f);
	assert_int_equal(n_lines, 0);
	f = (struct log_filter){ .lines = 2, .has_after = true };
	tail_of(&f);
	assert_string_equal(got.data, "two|three|");
	f.after = last.at;
	tail_of(&f);
	assert_string_equal(got.data, "four|");
	f.after = INT64_MAX;
	tail_of(&f);
	assert_int_equal(n_lines, 0);
	/* Around the ring: the first ones are gone, which is said. */
	memset(line, 'x', sizeof(line) - 2);
	line[sizeof(line) - 2] = '\n';
	line[sizeof(line) - 1] = '\0';
	for (int i = 0; i < LIMIT_LOG_RING / 500; i++)
		add(false, line);
	f = (struct log_filter){ .lines = 2, .has_after = true };
	tail_of(&f);
	assert_int_equal(n_lines, 3);
	assert_non_null(strstr(got.data, "bytes"));
	f = (struct log_filter){ .lines = 2, .has_before = true,
				 .before = last.at };
	tail_of(&f);
	assert_int_equal(n_lines, 2);
	assert_non_null(strstr(got.data, "bytes"));
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
	assert_int_equal(tail(2), 16 + 4 * LOG_LINE_PREFIX);
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

		sandbox_log_add(l, "ex-1", LOG_STREAM_STDOUT + i % 2, 0, line,
				(size_t)n);
	}
}

static void test_sandbox_log__wraps_within_its_limit(void **state)
{
	struct stat st;
	char newest[64];

	(void)state;
	for (unsigned i = 0; i < 100000; i += 10000) {
		fill(i, i + 10000);
		sandbox_log_flush(l);
		assert_int_equal(stat(path, &st), 0);
		assert_true(st.st_size <= LIMIT_LOG_RING);
	}
	tail(3);
	assert_int_equal(n_lines, 3);
	snprintf(newest, sizeof(newest), "line %08u ", 99997);
	assert_memory_equal(got.data, newest, strlen(newest));
	/* Everything: a marker first, then only whole lines. */
	tail(1000000);
	assert_memory_equal(got.data, "[... ", 5);
	uint64_t lost = strtoull(got.data + 5, NULL, 10);
	assert_true(lost > 0);
	size_t shown = got.len - (size_t)(strchr(got.data, '|') + 1 -
					  got.data);
	shown += (n_lines - 1) * LOG_LINE_PREFIX;
	assert_int_equal(lost + shown, sandbox_log_end(l));
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
	shown += (n_lines - 1) * LOG_LINE_PREFIX;
	assert_int_equal(at + lost + shown, end);
}

static void test_sandbox_log__long_lines_are_cut(void **state)
{
	auto_free char *big = xmalloc(3 * LIMIT_LOG_LINE + 5);

	(void)state;
	memset(big, 'x', 3 * LIMIT_LOG_LINE + 5);
	sandbox_log_add(l, "ex-1", LOG_STREAM_STDOUT, 0, big,
			3 * LIMIT_LOG_LINE + 5);
	add(false, "\n");
	tail(10);
	assert_int_equal(n_lines, 4);
	assert_int_equal(got.len, 3 * LIMIT_LOG_LINE + 5 + 4);
	/* Exactly the limit and its newline are one line, not two. */
	sandbox_log_add(l, "ex-1", LOG_STREAM_STDOUT, 0, big, LIMIT_LOG_LINE);
	add(false, "\n");
	add(false, "next\n");
	tail(10);
	assert_int_equal(n_lines, 6);
}

static void test_sandbox_log__bytes_are_data(void **state)
{
	(void)state;
	sandbox_log_add(l, "ex-1", LOG_STREAM_STDOUT, 0, "a\0b\xff\n", 5);
	tail(1);
	assert_int_equal(got.len, 5);
	assert_memory_equal(got.data, "a\0b\xff|", 5);
}

/* The time of a line is that of its end, by both clocks, and orders also when
 * the wall clock is set or the agent says nonsense. */
static void test_sandbox_log__times(void **state)
{
	int64_t now = clock_boot_ns(), ago = now - 5 * SECONDS(1);

	(void)state;
	sandbox_log_add(l, "", LOG_STREAM_STDOUT, ago, "old ", 4);
	sandbox_log_add(l, "", LOG_STREAM_STDOUT, ago + SECONDS(1), "line\n",
			5);
	tail(1);
	assert_int_equal(last.seen.boot_ms, (ago + SECONDS(1)) / 1000000);
	assert_int_equal(llabs((clock_wall_ns() - clock_boot_ns()) / 1000000 -
			       (last.seen.wall_ms - last.seen.boot_ms)) > 1000,
			 false);
	/* Earlier than the line before; after the end of the world. */
	struct log_time first = last.seen;
	sandbox_log_add(l, "", LOG_STREAM_STDERR, 1, "x\n", 2);
	tail(1);
	assert_int_equal(last.seen.boot_ms, first.boot_ms);
	sandbox_log_add(l, "", LOG_STREAM_STDERR, INT64_MAX, "x\n", 2);
	tail(1);
	assert_in_range(last.seen.boot_ms, now / 1000000,
			clock_boot_ns() / 1000000);
	first = last.seen;
	clock_inject_wall_jump(-SECONDS(3600));
	add(false, "after the jump\n");
	clock_inject_wall_jump(0);
	tail(1);
	assert_true(last.seen.boot_ms >= first.boot_ms);
	assert_in_range(last.seen.wall_ms, first.wall_ms - 3600 * 1000,
			first.wall_ms - 3000 * 1000);
	reopen();
	tail(1);
	assert_in_range(last.seen.wall_ms, first.wall_ms - 3600 * 1000,
			first.wall_ms - 3000 * 1000);
}

static void test_sandbox_log__filter(void **state)
{
	int64_t now = clock_boot_ns(), ago = now - SECONDS(60);
	struct log_filter f = { .lines = 10 };

	(void)state;
	sandbox_log_add(l, "a", LOG_STREAM_STDOUT, ago, "1\n2\n", 4);
	sandbox_log_add(l, "a", LOG_STREAM_STDERR, ago, "3\n", 2);
	sandbox_log_add(l, "b", LOG_STREAM_PTY, now, "4\r\n\r\n", 5);
	sandbox_log_lost(l, 7);
	f.from_boot_ms = (now - SECONDS(30)) / 1000000;
	tail_of(&f);
	assert_string_equal(got.data, "4||[... 7 bytes lost ...]|");
	assert_int_equal(last.stream, LOG_STREAM_SYSTEM);
	f = (struct log_filter){ .lines = 10, .one_stream = true,
				 .stream = LOG_STREAM_STDERR };
	tail_of(&f);
	assert_string_equal(got.data, "3|");
	/* The last of those that fit, not those that fit of the last. */
	f.stream = LOG_STREAM_STDOUT;
	f.lines = 1;
	tail_of(&f);
	assert_string_equal(got.data, "2|");
	f = (struct log_filter){ .lines = 10, .from_wall_ms = INT64_MAX };
	tail_of(&f);
	assert_int_equal(n_lines, 0);
}

/* Commands that run at the same time, and what one leaves unfinished. */
static void test_sandbox_log__commands_do_not_mix(void **state)
{
	(void)state;
	sandbox_log_add(l, "a", LOG_STREAM_STDOUT, 0, "50%", 3);
	sandbox_log_add(l, "b", LOG_STREAM_STDOUT, 0, "hello\nend", 9);
	sandbox_log_finish(l, "b");
	sandbox_log_add(l, "c", LOG_STREAM_STDOUT, 0, "next\n", 5);
	sandbox_log_add(l, "a", LOG_STREAM_STDOUT, 0, " 100%\n", 6);
	tail(10);
	assert_string_equal(got.data, "hello|end|next|50% 100%|");
	/* More at once than are kept: the oldest ends early. */
	for (unsigned i = 0; i < 40; i++) {
		char name[16];

		snprintf(name, sizeof(name), "many-%u", i);
		sandbox_log_add(l, name, LOG_STREAM_STDOUT, 0, name,
				strlen(name));
	}
	tail(1);
	assert_string_equal(got.data, "many-23|");
}

/* How far the agent's ring was read goes with the bytes. */
static void test_sandbox_log__agent_offset_is_kept(void **state)
{
	(void)state;
	assert_int_equal(sandbox_log_agent_at(l), 0);
	add(false, "one\n");
	sandbox_log_set_agent_at(l, 4711);
	sandbox_log_flush(l);
	reopen();
	assert_int_equal(sandbox_log_agent_at(l), 4711);
	sandbox_log_set_agent_at(l, 4712);
	reopen();
	assert_int_equal(sandbox_log_agent_at(l), 4712);
}

#define OLD_ROOM (LIMIT_LOG_RING - 32)

/* A file as it was before lines had times: `n` bytes were written to it. */
static void write_old(const char *bytes, uint64_t n)
{
	auto_free char *ring = xcalloc(1, OLD_ROOM);
	uint64_t begin = n > OLD_ROOM ? n - OLD_ROOM : 0;
	uint64_t h[4] = { UINT64_C(0x31676f4c4d5653), begin, n, 0 };
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

	h[3] = (h[0] ^ begin) * UINT64_C(0x9e3779b97f4a7c15);
	h[3] = (h[3] ^ h[3] >> 29 ^ n) * UINT64_C(0xbf58476d1ce4e5b9);
	h[3] ^= h[3] >> 32;
	for (uint64_t o = begin; o < n; o++)
		ring[o % OLD_ROOM] = bytes[o];
	assert_int_equal(write(fd, h, sizeof(h)), sizeof(h));
	assert_int_equal(write(fd, ring, MIN(n, OLD_ROOM)), MIN(n, OLD_ROOM));
	close(fd);
}

static void test_sandbox_log__old_files_are_readable(void **state)
{
	auto_buf struct buf text = BUF_INIT;

	(void)state;
	write_old("first\nsecond\n", 13);
	reopen();
	tail(10);
	assert_string_equal(got.data, "first|second|");
	assert_int_equal(last.stream, LOG_STREAM_UNKNOWN);
	assert_int_equal(last.seen.wall_ms, 0);
	add(true, "third\n");
	reopen();
	tail(10);
	assert_string_equal(got.data, "first|second|third|");
	assert_int_equal(last.stream, LOG_STREAM_STDERR);
	/* Of unknown time is older than any time. */
	tail_of(&(struct log_filter){ .lines = 10, .from_wall_ms = 1 });
	assert_string_equal(got.data, "third|");
	/* Nearly full: prefixes leave no room for all; and wrapped. */
	for (size_t wanted = OLD_ROOM - 7; wanted < 3 * OLD_ROOM;
	     wanted += OLD_ROOM) {
		while (text.len < wanted)
			buf_addf(&text, "line %zu\n", text.len);
		size_t end = text.len;
		write_old(text.data, end);
		reopen();
		tail(1000000);
		assert_memory_equal(got.data, "[... ", 5);
		assert_memory_equal(strchr(got.data, '|') + 1, "line ", 5);
		assert_true(n_lines > 10000);
		size_t before = n_lines;
		reopen();
		tail(1000000);
		assert_int_equal(n_lines, before);
		add(false, "new\n");
		tail(2);
		assert_memory_equal(got.data, "line ", 5);
		assert_non_null(strstr(got.data, "|new|"));
	}
}

/* Damage of every byte of the header, and cutting the file anywhere, give an
 * empty or a sound log, never a crash or an error. */
static void test_sandbox_log__damage_starts_anew(void **state)
{
	(void)state;
	for (off_t i = 0; i < 40; i++) {
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
	for (off_t cut = 0; cut < 60; cut++) {
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
		add(i % 2, "xyz");
	add(false, "\n");
	add(true, "\n");
	sandbox_log_flush(l);
	assert_true(mallinfo2().uordblks < before + LIMIT_LOG_LINE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(test_sandbox_log__##f, setup, teardown)
		TEST(pages),
		TEST(lines),
		TEST(streams_do_not_mix),
		TEST(follow),
		TEST(survives_reopening),
		TEST(wraps_within_its_limit),
		TEST(slow_follower_is_told),
		TEST(long_lines_are_cut),
		TEST(bytes_are_data),
		TEST(times),
		TEST(filter),
		TEST(commands_do_not_mix),
		TEST(agent_offset_is_kept),
		TEST(old_files_are_readable),
		TEST(damage_starts_anew),
		TEST(disk_full),
		TEST(link_is_refused),
		TEST(no_room_is_kept),
#undef TEST
	};

	return cmocka_run_group_tests_name("sandbox-log", tests, NULL, NULL);
}
