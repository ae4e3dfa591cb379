/* SPDX-License-Identifier: MIT */
/* stacyvm provider: the kinds of runtime, and whether they work here. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/out.h"
#include "lib/api/errmap.h"
#include "lib/base/escape.h"
#include "lib/base/mem.h"
#include "lib/base/urlenc.h"

static void show_name(const struct cli *cli, const cJSON *item,
		      struct buf *out)
{
	(void)cli;
	out_field_text(item, "name", 4, out);
	if (cJSON_IsTrue(out_field(item, "default", 7)))
		buf_addstr(out, " (default)");
}

static void show_health(const struct cli *cli, const cJSON *item,
			struct buf *out)
{
	(void)cli;
	if (cJSON_IsTrue(out_field(item, "healthy", 7)))
		buf_addstr(out, "usable");
	else
		buf_addstr(out, "not usable");
}

static void show_note(const struct cli *cli, const cJSON *item,
		      struct buf *out)
{
	(void)cli;
	out_field_text(item, "error", 5, out);
}

static const struct column columns[] = {
	{ "NAME", NULL, show_name, COLUMN_LEFT },
	{ "STATE", NULL, show_health, COLUMN_LEFT },
	{ "SANDBOXES", "runtime_count", NULL, COLUMN_RIGHT },
	{ "WHY", NULL, show_note, COLUMN_LEFT },
};

static int run_ls(struct cli *cli, void *values, int argc, char **args,
		  struct svm_err *err)
{
	(void)values, (void)argc, (void)args;
	return out_list(cli, API "/providers", columns, ARRAY_SIZE(columns), "name",
			err);
}

/* Why it does not work, from the list; NULL without a word. */
static void explain(const cJSON *items, const char *name, struct svm_err *err)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, items) {
		const cJSON *have = out_field(item, "name", 4);
		const cJSON *why = out_field(item, "error", 5);
		const cJSON *fix = out_field(item, "remediation", 11);

		if (!cJSON_IsString(have) ||
		    strcmp(have->valuestring, name) != 0)
			continue;
		svm_err_set(err, SVM_UNAVAILABLE,
			    "provider '%s' is not usable: %s", name,
			    cJSON_IsString(why) ? why->valuestring :
						  "it does not say why");
		if (cJSON_IsString(fix) && fix->valuestring[0])
			svm_err_hint(err, "%s", fix->valuestring);
		return;
	}
	svm_err_set(err, SVM_NOT_FOUND, "no provider '%s'", name);
	svm_err_hint(err, "see them with:  stacyvm provider ls");
}

/* By the configuration: no failure of it. */
static bool is_off(const cJSON *items, const char *name)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, items) {
		const cJSON *have = out_field(item, "name", 4);

		if (cJSON_IsString(have) &&
		    strcmp(have->valuestring, name) == 0)
			return cJSON_IsFalse(out_field(item, "enabled", 7));
	}
	return false;
}

static void tell_usable(const struct cli *cli, const char *name)
{
	auto_buf struct buf b = BUF_INIT;
	struct json_writer w = json_writer(&b);

	if (!cli->json) {
		printf("%s: usable\n", name);
		return;
	}
	json_open(&w, NULL, '{');
	json_bool(&w, name, true);
	json_close(&w, '}');
	out_json(buf_str(&b));
}

static int report_results(struct cli *cli, const cJSON *results,
			  const cJSON *items, const char *name)
{
	const cJSON *r;
	int status = 0;
	bool found = false;

	cJSON_ArrayForEach(r, results) {
		auto_err struct svm_err why = SVM_ERR_INIT;

		if (name && strcmp(r->string, name) != 0)
			continue;
		found = true;
		if (cJSON_IsTrue(r)) {
			tell_usable(cli, r->string);
			continue;
		}
		explain(items, r->string, &why);
		if (name || cli->json)
			status = cli_report(cli, &why);
		else
			printf("%s: %s\n", r->string,
			       is_off(items, r->string) ? "switched off" :
							  "not usable");
	}
	if (!found && name) {
		auto_err struct svm_err why = SVM_ERR_INIT;

		explain(items, name, &why);
		status = cli_report(cli, &why);
	}
	return status;
}

static int run_test(struct cli *cli, void *values, int argc, char **args,
		    struct svm_err *err)
{
	auto_buf struct buf body = BUF_INIT, list = BUF_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	auto_json struct json_doc list_doc = JSON_DOC_INIT;
	cJSON *items;

	(void)values;
	if (cli_send(cli, "POST", API "/providers/test", NULL, &body, err) <
		    0 ||
	    cli_get(cli, API "/providers", &list, err) < 0 ||
	    out_parse_object(&doc, &body, err) < 0 ||
	    out_parse_array(&list_doc, &list, &items, err) < 0)
		return -1;
	if (cli->json && argc == 0)
		return out_object(cli, doc.root, err);
	return report_results(cli, doc.root, items, argc ? args[0] : NULL);
}

static int run_show(struct cli *cli, void *values, int argc, char **args,
		    struct svm_err *err)
{
	auto_buf struct buf target = BUF_INIT, body = BUF_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;

	(void)values, (void)argc;
	buf_addstr(&target, API "/providers/");
	urlenc_encode(&target, args[0], strlen(args[0]));
	if (cli_get(cli, buf_str(&target), &body, err) < 0 ||
	    out_parse_object(&doc, &body, err) < 0)
		return -1;
	return out_object(cli, doc.root, err);
}

static const struct cmd ls = {
	.name = "ls",
	.aliases = "list",
	.summary = "list providers and whether they work here",
	.flags = CMD_PAGED,
	.gives = "Provider",
	.run = run_ls,
};

static const struct cmd show = {
	.name = "show",
	.aliases = "get inspect",
	.args = "NAME",
	.summary = "show all about a provider: settings, abilities, findings",
	.min_args = 1,
	.max_args = 1,
	.complete = COMPLETE_PROVIDER,
	.flags = CMD_PAGED,
	.gives = "Provider",
	.run = run_show,
};

static const struct cmd test = {
	.name = "test",
	.args = "[NAME]",
	.summary = "try whether providers work, now",
	.help = "With NAME the status is 1 when it is not usable, with the "
		"reason and what would help.",
	.max_args = 1,
	.complete = COMPLETE_PROVIDER,
	.run = run_test,
};

static const struct cmd *const subs[] = { &ls, &show, &test, NULL };

const struct cmd cmd_provider = {
	.name = "provider",
	.aliases = "providers",
	.summary = "the kinds of runtime and whether they work here",
	.subs = subs,
};
