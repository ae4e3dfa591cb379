/* SPDX-License-Identifier: MIT */
/* stacyvm pool: sandboxes that are kept ready. */
#include "cli/cli.h"
#include "cli/out.h"

static const struct column columns[] = {
	{ "TEMPLATE", "template", NULL, COLUMN_LEFT },
	{ "OWNER", "owner_id", NULL, COLUMN_LEFT },
	{ "WANTED", "wanted", NULL, COLUMN_RIGHT },
	{ "READY", "ready", NULL, COLUMN_RIGHT },
	{ "REFILLING", "refilling", NULL, COLUMN_RIGHT },
	{ "CLAIMED", "claimed", NULL, COLUMN_RIGHT },
};

static int run_status(struct cli *cli, void *values, int argc, char **args,
		      struct svm_err *err)
{
	auto_buf struct buf body = BUF_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;

	(void)values, (void)argc, (void)args;
	if (cli_get(cli, API "/pool/status", &body, err) < 0 ||
	    out_parse_object(&doc, &body, err) < 0)
		return -1;
	if (cli->json)
		return out_object(cli, doc.root, err);
	const cJSON *warm = out_field(doc.root, "warm", 4);
	if (!cJSON_IsArray(warm))
		return svm_err_set(err, SVM_PROVIDER,
				   "the daemon did not say what is ready");
	return out_items(cli, warm, columns, ARRAY_SIZE(columns), "template",
			 err);
}

static const struct cmd status = {
	.name = "status",
	.summary = "show the warm sandboxes of each template",
	.help = "WANTED are to be kept ready, READY can be taken now; "
		"CLAIMED were taken since the\ndaemon started.  Change the "
		"number with: stacyvm template create NAME --warm N",
	.flags = CMD_PAGED,
	.gives = "PoolStatus",
	.run = run_status,
};

static const struct cmd *const subs[] = { &status, NULL };

const struct cmd cmd_pool = {
	.name = "pool",
	.summary = "sandboxes that are kept ready to be taken",
	.subs = subs,
};
