/* SPDX-License-Identifier: MIT */
/* What the parts of config share: config.c, config-set.c, config-yaml.c. */
#ifndef SVM_DAEMON_CONFIG_INTERNAL_H
#define SVM_DAEMON_CONFIG_INTERNAL_H

#include "daemon/config.h"

/* A configuration in the making: what is set, and what is wrong. */
struct config_load {
	struct config *c;
	struct buf problems; /* one line each */
	unsigned n_problems;
	bool bad;            /* one of them is more than "not yet" */
};

/* Note a problem.  Its text may hold foreign bytes: they are escaped. */
void config_problem(struct config_load *ld, const char *fmt, ...)
	PRINTF_LIKE(2, 3);
/* The same for a key that only a later version knows. */
void config_not_yet(struct config_load *ld, const char *fmt, ...)
	PRINTF_LIKE(2, 3);

/* Where key's member lives. */
void *config_member(const struct config *c, enum config_id id);
bool config_find(const char *name, enum config_id *ret);

#define CONFIG_NAME_MAX 48 /* longer than any key */

/* What API.md lists and this version does not do yet: sections, each ending
 * in a dot; the last is NULL. */
extern const char *const config_later[];
bool config_is_later(const char *key);

/* Edits that turn a into b: insert, delete, replace, swap of neighbours. */
unsigned config_distance(const char *a, const char *b);

/* Of the dashboard: "keys.sandboxes.kill", "commands.log.run". */
bool config_is_binding(const char *key);
bool config_is_group(const char *path); /* "keys.sandboxes" */
bool config_is_argv(const char *key);   /* "commands.log.run": a list */
const struct config_binding *config_find_binding(const struct config *c,
						 const char *key);

/* Note an unknown key, with the one that was probably meant. */
void config_unknown(struct config_load *ld, const char *where,
		    const char *key);

/* server.port -> SERVER_PORT */
void config_env_name(const char *key, char out[CONFIG_NAME_MAX + 1]);

/* Is `path` the beginning of keys ("server", "providers.docker")? */
bool config_is_section(const char *path);

/* Set a key from the texts of one value (several: a list).  `where` goes
 * before every message and becomes the origin. */
void config_set(struct config_load *ld, const char *where, const char *key,
		char *const *values);
void config_set_env(struct config_load *ld, char *const *env);
void config_set_flags(struct config_load *ld, char *const *flags);

/* Where what is to be set comes from: it stands nowhere yet. */
#define CONFIG_TO_BE_SET "cannot set"

/* Two texts of a file that differ in one place. */
struct config_lines {
	size_t same;   /* so many lines are the same at the beginning */
	size_t again;  /* and from this one of the new text on */
	size_t before; /* which is this one of the old */
};
struct config_lines config_lines(const char *old, size_t n_old,
				 const char *new, size_t n_new);
/* The line of the old text that is this one of the new; 0: it is none. */
size_t config_line(const struct config_lines *l, size_t line);

/* Read a YAML file; a missing one is a problem only if it must exist. */
void config_read_file(struct config_load *ld, const char *path,
		      bool must_exist);
/* Its text; for tests and fuzzing too. */
void config_read_text(struct config_load *ld, const char *name,
		      const char *text, size_t n);
/* One that is to take a file's place. */
void config_read_instead(struct config_load *ld,
			 const struct config_instead *i);

#endif
