/* SPDX-License-Identifier: MIT */
/*
 * The user's configuration file as the dashboard changes it: one value at a
 * time, checked before it is written, taken back in the order it was done.
 *
 * What keys there are, and how a file is checked and loaded, is known outside
 * of this room: cli/main.c brings it.
 */
#ifndef SVM_TUI_SETTINGS_H
#define SVM_TUI_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/api/config-file.h"
#include "lib/base/buf.h"
#include "lib/base/err.h"

struct model;

struct setting {
	const char *name;    /* "ui.theme" */
	const char *choices; /* "a|b" or NULL */
	const char *def;     /* as text */
	const char *help;
	bool secret;
	bool restart;        /* only the next daemon goes by it */
	bool next;           /* only the next run of the program */
	const char *over;    /* this program was started with that, which
			      * wins until its end; or NULL */
};

struct settings_ops {
	/* The i-th key there is; false past the last. */
	bool (*at)(void *data, size_t i, struct setting *ret);

	/* Whether this can be set at all; -1 with err when it can't. */
	int (*check)(void *data, const char *key, struct svm_err *err);

	/* {"key": {"value": ..., "origin": ...}} as the file and this
	 * program's environment have it. */
	int (*show)(void *data, struct buf *json, struct svm_err *err);

	/* As config_file_set(), in the user's own file. */
	int (*change)(void *data, const char *key, const char *value,
		      struct config_change *ret, struct svm_err *err);

	/* The text of that file, "" without one. */
	int (*read)(void *data, struct buf *ret, struct svm_err *err);

	/* As config_file_replace(), checked as change() does; what is wrong is
	 * told of "config.yaml:LINE". */
	int (*replace)(void *data, const char *before, const char *text,
		       size_t n, struct svm_err *err);

	/* Load it, and make the model go by it. */
	int (*apply)(void *data, struct model *m, struct svm_err *err);
	void *data;
};

/* "ui.", "keys.", "commands.": the dashboard's own. */
bool settings_is_ours(const char *key);

/* False for a key that is in no table: of "keys.", for example. */
bool settings_find(const struct model *m, const char *key,
		   struct setting *ret);

/* Whether this key can be set from here; -1 with err when it can't. */
int settings_check(const struct model *m, const char *key,
		   struct svm_err *err);

/*
 * Set (value NULL: take out) a key and let who goes by it know: this
 * dashboard at once, the daemon by SIGHUP.  Returns as config_file_set(), and
 * says in the footer what became of it; with -1 nothing is said.
 */
int settings_set(struct model *m, const char *key, const char *value,
		 struct svm_err *err);

/* What else a change brings about, of one key or ("") of any. */
void settings_spread(struct model *m, const char *key);

/* Take back the last change; 0 when there is none. */
int settings_undo(struct model *m, struct svm_err *err);
void settings_forget(struct model *m); /* frees what undoing needs */

#endif
