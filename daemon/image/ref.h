/* SPDX-License-Identifier: MIT */
/*
 * Names of images: [HOST[:PORT]/]PATH[:TAG], or a digest.  "docker.io/" and
 * "library/" are what everybody leaves out, `latest` is the default tag, so
 * each image has one canonical name.
 */
#ifndef SVM_DAEMON_IMAGE_REF_H
#define SVM_DAEMON_IMAGE_REF_H

#include "lib/base/err.h"

/* "docker.io/library/alpine" -> "alpine:latest", owned.  A digest
 * ("sha256:HEX", "name@sha256:HEX") gives "sha256:HEX".  BAD_REQUEST. */
int image_ref_normalise(const char *text, char **ret, struct svm_err *err);

#endif
