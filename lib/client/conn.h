/* SPDX-License-Identifier: MIT */
/* Inside lib/client: connections and waiting on them. */
#ifndef SVM_CLIENT_CONN_H
#define SVM_CLIENT_CONN_H

#include "lib/api/dirs.h"
#include "lib/client/client.h"

struct http1_head;

struct client {
	struct dirs dirs;
	char *unix_path; /* or NULL: TCP */
	char *host, *port;
	char *name;
	char *api_key;
	char *owner;     /* to act for, or NULL */
	int64_t deadline_ns;
	int cancel_fd;
	bool autostart;
	void (*on_started)(void *data, pid_t pid, const char *no_tcp);
	void (*on_starting)(void *data, bool under_way);
	int64_t (*on_wait)(void *data);
	void *data;
	pid_t peer;      /* of the last connection, or 0 */
	int idle_fd;     /* kept for the next client_call() */
};

/* A connected non-blocking CLOEXEC socket, the daemon started if need be. */
int client_connect(struct client *c, struct svm_err *err);

/* Wait for events on fd: what happened, or -1 with err (TIMEOUT,
 * CANCELLED). */
int client_wait(struct client *c, int fd, short events, struct svm_err *err);

/* The same questions without waiting, for loops that are never idle. */
int client_check(struct client *c, struct svm_err *err);

/* exchange_new() with more header lines and a body that is at hand; either
 * may be NULL. */
struct exchange *exchange_begin(struct client *c, const char *method,
				const char *target, int64_t length,
				const char *extra, const char *body,
				struct svm_err *err);

/* The head of the reply, right after exchange_reply(). */
const struct http1_head *exchange_head(const struct exchange *x,
				       const char **ret_text);

/* The raw lines of the trailers, once the body has come to its end. */
const struct buf *exchange_trailers(const struct exchange *x);

/* After 101: the connection is the caller's, with what was read of it. */
int exchange_take(struct exchange *x, struct buf *leftover);

/* PROVIDER: what answers is no daemon of ours.  Always -1. */
int client_nonsense(const struct client *c, const char *what,
		    struct svm_err *err);

/* call.c: turn a reply of 400 and more into err. */
int client_reply_error(int status, const char *body, size_t n,
		       struct svm_err *err);

/* The socket at this path, non-blocking, or -errno. */
int client_unix_connect(const char *path);

/* Start a daemon and connect to it.  The fd, or -1 with err. */
int autostart_connect(struct client *c, struct svm_err *err);

#endif
