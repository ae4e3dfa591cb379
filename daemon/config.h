/* SPDX-License-Identifier: MIT */
/*
 * Configuration: every key once, in config.def.
 *
 * Later wins, key by key: defaults, CONFIG/config.yaml, ./stacyvm.yaml,
 * --config FILE, STACYVM_* environment, flags.  Unknown keys and bad values
 * are errors that name file, line and key, with the nearest known key.
 */
#ifndef SVM_DAEMON_CONFIG_H
#define SVM_DAEMON_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"

/* config.def expands to the members: server_port, defaults_ttl, ...; see
 * there for types.  Durations are ns, sizes bytes, lists strv. */
struct config;

struct config_source {
	const char *dir;   /* where config.yaml is looked for; may be NULL */
	const char *cwd_file; /* "./stacyvm.yaml" or NULL */
	const char *file;  /* --config; must exist when given */
	char *const *env;  /* environ or NULL */
	char *const *flags; /* "server.port=8080" ... or NULL */
};

/* Parse into a fresh struct, validate the whole, then *ret.  Every problem is
 * one line of err->msg, up to 20. */
int config_load(const struct config_source *src, struct config **ret,
		struct svm_err *err);
void config_free(struct config *c);

/* JSON of every key: {"key":{"value":...,"origin":"file:line"}}; secrets are
 * shown as "***" when set. */
void config_json(const struct config *c, struct buf *out);

/* Text of one key's value; NULL when there is no such key.  Owned. */
char *config_value(const struct config *c, const char *key);
const char *config_origin(const struct config *c, const char *key);

#endif
