/* SPDX-License-Identifier: MIT */
/* The body of POST /sandboxes: parsed, checked, completed from defaults. */
#ifndef SVM_DAEMON_SANDBOX_REQUEST_H
#define SVM_DAEMON_SANDBOX_REQUEST_H

#include "lib/api/spec.h"
#include "lib/base/err.h"
#include "lib/base/json.h"

struct daemon;
struct http_req;
struct provider;
struct template;

/* Fills *ret (owned by the caller then) and picks the provider.  BAD_REQUEST
 * names the field; nothing is made.  template: its name, or NULL for what the
 * body says. */
int sandbox_request_parse(struct daemon *d, struct http_req *r,
			  const char *template, struct sandbox_spec *ret,
			  struct provider **ret_provider, struct svm_err *err);

/* The same to know whether it would be admitted: what is over a limit is no
 * error but *ret_over (unset when nothing is), and the image need not be
 * here. */
int sandbox_request_ask(struct daemon *d, struct http_req *r,
			struct sandbox_spec *ret,
			struct provider **ret_provider,
			struct svm_err *ret_over, struct svm_err *err);

/* The same for a warm copy of a template, which nobody asked for yet. */
int sandbox_request_warm(struct daemon *d, const struct template *t,
			 struct sandbox_spec *ret,
			 struct provider **ret_provider, struct svm_err *err);

/* Single fields that templates have too.  `key` is "env" or "metadata": an
 * object of strings as "K=V"s, owned by the caller. */
int sandbox_request_map(const cJSON *body, const char *key, char ***ret,
			struct svm_err *err);
int sandbox_request_network(const cJSON *body, const char *dflt,
			    enum spec_network *ret, struct svm_err *err);

/* Is it one that a sandbox may have? */
int sandbox_request_name(const char *name, struct svm_err *err);

/* A ttl in a request: > 0 and at most max_ns (0: no maximum). */
int sandbox_request_ttl(const char *text, int64_t max_ns, int64_t *ret,
			struct svm_err *err);

#endif
