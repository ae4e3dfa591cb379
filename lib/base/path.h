/* SPDX-License-Identifier: MIT */
/*
 * Paths as text, and directories of our own on the host.
 *
 * A sandbox path is absolute, at most 4096 bytes, components at most 255, no
 * NUL; other bytes are data.  ".." is never resolved textually: only the
 * kernel knows where a link leads.
 */
#ifndef SVM_BASE_PATH_H
#define SVM_BASE_PATH_H

#include <stddef.h>
#include <sys/types.h>

#include "lib/base/err.h"

/* BAD_REQUEST with the reason.  n carries the length, so NUL is seen. */
int path_validate(const char *path, size_t n, struct svm_err *err);

/* "DIR/name", owned. */
char *path_join(const char *dir, const char *name);

/* mkdir -p of an absolute path, parents with 0700 and the last component with
 * `mode`, and the one that can't be made is named; then the last component
 * must be a directory of ours (lstat: no link, our uid, no group or other
 * write, and with 0700 no access for others). */
int path_make_private_dir(const char *path, mode_t mode, struct svm_err *err);

/* Remove a tree below dirfd/name, of any depth: never follows a link, never
 * leaves the file system (-EXDEV at a mount).  Missing is fine.  -errno.
 * Refuses "", ".", "..", and anything with a slash. */
int path_remove_tree(int dirfd, const char *name);

#endif
