/* SPDX-License-Identifier: MIT */
/* What a program in a sandbox gets to see of a request.  See preview.h. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "daemon/config.h"
#include "daemon/daemon.h"
#include "daemon/http/http.h"
#include "daemon/preview.h"
#include "lib/base/http1.h"
#include "lib/base/mem.h"

static bool is_listed(const struct http_req *r, const char *name)
{
	const char *n, *v;

	for (unsigned i = 0; http_header_at(r, i, &n, &v); i++)
		if (strcasecmp(n, "Connection") == 0 &&
		    http1_has_token(v, strlen(v), name))
			return true;
	return false;
}

/* For one hop only (RFC 9110 7.6.1), ours to say, or ours alone. */
static bool stays_here(const struct http_req *r, const char *name)
{
	static const char *const names[] = {
		"Connection", "Keep-Alive", "TE", "Trailer",
		"Transfer-Encoding", "Content-Length", "Upgrade", "Expect",
		"X-API-Key", "X-Admin-API-Key", "X-User-ID", "X-Forwarded-For",
		"X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcasecmp(names[i], name) == 0)
			return true;
	return strncasecmp(name, "Proxy-", 6) == 0 || is_listed(r, name);
}

/* A key of the API has no business in a sandbox. */
static bool is_our_key(const struct daemon *d, const char *value)
{
	const char *const keys[] = { d->config->auth_api_key,
				     d->config->auth_admin_api_key };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (keys[i] && *keys[i] && strstr(value, keys[i]))
			return true;
	return false;
}

/* Cookies but our own; nothing when none is left. */
static void add_cookies(struct buf *out, const char *value)
{
	auto_free char *copy = xstrdup(value);
	char *rest = NULL;
	bool first = true;

	for (char *c = strtok_r(copy, ";", &rest); c;
	     c = strtok_r(NULL, ";", &rest)) {
		c += strspn(c, " \t");
		if (strncmp(c, PREVIEW_COOKIE "=",
			    strlen(PREVIEW_COOKIE "=")) == 0)
			continue;
		buf_addf(out, "%s%s", first ? "Cookie: " : "; ", c);
		first = false;
	}
	if (!first)
		buf_addstr(out, "\r\n");
}

static void add_headers(struct daemon *d, const struct http_req *r,
			struct buf *out)
{
	const char *name, *value;

	for (unsigned i = 0; http_header_at(r, i, &name, &value); i++) {
		if (strcasecmp(name, "Cookie") == 0)
			add_cookies(out, value);
		else if (!stays_here(r, name) &&
			 !(strcasecmp(name, "Authorization") == 0 &&
			   is_our_key(d, value)))
			buf_addf(out, "%s: %s\r\n", name, value);
	}
}

bool preview_request(struct daemon *d, const struct http_req *r,
		     const char *target, struct buf *out)
{
	const char *protocol = http_header(r, "Upgrade");
	bool chunked = http_body_is_chunked(r);
	int64_t length = http_content_length(r);
	bool upgrade = protocol && is_listed(r, "Upgrade") && !chunked &&
		       length <= 0;
	char peer[HTTP_ADDRESS_SIZE];

	http_peer_address(r, peer);
	buf_addf(out, "%s %s HTTP/1.1\r\n", http_method(r), target);
	add_headers(d, r, out);
	buf_addf(out, "X-Forwarded-For: %s\r\nX-Forwarded-Host: %s\r\n"
		      "X-Forwarded-Proto: http\r\n",
		 peer, http_header(r, "Host"));
	if (chunked)
		buf_addstr(out, "Transfer-Encoding: chunked\r\n");
	else if (length >= 0)
		buf_addf(out, "Content-Length: %lld\r\n",
			 (long long)length);
	if (upgrade)
		buf_addf(out, "Upgrade: %s\r\nConnection: Upgrade\r\n\r\n",
			 protocol);
	else
		buf_addstr(out, "Connection: close\r\n\r\n");
	return upgrade;
}
