/* SPDX-License-Identifier: MIT */
/* What an image declares about what is run in it.  Pure. */
#ifndef SVM_DAEMON_IMAGE_IMAGE_CONFIG_H
#define SVM_DAEMON_IMAGE_IMAGE_CONFIG_H

#include "lib/base/digest.h"
#include "lib/base/err.h"
#include "lib/base/json.h"

struct image_config {
	char **env, **cmd, **entrypoint;
	char *workdir, *user, *architecture; /* "" when not said */
};

/* Members "env", "cmd", "entrypoint", "workdir", "user", "architecture". */
void image_config_write(const struct image_config *c, struct json_writer *w);
/* The same back. */
int image_config_read(const cJSON *obj, struct image_config *ret,
		      struct svm_err *err);
void image_config_release(struct image_config *c);

/* Of the config document of an image: what docker and OCI call Env, Cmd, ...
 * BAD_REQUEST when it is for another machine. */
int image_config_read_oci(const cJSON *root, struct image_config *ret,
			  struct svm_err *err);

/* The DiffIDs it names, n of them into ret; BAD_REQUEST when it names another
 * number. */
int image_config_diff_ids(const cJSON *root, size_t n, struct digest *ret,
			  struct svm_err *err);

/* What images call this machine: "amd64", "arm64", ... */
const char *image_machine(void);

#endif
