/* SPDX-License-Identifier: MIT */
/*
 * The unpack worker: `stacyvm __unpack TARGET LAYERS [LIMIT=N...]
 * [manifest=DIGEST]`.
 *
 * A directory on fd 0 holds what was pulled, each blob a file "sha256-HEX":
 * the image is the one of that manifest.
 *
 * A file on fd 0 is read in place; a pipe is spooled first, because an
 * archive tells only at its end which of its files are the layers.  Then one
 * pass looks, one unpacks.  Three readers stand on each other: the archive, in
 * it a layer's decompression (so that its digests can be taken), and on that
 * the layer's tar.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/image/image.h"
#include "daemon/image/internal.h"
#include "daemon/image/libarchive.h"
#include "daemon/image/unpack.h"
#include "lib/api/limits.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"

#define SPOOL "archive"
#define BLOCK KIB(64)
#define REPORT_STEP MIB(8)
#define MANIFEST "manifest="

struct unpack {
	int target, layers; /* directories */
	int archive;        /* seekable */
	int blobs;          /* or the directory of them, else -1 */
	struct digest manifest; /* in it */
	bool has_manifest;
	uint64_t archive_size, max_spool;
	unsigned flags;     /* enum layer_flags */
	struct unpack_budget budget;
	struct plan plan;
	struct plan_docs docs;
	bool *done;         /* per layer */
	size_t layer;       /* the one being unpacked */
	uint64_t reported;
	char block[BLOCK];
};

/* A layer's bytes on their way. */
struct pipe {
	struct unpack *u;
	struct archive *outer; /* its current entry is read, or u->archive */
	struct archive *raw;
	int64_t at;            /* next offset expected of outer */
	struct digest_stream blob, diff;
	uint64_t in, out;
	struct svm_err *err;   /* what stopped us, when it was not libarchive */
};

/* Reports. */

static void report(struct buf *line)
{
	buf_addch(line, '\n');
	/* Nobody reads any more: we are about to be killed. */
	if (fd_write_full(UNPACK_RESULT_FD, line->data, line->len) < 0)
		_exit(1);
}

static void report_progress(struct unpack *u, const char *stage, uint64_t n)
{
	auto_buf struct buf line = BUF_INIT;
	struct json_writer w = json_writer(&line);

	if (n < u->reported + REPORT_STEP)
		return;
	u->reported = n;
	json_open(&w, NULL, '{');
	json_str(&w, "type", "progress");
	json_str(&w, "stage", stage);
	json_int(&w, "layer", (int64_t)u->layer);
	json_int(&w, "layers", (int64_t)u->plan.n);
	json_int(&w, "bytes", (int64_t)n);
	json_close(&w, '}');
	report(&line);
}

static void report_layer(const struct unpack *u, size_t i, bool present,
			 uint64_t size)
{
	auto_buf struct buf line = BUF_INIT;
	struct json_writer w = json_writer(&line);
	char text[DIGEST_TEXT + 1];

	digest_format(&u->plan.layers[i].diff, text);
	json_open(&w, NULL, '{');
	json_str(&w, "type", "layer");
	json_int(&w, "index", (int64_t)i);
	json_str(&w, "diff_id", text);
	json_bool(&w, "present", present);
	json_int(&w, "size", (int64_t)size);
	json_close(&w, '}');
	report(&line);
}

static void report_image(const struct unpack *u)
{
	auto_buf struct buf line = BUF_INIT;
	struct json_writer w = json_writer(&line);
	char text[DIGEST_TEXT + 1];

	digest_format(&u->plan.digest, text);
	json_open(&w, NULL, '{');
	json_str(&w, "type", "image");
	json_str(&w, "ref", u->plan.ref ? u->plan.ref : "");
	json_str(&w, "digest", text);
	json_int(&w, "layers", (int64_t)u->plan.n);
	json_str(&w, "ids", u->flags & LAYER_CHOWN ? "full" : "collapsed");
	json_open(&w, "config", '{');
	image_config_write(&u->plan.config, &w);
	json_close(&w, '}');
	json_close(&w, '}');
	report(&line);
}

static void report_error(const struct svm_err *err)
{
	auto_buf struct buf line = BUF_INIT;
	struct json_writer w = json_writer(&line);

	json_open(&w, NULL, '{');
	json_str(&w, "type", "error");
	json_str(&w, "code", svm_code_name(err->code));
	json_str(&w, "message", err->msg);
	json_str(&w, "remediation", err->hint ? err->hint : "");
	json_close(&w, '}');
	report(&line);
}

/* The archive itself. */

int unpack_budget_expand(const struct unpack_budget *b, uint64_t in,
			 uint64_t out, struct svm_err *err)
{
	if (out > b->max_bytes)
		return svm_err_set(err, SVM_TOO_LARGE,
				   "the image is larger than %" PRIu64
				   " bytes", b->max_bytes);
	if (out > b->ratio_floor && out / LIMIT_IMAGE_RATIO > in)
		return svm_err_set(err, SVM_TOO_LARGE,
				   "%" PRIu64 " compressed bytes became more "
				   "than %" PRIu64 ": this looks like a "
				   "compression bomb", in, out);
	return 0;
}

/* Read stdin into TARGET/archive, which has no name from the start. */
static int spool(struct unpack *u, struct svm_err *err)
{
	ssize_t n;

	auto_close int fd = openat(u->target, SPOOL, O_RDWR | O_CREAT | O_EXCL |
				   O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || unlinkat(u->target, SPOOL, 0) < 0)
		return svm_err_sys(err, SVM_INTERNAL, errno,
				   "can't spool the archive");
	while ((n = fd_read_full(STDIN_FILENO, u->block, BLOCK)) > 0) {
		u->archive_size += (uint64_t)n;
		if (u->archive_size > u->max_spool)
			return svm_err_set(err, SVM_TOO_LARGE,
					   "the archive is larger than %"
					   PRIu64 " bytes", u->max_spool);
		int r = fd_write_full(fd, u->block, (size_t)n);
		if (r < 0)
			return svm_err_sys(err, SVM_INTERNAL, r,
					   "can't spool the archive");
		report_progress(u, "receive", u->archive_size);
	}
	if (n < 0)
		return svm_err_sys(err, SVM_INTERNAL, (int)n,
				   "can't read the archive");
	u->archive = steal_fd(&fd);
	u->reported = 0;
	return 0;
}

static int take_input(struct unpack *u, struct svm_err *err)
{
	struct stat st;

	if (fstat(STDIN_FILENO, &st) < 0)
		return svm_err_sys(err, SVM_INTERNAL, errno, "standard input");
	if (S_ISDIR(st.st_mode) != u->has_manifest)
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "a directory and a manifest's digest go "
				   "together");
	if (S_ISDIR(st.st_mode)) {
		u->blobs = STDIN_FILENO;
		return 0;
	}
	if (!S_ISREG(st.st_mode)) {
		if (spool(u, err) < 0)
			return -1;
	} else {
		u->archive = STDIN_FILENO;
		u->archive_size = (uint64_t)st.st_size;
	}
	if (u->archive_size == 0)
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "the archive is empty");
	return 0;
}

static la_ssize_t read_archive(struct archive *a, void *data, const void **p)
{
	struct unpack *u = data;
	ssize_t n = fd_read_full(u->archive, u->block, BLOCK);

	if (n < 0)
		la.archive_set_error(a, (int)-n, "%s", strerror((int)-n));
	*p = u->block;
	return n < 0 ? -1 : n;
}

static struct archive *new_reader(bool filters, bool raw)
{
	struct archive *a = la.archive_read_new();

	if (!a)
		return NULL;
	if (filters) {
		la.archive_read_support_filter_gzip(a);
		la.archive_read_support_filter_xz(a);
		la.archive_read_support_filter_zstd(a);
	}
	la.archive_read_support_format_empty(a);
	if (raw)
		la.archive_read_support_format_raw(a);
	else
		la.archive_read_support_format_tar(a);
	return a;
}

static void free_reader(struct archive **a)
{
	if (*a)
		la.archive_read_free(*a);
}

#define auto_reader CLEANUP(free_reader)

static int not_a_tar(struct archive *a, struct svm_err *err)
{
	const char *why = la.archive_error_string(a);

	svm_err_set(err, SVM_BAD_REQUEST, "not a whole tar archive: %s",
		    why ? why : "unknown format");
	return svm_err_hint(err, "give a tar file, plain or compressed with "
				 "gzip, zstd or xz: docker save, an OCI layout "
				 "or a root file system");
}

/* One layer of compression is what people make; ten are a bomb. */
static int check_filters(struct archive *a, struct svm_err *err)
{
	if (la.archive_filter_count(a) <= 2)
		return 0;
	return svm_err_set(err, SVM_BAD_REQUEST,
			   "the archive is compressed more than once");
}

static int open_archive(struct unpack *u, struct archive **ret,
			struct svm_err *err)
{
	if (lseek(u->archive, 0, SEEK_SET) < 0)
		return svm_err_sys(err, SVM_INTERNAL, errno,
				   "can't rewind the archive");
	*ret = new_reader(true, false);
	if (!*ret || la.archive_read_open(*ret, u, NULL, read_archive, NULL) !=
			     ARCHIVE_OK)
		return *ret ? not_a_tar(*ret, err) :
			      svm_err_set(err, SVM_INTERNAL, "no reader");
	return 0;
}

/* First pass: keep what is needed to make the plan. */

static int keep_doc(struct unpack *u, struct archive *a,
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

		return to ? plan_docs_add(&u->docs, name, to, NULL, 0, err) :
			    0;
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
		return not_a_tar(a, err);
	size_t len = text.len;
	return plan_docs_add(&u->docs, name, NULL, buf_steal(&text), len, err);
}

/* How far decompression of the archive itself has got. */
static int check_expansion(const struct unpack *u, struct archive *a,
			   struct svm_err *err)
{
	return unpack_budget_expand(&u->budget,
				    (uint64_t)la.archive_filter_bytes(a, -1),
				    (uint64_t)la.archive_filter_bytes(a, 0),
				    err);
}

static int look_at(struct unpack *u, struct archive *a,
		   struct archive_entry *e, struct svm_err *err)
{
	const char *raw = la.archive_entry_pathname(e);
	auto_free char *name = raw ? plan_clean_name(NULL, raw) : NULL;

	if (check_filters(a, err) < 0 || check_expansion(u, a, err) < 0)
		return -1;
	if (la.archive_entry_size(e) > 0 &&
	    (uint64_t)la.archive_entry_size(e) > u->budget.max_bytes)
		return svm_err_set(err, SVM_TOO_LARGE,
				   "entry '%.200s' is larger than %" PRIu64
				   " bytes", raw ? raw : "",
				   u->budget.max_bytes);
	if (name && plan_docs_wants(name))
		return keep_doc(u, a, e, name, err);
	return 0;
}

static int look(struct unpack *u, struct svm_err *err)
{
	auto_reader struct archive *a = NULL;
	struct archive_entry *e;
	uint64_t entries = 0;
	int r;

	if (open_archive(u, &a, err) < 0)
		return -1;
	while ((r = la.archive_read_next_header(a, &e)) == ARCHIVE_OK ||
	       r == ARCHIVE_WARN) {
		if (++entries > u->budget.max_entries)
			return svm_err_set(err, SVM_TOO_LARGE,
					   "the archive has more than %" PRIu64
					   " entries", u->budget.max_entries);
		if (look_at(u, a, e, err) < 0)
			return -1;
	}
	if (r != ARCHIVE_EOF)
		return not_a_tar(a, err);
	if (!entries)
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "the archive has no entries");
	if (check_expansion(u, a, err) < 0)
		return -1;
	return plan_make(&u->docs, &u->plan, err);
}

/* The same for blobs: they are where their digest says. */

static int open_blob(const struct unpack *u, const struct digest *d,
		     struct svm_err *err)
{
	char name[DIGEST_TEXT + 1];

	image_layer_name(d, name);
	int fd = openat(u->blobs, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return svm_err_sys(err, SVM_INTERNAL, errno,
				   "can't open the blob '%s'", name);
	return fd;
}

static int keep_blob(struct unpack *u, const struct digest *d,
		     struct svm_err *err)
{
	auto_close int fd = open_blob(u, d, err);
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
	return plan_docs_add(&u->docs, name, NULL, buf_steal(&text), len, err);
}

static int look_at_blobs(struct unpack *u, struct svm_err *err)
{
	char digest[DIGEST_TEXT + 1];
	struct digest config;

	digest_format(&u->manifest, digest);
	char *index = xasprintf("{\"manifests\":[{\"digest\":\"%s\"}]}",
				digest);
	if (plan_docs_add(&u->docs, "oci-layout", NULL, xstrdup("{}"), 2,
			  err) < 0 ||
	    plan_docs_add(&u->docs, "index.json", NULL, index, strlen(index),
			  err) < 0 ||
	    keep_blob(u, &u->manifest, err) < 0 ||
	    plan_manifest_config(&u->docs.v[u->docs.n - 1], &config, err) <
		    0 ||
	    keep_blob(u, &config, err) < 0)
		return -1;
	return plan_make(&u->docs, &u->plan, err);
}

/* Second pass: layers. */

static la_ssize_t read_blob(struct archive *a, void *data, const void **p)
{
	struct pipe *s = data;
	int64_t off;
	size_t n = 0;

	if (!s->outer) {
		la_ssize_t got = read_archive(a, s->u, p);

		s->in += got > 0 ? (uint64_t)got : 0;
		digest_update(&s->blob, *p, got > 0 ? (size_t)got : 0);
		return got;
	}
	int r = la.archive_read_data_block(s->outer, p, &n, &off);
	if (r == ARCHIVE_EOF)
		return 0;
	if (r != ARCHIVE_OK || off != s->at) {
		const char *why = la.archive_error_string(s->outer);

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
	struct pipe *s = data;
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
	if (s->err->code ||
	    unpack_budget_expand(&s->u->budget, s->u->budget.in + s->in,
				 s->u->budget.out + s->out, s->err) < 0) {
		la.archive_set_error(a, EFBIG, "too large");
		return -1;
	}
	report_progress(s->u, "unpack", s->u->budget.out + s->out);
	return n ? (la_ssize_t)n : read_tar(a, data, p);
}

/* The digests are of everything, also of what a tar reader has no use for. */
static int drain(struct pipe *s, struct archive *tar, struct svm_err *err)
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

static int check_digests(const struct unpack *u, struct pipe *s,
			 struct plan_layer *l, struct svm_err *err)
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
				   "layer %zu has the digest %s, it should be "
				   "%s", u->layer + 1, have, want);
	l->diff = diff;
	l->has_diff = true;
	return 0;
}

static int pump(struct unpack *u, struct pipe *s, int dir, struct svm_err *err)
{
	auto_reader struct archive *raw = new_reader(true, true);
	auto_reader struct archive *tar = new_reader(false, false);
	auto_err struct svm_err inner = SVM_ERR_INIT;
	struct archive_entry *e;
	int r;

	if (!raw || !tar)
		return svm_err_set(err, SVM_INTERNAL, "no reader");
	s->raw = raw;
	s->err = &inner;
	if (la.archive_read_open(raw, s, NULL, read_blob, NULL) != ARCHIVE_OK)
		return not_a_tar(raw, err);
	r = la.archive_read_next_header(raw, &e);
	if (r != ARCHIVE_OK && r != ARCHIVE_EOF)
		return not_a_tar(raw, err);
	if (check_filters(raw, err) < 0)
		return -1;
	r = la.archive_read_open(tar, s, NULL, read_tar, NULL) == ARCHIVE_OK ?
		    layer_unpack(tar, dir, u->flags, &u->budget, err) :
		    not_a_tar(tar, err);
	if (r == 0)
		r = drain(s, tar, err);
	if (inner.code) { /* the cause of what libarchive complained about */
		svm_err_release(err);
		return svm_err_move(err, &inner);
	}
	return r;
}

/* Unpack layer u->layer from the outer archive's current entry, or from the
 * whole file. */
static int unpack_layer(struct unpack *u, struct archive *outer,
			struct svm_err *err)
{
	struct pipe s = { .u = u, .outer = outer };
	uint64_t before = u->budget.bytes;
	char name[24];

	snprintf(name, sizeof(name), "%zu", u->layer);
	if (mkdirat(u->target, name, 0755) < 0)
		return svm_err_sys(err, SVM_INTERNAL, errno,
				   "can't make the layer's directory");
	auto_close int dir = openat(u->target, name, O_RDONLY | O_DIRECTORY |
				    O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return svm_err_sys(err, SVM_INTERNAL, errno, "'%s'", name);
	digest_start(&s.blob);
	digest_start(&s.diff);
	if (pump(u, &s, dir, err) < 0 ||
	    check_digests(u, &s, &u->plan.layers[u->layer], err) < 0)
		return -1;
	u->budget.in += s.in;
	u->budget.out += s.out;
	u->done[u->layer] = true;
	report_layer(u, u->layer, false, u->budget.bytes - before);
	return 0;
}

static bool have_layer(const struct unpack *u, const struct plan_layer *l)
{
	char name[DIGEST_TEXT + 1];
	struct stat st;

	if (!l->has_diff)
		return false;
	digest_format(&l->diff, name);
	name[strlen(DIGEST_PREFIX) - 1] = '-';
	return fstatat(u->layers, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISDIR(st.st_mode);
}

/* Layers that are here already, or stand twice in the image: an upper one
 * hides a lower one with the same content altogether. */
static size_t skip_known(struct unpack *u)
{
	size_t left = 0;

	for (size_t i = 0; i < u->plan.n; i++) {
		struct plan_layer *l = &u->plan.layers[i];
		bool twice = false;

		for (size_t j = 0; j < i && l->has_diff; j++)
			twice |= digest_equal(&u->plan.layers[j].diff,
					      &l->diff);
		u->done[i] = twice || have_layer(u, l);
		if (u->done[i])
			report_layer(u, i, true, 0);
		else
			left++;
	}
	return left;
}

/* Which of the layers still wanted the entry is; n when none. */
static size_t find_layer(const struct unpack *u, struct archive_entry *e,
			 const char *name)
{
	size_t i = u->plan.n;

	if (name && la.archive_entry_filetype(e) == AE_IFREG &&
	    !la.archive_entry_hardlink(e))
		for (i = 0; i < u->plan.n; i++)
			if (!u->done[i] &&
			    strcmp(u->plan.layers[i].name, name) == 0)
				break;
	return i;
}

static int unpack_all(struct unpack *u, size_t left, struct svm_err *err)
{
	auto_reader struct archive *a = NULL;
	struct archive_entry *e;
	int r = ARCHIVE_OK;

	if (open_archive(u, &a, err) < 0)
		return -1;
	while (left && ((r = la.archive_read_next_header(a, &e)) ==
				ARCHIVE_OK || r == ARCHIVE_WARN)) {
		const char *raw = la.archive_entry_pathname(e);
		auto_free char *name = raw ? plan_clean_name(NULL, raw) : NULL;
		size_t i = find_layer(u, e, name);

		if (i == u->plan.n)
			continue;
		u->layer = i;
		if (unpack_layer(u, a, err) < 0)
			return svm_err_prefix(err, "layer '%.128s'", name);
		left--;
	}
	if (left && r != ARCHIVE_EOF)
		return not_a_tar(a, err);
	for (size_t i = 0; i < u->plan.n; i++)
		if (!u->done[i])
			return svm_err_set(err, SVM_BAD_REQUEST,
					   "the archive lacks the layer "
					   "'%.128s'", u->plan.layers[i].name);
	return 0;
}

static int unpack_blobs(struct unpack *u, struct svm_err *err)
{
	for (u->layer = 0; u->layer < u->plan.n; u->layer++) {
		if (u->done[u->layer])
			continue;
		auto_close int fd = open_blob(u, &u->plan.layers[u->layer].blob,
					      err);
		if (fd < 0)
			return -1;
		u->archive = fd;
		if (unpack_layer(u, NULL, err) < 0)
			return svm_err_prefix(err, "layer %zu", u->layer + 1);
	}
	return 0;
}

/* A root file system has no config: make the one that names its layer. */
static void make_config(struct unpack *u)
{
	auto_buf struct buf text = BUF_INIT;
	struct json_writer w = json_writer(&text);
	char diff[DIGEST_TEXT + 1];

	digest_format(&u->plan.layers[0].diff, diff);
	json_open(&w, NULL, '{');
	json_open(&w, "rootfs", '{');
	json_str(&w, "type", "layers");
	json_open(&w, "diff_ids", '[');
	json_str(&w, NULL, diff);
	json_close(&w, ']');
	json_close(&w, '}');
	json_close(&w, '}');
	u->plan.digest = digest_of(text.data, text.len);
}

static int run(struct unpack *u, struct svm_err *err)
{
	if (take_input(u, err) < 0 ||
	    (u->blobs < 0 ? look(u, err) : look_at_blobs(u, err)) < 0)
		return -1;
	u->done = xcalloc(u->plan.n, sizeof(*u->done));
	size_t left = skip_known(u);
	if (u->plan.kind == PLAN_ROOTFS) {
		if (lseek(u->archive, 0, SEEK_SET) < 0)
			return svm_err_sys(err, SVM_INTERNAL, errno,
					   "can't rewind the archive");
		if (unpack_layer(u, NULL, err) < 0)
			return -1;
		make_config(u);
	} else if ((u->blobs < 0 ? unpack_all(u, left, err) :
				   unpack_blobs(u, err)) < 0) {
		return -1;
	}
	report_image(u);
	return 0;
}

/* Limits can be lowered by the caller, never raised. */
static int read_limit(struct unpack *u, const char *arg, struct svm_err *err)
{
	const struct { const char *name; uint64_t *value; } limits[] = {
		{ "bytes", &u->budget.max_bytes },
		{ "entries", &u->budget.max_entries },
		{ "ratio-floor", &u->budget.ratio_floor },
	};
	const char *eq = strchr(arg, '=');
	char *end;

	for (size_t i = 0; eq && i < ARRAY_SIZE(limits); i++) {
		size_t n = strlen(limits[i].name);

		if (strncmp(arg, limits[i].name, n) != 0 || eq != arg + n)
			continue;
		errno = 0;
		uint64_t v = strtoull(eq + 1, &end, 10);
		if (!errno && !*end && end != eq + 1 && v < *limits[i].value) {
			*limits[i].value = v;
			return 0;
		}
	}
	return svm_err_set(err, SVM_BAD_REQUEST, "bad limit '%s'", arg);
}

static int prepare(struct unpack *u, int argc, char **argv,
		   struct svm_err *err)
{
	if (argc < 3)
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "usage: __unpack TARGET LAYERS [LIMIT=N]");
	for (int i = 3; i < argc; i++) {
		if (strncmp(argv[i], MANIFEST, strlen(MANIFEST)) == 0 &&
		    digest_parse(argv[i] + strlen(MANIFEST), &u->manifest) ==
			    0)
			u->has_manifest = true;
		else if (read_limit(u, argv[i], err) < 0)
			return -1;
	}
	u->max_spool = u->budget.max_bytes;
	u->target = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	u->layers = open(argv[2], O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (u->target < 0 || u->layers < 0)
		return svm_err_sys(err, SVM_INTERNAL, errno,
				   "can't open '%s' and '%s'", argv[1],
				   argv[2]);
	if (libarchive_load(err) < 0)
		return -1;
	umask(0);
	return unpack_confine(u->target, u->has_manifest ? STDIN_FILENO : -1,
			      u->budget.max_bytes, &u->flags, err);
}

int image_unpack_main(int argc, char **argv)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct unpack *u = xcalloc(1, sizeof(*u));

	u->blobs = -1;
	u->budget = (struct unpack_budget){
		.max_bytes = LIMIT_IMAGE_BYTES,
		.max_entries = LIMIT_IMAGE_ENTRIES,
		.ratio_floor = LIMIT_IMAGE_RATIO_FLOOR,
	};
	/* fds 0-3 are ours; nothing else may be open. */
	fd_close_from(UNPACK_RESULT_FD + 1);
	int r = prepare(u, argc, argv, &err);
	if (r == 0)
		r = run(u, &err);
	if (r < 0)
		report_error(&err);
	plan_docs_release(&u->docs);
	plan_release(&u->plan);
	free(u->done);
	free(u);
	return r < 0 ? 1 : 0;
}
