/* SPDX-License-Identifier: MIT */
/* Help texts, all made from the command and option tables. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/help.h"
#include "cli/paging.h"
#include "cli/watch.h"
#include "lib/base/buf.h"

#define LEFT_WIDTH 25 /* of an option and its value */

static void print_options(const char *title, const struct opt *opts)
{
	auto_buf struct buf b = BUF_INIT;

	for (const struct opt *o = opts; o && o->type != OPT_END; o++) {
		char left[64];

		if (o->hidden)
			continue;
		snprintf(left, sizeof(left), "%c%c%c --%s%s%s%s",
			 o->letter ? '-' : ' ', o->letter ? o->letter : ' ',
			 o->letter ? ',' : ' ', o->name,
			 !o->arg ? "" : o->type == OPT_OPTIONAL ? "[=" : " ",
			 o->arg ? o->arg : "",
			 o->type == OPT_OPTIONAL ? "]" : "");
		if (strlen(left) > LEFT_WIDTH)
			buf_addf(&b, "  %s\n  %*s %s\n", left, LEFT_WIDTH, "",
				 o->help);
		else
			buf_addf(&b, "  %-*s %s\n", LEFT_WIDTH, left, o->help);
	}
	if (b.len)
		printf("\n%s\n%s", title, buf_str(&b));
}

void help_print_list(const struct cmd *const *list)
{
	for (; *list; list++)
		if (!((*list)->flags & CMD_HIDDEN))
			printf("  %-10s %s\n", (*list)->name,
			       (*list)->summary);
}

const char *help_program(const struct cmd *cmd)
{
	return cmd->flags & CMD_CONSOLE ? "" : "stacyvm ";
}

static void print_examples(const char *text)
{
	if (!text)
		return;
	puts("\nExamples:");
	while (*text) {
		size_t n = strcspn(text, "\n");

		printf("  %.*s\n", (int)n, text);
		text += n + (text[n] == '\n');
	}
}

static void print_program(void)
{
	puts("stacyvm: disposable sandboxes on this machine\n\n"
	     "  stacyvm spawn                 make a sandbox, print its id\n"
	     "  stacyvm exec ID -- CMD...     run a command in it\n"
	     "  stacyvm shell ID              a terminal in it\n"
	     "  stacyvm kill ID               remove it\n\n"
	     "Commands:");
	help_print_list(cmds);
	print_options("Options of all commands:", global_opts);
	puts("\nMore: stacyvm help COMMAND | keys | exit-codes | env | formats");
}

void help_print(const struct cmd *cmd, const char *path)
{
	if (!cmd) {
		print_program();
		return;
	}
	const char *program = help_program(cmd);

	printf("%s%s: %s\n\nUsage: %s%s", program, path, cmd->summary,
	       program, path);
	if (cmd->subs)
		fputs(" COMMAND", stdout);
	printf("%s%s%s\n", cmd->opts ? " [OPTIONS]" : "",
	       cmd->args ? " " : "", cmd->args ? cmd->args : "");
	if (cmd->aliases)
		printf("Also: %s\n", cmd->aliases);
	print_examples(cmd->examples);
	if (cmd->help)
		printf("\n%s\n", cmd->help);
	if (cmd->subs) {
		puts("\nCommands:");
		help_print_list(cmd->subs);
	}
	print_options("Options:", cmd->opts);
	printf("\nOptions of all commands: stacyvm help\n"
	       "The manual: man stacyvm-%.*s\n", (int)strcspn(path, " "), path);
}

const struct help_line help_exit_codes[] = {
	{ "0", "done" },
	{ "1", "failure" },
	{ "2", "the command line makes no sense" },
	{ "3", "not found" },
	{ "4", "not allowed, or not authenticated" },
	{ "5", "the daemon or server can't be reached" },
	{ "6", "wrong state, or a conflict" },
	{ "7", "a quota or capacity is exhausted" },
	{ "8", "cancelled at a prompt" },
	{ "124", "--timeout passed" },
	{ "125", "our own failure: exec, shell, attach, spawn --rm" },
	{ "126", "the command is not executable: exec, shell, spawn --rm" },
	{ "127", "the command was not found: exec, shell, spawn --rm" },
	{ "N", "the command's own status, 128+S after signal S: exec" },
	{ "130", "interrupted" },
	{ NULL, NULL },
};

const struct help_line help_env[] = {
	{ "STACYVM_SERVER", "daemon to talk to, as --server" },
	{ "STACYVM_API_KEY", "key for a daemon that wants one" },
	{ "STACYVM_USER_ID", "owner to act as (X-User-ID)" },
	{ "STACYVM_NO_AUTOSTART", "1: never start a daemon" },
	{ "STACYVM_STATE_DIR", "where sandboxes and the database are kept" },
	{ "STACYVM_RUNTIME_DIR", "where the socket is" },
	{ "STACYVM_SECTION_KEY", "configuration, as in stacyvm.yaml(5)" },
	{ "NO_COLOR", "no colours, and no bold text" },
	{ "FORCE_COLOR", "colours in a pipe too, unless it is 0" },
	{ "CLICOLOR_FORCE", "the same" },
	{ "TERM", "of the terminal; dumb: no colours, nothing is painted in place" },
	{ "ACCESSIBLE", "as ui.accessible: nothing is painted in place, no pager, "
			"numbered choices; unless it is 0" },
	{ "STACYVM_PAGER", "what shows long output on a terminal; empty or "
			   "cat: nothing does" },
	{ "PAGER", "the same, where that is not set; without both: less" },
	{ "LESS", "options of less; where not set: FRX" },
	{ NULL, NULL },
};

static const struct {
	const char *name;
	const struct help_line *lines; /* or */
	const char *text;
} topics[] = {
	{ "exit-codes", help_exit_codes, NULL },
	{ "env", help_env, NULL },
	{ "formats", NULL,
	  "On a terminal tables are fitted to its width; in a pipe nothing is "
	  "cut.\n\n"
	  "--plain               one record per line, tabs between fields\n"
	  "--no-header           no heading line\n"
	  "-q                    ids only\n"
	  "--json                the objects as the daemon gives them\n"
	  "--json=id,state       only these fields\n"
	  "--format TEMPLATE     '{{id}} {{state}}', one line per item; \\t "
	  "and \\n\n"
	  "                      work, {{.id}} and {{metadata.KEY}} too\n\n"
	  "What may be longer than the screen goes through $STACYVM_PAGER, "
	  "$PAGER or less;\n--no-pager: straight to the terminal.\n\n"
	  "Errors with --json are {\"error\":{\"code\",\"message\",\"hint\","
	  "\"exit\"}} on stderr." },
};

static void print_topic(const struct help_line *lines, const char *text)
{
	size_t width = 0;

	for (const struct help_line *l = lines; l && l->name; l++)
		width = MAX(width, strlen(l->name));
	for (const struct help_line *l = lines; l && l->name; l++)
		printf("%-*s  %s\n", (int)width, l->name, l->text);
	if (text)
		puts(text);
}

static int run(struct cli *cli, void *opts, int argc, char **args,
	       struct svm_err *err)
{
	const struct cmd *const *list = cmds;
	const struct cmd *cmd = NULL;
	auto_buf struct buf path = BUF_INIT;

	(void)opts;
	if (argc == 1 && strcmp(args[0], "keys") == 0 && cli->entries->keys) {
		paging_begin(cli);
		cli->entries->keys();
		watch_print_keys();
		return 0;
	}
	for (size_t i = 0; argc == 1 && i < ARRAY_SIZE(topics); i++) {
		if (strcmp(topics[i].name, args[0]) == 0) {
			paging_begin(cli);
			print_topic(topics[i].lines, topics[i].text);
			return 0;
		}
	}
	for (int i = 0; i < argc; i++) {
		cmd = list ? cmd_find(list, args[i]) : NULL;
		if (!cmd) {
			cli_usage(cli, err, "no help for '%s'", args[i]);
			return svm_err_hint(err, "see what there is with:  "
						 "stacyvm help");
		}
		buf_addf(&path, "%s%s", path.len ? " " : "", cmd->name);
		list = cmd->subs;
	}
	paging_begin(cli);
	help_print(cmd, buf_str(&path));
	return 0;
}

const struct cmd cmd_help = {
	.name = "help",
	.args = "[COMMAND | keys | exit-codes | env | formats]",
	.summary = "explain a command or a topic",
	.max_args = 2,
	.complete = COMPLETE_WORDS,
	.words = "keys|exit-codes|env|formats",
	.flags = CMD_PAGED,
	.run = run,
};
