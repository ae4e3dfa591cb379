/* SPDX-License-Identifier: MIT */
/* Texts that were not saved.  See draft.h. */
#include "tui/draft.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/api/dirs.h"
#include "lib/api/limits.h"
#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "lib/base/path.h"
#include "lib/base/proc.h"

#define PREFIX "draft-"
#define KEY_HEX 16
#define NSEC INT64_C(1000000000)

static char *directory(void)
{
	struct dirs dirs;
	char *path;

	dirs_init(&dirs);
	path = path_join(dirs.state, "drafts");
	dirs_release(&dirs);
	return path;
}

static void add_hex(struct buf *out, const struct digest *d)
{
	for (size_t i = 0; i < KEY_HEX / 2; i++)
		buf_addf(out, "%02x", d->b[i]);
}

/* "draft-SANDBOX-KEY-" */
static void add_prefix(struct buf *out, const struct draft_of *of)
{
	auto_buf struct buf all = BUF_INIT;
	struct digest key;

	/* With the zeros: where one ends is part of it. */
	buf_add(&all, of->server, strlen(of->server) + 1);
	buf_add(&all, of->id, strlen(of->id) + 1);
	buf_add(&all, of->path, strlen(of->path) + 1);
	key = digest_of(all.data, all.len);
	buf_addf(out, PREFIX "%.40s-", of->id);
	add_hex(out, &key);
	buf_addch(out, '-');
}

/* The id is a daemon's word, the name a sandbox's; this is a file of ours. */
static void flatten(struct buf *name)
{
	for (size_t i = 0; i < name->len; i++)
		if (name->data[i] == '/')
			name->data[i] = '_';
}

/* -- what is there */

struct entry {
	char name[NAME_MAX + 1];
	int64_t written; /* wall */
};

static int64_t time_of(const struct stat *st)
{
	return st->st_mtim.tv_sec * NSEC + st->st_mtim.tv_nsec;
}

/* It runs, and did so when the draft was written: it is its. */
static bool is_held(pid_t pid, const struct stat *draft)
{
	int64_t ticks = proc_start_time(pid);
	int64_t written = clock_boot_ns() - (clock_wall_ns() - time_of(draft));
	char state = proc_state(pid);

	return pid != getpid() && ticks >= 0 && state && state != 'Z' &&
	       ticks * (NSEC / sysconf(_SC_CLK_TCK)) <= written + NSEC;
}

/* "BASE-PID-NAME" */
static bool parse_rest(const char *rest, pid_t *ret_pid)
{
	char *end;
	long pid;

	if (strspn(rest, "0123456789abcdef") != KEY_HEX ||
	    rest[KEY_HEX] != '-')
		return false;
	pid = strtol(rest + KEY_HEX + 1, &end, 10);
	*ret_pid = (pid_t)pid;
	return *end == '-' && pid > 0 && pid <= INT32_MAX;
}

/* A file of ours with a text that fits; whatever else lies there is not. */
static int open_draft(int dir, const char *name, struct stat *ret)
{
	auto_close int fd = openat(dir, name, O_RDONLY | O_CLOEXEC |
						      O_NOFOLLOW | O_NONBLOCK |
						      O_NOCTTY);

	if (fd < 0 || fstat(fd, ret) < 0 || !S_ISREG(ret->st_mode) ||
	    ret->st_uid != geteuid() || ret->st_size > LIMIT_TUI_EDIT)
		return -1;
	return steal_fd(&fd);
}

static DIR *open_directory(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d)
		fd_close(fd);
	return d;
}

/* -- too many */

/* The oldest one goes; false when fewer are there. */
static bool drop_oldest(DIR *d)
{
	struct entry oldest = { "", INT64_MAX };
	size_t n = 0;
	struct stat st;

	rewinddir(d);
	for (struct dirent *e; (e = readdir(d));) {
		if (strncmp(e->d_name, PREFIX, strlen(PREFIX)) != 0 ||
		    fstatat(dirfd(d), e->d_name, &st,
			    AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		n++;
		if (time_of(&st) >= oldest.written)
			continue;
		oldest.written = time_of(&st);
		snprintf(oldest.name, sizeof(oldest.name), "%s", e->d_name);
	}
	return n >= LIMIT_TUI_DRAFTS && unlinkat(dirfd(d), oldest.name, 0) == 0;
}

static void make_room(const char *path)
{
	DIR *d = open_directory(path);

	while (d && drop_oldest(d))
		;
	if (d)
		closedir(d);
}

char *draft_file(const struct draft_of *of)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_free char *dir = directory();
	auto_buf struct buf name = BUF_INIT;
	const char *slash = strrchr(of->path, '/');

	path_make_private_dir(dir, 0700, &err); /* else it can't be written */
	make_room(dir);
	add_prefix(&name, of);
	add_hex(&name, of->base);
	buf_addf(&name, "-%d-%.100s", (int)getpid(),
		 slash ? slash + 1 : of->path);
	flatten(&name);
	return path_join(dir, buf_str(&name));
}

/* -- what was left */

static void take(const char *dir, const char *name,
		 const struct stat *st, int fd, struct draft *ret)
{
	struct buf text = BUF_INIT;

	if (fd_slurp(fd, LIMIT_TUI_EDIT, &text) < 0) {
		buf_release(&text);
		return;
	}
	draft_release(ret);
	ret->file = path_join(dir, name);
	ret->text = text;
	ret->wall_ns = time_of(st);
}

bool draft_find(const struct draft_of *of, struct draft *ret)
{
	auto_free char *dir = directory();
	auto_buf struct buf prefix = BUF_INIT, base = BUF_INIT;
	DIR *d = open_directory(dir);
	struct stat st;
	pid_t pid;

	*ret = (struct draft){ 0 };
	if (!d)
		return false;
	add_prefix(&prefix, of);
	flatten(&prefix);
	add_hex(&base, of->base);
	for (struct dirent *e; (e = readdir(d));) {
		const char *rest = e->d_name + prefix.len;

		if (strncmp(e->d_name, buf_str(&prefix), prefix.len) != 0 ||
		    !parse_rest(rest, &pid))
			continue;
		auto_close int fd = open_draft(dirfd(d), e->d_name, &st);
		if (fd < 0 || is_held(pid, &st) ||
		    (ret->file && time_of(&st) <= ret->wall_ns))
			continue;
		take(dir, e->d_name, &st, fd, ret);
		ret->same_base = strncmp(rest, buf_str(&base), KEY_HEX) == 0;
	}
	closedir(d);
	return ret->file != NULL;
}

void draft_release(struct draft *d)
{
	free(d->file);
	buf_release(&d->text);
	*d = (struct draft){ 0 };
}
