/* SPDX-License-Identifier: MIT */
/*
 * stacyvm config: the daemon's room owns the keys, so it does the work; the
 * editor is ours.
 */
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/edit.h"
#include "cli/paging.h"
#include "lib/api/config-text.h"
#include "lib/api/dirs.h"
#include "lib/api/limits.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "lib/base/path.h"
#include "lib/base/proc.h"

struct config_opts {
	bool origin;
};

static int call(struct cli *cli, const char *verb, bool origin,
		char *const *args, struct svm_err *err)
{
	if (!cli->entries->config)
		return svm_err_set(err, SVM_UNSUPPORTED,
				   "this build has no configuration");
	return cli->entries->config(verb, cli->json != NULL, origin, args, err);
}

/* A daemon of ours that runs reads what it can take without a restart. */
static void tell_daemon(struct cli *cli)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct client *c;
	pid_t pid;

	if (cli->server)
		return;
	cli->no_autostart = true;
	c = cli_client(cli, &err);
	auto_close int fd = -1;
	if (c && client_daemon_pid(c, &pid, &fd, &err) == 0)
		(void)proc_pidfd_kill(fd, SIGHUP);
}

/* The same, when the file is another one then.  0, or -1 with err. */
static int change(struct cli *cli, const char *verb, char *const *args,
		  struct svm_err *err)
{
	int r = call(cli, verb, false, args, err);

	if (r > 0)
		tell_daemon(cli);
	return r < 0 ? -1 : 0;
}

static int run_path(struct cli *cli, void *values, int argc, char **args,
		    struct svm_err *err)
{
	(void)values, (void)argc;
	return call(cli, "path", false, args, err);
}

static int run_get(struct cli *cli, void *values, int argc, char **args,
		   struct svm_err *err)
{
	const struct config_opts *o = values;

	(void)argc;
	paging_begin(cli);
	return call(cli, "get", o->origin, args, err);
}

static int run_lint(struct cli *cli, void *values, int argc, char **args,
		    struct svm_err *err)
{
	(void)values, (void)argc;
	return call(cli, "lint", false, args, err);
}

/* One line of standard input: what is on the command line can be seen by
 * everybody on the machine. */
static char *read_value(struct svm_err *err)
{
	auto_buf struct buf text = BUF_INIT;
	int r = fd_slurp(STDIN_FILENO, LIMIT_CONFIG_VALUE, &text);

	if (r < 0) {
		svm_err_sys(err, SVM_BAD_REQUEST, r, "read the value");
		return NULL;
	}
	while (text.len && strchr("\r\n", text.data[text.len - 1]))
		buf_truncate(&text, text.len - 1);
	if (text.len && (memchr(text.data, '\0', text.len) ||
			 memchr(text.data, '\n', text.len))) {
		svm_err_set(err, SVM_BAD_REQUEST,
			    "the value must be one line of text");
		return NULL;
	}
	return xstrdup(buf_str(&text));
}

static bool is_secret(const char *key)
{
	size_t n = strlen(key);

	return n > 7 && strcmp(key + n - 7, "api_key") == 0;
}

/* commands.NAME.run, whose words may hold commas. */
static bool is_argv(const char *key)
{
	size_t n = strlen(key);

	return strncmp(key, "commands.", 9) == 0 && n > 4 &&
	       strcmp(key + n - 4, ".run") == 0;
}

static int run_set(struct cli *cli, void *values, int argc, char **args,
		   struct svm_err *err)
{
	auto_free char *given = NULL;
	auto_buf struct buf list = BUF_INIT;

	(void)values;
	if (argc > 2 && is_argv(args[0]))
		config_text_list(args + 1, &list);
	else
		for (int i = 1; i < argc; i++)
			buf_addf(&list, "%s%s", i > 1 ? "," : "", args[i]);
	if (argc == 2 && strcmp(args[1], "-") == 0) {
		given = read_value(err);
		if (!given)
			return -1;
	} else if (is_secret(args[0])) {
		return cli_usage(cli, err, "a key on the command line can be "
				 "seen by others; write it to standard input: "
				 "stacyvm config set %s -", args[0]);
	}
	char *pair[] = { args[0], given ? given : (char *)(uintptr_t)
					 buf_str(&list), NULL };
	return change(cli, "set", pair, err);
}

static int run_unset(struct cli *cli, void *values, int argc, char **args,
		     struct svm_err *err)
{
	(void)values, (void)argc;
	return change(cli, "unset", args, err);
}

static int take(struct cli *cli, const struct buf *text, void *data,
		struct svm_err *err)
{
	char *args[] = { data, (char *)(uintptr_t)buf_str(text), NULL };

	return change(cli, "replace", args, err);
}

#define EMPTY "# The configuration of stacyvm: see stacyvm.yaml(5).\n" \
	      "# All keys, with what is in force: stacyvm config get\n"

static int run_edit(struct cli *cli, void *values, int argc, char **args,
		    struct svm_err *err)
{
	auto_buf struct buf text = BUF_INIT;
	struct dirs dirs;

	(void)values, (void)argc, (void)args;
	dirs_init(&dirs);
	auto_free char *path = path_join(dirs.config, "config.yaml");
	dirs_release(&dirs);
	int r = fd_slurp_path(AT_FDCWD, path, LIMIT_CONFIG_FILE, &text);
	if (r < 0 && r != -ENOENT)
		return svm_err_sys(err, SVM_FORBIDDEN, r, "read '%s'", path);
	if (memchr(buf_str(&text), '\0', text.len))
		return svm_err_set(err, SVM_BAD_REQUEST, "there is a NUL in "
				   "'%s'", path);
	const char *shown = text.len ? buf_str(&text) : EMPTY;
	r = edit_text(cli, "config.yaml", shown, strlen(shown), take,
		      (char *)(uintptr_t)buf_str(&text), err);
	if (r == 0)
		cli_notice(cli, "nothing was changed");
	return r < 0 ? -1 : 0;
}

static const struct opt get_opts[] = {
	{ OPT_FLAG, 0, "origin", offsetof(struct config_opts, origin), NULL,
	  "also where each value comes from", COMPLETE_NONE, false },
	OPTS_END,
};

static const struct cmd path = {
	.name = "path",
	.summary = "print where your configuration file is",
	.run = run_path,
};

static const struct cmd get = {
	.name = "get",
	.args = "[KEY]",
	.summary = "show the values in force, or one of them",
	.examples = "stacyvm config get defaults.ttl\n"
		    "stacyvm config get --origin",
	.opts = get_opts,
	.opts_size = sizeof(struct config_opts),
	.max_args = 1,
	.complete = COMPLETE_SETTING,
	.flags = CMD_PAGED,
	.run = run_get,
};

static const struct cmd set = {
	.name = "set",
	.args = "KEY VALUE...",
	.summary = "set a key in your configuration file",
	.help = "Comments, order and all other values stay as they are.  The "
		"whole configuration\nis checked first: what would not do is "
		"not written.  A daemon that runs reads\nthe file again.  Several "
		"values make a list; - takes the value from standard\ninput, "
		"which is how to set an API key.",
	.examples = "stacyvm config set defaults.ttl 2h\n"
		    "stacyvm config set commands.hist.run '[git, log]'\n"
		    "openssl rand -hex 32 | stacyvm config set auth.api_key -",
	.min_args = 2,
	.max_args = -1,
	.complete = COMPLETE_SETTING,
	.complete_then = COMPLETE_CHOICE,
	.run = run_set,
};

static const struct cmd unset = {
	.name = "unset",
	.args = "KEY",
	.summary = "take a key out of it: the default holds again",
	.min_args = 1,
	.max_args = 1,
	.complete = COMPLETE_SETTING,
	.run = run_unset,
};

static const struct cmd edit = {
	.name = "edit",
	.summary = "open your configuration file in $VISUAL or $EDITOR",
	.help = "What was written is checked before it is taken, and can be "
		"edited again when it\nwon't do; it is never lost.",
	.run = run_edit,
};

static const struct cmd lint = {
	.name = "lint",
	.args = "[FILE]",
	.summary = "check the configuration, or a file, without starting",
	.max_args = 1,
	.complete = COMPLETE_FILE,
	.run = run_lint,
};

static const struct cmd *const subs[] = { &get, &set, &unset, &edit, &lint,
					  &path, NULL };

const struct cmd cmd_config = {
	.name = "config",
	.summary = "show, change or check the configuration",
	.help = "Needs no daemon.",
	.subs = subs,
};
