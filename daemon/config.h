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

enum config_kind {
	CONFIG_BOOL,
	CONFIG_INT,
	CONFIG_DURATION,
	CONFIG_SIZE,
	CONFIG_STRING,
	CONFIG_PATH,
	CONFIG_CHOICE,
	CONFIG_LIST,
	CONFIG_SECRET,
};

/* Keys, as indices. */
enum config_id {
#define CONFIG(kind, member, ...) CONFIG_ID_##member,
#include "daemon/config.def"
#undef CONFIG
	CONFIG_ID_MAX
};

/* One member per key, its name the key with dots as underscores
 * (server_port, defaults_ttl); config.def says what each type means. */
#define CONFIG_TYPE_BOOL bool
#define CONFIG_TYPE_INT int64_t
#define CONFIG_TYPE_DURATION int64_t
#define CONFIG_TYPE_SIZE int64_t
#define CONFIG_TYPE_STRING char *
#define CONFIG_TYPE_PATH char *
#define CONFIG_TYPE_CHOICE char *
#define CONFIG_TYPE_LIST char **
#define CONFIG_TYPE_SECRET char *
struct config {
#define CONFIG(kind, member, ...) CONFIG_TYPE_##kind member;
#include "daemon/config.def"
#undef CONFIG
	char *origin[CONFIG_ID_MAX]; /* "default", "FILE:LINE", ... */
	/* keys.CONTEXT.ACTION and commands.NAME.WHAT of the dashboard, as
	 * written: it knows which there are. */
	struct config_binding {
		char *key, *value, *origin;
		char **values; /* the items of a list */
	} *bindings;
	size_t n_bindings;
};

struct config_source {
	const char *dir;   /* where config.yaml is looked for; may be NULL */
	const char *cwd_file; /* "./stacyvm.yaml" or NULL */
	const char *file;  /* --config; must exist when given */
	char *const *env;  /* environ or NULL */
	char *const *flags; /* "server.port=8080" ... or NULL */
	/* What the file of this path would say; path NULL: none.  With what
	 * it says now (may be NULL), messages name the lines of that, and of
	 * what is new the key alone. */
	struct config_instead {
		const char *path, *name; /* for messages */
		const char *text, *now;
		size_t n, n_now;
	} instead;
};

/* Parse into a fresh struct, validate the whole, then *ret.  Every problem is
 * one line of err->msg, up to 20.  UNSUPPORTED when all there is to say is
 * that keys belong to a later version, else BAD_REQUEST. */
int config_load(const struct config_source *src, struct config **ret,
		struct svm_err *err);
void config_free(struct config *c);
struct config *config_defaults(void);

/* What takes more than one key to see; config_load() has done it. */
int config_check(struct config *c, struct svm_err *err);

/* One key of two: the same value?  Exchange value and origin. */
bool config_equal(const struct config *a, const struct config *b,
		  enum config_id id);
void config_swap(struct config *a, struct config *b, enum config_id id);

/* Whether callers over TCP need a key: one is set, and auth.enabled does not
 * say false in so many words. */
bool config_auth_on(const struct config *c);

/* JSON of every key: {"key":{"value":...,"origin":"file:line"}}; secrets are
 * shown as "***" when set. */
void config_json(const struct config *c, struct buf *out);

/* One of them, as member `name` of an object; a secret as "***". */
struct json_writer;
void config_add_value(const struct config *c, enum config_id id,
		      const char *name, struct json_writer *w);

/* Text of one key's value; NULL when there is no such key.  Owned. */
char *config_value(const struct config *c, const char *key);
const char *config_origin(const struct config *c, const char *key);

/* The list itself, for help and documents. */
struct config_key {
	const char *name;
	enum config_kind kind;
	const char *def;     /* text */
	int64_t min, max;
	const char *choices; /* "a|b" or NULL */
	const char *help;
};
const struct config_key *config_key(enum config_id id);

#endif
