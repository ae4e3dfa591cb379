/* SPDX-License-Identifier: MIT */
/* The client's side of a WebSocket (RFC 6455), framing by wslay. */
#include <errno.h>
#include <poll.h>
#include <sha1.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <wslay/wslay.h>

#include "lib/api/limits.h"
#include "lib/base/base64.h"
#include "lib/base/fd.h"
#include "lib/base/http1.h"
#include "lib/base/mem.h"
#include "lib/base/rand.h"
#include "lib/client/conn.h"

#define MESSAGE_MAX MIB(4)
#define TURN_BYTES KIB(256)

struct ws {
	int fd;
	wslay_event_context_ptr ctx;
	ws_message_fn fn;
	void *data;
	struct buf leftover; /* read together with the head */
	size_t turn;         /* bytes this turn may still read */
	bool paused, gone, closed;
	unsigned code;       /* of the closing frame */
	int broken;          /* errno of the socket */
	char *name;
};

static ssize_t on_recv(wslay_event_context_ptr ctx, uint8_t *p, size_t n,
		       int flags, void *user)
{
	struct ws *ws = user;
	ssize_t k;

	(void)flags;
	if (ws->leftover.len) {
		k = (ssize_t)MIN(n, ws->leftover.len);
		memcpy(p, ws->leftover.data, (size_t)k);
		buf_consume(&ws->leftover, (size_t)k);
		return k;
	}
	if (ws->paused || ws->turn == 0) {
		wslay_event_set_error(ctx, WSLAY_ERR_WOULDBLOCK);
		return -1;
	}
	do {
		k = recv(ws->fd, p, n, 0);
	} while (k < 0 && errno == EINTR);
	if (k > 0) {
		ws->turn -= MIN(ws->turn, (size_t)k);
		return k;
	}
	if (k < 0 && errno == EAGAIN) {
		wslay_event_set_error(ctx, WSLAY_ERR_WOULDBLOCK);
	} else {
		ws->gone = true;
		ws->broken = k < 0 ? errno : 0;
		wslay_event_set_error(ctx, WSLAY_ERR_CALLBACK_FAILURE);
	}
	return -1;
}

static ssize_t on_send(wslay_event_context_ptr ctx, const uint8_t *p, size_t n,
		       int flags, void *user)
{
	struct ws *ws = user;
	ssize_t k;

	do {
		k = send(ws->fd, p, n, MSG_NOSIGNAL |
			 (flags & WSLAY_MSG_MORE ? MSG_MORE : 0));
	} while (k < 0 && errno == EINTR);
	if (k >= 0)
		return k;
	if (errno == EAGAIN) {
		wslay_event_set_error(ctx, WSLAY_ERR_WOULDBLOCK);
	} else {
		/* What it said last may still be there to be read. */
		ws->broken = errno;
		wslay_event_shutdown_write(ctx);
		wslay_event_set_error(ctx, WSLAY_ERR_WOULDBLOCK);
	}
	return -1;
}

static int on_mask(wslay_event_context_ptr ctx, uint8_t *p, size_t n,
		   void *user)
{
	(void)ctx, (void)user;
	rand_bytes(p, n);
	return 0;
}

static void on_message(wslay_event_context_ptr ctx,
		       const struct wslay_event_on_msg_recv_arg *m, void *user)
{
	struct ws *ws = user;

	(void)ctx;
	if (m->opcode == WSLAY_TEXT_FRAME || m->opcode == WSLAY_BINARY_FRAME)
		ws->fn(ws->data, m->opcode == WSLAY_TEXT_FRAME ? WS_TEXT :
								 WS_BINARY,
		       m->msg, m->msg_length);
	if (m->opcode == WSLAY_CONNECTION_CLOSE) {
		ws->closed = true;
		ws->code = m->status_code ? m->status_code : 1005;
	}
}

/* RFC 6455 1.3: proves that a WebSocket server answered, not a cache. */
static bool accept_matches(const char *key, const char *value, size_t n)
{
	static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	auto_buf struct buf want = BUF_INIT;
	uint8_t digest[SHA1_DIGEST_LENGTH];
	SHA1_CTX sha;

	SHA1Init(&sha);
	SHA1Update(&sha, (const uint8_t *)key, strlen(key));
	SHA1Update(&sha, (const uint8_t *)guid, sizeof(guid) - 1);
	SHA1Final(digest, &sha);
	base64_encode(&want, digest, sizeof(digest));
	return want.len == n && memcmp(want.data, value, n) == 0;
}

static struct exchange *handshake(struct client *c, const char *target,
				  struct svm_err *err)
{
	auto_buf struct buf key = BUF_INIT, extra = BUF_INIT;
	unsigned char nonce[16];
	const char *text;

	rand_bytes(nonce, sizeof(nonce));
	base64_encode(&key, nonce, sizeof(nonce));
	buf_addf(&extra, "Connection: Upgrade\r\nUpgrade: websocket\r\n"
			 "Sec-WebSocket-Version: 13\r\n"
			 "Sec-WebSocket-Key: %s\r\n", buf_str(&key));
	auto_exchange struct exchange *x =
		exchange_begin(c, "GET", target, CLIENT_NO_BODY,
			       buf_str(&extra), NULL, err);

	if (!x || exchange_reply(x, err) < 0)
		return NULL;
	const struct http1_head *h = exchange_head(x, &text);
	const struct http1_header *a =
		http1_find(h, text, "Sec-WebSocket-Accept");

	if (h->status != 101 || !a ||
	    !accept_matches(buf_str(&key), text + a->value.at, a->value.len)) {
		svm_err_set(err, SVM_PROVIDER,
			    "what answers at %s does not speak WebSocket",
			    c->name);
		return NULL;
	}
	return steal_ptr(&x);
}

struct ws *ws_open(struct client *c, const char *target, ws_message_fn fn,
		   void *data, struct svm_err *err)
{
	static const struct wslay_event_callbacks callbacks = {
		.recv_callback = on_recv,
		.send_callback = on_send,
		.genmask_callback = on_mask,
		.on_msg_recv_callback = on_message,
	};
	auto_exchange struct exchange *x = handshake(c, target, err);

	if (!x)
		return NULL;
	struct ws *ws = xcalloc(1, sizeof(*ws));

	ws->fd = exchange_take(x, &ws->leftover);
	ws->fn = fn;
	ws->data = data;
	ws->name = xstrdup(c->name);
	if (wslay_event_context_client_init(&ws->ctx, &callbacks, ws) < 0)
		BUG("wslay has no memory");
	wslay_event_config_set_max_recv_msg_length(ws->ctx, MESSAGE_MAX);
	return ws;
}

void ws_free(struct ws *ws)
{
	if (!ws)
		return;
	wslay_event_context_free(ws->ctx);
	buf_release(&ws->leftover);
	fd_close(ws->fd);
	free(ws->name);
	free(ws);
}

void ws_send(struct ws *ws, enum ws_kind kind, const void *p, size_t n)
{
	const struct wslay_event_msg m = {
		.opcode = kind == WS_TEXT ? WSLAY_TEXT_FRAME :
					    WSLAY_BINARY_FRAME,
		.msg = p,
		.msg_length = n,
	};

	/* After a close there is nobody to tell. */
	(void)wslay_event_queue_msg(ws->ctx, &m);
}

size_t ws_queued(const struct ws *ws)
{
	return wslay_event_get_queued_msg_length(ws->ctx);
}

int ws_fd(const struct ws *ws)
{
	return ws->fd;
}

void ws_pause(struct ws *ws, bool pause)
{
	ws->paused = pause;
}

short ws_events(const struct ws *ws)
{
	return (short)((wslay_event_want_read(ws->ctx) && !ws->paused ?
				POLLIN : 0) |
		       (wslay_event_want_write(ws->ctx) ? POLLOUT : 0));
}

unsigned ws_close_code(const struct ws *ws)
{
	return ws->code;
}

int ws_turn(struct ws *ws, struct svm_err *err)
{
	ws->turn = TURN_BYTES;
	int r = wslay_event_send(ws->ctx);

	if (r == 0 && !ws->paused)
		r = wslay_event_recv(ws->ctx);
	if (r == 0)
		r = wslay_event_send(ws->ctx); /* pongs, the closing frame */
	if (ws->closed)
		return 1;
	if (r == 0 && wslay_event_get_read_enabled(ws->ctx))
		return 0;
	if (ws->broken)
		svm_err_sys(err, SVM_UNREACHABLE, ws->broken,
			    "lost the daemon at %s", ws->name);
	else
		svm_err_set(err, SVM_UNREACHABLE,
			    "lost the daemon at %s: %s", ws->name,
			    ws->gone ? "it closed the connection" :
				       "it sent bad frames");
	return svm_err_hint(err, "sandboxes keep running; look with:  "
				 "stacyvm daemon logs");
}
