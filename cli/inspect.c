/* SPDX-License-Identifier: MIT */
/* stacyvm inspect: everything there is to know about sandboxes. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/out.h"
#include "cli/sandbox.h"
#include "lib/base/mem.h"

static int inspect(struct cli *cli, const char *name, struct svm_err *err)
{
	auto_free char *id = sandbox_resolve(cli, name, err);
	auto_buf struct buf body = BUF_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;

	if (!id)
		return -1;
	auto_free char *target = sandbox_path(id, "");

	if (cli_get(cli, target, &body, err) < 0 ||
	    out_parse_object(&doc, &body, err) < 0)
		return -1;
	return out_object(cli, doc.root, err);
}

static int run(struct cli *cli, void *values, int argc, char **args,
	       struct svm_err *err)
{
	(void)values;
	for (int i = 0; i < argc; i++) {
		if (i && !cli->json && !cli->format)
			putchar('\n');
		if (inspect(cli, args[i], err) < 0)
			return -1;
	}
	return 0;
}

const struct cmd cmd_inspect = {
	.name = "inspect",
	.aliases = "show",
	.args = "ID...",
	.summary = "show everything about a sandbox",
	.help = "With posture: the isolation that is really in force, read "
		"back from the kernel.",
	.examples = "stacyvm inspect sb-7f3a91c2\n"
		    "stacyvm inspect --json=posture ID",
	.min_args = 1,
	.max_args = -1,
	.complete = COMPLETE_SANDBOX,
	.flags = CMD_PAGED | CMD_TYPED,
	.gives = "Sandbox",
	.run = run,
};
