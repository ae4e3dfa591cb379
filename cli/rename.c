/* SPDX-License-Identifier: MIT */
/* stacyvm rename: another name for a sandbox that lives, or none. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/out.h"
#include "cli/sandbox.h"

struct rename_opts {
	bool clear;
};

static const struct opt opts[] = {
	{ OPT_FLAG, 0, "clear", offsetof(struct rename_opts, clear), NULL,
	  "take its name away; an empty NAME does it too", COMPLETE_NONE,
	  false },
	OPTS_END,
};

/* In the console a name alone is for the sandbox in use. */
static int which(struct cli *cli, bool clear, int argc, char **args,
		 const char **ret_id, const char **ret_name,
		 struct svm_err *err)
{
	if (clear && argc == 2)
		return cli_usage(cli, err, "--clear and a name exclude each "
					   "other");
	if (clear || argc == 2) {
		*ret_id = args[0];
		*ret_name = clear ? "" : args[1];
		return 0;
	}
	if (!cli->in_use || strcmp(args[0], cli->in_use) == 0)
		return cli_usage(cli, err, "needs a name, or --clear");
	*ret_id = cli->in_use;
	*ret_name = args[0];
	return 0;
}

static int run(struct cli *cli, void *values, int argc, char **args,
	       struct svm_err *err)
{
	const struct rename_opts *o = values;
	auto_buf struct buf body = BUF_INIT, reply = BUF_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	struct json_writer w = json_writer(&body);
	const char *id = NULL, *name = NULL;

	if (which(cli, o->clear, argc, args, &id, &name, err) < 0)
		return -1;
	json_open(&w, NULL, '{');
	if (*name)
		json_str(&w, "name", name);
	else
		json_null(&w, "name");
	json_close(&w, '}');
	if (sandbox_change(cli, id, &body, &reply, err) < 0 ||
	    out_parse_object(&doc, &reply, err) < 0)
		return -1;
	if (cli->json || cli->format)
		return out_object(cli, doc.root, err);
	buf_clear(&body);
	out_template(*name ? "{{id}} is named {{name}}" :
			     "{{id}} has no name", doc.root, &body);
	fputs(buf_str(&body), stdout);
	fflush(stdout);
	return 0;
}

const struct cmd cmd_rename = {
	.name = "rename",
	.args = "ID [NAME]",
	.summary = "give a sandbox another name, or none",
	.examples = "stacyvm rename sb-7f3a91c2 web\n"
		    "stacyvm rename --clear web",
	.opts = opts,
	.opts_size = sizeof(struct rename_opts),
	.min_args = 1,
	.max_args = 2,
	.flags = CMD_RENAMES | CMD_TYPED,
	.complete = COMPLETE_SANDBOX,
	.gives = "Sandbox",
	.run = run,
};
