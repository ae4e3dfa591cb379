/* SPDX-License-Identifier: MIT */
/* MOVE and DELETE: what changes whole trees. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/job.h"
#include "lib/base/fd.h"
#include "lib/base/kernel.h"
#include "lib/base/mem.h"
#include "lib/base/path.h"

static int rename_at(int from, const char *name, int to, const char *other,
		     unsigned flags)
{
	return syscall(SYS_renameat2, from, name, to, other, flags) < 0 ?
		       -errno : 0;
}

/* Where the file system can't be told not to replace: another name for the
 * same file is never in the place of one.  A directory takes none but that of
 * an empty one. */
static int link_at(int from, const char *name, int to, const char *other)
{
	struct stat st;

	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return rename_at(from, name, to, other, 0);
	if (linkat(from, name, to, other, 0) < 0)
		return -errno;
	return unlinkat(from, name, 0) < 0 ? -errno : 0;
}

/* Never onto a directory. */
int file_rename(int from, const char *name, int to, const char *other,
		bool over)
{
	struct stat st;
	int r = rename_at(from, name, to, other, SVM_RENAME_NOREPLACE);

	if (!over && r == -EINVAL)
		return link_at(from, name, to, other);
	if (!over || (r != -EEXIST && r != -EINVAL))
		return r;
	if (fstatat(to, other, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISDIR(st.st_mode))
		return r == -EINVAL ? r : -EEXIST;
	return rename_at(from, name, to, other, 0);
}

/* struct statx, as far as we look. */
struct mount_statx {
	uint32_t mask, blksize;
	uint64_t attributes;
	unsigned char rest[240];
};
#define ATTR_MOUNT_ROOT 0x2000 /* STATX_ATTR_MOUNT_ROOT, 5.8 */

static bool is_mount_point(int dir, const char *name)
{
	struct mount_statx s = { 0 };

	return syscall(SYS_statx, dir, name, AT_SYMLINK_NOFOLLOW, 0, &s) == 0 &&
	       (s.attributes & ATTR_MOUNT_ROOT);
}

static bool is_there(int to, const char *name, struct stat *ret)
{
	return fstatat(to, name, ret, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Something is there: a directory is never replaced, and takes no file's
 * place, whoever asks. */
static int refuse(int to, const char *name, const char *path, mode_t moved,
		  bool over, struct svm_err *err)
{
	struct stat st;
	bool there = is_there(to, name, &st);

	if (there && S_ISDIR(st.st_mode))
		return svm_err_set(err, SVM_CONFLICT,
				   "'%s' is a directory that exists already",
				   path);
	if (there && over && S_ISDIR(moved))
		return file_error(err, ENOTDIR, "replace", path);
	return svm_err_set(err, SVM_PRECONDITION, "'%s' is there already",
			   path);
}

static int move(struct job *j, struct msg_reader *m, bool over,
		struct svm_err *err)
{
	auto_free char *path = file_path(m, err);
	auto_free char *to_path = path ? file_path(m, err) : NULL;
	char name[FILE_NAME_MAX + 1], to_name[FILE_NAME_MAX + 1];
	struct stat st, there;

	if (!path || !to_path)
		return -1;
	auto_close int from = file_open_parent(j, path, false, name, err);
	if (from < 0)
		return -1;
	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return file_error(err, errno, "move", path);
	auto_close int to = file_open_parent(j, to_path, true, to_name, err);
	if (to < 0)
		return -1;
	/* In vain, however large it is. */
	if (!over && is_there(to, to_name, &there))
		return refuse(to, to_name, to_path, st.st_mode, over, err);
	int r = file_rename(from, name, to, to_name, over);
	if (r == -EXDEV && !is_mount_point(from, name))
		r = file_move_copy(from, name, st.st_mode, to, to_name, over);
	if (r == -EEXIST)
		return refuse(to, to_name, to_path, st.st_mode, over, err);
	return r < 0 ? file_error(err, r, "move", path) : 0;
}

int file_move(struct job *j, struct msg_reader *m, struct buf *end,
	      struct svm_err *err)
{
	(void)end;
	return move(j, m, true, err);
}

int file_move_new(struct job *j, struct msg_reader *m, struct buf *end,
		  struct svm_err *err)
{
	(void)end;
	return move(j, m, false, err);
}

static int delete_entry(int dir, const char *name, bool recursive)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (is_mount_point(dir, name))
		return -EBUSY;
	if (S_ISDIR(st.st_mode) && recursive)
		return path_remove_tree(dir, name);
	return unlinkat(dir, name, S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0) < 0 ?
		       -errno : 0;
}

int file_delete(struct job *j, struct msg_reader *m, struct buf *end,
		struct svm_err *err)
{
	auto_free char *path = file_path(m, err);
	uint32_t flags = msg_u32(m);
	char name[FILE_NAME_MAX + 1];

	if (!path)
		return -1;
	if (!msg_ok(m))
		return job_malformed(err);
	auto_err struct svm_err missing = SVM_ERR_INIT;
	auto_close int dir = file_open_parent(j, path, false, name, &missing);
	if (dir < 0 && missing.code == SVM_FILE_NOT_FOUND) {
		msg_add_u32(end, 0);
		return 0;
	}
	if (dir < 0)
		return svm_err_move(err, &missing);
	int r = delete_entry(dir, name, flags & 1);
	msg_add_u32(end, r == 0);
	return r == 0 || r == -ENOENT ? 0 : file_error(err, r, "delete", path);
}
