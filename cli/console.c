/* SPDX-License-Identifier: MIT */
/* stacyvm console: lines in, commands out.  See console.h. */
#include "cli/console.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/sandbox.h"
#include "cli/term.h"
#include "cli/words.h"
#include "lib/api/dirs.h"
#include "lib/api/errmap.h"
#include "lib/base/clock.h"
#include "lib/base/escape.h"
#include "lib/base/fd.h"
#include "lib/base/kernel.h"
#include "lib/base/mem.h"
#include "lib/base/signame.h"
#include "lib/base/width.h"

#define PROMPT_WIDTH 40 /* columns of a name, and of a directory */
/* Whether the sandbox is still there is no reason to wait for. */
#define PATIENCE_NS 200000000

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

/* ---- a command in a child ---- */

static int child_main(const struct console *c, const struct cmd *const *list,
		      char **words)
{
	struct cli cli = *c->cli;
	int argc = (int)strv_len(words);

	sigprocmask(SIG_SETMASK, &c->mask, NULL);
	signal(SIGPIPE, SIG_DFL);
	fd_close_from(STDERR_FILENO + 1);
	if (c->script) { /* what comes there is ours */
		close(STDIN_FILENO);
		(void)open("/dev/null", O_RDONLY);
	}
	cli.in_use = c->id;
	cli.in_dir = c->dir;
	int status = cli_run(&cli, list, argc, words);

	term_restore();
	fflush(NULL);
	return status;
}

/* What came for us while a command ran.  It has had the terminal's signals
 * itself, being of our process group; what is meant for us is passed on. */
static void take_signals(struct console *c, pid_t child)
{
	struct signalfd_siginfo info;

	while (read(c->prompt.signals, &info, sizeof(info)) == sizeof(info)) {
		int signo = (int)info.ssi_signo;

		if (signo != SIGTERM && signo != SIGHUP)
			continue;
		c->leaving = true;
		c->status = 128 + signo;
		if (child)
			kill(child, signo);
	}
}

static int wait_child(struct console *c, pid_t pid)
{
	auto_close int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd fds[] = { { fd, POLLIN, 0 },
				{ c->prompt.signals, POLLIN, 0 } };
	int status = 0;

	while (fd >= 0 && !fds[0].revents) {
		fds[1].revents = 0;
		if (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno != EINTR)
			break;
		if (fds[1].revents)
			take_signals(c, pid);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

static int exit_status(int status)
{
	if (!WIFSIGNALED(status))
		return WEXITSTATUS(status);
	int signo = WTERMSIG(status);

	/* The terminal shows ^C, and the cursor is after it. */
	if (signo == SIGINT && isatty(STDERR_FILENO))
		fputc('\n', stderr);
	else if (signo != SIGINT && signo != SIGPIPE)
		cli_warn("the command was killed by SIG%s", signame(signo));
	return 128 + signo;
}

int console_run(struct console *c, const struct cmd *const *list,
		char **words)
{
	auto_err struct svm_err err = SVM_ERR_INIT, ignored = SVM_ERR_INIT;
	sigset_t stop;

	fflush(NULL);
	pid_t pid = fork();

	if (pid == 0)
		_exit(child_main(c, list, words));
	if (pid < 0) {
		svm_err_sys(&err, SVM_INTERNAL, errno, "start a process");
		return cli_report(c->cli, &err);
	}
	/* Ctrl-Z stops both, and the shell has its prompt. */
	sigemptyset(&stop);
	sigaddset(&stop, SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &stop, NULL);
	int status = wait_child(c, pid);

	sigprocmask(SIG_BLOCK, &stop, NULL);
	take_signals(c, 0);
	if (c->prompt.tty) { /* a command that was killed restored nothing */
		term_restore();
		(void)term_guard(&ignored);
	}
	status = exit_status(status);
	prompt_fresh_line(&c->prompt);
	return status;
}

/* ---- a line ---- */

static int no_sandbox(const struct console *c, const char *what)
{
	auto_err struct svm_err err = SVM_ERR_INIT;

	svm_err_set(&err, SVM_BAD_REQUEST, "%s: no sandbox is in use", what);
	svm_err_hint(&err, "choose one with:  use ID");
	cli_report(c->cli, &err);
	return EXIT_STATUS_USAGE;
}

/* !COMMAND: the rest of the line, as it is, to the sandbox's shell. */
static int run_shell(struct console *c, const char *text)
{
	text += strspn(text, " \t");
	if (!c->id)
		return no_sandbox(c, "!");
	if (!text[0])
		return console_run(c, cmds, (char *[]){ (char[]){ "shell" }, c->id,
						  NULL, NULL });
	bool tty = !c->script && c->cli->stdout_tty && isatty(STDIN_FILENO);
	char *here[] = { (char[]){ "exec" }, (char[]){ "-t" },
			 (char[]){ "-e" }, (char[]){ "TERM" } };
	char *there[] = { c->id, (char[]){ "--" }, (char[]){ "sh" },
			  (char[]){ "-c" }, (char *)(uintptr_t)text };
	char *words[ARRAY_SIZE(here) + ARRAY_SIZE(there) + 2] = { NULL };
	size_t n = tty ? ARRAY_SIZE(here) : 1;

	memcpy(words, here, n * sizeof(*words));
	memcpy(words + n, there, sizeof(there));
	return console_run(c, cmds, words);
}

const struct cmd *console_file_cmd(const char *name)
{
	return cmd_find(cmd_files.subs, name);
}

/* WORD... of `files`: files WORD ID... */
static int run_file_cmd(struct console *c, char **words)
{
	size_t n = strv_len(words);
	auto_free char **all = xcalloc(n + 4, sizeof(char *));

	all[0] = (char[]){ "files" };
	all[1] = words[0];
	all[2] = c->id;
	memcpy(all + 3, words + 1, (n - 1) * sizeof(char *));
	return console_run(c, cmds, all);
}

static int run_words(struct console *c, char **words)
{
	const struct cmd *cmd = cmd_find(c->all, words[0]);

	if (console_file_cmd(words[0])) {
		if (c->id)
			return run_file_cmd(c, words);
		/* ls lists sandboxes, but rm must not turn to them. */
		if (!cmd || cmd->flags & CMD_DESTROYS)
			return no_sandbox(c, words[0]);
	}
	if (!cmd || !(cmd->flags & CMD_CONSOLE))
		return console_run(c, c->all, words);
	struct cli cli = *c->cli;

	cli.console = c;
	cli.in_use = c->id;
	cli.in_dir = c->dir;
	return cli_run(&cli, console_cmds, (int)strv_len(words), words);
}

/* A sandbox that is gone must not go on to be acted in; who has destroyed it
 * is not warned. */
static void check_use(struct console *c, bool destroyed)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct cli cli = *c->cli;

	cli.client = NULL;
	cli.no_autostart = true;
	struct client *client = cli_client(&cli, &err);
	auto_free char *target = sandbox_path(c->id, "");

	if (client)
		client_set_deadline(client, clock_boot_ns() + PATIENCE_NS);
	if (client && cli_get(&cli, target, NULL, &err) < 0 &&
	    err.code == SVM_NOT_FOUND) {
		const char *name = c->name[0] ? c->name : c->id;

		if (destroyed)
			cli_notice(c->cli, "no sandbox is in use now");
		else
			cli_warn("%s is gone; no sandbox is in use", name);
		console_use_none(c);
	}
	client_free(cli.client);
}

static int run_line(struct console *c, const char *line)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	char **words = NULL, **w;
	bool destroys = false;
	int status = 0;

	line += strspn(line, " \t");
	if (line[0] == '!') {
		status = run_shell(c, line + 1);
	} else if (words_split(line, &words, &err) < 0) {
		cli_report(c->cli, &err);
		status = EXIT_STATUS_USAGE;
	} else {
		/* Examples are copied with the program's name. */
		w = words + (words[0] && words[1] &&
			     strcmp(words[0], "stacyvm") == 0);
		const struct cmd *cmd = w[0] ? cmd_find(cmds, w[0]) : NULL;

		destroys = cmd && cmd->flags & CMD_DESTROYS;
		status = w[0] ? run_words(c, w) : 0;
	}
	strv_free(words);
	if (c->id && !c->leaving && (status || destroys))
		check_use(c, status == 0);
	return status;
}

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
	int r = history_add(&c->history, line, &err);

	if (r < 0)
		cli_warn("%s: no more lines are kept", err.msg);
	if (r != 0)
		prompt_remember(&c->prompt, line);
}

/* What was pasted may be several lines. */
static void run_typed(struct console *c, char *text)
{
	for (char *next; text && !c->leaving; text = next) {
		next = strchr(text, '\n');
		if (next)
			*next++ = '\0';
		keep(c, text);
		run_line(c, text);
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
	int status = run_line(c, text);

	if (status == 0 || c->leaving)
		return !c->leaving;
	if (!c->status)
		c->status = status;
	if (c->keep_going && status != EXIT_STATUS_INTERRUPTED)
		return true;
	cli_warn("stopped at line %u, which ended with status %d", c->line,
		 status);
	return false;
}

static int run_script(struct console *c, struct svm_err *err)
{
	auto_buf struct buf line = BUF_INIT;
	int signo = 0;

	c->script = true;
	for (;;) {
		switch (prompt_read(&c->prompt, "", &line, &signo, err)) {
		case PROMPT_LINE:
			if (!run_script_line(c, buf_str(&line)))
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
		"  shell, logs, ...   act in it when no ID is given, but kill "
		"must be told; . is it\n\n"
		"Tab completes commands, options, ids, names, and paths here "
		"and there.  Words are\nquoted as in a shell, # begins a "
		"comment, and nothing is expanded or piped.\n"
		"Ctrl-C ends a command or clears the line, Ctrl-D leaves.  "
		"Lines are kept for the\nnext time, but for those that begin "
		"with a blank.\n\n"
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
