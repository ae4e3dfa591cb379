/* SPDX-License-Identifier: MIT */
/* stacyvm image: what sandboxes can be made from. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/ask.h"
#include "cli/cli.h"
#include "cli/frames.h"
#include "cli/out.h"
#include "cli/progress.h"
#include "cli/sandbox.h"
#include "cli/transfer.h"
#include "lib/api/errmap.h"
#include "lib/api/limits.h"
#include "lib/base/escape.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "lib/base/urlenc.h"

struct image_opts {
	const char *name;
	bool yes;
};

#define O(m) offsetof(struct image_opts, m)

static void show_size(const struct cli *cli, const cJSON *item,
		      struct buf *out)
{
	const cJSON *size = out_field(item, "size_bytes", 10);

	if (!cJSON_IsNumber(size))
		return;
	if (cli->plain)
		buf_addf(out, "%.0f", size->valuedouble);
	else
		out_bytes(out, size->valuedouble);
}

static const struct column columns[] = {
	{ "IMAGE", "ref", NULL, COLUMN_LEFT },
	{ "SIZE", NULL, show_size, COLUMN_RIGHT },
	{ "CREATED", "created_at", NULL, COLUMN_LEFT },
	{ "DIGEST", "digest", NULL, COLUMN_LEFT },
};

static int run_ls(struct cli *cli, void *values, int argc, char **args,
		  struct svm_err *err)
{
	(void)values, (void)argc, (void)args;
	return out_list(cli, API "/images", columns, ARRAY_SIZE(columns), "ref",
			err);
}

/* What it is called in the store: the daemon's word. */
static void print_ref(const char *ref)
{
	auto_buf struct buf line = BUF_INIT;

	escape_line(&line, ref, strlen(ref));
	puts(buf_str(&line));
	fflush(stdout);
}

/* "dir/alpine.tar.gz" is called "alpine" unless --name says otherwise. */
static char *default_name(const char *path)
{
	static const char *const ends[] = { ".gz", ".xz", ".zst", ".bz2",
					    ".tgz", ".tar", ".oci" };
	size_t n = strlen(path);

	while (n > 1 && path[n - 1] == '/')
		n--;
	auto_free char *trimmed = xstrndup(path, n);
	const char *slash = strrchr(trimmed, '/');
	char *name = xstrdup(slash ? slash + 1 : trimmed);

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		size_t len = strlen(name), end = strlen(ends[i]);

		if (len > end && strcmp(name + len - end, ends[i]) == 0)
			name[len - end] = '\0';
	}
	return name;
}

static int send_image(struct cli *cli, const char *path, const char *target,
		      struct buf *reply, struct svm_err *err)
{
	bool standard = strcmp(path, "-") == 0;
	auto_close int opened = standard ? -1 :
					   open(path, O_RDONLY | O_CLOEXEC);
	int fd = standard ? STDIN_FILENO : opened, r;
	struct progress p;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return svm_err_sys(err, SVM_FILE_NOT_FOUND, errno,
				   "can't open '%s'", path);
	progress_init(&p, cli, path, fd_regular_size(fd));
	r = S_ISDIR(st.st_mode) ?
		    transfer_send_tree(cli, "POST", target, path, &p, reply,
				       err) :
		    transfer_send_fd(cli, "POST", target, fd,
				     fd_regular_size(fd), &p, reply, err);
	progress_end(&p);
	return r;
}

static int run_import(struct cli *cli, void *values, int argc, char **args,
		      struct svm_err *err)
{
	const struct image_opts *o = values;
	auto_free char *given = o->name ? xstrdup(o->name) :
					  default_name(args[0]);
	auto_buf struct buf target = BUF_INIT, reply = BUF_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;

	(void)argc;
	if (!o->name && strcmp(args[0], "-") == 0)
		return cli_usage(cli, err, "from standard input it needs a "
					   "--name");
	buf_addstr(&target, API "/images/import");
	query_add(&target, o->name ? "name" : "fallback", given);
	if (send_image(cli, args[0], buf_str(&target), &reply, err) < 0 ||
	    out_parse_object(&doc, &reply, err) < 0)
		return -1;
	if (cli->json || cli->format)
		return out_object(cli, doc.root, err);
	const char *ref = given;

	if (json_get_string(doc.root, "ref", &ref, err) < 0)
		return -1;
	print_ref(ref);
	cli_notice(cli, "  next:  stacyvm spawn --image %s", ref);
	return 0;
}

/* A pull: the layers' progress, added up for one line. */
struct pulling {
	struct cli *cli;
	struct ticker *ticker; /* while the registry has sent nothing; or NULL */
	struct progress p;
	struct frame_layers layers;
};

static void tell_layer(const struct frame *f)
{
	auto_buf struct buf size = BUF_INIT;

	out_bytes(&size, (double)f->total);
	fprintf(stderr, "layer %" PRId64 " of %" PRId64 ": %s\n", f->layer + 1,
		f->layers, buf_str(&size));
}

static void on_frame(void *data, const struct frame *f)
{
	struct pulling *g = data;
	int64_t have, whole;

	if (strcmp(f->stage, "download") != 0) {
		if (!g->ticker)
			progress_add(&g->p, 0); /* still alive */
		return;
	}
	ticker_stop(g->ticker);
	g->ticker = NULL;
	frame_layers_take(&g->layers, f, &have, &whole);
	progress_set(&g->p, have, whole);
	if (!g->p.redraw && !g->cli->quiet && f->bytes == f->total && f->total)
		tell_layer(f);
}

static int post_pull(struct pulling *g, const char *ref, struct json_doc *doc,
		     struct svm_err *err)
{
	const struct frames_reader reader = { "image", on_frame, g };
	auto_buf struct buf body = BUF_INIT;
	struct json_writer w = json_writer(&body);

	json_open(&w, NULL, '{');
	json_str(&w, "ref", ref);
	json_close(&w, '}');
	return frames_post(g->cli, API "/images/pull?frames=full", &body,
			   &reader, doc, err);
}

static int run_pull(struct cli *cli, void *values, int argc, char **args,
		    struct svm_err *err)
{
	auto_json struct json_doc doc = JSON_DOC_INIT;
	auto_free struct pulling *g = xcalloc(1, sizeof(*g));
	bool newer = false;

	(void)values, (void)argc;
	if (!cli_client(cli, err))
		return -1;
	g->cli = cli;
	progress_init(&g->p, cli, args[0], -1);
	g->ticker = ticker_start(cli, args[0]);
	int r = post_pull(g, args[0], &doc, err);
	ticker_stop(g->ticker);
	progress_end(&g->p);
	cli_tell_started();
	if (r < 0)
		return -1;
	const cJSON *image = json_get(doc.root, "image");
	const char *ref = args[0];

	if (!cJSON_IsObject(image))
		return svm_err_set(err, SVM_PROVIDER,
				   "the daemon's reply has no image");
	if (cli->json || cli->format)
		return out_object(cli, image, err);
	if (json_get_string(image, "ref", &ref, err) < 0 ||
	    json_get_bool(doc.root, "newer", &newer, err) < 0)
		return -1;
	print_ref(ref);
	cli_notice(cli, "%s\n  next:  stacyvm spawn --image %s",
		   newer ? "pulled" : "up to date", ref);
	return 0;
}

static int remove_one(struct cli *cli, const char *ref, struct svm_err *err)
{
	auto_buf struct buf target = BUF_INIT;

	buf_addstr(&target, API "/images/");
	urlenc_encode(&target, ref, strlen(ref));
	return cli_send(cli, "DELETE", buf_str(&target), NULL, NULL, err);
}

static int run_rm(struct cli *cli, void *values, int argc, char **args,
		  struct svm_err *err)
{
	auto_buf struct buf removed = BUF_INIT;
	int failed = 0, status = 0;

	(void)values, (void)err;
	for (int i = 0; i < argc; i++) {
		auto_err struct svm_err e = SVM_ERR_INIT;

		if (remove_one(cli, args[i], &e) < 0) {
			status = cli_report(cli, &e);
			failed++;
		} else {
			out_removed(cli, args[i], &removed);
		}
	}
	out_removed_end(cli, &removed);
	return argc > 1 && failed ? EXIT_STATUS_FAILURE : status;
}

static int run_prune(struct cli *cli, void *values, int argc, char **args,
		     struct svm_err *err)
{
	const struct image_opts *o = values;
	auto_buf struct buf reply = BUF_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;

	(void)argc, (void)args;
	if (ask_confirm(cli, o->yes || !cli->stderr_tty, err,
			"remove all images that no sandbox uses?") < 0 ||
	    cli_send(cli, "POST", API "/images/prune", NULL, &reply, err) <
		    0 ||
	    out_parse_object(&doc, &reply, err) < 0)
		return -1;
	return out_object(cli, doc.root, err);
}

static const struct opt import_opts[] = {
	{ OPT_STRING, 0, "name", O(name), "NAME[:TAG]",
	  "what it is called (default: from the file's name)", COMPLETE_NONE,
	  false },
	OPTS_END,
};

static const struct opt prune_opts[] = {
	{ OPT_FLAG, 'y', "yes", O(yes), NULL, "do not ask", COMPLETE_NONE,
	  false },
	OPTS_END,
};

static const struct cmd ls = {
	.name = "ls",
	.aliases = "list",
	.summary = "list images",
	.flags = CMD_PAGED,
	.gives = "Image",
	.run = run_ls,
};

static const struct cmd import = {
	.name = "import",
	.args = "FILE|DIRECTORY|-",
	.summary = "make an image from an archive or a directory",
	.help = "Takes OCI and docker archives (`docker save`), plain tar "
		"files of a root file system,\nany of them compressed, and "
		"directories.",
	.examples = "stacyvm image import alpine.tar.gz --name alpine:3.19\n"
		    "docker save python:3.12 | stacyvm image import - --name "
		    "python:3.12",
	.opts = import_opts,
	.opts_size = sizeof(struct image_opts),
	.min_args = 1,
	.max_args = 1,
	.complete = COMPLETE_FILE,
	.run = run_import,
};

static const struct cmd pull = {
	.name = "pull",
	.args = "IMAGE",
	.summary = "fetch an image from a registry",
	.help = "As docker names them: `alpine`, `me/tool:1.2`, "
		"`ghcr.io/owner/name`, `NAME@sha256:...`.\nUser and password "
		"are those of docker's configuration.  Interrupted, it goes on "
		"next\ntime where it was.  A spawn of an image that is not "
		"here pulls it by itself.",
	.examples = "stacyvm image pull alpine\n"
		    "stacyvm image pull localhost:5000/team/app:1.2",
	.min_args = 1,
	.max_args = 1,
	.complete = COMPLETE_IMAGE,
	.run = run_pull,
};

static const struct cmd rm = {
	.name = "rm",
	.args = "IMAGE...",
	.summary = "remove images",
	.min_args = 1,
	.max_args = -1,
	.complete = COMPLETE_IMAGE,
	.run = run_rm,
};

static const struct cmd prune = {
	.name = "prune",
	.summary = "remove images that no sandbox uses",
	.opts = prune_opts,
	.opts_size = sizeof(struct image_opts),
	.run = run_prune,
};

static const struct cmd *const subs[] = { &ls, &pull, &import, &rm, &prune,
					  NULL };

const struct cmd cmd_image = {
	.name = "image",
	.aliases = "images",
	.summary = "pull, import, list and remove images",
	.help = "The image `host` needs no import: it is this machine's own "
		"/usr, read-only.",
	.subs = subs,
};
