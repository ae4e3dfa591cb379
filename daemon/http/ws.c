/* SPDX-License-Identifier: MIT */
/*
 * WebSocket (RFC 6455) over wslay.
 *
 * wslay frames and validates; this file feeds it within a budget per turn,
 * keeps its unbounded queue bounded, and decides when a peer is gone.  Its
 * close frame overtakes queued messages, so closing waits until they are out.
 */
#include <errno.h>
#include <sha1.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <wslay/wslay.h>

#include "daemon/http/internal.h"
#include "lib/base/base64.h"
#include "lib/base/mem.h"

#define GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#define MESSAGES_TURN 16

struct http_ws {
	wslay_event_context_ptr ctx;
	struct http_conn *conn;
	const struct http_ws_events *ev;
	void *data;
	int64_t ping_since; /* first ping without a sign of life; 0: none */
	size_t received, sent, messages; /* this turn */
	size_t sent_since; /* the pongs were counted from 0 */
	unsigned pongs;
	uint16_t code;     /* given to http_ws_close(), else 0 */
	char *reason;
	bool paused;
	bool receiving;    /* inside wslay_event_recv() */
	bool close_queued;
	bool eof;
	bool bad;          /* broke a rule that wslay doesn't know */
	bool high;
};

/* The handshake. */

static bool has_token(const struct http_req *r, const char *name,
		      const char *token)
{
	const char *v = http_header(r, name);

	return v && http1_has_token(v, strlen(v), token);
}

static bool key_ok(const char *key)
{
	auto_buf struct buf raw = BUF_INIT;

	return key && strlen(key) == 24 &&
	       base64_decode(&raw, key, 24) == 0 && raw.len == 16;
}

bool ws_check_handshake(struct http_req *r)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	const char *version = http_header(r, "Sec-WebSocket-Version");
	int status = 0;

	if (r->old || r->head_only || !has_token(r, "Upgrade", "websocket") ||
	    !has_token(r, "Connection", "upgrade")) {
		status = 426;
		http_reply_header(r, "Upgrade", "websocket");
		svm_err_set(&err, SVM_BAD_REQUEST,
			    "this route speaks WebSocket only");
	} else if (!version || strcmp(version, "13") != 0) {
		status = 426;
		http_reply_header(r, "Sec-WebSocket-Version", "13");
		svm_err_set(&err, SVM_BAD_REQUEST,
			    "only version 13 of WebSocket is spoken here");
	} else if (!key_ok(http_header(r, "Sec-WebSocket-Key"))) {
		status = 400;
		svm_err_set(&err, SVM_BAD_REQUEST,
			    "Sec-WebSocket-Key is not 16 bytes of base64");
	} else if (!r->body_done) {
		status = 400;
		svm_err_set(&err, SVM_BAD_REQUEST,
			    "a WebSocket handshake has no body");
	} else if (r->server->counts.websockets >= LIMIT_HTTP_WS) {
		status = 429;
		svm_err_set(&err, SVM_RESOURCE_LIMIT,
			    "too many open WebSockets");
	}
	if (status)
		reply_error(r, status, &err);
	return !status;
}

static void send_accept(struct http_req *r)
{
	const char *key = http_header(r, "Sec-WebSocket-Key");
	unsigned char digest[SHA1_DIGEST_LENGTH];
	auto_buf struct buf out = BUF_INIT;
	SHA1_CTX sha;

	SHA1Init(&sha);
	SHA1Update(&sha, (const uint8_t *)key, strlen(key));
	SHA1Update(&sha, (const uint8_t *)GUID, strlen(GUID));
	SHA1Final(digest, &sha);
	buf_addstr(&out, "HTTP/1.1 101 Switching Protocols\r\n"
			 "Upgrade: websocket\r\nConnection: Upgrade\r\n"
			 "Sec-WebSocket-Accept: ");
	base64_encode(&out, digest, sizeof(digest));
	buf_addf(&out, "\r\nX-Request-ID: %s\r\n", r->request_id);
	buf_add(&out, r->extra.data, r->extra.len);
	buf_addstr(&out, "\r\n");
	struct iovec iov = { out.data, out.len };
	conn_send(r->conn, &iov, 1, true);
}

/* wslay's callbacks. */

static ssize_t would_block(wslay_event_context_ptr ctx)
{
	wslay_event_set_error(ctx, WSLAY_ERR_WOULDBLOCK);
	return -1;
}

static ssize_t on_recv(wslay_event_context_ptr ctx, uint8_t *p, size_t n,
		       int flags, void *data)
{
	struct http_ws *ws = data;
	struct http_conn *c = ws->conn;
	ssize_t got;

	(void)flags;
	if (ws->received >= LIMIT_TURN_BYTES ||
	    ws->messages >= MESSAGES_TURN || !ws_reading(c))
		return would_block(ctx);
	if (c->in.len) { /* came behind the handshake */
		got = (ssize_t)MIN(n, c->in.len);
		memcpy(p, c->in.data, (size_t)got);
		buf_consume(&c->in, (size_t)got);
		if (!c->in.len)
			buf_release(&c->in);
	} else {
		got = recv(c->fd, p, n, MSG_DONTWAIT);
	}
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return would_block(ctx);
	if (got <= 0) {
		ws->eof = true;
		wslay_event_set_error(ctx, WSLAY_ERR_CALLBACK_FAILURE);
		return -1;
	}
	ws->received += (size_t)got;
	ws->ping_since = 0;
	return got;
}

static ssize_t on_send(wslay_event_context_ptr ctx, const uint8_t *p,
		       size_t n, int flags, void *data)
{
	struct http_ws *ws = data;
	struct http_conn *c = ws->conn;

	if (ws->sent >= LIMIT_TURN_BYTES)
		return would_block(ctx);
	ssize_t got = send(c->fd, p, MIN(n, (size_t)LIMIT_TURN_BYTES),
			   MSG_NOSIGNAL | MSG_DONTWAIT |
			   (flags & WSLAY_MSG_MORE ? MSG_MORE : 0));
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return would_block(ctx);
	if (got < 0) {
		wslay_event_set_error(ctx, WSLAY_ERR_CALLBACK_FAILURE);
		return -1;
	}
	ws->sent += (size_t)got;
	ws->sent_since += (size_t)got;
	return got;
}

static void on_message(wslay_event_context_ptr ctx,
		       const struct wslay_event_on_msg_recv_arg *arg,
		       void *data)
{
	struct http_ws *ws = data;

	(void)ctx;
	ws->messages++;
	if (arg->opcode == WSLAY_PING)
		ws->pongs++;
	/* Half a code (RFC 6455 5.5.1); to wslay it is none. */
	if (arg->opcode == WSLAY_CONNECTION_CLOSE && arg->msg_length == 1)
		ws->bad = true;
	if (wslay_is_ctrl_frame(arg->opcode) || ws->code)
		return;
	ws->ev->on_message(ws, ws->data, arg->opcode == WSLAY_BINARY_FRAME,
			   arg->msg, arg->msg_length);
}

/* The handler's side. */

struct http_ws *http_ws_accept(struct http_req *r,
			       const struct http_ws_events *ev, void *data)
{
	static const struct wslay_event_callbacks callbacks = {
		.recv_callback = on_recv,
		.send_callback = on_send,
		.on_msg_recv_callback = on_message,
	};
	struct http_conn *c = r->conn;
	struct http_ws *ws;

	if (!c)
		return NULL;
	ws = xcalloc(1, sizeof(*ws));
	if (wslay_event_context_server_init(&ws->ctx, &callbacks, ws) != 0)
		BUG("no memory for a WebSocket");
	wslay_event_config_set_max_recv_msg_length(ws->ctx, LIMIT_WS_MESSAGE);
	ws->conn = c;
	ws->ev = ev;
	ws->data = data;
	r->status = 101;
	send_accept(r);
	c->server->counts.websockets++;
	c->req = NULL;
	c->ws = ws;
	c->state = CONN_WS;
	conn_timer(c, TIMER_KEEPALIVE);
	req_free(r);
	conn_kick(c); /* frames may wait in c->in; and closing at shutdown */
	if (c->server->stopping)
		http_ws_close(ws, 1001, "the daemon is stopping");
	return ws;
}

static void queue_close(struct http_ws *ws)
{
	if (!ws->code || ws->close_queued ||
	    wslay_event_get_queued_msg_count(ws->ctx))
		return;
	ws->close_queued = true;
	(void)wslay_event_queue_close(ws->ctx, ws->code,
				      (const uint8_t *)ws->reason,
				      ws->reason ? strlen(ws->reason) : 0);
	conn_timer(ws->conn, TIMER_WS_CLOSE);
}

/* Send what the socket takes.  Failure shuts the socket; the loop reports. */
static void flush(struct http_ws *ws)
{
	struct http_conn *c = ws->conn;

	if (c->out.queued || c->broken) /* the 101 goes first */
		return;
	for (int i = 0; i < 2; i++) { /* messages, then perhaps the close */
		if (wslay_event_want_write(ws->ctx) &&
		    wslay_event_send(ws->ctx) != 0) {
			conn_broken(c);
			return;
		}
		queue_close(ws);
	}
	if (ws->sent_since >= LIMIT_TURN_BYTES ||
	    !wslay_event_want_write(ws->ctx)) {
		ws->pongs = 0;
		ws->sent_since = 0;
	}
}

size_t http_ws_queued(const struct http_ws *ws)
{
	return wslay_event_get_queued_msg_length(ws->ctx);
}

static void flush_from_outside(struct http_ws *ws)
{
	if (ws->receiving || ws->conn->busy)
		return; /* ws_event() does it on its way out */
	ws->sent = 0;
	flush(ws);
	conn_update(ws->conn);
}

size_t http_ws_send(struct http_ws *ws, bool binary, const void *p, size_t n)
{
	const struct wslay_event_msg msg = {
		binary ? WSLAY_BINARY_FRAME : WSLAY_TEXT_FRAME, p, n
	};

	if (!ws->code && !ws->conn->broken)
		(void)wslay_event_queue_msg(ws->ctx, &msg);
	flush_from_outside(ws);
	size_t queued = http_ws_queued(ws);
	if (queued > LIMIT_QUEUE_LOW)
		ws->high = true;
	return queued;
}

void http_ws_pause(struct http_ws *ws, bool pause)
{
	ws->paused = pause;
	if (!pause && ws->conn->in.len)
		conn_kick(ws->conn);
	if (!ws->conn->busy)
		conn_update(ws->conn);
}

void http_ws_close(struct http_ws *ws, unsigned code, const char *reason)
{
	if (ws->code)
		return;
	ws->code = (uint16_t)code;
	ws->reason = reason ? xstrndup(reason, 123) : NULL;
	flush_from_outside(ws);
	if (!ws->conn->busy)
		conn_kick(ws->conn); /* it may be finished already */
}

/* The connection's side. */

bool ws_reading(const struct http_conn *c)
{
	const struct http_ws *ws = c->ws;

	if (ws->code || ws->eof) /* closing: only the peer's close matters */
		return !ws->eof;
	return !ws->paused && ws->pongs < LIMIT_WS_PONGS &&
	       http_ws_queued(ws) < 2 * LIMIT_QUEUE_HIGH;
}

bool ws_writing(const struct http_conn *c)
{
	return !c->broken && wslay_event_want_write(c->ws->ctx);
}

static unsigned final_code(const struct http_ws *ws)
{
	if (ws->code)
		return ws->code;
	if (wslay_event_get_close_received(ws->ctx))
		return wslay_event_get_status_code_received(ws->ctx);
	if (!ws->eof && wslay_event_get_close_sent(ws->ctx)) /* its verdict */
		return wslay_event_get_status_code_sent(ws->ctx);
	return WSLAY_CODE_ABNORMAL_CLOSURE;
}

static void ws_end(struct http_conn *c)
{
	struct http_ws *ws = c->ws;
	unsigned code = final_code(ws);

	c->ws = NULL;
	c->server->counts.websockets--;
	ws->ev->on_close(ws, ws->data, code);
	wslay_event_context_free(ws->ctx);
	free(ws->reason);
	free(ws);
}

void ws_gone(struct http_conn *c)
{
	c->state = CONN_LINGER; /* nothing may look at c->ws any more */
	ws_end(c);
	conn_close(c);
}

/* A frame that is no frame: wslay would answer with an empty close, but the
 * code for it is 1002 (RFC 6455 7.4.1). */
static void violated(struct http_conn *c, bool mid_frame)
{
	static const char close_1002[] = { (char)0x88, 2, 0x03, (char)0xea };
	struct iovec iov = { (char *)(uintptr_t)close_1002, 4 };

	if (!c->ws->code)
		c->ws->code = WSLAY_CODE_PROTOCOL_ERROR;
	if (!mid_frame)
		conn_send(c, &iov, 1, true);
	conn_linger(c);
	ws_end(c);
}

static void finish(struct http_conn *c)
{
	conn_linger(c);
	ws_end(c);
}

void ws_event(struct http_conn *c, unsigned events)
{
	struct http_ws *ws = c->ws;

	c->kick = false;
	ws->received = ws->sent = ws->messages = 0;
	if (c->out.queued && out_flush(&c->out, c->fd, LIMIT_TURN_BYTES) < 0 &&
	    errno != EAGAIN && errno != EINTR)
		conn_broken(c);
	if (events & LOOP_RDHUP)
		c->half_closed = true;
	bool writing = c->out.queued || wslay_event_want_write(ws->ctx);
	ws->receiving = true;
	int r = wslay_event_recv(ws->ctx);
	ws->receiving = false;
	if (ws->bad || (r != 0 && !ws->eof)) {
		violated(c, writing);
		return;
	}
	if (r == 0)
		flush(ws);
	/* The peer can't take our close any more, or all was said. */
	if (r != 0 || (events & (LOOP_HUP | LOOP_ERR) && !c->in.len &&
		       ws->received == 0)) {
		ws_gone(c);
		return;
	}
	if (!c->out.queued && !wslay_event_want_write(ws->ctx) &&
	    (!wslay_event_want_read(ws->ctx) ||
	     wslay_event_get_close_received(ws->ctx))) {
		finish(c);
		return;
	}
	if (ws->high && http_ws_queued(ws) < LIMIT_QUEUE_LOW) {
		ws->high = false;
		if (!ws->code && ws->ev->on_drain)
			ws->ev->on_drain(ws, ws->data);
		flush(ws);
	}
	if (c->in.len && ws_reading(c))
		c->kick = true;
}

/* Silence: ask whether the peer lives.  Nothing is sent, and nothing can be
 * concluded, while output is queued. */
void ws_tick(struct http_conn *c)
{
	const struct wslay_event_msg ping = { WSLAY_PING, NULL, 0 };
	struct http_ws *ws = c->ws;
	int64_t now = loop_now_ns(c->server->loop);

	conn_timer(c, TIMER_KEEPALIVE);
	if (c->out.queued || wslay_event_want_write(ws->ctx) || ws->code) {
		ws->ping_since = 0;
		return;
	}
	if (ws->ping_since && !ws->paused &&
	    now - ws->ping_since > c->server->time[TIMER_WS_CLOSE]) {
		ws_gone(c);
		return;
	}
	if (!ws->ping_since)
		ws->ping_since = now;
	(void)wslay_event_queue_msg(ws->ctx, &ping);
	ws->sent = 0;
	flush(ws);
}

void ws_shutdown(struct http_conn *c)
{
	http_ws_close(c->ws, WSLAY_CODE_GOING_AWAY, "the daemon is stopping");
}
