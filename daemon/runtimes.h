/* SPDX-License-Identifier: MIT */
/*
 * The providers of this daemon: which are switched on, opened and healthy.
 * Probes run on workers; nobody waits for a dead runtime.
 */
#ifndef SVM_DAEMON_RUNTIMES_H
#define SVM_DAEMON_RUNTIMES_H

#include "lib/base/work.h"
#include "providers/provider.h"

struct daemon;
struct runtimes;

struct runtime {
	struct runtimes *owner;
	const struct provider_ops *ops;
	struct provider *provider; /* NULL: switched off or can't be opened */
	bool enabled;
	bool healthy;
	bool probing;
	struct svm_err why;        /* of not being healthy */
	struct provider_findings findings;
	int64_t latency_ns, checked_ns; /* wall; 0: never */
	int64_t known_ns;          /* boot; when the probe of that began */
	int64_t probed_ns;         /* CLOCK_BOOTTIME of the last start */
	struct work work;
	/* filled by the worker, taken over on the loop */
	struct provider *fresh; /* opened by a probe that found it usable */
	struct svm_err probe_err;
	struct provider_findings probe_findings;
	int64_t probe_began_ns, probe_ns;
	int probe_result;
};

/* Opens what is enabled and can be opened; a provider that can't is recorded
 * as unhealthy with the reason.  Fails only for a bad configuration. */
int runtimes_open(struct daemon *d, struct svm_err *err);
void runtimes_close(struct daemon *d);

/* By name, or the default for NULL.  BAD_REQUEST with the known names,
 * UNAVAILABLE with the reason and the fix. */
struct provider *runtimes_pick(struct daemon *d, const char *name,
			       struct svm_err *err);
const char *runtimes_default(const struct daemon *d); /* NULL: none usable */

/* i from 0 up; NULL after the last. */
struct runtime *runtimes_at(struct daemon *d, size_t i);
struct runtime *runtimes_find(struct daemon *d, const char *name);

/* Names of those that can do all of `caps`, for "which can", are appended;
 * "none" when there is none, which is false. */
bool runtimes_list(struct daemon *d, unsigned caps, struct buf *out);

const struct provider_host *runtimes_host(const struct daemon *d);

/* What a probe found that began then and took so long (taken; on the loop).
 * One that has become unhealthy is an event, once. */
void runtimes_learn(struct runtime *rt, bool usable, int64_t began_ns,
		    int64_t took_ns, struct provider_findings *findings,
		    struct svm_err *why);

/* Start a probe unless one is running or has run in the last 30 s; one that
 * finds a closed provider usable opens it. */
void runtimes_probe(struct runtime *rt);

/* Remove what earlier daemons of this instance left (blocking, at start). */
void runtimes_sweep(struct daemon *d, char *const *ids);

#endif
