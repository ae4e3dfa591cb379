/* SPDX-License-Identifier: MIT */
/*
 * Readers of libarchive, as the unpack worker stands them on each other, and
 * what an archive may cost.
 */
#ifndef SVM_DAEMON_IMAGE_READER_H
#define SVM_DAEMON_IMAGE_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/image/libarchive.h"
#include "lib/api/limits.h"
#include "lib/base/defs.h"
#include "lib/base/err.h"

enum reader_flags {
	READER_FILTERS = 1u << 0, /* decompress gzip, xz, zstd */
	READER_RAW = 1u << 1,     /* one entry: the bytes; else a tar */
};

/* Freed by reader_free().  INTERNAL without memory. */
struct archive *reader_new(unsigned flags, struct svm_err *err);
void reader_free(struct archive *a);
static inline void reader_freep(struct archive **a)
{
	reader_free(*a);
}
#define auto_reader CLEANUP(reader_freep)

/* What libarchive complained about, with what we take as the hint.  -1. */
int reader_error(struct archive *a, struct svm_err *err);

/* One layer of compression is what people make; ten are a bomb. */
int reader_check_filters(struct archive *a, struct svm_err *err);

/* A file that is read through a reader: fd is borrowed. */
#define READER_BLOCK KIB(64)
struct reader_file {
	int fd;
	char block[READER_BLOCK];
};

/* Bytes from where fd stands; the type libarchive calls back. */
la_ssize_t reader_file_read(struct archive *a, void *file, const void **p);

/* A tar, plain or compressed, from the beginning of a file, which must live as
 * long. */
int reader_open_tar(struct reader_file *f, struct archive **ret,
		    struct svm_err *err);

#endif
