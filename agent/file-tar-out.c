/* SPDX-License-Identifier: MIT */
/*
 * TAR_OUT: a directory as an archive, in the form that file-tar-in.c takes.
 * The archive of a directory holds what is in it, without its own name; the
 * archive of a file holds the file.  What changes meanwhile is sent as it was
 * found: an entry has as many bytes as its header says, whatever becomes of
 * the file.  What can't be read is left out and counted: the END tells.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/job.h"
#include "agent/walk.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "lib/base/path.h"
#include "lib/base/ustar.h"

struct tar_out {
	struct job *j;
	const char *root;  /* whose tree it is */
	uint64_t total;    /* bytes of files so far */
	uint32_t omitted;
	int why;           /* errno of the first that was */
	char *first;       /* its path; owned */
};

/* An entry is left out.  What would keep all others from being read too is no
 * matter of the entry: an error. */
static int leave_out(struct tar_out *t, int e, const char *what,
		     const char *path, struct svm_err *err)
{
	e = abs(e);
	if (e == EINTR || e == EMFILE || e == ENFILE || e == ENOMEM)
		return file_error(err, e, what, path);
	if (t->omitted++ == 0) {
		t->why = e;
		t->first = *path ? path_join(t->root, path) :
				   xstrdup(t->root);
	}
	return 0;
}

static int send_bytes(struct job *j, const char *p, size_t n,
		      struct svm_err *err)
{
	return n ? job_send(j, FRAME_DATA, p, n, err) : 0;
}

static int send_header(struct job *j, const struct ustar_entry *e,
		       struct svm_err *err)
{
	auto_buf struct buf text = BUF_INIT;

	ustar_add_header(&text, e);
	return send_bytes(j, text.data, text.len, err);
}

/* As many bytes as the header promised, whatever the file has become. */
static int send_content(struct job *j, int fd, uint64_t size,
			struct svm_err *err)
{
	static const char zeros[USTAR_BLOCK];
	uint64_t left = size;

	while (left) {
		ssize_t n = job_send_from(j, fd,
					  (size_t)MIN(left, LIMIT_FRAME), err);
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		left -= (uint64_t)n;
	}
	while (left) {
		size_t n = (size_t)MIN(left, sizeof(zeros));

		if (send_bytes(j, zeros, n, err) < 0)
			return -1;
		left -= n;
	}
	return send_bytes(j, zeros, ustar_padding(size), err);
}

static int send_file(struct tar_out *t, int dir, struct ustar_entry *e,
		     const char *name, struct svm_err *err)
{
	struct stat now;
	auto_close int fd = file_reopen_regular(dir, name, &now);

	if (fd == -ENOENT || fd == -EINVAL)
		return 0; /* gone, or something else by now */
	if (fd < 0)
		return leave_out(t, fd, "open", e->path, err);
	e->type = USTAR_FILE;
	e->size = (uint64_t)now.st_size;
	if (e->size > LIMIT_IMAGE_BYTES - t->total)
		return svm_err_set(err, SVM_TOO_LARGE,
				   "the archive would be larger than %lld "
				   "bytes; '%s' has %llu",
				   (long long)LIMIT_IMAGE_BYTES, e->path,
				   (unsigned long long)e->size);
	t->total += e->size;
	if (send_header(t->j, e, err) < 0)
		return -1;
	if (send_content(t->j, fd, e->size, err) == 0)
		return 0;
	return svm_err_prefix(err, "'%s'", e->path);
}

/* One entry of the tree; sockets, FIFOs and devices are left out. */
static int send_tree_entry(struct tar_out *t, int dir, const char *name,
			   const char *path, const struct stat *st,
			   struct svm_err *err)
{
	char target[PATH_MAX] = "";
	struct ustar_entry e = {
		.path = (char *)(uintptr_t)path,
		.target = target,
		.mode = st->st_mode & 0777,
		.mtime = st->st_mtim.tv_sec,
	};

	if (S_ISDIR(st->st_mode)) {
		e.type = USTAR_DIR;
		return send_header(t->j, &e, err);
	}
	if (S_ISLNK(st->st_mode)) {
		ssize_t n = readlinkat(dir, name, target, sizeof(target) - 1);

		if (n < 0)
			return errno == ENOENT || errno == EINVAL ? 0 :
			       leave_out(t, errno, "read the link", path, err);
		e.type = USTAR_SYMLINK;
		return send_header(t->j, &e, err);
	}
	return S_ISREG(st->st_mode) ? send_file(t, dir, &e, name, err) : 0;
}

/* A directory that can't be listed is sent empty. */
static int send_tree(struct tar_out *t, int fd, struct svm_err *err)
{
	auto_walk struct walk w = { 0 };
	int r = walk_begin(&w, fd);

	if (r < 0)
		return file_error(err, r, "list", t->root);
	while ((r = walk_next(&w)) != 0) {
		if (r > 0 && send_tree_entry(t, walk_dir(&w), w.name,
					     w.path.data, &w.st, err) < 0)
			return -1;
		if (r > 0)
			r = S_ISDIR(w.st.st_mode) ? walk_enter(&w) : 0;
		if (r < 0 && r != -ENOENT && r != -ENOTDIR &&
		    leave_out(t, r, "list", buf_str(&w.path), err) < 0)
			return -1;
	}
	return 0;
}

static int send_single(struct tar_out *t, struct svm_err *err)
{
	char name[FILE_NAME_MAX + 1];
	struct stat st;
	auto_close int dir = file_open_parent(t->j, t->root, false, name, err);

	if (dir < 0)
		return -1;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return file_error(err, errno, "look at", t->root);
	if (!S_ISLNK(st.st_mode) &&
	    file_require_regular(st.st_mode, t->root, err) < 0)
		return -1;
	if (send_tree_entry(t, dir, name, name, &st, err) < 0)
		return -1;
	return t->omitted ? file_error(err, t->why, "read", t->root) : 0;
}

int file_tar_out(struct job *j, struct msg_reader *m, struct buf *end,
		 struct svm_err *err)
{
	auto_free char *path = file_path(m, err);
	auto_buf struct buf last = BUF_INIT;

	if (!path)
		return -1;
	int fd = file_openat(j->root, path,
			     O_RDONLY | O_DIRECTORY | O_NONBLOCK, 0);
	if (fd < 0 && fd != -ENOTDIR)
		return file_error(err, fd, "open", path);
	struct tar_out t = { .j = j, .root = path };
	j->pads = true;
	if ((fd < 0 ? send_single(&t, err) : send_tree(&t, fd, err)) < 0)
		return -1;
	ustar_add_end(&last);
	msg_add_u32(end, t.omitted);
	msg_add_u32(end, (uint32_t)t.why);
	msg_add_bytes(end, t.first, t.first ? MIN(strlen(t.first),
						  (size_t)LIMIT_PATH) : 0);
	free(t.first);
	return send_bytes(j, last.data, last.len, err);
}
