/* SPDX-License-Identifier: MIT */
/*
 * Commands of the user's own, from `commands.NAME.*` of the configuration:
 *
 *	commands:
 *	  ssh-config:
 *	    key: F5                 # none: from the palette alone
 *	    scope: sandboxes        # workspace, files, logs, templates, providers,
 *	                            # global; without it, global, or the first
 *	                            # of these that knows the words of run
 *	    run: [git, -C, /srv/boxes, log, "--grep={id}"]
 *	    confirm: true
 *	    output: show            # terminal (the default), show, none
 *	    changes: false          # may be run with --read-only
 *	    about: what was done to it
 *
 * A {word} in an argument becomes what is selected; there is no shell, so
 * nothing in a name is more than text to the program that is run.  What that
 * could make of it is seen to as placeholder.h tells; and an argument that
 * begins with a {word} and turns out to begin with '-' is not run, unless a
 * "--" stands before it.
 */
#ifndef SVM_TUI_COMMAND_H
#define SVM_TUI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include <cjson/cJSON.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "tui/keymap.h"

struct model;

struct command {
	char *name, *origin, *about; /* about: NULL without */
	char key_name[KEY_NAME_MAX]; /* "" without */
	struct key key;
	enum context scope;
	bool scoped; /* it was written */
	char **argv;
	bool confirm, changes;
	enum command_output { COMMAND_TERMINAL, COMMAND_SHOW,
			      COMMAND_NONE } output;
};

struct commands {
	struct command *list;
	size_t n;
};

void commands_release(struct commands *c);

/* Whether there is such a member of a command, "NAME.run"; -1 with err. */
int commands_check_key(const char *key, struct svm_err *err);

/* "NAME.run" and its values; origin is for messages. */
int commands_set(struct commands *c, const char *key, char *const *values,
		 const char *origin, struct svm_err *err);

/* When all were set: each has its scope and is whole, and no key has two
 * meanings. */
int commands_check(struct commands *c, const struct keymap *keys,
		   struct svm_err *err);

/* The one that this key starts where these contexts hold, or NULL. */
const struct command *commands_find(const struct commands *c,
				    const enum context *chain, struct key k);

/* The arguments with what is selected in them, and the path of a file (or
 * NULL); NULL with err set. */
char **command_expand(const struct command *c, const cJSON *subject,
		      const char *path, struct svm_err *err);

/* The line for help and palette: about, else the arguments. */
void command_describe(const struct command *c, struct buf *out);

/* Whether it holds where this context does. */
bool command_holds(const struct command *c, enum context x);

/* Ask if need be, then run it on what is selected; on sandboxes and
 * files, on all that are marked, which is always asked. */
void command_run(struct model *m, const struct command *c);

#endif
