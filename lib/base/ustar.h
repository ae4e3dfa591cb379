/* SPDX-License-Identifier: MIT */
/*
 * Tar archives, header by header: POSIX ustar with pax and GNU long names, as
 * far as files, directories and symbolic links need it.  Pure: bytes in, bytes
 * out, made for archives of strangers.
 */
#ifndef SVM_BASE_USTAR_H
#define SVM_BASE_USTAR_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"

#define USTAR_BLOCK 512
#define USTAR_EXTRA_MAX 65536 /* of one extended header */

enum ustar_type {
	USTAR_FILE = '0',
	USTAR_HARD_LINK = '1',
	USTAR_SYMLINK = '2',
	USTAR_DIR = '5',
};

struct ustar_entry {
	char *path;   /* as it is written there: check it */
	char *target; /* of a link, else "" */
	uint64_t size;
	uint32_t mode; /* permission bits only */
	int64_t mtime; /* seconds */
	char type;     /* enum ustar_type, or whatever it says */
};

/* A header, after a pax one when a field does not fit.  The data follows, up
 * to a whole block (ustar_padding). */
void ustar_add_header(struct buf *out, const struct ustar_entry *e);
void ustar_add_end(struct buf *out);

static inline size_t ustar_padding(uint64_t size)
{
	return (size_t)(-size & (USTAR_BLOCK - 1));
}

/* Reading.  Feed blocks until one is an entry. */
struct ustar_reader {
	struct buf path, target; /* from extended headers, for the next */
	uint64_t size;
	int64_t mtime;
	unsigned have; /* which of them count */
	unsigned zeros;
};

enum ustar_kind {
	USTAR_NOTHING, /* a zero block: go on */
	USTAR_ENTRY,   /* *ret is filled; its data follows */
	USTAR_EXTRA,   /* ret->size bytes, padded, go to ustar_read_extra */
	USTAR_END,
};

/* One block.  enum ustar_kind, or -EPROTO.  The strings in *ret are borrowed
 * from the reader until its next call. */
int ustar_read(struct ustar_reader *r, const unsigned char block[USTAR_BLOCK],
	       struct ustar_entry *ret);

/* The data of an extended header of type e->type.  0 or -EPROTO. */
int ustar_read_extra(struct ustar_reader *r, const struct ustar_entry *e,
		     const char *p, size_t n);
void ustar_release(struct ustar_reader *r);

#endif
