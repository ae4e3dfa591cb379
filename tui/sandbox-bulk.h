/* SPDX-License-Identifier: MIT */
/* What sandbox-act.c leaves to others: killing, and what is for many. */
#ifndef SVM_TUI_SANDBOX_BULK_H
#define SVM_TUI_SANDBOX_BULK_H

#include "tui/model.h"

/* These take the ids; without any, nothing happens. */
void sandbox_kill_ask(struct model *m, char **ids);
void sandbox_export_ask(struct model *m, char **ids);

/* All there are: a word has to be typed, whatever is set. */
void sandbox_prune_all_ask(struct model *m);

/* The selected one's, or the first that waits, and what was killed with it;
 * false when none waits. */
bool sandbox_kill_undo(struct model *m, const struct sandbox *selected);

/* What can be done with all that are marked. */
void sandbox_bulk_menu(struct model *m);

#endif
