/* SPDX-License-Identifier: MIT */
/*
 * The daemon's side of one agent channel: one operation on one connection,
 * on the loop.  Every byte from the agent is treated as an attack: bounded,
 * typed, checked before use.
 *
 * Exactly one of on_frame(last frame) ... on_end ends it: on_end is called
 * once, after which the connection is freed.
 */
#ifndef SVM_DAEMON_AGENT_CONN_H
#define SVM_DAEMON_AGENT_CONN_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/api/frame.h"
#include "lib/base/err.h"
#include "lib/base/loop.h"

struct agent_conn;

struct agent_conn_events {
	/* A frame that fits the protocol; payload is borrowed.  fd is a
	 * descriptor that came with it (take it by storing -1), or -1. */
	void (*on_frame)(void *data, const struct frame *f, int *fd);
	/* Queued output fell below LOW after agent_conn_send said HIGH. */
	void (*on_drain)(void *data);
	/* The end: err NULL after END or EXIT; else the agent's ERROR, a
	 * broken protocol (PROVIDER), a lost connection or a missed deadline
	 * (TIMEOUT). */
	void (*on_end)(void *data, const struct svm_err *err);
};

/* Takes fd.  The request is sent once HELLO was checked against nonce.
 * deadline_ns: until the first reply frame, 0 for LIMIT_TIME_AGENT_REPLY. */
struct agent_conn *agent_conn_start(struct loop *l, int fd,
				    const unsigned char nonce[FRAME_NONCE],
				    enum frame_type type,
				    const void *payload, size_t n,
				    int64_t deadline_ns,
				    const struct agent_conn_events *ev,
				    void *data);

/* Send the request now: this agent has greeted us before.  Its answer counts
 * only behind a greeting all the same.  Right after agent_conn_start(). */
void agent_conn_hurry(struct agent_conn *c);

/* Tell `fn` once whether the agent greeted us in time.  Borrows owner for as
 * long as c lives. */
void agent_conn_on_heard(struct agent_conn *c,
			 void (*fn)(void *owner, bool answered), void *owner);

/* Queue a frame; returns the bytes queued now (compare LIMIT_QUEUE_HIGH). */
size_t agent_conn_send(struct agent_conn *c, enum frame_type type,
		       const void *payload, size_t n);
void agent_conn_pause(struct agent_conn *c, bool pause); /* stop reading */

/* Give up: closes without a word (which kills nothing).  No on_end. */
void agent_conn_drop(struct agent_conn *c);

#endif
