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
 * pass looks (unpack-look.c), one unpacks.  Three readers stand on each other:
 * the archive, in it a layer's decompression (so that its digests can be
 * taken), and on that the layer's tar (layer-stream.c).
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
#include "daemon/image/reader.h"
#include "daemon/image/report.h"
#include "daemon/image/unpack.h"
#include "lib/api/limits.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"

#define SPOOL "archive"
#define REPORT_STEP MIB(8)
#define MANIFEST "manifest="

struct unpack {
	int target, layers; /* directories */
	struct reader_file archive; /* seekable */
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
};

static void report_progress(struct unpack *u, const char *stage, uint64_t n)
{
	auto_buf struct buf line = BUF_INIT;

	if (n < u->reported + REPORT_STEP)
		return;
	u->reported = n;
	struct json_writer w = report_begin(&line, "progress");
	json_str(&w, "stage", stage);
	json_int(&w, "layer", (int64_t)u->layer);
	json_int(&w, "layers", (int64_t)u->plan.n);
	json_int(&w, "bytes", (int64_t)n);
	report_end(&w, &line);
}

static void report_layer(const struct unpack *u, size_t i, bool present,
			 uint64_t size)
{
	auto_buf struct buf line = BUF_INIT;
	struct json_writer w = report_begin(&line, "layer");

	json_int(&w, "index", (int64_t)i);
	report_digest(&w, "diff_id", &u->plan.layers[i].diff);
	json_bool(&w, "present", present);
	json_int(&w, "size", (int64_t)size);
	report_end(&w, &line);
}

static void report_image(const struct unpack *u)
{
	auto_buf struct buf line = BUF_INIT;
	struct json_writer w = report_begin(&line, "image");

	json_str(&w, "ref", u->plan.ref ? u->plan.ref : "");
	report_digest(&w, "digest", &u->plan.digest);
	json_int(&w, "layers", (int64_t)u->plan.n);
	json_str(&w, "ids", u->flags & LAYER_CHOWN ? "full" : "collapsed");
	json_open(&w, "config", '{');
	image_config_write(&u->plan.config, &w);
	json_close(&w, '}');
	report_end(&w, &line);
}

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
	char *block = u->archive.block;
	ssize_t n;

	auto_close int fd = openat(u->target, SPOOL, O_RDWR | O_CREAT | O_EXCL |
				   O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || unlinkat(u->target, SPOOL, 0) < 0)
		return svm_err_sys(err, SVM_INTERNAL, errno,
				   "can't spool the archive");
	while ((n = fd_read_full(STDIN_FILENO, block, READER_BLOCK)) > 0) {
		u->archive_size += (uint64_t)n;
		if (u->archive_size > u->max_spool)
			return svm_err_set(err, SVM_TOO_LARGE,
					   "the archive is larger than %"
					   PRIu64 " bytes", u->max_spool);
		int r = fd_write_full(fd, block, (size_t)n);
		if (r < 0)
			return svm_err_sys(err, SVM_INTERNAL, r,
					   "can't spool the archive");
		report_progress(u, "receive", u->archive_size);
	}
	if (n < 0)
		return svm_err_sys(err, SVM_INTERNAL, (int)n,
				   "can't read the archive");
	u->archive.fd = steal_fd(&fd);
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
		u->archive.fd = STDIN_FILENO;
		u->archive_size = (uint64_t)st.st_size;
	}
	if (u->archive_size == 0)
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "the archive is empty");
	return 0;
}

static void on_unpacked(void *data, uint64_t bytes)
{
	report_progress(data, "unpack", bytes);
}

/* Unpack layer u->layer from that entry of the archive, or from the whole
 * file. */
static int unpack_layer(struct unpack *u, struct archive *entry,
			struct svm_err *err)
{
	const struct layer_source from = { entry, &u->archive, on_unpacked,
					   u };
	uint64_t before = u->budget.bytes;
	char name[24];

	snprintf(name, sizeof(name), "%zu", u->layer);
	if (mkdirat(u->target, name, 0755) < 0)
		return svm_err_sys(err, SVM_INTERNAL, errno,
				   "can't make the layer's directory");
	auto_close int dir = openat(u->target, name, O_RDONLY | O_DIRECTORY |
				    O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return svm_err_sys(err, SVM_INTERNAL, errno,
				   "can't open the layer's directory");
	if (layer_stream(&from, dir, u->flags, &u->budget,
			 &u->plan.layers[u->layer], err) < 0)
		return svm_err_prefix(err, "layer %zu", u->layer + 1);
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

	if (reader_open_tar(&u->archive, &a, err) < 0)
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
			return svm_err_prefix(err, "'%.128s'", name);
		left--;
	}
	if (left && r != ARCHIVE_EOF)
		return reader_error(a, err);
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
		auto_close int fd = unpack_open_blob(u->blobs,
				&u->plan.layers[u->layer].blob, err);
		if (fd < 0)
			return -1;
		u->archive.fd = fd;
		if (unpack_layer(u, NULL, err) < 0)
			return -1;
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
	    (u->blobs < 0 ? unpack_look(&u->archive, &u->budget, &u->docs,
					err) :
			    unpack_look_blobs(u->blobs, &u->manifest,
					      &u->docs, err)) < 0 ||
	    plan_make(&u->docs, &u->plan, err) < 0)
		return -1;
	u->done = xcalloc(u->plan.n, sizeof(*u->done));
	size_t left = skip_known(u);
	if (u->plan.kind == PLAN_ROOTFS) {
		if (lseek(u->archive.fd, 0, SEEK_SET) < 0)
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
	fd_close_from(REPORT_FD + 1);
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
