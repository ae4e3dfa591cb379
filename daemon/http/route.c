/* SPDX-License-Identifier: MIT */
/* Finding the route of a path, and decoding what path and query carry. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "daemon/http/internal.h"
#include "lib/base/mem.h"
#include "lib/base/urlenc.h"

/* Match one path against one pattern, segment by segment; the places of
 * parameters land in ret (not decoded).  A slash at the end is ignored. */
static bool match(const char *pattern, const char *path, size_t path_len,
		  struct http1_slice ret[HTTP_MAX_PARAMS], unsigned *ret_n)
{
	const char *end = path + path_len, *p = path;

	*ret_n = 0;
	while (*pattern) {
		if (*pattern != '{') {
			if (p == end || *pattern++ != *p++)
				return false;
			continue;
		}
		const char *stop = memchr(p, '/', (size_t)(end - p));

		if (!stop)
			stop = end;
		if (stop == p || *ret_n == HTTP_MAX_PARAMS)
			return false;
		ret[(*ret_n)++] = (struct http1_slice){
			(uint16_t)(p - path), (uint16_t)(stop - p) };
		p = stop;
		pattern = strchr(pattern, '}') + 1;
	}
	return p == end;
}

static size_t useful_length(const char *path)
{
	size_t n = strlen(path);

	return n > 1 && path[n - 1] == '/' ? n - 1 : n;
}

/* Decoded values are kept behind the strings of the request: see req_new(),
 * which left room for one more copy of the target. */
static int take_params(struct http_req *r, const char *pattern,
		       const struct http1_slice *at, unsigned n)
{
	/* The room begins behind the path's own NUL. */
	char *room = r->path + strlen(r->path) + 1;

	for (unsigned i = 0; i < n; i++) {
		ssize_t len = urlenc_decode(room, r->path + at[i].at,
					    at[i].len, false);

		if (len < 0)
			return -1;
		pattern = strchr(pattern, '{') + 1;
		r->params[i].name = pattern; /* ends at '}' */
		r->params[i].value = room;
		room[len] = '\0';
		room += len + 1;
	}
	r->nparams = n;
	return 0;
}

const struct http_route *route_find(struct http_req *r, const char *method,
				    int *ret_bad)
{
	struct http1_slice at[HTTP_MAX_PARAMS], best_at[HTTP_MAX_PARAMS];
	const struct http_route *best = NULL;
	unsigned n, best_n = 0;
	size_t len = useful_length(r->path), best_prefix = 0;

	*ret_bad = 0;
	for (const struct http_route *t = r->server->o.routes; t->method; t++) {
		size_t prefix = strcspn(t->pattern, "{");

		/* A literal segment beats a parameter. */
		if ((best && prefix <= best_prefix) || prefix > len ||
		    memcmp(t->pattern, r->path, prefix) != 0 ||
		    strcmp(t->method, method) != 0 ||
		    !match(t->pattern, r->path, len, at, &n))
			continue;
		best = t;
		best_prefix = prefix;
		best_n = n;
		memcpy(best_at, at, sizeof(at));
	}
	if (best && take_params(r, best->pattern, best_at, best_n) < 0)
		*ret_bad = 1;
	return best;
}

void route_allow(const struct http_req *r, struct buf *out)
{
	struct http1_slice at[HTTP_MAX_PARAMS];
	size_t len = useful_length(r->path);
	unsigned n;

	for (const struct http_route *t = r->server->o.routes; t->method; t++) {
		if (!match(t->pattern, r->path, len, at, &n) ||
		    http1_has_token(buf_str(out), out->len, t->method))
			continue;
		buf_addf(out, "%s%s", out->len ? ", " : "", t->method);
		if (strcmp(t->method, "GET") == 0)
			buf_addstr(out, ", HEAD");
	}
}

const char *http_param(const struct http_req *r, const char *name)
{
	size_t len = strlen(name);

	for (unsigned i = 0; i < r->nparams; i++)
		if (strncmp(r->params[i].name, name, len) == 0 &&
		    r->params[i].name[len] == '}')
			return r->params[i].value;
	return NULL;
}

/* The query. */

static int decode_in_place(char *s)
{
	ssize_t n = urlenc_decode(s, s, strlen(s), true);

	if (n < 0)
		return -1;
	s[n] = '\0';
	return 0;
}

int query_parse(struct http_req *r, char *text)
{
	unsigned count = 1;

	for (const char *p = text; *p; p++)
		count += *p == '&';
	r->query = xcalloc(count, sizeof(*r->query));
	for (char *next = text; next;) {
		char *name = strsep(&next, "&"), *value = name;

		if (!*name)
			continue;
		strsep(&value, "=");
		if (decode_in_place(name) < 0 ||
		    (value && decode_in_place(value) < 0))
			return -1;
		r->query[r->nquery++] =
			(struct http_pair){ name, value ? value : "" };
	}
	return 0;
}

const char *http_query(const struct http_req *r, const char *name)
{
	for (unsigned i = 0; i < r->nquery; i++)
		if (strcmp(r->query[i].name, name) == 0)
			return r->query[i].value;
	return NULL;
}

bool http_query_prefix(const struct http_req *r, const char *prefix,
		       unsigned i, const char **ret_name,
		       const char **ret_value)
{
	size_t len = strlen(prefix);

	for (unsigned q = 0; q < r->nquery; q++) {
		if (strncmp(r->query[q].name, prefix, len) != 0 || i--)
			continue;
		*ret_name = r->query[q].name;
		*ret_value = r->query[q].value;
		return true;
	}
	return false;
}

bool host_is_local(const char *host)
{
	return strcasecmp(host, "localhost") == 0 ||
	       strcmp(host, "127.0.0.1") == 0 || strcmp(host, "[::1]") == 0;
}
