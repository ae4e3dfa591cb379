/* SPDX-License-Identifier: MIT */
/* What this host allows, found out by trying. */
#ifndef SVM_PROVIDERS_NATIVE_PROBE_H
#define SVM_PROVIDERS_NATIVE_PROBE_H

#include "providers/native/native.h"
#include "providers/provider.h"

/* How boxes will get their ids; or UNAVAILABLE naming the knob that forbids
 * user namespaces and the command that turns it. */
int probe_mode(enum native_mode *ret, struct svm_err *err);

int native_probe(const struct provider_host *host,
		 struct provider_findings *findings, struct svm_err *err);

#endif
