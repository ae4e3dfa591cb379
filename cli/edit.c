/* SPDX-License-Identifier: MIT */
/* A text in the user's editor.  See edit.h. */
#include "cli/edit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/ask.h"
#include "cli/cli.h"
#include "lib/api/limits.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "lib/base/path.h"
#include "lib/base/proc.h"

extern char **environ;

/* A directory of its own: editors leave swap files and copies beside what
 * they edit, and there may be secrets in it. */
struct draft {
	char *dir, *path;
};

static int draft_make(struct draft *d, const char *name, const char *text,
		      size_t n, struct svm_err *err)
{
	const char *tmp = getenv("TMPDIR");

	d->dir = xasprintf("%s/stacyvm-edit-XXXXXX",
			   tmp && *tmp == '/' ? tmp : "/tmp");
	if (!mkdtemp(d->dir))
		return svm_err_sys(err, SVM_INTERNAL, errno,
				   "make a directory like '%s'", d->dir);
	d->path = path_join(d->dir, name);
	int r = fd_replace_path(AT_FDCWD, d->path, text, n, 0600);
	return r < 0 ? svm_err_sys(err, SVM_INTERNAL, r, "write '%s'",
				   d->path) : 0;
}

static void draft_remove(const struct draft *d)
{
	const char *slash = strrchr(d->dir, '/');
	auto_free char *parent = xstrndup(d->dir, (size_t)(slash - d->dir));
	auto_close int fd = open(*parent ? parent : "/",
				 O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		(void)path_remove_tree(fd, slash + 1);
}

static const char *editor(void)
{
	const char *const names[] = { "VISUAL", "EDITOR" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *v = getenv(names[i]);

		if (v && *v)
			return v;
	}
	return "vi";
}

/* The keys that interrupt are the editor's while it runs. */
static int wait_for(pid_t pid)
{
	void (*old_int)(int) = signal(SIGINT, SIG_IGN);
	void (*old_quit)(int) = signal(SIGQUIT, SIG_IGN);
	int status = 0;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			break;
	signal(SIGINT, old_int);
	signal(SIGQUIT, old_quit);
	return status;
}

/* By a shell, since $EDITOR may be "code --wait". */
static int run_editor(const char *path, struct svm_err *err)
{
	static const int fds[] = { 0, 1, 2 };
	const char *name = editor();
	auto_free char *line = xasprintf("%s \"$@\"", name);
	const char *const argv[] = { "/bin/sh", "-c", line, name, path, NULL };

	fflush(stdout);
	pid_t pid = proc_spawn((char *const *)argv, environ, fds, 3, 0, NULL);
	if (pid < 0)
		return svm_err_sys(err, SVM_INTERNAL, (int)pid,
				   "start the editor '%s'", name);
	int status = wait_for(pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	svm_err_set(err, SVM_CANCELLED, "the editor '%s' ended with status %d",
		    name, WIFSIGNALED(status) ? 128 + WTERMSIG(status) :
						WEXITSTATUS(status));
	return svm_err_hint(err, "choose another with VISUAL or EDITOR");
}

static int read_draft(const struct draft *d, struct buf *ret,
		      struct svm_err *err)
{
	int r = fd_slurp_path(AT_FDCWD, d->path, LIMIT_EDIT, ret);

	if (r < 0)
		return svm_err_sys(err, r == -EFBIG ? SVM_TOO_LARGE :
						      SVM_FILE_NOT_FOUND,
				   r, "read '%s'", d->path);
	if (ret->len && memchr(ret->data, '\0', ret->len))
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "there is a NUL in the text");
	return 0;
}

static bool is_same(const struct buf *b, const char *text, size_t n)
{
	return b->len == n && (!n || memcmp(b->data, text, n) == 0);
}

/* One turn: as edit_text(), and what the draft is now. */
static int turn(struct cli *cli, const struct draft *d, const char *text,
		size_t n, edit_take_fn *take, void *data, struct buf *now,
		struct svm_err *err)
{
	int r = run_editor(d->path, err);
	auto_err struct svm_err unread = SVM_ERR_INIT;

	if (read_draft(d, now, r < 0 ? &unread : err) < 0)
		return -1;
	if (r < 0)
		return -1;
	if (is_same(now, text, n))
		return 0;
	return take(cli, now, data, err) < 0 ? -1 : 1;
}

/* The end, with what there is kept: `why` in one error. */
static void give_up(const struct draft *d, const struct svm_err *why,
		    struct svm_err *err)
{
	svm_err_set(err, why->code, "%s\nwhat you wrote is in %s", why->msg,
		    d->path);
	if (why->hint)
		svm_err_hint(err, "%s", why->hint);
}

/* The text was not taken: true to go on. */
static bool may_go_on(struct cli *cli, const struct draft *d,
		      struct svm_err *why, bool keep, struct svm_err *err)
{
	if (!keep) {
		svm_err_move(err, why);
		return false;
	}
	if (why->code == SVM_CANCELLED || !ask_possible(cli)) {
		give_up(d, why, err);
		return false;
	}
	(void)cli_report(cli, why);
	if (ask_yes(cli, "Edit again?", true))
		return true;
	svm_err_set(err, SVM_CANCELLED, "nothing was changed; what you wrote "
		    "is in %s", d->path);
	return false;
}

int edit_text(struct cli *cli, const char *name, const char *text, size_t n,
	      edit_take_fn *take, void *data, struct svm_err *err)
{
	struct draft d = { NULL, NULL };
	bool keep = false, go_on = true;
	int r = draft_make(&d, name, text, n, err);

	while (r == 0 && go_on) {
		auto_buf struct buf now = BUF_INIT;
		auto_err struct svm_err e = SVM_ERR_INIT;

		r = turn(cli, &d, text, n, take, data, &now, &e);
		go_on = false;
		if (r >= 0)
			break;
		keep = !is_same(&now, text, n) && access(d.path, F_OK) == 0;
		go_on = may_go_on(cli, &d, &e, keep, err);
		r = go_on ? 0 : -1;
	}
	if (d.path && (r >= 0 || !keep))
		draft_remove(&d);
	free(d.path);
	free(d.dir);
	return r;
}
