/* SPDX-License-Identifier: MIT */
/*
 * What is known of a route besides its handler: the name of its operation
 * for metrics and audit, and what the OpenAPI document says of it.
 *
 * To add a route: a line in routes.c and one here; the unit test and
 * tests/system/test_openapi.py miss either.  A route without a line here
 * still works, and is audited when it isn't a GET.
 */
#ifndef SVM_DAEMON_ROUTE_INFO_H
#define SVM_DAEMON_ROUTE_INFO_H

struct http_route;

enum route_info_bits {
	ROUTE_AUDITED = 1u << 0,
	/* Success is recorded with the change itself, in its transaction. */
	ROUTE_AUDITED_INSIDE = 1u << 1,
	/* Lasts as long as its client likes: its time means nothing. */
	ROUTE_UNTIMED = 1u << 2,
};

struct route_info {
	const char *method, *pattern; /* as in routes.c */
	const char *action;           /* "file.write" */
	unsigned flags;               /* enum route_info_bits */
	const char *summary;
	/* "name name:integer name!": parameters of the query, strings unless
	 * it is said, "!" when they must be there. */
	const char *query;
	const char *body;  /* a schema, "*" for raw bytes, NULL for none */
	/* "200 Schema", "200 [Schema]", "200 text/plain", "101". */
	const char *reply;
};

extern const struct route_info route_infos[]; /* ends with method NULL */

/* NULL when there is none. */
const struct route_info *route_info(const struct http_route *route);

unsigned route_info_flags(const struct http_route *route);
/* The request's own headers, "If-Match If-None-Match", or NULL. */
const char *route_info_headers(const struct route_info *i);

/* Owned; also for routes without a line, and for NULL (no such route). */
char *route_info_action(const struct http_route *route);

#endif
