/* SPDX-License-Identifier: MIT */
/*
 * Warm copies: sandboxes made from a template before anybody asks, so that a
 * spawn is a claim.  Until then they are hidden and count against the limits
 * only.
 *
 * A copy is warm as long as its spec has the key of its template (spec.h).
 * The row says the same, so that a copy is handed out once whatever happens:
 * the claim is stored before it is answered, and a copy whose row is still
 * warm after a restart was given to nobody.
 */
#ifndef SVM_DAEMON_WARM_H
#define SVM_DAEMON_WARM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct daemon;
struct provider;
struct sandbox;
struct sandbox_spec;
struct template;
struct warm;

struct warm *warm_new(struct daemon *d);
void warm_free(struct warm *w); /* accepts NULL */

/* A template, a copy or a limit has changed: soon see what is to be made and
 * what is to go.  Fine without a pool. */
void warm_wake(struct daemon *d);

/* A copy of an earlier daemon: taken into the pool.  NULL, or why it is not
 * wanted any more. */
const char *warm_adopt(struct daemon *d, struct sandbox *s);

/* A copy that is what spec asks for, or NULL.  It has what spec held and
 * waits for life_claim(). */
struct sandbox *warm_claim(struct daemon *d, struct provider *p,
			   struct sandbox_spec *spec);

/* Would warm_claim() hand one out now?  Nothing changes. */
bool warm_fits(const struct daemon *d, const struct provider *p,
	       const struct sandbox_spec *spec);

struct warm_counts {
	size_t total, ready, making, wanted; /* total: in the registry */
	uint64_t claims, misses, failures;
};
void warm_count(const struct daemon *d, struct warm_counts *ret);
/* Those of one template: ready, making and wanted. */
void warm_count_of(const struct daemon *d, const struct template *t,
		   struct warm_counts *ret);

#endif
