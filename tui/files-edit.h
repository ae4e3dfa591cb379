/* SPDX-License-Identifier: MIT */
/* Inside files-edit.c and files-save.c: a file in the editor. */
#ifndef SVM_TUI_FILES_EDIT_H
#define SVM_TUI_FILES_EDIT_H

#include "lib/base/digest.h"
#include "tui/edit.h"
#include "tui/files.h"

struct file_edit {
	struct edit e;
	char *id, *path, *mode;
	struct digest base; /* what the file held when we looked last */
	unsigned serial;
	bool saving;
	char *draft;        /* a local copy, once saving failed */
	char *warning;      /* "main.py is not saved." */
};

/* files-save.c: EDIT_FORCE asks nothing, with EDIT_LEAVE it is left once it
 * was saved. */
void files_save(struct model *m, struct files *f, unsigned wants);
bool files_keep_draft(struct file_edit *x);
void files_drop_draft(struct file_edit *x);
const char *files_name(const char *path); /* its last part */

/* files-edit.c: back to reading, whatever isn't saved. */
void files_edit_leave(struct model *m, struct files *f);

#endif
