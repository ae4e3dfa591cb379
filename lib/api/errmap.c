/* SPDX-License-Identifier: MIT */
/* Error codes to HTTP and exit status.  No default: -Wswitch finds a gap. */
#include "lib/api/errmap.h"

#include "lib/base/json.h"

int errmap_http_status(enum svm_code code)
{
	switch (code) {
	case SVM_OK:
		return 200;
	case SVM_BAD_REQUEST:
		return 400;
	case SVM_UNAUTHORIZED:
		return 401;
	case SVM_FORBIDDEN:
		return 403;
	case SVM_NOT_FOUND:
	case SVM_FILE_NOT_FOUND:
		return 404;
	case SVM_METHOD_NOT_ALLOWED:
		return 405;
	case SVM_TIMEOUT:
		return 408;
	case SVM_CONFLICT:
		return 409;
	case SVM_PRECONDITION:
		return 412;
	case SVM_TOO_LARGE:
		return 413;
	case SVM_RANGE:
		return 416;
	case SVM_RESOURCE_LIMIT:
		return 429;
	case SVM_INTERNAL:
	case SVM_CANCELLED:
	case SVM_CODE_MAX:
		return 500;
	case SVM_UNSUPPORTED:
		return 501;
	case SVM_PROVIDER:
		return 502;
	case SVM_UNAVAILABLE:
	case SVM_UNREACHABLE:
		return 503;
	case SVM_NO_SPACE:
		return 507;
	}
	return 500;
}

int errmap_exit_status(enum svm_code code)
{
	switch (code) {
	case SVM_OK:
		return EXIT_STATUS_OK;
	case SVM_BAD_REQUEST:
	case SVM_TOO_LARGE:
	case SVM_RANGE:
	case SVM_METHOD_NOT_ALLOWED:
	case SVM_INTERNAL:
	case SVM_UNSUPPORTED:
	case SVM_PROVIDER:
	case SVM_UNAVAILABLE:
	case SVM_NO_SPACE:
	case SVM_CODE_MAX:
		return EXIT_STATUS_FAILURE;
	case SVM_NOT_FOUND:
	case SVM_FILE_NOT_FOUND:
		return EXIT_STATUS_NOT_FOUND;
	case SVM_UNAUTHORIZED:
	case SVM_FORBIDDEN:
		return EXIT_STATUS_DENIED;
	case SVM_UNREACHABLE:
		return EXIT_STATUS_UNREACHABLE;
	case SVM_CONFLICT:
	case SVM_PRECONDITION:
		return EXIT_STATUS_CONFLICT;
	case SVM_RESOURCE_LIMIT:
		return EXIT_STATUS_LIMIT;
	case SVM_CANCELLED:
		return EXIT_STATUS_CANCELLED;
	case SVM_TIMEOUT:
		return EXIT_STATUS_TIMEOUT;
	}
	return EXIT_STATUS_FAILURE;
}

void errmap_json(struct buf *out, const struct svm_err *err,
		 const char *request_id)
{
	struct json_writer w = json_writer(out);

	json_open(&w, NULL, '{');
	json_str(&w, "code", svm_code_name(err->code));
	json_str(&w, "message", err->msg);
	if (err->hint)
		json_str(&w, "remediation", err->hint);
	if (request_id)
		json_str(&w, "request_id", request_id);
	json_close(&w, '}');
}
