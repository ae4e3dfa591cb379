/* SPDX-License-Identifier: MIT */
/*
 * stacyvm __complete WORD...: candidates for the last word, one per line with
 * a tab and a description.  What the tables know comes from them; ids, images
 * and providers from the daemon if it runs, silently nothing if not.
 */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/out.h"
#include "cli/sandbox.h"
#include "lib/api/state.h"
#include "lib/base/clock.h"
#include "lib/base/escape.h"
#include "lib/base/mem.h"

#define PATIENCE_NS 300000000

static void offer(const char *prefix, const char *word, const char *about)
{
	auto_buf struct buf line = BUF_INIT;

	if (strncmp(word, prefix, strlen(prefix)) != 0)
		return;
	escape_line(&line, word, strlen(word));
	if (about && about[0]) {
		buf_addch(&line, '\t');
		escape_line(&line, about, strlen(about));
	}
	puts(buf_str(&line));
}

static void offer_commands(const struct cmd *const *list, const char *prefix)
{
	for (; *list; list++)
		if (!((*list)->flags & CMD_HIDDEN))
			offer(prefix, (*list)->name, (*list)->summary);
}

static void offer_options(const struct opt *opts, const char *prefix)
{
	for (; opts && opts->type != OPT_END; opts++) {
		auto_free char *word = xasprintf("--%s", opts->name);

		if (!opts->hidden)
			offer(prefix, word, opts->help);
	}
}

static void offer_choices(const char *words, const char *prefix)
{
	while (*words) {
		size_t n = strcspn(words, "|");
		auto_free char *word = xstrndup(words, n);

		offer(prefix, word, NULL);
		words += n + (words[n] == '|');
	}
}

/* The items of a list of the daemon: `key`, described by `about`. */
static void offer_items(struct cli *cli, const char *target, const char *key,
			const char *about, const char *prefix)
{
	auto_buf struct buf body = BUF_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	auto_err struct svm_err ignored = SVM_ERR_INIT;
	const cJSON *item;
	cJSON *items;

	cli->no_autostart = true;
	struct client *c = cli_client(cli, &ignored);

	if (!c)
		return;
	client_set_deadline(c, clock_boot_ns() + PATIENCE_NS);
	if (cli_get(cli, target, &body, &ignored) < 0 ||
	    out_parse_array(&doc, &body, &items, &ignored) < 0)
		return;
	cJSON_ArrayForEach(item, items) {
		auto_buf struct buf word = BUF_INIT, text = BUF_INIT;

		out_field_text(item, key, strlen(key), &word);
		out_field_text(item, about, strlen(about), &text);
		if (word.len)
			offer(prefix, buf_str(&word), buf_str(&text));
	}
}

static void offer_values(struct cli *cli, enum opt_complete kind,
			 const char *prefix)
{
	switch (kind) {
	case COMPLETE_SANDBOX:
	case COMPLETE_SANDBOX_PATH:
		offer_items(cli, API "/sandboxes", "id", "image", prefix);
		offer_items(cli, API "/sandboxes", "name", "id", prefix);
		break;
	case COMPLETE_IMAGE:
		offer(prefix, "host", "this machine's own /usr, read-only");
		offer_items(cli, API "/images", "ref", "digest", prefix);
		break;
	case COMPLETE_TEMPLATE:
		offer_items(cli, API "/templates", "name", "description",
			    prefix);
		break;
	case COMPLETE_PROVIDER:
		offer_items(cli, API "/providers", "name", "description",
			    prefix);
		break;
	case COMPLETE_STATE:
		for (unsigned s = 0; s < SANDBOX_STATE_MAX; s++)
			offer(prefix, sandbox_state_name(s), NULL);
		break;
	case COMPLETE_NONE:
	case COMPLETE_FILE:
		break;
	}
}

/* The option whose value the last word is, or NULL. */
static const struct opt *pending_option(const struct cmd *cmd, const char *prev)
{
	const struct opt *o = NULL;
	const struct opt *tables[] = { cmd ? cmd->opts : NULL, global_opts };

	for (size_t i = 0; !o && i < ARRAY_SIZE(tables); i++) {
		if (strncmp(prev, "--", 2) == 0)
			o = opts_find(tables[i], prev + 2, strlen(prev + 2));
		else if (prev[0] == '-' && prev[1] && !prev[2])
			o = opts_find_letter(tables[i], prev[1]);
	}
	return o && o->arg && o->type != OPT_OPTIONAL ? o : NULL;
}

static int run(struct cli *cli, void *values, int argc, char **args,
	       struct svm_err *err)
{
	const struct cmd *const *list = cmds;
	const struct cmd *cmd = NULL;
	const char *last = argc ? args[argc - 1] : "";
	const struct opt *pending;

	(void)values, (void)err;
	for (int i = 0; i + 1 < argc && list; i++) {
		if (strcmp(args[i], "--") == 0)
			return 0; /* a command line of the sandbox's own */
		const struct cmd *found = args[i][0] == '-' ?
						  NULL :
						  cmd_find(list, args[i]);

		if (found) {
			cmd = found;
			list = cmd->subs;
		}
	}
	pending = argc > 1 ? pending_option(cmd, args[argc - 2]) : NULL;
	if (pending && pending->type == OPT_CHOICE) {
		offer_choices(pending->arg, last);
	} else if (pending) {
		offer_values(cli, pending->complete, last);
	} else if (last[0] == '-') {
		offer_options(cmd ? cmd->opts : NULL, last);
		offer_options(global_opts, last);
	} else if (list) {
		offer_commands(list, last);
	} else if (cmd == &cmd_help) {
		offer_commands(cmds, last);
	} else if (cmd) {
		offer_values(cli, cmd->complete, last);
	}
	return 0;
}

const struct cmd cmd_complete = {
	.name = "__complete",
	.summary = "candidates for shell completion",
	.args = "WORD...",
	.max_args = -1,
	.flags = CMD_HIDDEN | CMD_RAW,
	.run = run,
};
