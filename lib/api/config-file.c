/* SPDX-License-Identifier: MIT */
/* Changing a configuration file.  See config-file.h. */
#include "lib/api/config-file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/api/config-text.h"
#include "lib/api/dirs.h"
#include "lib/api/limits.h"
#include "lib/base/fd.h"
#include "lib/base/lock.h"
#include "lib/base/mem.h"
#include "lib/base/path.h"

void config_change_release(struct config_change *c)
{
	free(c->path);
	free(c->before);
	free(c->after);
	*c = (struct config_change)CONFIG_CHANGE_INIT;
}

/* The file at hand: its directory open and locked, its text read. */
struct at_hand {
	char *path; /* without links */
	int dir;
	struct buf text;
	bool there;
	mode_t mode;
};

static void let_go(struct at_hand *f)
{
	free(f->path);
	fd_close(f->dir);
	buf_release(&f->text);
}
#define auto_at_hand CLEANUP(let_go)

static int cannot(struct svm_err *err, const char *what, const char *path)
{
	bool denied = errno == EACCES || errno == EPERM || errno == EROFS;

	return svm_err_sys(err, denied ? SVM_FORBIDDEN : SVM_INTERNAL, errno,
			   "cannot %s '%s'", what, path);
}

/* A dangling link leads to a file that is to be made. */
static char *without_links(const char *path)
{
	char *real = realpath(path, NULL);

	return real ? real : xstrdup(path);
}

static int lock_dir(struct at_hand *f, struct svm_err *err)
{
	const char *slash = strrchr(f->path, '/');
	auto_free char *dir = !slash ? xstrdup(".") :
			      xstrndup(f->path, MAX(slash - f->path, 1));

	if (access(dir, F_OK) < 0 && errno == ENOENT && *dir == '/' &&
	    path_make_private_dir(dir, 0700, err) < 0)
		return dirs_hint("XDG_CONFIG_HOME", NULL, err);
	f->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->dir < 0)
		return cannot(err, "open", dir);
	int r = lock_within(f->dir, LIMIT_LOCK_MS);

	if (r == -EWOULDBLOCK)
		return svm_err_set(err, SVM_CONFLICT,
				   "another program holds a lock on '%s'", dir);
	return r < 0 ? svm_err_sys(err, SVM_INTERNAL, r, "cannot lock '%s'",
				   dir) : 0;
}

static int read_text(struct at_hand *f, struct svm_err *err)
{
	struct stat st;
	/* O_NONBLOCK: a FIFO must not hold us here. */
	auto_close int fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK |
						  O_NOCTTY);

	f->mode = 0600;
	if (fd < 0)
		return errno == ENOENT ? 0 : cannot(err, "read", f->path);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "'%s' is not a regular file", f->path);
	int r = fd_slurp(fd, LIMIT_CONFIG_FILE, &f->text);
	if (r < 0) {
		errno = -r;
		return cannot(err, "read", f->path);
	}
	f->there = true;
	f->mode = st.st_mode & 0777;
	return 0;
}

static int take(struct at_hand *f, const char *path, struct svm_err *err)
{
	f->path = without_links(path);
	return lock_dir(f, err) < 0 || read_text(f, err) < 0 ? -1 : 0;
}

static int put(const struct at_hand *f, const char *text, size_t n,
	       struct svm_err *err)
{
	int r = fd_replace_path(AT_FDCWD, f->path, text, n, f->mode);

	errno = r < 0 ? -r : 0;
	if (r < 0)
		return cannot(err, "write", f->path);
	(void)fsync(f->dir); /* else the old file after a power cut */
	return 0;
}

/* One value, or a list. */
static int set(const char *path, const char *key, const char *value,
	       char *const *items, config_check_fn *check, void *data,
	       struct config_change *ret_change, struct svm_err *err)
{
	auto_at_hand struct at_hand f = { .dir = -1 };
	auto_buf struct buf new = BUF_INIT;

	if (take(&f, path, err) < 0)
		return -1;
	const char *text = buf_str(&f.text);
	int r = items ? config_text_set_list(path, text, f.text.len, key,
					     items, &new, err) :
			config_text_set(path, text, f.text.len, key, value,
					&new, err);
	if (r <= 0)
		return r;
	if (new.len > LIMIT_CONFIG_FILE)
		return svm_err_set(err, SVM_TOO_LARGE, "'%s' would be larger "
				   "than %d bytes", path, LIMIT_CONFIG_FILE);
	if (check && check(path, buf_str(&new), new.len, data, err) < 0)
		return -1;
	if (put(&f, buf_str(&new), new.len, err) < 0)
		return -1;
	if (ret_change)
		*ret_change = (struct config_change){
			.path = xstrdup(path),
			.before = f.there ? buf_steal(&f.text) : NULL,
			.after = buf_steal(&new) };
	return 1;
}

int config_file_set(const char *path, const char *key, const char *value,
		    config_check_fn *check, void *data,
		    struct config_change *ret_change, struct svm_err *err)
{
	return set(path, key, value, NULL, check, data, ret_change, err);
}

int config_file_set_list(const char *path, const char *key,
			 char *const *items, config_check_fn *check,
			 void *data, struct config_change *ret_change,
			 struct svm_err *err)
{
	return set(path, key, NULL, items, check, data, ret_change, err);
}

int config_file_replace(const char *path, const char *before, const char *text,
			size_t n, config_check_fn *check, void *data,
			struct svm_err *err)
{
	auto_at_hand struct at_hand f = { .dir = -1 };

	if (n > LIMIT_CONFIG_FILE)
		return svm_err_set(err, SVM_TOO_LARGE, "'%s' would be larger "
				   "than %d bytes", path, LIMIT_CONFIG_FILE);
	if (take(&f, path, err) < 0)
		return -1;
	if (strcmp(buf_str(&f.text), before) != 0)
		return svm_err_set(err, SVM_CONFLICT, "'%s' was changed by "
				   "another since", path);
	if (check && check(path, text, n, data, err) < 0)
		return -1;
	return put(&f, text, n, err);
}

int config_file_undo(const struct config_change *c, struct svm_err *err)
{
	auto_at_hand struct at_hand f = { .dir = -1 };

	if (take(&f, c->path, err) < 0)
		return -1;
	if (!f.there || strcmp(buf_str(&f.text), c->after) != 0)
		return svm_err_set(err, SVM_CONFLICT, "'%s' was changed by "
				   "another since", c->path);
	if (c->before)
		return put(&f, c->before, strlen(c->before), err);
	return unlink(f.path) < 0 ? cannot(err, "remove", f.path) : 0;
}
