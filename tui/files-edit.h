/* SPDX-License-Identifier: MIT */
/* Inside files-edit.c and files-save.c: a file in the editor. */
#ifndef SVM_TUI_FILES_EDIT_H
#define SVM_TUI_FILES_EDIT_H

#include "lib/base/digest.h"
#include "tui/edit.h"
#include "tui/files.h"

struct saving;

struct file_edit {
	struct edit e;
	char *id, *path, *mode;
	struct digest base; /* what the file held when we looked last */
	unsigned serial;
	struct saving *saving; /* under way, or NULL; the request's */
	char *etag;         /* of the file as `base` has it, or NULL */
	char *server;       /* that the sandbox is of */
	char *warning;      /* "main.py is not saved; ..." */

	char *draft;        /* where ours is, once there was reason for one */
	uint64_t drafted;   /* text.changed as the draft has it */
	uint64_t seen;      /* the same, at the last key */
	bool drafting;      /* one is being written */
	int64_t draft_since, draft_due; /* boot; 0: nothing to be written */
};

/* files-save.c: EDIT_FORCE asks nothing, with EDIT_LEAVE it is left once it
 * was saved.  While one save is under way the next waits for it; of several
 * that wait the last is left. */
void files_save(struct model *m, struct files *f, unsigned wants);
const char *files_name(const char *path); /* its last part */

/* files-draft.c: write it now; at the next pause; not at all. */
bool files_keep_draft(struct file_edit *x);
void files_drop_draft(struct file_edit *x);
void files_draft_changed(const struct model *m, struct file_edit *x);
/* Whether somebody left one of this file, whose text this is. */
void files_draft_offer(struct model *m, struct files *f,
		       const struct buf *text);

/* files-edit.c: back to reading, whatever isn't saved. */
void files_edit_leave(struct model *m, struct files *f);

#endif
