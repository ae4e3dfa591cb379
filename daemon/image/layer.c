/* SPDX-License-Identifier: MIT */
/*
 * One layer's tar stream into one directory.  The stream is hostile; every
 * name in it is resolved by the kernel from the layer's own root, and a parent
 * that is a symbolic link is refused rather than followed.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "daemon/image/libarchive.h"
#include "daemon/image/unpack.h"
#include "lib/api/limits.h"
#include "lib/base/fd.h"
#include "lib/base/kernel.h"
#include "lib/base/path.h"

#define WHITEOUT ".wh."
#define WHITEOUT_META ".wh..wh."
#define WHITEOUT_OPAQUE ".wh..wh..opq"
#define NOBODY 65534

/* One name of the archive: "./a//b/" is dir "a", base "b". */
struct name {
	char path[LIMIT_PATH];
	const char *base; /* in path; "" for the root itself */
	const char *dir;  /* in path or ""; NUL-terminated before base */
};

struct layer {
	int root;
	unsigned flags;
	struct unpack_budget *budget;
	struct archive *tar;
	/* Entries come directory by directory: keep the last parent open. */
	char parent[LIMIT_PATH];
	int parent_fd;
};

static int refuse(struct svm_err *err, const char *path, const char *why)
{
	return svm_err_set(err, SVM_BAD_REQUEST, "entry '%.200s': %s", path,
			   why);
}

static int fail(struct svm_err *err, const char *path, int e)
{
	if (e < 0)
		e = -e;
	if (e == EFBIG)
		return svm_err_set(err, SVM_TOO_LARGE,
				   "entry '%.200s' is too large", path);
	if (e == ENAMETOOLONG || e == ELOOP || e == ENOTDIR)
		return svm_err_sys(err, SVM_BAD_REQUEST, e, "entry '%.200s'",
				   path);
	return svm_err_sys(err, SVM_INTERNAL, e, "entry '%.200s'", path);
}

/* Copy without empty and "." components; ".." and excess are refused. */
static int name_parse(const char *raw, struct name *n, struct svm_err *err)
{
	size_t out = 0, depth = 0, base = 0;

	while (raw && *raw) {
		size_t len = strcspn(raw, "/");

		if (len == 2 && memcmp(raw, "..", 2) == 0)
			return refuse(err, raw, "'..' in a name");
		if (len > NAME_MAX)
			return refuse(err, raw, "a component is longer than "
						"255 bytes");
		if (len && !(len == 1 && *raw == '.')) {
			if (out + len + 2 > sizeof(n->path) ||
			    ++depth > LIMIT_TREE_DEPTH - 8)
				return refuse(err, raw, "the path is too "
							"long or too deep");
			if (out)
				n->path[out++] = '/';
			base = out;
			memcpy(n->path + out, raw, len);
			out += len;
		}
		raw += len;
		raw += *raw == '/';
	}
	n->path[out] = '\0';
	n->base = n->path + base;
	n->dir = "";
	if (base) {
		n->path[base - 1] = '\0';
		n->dir = n->path;
	}
	return 0;
}

static int open_beneath(int dirfd, const char *path, uint64_t flags)
{
	struct svm_open_how how = {
		.flags = flags | O_CLOEXEC,
		.resolve = SVM_RESOLVE_BENEATH | SVM_RESOLVE_NO_SYMLINKS |
			   SVM_RESOLVE_NO_MAGICLINKS | SVM_RESOLVE_NO_XDEV,
	};
	int fd = (int)syscall(SYS_openat2, dirfd, path, &how, sizeof(how));

	return fd < 0 ? -errno : fd;
}

static bool is_whiteout(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0);
}

static int set_opaque(struct layer *l, int dirfd)
{
	int r = fsetxattr(dirfd, "user.overlay.opaque", "y", 1, 0);

	/* Either is enough: root mounts without userxattr read trusted.*, and
	 * a tmpfs before 6.6 has no user attributes. */
	if ((l->flags & LAYER_TRUSTED) &&
	    fsetxattr(dirfd, "trusted.overlay.opaque", "y", 1, 0) == 0)
		r = 0;
	return r < 0 ? -errno : 0;
}

static void forget_parent(struct layer *l)
{
	fd_close(l->parent_fd);
	l->parent_fd = -1;
}

/* Make dirfd/base a directory and open it.  A whiteout that stood there means
 * that the directory hides the one below: opaque.  Anything else gives way
 * only if `replace`. */
static int make_dir(struct layer *l, int dirfd, const char *base, bool replace)
{
	struct stat st;
	bool opaque = false;

	if (fstatat(dirfd, base, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    !S_ISDIR(st.st_mode)) {
		opaque = is_whiteout(&st);
		if (!opaque && !replace)
			return S_ISLNK(st.st_mode) ? -ELOOP : -ENOTDIR;
		if (unlinkat(dirfd, base, 0) < 0)
			return -errno;
	}
	if (mkdirat(dirfd, base, 0755) < 0 && errno != EEXIST)
		return -errno;
	int fd = open_beneath(dirfd, base, O_RDONLY | O_DIRECTORY);
	int r = fd >= 0 && opaque ? set_opaque(l, fd) : 0;
	if (r < 0) {
		fd_close(fd);
		return r;
	}
	return fd;
}

/* Step by step, so that nothing is made through a link. */
static int make_parents(struct layer *l, const char *dir)
{
	char one[NAME_MAX + 1];
	int at = dup(l->root);

	if (at < 0)
		return -errno;
	while (at >= 0 && *dir) {
		size_t n = strcspn(dir, "/");

		memcpy(one, dir, n); /* name_parse() bounded it */
		one[n] = '\0';
		int next = make_dir(l, at, one, false);
		fd_close(at);
		at = next;
		dir += n;
		dir += *dir == '/';
	}
	return at;
}

/* The directory an entry lives in, made if missing; borrowed. */
static int parent_of(struct layer *l, const struct name *n)
{
	if (!*n->dir)
		return l->root;
	if (l->parent_fd >= 0 && strcmp(l->parent, n->dir) == 0)
		return l->parent_fd;
	forget_parent(l);
	int fd = open_beneath(l->root, n->dir, O_RDONLY | O_DIRECTORY);
	if (fd == -ENOENT || fd == -ENOTDIR)
		fd = make_parents(l, n->dir);
	if (fd >= 0) {
		memcpy(l->parent, n->dir, strlen(n->dir) + 1);
		l->parent_fd = fd;
	}
	return fd;
}

/* Take away what an entry replaces (the last one of a name wins). */
static int make_room(struct layer *l, int dirfd, const char *base)
{
	if (unlinkat(dirfd, base, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	if (dirfd != l->parent_fd)
		forget_parent(l); /* may be below what goes away */
	return path_remove_tree(dirfd, base);
}

static unsigned clamp_id(int64_t id)
{
	return id >= 0 && id < 65536 ? (unsigned)id : NOBODY;
}

/* Owner, permission, time: in this order, chown clears bits. */
static int set_meta(struct layer *l, struct archive_entry *e, int fd, bool dir)
{
	mode_t mode = la.archive_entry_perm(e) & (dir ? 01777u : 0777u);
	long nsec = la.archive_entry_mtime_nsec(e);
	struct timespec times[2] = {
		{ .tv_nsec = UTIME_OMIT },
		{ .tv_sec = la.archive_entry_mtime(e),
		  .tv_nsec = nsec >= 0 && nsec < 1000000000 ? nsec : 0 },
	};

	if ((l->flags & LAYER_CHOWN) &&
	    fchown(fd, clamp_id(la.archive_entry_uid(e)),
		   clamp_id(la.archive_entry_gid(e))) < 0)
		return -errno;
	/* With one id we must be able to remove it again. */
	if (dir && !(l->flags & LAYER_CHOWN))
		mode |= 0700;
	if (fchmod(fd, mode) < 0)
		return -errno;
	if (!dir && la.archive_entry_mtime_is_set(e) &&
	    futimens(fd, times) < 0 && errno != EINVAL)
		return -errno;
	return 0;
}

static int put_dir(struct layer *l, struct archive_entry *e,
		   const struct name *n, int dirfd)
{
	auto_close int fd = *n->base ? make_dir(l, dirfd, n->base, true) :
				       dup(l->root);

	return fd < 0 ? fd : set_meta(l, e, fd, true);
}

static int write_all(int fd, const char *p, size_t n, off_t at)
{
	while (n) {
		ssize_t done = pwrite(fd, p, n, at);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		p += done;
		at += done;
		n -= (size_t)done;
	}
	return 0;
}

static int copy_data(struct layer *l, int fd, const char *path, int64_t size,
		     struct svm_err *err)
{
	const void *p;
	size_t n;
	int64_t at;
	int r;

	while ((r = la.archive_read_data_block(l->tar, &p, &n, &at)) ==
	       ARCHIVE_OK) {
		if (at < 0 || at > size || n > (uint64_t)(size - at))
			return refuse(err, path, "more data than its size");
		int w = write_all(fd, p, n, at);
		if (w < 0)
			return fail(err, path, w);
	}
	if (r != ARCHIVE_EOF)
		return svm_err_set(err, SVM_BAD_REQUEST, "entry '%.200s': %s",
				   path, la.archive_error_string(l->tar));
	/* What was sparse at the end. */
	return ftruncate(fd, size) < 0 ? fail(err, path, errno) : 0;
}

static int put_file(struct layer *l, struct archive_entry *e,
		    const struct name *n, int dirfd, struct svm_err *err)
{
	int64_t size = la.archive_entry_size_is_set(e) ?
			       la.archive_entry_size(e) : 0;
	struct unpack_budget *b = l->budget;

	/* A hole counts in full: reading it back costs as much. */
	if (size < 0 || (uint64_t)size > b->max_bytes - b->bytes)
		return svm_err_set(err, SVM_TOO_LARGE,
				   "entry '%.200s': the image is larger than "
				   "%llu bytes", n->base,
				   (unsigned long long)b->max_bytes);
	b->bytes += (uint64_t)size;
	int r = make_room(l, dirfd, n->base);
	if (r < 0)
		return fail(err, n->base, r);
	auto_close int fd = openat(dirfd, n->base,
				   O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
					   O_CLOEXEC, 0600);
	if (fd < 0)
		return fail(err, n->base, errno);
	if (copy_data(l, fd, n->base, size, err) < 0)
		return -1;
	r = set_meta(l, e, fd, false);
	return r < 0 ? fail(err, n->base, r) : 0;
}

static int put_symlink(struct layer *l, struct archive_entry *e,
		       const struct name *n, int dirfd)
{
	const char *target = la.archive_entry_symlink(e);

	if (!target || !*target)
		return -ENAMETOOLONG;
	int r = make_room(l, dirfd, n->base);
	if (r < 0)
		return r;
	if (symlinkat(target, dirfd, n->base) < 0)
		return -errno;
	if ((l->flags & LAYER_CHOWN) &&
	    fchownat(dirfd, n->base, clamp_id(la.archive_entry_uid(e)),
		     clamp_id(la.archive_entry_gid(e)),
		     AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return 0;
}

/* The target must be a file of this very layer. */
static int put_hardlink(struct layer *l, struct archive_entry *e,
			const struct name *n, int dirfd, struct svm_err *err)
{
	struct name to;
	struct stat target, old;

	if (name_parse(la.archive_entry_hardlink(e), &to, err) < 0)
		return -1;
	auto_close int todir = *to.dir ? open_beneath(l->root, to.dir,
						      O_PATH | O_DIRECTORY) :
					 dup(l->root);
	if (todir < 0 || !*to.base ||
	    fstatat(todir, to.base, &target, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !(S_ISREG(target.st_mode) || S_ISLNK(target.st_mode)))
		return refuse(err, n->base, "a hard link to what is no file "
					    "of this layer");
	if (fstatat(dirfd, n->base, &old, AT_SYMLINK_NOFOLLOW) == 0 &&
	    old.st_ino == target.st_ino && old.st_dev == target.st_dev)
		return 0; /* to itself */
	int r = make_room(l, dirfd, n->base);
	if (r == 0 && linkat(todir, to.base, dirfd, n->base, 0) < 0)
		r = -errno;
	if (r == -ENOENT) /* the target was below what made room */
		return refuse(err, n->base, "a hard link that replaces its "
					    "own target");
	return r < 0 ? fail(err, n->base, r) : 0;
}

static int put_opaque(struct layer *l, const struct name *n)
{
	int dirfd = parent_of(l, n);

	return dirfd < 0 ? dirfd : set_opaque(l, dirfd);
}

/* ".wh.x" hides x of the layers below, never what this layer brings. */
static int put_whiteout(struct layer *l, const struct name *n, int dirfd)
{
	const char *hidden = n->base + strlen(WHITEOUT);
	struct stat st;

	if (!*hidden || strcmp(hidden, ".") == 0 || strcmp(hidden, "..") == 0)
		return -ENOTDIR;
	if (fstatat(dirfd, hidden, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		if (!S_ISDIR(st.st_mode))
			return 0;
		auto_close int fd = open_beneath(dirfd, hidden,
						 O_RDONLY | O_DIRECTORY);
		return fd < 0 ? fd : set_opaque(l, fd);
	}
	/* Allowed without privilege since Linux 5.8. */
	return mknodat(dirfd, hidden, S_IFCHR, makedev(0, 0)) < 0 ? -errno : 0;
}

static int put_fifo(struct layer *l, struct archive_entry *e,
		    const struct name *n, int dirfd)
{
	int r = make_room(l, dirfd, n->base);

	if (r < 0)
		return r;
	return mknodat(dirfd, n->base,
		       S_IFIFO | (la.archive_entry_perm(e) & 0777), 0) < 0 ?
		       -errno : 0;
}

static int put_entry(struct layer *l, struct archive_entry *e,
		     const struct name *n, struct svm_err *err)
{
	unsigned type = la.archive_entry_filetype(e);
	bool hard = la.archive_entry_hardlink(e) != NULL;
	int dirfd, r = 0;

	if (strcmp(n->base, WHITEOUT_OPAQUE) == 0) {
		r = put_opaque(l, n);
		return r < 0 ? fail(err, n->base, r) : 0;
	}
	if (strncmp(n->base, WHITEOUT_META, strlen(WHITEOUT_META)) == 0)
		return 0; /* aufs left-overs */
	if (!*n->base && type != AE_IFDIR)
		return refuse(err, ".", "the root must be a directory");
	dirfd = parent_of(l, n);
	if (dirfd == -ELOOP || dirfd == -ENOTDIR)
		return refuse(err, n->base, "its parent is a link or a file");
	if (dirfd < 0)
		return fail(err, n->base, dirfd);
	if (hard)
		return put_hardlink(l, e, n, dirfd, err);
	if (strncmp(n->base, WHITEOUT, strlen(WHITEOUT)) == 0)
		r = put_whiteout(l, n, dirfd);
	else if (type == AE_IFREG)
		return put_file(l, e, n, dirfd, err);
	else if (type == AE_IFDIR)
		r = put_dir(l, e, n, dirfd);
	else if (type == AE_IFLNK)
		r = put_symlink(l, e, n, dirfd);
	else if (type == AE_IFIFO)
		r = put_fifo(l, e, n, dirfd);
	/* Devices and sockets are left out: /dev is made for each sandbox. */
	return r < 0 ? fail(err, n->base, r) : 0;
}

static int each_entry(struct layer *l, struct svm_err *err)
{
	struct archive_entry *e;
	struct name n;
	int r;

	/* WARN: a name that is no valid text; its bytes are kept. */
	while ((r = la.archive_read_next_header(l->tar, &e)) == ARCHIVE_OK ||
	       r == ARCHIVE_WARN) {
		if (++l->budget->entries > l->budget->max_entries)
			return svm_err_set(err, SVM_TOO_LARGE,
					   "the image has more than %llu "
					   "entries", (unsigned long long)
					   l->budget->max_entries);
		if (name_parse(la.archive_entry_pathname(e), &n, err) < 0 ||
		    put_entry(l, e, &n, err) < 0)
			return -1;
	}
	if (r == ARCHIVE_EOF)
		return 0;
	return svm_err_set(err, SVM_BAD_REQUEST, "not a whole tar archive: %s",
			   la.archive_error_string(l->tar));
}

int layer_unpack(struct archive *tar, int rootfd, unsigned flags,
		 struct unpack_budget *budget, struct svm_err *err)
{
	struct layer l = { .root = rootfd, .flags = flags, .budget = budget,
			   .tar = tar, .parent_fd = -1 };
	int r = each_entry(&l, err);

	forget_parent(&l);
	return r;
}
