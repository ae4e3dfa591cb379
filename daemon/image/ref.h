/* SPDX-License-Identifier: MIT */
/*
 * Names of images: [HOST[:PORT]/]PATH[:TAG], or a digest.  "docker.io/" and
 * "library/" are what everybody leaves out, `latest` is the default tag, so
 * each image has one canonical name.
 */
#ifndef SVM_DAEMON_IMAGE_REF_H
#define SVM_DAEMON_IMAGE_REF_H

#include <stdbool.h>

#include "lib/base/err.h"

/* "docker.io/library/alpine" -> "alpine:latest", owned.  "sha256:HEX" stays
 * what it is, "name:tag@sha256:HEX" loses its tag.  BAD_REQUEST. */
int image_ref_normalise(const char *text, char **ret, struct svm_err *err);

/* The "sha256:HEX" in a canonical name, borrowed, or NULL. */
const char *image_ref_digest(const char *ref);

/* Where a registry has it. */
struct image_ref {
	char *host;     /* "docker.io", "localhost:5000" */
	char *path;     /* "library/alpine" */
	char *tag;      /* "latest", or "sha256:HEX" */
	bool is_digest;
};

/* BAD_REQUEST; also for a bare digest, which is in no registry. */
int image_ref_parse(const char *text, struct image_ref *ret,
		    struct svm_err *err);
void image_ref_release(struct image_ref *r);

#endif
