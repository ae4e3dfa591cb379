/* SPDX-License-Identifier: MIT */
/* A sandbox's specification as the JSON the store keeps. */
#ifndef SVM_DAEMON_SPEC_JSON_H
#define SVM_DAEMON_SPEC_JSON_H

#include "lib/api/spec.h"
#include "lib/base/err.h"

char *spec_to_json(const struct sandbox_spec *s); /* owned */
int spec_from_json(const char *text, struct sandbox_spec *ret,
		   struct svm_err *err);

#endif
