/* SPDX-License-Identifier: MIT */
/*
 * Talk to a daemon: find it, start it when there is none, send requests, read
 * replies whole or as they come, attach to terminals.
 *
 * One thread, no callbacks for data: everything blocks in poll(2) until it
 * is done, the deadline passes (TIMEOUT) or cancel_fd becomes readable
 * (CANCELLED).  The daemon is not trusted to be well: garbage, silence and
 * sudden death become errors (UNREACHABLE, or PROVIDER for nonsense).
 */
#ifndef SVM_CLIENT_H
#define SVM_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/base/buf.h"
#include "lib/base/defs.h"
#include "lib/base/err.h"

struct client;

struct client_options {
	const char *server;  /* unix:/path, http://host:port; NULL: the socket
			      * of this user's daemon */
	const char *api_key; /* or NULL */
	int64_t deadline_ns; /* CLOCK_BOOTTIME; 0: none */
	int cancel_fd;       /* -1: none */
	bool autostart;      /* only without `server` */
	/* Told when a daemon was started by this call, and why it has no TCP
	 * port though it was to have one, or NULL; in the caller's thread.
	 * May be NULL. */
	void (*on_started)(void *data, pid_t pid, const char *no_tcp);
	/* Told that none answers and one is waited for, and that this is over,
	 * however it went; in the caller's thread.  May be NULL. */
	void (*on_starting)(void *data, bool under_way);
	/* Called before each wait, and again when the time has come that it
	 * returned, CLOCK_BOOTTIME; 0: not again.  May be NULL. */
	int64_t (*on_wait)(void *data);
	void *data;
};

/* Copies what it keeps.  Connects at the first request, not here. */
struct client *client_new(const struct client_options *o, struct svm_err *err);
void client_free(struct client *c);

/* The process that listens where it last connected to; 0 over TCP, and when it
 * is no daemon of the user's own. */
pid_t client_peer(const struct client *c);

/* Act for this owner (X-User-ID) instead of STACYVM_USER_ID's. */
void client_set_owner(struct client *c, const char *owner);

/* Change where waiting ends; for a clean-up after an interrupt. */
void client_set_cancel_fd(struct client *c, int fd);
void client_set_deadline(struct client *c, int64_t boot_ns);

/* For poll(2): milliseconds until the deadline, 0 when it has passed, -1
 * without one. */
int client_left_ms(const struct client *c);

/* The daemon on the unix socket as a process: its pid and a pidfd that is
 * certainly its.  UNREACHABLE when none answers; none is started. */
int client_daemon_pid(struct client *c, pid_t *ret_pid, int *ret_pidfd,
		      struct svm_err *err);

/* Start one whatever STACYVM_NO_AUTOSTART says; fine when one runs. */
int client_start_daemon(struct client *c, struct svm_err *err);

/* Does a request start a daemon when there is none? */
bool client_starts(const struct client *c);

/* For messages: "unix:/run/stacyvm/stacyvm.sock". */
const char *client_server_name(const struct client *c);

/*
 * One exchange whose reply is small.  body may be NULL (none).  The reply is
 * appended to *ret (may be NULL).  A status of 400 and more becomes err with
 * the daemon's own code, message and hint.
 */
int client_call(struct client *c, const char *method, const char *target,
		const struct buf *body, struct buf *ret, struct svm_err *err);

/* An exchange in pieces, on a connection of its own. */
struct exchange;

enum { CLIENT_NO_BODY = -2, CLIENT_CHUNKED = -1 };

/* Send the head; length is the body's, or one of the above. */
struct exchange *exchange_new(struct client *c, const char *method,
			      const char *target, int64_t length,
			      struct svm_err *err);
/* GET bytes from..to of a file, which may end before. */
struct exchange *exchange_new_range(struct client *c, const char *target,
				    uint64_t from, uint64_t to,
				    struct svm_err *err);
/* As exchange_new(), to write a file if it still has this ETag, or, with "",
 * if nothing is there: else PRECONDITION. */
struct exchange *exchange_new_if(struct client *c, const char *method,
				 const char *target, int64_t length,
				 const char *etag, struct svm_err *err);
void exchange_free(struct exchange *x); /* closes: the daemon sees it */
#define auto_exchange CLEANUP(exchange_cleanup)
void exchange_cleanup(struct exchange **x);

/* Wait until fd, where the body comes from or where the reply goes, has one of
 * the events of poll(2): so that the deadline and cancel_fd end that too. */
int exchange_wait(struct exchange *x, int fd, short events,
		  struct svm_err *err);

/* Send body bytes.  A daemon that answers before it has all of them ends the
 * upload early: 1 is returned, go on with exchange_reply(). */
int exchange_send(struct exchange *x, const void *p, size_t n,
		  struct svm_err *err);

/* End the body and wait for the head of the reply.  400 and more is an
 * error as in client_call(). */
int exchange_reply(struct exchange *x, struct svm_err *err);
int64_t exchange_length(const struct exchange *x); /* -1: not told */
/* The bytes of the whole of which a range was asked for, otherwise the
 * length; right after exchange_reply(). */
int64_t exchange_whole(const struct exchange *x); /* -1: not told */

/* The ETag of the reply, right after exchange_reply(); owned.  NULL when
 * there is none that could be sent back. */
char *exchange_etag(const struct exchange *x);

/* Body bytes: > 0, 0 at its proper end, -1 with err (also when the body was
 * cut short). */
ssize_t exchange_read(struct exchange *x, void *p, size_t n,
		      struct svm_err *err);

/*
 * exchange_read() blames a body that breaks off on the daemon (UNREACHABLE).
 * One that answers has cut it off: what can be known of the reason takes the
 * place of the error, where the target is of a sandbox.  Always -1.
 */
int client_explain_cut(struct client *c, const char *target,
		       struct svm_err *err);

/*
 * An archive of a sandbox came to its proper end, but not all could be read:
 * an error (PROVIDER) that says what is missing.  `what` it is of is named as
 * the caller likes it.  0 when all is there.
 */
int client_check_omitted(const struct exchange *x, const char *what,
			 struct svm_err *err);

/* One line of the body without its newline, borrowed until the next call;
 * NULL with *ret_end true at the end, or with err set.  Blank lines are
 * skipped when `skip_blank` (keep-alives of NDJSON). */
char *exchange_line(struct exchange *x, bool skip_blank, size_t *ret_len,
		    bool *ret_end, struct svm_err *err);

/*
 * WebSocket.  Non-blocking once open: poll ws_fd() for ws_events() together
 * with your own fds and call ws_turn().
 */
struct ws;
enum ws_kind { WS_TEXT, WS_BINARY };
typedef void (*ws_message_fn)(void *data, enum ws_kind kind, const void *p,
			      size_t n);

/* Call ws_turn() once before the first poll: messages may be here already. */
struct ws *ws_open(struct client *c, const char *target, ws_message_fn fn,
		   void *data, struct svm_err *err);
void ws_free(struct ws *ws); /* closes without ceremony */
void ws_send(struct ws *ws, enum ws_kind kind, const void *p, size_t n);
size_t ws_queued(const struct ws *ws); /* bytes not sent yet */
int ws_fd(const struct ws *ws);
short ws_events(const struct ws *ws); /* POLLIN | POLLOUT */
void ws_pause(struct ws *ws, bool pause); /* stop reading */
/* Read and write what is possible.  0; 1 when it was closed in good order;
 * -1 with err when it broke. */
int ws_turn(struct ws *ws, struct svm_err *err);
/* After ws_turn() said 1: why, RFC 6455 7.4; 1005 when it didn't say. */
#define WS_CLOSE_TAKEN 4001 /* another viewer asked for it alone */
unsigned ws_close_code(const struct ws *ws);

#endif
