/* SPDX-License-Identifier: MIT */
/*
 * What every file operation stands on: paths resolved by the kernel below the
 * root, whatever is renamed meanwhile; nothing but regular files opened.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/job.h"
#include "lib/base/fd.h"
#include "lib/base/kernel.h"
#include "lib/base/mem.h"
#include "lib/base/path.h"
#include "lib/base/rand.h"

#define RACES 128 /* EAGAIN: a rename during a walk through ".." */

static int open_within(int root, const char *path, int flags, mode_t mode,
		       uint64_t resolve)
{
	struct svm_open_how how = {
		.flags = (uint64_t)(unsigned)(flags | O_CLOEXEC),
		.mode = mode,
		.resolve = resolve | SVM_RESOLVE_NO_MAGICLINKS,
	};

	for (int i = 0; i < RACES; i++) {
		long fd = syscall(SYS_openat2, root, path, &how, sizeof(how));

		if (fd >= 0)
			return (int)fd;
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
	}
	return -EAGAIN;
}

int file_openat(int root, const char *path, int flags, mode_t mode)
{
	return open_within(root, path, flags, mode, SVM_RESOLVE_IN_ROOT);
}

static enum svm_code code_of(int e)
{
	switch (e) {
	case ENOENT:
		return SVM_FILE_NOT_FOUND;
	case EACCES:
	case EPERM:
	case EROFS:
		return SVM_FORBIDDEN;
	case ENOTDIR:
	case EISDIR:
	case ELOOP:
	case ENAMETOOLONG:
	case EINVAL:
	case ENXIO:
		return SVM_BAD_REQUEST;
	case EEXIST:
	case ENOTEMPTY:
	case EBUSY:
	case ETXTBSY:
	case EXDEV:
	case EAGAIN:
		return SVM_CONFLICT;
	case EFBIG:
		return SVM_TOO_LARGE;
	case EMFILE:
	case ENFILE:
	case ENOMEM:
	case EMLINK:
		return SVM_RESOURCE_LIMIT;
	default:
		return SVM_PROVIDER;
	}
}

int file_error(struct svm_err *err, int e, const char *what, const char *path)
{
	e = abs(e);
	if (e == EINTR && job_stopped())
		e = ETIMEDOUT;
	return svm_err_sys(err, e == ETIMEDOUT ? SVM_TIMEOUT : code_of(e), e,
			   "can't %s '%s'", what, path);
}

char *file_path(struct msg_reader *m, struct svm_err *err)
{
	size_t n;
	const char *p = msg_bytes(m, LIMIT_PATH + 1, &n);

	if (!p) {
		svm_err_set(err, SVM_BAD_REQUEST,
			    "the path is missing or longer than %d bytes",
			    LIMIT_PATH);
		return NULL;
	}
	return path_validate(p, n, err) < 0 ? NULL : xstrndup(p, n);
}

/* One more component: the directory below `parent`, made if it is not there;
 * `prefix` is the path so far, which only the kernel can resolve. */
static int step_into(int root, int parent, const char *prefix,
		     const char *name, mode_t mode, uint64_t resolve)
{
	int fd = open_within(root, prefix, O_PATH | O_DIRECTORY, 0, resolve);

	if (fd != -ENOENT)
		return fd;
	if (mkdirat(parent, name, mode) < 0 && errno != EEXIST)
		return -errno;
	return open_within(root, prefix, O_PATH | O_DIRECTORY, 0, resolve);
}

/* Open a directory path, making what is missing.  An O_PATH fd or -errno. */
static int open_made(int root, const char *path, mode_t mode, uint64_t resolve)
{
	auto_free char *prefix = xstrdup(path);
	auto_close int at = open_within(root, path, O_PATH | O_DIRECTORY, 0,
					resolve);

	if (at != -ENOENT)
		return at < 0 ? at : steal_fd(&at);
	at = open_within(root, ".", O_PATH | O_DIRECTORY, 0, resolve);
	for (char *p = prefix; at >= 0 && *p;) {
		p += strspn(p, "/");
		char *name = p;
		p += strcspn(p, "/");
		if (p == name)
			break;
		char saved = *p;
		*p = '\0';
		int next = step_into(root, at, prefix, name, mode,
				     resolve);
		*p = saved;
		fd_close(at);
		at = next;
	}
	return at < 0 ? at : steal_fd(&at);
}

int file_make_dirs(int root, const char *path, mode_t mode)
{
	auto_close int fd = open_made(root, path, mode, SVM_RESOLVE_IN_ROOT);

	return fd < 0 ? fd : 0;
}

int file_make_below(int dir, const char *path, mode_t mode)
{
	return open_made(dir, path, mode, SVM_RESOLVE_BENEATH);
}

int file_open_parent(struct job *j, const char *path, bool make,
		     char name[FILE_NAME_MAX + 1], struct svm_err *err)
{
	auto_free char *dir = xstrdup(path);
	size_t n = strlen(dir);

	while (n && dir[n - 1] == '/')
		dir[--n] = '\0';
	char *slash = strrchr(dir, '/');
	const char *last = slash ? slash + 1 : "";
	if (!*last || strcmp(last, ".") == 0 || strcmp(last, "..") == 0)
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "'%s' names no entry of a directory", path);
	snprintf(name, FILE_NAME_MAX + 1, "%s", last);
	slash[1] = '\0'; /* keep the slash: "/" for entries of the root */
	int fd = make ? open_made(j->root, dir, 0755,
				 SVM_RESOLVE_IN_ROOT) :
			file_openat(j->root, dir, O_PATH | O_DIRECTORY, 0);
	return fd < 0 ? file_error(err, fd, "open the directory of", path) :
			fd;
}

int file_require_regular(mode_t mode, const char *path, struct svm_err *err)
{
	const char *what = S_ISDIR(mode) ? "a directory" :
			   S_ISFIFO(mode) ? "a FIFO" :
			   S_ISSOCK(mode) ? "a socket" :
			   S_ISCHR(mode) ? "a character device" :
			   S_ISBLK(mode) ? "a block device" :
			   S_ISLNK(mode) ? "a symbolic link" :
					   "no regular file";

	if (S_ISREG(mode))
		return 0;
	return svm_err_set(err, SVM_BAD_REQUEST, "'%s' is %s", path, what);
}

/* The same inode again through /proc, for reading. */
static int reopen(int handle)
{
	char self[32];

	snprintf(self, sizeof(self), "/proc/self/fd/%d", handle);
	int fd = open(self, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Only a handle first: opening a FIFO waits, opening a device may do
 * anything. */
int file_open_regular(struct job *j, const char *path, struct svm_err *err)
{
	auto_close int handle = file_openat(j->root, path, O_PATH, 0);
	struct stat st;

	if (handle < 0)
		return file_error(err, handle, "open", path);
	if (fstat(handle, &st) < 0)
		return file_error(err, errno, "look at", path);
	if (file_require_regular(st.st_mode, path, err) < 0)
		return -1;
	int fd = reopen(handle);
	return fd < 0 ? file_error(err, fd, "open", path) : fd;
}

int file_reopen_regular(int dir, const char *name, struct stat *ret)
{
	auto_close int handle = openat(dir, name,
				       O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (handle < 0 || fstat(handle, ret) < 0)
		return -errno;
	return S_ISREG(ret->st_mode) ? reopen(handle) : -EINVAL;
}

int file_temporary(int dir, char name[FILE_NAME_MAX + 1])
{
	char digits[17];

	for (int i = 0; i < 16; i++) {
		rand_hex(digits, 16);
		snprintf(name, FILE_NAME_MAX + 1, ".stacyvm-%s.tmp", digits);
		int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL |
					   O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd >= 0 || errno != EEXIST)
			return fd < 0 ? -errno : fd;
	}
	return -EEXIST;
}
