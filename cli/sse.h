/* SPDX-License-Identifier: MIT */
/* The daemon's event stream, event by event. */
#ifndef SVM_CLI_SSE_H
#define SVM_CLI_SSE_H

#include "cli/cmd.h"
#include "lib/base/json.h"
#include "lib/client/client.h"

/* The next event's data, parsed into doc (released before); borrowed raw text
 * in *ret_raw.  0 at the end of the stream, 1 with an event, -1 with err. */
int sse_next(struct exchange *x, struct json_doc *doc, const char **ret_raw,
	     struct svm_err *err);

#endif
