/* SPDX-License-Identifier: MIT */
#include "lib/client/scope.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "lib/base/path.h"
#include "tests/unit/unit.h"

/* A machine: DIR is the mount of cgroup v2 and the runtime directory. */
static char dir[32];
static int top = -1;

static void put(const char *name, const char *text)
{
	int fd = openat(top, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
			0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/svm-scope-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	top = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (top < 0 || mkdirat(top, "session", 0700) < 0 ||
	    mkdirat(top, "session/daemon", 0700) < 0)
		return -1;
	put("cgroup.controllers", "cpu memory pids\n");
	put("own", "0::/session\n");
	return 0;
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

static int listen_bus(void)
{
	int fd = fd_unix_listen(top, "bus", SOCK_STREAM, 8);

	assert_true(fd >= 0);
	return fd;
}

static bool wanted(const char *runtime)
{
	auto_free char *own = path_join(dir, "own");

	return scope_wanted(dir, own, runtime);
}

static void test_scope__only_with_a_bus(void **state)
{
	(void)state;
	assert_false(wanted(NULL));
	assert_false(wanted(""));
	assert_false(wanted(dir));
	int bus = listen_bus();

	assert_true(wanted(dir));
	close(bus); /* its file stays */
	assert_false(wanted(dir));
}

static void test_scope__not_in_a_cgroup_of_ours(void **state)
{
	auto_close int bus = listen_bus();

	(void)state;
	put("session/cgroup.subtree_control", "");
	assert_false(wanted(dir));
	put("own", "0::/session/daemon\n"); /* the leaf of an earlier start */
	assert_false(wanted(dir));
	put("own", "0::/\n");
	assert_true(wanted(dir));
}

static void test_scope__only_on_pure_v2(void **state)
{
	auto_close int bus = listen_bus();

	(void)state;
	put("own", "3:memory:/session\n0::/session\n"); /* hybrid */
	assert_false(wanted(dir));
	put("own", "");
	assert_false(wanted(dir));
	put("own", "0::/session\n");
	assert_int_equal(unlinkat(top, "cgroup.controllers", 0), 0);
	assert_false(wanted(dir));
}

static void test_scope__command_line(void **state)
{
	char *argv[] = { (char[]){ "/bin/x" }, (char[]){ "serve" }, NULL };
	auto_free char **v = scope_argv("/usr/bin/systemd-run", argv);
	size_t n = strv_len(v);

	(void)state;
	assert_string_equal(v[0], "/usr/bin/systemd-run");
	assert_string_equal(v[n - 3], "--");
	assert_ptr_equal(v[n - 2], argv[0]);
	assert_ptr_equal(v[n - 1], argv[1]);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(test_scope__##f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(only_with_a_bus),
		TEST(not_in_a_cgroup_of_ours),
		TEST(only_on_pure_v2),
		TEST(command_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
