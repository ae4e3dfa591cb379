/* SPDX-License-Identifier: MIT */
/* The living sandboxes.  See registry.h. */
#include "daemon/registry.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/auth.h"
#include "daemon/daemon.h"
#include "daemon/sandbox.h"
#include "lib/base/err.h"
#include "lib/base/mem.h"

#define BUCKETS 4096 /* a power of two; ids are random */

struct registry {
	struct list all; /* newest first */
	size_t count;
	uint64_t total;
	struct sandbox *by_id[BUCKETS]; /* chained by hash_next */
};

struct registry *registry_new(void)
{
	struct registry *r = xcalloc(1, sizeof(*r));

	list_init(&r->all);
	return r;
}

void registry_free(struct registry *r)
{
	struct list *pos, *tmp;

	if (!r)
		return;
	list_for_each_safe(pos, tmp, &r->all) {
		struct sandbox *s = list_entry(pos, struct sandbox, link);

		sandbox_unregister(s);
	}
	free(r);
}

void registry_quiet(struct registry *r)
{
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &r->all) {
		struct sandbox *s = list_entry(pos, struct sandbox, link);

		if (s->ttl)
			loop_timer_stop(s->ttl);
		loop_fd_del(s->watch);
		s->watch = NULL;
		if (s->leftovers)
			agent_conn_drop(s->leftovers);
		s->leftovers = NULL;
	}
}

static struct sandbox **bucket(struct registry *r, const char *id)
{
	uint32_t h = 2166136261u; /* FNV-1a */

	for (; *id; id++)
		h = (h ^ (unsigned char)*id) * 16777619u;
	return &r->by_id[h & (BUCKETS - 1)];
}

struct sandbox *registry_by_id(struct registry *r, const char *id)
{
	for (struct sandbox *s = *bucket(r, id); s; s = s->hash_next)
		if (strcmp(s->id, id) == 0)
			return s;
	return NULL;
}

static bool is_named(const struct sandbox *s, const char *name)
{
	return s->spec.name && !s->spec.warm && strcmp(s->spec.name, name) == 0;
}

struct sandbox *registry_by_name(struct registry *r, const char *name,
				 const char *owner)
{
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &r->all) {
		struct sandbox *s = list_entry(pos, struct sandbox, link);

		if (is_named(s, name) &&
		    strcmp(owner, s->spec.owner ? s->spec.owner : "") == 0)
			return s;
	}
	return NULL;
}

/* Of any owner, but of one only: what is destroyed by name must not be a
 * matter of luck. */
static struct sandbox *by_name_anywhere(struct registry *r, const char *name,
					struct svm_err *err)
{
	struct sandbox *found = NULL;
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &r->all) {
		struct sandbox *s = list_entry(pos, struct sandbox, link);

		if (!is_named(s, name))
			continue;
		if (found) {
			svm_err_set(err, SVM_CONFLICT, "several owners have a "
				    "sandbox named '%s'", name);
			svm_err_hint(err, "use its id");
			return NULL;
		}
		found = s;
	}
	return found;
}

void registry_add(struct registry *r, struct sandbox *s)
{
	struct sandbox **head = bucket(r, s->id);

	s->hash_next = *head;
	*head = s;
	list_append(r->all.next, &s->link); /* before the first: newest */
	r->count++;
	r->total++;
}

void registry_remove(struct registry *r, struct sandbox *s)
{
	struct sandbox **at = bucket(r, s->id);

	while (*at && *at != s)
		at = &(*at)->hash_next;
	if (!*at)
		BUG("sandbox '%s' is not registered", s->id);
	*at = s->hash_next;
	list_remove(&s->link);
	r->count--;
}

void registry_renew(struct registry *r, struct sandbox *s)
{
	list_remove(&s->link);
	list_append(r->all.next, &s->link);
}

struct sandbox *sandbox_find(struct daemon *d, const char *id_or_name,
			     const struct caller *c, struct svm_err *err)
{
	struct sandbox *s = registry_by_id(d->registry, id_or_name);

	if (s && s->spec.warm)
		s = NULL;
	if (s && !auth_may_see(c, s->spec.owner)) {
		svm_err_set(err, SVM_FORBIDDEN,
			    "sandbox '%s' belongs to another owner",
			    id_or_name);
		return NULL;
	}
	if (!s && (c->all || c->owner))
		s = registry_by_name(d->registry, id_or_name,
				     c->owner ? c->owner : "");
	if (!s && c->all)
		s = by_name_anywhere(d->registry, id_or_name, err);
	if (s || err->code != SVM_OK)
		return s;
	svm_err_set(err, SVM_NOT_FOUND, "no sandbox '%.80s'", id_or_name);
	svm_err_hint(err, "see what there is with: stacyvm list");
	return NULL;
}

struct sandbox *sandbox_next(struct daemon *d, const struct sandbox *s)
{
	struct list *head = &d->registry->all;
	struct list *next = s ? s->link.next : head->next;

	while (next != head &&
	       list_entry(next, struct sandbox, link)->spec.warm)
		next = next->next;
	return next == head ? NULL : list_entry(next, struct sandbox, link);
}

size_t sandbox_count(const struct daemon *d)
{
	return d->registry->count;
}

uint64_t sandbox_total(const struct daemon *d)
{
	return d->registry->total;
}
