/* SPDX-License-Identifier: MIT */
/*
 * A walk through a tree, depth first, that follows no link and keeps one
 * descriptor for each level it is in.
 */
#ifndef SVM_AGENT_WALK_H
#define SVM_AGENT_WALK_H

#include <dirent.h>
#include <sys/stat.h>

#include "lib/base/buf.h"

struct walk_level {
	DIR *dir;
	size_t path_len; /* of the directory's own path */
};

struct walk {
	struct walk_level *levels;
	size_t depth, cap;
	struct buf path;  /* of the entry, relative to where it began */
	const char *name; /* its last component, in path */
	struct stat st;
};

/* Takes fd, a directory opened for reading.  0 or -errno. */
int walk_begin(struct walk *w, int fd);

/* The next entry: its name is in w->path, its kind in w->st.  1, 0 at the
 * end, or -errno when the entry can't be looked at, or the rest of a directory
 * not be listed: w->path is its name ("" where the walk began), and the walk
 * can go on behind it.  Entries that vanish are left out. */
int walk_next(struct walk *w);

/* Go into the entry, a directory, before the next one.  0 or -errno; -ELOOP
 * past LIMIT_TREE_DEPTH. */
int walk_enter(struct walk *w);

/* The directory that the entry is in. */
int walk_dir(const struct walk *w);
void walk_end(struct walk *w);

#define auto_walk CLEANUP(walk_end)

#endif
