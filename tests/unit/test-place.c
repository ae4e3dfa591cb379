/* SPDX-License-Identifier: MIT */
#include "lib/base/place.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "lib/base/path.h"
#include "tests/unit/unit.h"

static char dir[32];
static int top = -1;

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/svm-place-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	top = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return top < 0 || mkdirat(top, "d", 0700) < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	path_remove_tree(tmp, dir + 5);
	close(tmp);
	close(top);
	return 0;
}

static void make(const char *name, const char *text)
{
	assert_int_equal(fd_replace_path(top, name, text, strlen(text), 0600),
			 0);
}

static void link_to(const char *to, const char *name)
{
	(void)unlinkat(top, name, 0);
	assert_int_equal(symlinkat(to, top, name), 0);
}

static int find(const char *name, struct place *ret)
{
	auto_free char *path = path_join(dir, name);

	return place_find(path, ret);
}

static int replace(const char *name, const char *text)
{
	auto_free char *path = path_join(dir, name);

	return place_replace(path, text, strlen(text));
}

static void assert_text(const char *name, const char *text)
{
	auto_buf struct buf b = BUF_INIT;

	assert_int_equal(fd_slurp_path(top, name, 100, &b), 0);
	assert_string_equal(buf_str(&b), text);
}

static mode_t mode_of(const char *name)
{
	struct stat st;

	assert_int_equal(fstatat(top, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st.st_mode;
}

static void assert_kept(const char *name, const char *as)
{
	auto_place struct place p = PLACE_INIT;

	assert_int_equal(find(name, &p), 0);
	assert_string_equal(place_kept_as(&p), as);
	assert_int_equal(place_begin(&p, 0600), -EEXIST);
	assert_int_equal(replace(name, "x"), -EEXIST);
}

static void test_place__keeps_permissions(void **state)
{
	static const struct {
		mode_t had, has;
	} cases[] = { { 0644, 0644 }, { 0640, 0640 }, { 0400, 0400 },
		      { 06755, 0755 } };

	(void)state;
	assert_int_equal(replace("f", "new"), 0);
	assert_int_equal(mode_of("f"), S_IFREG | 0600);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(fchmodat(top, "f", cases[i].had, 0), 0);
		assert_int_equal(replace("f", "x"), 0);
		assert_int_equal(mode_of("f"), S_IFREG | cases[i].has);
	}
	/* Not those that somebody else chose; a user namespace may know nobody
	 * else. */
	assert_int_equal(fchmodat(top, "f", 0666, 0), 0);
	if (fchownat(top, "f", 12345, 12345, 0) == 0) {
		assert_int_equal(replace("f", "x"), 0);
		assert_int_equal(mode_of("f"), S_IFREG | 0600);
	}
}

/* In pieces: the umask and the mode of what is there. */
static void test_place__parts(void **state)
{
	auto_place struct place p = PLACE_INIT, q = PLACE_INIT;
	mode_t old = umask(027);

	(void)state;
	assert_int_equal(find("f", &p), 0);
	assert_int_equal(p.kind, PLACE_NEW);
	int fd = place_begin(&p, 0777);
	umask(old);
	assert_true(fd >= 0);
	assert_int_equal(fd_write_full(fd, "one", 3), 0);
	assert_int_equal(faccessat(top, "f", F_OK, 0), -1);
	assert_int_equal(place_end(&p), 0);
	assert_text("f", "one");
	assert_int_equal(mode_of("f"), S_IFREG | 0750);
	/* What isn't ended leaves nothing, and what was there. */
	assert_int_equal(find("f", &q), 0);
	assert_int_equal(q.kind, PLACE_FILE);
	assert_int_equal(q.st.st_size, 3);
	assert_true(place_begin(&q, 0777) >= 0);
	place_release(&q);
	assert_text("f", "one");
	assert_int_equal(unlinkat(top, "f", 0), 0);
	assert_int_equal(unlinkat(top, "d", AT_REMOVEDIR), 0);
	assert_int_equal(unlinkat(AT_FDCWD, dir, AT_REMOVEDIR), 0);
	assert_int_equal(mkdir(dir, 0700), 0);
}

static void test_place__links_stay(void **state)
{
	auto_place struct place p = PLACE_INIT;
	auto_free char *whole = path_join(dir, "d/f");

	(void)state;
	make("d/f", "old");
	assert_int_equal(fchmodat(top, "d/f", 0640, 0), 0);
	link_to("f", "d/near");
	link_to("../link", "d/far");
	link_to("d/near", "link");
	link_to(whole, "whole");
	for (const char *const *n = (const char *const[]){ "link", "d/far",
							   "whole", NULL };
	     *n; n++) {
		assert_int_equal(replace(*n, *n), 0);
		assert_text("d/f", *n);
		assert_true(S_ISLNK(mode_of(*n)));
		assert_int_equal(mode_of("d/f"), S_IFREG | 0640);
	}
	assert_true(S_ISLNK(mode_of("d/near")));
	assert_int_equal(find("d/far", &p), 0);
	assert_true(p.linked);
	assert_int_equal(p.st.st_size, 5);
	assert_string_equal(strrchr(p.path, '/'), "/f");
	/* What isn't there yet is made where it leads. */
	assert_int_equal(unlinkat(top, "d/f", 0), 0);
	assert_int_equal(replace("link", "new"), 0);
	assert_text("d/f", "new");
	assert_true(S_ISLNK(mode_of("link")));
	link_to("nowhere/f", "link");
	assert_int_equal(replace("link", "x"), -ENOENT);
	link_to("link", "link");
	assert_int_equal(replace("link", "x"), -ELOOP);
	link_to("f/", "d/near");
	assert_int_equal(replace("d/near", "x"), -ENOTDIR);
}

/* One that came with a tree may lead anywhere. */
static void test_place__outside(void **state)
{
	auto_free char *own = xasprintf("/proc/self/fd/%d", top);
	auto_free char *others = xasprintf("/proc/%d/cwd", (int)getpid());
	auto_free char *sly = xasprintf("/proc/self/fd/../../%d/fd/%d",
					(int)getpid(), top);
	auto_free char *absolute = path_join(dir, "f");
	const struct {
		const char *to;
		bool outside;
	} links[] = {
		{ "f", false }, { "d/f", false }, { "d/../f", false },
		{ "d/up", true }, { "../f", true },
		{ "d/../../f", true }, { "away/f", true }, { absolute, true },
		{ "/dev/null", true }, { own, false }, { others, true },
		{ sly, true },
		{ "/proc/self/root/etc/passwd", true },
	};

	(void)state;
	link_to("../f", "d/up");
	link_to("/tmp", "away");
	for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
		auto_place struct place p = PLACE_INIT;

		link_to(links[i].to, "l");
		assert_int_equal(find("l", &p), 0);
		assert_true(p.linked);
		if (p.outside != links[i].outside)
			fail_msg("%s", links[i].to);
	}
}

static void test_place__no_file_stays(void **state)
{
	auto_close int sock = fd_unix_listen(top, "sock", SOCK_STREAM, 1);

	(void)state;
	assert_true(sock >= 0);
	assert_int_equal(mkfifoat(top, "fifo", 0600), 0);
	link_to("fifo", "to-fifo");
	link_to("to-fifo", "again");
	link_to("sock", "to-sock");
	link_to("d", "to-d");
	assert_kept("fifo", "no file");
	assert_kept("to-fifo", "no file");
	assert_kept("again", "no file");
	assert_kept("to-sock", "no file");
	assert_kept("d", "a directory");
	assert_kept("to-d", "a directory");
	assert_kept("", "a directory");
	assert_kept("d/..", "a directory");
	assert_true(S_ISLNK(mode_of("again")));
	assert_true(S_ISLNK(mode_of("to-fifo")));
	assert_true(S_ISFIFO(mode_of("fifo")));
	assert_int_equal(replace("none/", "x"), -ENOENT);
}

/* What /dev/stdout leads to: this file of ours, by no name. */
static void test_place__open_files_stay(void **state)
{
	auto_place struct place p = PLACE_INIT;

	(void)state;
	make("f", "was");
	auto_close int fd = openat(top, "f", O_WRONLY | O_CLOEXEC);
	auto_free char *magic = xasprintf("/proc/self/fd/%d", fd);
	link_to(magic, "stdout");
	assert_kept("stdout", "no file");
	assert_true(S_ISLNK(mode_of("stdout")));
	assert_int_equal(find("stdout", &p), 0);
	assert_int_equal(p.kind, PLACE_STREAM);
	auto_close int out = place_open(&p);
	assert_true(out >= 0);
	assert_int_equal(fd_write_full(out, "+", 1), 0);
	assert_text("f", "was+");
	assert_int_equal(place_replace(magic, "x", 1), -EEXIST);
	assert_text("f", "was+");
	/* A directory there is only gone through. */
	link_to("/proc/self/fd/none", "stdout");
	assert_int_equal(replace("stdout", "x"), -ENOENT);
	auto_free char *below = xasprintf("/proc/self/fd/%d/f", top);
	link_to(below, "stdout");
	assert_int_equal(replace("stdout", "new"), 0);
	assert_text("f", "new");
}

static void test_place__pipes_are_written(void **state)
{
	auto_place struct place p = PLACE_INIT;
	char got[8];

	(void)state;
	assert_int_equal(mkfifoat(top, "fifo", 0600), 0);
	link_to("fifo", "link");
	assert_int_equal(find("link", &p), 0);
	assert_int_equal(place_open(&p), -ENXIO);
	auto_close int reader = openat(top, "fifo",
				       O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	auto_close int fd = place_open(&p);
	assert_true(fd >= 0);
	assert_false(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_int_equal(fd_write_full(fd, "text", 4), 0);
	assert_int_equal(read(reader, got, sizeof(got)), 4);
	/* Not a file that has come in its place, nor what a link leads to. */
	make("fifo", "text");
	assert_int_equal(place_open(&p), -EEXIST);
	assert_text("fifo", "text");
	link_to("d", "fifo");
	assert_int_equal(place_open(&p), -ELOOP);
}

/* Somebody else's link doesn't choose what we overwrite. */
static void test_place__foreign_links(void **state)
{
	(void)state;
	make("f", "ours");
	link_to("f", "link");
	if (fchownat(top, "link", 12345, 12345, AT_SYMLINK_NOFOLLOW) < 0)
		skip();
	assert_kept("link", "somebody else's link");
	link_to("link", "ours");
	assert_kept("ours", "somebody else's link");
	assert_text("f", "ours");
	assert_true(S_ISLNK(mode_of("link")));
}

/* Exchanging what was looked at leads nowhere else. */
static void test_place__exchanged(void **state)
{
	auto_place struct place p = PLACE_INIT, q = PLACE_INIT;

	(void)state;
	make("victim", "its");
	link_to("d/f", "link");
	assert_int_equal(find("link", &p), 0);
	link_to("victim", "link");
	assert_int_equal(renameat(top, "d", top, "e"), 0);
	link_to(".", "d");
	assert_int_equal(place_put(&p, "new", 3), 0);
	assert_text("victim", "its");
	assert_text("e/f", "new");
	/* What came while it was written stays. */
	for (int i = 0; i < 3; i++) {
		place_release(&q);
		(void)unlinkat(top, "g", 0);
		assert_int_equal(find("g", &q), 0);
		assert_int_equal(q.kind, PLACE_NEW);
		assert_true(place_begin(&q, 0600) >= 0);
		if (i == 0)
			link_to("victim", "g");
		else if (i == 1)
			assert_int_equal(mkfifoat(top, "g", 0600), 0);
		else
			assert_int_equal(mkdirat(top, "g", 0700), 0);
		mode_t came = mode_of("g");

		assert_int_equal(place_end(&q), -EEXIST);
		assert_int_equal(mode_of("g"), came);
	}
	place_release(&q);
	assert_int_equal(unlinkat(top, "g", AT_REMOVEDIR), 0);
	assert_text("victim", "its");
}

static void test_place__any_name(void **state)
{
	char name[256];

	(void)state;
	memset(name, 'n', 255);
	name[255] = '\0';
	assert_int_equal(replace(name, "text"), 0);
	assert_text(name, "text");
	link_to(name, "link");
	assert_int_equal(replace("link", "more"), 0);
	assert_text(name, "more");
}

/* As standard output, and so in a child. */
static bool is_output(int fd, const char *name)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		dup2(fd, STDOUT_FILENO);
		_exit(place_is_output(name));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WEXITSTATUS(status);
}

static void test_place__output(void **state)
{
	auto_free char *f = path_join(dir, "f"), *link = path_join(dir, "link"),
		       *other = path_join(dir, "other"),
		       *none = path_join(dir, "none");

	(void)state;
	make("f", "");
	make("other", "");
	auto_close int out = openat(top, "f", O_WRONLY | O_CLOEXEC);
	auto_close int in = openat(top, "f", O_RDONLY | O_CLOEXEC);
	link_to("/proc/self/fd/1", "link");
	assert_true(is_output(out, f));
	assert_true(is_output(out, link));
	assert_false(is_output(out, other));
	assert_false(is_output(out, none));
	assert_false(is_output(in, f));
	assert_false(is_output(top, dir));
}

#define LONG_TO_WRITE (64u << 20)

/* Ended by a signal when the part is there and not yet written. */
static void test_place__leaves_nothing_when_ended(void **state)
{
	auto_free char *text = xcalloc(1, LONG_TO_WRITE);
	auto_free char *path = path_join(dir, "f");
	auto_close int seen = inotify_init1(IN_CLOEXEC);
	char event[sizeof(struct inotify_event) + 256];
	int status;

	(void)state;
	assert_int_equal(unlinkat(top, "d", AT_REMOVEDIR), 0);
	assert_true(inotify_add_watch(seen, dir, IN_CREATE) >= 0);
	pid_t pid = fork();
	if (pid == 0) {
		signal(SIGTERM, SIG_DFL);
		place_replace(path, text, LONG_TO_WRITE);
		pause();
	}
	assert_true(read(seen, event, sizeof(event)) > 0);
	assert_int_equal(kill(pid, SIGTERM), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(unlinkat(top, "f", 0), 0);
	assert_int_equal(rmdir(dir), 0); /* nothing else was in it */
	assert_int_equal(mkdir(dir, 0700), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) \
	cmocka_unit_test_setup_teardown(test_place__##f, setup, teardown)
		TEST(keeps_permissions),
		TEST(parts),
		TEST(links_stay),
		TEST(outside),
		TEST(no_file_stays),
		TEST(open_files_stay),
		TEST(pipes_are_written),
		TEST(foreign_links),
		TEST(exchanged),
		TEST(any_name),
		TEST(output),
		TEST(leaves_nothing_when_ended),
#undef TEST
	};

	return cmocka_run_group_tests_name("place", tests, NULL, NULL);
}
