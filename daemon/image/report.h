/* SPDX-License-Identifier: MIT */
/*
 * How the workers of images speak to the daemon: on fd 3, one JSON object a
 * line.  worker.h is the other end.
 */
#ifndef SVM_DAEMON_IMAGE_REPORT_H
#define SVM_DAEMON_IMAGE_REPORT_H

#include "lib/base/buf.h"
#include "lib/base/digest.h"
#include "lib/base/json.h"

struct svm_err;

#define REPORT_FD 3

/* Begin an object of that type in *line, which must live on. */
struct json_writer report_begin(struct buf *line, const char *type);
void report_digest(struct json_writer *w, const char *key,
		   const struct digest *d);

/* Close and send it.  Ends the process when nobody reads any more: we are
 * about to be killed. */
void report_end(struct json_writer *w, struct buf *line);

/* {"type":"error","code","message","remediation"} */
void report_error(const struct svm_err *err);

#endif
