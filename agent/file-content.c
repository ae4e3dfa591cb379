/* SPDX-License-Identifier: MIT */
/* READ and WRITE: the bytes of one regular file. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/job.h"
#include "lib/base/fault.h"
#include "lib/base/fd.h"
#include "lib/base/kernel.h"
#include "lib/base/mem.h"

#define UNSIZED_MAX MIB(1) /* of a file that says it has no bytes: procfs */

static int send_entry(struct job *j, const char *path, const struct stat *st,
		      uint64_t size, struct svm_err *err)
{
	auto_buf struct buf text = BUF_INIT;
	struct agent_file f = {
		.name = (char *)(uintptr_t)path,
		.size = size,
		.mode = st->st_mode,
		.mtime_ns = st->st_mtim.tv_sec * INT64_C(1000000000) +
			    st->st_mtim.tv_nsec,
		.ino = st->st_ino,
		.uid = st->st_uid,
		.gid = st->st_gid,
	};

	agent_file_encode(&text, &f);
	return job_send(j, FRAME_FILE, text.data, text.len, err);
}

static int out_of_range(struct svm_err *err, const char *path, uint64_t size)
{
	return svm_err_set(err, SVM_RANGE,
			   "the range begins after the end of '%s', which has "
			   "%llu bytes", path, (unsigned long long)size);
}

/* A file of procfs says 0 and has more: its size is known when it was read. */
static int read_unsized(struct job *j, int fd, const char *path,
			const struct stat *st, uint64_t offset,
			uint64_t length, struct svm_err *err)
{
	auto_buf struct buf text = BUF_INIT;
	int r = fd_slurp(fd, UNSIZED_MAX, &text);

	if (r < 0)
		return file_error(err, r, "read", path);
	if (offset > text.len)
		return out_of_range(err, path, text.len);
	if (send_entry(j, path, st, text.len, err) < 0)
		return -1;
	size_t left = (size_t)MIN(length, text.len - offset);
	for (const char *p = buf_str(&text) + offset; left;) {
		size_t n = MIN(left, (size_t)LIMIT_FRAME);

		if (job_send(j, FRAME_DATA, p, n, err) < 0)
			return -1;
		p += n;
		left -= n;
	}
	return 0;
}

int file_read(struct job *j, struct msg_reader *m, struct buf *end,
	      struct svm_err *err)
{
	auto_free char *path = file_path(m, err);
	uint64_t offset = msg_u64(m), length = msg_u64(m);
	struct stat st;

	(void)end;
	if (!path)
		return -1;
	if (!msg_ok(m))
		return svm_err_set(err, SVM_BAD_REQUEST, "malformed request");
	auto_close int fd = file_open_regular(j, path, err);
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) < 0)
		return file_error(err, errno, "look at", path);
	uint64_t size = (uint64_t)st.st_size;
	if (!size)
		return read_unsized(j, fd, path, &st, offset, length, err);
	if (offset > size)
		return out_of_range(err, path, size);
	if (lseek(fd, (off_t)offset, SEEK_SET) < 0)
		return file_error(err, errno, "seek in", path);
	if (send_entry(j, path, &st, size, err) < 0 || job_flush(j, err) < 0)
		return -1;
	/* What grows meanwhile ends where it ended when we looked. */
	for (uint64_t left = MIN(length, size - offset); left;) {
		ssize_t n = job_send_from(j, fd,
					  (size_t)MIN(left, LIMIT_FRAME), err);
		if (n <= 0)
			return (int)n;
		left -= (uint64_t)n;
	}
	return 0;
}

static int receive_into(struct job *j, int fd, const char *path,
			struct svm_err *err)
{
	struct frame f;
	int r;

	while ((r = job_receive(j, &f, err)) > 0) {
		int e = fd_write_full(fd, f.payload, f.len);

		if (e < 0)
			return file_error(err, e, "write", path);
	}
	return r;
}

int file_check_target(int dir, const char *name, const char *path,
		      struct svm_err *err)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : file_error(err, errno, "look at",
							path);
	return S_ISLNK(st.st_mode) ? 0 :
	       file_require_regular(st.st_mode, path, err);
}

int file_write(struct job *j, struct msg_reader *m, struct buf *end,
	       struct svm_err *err)
{
	auto_free char *path = file_path(m, err);
	uint32_t mode = msg_u32(m);
	char name[FILE_NAME_MAX + 1], temp[FILE_NAME_MAX + 1];

	(void)end;
	(void)msg_u32(m); /* flags: none yet */
	if (!path)
		return -1;
	if (!msg_ok(m))
		return svm_err_set(err, SVM_BAD_REQUEST, "malformed request");
	if (path[strlen(path) - 1] == '/')
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "'%s' names a directory", path);
	auto_close int dir = file_open_parent(j, path, true, name, err);
	if (dir < 0 || file_check_target(dir, name, path, err) < 0)
		return -1;
	auto_close int fd = file_temporary(dir, temp);
	if (fd < 0)
		return file_error(err, fd, "write", path);
	int r = receive_into(j, fd, path, err);
	fault_point("agent.write.temp");
	if (r == 0 && fchmod(fd, mode & 0777) < 0)
		r = file_error(err, errno, "set the mode of", path);
	if (r == 0 && renameat(dir, temp, dir, name) < 0)
		r = file_error(err, errno, "replace", path);
	if (r < 0)
		(void)unlinkat(dir, temp, 0);
	fault_point("agent.write.rename");
	return r;
}
