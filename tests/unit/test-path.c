/* SPDX-License-Identifier: MIT */
#include "lib/base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "tests/unit/unit.h"

static char dir[32];
static int top = -1;

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/svm-path-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	top = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return top < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = path_remove_tree(tmp, dir + 5);

	(void)state;
	close(tmp);
	close(top);
	return r;
}

static void test_path__validate(void **state)
{
	static char longest[4098], component[300] = "/";
	static const struct {
		const char *path;
		size_t n;
		bool good;
	} cases[] = {
		{ "/", 1, true }, { "/a", 2, true }, { "/a/../b", 7, true },
		{ "//a//", 5, true }, { "/\xff\n\x1b", 4, true },
		{ "", 0, false }, { "a", 1, false }, { "./a", 3, false },
		{ "/a\0b", 4, false }, { "/\0", 2, false },
		{ longest, 4096, true }, { longest, 4097, false },
		{ component, 256, true }, { component, 257, false },
	};

	(void)state;
	for (int i = 0; i < 4097; i++)
		longest[i] = i % 100 ? 'a' : '/';
	memset(component + 1, 'c', 298);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_err struct svm_err err = SVM_ERR_INIT;
		int r = path_validate(cases[i].path, cases[i].n, &err);

		if ((r == 0) != cases[i].good)
			fail_msg("case %zu", i);
		if (r < 0)
			assert_int_equal(err.code, SVM_BAD_REQUEST);
	}
}

static void test_path__join(void **state)
{
	static const char *const cases[][3] = {
		{ "/a", "b", "/a/b" }, { "/a/", "b", "/a/b" },
		{ "/", "b", "/b" }, { "", "b", "/b" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_free char *got = path_join(cases[i][0], cases[i][1]);

		assert_string_equal(got, cases[i][2]);
	}
}

static void test_path__private_dir(void **state)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_free char *deep = path_join(dir, "a/b/c//");
	auto_free char *link = path_join(dir, "link");
	auto_free char *link_slash = path_join(dir, "link/");
	auto_free char *file = path_join(dir, "file");
	struct stat st;

	(void)state;
	assert_int_equal(path_make_private_dir(deep, 0700, &err), 0);
	assert_int_equal(path_make_private_dir(deep, 0700, &err), 0);
	assert_int_equal(stat(deep, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	/* Somebody else's choice of a place is not taken. */
	assert_int_equal(symlinkat("a", top, "link"), 0);
	assert_int_equal(path_make_private_dir(link, 0700, &err), -1);
	assert_int_equal(err.code, SVM_UNAVAILABLE);
	svm_err_release(&err);
	assert_int_equal(path_make_private_dir(link_slash, 0700, &err), -1);
	svm_err_release(&err);
	close(open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	assert_int_equal(path_make_private_dir(file, 0700, &err), -1);
	svm_err_release(&err);
	assert_int_equal(chmod(deep, 0755), 0);
	assert_int_equal(path_make_private_dir(deep, 0700, &err), -1);
	assert_non_null(strstr(err.msg, "mode 0700"));
	svm_err_release(&err);
	assert_int_equal(path_make_private_dir("relative", 0700, &err), -1);
	svm_err_release(&err);
	assert_int_equal(path_make_private_dir("/", 0700, &err), -1);
	svm_err_release(&err);
	assert_int_equal(path_make_private_dir("/proc/nope", 0700, &err), -1);
	assert_string_equal(err.msg, "can't make the directory '/proc/nope': "
				     "No such file or directory");
	svm_err_release(&err);
	/* The one that can't be made is named, with its own reason. */
	auto_free char *below_file = path_join(dir, "file/a/b");
	assert_int_equal(path_make_private_dir(below_file, 0700, &err), -1);
	auto_free char *msg = xasprintf("can't make the directory '%s' for "
					"'%s': Not a directory", file,
					below_file);
	assert_string_equal(err.msg, msg);
	if (unit_has_other_ids()) {
		assert_int_equal(chmod(deep, 0700), 0);
		assert_int_equal(chown(deep, 65534, 65534), 0);
		svm_err_release(&err);
		assert_int_equal(path_make_private_dir(deep, 0700, &err), -1);
	}
}

static void write_file(int at, const char *name)
{
	int fd = openat(at, name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	close(fd);
}

static bool exists(int at, const char *name)
{
	struct stat st;

	return fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static void test_path__remove_tree(void **state)
{
	(void)state;
	assert_int_equal(path_remove_tree(top, "missing"), 0);
	assert_int_equal(path_remove_tree(top, ""), -EINVAL);
	assert_int_equal(path_remove_tree(top, "."), -EINVAL);
	assert_int_equal(path_remove_tree(top, ".."), -EINVAL);
	assert_int_equal(path_remove_tree(top, "a/b"), -EINVAL);
	assert_int_equal(path_remove_tree(top, "/tmp"), -EINVAL);
	/* What links point at stays. */
	assert_int_equal(mkdirat(top, "kept", 0700), 0);
	assert_int_equal(mkdirat(top, "tree", 0700), 0);
	auto_close int kept = openat(top, "kept", O_RDONLY | O_CLOEXEC);
	auto_close int tree = openat(top, "tree", O_RDONLY | O_CLOEXEC);
	write_file(kept, "file");
	write_file(tree, "-rf");
	assert_int_equal(mkdirat(tree, "sub", 0700), 0);
	assert_int_equal(symlinkat("../kept", tree, "link"), 0);
	assert_int_equal(symlinkat("/", tree, "root"), 0);
	assert_int_equal(mkfifoat(tree, "fifo", 0), 0);
	assert_int_equal(mkdirat(tree, "locked", 0700), 0);
	auto_close int locked = openat(tree, "locked", O_RDONLY | O_CLOEXEC);
	write_file(locked, "file");
	assert_int_equal(fchmod(locked, 0), 0);
	assert_int_equal(path_remove_tree(top, "tree"), 0);
	assert_false(exists(top, "tree"));
	assert_true(exists(kept, "file"));
	assert_int_equal(symlinkat("kept", top, "link"), 0);
	assert_int_equal(path_remove_tree(top, "link"), 0);
	assert_true(exists(kept, "file"));
	assert_false(exists(top, "link"));
}

/* As deep as a hostile sandbox likes to make it, with few descriptors. */
static void test_path__remove_deep_tree(void **state)
{
	char name[201];
	int at = dup(top), kid;

	(void)state;
	memset(name, 'd', 200);
	name[200] = '\0';
	for (int i = 0; i < 5000; i++) {
		assert_int_equal(mkdirat(at, name, 0700), 0);
		kid = openat(at, name, O_RDONLY | O_CLOEXEC);
		assert_true(kid >= 0);
		if (i % 7 == 0)
			write_file(kid, "file");
		if (i % 100 == 0) /* a name of ours in the way */
			assert_int_equal(mkdirat(kid, ".removed-0", 0700), 0);
		close(at);
		at = kid;
	}
	close(at);
	auto_close int first = openat(top, name, O_RDONLY | O_CLOEXEC);
	write_file(first, ".removed-1");
	assert_int_equal(path_remove_tree(top, name), 0);
	assert_false(exists(top, name));
}

static void test_path__remove_wide_tree(void **state)
{
	(void)state;
	assert_int_equal(mkdirat(top, "wide", 0700), 0);
	auto_close int wide = openat(top, "wide", O_RDONLY | O_CLOEXEC);
	for (int i = 0; i < 3000; i++) {
		char name[16];

		snprintf(name, sizeof(name), "%d", i);
		if (i % 3)
			write_file(wide, name);
		else
			assert_int_equal(mkdirat(wide, name, 0), 0);
	}
	assert_int_equal(path_remove_tree(top, "wide"), 0);
	assert_false(exists(top, "wide"));
}

/* A mount below is somebody else's file system. */
static void test_path__remove_stops_at_mounts(void **state)
{
	auto_free char *mnt = path_join(dir, "tree/mnt");
	int status;

	(void)state;
	assert_int_equal(mkdirat(top, "tree", 0700), 0);
	assert_int_equal(mkdir(mnt, 0700), 0);
	pid_t pid = fork();
	if (pid == 0) {
		if (unshare(CLONE_NEWNS) < 0 ||
		    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		    mount("tmpfs", mnt, "tmpfs", 0, NULL) < 0)
			_exit(77);
		auto_free char *file = path_join(mnt, "file");
		close(open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
		/* top still leads to the mounts of before. */
		int again = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		int r = path_remove_tree(again, "tree");
		_exit(r == -EXDEV && access(file, F_OK) == 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WEXITSTATUS(status) == 77) {
		print_message("needs a mount namespace\n");
		skip();
	}
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(test_path__##f, setup, teardown)
		TEST(validate),
		TEST(join),
		TEST(private_dir),
		TEST(remove_tree),
		TEST(remove_deep_tree),
		TEST(remove_wide_tree),
		TEST(remove_stops_at_mounts),
#undef TEST
	};

	return cmocka_run_group_tests_name("path", tests, NULL, NULL);
}
