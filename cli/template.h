/* SPDX-License-Identifier: MIT */
/* What the parts of `stacyvm template` share. */
#ifndef SVM_CLI_TEMPLATE_H
#define SVM_CLI_TEMPLATE_H

#include "cli/cmd.h"

/* "/api/v1/templates/NAME", owned. */
char *template_path(const char *name);

/* Act for this owner from now on; NULL: nothing changes. */
int template_act_for(struct cli *cli, const char *owner, struct svm_err *err);

extern const struct cmd template_edit; /* a subcommand */

#endif
