/* SPDX-License-Identifier: MIT */
/*
 * /proc of a box: what of it tells about the machine, or changes it, is
 * covered.  See rootfs.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "providers/native/rootfs.h"

#ifndef PROC_SUPER_MAGIC
#define PROC_SUPER_MAGIC 0x9fa0
#endif

void rootfs_make_hide(const struct child *c)
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

static void mount_proc(const struct child *c, int root)
{
	/* Group 0 sees everybody: the agent must find what it is to end. */
	const char *opts = c->mode == NATIVE_SINGLE ? NULL : "hidepid=2,gid=0";

	rootfs_enter(c, root, "proc");
	if (mount("proc", ".", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		  opts) < 0)
		child_fail(c, errno, "can't mount '/proc' (a container that "
			   "hides parts of its own /proc forbids it)");
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

void rootfs_mount_proc(const struct child *c, int root)
{
	mount_proc(c, root);
	rootfs_enter(c, root, "proc"); /* what was mounted, not what it hides */
	limit_namespace(c);
	mask_proc(c);
}
