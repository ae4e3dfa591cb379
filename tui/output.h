/* SPDX-License-Identifier: MIT */
/* A dialog that shows text one can scroll through: what a command printed. */
#ifndef SVM_TUI_OUTPUT_H
#define SVM_TUI_OUTPUT_H

#include "tui/model.h"

/* Copies both; the text may be anything and is shown escaped. */
void output_open(struct model *m, const char *title, const char *text);

/* How wide a line it shows. */
int output_columns(const struct model *m);

#endif
