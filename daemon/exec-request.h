/* SPDX-License-Identifier: MIT */
/* What a caller asks to be executed: the body of POST exec and the start
 * message of a WebSocket, checked. */
#ifndef SVM_DAEMON_EXEC_REQUEST_H
#define SVM_DAEMON_EXEC_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/audit.h"
#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/json.h"

struct sandbox;

struct exec_request {
	char **argv;
	char **env;         /* "K=V" */
	char *cwd;
	char *shown;        /* the command as people know it, bounded */
	int64_t timeout_ns; /* 0: none */
	struct buf input;   /* `stdin` */
	bool has_input;
	bool stream;        /* NDJSON while it runs */
	bool full_frames;   /* `frames: full`: a closing line */
	bool base64;        /* output as base64 */
	bool binary;        /* WebSocket: output as binary messages */
	bool tagged;        /* whose first byte is 1 (stdout) or 2 (stderr) */
	bool detach, tty;
	uint16_t cols, rows;
	struct audit_who who; /* filled by the handler */
};

#define EXEC_REQUEST_INIT { 0 }
#define auto_exec_request CLEANUP(exec_request_release)

/* 0, or -1 with BAD_REQUEST or TOO_LARGE naming the field. */
int exec_request_parse(const struct json_doc *doc, struct exec_request *ret,
		       struct svm_err *err);
void exec_request_release(struct exec_request *q);

/* The same as the agent of `s` takes it: EXEC, appended to *ret.  live_input:
 * there will be some.  TOO_LARGE when it does not fit into a request, with
 * what the sandbox adds to the environment. */
int exec_request_encode(const struct exec_request *q, const struct sandbox *s,
			const char *sid, bool live_input, struct buf *ret,
			struct svm_err *err);

/* Columns and rows of a terminal: members of an object, both or neither. */
int exec_request_size(const cJSON *obj, uint16_t *ret_cols,
		      uint16_t *ret_rows, struct svm_err *err);

#endif
