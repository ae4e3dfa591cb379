/* SPDX-License-Identifier: MIT */
/*
 * A tar stream from a sandbox into a directory of ours.  See pack.h.
 *
 * Every component of a path is opened with O_NOFOLLOW, so a link that an
 * earlier entry made leads nowhere; files are created new, an existing one is
 * removed first and never written through.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/pack.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"

void unpack_init(struct unpack *u, int dirfd, const char *strip)
{
	*u = (struct unpack){ .dirfd = dirfd, .strip = strip, .fd = -1 };
}


static bool has_dotdot(const char *path)
{
	while (*path) {
		size_t n = strcspn(path, "/");

		if (n == 2 && strncmp(path, "..", 2) == 0)
			return true;
		path += n + (path[n] == '/');
	}
	return false;
}

/* Without leading "./" and "/", the stripped component and a final slash;
 * "" is the directory itself.  NULL for what can't be meant well. */
static char *clean_path(const struct unpack *u, const char *path)
{
	size_t strip = u->strip ? strlen(u->strip) : 0;

	if (has_dotdot(path))
		return NULL;
	for (;;) {
		if (path[0] == '/')
			path++;
		else if (path[0] == '.' && (path[1] == '/' || !path[1]))
			path += path[1] ? 2 : 1;
		else
			break;
	}
	if (strip && strncmp(path, u->strip, strip) == 0 &&
	    (path[strip] == '/' || !path[strip]))
		path += strip + (path[strip] == '/');
	char *clean = xstrdup(path);
	size_t n = strlen(clean);

	while (n && clean[n - 1] == '/')
		clean[--n] = '\0';
	return clean;
}

/* Open the parent of path component by component, never through a link,
 * making what is missing.  *ret_name is the last component, inside path. */
static int open_parent(int dirfd, char *path, const char **ret_name)
{
	const int flags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(dirfd, ".", flags);

	while (fd >= 0) {
		size_t n = strcspn(path, "/");

		if (!path[n])
			break;
		path[n] = '\0';
		int up = fd;

		fd = openat(up, path, flags);
		if (fd < 0 && errno == ENOENT && mkdirat(up, path, 0777) == 0)
			fd = openat(up, path, flags);
		fd_close(up);
		path += n + 1;
		path += strspn(path, "/");
	}
	*ret_name = path;
	return fd < 0 ? -errno : fd;
}

static int make_dir(int parent, const char *name, mode_t mode)
{
	struct stat st;

	if (mkdirat(parent, name, (mode & 0777) | 0700) == 0)
		return 0;
	if (errno != EEXIST ||
	    fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

static int make_hardlink(struct unpack *u, const char *link, int parent,
			 const char *name)
{
	auto_free char *source = link ? clean_path(u, link) : NULL;
	const char *source_name;
	char proc[40];

	if (!source || !source[0])
		return -EINVAL;
	auto_close int up = open_parent(u->dirfd, source, &source_name);
	auto_close int fd = up < 0 ? -1 :
				     openat(up, source_name,
					    O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return up < 0 ? up : -errno;
	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	return linkat(AT_FDCWD, proc, parent, name, AT_SYMLINK_FOLLOW) < 0 ?
		       -errno : 0;
}

static int make_entry(struct unpack *u, int parent, const char *name)
{
	const struct ustar_entry *e = &u->tar.entry;

	if (e->type == USTAR_DIR)
		return make_dir(parent, name, e->mode);
	if (unlinkat(parent, name, 0) < 0 && errno != ENOENT)
		return -errno;
	switch (e->type) {
	case USTAR_FILE:
		u->fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL |
			       O_CLOEXEC | O_NOFOLLOW, e->mode & 0777);
		return u->fd < 0 ? -errno : 0;
	case USTAR_SYMLINK:
		return symlinkat(e->target, parent, name) < 0 ? -errno : 0;
	case USTAR_HARD_LINK:
		return make_hardlink(u, e->target, parent, name);
	default: /* devices, FIFOs: not from there to here */
		u->skipped++;
		return 0;
	}
}

static int begin_entry(struct unpack *u, struct svm_err *err)
{
	auto_free char *path = clean_path(u, u->tar.entry.path);
	const char *name;

	if (!path)
		return svm_err_set(err, SVM_PROVIDER,
				   "the archive has a path that leads out of "
				   "it: '%s'", u->tar.entry.path);
	if (!path[0])
		return 0; /* the directory itself */
	auto_close int parent = open_parent(u->dirfd, path, &name);
	int r = parent < 0 ? parent : make_entry(u, parent, name);

	if (r < 0)
		return svm_err_sys(err, SVM_INTERNAL, r, "unpack '%s'",
				   u->tar.entry.path);
	return 0;
}

static int write_failed(const struct unpack *u, int r, struct svm_err *err)
{
	return svm_err_sys(err, SVM_INTERNAL, r, "write '%s'",
			   u->tar.entry.path);
}

int unpack_feed(struct unpack *u, const char *p, size_t n, struct svm_err *err)
{
	const char *data;
	size_t len;
	int r;

	for (;;) {
		switch (tar_next(&u->tar, &p, &n, &data, &len)) {
		case TAR_BAD:
			return svm_err_set(err, SVM_PROVIDER,
					   "the archive is damaged: %s",
					   u->tar.why);
		case TAR_MORE:
			return 0;
		case TAR_ENTRY:
			if (begin_entry(u, err) < 0)
				return -1;
			break;
		case TAR_DATA:
			r = u->fd < 0 ? 0 : fd_write_holes(u->fd, data, len);
			if (r < 0)
				return write_failed(u, r, err);
			break;
		case TAR_DONE:
			r = u->fd < 0 ? 0 : fd_end_holes(u->fd);
			if (r < 0)
				return write_failed(u, r, err);
			fd_close(u->fd);
			u->fd = -1;
			break;
		case TAR_END:
			u->ended = true;
			return 0;
		}
	}
}

int unpack_end(struct unpack *u, struct svm_err *err)
{
	if (u->ended)
		return 0;
	return svm_err_set(err, SVM_PROVIDER, "the archive is cut short");
}

/* A part of a file looks like the file: it doesn't stay. */
static void drop_partial(struct unpack *u)
{
	auto_free char *path = clean_path(u, u->tar.entry.path);
	const char *name;
	auto_close int parent = path && path[0] ?
					open_parent(u->dirfd, path, &name) :
					-1;
	struct stat ours, there;

	if (parent >= 0 && fstat(u->fd, &ours) == 0 &&
	    fstatat(parent, name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	    ours.st_dev == there.st_dev && ours.st_ino == there.st_ino)
		(void)unlinkat(parent, name, 0);
}

void unpack_release(struct unpack *u)
{
	if (u->fd >= 0)
		drop_partial(u);
	fd_close(u->fd);
	u->fd = -1;
	tar_reader_release(&u->tar);
}
