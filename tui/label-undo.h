/* SPDX-License-Identifier: MIT */
/*
 * The last change of names and labels, to be taken back.  The old values are
 * kept; what somebody else has changed since is left as he wants it.
 */
#ifndef SVM_TUI_LABEL_UNDO_H
#define SVM_TUI_LABEL_UNDO_H

#include <stdbool.h>

#include "lib/base/buf.h"

struct model;

/* A change begins: this body of PATCH is sent for one or several. */
void label_undo_begin(struct model *m, const struct buf *body);
/* For this one, which is as it was before. */
void label_undo_note(struct model *m, const char *id);

/* Send what takes it back; false when there is nothing. */
bool label_undo(struct model *m);
void label_undo_forget(struct model *m);

#endif
