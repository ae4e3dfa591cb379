/* SPDX-License-Identifier: MIT */
/* From argv to a subcommand, and from its result to an exit status. */
#include "cli/cli.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cli/fields.h"
#include "cli/live.h"
#include "cli/nearest.h"
#include "cli/paging.h"
#include "cli/sandbox.h"
#include "lib/api/errmap.h"
#include "lib/api/nofile.h"
#include "lib/base/escape.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/proc.h"

/* Is `name` the command's name or one of its aliases? */
static bool is_called(const struct cmd *cmd, const char *name)
{
	size_t n = strlen(name);

	if (strcmp(cmd->name, name) == 0)
		return true;
	for (const char *a = cmd->aliases; a && *a;) {
		size_t len = strcspn(a, " ");

		if (len == n && strncmp(a, name, n) == 0)
			return true;
		a += len;
		a += strspn(a, " ");
	}
	return false;
}

const struct cmd *cmd_find(const struct cmd *const *list, const char *name)
{
	for (; *list; list++)
		if (is_called(*list, name))
			return *list;
	return NULL;
}

static int unknown_command(const char *path, const struct cmd *const *list,
			   const char *name, struct svm_err *err)
{
	struct nearest near = { .word = name };

	for (const struct cmd *const *c = list; *c; c++)
		if (!((*c)->flags & CMD_HIDDEN))
			nearest_offer(&near, (*c)->name);
	svm_err_set(err, SVM_BAD_REQUEST,
		    "unknown command \"%s%s%s\"%s%s%s", path,
		    path[0] ? " " : "", name,
		    near.best ? ". Did you mean \"" : "",
		    near.best ? near.best : "", near.best ? "\"?" : "");
	if (!near.best)
		svm_err_hint(err, "see them with:  stacyvm help%s%s",
			     path[0] ? " " : "", path);
	return EXIT_STATUS_USAGE;
}

static int cli_error_as(const struct cli *cli, const struct svm_err *e,
			int status)
{
	auto_escape bool before = cli_escape_for(STDERR_FILENO);
	auto_buf struct buf b = BUF_INIT;

	if (cli->json) {
		struct json_writer w = json_writer(&b);

		json_open(&w, NULL, '{');
		json_open(&w, "error", '{');
		json_str(&w, "code", svm_code_name(e->code));
		json_str(&w, "message", e->msg);
		if (e->hint)
			json_str(&w, "hint", e->hint);
		json_int(&w, "exit", status);
		json_close(&w, '}');
		json_close(&w, '}');
	} else {
		buf_addstr(&b, "stacyvm: ");
		escape_text(&b, e->msg, strlen(e->msg));
		for (const char *line = e->hint; line && *line;) {
			size_t n = strcspn(line, "\n");

			buf_addstr(&b, "\n  ");
			escape_line(&b, line, n);
			line += n + (line[n] == '\n');
		}
	}
	buf_addch(&b, '\n');
	fflush(stdout);
	fputs(buf_str(&b), stderr);
	return status;
}

static bool passes_status(const struct cli *cli)
{
	return cli->passes_status ||
	       (cli->cmd && (cli->cmd->flags & CMD_EXIT_125));
}

int cli_report(const struct cli *cli, const struct svm_err *e)
{
	int status = errmap_exit_status(e->code);

	if (e->code == SVM_INTERNAL && e->sys_errno == EPIPE)
		return 128 + SIGPIPE; /* nobody reads: nothing to say */
	if (e->code == SVM_CANCELLED && e->sys_errno == EINTR)
		status = EXIT_STATUS_INTERRUPTED;
	if (passes_status(cli) && e->code != SVM_TIMEOUT &&
	    e->code != SVM_CANCELLED)
		status = EXIT_STATUS_OURS;
	return cli_error_as(cli, e, status);
}

static int usage_failure(const struct cli *cli, struct svm_err *e)
{
	if (cli->cmd_path && cli->cmd_path[0])
		svm_err_hint(e, "see:  stacyvm help %s", cli->cmd_path);
	else
		svm_err_hint(e, "see:  stacyvm help");
	return cli_error_as(cli, e,
			    passes_status(cli) ? EXIT_STATUS_OURS :
						 EXIT_STATUS_USAGE);
}

/* Marks a usage error on its way up: see run_cmd(). */
#define USAGE_ERRNO ENOEXEC

int cli_usage(const struct cli *cli, struct svm_err *err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	auto_free char *text = xvasprintf(fmt, ap);
	va_end(ap);
	svm_err_set(err, SVM_BAD_REQUEST, "%s: %s", cli->cmd_path, text);
	return cli_is_usage(err);
}

int cli_is_usage(struct svm_err *err)
{
	err->sys_errno = USAGE_ERRNO;
	return -1;
}

bool cli_escape_for(int fd)
{
	return escape_ascii(fd >= 0 && !live_utf8() && isatty(fd));
}

void cli_notice(const struct cli *cli, const char *fmt, ...)
{
	va_list ap;

	if (!cli->stderr_tty || cli->quiet)
		return;
	va_start(ap, fmt);
	auto_free char *text = xvasprintf(fmt, ap);
	va_end(ap);
	auto_escape bool before = cli_escape_for(STDERR_FILENO);
	auto_buf struct buf b = BUF_INIT;

	escape_text(&b, text, strlen(text));
	fprintf(stderr, "%s\n", buf_str(&b));
}

bool cli_accessible(const struct cli *cli)
{
	static int known = -1; /* it takes reading a file */

	if (known < 0)
		known = cli->entries->accessible && cli->entries->accessible();
	return known;
}

void cli_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	auto_free char *text = xvasprintf(fmt, ap);
	va_end(ap);
	auto_escape bool before = cli_escape_for(STDERR_FILENO);
	auto_buf struct buf b = BUF_INIT;

	escape_text(&b, text, strlen(text));
	fprintf(stderr, "stacyvm: %s\n", buf_str(&b));
}

static int check_arguments(const struct cli *cli, int argc)
{
	const struct cmd *cmd = cli->cmd;
	auto_err struct svm_err err = SVM_ERR_INIT;

	if (argc < cmd->min_args)
		svm_err_set(&err, SVM_BAD_REQUEST,
			    "%s needs %s:  %s%s %s", cli->cmd_path,
			    argc ? "more arguments" : "an argument",
			    help_program(cmd), cli->cmd_path, cmd->args);
	else if (cmd->max_args >= 0 && argc > cmd->max_args)
		svm_err_set(&err, SVM_BAD_REQUEST,
			    "%s takes %s arguments:  %s%s%s%s",
			    cli->cmd_path, cmd->max_args ? "fewer" : "no",
			    help_program(cmd), cli->cmd_path, cmd->args ? " " : "",
			    cmd->args ? cmd->args : "");
	else
		return 0;
	return usage_failure(cli, &err);
}

/* Why stdout failed: errno is that of the write only when it was the last
 * thing.  0 when it is not known. */
static int lost_why(void)
{
	struct pollfd p = { .fd = STDOUT_FILENO, .events = POLLOUT };
	off_t at = lseek(STDOUT_FILENO, 0, SEEK_CUR);
	struct rlimit most;

	if (poll(&p, 1, 0) > 0 && p.revents & POLLERR)
		return EPIPE; /* a pipe that nobody reads */
	if (at > 0 && getrlimit(RLIMIT_FSIZE, &most) == 0 &&
	    (rlim_t)at >= most.rlim_cur)
		return EFBIG;
	return write(STDOUT_FILENO, "", 0) < 0 ? errno : 0;
}

/* What was printed must have arrived, or the status must say so. */
static int flush_output(const struct cli *cli, int status)
{
	auto_err struct svm_err err = SVM_ERR_INIT;

	int e = fflush(stdout) == 0 ? 0 : errno;

	if (!e && !ferror(stdout))
		return status;
	e = e ? e : lost_why();
	if (e == EPIPE)
		return status ? status : EXIT_STATUS_FAILURE;
	if (e)
		svm_err_sys(&err, SVM_INTERNAL, e, "write to standard output");
	else
		svm_err_set(&err, SVM_INTERNAL, "not all could be written to "
						"standard output");
	cli_report(cli, &err);
	return status ? status : EXIT_STATUS_FAILURE;
}

static int show_help(const struct cli *cli, int status)
{
	paging_begin(cli);
	help_print(cli->cmd, cli->cmd_path);
	paging_end();
	return flush_output(cli, status);
}

/* What makes no sense, to us or to the daemon. */
static bool is_usage_error(const struct cli *cli, const struct svm_err *e)
{
	return e->code == SVM_BAD_REQUEST &&
	       (e->sys_errno == USAGE_ERRNO ||
		(cli->cmd->flags & CMD_TYPED && e->told));
}

/* An error is said when the pager has left the terminal. */
static int run_and_report(struct cli *cli, void *values, int argc, char **argv)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	int status = cli->cmd->run(cli, values, argc, argv, &err);

	if (status < 0 && err.sys_errno == EMFILE)
		nofile_hint(&err);
	if (paging_end() && status < 0 && err.code == SVM_INTERNAL &&
	    err.sys_errno == EPIPE)
		status = 0; /* who read it had enough */
	else if (status < 0 && is_usage_error(cli, &err))
		status = usage_failure(cli, &err);
	else if (status < 0)
		status = cli_report(cli, &err);
	return flush_output(cli, status);
}

/* Whoever asks for help gets it, whatever else is wrong.  Only where the words
 * may not be a command's of a sandbox. */
static bool wants_help(const struct cmd *cmd, int argc, char **argv)
{
	for (int i = 0; i < argc && !cmd->command_at; i++) {
		if (!argv[i] || strcmp(argv[i], "--") == 0)
			break;
		if (strcmp(argv[i], "--help") == 0 ||
		    strcmp(argv[i], "-h") == 0)
			return true;
	}
	return false;
}

/* An error is to be said as JSON also when it comes before that option. */
static void look_for_json(struct cli *cli, int argc, char **argv)
{
	for (int i = 0; i < argc && argv[i] && !cli->json; i++) {
		if (strcmp(argv[i], "--") == 0)
			break;
		if (strcmp(argv[i], "--json") == 0 ||
		    strncmp(argv[i], "--json=", 7) == 0)
			cli->json = "";
	}
}

static int run_leaf(struct cli *cli, int argc, char **argv)
{
	const struct cmd *cmd = cli->cmd;
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_free char *values = xcalloc(1, cmd->opts_size + 1);
	bool help = wants_help(cmd, argc, argv);
	int n, status;

	if (cmd->flags & CMD_RAW) {
		n = argc;
		cli->help |= !(cmd->flags & CMD_HIDDEN) && argc &&
			     (strcmp(argv[0], "--help") == 0 ||
			      strcmp(argv[0], "-h") == 0);
	} else if (opts_parse(cmd, values, cli, argc, argv, &n, &cli->dashes,
			      &err) < 0) {
		cli->help |= help;
		if (!cli->help) {
			look_for_json(cli, argc, argv);
			opts_release(cmd->opts, values);
			return usage_failure(cli, &err);
		}
	}
	if (cli->help) { /* also with other options that make no sense */
		opts_release(cmd->opts, values);
		return show_help(cli, 0);
	}
	n = sandbox_fill_in(cli, n, argv);
	status = check_arguments(cli, n);
	if (status == 0 && fields_check(cli, &err) < 0)
		status = usage_failure(cli, &err);
	if (status == 0)
		status = run_and_report(cli, values, n, argv);
	opts_release(cmd->opts, values);
	return status;
}

/* Global options, then a word of the list; groups recurse. */
static int run_group(struct cli *cli, const char *path,
		     const struct cmd *const *list, int argc, char **argv)
{
	static const struct cmd group = { .name = "", .command_at = 1 };
	auto_err struct svm_err err = SVM_ERR_INIT;
	int n;

	if (opts_parse(&group, NULL, cli, argc, argv, &n, &cli->dashes, &err) <
	    0)
		return usage_failure(cli, &err);
	if (n == 0)
		return show_help(cli, cli->help || !path[0] ?
					 0 : EXIT_STATUS_USAGE);
	const struct cmd *cmd = cmd_find(list, argv[0]);

	if (!cmd) {
		int status = unknown_command(path, list, argv[0], &err);

		return cli_error_as(cli, &err, status);
	}
	auto_free char *full = xasprintf("%s%s%s", path, path[0] ? " " : "",
					 cmd->name);

	cli->cmd = cmd;
	cli->cmd_path = full;
	int status = cmd->subs ? run_group(cli, full, cmd->subs, n - 1,
					   argv + 1) :
				 run_leaf(cli, n - 1, argv + 1);
	cli->cmd_path = NULL;
	return status;
}

int cli_run(const struct cli *from, const struct cmd *const *list, int argc,
	    char **argv)
{
	struct cli cli = *from;

	cli.cmd = NULL;
	cli.cmd_path = NULL;
	cli.client = NULL;
	cli.help = false;
	int status = run_group(&cli, "", list, argc, argv);

	client_free(cli.client);
	return status;
}

int cli_main(const struct entries *entries, int argc, char **argv)
{
	struct cli cli = {
		.entries = entries,
		.stdout_tty = isatty(STDOUT_FILENO),
		.stderr_tty = isatty(STDERR_FILENO),
	};
	char *none[] = { NULL };

	/* A parent that ignores it would make `stacyvm list | head` noisy. */
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_IGN); /* a write that fails is told and tidied up */
	proc_raise_nofile();
	cli_escape_for(STDOUT_FILENO);
	if (argc > 1 && strcmp(argv[1], "--version") == 0)
		argv[1] += 2; /* what many type first */
	return argc > 0 ? cli_run(&cli, cmds, argc - 1, argv + 1) :
			  cli_run(&cli, cmds, 0, none);
}
