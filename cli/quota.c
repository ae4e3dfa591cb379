/* SPDX-License-Identifier: MIT */
/* stacyvm quota: what owners may have. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/out.h"
#include "lib/api/errmap.h"
#include "lib/base/mem.h"
#include "lib/base/urlenc.h"

struct quota_opts {
	int64_t sandboxes, memory, vcpus;
	const char *ttl, *exec_timeout;
};

#define O(m) offsetof(struct quota_opts, m)

/* A limit; "-" where the default holds. */
static void show_limit(const cJSON *item, const char *key, struct buf *out)
{
	auto_buf struct buf text = BUF_INIT;

	out_field_text(item, key, strlen(key), &text);
	bool none = strcmp(buf_str(&text), "0") == 0 ||
		    strcmp(buf_str(&text), "0s") == 0;
	buf_addstr(out, none ? "-" : buf_str(&text));
}

#define SHOW(name)                                                     \
	static void show_##name(const struct cli *cli, const cJSON *item, \
				struct buf *out)                       \
	{                                                              \
		(void)cli;                                             \
		show_limit(item, #name, out);                          \
	}
SHOW(max_sandboxes)
SHOW(max_ttl)
SHOW(max_exec_timeout)
SHOW(max_memory_mb)
SHOW(max_vcpus)

static const struct column columns[] = {
	{ "OWNER", "owner_id", NULL, COLUMN_LEFT },
	{ "SANDBOXES", NULL, show_max_sandboxes, COLUMN_RIGHT },
	{ "TTL", NULL, show_max_ttl, COLUMN_RIGHT },
	{ "EXEC TIMEOUT", NULL, show_max_exec_timeout, COLUMN_RIGHT },
	{ "MEMORY MB", NULL, show_max_memory_mb, COLUMN_RIGHT },
	{ "VCPUS", NULL, show_max_vcpus, COLUMN_RIGHT },
};

static int run_ls(struct cli *cli, void *values, int argc, char **args,
		  struct svm_err *err)
{
	(void)values, (void)argc, (void)args;
	return out_list(cli, API "/quotas", columns, ARRAY_SIZE(columns), "owner_id",
			err);
}

static void add_path(struct buf *out, const char *owner)
{
	buf_addstr(out, API "/quotas/");
	urlenc_encode(out, owner, strlen(owner));
}

/* With the usage, which is there also for owners without a quota. */
static int run_get(struct cli *cli, void *values, int argc, char **args,
		   struct svm_err *err)
{
	auto_buf struct buf target = BUF_INIT, reply = BUF_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;

	(void)values, (void)argc;
	add_path(&target, args[0]);
	buf_addstr(&target, "/usage");
	if (cli_get(cli, buf_str(&target), &reply, err) < 0 ||
	    out_parse_object(&doc, &reply, err) < 0)
		return -1;
	return out_object(cli, doc.root, err);
}

static int run_set(struct cli *cli, void *values, int argc, char **args,
		   struct svm_err *err)
{
	const struct quota_opts *o = values;
	auto_buf struct buf target = BUF_INIT, body = BUF_INIT,
			    reply = BUF_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	struct json_writer w = json_writer(&body);

	(void)argc;
	if (!o->sandboxes && !o->memory && !o->vcpus && !o->ttl &&
	    !o->exec_timeout)
		return cli_usage(cli, err, "no limit is given; to take all "
				 "away: stacyvm quota rm %s", args[0]);
	add_path(&target, args[0]);
	json_open(&w, NULL, '{');
	json_int(&w, "max_sandboxes", o->sandboxes);
	json_int(&w, "max_memory_mb", o->memory);
	json_int(&w, "max_vcpus", o->vcpus);
	json_str(&w, "max_ttl", o->ttl ? o->ttl : "");
	json_str(&w, "max_exec_timeout",
		 o->exec_timeout ? o->exec_timeout : "");
	json_close(&w, '}');
	if (cli_send(cli, "PUT", buf_str(&target), &body, &reply, err) < 0 ||
	    out_parse_object(&doc, &reply, err) < 0)
		return -1;
	return out_object(cli, doc.root, err);
}

static int run_rm(struct cli *cli, void *values, int argc, char **args,
		  struct svm_err *err)
{
	auto_buf struct buf removed = BUF_INIT;
	int failed = 0, status = 0;

	(void)values, (void)err;
	for (int i = 0; i < argc; i++) {
		auto_err struct svm_err e = SVM_ERR_INIT;
		auto_buf struct buf target = BUF_INIT;

		add_path(&target, args[i]);
		if (cli_send(cli, "DELETE", buf_str(&target), NULL, NULL,
			     &e) < 0) {
			status = cli_report(cli, &e);
			failed++;
		} else {
			out_removed(cli, args[i], &removed);
		}
	}
	out_removed_end(cli, &removed);
	return argc > 1 && failed ? EXIT_STATUS_FAILURE : status;
}

static const struct opt set_opts[] = {
	{ OPT_NUMBER, 0, "max-sandboxes", O(sandboxes), "N",
	  "sandboxes at once", COMPLETE_NONE, false },
	{ OPT_DURATION, 0, "max-ttl", O(ttl), "DURATION",
	  "longest life of a sandbox", COMPLETE_NONE, false },
	{ OPT_DURATION, 0, "max-exec-timeout", O(exec_timeout), "DURATION",
	  "longest time of a command", COMPLETE_NONE, false },
	{ OPT_MEBIBYTES, 0, "max-memory", O(memory), "SIZE",
	  "memory of one sandbox (512m, 2g)", COMPLETE_NONE, false },
	{ OPT_NUMBER, 0, "max-vcpus", O(vcpus), "N",
	  "processors of one sandbox", COMPLETE_NONE, false },
	OPTS_END,
};

static const struct cmd ls = {
	.name = "ls",
	.aliases = "list",
	.summary = "list quotas",
	.flags = CMD_PAGED,
	.gives = "Quota",
	.run = run_ls,
};

static const struct cmd get = {
	.name = "get",
	.args = "OWNER",
	.summary = "what an owner has, and what is allowed",
	.min_args = 1,
	.max_args = 1,
	.flags = CMD_TYPED,
	.run = run_get,
};

static const struct cmd set = {
	.name = "set",
	.args = "OWNER",
	.summary = "set an owner's quota, in place of the one before",
	.help = "What is not given is as everybody's (defaults.* of the "
		"configuration).",
	.examples = "stacyvm quota set alice --max-sandboxes 5 --max-ttl 2h",
	.opts = set_opts,
	.opts_size = sizeof(struct quota_opts),
	.min_args = 1,
	.max_args = 1,
	.flags = CMD_TYPED,
	.run = run_set,
};

static const struct cmd rm = {
	.name = "rm",
	.args = "OWNER...",
	.summary = "remove quotas: the defaults hold again",
	.min_args = 1,
	.max_args = -1,
	.flags = CMD_TYPED,
	.run = run_rm,
};

static const struct cmd *const subs[] = { &ls, &get, &set, &rm, NULL };

const struct cmd cmd_quota = {
	.name = "quota",
	.aliases = "quotas",
	.summary = "limit what owners may have",
	.help = "An owner is who sandboxes belong to: X-User-ID of the API, "
		"STACYVM_USER_ID here.\nOver TCP with authentication it needs "
		"the admin key.",
	.subs = subs,
};
