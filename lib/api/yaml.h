/* SPDX-License-Identifier: MIT */
/*
 * Objects as YAML, for people who write them: read into what JSON would be,
 * and written so that reading gives the same again.
 *
 * Read are mappings, lists and scalars as YAML 1.2's JSON schema has them
 * (`no` is text), so JSON is read too.  Anchors, aliases and tags are refused:
 * no document is larger than its text.
 */
#ifndef SVM_API_YAML_H
#define SVM_API_YAML_H

#include <stddef.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/json.h"

/* An object, owned by the caller (cJSON_Delete); NULL with BAD_REQUEST that
 * names `name` and the line. */
cJSON *yaml_read(const char *name, const char *text, size_t n,
		 struct svm_err *err);

/* Append the object, a line per member. */
void yaml_write(const cJSON *object, struct buf *out);

#endif
