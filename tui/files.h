/* SPDX-License-Identifier: MIT */
/*
 * The files of a sandbox: a tree of directories, and what is in one file.
 * Names and contents are a stranger's: both are shown escaped.
 */
#ifndef SVM_TUI_FILES_H
#define SVM_TUI_FILES_H

#include "tui/files-tree.h"
#include "tui/list.h"
#include "tui/order.h"
#include "tui/pager.h"
#include "tui/screen.h"

/* Longer files are read in pieces, and not edited here. */
#define FILES_SHOWN_MAX PAGER_FIRST

/* Searching through what isn't here. */
struct files_hunt {
	bool on, back, wrapped;
	uint64_t at, stop, asked;
	struct buf what;
};

enum files_sort { FILES_BY_NAME, FILES_BY_SIZE, FILES_BY_CHANGED,
		  FILES_BY_MODE }; /* struct order's `by` */

struct files {
	char *id;
	char *path;      /* the directory that the tree begins with */
	struct files_tree tree;
	cJSON *found;    /* by the glob, as FileInfo; NULL before they came */
	struct file_row *rows; /* what is shown, from top to bottom */
	size_t n, room;
	size_t n_new, n_changed; /* of these */
	int64_t stale_at; /* something happened in there: look then; boot */
	struct order order; /* directories are before files in any */
	struct list_pos pos;
	char *selected;  /* its path: it stays selected while rows move */
	char *below, *above; /* the next of its directory; or NULL */
	size_t settled;  /* pos.at as of the last settle */
	char *select;    /* a path to stand on when it has arrived */
	bool hidden;     /* dot files are shown */
	char *glob;      /* what is shown matches it, wherever it is; or NULL */
	struct field filter; /* of the names shown */
	bool typing;
	bool opened;     /* one of those: its pane is to have the keys */
	bool followed;   /* a link, to a directory: the list is to have them */
	char **marks;    /* paths, in their order */
	char *mark_from; /* where a range begins */
	size_t n_marks;
	unsigned transfers;

	/* What is being viewed. */
	char *view_path;
	struct pager pager;
	bool numbers, wrap, reading;
	const char *encoding; /* what its beginning looks like; NULL: nothing
			       * of it has come yet */
	char *unread;    /* why nothing can be had of it; or NULL */
	bool listed, gone; /* its directory had it; and has it no longer */
	struct field search;
	struct files_hunt hunt;
	bool searching;
	struct area list_area, content_area;

	/* What is being edited; see files-edit.c. */
	struct file_edit *edit;    /* or NULL */
	char *wanted, *wanted_mode; /* asked for */
	unsigned look_serial, edit_serial;
};

void files_init(struct files *f);
void files_release(struct files *f);

/* Go to a directory of this sandbox: the tree begins with it. */
void files_open(struct model *m, struct files *f, const char *id,
		const char *path);
/* What is in view is no file: if it is a link, the tree begins where that
 * leads. */
bool files_follow(struct model *m, struct files *f);
/* Something happened in it, by an event: it is looked at again soon, if it is
 * this sandbox.  When (boot; 0: not), and doing so. */
void files_event(struct model *m, struct files *f, const cJSON *event);
/* Without one: once in a second, and at once. */
void files_look_soon(struct model *m, struct files *f);
void files_look_again(struct model *m, struct files *f);
int64_t files_wake(const struct model *m, const struct files *f);
void files_tick(struct model *m, struct files *f);

/* Both areas are insides of panes; rows 0: not shown. */
void files_settle(struct model *m, struct files *f, struct area list,
		  struct area content);
/* The directory in which a new file would be: the selected one if it is open,
 * else the one that what is selected is in.  The caller's. */
char *files_base(const struct files *f);
char *files_dirname(const char *path); /* the caller's */

/* files-view.c: the list. */
void files_view(const struct model *m, const struct files *f,
		struct canvas *c, struct area pane, bool focused);
/* The column in which a row has its arrow. */
int files_arrow_col(struct area in, const struct file_row *row);
/* Appends "  2 new  1 changed" when there are some. */
void files_status(const struct files *f, struct buf *out);

/* files-rows.c: what is shown of the tree or of what was found, in order. */
void files_fill_rows(struct files *f);

/* files-content.c */
bool files_viewing(const struct files *f);
void files_read(struct model *m, struct files *f, const char *path);
void files_settle_content(struct model *m, struct files *f, struct area in);
void files_close_content(struct files *f);
void files_view_content(const struct model *m, const struct files *f,
			struct canvas *c, struct area pane, bool focused);
bool files_act_content(struct model *m, struct files *f, enum action a);
bool files_input_content(struct model *m, struct files *f,
			 const struct input_event *ev);

/* files-hunt.c: to the next match, wherever it is. */
void files_search(struct model *m, struct files *f, bool back, bool here);
void files_hunt_end(struct files *f);

/* files-look.c: what is at a path, links followed; not called when there is
 * no file, which is said, or when another is looked for meanwhile. */
typedef void (*files_look_fn)(struct model *m, struct files *f,
			      const char *path, const cJSON *info);
void files_look(struct model *m, struct files *f, const char *path,
		files_look_fn then);

/* files-editor.c */
void files_editor(struct model *m, struct files *f, const char *path);

/* files-edit.c: all but the first three are for when f->edit isn't NULL. */
void files_edit_open(struct model *m, struct files *f, const char *path);
void files_edit_close(struct files *f); /* also what isn't saved */
/* True, and says so, when text would be lost. */
bool files_unsaved(struct model *m, const struct files *f);
bool files_edit_act(struct model *m, struct files *f, enum action a);
bool files_edit_input(struct model *m, struct files *f,
		      const struct input_event *ev);
void files_edit_settle(struct files *f, struct area in);
void files_edit_contexts(const struct files *f,
			 enum context ret[CONTEXT_CHAIN]);
void files_edit_view(const struct model *m, const struct files *f,
		     struct canvas *c, struct area pane, bool focused);
unsigned files_edit_serial(const struct files *f); /* 0: without */
const char *files_edit_busy(const struct files *f); /* also without */
/* files-draft.c: when a draft is due (boot; 0: none), and writing it. */
int64_t files_draft_wake(const struct files *f);
void files_draft_tick(struct model *m, struct files *f);
/* The program ends by force: keep what isn't saved, and say where. */
void files_edit_rescue(struct files *f, struct buf *say);

/* files-many.c: marks, and what is found by a pattern.  e may be NULL. */
bool files_act_many(struct model *m, struct files *f, const cJSON *e,
		    enum action a);
bool files_marked(const struct files *f, const cJSON *e);
void files_unmark(struct files *f);
/* As they are listed, NULL at the end; the caller's. */
char **files_marked_paths(const struct files *f);
void files_reload(struct model *m, struct files *f); /* what is shown */

/* files-act.c: what changes something.  e may be NULL. */
bool files_act_entry(struct model *m, struct files *f, const cJSON *e,
		     enum action a);
bool files_name_given(const char *text, struct svm_err *err);
/* A name is in this directory, a path is a path; the caller's. */
char *files_resolve(const char *dir, const char *text);
/* What a directory of this name is saved as, by default; the caller's. */
char *files_archive_name(const char *name);

/* files-place.c: what may be in the place of something. */
bool files_act_place(struct model *m, struct files *f, const cJSON *e,
		     enum action a);

bool files_act(struct model *m, struct files *f, enum action a,
	       bool content);
bool files_input(struct model *m, struct files *f,
		 const struct input_event *ev, bool content);

/* What is selected, or in view; NULL when nothing is. */
const char *files_path(const struct files *f, bool content);

bool file_is_dir(const cJSON *e);

/* A request about a file: `what` is "stat", "list", ... or "". */
struct request *files_request(const struct files *f, const char *method,
			      const char *what, const char *path,
			      request_fn done);
/* Its answer is about the sandbox in view: another may be there by now, with
 * a file of the same path. */
bool files_is_for(const struct files *f, const struct request *r);

#endif
