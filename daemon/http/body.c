/* SPDX-License-Identifier: MIT */
/* Bodies of requests: collected whole, or handed on as they arrive. */
#include "daemon/http/internal.h"

static uint64_t max_body(const struct http_req *r)
{
	if (!r->route)
		return UINT64_MAX;
	return r->route->max_body ? r->route->max_body : LIMIT_HTTP_BODY_JSON;
}

static void call_handler(struct http_req *r)
{
	auto_err struct svm_err err = SVM_ERR_INIT;

	r->handled = true;
	if (!r->server->stopping) {
		r->route->handler(r, r->server->o.app);
		return;
	}
	/* It would be cut off half-way. */
	svm_err_set(&err, SVM_UNAVAILABLE, "the daemon is stopping");
	svm_err_hint(&err, "nothing was done: send it again to the next one");
	http_reply_error(r, &err);
}

static void send_continue(struct http_req *r)
{
	if (r->expect)
		conn_send_text(r->conn, "HTTP/1.1 100 Continue\r\n\r\n");
	r->expect = false;
}

int req_start_body(struct http_req *r)
{
	struct http_conn *c = r->conn;

	if (r->content_length > 0 &&
	    (uint64_t)r->content_length > max_body(r))
		return 413;
	r->stream_in = r->route->flags & HTTP_STREAM_IN;
	if (r->stream_in) {
		/* BODY until the sink has heard the end, even without one. */
		c->state = CONN_BODY;
		conn_timer(c, TIMER_KEEPALIVE);
		call_handler(r);
	} else if (r->body_done) {
		conn_enter_wait(c);
		call_handler(r);
	} else {
		c->state = CONN_BODY;
		conn_timer(c, TIMER_BODY);
		send_continue(r);
	}
	return 0;
}

bool body_blocked(const struct http_conn *c)
{
	const struct http_req *r = c->req;

	return r->stream_in && (!r->body_wanted || r->paused);
}

bool body_too_slow(struct http_req *r)
{
	const int64_t *time = r->server->time;
	int64_t ticks = time[TIMER_BODY] / time[TIMER_KEEPALIVE];
	uint64_t least = KIB((uint64_t)1) * time[TIMER_BODY] / SECONDS(1);

	/* We are the slow one; or it is a conversation with a stranger's
	 * program, which answers already and may hear the rest as it likes. */
	if (body_blocked(r->conn) || (!r->route && r->began)) {
		r->rate_ticks = 0;
		r->rate_mark = r->received;
	} else if (++r->rate_ticks >= ticks) {
		if (r->received - r->rate_mark < least)
			return true;
		r->rate_ticks = 0;
		r->rate_mark = r->received;
	}
	return false;
}

/* False when the request is over: too large, or the handler replied. */
static bool deliver(struct http_req *r, const char *p, size_t n)
{
	struct http_conn *c = r->conn;

	r->received += n;
	if (r->received > max_body(r)) {
		conn_fail(c, 413, SVM_TOO_LARGE,
			  "body is over the limit of this route");
		return false;
	}
	if (!r->stream_in) {
		buf_add(&r->body, p, n);
		return true;
	}
	r->sink.data(r, p, n);
	return c->req == r;
}

enum step { STEP_WAIT, STEP_MORE, STEP_OVER };

static enum step take_chunked(struct http_req *r, struct span *in)
{
	const char *data;
	size_t n;

	switch (http1_chunked_next(&r->decoder, &in->p, &in->n, &data, &n)) {
	case HTTP1_CHUNK_MORE:
		return STEP_WAIT;
	case HTTP1_CHUNK_DATA:
		return deliver(r, data, n) ? STEP_MORE : STEP_OVER;
	case HTTP1_CHUNK_END:
		r->body_done = true;
		return STEP_MORE;
	case HTTP1_CHUNK_BAD:
		break;
	}
	conn_fail(r->conn, 400, SVM_BAD_REQUEST,
		  "malformed chunk, or trailers");
	return STEP_OVER;
}

static enum step take_length(struct http_req *r, struct span *in)
{
	uint64_t left = (uint64_t)r->content_length - r->received;
	size_t n = MIN(in->n, left);
	const char *p = in->p;

	if (!n)
		return STEP_WAIT;
	in->p += n;
	in->n -= n;
	r->body_done = n == left;
	return deliver(r, p, n) ? STEP_MORE : STEP_OVER;
}

bool body_step(struct http_conn *c, struct span *in)
{
	struct http_req *r = c->req;

	if (body_blocked(c))
		return false;
	if (!r->body_done) {
		enum step step = r->chunked_in ? take_chunked(r, in)
					       : take_length(r, in);

		if (step == STEP_WAIT)
			return false;
		if (step == STEP_OVER || !r->body_done || body_blocked(c))
			return true;
	}
	conn_enter_wait(c);
	if (r->stream_in)
		r->sink.end(r);
	else
		call_handler(r);
	return true;
}

void http_body_read(struct http_req *r, const struct http_body_sink *sink)
{
	r->sink = *sink;
	r->body_wanted = true;
	if (!r->conn)
		return;
	if (!r->began)
		send_continue(r);
	conn_kick(r->conn);
}

void http_body_pause(struct http_req *r, bool pause)
{
	r->paused = pause;
	if (r->conn && !pause && r->conn->state == CONN_BODY)
		conn_kick(r->conn);
}
