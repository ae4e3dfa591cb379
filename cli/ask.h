/* SPDX-License-Identifier: MIT */
/*
 * Questions on the terminal.  Where ui.accessible or ACCESSIBLE asks for it,
 * what there is to choose from is a numbered list.
 */
#ifndef SVM_CLI_ASK_H
#define SVM_CLI_ASK_H

#include "cli/cmd.h"

/* Whether somebody sits there, and wants to be asked. */
bool ask_possible(const struct cli *cli);

/* What is answered; `yes` is what an empty line means.  The end of input is
 * no. */
bool ask_yes(const struct cli *cli, const char *question, bool yes);

/* Yes or no, by default no; at once with `yes`.  CANCELLED (-1) when the
 * answer is no, or when there is nobody to ask. */
int ask_confirm(const struct cli *cli, bool yes, struct svm_err *err,
		const char *fmt, ...) PRINTF_LIKE(4, 5);

/* For what is lost for good: `name` is to be typed, or was `given` by --confirm
 * (NULL: it wasn't).  CANCELLED (-1) when it is another, or when there is
 * nobody to ask. */
int ask_name(const struct cli *cli, const char *given, const char *name,
	     struct svm_err *err, const char *fmt, ...) PRINTF_LIKE(5, 6);

#endif
