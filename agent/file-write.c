/* SPDX-License-Identifier: MIT */
/* WRITE: a file beside the wanted one, which takes its place when whole. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/job.h"
#include "lib/base/fault.h"
#include "lib/base/fd.h"
#include "lib/base/kernel.h"
#include "lib/base/mem.h"

/* What has to stand there. */
struct condition {
	uint32_t kind; /* enum frame_write_if */
	uint64_t ino, size, mtime_ns;
};

/* Where a file is to go: a new one stands beside it under another name. */
struct place {
	int dir;
	const char *temp, *name, *path;
	ino_t ours;
};

static int receive_into(struct job *j, int fd, const char *path,
			struct svm_err *err)
{
	struct frame f;
	int r;

	while ((r = job_receive(j, &f, err)) > 0) {
		int e = fd_write_full(fd, f.payload, f.len);

		if (e < 0)
			return file_error(err, e, "write", path);
	}
	return r;
}

int file_check_target(int dir, const char *name, const char *path,
		      struct svm_err *err)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : file_error(err, errno, "look at",
							path);
	return S_ISLNK(st.st_mode) ? 0 :
	       file_require_regular(st.st_mode, path, err);
}

/* -- into its place */

static int exchange(const struct place *p)
{
	return syscall(SYS_renameat2, p->dir, p->temp, p->dir, p->name,
		       SVM_RENAME_EXCHANGE) < 0 ? -errno : 0;
}

static bool unsupported(int r)
{
	return r == -EINVAL || r == -ENOSYS || r == -EOPNOTSUPP;
}

static ino_t inode_of(int dir, const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ? 0 :
								  st.st_ino;
}

/* A link is never the same: what was read is what it leads to, and what would
 * be replaced is the link. */
static bool meets(const struct condition *c, int dir, const char *name)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	if (c->kind == FRAME_IF_THERE)
		return S_ISREG(st.st_mode) || S_ISLNK(st.st_mode);
	return S_ISREG(st.st_mode) && st.st_ino == c->ino &&
	       (uint64_t)st.st_size == c->size &&
	       (uint64_t)(st.st_mtim.tv_sec * INT64_C(1000000000) +
			  st.st_mtim.tv_nsec) == c->mtime_ns;
}

static int refuse(const struct condition *c, const char *path,
		  struct svm_err *err)
{
	if (c->kind == FRAME_IF_NEW)
		return svm_err_set(err, SVM_PRECONDITION,
				   "'%s' is there already", path);
	return svm_err_set(err, SVM_PRECONDITION,
			   c->kind == FRAME_IF_THERE ?
				   "'%s' is not there" :
				   "'%s' is no longer what was read", path);
}

/* The wrong file was displaced.  Back with it; and if ours was replaced in
 * the meantime, that one comes back as well, until nobody was in between:
 * what we take out is what we had put there. */
static void put_back(const struct place *p)
{
	ino_t there = p->ours, put, out;

	do {
		put = inode_of(p->dir, p->temp);
		if (exchange(p) < 0)
			return; /* it was deleted there: both go */
		out = inode_of(p->dir, p->temp);
		if (out == there)
			return;
		there = put;
	} while (out && !job_stopped());
}

/* It is compared before, so that a reader rarely sees what isn't to be; and
 * after, when what we look at is what we have replaced: of two who have read
 * the same, one wins.  A file system that can't exchange has only the first. */
static int replace_if(const struct place *p, const struct condition *c,
		      struct svm_err *err)
{
	int r;

	if (!meets(c, p->dir, p->name))
		return refuse(c, p->path, err);
	fault_point("agent.write.compare");
	r = exchange(p);
	fault_point("agent.write.exchange");
	if (r == -ENOENT)
		return refuse(c, p->path, err);
	if (unsupported(r))
		r = renameat(p->dir, p->temp, p->dir, p->name) < 0 ? -errno :
								     1;
	if (r < 0)
		return file_error(err, r, "replace", p->path);
	if (r == 0 && !meets(c, p->dir, p->temp)) {
		put_back(p);
		return refuse(c, p->path, err);
	}
	if (r == 0)
		(void)unlinkat(p->dir, p->temp, 0);
	return 0;
}

static int make_new(const struct place *p, const struct condition *c,
		    struct svm_err *err)
{
	int r = syscall(SYS_renameat2, p->dir, p->temp, p->dir, p->name,
			SVM_RENAME_NOREPLACE) < 0 ? -errno : 0;

	if (unsupported(r)) {
		r = linkat(p->dir, p->temp, p->dir, p->name, 0) < 0 ? -errno :
								      0;
		if (r == 0)
			(void)unlinkat(p->dir, p->temp, 0);
	}
	if (r == -EEXIST)
		return refuse(c, p->path, err);
	return r < 0 ? file_error(err, r, "make", p->path) : 0;
}

/* One worker at a time: two that put back would put back each other's.  The
 * lock goes with the process. */
static int replace_in_turn(struct job *j, const struct place *p,
			   const struct condition *c, struct svm_err *err)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int r;

	if (j->turn >= 0 && fcntl(j->turn, F_SETLKW, &lock) < 0)
		return file_error(err, errno, "replace", p->path);
	r = replace_if(p, c, err);
	lock.l_type = F_UNLCK;
	if (j->turn >= 0)
		(void)fcntl(j->turn, F_SETLK, &lock);
	return r;
}

static int put_in_place(struct job *j, const struct place *p,
			const struct condition *c, struct svm_err *err)
{
	switch (c->kind) {
	case FRAME_IF_SAME:
	case FRAME_IF_THERE:
		return replace_in_turn(j, p, c, err);
	case FRAME_IF_NEW:
		return make_new(p, c, err);
	default:
		return renameat(p->dir, p->temp, p->dir, p->name) < 0 ?
			       file_error(err, errno, "replace", p->path) : 0;
	}
}

/* -- the operation */

static int write_to(struct job *j, int dir, const char *name,
		    const char *path, uint32_t mode,
		    const struct condition *c, struct svm_err *err)
{
	char temp[FILE_NAME_MAX + 1];
	struct stat st = { 0 };
	auto_close int fd = file_temporary(dir, temp);

	if (fd < 0)
		return file_error(err, fd, "write", path);
	int r = receive_into(j, fd, path, err);
	fault_point("agent.write.temp");
	if (r == 0 && (fchmod(fd, mode & 0777) < 0 || fstat(fd, &st) < 0))
		r = file_error(err, errno, "set the mode of", path);
	if (r == 0)
		r = put_in_place(j, &(struct place){ dir, temp, name, path,
						     st.st_ino }, c, err);
	if (r < 0)
		(void)unlinkat(dir, temp, 0);
	fault_point("agent.write.rename");
	return r < 0 ? -1 : file_send(j, path, &st, (uint64_t)st.st_size, err);
}

static int write_when(struct job *j, const char *path, uint32_t mode,
		      const struct condition *c, struct svm_err *err)
{
	char name[FILE_NAME_MAX + 1];

	if (path[strlen(path) - 1] == '/')
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "'%s' names a directory", path);
	auto_close int dir = file_open_parent(j, path, true, name, err);
	if (dir < 0 || file_check_target(dir, name, path, err) < 0)
		return -1;
	/* In vain, however much is to come. */
	if (c->kind == FRAME_IF_NEW && inode_of(dir, name))
		return refuse(c, path, err);
	return write_to(j, dir, name, path, mode, c, err);
}

int file_write(struct job *j, struct msg_reader *m, struct buf *end,
	       struct svm_err *err)
{
	static const struct condition any = { .kind = FRAME_IF_ANY };
	auto_free char *path = file_path(m, err);
	uint32_t mode = msg_u32(m);

	(void)end;
	(void)msg_u32(m); /* flags: none yet */
	if (!path)
		return -1;
	return msg_ok(m) ? write_when(j, path, mode, &any, err) :
			   job_malformed(err);
}

int file_write_if(struct job *j, struct msg_reader *m, struct buf *end,
		  struct svm_err *err)
{
	auto_free char *path = file_path(m, err);
	uint32_t mode = msg_u32(m);
	struct condition c;

	(void)end;
	(void)msg_u32(m);
	c.kind = msg_u32(m);
	c.ino = msg_u64(m);
	c.size = msg_u64(m);
	c.mtime_ns = msg_u64(m);
	if (!path)
		return -1;
	return msg_ok(m) && c.kind < FRAME_IF_MAX ?
		       write_when(j, path, mode, &c, err) : job_malformed(err);
}
