/* SPDX-License-Identifier: MIT */
/*
 * Names shared by the two halves of building a root: rootfs.c, in the clone,
 * and layers.c, which in root mode runs in the launcher (an overlay over an
 * idmapped lower must be mounted in the initial user namespace).
 */
#ifndef SVM_PROVIDERS_NATIVE_ROOTFS_H
#define SVM_PROVIDERS_NATIVE_ROOTFS_H

#include "providers/native/child.h"

/* Where the box's tmpfs is mounted before the root changes; any directory
 * that every host has and no source of a bind lies below. */
#define ROOTFS_SCRATCH "/tmp"
#define ROOTFS_HIDE ROOTFS_SCRATCH "/.hide"
#define ROOTFS_MERGED ROOTFS_SCRATCH "/root"

/* Open below the new root: links of an image lead nowhere else.  -errno. */
int rootfs_open(int root, const char *path, uint64_t flags);

/* Write a file of a directory of the new root; what was there is replaced. */
void rootfs_write(const struct child *c, int dir, const char *name,
		  const char *text);

/* The options of the tmpfs that holds everything a box can write. */
void rootfs_tmpfs_options(const struct launch_request *q, char out[96]);

/* Root mode, in the launcher: a detached tree with the box's tmpfs and, below
 * it, the overlay over the layers with ids shifted by the maps of userns.  The
 * fd, or -errno with the step named. */
int layers_tree(const struct launch_request *q, int userns, char step[80]);

/* Rootless, in the clone.  Open the layers while we still are the user who
 * owns them; later mount them below the scratch tmpfs. */
void layers_open(const struct child *c, int *fds, unsigned *ret_n);
void layers_mount(const struct child *c, const int *fds, unsigned n);

/* In the clone: names, the user, a private /dev.  Returns a detached tree for
 * /dev/shm. */
int layers_fill(const struct child *c, int root);

/* -errno when a rootless overlay can't have its upper on a tmpfs here: up to
 * Linux 6.5 tmpfs has no user xattrs, the mount works and rmdir of a lower
 * directory is EIO.  Tries a throw-away one in a child. */
int layers_probe_tmpfs_upper(void);

#endif
