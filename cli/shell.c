/* SPDX-License-Identifier: MIT */
/* stacyvm shell: a terminal in a sandbox that outlives our connection. */
#include <stdlib.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/out.h"
#include "cli/run.h"
#include "cli/sandbox.h"
#include "cli/term.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"

struct shell_opts {
	const char *workdir, *shell, *detach_key;
	char **env;
	bool ui;
};

#define O(m) offsetof(struct shell_opts, m)

static const struct opt opts[] = {
	{ OPT_STRING, 's', "shell", O(shell), "PROGRAM",
	  "instead of $SHELL, bash or sh of the sandbox", COMPLETE_NONE,
	  false },
	{ OPT_STRING, 'w', "workdir", O(workdir), "DIR",
	  "start in this directory (default /workspace)",
	  COMPLETE_REMOTE_PATH, false },
	{ OPT_LIST, 'e', "env", O(env), "NAME[=VALUE]",
	  "set a variable; without a value: as it is here", COMPLETE_NONE,
	  false },
	{ OPT_STRING, 0, "detach-key", O(detach_key), "KEY",
	  "key that leaves: ctrl-] (default), none", COMPLETE_NONE, false },
	{ OPT_FLAG, 0, "ui", O(ui), NULL,
	  "on a screen of the dashboard: look back, search, copy",
	  COMPLETE_NONE, false },
	OPTS_END,
};

static const char find_shell[] =
	"for s in \"$SHELL\" /bin/bash /bin/sh; do "
	"[ -x \"$s\" ] && exec \"$s\"; done; exec sh";

/* The terminal's own variables, then what was asked for. */
static char **make_env(char *const *asked)
{
	size_t n = asked ? strv_len(asked) : 0;
	char **env = xcalloc(n + 4, sizeof(char *));
	size_t k = 0;

	env[k++] = xstrdup("TERM");
	env[k++] = xstrdup("COLORTERM");
	for (size_t i = 0; i < n; i++)
		env[k++] = xstrdup(asked[i]);
	return env;
}

static int start_shell(struct cli *cli, const struct shell_opts *o,
		       const char *name, struct run *r, struct svm_err *err)
{
	char *by_name[] = { (char *)(uintptr_t)o->shell, NULL };
	char *found[] = { (char[]){ "/bin/sh" }, (char[]){ "-c" },
			  (char *)(uintptr_t)find_shell, NULL };
	struct run_command c = { .argv = o->shell ? by_name : found,
				 .workdir = o->workdir ? o->workdir :
					    sandbox_dir(cli, name),
				 .tty = r->flags & RUN_TTY };
	auto_buf struct buf start = BUF_INIT;
	char **env = make_env(o->env);

	c.env = env;
	int ret = run_start_message(&c, &start, err);

	strv_free(env);
	if (ret < 0 || !cli_client(cli, err))
		return -1;
	auto_close int signals = cli_catch_signals(cli, err);
	auto_free char *id = signals < 0 ? NULL :
					   sandbox_resolve(cli, name, err);

	if (!id)
		return -1;
	auto_free char *target = sandbox_path(id, "/exec/ws");

	if (!c.tty)
		r->flags |= RUN_TAGGED;
	r->id = id;
	r->target = target;
	r->start = buf_str(&start);
	r->signal_fd = signals;
	return run_session(cli, r, err);
}

/* The dashboard's terminal of it, which comes back to the last session. */
static int open_ui(struct cli *cli, const char *name, struct svm_err *err)
{
	auto_free char *id = sandbox_resolve(cli, name, err);
	auto_free char *target = id ? sandbox_path(id, "") : NULL;
	auto_buf struct buf key = BUF_INIT;

	/* Said here, and not on a screen that goes with it. */
	if (!id || cli_get(cli, target, NULL, err) < 0 ||
	    cli_key(cli, &key, err) < 0)
		return -1;
	cli_escape_for(-1); /* it knows its terminal itself */
	return cli->entries->tui(&(struct tui_args){
			.server = cli->server,
			.api_key = key.len ? buf_str(&key) : NULL,
			.shell = id,
			.no_color = !out_color(cli) }, err);
}

static int run_ui(struct cli *cli, const struct shell_opts *o,
		  const char *name, struct svm_err *err)
{
	if (o->shell || o->workdir || o->env || o->detach_key)
		return cli_usage(cli, err, "--ui goes with no other option: "
				 "it may come back to a shell that runs; its "
				 "key is ui.leave_key");
	if (!isatty(STDIN_FILENO) || !cli->stdout_tty)
		return cli_usage(cli, err, "--ui needs a terminal as standard "
					   "input and output");
	return open_ui(cli, name, err);
}

static int run(struct cli *cli, void *values, int argc, char **args,
	       struct svm_err *err)
{
	const struct shell_opts *o = values;
	struct run r = { .flags = RUN_STDIN,
			 .detach_key = term_parse_key(
				 o->detach_key ? o->detach_key : "ctrl-]") };

	(void)argc;
	if (o->ui)
		return run_ui(cli, o, args[0], err);
	if (r.detach_key < 0)
		return cli_usage(cli, err, "bad key '%s'", o->detach_key);
	if (isatty(STDIN_FILENO) && cli->stdout_tty) {
		r.flags |= RUN_TTY;
		if (r.detach_key == TERM_DETACH_KEY)
			cli_notice(cli, "Ctrl-] leaves, the shell goes on; "
					"exit ends it");
	}
	return start_shell(cli, o, args[0], &r, err);
}

const struct cmd cmd_shell = {
	.name = "shell",
	.aliases = "sh",
	.args = "ID",
	.summary = "open a terminal in a sandbox",
	.help = "Every key goes to the shell.  Ctrl-] leaves it running: "
		"`stacyvm attach` comes back\nto it, also after a lost "
		"connection or a restart of the daemon.  When standard input\n"
		"is not a terminal, it is fed to the shell as a script.\n\n"
		"With --ui it is a screen of `stacyvm tui`, of the last "
		"session or a new one.  Ctrl-]\nleaves it a moment later: "
		"twice sends the key, [ looks back and copies, z shows\nthe "
		"files beside it.",
	.examples = "stacyvm shell sb-7f3a91c2\n"
		    "stacyvm shell --ui ID\n"
		    "echo 'uname -a' | stacyvm shell ID",
	.opts = opts,
	.opts_size = sizeof(struct shell_opts),
	.min_args = 1,
	.max_args = 1,
	.flags = CMD_EXIT_125,
	.complete = COMPLETE_SANDBOX,
	.run = run,
};
