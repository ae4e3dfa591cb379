/* SPDX-License-Identifier: MIT */
/*
 * The templates there are: in memory, each change stored before its answer.
 *
 * A template belongs to an owner or, made by who may see everything, to
 * everybody: then all use it and only an administrator changes it.  Names are
 * an owner's own, and theirs come first: what somebody else made under a name
 * can neither be noticed nor be in the way.
 */
#ifndef SVM_DAEMON_TEMPLATES_H
#define SVM_DAEMON_TEMPLATES_H

#include <stdbool.h>

#include "lib/base/err.h"

struct caller;
struct daemon;
struct template;
struct templates;

/* Reads the store.  A row that can't be read is logged and left alone. */
int templates_open(struct daemon *d, struct svm_err *err);
void templates_free(struct templates *all); /* accepts NULL */

/* The one of this owner (NULL: everybody's), or NULL; borrowed until the next
 * change, like all that follow. */
struct template *templates_find(const struct daemon *d, const char *owner,
				const char *name);
/* The one that a warm copy with this key is of, or NULL. */
struct template *templates_find_key(const struct daemon *d, const char *name,
				    const char *key);
/* What this caller means by the name: their own, else everybody's, else, for
 * who sees everything, the first of any owner.  NOT_FOUND. */
struct template *templates_get(const struct daemon *d, const struct caller *c,
			       const char *name, struct svm_err *err);
/* Is it listed to them?  To who sees everything all; else one for each name
 * that they can use. */
bool templates_lists(const struct daemon *d, const struct caller *c,
		     const struct template *t);
/* May they change it? */
bool templates_may_change(const struct caller *c, const struct template *t);

/* In the order of their names; NULL starts, NULL after the last. */
struct template *templates_next(const struct daemon *d,
				const struct template *t);

/* Told when the change is stored, or why it was taken back. */
typedef void (*templates_done_fn)(void *data, const struct svm_err *err);

/* Add t, or put it in the place of the one of that name; takes t.  Whoever
 * looks sees it at once.  RESOURCE_LIMIT when there are too many (t is freed,
 * `done` is not called).  Either change is also an event, `template.saved` or
 * `template.deleted`, in the same transaction. */
int templates_put(struct daemon *d, struct template *t,
		  templates_done_fn done, void *data, struct svm_err *err);
void templates_delete(struct daemon *d, struct template *t,
		      templates_done_fn done, void *data);

#endif
