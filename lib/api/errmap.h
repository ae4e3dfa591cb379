/* SPDX-License-Identifier: MIT */
/* What each error code means on the wire and at the shell. */
#ifndef SVM_API_ERRMAP_H
#define SVM_API_ERRMAP_H

#include "lib/base/buf.h"
#include "lib/base/err.h"

/* Exit status of the command line (TUI.md 6.3). */
enum exit_status {
	EXIT_STATUS_OK = 0,
	EXIT_STATUS_FAILURE = 1,
	EXIT_STATUS_USAGE = 2,
	EXIT_STATUS_NOT_FOUND = 3,
	EXIT_STATUS_DENIED = 4,
	EXIT_STATUS_UNREACHABLE = 5,
	EXIT_STATUS_CONFLICT = 6,
	EXIT_STATUS_LIMIT = 7,
	EXIT_STATUS_CANCELLED = 8,
	EXIT_STATUS_TIMEOUT = 124,
	EXIT_STATUS_OURS = 125, /* exec, shell, spawn --rm: our failure */
	EXIT_STATUS_INTERRUPTED = 130,
};

int errmap_http_status(enum svm_code code);
int errmap_exit_status(enum svm_code code);

/* {"code","message","remediation","request_id"}, appended.  request_id may
 * be NULL. */
void errmap_json(struct buf *out, const struct svm_err *err,
		 const char *request_id);

#endif
