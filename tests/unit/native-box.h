/* SPDX-License-Identifier: MIT */
/*
 * For tests of the native provider: a private instance, boxes in it, and what
 * must not be left of them.  The test program is its own launcher: main()
 * starts with native_main().
 */
#ifndef SVM_TESTS_NATIVE_BOX_H
#define SVM_TESTS_NATIVE_BOX_H

#include "tests/unit/agent-box.h"

#include <dirent.h>
#include <sys/wait.h>

#include "providers/native/native.h"

#define NATIVE_TEST_SPEC                                           \
	{                                                          \
		.memory_mb = 64, .vcpus = 1, .disk_mb = 32,        \
		.pids = 64, .inodes = 4096,                        \
	}

struct native_env {
	char state[64], instance[17];
	struct provider_host host;
	struct provider *provider;
	size_t mounts; /* of ours, before anything was done */
};

/* Mounts of ours in the namespace we share with everybody: in the state
 * directory, or where a root is put together. */
static inline size_t count_mounts(const char *state_dir)
{
	static const char *const places[] = { " /tmp ", " /tmp/root",
					      " /tmp/.hide", " /tmp/l" };
	auto_buf struct buf b = BUF_INIT;
	size_t n = 0;
	char *p, *line;

	assert_int_equal(fd_slurp_path(AT_FDCWD, "/proc/self/mountinfo",
				       1 << 22, &b), 0);
	for (p = b.data; p && (line = strsep(&p, "\n"));) {
		bool ours = strstr(line, state_dir) != NULL;

		for (size_t i = 0; i < ARRAY_SIZE(places); i++)
			ours |= strstr(line, places[i]) != NULL;
		n += ours;
	}
	return n;
}

static inline void native_reopen(struct native_env *e)
{
	auto_err struct svm_err err = SVM_ERR_INIT;

	if (provider_open(&provider_native_ops, &e->host, &e->provider,
			  &err) < 0)
		fail_msg("not opened: %s", err.msg);
}

/* Skips the test, with the reason, where the host allows no namespaces. */
static inline void native_start(struct native_env *e)
{
	auto_err struct svm_err err = SVM_ERR_INIT;

	*e = (struct native_env){ 0 };
	strcpy(e->state, "/tmp/svm-test-XXXXXX");
	assert_non_null(mkdtemp(e->state));
	e->mounts = count_mounts(e->state);
	rand_hex(e->instance, 16);
	e->host = (struct provider_host){ .state_dir = e->state,
					  .instance_id = e->instance,
					  .self = "/proc/self/exe" };
	if (provider_native_ops.probe(&e->host, NULL, &err) < 0) {
		print_message("skipped: %s\n", err.msg);
		(void)rmdir(e->state);
		skip();
	}
	native_reopen(e);
}

/* Nothing may be left of boxes: directories, id blocks, cgroups, mounts. The
 * provider's own parent cgroup goes with it. */
static inline void native_assert_clean(const struct native_env *e,
				       bool open)
{
	static const char *const dirs[] = { "boxes", "uids" };
	static const char *const tops[] = { "memory", "pids", "cpu", "cpuacct",
					    "cpu,cpuacct", "unified", "." };
	char path[256];

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		snprintf(path, sizeof(path), "%s/%s", e->state, dirs[i]);
		DIR *d = opendir(path);

		for (struct dirent *x; d && (x = readdir(d));)
			if (x->d_name[0] != '.')
				fail_msg("left: %s/%s", path, x->d_name);
		if (d)
			closedir(d);
	}
	for (size_t i = 0; i < ARRAY_SIZE(tops); i++) {
		snprintf(path, sizeof(path),
			 "/sys/fs/cgroup/%s/stacyvm-%s", tops[i], e->instance);
		DIR *d = opendir(path);

		if (d && !open)
			fail_msg("left: %s", path);
		for (struct dirent *x; d && (x = readdir(d));)
			if (strncmp(x->d_name, "sb-", 3) == 0)
				fail_msg("left: %s/%s", path, x->d_name);
		if (d)
			closedir(d);
	}
	assert_int_equal(count_mounts(e->state), e->mounts);
}

static inline void native_stop(struct native_env *e)
{
	provider_close(e->provider);
	native_assert_clean(e, false);
	auto_close int tmp = open("/tmp", O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(path_remove_tree(tmp, e->state + strlen("/tmp/")),
			 0);
}

/* A box of the environment, not yet made. */
static inline void native_box_init(struct native_env *e, struct box *b)
{
	*b = (struct box){ .box = PROVIDER_BOX_INIT };
	strcpy(b->id, "sb-");
	rand_hex(b->id + 3, 8);
	b->box.id = b->id;
	b->host = e->host;
	b->provider = e->provider;
	rand_bytes(b->box.nonce, sizeof(b->box.nonce));
}

static inline int native_try(struct box *b, const struct sandbox_spec *spec,
			     struct svm_err *err)
{
	if (provider_prepare(b->provider, &b->box, spec, err) < 0)
		return -1;
	return provider_create(b->provider, &b->box, spec, err);
}

static inline void native_make(struct native_env *e, struct box *b,
			       const struct sandbox_spec *spec)
{
	auto_err struct svm_err err = SVM_ERR_INIT;

	native_box_init(e, b);
	if (native_try(b, spec, &err) < 0)
		fail_msg("no box: %s", err.msg);
}

static inline bool is_gone(pid_t pid)
{
	char state = proc_state(pid);

	return state == 0 || state == 'Z';
}

static inline void native_unmake(struct box *b)
{
	auto_err struct svm_err err = SVM_ERR_INIT;

	if (provider_destroy(b->provider, &b->box, &err) < 0)
		fail_msg("not destroyed: %s", err.msg);
	if (b->box.pid)
		assert_true(is_gone(b->box.pid));
	provider_box_release(&b->box);
}

/* What a command printed must be this. */
static inline void assert_prints(struct box *b, const char *script,
				 const char *want)
{
	struct result r = sh(b, script);

	if (r.error)
		fail_msg("'%s': %s", script, r.error);
	assert_string_equal(buf_str(&r.out), want);
	result_release(&r);
}

static inline bool native_main(int argc, char **argv, int *ret)
{
	if (argc < 2 || strcmp(argv[1], "__launcher"))
		return false;
	*ret = native_launcher_main(argc - 1, argv + 1);
	return true;
}

#endif
