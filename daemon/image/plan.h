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

#include "daemon/image/image-config.h"
#include "daemon/image/plan-docs.h"
#include "lib/base/digest.h"
#include "lib/base/err.h"
#include "lib/base/json.h"

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

#endif
