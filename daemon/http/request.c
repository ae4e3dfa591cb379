/* SPDX-License-Identifier: MIT */
/* From a parsed head to the handler: who asks, for what, and may they. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "daemon/http/internal.h"
#include "daemon/http/peer.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"

/* Cut a slice of the copied head into a string; what ends it (blank, colon,
 * CR) is not needed any more. */
static char *cut(char *text, struct http1_slice s)
{
	text[s.at + s.len] = '\0';
	return text + s.at;
}

static const char *header_in(const struct http_req *r, const char *name)
{
	for (unsigned i = 0; i < r->nheaders; i++)
		if (strcasecmp(r->headers[i].name, name) == 0)
			return r->headers[i].value;
	return NULL;
}

const char *fresh_id(struct http_server *s, char out[HTTP_FRESH_ID])
{
	static const char hex[] = "0123456789abcdef";
	uint64_t id = (uint64_t)s->id_seed << 32 | s->id_next++;

	for (int i = 0; i < 16; i++)
		out[i] = hex[id >> (60 - 4 * i) & 15];
	out[16] = '\0';
	return out;
}

static void take_request_id(struct http_req *r)
{
	const char *given = header_in(r, "X-Request-ID");
	size_t n = given ? strlen(given) : 0;

	for (size_t i = 0; i < n; i++)
		if (given[i] < 0x20 || given[i] > 0x7e)
			n = 0;
	if (n && n <= LIMIT_REQUEST_ID) {
		r->request_id = given;
		return;
	}
	r->request_id = fresh_id(r->server, r->fresh_id);
}

/* One block: the request, its headers, the head's text and twice the target:
 * the path with what is decoded from it. */
struct http_req *req_new(struct http_conn *c, const struct http1_head *h,
			 const char *text, size_t n)
{
	size_t room = n + 2u * h->target.len + HTTP_MAX_PARAMS + 2;
	size_t head_at = h->nheaders * sizeof(struct http_pair);
	struct http_req *r = xmalloc(sizeof(*r) + head_at + room);
	char *t = r->text + head_at;

	memset(r, 0, sizeof(*r));
	memcpy(t, text, n);
	r->conn = c;
	r->server = c->server;
	list_init(&r->link);
	r->headers = (struct http_pair *)(void *)r->text;
	r->nheaders = h->nheaders;
	r->method = cut(t, h->method);
	r->path = t + n;
	memcpy(r->path, text + h->target.at, h->target.len);
	r->path[h->target.len] = '\0';
	for (unsigned i = 0; i < h->nheaders; i++) {
		r->headers[i].name = cut(t, h->headers[i].name);
		r->headers[i].value = cut(t, h->headers[i].value);
	}
	r->content_length = h->content_length;
	r->chunked_in = h->chunked;
	r->body_done = !h->chunked && h->content_length <= 0;
	r->expect = h->expect_continue && h->minor && !r->body_done;
	r->old = h->minor == 0;
	r->close = h->close;
	r->peer_uid = c->peer_uid;
	r->is_unix = c->is_unix;
	r->began_ns = clock_boot_ns();
	r->host = "";
	if (h->host >= 0)
		r->host = r->headers[h->host].value;
	take_request_id(r);
	return r;
}

void req_free(struct http_req *r)
{
	if (r->server->o.observe)
		r->server->o.observe(r, r->server->o.app);
	for (unsigned i = 0; i < HTTP_NOTE_MAX; i++)
		free(r->notes[i]);
	reply_uncount(r);
	list_remove(&r->link);
	buf_release(&r->body);
	buf_release(&r->extra);
	buf_release(&r->trailers);
	free(r->query);
	free(r);
}

void req_gone(struct http_req *r)
{
	list_remove(&r->link);
	r->over = true;
	r->on_gone(r);
	req_free(r);
}

void req_orphan(struct http_req *r)
{
	r->conn = NULL;
	reply_uncount(r);
	list_append(&r->server->detached, &r->link);
	if (r->on_gone)
		loop_timer_after(r->server->reap, 0);
}

void req_detach(struct http_req *r)
{
	r->conn = NULL;
	reply_uncount(r);
	if (r->on_gone)
		req_gone(r);
	else
		list_append(&r->server->detached, &r->link);
}

/* Refuse; the connection goes on if the request had no body. */
void req_refuse(struct http_req *r, int status, enum svm_code code,
		const char *fmt, ...)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	va_list ap;

	va_start(ap, fmt);
	auto_free char *msg = xvasprintf(fmt, ap);
	va_end(ap);
	svm_err_set(&err, code, "%s", msg);
	reply_error(r, status, &err);
}

/* The uid seen at accept could have been that of a process which passed its
 * socket on; before the first change the kernel is asked once more. */
static bool check_peer_again(struct http_req *r)
{
	struct http_conn *c = r->conn;
	uid_t uid;

	if (r->is_unix || c->rechecked || r->server->o.allow_any_peer ||
	    !edge_changes_something(r))
		return true;
	c->rechecked = true;
	if (peer_uid_tcp(r->server->diag, c->fd, &uid) == 0 &&
	    uid == c->peer_uid)
		return true;
	conn_fail(c, 403, SVM_FORBIDDEN,
		  "this daemon belongs to another user");
	return false;
}

/* origin-form, or absolute-form whose authority is the Host's; NULL: bad. */
static const char *strip_authority(struct http_req *r)
{
	size_t n;

	if (*r->path == '/' || strcmp(r->path, "*") == 0)
		return r->path;
	if (strncasecmp(r->path, "http://", 7) != 0)
		return NULL;
	n = strcspn(r->path + 7, "/?");
	if (strlen(r->host) != n || strncasecmp(r->path + 7, r->host, n) != 0 ||
	    r->path[7 + n] != '/')
		return NULL;
	memmove(r->path, r->path + 7 + n, strlen(r->path + 7 + n) + 1);
	return r->path;
}

static bool parse_target(struct http_req *r)
{
	char *query;

	if (!strip_authority(r)) {
		conn_fail(r->conn, 400, SVM_BAD_REQUEST, "malformed target");
		return false;
	}
	query = strchr(r->path, '?');
	if (!query)
		return true;
	/* The query moves to the end of the room, so that decoded path
	 * parameters may follow the path. */
	size_t n = strlen(query + 1), path = (size_t)(query - r->path);
	char *to = r->path + 2 * path + HTTP_MAX_PARAMS + 2;
	*query = '\0';
	memmove(to, query + 1, n + 1);
	if (query_parse(r, to) == 0)
		return true;
	req_refuse(r, 400, SVM_BAD_REQUEST,
	       "query has a bad percent escape or an encoded NUL");
	return false;
}

static void no_route(struct http_req *r)
{
	auto_buf struct buf allow = BUF_INIT;

	route_allow(r, &allow);
	if (strcmp(r->path, "*") == 0)
		buf_addstr(&allow, "GET, HEAD, POST, PUT, DELETE");
	if (!allow.len) {
		req_refuse(r, 404, SVM_NOT_FOUND, "no such route: %s %s",
		       r->method, r->path);
		return;
	}
	http_reply_header(r, "Allow", "%s", buf_str(&allow));
	req_refuse(r, 405, SVM_METHOD_NOT_ALLOWED, "%s is not allowed on %s",
	       r->method, r->path);
}

/* NULL: answered. */
static const struct http_route *find_route(struct http_req *r)
{
	const struct http_route *route;
	int bad;

	route = route_find(r, r->method, &bad);
	if (!route && r->head_only)
		route = route_find(r, "GET", &bad);
	r->route = route;
	struct http_server *s = r->server;
	if (s->o.authorize && !(route && route->flags & HTTP_NO_AUTH)) {
		auto_err struct svm_err err = SVM_ERR_INIT;

		if (s->o.authorize(r, route, s->o.app, &err) < 0) {
			http_reply_error(r, &err);
			return NULL;
		}
	}
	if (!route) {
		no_route(r);
		return NULL;
	}
	if (bad) {
		req_refuse(r, 400, SVM_BAD_REQUEST,
		       "path has a bad percent escape or an encoded NUL");
		return NULL;
	}
	return route;
}

static bool is_foreign(struct http_req *r)
{
	struct http_server *s = r->server;

	if (!s->o.foreign_host || !*r->host ||
	    edge_host_is_ours(r))
		return false;
	r->stream_in = true;
	r->conn->state = CONN_BODY;
	conn_timer(r->conn, TIMER_KEEPALIVE); /* a body has its least rate */
	r->handled = true;
	if (s->o.foreign_host(r, r->host, s->o.app))
		return true;
	r->handled = false;
	r->stream_in = false;
	conn_timer(r->conn, TIMER_NONE);
	return false;
}

void req_start(struct http_req *r)
{
	struct http_conn *c = r->conn;

	c->state = CONN_WAIT;
	conn_timer(c, TIMER_NONE);
	r->head_only = strcmp(r->method, "HEAD") == 0;
	if (!check_peer_again(r) || is_foreign(r))
		return;
	c->state = CONN_WAIT;
	if (!edge_check(r) || !parse_target(r))
		return;
	const struct http_route *route = find_route(r);
	if (!route)
		return;
	if (route->flags & HTTP_WS && !ws_check_handshake(r))
		return;
	if (req_start_body(r) == 413)
		req_refuse(r, 413, SVM_TOO_LARGE,
		       "body of %lld bytes is over the limit of this route",
		       (long long)r->content_length);
}

/* What handlers read. */

const char *http_method(const struct http_req *r)
{
	return r->method;
}

const char *http_target(const struct http_req *r)
{
	return r->path;
}

const char *http_header(const struct http_req *r, const char *name)
{
	return header_in(r, name);
}

bool http_header_at(const struct http_req *r, unsigned i,
		    const char **ret_name, const char **ret_value)
{
	if (i >= r->nheaders)
		return false;
	*ret_name = r->headers[i].name;
	*ret_value = r->headers[i].value;
	return true;
}

bool http_body_is_chunked(const struct http_req *r)
{
	return r->chunked_in;
}

const char *http_request_id(const struct http_req *r)
{
	return r->request_id;
}

uid_t http_peer_uid(const struct http_req *r)
{
	return r->peer_uid;
}

void http_peer_address(const struct http_req *r,
		       char out[HTTP_ADDRESS_SIZE])
{
	snprintf(out, HTTP_ADDRESS_SIZE, "unix");
	if (!r->is_unix && (!r->conn || peer_address(r->conn->fd, out) < 0))
		snprintf(out, HTTP_ADDRESS_SIZE, "unknown");
}

void http_set_scope(struct http_req *r, unsigned char scope)
{
	r->scope = scope;
}

unsigned char http_scope(const struct http_req *r)
{
	return r->scope;
}

bool http_peer_is_unix(const struct http_req *r)
{
	return r->is_unix;
}

int64_t http_content_length(const struct http_req *r)
{
	return r->content_length;
}

const struct buf *http_body(const struct http_req *r)
{
	return &r->body;
}

void http_set_data(struct http_req *r, void *data)
{
	r->data = data;
}

void *http_data(const struct http_req *r)
{
	return r->data;
}

void http_on_gone(struct http_req *r, void (*fn)(struct http_req *r))
{
	r->on_gone = fn;
	if (!r->conn && fn && !r->over)
		loop_timer_after(r->server->reap, 0);
}

void http_on_stop(struct http_req *r, void (*fn)(struct http_req *r))
{
	r->on_stop = fn;
}

/* Notes. */

void http_note(struct http_req *r, enum http_note which, const char *text)
{
	free(r->notes[which]);
	r->notes[which] = xstrdup(text);
}

const char *http_noted(const struct http_req *r, enum http_note which)
{
	return r->notes[which];
}

int http_status(const struct http_req *r)
{
	return r->status;
}

enum svm_code http_error_code(const struct http_req *r)
{
	return (enum svm_code)r->code;
}

int64_t http_took_ns(const struct http_req *r)
{
	return clock_boot_ns() - r->began_ns;
}

const struct http_route *http_route_of(const struct http_req *r)
{
	return r->route;
}
