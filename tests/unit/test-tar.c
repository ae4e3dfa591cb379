/* SPDX-License-Identifier: MIT */
/* Tar headers, and unpacking what a hostile sandbox sends. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/pack.h"
#include "lib/base/buf.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "lib/base/path.h"
#include "lib/base/tar.h"

#define FIFO '6'

static void add(struct buf *b, char type, const char *path, const char *link,
		const char *data)
{
	static const char zeroes[USTAR_BLOCK];
	size_t n = data ? strlen(data) : 0;
	auto_free char *name = xstrdup(path), *target = xstrdup(link);
	const struct ustar_entry e = { .type = type, .mode = 0644, .size = n,
				       .mtime = 1000, .path = name,
				       .target = target };

	ustar_add_header(b, &e);
	buf_add(b, data ? data : "", n);
	buf_add(b, zeroes, ustar_padding(n));
}

/* Everything the reader says, as text; fed in pieces of `step` bytes. */
static void read_all(const struct buf *b, size_t step, struct buf *out)
{
	struct tar_reader t = { 0 };
	size_t at = 0;

	while (at < b->len) {
		size_t n = MIN(step, b->len - at), left = n;
		const char *p = b->data + at, *data;
		enum tar_event ev;
		size_t len;

		while ((ev = tar_next(&t, &p, &left, &data, &len)) !=
		       TAR_MORE) {
			if (ev == TAR_ENTRY)
				buf_addf(out, "[%c %s %s %llu]", t.entry.type,
					 t.entry.path,
					 *t.entry.target ? t.entry.target : "-",
					 (unsigned long long)t.entry.size);
			else if (ev == TAR_DATA)
				buf_add(out, data, len);
			else if (ev == TAR_DONE)
				buf_addstr(out, ".");
			else if (ev == TAR_END)
				buf_addstr(out, "end");
			if (ev == TAR_BAD)
				buf_addf(out, "bad: %s", t.why);
			if (ev == TAR_BAD || ev == TAR_END)
				break;
		}
		at += n;
		if (ev == TAR_BAD)
			break;
	}
	tar_reader_release(&t);
}

static void test_tar__round_trip(void **state)
{
	auto_buf struct buf b = BUF_INIT, one = BUF_INIT, many = BUF_INIT;
	auto_free char *name = xmalloc(301);

	(void)state;
	memset(name, 'n', 300);
	name[300] = '\0';
	add(&b, USTAR_DIR, "d/", NULL, NULL);
	add(&b, USTAR_FILE, "d/a", NULL, "hello");
	add(&b, USTAR_SYMLINK, "d/l", "a", NULL);
	add(&b, USTAR_FILE, name, NULL, "");
	ustar_add_end(&b);
	assert_int_equal(b.len % USTAR_BLOCK, 0);
	read_all(&b, 1, &one);
	read_all(&b, b.len, &many);
	assert_string_equal(buf_str(&one), buf_str(&many));
	auto_free char *want = xasprintf(
		"[5 d/ - 0].[0 d/a - 5]hello.[2 d/l a 0].[0 %s - 0].end",
		name);

	assert_string_equal(buf_str(&one), want);
}

static void test_tar__refuses_damage(void **state)
{
	auto_buf struct buf b = BUF_INIT, out = BUF_INIT;

	(void)state;
	add(&b, USTAR_FILE, "a", NULL, "hello");
	b.data[0] = 'b'; /* the checksum no longer fits */
	read_all(&b, b.len, &out);
	assert_non_null(strstr(buf_str(&out), "bad:"));
}

struct place {
	char dir[32];
	int outside, inside;
};

static void setup(struct place *p)
{
	strncpy(p->dir, "/tmp/svm-tar-XXXXXX", sizeof(p->dir) - 1);
	p->dir[sizeof(p->dir) - 1] = '\0';
	assert_non_null(mkdtemp(p->dir));
	p->outside = open(p->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(mkdirat(p->outside, "in", 0755), 0);
	p->inside = openat(p->outside, "in", O_RDONLY | O_DIRECTORY);
	assert_true(p->inside >= 0);
}

static void teardown(struct place *p)
{
	close(p->inside);
	close(p->outside);
	assert_int_equal(path_remove_tree(AT_FDCWD, p->dir), -EINVAL);
	int tmp = open("/tmp", O_RDONLY | O_DIRECTORY);

	assert_int_equal(path_remove_tree(tmp, p->dir + strlen("/tmp/")), 0);
	close(tmp);
}

static int unpack_all(struct place *p, struct buf *b, struct svm_err *err)
{
	struct unpack u;

	ustar_add_end(b);
	unpack_init(&u, p->inside, NULL);
	int r = unpack_feed(&u, b->data, b->len, err);

	if (r == 0)
		r = unpack_end(&u, err);
	unpack_release(&u);
	return r;
}

/* Nothing may appear beside the directory, and the victim stays as it was. */
static void assert_contained(struct place *p)
{
	auto_buf struct buf victim = BUF_INIT;

	assert_int_equal(faccessat(p->outside, "escaped", F_OK,
				   AT_SYMLINK_NOFOLLOW), -1);
	assert_int_equal(fd_slurp_path(p->outside, "victim", 100, &victim), 0);
	assert_string_equal(buf_str(&victim), "precious");
}

static void test_tar__hostile_archives_stay_inside(void **state)
{
	static const struct {
		char type;
		const char *path, *link, *data;
	} steps[][3] = {
		{ { USTAR_FILE, "../escaped", NULL, "x" } },
		{ { USTAR_FILE, "a/../../escaped", NULL, "x" } },
		{ { USTAR_SYMLINK, "up", "..", NULL },
		  { USTAR_FILE, "up/escaped", NULL, "x" } },
		{ { USTAR_SYMLINK, "v", "../victim", NULL },
		  { USTAR_FILE, "v", NULL, "stolen" } },
		{ { USTAR_SYMLINK, "up", "..", NULL },
		  { USTAR_HARD_LINK, "v", "up/victim", NULL },
		  { USTAR_FILE, "v", NULL, "stolen" } },
		{ { USTAR_HARD_LINK, "v", "../victim", NULL } },
		{ { USTAR_SYMLINK, "up", "..", NULL },
		  { USTAR_DIR, "up/escaped", NULL, NULL } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		auto_err struct svm_err err = SVM_ERR_INIT;
		auto_buf struct buf b = BUF_INIT;
		struct place p;

		setup(&p);
		assert_int_equal(fd_replace_path(p.outside, "victim",
						 "precious", 8, 0600), 0);
		for (size_t k = 0; k < 3 && steps[i][k].path; k++)
			add(&b, steps[i][k].type, steps[i][k].path,
			    steps[i][k].link, steps[i][k].data);
		(void)unpack_all(&p, &b, &err);
		assert_contained(&p);
		teardown(&p);
	}
}

static void test_tar__absolute_paths_land_inside(void **state)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_buf struct buf b = BUF_INIT, text = BUF_INIT;
	struct stat st;
	struct place p;

	(void)state;
	setup(&p);
	add(&b, USTAR_FILE, "/deep/er/file", NULL, "text");
	add(&b, FIFO, "fifo", NULL, NULL);
	assert_int_equal(unpack_all(&p, &b, &err), 0);
	assert_int_equal(fd_slurp_path(p.inside, "deep/er/file", 100, &text),
			 0);
	assert_string_equal(buf_str(&text), "text");
	assert_int_equal(fstatat(p.inside, "fifo", &st, 0), -1);
	teardown(&p);
}

static void test_tar__a_cut_archive_is_an_error(void **state)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_buf struct buf b = BUF_INIT;
	struct unpack u;
	struct place p;

	(void)state;
	setup(&p);
	add(&b, USTAR_FILE, "a", NULL, "hello");
	unpack_init(&u, p.inside, NULL);
	assert_int_equal(unpack_feed(&u, b.data, b.len - 10, &err), 0);
	assert_int_equal(unpack_end(&u, &err), -1);
	unpack_release(&u);
	teardown(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tar__round_trip),
		cmocka_unit_test(test_tar__refuses_damage),
		cmocka_unit_test(test_tar__hostile_archives_stay_inside),
		cmocka_unit_test(test_tar__absolute_paths_land_inside),
		cmocka_unit_test(test_tar__a_cut_archive_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
