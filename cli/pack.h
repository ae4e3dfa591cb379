/* SPDX-License-Identifier: MIT */
/* Directories to tar and back, on this machine. */
#ifndef SVM_CLI_PACK_H
#define SVM_CLI_PACK_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/err.h"
#include "lib/base/tar.h"

/* Takes the archive's bytes; 0, 1 to stop early without an error, -1. */
typedef int (*pack_sink)(void *data, const void *p, size_t n,
			 struct svm_err *err);

/* Write the tree below `dir` (itself as "."): files, directories, links;
 * sockets, fifos and devices are left out and counted.  Links are never
 * followed, but `dir` may be one.  Owners are not told. */
int pack_tree(const char *dir, pack_sink sink, void *data,
	      unsigned *ret_skipped, struct svm_err *err);

/*
 * Unpack a hostile archive into a directory: nothing outside of it is touched
 * whatever names and links it holds, setuid bits and owners are dropped,
 * devices and fifos are left out.
 */
struct unpack {
	int dirfd;           /* borrowed */
	const char *strip;   /* leading component that is taken off, or NULL */
	struct tar_reader tar;
	int fd;              /* of the file being written */
	bool ended;
	unsigned skipped;    /* entries that were left out */
};

void unpack_init(struct unpack *u, int dirfd, const char *strip);
int unpack_feed(struct unpack *u, const char *p, size_t n,
		struct svm_err *err);
/* The archive is over: was it whole? */
int unpack_end(struct unpack *u, struct svm_err *err);
void unpack_release(struct unpack *u);

#endif
