/* SPDX-License-Identifier: MIT */
/* READ: the bytes of one regular file. */
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


int file_send(struct job *j, const char *path, const struct stat *st,
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
	int r = fd_slurp(fd, LIMIT_FILE_UNSIZED, &text);

	if (r < 0)
		return file_error(err, r, "read", path);
	if (offset > text.len)
		return out_of_range(err, path, text.len);
	if (file_send(j, path, st, text.len, err) < 0)
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
		return job_malformed(err);
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
	if (file_send(j, path, &st, size, err) < 0 || job_flush(j, err) < 0)
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
