/* SPDX-License-Identifier: MIT */
/* stacyvm audit: who did what, and whether the record of it is whole. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/out.h"
#include "cli/paging.h"
#include "cli/sandbox.h"
#include "lib/api/errmap.h"
#include "lib/api/limits.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"

struct audit_opts {
	const char *actor, *action, *sandbox, *since, *limit, *as;
};

#define O(m) offsetof(struct audit_opts, m)

#define FILTERS                                                              \
	{ OPT_STRING, 0, "actor", O(actor), "NAME", "only what NAME did",    \
	  COMPLETE_NONE, false },                                            \
	{ OPT_STRING, 0, "action", O(action), "ACTION",                      \
	  "only this, such as sandbox.create", COMPLETE_NONE, false },       \
	{ OPT_STRING, 0, "sandbox", O(sandbox), "ID",                        \
	  "only what was done to it", COMPLETE_NONE, false },                \
	{ OPT_STRING, 0, "since", O(since), "WHEN",                          \
	  "a duration back (10m), a time, or a record's number",             \
	  COMPLETE_NONE, false },                                            \
	{ OPT_STRING, 'n', "limit", O(limit), "N", "the newest N only",      \
	  COMPLETE_NONE, false }

static const struct opt ls_opts[] = { FILTERS, OPTS_END };
static const struct opt export_opts[] = {
	FILTERS,
	{ OPT_STRING, 0, "as", O(as), "FORMAT",
	  "in this format: jsonl (default) or csv",
	  COMPLETE_NONE, false },
	OPTS_END,
};

/* A sandbox that is gone has records too: its full id is taken as it is. */
static int make_target(struct cli *cli, const struct audit_opts *o,
		       const char *format, struct buf *target,
		       struct svm_err *err)
{
	bool full = o->sandbox && strlen(o->sandbox) == LIMIT_ID &&
		    strncmp(o->sandbox, "sb-", 3) == 0;
	auto_free char *id = !o->sandbox ? NULL :
			     full ? xstrdup(o->sandbox) :
				    sandbox_resolve(cli, o->sandbox, err);
	const struct {
		const char *name, *value;
	} query[] = {
		{ "actor", o->actor }, { "action", o->action },
		{ "sandbox_id", id }, { "since", o->since },
		{ "limit", o->limit }, { "format", format },
	};

	if (o->sandbox && !id)
		return -1;
	buf_addstr(target, API "/audit");
	for (size_t i = 0; i < ARRAY_SIZE(query); i++)
		if (query[i].value)
			query_add(target, query[i].name, query[i].value);
	return 0;
}

static const struct column columns[] = {
	{ "SEQ", "seq", NULL, COLUMN_RIGHT },
	{ "TIME", "time", NULL, COLUMN_LEFT },
	{ "ACTOR", "actor", NULL, COLUMN_LEFT },
	{ "ACTION", "action", NULL, COLUMN_LEFT },
	{ "SANDBOX", "sandbox_id", NULL, COLUMN_LEFT },
	{ "RESULT", "result", NULL, COLUMN_LEFT },
	{ "TARGET", "target", NULL, COLUMN_LEFT },
};

static int run_ls(struct cli *cli, void *values, int argc, char **args,
		  struct svm_err *err)
{
	auto_buf struct buf body = BUF_INIT, target = BUF_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	cJSON *items;

	(void)argc, (void)args;
	if (make_target(cli, values, NULL, &target, err) < 0 ||
	    cli_get(cli, buf_str(&target), &body, err) < 0 ||
	    out_parse_array(&doc, &body, &items, err) < 0)
		return -1;
	return out_items(cli, items, columns, ARRAY_SIZE(columns), "seq",
			 err);
}

/* As it is, but what a terminal would act on; 0 or -errno.  The export ends
 * in a newline, so nothing of it waits for more. */
static int write_piece(const struct cli *cli, struct buf *raw, const char *p,
		       size_t n)
{
	if (!cli->stdout_tty)
		return fd_write_full(STDOUT_FILENO, p, n);
	buf_add(raw, p, n);
	return out_text(raw, false) < 0 ? -errno : 0;
}

static int run_export(struct cli *cli, void *values, int argc, char **args,
		      struct svm_err *err)
{
	const struct audit_opts *o = values;
	auto_buf struct buf target = BUF_INIT, raw = BUF_INIT;
	char piece[16384];
	ssize_t n;

	(void)argc, (void)args;
	if (make_target(cli, o, o->as ? o->as : "jsonl", &target, err) < 0 ||
	    !cli_client(cli, err))
		return -1;
	auto_exchange struct exchange *x =
		exchange_new(cli->client, "GET", buf_str(&target),
			     CLIENT_NO_BODY, err);

	if (!x || exchange_reply(x, err) < 0)
		return -1;
	paging_begin(cli);
	while ((n = exchange_read(x, piece, sizeof(piece), err)) > 0) {
		int e = write_piece(cli, &raw, piece, (size_t)n);

		if (e < 0)
			return svm_err_sys(err, SVM_INTERNAL, e,
					   "can't write the export");
	}
	return (int)n;
}

static int run_verify(struct cli *cli, void *values, int argc, char **args,
		      struct svm_err *err)
{
	auto_buf struct buf body = BUF_INIT, problem = BUF_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	int64_t at = 0;
	bool ok = false;

	(void)values, (void)argc, (void)args;
	if (cli_get(cli, API "/audit/verify", &body, err) < 0 ||
	    out_parse_object(&doc, &body, err) < 0 ||
	    json_get_bool(doc.root, "ok", &ok, err) < 0 ||
	    json_get_int(doc.root, "broken_at", 0, INT64_MAX, &at, err) < 0)
		return -1;
	if (!cli->quiet && out_object(cli, doc.root, err) < 0)
		return -1;
	if (ok)
		return EXIT_STATUS_OK;
	out_field_text(doc.root, "problem", 7, &problem);
	svm_err_set(err, SVM_INTERNAL, "the audit trail is broken at record "
		    "%lld: %s", (long long)at, buf_str(&problem));
	return svm_err_hint(err, "what comes before that record is as it was "
			    "written");
}

static const struct cmd ls = {
	.name = "ls",
	.aliases = "list",
	.summary = "list the newest records",
	.examples = "stacyvm audit ls --since 1h --action sandbox.create",
	.opts = ls_opts,
	.opts_size = sizeof(struct audit_opts),
	.flags = CMD_PAGED | CMD_TYPED,
	.gives = "AuditRecord",
	.run = run_ls,
};

static const struct cmd verify = {
	.name = "verify",
	.summary = "check that no record was changed or removed",
	.help = "Each record carries a hash of itself and of the one before "
		"it.  Keep the `head` that\nis printed somewhere else: it "
		"stands for all records up to it.",
	.run = run_verify,
};

static const struct cmd export = {
	.name = "export",
	.summary = "write all records to standard output",
	.examples = "stacyvm audit export --as csv >audit.csv",
	.opts = export_opts,
	.opts_size = sizeof(struct audit_opts),
	.flags = CMD_PAGED | CMD_TYPED,
	.run = run_export,
};

static const struct cmd *const subs[] = { &ls, &verify, &export, NULL };

const struct cmd cmd_audit = {
	.name = "audit",
	.summary = "show who did what",
	.help = "Every spawn, exec, change of a file and refused call is on "
		"record: who, what, when,\nwith what result.  "
		"audit.retention and audit.max_size say for how long.",
	.subs = subs,
};
