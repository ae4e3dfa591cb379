/* SPDX-License-Identifier: MIT */
/* stacyvm cp: files and trees between here and a sandbox. */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/progress.h"
#include "cli/sandbox.h"
#include "cli/transfer.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "lib/base/shell.h"
#include "lib/base/path.h"
#include "lib/base/place.h"

struct cp_opts {
	bool recursive;
};

static const struct opt opts[] = {
	{ OPT_FLAG, 'r', "recursive", offsetof(struct cp_opts, recursive),
	  NULL, "copy directories with what is in them", COMPLETE_NONE,
	  false },
	OPTS_END,
};

/* The last component without trailing slashes; "" for "/" and "." kinds. */
static char *base_name(const char *path)
{
	size_t n = strlen(path);

	while (n && path[n - 1] == '/')
		n--;
	size_t at = n;

	while (at && path[at - 1] != '/')
		at--;
	char *name = xstrndup(path + at, n - at);

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		name[0] = '\0';
	return name;
}

static char *below(const char *dir, const char *name)
{
	size_t n = strlen(dir);

	if (!name[0])
		return xstrdup(dir);
	return xasprintf(n && dir[n - 1] == '/' ? "%s%s" : "%s/%s", dir, name);
}

/* Where in the sandbox it goes: into a directory that is there (or that a
 * final slash promises), else the path itself. */
static char *remote_target(struct cli *cli, const char *id, const char *path,
			   const char *name, struct svm_err *err)
{
	size_t n = strlen(path);

	int dir = n > 1 && path[n - 1] == '/' ?
			  1 : files_is_dir(cli, id, path, NULL, err);

	if (dir < 0)
		return NULL;
	return dir ? below(path, name) : xstrdup(path);
}

static int upload_file(struct cli *cli, const char *id, const char *to,
		       const char *from, int fd, const struct stat *st,
		       struct svm_err *err)
{
	struct progress p;
	char mode[8];
	int64_t size = fd_regular_size(fd);

	snprintf(mode, sizeof(mode), "%04o", (unsigned)st->st_mode & 0777);
	progress_init(&p, cli, from, size);
	int r = transfer_put(cli, id, to, fd, size,
			     S_ISREG(st->st_mode) ? mode : NULL, &p, err);

	progress_end(&p);
	return r;
}

/* Without waiting: a named pipe would hold us, deaf to Ctrl-C, until somebody
 * opens its other end.  One that a shell has opened for us is as good as a
 * file. */
static int open_source(const char *from, struct stat *st, struct svm_err *err)
{
	auto_close int fd = open(from, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct statfs fs;

	if (fd < 0 || fstat(fd, st) < 0 || fstatfs(fd, &fs) < 0 ||
	    fd_set_nonblock(fd, false) < 0)
		return svm_err_sys(err, SVM_FILE_NOT_FOUND, errno,
				   "can't open '%s'", from);
	if (S_ISFIFO(st->st_mode) && fs.f_type != PIPEFS_MAGIC) {
		auto_buf struct buf word = BUF_INIT;

		shell_word(&word, from);
		svm_err_set(err, SVM_BAD_REQUEST, "'%s' is a named pipe",
			    from);
		return svm_err_hint(err, "copy what comes from it:  stacyvm "
				    "cp - ID:/path <%s", buf_str(&word));
	}
	return steal_fd(&fd);
}

static int upload(struct cli *cli, const struct cp_opts *o, const char *from,
		  const char *id, const char *path, struct svm_err *err)
{
	bool standard = strcmp(from, "-") == 0;
	struct stat st = { 0 };
	auto_close int opened = standard ? -1 : open_source(from, &st, err);
	int fd = standard ? STDIN_FILENO : opened;
	auto_free char *name = base_name(standard ? "" : from);
	struct progress p;

	if (fd < 0)
		return -1;
	if (standard && fstat(fd, &st) < 0)
		return svm_err_sys(err, SVM_INTERNAL, errno,
				   "look at standard input");
	if (S_ISDIR(st.st_mode) && !o->recursive) {
		svm_err_set(err, SVM_BAD_REQUEST, "'%s' is a directory",
			    from);
		return svm_err_hint(err, "add -r to copy what is in it");
	}
	if (standard && path[strlen(path) - 1] == '/')
		return cli_usage(cli, err, "'-' needs a file name in the "
					   "sandbox");
	auto_free char *to = remote_target(cli, id, path, name, err);

	if (!to)
		return -1;
	if (!S_ISDIR(st.st_mode))
		return upload_file(cli, id, to, from, fd, &st, err);
	progress_init(&p, cli, from, -1);
	int r = transfer_put_tree(cli, id, to, from, &p, err);

	progress_end(&p);
	return r;
}

static int download_stream(struct cli *cli, const char *id, const char *from,
			   const struct place *there, const char *to,
			   struct progress *p, struct svm_err *err)
{
	auto_close int fd = place_open(there);

	if (fd < 0)
		return svm_err_sys(err, SVM_INTERNAL, fd, "can't open '%s'",
				   to);
	return transfer_get(cli, id, from, fd, to, p, err);
}

/* It may have come with a tree that was copied before. */
static int refuse_outside(const struct place *there, const char *to,
			  struct svm_err *err)
{
	if (!there->outside)
		return 0;
	svm_err_set(err, SVM_BAD_REQUEST, "can't write '%s': it is a link "
		    "that leads out of its directory", to);
	return svm_err_hint(err, "name '%s', if that is meant", there->path);
}

/* Into what is there, or is made. */
static int download_tree(struct cli *cli, const char *id, const char *from,
			 const char *to, struct progress *p,
			 struct svm_err *err)
{
	auto_place struct place there = PLACE_INIT;

	if (place_find(to, &there) == 0 && refuse_outside(&there, to, err) < 0)
		return -1;
	return transfer_get_tree(cli, id, from, to, p, err);
}

/* Beside what it replaces until it is whole: a failed copy leaves nothing
 * under the final name.  As with cp, a new file has the permissions of the
 * other as the umask has it, one that is there keeps its own; and a device or
 * pipe is written, not replaced. */
static int download_file(struct cli *cli, const char *id, const char *from,
			 mode_t mode, const char *to, struct progress *p,
			 struct svm_err *err)
{
	auto_place struct place there = PLACE_INIT;
	int r = place_find(to, &there), fd;

	if (r < 0)
		return svm_err_sys(err, SVM_INTERNAL, r, "create '%s'", to);
	if (there.kind != PLACE_FOREIGN && refuse_outside(&there, to, err) < 0)
		return -1;
	if (there.kind == PLACE_STREAM)
		return download_stream(cli, id, from, &there, to, p, err);
	if (place_kept_as(&there)) {
		svm_err_set(err, SVM_BAD_REQUEST, "can't write '%s': it is %s",
			    to, place_kept_as(&there));
		return there.kind != PLACE_FOREIGN ? -1 :
			svm_err_hint(err, "name the file it leads to, if that "
				     "is meant");
	}
	fd = place_begin(&there, mode);
	if (fd < 0)
		return svm_err_sys(err, SVM_INTERNAL, fd, "create '%s'", to);
	if (transfer_get(cli, id, from, fd, to, p, err) < 0)
		return -1;
	r = place_end(&there);
	return r < 0 ? svm_err_sys(err, SVM_INTERNAL, r, "replace '%s'", to) :
		       0;
}

static int download(struct cli *cli, const struct cp_opts *o, const char *id,
		    const char *from, const char *to, struct svm_err *err)
{
	auto_free char *name = base_name(from);
	struct progress p;
	struct stat st;
	mode_t mode = 0666;
	int dir = files_is_dir(cli, id, from, &mode, err), r;

	if (dir < 0)
		return -1;
	if (dir && !o->recursive) {
		svm_err_set(err, SVM_BAD_REQUEST, "'%s' is a directory",
			    from);
		return svm_err_hint(err, "add -r to copy what is in it");
	}
	auto_free char *target = stat(to, &st) == 0 && S_ISDIR(st.st_mode) ?
					 below(to, name) : xstrdup(to);
	bool out = strcmp(to, "-") == 0 || place_is_output(target);

	progress_init(&p, cli, from, -1);
	if (out && dir)
		r = cli_usage(cli, err, "a directory does not go to "
					"standard output");
	else if (out)
		r = transfer_get(cli, id, from, STDOUT_FILENO, NULL, &p, err);
	else if (dir)
		r = download_tree(cli, id, from, target, &p, err);
	else
		r = download_file(cli, id, from, mode, target, &p, err);
	progress_end(&p);
	return r;
}

static int run(struct cli *cli, void *values, int argc, char **args,
	       struct svm_err *err)
{
	const struct cp_opts *o = values;
	const char *from = NULL, *to = NULL;
	auto_free char *source = sandbox_split(cli, args[0], &from);
	auto_free char *target = sandbox_split(cli, args[1], &to);

	(void)argc;
	if (!source == !target)
		return cli_usage(cli, err, "%s of the two must be ID:/path%s",
				 source ? "only one" : "one", cli->in_use ?
				 ", or :path in the sandbox in use" : "");
	if (source && !from[0] && !o->recursive)
		return cli_usage(cli, err, "which file of '%s'?", args[0]);
	auto_free char *remote = sandbox_abs_path(
		cli, source ? source : target, source ? from : to);
	size_t n = strlen(remote);

	if (source && !from[0] && n > 1)
		remote[n - 1] = '\0'; /* the directory one is in */
	if (!cli_client(cli, err))
		return -1;
	/* An interrupted copy is taken back, here and there. */
	auto_close int signals = cli_catch_signals(cli, err);
	auto_free char *id = signals < 0 ? NULL :
		sandbox_resolve(cli, source ? source : target, err);

	if (!id)
		return -1;
	return source ? download(cli, o, id, remote, args[1], err) :
			upload(cli, o, args[0], id, remote, err);
}

const struct cmd cmd_cp = {
	.name = "cp",
	.args = "SOURCE TARGET",
	.summary = "copy files between here and a sandbox",
	.help = "One of the two is ID:/path; a path without a leading slash "
		"counts from /workspace,\nwhich ID: alone is.  - is standard "
		"input or output.  Into a directory that exists,\nthe source "
		"keeps its name.  A file appears under its name when it is "
		"complete,\nnever in part; a link stays, and what it leads "
		"to is replaced,\nif that is below the link's directory.",
	.examples = "stacyvm cp main.py ID:/workspace/\n"
		    "stacyvm cp -r ID:/workspace/results .\n"
		    "stacyvm cp ID:/var/log/app.log - | grep ERROR",
	.opts = opts,
	.opts_size = sizeof(struct cp_opts),
	.min_args = 2,
	.max_args = 2,
	.complete = COMPLETE_SANDBOX_PATH,
	.complete_then = COMPLETE_SANDBOX_PATH,
	.run = run,
};
