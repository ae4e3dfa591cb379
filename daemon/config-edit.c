/* SPDX-License-Identifier: MIT */
/* Changing one key of the user's configuration.  See config-edit.h. */
#include "daemon/config-edit.h"

#include <errno.h>
#include <fcntl.h>

#include "daemon/config-internal.h"
#include "lib/api/limits.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "lib/base/path.h"

#define NAME "config.yaml"

struct checking {
	const struct config_source *src;
	int (*check)(const struct config *c, struct svm_err *err);
	const char *name; /* for messages */
};

static int check_file(const char *path, const char *text, size_t n,
		      void *data, struct svm_err *err)
{
	const struct checking *k = data;
	struct config_source src = *k->src;
	struct config *c = NULL;

	src.instead = (struct config_instead){ path, k->name, text, n };
	if (config_load(&src, &c, err) < 0)
		return -1;
	int r = k->check ? k->check(c, err) : 0;
	config_free(c);
	return r;
}

/* Where in a file it would stand is nothing to trouble anybody with. */
static int check_value(const char *key, const char *value,
		       struct svm_err *err)
{
	char *values[] = { (char *)(uintptr_t)value, NULL };
	struct config_load ld = { .c = config_defaults() };

	config_set(&ld, "cannot set", key, values);
	int r = ld.n_problems ? svm_err_set(err, ld.bad ? SVM_BAD_REQUEST :
							  SVM_UNSUPPORTED,
					    "%s", buf_str(&ld.problems)) : 0;
	config_free(ld.c);
	buf_release(&ld.problems);
	return r;
}

int config_edit(const struct config_source *src, const char *key,
		const char *value,
		int (*check)(const struct config *c, struct svm_err *err),
		struct config_change *ret_change, struct svm_err *err)
{
	auto_free char *path = path_join(src->dir, NAME);
	struct checking k = { src, check, path };

	if (value && check_value(key, value, err) < 0)
		return -1;
	return config_file_set(path, key, value, check_file, &k, ret_change,
			       err);
}

int config_edit_read(const struct config_source *src, struct buf *ret,
		     struct svm_err *err)
{
	auto_free char *path = path_join(src->dir, NAME);
	int r = fd_slurp_path(AT_FDCWD, path, LIMIT_CONFIG_FILE, ret);

	return r < 0 && r != -ENOENT ?
		       svm_err_sys(err, SVM_FORBIDDEN, r, "read '%s'", path) :
		       0;
}

int config_edit_text(const struct config_source *src, const char *before,
		     const char *text, size_t n,
		     int (*check)(const struct config *c, struct svm_err *err),
		     struct svm_err *err)
{
	auto_free char *path = path_join(src->dir, NAME);
	struct checking k = { src, check, NAME };

	return config_file_replace(path, before, text, n, check_file, &k, err);
}
