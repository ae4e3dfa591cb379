/* SPDX-License-Identifier: MIT */
/*
 * A template in $EDITOR: fetched, written as YAML to a file of the runtime
 * directory, and taken in when it was changed and nobody else has.  What is
 * refused can be edited again and is never lost.
 */
#ifndef SVM_TUI_TEMPLATE_EDIT_H
#define SVM_TUI_TEMPLATE_EDIT_H

#include "tui/model.h"

void template_edit_open(struct model *m, const char *name);

/* "/api/v1/templates/NAME", percent-encoded; owned. */
char *template_target(const char *name);

#endif
