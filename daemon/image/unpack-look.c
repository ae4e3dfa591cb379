/* SPDX-License-Identifier: MIT */
/*
 * The first pass over an archive, or over the blobs of a pull: keep the small
 * documents that the plan is made of.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/image/internal.h"
#include "daemon/image/reader.h"
#include "daemon/image/unpack.h"
#include "lib/api/limits.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"

static int keep_doc(struct plan_docs *docs, struct archive *a,
		    struct archive_entry *e, const char *name,
		    struct svm_err *err)
{
	int64_t size = la.archive_entry_size(e), off;
	const char *link = la.archive_entry_symlink(e);
	auto_free char *dir = xstrdup(name);
	char *slash = strrchr(dir, '/');
	const void *p;
	size_t n;
	int r;

	if (slash)
		*slash = '\0';
	if (!link && (link = la.archive_entry_hardlink(e)))
		slash = NULL; /* hard links count from the top */
	if (link) {
		char *to = plan_clean_name(slash ? dir : NULL, link);

		return to ? plan_docs_add(docs, name, to, NULL, 0, err) : 0;
	}
	if (la.archive_entry_filetype(e) != AE_IFREG || size <= 0 ||
	    size > LIMIT_IMAGE_JSON)
		return 0;
	auto_buf struct buf text = BUF_INIT;
	while ((r = la.archive_read_data_block(a, &p, &n, &off)) ==
	       ARCHIVE_OK) {
		/* Not JSON (or sparse): a small layer.  Skip it. */
		if ((!text.len && n && *(const char *)p != '{' &&
		     *(const char *)p != '[' && *(const char *)p != ' ' &&
		     *(const char *)p != '\n') ||
		    off != (int64_t)text.len || text.len + n > (size_t)size)
			return 0;
		buf_add(&text, p, n);
	}
	if (r != ARCHIVE_EOF)
		return reader_error(a, err);
	size_t len = text.len;
	return plan_docs_add(docs, name, NULL, buf_steal(&text), len, err);
}

/* How far decompression of the archive itself has got. */
static int check_expansion(const struct unpack_budget *b, struct archive *a,
			   struct svm_err *err)
{
	return unpack_budget_expand(b, (uint64_t)la.archive_filter_bytes(a, -1),
				    (uint64_t)la.archive_filter_bytes(a, 0),
				    err);
}

static int look_at(const struct unpack_budget *b, struct archive *a,
		   struct archive_entry *e, struct plan_docs *docs,
		   struct svm_err *err)
{
	const char *raw = la.archive_entry_pathname(e);
	auto_free char *name = raw ? plan_clean_name(NULL, raw) : NULL;

	if (reader_check_filters(a, err) < 0 || check_expansion(b, a, err) < 0)
		return -1;
	if (la.archive_entry_size(e) > 0 &&
	    (uint64_t)la.archive_entry_size(e) > b->max_bytes)
		return svm_err_set(err, SVM_TOO_LARGE,
				   "entry '%.200s' is larger than %" PRIu64
				   " bytes", raw ? raw : "",
				   b->max_bytes);
	if (name && plan_docs_wants(name))
		return keep_doc(docs, a, e, name, err);
	return 0;
}

int unpack_look(struct reader_file *f, const struct unpack_budget *b,
		struct plan_docs *docs, struct svm_err *err)
{
	auto_reader struct archive *a = NULL;
	struct archive_entry *e;
	uint64_t entries = 0;
	int r;

	if (reader_open_tar(f, &a, err) < 0)
		return -1;
	while ((r = la.archive_read_next_header(a, &e)) == ARCHIVE_OK ||
	       r == ARCHIVE_WARN) {
		if (++entries > b->max_entries)
			return svm_err_set(err, SVM_TOO_LARGE,
					   "the archive has more than %" PRIu64
					   " entries", b->max_entries);
		if (look_at(b, a, e, docs, err) < 0)
			return -1;
	}
	if (r != ARCHIVE_EOF)
		return reader_error(a, err);
	if (!entries)
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "the archive has no entries");
	return check_expansion(b, a, err);
}

int unpack_open_blob(int blobs, const struct digest *d, struct svm_err *err)
{
	char name[DIGEST_TEXT + 1];

	image_layer_name(d, name);
	int fd = openat(blobs, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return svm_err_sys(err, SVM_INTERNAL, errno,
				   "can't open the blob '%s'", name);
	return fd;
}

static int keep_blob(int blobs, const struct digest *d,
		     struct plan_docs *docs, struct svm_err *err)
{
	auto_close int fd = unpack_open_blob(blobs, d, err);
	auto_buf struct buf text = BUF_INIT;
	char digest[DIGEST_TEXT + 1];

	if (fd < 0)
		return -1;
	int r = fd_slurp(fd, LIMIT_IMAGE_JSON, &text);
	if (r < 0)
		return svm_err_sys(err, SVM_INTERNAL, r, "can't read a blob");
	digest_format(d, digest);
	auto_free char *name = xasprintf("blobs/sha256/%s",
					 digest + strlen(DIGEST_PREFIX));
	size_t len = text.len;
	return plan_docs_add(docs, name, NULL, buf_steal(&text), len, err);
}

int unpack_look_blobs(int blobs, const struct digest *manifest,
		      struct plan_docs *docs, struct svm_err *err)
{
	char digest[DIGEST_TEXT + 1];
	struct digest config;

	digest_format(manifest, digest);
	char *index = xasprintf("{\"manifests\":[{\"digest\":\"%s\"}]}",
				digest);
	if (plan_docs_add(docs, "oci-layout", NULL, xstrdup("{}"), 2,
			  err) < 0 ||
	    plan_docs_add(docs, "index.json", NULL, index, strlen(index),
			  err) < 0 ||
	    keep_blob(blobs, manifest, docs, err) < 0 ||
	    plan_manifest_config(&docs->v[docs->n - 1], &config, err) < 0 ||
	    keep_blob(blobs, &config, docs, err) < 0)
		return -1;
	return 0;
}
