/* SPDX-License-Identifier: MIT */
/*
 * The user's configuration file in $EDITOR: a copy of it, in a directory of
 * its own, that takes the file's place when it is good and nobody else has
 * changed the file.  What is refused can be edited again and is never lost.
 */
#ifndef SVM_TUI_CONFIG_EDIT_H
#define SVM_TUI_CONFIG_EDIT_H

#include "tui/model.h"

void config_edit_open(struct model *m);

#endif
