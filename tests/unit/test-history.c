/* SPDX-License-Identifier: MIT */
/* The console's history: who may read it, what is kept, how much. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/history.h"
#include "lib/api/limits.h"
#include "lib/base/buf.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "lib/base/path.h"

static struct buf seen;
static size_t seen_lines;

static void see(const char *line)
{
	buf_addf(&seen, "%s\n", line);
	seen_lines++;
}

struct place {
	char *dir, *file;
	struct history h;
};

static int setup(void **state)
{
	struct place *p = xcalloc(1, sizeof(*p));
	const char *tmp = getenv("TMPDIR");
	auto_free char *base = xasprintf("%s/svm-history-XXXXXX",
					 tmp ? tmp : "/tmp");

	assert_non_null(mkdtemp(base));
	p->dir = path_join(base, "state");
	p->file = path_join(p->dir, "console-history");
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct place *p = *state;

	history_release(&p->h);
	*strrchr(p->dir, '/') = '\0';
	assert_int_equal(path_remove_tree(AT_FDCWD, p->dir), -EINVAL);
	auto_close int fd = open(p->dir, O_RDONLY | O_DIRECTORY);

	assert_int_equal(path_remove_tree(fd, "state"), 0);
	assert_int_equal(rmdir(p->dir), 0);
	free(p->dir);
	free(p->file);
	free(p);
	buf_release(&seen);
	seen_lines = 0;
	return 0;
}

static void open_again(struct place *p)
{
	auto_err struct svm_err err = SVM_ERR_INIT;

	history_release(&p->h);
	buf_clear(&seen);
	seen_lines = 0;
	if (history_open(&p->h, p->dir, see, &err) < 0)
		fail_msg("%s", err.msg);
}

static int add(struct place *p, const char *line)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	int r = history_add(&p->h, line, &err);

	if (r < 0)
		fail_msg("%s", err.msg);
	return r;
}

static void write_file(struct place *p, const struct buf *text, mode_t mode)
{
	assert_int_equal(mkdir(p->dir, 0700), 0);
	auto_close int fd = open(p->file, O_WRONLY | O_CREAT | O_TRUNC, mode);

	assert_int_equal(fd_write_full(fd, text->data, text->len), 0);
	assert_int_equal(fchmod(fd, mode), 0);
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	return st.st_mode & 07777;
}

static size_t lines_of(const struct place *p)
{
	auto_buf struct buf b = BUF_INIT;
	size_t n = 0;

	assert_int_equal(fd_slurp_path(AT_FDCWD, p->file, MIB(64), &b), 0);
	for (size_t i = 0; i < b.len; i++)
		n += b.data[i] == '\n';
	return n;
}

static void test_history__keeps_lines(void **state)
{
	struct place *p = *state;

	open_again(p);
	assert_int_equal(seen_lines, 0);
	assert_int_equal(add(p, "list"), 1);
	assert_int_equal(add(p, "use web"), 1);
	assert_int_equal(add(p, "use web"), 0);
	assert_int_equal(add(p, "list"), 1);
	open_again(p);
	assert_string_equal(buf_str(&seen), "list\nuse web\nlist\n");
}

static void test_history__does_not_keep_secrets(void **state)
{
	static const char *const secret[] = {
		"spawn -e TOKEN=secret", "exec -te TOKEN=secret x",
		"exec -eTOKEN=secret x", "exec --env TOKEN=secret x",
		"exec --env=TOKEN=secret x", "exec '-e' \"TOKEN=secret\" x",
		"config set auth.api_key secret",
		"stacyvm --api-key secret list",
	};
	static const char *const open[] = {
		"exec -e TOKEN x", "exec -te TERM x -- a=b",
		"spawn --name e=1", "list --filter name=x",
	};
	struct place *p = *state;
	auto_free char *longer = xcalloc(1, LIMIT_CONSOLE_KEPT + 2);

	memset(longer, 'x', LIMIT_CONSOLE_KEPT + 1);
	open_again(p);
	assert_int_equal(add(p, ""), 0);
	assert_int_equal(add(p, " spawn -e TOKEN=1"), 0);
	assert_int_equal(add(p, "\tspawn"), 0);
	assert_int_equal(add(p, "list --api-key secret"), 0);
	assert_int_equal(add(p, "list --api-key=secret"), 0);
	assert_int_equal(add(p, "list --api-key"), 0);
	assert_int_equal(add(p, "two\nlines"), 0);
	assert_int_equal(add(p, longer), 0);
	longer[LIMIT_CONSOLE_KEPT] = '\0';
	assert_int_equal(add(p, longer), 1);
	for (size_t i = 0; i < ARRAY_SIZE(secret); i++)
		assert_int_equal(add(p, secret[i]), 0);
	for (size_t i = 0; i < ARRAY_SIZE(open); i++)
		assert_int_equal(add(p, open[i]), 1);
	assert_int_equal(add(p, "list --api-key-file f"), 1);
	open_again(p);
	assert_int_equal(seen_lines, 2 + ARRAY_SIZE(open));
	assert_null(strstr(buf_str(&seen), "secret"));
}

static void test_history__is_for_its_owner(void **state)
{
	struct place *p = *state;
	auto_buf struct buf old = BUF_INIT;
	mode_t mask = umask(0);

	open_again(p);
	assert_int_equal(add(p, "list"), 1);
	umask(mask);
	assert_int_equal(mode_of(p->dir), 0700);
	assert_int_equal(mode_of(p->file), 0600);
	assert_int_equal(unlink(p->file), 0);
	assert_int_equal(rmdir(p->dir), 0);
	buf_addstr(&old, "old\n");
	write_file(p, &old, 0644);
	open_again(p);
	assert_string_equal(buf_str(&seen), "old\n");
	assert_int_equal(mode_of(p->file), 0600);
}

static void test_history__is_bounded(void **state)
{
	struct place *p = *state;
	auto_buf struct buf old = BUF_INIT;

	for (int i = 0; i < 5 * LIMIT_CONSOLE_HISTORY; i++)
		buf_addf(&old, "line %d\n", i);
	buf_addstr(&old, "the last");
	write_file(p, &old, 0600);
	open_again(p);
	assert_int_equal(seen_lines, LIMIT_CONSOLE_HISTORY);
	assert_non_null(strstr(buf_str(&seen), "\nthe last\n"));
	assert_int_equal(lines_of(p), LIMIT_CONSOLE_HISTORY);
	assert_int_equal(mode_of(p->file), 0600);
	for (int i = 0; i < 2 * LIMIT_CONSOLE_HISTORY; i++) {
		auto_free char *line = xasprintf("more %d", i);

		assert_int_equal(add(p, line), 1);
		if (i % 100 == 0)
			assert_in_range(lines_of(p), LIMIT_CONSOLE_HISTORY,
					2 * LIMIT_CONSOLE_HISTORY);
	}
	assert_in_range(lines_of(p), LIMIT_CONSOLE_HISTORY,
			2 * LIMIT_CONSOLE_HISTORY);
}

/* Larger than all that is ever kept, and without a line. */
static void test_history__survives_a_file_of_anything(void **state)
{
	struct place *p = *state;
	auto_buf struct buf old = BUF_INIT;

	buf_reserve(&old, MIB(20));
	for (int i = 0; i < 20; i++) {
		auto_free char *part = xcalloc(1, MIB(1) + 1);

		memset(part, i % 2 ? 'x' : '\0', MIB(1));
		buf_add(&old, part, MIB(1));
	}
	buf_addstr(&old, "\nafter\n");
	write_file(p, &old, 0600);
	open_again(p);
	assert_string_equal(buf_str(&seen), "after\n");
	assert_int_equal(add(p, "more"), 1);
	open_again(p);
	assert_string_equal(buf_str(&seen), "after\nmore\n");
}

static void test_history__refuses_what_is_no_file(void **state)
{
	struct place *p = *state;
	auto_err struct svm_err err = SVM_ERR_INIT, other = SVM_ERR_INIT;

	auto_free char *target = xasprintf("%s/target", p->dir);

	assert_int_equal(mkdir(p->dir, 0700), 0);
	auto_close int fd = open(target, O_WRONLY | O_CREAT, 0600);

	assert_true(fd >= 0);
	assert_int_equal(symlink(target, p->file), 0);
	assert_int_equal(history_open(&p->h, p->dir, see, &err), -1);
	assert_non_null(strstr(err.msg, "console-history"));
	assert_int_equal(add(p, "list"), 1);
	assert_int_equal(unlink(p->file), 0);
	assert_int_equal(mkfifo(p->file, 0600), 0);
	history_release(&p->h);
	assert_int_equal(history_open(&p->h, p->dir, see, &other), -1);
	assert_non_null(strstr(other.msg, "not a file of yours"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_history__keeps_lines),
		TEST(test_history__does_not_keep_secrets),
		TEST(test_history__is_for_its_owner),
		TEST(test_history__is_bounded),
		TEST(test_history__survives_a_file_of_anything),
		TEST(test_history__refuses_what_is_no_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
