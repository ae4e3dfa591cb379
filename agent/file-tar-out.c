/* SPDX-License-Identifier: MIT */
/*
 * TAR_OUT: a directory as an archive, in the form that file-tar-in.c takes.
 * The archive of a directory holds what is in it, without its own name; the
 * archive of a file holds the file.  What changes meanwhile is sent as it was
 * found: an entry has as many bytes as its header says, whatever becomes of
 * the file.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/job.h"
#include "agent/walk.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "lib/base/ustar.h"

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

/* One entry of the tree; sockets, FIFOs and devices are left out. */
static int send_tree_entry(struct job *j, int dir, const char *name,
			   const char *path, const struct stat *st,
			   uint64_t *total, struct svm_err *err)
{
	char target[PATH_MAX] = "";
	struct ustar_entry e = {
		.path = (char *)(uintptr_t)path,
		.target = target,
		.mode = st->st_mode & 0777,
		.mtime = st->st_mtim.tv_sec,
	};
	auto_close int fd = -1;
	struct stat now;

	if (S_ISDIR(st->st_mode)) {
		e.type = USTAR_DIR;
		return send_header(j, &e, err);
	}
	if (S_ISLNK(st->st_mode)) {
		ssize_t n = readlinkat(dir, name, target, sizeof(target) - 1);

		if (n < 0)
			return errno == ENOENT || errno == EINVAL ? 0 :
			       file_error(err, errno, "read the link", path);
		e.type = USTAR_SYMLINK;
		return send_header(j, &e, err);
	}
	if (!S_ISREG(st->st_mode))
		return 0;
	fd = file_reopen_regular(dir, name, &now);
	if (fd == -ENOENT || fd == -EINVAL)
		return 0; /* gone, or something else by now */
	if (fd < 0)
		return file_error(err, fd, "open", path);
	e.type = USTAR_FILE;
	e.size = (uint64_t)now.st_size;
	if (e.size > LIMIT_IMAGE_BYTES - *total)
		return svm_err_set(err, SVM_TOO_LARGE,
				   "the archive would be larger than %lld "
				   "bytes; '%s' has %llu",
				   (long long)LIMIT_IMAGE_BYTES, path,
				   (unsigned long long)e.size);
	*total += e.size;
	if (send_header(j, &e, err) < 0)
		return -1;
	return send_content(j, fd, e.size, err);
}

static int send_tree(struct job *j, int fd, const char *path,
		     struct svm_err *err)
{
	auto_walk struct walk w = { 0 };
	uint64_t total = 0;
	int r = walk_begin(&w, fd);

	if (r < 0)
		return file_error(err, r, "list", path);
	while ((r = walk_next(&w)) > 0) {
		if (send_tree_entry(j, walk_dir(&w), w.name, w.path.data,
				    &w.st, &total, err) < 0)
			return -1;
		if (!S_ISDIR(w.st.st_mode))
			continue;
		r = walk_enter(&w);
		if (r < 0 && r != -ENOENT && r != -ENOTDIR)
			return file_error(err, r, "list", w.path.data);
	}
	return 0;
}

int file_tar_out(struct job *j, struct msg_reader *m, struct buf *end,
		 struct svm_err *err)
{
	auto_free char *path = file_path(m, err);
	auto_buf struct buf last = BUF_INIT;
	char name[FILE_NAME_MAX + 1];
	struct stat st;
	int r;

	(void)end;
	if (!path)
		return -1;
	int fd = file_openat(j->root, path,
			     O_RDONLY | O_DIRECTORY | O_NONBLOCK, 0);
	if (fd >= 0) {
		r = send_tree(j, fd, path, err);
	} else if (fd == -ENOTDIR) {
		uint64_t total = 0;
		auto_close int dir = file_open_parent(j, path, false, name,
						      err);

		if (dir < 0)
			return -1;
		if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return file_error(err, errno, "look at", path);
		if (!S_ISLNK(st.st_mode) &&
		    file_require_regular(st.st_mode, path, err) < 0)
			return -1;
		r = send_tree_entry(j, dir, name, name, &st, &total, err);
	} else {
		return file_error(err, fd, "open", path);
	}
	if (r < 0)
		return -1;
	ustar_add_end(&last);
	return send_bytes(j, last.data, last.len, err);
}
