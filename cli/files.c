/* SPDX-License-Identifier: MIT */
/* stacyvm files: look at and change files in a sandbox. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/out.h"
#include "cli/paging.h"
#include "cli/progress.h"
#include "cli/sandbox.h"
#include "cli/transfer.h"
#include "lib/api/errmap.h"
#include "lib/base/escape.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"

struct files_opts {
	bool recursive, force;
	const char *mode;
};

#define O(m) offsetof(struct files_opts, m)

/* What all of them begin with: the sandbox's id and the path, both owned. */
struct remote {
	char *id, *path;
};

static void remote_release(struct remote *p)
{
	free(p->id);
	free(p->path);
}
#define auto_remote CLEANUP(remote_release)

/* "ID PATH" as two arguments, or "ID:/path" as one. */
static int find_remote(struct cli *cli, int argc, char **args,
		      const char *fallback, struct remote *ret,
		      struct svm_err *err)
{
	const char *path = NULL;
	auto_free char *split = argc == 1 ?
		sandbox_split(cli, args[0], &path) : NULL;

	if (!split)
		path = argc > 1 ? args[1] : fallback;
	if (!path)
		return cli_usage(cli, err, "no path given");
	ret->id = sandbox_resolve(cli, split ? split : args[0], err);
	ret->path = sandbox_abs_path(cli, ret->id, path);
	return ret->id ? 0 : -1;
}

static void show_size(const struct cli *cli, const cJSON *item,
		      struct buf *out)
{
	const cJSON *size = out_field(item, "size", 4);

	if (!cJSON_IsNumber(size))
		return;
	if (cli->stdout_tty && !cli->plain)
		out_bytes(out, size->valuedouble);
	else
		buf_addf(out, "%.0f", size->valuedouble);
}

static void show_name(const struct cli *cli, const cJSON *item,
		      struct buf *out)
{
	const cJSON *target = out_field(item, "target", 6);

	out_field_text(item, "name", 4, out);
	if (cJSON_IsTrue(out_field(item, "is_dir", 6)))
		buf_addch(out, '/');
	if (!cli->plain && cJSON_IsString(target) && target->valuestring[0])
		buf_addf(out, " -> %s", target->valuestring);
}

static const struct column columns[] = {
	{ "MODE", "mode", NULL, COLUMN_LEFT },
	{ "SIZE", NULL, show_size, COLUMN_RIGHT },
	{ "MODIFIED", "mod_time", NULL, COLUMN_LEFT },
	{ "NAME", NULL, show_name, COLUMN_LEFT },
};

static int run_ls(struct cli *cli, void *values, int argc, char **args,
		  struct svm_err *err)
{
	auto_remote struct remote p = { 0 };
	auto_buf struct buf body = BUF_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	cJSON *items;

	(void)values;
	if (find_remote(cli, argc, args, "", &p, err) < 0)
		return -1;
	auto_free char *target = files_target(p.id, "/list", p.path);

	if (cli_get(cli, target, &body, err) < 0 ||
	    out_parse_array(&doc, &body, &items, err) < 0)
		return -1;
	return out_items(cli, items, columns, ARRAY_SIZE(columns), "name",
			 err);
}

static int cat_one(struct cli *cli, const struct remote *p,
		   struct svm_err *err)
{
	struct progress quiet = { 0 };

	/* What a terminal would act on isn't for one. */
	if (cli->stdout_tty)
		return transfer_show(cli, p->id, p->path, err);
	return transfer_get(cli, p->id, p->path, STDOUT_FILENO, NULL, &quiet,
			    err);
}

static int run_cat(struct cli *cli, void *values, int argc, char **args,
		   struct svm_err *err)
{
	(void)values;
	fflush(stdout);
	if (argc == 1) {
		auto_remote struct remote p = { 0 };

		return find_remote(cli, argc, args, NULL, &p, err) < 0 ?
			       -1 : cat_one(cli, &p, err);
	}
	for (int i = 1; i < argc; i++) {
		char *pair[] = { args[0], args[i], NULL };
		auto_remote struct remote p = { 0 };

		if (find_remote(cli, 2, pair, NULL, &p, err) < 0 ||
		    cat_one(cli, &p, err) < 0)
			return -1;
	}
	return 0;
}

static int run_write(struct cli *cli, void *values, int argc, char **args,
		     struct svm_err *err)
{
	const struct files_opts *o = values;
	auto_remote struct remote p = { 0 };
	struct progress quiet = { 0 };

	if (o->mode && (!o->mode[0] || strlen(o->mode) > 4 ||
			o->mode[strspn(o->mode, "01234567")]))
		return cli_usage(cli, err, "bad value '%s' for --mode: not "
				 "permissions such as 755", o->mode);
	if (isatty(STDIN_FILENO))
		cli_notice(cli, "writing what you type; Ctrl-D ends it");
	if (find_remote(cli, argc, args, NULL, &p, err) < 0)
		return -1;
	return transfer_put(cli, p.id, p.path, STDIN_FILENO,
			    fd_regular_size(STDIN_FILENO), o->mode, &quiet,
			    err);
}

static int remove_one(struct cli *cli, const struct files_opts *o,
		      const struct remote *p, struct svm_err *err)
{
	auto_free char *stat = files_target(p->id, "/stat", p->path);
	auto_free char *base = files_target(p->id, "", p->path);
	auto_buf struct buf target = BUF_INIT;

	/* DELETE succeeds for what is not there; rm without -f does not. */
	if (!o->force && cli_get(cli, stat, NULL, err) < 0)
		return -1;
	buf_addstr(&target, base);
	if (o->recursive)
		query_add(&target, "recursive", "true");
	if (cli_send(cli, "DELETE", buf_str(&target), NULL, NULL, err) == 0)
		return 0;
	if (err->code == SVM_CONFLICT && !o->recursive)
		svm_err_hint(err, "add -r to remove what is in it");
	return -1;
}

static int run_rm(struct cli *cli, void *values, int argc, char **args,
		  struct svm_err *err)
{
	if (argc == 1) {
		auto_remote struct remote p = { 0 };

		return find_remote(cli, 1, args, NULL, &p, err) < 0 ?
			       -1 : remove_one(cli, values, &p, err);
	}
	int status = 0;

	for (int i = 1; i < argc; i++) {
		char *pair[] = { args[0], args[i], NULL };
		auto_remote struct remote p = { 0 };
		auto_err struct svm_err why = SVM_ERR_INIT;

		if (find_remote(cli, 2, pair, NULL, &p, &why) == 0 &&
		    remove_one(cli, values, &p, &why) == 0)
			continue;
		if (argc == 2 || !p.id || why.code == SVM_CANCELLED)
			return svm_err_move(err, &why);
		/* As rm does: the others go all the same. */
		(void)cli_report(cli, &why);
		status = EXIT_STATUS_FAILURE;
	}
	return status;
}

static int post(struct cli *cli, const char *id, const char *suffix,
		const char *key1, const char *value1, const char *key2,
		const char *value2, struct svm_err *err)
{
	auto_free char *target = sandbox_path(id, suffix);
	auto_buf struct buf body = BUF_INIT;
	struct json_writer w = json_writer(&body);

	json_open(&w, NULL, '{');
	json_str(&w, key1, value1);
	json_str(&w, key2, value2);
	json_close(&w, '}');
	return cli_send(cli, "POST", target, &body, NULL, err);
}

static int run_mv(struct cli *cli, void *values, int argc, char **args,
		  struct svm_err *err)
{
	auto_remote struct remote p = { 0 };

	(void)values;
	if (find_remote(cli, argc, args, NULL, &p, err) < 0)
		return -1;
	auto_free char *to = sandbox_abs_path(cli, p.id, args[2]);

	return post(cli, p.id, "/files/move", "old_path", p.path, "new_path",
		    to, err);
}

static int run_chmod(struct cli *cli, void *values, int argc, char **args,
		     struct svm_err *err)
{
	char *pair[] = { args[0], args[2], NULL };
	auto_remote struct remote p = { 0 };

	(void)values, (void)argc;
	if (find_remote(cli, 2, pair, NULL, &p, err) < 0)
		return -1;
	return post(cli, p.id, "/files/chmod", "path", p.path, "mode",
		    args[1], err);
}

static int run_stat(struct cli *cli, void *values, int argc, char **args,
		    struct svm_err *err)
{
	auto_remote struct remote p = { 0 };
	auto_buf struct buf body = BUF_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;

	(void)values;
	if (find_remote(cli, argc, args, NULL, &p, err) < 0)
		return -1;
	auto_free char *target = files_target(p.id, "/stat", p.path);

	if (cli_get(cli, target, &body, err) < 0 ||
	    out_parse_object(&doc, &body, err) < 0)
		return -1;
	return out_object(cli, doc.root, err);
}

static int run_glob(struct cli *cli, void *values, int argc, char **args,
		    struct svm_err *err)
{
	auto_remote struct remote p = { 0 };
	auto_buf struct buf body = BUF_INIT, target = BUF_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	const cJSON *item;
	cJSON *items;

	(void)values;
	if (argc == 1 && !strchr(args[0], ':'))
		return cli_usage(cli, err, "no pattern given");
	if (find_remote(cli, argc, args, NULL, &p, err) < 0)
		return -1;
	auto_free char *base = sandbox_path(p.id, "/files/glob");

	buf_addstr(&target, base);
	query_add(&target, "pattern", p.path);
	if (cli_get(cli, buf_str(&target), &body, err) < 0)
		return -1;
	if (cli->json) {
		paging_begin(cli);
		out_json(buf_str(&body));
		return 0;
	}
	if (out_parse_array(&doc, &body, &items, err) < 0)
		return -1;
	paging_begin(cli);
	cJSON_ArrayForEach(item, items) {
		auto_buf struct buf line = BUF_INIT;

		if (!cJSON_IsString(item))
			continue;
		escape_line(&line, item->valuestring,
			    strlen(item->valuestring));
		puts(buf_str(&line));
	}
	return 0;
}

static const struct opt write_opts[] = {
	{ OPT_STRING, 'm', "mode", O(mode), "MODE",
	  "permissions, such as 755 (default 0644)", COMPLETE_NONE, false },
	OPTS_END,
};

static const struct opt rm_opts[] = {
	{ OPT_FLAG, 'r', "recursive", O(recursive), NULL,
	  "directories with what is in them", COMPLETE_NONE, false },
	{ OPT_FLAG, 'f', "force", O(force), NULL,
	  "what is not there is no failure", COMPLETE_NONE, false },
	OPTS_END,
};

#define FILES(sym, word, arguments, text, least, most, bits, fields) \
	static const struct cmd sym = {                            \
		.name = word, .args = arguments, .summary = text,  \
		.min_args = least, .max_args = most, .flags = bits, \
		.complete = COMPLETE_SANDBOX,                      \
		.complete_then = COMPLETE_REMOTE_PATH,             \
		.gives = fields,                                   \
		.run = run_##sym,                                  \
	}

FILES(ls, "ls", "ID [PATH]", "list a directory (default /workspace)", 1, 2,
      CMD_PAGED, "FileInfo");
FILES(cat, "cat", "ID PATH...",
      "print files; on a terminal, control characters as text", 1, -1,
      CMD_PAGED, NULL);
FILES(mv, "mv", "ID OLD NEW", "move or rename", 3, 3, 0, NULL);
FILES(chmod, "chmod", "ID MODE PATH", "change permissions", 3, 3, CMD_TYPED,
      NULL);
FILES(stat, "stat", "ID PATH", "show what a path is", 1, 2, 0,
      "FileInfo");
FILES(glob, "glob", "ID PATTERN", "list paths that match; ** is recursive",
      1, 2, CMD_PAGED | CMD_TYPED, NULL);

static const struct cmd write_ = {
	.name = "write",
	.args = "ID PATH",
	.summary = "write standard input to a file",
	.opts = write_opts,
	.opts_size = sizeof(struct files_opts),
	.min_args = 1,
	.max_args = 2,
	.complete = COMPLETE_SANDBOX,
	.complete_then = COMPLETE_REMOTE_PATH,
	.run = run_write,
};

static const struct cmd rm_ = {
	.name = "rm",
	.args = "ID PATH...",
	.summary = "remove files",
	.opts = rm_opts,
	.opts_size = sizeof(struct files_opts),
	.min_args = 1,
	.max_args = -1,
	.complete = COMPLETE_SANDBOX,
	.complete_then = COMPLETE_REMOTE_PATH,
	.run = run_rm,
};

static const struct cmd *const subs[] = {
	&ls, &cat, &write_, &rm_, &mv, &chmod, &stat, &glob, NULL,
};

const struct cmd cmd_files = {
	.name = "files",
	.aliases = "file fs",
	.summary = "look at and change files in a sandbox",
	.help = "ID PATH may also be written ID:PATH.  A path without a "
		"leading slash counts from\n/workspace.",
	.examples = "stacyvm files ls ID /etc\n"
		    "echo 'print(1)' | stacyvm files write ID main.py\n"
		    "stacyvm files glob ID '/workspace/**/*.py'",
	.subs = subs,
};
