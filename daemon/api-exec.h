/* SPDX-License-Identifier: MIT */
/* What the kinds of exec share with each other, and with nobody else. */
#ifndef SVM_DAEMON_API_EXEC_H
#define SVM_DAEMON_API_EXEC_H

#include "lib/api/frame.h"
#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/json.h"

struct exec_request;
struct exec_run;
struct http_req;
struct sandbox;

/* api-exec-stream.c: NDJSON while it runs. */
void api_exec_stream(struct http_req *r, struct sandbox *s,
		     struct exec_request *q);

/* "exit_code", "signal", "oom" of an ended command. */
void api_exec_add_exit(struct json_writer *w, const struct agent_exit *x);

/* {"type":"error","code","message"}, appended. */
void api_exec_add_error(struct buf *out, const struct svm_err *err);

/* The daemon stops, the command goes on without its caller. */
void api_exec_stopping(const struct exec_run *run, struct svm_err *err);

/* A session id we could have made. */
bool api_exec_sid_ok(const char *sid);

/* api-sessions.c: without an answer, for WebSockets.  signal: a name or
 * number, -1 with BAD_REQUEST otherwise.  over(data) when it has been done,
 * or can't be; always, but after -1. */
struct exec_word {
	void (*over)(void *data);
	void *data;
};
int exec_session_signal(struct sandbox *s, const char *sid, const char *signal,
			struct exec_word w, struct svm_err *err);
void exec_session_resize(struct sandbox *s, const char *sid, uint16_t cols,
			 uint16_t rows, struct exec_word w);

#endif
