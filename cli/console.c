/* SPDX-License-Identifier: MIT */
/* stacyvm console: lines in, commands out.  See console.h. */
#include "cli/console.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/out.h"
#include "cli/term.h"
#include "lib/api/dirs.h"
#include "lib/api/errmap.h"
#include "lib/api/limits.h"
#include "lib/api/secret-line.h"
#include "lib/base/ending.h"
#include "lib/base/escape.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "lib/base/width.h"

#define PROMPT_WIDTH 40 /* columns of a name, and of a directory */

struct console_opts {
	char **commands;
	bool keep_going;
};

#define O(m) offsetof(struct console_opts, m)

static const struct opt opts[] = {
	{ OPT_LIST, 'c', "command", O(commands), "LINE",
	  "run this line and leave; may be repeated", COMPLETE_NONE, false },
	{ OPT_FLAG, 'k', "keep-going", O(keep_going), NULL,
	  "in a script, go on after a line that fails", COMPLETE_NONE,
	  false },
	OPTS_END,
};

/* ---- a person ---- */

/* The end of a long path says more than its beginning. */
static void add_dir(struct buf *out, const char *dir)
{
	auto_buf struct buf b = BUF_INIT;
	size_t width;

	escape_line(&b, dir, strlen(dir));
	const char *text = buf_str(&b), *end = text;

	while (width_text(end, strlen(end)) > PROMPT_WIDTH &&
	       strchr(end + 1, '/'))
		end = strchr(end + 1, '/');
	buf_addf(out, ":%s", end > text ? "..." : "");
	buf_add(out, end, width_fit(end, strlen(end), PROMPT_WIDTH, &width));
}

static char *prompt_text(const struct console *c)
{
	auto_escape bool before = cli_escape_for(STDERR_FILENO);
	auto_buf struct buf name = BUF_INIT;
	const char *text = !c->id ? "" : c->name[0] ? c->name : c->id;
	size_t width;

	if (!c->id)
		return xstrdup("stacyvm> ");
	escape_line(&name, text, strlen(text));
	buf_truncate(&name, width_fit(buf_str(&name), name.len, PROMPT_WIDTH,
				      &width));
	if (c->dir)
		add_dir(&name, c->dir);
	return xasprintf("stacyvm %s> ", buf_str(&name));
}

static void keep(struct console *c, const char *line)
{
	auto_err struct svm_err err = SVM_ERR_INIT;

	if (secret_line(line) && !c->told_secret) {
		c->told_secret = true;
		cli_notice(c->cli, "lines with a secret are not kept; -e NAME "
				   "takes its value from here");
	}
	int r = history_add(&c->history, line, &err);

	if (r < 0)
		cli_warn("%s: no more lines are kept", err.msg);
	if (r != 0)
		prompt_remember(&c->prompt, line);
}

/* How a command in the sandbox ended, which says nothing of that itself.  What
 * is ours has reported an error, and Ctrl-C was somebody's wish. */
static void say_status(const struct console *c, const char *line, int status)
{
	bool dim = out_color(c->cli) && isatty(STDERR_FILENO);

	line += strspn(line, " \t");
	if (!status || status == EXIT_STATUS_OURS ||
	    status == EXIT_STATUS_INTERRUPTED || c->told_killed || !c->id ||
	    c->leaving ||
	    (line[0] != '!' && strncmp(line, "exec ", 5) != 0))
		return;
	fprintf(stderr, "%sexit %d%s\n", dim ? "\033[2m" : "", status,
		dim ? "\033[0m" : "");
}

/* What was pasted may be several lines. */
static void run_typed(struct console *c, char *text)
{
	for (char *next; text && !c->leaving; text = next) {
		next = strchr(text, '\n');
		if (next)
			*next++ = '\0';
		keep(c, text);
		say_status(c, text, console_run_line(c, text));
	}
}

/* History hands a line to a function that has no other argument. */
static struct prompt *remembering;

static void remember(const char *line)
{
	prompt_remember(remembering, line);
}

static void open_history(struct console *c)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct dirs d;

	dirs_init(&d);
	remembering = &c->prompt;
	if (history_open(&c->history, d.state, remember, &err) < 0)
		cli_warn("%s: lines are not kept", err.msg);
	dirs_release(&d);
}

static int talk(struct console *c, struct svm_err *err)
{
	auto_err struct svm_err plain = SVM_ERR_INIT;
	auto_buf struct buf line = BUF_INIT;
	int signo = 0;

	if (term_guard(err) < 0)
		return -1;
	if (prompt_init(&c->prompt, &plain) < 0)
		cli_warn("%s: lines can't be edited%s%s", plain.msg,
			 plain.hint ? "; " : "", plain.hint ? plain.hint : "");
	open_history(c);
	cli_notice(c->cli, "help tells what there is, Ctrl-D leaves");
	while (!c->leaving) {
		auto_err struct svm_err bad = SVM_ERR_INIT;
		auto_free char *text = prompt_text(c);
		enum prompt_result r = prompt_read(&c->prompt, text, &line,
						   &signo, &bad);

		if (r == PROMPT_SIGNAL)
			c->status = 128 + signo;
		if (r == PROMPT_END || r == PROMPT_SIGNAL)
			break;
		if (r == PROMPT_ERROR)
			cli_report(c->cli, &bad);
		else
			run_typed(c, line.len ? line.data : NULL);
	}
	history_release(&c->history);
	term_restore();
	return c->status;
}

/* ---- a script ---- */

/* One of its lines; false when it ends there. */
static bool run_script_line(struct console *c, const char *text)
{
	c->line++;
	if (c->cli->verbose)
		fprintf(stderr, "> %s\n", text);
	int status = console_run_line(c, text);

	if (status == 0 || c->leaving)
		return !c->leaving;
	if (!c->status)
		c->status = status;
	if (c->keep_going && status != EXIT_STATUS_INTERRUPTED) {
		cli_warn("line %u ended with status %d", c->line, status);
		return true;
	}
	cli_warn("stopped at line %u, which ended with status %d", c->line,
		 status);
	return false;
}

/* Without what an editor of another system adds: the mark of UTF-8 at the
 * beginning, the carriage return before the end of a line. */
static const char *script_text(const struct console *c, struct buf *line)
{
	static const char mark[] = "\xef\xbb\xbf";

	if (line->len && line->data[line->len - 1] == '\r')
		buf_truncate(line, line->len - 1);
	if (c->line == 0 && strncmp(buf_str(line), mark, strlen(mark)) == 0)
		buf_consume(line, strlen(mark));
	return buf_str(line);
}

static int run_script(struct console *c, struct svm_err *err)
{
	auto_buf struct buf line = BUF_INIT;
	int signo = 0;

	c->script = true;
	for (;;) {
		switch (prompt_read(&c->prompt, "", &line, &signo, err)) {
		case PROMPT_LINE:
			if (!run_script_line(c, script_text(c, &line)))
				return c->status;
			break;
		case PROMPT_SIGNAL:
			return 128 + signo;
		case PROMPT_ERROR:
			return -1;
		case PROMPT_END:
			return c->status;
		}
	}
}

static int run_commands(struct console *c, char **lines)
{
	for (; *lines; lines++)
		if (!run_script_line(c, *lines))
			break;
	return c->status;
}

/* ---- the command ---- */

static int catch_signals(struct console *c, struct svm_err *err)
{
	static const int caught[] = { PROMPT_SIGNALS };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(caught); i++)
		sigaddset(&set, caught[i]);
	if (sigprocmask(SIG_BLOCK, &set, &c->mask) < 0)
		return svm_err_sys(err, SVM_INTERNAL, errno, "sigprocmask");
	signal(SIGPIPE, SIG_IGN);
	if (isatty(STDOUT_FILENO))
		(void)ending_watch(LIMIT_UNHEARD_MS);
	c->prompt.signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (c->prompt.signals < 0)
		return svm_err_sys(err, SVM_INTERNAL, errno, "signalfd");
	return 0;
}

static const struct cmd **list_all(void)
{
	size_t n = 0;
	const struct cmd **all;

	while (cmds[n])
		n++;
	for (size_t i = 0; console_cmds[i]; i++)
		n++;
	all = xcalloc(n + 1, sizeof(*all));
	n = 0;
	for (size_t i = 0; console_cmds[i]; i++)
		all[n++] = console_cmds[i];
	for (size_t i = 0; cmds[i]; i++)
		all[n++] = cmds[i];
	return all;
}

static int start(struct console *c, const struct console_opts *o,
		 const char *sandbox, struct svm_err *err)
{
	auto_err struct svm_err bad = SVM_ERR_INIT;

	if (catch_signals(c, err) < 0)
		return -1;
	if (sandbox && console_use(c, c->cli, sandbox, err) < 0)
		return -1;
	if (o->commands)
		return run_commands(c, o->commands);
	return c->prompt.tty ? talk(c, err) : run_script(c, err);
}

static int run(struct cli *cli, void *values, int argc, char **args,
	       struct svm_err *err)
{
	const struct console_opts *o = values;
	struct console c = {
		.cli = cli,
		.keep_going = o->keep_going,
		.prompt = { .signals = -1, .complete = console_complete,
			    .data = &c,
			    .tty = !o->commands && isatty(STDIN_FILENO) },
	};

	c.all = list_all();
	int status = start(&c, o, argc ? args[0] : NULL, err);

	prompt_release(&c.prompt);
	fd_close(c.prompt.signals);
	free(c.all);
	console_use_none(&c);
	return status;
}

const struct cmd cmd_console = {
	.name = "console",
	.args = "[ID]",
	.summary = "a prompt for all commands, or a script of them",
	.help = "Every command works without the program's name.  After "
		"`use ID`, in that sandbox:\n\n"
		"  !COMMAND           run the rest of the line in its shell; "
		"! alone opens one\n"
		"  ls, cat, write, rm, mv, chmod, stat, glob\n"
		"                     as in `files`; paths count from "
		"/workspace, or where\n"
		"                     `cd DIR` went\n"
		"  cp FILE :PATH      a path after a colon is there\n"
		"  exec COMMAND ARG...\n"
		"                     run a program there; options after its "
		"name are its own,\n"
		"                     and `exec ID -- COMMAND` is for another "
		"sandbox\n"
		"  shell, logs, ...   act in it when no ID is given, but kill "
		"must be told; . is it\n\n"
		"Tab completes commands, options, ids, names, and paths here "
		"and there.  Words are\nquoted as in a shell, # begins a "
		"comment, and nothing is expanded or piped.\n"
		"Ctrl-C ends a command or clears the line, Ctrl-D leaves.  "
		"Lines are kept for the\nnext time, but for those that begin "
		"with a blank, and those with --api-key or\n"
		"-e NAME=VALUE.\n\n"
		CONSOLE_SCRIPTS " it is a script, whose "
		"commands get no\nstandard input.  It ends at the first line "
		"that fails, with that line's status;\nwith -k it goes on, and "
		"ends with the status of the first that failed.  With -v\n"
		"each line is shown.",
	.examples = "stacyvm console\n"
		    "stacyvm console web\n"
		    "stacyvm console -c 'use web' -c '!make test'\n"
		    "stacyvm console <setup.txt",
	.opts = opts,
	.opts_size = sizeof(struct console_opts),
	.max_args = 1,
	.complete = COMPLETE_SANDBOX,
	.run = run,
};
