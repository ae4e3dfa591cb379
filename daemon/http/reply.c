/* SPDX-License-Identifier: MIT */
/* Replies, whole and in pieces. */
#include <stdio.h>
#include <string.h>

#include "daemon/http/internal.h"
#include "lib/api/errmap.h"
#include "lib/base/mem.h"

/* The head of a reply, in the server's scratch buffer until the next one. */

static void add_number(struct buf *b, uint64_t v)
{
	char digits[20], *p = digits + sizeof(digits);

	do
		*--p = (char)('0' + v % 10);
	while (v /= 10);
	buf_add(b, p, (size_t)(digits + sizeof(digits) - p));
}

static bool will_close(const struct http_conn *c, const struct http_req *r)
{
	return c->close_after || c->server->stopping ||
	       (r && (r->close || r->old || !r->body_done));
}

/* r may be NULL: then the id is whatever was made up for the reply. */
static struct buf *render_head(struct http_conn *c, const struct http_req *r,
			       const char *id, int status, const char *type,
			       int64_t length)
{
	struct buf *b = &c->server->scratch;

	buf_clear(b);
	buf_addstr(b, "HTTP/1.1 ");
	add_number(b, (uint64_t)status);
	buf_addch(b, ' ');
	buf_addstr(b, http1_reason(status));
	if (type) {
		buf_addstr(b, "\r\nContent-Type: ");
		buf_addstr(b, type);
	}
	if (length >= 0) {
		buf_addstr(b, "\r\nContent-Length: ");
		add_number(b, (uint64_t)length);
	} else if (length != HTTP_BODILESS && (!r || !r->old)) {
		buf_addstr(b, "\r\nTransfer-Encoding: chunked");
	}
	buf_addstr(b, "\r\nX-Request-ID: ");
	buf_addstr(b, id);
	buf_addstr(b, "\r\n");
	if (r)
		buf_add(b, r->extra.data, r->extra.len);
	if (will_close(c, r)) {
		buf_addstr(b, "Connection: close\r\n");
		c->close_after = true;
	}
	buf_addstr(b, "\r\n");
	return b;
}

/* "Name: value" with what would break the line made harmless. */
PRINTF_LIKE(3, 0)
static void add_line(struct buf *b, const char *name, const char *fmt,
		     va_list ap)
{
	size_t at;

	buf_addf(b, "%s: ", name);
	at = b->len;
	buf_vaddf(b, fmt, ap);
	for (size_t i = at; i < b->len; i++)
		if ((unsigned char)b->data[i] < ' ' || b->data[i] == 0x7f)
			b->data[i] = ' ';
	buf_addstr(b, "\r\n");
}

void http_reply_header(struct http_req *r, const char *name,
		       const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_line(&r->extra, name, fmt, ap);
	va_end(ap);
}

static bool has_header(const struct http_req *r, const char *name)
{
	return r->extra.len && strstr(buf_str(&r->extra), name);
}

/* Whole replies. */

static void send_whole(struct http_conn *c, struct http_req *r,
		       const char *id, int status, const char *type,
		       const void *p, size_t n)
{
	struct buf *head = render_head(c, r, id, status, type, (int64_t)n);
	struct iovec iov[2] = {
		{ head->data, head->len },
		{ (void *)(uintptr_t)p, n },
	};

	conn_send(c, iov, r && r->head_only ? 1 : 2, true);
}

/* A reply for nobody; true when there is nobody. */
static bool unheard(struct http_req *r)
{
	if (r->conn)
		return false;
	if (!r->over)
		req_free(r);
	return true;
}

void http_reply_bytes(struct http_req *r, int status, const char *type,
		      const void *p, size_t n)
{
	if (unheard(r))
		return;
	r->status = (uint16_t)status;
	send_whole(r->conn, r, r->request_id, status, type, p, n);
	conn_reply_done(r->conn);
}

void http_reply_json(struct http_req *r, int status, struct buf *body)
{
	http_reply_bytes(r, status, "application/json", body->data, body->len);
}

void reply_error(struct http_req *r, int status, const struct svm_err *err)
{
	auto_buf struct buf body = BUF_INIT;

	r->code = (uint8_t)err->code;
	errmap_json(&body, err, r->request_id);
	if ((status == 429 || status == 503) && !has_header(r, "Retry-After:"))
		http_reply_header(r, "Retry-After", "1");
	http_reply_json(r, status, &body);
}

void http_reply_error(struct http_req *r, const struct svm_err *err)
{
	reply_error(r, errmap_http_status(err->code), err);
}

void conn_fail(struct http_conn *c, int status, enum svm_code code,
	       const char *fmt, ...)
{
	struct http_req *r = c->req;
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_buf struct buf body = BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	auto_free char *msg = xvasprintf(fmt, ap);
	va_end(ap);
	svm_err_set(&err, code, "%s", msg);
	c->server->counts.refused++;
	c->close_after = true;
	if (!r || !r->began) {
		char fresh[HTTP_FRESH_ID];
		const char *id = r ? r->request_id
				   : fresh_id(c->server, fresh);

		if (r) {
			r->status = (uint16_t)status;
			r->code = (uint8_t)code;
		}
		errmap_json(&body, &err, id);
		send_whole(c, r, id, status, "application/json", body.data,
			   body.len);
	}
	c->req = NULL;
	conn_reply_done(c);
	if (r && r->handled)
		req_detach(r);
	else if (r)
		req_free(r);
}

/* Streams. */

static bool count_stream(struct http_req *r, const char *type)
{
	struct http_server *s = r->server;

	if (!r->route) /* somebody else's: they have limits of their own */
		return true;
	bool sse = strncmp(type, "text/event-stream", 17) == 0;

	if (sse ? s->sse >= LIMIT_HTTP_SSE
		: s->counts.streams >= LIMIT_HTTP_STREAMS)
		return false;
	r->counted = sse ? STREAM_SSE : STREAM_OTHER;
	if (sse)
		s->sse++;
	else
		s->counts.streams++;
	return true;
}

void reply_uncount(struct http_req *r)
{
	if (r->counted == STREAM_SSE)
		r->server->sse--;
	else if (r->counted == STREAM_OTHER)
		r->server->counts.streams--;
	r->counted = STREAM_NONE;
}

/* The client has its answer although the handler believes that it streams
 * on: to the handler the client is gone. */
static void answered_early(struct http_req *r)
{
	struct http_conn *c = r->conn;

	if (r->close || r->old || !r->body_done)
		c->close_after = true;
	c->req = NULL;
	conn_reply_done(c);
	req_orphan(r);
}

static void too_many_streams(struct http_req *r)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_buf struct buf body = BUF_INIT;

	svm_err_set(&err, SVM_RESOURCE_LIMIT, "too many open streams");
	errmap_json(&body, &err, r->request_id);
	buf_clear(&r->extra);
	http_reply_header(r, "Retry-After", "1");
	r->status = 429;
	r->code = SVM_RESOURCE_LIMIT;
	send_whole(r->conn, r, r->request_id, 429, "application/json",
		   body.data, body.len);
	answered_early(r);
}

void http_stream_begin(struct http_req *r, int status, const char *type,
		       int64_t length)
{
	struct http_conn *c = r->conn;

	r->began = true;
	if (!c)
		return;
	if (!r->head_only && !count_stream(r, type)) {
		too_many_streams(r);
		return;
	}
	r->status = (uint16_t)status;
	r->chunked_out = length == -1 && !r->old;
	r->out_left = length == HTTP_BODILESS ? 0 : length;
	struct buf *head = render_head(c, r, r->request_id, status,
					type, length);
	struct iovec iov = { head->data, head->len };
	conn_send(c, &iov, 1, true);
	if (r->head_only)
		answered_early(r);
	else
		conn_timer(c, TIMER_KEEPALIVE);
}

void http_stream_keepalive(struct http_req *r, const char *text)
{
	r->keepalive = text;
}

/* After anything was queued. */
static size_t queued_now(struct http_req *r)
{
	struct http_conn *c = r->conn;

	if (c->out.queued > LIMIT_QUEUE_LOW)
		r->high = true;
	conn_timer(c, TIMER_KEEPALIVE);
	return c->out.queued;
}

/* One callback that writes and writes must not keep the loop: beyond a
 * turn's budget everything is queued, and the source sees the queue grow. */
static bool may_send_directly(struct http_req *r, size_t n)
{
	int64_t now = loop_now_ns(r->server->loop);

	if (r->turn != now) {
		r->turn = now;
		r->turn_bytes = 0;
	}
	r->turn_bytes += n;
	return r->turn_bytes <= LIMIT_QUEUE_HIGH;
}

size_t http_stream_write(struct http_req *r, const void *p, size_t n)
{
	char size[20];
	int len;

	if (!r->conn)
		return 0;
	if (r->out_left >= 0) {
		n = (size_t)MIN((uint64_t)n, (uint64_t)r->out_left);
		r->out_left -= (int64_t)n;
	}
	if (!n)
		return r->conn->out.queued;
	len = snprintf(size, sizeof(size), "%zx\r\n", n);
	struct iovec iov[3] = {
		{ size, (size_t)len },
		{ (void *)(uintptr_t)p, n },
		{ (char[]){ '\r', '\n' }, 2 },
	};
	if (r->chunked_out)
		conn_send(r->conn, iov, 3, may_send_directly(r, n));
	else
		conn_send(r->conn, iov + 1, 1, may_send_directly(r, n));
	return queued_now(r);
}

size_t http_stream_write_blob(struct http_req *r, struct http_blob *b)
{
	struct http_conn *c = r->conn;
	size_t sent = 0;

	if (!c || c->broken)
		return 0;
	if (!r->chunked_out) { /* HTTP/1.0: without the framing */
		const char *data = memchr(b->data, '\n', b->len);

		if (!data)
			return c->out.queued;
		data++;
		return http_stream_write(
			r, data, (size_t)(b->data + b->len - 2 - data));
	}
	if (!c->out.queued && may_send_directly(r, b->len)) {
		int e = out_send_blob(c->fd, b, &sent);

		if (e < 0) {
			conn_broken(c);
			return 0;
		}
	}
	out_add_blob(&c->out, b, sent);
	if (!c->busy && c->out.queued)
		conn_update(c);
	return queued_now(r);
}

size_t http_stream_queued(const struct http_req *r)
{
	return r->conn ? r->conn->out.queued : 0;
}

bool http_stream_begun(const struct http_req *r)
{
	return r->began;
}

void http_stream_failed(struct http_req *r, enum svm_code code)
{
	r->status = (uint16_t)errmap_http_status(code);
	r->code = (uint8_t)code;
}

void http_on_drain(struct http_req *r, void (*fn)(struct http_req *r))
{
	r->on_drain = fn;
	if (r->conn && r->high && r->conn->out.queued < LIMIT_QUEUE_LOW)
		conn_kick(r->conn);
}

void reply_drained(struct http_req *r)
{
	if (!r->on_drain)
		return;
	r->high = false;
	r->on_drain(r);
}

void http_stream_trailer(struct http_req *r, const char *name,
			 const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_line(&r->trailers, name, fmt, ap);
	va_end(ap);
}

void http_stream_end(struct http_req *r)
{
	if (unheard(r))
		return;
	if (r->out_left > 0) { /* less than was announced */
		http_stream_abort(r);
		return;
	}
	if (r->chunked_out) {
		buf_addstr(&r->trailers, "\r\n");
		struct iovec iov[2] = {
			{ (char[]){ '0', '\r', '\n' }, 3 },
			{ r->trailers.data, r->trailers.len },
		};
		conn_send(r->conn, iov, 2, true);
	}
	conn_reply_done(r->conn);
}

void http_stream_abort(struct http_req *r)
{
	if (unheard(r))
		return;
	r->code = SVM_INTERNAL; /* or whatever cut it: it did not end well */
	r->conn->close_after = true;
	conn_reply_done(r->conn);
}

/* Silence. */

static unsigned flags_of(const struct http_req *r)
{
	return r->route ? r->route->flags : HTTP_GONE;
}

static void say_something(struct http_req *r, unsigned if_flags)
{
	if (r->conn->out.queued)
		return;
	if (r->began) {
		if (r->keepalive)
			http_stream_write(r, r->keepalive,
					  strlen(r->keepalive));
	} else if (!r->old && r->body_done && (flags_of(r) & if_flags)) {
		conn_send_text(r->conn, "HTTP/1.1 102 Processing\r\n\r\n");
	}
}

void reply_tick(struct http_req *r)
{
	say_something(r, HTTP_SLOW |
			 (r->conn->half_closed ? HTTP_GONE : 0u));
}

void reply_probe(struct http_req *r)
{
	say_something(r, HTTP_GONE);
}
