/* SPDX-License-Identifier: MIT */
/*
 * The file system of a box, built by the clone itself inside its own mount
 * namespace, so that nothing of it needs undoing on the host.
 *
 * One tmpfs with the disk and inode quota is everything that can be written.
 * For `host` the root is a directory of it; for layers it holds the upper
 * directory of an overlay.  An image may hold hostile links (/dev -> /somewhere), so every
 * mount point is resolved relative to the new root, and mounts happen on "."
 * of the directory found or by name inside a tree that is ours.
 */
#include "providers/native/child.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/fd.h"
#include "lib/base/kernel.h"
#include "providers/native/rootfs.h"

#ifndef PROC_SUPER_MAGIC
#define PROC_SUPER_MAGIC 0x9fa0
#endif

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

/* Change to a directory of the new root; what is mounted there counts. */
static void enter_dir(const struct child *c, int root, const char *path)
{
	auto_close int fd = rootfs_open(root, path, O_PATH | O_DIRECTORY);

	if (fd < 0 || fchdir(fd) < 0)
		child_fail(c, fd < 0 ? -fd : errno, "can't enter '/%s'", path);
}

void rootfs_write(const struct child *c, int dir, const char *name,
		  const char *text)
{
	(void)unlinkat(dir, name, 0); /* an image may have a link there */
	auto_close int fd = openat(dir, name,
				   O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC |
					   O_NOFOLLOW, 0644);

	if (fd < 0 || fd_write_full(fd, text, strlen(text)) < 0)
		child_fail(c, errno, "can't write '/etc/%s'", name);
}

/* A read-only view of a host directory or file, attached at dir/name. */
static int bind_read_only(const char *host, int dir, const char *name)
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

/* A file or directory of the host's /etc at the same place; links are copied
 * as links, what the host lacks is left out. */
static void share_etc(const struct child *c, int etc, const char *name)
{
	char host[128], target[256];
	struct stat st;

	snprintf(host, sizeof(host), "/etc/%s", name);
	if (lstat(host, &st) < 0)
		return;
	if (S_ISLNK(st.st_mode)) {
		ssize_t n = readlink(host, target, sizeof(target) - 1);

		if (n <= 0)
			return;
		target[n] = '\0';
		if (symlinkat(target, etc, name) < 0)
			child_fail(c, errno, "can't link '%s'", host);
		return;
	}
	int r = 0;
	if (S_ISDIR(st.st_mode))
		r = mkdirat(etc, name, 0755);
	else
		fd_close(openat(etc, name, O_WRONLY | O_CREAT | O_CLOEXEC,
				0644));
	if (r == 0)
		r = bind_read_only(host, etc, name);
	if (r < 0)
		child_fail(c, r == -1 ? errno : -r, "can't share '%s'", host);
}

/* Without these awk (alternatives), getpass, TLS and python break. */
static const char *const shared_etc[] = {
	"alternatives", "ld.so.cache", "ld.so.conf", "ld.so.conf.d",
	"ssl/certs", "ca-certificates", "ca-certificates.conf", "localtime",
	"python3", "python3.9", "python3.10", "python3.11", "python3.12",
	"python3.13", "python3.14",
};

static const char passwd_text[] =
	"root:x:0:0:root:/root:/bin/sh\n"
	"user:x:1000:1000:user:" NATIVE_HOME ":/bin/sh\n"
	"nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n";
static const char group_text[] = "root:x:0:\ntty:x:5:\nuser:x:1000:\n"
				 "nogroup:x:65534:\n";
static const char nsswitch_text[] = "passwd: files\ngroup: files\n"
				    "hosts: files dns\n";

static void write_names(const struct child *c, int root)
{
	auto_buf struct buf b = BUF_INIT;
	auto_close int etc = rootfs_open(root, "etc", O_RDONLY | O_DIRECTORY);

	if (etc < 0)
		child_fail(c, -etc, "can't open '/etc'");

	buf_addf(&b, "127.0.0.1\tlocalhost %s\n::1\tlocalhost\n", c->req->id);
	rootfs_write(c, etc, "hosts", buf_str(&b));
	buf_clear(&b);
	buf_addf(&b, "%s\n", c->req->id);
	rootfs_write(c, etc, "hostname", buf_str(&b));
	rootfs_write(c, etc, "resolv.conf", "");
}

static void fill_etc(const struct child *c, int root)
{
	auto_close int etc = rootfs_open(root, "etc", O_PATH | O_DIRECTORY);

	if (etc < 0)
		child_fail(c, -etc, "can't open '/etc'");
	write_names(c, root);
	rootfs_write(c, etc, "passwd", passwd_text);
	rootfs_write(c, etc, "group", group_text);
	rootfs_write(c, etc, "nsswitch.conf", nsswitch_text);
	(void)mkdirat(etc, "ssl", 0755);
	for (size_t i = 0; i < ARRAY_SIZE(shared_etc); i++)
		share_etc(c, etc, shared_etc[i]);
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
				bind_read_only(host, root, names[i]);
		}
		if (r < 0)
			child_fail(c, -r, "can't share '%s'", host);
	}
	int r = bind_read_only("/usr", root, "usr");
	if (r < 0)
		child_fail(c, -r, "can't share '/usr'");
}

static void mount_proc(const struct child *c, int root)
{
	/* Group 0 sees everybody: the agent must find what it is to end. */
	const char *opts = c->mode == NATIVE_SINGLE ? NULL : "hidepid=2,gid=0";

	enter_dir(c, root, "proc");
	if (mount("proc", ".", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		  opts) < 0)
		child_fail(c, errno, "can't mount '/proc' (a container that "
			   "hides parts of its own /proc forbids it)");
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

	enter_dir(c, root, "dev");
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

static void set_sysctl(const struct child *c, const char *path,
		       const char *value, bool must)
{
	int r = fd_write_path(AT_FDCWD, path, value);

	if (r < 0 && (must || (r != -ENOENT && r != -EACCES)))
		child_fail(c, -r, "can't write '/proc/%s'", path);
}

/* Working directory: the fresh /proc.  These count for this user namespace;
 * nobody inside may raise them, having no CAP_SYS_RESOURCE. */
static void limit_namespace(const struct child *c)
{
	struct statfs fs;

	if (statfs(".", &fs) < 0 || fs.f_type != PROC_SUPER_MAGIC)
		child_fail(c, EINVAL, "'/proc' is not procfs");
	set_sysctl(c, "sys/user/max_user_namespaces", "0", true);
	set_sysctl(c, "sys/user/max_inotify_instances", "32", false);
	set_sysctl(c, "sys/user/max_inotify_watches", "8192", false);
	set_sysctl(c, "sys/user/max_fanotify_groups", "0", false);
	set_sysctl(c, "sys/user/max_fanotify_marks", "0", false);
}

static const char *const masked_files[] = {
	"kcore", "keys", "key-users", "timer_list", "sched_debug",
	"latency_stats", "interrupts", "kmsg", "kallsyms", "kpagecount",
	"kpageflags", "kpagecgroup", "sysrq-trigger",
};
static const char *const masked_dirs[] = { "scsi", "acpi", "asound" };
static const char *const frozen[] = { "bus", "fs", "irq", "sys" };

static void mask(const struct child *c, const char *source,
		 const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (mount(source, names[i], NULL, MS_BIND, NULL) < 0 &&
		    errno != ENOENT) /* not every kernel has every one */
			child_fail(c, errno, "can't mask '/proc/%s'",
				   names[i]);
}

/* Working directory: the fresh /proc. */
static void mask_proc(const struct child *c)
{
	mask(c, ROOTFS_HIDE "/f", masked_files, ARRAY_SIZE(masked_files));
	mask(c, ROOTFS_HIDE "/d", masked_dirs, ARRAY_SIZE(masked_dirs));
	for (size_t i = 0; i < ARRAY_SIZE(frozen); i++) {
		if (mount(frozen[i], frozen[i], NULL, MS_BIND, NULL) < 0) {
			if (errno == ENOENT)
				continue;
			child_fail(c, errno, "can't protect '/proc/%s'",
				   frozen[i]);
		}
		if (mount(NULL, frozen[i], NULL,
			  MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID |
				  MS_NODEV | MS_NOEXEC, NULL) < 0)
			child_fail(c, errno, "can't protect '/proc/%s'",
				   frozen[i]);
	}
}

/* The source of masks: an empty file and directory beside the new root, where
 * nobody inside can reach them, on a read-only mount. */
static void make_hide(const struct child *c)
{
	if (mkdir(ROOTFS_HIDE, 0755) < 0 || mkdir(ROOTFS_HIDE "/d", 0555) < 0)
		child_fail(c, errno, "can't make masks");
	auto_close int fd = open(ROOTFS_HIDE "/f",
				 O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
	if (fd < 0 ||
	    mount(ROOTFS_HIDE, ROOTFS_HIDE, NULL, MS_BIND, NULL) < 0 ||
	    mount(NULL, ROOTFS_HIDE, NULL,
		  MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV |
			  MS_NOEXEC, NULL) < 0)
		child_fail(c, errno, "can't make masks");
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

/* Where all ids are one, the user's, only a mount keeps /etc as we made it;
 * elsewhere its owner does.  What is bound inside goes along. */
static void protect_etc(const struct child *c, int root)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	auto_close int fd = rootfs_open(root, "etc", O_PATH | O_DIRECTORY);
	auto_close int tree = fd < 0 ? -1 :
		open_tree(fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC |
					  AT_EMPTY_PATH | AT_RECURSIVE);

	if (tree < 0 ||
	    mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0 ||
	    move_mount(tree, "", fd, "", MOVE_MOUNT_F_EMPTY_PATH |
						 MOVE_MOUNT_T_EMPTY_PATH) < 0)
		child_fail(c, errno, "can't make '/etc' read-only");
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
		write_names(c, root);
	} else {
		make_fresh_dirs(c, root, common_dirs, ARRAY_SIZE(common_dirs));
		make_fresh_dirs(c, root, host_dirs, ARRAY_SIZE(host_dirs));
		fill_top(c, root);
		fill_etc(c, root);
	}
	mount_proc(c, root);
	fill_dev(c, root, shm);
	enter_dir(c, root, "proc");
	limit_namespace(c);
	mask_proc(c);
	if (c->req->flags & LAUNCH_READ_ONLY)
		make_read_only(c, root);
	else
		chown_to_user(c, root, "");
	if (c->mode == NATIVE_SINGLE)
		protect_etc(c, root);
}

void child_enter_rootfs(const struct child *c)
{
	umask(0);
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		child_fail(c, errno, "can't make the mounts private");
	mount_scratch(c);
	make_hide(c);
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
