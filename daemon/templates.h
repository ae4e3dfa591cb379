/* SPDX-License-Identifier: MIT */
/* The templates there are: in memory, each change stored before its answer. */
#ifndef SVM_DAEMON_TEMPLATES_H
#define SVM_DAEMON_TEMPLATES_H

#include "lib/base/err.h"

struct daemon;
struct template;
struct templates;

/* Reads the store.  A row that can't be read is logged and left alone. */
int templates_open(struct daemon *d, struct svm_err *err);
void templates_free(struct templates *all); /* accepts NULL */

/* By exact name, or NULL; borrowed until the next change. */
struct template *templates_find(struct daemon *d, const char *name);
struct template *templates_get(struct daemon *d, const char *name,
			       struct svm_err *err); /* NOT_FOUND */

/* In the order of their names; NULL starts, NULL after the last. */
struct template *templates_next(const struct daemon *d,
				const struct template *t);

/* Told when the change is stored, or why it was taken back. */
typedef void (*templates_done_fn)(void *data, const struct svm_err *err);

/* Add t, or put it in the place of the one of that name; takes t.  Whoever
 * looks sees it at once.  RESOURCE_LIMIT when there are too many (t is freed,
 * `done` is not called). */
int templates_put(struct daemon *d, struct template *t,
		  templates_done_fn done, void *data, struct svm_err *err);
void templates_delete(struct daemon *d, struct template *t,
		      templates_done_fn done, void *data);

#endif
