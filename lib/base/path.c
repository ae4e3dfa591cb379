/* SPDX-License-Identifier: MIT */
/* Paths as text, and directories of our own.  See path.h. */
#include "lib/base/path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "lib/base/mem.h"

int path_validate(const char *path, size_t n, struct svm_err *err)
{
	size_t component = 0;

	if (!n)
		return svm_err_set(err, SVM_BAD_REQUEST, "the path is empty");
	if (n > 4096)
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "the path has %zu bytes, at most 4096 are "
				   "allowed", n);
	if (path[0] != '/')
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "the path must be absolute");
	for (size_t i = 0; i < n; i++) {
		if (!path[i])
			return svm_err_set(err, SVM_BAD_REQUEST,
					   "the path holds a NUL byte");
		component = path[i] == '/' ? 0 : component + 1;
		if (component > 255)
			return svm_err_set(err, SVM_BAD_REQUEST,
					   "a component of the path is longer "
					   "than 255 bytes");
	}
	return 0;
}

char *path_join(const char *dir, const char *name)
{
	size_t n = strlen(dir);

	return xasprintf("%s%s%s", dir, n && dir[n - 1] == '/' ? "" : "/",
			 name);
}

static int make_parents(char *path, mode_t mode)
{
	for (char *p = path + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		int r = mkdir(path, mode);
		*p = '/';
		if (r < 0 && errno != EEXIST && errno != EROFS &&
		    errno != EACCES)
			return -errno;
	}
	return 0;
}

int path_make_private_dir(const char *path, mode_t mode, struct svm_err *err)
{
	auto_free char *copy = xstrdup(path);
	struct stat st;

	if (path[0] != '/' || !path[1])
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "'%s' is not an absolute path", path);
	int r = make_parents(copy, 0700);
	if (r == 0 && mkdir(path, mode) < 0 && errno != EEXIST)
		r = -errno;
	if (r == 0 && lstat(path, &st) < 0)
		r = -errno;
	if (r < 0)
		return svm_err_sys(err, SVM_UNAVAILABLE, r,
				   "can't make the directory '%s'", path);
	if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() ||
	    (st.st_mode & 0777 & ~mode)) {
		svm_err_set(err, SVM_UNAVAILABLE,
			    "'%s' must be a directory of uid %u with mode "
			    "%04o", path, (unsigned)geteuid(), (unsigned)mode);
		return svm_err_hint(err, "chmod %o '%s', or remove it",
				    (unsigned)mode, path);
	}
	return 0;
}

/* Remove what is in the directory fd (owned) without recursion on the stack
 * deeper than it must: names only, one fd per level, bounded by PATH_MAX/2. */
static int empty_dir(int fd, dev_t dev, unsigned depth)
{
	DIR *d = fdopendir(fd);
	int r = 0;

	if (!d) {
		fd_close(fd);
		return -errno;
	}
	for (struct dirent *e; r == 0 && (e = readdir(d));) {
		struct stat st;

		if (strcmp(e->d_name, ".") == 0 ||
		    strcmp(e->d_name, "..") == 0)
			continue;
		if (fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
			r = errno == ENOENT ? 0 : -errno;
			continue;
		}
		bool dir = S_ISDIR(st.st_mode);
		if (dir && st.st_dev != dev) {
			r = -EXDEV;
		} else if (dir && depth == 0) {
			r = -ELOOP;
		} else if (dir) {
			int kid = openat(dirfd(d), e->d_name,
					 O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
						 O_CLOEXEC);

			if (kid < 0 && errno == EACCES &&
			    fchmodat(dirfd(d), e->d_name, 0700, 0) == 0)
				kid = openat(dirfd(d), e->d_name,
					     O_RDONLY | O_DIRECTORY |
						     O_NOFOLLOW | O_CLOEXEC);
			r = kid < 0 ? -errno : empty_dir(kid, dev, depth - 1);
		}
		if (r == 0 && unlinkat(dirfd(d), e->d_name,
				       dir ? AT_REMOVEDIR : 0) < 0 &&
		    errno != ENOENT)
			r = -errno;
	}
	closedir(d);
	return r;
}

int path_remove_tree(int dirfd, const char *name)
{
	struct stat st;

	if (!*name || strchr(name, '/') || strcmp(name, ".") == 0 ||
	    strcmp(name, "..") == 0)
		return -EINVAL;
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISDIR(st.st_mode))
		return unlinkat(dirfd, name, 0) < 0 ? -errno : 0;
	int fd = openat(dirfd, name,
			O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int r = empty_dir(fd, st.st_dev, 512);
	if (r == 0 && unlinkat(dirfd, name, AT_REMOVEDIR) < 0)
		r = -errno;
	return r;
}
