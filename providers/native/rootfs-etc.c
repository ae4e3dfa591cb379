/* SPDX-License-Identifier: MIT */
/* /etc of a box: a small one of its own for `host`, an image's with our names
 * in it.  See rootfs.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/fd.h"
#include "providers/native/rootfs.h"

void rootfs_write(const struct child *c, int etc, const char *name,
		  const char *text)
{
	(void)unlinkat(etc, name, 0); /* an image may have a link there */
	auto_close int fd = openat(etc, name,
				   O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC |
					   O_NOFOLLOW, 0644);

	if (fd < 0 || fd_write_full(fd, text, strlen(text)) < 0)
		child_fail(c, errno, "can't write '/etc/%s'", name);
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
	if (!S_ISDIR(st.st_mode))
		fd_close(openat(etc, name, O_WRONLY | O_CREAT | O_CLOEXEC,
				0644));
	else if (mkdirat(etc, name, 0755) < 0)
		child_fail(c, errno, "can't make '%s'", host);
	int r = rootfs_bind_read_only(host, etc, name);
	if (r < 0)
		child_fail(c, -r, "can't share '%s'", host);
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

void rootfs_name(const struct child *c, int root)
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

void rootfs_fill_etc(const struct child *c, int root)
{
	auto_close int etc = rootfs_open(root, "etc", O_PATH | O_DIRECTORY);

	if (etc < 0)
		child_fail(c, -etc, "can't open '/etc'");
	rootfs_name(c, root);
	rootfs_write(c, etc, "passwd", passwd_text);
	rootfs_write(c, etc, "group", group_text);
	rootfs_write(c, etc, "nsswitch.conf", nsswitch_text);
	(void)mkdirat(etc, "ssl", 0755);
	for (size_t i = 0; i < ARRAY_SIZE(shared_etc); i++)
		share_etc(c, etc, shared_etc[i]);
}

void rootfs_protect_etc(const struct child *c, int root)
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
