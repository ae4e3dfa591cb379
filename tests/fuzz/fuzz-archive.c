/* SPDX-License-Identifier: MIT */
/*
 * Import of images: one layer's tar stream unpacked into a directory, and the
 * JSON of an archive turned into a plan.  Whatever the bytes, nothing beside
 * the directory changes and no name in the plan leaves the archive.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/image/libarchive.h"
#include "daemon/image/unpack.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "lib/base/path.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *data;
	size_t size;
};

static ssize_t read_input(struct archive *a, void *data, const void **ret)
{
	struct input *in = data;
	size_t n = in->size;

	(void)a;
	*ret = in->data;
	in->size = 0;
	return (ssize_t)n;
}

static char *place; /* of the world */

static void end_of_the_world(void)
{
	auto_free char *secret = path_join(place, "secret");

	rmdir(secret);
	rmdir(place);
	free(place);
}

/* A directory with a neighbour that must stay as it is. */
static int world(void)
{
	static int base = -1;
	const char *tmp = getenv("TMPDIR");

	if (base >= 0)
		return base;
	place = xasprintf("%s/fuzz-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(place) || atexit(end_of_the_world) != 0)
		abort();
	base = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (base < 0 || mkdirat(base, "secret", 0700) < 0)
		abort();
	return base;
}

static void check_outside(int base)
{
	struct stat st;

	if (fstatat(base, "secret", &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISDIR(st.st_mode) || (st.st_mode & 07777) != 0700 ||
	    st.st_nlink != 2 || faccessat(base, "evil", F_OK, 0) == 0)
		abort();
}

static void try_layer(const uint8_t *data, size_t size)
{
	struct unpack_budget budget = { .max_bytes = 1 << 20,
					.max_entries = 1000,
					.ratio_floor = 1 << 20 };
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct input in = { data, size };
	struct archive *a = la.archive_read_new();
	int base = world(), rootfd;

	if (mkdirat(base, "root", 0700) < 0)
		abort();
	rootfd = openat(base, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	la.archive_read_support_format_empty(a);
	la.archive_read_support_format_tar(a);
	if (la.archive_read_open(a, &in, NULL, read_input, NULL) == ARCHIVE_OK)
		(void)layer_unpack(a, rootfd, 0, &budget, &err);
	la.archive_read_free(a);
	close(rootfd);
	check_outside(base);
	if (path_remove_tree(base, "root") < 0)
		abort();
}

static void try_plan(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "manifest.json", "index.json",
					     "config.json" };
	struct plan_docs docs = PLAN_DOCS_INIT;
	struct plan plan = PLAN_INIT;
	auto_err struct svm_err err = SVM_ERR_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(names) && !err.code; i++)
		(void)plan_docs_add(&docs, names[i], NULL,
				    xmemdup(data, size), size,
				    &err);
	svm_err_release(&err);
	if (plan_make(&docs, &plan, &err) == 0)
		for (size_t i = 0; i < plan.n; i++)
			if (plan.layers[i].name &&
			    strstr(plan.layers[i].name, "../"))
				abort();
	plan_release(&plan);
	plan_docs_release(&docs);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_err struct svm_err err = SVM_ERR_INIT;

	if (!la.archive_read_new && libarchive_load(&err) < 0) {
		fprintf(stderr, "%s\n", err.msg);
		exit(2);
	}
	try_layer(data, size);
	try_plan(data, size);
	return 0;
}
