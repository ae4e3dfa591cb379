/* SPDX-License-Identifier: MIT */
/*
 * What the files of the HTTP front share.  Nobody outside includes this.
 *
 *	server.c   listeners, accepting, deadlines, shutdown
 *	conn.c     one connection: reading, states, sending
 *	request.c  from a parsed head to the handler
 *	edge.c     Host, Origin, CORS
 *	route.c    finding the route, decoding parameters
 *	body.c     bodies of requests
 *	reply.c    replies and streams
 *	ws.c       WebSocket
 *	out.c      queued output;  peer.c  who the peer is
 */
#ifndef SVM_DAEMON_HTTP_INTERNAL_H
#define SVM_DAEMON_HTTP_INTERNAL_H

#include "daemon/http/http.h"
#include "daemon/http/out.h"
#include "lib/api/limits.h"
#include "lib/base/http1.h"
#include "lib/base/list.h"

enum conn_state {
	CONN_HEAD,   /* reading a head, or idle */
	CONN_BODY,   /* reading a body (a streaming handler may run already) */
	CONN_WAIT,   /* the handler is at work, or its reply is a stream */
	CONN_FLUSH,  /* the reply is complete but not yet sent */
	CONN_WS,
	CONN_LINGER, /* we said our last; reading and dropping until the end */
	CONN_CLOSED, /* freed when the current event is done with it */
};

/* Each deadline has one length, so each list is ordered by itself.  A
 * connection waits for at most one of them. */
enum conn_timer {
	TIMER_FIRST_BYTE,
	TIMER_HEAD,
	TIMER_BODY,
	TIMER_IDLE_TCP,
	TIMER_IDLE_UNIX,
	TIMER_WRITE,
	TIMER_KEEPALIVE,
	TIMER_WS_CLOSE,
	TIMER_LINGER,
	TIMER_MAX,
	TIMER_NONE = TIMER_MAX,
};

/* Small on purpose: thousands of these are idle. */
struct http_conn {
	struct http_server *server;
	struct loop_fd *src;
	struct list link;       /* server->conns */
	struct list timer_link; /* server->timers[timer] */
	int64_t deadline;
	struct buf in;          /* input that waits; empty when idle */
	struct out out;
	struct http_req *req;
	struct http_ws *ws;
	uint32_t scan;          /* http1_head_length()'s */
	uint32_t lingered;
	int fd;
	uid_t peer_uid;
	uint8_t state;          /* enum conn_state */
	uint8_t timer;          /* enum conn_timer */
	bool is_unix : 1;
	bool busy : 1;          /* inside our own event frame */
	bool half_closed : 1;   /* the peer sends no more */
	bool close_after : 1;   /* the reply */
	bool broken : 1;        /* sending failed; the loop will report it */
	bool kick : 1;          /* there is work without an event */
	bool rechecked : 1;     /* peer uid, before the first change */
	bool was_stream : 1;    /* FLUSH: no limit on a thinking consumer */
};

struct http_pair {
	const char *name, *value;
};

#define HTTP_MAX_PARAMS 4
#define HTTP_FRESH_ID 17

enum stream_kind { STREAM_NONE, STREAM_OTHER, STREAM_SSE };

struct http_req {
	struct http_conn *conn;      /* NULL once the client is gone */
	struct http_server *server;
	struct list link;            /* server->detached when conn is NULL */
	const struct http_route *route; /* NULL: a foreign host's */
	void *data;
	void (*on_gone)(struct http_req *r);
	void (*on_drain)(struct http_req *r);
	void (*on_stop)(struct http_req *r);
	struct http_body_sink sink;

	const char *method;          /* all of these point into text */
	char *path;
	const char *request_id;
	const char *host;            /* without the port; "" when none */
	char fresh_id[HTTP_FRESH_ID];
	struct http_pair params[HTTP_MAX_PARAMS];
	unsigned nparams, nquery, nheaders;
	struct http_pair *query;
	struct http_pair *headers;

	int64_t content_length;
	struct http1_chunked decoder;
	uint64_t received, rate_mark; /* body bytes; and at the last check */
	unsigned rate_ticks;
	struct buf body;
	uid_t peer_uid;

	struct buf extra;            /* header lines of the reply */
	struct buf trailers;
	const char *keepalive;
	int64_t out_left;            /* of a stream with a length */
	int64_t turn;                /* budget of direct sending */
	size_t turn_bytes;
	uint8_t counted;             /* enum stream_kind */
	uint8_t scope;               /* authorize()'s */
	uint8_t code;                /* enum svm_code of the reply */
	uint16_t status;             /* of the reply; 0: none */
	int64_t began_ns;            /* the request */
	char *notes[HTTP_NOTE_MAX];

	bool is_unix : 1;
	bool old : 1;                /* HTTP/1.0 */
	bool head_only : 1;
	bool close : 1;              /* asked for by the client */
	bool stream_in : 1;
	bool expect : 1;             /* owes a 100 Continue */
	bool chunked_in : 1;
	bool body_done : 1;
	bool body_wanted : 1;        /* http_body_read() was called */
	bool paused : 1;
	bool handled : 1;            /* the handler was called */
	bool began : 1;              /* the reply */
	bool chunked_out : 1;
	bool high : 1;               /* owes a drain call */
	bool over : 1;               /* inside on_gone */
	_Alignas(struct http_pair) char text[]; /* the head, in strings */
};

struct listener {
	struct list link;
	struct http_server *server;
	struct loop_fd *src;
	int fd;
	bool is_unix;
};

struct http_server {
	struct loop *loop;
	struct http_options o;
	struct list listeners;
	struct list conns;
	struct list detached;     /* requests without a client */
	struct list timers[TIMER_MAX];
	int64_t time[TIMER_MAX];
	struct loop_timer *tick;  /* at the earliest deadline */
	int64_t tick_at;
	struct loop_timer *pause; /* accepting goes on after it */
	struct loop_timer *reap;  /* detached requests with on_gone */
	struct loop_timer *force; /* shutdown's patience */
	struct loop_timer *stopped; /* calls `done` */
	int diag;                 /* sock_diag socket, -1 until TCP */
	int spare;                /* given up when descriptors run out */
	uid_t uid;
	bool stopping, forced;
	void (*done)(void *data);
	void *done_data;
	struct http_counts counts;
	unsigned sse;
	uint32_t id_seed, id_next;
	struct buf scratch;       /* heads of replies are built here */
	char rbuf[LIMIT_TURN_BYTES];
};

/* server.c */
void server_conn_closed(struct http_server *s);
void conn_timer(struct http_conn *c, enum conn_timer kind);

/* conn.c */
struct http_conn *conn_new(struct http_server *s, int fd, bool is_unix);
void conn_close(struct http_conn *c); /* at once; c may be freed */
void conn_gone(struct http_conn *c);  /* the client is; tells the handler */
void conn_timeout(struct http_conn *c);
void conn_update(struct http_conn *c); /* what to watch, after any change */
void conn_kick(struct http_conn *c);   /* run the states again, soon */
void conn_enter_wait(struct http_conn *c);
void conn_send(struct http_conn *c, const struct iovec *iov, size_t n,
	       bool direct);
void conn_send_text(struct http_conn *c, const char *text);
void conn_broken(struct http_conn *c);
void conn_linger(struct http_conn *c);
/* The reply is complete: free the request, go on or close. */
void conn_reply_done(struct http_conn *c);

/* request.c */
struct http_req *req_new(struct http_conn *c, const struct http1_head *h,
			 const char *text, size_t n);
void req_start(struct http_req *r);
/* A request id of our own, unique in this process. */
const char *fresh_id(struct http_server *s, char out[HTTP_FRESH_ID]);
void req_free(struct http_req *r);
/* The client is gone: on_gone, or keep r until the handler replies. */
void req_detach(struct http_req *r);
/* The same from inside a call of the handler's: it hears of it later. */
void req_orphan(struct http_req *r);
void req_gone(struct http_req *r); /* calls on_gone and frees */

/* Refuse; the connection goes on if the request had no body. */
void req_refuse(struct http_req *r, int status, enum svm_code code,
		const char *fmt, ...) PRINTF_LIKE(4, 5);

/* edge.c */
bool edge_check(struct http_req *r); /* false: answered */
bool edge_host_is_ours(const struct http_req *r);
bool edge_changes_something(const struct http_req *r);

/* route.c */
bool host_is_local(const char *host);
const struct http_route *route_find(struct http_req *r, const char *method,
				    int *ret_bad);
void route_allow(const struct http_req *r, struct buf *out);
int query_parse(struct http_req *r, char *text);

/* body.c */
struct span {
	const char *p;
	size_t n;
};
int req_start_body(struct http_req *r); /* 0, or 413 */
bool body_step(struct http_conn *c, struct span *in);
bool body_blocked(const struct http_conn *c); /* by the handler */
bool body_too_slow(struct http_req *r);

/* reply.c */
/* An error of our own: answer, then close.  Ends c's request. */
void conn_fail(struct http_conn *c, int status, enum svm_code code,
	       const char *fmt, ...) PRINTF_LIKE(4, 5);
void reply_error(struct http_req *r, int status, const struct svm_err *err);
void reply_tick(struct http_req *r);  /* a silent time has passed */
void reply_probe(struct http_req *r); /* is the peer still there? */
void reply_drained(struct http_req *r);
void reply_uncount(struct http_req *r);

/* ws.c */
bool ws_check_handshake(struct http_req *r); /* false: answered */
void ws_event(struct http_conn *c, unsigned events);
void ws_gone(struct http_conn *c);
void ws_tick(struct http_conn *c);
bool ws_reading(const struct http_conn *c);
bool ws_writing(const struct http_conn *c);
void ws_shutdown(struct http_conn *c);

#endif
