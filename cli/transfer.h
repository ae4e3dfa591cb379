/* SPDX-License-Identifier: MIT */
/* Files and trees to and from a sandbox; cp and files stand on it. */
#ifndef SVM_CLI_TRANSFER_H
#define SVM_CLI_TRANSFER_H

#include <stdint.h>
#include <sys/types.h>

#include "cli/cmd.h"
#include "lib/base/buf.h"

struct progress;

/* "/api/v1/sandboxes/ID/files" + suffix + "?path=PATH".  Owned. */
char *files_target(const char *id, const char *suffix, const char *path);

/* Is the path in the sandbox a directory?  1, 0, -1 with err.  Its permissions
 * too, if it is there and they are wanted. */
int files_is_dir(struct cli *cli, const char *id, const char *path,
		 mode_t *ret_mode, struct svm_err *err);

/* Upload from fd to a file in the sandbox.  size -1: unknown (a pipe). */
int transfer_put(struct cli *cli, const char *id, const char *path, int fd,
		 int64_t size, const char *mode, struct progress *p,
		 struct svm_err *err);

/* Download a file to fd, called `to` in errors (NULL: standard output). */
int transfer_get(struct cli *cli, const char *id, const char *path, int fd,
		 const char *to, struct progress *p, struct svm_err *err);

/* A file as text on standard output, for a terminal: control characters are
 * shown, not sent; by the pager when there is one. */
int transfer_show(struct cli *cli, const char *id, const char *path,
		  struct svm_err *err);

/* The tree below dir, into a directory of the sandbox that is made. */
int transfer_put_tree(struct cli *cli, const char *id, const char *path,
		      const char *dir, struct progress *p,
		      struct svm_err *err);

/* A directory of the sandbox into one of ours that is made. */
int transfer_get_tree(struct cli *cli, const char *id, const char *path,
		      const char *dir, struct progress *p,
		      struct svm_err *err);

/* The tree below dir as the body of any request; the reply is appended. */
int transfer_send_tree(struct cli *cli, const char *method,
		       const char *target, const char *dir,
		       struct progress *p, struct buf *reply,
		       struct svm_err *err);

/* The bytes of fd as the body of any request. */
int transfer_send_fd(struct cli *cli, const char *method, const char *target,
		     int fd, int64_t size, struct progress *p,
		     struct buf *reply, struct svm_err *err);

/* Of a regular file, else -1. */
int64_t fd_regular_size(int fd);

#endif
