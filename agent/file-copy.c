/* SPDX-License-Identifier: MIT */
/* A move between file systems: a copy under a temporary name, which takes its
 * place at once when it is whole. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/job.h"
#include "agent/walk.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "lib/base/path.h"
#include "lib/base/rand.h"

#define PIECE KIB(64)

static int copy_bytes(int from, int to)
{
	auto_free char *piece = xmalloc(PIECE);

	for (;;) {
		ssize_t n = fd_read_full(from, piece, PIECE);
		int r = n > 0 ? fd_write_full(to, piece, (size_t)n) : 0;

		if (n <= 0 || r < 0)
			return n < 0 ? (int)n : r;
		if (job_stopped())
			return -ETIMEDOUT;
		job_progress();
	}
}

static int copy_file(int from, const char *name, int to, const char *as)
{
	struct stat st;
	auto_close int in = file_reopen_regular(from, name, &st);
	auto_close int out = in < 0 ? -1 :
			     openat(to, as, O_WRONLY | O_CREAT | O_EXCL |
					    O_NOFOLLOW | O_CLOEXEC, 0600);

	if (in < 0)
		return in;
	if (out < 0)
		return -errno;
	const struct timespec times[2] = { st.st_atim, st.st_mtim };
	int r = copy_bytes(in, out);
	if (r == 0 && fchmod(out, st.st_mode & 0777) < 0)
		r = -errno;
	if (r == 0)
		(void)futimens(out, times);
	return r;
}

/* One entry without what is below it. */
static int copy_entry(int from, const char *name, mode_t mode, int to,
		      const char *as)
{
	char target[PATH_MAX];

	if (S_ISREG(mode))
		return copy_file(from, name, to, as);
	if (S_ISDIR(mode))
		return mkdirat(to, as, (mode & 0777) | 0700) < 0 ? -errno : 0;
	if (!S_ISLNK(mode))
		return -EXDEV; /* a FIFO or the like does not travel */
	ssize_t n = readlinkat(from, name, target, sizeof(target) - 1);
	if (n < 0)
		return -errno;
	target[n] = '\0';
	return symlinkat(target, to, as) < 0 ? -errno : 0;
}

static int copy_below(int from, int to)
{
	auto_walk struct walk w = { 0 };
	int r = walk_begin(&w, from);

	while (r == 0 && (r = walk_next(&w)) > 0) {
		auto_free char *parent = xstrdup(w.path.data);
		char *slash = strrchr(parent, '/');
		mode_t mode = w.st.st_mode;

		if (slash)
			*slash = '\0';
		auto_close int dir = file_make_below(to, slash ? parent : ".",
						     0700);
		r = dir < 0 ? dir : copy_entry(walk_dir(&w), w.name, mode, dir,
					       w.name);
		if (r == 0 && S_ISDIR(mode))
			r = walk_enter(&w);
	}
	return r;
}

static int copy_tree(int from, const char *name, mode_t mode, int to,
		     const char *as)
{
	int r = copy_entry(from, name, mode, to, as);

	if (r < 0 || !S_ISDIR(mode))
		return r;
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	auto_close int out = openat(to, as, flags);
	int in = out < 0 ? -1 : openat(from, name, flags);
	return in < 0 ? -errno : copy_below(in, out);
}

int file_move_copy(int from, const char *name, mode_t mode, int to,
		   const char *other, bool over)
{
	char digits[17], temp[64];

	rand_hex(digits, 16);
	snprintf(temp, sizeof(temp), ".stacyvm-%s.tmp", digits);
	int r = copy_tree(from, name, mode, to, temp);
	if (r == 0)
		r = file_rename(to, temp, to, other, over);
	if (r < 0) {
		(void)path_remove_tree(to, temp);
		return r;
	}
	return path_remove_tree(from, name);
}
