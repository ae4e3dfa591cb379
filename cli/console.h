/* SPDX-License-Identifier: MIT */
/*
 * The console: a prompt for people who explore, and a script on standard
 * input.
 *
 * Each line is one command of the program, run in a child that is forked, not
 * started anew: a command may take signals, the terminal and the process's
 * whole life as its own, and Ctrl-C ends it alone.  The few commands that are
 * the console's (console-cmds.c) run in it.
 */
#ifndef SVM_CLI_CONSOLE_H
#define SVM_CLI_CONSOLE_H

#include <signal.h>

#include "cli/cmd.h"
#include "cli/history.h"
#include "cli/offers.h"
#include "cli/prompt.h"

struct console {
	struct cli *cli;   /* of `stacyvm console`; each command's begins as
			    * a copy */
	const struct cmd **all; /* our own commands, then the program's */
	char *id, *name;   /* the sandbox in use, or NULL; name may be "" */
	char *dir;         /* the directory in it, or NULL: /workspace */
	struct prompt prompt;
	struct history history;
	sigset_t mask;     /* of signals, as commands get it */
	bool script;       /* the lines are standard input: commands get none */
	bool keep_going;
	bool told_secret;  /* that such lines are not kept */
	bool told_killed;  /* that the last command was */
	bool leaving;      /* said by `exit` or a signal */
	int status;        /* to leave with */
	unsigned line;     /* number of the line that runs */
};

/* In the help of the command: from here on it is no matter of a person. */
#define CONSOLE_SCRIPTS "When standard input is not a terminal"

/* The console's own commands, NULL-terminated. */
extern const struct cmd *const console_cmds[];

/* No sandbox is in use. */
void console_use_none(struct console *c);

/* The name of the one in use may be another now. */
void console_learn(struct console *c, struct buf *sandbox);

/* Use a sandbox from here on.  0, or -1 with err and the one in use as it
 * was. */
int console_use(struct console *c, struct cli *cli, const char *name,
		struct svm_err *err);

/* Run a line of words (with room for one more; they are changed) that is a
 * command of the list.  Returns its exit status. */
int console_run(struct console *c, const struct cmd *const *list,
		char **words);

/* Run a line as it was typed; its exit status.  Errors have been printed. */
int console_run_line(struct console *c, const char *line);

/* prompt_complete_fn for the console. */
void console_complete(void *console, const char *line, struct offers *o);

/* The command of `files` of that name, which acts in the sandbox in use. */
const struct cmd *console_file_cmd(const char *name);

#endif
