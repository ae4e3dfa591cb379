/* SPDX-License-Identifier: MIT */
/*
 * The unpack worker, run as the process it is, on archives written here:
 * good layers, and every hostile trick with a look at what it left outside.
 */
#include <stddef.h>
#include <stdint.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "daemon/image/image.h"
#include "daemon/image/report.h"
#include "daemon/image/unpack.h"
#include "lib/api/limits.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "lib/base/path.h"
#include "tests/unit/unit.h"

/* A tar writer: just the fields the tests turn. */

struct header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], sum[8];
	char type, link[100], magic[6], version[2], uname[32], gname[32];
	char major[8], minor[8], prefix[155], pad[12];
};
_Static_assert(sizeof(struct header) == 512, "a tar block");

static void entry(struct buf *t, char type, const char *name, const char *link,
		  unsigned mode, unsigned uid, const char *data, size_t n)
{
	static const char zero[512];
	struct header h = { .type = type, .magic = "ustar",
			    .version = { '0', '0' } };
	unsigned sum = 0;

	memcpy(h.name, name, MIN(strlen(name), sizeof(h.name)));
	memcpy(h.link, link, MIN(strlen(link), sizeof(h.link)));
	snprintf(h.mode, sizeof(h.mode), "%07o", mode);
	snprintf(h.uid, sizeof(h.uid), "%07o", uid);
	snprintf(h.gid, sizeof(h.gid), "%07o", uid);
	snprintf(h.size, sizeof(h.size), "%011zo", n);
	snprintf(h.mtime, sizeof(h.mtime), "%011o", 1000000000);
	snprintf(h.major, sizeof(h.major), "%07o", 1);
	snprintf(h.minor, sizeof(h.minor), "%07o", 3);
	memset(h.sum, ' ', sizeof(h.sum));
	for (size_t i = 0; i < sizeof(h); i++)
		sum += ((unsigned char *)&h)[i];
	snprintf(h.sum, sizeof(h.sum), "%06o", sum);
	buf_add(t, &h, sizeof(h));
	buf_add(t, data, n);
	buf_add(t, zero, (512 - n % 512) % 512);
}

static void file(struct buf *t, const char *name, const char *text)
{
	entry(t, '0', name, "", 0644, 0, text, strlen(text));
}

static void dir(struct buf *t, const char *name)
{
	entry(t, '5', name, "", 0755, 0, "", 0);
}

static void finish(struct buf *t)
{
	static const char zero[1024];

	buf_add(t, zero, sizeof(zero));
}

/* A world of its own for each test: BASE/target, BASE/layers, BASE/secret. */

struct world {
	char base[PATH_MAX];
	int fd;      /* BASE */
	int layer;   /* BASE/target/0 after a run, or -1 */
	struct buf result;
	int status;
};

static int set_up(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));
	const char *tmp = getenv("TMPDIR");

	snprintf(w->base, sizeof(w->base), "%s/svm-unpack-XXXXXX",
		 tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(w->base));
	w->fd = open(w->base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_return_code(w->fd, errno);
	assert_return_code(mkdirat(w->fd, "layers", 0700), errno);
	int fd = openat(w->fd, "secret", O_WRONLY | O_CREAT, 0600);
	assert_int_equal(write(fd, "secret", 6), 6);
	close(fd);
	w->layer = -1;
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	fd_close(w->layer);
	assert_int_equal(path_remove_tree(w->fd, "layers"), 0);
	assert_int_equal(path_remove_tree(w->fd, "target"), 0);
	assert_int_equal(path_remove_tree(w->fd, "secret"), 0);
	fd_close(w->fd);
	assert_return_code(rmdir(w->base), errno); /* nothing else was made */
	buf_release(&w->result);
	free(w);
	return 0;
}

/* The archive through a pipe, as the daemon gives it. */
static void feed(const struct buf *t, int out)
{
	size_t done = 0;

	signal(SIGPIPE, SIG_IGN);
	while (done < t->len) {
		ssize_t n = write(out, t->data + done, t->len - done);

		if (n <= 0)
			_exit(0);
		done += (size_t)n;
	}
	_exit(0);
}

static void worker(struct world *w, int in, int result, const char *limit)
{
	auto_free char *target = path_join(w->base, "target");
	auto_free char *layers = path_join(w->base, "layers");
	char *argv[] = { (char[]){ "__unpack" }, target, layers,
			 (char *)(uintptr_t)limit, NULL };

	int hi = fcntl(result, F_DUPFD, 10);
	dup2(in, 0);
	dup2(hi, REPORT_FD);
	_exit(image_unpack_main(limit ? 4 : 3, argv));
}

static void run(struct world *w, const struct buf *t, const char *limit)
{
	int in[2], status;

	fd_close(w->layer);
	assert_int_equal(path_remove_tree(w->fd, "target"), 0);
	assert_return_code(mkdirat(w->fd, "target", 0700), errno);
	assert_return_code(pipe2(in, O_CLOEXEC), errno);
	FILE *result = tmpfile();
	assert_non_null(result);
	pid_t feeder = fork();
	if (feeder == 0) {
		close(in[0]);
		feed(t, in[1]);
	}
	close(in[1]);
	pid_t pid = fork();
	if (pid == 0)
		worker(w, in[0], fileno(result), limit);
	close(in[0]);
	assert_int_equal(waitpid(pid, &w->status, 0), pid);
	assert_int_equal(waitpid(feeder, &status, 0), feeder);
	buf_clear(&w->result);
	rewind(result);
	assert_int_equal(fd_slurp(fileno(result), 1 << 20, &w->result), 0);
	fclose(result);
	auto_free char *layer = path_join(w->base, "target/0");
	w->layer = open(layer, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void expect_ok(struct world *w)
{
	if (!WIFEXITED(w->status) || WEXITSTATUS(w->status))
		print_error("worker: status %x, said: %s\n", w->status,
			    buf_str(&w->result));
	assert_true(WIFEXITED(w->status));
	assert_int_equal(WEXITSTATUS(w->status), 0);
	assert_non_null(strstr(buf_str(&w->result), "\"type\":\"image\""));
}

/* Refused, by a report and not by a crash, and the secret still there. */
static void expect_refused(struct world *w, const char *code, const char *why)
{
	struct stat st;

	if (!WIFEXITED(w->status) || WEXITSTATUS(w->status) != 1 ||
	    !strstr(buf_str(&w->result), code) ||
	    !strstr(buf_str(&w->result), why))
		print_error("worker: status %x, said: %s\nwanted %s, %s\n",
			    w->status, buf_str(&w->result), code, why);
	assert_true(WIFEXITED(w->status));
	assert_int_equal(WEXITSTATUS(w->status), 1);
	assert_non_null(strstr(buf_str(&w->result), code));
	assert_non_null(strstr(buf_str(&w->result), why));
	assert_null(strstr(buf_str(&w->result), "\"type\":\"image\""));
	assert_return_code(fstatat(w->fd, "secret", &st, 0), errno);
	assert_int_equal(st.st_size, 6);
	assert_int_equal(st.st_nlink, 1);
}

static mode_t mode_of(const struct world *w, const char *path)
{
	struct stat st;

	return fstatat(w->layer, path, &st, AT_SYMLINK_NOFOLLOW) < 0 ?
		       0 : st.st_mode;
}

static bool is_whiteout(const struct world *w, const char *path)
{
	struct stat st;

	return fstatat(w->layer, path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISCHR(st.st_mode) && st.st_rdev == makedev(0, 0);
}

static bool is_opaque(const struct world *w, const char *path)
{
	char value[2] = "";
	int fd = openat(w->layer, path, O_RDONLY | O_DIRECTORY);
	bool yes = fgetxattr(fd, "user.overlay.opaque", value, 2) == 1 ||
		   fgetxattr(fd, "trusted.overlay.opaque", value, 2) == 1;

	fd_close(fd);
	return yes && value[0] == 'y';
}

static void expect_text(const struct world *w, const char *path,
			const char *text)
{
	auto_buf struct buf b = BUF_INIT;

	assert_int_equal(fd_slurp_path(w->layer, path, 4096, &b), 0);
	assert_string_equal(buf_str(&b), text);
}

/* Good layers. */

static void test_unpack__plain(void **state)
{
	struct world *w = *state;
	auto_buf struct buf t = BUF_INIT;
	struct stat st;

	dir(&t, "./");
	dir(&t, "./bin/");
	entry(&t, '0', "./bin/su", "", 04755, 1000, "x", 1);
	entry(&t, '2', "./bin/sh", "/bin/busybox", 0777, 0, "", 0);
	entry(&t, '1', "./bin/su2", "./bin/su", 0, 0, "", 0);
	file(&t, "deep/er/file", "hello");
	entry(&t, '6', "fifo", "", 0600, 0, "", 0);
	file(&t, "bad\xff\xfename", "bytes");
	finish(&t);
	run(w, &t, NULL);
	expect_ok(w);
	/* setuid is gone, the rest is as it was. */
	assert_int_equal(mode_of(w, "bin/su"), S_IFREG | 0755);
	assert_int_equal(mode_of(w, "bin/sh") & S_IFMT, S_IFLNK);
	assert_int_equal(mode_of(w, "fifo"), S_IFIFO | 0600);
	expect_text(w, "deep/er/file", "hello");
	expect_text(w, "bad\xff\xfename", "bytes");
	assert_return_code(fstatat(w->layer, "bin/su2", &st, 0), errno);
	assert_int_equal(st.st_nlink, 2);
	assert_int_equal(st.st_mtime, 1000000000);
	if (unit_has_other_ids())
		assert_int_equal(st.st_uid, 1000);
}

static void test_unpack__whiteouts(void **state)
{
	struct world *w = *state;
	auto_buf struct buf t = BUF_INIT;

	file(&t, "etc/.wh.gone", "");
	dir(&t, "var/");
	file(&t, "var/.wh..wh..opq", "");
	file(&t, ".wh..wh.plnk", "");
	file(&t, "keep", "new");
	file(&t, ".wh.keep", "");
	dir(&t, "both/");
	file(&t, "both/in", "1");
	file(&t, ".wh.both", "");
	file(&t, ".wh.later", "");
	file(&t, "later/in", "2");
	file(&t, ".wh.file", "");
	file(&t, "file", "3");
	finish(&t);
	run(w, &t, NULL);
	expect_ok(w);
	assert_true(is_whiteout(w, "etc/gone"));
	assert_true(is_opaque(w, "var"));
	assert_false(is_opaque(w, "etc"));
	assert_int_equal(mode_of(w, ".wh..wh.plnk"), 0);
	assert_int_equal(mode_of(w, "var/.wh..wh..opq"), 0);
	/* A whiteout never hides what its own layer brings. */
	expect_text(w, "keep", "new");
	expect_text(w, "both/in", "1");
	assert_true(is_opaque(w, "both"));
	expect_text(w, "later/in", "2");
	assert_true(is_opaque(w, "later"));
	expect_text(w, "file", "3");
}

static void test_unpack__last_one_wins(void **state)
{
	struct world *w = *state;
	auto_buf struct buf t = BUF_INIT;

	file(&t, "a", "first");
	file(&t, "a", "second");
	dir(&t, "b/");
	file(&t, "b/c/d", "x");
	file(&t, "b", "a file now");
	entry(&t, '2', "c", "/", 0777, 0, "", 0);
	dir(&t, "c/");
	file(&t, "c/in", "in a directory");
	file(&t, "d", "x");
	dir(&t, "d/");
	file(&t, "e/f", "x");
	file(&t, "e/f", "y");
	file(&t, "e/g", "z");
	finish(&t);
	run(w, &t, NULL);
	expect_ok(w);
	expect_text(w, "a", "second");
	expect_text(w, "b", "a file now");
	assert_int_equal(mode_of(w, "c") & S_IFMT, S_IFDIR);
	expect_text(w, "c/in", "in a directory");
	assert_int_equal(mode_of(w, "d") & S_IFMT, S_IFDIR);
	expect_text(w, "e/f", "y");
	expect_text(w, "e/g", "z");
}

static void test_unpack__devices_are_left_out(void **state)
{
	struct world *w = *state;
	auto_buf struct buf t = BUF_INIT;

	entry(&t, '3', "null", "", 0666, 0, "", 0);
	entry(&t, '4', "disk", "", 0666, 0, "", 0);
	file(&t, "after", "x");
	finish(&t);
	run(w, &t, NULL);
	expect_ok(w);
	assert_int_equal(mode_of(w, "null"), 0);
	assert_int_equal(mode_of(w, "disk"), 0);
	expect_text(w, "after", "x");
}

static void test_unpack__absolute_is_inside(void **state)
{
	struct world *w = *state;
	auto_buf struct buf t = BUF_INIT;
	auto_free char *secret = path_join(w->base, "secret");
	auto_buf struct buf text = BUF_INIT;

	file(&t, secret, "overwritten");
	finish(&t);
	run(w, &t, NULL);
	expect_ok(w);
	expect_text(w, secret + 1, "overwritten");
	assert_int_equal(fd_slurp_path(w->fd, "secret", 64, &text), 0);
	assert_string_equal(text.data, "secret");
}

/* Hostile layers. */

static void refused(struct world *w, struct buf *t, const char *why)
{
	finish(t);
	run(w, t, NULL);
	expect_refused(w, "BAD_REQUEST", why);
	buf_clear(t);
}

static void test_unpack__names(void **state)
{
	struct world *w = *state;
	auto_buf struct buf t = BUF_INIT;
	char deep[KIB(2)], name[300];

	file(&t, "../secret", "x");
	refused(w, &t, "'..'");
	file(&t, "a/../../secret", "x");
	refused(w, &t, "'..'");
	file(&t, "a/..", "x");
	refused(w, &t, "'..'");
	file(&t, ".wh...", "x"); /* a whiteout of ".." */
	refused(w, &t, "...");
	file(&t, "./", "x");
	finish(&t);
	run(w, &t, NULL); /* a file with a slash is a directory to tar */
	buf_clear(&t);
	/* Long names come as GNU 'L' entries. */
	memset(name, 'n', sizeof(name));
	entry(&t, 'L', "././@LongLink", "", 0, 0, name, sizeof(name));
	file(&t, "short", "x");
	refused(w, &t, "255 bytes");
	for (size_t i = 0; i < sizeof(deep); i += 2)
		memcpy(deep + i, "d/", 2);
	entry(&t, 'L', "././@LongLink", "", 0, 0, deep, sizeof(deep) - 1);
	file(&t, "short", "x");
	refused(w, &t, "too deep");
}

static void test_unpack__links(void **state)
{
	struct world *w = *state;
	auto_buf struct buf t = BUF_INIT;

	entry(&t, '2', "out", "../..", 0777, 0, "", 0);
	file(&t, "out/secret", "x");
	refused(w, &t, "link");
	entry(&t, '2', "out", w->base, 0777, 0, "", 0);
	file(&t, "out/secret", "x");
	refused(w, &t, "link");
	entry(&t, '2', "out", "/", 0777, 0, "", 0);
	dir(&t, "out/tmp/");
	refused(w, &t, "link");
	entry(&t, '2', "out", w->base, 0777, 0, "", 0);
	file(&t, "out/.wh.secret", "");
	refused(w, &t, "link");
	entry(&t, '2', "loop", "loop", 0777, 0, "", 0);
	file(&t, "loop/x", "x");
	refused(w, &t, "link");
	entry(&t, '2', "out", w->base, 0777, 0, "", 0);
	file(&t, "out/.wh..wh..opq", "");
	refused(w, &t, "opq");
	file(&t, "f", "x");
	file(&t, "f/x", "x");
	refused(w, &t, "parent");
}

static void test_unpack__hard_links(void **state)
{
	struct world *w = *state;
	auto_buf struct buf t = BUF_INIT;
	auto_free char *secret = path_join(w->base, "secret");

	entry(&t, '1', "mine", secret, 0, 0, "", 0);
	refused(w, &t, "hard link");
	entry(&t, '1', "mine", "../../secret", 0, 0, "", 0);
	refused(w, &t, "'..'");
	entry(&t, '2', "out", w->base, 0777, 0, "", 0);
	entry(&t, '1', "mine", "out/secret", 0, 0, "", 0);
	refused(w, &t, "hard link");
	/* Cycles. */
	entry(&t, '1', "a", "b", 0, 0, "", 0);
	entry(&t, '1', "b", "a", 0, 0, "", 0);
	refused(w, &t, "hard link");
	entry(&t, '1', "a", "a", 0, 0, "", 0);
	refused(w, &t, "hard link");
	dir(&t, "d/");
	entry(&t, '1', "e", "d", 0, 0, "", 0);
	refused(w, &t, "hard link");
	file(&t, "d/x", "x");
	entry(&t, '1', "d", "d/x", 0, 0, "", 0);
	refused(w, &t, "hard link");
	/* To itself is no change. */
	file(&t, "a", "text");
	entry(&t, '1', "a", "./a", 0, 0, "", 0);
	finish(&t);
	run(w, &t, NULL);
	expect_ok(w);
	expect_text(w, "a", "text");
}

static void test_unpack__limits(void **state)
{
	struct world *w = *state;
	auto_buf struct buf t = BUF_INIT;
	char big[KIB(64)] = "";

	entry(&t, '0', "a", "", 0644, 0, big, sizeof(big));
	entry(&t, '0', "b", "", 0644, 0, big, sizeof(big));
	finish(&t);
	run(w, &t, "bytes=100000");
	expect_refused(w, "TOO_LARGE", "larger");
	run(w, &t, "entries=1");
	expect_refused(w, "TOO_LARGE", "entries");
	run(w, &t, "bytes=1000000");
	expect_ok(w);
	run(w, &t, "bytes=99999999999999999999");
	expect_refused(w, "BAD_REQUEST", "bad limit");
	/* A size of 8 GiB - 1, and nothing behind it. */
	memcpy(t.data + offsetof(struct header, size), "77777777777", 11);
	run(w, &t, NULL);
	expect_refused(w, "BAD_REQUEST", "tar");
}

static void test_unpack__garbage(void **state)
{
	struct world *w = *state;
	auto_buf struct buf t = BUF_INIT;
	char noise[KIB(4)];

	run(w, &t, NULL);
	expect_refused(w, "BAD_REQUEST", "empty");
	srand(7);
	for (size_t i = 0; i < sizeof(noise); i++)
		noise[i] = (char)rand();
	buf_add(&t, noise, sizeof(noise));
	run(w, &t, NULL);
	expect_refused(w, "BAD_REQUEST", "not a whole tar");
	buf_clear(&t);
	finish(&t);
	run(w, &t, NULL);
	expect_refused(w, "BAD_REQUEST", "no entries");
	/* Cut in the middle of a file. */
	buf_clear(&t);
	file(&t, "a", "text");
	buf_truncate(&t, 514);
	run(w, &t, NULL);
	expect_refused(w, "BAD_REQUEST", "a");
}

/* docker save. */

static void digest_hex(const struct buf *b, char out[DIGEST_TEXT + 1])
{
	struct digest d = digest_of(b->data, b->len);

	digest_format(&d, out);
}

/* An archive of two layers; `wrong` spoils the second one's digest. */
static void docker(struct buf *t, const char *arch, bool wrong)
{
	auto_buf struct buf one = BUF_INIT, two = BUF_INIT, config = BUF_INIT,
			    manifest = BUF_INIT;
	char d1[DIGEST_TEXT + 1], d2[DIGEST_TEXT + 1], id[DIGEST_TEXT + 1];
	auto_free char *name = NULL;

	file(&one, "one", "1");
	finish(&one);
	file(&two, "two", "2");
	file(&two, ".wh.one", "");
	finish(&two);
	digest_hex(&one, d1);
	digest_hex(&two, d2);
	if (wrong)
		d2[10] = d2[10] == 'a' ? 'b' : 'a';
	buf_addf(&config, "{\"architecture\":\"%s\",\"os\":\"linux\","
		 "\"config\":{\"Env\":[\"A=b\"],\"Cmd\":[\"sh\"],"
		 "\"Entrypoint\":null,\"WorkingDir\":\"/srv\"},"
		 "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"%s\",\"%s\"]}}",
		 arch, d1, d2);
	digest_hex(&config, id);
	name = xasprintf("%s.json", id + strlen(DIGEST_PREFIX));
	buf_addf(&manifest, "[{\"Config\":\"%s\",\"RepoTags\":[\"t:1\"],"
		 "\"Layers\":[\"l1/layer.tar\",\"l2/layer.tar\"]}]", name);
	/* The top layer first: order comes from the manifest alone. */
	entry(t, '0', "l2/layer.tar", "", 0644, 0, two.data, two.len);
	entry(t, '0', "l1/layer.tar", "", 0644, 0, one.data, one.len);
	file(t, name, config.data);
	file(t, "manifest.json", manifest.data);
	finish(t);
}

static void test_unpack__docker(void **state)
{
	struct world *w = *state;
	auto_buf struct buf t = BUF_INIT;
	auto_free char *two = path_join(w->base, "target/1");

	docker(&t, image_machine(), false);
	run(w, &t, NULL);
	expect_ok(w);
	expect_text(w, "one", "1");
	assert_non_null(strstr(w->result.data, "\"env\":[\"A=b\"]"));
	assert_non_null(strstr(w->result.data, "\"workdir\":\"/srv\""));
	assert_non_null(strstr(w->result.data, "\"ref\":\"t:1\""));
	fd_close(w->layer);
	w->layer = open(two, O_RDONLY | O_DIRECTORY);
	expect_text(w, "two", "2");
	assert_true(is_whiteout(w, "one"));
}

static void test_unpack__docker_refused(void **state)
{
	struct world *w = *state;
	auto_buf struct buf t = BUF_INIT;

	docker(&t, image_machine(), true);
	run(w, &t, NULL);
	expect_refused(w, "BAD_REQUEST", "digest");
	buf_clear(&t);
	docker(&t, "m68k", false);
	run(w, &t, NULL);
	expect_refused(w, "BAD_REQUEST", "linux/m68k");
}

/* The confinement, seen from inside. */

static int try_all(const char *base)
{
	auto_free char *secret = path_join(base, "secret");
	char *argv[] = { (char[]){ "true" }, NULL };

	if (open(secret, O_RDONLY) >= 0)
		return 1;
	if (open("/etc/passwd", O_RDONLY) >= 0)
		return 2;
	if (socket(AF_UNIX, SOCK_STREAM, 0) >= 0)
		return 3;
	if (ptrace(PTRACE_TRACEME, 0, 0, 0) >= 0)
		return 4;
	if (unlink(secret) >= 0)
		return 5;
	if (fork() >= 0)
		return 6;
	execv("/bin/true", argv);
	return 0;
}

static void test_unpack__confined(void **state)
{
	struct world *w = *state;
	int status;

	assert_return_code(mkdirat(w->fd, "target", 0700), errno);
	if (SANITIZED) {
		print_message("the sanitizer needs what the filter forbids\n");
		skip();
	}
	pid_t pid = fork();
	if (pid == 0) {
		struct svm_err err = SVM_ERR_INIT;
		unsigned flags;
		int fd = openat(w->fd, "target", O_RDONLY | O_DIRECTORY);

		if (unpack_confine(fd, -1, 1000000, &flags, &err) < 0)
			_exit(90);
		_exit(try_all(w->base));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

#define IN_WORLD(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_WORLD(test_unpack__plain),
		IN_WORLD(test_unpack__whiteouts),
		IN_WORLD(test_unpack__last_one_wins),
		IN_WORLD(test_unpack__devices_are_left_out),
		IN_WORLD(test_unpack__absolute_is_inside),
		IN_WORLD(test_unpack__names),
		IN_WORLD(test_unpack__links),
		IN_WORLD(test_unpack__hard_links),
		IN_WORLD(test_unpack__limits),
		IN_WORLD(test_unpack__garbage),
		IN_WORLD(test_unpack__docker),
		IN_WORLD(test_unpack__docker_refused),
		IN_WORLD(test_unpack__confined),
	};

	return cmocka_run_group_tests_name("unpack", tests, NULL, NULL);
}
