/* SPDX-License-Identifier: MIT */
/*
 * The one request of a connection: gathered frame by frame, then answered by
 * whoever the table in request.c names.
 */
#ifndef SVM_AGENT_REQUEST_H
#define SVM_AGENT_REQUEST_H

struct conn;
struct frame;

/* A frame of it.  0, also when the caller was refused; -EPROTO: it is no
 * frame of a request. */
int request_add(struct conn *c, const struct frame *f);

/* It is whole: answer it, or begin to. */
void request_run(struct conn *c);

/* Free what was gathered. */
void request_release(struct conn *c);

#endif
