/* SPDX-License-Identifier: MIT */
/* What holds a box, as the kernel says, not as we meant it. */
#ifndef SVM_PROVIDERS_NATIVE_POSTURE_H
#define SVM_PROVIDERS_NATIVE_POSTURE_H

#include "providers/native/cgroup.h"
#include "providers/native/native.h"

struct posture_facts { /* what the kernel can't be asked */
	enum native_mode mode;
	bool disk_limited;
	uint32_t disk_mb;
};

/* The ABI version of Landlock; 0: none. */
int posture_landlock_abi(void);

/* A JSON object, owned; or NULL with err. */
char *posture_read(const struct cgroups *g, const char *id, pid_t pid,
		   const struct posture_facts *facts, struct svm_err *err);

#endif
