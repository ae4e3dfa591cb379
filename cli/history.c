/* SPDX-License-Identifier: MIT */
/* The file of lines.  See history.h. */
#include "cli/history.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/api/limits.h"
#include "lib/api/secret-line.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "lib/base/path.h"

#define BYTES_MAX ((off_t)2 * LIMIT_CONSOLE_HISTORY * (LIMIT_CONSOLE_KEPT + 1))

/* The file and nothing else of that name: no link, no pipe, nobody else's. */
static int open_file(const struct history *h, int flags, struct svm_err *err)
{
	auto_close int fd = open(h->path, flags | O_CLOEXEC | O_NOFOLLOW |
					  O_NONBLOCK, 0600);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return svm_err_sys(err, SVM_INTERNAL, errno,
				   "can't open '%s'", h->path);
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid())
		return svm_err_set(err, SVM_INTERNAL,
				   "'%s' is not a file of yours", h->path);
	if (st.st_mode & 077 && fchmod(fd, 0600) < 0)
		return svm_err_sys(err, SVM_INTERNAL, errno, "chmod '%s'",
				   h->path);
	return steal_fd(&fd);
}

/* The end of the file, as much as is ever kept. */
static int read_end(int fd, const char *path, struct buf *ret,
		    struct svm_err *err)
{
	off_t size = lseek(fd, 0, SEEK_END);
	off_t at = size > BYTES_MAX ? size - BYTES_MAX : 0;
	int r = size < 0 || lseek(fd, at, SEEK_SET) < 0 ? -errno :
		fd_slurp(fd, (size_t)BYTES_MAX + MIB(1), ret);

	if (r < 0)
		return svm_err_sys(err, SVM_INTERNAL, r, "read '%s'", path);
	/* From somewhere in it, what comes first is no line. */
	char *line = at ? memchr(buf_str(ret), '\n', ret->len) : NULL;

	if (line)
		buf_consume(ret, (size_t)(line + 1 - ret->data));
	return 0;
}

static size_t count_lines(const struct buf *text)
{
	size_t n = 0;

	for (size_t i = 0; i < text->len; i++)
		n += text->data[i] == '\n';
	return n;
}

static void drop_lines(struct buf *text, size_t n)
{
	size_t at = 0;

	for (; n; n--)
		at = (size_t)((char *)memchr(text->data + at, '\n',
					     text->len - at) + 1 - text->data);
	buf_consume(text, at);
}

/* Read it, and write it anew when it has too much or no end. */
static int load(struct history *h, struct buf *text, struct svm_err *err)
{
	auto_close int fd = open_file(h, O_RDONLY | O_CREAT, err);
	struct stat st;

	if (fd < 0 || read_end(fd, h->path, text, err) < 0)
		return -1;
	if (text->len && text->data[text->len - 1] != '\n')
		buf_addch(text, '\n');
	h->lines = count_lines(text);
	if (h->lines > LIMIT_CONSOLE_HISTORY) {
		drop_lines(text, h->lines - LIMIT_CONSOLE_HISTORY);
		h->lines = LIMIT_CONSOLE_HISTORY;
	}
	if (fstat(fd, &st) == 0 && st.st_size == (off_t)text->len)
		return 0;
	int r = fd_replace_path(AT_FDCWD, h->path, buf_str(text), text->len,
				0600);

	return r < 0 ? svm_err_sys(err, SVM_INTERNAL, r, "write '%s'",
				   h->path) : 0;
}

int history_open(struct history *h, const char *dir, history_fn fn,
		 struct svm_err *err)
{
	auto_buf struct buf text = BUF_INIT;

	*h = (struct history){ .path = path_join(dir, "console-history") };
	if (path_make_private_dir(dir, 0700, err) < 0 ||
	    load(h, &text, err) < 0) {
		history_release(h);
		return -1;
	}
	for (char *line = text.data; line && *line;) {
		size_t n = strcspn(line, "\n");

		line[n] = '\0'; /* each ends with one */
		if (line[0])
			fn(line);
		line += n + 1;
	}
	return 0;
}

void history_release(struct history *h)
{
	free(h->path);
	free(h->last);
	*h = (struct history){ 0 };
}

static bool is_kept(const struct history *h, const char *line)
{
	return line[0] && line[0] != ' ' && line[0] != '\t' &&
	       strlen(line) <= LIMIT_CONSOLE_KEPT && !strchr(line, '\n') &&
	       !secret_line(line) && (!h->last || strcmp(h->last, line) != 0);
}

static int append(struct history *h, const char *line, struct svm_err *err)
{
	auto_free char *text = xasprintf("%s\n", line);
	auto_buf struct buf old = BUF_INIT;

	if (h->lines >= (size_t)2 * LIMIT_CONSOLE_HISTORY &&
	    load(h, &old, err) < 0)
		return -1;
	auto_close int fd = open_file(h, O_WRONLY | O_APPEND | O_CREAT, err);

	if (fd < 0)
		return -1;
	int r = fd_write_full(fd, text, strlen(text));

	if (r < 0)
		return svm_err_sys(err, SVM_INTERNAL, r, "write '%s'",
				   h->path);
	h->lines++;
	return 1;
}

int history_add(struct history *h, const char *line, struct svm_err *err)
{
	if (!is_kept(h, line))
		return 0;
	free(h->last);
	h->last = xstrdup(line);
	if (!h->path)
		return 1; /* in this console's memory */
	int r = append(h, line, err);

	if (r < 0) {
		free(h->path);
		h->path = NULL;
	}
	return r;
}
