/* SPDX-License-Identifier: MIT */
/* stacyvm template: what sandboxes are made from again and again. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/ask.h"
#include "cli/cli.h"
#include "cli/out.h"
#include "cli/spawn.h"
#include "cli/template.h"
#include "lib/api/yaml.h"
#include "lib/api/errmap.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "lib/base/shell.h"
#include "lib/base/urlenc.h"

#define FILE_MAX (1024 * 1024)

struct template_opts {
	const char *owner; /* first: other commands have it alone */
	const char *file, *image, *description, *ttl, *provider, *network;
	int64_t memory, vcpus, disk, pids;
	const char *pool;
	char **label, **env, **setup;
};

struct rm_opts {
	const char *owner;
	char **confirm;
};

#define O(m) offsetof(struct template_opts, m)

static const struct column columns[] = {
	{ "NAME", "name", NULL, COLUMN_LEFT },
	{ "OWNER", "owner_id", NULL, COLUMN_LEFT },
	{ "IMAGE", "image", NULL, COLUMN_LEFT },
	{ "VCPUS", "vcpus", NULL, COLUMN_RIGHT },
	{ "MEMORY", "memory_mb", NULL, COLUMN_RIGHT },
	{ "TTL", "ttl", NULL, COLUMN_RIGHT },
	{ "WARM", "pool_size", NULL, COLUMN_RIGHT },
	{ "DESCRIPTION", "description", NULL, COLUMN_LEFT },
};

char *template_path(const char *name)
{
	struct buf b = BUF_INIT;

	buf_addstr(&b, API "/templates/");
	urlenc_encode(&b, name, strlen(name));
	return buf_steal(&b);
}

int template_act_for(struct cli *cli, const char *owner, struct svm_err *err)
{
	struct client *c = cli_client(cli, err);

	/* No header would be sent, so it would be done for somebody else. */
	for (const char *p = owner; p && (*p || p == owner); p++)
		if (*p <= ' ' || *p >= 0x7f)
			return cli_usage(cli, err, "--owner must be printable "
					 "ASCII without spaces");
	if (c && owner)
		client_set_owner(c, owner);
	return c ? 0 : -1;
}

/* Who sees everything is given everybody's. */
static void keep_those_of(cJSON *items, const char *owner)
{
	for (cJSON *next, *item = items->child; item; item = next) {
		next = item->next;
		if (strcmp(json_text(item, "owner_id"), owner) != 0)
			cJSON_Delete(cJSON_DetachItemViaPointer(items, item));
	}
}

static int run_ls(struct cli *cli, void *values, int argc, char **args,
		  struct svm_err *err)
{
	auto_buf struct buf body = BUF_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	cJSON *items;

	const struct template_opts *o = values;

	(void)argc, (void)args;
	if (template_act_for(cli, o->owner, err) < 0 ||
	    cli_get(cli, API "/templates", &body, err) < 0 ||
	    out_parse_array(&doc, &body, &items, err) < 0)
		return -1;
	if (o->owner)
		keep_those_of(items, o->owner);
	return out_items(cli, items, columns, ARRAY_SIZE(columns), "name",
			 err);
}

static int run_show(struct cli *cli, void *values, int argc, char **args,
		    struct svm_err *err)
{
	auto_free char *target = template_path(args[0]);
	auto_buf struct buf body = BUF_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	const struct template_opts *o = values;

	(void)argc;
	if (template_act_for(cli, o->owner, err) < 0 ||
	    cli_get(cli, target, &body, err) < 0 ||
	    out_parse_object(&doc, &body, err) < 0)
		return -1;
	return out_object(cli, doc.root, err);
}

/* The fields of a file, without the name: that is given beside it. */
static int add_file(struct json_writer *w, const char *file,
		    struct svm_err *err)
{
	auto_buf struct buf text = BUF_INIT;
	const cJSON *item;
	int r = strcmp(file, "-") == 0 ?
			fd_slurp(STDIN_FILENO, FILE_MAX, &text) :
			fd_slurp_path(-1, file, FILE_MAX, &text);

	if (r < 0)
		return svm_err_sys(err, SVM_FILE_NOT_FOUND, r, "read '%s'",
				   file);
	cJSON *fields = yaml_read(file, buf_str(&text), text.len, err);
	if (!fields)
		return -1;
	cJSON_ArrayForEach(item, fields) {
		if (strcmp(item->string, "name") == 0)
			continue;
		char *printed = cJSON_PrintUnformatted(item);
		json_raw(w, item->string, printed);
		cJSON_free(printed);
	}
	cJSON_Delete(fields);
	return 0;
}

static int add_pool(const struct cli *cli, struct json_writer *w,
		    const char *text, struct svm_err *err)
{
	if (!text)
		return 0;
	if (!text[0] || strspn(text, "0123456789") != strlen(text) ||
	    strlen(text) > 4)
		return cli_usage(cli, err, "bad value '%s' for --warm: not a "
				 "whole number", text);
	json_raw(w, "pool_size", text);
	return 0;
}

static int make_request(const struct cli *cli,
			const struct template_opts *o, const char *name,
			struct buf *body, struct svm_err *err)
{
	struct json_writer w = json_writer(body);

	json_open(&w, NULL, '{');
	json_str(&w, "name", name);
	if (o->file && add_file(&w, o->file, err) < 0)
		return -1;
	spawn_add_string(&w, "image", o->image);
	spawn_add_string(&w, "description", o->description);
	spawn_add_string(&w, "ttl", o->ttl);
	spawn_add_string(&w, "provider", o->provider);
	spawn_add_string(&w, "network", o->network);
	spawn_add_number(&w, "memory_mb", o->memory);
	spawn_add_number(&w, "vcpus", o->vcpus);
	spawn_add_number(&w, "disk_mb", o->disk);
	spawn_add_number(&w, "pids", o->pids);
	if (add_pool(cli, &w, o->pool, err) < 0 ||
	    spawn_add_pairs(cli, &w, "metadata", o->label, false, err) < 0 ||
	    spawn_add_pairs(cli, &w, "env", o->env, true, err) < 0)
		return -1;
	if (o->setup) {
		json_open(&w, "setup", '[');
		for (char **s = o->setup; *s; s++)
			json_str(&w, NULL, *s);
		json_close(&w, ']');
	}
	json_close(&w, '}');
	return 0;
}

static int run_create(struct cli *cli, void *values, int argc, char **args,
		      struct svm_err *err)
{
	auto_buf struct buf body = BUF_INIT, reply = BUF_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;

	const struct template_opts *o = values;

	(void)argc;
	if (template_act_for(cli, o->owner, err) < 0 ||
	    make_request(cli, o, args[0], &body, err) < 0 ||
	    cli_send(cli, "POST", API "/templates", &body, &reply, err) < 0 ||
	    out_parse_object(&doc, &reply, err) < 0)
		return -1;
	if (o->owner && strcmp(json_text(doc.root, "owner_id"), o->owner) != 0)
		cli_warn("the template is everybody's: they have owners where "
			 "callers are told apart (auth.owner_isolation)");
	if (cli->json || cli->format)
		return out_object(cli, doc.root, err);
	puts(args[0]);
	fflush(stdout);
	auto_buf struct buf word = BUF_INIT;

	shell_word(&word, args[0]);
	cli_notice(cli, "  next:  stacyvm spawn --template %s",
		   buf_str(&word));
	return 0;
}

/* Sandboxes that were made from it. */
static int count_users(const cJSON *boxes, const char *name)
{
	const cJSON *box;
	int n = 0;

	cJSON_ArrayForEach(box, boxes) {
		const char *from = json_text(box, "template");

		n += from && strcmp(from, name) == 0;
	}
	return n;
}

/* One in use is missed sooner than it is made again. */
static int remove_one(struct cli *cli, const struct rm_opts *o,
		      const cJSON *boxes, const char *name,
		      struct svm_err *err)
{
	auto_free char *target = template_path(name);
	int users = count_users(boxes, name);
	const char *given = o->confirm ? o->confirm[0] : NULL;

	for (char *const *c = o->confirm; c && *c; c++)
		if (strcmp(*c, name) == 0)
			given = *c;
	if (users && ask_name(cli, given, name, err, users == 1 ?
				      "remove the template %s? %d sandbox was "
				      "made from it and goes on." :
				      "remove the template %s? %d sandboxes "
				      "were made from it and go on.", name,
				      users) < 0)
		return -1;
	return cli_send(cli, "DELETE", target, NULL, NULL, err);
}

static int run_rm(struct cli *cli, void *values, int argc, char **args,
		  struct svm_err *err)
{
	const struct rm_opts *o = values;
	auto_buf struct buf body = BUF_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	cJSON *boxes;
	auto_buf struct buf removed = BUF_INIT;
	int failed = 0, status = 0;

	if (template_act_for(cli, o->owner, err) < 0 ||
	    cli_get(cli, API "/sandboxes", &body, err) < 0 ||
	    out_parse_array(&doc, &body, &boxes, err) < 0)
		return -1;
	for (int i = 0; i < argc; i++) {
		auto_err struct svm_err e = SVM_ERR_INIT;

		if (remove_one(cli, o, boxes, args[i], &e) < 0) {
			status = cli_report(cli, &e);
			failed++;
		} else {
			out_removed(cli, args[i], &removed);
		}
	}
	out_removed_end(cli, &removed);
	return argc > 1 && failed ? EXIT_STATUS_FAILURE : status;
}

/* As `stacyvm spawn --template NAME`. */
static int run_spawn(struct cli *cli, void *values, int argc, char **args,
		     struct svm_err *err)
{
	struct spawn_opts *o = values;

	o->template = args[0];
	if (cli->dashes > 0)
		cli->dashes--;
	return cmd_spawn.run(cli, o, argc - 1, args + 1, err);
}

#define OWNER                                                         \
	{ OPT_STRING, 0, "owner", O(owner), "OWNER",                  \
	  "templates of this owner", COMPLETE_NONE, false }

static const struct opt owner_opts[] = { OWNER, OPTS_END };
_Static_assert(O(owner) == 0, "owner_opts fill one pointer");

static const struct opt rm_opts[] = {
	OWNER,
	{ OPT_LIST, 0, "confirm", offsetof(struct rm_opts, confirm), "NAME",
	  "say the name of one in use here instead of typing it; may be "
	  "repeated", COMPLETE_TEMPLATE, false },
	OPTS_END,
};
_Static_assert(offsetof(struct rm_opts, owner) == O(owner), "as OWNER has it");

static const struct opt create_opts[] = {
	OWNER,
	{ OPT_STRING, 'f', "file", O(file), "FILE",
	  "YAML or JSON with its fields; - is standard input",
	  COMPLETE_FILE, false },
	{ OPT_STRING, 0, "image", O(image), "IMAGE",
	  "make it from this: host, an image or a directory",
	  COMPLETE_IMAGE, false },
	{ OPT_STRING, 0, "description", O(description), "TEXT",
	  "what it is for", COMPLETE_NONE, false },
	{ OPT_DURATION, 0, "ttl", O(ttl), "D",
	  "its sandboxes live this long (default 30m)", COMPLETE_NONE,
	  false },
	{ OPT_MEBIBYTES, 0, "memory", O(memory), "SIZE",
	  "memory limit: 512m, 2g", COMPLETE_NONE, false },
	{ OPT_COUNT, 0, "vcpus", O(vcpus), "N", "processors they may use",
	  COMPLETE_NONE, false },
	{ OPT_MEBIBYTES, 0, "disk", O(disk), "SIZE",
	  "limit of what they may write: 512m, 2g", COMPLETE_NONE, false },
	{ OPT_COUNT, 0, "pids", O(pids), "N", "limit of processes",
	  COMPLETE_NONE, false },
	{ OPT_LIST, 'l', "label", O(label), "KEY=VALUE",
	  "metadata; may be repeated", COMPLETE_NONE, false },
	{ OPT_LIST, 'e', "env", O(env), "NAME[=VALUE]",
	  "a variable for all commands", COMPLETE_NONE, false },
	{ OPT_LIST, 0, "setup", O(setup), "COMMAND",
	  "run this once in each new sandbox; may be repeated",
	  COMPLETE_NONE, false },
	{ OPT_STRING, 0, "warm", O(pool), "N",
	  "keep this many sandboxes ready to be taken", COMPLETE_NONE,
	  false },
	{ OPT_STRING, 0, "provider", O(provider), "NAME",
	  "kind of runtime (see: stacyvm provider ls)", COMPLETE_PROVIDER,
	  false },
	{ OPT_STRING, 0, "network", O(network), "MODE",
	  "its network; there is only none yet",
	  COMPLETE_NONE, false },
	OPTS_END,
};

static const struct cmd ls = {
	.name = "ls",
	.aliases = "list",
	.summary = "list templates",
	.opts = owner_opts,
	.opts_size = sizeof(const char *),
	.flags = CMD_PAGED,
	.gives = "Template",
	.run = run_ls,
};

static const struct cmd show = {
	.name = "show",
	.aliases = "get inspect",
	.args = "NAME",
	.summary = "show all fields of a template",
	.min_args = 1,
	.max_args = 1,
	.complete = COMPLETE_TEMPLATE,
	.opts = owner_opts,
	.opts_size = sizeof(const char *),
	.flags = CMD_PAGED,
	.gives = "Template",
	.run = run_show,
};

static const struct cmd create = {
	.name = "create",
	.aliases = "set",
	.args = "NAME",
	.summary = "create a template, or change the fields that are given",
	.help = "A new one needs an image.  Sandboxes that were made from it "
		"stay as they are;\nwarm ones that nobody has taken yet are "
		"made anew when it matters.",
	.examples = "stacyvm template create py --image python:3.12 "
		    "--setup 'pip install numpy' --warm 3\n"
		    "stacyvm template show py --json | stacyvm template "
		    "create py2 -f -",
	.opts = create_opts,
	.opts_size = sizeof(struct template_opts),
	.min_args = 1,
	.max_args = 1,
	.complete = COMPLETE_TEMPLATE,
	.run = run_create,
};

static const struct cmd rm = {
	.name = "rm",
	.args = "NAME...",
	.summary = "remove templates and their warm sandboxes",
	.min_args = 1,
	.max_args = -1,
	.complete = COMPLETE_TEMPLATE,
	.help = "Sandboxes that were made from one go on.  While there are any, "
		"its name is to be typed,\nor told by --confirm=NAME.",
	.opts = rm_opts,
	.opts_size = sizeof(struct rm_opts),
	.run = run_rm,
};

static const struct cmd spawn = {
	.name = "spawn",
	.args = "NAME [--rm -- COMMAND...]",
	.summary = "make a sandbox from a template and print its id",
	.help = "The same as `stacyvm spawn --template NAME`; options given "
		"here win over the\ntemplate's.",
	.opts = spawn_options,
	.opts_size = sizeof(struct spawn_opts),
	.min_args = 1,
	.max_args = -1,
	.complete = COMPLETE_TEMPLATE,
	.flags = CMD_TYPED,
	.run = run_spawn,
};

static const struct cmd *const subs[] = { &ls, &show, &create,
					  &template_edit, &rm, &spawn, NULL };

const struct cmd cmd_template = {
	.name = "template",
	.aliases = "templates",
	.summary = "named settings for sandboxes, kept warm if wanted",
	.subs = subs,
};
