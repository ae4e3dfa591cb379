/* SPDX-License-Identifier: MIT */
/*
 * A local copy for $EDITOR, in a private directory of its own: its name tells
 * editors the language, and they leave things beside it.
 *
 * And a text of this program's own that is edited so, until it is taken:
 * what is refused can be edited again, and is never lost.
 */
#ifndef SVM_TUI_EDITOR_COPY_H
#define SVM_TUI_EDITOR_COPY_H

#include "tui/model.h"

/* RUNTIME/edit-XXXXXX/NAME, which isn't there yet; the caller's.  NULL with
 * err. */
char *editor_copy_make(const char *name, struct svm_err *err);

/* The copy, and all that was left beside it.  Accepts NULL. */
void editor_copy_remove(const char *path);

/* A part of what is edited. */
struct editor_copy {
	char *path;
	struct buf shown;    /* what the editor is given */
	const char *refused; /* what is said above the copy's name; static */
	/* The text is another: refuse it, or finish. */
	void (*take)(struct model *m, struct editor_copy *c,
		     const struct buf *text);
	/* Frees what it is a part of, and calls editor_copy_release(). */
	void (*release)(struct editor_copy *c);
};

/* Whether another is being opened, which is said: keys may come faster than an
 * editor. */
bool editor_copy_is_busy(struct model *m);

/* Writes `shown` to a copy of that name and has it edited; finishes with
 * err. */
int editor_copy_open(struct model *m, struct editor_copy *c, const char *name,
		     struct svm_err *err);

/* Asks whether it is edited again. */
void editor_copy_refuse(struct model *m, struct editor_copy *c,
			const char *why);

/* Without the copy, which nobody needs any more. */
void editor_copy_finish(struct editor_copy *c);

void editor_copy_release(struct editor_copy *c);

#endif
