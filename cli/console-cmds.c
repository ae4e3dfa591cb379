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
#include "lib/base/escape.h"
#include "lib/base/mem.h"

/* In a child, after an option before its name, they would change nothing. */
static int must_be_first(struct cli *cli, struct svm_err *err)
{
	return cli->console ? 0 : cli_usage(cli, err, "write it first on its "
					    "line, with options after it");
}

static void set_text(char **at, const cJSON *item, const char *key)
{
	auto_buf struct buf text = BUF_INIT;

	out_field_text(item, key, strlen(key), &text);
	free(*at);
	*at = buf_steal(&text);
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
	free(steal_ptr(&c->id));
	free(steal_ptr(&c->name));
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
	printf("%s\n\nHere alone:\n", cmd_console.help);
	help_print_list(console_cmds);
	puts("\nCommands:");
	help_print_list(cmds);
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
	&cmd_use, &cmd_exit, &cmd_console_help, NULL,
};
