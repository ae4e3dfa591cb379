/* SPDX-License-Identifier: MIT */
/*
 * The body of PATCH /sandboxes/{id}: a merge patch (RFC 7396) of what may be
 * changed about a sandbox that lives.
 */
#ifndef SVM_DAEMON_SANDBOX_PATCH_H
#define SVM_DAEMON_SANDBOX_PATCH_H

#include "lib/base/err.h"
#include "lib/base/json.h"

struct sandbox_spec;

/* How it will be: whole, not only what the patch names. */
struct sandbox_patch {
	char *name;      /* or NULL: it has none */
	char **metadata; /* "K=V" */
	char **changed;  /* "name", "metadata.K": what was otherwise */
};

/* With the rules of a spawn for names and metadata; whether a name is taken
 * isn't looked at.  null or "" as name: none; null as a value of metadata, or
 * for all of it, removes.  BAD_REQUEST otherwise, and nothing in *ret. */
int sandbox_patch_parse(const cJSON *body, const struct sandbox_spec *now,
			struct sandbox_patch *ret, struct svm_err *err);
void sandbox_patch_release(struct sandbox_patch *p);

#endif
