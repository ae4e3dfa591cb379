/* SPDX-License-Identifier: MIT */
/*
 * The console's history: a file of lines, for its owner alone (0600).
 *
 * A line is appended when it is entered, so that several consoles share the
 * file and none loses what a crash would take.  When there are twice as many
 * as are kept, the older half goes.
 *
 * What begins with a blank is not kept, as in shells: the way to type what
 * nobody should find.  Nor is a line with a secret in it, a line that is the
 * last one again, or a very long one.
 */
#ifndef SVM_CLI_HISTORY_H
#define SVM_CLI_HISTORY_H

#include <stddef.h>

#include "lib/base/err.h"

struct history {
	char *path;   /* NULL: nothing is kept */
	char *last;   /* the line kept last */
	size_t lines; /* in the file, as far as we know */
};

typedef void (*history_fn)(const char *line);

/* DIR/console-history; the directory is made if need be.  fn gets the lines
 * that are there, oldest first.  On failure (a file that is not ours or no
 * file, a full disk) h keeps nothing, and can be used all the same. */
int history_open(struct history *h, const char *dir, history_fn fn,
		 struct svm_err *err);
void history_release(struct history *h);

/* Keep a line, unless it is one that is not.  Returns 1 when it was kept, 0
 * when not, -1 with err; then nothing more is kept. */
int history_add(struct history *h, const char *line, struct svm_err *err);

#endif
