/* SPDX-License-Identifier: MIT */
/*
 * Where a file that the user named is written.
 *
 * A name that is a link stands for what it leads to, as with cp(1): the link
 * stays, and the file behind it is replaced, or made where none is.  What is
 * no file, a device, a pipe or a socket, is written to or refused, but never
 * replaced, be it behind a link or not.  A link of procfs, where /dev/stdout
 * and /dev/fd/3 lead, is an open file rather than a name, and counts as a
 * device.
 *
 * A file is written beside the one it replaces and takes its place when it is
 * whole.
 *
 * Nobody else decides what is overwritten: of the links that the name itself
 * is, only ours and root's are followed, whether or not the kernel sees to
 * that too (fs.protected_symlinks).  Each is read through the descriptor that
 * told whose it is, and the directory at the end stays open, so exchanging a
 * link on the way leads nowhere else.  Ours may have come with a tree that
 * was copied from somebody: one that leads out of its directory is told of.
 */
#ifndef SVM_BASE_PLACE_H
#define SVM_BASE_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "lib/base/defs.h"

enum place_kind {
	PLACE_NEW, /* nothing is there */
	PLACE_FILE,
	PLACE_DIRECTORY,
	PLACE_STREAM, /* a device, a pipe, a socket, an open file */
	PLACE_FOREIGN, /* a link of somebody else's */
};

struct place {
	enum place_kind kind;
	bool linked; /* the name is a link */
	/* It leads elsewhere than below the directory it stands in, and not to
	 * an open file of this process. */
	bool outside;
	char *path; /* where it led, to be shown */
	struct stat st; /* of what is there */
	mode_t mode; /* permissions that a file there keeps */

	int dir, part_fd;
	const char *name; /* in dir, the end of path */
	bool magic;
	char *part;
};

#define PLACE_INIT { .dir = -1, .part_fd = -1 }
#define auto_place CLEANUP(place_release)

/* What is there?  -errno, as when its directory isn't.  Nothing is waited
 * for. */
int place_find(const char *name, struct place *ret);

/* Removes a part that hasn't taken its place. */
void place_release(struct place *p);

/* What can't be replaced, for "it is ...": "a directory", "no file",
 * "somebody else's link"; NULL when a file is or can be there. */
const char *place_kept_as(const struct place *p);

/* The same device or file as standard output, which is then meant. */
bool place_is_output(const char *name);

/* PLACE_STREAM, for writing.  -ENXIO for a pipe that nobody reads; an open
 * file is written behind its end. */
int place_open(const struct place *p);

/* PLACE_NEW and PLACE_FILE.  The part's descriptor, which stays p's; a new
 * file has what the umask leaves of the mode. */
int place_begin(struct place *p, mode_t mode);
/* What was written takes its place; -EEXIST when something that is no file
 * has come there meanwhile. */
int place_end(struct place *p);

/* All at once, to the disk, and no signal comes in between.  A file of the
 * user's own keeps its permissions, never set-user-id and the like; a new one,
 * and what takes the place of somebody else's, is 0600.  -EEXIST when what is
 * there can't be replaced. */
int place_put(struct place *p, const void *data, size_t n);
int place_replace(const char *name, const void *data, size_t n);

#endif
