/* SPDX-License-Identifier: MIT */
/* The dialogs above a screen, as update() and the frame see them. */
#ifndef SVM_TUI_DIALOG_H
#define SVM_TUI_DIALOG_H

#include <stdbool.h>

#include "tui/canvas.h"
#include "tui/input.h"
#include "tui/keymap.h"

struct model;

/* All of these are for when m->dialog isn't NULL. */
bool dialog_act(struct model *m, enum action a);
bool dialog_input(struct model *m, const struct input_event *ev);
void dialog_view(const struct model *m, struct canvas *c);
void dialog_contexts(const struct model *m,
		     enum context ret[CONTEXT_CHAIN]);

void dialog_release_all(struct model *m); /* also when there is none */

#endif
