/* SPDX-License-Identifier: MIT */
/*
 * Replies that tell how far it is: with `frames=full` in the query a reply is
 * NDJSON, {"type":"progress",...} as it goes on and the answer as the last
 * line.  What fails before anything was told is a plain error.
 */
#ifndef SVM_DAEMON_FRAMES_H
#define SVM_DAEMON_FRAMES_H

#include <stdbool.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/json.h"

struct http_req;

bool frames_wanted(const struct http_req *r);

/* {"type":TYPE: more members may follow before it is sent. */
struct json_writer frames_open(struct buf *line, const char *type);
void frames_send(struct http_req *r, struct json_writer *w, struct buf *line);

/* The client doesn't keep up: what is only progress is left out. */
bool frames_behind(const struct http_req *r);

/* The last line; the request is gone after. */
void frames_end(struct http_req *r, struct json_writer *w, struct buf *line);
void frames_error(struct http_req *r, const struct svm_err *err);

#endif
