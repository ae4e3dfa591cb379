/* SPDX-License-Identifier: MIT */
/*
 * What an archive's JSON says: which of its files are the layers, in which
 * order, and what the image declares.  Pure: text in, plan out; every byte of
 * the text is hostile.
 *
 * Known: `docker save` (manifest.json), OCI layout (oci-layout, index.json,
 * blobs/), else the archive itself is the one layer.
 */
#ifndef SVM_DAEMON_IMAGE_PLAN_H
#define SVM_DAEMON_IMAGE_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/buf.h"
#include "lib/base/digest.h"
#include "lib/base/err.h"
#include "lib/base/json.h"

/* Small files of the archive by clean name (no "./", no "//"); a link has a
 * target, clean and relative to the archive's root, instead of text. */
struct plan_docs {
	struct plan_doc {
		char *name;
		char *target; /* or NULL */
		char *text;
		size_t len;
	} *v;
	size_t n;
	size_t bytes;
};

#define PLAN_DOCS_INIT { NULL, 0, 0 }

/* Would a file of that name be looked at? */
bool plan_docs_wants(const char *name);
/* Takes text and target.  TOO_LARGE over the limits; the last one of a name
 * wins. */
int plan_docs_add(struct plan_docs *d, const char *name, char *target,
		  char *text, size_t len, struct svm_err *err);
void plan_docs_release(struct plan_docs *d);

/* "./a//b/" -> "a/b"; with dir, relative to it, ".." resolved textually
 * (these names are keys, never opened).  NULL when it leaves the top. */
char *plan_clean_name(const char *dir, const char *name);

struct image_config {
	char **env, **cmd, **entrypoint;
	char *workdir, *user, *architecture; /* "" when not said */
};

enum plan_kind { PLAN_ROOTFS, PLAN_DOCKER, PLAN_OCI };

struct plan_layer {
	char *name; /* in the archive; NULL for PLAN_ROOTFS */
	bool has_blob, has_diff;
	struct digest blob; /* of the file as it is */
	struct digest diff; /* of the tar stream in it */
};

struct plan {
	enum plan_kind kind;
	char *ref; /* the archive's own name for it, or NULL */
	bool has_digest;
	struct digest digest; /* of the config: the image id */
	struct image_config config;
	struct plan_layer *layers; /* bottom first */
	size_t n;
};

#define PLAN_INIT { PLAN_ROOTFS, NULL, false, { { 0 } }, \
		    { NULL, NULL, NULL, NULL, NULL, NULL }, NULL, 0 }

int plan_make(const struct plan_docs *docs, struct plan *ret,
	      struct svm_err *err);
void plan_release(struct plan *p);

/* What a registry's document says (manifest.c has more): the digest of the
 * config in a manifest, the descriptor for this machine in an index's list
 * (BAD_REQUEST without one). */
int plan_manifest_config(const struct plan_doc *manifest, struct digest *ret,
			 struct svm_err *err);
const cJSON *plan_choose(const cJSON *list, struct svm_err *err);

/* Members "env", "cmd", "entrypoint", "workdir", "user", "architecture". */
void image_config_write(const struct image_config *c, struct json_writer *w);
/* The same back; also what OCI calls Env, Cmd, ... is read by plan_make(). */
int image_config_read(const cJSON *obj, struct image_config *ret,
		      struct svm_err *err);
void image_config_release(struct image_config *c);

/* What images call this machine: "amd64", "arm64", ... */
const char *plan_machine(void);

#endif
