/* SPDX-License-Identifier: MIT */
/* The fields that --json=FIELDS may name. */
#ifndef SVM_CLI_FIELDS_H
#define SVM_CLI_FIELDS_H

#include "cli/cmd.h"

/* Before anything is done: a field that nothing has would be null in all
 * there is, which looks like an answer.  A usage error names those there are.
 * For commands of which that is known (struct cmd's `gives`). */
int fields_check(const struct cli *cli, struct svm_err *err);

#endif
