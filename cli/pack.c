/* SPDX-License-Identifier: MIT */
/* A directory as a tar stream.  See pack.h. */
#include "cli/pack.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/api/limits.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"

#define CHUNK KIB(64)

struct packer {
	pack_sink sink;
	void *data;
	struct svm_err *err;
	char *chunk;
	struct level {
		DIR *dir;
		size_t path_len; /* of the directory's own path */
	} level[LIMIT_TREE_DEPTH];
	size_t depth;
	struct buf path;         /* "./a/b" */
	unsigned skipped;        /* devices, pipes, sockets */
};

static int emit_header(struct packer *p, const struct stat *st,
		       enum ustar_type type, uint64_t size, const char *link)
{
	auto_buf struct buf head = BUF_INIT, name = BUF_INIT;

	buf_addstr(&name, buf_str(&p->path));
	if (type == USTAR_DIR)
		buf_addch(&name, '/');
	const struct ustar_entry e = {
		.type = (char)type,
		.mode = st->st_mode & 0777,
		.size = size,
		.mtime = st->st_mtime,
		.path = name.data,
		.target = (char *)(uintptr_t)link,
	};

	ustar_add_header(&head, &e);
	return p->sink(p->data, head.data, head.len, p->err);
}

static int system_error(struct packer *p, const char *what)
{
	return svm_err_sys(p->err, SVM_FILE_NOT_FOUND, errno, "%s '%s'", what,
			   buf_str(&p->path));
}

/* The size was promised in the header: a file that shrinks meanwhile is
 * filled with zeroes, one that grows is cut. */
static int emit_file(struct packer *p, int parent, const char *name)
{
	auto_close int fd = openat(parent, name, O_RDONLY | O_CLOEXEC |
				   O_NOFOLLOW | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return system_error(p, "open");
	if (!S_ISREG(st.st_mode))
		return 0; /* replaced since we looked */
	uint64_t left = (uint64_t)st.st_size;
	int r = emit_header(p, &st, USTAR_FILE, left, NULL);

	while (r == 0 && left) {
		ssize_t n = read(fd, p->chunk, MIN(left, (uint64_t)CHUNK));

		if (n < 0)
			return system_error(p, "read");
		if (n == 0) {
			n = (ssize_t)MIN(left, (uint64_t)CHUNK);
			memset(p->chunk, 0, (size_t)n);
		}
		left -= (uint64_t)n;
		r = p->sink(p->data, p->chunk, (size_t)n, p->err);
	}
	memset(p->chunk, 0, USTAR_BLOCK);
	size_t pad = ustar_padding((uint64_t)st.st_size);

	return r || !pad ? r : p->sink(p->data, p->chunk, pad, p->err);
}

static int enter(struct packer *p, int parent, const char *name,
		 const struct stat *st)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC |
			(p->depth ? O_NOFOLLOW : 0));

	if (fd < 0)
		return system_error(p, "open");
	if (p->depth == LIMIT_TREE_DEPTH) {
		fd_close(fd);
		return svm_err_set(p->err, SVM_TOO_LARGE,
				   "'%s' is nested too deeply",
				   buf_str(&p->path));
	}
	DIR *dir = fdopendir(fd);

	if (!dir) {
		fd_close(fd);
		return system_error(p, "read");
	}
	p->level[p->depth++] = (struct level){ dir, p->path.len };
	return emit_header(p, st, USTAR_DIR, 0, NULL);
}

static int emit_entry(struct packer *p, int parent, const char *name)
{
	char target[PATH_MAX];
	struct stat st;

	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : system_error(p, "stat");
	if (S_ISREG(st.st_mode))
		return emit_file(p, parent, name);
	if (S_ISDIR(st.st_mode))
		return enter(p, parent, name, &st);
	if (!S_ISLNK(st.st_mode)) {
		p->skipped++;
		return 0;
	}
	ssize_t n = readlinkat(parent, name, target, sizeof(target) - 1);

	if (n < 0)
		return system_error(p, "read the link");
	target[n] = '\0';
	return emit_header(p, &st, USTAR_SYMLINK, 0, target);
}

static int walk(struct packer *p)
{
	while (p->depth) {
		struct level *l = &p->level[p->depth - 1];

		errno = 0;
		struct dirent *e = readdir(l->dir);

		buf_truncate(&p->path, l->path_len);
		if (!e && errno)
			return system_error(p, "read");
		if (!e) {
			closedir(l->dir);
			p->depth--;
			continue;
		}
		if (strcmp(e->d_name, ".") == 0 ||
		    strcmp(e->d_name, "..") == 0)
			continue;
		buf_addf(&p->path, "/%s", e->d_name);
		int r = emit_entry(p, dirfd(l->dir), e->d_name);

		if (r)
			return r;
	}
	return 0;
}

int pack_tree(const char *dir, pack_sink sink, void *data,
	      unsigned *ret_skipped, struct svm_err *err)
{
	struct packer *p = xcalloc(1, sizeof(*p));
	auto_buf struct buf end = BUF_INIT;
	struct stat st;
	int r;

	p->sink = sink;
	p->data = data;
	p->err = err;
	p->chunk = xmalloc(CHUNK);
	buf_addstr(&p->path, ".");
	if (stat(dir, &st) < 0)
		r = svm_err_sys(err, SVM_FILE_NOT_FOUND, errno,
				"can't open '%s'", dir);
	else
		r = enter(p, AT_FDCWD, dir, &st);
	if (r == 0)
		r = walk(p);
	while (p->depth)
		closedir(p->level[--p->depth].dir);
	ustar_add_end(&end);
	if (r == 0)
		r = sink(data, end.data, end.len, err);
	*ret_skipped = p->skipped;
	buf_release(&p->path);
	free(p->chunk);
	free(p);
	return r < 0 ? -1 : 0;
}
