/* SPDX-License-Identifier: MIT */
/*
 * The edge (API.md 8): which Host is ours, which Origin may drive the API,
 * and CORS.  It protects from web pages, which reach loopback through their
 * reader's browser; who the caller is, is authorize()'s question.
 */
#include <string.h>
#include <strings.h>

#include "daemon/http/internal.h"

/* The name of "name[:port]"; "[::1]:80" keeps its brackets. */
static size_t name_length(const char *host)
{
	const char *end = *host == '[' ? strchr(host, ']') : NULL;

	return end ? (size_t)(end - host) + 1 : strcspn(host, ":");
}

static bool host_allowed(const struct http_req *r, const char *host, size_t n)
{
	char name[256];

	if (n >= sizeof(name))
		return false;
	memcpy(name, host, n);
	name[n] = '\0';
	if (host_is_local(name))
		return true;
	for (char *const *h = r->server->o.allowed_hosts; h && *h; h++)
		if (strcasecmp(*h, name) == 0)
			return true;
	return false;
}

bool edge_changes_something(const struct http_req *r)
{
	return strcmp(r->method, "GET") != 0 &&
	       strcmp(r->method, "HEAD") != 0 &&
	       strcmp(r->method, "OPTIONS") != 0;
}

static bool has_origins(const struct http_req *r)
{
	return r->server->o.cors_origins && *r->server->o.cors_origins;
}

static bool cors_allowed(const struct http_req *r, const char *origin)
{
	for (char *const *o = r->server->o.cors_origins; o && *o; o++)
		if (strcmp(*o, "*") == 0 || strcasecmp(*o, origin) == 0)
			return true;
	return false;
}

/* A page may drive the API only from an allowed origin, or from the very one
 * it talks to when a key guards that. */
static bool origin_allowed(const struct http_req *r)
{
	const char *origin = http_header(r, "Origin"), *host;

	if (!origin)
		return true;
	host = strstr(origin, "://");
	if (!host)
		return false;
	host += 3;
	return host_allowed(r, host, name_length(host)) ||
	       cors_allowed(r, origin) ||
	       (r->server->o.allow_any_peer && strcasecmp(host, r->host) == 0);
}

bool edge_host_is_ours(const struct http_req *r)
{
	return host_allowed(r, r->host, name_length(r->host));
}

/* CORS (the Fetch standard, 3.3): off unless origins are configured. */

/* Lets the page read whatever the answer will be, errors included. */
static void cors_add_headers(struct http_req *r, const char *origin)
{
	http_reply_header(r, "Access-Control-Allow-Origin", "%s", origin);
	http_reply_header(r, "Vary", "Origin");
	http_reply_header(r, "Access-Control-Expose-Headers",
			  "X-Request-ID, X-Exit-Code, Retry-After, ETag, "
			  "X-RateLimit-Limit, X-RateLimit-Remaining, "
			  "X-RateLimit-Reset");
}

static bool is_preflight(const struct http_req *r)
{
	return strcmp(r->method, "OPTIONS") == 0 &&
	       http_header(r, "Access-Control-Request-Method");
}

/* Browsers send these without the key, so they come before authentication;
 * they do nothing and tell nothing. */
static void answer_preflight(struct http_req *r)
{
	http_reply_header(r, "Access-Control-Allow-Methods",
			  "GET, HEAD, POST, PUT, PATCH, DELETE");
	http_reply_header(r, "Access-Control-Allow-Headers",
			  "Authorization, Content-Type, If-Match, "
			  "If-None-Match, Last-Event-ID, Range, "
			  "X-API-Key, X-Admin-API-Key, X-Request-ID, "
			  "X-User-ID");
	http_reply_header(r, "Access-Control-Max-Age", "600");
	http_reply_bytes(r, 200, "text/plain", "", 0);
}

static void refuse_origin(struct http_req *r, const char *origin)
{
	req_refuse(r, 403, SVM_FORBIDDEN, "origin '%s' may not use this API",
		   origin);
}

/* False: answered. */
static bool check_cors(struct http_req *r)
{
	const char *origin = http_header(r, "Origin");
	bool allowed = origin && cors_allowed(r, origin);

	if (allowed)
		cors_add_headers(r, origin);
	if (!origin || !is_preflight(r) || !has_origins(r))
		return true;
	if (allowed)
		answer_preflight(r);
	else
		refuse_origin(r, origin);
	return false;
}

bool edge_check(struct http_req *r)
{
	bool upgrade = http_header(r, "Upgrade");

	if (!r->is_unix && !r->server->o.allow_any_peer &&
	    !edge_host_is_ours(r)) {
		req_refuse(r, 403, SVM_FORBIDDEN,
			   "host '%s' is not served here", r->host);
		return false;
	}
	if (!check_cors(r))
		return false;
	if (r->is_unix || origin_allowed(r) ||
	    !(upgrade || edge_changes_something(r)))
		return true;
	refuse_origin(r, http_header(r, "Origin"));
	return false;
}
