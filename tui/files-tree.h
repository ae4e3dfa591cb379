/* SPDX-License-Identifier: MIT */
/*
 * The directories of a sandbox that were looked into, and what was in them.
 *
 * A directory is asked for when it is opened and whenever the tree is looked
 * at again, as long as it can be seen.  What it held stays when it can't be
 * listed any more; only what is known to be gone is dropped.  A link to a
 * directory is no directory here, and neither is an entry that says to be
 * elsewhere than in the directory it came with: there is no way around.
 *
 * What is new and what changed (enum file_change) is told by comparing with
 * what was seen first, never guessed:
 *
 *	- What a directory held when it was listed for the first time since the
 *	  workspace of this sandbox was opened is what it is compared with from
 *	  then on.  Going to another sandbox, and having forgotten a directory
 *	  for want of room (LIMIT_TUI_TREE_DIRS), begin anew.
 *	- An entry is NEW when it was not in that.  Of a directory that is new
 *	  itself, or was no directory then, all entries are NEW.
 *	- A file is CHANGED when its size or its time of change (milliseconds)
 *	  isn't what it was in that; and what was a directory and is none now,
 *	  or the reverse.
 *	- Where the first listing was cut short, nothing can be said to be new.
 *	- A directory is CHANGED when it is closed and holds, as far as it and
 *	  those in it were listed, something that is NEW or CHANGED and would
 *	  be shown.
 */
#ifndef SVM_TUI_FILES_TREE_H
#define SVM_TUI_FILES_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/err.h"
#include "lib/base/json.h"
#include "tui/order.h"

struct files;
struct model;

enum file_change { FILE_SAME, FILE_NEW, FILE_CHANGED };

/* A line of the list. */
struct file_row {
	const cJSON *e;        /* FileInfo */
	enum file_change change;
	unsigned depth;
	struct files_dir *dir; /* of a directory that was looked into, or NULL */
};

/* What a name was when its directory was listed first. */
struct file_seen {
	char *name, *changed;
	double size;
	bool dir;
};

struct files_dir {
	char *path;
	bool open;           /* what is in it is shown, if it can be seen */
	bool asked;          /* for what is in it */
	bool again, loud;    /* and again when that is answered; not quietly */
	bool cut;            /* there is more in it */
	enum svm_code error; /* of the last answer; SVM_OK */
	unsigned used;       /* when; tree->serial */
	cJSON *entries;      /* NULL before they came */
	struct file_row *rows; /* the same, in the order of this: */
	size_t n;
	unsigned by;
	bool sorted, invert;
	bool present;        /* while the listing of its parent is looked at */
	bool changed, changed_hidden; /* an entry did, or a hidden one */
	struct file_seen *seen; /* by name */
	size_t n_seen;
	bool first, whole;   /* there was a first listing; not cut short */
};

struct files_tree {
	struct files_dir **dirs; /* by path */
	size_t n;
	unsigned serial;
};

void files_tree_clear(struct files_tree *t);

struct files_dir *files_tree_find(const struct files_tree *t,
				  const char *path);
/* The directory at this path, made if need be; NULL when there are too many
 * that can be seen. */
struct files_dir *files_tree_get(struct files *f, const char *path);

/* The path of an entry is its name in the directory it came with; such a
 * directory, if it was looked into. */
bool files_tree_is_in(const struct files_dir *d, const cJSON *e);
struct files_dir *files_tree_at(const struct files_tree *t,
				const struct files_dir *d, const cJSON *e);

/* What is known of a path: listed in the directory where it would be; not
 * there, with all of it or with a directory above; or nothing. */
enum files_known { FILES_UNKNOWN, FILES_THERE, FILES_GONE };
enum files_known files_tree_knows(const struct files_tree *t,
				  const char *path);

/* Ask what is in it; quietly, when nobody asked for that. */
void files_tree_ask(struct model *m, struct files *f, struct files_dir *d,
		    bool quiet);
/* All that can be seen of the tree again. */
void files_tree_refresh(struct model *m, struct files *f, bool quiet);

/* A closed directory holds what is new or changed, hidden or not. */
bool files_tree_changed(const struct files_tree *t,
			const struct files_dir *d, bool hidden);

/* files-change.c: compare its rows with the first listing, which this is when
 * there was none; `anew`: there was no such directory then. */
void files_dir_compare(struct files_dir *d, bool anew);
/* Its name was there, as a directory, or that can't be told. */
bool files_dir_knew(const struct files_dir *parent, const char *name);
void files_dir_forget_seen(struct files_dir *d);

#endif
