/* SPDX-License-Identifier: MIT */
/*
 * Changing a configuration file: one key at a time, comments and order kept
 * (config-text.h), the whole checked before it counts, replaced atomically.
 *
 *	auto_config_change struct config_change c = CONFIG_CHANGE_INIT;
 *	int r = config_file_set(path, "server.port", "8080", check, data,
 *				&c, &err);
 *	...
 *	config_file_undo(&c, &err);
 *
 * daemon/config-edit.h is this for the daemon's own keys, check included.
 *
 * A link is followed, so the file behind it is the one that changes.  Its
 * mode stays; a new file has 0600, a new directory 0700.  Two programs that
 * change it at once wait for each other (a lock on the directory).
 */
#ifndef SVM_API_CONFIG_FILE_H
#define SVM_API_CONFIG_FILE_H

#include <stddef.h>

#include "lib/base/err.h"

/* Would this text be fine as the file at `path`?  -1 with err if not. */
typedef int config_check_fn(const char *path, const char *text, size_t n,
			    void *data, struct svm_err *err);

/* What was done, to undo it. */
struct config_change {
	char *path;           /* owned */
	char *before, *after; /* texts, owned; before is NULL: no file */
};
#define CONFIG_CHANGE_INIT { NULL, NULL, NULL }
#define auto_config_change CLEANUP(config_change_release)
void config_change_release(struct config_change *c);

/*
 * Set `key`, or take it out (value NULL).  `check` may be NULL, ret_change
 * too.  1: changed; 0: it was so already, nothing was written; -1 with err,
 * and the file is as it was.
 */
int config_file_set(const char *path, const char *key, const char *value,
		    config_check_fn *check, void *data,
		    struct config_change *ret_change, struct svm_err *err);

/* The same with a list. */
int config_file_set_list(const char *path, const char *key,
			 char *const *items, config_check_fn *check,
			 void *data, struct config_change *ret_change,
			 struct svm_err *err);

/* The whole text, in place of `before` ("": no file, or an empty one);
 * CONFLICT when it is not that any more. */
int config_file_replace(const char *path, const char *before, const char *text,
			size_t n, config_check_fn *check, void *data,
			struct svm_err *err);

/* Put back the text of before; CONFLICT when somebody changed it since. */
int config_file_undo(const struct config_change *c, struct svm_err *err);

#endif
