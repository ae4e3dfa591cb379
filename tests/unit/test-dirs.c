/* SPDX-License-Identifier: MIT */
#include "lib/api/dirs.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "lib/base/path.h"
#include "tests/unit/unit.h"

static void set_env(const char *const pairs[][2])
{
	static const char *const names[] = {
		"STACYVM_STATE_DIR", "STACYVM_RUNTIME_DIR", "XDG_STATE_HOME",
		"XDG_RUNTIME_DIR", "XDG_CONFIG_HOME",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		unsetenv(names[i]);
	setenv("HOME", "/home/x", 1);
	for (; (*pairs)[0]; pairs++)
		setenv((*pairs)[0], (*pairs)[1], 1);
}

static void check(const char *const pairs[][2], const char *state_dir,
		  const char *runtime, const char *config)
{
	struct dirs d = { 0 };

	set_env(pairs);
	dirs_init(&d);
	assert_string_equal(d.state, state_dir);
	assert_string_equal(d.runtime, runtime);
	assert_string_equal(d.config, config);
	auto_free char *socket = xasprintf("%s/stacyvm.sock", runtime);
	assert_string_equal(d.socket, socket);
	dirs_release(&d);
	assert_null(d.state);
}

static void test_dirs__names(void **state)
{
	bool root = geteuid() == 0;
	auto_free char *tmp = xasprintf("/tmp/stacyvm-%u",
					(unsigned)geteuid());

	(void)state;
	check((const char *const[][2]){ { NULL } },
	      root ? "/var/lib/stacyvm" : "/home/x/.local/state/stacyvm",
	      root ? "/run/stacyvm" : tmp, "/home/x/.config/stacyvm");
	check((const char *const[][2]){ { "XDG_STATE_HOME", "/s" },
					{ "XDG_RUNTIME_DIR", "/r" },
					{ "XDG_CONFIG_HOME", "/c" },
					{ NULL } },
	      "/s/stacyvm", "/r/stacyvm", "/c/stacyvm");
	check((const char *const[][2]){ { "XDG_STATE_HOME", "/s" },
					{ "XDG_RUNTIME_DIR", "/r" },
					{ "STACYVM_STATE_DIR", "/own" },
					{ "STACYVM_RUNTIME_DIR", "/run2" },
					{ NULL } },
	      "/own", "/run2", "/home/x/.config/stacyvm");
	/* Relative ones are invalid by the XDG specification: ignored. */
	check((const char *const[][2]){ { "XDG_STATE_HOME", "s" },
					{ "XDG_RUNTIME_DIR", "" },
					{ "STACYVM_STATE_DIR", "" },
					{ NULL } },
	      root ? "/var/lib/stacyvm" : "/home/x/.local/state/stacyvm",
	      root ? "/run/stacyvm" : tmp, "/home/x/.config/stacyvm");
}

/* Ours, when relative, must not silently become the default. */
static void test_dirs__refuses_relative(void **state)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct dirs d = { 0 };

	(void)state;
	set_env((const char *const[][2]){ { "STACYVM_STATE_DIR", "own" },
					  { "STACYVM_RUNTIME_DIR", "/run2" },
					  { NULL } });
	dirs_init(&d);
	assert_int_equal(dirs_make(&d, &err), -1);
	assert_int_equal(err.code, SVM_BAD_REQUEST);
	assert_non_null(strstr(err.msg, "'own'"));
	assert_non_null(strstr(err.hint, "STACYVM_STATE_DIR"));
	dirs_release(&d);
}

/* A directory of the system: nothing may advise to change it as such. */
static void test_dirs__a_hint_that_harms_nobody(void **state)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct dirs d = { 0 };

	(void)state;
	set_env((const char *const[][2]){ { "STACYVM_STATE_DIR", "/tmp" },
					  { NULL } });
	dirs_init(&d);
	assert_int_equal(dirs_make(&d, &err), -1);
	assert_null(strstr(err.hint, "remove"));
	assert_ptr_equal(strstr(err.hint, "name another"), err.hint);
	dirs_release(&d);
}

/* What dirs_make() says to a user who is not root; owned. */
static char *said(const char *const pairs[][2], const char *home)
{
	auto_buf struct buf b = BUF_INIT;
	int p[2], status;

	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	pid_t pid = fork();
	if (pid == 0) {
		struct svm_err err = SVM_ERR_INIT;
		struct dirs d = { 0 };

		if (geteuid() == 0 && setuid(65534) < 0)
			_exit(2);
		set_env(pairs);
		if (home)
			setenv("HOME", home, 1);
		else
			unsetenv("HOME");
		dirs_init(&d);
		if (dirs_make(&d, &err) == 0)
			_exit(3);
		dprintf(p[1], "%s\n%s", err.msg, err.hint);
		_exit(0);
	}
	close(p[1]);
	assert_int_equal(fd_slurp(p[0], 4096, &b), 0);
	close(p[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	return buf_steal(&b);
}

/* What failed and why, and which variable helps. */
static void test_dirs__no_home(void **state)
{
	static const char *const none[][2] = { { NULL } };
	static const char *const own[][2] = { { "STACYVM_STATE_DIR", "x" },
					      { NULL } };
	static const char *const xdg[][2] = {
		{ "XDG_STATE_HOME", "/proc/nope" }, { NULL }
	};
	static const struct {
		const char *const (*pairs)[2];
		const char *home, *part, *hint;
	} cases[] = {
		{ none, "rel", "", "\nHOME is no absolute path ('rel'): set it, "
		  "or name a directory of yours with XDG_STATE_HOME or "
		  "STACYVM_STATE_DIR" },
		{ none, "/proc/nope", "directory '/proc/nope' for "
		  "'/proc/nope/.local/state/stacyvm': No such file",
		  "\nset HOME to a directory of yours, or name one with "
		  "XDG_STATE_HOME or STACYVM_STATE_DIR" },
		{ own, NULL, "'x' is not an absolute path",
		  "\nname a directory of yours with STACYVM_STATE_DIR" },
		{ xdg, NULL, "'/proc/nope' for '/proc/nope/stacyvm': No such",
		  "\nname a directory of yours with XDG_STATE_HOME or "
		  "STACYVM_STATE_DIR" },
	};

	(void)state;
	if (geteuid() == 0 && !unit_has_other_ids())
		skip();
	/* The first goes by the password database, which may know a home. */
	for (size_t i = geteuid() != 0; i < ARRAY_SIZE(cases); i++) {
		auto_free char *text = said(cases[i].pairs, cases[i].home);

		if (!strstr(text, cases[i].part) ||
		    !strstr(text, cases[i].hint))
			fail_msg("%s: %s", cases[i].home, text);
	}
}

static void test_dirs__made_private(void **state)
{
	char base[] = "/tmp/svm-dirs-XXXXXX";
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct dirs d = { 0 };
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(base));
	auto_free char *s = path_join(base, "deep/state");
	auto_free char *r = path_join(base, "run");
	set_env((const char *const[][2]){ { "STACYVM_STATE_DIR", s },
					  { "STACYVM_RUNTIME_DIR", r },
					  { NULL } });
	dirs_init(&d);
	assert_int_equal(dirs_make(&d, &err), 0);
	assert_int_equal(dirs_make(&d, &err), 0);
	const char *const below[] = { "", "images", "boxes", "logs" };
	for (size_t i = 0; i < ARRAY_SIZE(below); i++) {
		auto_free char *path = path_join(s, below[i]);

		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 07777, 0700);
	}
	/* A planted directory is noticed. */
	auto_free char *boxes = path_join(s, "boxes");
	assert_int_equal(chmod(boxes, 0777), 0);
	assert_int_equal(dirs_make(&d, &err), -1);
	assert_int_equal(err.code, SVM_UNAVAILABLE);
	assert_non_null(err.hint);
	dirs_release(&d);
	int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(path_remove_tree(tmp, base + 5), 0);
	close(tmp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dirs__names),
		cmocka_unit_test(test_dirs__refuses_relative),
		cmocka_unit_test(test_dirs__a_hint_that_harms_nobody),
		cmocka_unit_test(test_dirs__no_home),
		cmocka_unit_test(test_dirs__made_private),
	};

	return cmocka_run_group_tests_name("dirs", tests, NULL, NULL);
}
