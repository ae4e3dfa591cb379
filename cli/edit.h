/* SPDX-License-Identifier: MIT */
/*
 * Let the user change a text in their own editor ($VISUAL, $EDITOR, vi), as
 * often as it takes.  What was written is never lost: when it is not taken in
 * the end it stays in a file, and the error says where.
 */
#ifndef SVM_CLI_EDIT_H
#define SVM_CLI_EDIT_H

#include <stddef.h>

#include "cli/cmd.h"
#include "lib/base/buf.h"
#include "lib/base/err.h"

/* Take the text (NUL-terminated, without NUL within).  -1 with err: the user
 * is told and may edit again. */
typedef int edit_take_fn(struct cli *cli, const struct buf *text, void *data,
			 struct svm_err *err);

/* `name` is the file's in the editor ("py.yaml").  1: taken; 0: it was left
 * as it is; -1 with err. */
int edit_text(struct cli *cli, const char *name, const char *text, size_t n,
	      edit_take_fn *take, void *data, struct svm_err *err);

#endif
