/* SPDX-License-Identifier: MIT */
/*
 * The registry of living sandboxes.  It holds a reference to each, from
 * sandbox_new() or _restore() to sandbox_unregister(), which alone add to it
 * and remove; every other room asks sandbox_find() and sandbox_next().
 */
#ifndef SVM_DAEMON_REGISTRY_H
#define SVM_DAEMON_REGISTRY_H

struct registry;
struct sandbox;

struct registry *registry_new(void);
void registry_free(struct registry *r); /* and what is in it; accepts NULL */

/* At the end of the daemon: its sandboxes begin nothing by themselves any
 * more. */
void registry_quiet(struct registry *r);

void registry_add(struct registry *r, struct sandbox *s); /* as the newest */
void registry_remove(struct registry *r, struct sandbox *s);
void registry_renew(struct registry *r, struct sandbox *s); /* the newest */

/* NULL when there is none.  Warm copies have ids, but no names yet. */
struct sandbox *registry_by_id(struct registry *r, const char *id);
struct sandbox *registry_by_name(struct registry *r, const char *name,
				 const char *owner);

#endif
