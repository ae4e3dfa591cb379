/* SPDX-License-Identifier: MIT */
/*
 * Changing the user's configuration file by one key, as `stacyvm config set`
 * and the dashboard's settings do.
 */
#ifndef SVM_DAEMON_CONFIG_EDIT_H
#define SVM_DAEMON_CONFIG_EDIT_H

#include "lib/api/config-file.h"
#include "lib/base/buf.h"
#include "lib/base/err.h"

struct config;
struct config_source;

/*
 * Set `key` of src->dir's config.yaml, or take it out (value NULL).  First
 * the value is checked alone ("cannot set: ui.theme: 'x' is not one of ..."),
 * then the whole configuration as src would load it with the new file, then
 * `check` (may be NULL) is asked.  Returns as config_file_set() does.
 * Of commands.NAME.run, "[git, log]" is a list.
 */
int config_edit(const struct config_source *src, const char *key,
		const char *value,
		int (*check)(const struct config *c, struct svm_err *err),
		struct config_change *ret_change, struct svm_err *err);

/* Is there such a key?  Which action one of keys.* or what part of a command
 * it means is not known here. */
int config_edit_check_key(const char *key, struct svm_err *err);

/* The text of that file, "" without one, however bad it is. */
int config_edit_read(const struct config_source *src, struct buf *ret,
		     struct svm_err *err);

/* The whole text of that file, checked in the same way; see
 * config_file_replace().  What is wrong in it is told of "config.yaml:LINE":
 * it stands in no file yet that has a path to be named. */
int config_edit_text(const struct config_source *src, const char *before,
		     const char *text, size_t n,
		     int (*check)(const struct config *c, struct svm_err *err),
		     struct svm_err *err);

#endif
