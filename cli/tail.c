/* SPDX-License-Identifier: MIT */
/* tail -F for our own log, by inotify.  See tail.h. */
#include "cli/tail.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/escape.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"

#define CHUNK 16384

/* Where the last n lines begin. */
static off_t find_start(int fd, unsigned lines)
{
	char chunk[CHUNK];
	off_t at = lseek(fd, 0, SEEK_END);
	unsigned seen = 0;
	bool last = true; /* the newline at the very end starts nothing */

	while (at > 0) {
		size_t want = at > CHUNK ? CHUNK : (size_t)at;

		at -= (off_t)want;
		ssize_t n = pread(fd, chunk, want, at);

		for (ssize_t i = n - 1; i >= 0; i--) {
			if (chunk[i] == '\n' && !last && ++seen >= lines)
				return at + i + 1;
			last = false;
		}
		if (n <= 0)
			break;
	}
	return 0;
}

/* What there is from the current position on. */
static int print_rest(int fd, struct svm_err *err)
{
	char chunk[CHUNK];
	ssize_t n;

	while ((n = read(fd, chunk, sizeof(chunk))) > 0) {
		auto_buf struct buf text = BUF_INIT;

		escape_text(&text, chunk, (size_t)n);
		fputs(buf_str(&text), stdout);
	}
	fflush(stdout);
	return n < 0 ? svm_err_sys(err, SVM_INTERNAL, errno, "read the log") :
		       0;
}

static bool was_replaced(int fd, const char *path)
{
	struct stat here, there;

	return fstat(fd, &here) == 0 && stat(path, &there) == 0 &&
	       (here.st_ino != there.st_ino || here.st_dev != there.st_dev);
}

static int follow_file(int *fd, const char *path, int64_t deadline_ns,
		       struct svm_err *err)
{
	auto_free char *dir = xstrdup(path);
	char events[4096];
	auto_close int watch = inotify_init1(IN_CLOEXEC);
	char *slash = strrchr(dir, '/');

	if (slash)
		*slash = '\0';
	/* The directory tells of writes to its files and of a new one. */
	if (watch < 0 || inotify_add_watch(watch, slash ? dir : ".",
					   IN_MODIFY | IN_CREATE |
					   IN_MOVED_TO) < 0)
		return svm_err_sys(err, SVM_INTERNAL, errno, "watch '%s'",
				   path);
	for (;;) {
		struct pollfd p = { .fd = watch, .events = POLLIN };
		int64_t left = (deadline_ns - clock_boot_ns()) / 1000000;

		if (print_rest(*fd, err) < 0)
			return -1;
		if (was_replaced(*fd, path)) {
			fd_close(*fd);
			*fd = open(path, O_RDONLY | O_CLOEXEC);
			if (*fd < 0)
				return svm_err_sys(err, SVM_INTERNAL, errno,
						   "can't open '%s'", path);
			continue;
		}
		if (deadline_ns &&
		    poll(&p, 1, (int)MIN(MAX(left, 0), INT32_MAX)) == 0)
			return svm_err_set(err, SVM_TIMEOUT, "it took longer "
					   "than --timeout");
		if (read(watch, events, sizeof(events)) < 0 && errno != EINTR)
			return svm_err_sys(err, SVM_INTERNAL, errno,
					   "watch '%s'", path);
	}
}

int tail_file(const char *path, unsigned lines, bool follow,
	      int64_t deadline_ns, struct svm_err *err)
{
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return svm_err_sys(err, errno == ENOENT ? SVM_NOT_FOUND :
							  SVM_INTERNAL,
				   errno, "can't open '%s'", path);
	if (lseek(fd, find_start(fd, lines), SEEK_SET) < 0)
		return svm_err_sys(err, SVM_INTERNAL, errno, "read '%s'",
				   path);
	return follow ? follow_file(&fd, path, deadline_ns, err) :
			print_rest(fd, err);
}
