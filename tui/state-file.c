/* SPDX-License-Identifier: MIT */
/* Files that dashboards share.  See state-file.h. */
#include "tui/state-file.h"

#include <errno.h>
#include <fcntl.h>

#include "lib/api/dirs.h"
#include "lib/api/limits.h"
#include "lib/base/fd.h"
#include "lib/base/lock.h"
#include "lib/base/mem.h"
#include "lib/base/path.h"

int state_file_read(const char *name, size_t max, struct buf *text,
		    struct svm_err *err)
{
	struct dirs d;

	dirs_init(&d);
	auto_free char *path = path_join(d.state, name);
	int r = fd_slurp_file(AT_FDCWD, path, max, text);

	dirs_release(&d);
	if (r == -EINVAL)
		return svm_err_set(err, SVM_INTERNAL,
				   "%s is not a regular file", path);
	if (r == -EPERM)
		return svm_err_set(err, SVM_INTERNAL, "%s belongs to somebody "
				   "else, or all may write it", path);
	return r < 0 && r != -ENOENT ?
		       svm_err_sys(err, SVM_INTERNAL, r, "can't read %s",
				   path) : 0;
}

/* A descriptor that holds the lock. */
static int lock(const char *dir, struct svm_err *err)
{
	auto_close int fd = -1;

	if (path_make_private_dir(dir, 0700, err) < 0)
		return -1;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return svm_err_sys(err, SVM_INTERNAL, errno, "can't open %s",
				   dir);
	int r = lock_within(fd, LIMIT_LOCK_MS);

	if (r == -EWOULDBLOCK)
		return svm_err_set(err, SVM_INTERNAL,
				   "another program holds a lock on '%s'", dir);
	return r < 0 ? svm_err_sys(err, SVM_INTERNAL, r, "can't lock %s",
				   dir) : steal_fd(&fd);
}

static int replace(const char *path, size_t max, state_file_fn *fn,
		   void *data, struct svm_err *err)
{
	auto_buf struct buf old = BUF_INIT, next = BUF_INIT;

	if (fd_slurp_file(AT_FDCWD, path, max, &old) < 0)
		buf_clear(&old);
	if (fn(data, &old, &next, err) < 0)
		return -1;
	int r = fd_replace_path(AT_FDCWD, path, buf_str(&next), next.len,
				0600);

	return r < 0 ? svm_err_sys(err, SVM_INTERNAL, r, "can't write %s",
				   path) : 0;
}

int state_file_change(const char *name, size_t max, state_file_fn *fn,
		      void *data, struct svm_err *err)
{
	struct dirs d;

	dirs_init(&d);
	auto_free char *path = path_join(d.state, name);
	auto_close int held = lock(d.state, err);
	int r = held < 0 ? -1 : replace(path, max, fn, data, err);

	dirs_release(&d);
	return r;
}
