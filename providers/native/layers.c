/* SPDX-License-Identifier: MIT */
/*
 * Roots made of image layers: an overlay whose upper lies on the box's tmpfs.
 * As root the launcher mounts it, over idmapped layers, and hands it to the
 * clone as a detached tree; without root the clone mounts it itself.
 */
#include "providers/native/rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/fd.h"
#include "lib/base/kernel.h"

#define AT_SCRATCH(name) ROOTFS_SCRATCH "/" name

/* The layers of a request, in order; NULL after the last. */
static const char *next_layer(const struct launch_request *q, const char *prev)
{
	const char *p = prev ? prev + strlen(prev) + 1 : q->text;
	size_t used = (size_t)(p - q->text), left = q->text_len - used;

	if (!left)
		return NULL;
	/* With LAUNCH_UPPER the last one is not a layer. */
	if ((q->flags & LAUNCH_UPPER) && strlen(p) + 1 == left)
		return NULL;
	return p;
}

static const char *upper_dir(const struct launch_request *q)
{
	const char *p = q->text;

	if (!(q->flags & LAUNCH_UPPER))
		return NULL;
	while ((size_t)(p - q->text) + strlen(p) + 1 < q->text_len)
		p += strlen(p) + 1;
	return p;
}

/* Directories of the scratch tmpfs, given to the box's root. */
static int make_places(uint32_t owner)
{
	static const struct { const char *path; mode_t mode; } places[] = {
		{ ROOTFS_SCRATCH, 0755 },      { AT_SCRATCH("u"), 0755 },
		{ AT_SCRATCH("w"), 0755 },     { ROOTFS_MERGED, 0755 },
		{ AT_SCRATCH("shm"), 01777 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		if (mkdir(places[i].path, 0755) < 0 && errno != EEXIST)
			return -errno;
		if (chmod(places[i].path, places[i].mode) < 0 ||
		    (owner && lchown(places[i].path, owner, owner) < 0))
			return -errno;
	}
	return 0;
}

/* A detached, shifted, read-only view of a layer. */
static int shifted_layer(const char *path, int userns)
{
	struct mount_attr attr = {
		.attr_set = MOUNT_ATTR_IDMAP | MOUNT_ATTR_RDONLY |
			    MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV,
		.userns_fd = (uint64_t)userns,
	};
	auto_close int tree = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE |
							OPEN_TREE_CLOEXEC |
							AT_SYMLINK_NOFOLLOW);

	if (tree < 0 || mount_setattr(tree, "", AT_EMPTY_PATH, &attr,
				      sizeof(attr)) < 0)
		return -errno;
	return steal_fd(&tree);
}

struct shifted {
	int fds[LIMIT_IMAGE_LAYERS];
	unsigned n;
};

static void shifted_release(struct shifted *s)
{
	for (unsigned i = 0; i < s->n; i++)
		fd_close(s->fds[i]);
}

static int attach_layers(const struct shifted *s, struct buf *lower)
{
	for (unsigned i = 0; i < s->n; i++) {
		char path[32];

		snprintf(path, sizeof(path), AT_SCRATCH("l%u"), i);
		if (mkdir(path, 0700) < 0 ||
		    move_mount(s->fds[i], "", AT_FDCWD, path,
			       MOVE_MOUNT_F_EMPTY_PATH) < 0)
			return -errno;
		buf_addf(lower, "%s%s", i ? ":" : "lowerdir=", path);
	}
	return 0;
}

/* The overlay holds views of its own. */
static void detach_layers(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		char path[32];

		snprintf(path, sizeof(path), AT_SCRATCH("l%u"), i);
		(void)umount2(path, MNT_DETACH);
		(void)rmdir(path);
	}
}

/* On the launcher's own scratch mount point, taken away again by the caller;
 * layers may lie below it, so they are opened before. */
static int build_tree(const struct launch_request *q, const struct shifted *s)
{
	auto_buf struct buf opts = BUF_INIT;
	int r = make_places(q->base);

	if (r == 0)
		r = attach_layers(s, &opts);
	if (r < 0)
		return r;
	buf_addstr(&opts, ",upperdir=" AT_SCRATCH("u") ",workdir="
			  AT_SCRATCH("w"));
	if (mount("overlay", ROOTFS_MERGED, "overlay", MS_NOSUID | MS_NODEV,
		  buf_str(&opts)) < 0)
		return -errno;
	detach_layers(s->n);
	int tree = open_tree(AT_FDCWD, ROOTFS_SCRATCH,
			     OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC |
				     AT_RECURSIVE);
	return tree < 0 ? -errno : tree;
}

int layers_tree(const struct launch_request *q, int userns, char step[80])
{
	CLEANUP(shifted_release) struct shifted s = { .n = 0 };
	char opts[96];

	for (const char *p = next_layer(q, NULL); p; p = next_layer(q, p)) {
		int fd = s.n < LIMIT_IMAGE_LAYERS ? shifted_layer(p, userns) :
						    -E2BIG;
		if (fd < 0) {
			snprintf(step, 80, "opening layer %u", s.n);
			return fd;
		}
		s.fds[s.n++] = fd;
	}
	snprintf(step, 80, "mounting the layers");
	rootfs_tmpfs_options(q, opts);
	if (mount("tmpfs", ROOTFS_SCRATCH, "tmpfs", MS_NOSUID | MS_NODEV,
		  opts) < 0)
		return -errno;
	int tree = build_tree(q, &s);
	(void)umount2(ROOTFS_SCRATCH, MNT_DETACH);
	return tree;
}

void layers_open(const struct child *c, int *fds, unsigned *ret_n)
{
	unsigned n = 0;

	for (const char *p = next_layer(c->req, NULL); p;
	     p = next_layer(c->req, p)) {
		int fd = n < LIMIT_IMAGE_LAYERS ?
				 open(p, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;

		if (fd < 0)
			child_fail(c, errno, "can't open layer %u", n);
		fds[n++] = fd;
	}
	*ret_n = n;
	const char *upper = upper_dir(c->req);
	if (!upper)
		return;
	fds[n] = open(upper, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fds[n] < 0)
		child_fail(c, errno, "can't open '%s'", upper);
}

/* fds[n], after the layers, is the directory on disk, if one is needed. */
void layers_mount(const struct child *c, const int *fds, unsigned n)
{
	auto_buf struct buf opts = BUF_INIT;
	int r = make_places(0);

	if (r < 0)
		child_fail(c, -r, "can't prepare the writable layer");
	for (unsigned i = 0; i < n; i++)
		buf_addf(&opts, "%s/proc/self/fd/%d", i ? ":" : "lowerdir=",
			 fds[i]);
	if (c->req->flags & LAUNCH_UPPER)
		buf_addf(&opts, ",upperdir=/proc/self/fd/%d/u,workdir="
				"/proc/self/fd/%d/w", fds[n], fds[n]);
	else
		buf_addstr(&opts, ",upperdir=" AT_SCRATCH("u") ",workdir="
				  AT_SCRATCH("w"));
	buf_addstr(&opts, ",userxattr");
	if (mount("overlay", ROOTFS_MERGED, "overlay", MS_NOSUID | MS_NODEV,
		  buf_str(&opts)) < 0)
		child_fail(c, errno, "can't mount the layers");
}

/* True when some line has `id` as its third field. */
static bool names_id(const char *text, const char *id)
{
	for (const char *p = text; p && *p; p = strchr(p, '\n')) {
		p += *p == '\n';
		const char *end = p + strcspn(p, "\n");
		const char *f = memchr(p, ':', (size_t)(end - p));

		f = f ? memchr(f + 1, ':', (size_t)(end - f - 1)) : NULL;
		size_t n = strlen(id);
		if (f && strncmp(f + 1, id, n) == 0 && f[1 + n] == ':')
			return true;
	}
	return false;
}

/* Commands run as 1000, whatever the image calls it. */
static void name_user(const struct child *c, int root, int etc,
		      const char *name, const char *line)
{
	auto_buf struct buf b = BUF_INIT;
	struct stat st;
	auto_close int fd = rootfs_open(etc, name, O_RDONLY | O_NONBLOCK);

	(void)root;
	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    fd_slurp(fd, 1 << 20, &b) < 0)
		return;
	if (names_id(buf_str(&b), "1000"))
		return;
	if (b.len && b.data[b.len - 1] != '\n')
		buf_addch(&b, '\n');
	buf_addstr(&b, line);
	rootfs_write(c, etc, name, buf_str(&b));
}

int layers_fill(const struct child *c, int root)
{
	auto_close int etc = rootfs_open(root, "etc", O_RDONLY | O_DIRECTORY);
	auto_close int dev = rootfs_open(root, "dev", O_PATH | O_DIRECTORY);

	if (etc < 0 || dev < 0)
		child_fail(c, etc < 0 ? -etc : -dev, "can't open '/etc'");
	name_user(c, root, etc, "passwd",
		  "user:x:1000:1000:user:" NATIVE_HOME ":/bin/sh\n");
	name_user(c, root, etc, "group", "user:x:1000:\n");
	if (fchdir(dev) < 0 ||
	    mount("tmpfs", ".", "tmpfs", MS_NOSUID,
		  "size=64k,nr_inodes=64,mode=0755") < 0)
		child_fail(c, errno, "can't mount '/dev'");
	int shm = open_tree(AT_FDCWD, AT_SCRATCH("shm"),
			    OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (shm < 0)
		child_fail(c, errno, "can't share '/dev/shm'");
	return shm;
}

static int probe_maps(uid_t uid, gid_t gid)
{
	char text[32];
	int r = fd_write_path(AT_FDCWD, "/proc/self/setgroups", "deny");

	snprintf(text, sizeof(text), "0 %u 1", (unsigned)uid);
	if (r == 0)
		r = fd_write_path(AT_FDCWD, "/proc/self/uid_map", text);
	snprintf(text, sizeof(text), "0 %u 1", (unsigned)gid);
	return r < 0 ? r : fd_write_path(AT_FDCWD, "/proc/self/gid_map", text);
}

static int probe_overlay(uid_t uid, gid_t gid)
{
	(void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	int r = probe_maps(uid, gid);

	if (r < 0)
		return r;
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", ROOTFS_SCRATCH, "tmpfs", 0, "size=1M") < 0 ||
	    mkdir(AT_SCRATCH("l"), 0755) < 0 ||
	    mkdir(AT_SCRATCH("l/d"), 0755) < 0 ||
	    mkdir(AT_SCRATCH("u"), 0755) < 0 ||
	    mkdir(AT_SCRATCH("w"), 0755) < 0 ||
	    mkdir(ROOTFS_MERGED, 0755) < 0 ||
	    mount("overlay", ROOTFS_MERGED, "overlay", 0,
		  "lowerdir=" AT_SCRATCH("l") ",upperdir=" AT_SCRATCH("u")
		  ",workdir=" AT_SCRATCH("w") ",userxattr") < 0 ||
	    rmdir(ROOTFS_MERGED "/d") < 0 ||
	    mkdir(ROOTFS_MERGED "/d", 0755) < 0)
		return -errno;
	return 0;
}

int layers_probe_tmpfs_upper(void)
{
	struct svm_clone_args args = {
		.flags = SVM_CLONE_NEWUSER | SVM_CLONE_NEWNS |
			 SVM_CLONE_CLEAR_SIGHAND,
		.exit_signal = SIGCHLD,
	};
	uid_t uid = geteuid();
	gid_t gid = getegid();
	int status;
	long pid = syscall(SYS_clone3, &args, sizeof(args));

	if (pid < 0)
		return -errno;
	if (pid == 0) {
		fd_close_from(0);
		_exit(-probe_overlay(uid, gid));
	}
	while (waitpid((pid_t)pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EIO;
}
