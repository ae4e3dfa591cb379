/* SPDX-License-Identifier: MIT */
/*
 * stacyvm support: one archive with what somebody needs who helps.
 *
 * It has what the program says of itself, never an environment, a file or
 * the output of a sandbox.  What this program prints for a person it asks a
 * child of itself for, so that a part that fails is missing and no more.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/out.h"
#include "lib/api/dirs.h"
#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "lib/base/path.h"
#include "lib/base/proc.h"
#include "lib/base/ustar.h"

#define LOG_TAIL (256 * 1024)
#define PART_MAX (4 * 1024 * 1024)

extern char **environ;

struct support_opts {
	const char *output;
};

static const struct opt opts[] = {
	{ OPT_STRING, 'o', "output", offsetof(struct support_opts, output),
	  "FILE", "write it there; by default stacyvm-support-TIME.tar",
	  COMPLETE_FILE, false },
	OPTS_END,
};

static void add_part(struct buf *tar, const char *name, const void *p,
		     size_t n)
{
	static const char zeros[USTAR_BLOCK];
	auto_free char *path = xasprintf("stacyvm-support/%s", name);
	const struct ustar_entry e = {
		.path = path, .target = (char *)(uintptr_t)"", .size = n,
		.mode = 0600, .mtime = time(NULL), .type = USTAR_FILE,
	};

	ustar_add_header(tar, &e);
	buf_add(tar, p, n);
	buf_add(tar, zeros, ustar_padding(n));
}

/* A REST reply as it is, or why there is none. */
static void add_reply(struct cli *cli, struct buf *tar, const char *name,
		      const char *target)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_buf struct buf body = BUF_INIT;

	if (cli_get(cli, target, &body, &err) < 0)
		buf_addf(&body, "not available: %s\n", err.msg);
	add_part(tar, name, body.data, body.len);
}

/* Output of ourselves with these arguments. */
static void add_command(struct buf *tar, const char *name, char **argv)
{
	auto_buf struct buf text = BUF_INIT;
	int pipe_fd[2];

	if (pipe2(pipe_fd, O_CLOEXEC) < 0)
		return;
	auto_close int in = pipe_fd[0];
	const int fds[] = { -1, pipe_fd[1], pipe_fd[1] };
	pid_t pid = proc_spawn(argv, environ, fds, 3, 0, NULL);

	close(pipe_fd[1]);
	if (pid < 0)
		buf_addf(&text, "can't run: %s\n", strerror((int)-pid));
	else if (fd_slurp(in, PART_MAX, &text) < 0)
		buf_addstr(&text, "\n(cut here)\n");
	if (pid > 0)
		(void)waitpid(pid, NULL, 0);
	add_part(tar, name, text.data, text.len);
}

/* The end of a log, from a whole line on. */
static void add_log(struct buf *tar, const char *dir, const char *file)
{
	auto_free char *path = path_join(dir, file);
	auto_free char *name = xasprintf("logs/%s", file);
	auto_buf struct buf text = BUF_INIT;
	auto_close int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	off_t size = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);

	if (size < 0)
		return;
	(void)lseek(fd, MAX(size - LOG_TAIL, (off_t)0), SEEK_SET);
	(void)fd_slurp(fd, 2 * LOG_TAIL, &text);
	if (size > LOG_TAIL) {
		const char *line = memchr(text.data, '\n', text.len);

		if (line)
			buf_consume(&text, (size_t)(line + 1 - text.data));
	}
	add_part(tar, name, text.data, text.len);
}

static void collect(struct cli *cli, struct buf *tar)
{
	static const char *const self = "/proc/self/exe";
	char *const exe = (char *)(uintptr_t)self;
	struct dirs d;

	add_part(tar, "version.txt", SVM_VERSION "\n",
		 sizeof(SVM_VERSION "\n") - 1);
	add_reply(cli, tar, "health.json", API "/health");
	add_reply(cli, tar, "doctor.json", API "/doctor");
	add_reply(cli, tar, "providers.json", API "/providers");
	add_reply(cli, tar, "metrics.json", API "/metrics");
	add_reply(cli, tar, "config-in-force.json", API "/config");
	add_reply(cli, tar, "audit-verify.json", API "/audit/verify");
	add_command(tar, "config.txt", (char *[]){
			exe, (char *)(uintptr_t)"config",
			(char *)(uintptr_t)"get",
			(char *)(uintptr_t)"--origin", NULL });
	add_command(tar, "db-check.txt", (char *[]){
			exe, (char *)(uintptr_t)"db",
			(char *)(uintptr_t)"check", NULL });
	dirs_init(&d);
	auto_free char *logs = path_join(d.state, "logs");
	add_log(tar, logs, "daemon.log");
	add_log(tar, logs, "daemon.log.1");
	dirs_release(&d);
	ustar_add_end(tar);
}

static int run_bundle(struct cli *cli, void *values, int argc, char **args,
		      struct svm_err *err)
{
	const struct support_opts *o = values;
	auto_buf struct buf tar = BUF_INIT;
	char when[CLOCK_RFC3339_SIZE];

	(void)argc, (void)args;
	cli->no_autostart = true;
	clock_format_rfc3339(clock_wall_ns(), when);
	auto_free char *fallback = xasprintf("stacyvm-support-%.10s-%.2s%.2s"
					     "%.2s.tar", when, when + 11,
					     when + 14, when + 17);
	const char *file = o->output ? o->output : fallback;

	auto_close int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
				 0600);
	if (fd < 0)
		return svm_err_sys(err, errno == EEXIST ? SVM_CONFLICT :
							  SVM_UNAVAILABLE,
				   errno, "can't create '%s'", file);
	collect(cli, &tar);
	int e = fd_write_full(fd, tar.data, tar.len);
	if (e < 0) {
		(void)unlink(file);
		return svm_err_sys(err, SVM_NO_SPACE, e, "can't write '%s'",
				   file);
	}
	auto_buf struct buf said = BUF_INIT;
	struct json_writer w = json_writer(&said);

	json_open(&w, NULL, '{');
	json_str(&w, "file", file);
	json_close(&w, '}');
	if (cli->json)
		out_json(buf_str(&said));
	else
		printf("%s\n", file);
	return 0;
}

static const struct cmd bundle = {
	.name = "bundle",
	.summary = "collect version, health, configuration and logs",
	.help = "Secrets of the configuration are left out, and so is "
		"everything inside sandboxes.\nThe logs name sandboxes, "
		"images and callers: look at them before you send them.",
	.opts = opts,
	.opts_size = sizeof(struct support_opts),
	.run = run_bundle,
};

static const struct cmd *const subs[] = { &bundle, NULL };

const struct cmd cmd_support = {
	.name = "support",
	.summary = "make an archive for those who help",
	.subs = subs,
};
