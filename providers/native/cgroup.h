/* SPDX-License-Identifier: MIT */
/*
 * Limits of boxes.  A parent directory named after the instance holds one
 * directory per box, in one v2 hierarchy or in several v1 ones, whichever
 * this host lets us use; or there is none and only per-process limits hold.
 * cgroup-host.c finds and makes the parents, cgroup.c has the boxes.
 */
#ifndef SVM_PROVIDERS_NATIVE_CGROUP_H
#define SVM_PROVIDERS_NATIVE_CGROUP_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "providers/provider.h"

enum cgroup_kind { CGROUP_NONE, CGROUP_V1, CGROUP_V2 };

enum cgroup_ctl {
	CGROUP_MEMORY = 1u << 0,
	CGROUP_PIDS = 1u << 1,
	CGROUP_CPU = 1u << 2,
	CGROUP_CPUACCT = 1u << 3, /* v1; v2 counts with cpu */
};

#define CGROUP_MAX 4

struct cgroups {
	enum cgroup_kind kind;
	unsigned ctls; /* enum cgroup_ctl: what limits */
	unsigned n;    /* hierarchies */
	struct cgroup_parent {
		char *path; /* .../stacyvm-INSTANCE, owned */
		int fd;
		unsigned ctls;
	} v[CGROUP_MAX];
};

struct cgroup_limits {
	uint64_t memory_bytes;
	uint32_t vcpus, pids;
};

const char *cgroup_kind_name(enum cgroup_kind kind);

/* Find out by trying, and make the parents. */
void cgroups_open(struct cgroups *g, const char *instance);

/* Free; parents without boxes are removed. */
void cgroups_close(struct cgroups *g);

/* Make the box's directories with their limits and open what its first
 * process enters them by: fds[*ret_n], owned by the caller.  `owner` may
 * start processes in v2's `work` (fd in *ret_work). */
int cgroups_make(const struct cgroups *g, const char *id,
		 const struct cgroup_limits *l, uid_t owner, int *fds,
		 size_t *ret_n, int *ret_work, struct svm_err *err);

/* End everything inside and remove the directories.  0 when none is left. */
int cgroups_remove(const struct cgroups *g, const char *id);

/* A number in a file of the box: "memory.max", "pids.max".  -errno; "max" is
 * UINT64_MAX. */
int cgroups_read(const struct cgroups *g, unsigned ctl, const char *id,
		 const char *file, uint64_t *ret);

/* Boxes there are directories of: NULL-terminated, owned. */
char **cgroups_list(const struct cgroups *g);

#endif
