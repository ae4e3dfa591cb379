/* SPDX-License-Identifier: MIT */
/* Paths as text, and directories of our own.  See path.h. */
#include "lib/base/path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
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

/* *ret_n: the length of the one that failed. */
static int make_parents(char *path, mode_t mode, size_t *ret_n)
{
	struct stat st;

	for (char *p = path + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		int r = mkdir(path, mode) < 0 ? -errno : 0;
		/* What is there may be where nothing can be made. */
		if (r < 0 && stat(path, &st) == 0)
			r = S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
		*p = '/';
		if (r < 0) {
			*ret_n = (size_t)(p - path);
			return r;
		}
	}
	return 0;
}

int path_make_private_dir(const char *path, mode_t mode, struct svm_err *err)
{
	auto_free char *copy = xstrdup(path);
	struct stat st;

	/* lstat("link/") would follow the link. */
	for (size_t n = strlen(copy); n > 1 && copy[n - 1] == '/'; n--)
		copy[n - 1] = '\0';
	path = copy;
	if (path[0] != '/' || !path[1])
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "'%s' is not an absolute path", path);
	size_t n = strlen(path);
	int r = make_parents(copy, 0700, &n);
	if (r == 0 && mkdir(path, mode) < 0 && errno != EEXIST)
		r = -errno;
	if (r == 0 && lstat(path, &st) < 0)
		r = -errno;
	if (r < 0)
		return svm_err_sys(err, SVM_UNAVAILABLE, r,
				   "can't make the directory '%.*s'%s%s%s",
				   (int)n, path, path[n] ? " for '" : "",
				   path[n] ? path : "", path[n] ? "'" : "");
	if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() ||
	    (st.st_mode & 0777 & ~mode))
		return svm_err_set(err, SVM_UNAVAILABLE,
				   "'%s' must be a directory of uid %u with "
				   "mode %04o", path, (unsigned)geteuid(),
				   (unsigned)mode);
	return 0;
}

/*
 * Removing a tree that somebody else made: its depth has no limit, so neither
 * the stack nor the descriptors may follow it.  Below REMOVE_DEPTH levels a
 * directory is moved up into the top one and waits there for its turn.
 */
#define REMOVE_DEPTH 32

struct removal {
	int top;        /* the directory things are moved to */
	dev_t dev;      /* a mount below is somebody else's */
	unsigned moved; /* how many so far: their names */
};

/* Open a directory for emptying, never through a link.  One that its owner
 * locked (mode 0) is unlocked through its own descriptor: a path could be
 * swapped for a link meanwhile. */
static int open_to_empty(int dirfd, const char *name, const struct stat *st)
{
	const int flags = O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	char link[40];

	if ((st->st_mode & S_IRWXU) == S_IRWXU) {
		int fd = openat(dirfd, name, flags | O_RDONLY);

		return fd < 0 ? -errno : fd;
	}
	auto_close int fd = openat(dirfd, name, flags | O_PATH);
	if (fd < 0)
		return -errno;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	if (chmod(link, 0700) < 0)
		return -errno;
	int open_fd = openat(fd, ".", flags | O_RDONLY);
	return open_fd < 0 ? -errno : open_fd;
}

static int empty_dir(struct removal *r, int fd, unsigned depth);

static int remove_entry(struct removal *r, int dirfd, const char *name,
			unsigned depth)
{
	struct stat st;
	char up[32];

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISDIR(st.st_mode)) {
		if (unlinkat(dirfd, name, 0) < 0 && errno != ENOENT)
			return -errno;
		return 0;
	}
	if (st.st_dev != r->dev)
		return -EXDEV;
	int fd = open_to_empty(dirfd, name, &st);
	if (fd < 0)
		return fd;
	if (depth == REMOVE_DEPTH) {
		fd_close(fd);
		/* A name of the tree's own may be in the way. */
		do {
			snprintf(up, sizeof(up), ".removed-%u", r->moved++);
			if (renameat(dirfd, name, r->top, up) == 0)
				return 0;
		} while (errno == EEXIST || errno == ENOTEMPTY ||
			 errno == ENOTDIR);
		return -errno;
	}
	int e = empty_dir(r, fd, depth + 1);
	if (e == 0 && unlinkat(dirfd, name, AT_REMOVEDIR) < 0 &&
	    errno != ENOENT)
		e = -errno;
	return e;
}

/* Takes fd. */
static int empty_dir(struct removal *r, int fd, unsigned depth)
{
	DIR *d = fdopendir(fd);
	int e = 0;

	if (!d) {
		e = -errno;
		fd_close(fd);
		return e;
	}
	/* What was moved up while we read may have been missed: again, until
	 * a pass moves nothing more. */
	for (unsigned before = r->moved + 1; e == 0 && before != r->moved;) {
		struct dirent *entry;

		before = r->moved;
		rewinddir(d);
		while (e == 0 && (entry = readdir(d)))
			if (strcmp(entry->d_name, ".") != 0 &&
			    strcmp(entry->d_name, "..") != 0)
				e = remove_entry(r, dirfd(d), entry->d_name,
						 depth);
		if (depth)
			break;
	}
	closedir(d);
	return e;
}

int path_remove_tree(int dirfd, const char *name)
{
	struct removal r = { 0 };
	struct stat st;

	if (!*name || strchr(name, '/') || strcmp(name, ".") == 0 ||
	    strcmp(name, "..") == 0)
		return -EINVAL;
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISDIR(st.st_mode))
		return unlinkat(dirfd, name, 0) < 0 ? -errno : 0;
	int fd = open_to_empty(dirfd, name, &st);
	if (fd < 0)
		return fd;
	r.dev = st.st_dev;
	r.top = fd;
	int e = empty_dir(&r, fd, 0);
	if (e == 0 && unlinkat(dirfd, name, AT_REMOVEDIR) < 0)
		e = -errno;
	return e;
}
