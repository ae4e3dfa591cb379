/* SPDX-License-Identifier: MIT */
/* What a daemon answered, as JSON.  It is not trusted to be well-formed. */
#ifndef SVM_CLIENT_REPLY_H
#define SVM_CLIENT_REPLY_H

#include "lib/base/json.h"

/*
 * Any JSON value.  *ret belongs to doc, which keeps no reference to text.
 * A U+0000 in it is refused by lib/base/json.h, and must not keep the rest of a
 * log or listing from being shown: it becomes U+2400.  PROVIDER when it
 * can't be read.
 */
int reply_parse(struct json_doc *doc, const char *text, size_t n,
		cJSON **ret, struct svm_err *err);

#endif
