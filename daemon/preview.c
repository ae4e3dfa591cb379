/* SPDX-License-Identifier: MIT */
/* Which requests are previews, and who may.  See preview.h. */
#include "daemon/preview.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "daemon/api-call.h"
#include "daemon/auth.h"
#include "daemon/daemon.h"
#include "daemon/http/http.h"
#include "daemon/sandbox.h"
#include "lib/base/clock.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"

#define DAY_NS (INT64_C(86400) * 1000000000)

static size_t name_length(const char *host)
{
	return strcspn(host, ":");
}

bool preview_parse_host(const char *host, const char *domain, int *ret_port,
			char *ret_id, size_t id_size)
{
	size_t n = name_length(host), suffix = name_length(domain);
	size_t digits = strspn(host, "0123456789"), from, len;

	if (n > 0 && host[n - 1] == '.')
		n--; /* fully qualified */
	if (!digits || digits > 5 || host[digits] != '-' ||
	    n < digits + 2 + suffix + 1)
		return false;
	from = digits + 1;
	len = n - suffix - 1 - from;
	if (host[n - suffix - 1] != '.' ||
	    strncasecmp(host + n - suffix, domain, suffix) != 0 ||
	    len >= id_size)
		return false;
	*ret_port = (int)strtol(host, NULL, 10);
	for (size_t i = 0; i < len; i++) {
		char c = host[from + i];

		ret_id[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
		if (!((ret_id[i] >= 'a' && ret_id[i] <= 'z') ||
		      (ret_id[i] >= '0' && ret_id[i] <= '9') ||
		      ret_id[i] == '-'))
			return false;
	}
	ret_id[len] = '\0';
	return len && *ret_port >= 1 && *ret_port <= 65535;
}

void preview_page(struct http_req *r, int status, const char *fmt, ...)
{
	auto_buf struct buf b = BUF_INIT, text = BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(&text, fmt, ap);
	va_end(ap);
	buf_addf(&b, "<!doctype html><meta charset=utf-8>"
		     "<title>stacyvm: %d</title>"
		     "<body style=\"font:16px sans-serif;margin:4em\">"
		     "<h1>%d</h1><p>", status, status);
	for (const char *p = buf_str(&text); *p; p++)
		switch (*p) {
		case '<':
			buf_addstr(&b, "&lt;");
			break;
		case '&':
			buf_addstr(&b, "&amp;");
			break;
		default:
			buf_addch(&b, *p);
		}
	buf_addstr(&b, "</p>\n");
	http_reply_header(r, "Content-Security-Policy",
			  "default-src 'none'; style-src 'unsafe-inline'");
	http_reply_header(r, "Cache-Control", "no-store");
	http_reply_bytes(r, status, "text/html; charset=utf-8", b.data,
			 b.len);
}

/* -- tokens in the query and in the cookie */

/* The target without `stacyvm_token=...`, which goes to *ret_token. */
static char *strip_query(const char *target, char **ret_token)
{
	const char *q = strchr(target, '?');
	struct buf out = BUF_INIT;
	size_t name = strlen(PREVIEW_QUERY);
	char joint = '?';

	if (!q)
		return xstrdup(target);
	buf_add(&out, target, (size_t)(q - target));
	while (*q) {
		size_t n = strcspn(++q, "&");

		if (n > name && q[name] == '=' &&
		    strncmp(q, PREVIEW_QUERY, name) == 0) {
			free(*ret_token);
			*ret_token = xstrndup(q + name + 1, n - name - 1);
		} else {
			buf_addch(&out, joint);
			buf_add(&out, q, n);
			joint = '&';
		}
		q += n;
	}
	return buf_steal(&out);
}

/* A page of another sandbox may have set one of that name for the whole
 * domain: any that holds will do. */
static bool has_cookie(const struct http_req *r, struct daemon *d,
		       const char *id, int port)
{
	const char *name, *value;

	for (unsigned i = 0; http_header_at(r, i, &name, &value); i++) {
		const char *at = value;

		if (strcasecmp(name, "Cookie") != 0)
			continue;
		while ((at = strstr(at, PREVIEW_COOKIE "="))) {
			bool begins = at == value || at[-1] == ' ' ||
				      at[-1] == ';';

			at += strlen(PREVIEW_COOKIE "=");
			auto_free char *token = xstrndup(at,
							 strcspn(at, "; "));

			if (begins && preview_token_holds(d, id, port, token))
				return true;
		}
	}
	return false;
}

/* With keys a preview needs a token, but for those who need no key. */
static bool is_allowed(struct http_req *r, struct daemon *d, const char *id,
		       int port, const char *given, char **ret_cookie)
{
	if (!auth_on(d->auth) || http_peer_is_unix(r))
		return true;
	if (given && preview_token_holds(d, id, port, given)) {
		*ret_cookie = xasprintf(PREVIEW_COOKIE "=%s; Path=/; "
					"HttpOnly; SameSite=Lax", given);
		return true;
	}
	return has_cookie(r, d, id, port);
}

bool preview_take(struct http_req *r, const char *host, void *app)
{
	struct daemon *d = app;
	char id[64];
	int port;
	auto_free char *token = NULL, *cookie = NULL, *target = NULL;
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct sandbox *s;

	if (!d->preview_domain ||
	    !preview_parse_host(host, d->preview_domain, &port, id,
				sizeof(id)))
		return false;
	target = strip_query(http_target(r), &token);
	/* Who may not see it doesn't learn whether it is there. */
	if (!is_allowed(r, d, id, port, token, &cookie)) {
		preview_page(r, 401, "This preview needs a token: get its "
				     "address from GET /api/v1/sandboxes/%s/"
				     "preview?port=%d", id, port);
		return true;
	}
	s = sandbox_find(d, id, &(struct caller){ .all = true }, &err);
	if (!s)
		preview_page(r, 404, "There is no sandbox %s.", id);
	else if (target[0] != '/' && strcmp(target, "*") != 0)
		preview_page(r, 400, "The target must be a path.");
	else
		preview_relay(r, s, port, target, cookie);
	return true;
}

/* -- GET /sandboxes/{id}/preview */

static bool parse_port(const char *text, int *ret)
{
	size_t n = text ? strlen(text) : 0;

	if (!n || n > 5 || strspn(text, "0123456789") != n)
		return false;
	*ret = (int)strtol(text, NULL, 10);
	return *ret >= 1 && *ret <= 65535;
}

static int64_t token_end(const struct sandbox *s)
{
	int64_t end = clock_wall_ns() + DAY_NS;

	return s->expires_ns && s->expires_ns < end ? s->expires_ns : end;
}

static void refuse_without_port(struct http_req *r, const struct daemon *d)
{
	auto_err struct svm_err err = SVM_ERR_INIT;

	svm_err_set(&err, SVM_UNSUPPORTED, "there is no TCP port to open "
		    "previews on: %s", d->tcp_problem ? d->tcp_problem :
		    "server.port is 0");
	svm_err_hint(&err, "choose a port that is free: stacyvm config set "
			   "server.port PORT && stacyvm daemon restart");
	http_reply_error(r, &err);
}

void api_preview(struct http_req *r, void *app)
{
	struct sandbox *s = api_call_sandbox(r, app);
	struct daemon *d = app;
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_buf struct buf out = BUF_INIT, url = BUF_INIT;
	struct json_writer w = json_writer(&out);
	char token[PREVIEW_TOKEN_SIZE] = "", when[CLOCK_RFC3339_SIZE];
	int64_t end;
	int port;

	if (!s)
		return;
	if (!parse_port(http_query(r, "port"), &port)) {
		api_call_refuse(r, SVM_BAD_REQUEST,
				"port must be a number, 1 to 65535");
		return;
	}
	if (!d->preview_domain) {
		refuse_without_port(r, d);
		return;
	}
	end = token_end(s);
	if (auth_on(d->auth) &&
	    preview_token(d, s->id, port, end, token, &err) < 0) {
		http_reply_error(r, &err);
		return;
	}
	buf_addf(&url, "http://%d-%s.%s/", port, s->id, d->preview_domain);
	if (*token)
		buf_addf(&url, "?" PREVIEW_QUERY "=%s", token);
	clock_format_rfc3339(end, when);
	json_open(&w, NULL, '{');
	json_str(&w, "url", buf_str(&url));
	json_int(&w, "port", port);
	json_str(&w, "sandbox_id", s->id);
	json_str(&w, "token", token);
	json_str(&w, "expires_at", when);
	json_close(&w, '}');
	http_reply_json(r, 200, &out);
}
