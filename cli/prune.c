/* SPDX-License-Identifier: MIT */
/* stacyvm prune: remove what has expired or failed. */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/out.h"

struct prune_opts {
	bool yes;
};

static const struct opt opts[] = {
	{ OPT_FLAG, 'y', "yes", offsetof(struct prune_opts, yes), NULL,
	  "do not ask", COMPLETE_NONE, false },
	OPTS_END,
};

static int run(struct cli *cli, void *values, int argc, char **args,
	       struct svm_err *err)
{
	const struct prune_opts *o = values;
	auto_buf struct buf reply = BUF_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	int64_t n = 0;

	(void)argc, (void)args;
	if (cli_confirm(cli, o->yes || !cli->stderr_tty, err,
			"destroy all expired sandboxes?") < 0 ||
	    cli_send(cli, "DELETE", API "/sandboxes", NULL, &reply, err) < 0 ||
	    out_parse_object(&doc, &reply, err) < 0 ||
	    json_get_int(doc.root, "pruned", 0, INT32_MAX, &n, err) < 0)
		return -1;
	if (cli->json || cli->format)
		return out_object(cli, doc.root, err);
	printf("%lld pruned\n", (long long)n);
	return 0;
}

const struct cmd cmd_prune = {
	.name = "prune",
	.summary = "destroy all sandboxes that have expired",
	.help = "Asks first when there is a terminal to ask at.",
	.opts = opts,
	.opts_size = sizeof(struct prune_opts),
	.flags = CMD_DESTROYS,
	.run = run,
};
