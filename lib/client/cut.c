/* SPDX-License-Identifier: MIT */
/*
 * Files and archives of a sandbox that did not come whole: what the daemon
 * says was left out, and what can be known when the rest doesn't come.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/api/limits.h"
#include "lib/api/state.h"
#include "lib/base/escape.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/urlenc.h"
#include "lib/client/conn.h"

#define SANDBOXES "/api/v1/sandboxes/"

/* -- left out */

/* The value of a trailer, owned; "" when there is none. */
static char *trailer(const struct exchange *x, const char *name)
{
	const struct buf *lines = exchange_trailers(x);
	const char *p = buf_str(lines), *end = p + lines->len;
	size_t n = strlen(name);

	for (const char *next; p < end; p = next) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));

		next = nl ? nl + 1 : end;
		if (strncasecmp(p, name, n) != 0 || p[n] != ':')
			continue;
		p += n + 1;
		p += strspn(p, " \t");
		return xstrndup(p, strcspn(p, "\r\n"));
	}
	return xstrdup("");
}

/* It may hold anything: it is shown on one line. */
static char *shown_path(const struct exchange *x)
{
	auto_free char *path = trailer(x, "X-Omitted-First");
	auto_buf struct buf text = BUF_INIT;
	ssize_t n = urlenc_decode(path, path, strlen(path), false);

	escape_line(&text, path, n < 0 ? strlen(path) : (size_t)n);
	return buf_steal(&text);
}

int client_check_omitted(const struct exchange *x, const char *what,
			 struct svm_err *err)
{
	auto_free char *count = trailer(x, "X-Omitted");
	unsigned long n = strtoul(count, NULL, 10);

	if (!n)
		return 0;
	auto_free char *path = shown_path(x);
	auto_free char *reason = trailer(x, "X-Omitted-Reason");
	if (n == 1)
		return svm_err_set(err, SVM_PROVIDER, "1 entry of %s was left "
				   "out: '%s': %s", what, path, reason);
	return svm_err_set(err, SVM_PROVIDER, "%lu entries of %s were left "
			   "out; the first: '%s': %s", n, what, path, reason);
}

/* -- cut off */

/* "/api/v1/sandboxes/ID" of the target of something below it, or NULL. */
static char *sandbox_of(const char *target)
{
	size_t n = strlen(SANDBOXES);

	if (strncmp(target, SANDBOXES, n) != 0)
		return NULL;
	return xstrndup(target, n + strcspn(target + n, "/?"));
}

/* Who would start now is no witness. */
static int ask_running(struct client *c, const char *target, struct buf *ret,
		       struct svm_err *err)
{
	bool starts = c->autostart;

	c->autostart = false;
	int r = client_call(c, "GET", target, NULL, ret, err);
	c->autostart = starts;
	return r;
}

/* sandbox NULL: there is none any more. */
static int say_cut(const char *target, const cJSON *sandbox,
		   struct svm_err *err)
{
	enum sandbox_state state = SANDBOX_DESTROYED;

	if (sandbox)
		(void)sandbox_state_parse(json_text(sandbox, "state"), &state);
	if (state == SANDBOX_EXPIRED || state == SANDBOX_DESTROYING ||
	    state == SANDBOX_DESTROYED)
		return svm_err_set(err, SVM_CONFLICT,
				   "cut off: the sandbox has ended");
	svm_err_set(err, SVM_PROVIDER,
		    "cut off: the sandbox did not send the rest");
	if (strstr(target, "/files/archive?"))
		return svm_err_hint(err, "an archive has at most %d GiB; the "
				    "daemon knows more:  stacyvm daemon logs",
				    (int)(LIMIT_IMAGE_BYTES >> 30));
	return svm_err_hint(err, "the daemon knows more:  stacyvm daemon "
				 "logs");
}

int client_explain_cut(struct client *c, const char *target,
		       struct svm_err *err)
{
	auto_free char *about = sandbox_of(target);
	auto_json struct json_doc doc = JSON_DOC_INIT;
	auto_buf struct buf body = BUF_INIT;
	auto_err struct svm_err e = SVM_ERR_INIT;

	if (err->code != SVM_UNREACHABLE || !about)
		return -1;
	if (ask_running(c, about, &body, &e) == 0)
		(void)json_parse_object(&doc, buf_str(&body), body.len, &e);
	if (e.code == SVM_OK || e.code == SVM_NOT_FOUND) {
		svm_err_release(err);
		return say_cut(target, doc.root, err);
	}
	if (e.code == SVM_UNREACHABLE)
		return -1;
	svm_err_release(err);
	svm_err_prefix(&e, "cut off");
	return svm_err_move(err, &e);
}
