/* SPDX-License-Identifier: MIT */
/*
 * Building a root, in the clone:
 *
 *	rootfs.c      the order of things, directories, /dev
 *	rootfs-etc.c  /etc
 *	rootfs-proc.c /proc
 *	layers.c      an image; in root mode this runs in the launcher, as an
 *	              overlay over an idmapped lower must be mounted in the
 *	              initial user namespace
 *
 * What takes a struct child ends in child_fail() where it fails.
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

/* Change to a directory of the new root; what is mounted there counts. */
void rootfs_enter(const struct child *c, int root, const char *path);

/* A read-only view of a host directory or file, attached at dir/name, which
 * exists.  -errno. */
int rootfs_bind_read_only(const char *host, int dir, const char *name);

/* The names of the box in /etc, of an image too. */
void rootfs_name(const struct child *c, int root);

/* All of /etc, for a root without layers. */
void rootfs_fill_etc(const struct child *c, int root);

/* Write a file of /etc; what was there is replaced. */
void rootfs_write(const struct child *c, int etc, const char *name,
		  const char *text);

/* Where all ids are one, the user's, only a mount keeps /etc as we made it;
 * elsewhere its owner does.  What is bound inside goes along. */
void rootfs_protect_etc(const struct child *c, int root);

/* Make ROOTFS_HIDE: an empty file and directory that cover others.  Beside the
 * new root, where nobody inside can reach them, on a read-only mount. */
void rootfs_make_hide(const struct child *c);

/* Mount /proc, limit what this namespace may have, cover the rest. */
void rootfs_mount_proc(const struct child *c, int root);

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
