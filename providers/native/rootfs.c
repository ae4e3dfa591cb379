/* SPDX-License-Identifier: MIT */
/*
 * The file system of a box, built by the clone itself inside its own mount
 * namespace, so that nothing of it needs undoing on the host.
 *
 * One tmpfs with the disk and inode quota is everything that can be written.
 * For `host` the root is a directory of it; for layers it holds the upper
 * directory of an overlay.  An image may hold hostile links (/dev ->
 * /somewhere), so every mount point is resolved relative to the new root, and
 * mounts happen on "." of the directory found or by name inside a tree that is
 * ours.
 */
#include "providers/native/child.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "lib/base/kernel.h"
#include "providers/native/rootfs.h"

#define OWNED 1u /* by the sandbox's user */

struct dir_entry {
	const char *path;
	mode_t mode;
	unsigned flags;
};

/* Made in every root; /workspace, /app and HOME belong to the user. */
static const struct dir_entry common_dirs[] = {
	{ "proc", 0555, 0 },      { "dev", 0755, 0 },
	{ "tmp", 01777, 0 },      { "workspace", 0755, OWNED },
	{ "app", 0755, OWNED },   { "home", 0755, 0 },
	{ "home/user", 0700, OWNED }, { "etc", 0755, 0 },
};

static const struct dir_entry host_dirs[] = {
	{ "usr", 0755, 0 },     { "root", 0700, 0 },
	{ "run", 0755, 0 },     { "var", 0755, 0 },
	{ "var/tmp", 01777, 0 }, { "var/log", 0755, 0 },
	{ "var/cache", 0755, 0 }, { "var/lib", 0755, 0 },
	{ "opt", 0755, 0 },     { "mnt", 0755, 0 },
};

int rootfs_open(int root, const char *path, uint64_t flags)
{
	struct svm_open_how how = {
		.flags = flags | O_CLOEXEC,
		.resolve = SVM_RESOLVE_IN_ROOT | SVM_RESOLVE_NO_MAGICLINKS,
	};
	long fd;

	do {
		fd = syscall(SYS_openat2, root, path, &how, sizeof(how));
	} while (fd < 0 && (errno == EINTR || errno == EAGAIN));
	return fd < 0 ? -errno : (int)fd;
}

/* The directory `path` (relative, no "..") inside root, made when missing.  A
 * dangling link in an image's place for it is replaced; what will be given to
 * the user must be a directory and no link to one (/app -> /etc). */
static int make_dir(const struct child *c, int root,
		    const struct dir_entry *d)
{
	char parent[64];
	const char *slash = strrchr(d->path, '/');
	const char *name = slash ? slash + 1 : d->path;
	int fd;

	snprintf(parent, sizeof(parent), "%.*s",
		 slash ? (int)(slash - d->path) : 1, slash ? d->path : ".");
	auto_close int up = rootfs_open(root, parent, O_PATH | O_DIRECTORY);
	if (up < 0)
		child_fail(c, -up, "can't open '/%s' of the image", parent);
	if (d->flags & OWNED)
		(void)unlinkat(up, name, 0); /* EISDIR is what we hope for */
	fd = rootfs_open(root, d->path, O_PATH | O_DIRECTORY);
	if (fd >= 0)
		return fd;
	if (mkdirat(up, name, 0755) < 0 && errno == EEXIST) {
		(void)unlinkat(up, name, 0);
		(void)mkdirat(up, name, 0755);
	}
	fd = openat(up, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fchmodat(up, name, d->mode, 0) < 0)
		child_fail(c, errno, "can't make '/%s'", d->path);
	return fd;
}

static void chown_to_user(const struct child *c, int fd, const char *path)
{
	if (c->mode != NATIVE_SINGLE &&
	    fchownat(fd, "", NATIVE_UID, NATIVE_UID, AT_EMPTY_PATH) < 0)
		child_fail(c, errno, "can't give '/%s' to the user", path);
}

static void make_dirs(const struct child *c, int root,
		      const struct dir_entry *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		auto_close int fd = make_dir(c, root, &v[i]);

		if (v[i].flags & OWNED)
			chown_to_user(c, fd, v[i].path);
	}
}

/* The same in a root that is fresh and ours: no links, one call each. */
static void make_fresh_dirs(const struct child *c, int root,
			    const struct dir_entry *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (mkdirat(root, v[i].path, v[i].mode) < 0)
			child_fail(c, errno, "can't make '/%s'", v[i].path);
		if ((v[i].flags & OWNED) && c->mode != NATIVE_SINGLE &&
		    fchownat(root, v[i].path, NATIVE_UID, NATIVE_UID,
			     AT_SYMLINK_NOFOLLOW) < 0)
			child_fail(c, errno, "can't give '/%s' to the user",
				   v[i].path);
	}
}

void rootfs_enter(const struct child *c, int root, const char *path)
{
	auto_close int fd = rootfs_open(root, path, O_PATH | O_DIRECTORY);

	if (fd < 0 || fchdir(fd) < 0)
		child_fail(c, fd < 0 ? -fd : errno, "can't enter '/%s'", path);
}

int rootfs_bind_read_only(const char *host, int dir, const char *name)
{
	struct mount_attr attr = {
		.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID |
			    MOUNT_ATTR_NODEV,
	};
	auto_close int tree = open_tree(AT_FDCWD, host,
					OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC |
						AT_RECURSIVE);

	if (tree < 0 ||
	    mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr,
			  sizeof(attr)) < 0 ||
	    move_mount(tree, "", dir, name, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return -errno;
	return 0;
}

/* /bin and friends: links into /usr on merged hosts, else bound. */
static void fill_top(const struct child *c, int root)
{
	static const char *const names[] = { "bin", "sbin", "lib", "lib32",
					     "lib64", "libx32" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char host[16], target[64];
		struct stat st;
		ssize_t n;
		int r = 0;

		snprintf(host, sizeof(host), "/%s", names[i]);
		if (lstat(host, &st) < 0)
			continue;
		if (S_ISLNK(st.st_mode)) {
			n = readlink(host, target, sizeof(target) - 1);
			if (n <= 0)
				continue;
			target[n] = '\0';
			r = symlinkat(target, root, names[i]) < 0 ? -errno : 0;
		} else if (S_ISDIR(st.st_mode)) {
			r = mkdirat(root, names[i], 0755) < 0 ? -errno :
				rootfs_bind_read_only(host, root, names[i]);
		}
		if (r < 0)
			child_fail(c, -r, "can't share '%s'", host);
	}
	int r = rootfs_bind_read_only("/usr", root, "usr");
	if (r < 0)
		child_fail(c, -r, "can't share '/usr'");
}

static void link_dev(const struct child *c, const char *target,
		     const char *name)
{
	if (symlink(target, name) < 0 && errno != EEXIST)
		child_fail(c, errno, "can't link '/dev/%s'", name);
}

/* The directory itself is ours: fresh in the tmpfs or a tmpfs of its own. */
static void fill_dev(const struct child *c, int root, int shm)
{
	static const char *const nodes[] = { "null", "zero", "full", "random",
					     "urandom", "tty" };

	rootfs_enter(c, root, "dev");
	for (size_t i = 0; i < ARRAY_SIZE(nodes); i++) {
		char host[24];

		snprintf(host, sizeof(host), "/dev/%s", nodes[i]);
		fd_close(open(nodes[i], O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
			      0666));
		if (mount(host, nodes[i], NULL, MS_BIND, NULL) < 0)
			child_fail(c, errno, "can't bind '%s'", host);
	}
	link_dev(c, "/proc/self/fd", "fd");
	link_dev(c, "/proc/self/fd/0", "stdin");
	link_dev(c, "/proc/self/fd/1", "stdout");
	link_dev(c, "/proc/self/fd/2", "stderr");
	link_dev(c, "pts/ptmx", "ptmx");
	if (mkdir("pts", 0755) < 0 || mkdir("shm", 01777) < 0 ||
	    chmod("shm", 01777) < 0)
		child_fail(c, errno, "can't fill '/dev'");
	/* ptys are counted for the whole host: a private, small share. */
	if (mount("devpts", "pts", "devpts", MS_NOSUID | MS_NOEXEC,
		  "newinstance,ptmxmode=0666,mode=0620,max=64") < 0)
		child_fail(c, errno, "can't mount '/dev/pts'");
	if (shm >= 0 && move_mount(shm, "", AT_FDCWD, "shm",
				   MOVE_MOUNT_F_EMPTY_PATH) < 0)
		child_fail(c, errno, "can't mount '/dev/shm'");
}

void rootfs_tmpfs_options(const struct launch_request *q, char out[96])
{
	snprintf(out, 96, "mode=0755,size=%uM,nr_inodes=%llu", q->disk_mb,
		 (unsigned long long)q->inodes);
}

static void mount_scratch(const struct child *c)
{
	char opts[96];

	if (c->tree >= 0) {
		if (move_mount(c->tree, "", AT_FDCWD, ROOTFS_SCRATCH,
			       MOVE_MOUNT_F_EMPTY_PATH) < 0)
			child_fail(c, errno, "can't mount the layers");
		return;
	}
	rootfs_tmpfs_options(c->req, opts);
	if (mount("tmpfs", ROOTFS_SCRATCH, "tmpfs", MS_NOSUID | MS_NODEV,
		  opts) < 0)
		child_fail(c, errno, "can't mount a tmpfs of %u MiB",
			   c->req->disk_mb);
	if (c->nlayers)
		layers_mount(c, c->layers, c->nlayers);
}

/* Without layers the root is a directory of the scratch tmpfs; what lies
 * beside it (the masks) goes out of sight with the old root. */
static void mount_plain_root(const struct child *c)
{
	if (mkdir(ROOTFS_MERGED, 0755) < 0 ||
	    mount(ROOTFS_MERGED, ROOTFS_MERGED, NULL, MS_BIND, NULL) < 0)
		child_fail(c, errno, "can't mount the new root");
}

/* What stays writable below a read-only root. */
static const char *const writable[] = { "tmp", "workspace", "app", "home/user",
					"run", "var/tmp", "dev/shm" };

static void make_read_only(const struct child *c, int root)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };

	for (size_t i = 0; i < ARRAY_SIZE(writable); i++) {
		auto_close int fd = rootfs_open(root, writable[i],
						 O_PATH | O_DIRECTORY);
		if (fd < 0)
			continue;
		auto_close int tree = open_tree(fd, "", OPEN_TREE_CLONE |
						OPEN_TREE_CLOEXEC |
						AT_EMPTY_PATH);

		if (tree < 0 || move_mount(tree, "", fd, "",
					   MOVE_MOUNT_F_EMPTY_PATH |
						   MOVE_MOUNT_T_EMPTY_PATH) < 0)
			child_fail(c, errno, "can't keep '/%s' writable",
				   writable[i]);
	}
	if (mount_setattr(root, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		child_fail(c, errno, "can't make '/' read-only");
}

static int pivot_here(void)
{
	if (syscall(SYS_pivot_root, ".", ".") < 0 ||
	    umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return -errno;
	return 0;
}

static void build(const struct child *c, int root)
{
	bool layers = c->req->flags & LAUNCH_LAYERS;
	auto_close int shm = -1;

	if (layers) {
		make_dirs(c, root, common_dirs, ARRAY_SIZE(common_dirs));
		shm = layers_fill(c, root);
		rootfs_name(c, root);
	} else {
		make_fresh_dirs(c, root, common_dirs, ARRAY_SIZE(common_dirs));
		make_fresh_dirs(c, root, host_dirs, ARRAY_SIZE(host_dirs));
		fill_top(c, root);
		rootfs_fill_etc(c, root);
	}
	fill_dev(c, root, shm);
	rootfs_mount_proc(c, root);
	if (c->req->flags & LAUNCH_READ_ONLY)
		make_read_only(c, root);
	else
		chown_to_user(c, root, "");
	if (c->mode == NATIVE_SINGLE)
		rootfs_protect_etc(c, root);
}

void child_enter_rootfs(const struct child *c)
{
	umask(0);
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		child_fail(c, errno, "can't make the mounts private");
	mount_scratch(c);
	rootfs_make_hide(c);
	if (!(c->req->flags & LAUNCH_LAYERS))
		mount_plain_root(c);
	auto_close int root = open(ROOTFS_MERGED,
				   O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		child_fail(c, errno, "can't open the new root");
	build(c, root);
	if (fchdir(root) < 0)
		child_fail(c, errno, "can't enter the new root");
	int r = pivot_here();
	if (r < 0)
		child_fail(c, -r, "can't leave the host's root");
	umask(022);
}
