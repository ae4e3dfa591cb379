/* SPDX-License-Identifier: MIT */
/* LIST, STAT, CHMOD, MKDIR: what a directory says about its entries. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/job.h"
#include "lib/base/fd.h"
#include "lib/base/kernel.h"
#include "lib/base/mem.h"

/* FILE for one entry; never follows it. */
static int send_entry(struct job *j, int dir, const char *name,
		      const char *shown, const struct stat *st,
		      struct svm_err *err)
{
	auto_buf struct buf text = BUF_INIT;
	char target[PATH_MAX] = "";
	ssize_t n = S_ISLNK(st->st_mode) ?
			    readlinkat(dir, name, target, sizeof(target) - 1) :
			    0;
	struct agent_file f = {
		.name = (char *)(uintptr_t)shown,
		.target = target,
		.size = (uint64_t)st->st_size,
		.mode = st->st_mode,
		.mtime_ns = st->st_mtim.tv_sec * INT64_C(1000000000) +
			    st->st_mtim.tv_nsec,
		.ino = st->st_ino,
		.uid = st->st_uid,
		.gid = st->st_gid,
	};

	target[MAX(n, 0)] = '\0';
	agent_file_encode(&text, &f);
	return job_send(j, FRAME_FILE, text.data, text.len, err);
}

static DIR *open_dir(struct job *j, const char *path, struct svm_err *err)
{
	auto_close int fd = file_openat(j->root, path,
					O_RDONLY | O_DIRECTORY | O_NONBLOCK,
					0);
	if (fd < 0) {
		file_error(err, fd, "list", path);
		return NULL;
	}
	DIR *d = fdopendir(fd);
	if (d)
		(void)steal_fd(&fd);
	else
		file_error(err, errno, "list", path);
	return d;
}

static int list_into(struct job *j, DIR *d, uint32_t max, uint32_t *ret_cut,
		     struct svm_err *err)
{
	uint32_t n = 0;

	for (struct dirent *e; (e = readdir(d));) {
		struct stat st;

		if (strcmp(e->d_name, ".") == 0 ||
		    strcmp(e->d_name, "..") == 0)
			continue;
		if (fstatat(dirfd(d), e->d_name, &st,
			    AT_SYMLINK_NOFOLLOW) < 0)
			continue; /* gone meanwhile */
		if (n++ == max) {
			*ret_cut = 1;
			return 0;
		}
		if (send_entry(j, dirfd(d), e->d_name, e->d_name, &st,
			       err) < 0)
			return -1;
	}
	return 0;
}

int file_list(struct job *j, struct msg_reader *m, struct buf *end,
	      struct svm_err *err)
{
	auto_free char *path = file_path(m, err);
	uint32_t max = msg_u32(m), cut = 0;

	if (!path)
		return -1;
	if (!msg_ok(m))
		return job_malformed(err);
	DIR *d = open_dir(j, path, err);
	if (!d)
		return -1;
	max = max ? MIN(max, (uint32_t)LIMIT_LIST_ENTRIES) :
		    LIMIT_LIST_ENTRIES;
	int r = list_into(j, d, max, &cut, err);
	closedir(d);
	msg_add_u32(end, cut);
	return r;
}

static bool is_root(const char *path)
{
	return !path[strspn(path, "/")];
}

int file_stat(struct job *j, struct msg_reader *m, struct buf *end,
	      struct svm_err *err)
{
	auto_free char *path = file_path(m, err);
	char name[FILE_NAME_MAX + 1];
	struct stat st;

	(void)end;
	if (!path)
		return -1;
	if (is_root(path)) {
		if (fstat(j->root, &st) < 0)
			return file_error(err, errno, "look at", path);
		return send_entry(j, j->root, "", path, &st, err);
	}
	auto_close int dir = file_open_parent(j, path, false, name, err);
	if (dir < 0)
		return -1;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return file_error(err, errno, "look at", path);
	return send_entry(j, dir, name, path, &st, err);
}

/* On the inode that was resolved, never on a path again. */
static int chmod_handle(int handle, mode_t mode)
{
	char self[32];

	if (syscall(SYS_fchmodat2, handle, "", mode, AT_EMPTY_PATH) == 0)
		return 0;
	if (errno != ENOSYS && errno != EPERM)
		return -errno;
	/* FIXME(kernel 6.6): no fchmodat2 before; a filter may know it not. */
	snprintf(self, sizeof(self), "/proc/self/fd/%d", handle);
	return chmod(self, mode) < 0 ? -errno : 0;
}

int file_chmod(struct job *j, struct msg_reader *m, struct buf *end,
	       struct svm_err *err)
{
	auto_free char *path = file_path(m, err);
	uint32_t mode = msg_u32(m);

	(void)end;
	if (!path)
		return -1;
	if (!msg_ok(m))
		return job_malformed(err);
	auto_close int fd = file_openat(j->root, path, O_PATH, 0);
	int r = fd < 0 ? fd : chmod_handle(fd, mode & 0777);
	return r < 0 ? file_error(err, r, "change the mode of", path) : 0;
}

int file_mkdir(struct job *j, struct msg_reader *m, struct buf *end,
	       struct svm_err *err)
{
	auto_free char *path = file_path(m, err);
	uint32_t mode = msg_u32(m);

	(void)end;
	if (!path)
		return -1;
	if (!msg_ok(m))
		return job_malformed(err);
	int r = file_make_dirs(j->root, path, mode & 0777);
	return r < 0 ? file_error(err, r, "make the directory", path) : 0;
}
