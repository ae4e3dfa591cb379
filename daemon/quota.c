/* SPDX-License-Identifier: MIT */
/* Quotas in memory, sorted by owner.  See quota.h. */
#include "daemon/quota.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config.h"
#include "daemon/daemon.h"
#include "daemon/store.h"
#include "lib/api/spec.h"
#include "lib/base/mem.h"

struct quotas {
	struct store_quota *v;
	size_t n;
};

/* Where owner is, or would be. */
static size_t place(const struct quotas *q, const char *owner)
{
	size_t low = 0, high = q->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (strcmp(q->v[mid].owner, owner) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool is_at(const struct quotas *q, size_t i, const char *owner)
{
	return i < q->n && strcmp(q->v[i].owner, owner) == 0;
}

static void take_row(void *data, struct store_quota *row)
{
	quotas_put(data, row);
}

int quotas_load(struct store *s, struct quotas **ret, struct svm_err *err)
{
	struct quotas *q = xcalloc(1, sizeof(*q));

	if (store_each_quota(s, take_row, q, err) < 0) {
		quotas_free(q);
		return -1;
	}
	*ret = q;
	return 0;
}

void quotas_free(struct quotas *q)
{
	if (!q)
		return;
	for (size_t i = 0; i < q->n; i++)
		store_quota_release(&q->v[i]);
	free(q->v);
	free(q);
}

size_t quotas_count(const struct quotas *q)
{
	return q->n;
}

const struct store_quota *quotas_at(const struct quotas *q, size_t i)
{
	return i < q->n ? &q->v[i] : NULL;
}

const struct store_quota *quotas_find(const struct quotas *q,
				      const char *owner)
{
	size_t i = place(q, owner);

	return is_at(q, i, owner) ? &q->v[i] : NULL;
}

void quotas_put(struct quotas *q, const struct store_quota *row)
{
	size_t i = place(q, row->owner);

	if (is_at(q, i, row->owner)) {
		free(q->v[i].owner);
	} else {
		q->v = xreallocarray(q->v, q->n + 1, sizeof(*q->v));
		memmove(q->v + i + 1, q->v + i, (q->n - i) * sizeof(*q->v));
		q->n++;
	}
	q->v[i] = *row;
	q->v[i].owner = xstrdup(row->owner);
}

void quotas_drop(struct quotas *q, const char *owner)
{
	size_t i = place(q, owner);

	if (!is_at(q, i, owner))
		return;
	store_quota_release(&q->v[i]);
	q->n--;
	memmove(q->v + i, q->v + i + 1, (q->n - i) * sizeof(*q->v));
	q->v = xreallocarray(q->v, q->n, sizeof(*q->v));
}

static void override(int64_t *limit, int64_t quota)
{
	if (quota)
		*limit = quota;
}

void quota_limits(const struct daemon *d, const char *owner,
		  struct quota_limits *ret)
{
	const struct config *c = d->config;
	const struct store_quota *q =
		owner ? quotas_find(d->quotas, owner) : NULL;

	*ret = (struct quota_limits){
		.max_sandboxes = c->defaults_max_sandboxes_per_owner,
		.max_ttl_ns = c->defaults_max_ttl,
		.max_exec_timeout_ns = c->defaults_max_exec_timeout,
	};
	if (!q)
		return;
	override(&ret->max_sandboxes, q->max_sandboxes);
	override(&ret->max_ttl_ns, q->max_ttl_ns);
	override(&ret->max_exec_timeout_ns, q->max_exec_timeout_ns);
	override(&ret->max_memory_mb, q->max_memory_mb);
	override(&ret->max_vcpus, q->max_vcpus);
}

int quota_check(const struct quota_limits *l, const struct sandbox_spec *s,
		struct svm_err *err)
{
	const char *what = NULL;
	int64_t asked = 0, max = 0;

	if (l->max_memory_mb && s->memory_mb > l->max_memory_mb) {
		what = "memory_mb";
		asked = s->memory_mb;
		max = l->max_memory_mb;
	} else if (l->max_vcpus && s->vcpus > l->max_vcpus) {
		what = "vcpus";
		asked = s->vcpus;
		max = l->max_vcpus;
	}
	if (!what)
		return 0;
	svm_err_set(err, SVM_RESOURCE_LIMIT, "%s %" PRId64 " is over the "
		    "owner's quota of %" PRId64, what, asked, max);
	return svm_err_hint(err, "ask for less, or have the quota raised");
}
