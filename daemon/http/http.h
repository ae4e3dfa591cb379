/* SPDX-License-Identifier: MIT */
/*
 * The HTTP front: a strict HTTP/1.1 server on the loop (RFC 9112), WebSocket
 * by wslay (RFC 6455).  It knows nothing of sandboxes.
 *
 * Everything here belongs to the loop's thread.  A request object lives from
 * on_request until its reply is complete or the client is gone; exactly one
 * of "reply finished" and on_gone ends it, and neither side touches it
 * afterwards.  One request at a time per connection.
 */
#ifndef SVM_DAEMON_HTTP_H
#define SVM_DAEMON_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/loop.h"

struct http_server;
struct http_req;
struct http_ws;

enum http_route_flags {
	HTTP_STREAM_IN = 1u << 0, /* the handler takes the body in pieces */
	HTTP_SLOW = 1u << 1,      /* may take seconds: `102 Processing` every
				   * 5 s until the reply begins */
	HTTP_GONE = 1u << 2,      /* a caller that goes away matters at once
				   * (exec, spawn): on_gone as soon as the
				   * peer has closed both directions */
	HTTP_WS = 1u << 3,        /* a WebSocket handshake is expected */
	HTTP_NO_AUTH = 1u << 4,
	HTTP_ADMIN = 1u << 5,     /* for authorize(): not for everybody */
};

struct http_route {
	const char *method;  /* "GET" */
	const char *pattern; /* "/api/v1/sandboxes/{id}/files/list" */
	unsigned flags;
	uint64_t max_body;   /* 0: LIMIT_HTTP_BODY_JSON; ~0: any (streams) */
	void (*handler)(struct http_req *r, void *app);
};

struct http_options {
	const struct http_route *routes; /* borrowed, ends with method NULL */
	void *app;                       /* handed to handlers */
	/* Called before routing, after the peer check; -1 refuses with err
	 * (UNAUTHORIZED, FORBIDDEN).  May be NULL. */
	int (*authorize)(struct http_req *r, const struct http_route *route,
			 void *app, struct svm_err *err);
	/* A Host that is not API: the preview proxy's room.  Return true when
	 * the request was taken.  May be NULL. */
	bool (*foreign_host)(struct http_req *r, const char *host, void *app);
	/* A request is over: answered, or its client is gone.  It may be read
	 * (http_status() and so on), nothing else.  May be NULL. */
	void (*observe)(const struct http_req *r, void *app);
	char *const *allowed_hosts;   /* besides local names; may be NULL */
	char *const *cors_origins;    /* "https://a:1", or "*"; may be NULL */
	bool allow_any_peer;          /* with auth: no uid check on TCP */
	int64_t time_first_byte, time_head, time_body, time_idle, time_write,
		time_keepalive, time_pong, time_linger,
		time_shutdown; /* ns; 0: limits.h.  For tests */
};

/* Listeners are given as bound, listening, non-blocking fds and owned from
 * then on.  unix ones check SO_PEERCRED: our uid or root.  TCP ones check the
 * peer's uid through sock_diag (ISOLATION.md), Host and Origin.  With
 * allow_any_peer the uid is only looked up: (uid_t)-1 from elsewhere. */
struct http_server *http_server_new(struct loop *l,
				    const struct http_options *o);
void http_server_listen(struct http_server *s, int fd);

/* Stop accepting, close idle connections, let replies finish, then `done`
 * (also after LIMIT_TIME_SHUTDOWN, with a 503 to who still waits). */
void http_server_shutdown(struct http_server *s, void (*done)(void *data),
			  void *data);
void http_server_free(struct http_server *s); /* cuts everything */

/* The two lists of the options, changed; borrowed as they were. */
void http_server_set_hosts(struct http_server *s, char *const *allowed_hosts,
			   char *const *cors_origins);

/* Who may call has changed: close what goes on over TCP (streams and
 * WebSockets), so that each shows its key again.  Plain requests end by
 * themselves. */
void http_server_end_streams(struct http_server *s);

struct http_counts {
	uint64_t accepted, requests, refused;
	unsigned connections, streams, websockets;
};
void http_server_counts(const struct http_server *s, struct http_counts *ret);

/* Reading the request.  Strings are borrowed for its life. */
const char *http_method(const struct http_req *r);
const char *http_target(const struct http_req *r); /* path, still encoded */
const char *http_param(const struct http_req *r, const char *name); /* {id} */
/* Decoded query parameter (form rules: + is a space), NULL when absent.  A
 * value with NUL or bad escapes made the request 400 before. */
const char *http_query(const struct http_req *r, const char *name);
/* Iterate parameters whose name starts with prefix; i from 0 up. */
bool http_query_prefix(const struct http_req *r, const char *prefix,
		       unsigned i, const char **ret_name,
		       const char **ret_value);
const char *http_header(const struct http_req *r, const char *name);
/* The i-th header as it came; false past the last. */
bool http_header_at(const struct http_req *r, unsigned i,
		    const char **ret_name, const char **ret_value);
bool http_body_is_chunked(const struct http_req *r);
const char *http_request_id(const struct http_req *r);
uid_t http_peer_uid(const struct http_req *r);
bool http_peer_is_unix(const struct http_req *r);
/* Where the peer is: "127.0.0.1", "2001:db8::1", "unix". */
#define HTTP_ADDRESS_SIZE 46
void http_peer_address(const struct http_req *r, char out[HTTP_ADDRESS_SIZE]);
int64_t http_content_length(const struct http_req *r); /* -1: none/chunked */

/* The whole body, for routes without HTTP_STREAM_IN; stays valid for the
 * request's life. */
const struct buf *http_body(const struct http_req *r);

/* What authorize() found out about the caller, for handlers; 0 at first. */
void http_set_scope(struct http_req *r, unsigned char scope);
unsigned char http_scope(const struct http_req *r);

/* The handler's own pointer. */
void http_set_data(struct http_req *r, void *data);
void *http_data(const struct http_req *r);

/* What a request turned out to be about, for whoever observes its end.  The
 * text is copied; NULL takes it back. */
enum http_note {
	HTTP_NOTE_SUBJECT, /* id of a sandbox */
	HTTP_NOTE_OWNER,   /* of that */
	HTTP_NOTE_GROUP,   /* its provider */
	HTTP_NOTE_TARGET,  /* a command, a path, a name */
	HTTP_NOTE_MAX
};
void http_note(struct http_req *r, enum http_note which, const char *text);
const char *http_noted(const struct http_req *r, enum http_note which);

/* How it went, once that is known: the status (0: nobody was there to be
 * answered), the error's code, and how long it took. */
int http_status(const struct http_req *r);
enum svm_code http_error_code(const struct http_req *r);
int64_t http_took_ns(const struct http_req *r);
const struct http_route *http_route_of(const struct http_req *r);

/* The client left before the reply was complete.  Called at most once, never
 * from inside a call of yours.  Without it the request stays until you reply,
 * to nobody.  Also called when we answered for you: a body too slow, too
 * large or malformed, too many streams, the end of a HEAD. */
void http_on_gone(struct http_req *r, void (*fn)(struct http_req *r));

/* The server is shutting down: answer, or end the reply of a long stream, now
 * and with a last word.  Without it there is LIMIT_TIME_SHUTDOWN to end by
 * itself; then a 503 is answered for you (on_gone), or the reply is cut.  What
 * is asked from then on never comes to a handler. */
void http_on_stop(struct http_req *r, void (*fn)(struct http_req *r));

/* HTTP_STREAM_IN: pieces of the body as they arrive, then `end` (err NULL, or
 * why the body is incomplete: then the reply was already made).  Pausing
 * stops reading from the socket. */
struct http_body_sink {
	void (*data)(struct http_req *r, const void *p, size_t n);
	void (*end)(struct http_req *r);
};
void http_body_read(struct http_req *r, const struct http_body_sink *sink);
void http_body_pause(struct http_req *r, bool pause);

/* Replies.  Extra headers may be added before any of them begins; bodies are
 * borrowed for the call.  The request is gone after a whole reply. */
void http_reply_header(struct http_req *r, const char *name,
		       const char *fmt, ...) PRINTF_LIKE(3, 4);
void http_reply_json(struct http_req *r, int status, struct buf *body);
void http_reply_error(struct http_req *r, const struct svm_err *err);
void http_reply_bytes(struct http_req *r, int status, const char *type,
		      const void *p, size_t n);

/* A reply in pieces.  length >= 0: Content-Length, else chunked (HTTP/1.0:
 * until close).  The head is sent at once.  type may be NULL: none is told.
 * HTTP_BODILESS: neither length nor coding, and nothing may be written (204,
 * 304). */
#define HTTP_BODILESS INT64_C(-2)
void http_stream_begin(struct http_req *r, int status, const char *type,
		       int64_t length);
/* What to send after 5 s of silence when nothing is queued ("\n", ": \n\n").
 * Also the probe by which a vanished TCP peer is noticed. */
void http_stream_keepalive(struct http_req *r, const char *text);
/* Queue bytes; returns what is queued now.  Above LIMIT_QUEUE_HIGH stop your
 * source and wait for the drain callback (called below LIMIT_QUEUE_LOW). */
size_t http_stream_write(struct http_req *r, const void *p, size_t n);
size_t http_stream_queued(const struct http_req *r);
bool http_stream_begun(const struct http_req *r);
/* It goes wrong after its head was sent: for who observes, its status is that
 * of an error from now on. */
void http_stream_failed(struct http_req *r, enum svm_code code);
void http_on_drain(struct http_req *r, void (*fn)(struct http_req *r));
/* Trailers must have been announced by a "Trailer" header before begin. */
void http_stream_trailer(struct http_req *r, const char *name,
			 const char *fmt, ...) PRINTF_LIKE(3, 4);
/* The request is gone after.  With fewer bytes than were announced it is an
 * abort: what comes next would be taken for the rest. */
void http_stream_end(struct http_req *r);
void http_stream_abort(struct http_req *r); /* no final chunk; gone after */

/* One rendered piece shared by many streams (events).  Reference counted; the
 * bytes include chunk framing, so all receivers must be chunked streams. */
struct http_blob;
struct http_blob *http_blob_new(const void *p, size_t n); /* 1 reference */
void http_blob_unref(struct http_blob *b);
size_t http_stream_write_blob(struct http_req *r, struct http_blob *b);

/* The connection itself, after 101 for another protocol: its descriptor, for
 * the caller to close, and what had been read ahead.  Nothing may have been
 * sent yet.  The request is gone after; -1 when its client is. */
int http_take_over(struct http_req *r, struct buf *leftover);

/* WebSocket: for HTTP_WS routes.  After accept the request is gone and the
 * ws lives until on_close, which is called exactly once. */
struct http_ws_events {
	void (*on_message)(struct http_ws *ws, void *data, bool binary,
			   const void *p, size_t n);
	void (*on_drain)(struct http_ws *ws, void *data); /* below LOW */
	/* code: the peer's close code, 1005 without one, 1006 when it just
	 * vanished, or what http_ws_close() was given. */
	void (*on_close)(struct http_ws *ws, void *data, unsigned code);
};
struct http_ws *http_ws_accept(struct http_req *r,
			       const struct http_ws_events *ev, void *data);
size_t http_ws_send(struct http_ws *ws, bool binary, const void *p, size_t n);
size_t http_ws_queued(const struct http_ws *ws);
void http_ws_pause(struct http_ws *ws, bool pause); /* stop reading */
void http_ws_close(struct http_ws *ws, unsigned code, const char *reason);

#endif
