/* SPDX-License-Identifier: MIT */
/*
 * A whole exchange at once: ask, hear the answer out, and turn one that is an
 * error into our own.  See client_call() in client.h; exchange.c moves the
 * bytes.
 */
#include <string.h>

#include "lib/api/limits.h"
#include "lib/base/http1.h"
#include "lib/base/json.h"
#include "lib/client/conn.h"

/* The daemon's own words when it sent the envelope of API.md 2. */
int client_reply_error(int status, const char *body, size_t n,
		       struct svm_err *err)
{
	auto_json struct json_doc doc = JSON_DOC_INIT;
	auto_err struct svm_err bad = SVM_ERR_INIT;
	const char *code = NULL, *message = NULL, *hint = NULL;

	if (json_parse_object(&doc, body, n, &bad) == 0 &&
	    json_get_string(doc.root, "code", &code, &bad) == 0 &&
	    json_get_string(doc.root, "message", &message, &bad) == 0)
		(void)json_get_string(doc.root, "remediation", &hint, &bad);
	enum svm_code known = code ? svm_code_parse(code) : SVM_OK;

	if (known == SVM_OK)
		known = status >= 500 ? SVM_PROVIDER : SVM_BAD_REQUEST;
	if (message)
		svm_err_set(err, known, "%s", message);
	else
		svm_err_set(err, known, "the server answered %d %s", status,
			    http1_reason(status));
	if (hint)
		svm_err_hint(err, "%s", hint);
	err->told = true;
	return -1;
}

static int call_once(struct client *c, const char *method,
		     const char *target, const struct buf *body,
		     struct buf *ret, bool *ret_unheard, struct svm_err *err)
{
	auto_exchange struct exchange *x =
		exchange_begin(c, method, target,
			       body ? (int64_t)body->len : CLIENT_NO_BODY,
			       NULL, body ? buf_str(body) : NULL, err);
	size_t before = ret ? ret->len : 0;
	char chunk[KIB(16)];
	ssize_t n;

	*ret_unheard = false;
	if (!x)
		return -1;
	if (exchange_reply(x, err) < 0) {
		*ret_unheard = err->code == SVM_UNREACHABLE;
		return -1;
	}
	while ((n = exchange_read(x, chunk, sizeof(chunk), err)) > 0) {
		if (!ret)
			continue;
		if (ret->len - before > LIMIT_CLIENT_REPLY)
			return client_nonsense(c, "its reply is too long", err);
		buf_add(ret, chunk, (size_t)n);
	}
	return n < 0 ? -1 : 0;
}

/* A daemon that was killed takes connections until its last thread is gone:
 * what only asks is asked again, of the next one that starts by itself. */
int client_call(struct client *c, const char *method, const char *target,
		const struct buf *body, struct buf *ret, struct svm_err *err)
{
	bool again = c->autostart && strcmp(method, "GET") == 0, unheard;
	int r;

	for (int i = 0;; i++) {
		r = call_once(c, method, target, body, ret, &unheard, err);
		if (r == 0 || !again || !unheard || i == 2)
			return r;
		svm_err_release(err);
	}
}
