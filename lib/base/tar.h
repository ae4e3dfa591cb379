/* SPDX-License-Identifier: MIT */
/*
 * Tar archives as bytes: ustar headers with pax records where ustar is too
 * small.  Reads what other tools write (ustar, pax, GNU long names and
 * sizes).  No files are touched here: who unpacks must treat every path as
 * hostile.
 */
#ifndef SVM_BASE_TAR_H
#define SVM_BASE_TAR_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/base/buf.h"

#define TAR_BLOCK 512
#define TAR_META_MAX (64 * 1024) /* of one pax header or long name */

enum tar_type {
	TAR_FILE = '0',
	TAR_HARDLINK = '1',
	TAR_SYMLINK = '2',
	TAR_CHAR = '3',
	TAR_BLOCK_DEVICE = '4',
	TAR_DIR = '5',
	TAR_FIFO = '6',
};

struct tar_entry {
	enum tar_type type; /* others are skipped by the reader */
	mode_t mode;        /* permission bits, with setuid and the like */
	uint64_t size;      /* of the data that follows; 0 but for files */
	int64_t mtime;      /* seconds */
	uint32_t uid, gid;
	const char *path;   /* as in the archive */
	const char *link;   /* target, or NULL */
};

/* Append the header (and a pax one before it when needed). */
void tar_add_header(struct buf *out, const struct tar_entry *e);

/* Zeroes that must follow size bytes of data. */
size_t tar_padding(uint64_t size);

/* The end of an archive. */
void tar_add_end(struct buf *out);

/* Push parser: give it bytes as they come.  Zero it to begin. */
struct tar_reader {
	struct tar_entry entry; /* current; strings live until the next one */
	const char *why;        /* after TAR_BAD */
	int state;
	uint64_t left, pad;
	char meta_type;
	struct buf block, meta; /* being collected */
	struct buf path, link;  /* of the current entry */
	struct buf next_path, next_link; /* from a pax or long-name header */
	int64_t next_size, next_mtime;   /* plus one; 0: none */
	int zeroes;
};

enum tar_event {
	TAR_BAD = -1,
	TAR_MORE,  /* everything was consumed */
	TAR_ENTRY, /* a new entry in ->entry */
	TAR_DATA,  /* *ret_len > 0 bytes of the current file at *ret_data */
	TAR_DONE,  /* the current entry is complete */
	TAR_END,   /* the archive is; what follows is padding */
};

enum tar_event tar_next(struct tar_reader *t, const char **p, size_t *n,
			const char **ret_data, size_t *ret_len);
void tar_reader_release(struct tar_reader *t);

#endif
