/* SPDX-License-Identifier: MIT */
/*
 * One REST request that is one operation of the agent: sends it, hands over
 * the frames, turns errors into replies and knows when the client is gone.
 */
#ifndef SVM_DAEMON_API_CALL_H
#define SVM_DAEMON_API_CALL_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/agent-conn.h"
#include "daemon/audit.h"
#include "lib/base/buf.h"
#include "lib/base/err.h"

struct api_call;
struct daemon;
struct http_req;
struct sandbox;

struct api_call_ops {
	/* A frame; may call api_call_fail() and must return then. */
	void (*frame)(struct api_call *c, const struct frame *f);
	void (*drain)(struct api_call *c); /* of agent_conn_send() */
	/* It went well: reply (if c->req is still there). */
	void (*done)(struct api_call *c);
	/* It failed and the reply has begun; NULL where that can't be. */
	void (*cut)(struct api_call *c);
	/* Release members; the struct itself is freed by api-call.c. */
	void (*release)(struct api_call *c);
	bool drop_when_gone; /* nobody needs the rest: close the channel */
};

/* First member of each operation's own struct. */
struct api_call {
	struct http_req *req; /* NULL: the client is gone, or answered */
	struct sandbox *sandbox;
	struct agent_conn *conn;
	const struct api_call_ops *ops;
	struct audit_who who; /* when there was a client */
	bool begun; /* the reply is on its way: errors only cut it */
};

/* The sandbox of the route's {id}, as far as the caller may see it. */
struct sandbox *api_find_sandbox(struct http_req *r, struct daemon *d,
				 struct svm_err *err);
/* The same; NULL when an error was replied. */
struct sandbox *api_call_sandbox(struct http_req *r, void *app);

/* Begin.  c is from the heap, zeroed but for its own members, and belongs to
 * this module from now on, also when it fails (then the error was replied,
 * c is gone and -1 is returned).  r may be NULL: nobody waits for it. */
int api_call_start(struct api_call *c, struct http_req *r, struct sandbox *s,
		   const struct api_call_ops *ops, enum frame_type type,
		   const struct buf *payload);

/* Stop with an error: replies, drops the channel and frees c. */
void api_call_fail(struct api_call *c, const struct svm_err *err);
void api_call_fail_broken(struct api_call *c, const char *what);

/* The complete reply.  Without a client nothing happens. */
void api_call_reply(struct api_call *c, struct buf *json);
void api_call_reply_status(struct api_call *c, const char *status);

/* Reply with an error to a request that has no call yet. */
void api_call_refuse(struct http_req *r, enum svm_code code, const char *fmt,
		     ...) PRINTF_LIKE(3, 4);

#endif
