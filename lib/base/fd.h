/* SPDX-License-Identifier: MIT */
/*
 * File descriptors: ownership, whole reads and writes, passing over sockets.
 * All functions return a value >= 0 or -errno and retry EINTR.
 */
#ifndef SVM_BASE_FD_H
#define SVM_BASE_FD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "lib/base/buf.h"
#include "lib/base/defs.h"

#define auto_close CLEANUP(fd_close_cleanup)

void fd_close(int fd); /* ignores -1; keeps errno */
void fd_close_cleanup(int *fd);

int fd_set_nonblock(int fd, bool on);
int fd_set_cloexec(int fd, bool on);

/* Write all n bytes to a blocking fd. */
int fd_write_full(int fd, const void *data, size_t n);

/* The same to a new regular file, where blocks of zeros become holes; its size
 * is right when fd_end_holes() was called behind the last of them. */
int fd_write_holes(int fd, const void *data, size_t n);
int fd_end_holes(int fd);

/* Read up to n bytes until end of file; returns how many. */
ssize_t fd_read_full(int fd, void *data, size_t n);

/* Append the whole file to b; -EFBIG past max bytes. */
int fd_slurp(int fd, size_t max, struct buf *b);
int fd_slurp_path(int dirfd, const char *path, size_t max, struct buf *b);
/* Of a file of ours: -EINVAL when it is not a regular file (a pipe might never
 * be opened), -EPERM when somebody other than us and root owns it, or all may
 * write it. */
int fd_slurp_file(int dirfd, const char *path, size_t max, struct buf *b);

/* Write text to an existing file (procfs, cgroupfs): one write, no create. */
int fd_write_path(int dirfd, const char *path, const char *text);

/* The name of a temporary in the same directory: random, hidden, and short
 * however long the other is.  Owned; open it O_EXCL. */
char *fd_temp_beside(const char *path);

/* Replace a file atomically: temporary in the same directory, fsync,
 * rename.  Signals wait until it is done.  A link is replaced as well: for a
 * file that the user named, see place.h. */
int fd_replace_path(int dirfd, const char *path, const void *data, size_t n,
		    mode_t mode);

/* One message with up to FD_PASS_MAX descriptors.  recv: *ret_nfds is in/out
 * (room / received); received fds are CLOEXEC and owned by the caller; a
 * message with more bytes (SEQPACKET) or descriptors than there is room for
 * is -EMSGSIZE with all of them closed.  Returns bytes, 0 at end of file. */
#define FD_PASS_MAX 16
ssize_t fd_send_msg(int sock, const void *data, size_t n, const int *fds,
		    size_t nfds);
ssize_t fd_recv_msg(int sock, void *data, size_t n, int *ret_fds,
		    size_t *ret_nfds);

/* First lines of every main: fds 0-2 exist.  One that was closed is /dev/null,
 * opened so that what is written to a closed standard output fails instead of
 * being lost. */
int fd_sanitise_std(void);

/* close_range(first, ~0), or the loop where the kernel has none. */
void fd_close_from(int first);

/* Connect to / bind a unix socket of any path length: sun_path holds 108
 * bytes, so the parent directory is reached as /proc/self/fd/N/name. type is
 * SOCK_STREAM or SOCK_SEQPACKET, | SOCK_NONBLOCK if wanted. CLOEXEC. */
int fd_unix_connect(int dirfd, const char *name, int type);
int fd_unix_listen(int dirfd, const char *name, int type, int backlog);

#endif
