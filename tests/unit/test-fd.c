/* SPDX-License-Identifier: MIT */
#include "lib/base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/mem.h"
#include "lib/base/path.h"
#include "tests/unit/unit.h"

static char dir[32];
static int top = -1;

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/svm-fd-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	top = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return top < 0 ? -1 : 0;
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

static int count_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void test_fd__flags(void **state)
{
	int fd = open("/dev/null", O_RDONLY);

	(void)state;
	assert_int_equal(fd_set_cloexec(fd, true), 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fd_set_cloexec(fd, false), 0);
	assert_int_equal(fcntl(fd, F_GETFD), 0);
	assert_int_equal(fd_set_nonblock(fd, true), 0);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_int_equal(fd_set_nonblock(fd, false), 0);
	assert_false(fcntl(fd, F_GETFL) & O_NONBLOCK);
	errno = 77;
	fd_close(fd);
	fd_close(-1);
	assert_int_equal(errno, 77);
	assert_int_equal(fd_set_cloexec(fd, true), -EBADF);
}

static void test_fd__slurp_limits(void **state)
{
	static char text[10000];
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	memset(text, 'x', sizeof(text));
	assert_int_equal(fd_replace_path(top, "f", text, sizeof(text), 0600),
			 0);
	assert_int_equal(fd_slurp_path(top, "f", sizeof(text), &b), 0);
	assert_int_equal(b.len, sizeof(text));
	buf_clear(&b);
	assert_int_equal(fd_slurp_path(top, "f", sizeof(text) - 1, &b),
			 -EFBIG);
	buf_clear(&b);
	/* Endless: bounded all the same. */
	assert_int_equal(fd_slurp_path(AT_FDCWD, "/dev/zero", 100000, &b),
			 -EFBIG);
	assert_true(b.len < 300000);
	assert_int_equal(fd_slurp_path(top, "none", 1, &b), -ENOENT);
	assert_int_equal(fd_slurp_path(AT_FDCWD, dir, 1, &b), -EISDIR);
}

static void test_fd__read_and_write_full(void **state)
{
	int p[2];
	char got[8];

	(void)state;
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	assert_int_equal(fd_write_full(p[1], "abcde", 5), 0);
	close(p[1]);
	assert_int_equal(fd_read_full(p[0], got, 3), 3);
	assert_int_equal(fd_read_full(p[0], got, 8), 2);
	assert_int_equal(fd_read_full(p[0], got, 8), 0);
	close(p[0]);
	assert_int_equal(fd_write_full(p[1], "a", 1), -EBADF);
	auto_close int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	if (full >= 0)
		assert_int_equal(fd_write_full(full, "a", 1), -ENOSPC);
}

static void test_fd__write_path_creates_nothing(void **state)
{
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	assert_int_equal(fd_write_path(top, "none", "x"), -ENOENT);
	assert_int_equal(faccessat(top, "none", F_OK, 0), -1);
	assert_int_equal(fd_replace_path(top, "f", "", 0, 0600), 0);
	assert_int_equal(fd_write_path(top, "f", "text"), 0);
	fd_slurp_path(top, "f", 100, &b);
	assert_string_equal(b.data, "text");
}

static void test_fd__replace(void **state)
{
	struct stat st;
	auto_buf struct buf b = BUF_INIT;
	mode_t old = umask(077);

	(void)state;
	assert_int_equal(fd_replace_path(top, "f", "one", 3, 0644), 0);
	assert_int_equal(fd_replace_path(top, "f", "two", 3, 0640), 0);
	umask(old);
	assert_int_equal(fstatat(top, "f", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	fd_slurp_path(top, "f", 100, &b);
	assert_string_equal(b.data, "two");
	/* A link in the way is replaced, not followed. */
	assert_int_equal(symlinkat("f", top, "link"), 0);
	assert_int_equal(fd_replace_path(top, "link", "new", 3, 0600), 0);
	assert_int_equal(fstatat(top, "link", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(mkdirat(top, "d", 0700), 0);
	assert_int_equal(fd_replace_path(top, "d", "x", 1, 0600), -EISDIR);
	assert_int_equal(fd_replace_path(top, "no/f", "x", 1, 0600), -ENOENT);
	/* Nothing temporary is left. */
	assert_int_equal(unlinkat(top, "f", 0), 0);
	assert_int_equal(unlinkat(top, "link", 0), 0);
	assert_int_equal(unlinkat(top, "d", AT_REMOVEDIR), 0);
	assert_int_equal(rmdir(dir), 0);
	assert_int_equal(mkdir(dir, 0700), 0);
}

/* The longest name leaves no room for anything added to it. */
static void test_fd__replaces_any_name(void **state)
{
	char name[256];
	struct stat st;

	(void)state;
	memset(name, 'n', 255);
	name[255] = '\0';
	assert_int_equal(fd_replace_path(top, name, "x", 1, 0600), 0);
	assert_int_equal(fstatat(top, name, &st, 0), 0);
	assert_int_equal(unlinkat(top, name, 0), 0);
	auto_free char *path = path_join(dir, name);
	auto_free char *beside = fd_temp_beside(path),
		       *again = fd_temp_beside(path);
	assert_string_not_equal(beside, again);
	assert_int_equal(strncmp(beside, dir, strlen(dir)), 0);
	assert_int_equal(strncmp(beside + strlen(dir), "/.", 2), 0);
	assert_int_equal(fd_replace_path(AT_FDCWD, path, "x", 1, 0600), 0);
	assert_int_equal(unlinkat(top, name, 0), 0);
}

#define LONG_TO_WRITE (64u << 20)

/* Ended by a signal when the temporary is there and not yet written. */
static void test_fd__replace_leaves_nothing_when_ended(void **state)
{
	auto_free char *text = xcalloc(1, LONG_TO_WRITE);
	auto_close int seen = inotify_init1(IN_CLOEXEC);
	char event[sizeof(struct inotify_event) + 256];
	int status;

	(void)state;
	assert_true(inotify_add_watch(seen, dir, IN_CREATE) >= 0);
	pid_t pid = fork();
	if (pid == 0) {
		signal(SIGTERM, SIG_DFL);
		fd_replace_path(top, "f", text, LONG_TO_WRITE, 0600);
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

static void *replace_often(void *arg)
{
	for (int i = 0; i < 50; i++)
		if (fd_replace_path(top, "f", arg, strlen(arg), 0600) < 0)
			return (void *)"failed";
	return NULL;
}

static void test_fd__replace_from_threads(void **state)
{
	pthread_t t[2];
	void *r[2];
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	pthread_create(&t[0], NULL, replace_often, (void *)"first");
	pthread_create(&t[1], NULL, replace_often, (void *)"second");
	pthread_join(t[0], &r[0]);
	pthread_join(t[1], &r[1]);
	assert_null(r[0]);
	assert_null(r[1]);
	fd_slurp_path(top, "f", 100, &b);
	assert_true(strcmp(b.data, "first") == 0 ||
		    strcmp(b.data, "second") == 0);
}

static void test_fd__passing(void **state)
{
	int s[2], fds[FD_PASS_MAX], got[FD_PASS_MAX];
	char data[8];
	size_t n;
	int before = count_fds();

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
				    s), 0);
	for (int i = 0; i < FD_PASS_MAX; i++)
		fds[i] = top;
	assert_int_equal(fd_send_msg(s[0], "hi", 2, fds, FD_PASS_MAX), 2);
	n = FD_PASS_MAX;
	assert_int_equal(fd_recv_msg(s[1], data, 8, got, &n), 2);
	assert_int_equal(n, FD_PASS_MAX);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(fcntl(got[i], F_GETFD), FD_CLOEXEC);
		close(got[i]);
	}
	/* More than there is room for: refused, and nothing leaks. */
	int open_now = count_fds();
	assert_int_equal(fd_send_msg(s[0], "hi", 2, fds, 3), 2);
	n = 2;
	assert_int_equal(fd_recv_msg(s[1], data, 8, got, &n), -EMSGSIZE);
	assert_int_equal(fd_send_msg(s[0], "hi", 2, fds, 1), 2);
	assert_int_equal(fd_recv_msg(s[1], data, 8, NULL, NULL), -EMSGSIZE);
	/* More bytes: a cut message must not pass for a whole one. */
	assert_int_equal(fd_send_msg(s[0], "nine byte", 9, fds, 1), 9);
	n = 2;
	assert_int_equal(fd_recv_msg(s[1], data, 8, got, &n), -EMSGSIZE);
	assert_int_equal(count_fds(), open_now);
	assert_int_equal(fd_send_msg(s[0], "x", 1, fds, FD_PASS_MAX + 1),
			 -EINVAL);
	close(s[0]);
	n = 2;
	assert_int_equal(fd_recv_msg(s[1], data, 8, got, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(fd_send_msg(s[1], "x", 1, NULL, 0), -EPIPE);
	close(s[1]);
	assert_int_equal(count_fds(), before);
}

/* sun_path holds 108 bytes; the directory may be any length. */
static void test_fd__unix_sockets(void **state)
{
	char name[120];
	int at = top;

	(void)state;
	memset(name, 'd', 100);
	name[100] = '\0';
	for (int i = 0; i < 5; i++) {
		assert_int_equal(mkdirat(at, name, 0700), 0);
		int kid = openat(at, name, O_RDONLY | O_CLOEXEC);
		if (at != top)
			close(at);
		at = kid;
	}
	auto_close int listener = fd_unix_listen(at, "sock", SOCK_STREAM, 5);
	assert_true(listener >= 0);
	assert_int_equal(fd_unix_listen(at, "sock", SOCK_STREAM, 5),
			 -EADDRINUSE);
	auto_close int client = fd_unix_connect(at, "sock", SOCK_STREAM);
	assert_true(client >= 0);
	assert_int_equal(fcntl(client, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fd_unix_connect(at, "none", SOCK_STREAM), -ENOENT);
	memset(name, 'n', 110);
	name[110] = '\0';
	assert_int_equal(fd_unix_connect(at, name, SOCK_STREAM),
			 -ENAMETOOLONG);
	close(at);
}

/* Who opens a pipe that nobody writes to waits for ever. */
static void test_fd__slurps_files_alone(void **state)
{
	auto_free char *path = path_join(dir, "pipe");
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(fd_slurp_file(AT_FDCWD, path, 10, &b), -EINVAL);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(fd_slurp_file(AT_FDCWD, path, 10, &b), -ENOENT);
	assert_int_equal(fd_slurp_file(AT_FDCWD, dir, 10, &b), -EINVAL);
	assert_int_equal(fd_replace_path(AT_FDCWD, path, "text", 4, 0600), 0);
	assert_int_equal(fd_slurp_file(AT_FDCWD, path, 10, &b), 0);
	assert_string_equal(buf_str(&b), "text");
	assert_int_equal(chmod(path, 0602), 0);
	assert_int_equal(fd_slurp_file(AT_FDCWD, path, 10, &b), -EPERM);
	assert_int_equal(chmod(path, 0600), 0);
	if (geteuid() == 0 && chown(path, 65534, 65534) == 0)
		assert_int_equal(fd_slurp_file(AT_FDCWD, path, 10, &b),
				 -EPERM);
	assert_int_equal(unlink(path), 0);
}

/* What is zeros takes no space, whatever the pieces it comes in. */
static void test_fd__holes(void **state)
{
	const size_t size = 1 << 20;
	auto_free char *data = xcalloc(1, size), *back = xcalloc(1, size);
	auto_free char *path = xasprintf("%s/holes", dir);
	struct stat st, empty;

	(void)state;
	memset(data + 300000, 'x', 5000);
	data[700001] = 'y';
	for (size_t piece = 1; piece <= size; piece = piece * 64 + 1) {
		int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
			      0600);

		assert_int_equal(ftruncate(fd, (off_t)size), 0);
		assert_int_equal(fstat(fd, &empty), 0);
		assert_int_equal(ftruncate(fd, 0), 0);
		for (size_t at = 0; at < size; at += piece)
			assert_int_equal(fd_write_holes(fd, data + at,
							MIN(piece, size - at)),
					 0);
		assert_int_equal(fd_end_holes(fd), 0);
		assert_int_equal(fstat(fd, &st), 0);
		assert_int_equal(st.st_size, size);
		assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
		assert_int_equal(fd_read_full(fd, back, size), size);
		assert_memory_equal(back, data, size);
		/* Where there are holes at all. */
		if (empty.st_blocks == 0)
			assert_true(st.st_blocks < 200);
		close(fd);
		assert_int_equal(unlink(path), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(test_fd__##f, setup, teardown)
		TEST(flags),
		TEST(slurp_limits),
		TEST(read_and_write_full),
		TEST(write_path_creates_nothing),
		TEST(holes),
		TEST(replace),
		TEST(replaces_any_name),
		TEST(replace_leaves_nothing_when_ended),
		TEST(slurps_files_alone),
		TEST(replace_from_threads),
		TEST(passing),
		TEST(unix_sockets),
#undef TEST
	};

	return cmocka_run_group_tests_name("fd", tests, NULL, NULL);
}
