/* SPDX-License-Identifier: MIT */
/* The native provider: boxes come, are found again, and go without a trace. */
#include "tests/unit/native-box.h"

#include <poll.h>
#include <pthread.h>

#include "lib/base/clock.h"

static const struct sandbox_spec small = NATIVE_TEST_SPEC;

static void test_native__create_and_destroy(void **state)
{
	auto_free char *want = NULL;
	struct native_env e;
	struct box b;

	(void)state;
	native_start(&e);
	native_make(&e, &b, &small);
	assert_true(b.box.pid > 0 && b.box.start_time > 0);
	assert_true(b.box.pidfd >= 0);
	assert_true(b.box.timings.clone > 0 && b.box.timings.mounts > 0 &&
		    b.box.timings.agent > 0);
	want = xasprintf("1000\n%s\n/home/user\n/workspace\n", b.id);
	assert_prints(&b, "id -u; hostname; echo $HOME; pwd", want);
	assert_prints(&b, "for d in / /tmp /workspace /app /home/user "
			  "/dev/shm; do touch $d/x && echo ok; done",
		      "ok\nok\nok\nok\nok\nok\n");
	native_unmake(&b);
	native_stop(&e);
}

static void test_native__posture_is_read_back(void **state)
{
	static const char *const want[] = {
		"\"seccomp\":\"filter\"",	 "\"no_new_privs\":true",
		"\"user_namespace\":true",	 "\"pid_namespace\":true",
		"\"mount_namespace\":true",	 "\"network_namespace\":true",
		"\"ipc_namespace\":true",	 "\"cgroup_namespace\":true",
		"\"disk\":\"limited\"",
		/* KILL, SETGID, SETUID, SETPCAP and no other */
		"\"agent_capabilities\":\"00000000000001e0\"",
		"\"agent_bounding_set\":\"00000000000001e0\"",
	};
	struct native_env e;
	struct box b;

	(void)state;
	native_start(&e);
	native_make(&e, &b, &small);
	for (size_t i = 0; i < ARRAY_SIZE(want); i++)
		if (!strstr(b.box.posture, want[i]))
			fail_msg("no %s in %s", want[i], b.box.posture);
	native_unmake(&b);
	native_stop(&e);
}

static void test_native__read_only_root(void **state)
{
	struct sandbox_spec spec = small;
	struct native_env e;
	struct box b;

	(void)state;
	spec.read_only_rootfs = true;
	native_start(&e);
	native_make(&e, &b, &spec);
	assert_prints(&b, "touch /x /etc/x 2>/dev/null || echo refused; "
			  "touch /tmp/x /workspace/x /app/x ~/x && echo ok",
		      "refused\nok\n");
	native_unmake(&b);
	native_stop(&e);
}

static void test_native__environment(void **state)
{
	char *env[] = { (char[]){ "A=1" }, (char[]){ "LANG=C" }, NULL };
	char *image_env[] = { (char[]){ "A=0" }, (char[]){ "B=2" }, NULL };
	struct sandbox_spec spec = small;
	struct native_env e;
	struct box b;

	(void)state;
	spec.env = env;
	spec.image_env = image_env;
	native_start(&e);
	native_make(&e, &b, &spec);
	assert_prints(&b, "echo $A $B $LANG $USER", "1 2 C user\n");
	native_unmake(&b);
	native_stop(&e);
}

static void test_native__adopt(void **state)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct native_env e;
	struct box b;

	(void)state;
	native_start(&e);
	native_make(&e, &b, &small);
	assert_prints(&b, "echo kept >/tmp/f", "");
	provider_close(e.provider); /* and its launcher with it */
	fd_close(steal_fd(&b.box.pidfd));
	native_reopen(&e);
	b.provider = e.provider;

	b.box.start_time++;
	assert_int_equal(provider_adopt(b.provider, &b.box, &err), -1);
	assert_int_equal(err.code, SVM_NOT_FOUND);
	svm_err_release(&err);
	b.box.start_time--;
	assert_int_equal(provider_adopt(b.provider, &b.box, &err), 0);
	assert_true(b.box.pidfd >= 0);
	assert_prints(&b, "cat /tmp/f", "kept\n");
	native_unmake(&b);
	native_stop(&e);
}

/* A daemon that died between clone and commit knows the record only. */
static void test_native__destroy_by_record(void **state)
{
	struct native_env e;
	struct box b;

	(void)state;
	native_start(&e);
	native_make(&e, &b, &small);
	pid_t pid = b.box.pid;
	provider_close(e.provider);
	fd_close(steal_fd(&b.box.pidfd));
	b.box.pid = 0;
	b.box.start_time = 0;
	native_reopen(&e);
	b.provider = e.provider;
	assert_false(is_gone(pid));
	native_unmake(&b);
	assert_true(is_gone(pid));
	native_stop(&e);
}

static void test_native__destroy_is_idempotent(void **state)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct native_env e;
	struct box b, never;

	(void)state;
	native_start(&e);
	native_box_init(&e, &never);
	assert_int_equal(provider_prepare(e.provider, &never.box, &small,
					  &err), 0);
	native_make(&e, &b, &small);
	assert_int_equal(provider_destroy(b.provider, &b.box, &err), 0);
	native_unmake(&b);
	native_unmake(&never); /* prepared, never made */
	native_stop(&e);
}

static void test_native__failure_leaves_nothing(void **state)
{
	char *layers[] = { (char[]){ "/nowhere/at/all" }, NULL };
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct sandbox_spec spec = small;
	struct native_env e;
	struct box b;

	(void)state;
	spec.rootfs = SPEC_ROOTFS_LAYERS;
	spec.layers = layers;
	native_start(&e);
	native_box_init(&e, &b);
	assert_int_equal(native_try(&b, &spec, &err), -1);
	if (!strstr(err.msg, "No such file"))
		fail_msg("%s", err.msg);
	assert_int_equal(b.box.pid, 0);
	native_assert_clean(&e, true);
	provider_box_release(&b.box);
	native_stop(&e);
}

static void test_native__other_networks_are_unsupported(void **state)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct sandbox_spec spec = small;
	struct native_env e;
	struct box b;

	(void)state;
	spec.network = SPEC_NETWORK_BRIDGE;
	native_start(&e);
	native_box_init(&e, &b);
	assert_int_equal(native_try(&b, &spec, &err), -1);
	assert_int_equal(err.code, SVM_UNSUPPORTED);
	provider_box_release(&b.box);
	native_stop(&e);
}

/* Our launcher: the child whose second argument says so. */
static pid_t find_launcher(void)
{
	DIR *d = opendir("/proc");
	pid_t found = 0;

	for (struct dirent *x; d && (x = readdir(d));) {
		auto_buf struct buf line = BUF_INIT, stat = BUF_INIT;
		char path[300];
		int ppid = 0;

		snprintf(path, sizeof(path), "/proc/%s/cmdline", x->d_name);
		if (fd_slurp_path(AT_FDCWD, path, 4096, &line) < 0 ||
		    !line.len ||
		    strcmp(line.data + strlen(line.data) + 1, "__launcher"))
			continue;
		snprintf(path, sizeof(path), "/proc/%s/stat", x->d_name);
		if (fd_slurp_path(AT_FDCWD, path, 4096, &stat) < 0)
			continue;
		sscanf(strrchr(buf_str(&stat), ')'), ") %*c %d", &ppid);
		if (ppid == getpid())
			found = (pid_t)atol(x->d_name);
	}
	closedir(d);
	return found;
}

static void test_native__launcher_dies(void **state)
{
	struct native_env e;
	struct box a, b;

	(void)state;
	native_start(&e);
	native_make(&e, &a, &small);
	pid_t launcher = find_launcher();
	assert_true(launcher > 0);
	auto_close int fd = proc_open_pidfd(launcher,
					    proc_start_time(launcher));
	assert_int_equal(proc_pidfd_kill(fd, SIGKILL), 0);
	assert_int_equal(proc_pidfd_wait(fd, PATIENCE_MS), 0);
	assert_prints(&a, "echo alive", "alive\n");
	native_make(&e, &b, &small);
	assert_prints(&b, "echo alive", "alive\n");
	assert_int_not_equal(find_launcher(), launcher);
	native_unmake(&a);
	native_unmake(&b);
	native_stop(&e);
}

static size_t entries(DIR *d)
{
	size_t n = 0;

	rewinddir(d);
	while (readdir(d))
		n++;
	return n;
}

/* A launcher holds nothing of the boxes it made, soon after they answer. */
static void test_native__launcher_keeps_no_descriptors(void **state)
{
	struct native_env e;
	struct box b[3];
	char path[64];

	(void)state;
	native_start(&e);
	snprintf(path, sizeof(path), "/proc/%d/fd", (int)find_launcher());
	DIR *d = opendir(path);
	if (!d) {
		native_stop(&e);
		print_message("skipped: can't look into the launcher\n");
		skip();
	}
	size_t before = entries(d);
	int64_t end = clock_boot_ns() + PATIENCE_MS * INT64_C(1000000);

	for (size_t i = 0; i < ARRAY_SIZE(b); i++)
		native_make(&e, &b[i], &small);
	while (entries(d) != before && clock_boot_ns() < end)
		(void)poll(NULL, 0, 1);
	assert_int_equal(entries(d), before);
	closedir(d);
	for (size_t i = 0; i < ARRAY_SIZE(b); i++)
		native_unmake(&b[i]);
	native_stop(&e);
}

static void test_native__sweep_spares_the_known(void **state)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct native_env e, other;
	struct box known, stray, foreign;

	(void)state;
	native_start(&e);
	native_start(&other);
	native_make(&e, &known, &small);
	native_make(&e, &stray, &small);
	native_make(&other, &foreign, &small);
	char *ids[] = { known.id, NULL };
	assert_int_equal(provider_sweep(e.provider, ids, &err), 0);
	assert_true(is_gone(stray.box.pid));
	assert_prints(&known, "echo alive", "alive\n");
	assert_prints(&foreign, "echo alive", "alive\n");
	native_unmake(&stray);
	native_unmake(&known);
	native_unmake(&foreign);
	/* The other's instance is expected to differ in mounts by nothing. */
	native_stop(&other);
	native_stop(&e);
}

struct spawner {
	struct native_env *e;
	pthread_t thread;
	const char *failed; /* cmocka can't fail on another thread */
};

static void *spawn_some(void *arg)
{
	struct spawner *s = arg;

	for (int i = 0; i < 5 && !s->failed; i++) {
		struct svm_err err = SVM_ERR_INIT;
		struct box b;

		native_box_init(s->e, &b);
		if (provider_create(s->e->provider, &b.box, &small, &err) == 0)
			s->failed = "made without prepare()";
		svm_err_release(&err);
		provider_box_release(&b.box);
	}
	return NULL;
}

static void *make_some(void *arg)
{
	struct box *b = arg;
	struct svm_err err = SVM_ERR_INIT;

	if (provider_create(b->provider, &b->box, &small, &err) < 0)
		return err.msg;
	return NULL;
}

static void test_native__many_at_once(void **state)
{
	struct native_env e;
	struct box b[8];
	pthread_t threads[ARRAY_SIZE(b)];
	struct spawner bad = { .e = &e };

	(void)state;
	native_start(&e);
	for (size_t i = 0; i < ARRAY_SIZE(b); i++) {
		auto_err struct svm_err err = SVM_ERR_INIT;

		native_box_init(&e, &b[i]);
		assert_int_equal(provider_prepare(e.provider, &b[i].box,
						  &small, &err), 0);
	}
	pthread_create(&bad.thread, NULL, spawn_some, &bad);
	for (size_t i = 0; i < ARRAY_SIZE(b); i++)
		pthread_create(&threads[i], NULL, make_some, &b[i]);
	for (size_t i = 0; i < ARRAY_SIZE(b); i++) {
		void *failed;

		pthread_join(threads[i], &failed);
		if (failed)
			fail_msg("%s", (char *)failed);
	}
	pthread_join(bad.thread, NULL);
	assert_null(bad.failed);
	for (size_t i = 0; i < ARRAY_SIZE(b); i++)
		native_unmake(&b[i]);
	native_stop(&e);
}

/* An image that is out to get us, looked at through the file API (it has no
 * program to run). */
static void make_layers(char *dir, char **top, char **bottom)
{
	static const struct { const char *target, *link; } links[] = {
		{ "/nowhere", "top/dev" },     { "/etc", "top/app" },
		{ "../../../../tmp", "top/workspace" },
		{ "/data", "top/proc" },       { "/dev/null", "top/etc/hosts" },
	};
	static const char *const dirs[] = { "top", "top/etc", "bottom",
					    "bottom/data" };

	strcpy(dir, "/tmp/svm-layers-XXXXXX");
	assert_non_null(mkdtemp(dir));
	auto_close int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(fchmodat(fd, ".", 0755, 0), 0);
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		assert_int_equal(mkdirat(fd, dirs[i], 0755), 0);
		assert_int_equal(fchmodat(fd, dirs[i], 0755, 0), 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		assert_int_equal(symlinkat(links[i].target, fd,
					   links[i].link), 0);
	auto_close int file = openat(fd, "bottom/etc-free",
				     O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	assert_int_equal(fd_write_full(file, "lower", 5), 0);
	*top = path_join(dir, "top");
	*bottom = path_join(dir, "bottom");
}

static void test_native__hostile_layers(void **state)
{
	auto_free char *top = NULL, *bottom = NULL;
	struct sandbox_spec spec = small;
	struct native_env e;
	struct box b;
	char dir[64];

	(void)state;
	make_layers(dir, &top, &bottom);
	char *layers[] = { top, bottom, NULL };
	spec.rootfs = SPEC_ROOTFS_LAYERS;
	spec.layers = layers;
	native_start(&e);
	native_make(&e, &b, &spec);
	struct answer a = file_get(&b, "/etc-free");
	assert_string_equal(buf_str(&a.data), "lower");
	answer_release(&a);
	a = file_get(&b, "/etc/hosts");
	assert_non_null(strstr(buf_str(&a.data), "localhost"));
	answer_release(&a);
	a = file_get(&b, "/etc/passwd");
	assert_non_null(strstr(buf_str(&a.data), "user:x:1000:1000"));
	answer_release(&a);
	a = file_put(&b, "/workspace/mine", 0644, "x", 1);
	assert_true(a.ended && !a.code);
	answer_release(&a);
	/* /app was a link to /etc: that must not have become the user's. */
	a = file_put(&b, "/etc/mine", 0644, "x", 1);
	assert_int_not_equal(a.code, 0);
	answer_release(&a);
	native_unmake(&b);
	native_stop(&e);
	auto_close int tmp = open("/tmp", O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(access("/tmp/mine", F_OK), -1);
	assert_int_equal(path_remove_tree(tmp, dir + strlen("/tmp/")), 0);
}

/* A tmpfs is memory: where nothing counts it, it may not be had at will. */
static void test_native__tmpfs_without_controller(void **state)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct sandbox_spec spec = small;
	struct native_env e;
	struct box b;

	(void)state;
	native_start(&e);
	native_make(&e, &b, &small);
	bool limited = !strstr(b.box.posture, "\"limits\":\"best effort\"");
	native_unmake(&b);
	if (limited) {
		native_stop(&e);
		print_message("skipped: this host lets us limit memory\n");
		skip();
	}
	spec.disk_mb = LIMIT_DISK_MB;
	native_box_init(&e, &b);
	assert_int_equal(native_try(&b, &spec, &err), -1);
	assert_int_equal(err.code, SVM_RESOURCE_LIMIT);
	assert_non_null(err.hint);
	provider_box_release(&b.box);
	native_stop(&e);
}

static void test_native__stats(void **state)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct provider_stats s;
	struct native_env e;
	struct box b;

	(void)state;
	native_start(&e);
	native_make(&e, &b, &small);
	assert_prints(&b, "head -c 8388608 /dev/zero >/tmp/f", "");
	assert_int_equal(provider_box_stats(e.provider, &b.box, &s, &err), 0);
	if (s.supported) {
		/* As asked for, without the tmpfs that is charged too. */
		assert_int_equal(s.mem_limit_bytes,
				 (uint64_t)small.memory_mb << 20);
		/* The agent; what ran the command may still be leaving. */
		assert_true(s.pids >= 1 && s.pids <= 3);
		assert_true(s.mem_bytes > 0 && s.mem_bytes < (8u << 20));
		assert_true(s.disk_bytes >= (8u << 20) &&
			    s.disk_bytes < (9u << 20));
	}
	native_unmake(&b);
	native_stop(&e);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_native__create_and_destroy),
		cmocka_unit_test(test_native__posture_is_read_back),
		cmocka_unit_test(test_native__read_only_root),
		cmocka_unit_test(test_native__environment),
		cmocka_unit_test(test_native__adopt),
		cmocka_unit_test(test_native__destroy_by_record),
		cmocka_unit_test(test_native__destroy_is_idempotent),
		cmocka_unit_test(test_native__failure_leaves_nothing),
		cmocka_unit_test(test_native__other_networks_are_unsupported),
		cmocka_unit_test(test_native__launcher_dies),
		cmocka_unit_test(test_native__launcher_keeps_no_descriptors),
		cmocka_unit_test(test_native__sweep_spares_the_known),
		cmocka_unit_test(test_native__many_at_once),
		cmocka_unit_test(test_native__hostile_layers),
		cmocka_unit_test(test_native__tmpfs_without_controller),
		cmocka_unit_test(test_native__stats),
	};
	int ret;

	if (native_main(argc, argv, &ret))
		return ret;
	return cmocka_run_group_tests_name("provider-native", tests, NULL,
					   NULL);
}
