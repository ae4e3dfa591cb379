/* SPDX-License-Identifier: MIT */
/*
 * What pulls left in downloads/.  Its directory is locked: shared by workers
 * that write there, exclusively while it is swept, so no file goes from under
 * a worker.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/daemon.h"
#include "daemon/image/internal.h"
#include "lib/api/limits.h"
#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"

struct left {
	char *name;
	int64_t size, changed_ns;
};

struct sweep {
	struct work work;
	int dir; /* opened for this: the lock is its own */
	bool keep_whole;
	struct left *v;
	size_t n;
};

static int newest_first(const void *a, const void *b)
{
	int64_t x = ((const struct left *)a)->changed_ns;
	int64_t y = ((const struct left *)b)->changed_ns;

	return (x < y) - (x > y);
}

static bool is_part(const char *name)
{
	size_t n = strlen(name);

	return n > 5 && strcmp(name + n - 5, ".part") == 0;
}

static void look(struct sweep *s, DIR *dir)
{
	for (struct dirent *e; (e = readdir(dir));) {
		struct stat st;

		if (fstatat(s->dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    S_ISDIR(st.st_mode))
			continue;
		s->v = xreallocarray(s->v, s->n + 1, sizeof(*s->v));
		s->v[s->n++] = (struct left){
			xstrdup(e->d_name), st.st_size,
			st.st_mtim.tv_sec * SECONDS(1) + st.st_mtim.tv_nsec,
		};
	}
}

static void run_sweep(struct work *w)
{
	struct sweep *s = container_of(w, struct sweep, work);
	int64_t now = clock_wall_ns(), kept = 0;
	DIR *dir = NULL;
	int fd = -1;

	/* Somebody pulls again: the end of that will sweep. */
	if (flock(s->dir, LOCK_EX | LOCK_NB) < 0 || (fd = dup(s->dir)) < 0 ||
	    !(dir = fdopendir(fd))) {
		fd_close(fd);
		return;
	}
	look(s, dir);
	closedir(dir);
	if (s->n)
		qsort(s->v, s->n, sizeof(*s->v), newest_first);
	for (size_t i = 0; i < s->n; i++) {
		kept += s->v[i].size;
		if ((s->keep_whole || is_part(s->v[i].name)) &&
		    kept <= LIMIT_IMAGE_KEPT &&
		    now - s->v[i].changed_ns < LIMIT_TIME_IMAGE_KEPT)
			continue;
		kept -= s->v[i].size;
		(void)unlinkat(s->dir, s->v[i].name, 0);
	}
}

static void sweep_done(struct work *w)
{
	struct sweep *s = container_of(w, struct sweep, work);

	for (size_t i = 0; i < s->n; i++)
		free(s->v[i].name);
	free(s->v);
	fd_close(s->dir);
	free(s);
}

void downloads_sweep(struct image_store *s, bool keep_whole)
{
	/* The pool may be gone already; the next start sweeps. */
	if (s->daemon->stopping)
		return;
	struct sweep *w = xcalloc(1, sizeof(*w));
	w->work = (struct work){ .run = run_sweep, .done = sweep_done };
	w->keep_whole = keep_whole;
	w->dir = openat(s->downloads_fd, ".",
			O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	work_submit(s->daemon->workers, &w->work);
}
