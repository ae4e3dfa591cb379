/* SPDX-License-Identifier: MIT */
/*
 * ETags of files: GET and PUT say one, If-Match asks for it.
 *
 * One stands for an inode, its size and the time of its last change: strong
 * enough to tell one whole file from another that took its place.  Who writes
 * into the same file within one tick of the kernel's clock (some
 * milliseconds), and leaves its size alone, isn't noticed.
 */
#ifndef SVM_DAEMON_FILE_ETAG_H
#define SVM_DAEMON_FILE_ETAG_H

#include <stdbool.h>

#include "lib/api/frame.h"
#include "lib/base/buf.h"
#include "lib/base/err.h"

struct http_req;

#define FILE_ETAG_SIZE 64

void file_etag(const struct agent_file *f, char out[FILE_ETAG_SIZE]);

/* What If-Match and If-None-Match ask of a file that is to be written: *ret
 * is the request, FRAME_WRITE or FRAME_WRITE_IF, whose fields behind path,
 * mode and flags are appended to payload. */
int file_etag_condition(struct http_req *r, struct buf *payload,
			enum frame_type *ret, struct svm_err *err);

/* Whether If-None-Match wants nothing to be there. */
int file_etag_wants_new(const struct http_req *r, bool *ret,
			struct svm_err *err);

#endif
