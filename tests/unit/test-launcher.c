/* SPDX-License-Identifier: MIT */
/*
 * The launcher against a daemon that lies: whatever is not exactly a request
 * is refused, nothing happens, and the next one is heard.
 */
#include "tests/unit/native-box.h"

#include <sys/socket.h>

#include "lib/base/proc.h"
#include "providers/native/launch.h"

struct talk {
	int sock, pidfd;
	char dir[32];
	int dirfd;
};

static void hear(struct talk *t, struct launch_reply *reply)
{
	int fds[FD_PASS_MAX];
	size_t n = FD_PASS_MAX;

	assert_int_equal(fd_recv_msg(t->sock, reply, sizeof(*reply), fds, &n),
			 sizeof(*reply));
	while (n)
		fd_close(fds[--n]);
}

static void start(struct talk *t)
{
	char *argv[] = { (char *)"/proc/self/exe", (char *)"__launcher",
			 (char *)native_mode_name(NATIVE_SINGLE),
			 (char *)"0123456789abcdef", NULL };
	const struct timeval patience = { 20, 0 };
	char *env[] = { NULL };
	struct launch_reply reply;
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
				    pair), 0);
	t->sock = pair[0];
	assert_int_equal(setsockopt(t->sock, SOL_SOCKET, SO_RCVTIMEO,
				    &patience, sizeof(patience)), 0);
	const int fds[4] = { -1, -1, 2, pair[1] };
	assert_true(proc_spawn(argv, env, fds, 4, 0, &t->pidfd) > 0);
	close(pair[1]);
	hear(t, &reply);
	assert_int_equal(reply.op, LAUNCH_READY);
	assert_int_equal(reply.sys_errno, 0);
	strcpy(t->dir, "/tmp/svm-launch-XXXXXX");
	assert_non_null(mkdtemp(t->dir));
	t->dirfd = open(t->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(t->dirfd >= 0);
}

/* It ends with us, and not before. */
static void stop(struct talk *t)
{
	assert_int_equal(proc_pidfd_wait(t->pidfd, 0), -ETIMEDOUT);
	close(t->sock);
	assert_int_equal(proc_pidfd_wait(t->pidfd, PATIENCE_MS), 0);
	assert_true(waitpid(-1, NULL, 0) > 0);
	close(t->pidfd);
	close(t->dirfd);
	assert_int_equal(rmdir(t->dir), 0);
}

static int request(struct talk *t, const struct launch_request *q, size_t n,
		   size_t nfds)
{
	int fds[FD_PASS_MAX];
	struct launch_reply reply;

	for (size_t i = 0; i < nfds; i++)
		fds[i] = t->dirfd;
	assert_int_equal(fd_send_msg(t->sock, q, n, fds, nfds), n);
	hear(t, &reply);
	return reply.sys_errno;
}

static void test_launcher__creates_nothing_odd(void **state)
{
	static const struct {
		const char *id;
		uint32_t op, flags, disk_mb, text_len;
		uint64_t inodes;
		int more; /* bytes than there should be */
		size_t fds;
	} cases[] = {
		{ "", 2, 0, 1, 0, 1, 0, 1 },
		{ "../x", 2, 0, 1, 0, 1, 0, 1 },
		{ "a/b", 2, 0, 1, 0, 1, 0, 1 },
		{ "SB-1", 2, 0, 1, 0, 1, 0, 1 },
		{ "sixteen-bytes-id", 2, 0, 1, 0, 1, 0, 1 }, /* no NUL */
		{ "sb-1", 99, 0, 1, 0, 1, 0, 1 },
		{ "sb-1", 2, 0, 0, 0, 1, 0, 1 },
		{ "sb-1", 2, 0, LIMIT_DISK_MB + 1, 0, 1, 0, 1 },
		{ "sb-1", 2, 0, 1, 0, 0, 0, 1 },
		{ "sb-1", 2, 0, 1, 4, 1, 0, 1 },
		{ "sb-1", 2, 0, 1, UINT32_MAX, 1, 0, 1 },
		{ "sb-1", 2, 0, 1, 0, 1, 7, 1 },
		{ "sb-1", 2, 0, 1, 0, 1, -4, 1 },
		{ "sb-1", 2, LAUNCH_LAYERS, 1, 0, 1, 0, 1 },
		{ "sb-1", 2, LAUNCH_CGROUP2, 1, 0, 1, 0, 1 },
		{ "sb-1", 2, 0, 1, 0, 1, 0, 0 },
		{ "sb-1", 2, 0, 1, 0, 1, 0, 2 + LAUNCH_TASKS_MAX },
	};
	struct talk t;

	(void)state;
	start(&t);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct launch_request q = {
			.op = cases[i].op, .flags = cases[i].flags,
			.disk_mb = cases[i].disk_mb, .inodes = cases[i].inodes,
			.text_len = cases[i].text_len,
		};
		size_t n = LAUNCH_REQUEST_HEAD + (size_t)cases[i].more;

		memcpy(q.id, cases[i].id, strnlen(cases[i].id, 16));
		if (request(&t, &q, n, cases[i].fds) != EINVAL)
			fail_msg("case %zu was not refused", i);
	}
	stop(&t);
}

static void test_launcher__removes_boxes_only(void **state)
{
	static const char *const odd[] = { "", ".", "..", "a/b", "KEEP",
					   "keep.me", "a\nb" };
	struct launch_request q = { .op = LAUNCH_REMOVE };
	struct talk t;

	(void)state;
	start(&t);
	assert_int_equal(mkdirat(t.dirfd, "KEEP", 0700), 0);
	assert_int_equal(mkdirat(t.dirfd, "keep.me", 0700), 0);
	assert_int_equal(mkdirat(t.dirfd, "sb-1", 0700), 0);
	for (size_t i = 0; i < ARRAY_SIZE(odd); i++) {
		snprintf(q.id, sizeof(q.id), "%s", odd[i]);
		if (request(&t, &q, LAUNCH_REQUEST_HEAD, 1) != EINVAL)
			fail_msg("'%s' was not refused", odd[i]);
	}
	memcpy(q.id, "sixteen-bytes-id", 16);
	assert_int_equal(request(&t, &q, LAUNCH_REQUEST_HEAD, 1), EINVAL);
	snprintf(q.id, sizeof(q.id), "sb-1");
	assert_int_equal(request(&t, &q, LAUNCH_REQUEST_HEAD, 0), EINVAL);
	assert_int_equal(request(&t, &q, LAUNCH_REQUEST_HEAD, 2), EINVAL);
	assert_int_equal(request(&t, &q, LAUNCH_REQUEST_HEAD - 1, 1), EINVAL);
	assert_int_equal(request(&t, &q, 3, 1), EINVAL);
	assert_int_equal(faccessat(t.dirfd, "sb-1", F_OK, 0), 0);
	assert_int_equal(request(&t, &q, LAUNCH_REQUEST_HEAD, 1), 0);
	assert_int_equal(faccessat(t.dirfd, "sb-1", F_OK, 0), -1);
	assert_int_equal(unlinkat(t.dirfd, "KEEP", AT_REMOVEDIR), 0);
	assert_int_equal(unlinkat(t.dirfd, "keep.me", AT_REMOVEDIR), 0);
	stop(&t);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_launcher__creates_nothing_odd),
		cmocka_unit_test(test_launcher__removes_boxes_only),
	};
	int ret;

	if (native_main(argc, argv, &ret))
		return ret;
	return cmocka_run_group_tests_name("launcher", tests, NULL, NULL);
}
