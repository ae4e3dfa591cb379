/* SPDX-License-Identifier: MIT */
/*
 * A layer's bytes on their way: from an entry of the archive, or a file, by
 * decompression to a tar, with the digests of both taken.
 */
#include <errno.h>

#include "daemon/image/reader.h"
#include "daemon/image/unpack.h"
#include "lib/base/digest.h"

struct stream {
	const struct layer_source *from;
	struct unpack_budget *budget;
	struct archive *raw;
	int64_t at;            /* next offset expected of the entry */
	struct digest_stream blob, diff;
	uint64_t in, out;
	struct svm_err err;    /* what stopped us, when it was not libarchive */
};

static la_ssize_t read_blob(struct archive *a, void *data, const void **p)
{
	struct stream *s = data;
	int64_t off;
	size_t n = 0;

	if (!s->from->entry) {
		la_ssize_t got = reader_file_read(a, s->from->file, p);

		s->in += got > 0 ? (uint64_t)got : 0;
		digest_update(&s->blob, *p, got > 0 ? (size_t)got : 0);
		return got;
	}
	int r = la.archive_read_data_block(s->from->entry, p, &n, &off);
	if (r == ARCHIVE_EOF)
		return 0;
	if (r != ARCHIVE_OK || off != s->at) {
		const char *why = la.archive_error_string(s->from->entry);

		la.archive_set_error(a, EINVAL, "%s", r == ARCHIVE_OK || !why ?
				     "a layer must not be sparse" : why);
		return -1;
	}
	s->at += (int64_t)n;
	s->in += n;
	digest_update(&s->blob, *p, n);
	/* An empty block is not the end. */
	return n ? (la_ssize_t)n : read_blob(a, data, p);
}

static la_ssize_t read_tar(struct archive *a, void *data, const void **p)
{
	struct stream *s = data;
	int64_t off;
	size_t n = 0;
	int r = la.archive_read_data_block(s->raw, p, &n, &off);

	if (r == ARCHIVE_EOF)
		return 0;
	if (r != ARCHIVE_OK || off != (int64_t)s->out) {
		const char *why = la.archive_error_string(s->raw);

		la.archive_set_error(a, EINVAL, "%s", why ? why : "damaged");
		return -1;
	}
	s->out += n;
	digest_update(&s->diff, *p, n);
	if (s->err.code ||
	    unpack_budget_expand(s->budget, s->budget->in + s->in,
				 s->budget->out + s->out, &s->err) < 0) {
		la.archive_set_error(a, EFBIG, "too large");
		return -1;
	}
	s->from->progress(s->from->data, s->budget->out + s->out);
	return n ? (la_ssize_t)n : read_tar(a, data, p);
}

/* The digests are of everything, also of what a tar reader has no use for. */
static int drain(struct stream *s, struct archive *tar, struct svm_err *err)
{
	const void *p;
	la_ssize_t n;

	while ((n = read_tar(tar, s, &p)) > 0)
		;
	while (n == 0 && (n = read_blob(s->raw, s, &p)) > 0)
		n = 0;
	if (n < 0)
		return svm_err_set(err, SVM_BAD_REQUEST, "%s",
				   la.archive_error_string(tar));
	return 0;
}

static int check_digests(struct stream *s, struct plan_layer *l,
			 struct svm_err *err)
{
	struct digest blob, diff;
	char want[DIGEST_TEXT + 1], have[DIGEST_TEXT + 1];
	const struct digest *bad = NULL;

	digest_finish(&s->blob, &blob);
	digest_finish(&s->diff, &diff);
	if (l->has_blob && !digest_equal(&blob, &l->blob)) {
		digest_format(&l->blob, want);
		digest_format(bad = &blob, have);
	} else if (l->has_diff && !digest_equal(&diff, &l->diff)) {
		digest_format(&l->diff, want);
		digest_format(bad = &diff, have);
	}
	if (bad)
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "it has the digest %s, it should be %s",
				   have, want);
	l->diff = diff;
	l->has_diff = true;
	return 0;
}

/* tar reads what raw decompressed, raw reads the source. */
static int unpack(struct stream *s, struct archive *tar, int dir,
		  unsigned flags, struct svm_err *err)
{
	struct archive_entry *e;

	if (la.archive_read_open(s->raw, s, NULL, read_blob, NULL) !=
	    ARCHIVE_OK)
		return reader_error(s->raw, err);
	int r = la.archive_read_next_header(s->raw, &e);
	if (r != ARCHIVE_OK && r != ARCHIVE_EOF)
		return reader_error(s->raw, err);
	if (reader_check_filters(s->raw, err) < 0)
		return -1;
	if (la.archive_read_open(tar, s, NULL, read_tar, NULL) != ARCHIVE_OK)
		return reader_error(tar, err);
	if (layer_unpack(tar, dir, flags, s->budget, err) < 0)
		return -1;
	return drain(s, tar, err);
}

int layer_stream(const struct layer_source *from, int dir, unsigned flags,
		 struct unpack_budget *budget, struct plan_layer *l,
		 struct svm_err *err)
{
	struct stream s = { .from = from, .budget = budget };
	auto_reader struct archive *raw =
		reader_new(READER_FILTERS | READER_RAW, err);
	auto_reader struct archive *tar = raw ? reader_new(0, err) : NULL;

	if (!tar)
		return -1;
	s.raw = raw;
	digest_start(&s.blob);
	digest_start(&s.diff);
	int r = unpack(&s, tar, dir, flags, err);
	if (s.err.code) { /* the cause of what libarchive complained about */
		svm_err_release(err);
		return svm_err_move(err, &s.err);
	}
	if (r < 0 || check_digests(&s, l, err) < 0)
		return -1;
	budget->in += s.in;
	budget->out += s.out;
	return 0;
}
