/* SPDX-License-Identifier: MIT */
/* Which sandbox is meant, and the paths of its routes. */
#ifndef SVM_CLI_SANDBOX_H
#define SVM_CLI_SANDBOX_H

#include "cli/cmd.h"
#include "lib/base/buf.h"

/*
 * For reading: a full id is taken as it is (no round trip), an exact name or
 * the unique beginning of an id is looked up.  The id, owned; NULL with
 * NOT_FOUND, or CONFLICT naming the candidates.
 */
char *sandbox_resolve(struct cli *cli, const char *text, struct svm_err *err);

/* "/api/v1/sandboxes/ID" + suffix, everything encoded but the suffix.
 * Owned. */
char *sandbox_path(const char *id, const char *suffix);

/* What one uses couldn't be asked for: because of the daemon, not of that one
 * alone, which has no figures then. */
bool sandbox_stats_lost(const struct svm_err *err);

/* PATCH the sandbox that is meant, as for reading; *ret is what it is now. */
int sandbox_change(struct cli *cli, const char *text, const struct buf *body,
		   struct buf *ret, struct svm_err *err);

/* Append "&key=value" or "?key=value", encoded. */
void query_add(struct buf *target, const char *key, const char *value);

/* Split "ID:/path": the id part, owned, and *ret_path into text.  NULL when
 * it is no such thing.  ":/path" is in the console's sandbox. */
char *sandbox_split(const struct cli *cli, const char *text,
		    const char **ret_path);

/* The arguments of a command, with the console's sandbox (if one is in use)
 * where "." stands for it, or where a sandbox is wanted and there is an
 * argument too few; but what destroys must be told.  argv has room for one
 * more.  Returns how many there are now. */
int sandbox_fill_in(struct cli *cli, int argc, char **argv);

/* Where relative paths in a sandbox count from: the console's directory in
 * the one that is in use, else NULL for /workspace. */
const char *sandbox_dir(const struct cli *cli, const char *id);

/* A path as the sandbox sees it: a relative one made absolute, "" is the
 * directory and a slash.  Owned. */
char *sandbox_abs_path(const struct cli *cli, const char *id,
		       const char *path);

#endif
