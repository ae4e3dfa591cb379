/* SPDX-License-Identifier: MIT */
/* stacyvm prune: remove what has expired or failed; or all there is. */
#include <stdio.h>

#include "cli/ask.h"
#include "cli/cli.h"
#include "cli/out.h"
#include "cli/sandbox.h"
#include "lib/api/errmap.h"
#include "lib/base/mem.h"

struct prune_opts {
	bool all, yes;
	const char *confirm;
};

#define O(m) offsetof(struct prune_opts, m)

static const struct opt opts[] = {
	{ OPT_FLAG, 'a', "all", O(all), NULL,
	  "destroy all sandboxes, those that run too", COMPLETE_NONE, false },
	{ OPT_FLAG, 'y', "yes", O(yes), NULL,
	  "do not ask", COMPLETE_NONE, false },
	{ OPT_STRING, 0, "confirm", O(confirm), "all",
	  "with --all: say it here instead of typing it",
	  COMPLETE_NONE, false },
	OPTS_END,
};

static int prune_expired(struct cli *cli, const struct prune_opts *o,
			 struct svm_err *err)
{
	auto_buf struct buf reply = BUF_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	int64_t n = 0;

	if (ask_confirm(cli, o->yes || !cli->stderr_tty, err,
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

static bool destroy(struct cli *cli, const char *id)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_free char *target = sandbox_path(id, "");

	if (cli_send(cli, "DELETE", target, NULL, NULL, &err) == 0)
		return true;
	(void)cli_report(cli, &err);
	return false;
}

/* Those that were counted when it was asked, and no others: what is made
 * meanwhile nobody agreed to. */
static int prune_all(struct cli *cli, const struct prune_opts *o,
		     struct svm_err *err)
{
	auto_buf struct buf reply = BUF_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	cJSON *boxes = NULL, *box;
	int pruned = 0, failed = 0;

	if (cli_get(cli, API "/sandboxes", &reply, err) < 0 ||
	    out_parse_array(&doc, &reply, &boxes, err) < 0)
		return -1;
	int n = cJSON_GetArraySize(boxes);
	if (n && ask_name(cli, o->confirm, "all", err, n == 1 ?
				  "destroy the only sandbox, with all that "
				  "runs in it?" : "destroy all %d sandboxes, "
				  "with all that runs in them?", n) < 0)
		return -1;
	cJSON_ArrayForEach(box, boxes) {
		const char *id = NULL;

		if (json_get_string(box, "id", &id, err) < 0)
			return -1;
		if (id && destroy(cli, id))
			pruned++;
		else
			failed++;
	}
	if (cli->json || cli->format)
		printf("{\"pruned\":%d,\"failed\":%d}\n", pruned, failed);
	else
		printf("%d pruned\n", pruned);
	return failed ? EXIT_STATUS_FAILURE : 0;
}

static int run(struct cli *cli, void *values, int argc, char **args,
	       struct svm_err *err)
{
	const struct prune_opts *o = values;

	(void)argc, (void)args;
	if (o->all && o->yes)
		return cli_usage(cli, err, "--yes is not enough for --all: "
					   "say --confirm=all");
	if (o->confirm && !o->all)
		return cli_usage(cli, err, "--confirm goes with --all");
	return o->all ? prune_all(cli, o, err) : prune_expired(cli, o, err);
}

const struct cmd cmd_prune = {
	.name = "prune",
	.summary = "destroy all sandboxes that have expired",
	.help = "Asks first when there is a terminal to ask at.  With --all "
		"those that run are destroyed\ntoo, and \"all\" is to be "
		"typed, or told by --confirm=all.",
	.examples = "stacyvm prune\nstacyvm prune --all",
	.opts = opts,
	.opts_size = sizeof(struct prune_opts),
	.flags = CMD_DESTROYS,
	.run = run,
};
