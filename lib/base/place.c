/* SPDX-License-Identifier: MIT */
/* Where a file that the user named is written.  See place.h. */
#include "lib/base/place.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "lib/base/kernel.h"
#include "lib/base/mem.h"

#define LINKS_MAX 40 /* as the kernel has it */

/* The directory of what a link, or the user, names is there: then name is the
 * last component, and path what was gone through. */
static int enter(struct place *p, int fd, const char *to)
{
	size_t before = p->path ? (size_t)(p->name - p->path) : 0;
	char *path = xasprintf("%.*s%s", to[0] == '/' ? 0 : (int)before,
			       p->path ? p->path : "", to);
	const char *slash = strrchr(path, '/');

	if (fd != p->dir)
		fd_close(p->dir);
	p->dir = fd;
	free(p->path);
	p->path = path;
	p->name = slash ? slash + 1 : path;
	return 0;
}

static int go_to(struct place *p, const char *to)
{
	const char *slash = strrchr(to, '/');

	if (!slash)
		return enter(p, p->dir, to);
	auto_free char *above = xstrndup(to, MAX(slash - to, 1));
	int fd = openat(p->dir, above, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : enter(p, fd, to);
}

static enum place_kind kind_of(mode_t mode)
{
	return S_ISREG(mode) ? PLACE_FILE :
	       S_ISDIR(mode) ? PLACE_DIRECTORY :
			       PLACE_STREAM;
}

/* Through the kernel: there is no name behind it. */
static int look_through(struct place *p)
{
	if (fstatat(p->dir, p->name, &p->st, 0) < 0)
		return -errno;
	p->magic = true;
	p->kind = S_ISDIR(p->st.st_mode) ? PLACE_DIRECTORY : PLACE_STREAM;
	return 0;
}

/* 1: a link, which leads to `to`. */
static int look(struct place *p, char to[PATH_MAX])
{
	auto_close int fd = openat(p->dir, p->name[0] ? p->name : ".",
				   O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct statfs fs;

	p->kind = PLACE_NEW;
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || fstat(fd, &p->st) < 0 || fstatfs(fd, &fs) < 0)
		return -errno;
	if (!S_ISLNK(p->st.st_mode)) {
		p->kind = kind_of(p->st.st_mode);
		p->mode = p->st.st_mode & 0777;
		return 0;
	}
	p->linked = true;
	if (p->st.st_uid != geteuid() && p->st.st_uid != 0) {
		p->kind = PLACE_FOREIGN;
		return 0;
	}
	if (fs.f_type == PROC_SUPER_MAGIC)
		return look_through(p);
	ssize_t n = readlinkat(fd, "", to, PATH_MAX);
	if (n < 0)
		return -errno;
	if (n == PATH_MAX)
		return -ENAMETOOLONG;
	to[n] = '\0';
	return 1;
}

/* Where a link leads, from its directory on; it is told whether that is out
 * of it. */
static int follow(struct place *p, const char *to)
{
	const struct svm_open_how how = { .flags = O_PATH | O_DIRECTORY |
						   O_CLOEXEC,
					  .resolve = SVM_RESOLVE_BENEATH };
	const char *slash = strrchr(to, '/');
	auto_free char *above = slash ? xstrndup(to, (size_t)(slash - to)) :
					xstrdup(".");
	int fd = to[0] == '/' ? -1 :
		 (int)syscall(SYS_openat2, p->dir, above, &how, sizeof(how));

	p->outside |= fd < 0;
	return fd < 0 ? go_to(p, to) : enter(p, fd, to);
}

/* A descriptor of this process. */
static bool is_own(const char *path)
{
	static const char own[] = "/proc/self/fd/";
	const char *fd = path + strlen(own);

	return strncmp(path, own, strlen(own)) == 0 && *fd &&
	       !fd[strspn(fd, "0123456789")];
}

int place_find(const char *name, struct place *ret)
{
	auto_place struct place p = { .dir = AT_FDCWD, .part_fd = -1 };
	char to[PATH_MAX];
	int r = go_to(&p, name);

	for (int links = 0; r == 0; links++) {
		r = look(&p, to);
		if (r == 0) {
			p.outside &= !p.magic || !is_own(p.path);
			*ret = p;
			p = (struct place)PLACE_INIT;
			return 0;
		}
		if (r > 0)
			r = links == LINKS_MAX ? -ELOOP : follow(&p, to);
	}
	return r;
}

static void drop_part(struct place *p)
{
	if (p->part)
		(void)unlinkat(p->dir, p->part, 0);
	free(p->part);
	p->part = NULL;
}

void place_release(struct place *p)
{
	drop_part(p);
	fd_close(p->part_fd);
	fd_close(p->dir);
	free(p->path);
	*p = (struct place)PLACE_INIT;
}

const char *place_kept_as(const struct place *p)
{
	switch (p->kind) {
	case PLACE_NEW:
	case PLACE_FILE:
		return NULL;
	case PLACE_DIRECTORY:
		return "a directory";
	case PLACE_STREAM:
		return "no file";
	case PLACE_FOREIGN:
		break;
	}
	return "somebody else's link";
}

bool place_is_output(const char *name)
{
	int flags = fcntl(STDOUT_FILENO, F_GETFL);
	struct stat out, st;

	return flags >= 0 && (flags & O_ACCMODE) != O_RDONLY &&
	       fstat(STDOUT_FILENO, &out) == 0 && stat(name, &st) == 0 &&
	       out.st_dev == st.st_dev && out.st_ino == st.st_ino;
}

int place_open(const struct place *p)
{
	auto_close int fd = openat(p->dir, p->name,
				   O_WRONLY | O_NONBLOCK | O_NOCTTY |
					   O_CLOEXEC |
					   (p->magic ? 0 : O_NOFOLLOW));
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (S_ISREG(st.st_mode) && !p->magic)
		return -EEXIST; /* it was exchanged */
	if (S_ISREG(st.st_mode) && lseek(fd, 0, SEEK_END) < 0)
		return -errno;
	int r = fd_set_nonblock(fd, false);
	return r < 0 ? r : steal_fd(&fd);
}

int place_begin(struct place *p, mode_t mode)
{
	if (place_kept_as(p))
		return -EEXIST;
	auto_free char *part = fd_temp_beside(p->name);
	int fd = openat(p->dir, part,
			O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
			p->kind == PLACE_NEW ? mode : 0600);

	if (fd < 0)
		return -errno;
	p->part = steal_ptr(&part);
	p->part_fd = fd;
	return fd;
}

int place_end(struct place *p)
{
	struct stat st;

	if (p->kind == PLACE_FILE && fchmod(p->part_fd, p->mode) < 0)
		return -errno;
	if (fstatat(p->dir, p->name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    !S_ISREG(st.st_mode))
		return -EEXIST;
	if (renameat(p->dir, p->part, p->dir, p->name) < 0)
		return -errno;
	free(p->part);
	p->part = NULL;
	return 0;
}

static int put(struct place *p, const void *data, size_t n)
{
	int fd = place_begin(p, 0600);
	int r = fd < 0 ? fd : fd_write_full(fd, data, n);

	if (p->kind == PLACE_FILE && p->st.st_uid != geteuid())
		p->mode = 0600;
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (r == 0)
		r = place_end(p);
	if (r < 0)
		drop_part(p);
	return r;
}

/* A signal that ends us in between would leave the part. */
int place_put(struct place *p, const void *data, size_t n)
{
	sigset_t all, old;

	sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	int r = put(p, data, n);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	return r;
}

int place_replace(const char *name, const void *data, size_t n)
{
	auto_place struct place p = PLACE_INIT;
	int r = place_find(name, &p);

	return r < 0 ? r : place_put(&p, data, n);
}
