/* SPDX-License-Identifier: MIT */
/* File operations of a real agent, in a box of the mock provider. */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/syscall.h>

#include "lib/base/kernel.h"
#include "lib/base/ustar.h"
#include "tests/unit/agent-box.h"

static void run(struct box *b, const char *script)
{
	struct result r = sh(b, script);

	if (r.exit.code)
		fail_msg("'%s': %s", script, buf_str(&r.err));
	result_release(&r);
}

static void put(struct box *b, const char *path, const char *text)
{
	struct answer a = file_put(b, path, 0644, text, strlen(text));

	if (a.code)
		fail_msg("write '%s': %s", path, a.error);
	answer_release(&a);
}

static void expect(struct box *b, const char *path, const char *text)
{
	struct answer a = file_get(b, path);

	if (a.code)
		fail_msg("read '%s': %s", path, a.error);
	assert_string_equal(buf_str(&a.data), text);
	answer_release(&a);
}

/* The answer must be an error of that code which names `word`. */
static void refused(struct answer a, enum svm_code code, const char *word)
{
	if (!a.code)
		fail_msg("not refused, '%s' was expected", word);
	if (a.code != code || !strstr(a.error, word))
		fail_msg("code %u, not %u: '%s' ('%s' was expected)", a.code,
			 (unsigned)code, a.error, word);
	assert_false(a.ended);
	answer_release(&a);
}

static void done(struct answer a)
{
	if (a.code)
		fail_msg("%s", a.error);
	assert_true(a.ended);
	answer_release(&a);
}

static struct answer on_path(struct box *b, enum frame_type type,
			     const char *path, uint32_t n)
{
	return ask(b, type, path, NULL, 0, 0, 0, 1, n);
}

static struct answer move(struct box *b, const char *from, const char *to)
{
	return ask(b, FRAME_MOVE, from, to, 0, 0, 0, 1, 0);
}

static struct answer move_new(struct box *b, const char *from, const char *to)
{
	return ask(b, FRAME_MOVE_NEW, from, to, 0, 0, 0, 1, 0);
}

static void test_agent_files__write_then_read(void **state)
{
	const size_t n = 1000 * 1000 + 7;
	auto_free char *big = xmalloc(n);

	for (size_t i = 0; i < n; i++)
		big[i] = (char)(i * 31 + i / 977);
	done(file_put(*state, "/app/new/deep/file", 0640, big, n));
	struct answer a = file_get(*state, "/app/new/deep/file");
	assert_true(a.ended);
	assert_int_equal(a.file.size, n);
	assert_int_equal(a.file.mode, S_IFREG | 0640);
	assert_int_equal(a.data.len, n);
	assert_memory_equal(a.data.data, big, n);
	answer_release(&a);
	/* Ranges. */
	a = ask(*state, FRAME_READ, "/app/new/deep/file", NULL, 2, 999990,
		10, 0, 0);
	assert_int_equal(a.file.size, n);
	assert_int_equal(a.data.len, 10);
	assert_memory_equal(a.data.data, big + 999990, 10);
	answer_release(&a);
	a = ask(*state, FRAME_READ, "/app/new/deep/file", NULL, 2, n, 10, 0,
		0);
	assert_true(a.ended);
	assert_int_equal(a.data.len, 0);
	answer_release(&a);
	refused(ask(*state, FRAME_READ, "/app/new/deep/file", NULL, 2, n + 1,
		    1, 0, 0), SVM_RANGE, "after the end");
}

static void test_agent_files__mode_is_stripped(void **state)
{
	struct answer a;

	done(file_put(*state, "/app/suid", 06755, "x", 1));
	a = ask(*state, FRAME_STAT, "/app/suid", NULL, 0, 0, 0, 0, 0);
	assert_int_equal(a.file.mode, S_IFREG | 0755);
	answer_release(&a);
	done(on_path(*state, FRAME_CHMOD, "/app/suid", 04700));
	a = ask(*state, FRAME_STAT, "/app/suid", NULL, 0, 0, 0, 0, 0);
	assert_int_equal(a.file.mode, S_IFREG | 0700);
	answer_release(&a);
}

static void test_agent_files__only_regular_files(void **state)
{
	struct box *b = *state;

	run(b, "cd ../app; mkfifo fifo; mkdir -p dir; "
	       "ln -s fifo to-fifo; ln -s nowhere dangling; "
	       "python3 -c 'import socket; socket.socket(1).bind(\"sock\")'");
	refused(file_get(b, "/app/fifo"), SVM_BAD_REQUEST, "a FIFO");
	refused(file_get(b, "/app/to-fifo"), SVM_BAD_REQUEST, "a FIFO");
	refused(file_get(b, "/app/dir"), SVM_BAD_REQUEST, "a directory");
	refused(file_get(b, "/app/sock"), SVM_BAD_REQUEST, "a socket");
	refused(file_get(b, "/app/dangling"), SVM_FILE_NOT_FOUND, "dangling");
	refused(file_get(b, "/"), SVM_BAD_REQUEST, "a directory");
	refused(file_put(b, "/app/fifo", 0644, "x", 1), SVM_BAD_REQUEST,
		"a FIFO");
	refused(file_put(b, "/app/dir", 0644, "x", 1), SVM_BAD_REQUEST,
		"a directory");
	refused(file_put(b, "/app/dir/", 0644, "x", 1), SVM_BAD_REQUEST,
		"directory");
	auto_free char *null = xasprintf("%s/app/null", b->root);
	if (mknod(null, S_IFCHR | 0666, (1 << 8) | 3) == 0)
		refused(file_get(b, "/app/null"), SVM_BAD_REQUEST,
			"character device");
}

static void test_agent_files__bad_paths(void **state)
{
	static const enum frame_type types[] = {
		FRAME_READ, FRAME_LIST,   FRAME_STAT, FRAME_CHMOD,
		FRAME_DELETE, FRAME_GLOB, FRAME_MKDIR, FRAME_TAR_OUT,
	};
	char longest[5001], component[400] = "/";

	memset(longest, 'x', 5000);
	longest[0] = '/';
	longest[5000] = '\0';
	memset(component + 1, 'y', 300);
	component[301] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		refused(ask(*state, types[i], "", NULL, 2, 0, 0, 1, 0),
			SVM_BAD_REQUEST, "empty");
		refused(ask(*state, types[i], "relative", NULL, 2, 0, 0, 1, 0),
			SVM_BAD_REQUEST, "absolute");
		refused(ask(*state, types[i], longest, NULL, 2, 0, 0, 1, 0),
			SVM_BAD_REQUEST, "4096");
		refused(ask(*state, types[i], component, NULL, 2, 0, 0, 1, 0),
			SVM_BAD_REQUEST, "255");
	}
	/* A NUL inside, which the helper can't write. */
	auto_buf struct buf text = BUF_INIT;
	struct call c;
	msg_add_bytes(&text, "/app\0/x", 7);
	msg_add_u64(&text, 0);
	msg_add_u64(&text, 0);
	call_begin(*state, &c, FRAME_READ, text.data, text.len);
	refused(answer_of(&c), SVM_BAD_REQUEST, "NUL");
	/* Strange but legal. */
	put(*state, "/app/new\nline \x1b[31m \xff", "odd");
	expect(*state, "/app/new\nline \x1b[31m \xff", "odd");
}

/* Nobody sends a gigabyte to hear that its name is taken. */
static void test_agent_files__taken_name_is_told_at_once(void **state)
{
	auto_buf struct buf text = BUF_INIT;
	struct call c;

	put(*state, "/app/taken", "mine");
	msg_add_str(&text, "/app/taken");
	msg_add_u32(&text, 0644);
	msg_add_u32(&text, 0);
	msg_add_u32(&text, FRAME_IF_NEW);
	for (int i = 0; i < 3; i++)
		msg_add_u64(&text, 0);
	call_begin(*state, &c, FRAME_WRITE_IF, text.data, text.len);
	refused(answer_of(&c), SVM_PRECONDITION, "there already");
	expect(*state, "/app/taken", "mine");
}

static void test_agent_files__links_stay_inside(void **state)
{
	struct box *b = *state;
	auto_free char *outside = xasprintf("%s/outside", b->state);

	assert_int_equal(fd_replace_path(AT_FDCWD, outside, "secret", 6, 0644),
			 0);
	auto_free char *script = xasprintf(
		"cd ../app; ln -s %s abs; ln -s ../../../../outside rel; "
		"ln -s / slash; ln -s /proc/self/root magic", outside);
	run(b, script);
	/* Below the root there is no such file. */
	refused(file_get(b, "/app/abs"), SVM_FILE_NOT_FOUND, "abs");
	refused(file_get(b, "/app/rel"), SVM_FILE_NOT_FOUND, "rel");
	refused(file_get(b, "/../../../outside"), SVM_FILE_NOT_FOUND, "");
	refused(file_get(b, "/app/magic/etc/passwd"), SVM_FILE_NOT_FOUND, "");
	/* "/" through a link is the box's own. */
	put(b, "/app/slash/workspace/via-link", "in");
	expect(b, "/workspace/via-link", "in");
	refused(on_path(b, FRAME_CHMOD, "/app/abs", 0777), SVM_FILE_NOT_FOUND,
		"abs");
	/* Writing to a link replaces the link. */
	put(b, "/app/abs", "mine");
	expect(b, "/app/abs", "mine");
	auto_buf struct buf kept = BUF_INIT;
	assert_int_equal(fd_slurp_path(AT_FDCWD, outside, 100, &kept), 0);
	assert_string_equal(buf_str(&kept), "secret");
}

static void test_agent_files__interrupted_write_leaves_nothing(void **state)
{
	struct box *b = *state;
	auto_buf struct buf text = BUF_INIT;
	struct call c;

	put(b, "/workspace/w/kept", "old");
	msg_add_str(&text, "/workspace/w/kept");
	msg_add_u32(&text, 0644);
	msg_add_u32(&text, 0);
	call_begin(b, &c, FRAME_WRITE, text.data, text.len);
	call_send(&c, FRAME_DATA, "half", 4);
	call_close(&c);
	/* The next one through proves the first is over? Not quite: wait for
	 * its temporary file to go. */
	int64_t deadline = clock_mono_ns() + SECONDS(10);
	unsigned files = 0;
	do {
		struct answer a = on_path(b, FRAME_LIST, "/workspace/w", 0);

		files = a.files;
		answer_release(&a);
	} while (files != 1 && clock_mono_ns() < deadline);
	assert_int_equal(files, 1);
	expect(b, "/workspace/w/kept", "old");
}

static void test_agent_files__list(void **state)
{
	struct box *b = *state;

	run(b, "mkdir -p ls/sub; cd ls; touch a b; ln -s a l; "
	       "truncate -s 1T sparse");
	struct answer a = on_path(b, FRAME_LIST, "/workspace/ls", 0);
	assert_int_equal(a.files, 5);
	assert_int_equal(a.end_u32, 0);
	assert_non_null(strstr(buf_str(&a.names), "sub\n"));
	answer_release(&a);
	a = on_path(b, FRAME_LIST, "/workspace/ls", 3);
	assert_int_equal(a.files, 3);
	assert_int_equal(a.end_u32, 1);
	answer_release(&a);
	a = ask(b, FRAME_STAT, "/workspace/ls/l", NULL, 0, 0, 0, 0, 0);
	assert_true(S_ISLNK(a.file.mode));
	assert_string_equal(a.file.target, "a");
	assert_string_equal(a.file.name, "/workspace/ls/l");
	answer_release(&a);
	a = ask(b, FRAME_STAT, "/", NULL, 0, 0, 0, 0, 0);
	assert_true(S_ISDIR(a.file.mode));
	answer_release(&a);
	refused(on_path(b, FRAME_LIST, "/workspace/ls/a", 0), SVM_BAD_REQUEST,
		"Not a directory");
	refused(on_path(b, FRAME_LIST, "/nothing", 0), SVM_FILE_NOT_FOUND,
		"nothing");
	/* A terabyte that is not there costs what is asked for. */
	a = ask(b, FRAME_READ, "/workspace/ls/sparse", NULL, 2,
		UINT64_C(500) << 30, 70000, 0, 0);
	assert_int_equal(a.file.size, UINT64_C(1) << 40);
	assert_int_equal(a.data.len, 70000);
	answer_release(&a);
}

static void test_agent_files__move(void **state)
{
	struct box *b = *state;

	put(b, "/workspace/m/one", "1");
	done(move(b, "/workspace/m/one", "/app/made/for/it/two"));
	expect(b, "/app/made/for/it/two", "1");
	refused(file_get(b, "/workspace/m/one"), SVM_FILE_NOT_FOUND, "one");
	/* A file is replaced, a directory never. */
	put(b, "/workspace/m/three", "3");
	done(move(b, "/workspace/m/three", "/app/made/for/it/two"));
	expect(b, "/app/made/for/it/two", "3");
	run(b, "mkdir -p m/empty m/dir; touch m/f");
	refused(move(b, "/workspace/m/f", "/workspace/m/empty"), SVM_CONFLICT,
		"directory");
	refused(move(b, "/workspace/m/dir", "/workspace/m/empty"),
		SVM_CONFLICT, "directory");
	refused(move(b, "/workspace/m/dir", "/workspace/m/f"),
		SVM_BAD_REQUEST, "Not a directory");
	refused(move(b, "/workspace/m/dir", "/workspace/m/dir/in"),
		SVM_BAD_REQUEST, "Invalid");
	refused(move(b, "/", "/x"), SVM_BAD_REQUEST, "names no entry");
	refused(move(b, "/app/..", "/x"), SVM_BAD_REQUEST, "names no entry");
	refused(move(b, "/app/none", "/x"), SVM_FILE_NOT_FOUND, "none");
	/* Where nothing else is to go: neither a file nor a link. */
	put(b, "/workspace/m/four", "4");
	run(b, "ln -s nowhere m/link");
	refused(move_new(b, "/workspace/m/four", "/app/made/for/it/two"),
		SVM_PRECONDITION, "there already");
	refused(move_new(b, "/workspace/m/four", "/workspace/m/link"),
		SVM_PRECONDITION, "there already");
	refused(move_new(b, "/workspace/m/four", "/workspace/m/four"),
		SVM_PRECONDITION, "there already");
	refused(move_new(b, "/workspace/m/four", "/workspace/m/empty"),
		SVM_CONFLICT, "directory");
	refused(move_new(b, "/workspace/m/dir", "/workspace/m/f"),
		SVM_PRECONDITION, "is there already");
	refused(move_new(b, "/workspace/m/dir", "/workspace/m/dir/in"),
		SVM_BAD_REQUEST, "Invalid");
	expect(b, "/app/made/for/it/two", "3");
	done(move_new(b, "/workspace/m/four", "/workspace/m/made/five"));
	expect(b, "/workspace/m/made/five", "4");
	refused(file_get(b, "/workspace/m/four"), SVM_FILE_NOT_FOUND, "four");
	done(move(b, "/workspace/m/dir", "/workspace/m/renamed/"));
	struct answer a = on_path(b, FRAME_LIST, "/workspace/m/renamed", 0);
	done(a);
}

static void test_agent_files__move_between_file_systems(void **state)
{
	struct box *b = *state;
	auto_free char *shm = xstrdup("/dev/shm/svm-test-XXXXXX");
	struct stat here, there;

	/* The agent sees only its root, so another file system must be
	 * mounted in it: only root can. */
	if (stat(b->root, &here) < 0 || stat("/dev/shm", &there) < 0 ||
	    here.st_dev == there.st_dev || geteuid() != 0) {
		print_message("needs root, who may mount\n");
		skip();
	}
	auto_free char *cmd = xasprintf("mkdir %s/other && mount -t tmpfs "
					"none %s/other", b->root, b->root);
	if (system(cmd) != 0) {
		print_message("needs a tmpfs that can be mounted\n");
		skip();
	}
	run(b, "mkdir -p x/sub/deep; echo 1 > x/sub/deep/f; chmod 640 "
	       "x/sub/deep/f; ln -s sub x/l; echo 2 > single");
	done(move(b, "/workspace/single", "/other/new/single"));
	expect(b, "/other/new/single", "2\n");
	run(b, "echo 3 > third");
	refused(move_new(b, "/workspace/third", "/other/new/single"),
		SVM_PRECONDITION, "there already");
	expect(b, "/other/new/single", "2\n");
	done(move_new(b, "/workspace/third", "/other/new/third"));
	expect(b, "/other/new/third", "3\n");
	done(move(b, "/workspace/x", "/other/x"));
	expect(b, "/other/x/sub/deep/f", "1\n");
	struct answer a = ask(b, FRAME_STAT, "/other/x/sub/deep/f", NULL, 0, 0,
			      0, 0, 0);
	assert_int_equal(a.file.mode, S_IFREG | 0640);
	answer_release(&a);
	a = ask(b, FRAME_STAT, "/other/x/l", NULL, 0, 0, 0, 0, 0);
	assert_string_equal(a.file.target, "sub");
	answer_release(&a);
	refused(ask(b, FRAME_STAT, "/workspace/x", NULL, 0, 0, 0, 0, 0),
		SVM_FILE_NOT_FOUND, "x");
	/* Mount points are neither deleted nor emptied. */
	refused(on_path(b, FRAME_DELETE, "/other", 1), SVM_CONFLICT, "busy");
	expect(b, "/other/new/single", "2\n");
	auto_free char *undo = xasprintf("umount %s/other && rmdir %s/other",
					 b->root, b->root);
	assert_int_equal(system(undo), 0);
}

static void test_agent_files__delete(void **state)
{
	struct box *b = *state;

	run(b, "mkdir -p d/full/deep d/empty; touch d/full/deep/f d/f; "
	       "ln -s full d/link");
	struct answer a = on_path(b, FRAME_DELETE, "/workspace/d/f", 0);
	assert_int_equal(a.end_u32, 1);
	done(a);
	a = on_path(b, FRAME_DELETE, "/workspace/d/f", 0);
	assert_int_equal(a.end_u32, 0);
	done(a);
	a = on_path(b, FRAME_DELETE, "/no/such/parent", 0);
	assert_int_equal(a.end_u32, 0);
	done(a);
	refused(on_path(b, FRAME_DELETE, "/workspace/d/full", 0), SVM_CONFLICT,
		"not empty");
	done(on_path(b, FRAME_DELETE, "/workspace/d/empty", 0));
	/* The link goes, not what it names. */
	done(on_path(b, FRAME_DELETE, "/workspace/d/link", 1));
	done(ask(b, FRAME_STAT, "/workspace/d/full/deep/f", NULL, 0, 0, 0, 0,
		 0));
	done(on_path(b, FRAME_DELETE, "/workspace/d/full", 1));
	refused(on_path(b, FRAME_DELETE, "/", 1), SVM_BAD_REQUEST, "entry");
	refused(on_path(b, FRAME_DELETE, "/app/..", 1), SVM_BAD_REQUEST,
		"entry");
	refused(on_path(b, FRAME_DELETE, "/app/.", 1), SVM_BAD_REQUEST,
		"entry");
}

static void test_agent_files__glob(void **state)
{
	struct box *b = *state;

	run(b, "mkdir -p g/a/b/c g/.h; touch g/x.py g/a/y.py g/a/b/c/z.py "
	       "g/.h/q.py g/a/n.txt; ln -s a g/loop; ln -s .. g/a/up");
	struct answer a = on_path(b, FRAME_GLOB, "/workspace/g/**/*.py", 0);
	assert_int_equal(a.end_u32, 0);
	assert_non_null(strstr(buf_str(&a.names), "/workspace/g/x.py\n"));
	assert_non_null(strstr(buf_str(&a.names), "/g/a/b/c/z.py\n"));
	assert_non_null(strstr(buf_str(&a.names), "/g/.h/q.py\n"));
	assert_null(strstr(buf_str(&a.names), "loop"));
	assert_null(strstr(buf_str(&a.names), "up/"));
	answer_release(&a);
	a = on_path(b, FRAME_GLOB, "/workspace/g/*.py", 0);
	assert_string_equal(buf_str(&a.names), "/workspace/g/x.py\n");
	answer_release(&a);
	a = on_path(b, FRAME_GLOB, "/workspace/g/a/y.py", 0);
	assert_string_equal(buf_str(&a.names), "/workspace/g/a/y.py\n");
	answer_release(&a);
	/* A link that is named is followed. */
	a = on_path(b, FRAME_GLOB, "/workspace/g/loop/*.txt", 0);
	assert_string_equal(buf_str(&a.names), "/workspace/g/loop/n.txt\n");
	answer_release(&a);
	a = on_path(b, FRAME_GLOB, "/no/where/*", 0);
	assert_true(a.ended);
	assert_null(a.names.data);
	answer_release(&a);
	a = on_path(b, FRAME_GLOB, "/workspace/g/**", 2);
	assert_int_equal(a.end_u32, 1);
	answer_release(&a);
}

static struct answer tar_in(struct box *b, const char *path, const void *data,
			    size_t n)
{
	auto_buf struct buf text = BUF_INIT;
	struct call c;

	msg_add_str(&text, path);
	call_begin(b, &c, FRAME_TAR_IN, text.data, text.len);
	for (size_t at = 0; at < n; at += 1000)
		call_send(&c, FRAME_DATA, (const char *)data + at,
			  MIN(n - at, (size_t)1000));
	call_send(&c, FRAME_END, NULL, 0);
	return answer_of(&c);
}

static void test_agent_files__tar_round_trip(void **state)
{
	struct box *b = *state;
	auto_free char *script = xasprintf(
		"mkdir -p t/sub/empty; cd t; echo hi > sub/f; chmod 751 sub/f;"
		" seq 30000 > big; ln -s sub/f l; mkfifo ff; "
		"d=%0150d; mkdir -p $d/$d; echo deep > $d/$d/file; "
		"touch -d @1000000000 sub/f", 0);

	run(b, script);
	struct answer a = ask(b, FRAME_TAR_OUT, "/workspace/t", NULL, 0, 0, 0,
			      0, 0);
	assert_true(a.ended);
	/* Another tar can read it. */
	auto_free char *file = xasprintf("%s/t.tar", b->state);
	assert_int_equal(fd_replace_path(AT_FDCWD, file, a.data.data,
					 a.data.len, 0600), 0);
	auto_free char *check = xasprintf(
		"tar tvf %s >/dev/null && mkdir ../x && tar xf %s -C ../x && "
		"rm t/ff && diff -r t ../x", file, file);
	run(b, check);
	done(tar_in(b, "/app/back", a.data.data, a.data.len));
	answer_release(&a);
	run(b, "diff -r --no-dereference t ../app/back && "
	       "test $(stat -c %a%Y ../app/back/sub/f) = 7511000000000 && "
	       "test $(readlink ../app/back/l) = sub/f");
	/* And the other way round, pax and GNU. */
	for (int i = 0; i < 2; i++) {
		auto_buf struct buf other = BUF_INIT;
		auto_free char *make = xasprintf(
			"tar cf %s --format=%s -C t . && rm -rf ../app/back",
			file, i ? "pax" : "gnu");

		run(b, make);
		assert_int_equal(fd_slurp_path(AT_FDCWD, file, 1 << 24,
					       &other), 0);
		done(tar_in(b, "/app/back", other.data, other.len));
		run(b, "diff -r --no-dereference t ../app/back");
	}
	/* A file alone. */
	a = ask(b, FRAME_TAR_OUT, "/workspace/t/sub/f", NULL, 0, 0, 0, 0, 0);
	done(tar_in(b, "/app/one", a.data.data, a.data.len));
	expect(b, "/app/one/f", "hi\n");
	answer_release(&a);
}

/* The END of an archive: how many were left out, and the first of them. */
static void omitted(const struct answer *a, uint32_t n, uint32_t why,
		    const char *path)
{
	struct msg_reader m = msg_reader(a->end.data, a->end.len);

	if (a->code)
		fail_msg("%s", a->error);
	assert_true(a->ended);
	assert_int_equal(msg_u32(&m), n);
	assert_int_equal(msg_u32(&m), why);
	auto_free char *first = msg_str(&m, LIMIT_PATH);
	assert_string_equal(first, path);
}

static void test_agent_files__tar_leaves_out(void **state)
{
	struct box *b = *state;

	run(b, "mkdir -p o/d/empty o/d/nolist o/d/nosearch && cd o/d && "
	       "echo a >a && echo b >nosearch/b && echo c >nosearch/c");
	struct answer a = ask(b, FRAME_TAR_OUT, "/workspace/o", NULL, 0, 0, 0,
			      0, 0);
	omitted(&a, 0, 0, "");
	answer_release(&a);
	/* One of its own, so that it is the first. */
	run(b, "cd o; printf x >'d/empty/s\n' && chmod 0 d/empty/s*");
	a = ask(b, FRAME_TAR_OUT, "/workspace/o/", NULL, 0, 0, 0, 0, 0);
	omitted(&a, 1, EACCES, "/workspace/o/d/empty/s\n");
	done(tar_in(b, "/app/left", a.data.data, a.data.len));
	answer_release(&a);
	expect(b, "/app/left/d/a", "a\n");
	run(b, "cd ../app/left/d && test -d empty && test ! -e empty/s*");
	/* A directory that can't be listed is one, of one that can't be
	 * searched each name is. */
	run(b, "cd o/d; chmod 111 nolist; chmod 444 nosearch");
	a = ask(b, FRAME_TAR_OUT, "/workspace/o/", NULL, 0, 0, 0, 0, 0);
	assert_true(a.ended);
	assert_int_equal(a.end_u32, 4);
	done(tar_in(b, "/app/less", a.data.data, a.data.len));
	answer_release(&a);
	run(b, "cd ../app/less/d && test -d nolist && test -d nosearch && "
	       "test ! -e nosearch/b && test -s a");
	/* What was asked for itself is no entry. */
	refused(ask(b, FRAME_TAR_OUT, "/workspace/o/d/nolist", NULL, 0, 0, 0,
		    0, 0), SVM_FORBIDDEN, "can't open");
	refused(ask(b, FRAME_TAR_OUT, "/workspace/o/d/empty/s\n", NULL, 0,
		    0, 0, 0, 0), SVM_FORBIDDEN, "can't read");
	run(b, "chmod -R u+rwx o");
}

/* The archive of a file that got shorter has the bytes it began with. */
static void test_agent_files__tar_of_a_shrinking_file(void **state)
{
	const size_t size = MIB(64);
	struct box *b = *state;
	auto_buf struct buf text = BUF_INIT;
	struct answer a = { 0 };
	struct call c;
	struct frame f;

	run(b, "mkdir -p shrink; truncate -s 64M shrink/f");
	msg_add_str(&text, "/workspace/shrink");
	call_begin(b, &c, FRAME_TAR_OUT, text.data, text.len);
	for (int i = 0; i < 3; i++) {
		assert_true(call_next(&c, &f));
		answer_add(&a, &f);
	}
	run(b, "truncate -s 1000 shrink/f");
	while (call_next(&c, &f))
		answer_add(&a, &f);
	call_close(&c);
	omitted(&a, 0, 0, "");
	assert_int_equal(a.data.len, size + 3 * USTAR_BLOCK);
	answer_release(&a);
}

static void add_entry(struct buf *out, const char *path, char type,
		      const char *target, const char *text)
{
	struct ustar_entry e = { .path = (char *)(uintptr_t)path,
				 .target = (char *)(uintptr_t)target,
				 .type = type,
				 .mode = 0644,
				 .size = strlen(text) };
	static const char zeros[USTAR_BLOCK];

	ustar_add_header(out, &e);
	buf_addstr(out, text);
	buf_add(out, zeros, ustar_padding(e.size));
}

static void test_agent_files__hostile_archives(void **state)
{
	static const struct {
		const char *path;
		char type;
		const char *word;
	} bad[] = {
		{ "/etc/passwd", '0', "absolute" },
		{ "../escape", '0', "not allowed" },
		{ "a/../../escape", '0', "not allowed" },
		{ "..", '5', "not allowed" },
		{ "dev", '3', "neither" },
		{ "fifo", '6', "neither" },
		{ "hard", '1', "neither" },
		{ "", '0', "neither" },
	};
	struct box *b = *state;
	auto_buf struct buf t = BUF_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		buf_clear(&t);
		add_entry(&t, bad[i].path, bad[i].type, "", "");
		refused(tar_in(b, "/app/bad", t.data, t.len), SVM_BAD_REQUEST,
			bad[i].word);
	}
	/* A link out, then a file through it: also one made before. */
	auto_free char *out = xasprintf("%s/outside-dir", b->state);
	assert_int_equal(mkdir(out, 0755), 0);
	const char *const targets[] = { out, "../../workspace",
					"/workspace" };
	for (size_t i = 0; i < ARRAY_SIZE(targets); i++) {
		buf_clear(&t);
		add_entry(&t, "link", '2', targets[i], "");
		add_entry(&t, "link/pwned", '0', "", "x");
		struct answer a = tar_in(b, "/app/bad", t.data, t.len);

		assert_true(a.code != 0);
		answer_release(&a);
	}
	refused(file_get(b, "/workspace/pwned"), SVM_FILE_NOT_FOUND, "");
	auto_free char *pwned = xasprintf("%s/pwned", out);
	assert_int_equal(access(pwned, F_OK), -1);
	/* Cut short and damaged. */
	buf_clear(&t);
	add_entry(&t, "cut", '0', "", "0123456789");
	refused(tar_in(b, "/app/bad", t.data, 520), SVM_BAD_REQUEST, "middle");
	refused(tar_in(b, "/app/bad", t.data, 100), SVM_BAD_REQUEST, "middle");
	refused(file_get(b, "/app/bad/cut"), SVM_FILE_NOT_FOUND, "");
	t.data[3] ^= 1;
	refused(tar_in(b, "/app/bad", t.data, t.len), SVM_BAD_REQUEST,
		"damaged");
	/* Nothing temporary is left. */
	struct answer a = on_path(b, FRAME_GLOB, "/**/.stacyvm-*", 0);
	assert_null(a.names.data);
	answer_release(&a);
}

/* Somebody in the box exchanges a directory with a link to the outside as
 * fast as he can, while every operation goes through it. */
struct race {
	char dir[256], link[256];
	atomic_bool stop;
	unsigned long rounds;
};

static void *racer(void *arg)
{
	struct race *r = arg;

	while (!atomic_load(&r->stop)) {
		(void)syscall(SYS_renameat2, AT_FDCWD, r->dir, AT_FDCWD,
			      r->link, SVM_RENAME_EXCHANGE);
		r->rounds++;
	}
	return NULL;
}

static void test_agent_files__racing_renamer(void **state)
{
	struct box *b = *state;
	auto_free char *out = xasprintf("%s/host-dir", b->state);
	auto_free char *secret = xasprintf("%s/file", out);
	auto_buf struct buf tar = BUF_INIT;
	struct race race = { .stop = false };
	unsigned inside = 0, escapes = 0;
	pthread_t thread;

	assert_int_equal(mkdir(out, 0755), 0);
	assert_int_equal(fd_replace_path(AT_FDCWD, secret, "HOST", 4, 0644),
			 0);
	put(b, "/app/r/d/file", "BOX");
	snprintf(race.dir, sizeof(race.dir), "%s/app/r/d", b->root);
	snprintf(race.link, sizeof(race.link), "%s/app/r/l", b->root);
	assert_int_equal(symlink(out, race.link), 0);
	add_entry(&tar, "d/tarred", '0', "", "x");
	assert_int_equal(pthread_create(&thread, NULL, racer, &race), 0);
	for (int i = 0; i < 100; i++) {
		struct answer a = file_get(b, "/app/r/d/file");

		if (a.ended && strcmp(buf_str(&a.data), "BOX") == 0)
			inside++;
		else if (a.data.len)
			escapes++;
		answer_release(&a);
		a = file_put(b, "/app/r/d/new", 0644, "x", 1);
		answer_release(&a);
		a = on_path(b, FRAME_CHMOD, "/app/r/d/file", 0600);
		answer_release(&a);
		a = on_path(b, FRAME_DELETE, "/app/r/d/new", 1);
		answer_release(&a);
		a = tar_in(b, "/app/r", tar.data, tar.len);
		answer_release(&a);
		a = on_path(b, FRAME_LIST, "/app/r/d", 0);
		if (a.names.data && strstr(a.names.data, "host-only"))
			escapes++;
		answer_release(&a);
		a = move(b, "/app/r/d/tarred", "/app/r/d/moved");
		answer_release(&a);
	}
	atomic_store(&race.stop, true);
	pthread_join(thread, NULL);
	print_message("%lu exchanges, %u reads inside\n", race.rounds, inside);
	assert_int_equal(escapes, 0);
	assert_true(inside > 0);
	assert_true(race.rounds > 1000);
	/* Outside all is as it was. */
	struct stat st;
	assert_int_equal(stat(secret, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0644);
	auto_free char *count = xasprintf("test $(ls -A %s | wc -l) = 1", out);
	run(b, count);
}

static void test_agent_files__connect(void **state)
{
	struct box *b = *state;
	struct result r = { 0 };
	struct call srv, c;
	auto_buf struct buf text = BUF_INIT;

	sh_begin(b, &srv, "exec python3 -c 'import socket\n"
			  "s=socket.socket(); s.bind((\"127.0.0.1\",0)); "
			  "s.listen(); print(s.getsockname()[1],flush=True)\n"
			  "c,_=s.accept(); c.send(b\"hello\"); c.close()'",
		 NULL, 0, 0);
	call_until(&srv, &r, "\n");
	msg_add_u16(&text, (uint16_t)atoi(buf_str(&r.out)));
	call_begin(b, &c, FRAME_CONNECT, text.data, text.len);
	char end[FRAME_HEADER], hello[6] = "";
	int fd = -1;
	size_t n = 1;
	assert_int_equal(fd_recv_msg(c.fd, end, sizeof(end), &fd, &n),
			 FRAME_HEADER);
	assert_int_equal(n, 1);
	assert_int_equal(fd_read_full(fd, hello, 5), 5);
	assert_string_equal(hello, "hello");
	close(fd);
	call_close(&c);
	call_finish(&srv, &r);
	result_release(&r);
	/* Now nobody is there. */
	call_begin(b, &c, FRAME_CONNECT, text.data, text.len);
	refused(answer_of(&c), SVM_UNREACHABLE, "port");
}

static void test_agent_files__stats(void **state)
{
	struct call c;

	call_begin(*state, &c, FRAME_STATS, NULL, 0);
	struct answer a = answer_of(&c);
	assert_true(a.end_u32 >= 1);
	done(a);
}

/* With a vanishing peer the worker must not stay. */
static void test_agent_files__lost_peer_ends_the_worker(void **state)
{
	struct box *b = *state;
	int64_t deadline = clock_mono_ns() + SECONDS(10);

	run(b, "truncate -s 1G large");
	for (int i = 0; i < 5; i++) {
		auto_buf struct buf text = BUF_INIT;
		struct frame f;
		struct call c;

		msg_add_str(&text, "/workspace/large");
		msg_add_u64(&text, 0);
		msg_add_u64(&text, UINT64_MAX);
		call_begin(b, &c, FRAME_READ, text.data, text.len);
		assert_true(call_next(&c, &f));
		call_close(&c);
	}
	int n;
	do {
		auto_free struct proc_tree_entry *v = NULL;

		n = proc_tree_list(b->box.pid, &v);
	} while (n > 1 && clock_mono_ns() < deadline);
	assert_int_equal(n, 1); /* the supervisor of the next command */
}

/* A command with the worker's uid may stop it: its caller must hear.  Once
 * is forgiven, more and more is the end. */
/* Wait until the agent has exactly n processes below it. */
static struct proc_tree_entry *await_processes(const struct box *b, int n)
{
	struct proc_tree_entry *v = NULL;

	while (proc_tree_list(b->box.pid, &v) != n)
		free(steal_ptr(&v));
	return v;
}

static void test_agent_files__stopped_workers(void **state)
{
	struct box *b = *state;

	for (int steady = 0; steady < 2; steady++) {
		/* What earlier calls left is on its way out. */
		auto_free struct proc_tree_entry *v = await_processes(b, 0);
		auto_buf struct buf text = BUF_INIT;
		struct pollfd p = { .events = POLLIN };
		struct frame f;
		struct call c;

		msg_add_str(&text, "/workspace/stopped");
		msg_add_u32(&text, 0644);
		msg_add_u32(&text, 0);
		call_begin(b, &c, FRAME_WRITE, text.data, text.len);
		free(v);
		v = await_processes(b, 1);
		p.fd = c.fd;
		do {
			(void)kill(v[0].pid, SIGSTOP);
		} while (steady && poll(&p, 1, 1) == 0);
		if (!steady)
			call_send(&c, FRAME_END, NULL, 0);
		assert_true(call_next(&c, &f) == !steady);
		if (!steady)
			assert_int_equal(f.type, FRAME_FILE);
		call_close(&c);
	}
	run(b, "rm -f .stacyvm-*");
}

#define T(name) cmocka_unit_test(test_agent_files__##name)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(write_then_read),
		T(stopped_workers),
		T(mode_is_stripped),
		T(only_regular_files),
		T(bad_paths),
		T(taken_name_is_told_at_once),
		T(links_stay_inside),
		T(interrupted_write_leaves_nothing),
		T(list),
		T(move),
		T(move_between_file_systems),
		T(delete),
		T(glob),
		T(tar_round_trip),
		T(tar_leaves_out),
		T(tar_of_a_shrinking_file),
		T(hostile_archives),
		T(racing_renamer),
		T(connect),
		T(stats),
		T(lost_peer_ends_the_worker),
	};

	return cmocka_run_group_tests(tests, box_setup, box_teardown);
}
