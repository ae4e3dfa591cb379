/* SPDX-License-Identifier: MIT */
/*
 * The message in the footer: model_say() and the like, in model.h.
 *
 * It is about what was in view when it was said: the screen, and there the
 * sandbox, the file, the editor (screen->place).  When that is no longer so it
 * goes, unless it is said to be true for longer, model_said_while().
 */
#ifndef SVM_TUI_MESSAGE_H
#define SVM_TUI_MESSAGE_H

#include "tui/canvas.h"
#include "tui/model.h"

struct area;

/* After each update: what is in view may be another thing. */
void message_settle(struct model *m);
void message_release(struct model *m);

/* For screen->place: what came before, and a name (NULL: none). */
uint64_t message_place(uint64_t h, const char *text);

/* How many rows it takes: when it doesn't fit more than one, which stand before
 * what is there until the next key. */
int message_rows(const struct model *m, int cols);
/* On the last rows of the canvas; the columns of the last one it takes. */
int message_view(const struct model *m, struct canvas *c);
/* As one line for so many columns, escaped; the caller's. */
char *message_line(const struct model *m, int cols);

/* All that was said, in a dialog. */
void messages_open(struct model *m);

#endif
