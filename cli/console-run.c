/* SPDX-License-Identifier: MIT */
/* One line of the console, and the child that runs it.  See console.h. */
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
#include "lib/api/errmap.h"
#include "lib/base/clock.h"
#include "lib/base/fault.h"
#include "lib/base/fd.h"
#include "lib/base/kernel.h"
#include "lib/base/mem.h"
#include "lib/base/signame.h"

/* Whether the sandbox is still there is no reason to wait for. */
#define PATIENCE_NS 200000000

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

static int exit_status(struct console *c, int status)
{
	c->told_killed = false;
	if (!WIFSIGNALED(status))
		return WEXITSTATUS(status);
	int signo = WTERMSIG(status);

	/* The terminal shows ^C, and the cursor is after it. */
	if (signo == SIGINT && isatty(STDERR_FILENO))
		fputc('\n', stderr);
	c->told_killed = signo != SIGINT && signo != SIGPIPE;
	if (c->told_killed)
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
		if (!c->leaving)
			(void)term_guard(&ignored);
	}
	status = exit_status(c, status);
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

/* A path as in the sandbox in use, which means nothing else: of `ls`, which
 * lists sandboxes where none is, and of `cp`, where neither of the two is
 * another's or here. */
static bool wants_sandbox(const struct console *c, const struct cmd *cmd,
			  char **words)
{
	bool files = console_file_cmd(words[0]), wants = false;

	if (files && words[1] && words[1][0] != '-')
		return !cmd->max_args;
	if (!files && cmd->complete != COMPLETE_SANDBOX_PATH)
		return false;
	for (char **w = words + 1; *w; w++) {
		const char *path;
		auto_free char *id = sandbox_split(c->cli, *w, &path);

		if (id)
			return false;
		wants |= w[0][0] == (files ? '/' : ':');
	}
	return wants;
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
	if (!c->id && cmd && wants_sandbox(c, cmd, words))
		return no_sandbox(c, words[0]);
	if (!cmd || !(cmd->flags & CMD_CONSOLE))
		return console_run(c, c->all, words);
	struct cli cli = *c->cli;

	cli.console = c;
	cli.in_use = c->id;
	cli.in_dir = c->dir;
	return cli_run(&cli, console_cmds, (int)strv_len(words), words);
}

/* A sandbox that is gone must not go on to be acted in; who has destroyed it
 * is not warned.  One that is there may have another name. */
static void check_use(struct console *c, bool destroyed)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_buf struct buf body = BUF_INIT;
	struct cli cli = *c->cli;

	cli.client = NULL;
	cli.no_autostart = true;
	cli.progress = "none";
	struct client *client = cli_client(&cli, &err);
	auto_free char *target = sandbox_path(c->id, "");

	if (client)
		client_set_deadline(client, clock_boot_ns() +
				    fault_time("console.look", PATIENCE_NS));
	if (client && cli_get(&cli, target, &body, &err) == 0) {
		console_learn(c, &body);
	} else if (err.code == SVM_NOT_FOUND) {
		const char *name = c->name[0] ? c->name : c->id;

		if (destroyed)
			cli_notice(c->cli, "no sandbox is in use now");
		else
			cli_warn("%s is gone; no sandbox is in use", name);
		console_use_none(c);
	}
	client_free(cli.client);
}

int console_run_line(struct console *c, const char *line)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	char **words = NULL, **w;
	bool changes = false;
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

		changes = cmd && cmd->flags & (CMD_DESTROYS | CMD_RENAMES);
		status = w[0] ? run_words(c, w) : 0;
	}
	strv_free(words);
	if (c->id && !c->leaving && (status || changes))
		check_use(c, status == 0);
	return status;
}
