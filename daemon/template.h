/* SPDX-License-Identifier: MIT */
/*
 * A template: what API.md 6 says of one, checked and completed, and what it
 * adds to the body of a spawn.  Nothing here touches the daemon; the
 * collection is in templates.h.
 */
#ifndef SVM_DAEMON_TEMPLATE_H
#define SVM_DAEMON_TEMPLATE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/api/spec.h"
#include "lib/base/err.h"
#include "lib/base/json.h"
#include "lib/base/list.h"

struct template {
	struct list link; /* templates.c, by name */
	char *owner;      /* or NULL: everybody's */
	char *name;
	cJSON *body;      /* what was chosen, in our own spelling */
	int64_t created_ns, updated_ns; /* wall */
	uint32_t pool_size;
	/* Tells what its warm copies are made of: another text, other copies. */
	char key[SPEC_WARM_KEY + 1];

	/* warm.c */
	uint64_t claims; /* since the daemon started */
	/* After a refill failed. */
	unsigned failures;
	int64_t retry_at; /* boot ns */
};

/* Out of a request.  Fields that it does not give are taken from `old` with
 * `keep`, else they get their defaults; `old` may be NULL.  NULL with
 * BAD_REQUEST naming the field.  The times are the caller's to set. */
struct template *template_new(const char *name, const cJSON *body,
			      const struct template *old, bool keep,
			      struct svm_err *err);

/* Whose it is, before anybody sees it; changes the key. */
void template_set_owner(struct template *t, const char *owner);

/* Out of its row: the text of ->body. */
struct template *template_load(const char *name, const char *text,
			       struct svm_err *err);
char *template_text(const struct template *t);
void template_free(struct template *t); /* accepts NULL */

void template_json(const struct template *t, struct json_writer *w);

/* The commands to run once, owned; NULL without any. */
char **template_setup(const struct template *t);

/* The body of a spawn from t: what `request` gives, the rest from t; env and
 * metadata are merged by name.  With default_image the image is not counted
 * as given when it is this text.  Owned by the caller (cJSON_Delete). */
cJSON *template_merge(const struct template *t, const cJSON *request,
		      const char *default_image);

#endif
