/* SPDX-License-Identifier: MIT */
/*
 * TAR_IN: an archive becomes files below a directory.  Nothing is written but
 * there: no absolute path, no "..", and links that lead out of it are not
 * followed.  Each file takes its place whole or not at all; what came before
 * an error stays.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/job.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "lib/base/rand.h"
#include "lib/base/ustar.h"

struct tar_in {
	struct job *job;
	int target;
	struct frame frame; /* what came last, and how much of it is left */
	const char *p;
	size_t left;
	bool ended;
	uint64_t entries;
};

/* Some of the bytes that come next, at most n: the count, 0 at the end. */
static ssize_t take_some(struct tar_in *t, size_t n, const char **ret,
			 struct svm_err *err)
{
	while (!t->left && !t->ended) {
		int r = job_receive(t->job, &t->frame, err);

		if (r < 0)
			return -1;
		t->ended = r == 0;
		t->p = t->frame.payload;
		t->left = r ? t->frame.len : 0;
	}
	n = MIN(n, t->left);
	*ret = t->p;
	t->p += n;
	t->left -= n;
	return (ssize_t)n;
}

static int cut_short(struct svm_err *err)
{
	return svm_err_set(err, SVM_BAD_REQUEST,
			   "the archive ends in the middle");
}

/* Exactly n bytes.  1, 0 at the very end, -1. */
static int take(struct tar_in *t, char *out, size_t n, struct svm_err *err)
{
	for (size_t have = 0; have < n;) {
		const char *p;
		ssize_t got = take_some(t, n - have, &p, err);

		if (got < 0)
			return -1;
		if (got == 0)
			return have ? cut_short(err) : 0;
		memcpy(out + have, p, (size_t)got);
		have += (size_t)got;
	}
	return 1;
}

/* n bytes to fd, or nowhere with -1. */
static int pass_on(struct tar_in *t, int fd, uint64_t n, const char *path,
		   struct svm_err *err)
{
	while (n) {
		const char *p;
		ssize_t got = take_some(t, (size_t)MIN(n, LIMIT_FRAME), &p,
					err);

		if (got <= 0)
			return got < 0 ? -1 : cut_short(err);
		int e = fd < 0 ? 0 : fd_write_full(fd, p, (size_t)got);
		if (e < 0)
			return file_error(err, e, "write", path);
		n -= (uint64_t)got;
	}
	return 0;
}

/* "./a//b/" is "a/b"; what could lead out is refused.  Owned; "" for the
 * target itself. */
static char *clean_path(const char *path, struct svm_err *err)
{
	struct buf b = BUF_INIT;
	const char *p = path;

	if (*p == '/' || strlen(p) > LIMIT_PATH) {
		svm_err_set(err, SVM_BAD_REQUEST,
			    "the archive has %s path '%.200s'",
			    *p == '/' ? "an absolute" : "an overlong", path);
		return NULL;
	}
	while (*p) {
		size_t n = strcspn(p, "/");

		if ((n == 2 && p[0] == '.' && p[1] == '.') ||
		    n > FILE_NAME_MAX) {
			svm_err_set(err, SVM_BAD_REQUEST,
				    "the archive has the path '%.200s', which "
				    "is not allowed", path);
			buf_release(&b);
			return NULL;
		}
		if (n && !(n == 1 && p[0] == '.')) {
			if (b.len)
				buf_addch(&b, '/');
			buf_add(&b, p, n);
		}
		p += n;
		p += strspn(p, "/");
	}
	return buf_steal(&b);
}

/* Any name in `dir` that is free; what it names takes the place of `name`
 * at once. */
static int put_symlink(int dir, const char *name, const char *target)
{
	char digits[17], temp[64];

	rand_hex(digits, 16);
	snprintf(temp, sizeof(temp), ".stacyvm-%s.tmp", digits);
	if (symlinkat(target, dir, temp) < 0)
		return -errno;
	if (renameat(dir, temp, dir, name) < 0) {
		int e = errno;

		(void)unlinkat(dir, temp, 0);
		return -e;
	}
	return 0;
}

static int put_file(struct tar_in *t, int dir, const char *name,
		    const struct ustar_entry *e, const char *path,
		    struct svm_err *err)
{
	const struct timespec times[2] = { { .tv_nsec = UTIME_NOW },
					   { .tv_sec = e->mtime } };
	char temp[FILE_NAME_MAX + 1];

	if (file_check_target(dir, name, path, err) < 0)
		return -1;
	auto_close int fd = file_temporary(dir, temp);
	if (fd < 0)
		return file_error(err, fd, "write", path);
	int r = pass_on(t, fd, e->size, path, err);
	if (r == 0 && fchmod(fd, e->mode & 0777) < 0)
		r = file_error(err, errno, "set the mode of", path);
	if (r == 0)
		(void)futimens(fd, times);
	if (r == 0 && renameat(dir, temp, dir, name) < 0)
		r = file_error(err, errno, "replace", path);
	if (r < 0)
		(void)unlinkat(dir, temp, 0);
	return r;
}

static int put_dir(struct tar_in *t, const char *path, uint32_t mode,
		   struct svm_err *err)
{
	/* The owner must be able to fill it, whatever the archive says. */
	int r = file_make_below(t->target, path, (mode & 0777) | 0700);

	if (r < 0)
		return file_error(err, r, "make the directory", path);
	close(r);
	return 0;
}

static int put_entry(struct tar_in *t, const struct ustar_entry *e,
		     struct svm_err *err)
{
	auto_free char *path = clean_path(e->path, err);
	auto_close int dir = -1;

	if (!path)
		return -1;
	if (++t->entries > LIMIT_IMAGE_ENTRIES)
		return svm_err_set(err, SVM_TOO_LARGE,
				   "the archive has more than %d entries",
				   LIMIT_IMAGE_ENTRIES);
	if (e->type == USTAR_DIR)
		return *path ? put_dir(t, path, e->mode, err) : 0;
	if (!*path || (e->type != USTAR_FILE && e->type != '7' &&
		       e->type != USTAR_SYMLINK))
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "'%.200s' in the archive is neither a "
				   "file, a directory nor a symbolic link",
				   e->path);
	char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	if (slash)
		*slash = '\0';
	dir = file_make_below(t->target, slash ? path : ".", 0755);
	if (dir < 0)
		return file_error(err, dir, "open the directory of", e->path);
	if (e->type != USTAR_SYMLINK)
		return put_file(t, dir, name, e, e->path, err);
	int r = put_symlink(dir, name, e->target);
	return r < 0 ? file_error(err, r, "make the link", e->path) : 0;
}

static int read_extra(struct tar_in *t, struct ustar_reader *reader,
		      const struct ustar_entry *e, struct svm_err *err)
{
	size_t n = (size_t)e->size + ustar_padding(e->size);
	auto_free char *text = xmalloc(n + 1);

	if (n && take(t, text, n, err) <= 0)
		return err->code ? -1 : cut_short(err);
	if (ustar_read_extra(reader, e, text, (size_t)e->size) < 0)
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "the archive has a malformed extended "
				   "header");
	return 0;
}

static int read_archive(struct tar_in *t, struct ustar_reader *reader,
			struct svm_err *err)
{
	for (;;) {
		char block[USTAR_BLOCK];
		struct ustar_entry e;
		int r = take(t, block, sizeof(block), err);

		if (r <= 0)
			return r;
		switch (ustar_read(reader, (unsigned char *)block, &e)) {
		case USTAR_NOTHING:
			break;
		case USTAR_END: /* padding may follow */
			while ((r = take(t, block, 1, err)) > 0)
				;
			return r;
		case USTAR_EXTRA:
			if (read_extra(t, reader, &e, err) < 0)
				return -1;
			break;
		case USTAR_ENTRY:
			if (put_entry(t, &e, err) < 0 ||
			    pass_on(t, -1, ustar_padding(e.size), e.path,
				    err) < 0)
				return -1;
			break;
		default:
			return svm_err_set(err, SVM_BAD_REQUEST,
					   "this is not a tar archive, or it "
					   "is damaged");
		}
	}
}

int file_tar_in(struct job *j, struct msg_reader *m, struct buf *end,
		struct svm_err *err)
{
	auto_free char *path = file_path(m, err);
	struct tar_in t = { .job = j };
	struct ustar_reader reader = { 0 };

	if (!path)
		return -1;
	int r = file_make_dirs(j->root, path, 0755);
	auto_close int target = r < 0 ? r :
			file_openat(j->root, path, O_PATH | O_DIRECTORY, 0);
	if (target < 0)
		return file_error(err, target, "open the directory", path);
	t.target = target;
	r = read_archive(&t, &reader, err);
	ustar_release(&reader);
	msg_add_u64(end, t.entries);
	return r;
}
