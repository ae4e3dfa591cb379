/* SPDX-License-Identifier: MIT */
/*
 * A tar archive read as it comes, in pieces of any size, on top of ustar.h.
 * No files are touched here: who unpacks must treat every path as hostile.
 */
#ifndef SVM_BASE_TAR_H
#define SVM_BASE_TAR_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/ustar.h"

/* Zero it to begin. */
struct tar_reader {
	struct ustar_entry entry; /* the current one; borrowed until the next */
	const char *why;          /* after TAR_BAD */

	struct ustar_reader headers;
	enum { TAR_IN_HEADER, TAR_IN_EXTRA, TAR_IN_DATA, TAR_IN_PADDING,
	       TAR_AT_END } state;
	uint64_t left; /* of the data or padding */
	struct buf held; /* a header or an extra one, being collected */
};

enum tar_event {
	TAR_BAD = -1,
	TAR_MORE,  /* everything was consumed */
	TAR_ENTRY, /* a new entry in ->entry */
	TAR_DATA,  /* *ret_len > 0 bytes of the current entry at *ret_data */
	TAR_DONE,  /* the current entry is complete */
	TAR_END,   /* the archive is; what follows is padding */
};

enum tar_event tar_next(struct tar_reader *t, const char **p, size_t *n,
			const char **ret_data, size_t *ret_len);
void tar_reader_release(struct tar_reader *t);

#endif
