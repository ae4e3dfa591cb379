/* SPDX-License-Identifier: MIT */
/* A walk through a tree.  See walk.h. */
#include "agent/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "lib/api/limits.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"

static int push(struct walk *w, int fd)
{
	DIR *d = fdopendir(fd);

	if (!d) {
		int e = errno;

		fd_close(fd);
		return -e;
	}
	if (w->depth == w->cap) {
		w->cap = w->cap ? w->cap * 2 : 8;
		w->levels = xreallocarray(w->levels, w->cap,
					  sizeof(*w->levels));
	}
	w->levels[w->depth++] = (struct walk_level){ d, w->path.len };
	return 0;
}

int walk_begin(struct walk *w, int fd)
{
	*w = (struct walk){ 0 };
	return push(w, fd);
}

int walk_dir(const struct walk *w)
{
	return dirfd(w->levels[w->depth - 1].dir);
}

/* The directory is over: 0, or why it can't be listed to its end. */
static int pop(struct walk *w, int e)
{
	closedir(w->levels[--w->depth].dir);
	return -e;
}

int walk_next(struct walk *w)
{
	int r = 0;

	while (w->depth && r == 0) {
		struct walk_level *l = &w->levels[w->depth - 1];

		errno = 0;
		struct dirent *e = readdir(l->dir);

		buf_truncate(&w->path, l->path_len);
		if (!e) {
			r = pop(w, errno);
			continue;
		}
		if (strcmp(e->d_name, ".") == 0 ||
		    strcmp(e->d_name, "..") == 0)
			continue;
		r = fstatat(dirfd(l->dir), e->d_name, &w->st,
			    AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 1;
		if (r == -ENOENT) {
			r = 0;
			continue;
		}
		if (w->path.len)
			buf_addch(&w->path, '/');
		size_t at = w->path.len;
		buf_addstr(&w->path, e->d_name);
		w->name = w->path.data + at;
	}
	return r;
}

int walk_enter(struct walk *w)
{
	if (w->depth >= LIMIT_TREE_DEPTH)
		return -ELOOP;
	int fd = openat(walk_dir(w), w->name, O_RDONLY | O_DIRECTORY |
						      O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : push(w, fd);
}

void walk_end(struct walk *w)
{
	while (w->depth)
		closedir(w->levels[--w->depth].dir);
	free(w->levels);
	buf_release(&w->path);
	*w = (struct walk){ 0 };
}
