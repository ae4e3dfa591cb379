/* SPDX-License-Identifier: MIT */
/*
 * Quotas: what one owner may have, where that differs from what everybody
 * may (defaults.* of the configuration).  The store has them; here they are
 * in memory, for every spawn and exec to ask.
 */
#ifndef SVM_DAEMON_QUOTA_H
#define SVM_DAEMON_QUOTA_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

struct daemon;
struct quotas;
struct sandbox_spec;
struct store;
struct store_quota;

int quotas_load(struct store *s, struct quotas **ret, struct svm_err *err);
void quotas_free(struct quotas *q); /* accepts NULL */

size_t quotas_count(const struct quotas *q);
/* By owner's name, i from 0; NULL behind the last.  Borrowed until the next
 * change. */
const struct store_quota *quotas_at(const struct quotas *q, size_t i);
const struct store_quota *quotas_find(const struct quotas *q,
				      const char *owner);
void quotas_put(struct quotas *q, const struct store_quota *row); /* copies */
void quotas_drop(struct quotas *q, const char *owner);

/* What holds for an owner (NULL: nobody) in the end; 0: no limit.  Memory and
 * processors are per sandbox. */
struct quota_limits {
	int64_t max_sandboxes, max_ttl_ns, max_exec_timeout_ns;
	int64_t max_memory_mb, max_vcpus;
};
void quota_limits(const struct daemon *d, const char *owner,
		  struct quota_limits *ret);

/* Memory and processors of a sandbox that is asked for: RESOURCE_LIMIT. */
int quota_check(const struct quota_limits *l, const struct sandbox_spec *s,
		struct svm_err *err);

#endif
