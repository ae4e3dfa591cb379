/* SPDX-License-Identifier: MIT */
/* stacyvm events: what happened, and what happens. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/out.h"
#include "cli/paging.h"
#include "cli/sandbox.h"
#include "cli/sse.h"
#include "lib/base/escape.h"
#include "lib/base/mem.h"

struct events_opts {
	bool follow;
	const char *type, *since, *sandbox;
};

#define O(m) offsetof(struct events_opts, m)

static const struct opt opts[] = {
	{ OPT_FLAG, 'f', "follow", O(follow), NULL,
	  "go on with what happens from now on", COMPLETE_NONE, false },
	{ OPT_STRING, 0, "type", O(type), "TYPE",
	  "only this type, such as sandbox.created", COMPLETE_EVENT, false },
	{ OPT_STRING, 0, "sandbox", O(sandbox), "ID",
	  "only of this sandbox", COMPLETE_SANDBOX, false },
	{ OPT_STRING, 0, "since", O(since), "WHEN",
	  "a duration back (10m), a time, or an event's number",
	  COMPLETE_NONE, false },
	OPTS_END,
};

static void print_event(const struct cli *cli, const cJSON *e, const char *raw)
{
	auto_buf struct buf line = BUF_INIT, data = BUF_INIT;

	if (cli->json) {
		out_json(raw);
	} else if (cli->format) {
		out_template(cli->format, e, &line);
		fputs(buf_str(&line), stdout);
	} else {
		out_template(cli->plain ? "{{timestamp}}\\t{{type}}\\t"
					  "{{sandbox_id}}\\t" :
					  "{{timestamp}}  {{type}}  "
					  "{{sandbox_id}}  ", e, &line);
		buf_truncate(&line, line.len - 1);
		out_field_text(e, "data", 4, &data);
		if (strcmp(buf_str(&data), "{}") != 0)
			escape_line(&line, buf_str(&data), data.len);
		else if (!cli->plain)
			buf_truncate(&line, line.len - 2);
		puts(buf_str(&line));
	}
	fflush(stdout);
}

static int run(struct cli *cli, void *values, int argc, char **args,
	       struct svm_err *err)
{
	const struct events_opts *o = values;
	auto_buf struct buf target = BUF_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	const char *raw;
	int r;

	(void)argc, (void)args;
	auto_free char *id = o->sandbox ?
				     sandbox_resolve(cli, o->sandbox, err) :
				     NULL;
	if ((o->sandbox && !id) || !cli_client(cli, err))
		return -1;
	buf_addstr(&target, API "/events");
	if (o->type)
		query_add(&target, "type", o->type);
	if (id)
		query_add(&target, "sandbox_id", id);
	if (o->since || !o->follow)
		query_add(&target, "since", o->since ? o->since : "0");
	if (!o->follow)
		query_add(&target, "follow", "false");
	auto_exchange struct exchange *x =
		exchange_new(cli->client, "GET", buf_str(&target),
			     CLIENT_NO_BODY, err);

	if (!x || exchange_reply(x, err) < 0)
		return -1;
	if (!o->follow)
		paging_begin(cli);
	while ((r = sse_next(x, &doc, &raw, err)) > 0)
		print_event(cli, doc.root, raw);
	if (r == 0 && o->follow)
		return svm_err_set(err, SVM_UNREACHABLE,
				   "the daemon ended the stream");
	return r;
}

const struct cmd cmd_events = {
	.name = "events",
	.summary = "show what happened to sandboxes",
	.help = "Without -f the events on record are printed; with -f those "
		"to come, after those\nsince --since.  With --json one object "
		"per line.",
	.examples = "stacyvm events --since 10m\n"
		    "stacyvm events -f --type sandbox.expired",
	.opts = opts,
	.opts_size = sizeof(struct events_opts),
	.flags = CMD_PAGED | CMD_TYPED,
	.run = run,
};
