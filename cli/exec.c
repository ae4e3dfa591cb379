/* SPDX-License-Identifier: MIT */
/* stacyvm exec: a command in a sandbox, as if it ran here. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/run.h"
#include "cli/sandbox.h"
#include "cli/term.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"

struct exec_opts {
	bool tty, no_tty, interactive, no_stdin;
	const char *workdir, *timeout, *detach_key;
	char **env;
};

#define O(m) offsetof(struct exec_opts, m)

static const struct opt opts[] = {
	{ OPT_FLAG, 't', "tty", O(tty), NULL,
	  "give the command a terminal", COMPLETE_NONE, false },
	{ OPT_FLAG, 'T', "no-tty", O(no_tty), NULL,
	  "give it pipes (the default)", COMPLETE_NONE, false },
	{ OPT_FLAG, 'i', "interactive", O(interactive), NULL,
	  "pass standard input also from a terminal", COMPLETE_NONE, false },
	{ OPT_FLAG, 'n', "no-stdin", O(no_stdin), NULL,
	  "do not read standard input", COMPLETE_NONE, false },
	{ OPT_STRING, 'w', "workdir", O(workdir), "DIR",
	  "run in this directory (default /workspace)", COMPLETE_REMOTE_PATH,
	  false },
	{ OPT_LIST, 'e', "env", O(env), "NAME[=VALUE]",
	  "set a variable; without a value: as it is here", COMPLETE_NONE,
	  false },
	{ OPT_DURATION, 0, "timeout", O(timeout), "D",
	  "kill the command after this long (status 124)", COMPLETE_NONE,
	  false },
	{ OPT_STRING, 0, "detach-key", O(detach_key), "KEY",
	  "key that leaves a terminal: ctrl-] (default), none", COMPLETE_NONE,
	  false },
	OPTS_END,
};

/* At the console: `exec ls -- x` names a sandbox. */
static int meant_in_use(const struct cli *cli, const char *word,
			struct svm_err *err)
{
	if (!cli->in_use || err->code != SVM_NOT_FOUND)
		return -1;
	free(steal_ptr(&err->hint));
	return svm_err_hint(err, "in the sandbox in use it is:  exec -- %s "
				 "...", word);
}

/* Why there was no such program. */
static void explain_missing(const struct cli *cli, const char *word, int argc,
			    const char *id)
{
	if (cli->quiet)
		return;
	if (argc == 2 && strpbrk(word, " \t|&;<>"))
		fprintf(stderr, "stacyvm: it was taken for the name of one "
			"program; for a shell:  stacyvm exec ID -- sh -c "
			"'...'\n");
	else if (cli->in_use && strcmp(id, cli->in_use) == 0)
		fprintf(stderr, "stacyvm: it ran in the sandbox in use; in "
			"another:  exec ID -- COMMAND\n");
}

static int run(struct cli *cli, void *values, int argc, char **args,
	       struct svm_err *err)
{
	const struct exec_opts *o = values;
	bool tty = o->tty && !o->no_tty, here = isatty(STDIN_FILENO);
	struct run_command c = { .argv = args + 1, .env = o->env,
				 .workdir = o->workdir ? o->workdir :
					    sandbox_dir(cli, args[0]),
				 .timeout = o->timeout, .tty = tty };
	struct run r = { .detach_key = term_parse_key(
				 o->detach_key ? o->detach_key : "ctrl-]") };
	auto_buf struct buf start = BUF_INIT;

	if (argc < 2)
		return cli_usage(cli, err, "no command given");
	if (tty && !here)
		return cli_usage(cli, err, "-t needs a terminal as standard "
					   "input; leave it out in scripts");
	if (r.detach_key < 0)
		return cli_usage(cli, err, "bad key '%s'", o->detach_key);
	if (run_start_message(&c, &start, err) < 0 || !cli_client(cli, err))
		return -1;
	auto_close int signals = cli_catch_signals(cli, err);
	auto_free char *id = signals < 0 ?
				     NULL : sandbox_resolve(cli, args[0], err);

	if (!id)
		return meant_in_use(cli, args[0], err);
	auto_free char *target = sandbox_path(id, "/exec/ws");

	if (tty)
		r.flags |= RUN_TTY | RUN_STDIN;
	else
		r.flags |= RUN_TAGGED;
	if (!o->no_stdin && (o->interactive || !here))
		r.flags |= RUN_STDIN;
	r.id = id;
	r.target = target;
	r.start = buf_str(&start);
	r.signal_fd = signals;
	int status = run_session(cli, &r, err);

	if (status == 127)
		explain_missing(cli, args[1], argc, id);
	return status;
}

const struct cmd cmd_exec = {
	.name = "exec",
	.args = "ID [--] COMMAND [ARG...]",
	.summary = "run a command in a sandbox",
	.help = "Output comes as it is written; the exit status is the "
		"command's own, or 128+N when\nsignal N killed it.  The "
		"command is run without a shell: use `sh -c '...'` for one.\n"
		"\nStandard input is passed on when it is not a terminal, or "
		"with -i.  In a loop that\nreads a list, use -n, or the "
		"command eats the rest of the list.\n\n"
		"Ctrl-C interrupts the command; a second one leaves, and then "
		"the command is killed.\nWith -t every key goes to the "
		"command; Ctrl-] leaves it running.",
	.examples = "stacyvm exec sb-7f3a91c2 -- python3 main.py\n"
		    "stacyvm exec -w /app -e DEBUG=1 ID -- sh -c 'ls | wc -l'\n"
		    "tar c . | stacyvm exec ID -- tar x\n"
		    "stacyvm exec -t ID -- vim /workspace/main.py",
	.opts = opts,
	.opts_size = sizeof(struct exec_opts),
	.min_args = 1,
	.max_args = -1,
	.command_at = 2,
	.flags = CMD_EXIT_125,
	.complete = COMPLETE_SANDBOX,
	.run = run,
};
