/* SPDX-License-Identifier: MIT */
/*
 * The unpack worker's own parts.  It is a process of its own, closed in
 * before it reads the first hostile byte:
 *
 *	unpack.c          the program: spool, look, unpack, report
 *	unpack-confine.c  what it can't do any more
 *	unpack-look.c     the archive -> its JSON
 *	plan.c            JSON of the archive (plan-docs.c) -> which layers
 *	image-config.c    an image's own settings
 *	layer-stream.c    an entry of the archive -> one layer's tar stream
 *	layer.c           one layer's tar stream -> one directory
 *
 * It reads the archive on fd 0 and reports (report.h):
 *	{"type":"progress","stage":"receive"|"unpack","layer","layers","bytes"}
 *	{"type":"layer","index","diff_id","present","size"}
 *	{"type":"image","ref","digest","config":{...},"layers":n}   the last
 *	{"type":"error","code","message","remediation"}             or this
 * Layer i is in TARGET/i unless it was present already.
 */
#ifndef SVM_DAEMON_IMAGE_UNPACK_H
#define SVM_DAEMON_IMAGE_UNPACK_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/image/plan.h"
#include "lib/base/digest.h"
#include "lib/base/err.h"

struct archive;
struct reader_file;

/* What one archive may use up; shared by all of its layers. */
struct unpack_budget {
	uint64_t max_bytes;   /* written, or decompressed: each */
	uint64_t max_entries;
	uint64_t bytes, entries; /* so far */
	uint64_t in, out;        /* of decompression */
	uint64_t ratio_floor;    /* out, before the ratio counts */
};

/* Decompression went from `in` to `out` bytes so far in this stage.
 * TOO_LARGE over the limit or past LIMIT_IMAGE_RATIO. */
int unpack_budget_expand(const struct unpack_budget *b, uint64_t in,
			 uint64_t out, struct svm_err *err);

#define LAYER_OWNER_MAX 65535

enum layer_flags {
	LAYER_CHOWN = 1u << 0,   /* keep the owners 0..LAYER_OWNER_MAX */
	LAYER_TRUSTED = 1u << 1, /* may set trusted.overlay.opaque */
};

/* Unpack a layer into the empty directory rootfd.  `tar` is an opened
 * archive of libarchive; next_header has not been called yet.
 *
 * Whiteouts become 0/0 character devices, opaque directories get
 * user.overlay.opaque (and trusted. if allowed).  Everything else that is
 * special is made harmless: devices are skipped, setuid, setgid, extended
 * attributes and ACLs dropped.  Nothing outside rootfd is ever touched: a
 * parent that is a link is refused, as are ".." and links that leave.
 * Directories get the time of unpacking. */
int layer_unpack(struct archive *tar, int rootfd, unsigned flags,
		 struct unpack_budget *budget, struct svm_err *err);

/* Where a layer's bytes come from: the current entry of an archive, or, when
 * that is NULL, a file from where it stands. */
struct layer_source {
	struct archive *entry;
	struct reader_file *file;
	void (*progress)(void *data, uint64_t bytes); /* of all layers */
	void *data;
};

/* Decompress and layer_unpack().  BAD_REQUEST when the digests are not those
 * l names; l->diff is set. */
int layer_stream(const struct layer_source *from, int rootfd, unsigned flags,
		 struct unpack_budget *budget, struct plan_layer *l,
		 struct svm_err *err);

/* Keep the documents of an archive, or those below a manifest among blobs,
 * for plan_make(). */
int unpack_look(struct reader_file *f, const struct unpack_budget *b,
		struct plan_docs *docs, struct svm_err *err);
int unpack_look_blobs(int blobs, const struct digest *manifest,
		      struct plan_docs *docs, struct svm_err *err);

/* The fd of a blob: "sha256-HEX" in the directory. */
int unpack_open_blob(int blobs, const struct digest *d, struct svm_err *err);

/* Give up everything but reading fds, reading files below blobs (-1: none)
 * and changing what is below dirfd.  *ret_flags says which enum layer_flags
 * still work. */
int unpack_confine(int dirfd, int blobs, uint64_t max_file, unsigned *ret_flags,
		   struct svm_err *err);

#endif
