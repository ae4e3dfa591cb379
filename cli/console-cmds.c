/* SPDX-License-Identifier: MIT */
/* The commands that are the console's own. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/console.h"
#include "cli/out.h"
#include "cli/sandbox.h"
#include "cli/transfer.h"
#include "lib/base/escape.h"
#include "lib/base/mem.h"

/* In a child, after an option before its name, they would change nothing. */
static int must_be_first(struct cli *cli, struct svm_err *err)
{
	return cli->console ? 0 : cli_usage(cli, err, "write it first on its "
					    "line, with options after it");
}

void console_use_none(struct console *c)
{
	free(steal_ptr(&c->id));
	free(steal_ptr(&c->name));
	free(steal_ptr(&c->dir));
}

static void set_text(char **at, const cJSON *item, const char *key)
{
	auto_buf struct buf text = BUF_INIT;

	out_field_text(item, key, strlen(key), &text);
	free(*at);
	*at = buf_steal(&text);
}

void console_learn(struct console *c, struct buf *sandbox)
{
	auto_err struct svm_err ignored = SVM_ERR_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;

	if (out_parse_object(&doc, sandbox, &ignored) == 0)
		set_text(&c->name, doc.root, "name");
}

int console_use(struct console *c, struct cli *cli, const char *name,
		struct svm_err *err)
{
	auto_buf struct buf body = BUF_INIT, state = BUF_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	struct client *client = cli_client(cli, err);

	if (!client)
		return -1;
	client_set_cancel_fd(client, c->prompt.signals);
	auto_free char *id = sandbox_resolve(cli, name, err);
	auto_free char *target = id ? sandbox_path(id, "") : NULL;

	if (!id || cli_get(cli, target, &body, err) < 0 ||
	    out_parse_object(&doc, &body, err) < 0)
		return -1;
	free(steal_ptr(&c->dir));
	set_text(&c->id, doc.root, "id");
	set_text(&c->name, doc.root, "name");
	out_field_text(doc.root, "state", 5, &state);
	cli_notice(cli, "%s%s%s is %s; !COMMAND runs in it, help tells more",
		   c->name, c->name[0] ? " " : "", c->id, buf_str(&state));
	return 0;
}

static int run_use(struct cli *cli, void *values, int argc, char **args,
		   struct svm_err *err)
{
	struct console *c = cli->console;

	(void)values;
	if (must_be_first(cli, err) < 0)
		return -1;
	if (argc)
		return console_use(c, cli, args[0], err);
	console_use_none(c);
	return 0;
}

/* Without its "." and "..", as shells see a path: where one has come from,
 * whatever is a link on the way. */
static char *plain_path(const char *path)
{
	struct buf b = BUF_INIT;

	while (*path) {
		size_t n = strcspn(path, "/");

		if (n == 2 && strncmp(path, "..", 2) == 0)
			buf_truncate(&b, b.len ? (size_t)(strrchr(b.data, '/') -
							  b.data) : 0);
		else if (n && !(n == 1 && path[0] == '.'))
			buf_addf(&b, "/%.*s", (int)n, path);
		path += n + (path[n] == '/');
	}
	if (!b.len)
		buf_addch(&b, '/');
	return buf_steal(&b);
}

static int run_cd(struct cli *cli, void *values, int argc, char **args,
		  struct svm_err *err)
{
	struct console *c = cli->console;

	(void)values;
	if (must_be_first(cli, err) < 0)
		return -1;
	if (!c->id) {
		cli_usage(cli, err, "no sandbox is in use");
		return svm_err_hint(err, "choose one with:  use ID");
	}
	if (!argc) {
		free(steal_ptr(&c->dir));
		return 0;
	}
	auto_free char *path = sandbox_abs_path(cli, c->id, args[0]);
	auto_free char *dir = plain_path(path);
	struct client *client = cli_client(cli, err);

	if (!client)
		return -1;
	client_set_cancel_fd(client, c->prompt.signals);
	int r = files_is_dir(cli, c->id, dir, NULL, err);

	if (r < 0)
		return -1;
	if (r == 0)
		return svm_err_set(err, SVM_NOT_FOUND,
				   "no directory '%s' in the sandbox", dir);
	free(c->dir);
	c->dir = steal_ptr(&dir);
	return 0;
}

static int run_exit(struct cli *cli, void *values, int argc, char **args,
		    struct svm_err *err)
{
	struct console *c = cli->console;
	size_t digits = argc ? strspn(args[0], "0123456789") : 0;

	(void)values;
	if (must_be_first(cli, err) < 0)
		return -1;
	if (argc && (!digits || digits > 3 || args[0][digits] ||
		     strtol(args[0], NULL, 10) > 255))
		return cli_usage(cli, err, "bad status '%s': it is a number "
					   "up to 255", args[0]);
	if (argc)
		c->status = (int)strtol(args[0], NULL, 10);
	c->leaving = true;
	return 0;
}

static int run_help(struct cli *cli, void *values, int argc, char **args,
		    struct svm_err *err)
{
	struct console *c = cli->console;
	const struct cmd *own = argc == 1 ? cmd_find(console_cmds, args[0]) :
					    NULL;
	char *words[] = { (char[]){ "help" }, args[0],
			  argc > 1 ? args[1] : NULL, NULL, NULL };

	(void)values;
	if (must_be_first(cli, err) < 0)
		return -1;
	if (own) {
		help_print(own, own->name);
		return 0;
	}
	if (argc)
		return console_run(c, cmds, words);
	puts("Commands:");
	help_print_list(cmds);
	puts("\nHere alone:");
	help_print_list(console_cmds);
	/* Which ends in a blank line. */
	printf("\n%.*s", (int)(strstr(cmd_console.help, CONSOLE_SCRIPTS) - 1 -
			       cmd_console.help), cmd_console.help);
	return 0;
}

static const struct cmd cmd_use = {
	.name = "use",
	.args = "[ID]",
	.summary = "act in this sandbox from here on; without ID in none",
	.help = "By its id, the beginning of it, or its name.  The prompt "
		"shows it.",
	.examples = "use web\nuse sb-7f",
	.max_args = 1,
	.flags = CMD_CONSOLE,
	.run = run_use,
};

static const struct cmd cmd_cd = {
	.name = "cd",
	.args = "[DIR]",
	.summary = "act in this directory of it; without DIR in /workspace",
	.help = "Paths count from there, and commands run there.",
	.max_args = 1,
	.flags = CMD_CONSOLE,
	.run = run_cd,
};

static const struct cmd cmd_exit = {
	.name = "exit",
	.aliases = "quit",
	.args = "[STATUS]",
	.summary = "leave the console, as Ctrl-D does",
	.max_args = 1,
	.flags = CMD_CONSOLE,
	.run = run_exit,
};

static const struct cmd cmd_console_help = {
	.name = "help",
	.args = "[COMMAND]",
	.summary = "explain the console, or a command",
	.max_args = 2,
	.flags = CMD_CONSOLE,
	.run = run_help,
};

const struct cmd *const console_cmds[] = {
	&cmd_use, &cmd_cd, &cmd_exit, &cmd_console_help, NULL,
};
