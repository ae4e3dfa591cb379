/* SPDX-License-Identifier: MIT */
/*
 * Who calls, and what they may see (API.md 8).
 *
 * Callers over the unix socket have passed the uid check and need no key:
 * they could read the database.  Over TCP, with authentication on, a key is
 * needed; the admin key, or no need of one, lifts every limit on what is
 * seen.  Everyone else sees what their owner owns.
 */
#ifndef SVM_DAEMON_AUTH_H
#define SVM_DAEMON_AUTH_H

#include <stdbool.h>
#include <string.h>

#include "lib/base/err.h"

struct auth;
struct config;
struct daemon;
struct http_req;
struct http_route;

struct auth *auth_new(const struct config *c); /* says what is odd */
void auth_free(struct auth *a);                /* accepts NULL */
bool auth_on(const struct auth *a);

/* http_options.authorize: the key, the limit on wrong keys, the rate limit,
 * HTTP_ADMIN.  UNAUTHORIZED, FORBIDDEN, RESOURCE_LIMIT, BAD_REQUEST (an
 * X-User-ID that can't be an owner). */
int auth_authorize(struct http_req *r, const struct http_route *route,
		   void *app, struct svm_err *err);

/* The caller of a request that auth_authorize() let through. */
struct caller {
	const char *owner; /* of what it makes; NULL: nobody.  Borrowed from
			    * the request */
	bool named;        /* the owner is X-User-ID's */
	bool admin;        /* quotas, audit, other owners */
	bool all;          /* sees what others own */
	const char *space; /* whose templates they make; NULL: everybody's */
};
void auth_caller(const struct daemon *d, const struct http_req *r,
		 struct caller *ret);

/* May this caller see and touch what `owner` (NULL: nobody) owns? */
static inline bool auth_may_see(const struct caller *c, const char *owner)
{
	if (c->all)
		return true;
	return c->owner && owner && strcmp(c->owner, owner) == 0;
}

/* An owner id: BAD_REQUEST unless 1 to LIMIT_OWNER printable ASCII
 * characters without blanks, '/' and '\'. */
int auth_check_owner(const char *owner, struct svm_err *err);

#endif
