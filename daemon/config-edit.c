/* SPDX-License-Identifier: MIT */
/* Changing one key of the user's configuration.  See config-edit.h. */
#include "daemon/config-edit.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "daemon/config-internal.h"
#include "lib/api/config-text.h"
#include "lib/api/limits.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "lib/base/path.h"

#define NAME "config.yaml"

struct checking {
	const struct config_source *src;
	int (*check)(const struct config *c, struct svm_err *err);
	const char *name; /* for messages */
	bool by_key;      /* and lines are those of the file */
};

static int check_file(const char *path, const char *text, size_t n,
		      void *data, struct svm_err *err)
{
	const struct checking *k = data;
	struct config_source src = *k->src;
	auto_buf struct buf now = BUF_INIT;
	struct config *c = NULL;

	src.instead = (struct config_instead){ .path = path, .name = k->name,
					       .text = text, .n = n };
	/* It is locked: it stays so. */
	if (k->by_key) {
		(void)fd_slurp_path(AT_FDCWD, path, LIMIT_CONFIG_FILE, &now);
		src.instead.now = buf_str(&now);
		src.instead.n_now = now.len;
	}
	if (config_load(&src, &c, err) < 0)
		return -1;
	int r = k->check ? k->check(c, err) : 0;
	config_free(c);
	return r;
}

/* Where in a file it would stand is nothing to trouble anybody with. */
static int check_value(const char *key, char *const *values,
		       struct svm_err *err)
{
	struct config_load ld = { .c = config_defaults() };

	config_set(&ld, CONFIG_TO_BE_SET, key, values);
	int r = ld.n_problems ? svm_err_set(err, ld.bad ? SVM_BAD_REQUEST :
							  SVM_UNSUPPORTED,
					    "%s", buf_str(&ld.problems)) : 0;
	config_free(ld.c);
	buf_release(&ld.problems);
	return r;
}

int config_edit_check_key(const char *key, struct svm_err *err)
{
	struct config_load ld = { .c = NULL };
	enum config_id id;

	if (config_find(key, &id) || config_is_binding(key))
		return 0;
	if (config_is_later(key))
		return svm_err_set(err, SVM_UNSUPPORTED, "'%.64s' belongs to "
				   "a later version", key);
	config_unknown(&ld, CONFIG_TO_BE_SET, key);
	svm_err_set(err, SVM_BAD_REQUEST, "%s", buf_str(&ld.problems));
	buf_release(&ld.problems);
	return -1;
}

/* Of commands.NAME.run, "[git, log]"; *ret is NULL where it is one word. */
static int read_list(const char *key, const char *value, char ***ret,
		     struct svm_err *err)
{
	*ret = NULL;
	if (!config_is_argv(key) || value[strspn(value, " ")] != '[')
		return 0;
	*ret = config_text_read_list(value);
	return *ret ? 0 : svm_err_set(err, SVM_BAD_REQUEST, CONFIG_TO_BE_SET
				      ": %.64s: '%.64s' is not a list of %d "
				      "words at most, such as "
				      "[git, log, \"{id}\"]", key, value,
				      LIMIT_CONFIG_LIST);
}

int config_edit(const struct config_source *src, const char *key,
		const char *value,
		int (*check)(const struct config *c, struct svm_err *err),
		struct config_change *ret_change, struct svm_err *err)
{
	auto_free char *path = path_join(src->dir, NAME);
	struct checking k = { src, check, path, true };
	char *alone[] = { (char *)(uintptr_t)value, NULL };
	char **list = NULL;
	int r;

	if (!value)
		return config_file_set(path, key, NULL, check_file, &k,
				       ret_change, err);
	if (read_list(key, value, &list, err) < 0)
		return -1;
	r = check_value(key, list ? list : alone, err);
	if (r == 0)
		r = list ? config_file_set_list(path, key, list, check_file,
						&k, ret_change, err) :
			   config_file_set(path, key, value, check_file, &k,
					   ret_change, err);
	strv_free(list);
	return r;
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
	struct checking k = { src, check, NAME, false };

	return config_file_replace(path, before, text, n, check_file, &k, err);
}
