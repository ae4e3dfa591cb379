/* SPDX-License-Identifier: MIT */
/* stacyvm spawn: make a sandbox; with --rm run one command in it and remove
 * it on every way out. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/frames.h"
#include "cli/live.h"
#include "cli/out.h"
#include "cli/progress.h"
#include "cli/run.h"
#include "cli/sandbox.h"
#include "cli/spawn.h"
#include "cli/term.h"
#include "lib/api/errmap.h"
#include "lib/api/state.h"
#include "lib/base/clock.h"
#include "lib/base/duration.h"
#include "lib/base/escape.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "lib/base/utf8.h"

#define CLEANUP_NS (INT64_C(30) * 1000000000)

#define O(m) offsetof(struct spawn_opts, m)

const struct opt spawn_options[] = {
	{ OPT_STRING, 0, "image", O(image), "IMAGE",
	  "make it from this: host, an image or a directory",
	  COMPLETE_IMAGE, false },
	{ OPT_STRING, 0, "template", O(template), "NAME",
	  "start from a template", COMPLETE_TEMPLATE, false },
	{ OPT_DURATION, 0, "ttl", O(ttl), "D",
	  "destroy it after this long (default 30m)", COMPLETE_NONE, false },
	{ OPT_MEBIBYTES, 0, "memory", O(memory), "SIZE",
	  "memory limit: 512m, 2g", COMPLETE_NONE, false },
	{ OPT_COUNT, 0, "vcpus", O(vcpus), "N", "processors it may use",
	  COMPLETE_NONE, false },
	{ OPT_MEBIBYTES, 0, "disk", O(disk), "SIZE",
	  "limit of what it may write: 512m, 2g", COMPLETE_NONE, false },
	{ OPT_COUNT, 0, "pids", O(pids), "N", "limit of processes",
	  COMPLETE_NONE, false },
	{ OPT_STRING, 0, "name", O(name), "NAME",
	  "a name of your own for it", COMPLETE_NONE, false },
	{ OPT_LIST, 'l', "label", O(label), "KEY=VALUE",
	  "metadata; may be repeated", COMPLETE_NONE, false },
	{ OPT_LIST, 'e', "env", O(env), "NAME[=VALUE]",
	  "a variable for all its commands", COMPLETE_NONE, false },
	{ OPT_STRING, 0, "provider", O(provider), "NAME",
	  "kind of runtime (see: stacyvm provider ls)", COMPLETE_PROVIDER,
	  false },
	{ OPT_STRING, 0, "network", O(network), "MODE",
	  "its network; there is only none yet",
	  COMPLETE_NONE, false },
	{ OPT_FLAG, 0, "wait", O(wait), NULL,
	  "return when it runs (always so)", COMPLETE_NONE, true },
	{ OPT_FLAG, 0, "rm", O(rm), NULL,
	  "run COMMAND in it, then remove it", COMPLETE_NONE, false },
	{ OPT_FLAG, 't', "tty", O(tty), NULL,
	  "with --rm: give the command a terminal", COMPLETE_NONE, false },
	{ OPT_FLAG, 'i', "interactive", O(interactive), NULL,
	  "with --rm: pass standard input also from a terminal",
	  COMPLETE_NONE, false },
	{ OPT_FLAG, 'n', "no-stdin", O(no_stdin), NULL,
	  "with --rm: do not read standard input", COMPLETE_NONE, false },
	{ OPT_STRING, 'w', "workdir", O(workdir), "DIR",
	  "with --rm: run in this directory", COMPLETE_NONE, false },
	{ OPT_DURATION, 0, "exec-timeout", O(exec_timeout), "D",
	  "with --rm: kill the command after this long", COMPLETE_NONE,
	  false },
	OPTS_END,
};

int spawn_add_pairs(const struct cli *cli, struct json_writer *w, const char *key,
		    char *const *pairs, bool from_here, struct svm_err *err)
{
	if (!pairs)
		return 0;
	json_open(w, key, '{');
	for (; *pairs; pairs++) {
		const char *eq = strchr(*pairs, '=');
		auto_free char *name =
			xstrndup(*pairs, eq ? (size_t)(eq - *pairs) :
					      strlen(*pairs));
		const char *value = eq ? eq + 1 :
				    from_here ? getenv(name) : NULL;

		if (!name[0] || (!eq && !from_here) ||
		    !utf8_valid(*pairs, strlen(*pairs)))
			return cli_usage(cli, err, "'%s' is not KEY=VALUE",
					 *pairs);
		if (value)
			json_str(w, name, value);
	}
	json_close(w, '}');
	return 0;
}

void spawn_add_string(struct json_writer *w, const char *key, const char *v)
{
	if (v)
		json_str(w, key, v);
}

void spawn_add_number(struct json_writer *w, const char *key, int64_t v)
{
	if (v)
		json_int(w, key, v);
}

static int make_request(const struct cli *cli,
			const struct spawn_opts *o, struct buf *body,
			struct svm_err *err)
{
	struct json_writer w = json_writer(body);

	json_open(&w, NULL, '{');
	spawn_add_string(&w, "image", o->image);
	spawn_add_string(&w, "template", o->template);
	spawn_add_string(&w, "ttl", o->ttl);
	spawn_add_string(&w, "name", o->name);
	spawn_add_string(&w, "provider", o->provider);
	spawn_add_string(&w, "network", o->network);
	spawn_add_number(&w, "memory_mb", o->memory);
	spawn_add_number(&w, "vcpus", o->vcpus);
	spawn_add_number(&w, "disk_mb", o->disk);
	spawn_add_number(&w, "pids", o->pids);
	if (spawn_add_pairs(cli, &w, "metadata", o->label, false, err) < 0 ||
	    spawn_add_pairs(cli, &w, "env", o->env, true, err) < 0)
		return -1;
	json_close(&w, '}');
	return 0;
}

/* What is empty comes from a variable that is not set, and the default is not
 * what its author thinks he asked for. */
static int check(struct cli *cli, const struct spawn_opts *o,
		 struct svm_err *err)
{
	const struct { const char *name, *value; } texts[] = {
		{ "image", o->image }, { "template", o->template },
		{ "name", o->name }, { "provider", o->provider },
		{ "network", o->network },
	};
	int64_t ns;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (texts[i].value && !*texts[i].value)
			return cli_usage(cli, err, "--%s is empty; leave it "
					 "out for the default",
					 texts[i].name);
	if (o->ttl && duration_parse(o->ttl, &ns) == 0 && ns == 0)
		return cli_usage(cli, err, "--ttl must be longer than 0");
	for (char **p = o->label; p && *p; p++)
		if (!strchr(*p, '=') || **p == '=')
			return cli_usage(cli, err, "--label '%s' is not "
					 "KEY=VALUE", *p);
	return 0;
}

/* A spawn under way: a line that is painted again, or one for each step. */
struct spawning {
	struct ticker *ticker; /* NULL: lines */
	struct frame_layers layers;
	char *said;            /* the last line */
};

static char *step_text(const struct frame *f)
{
	if (strcmp(f->stage, "download") == 0)
		return xstrdup("downloading the image");
	if (strcmp(f->stage, "unpack") == 0)
		return xstrdup("unpacking the image");
	if (strcmp(f->stage, "queue") == 0)
		return xasprintf("waiting for room (%" PRId64 " of yours wait)",
				 f->waiting);
	if (strcmp(f->stage, "setup") == 0)
		return xasprintf("setting up (command %" PRId64 " of %" PRId64
				 ")", f->command, f->commands);
	return xasprintf("starting%s%s", *f->id ? " " : "", f->id);
}

static void on_frame(void *data, const struct frame *f)
{
	struct spawning *s = data;
	auto_free char *text = step_text(f);
	int64_t have = 0, whole = 0;

	if (strcmp(f->stage, "download") == 0)
		frame_layers_take(&s->layers, f, &have, &whole);
	ticker_tell(s->ticker, text, have, whole);
	if (s->ticker || (s->said && strcmp(s->said, text) == 0))
		return;
	auto_escape bool before = cli_escape_for(STDERR_FILENO);
	auto_buf struct buf line = BUF_INIT;

	escape_line(&line, text, strlen(text));
	fprintf(stderr, "%s\n", buf_str(&line));
	free(s->said);
	s->said = steal_ptr(&text);
}

/* The sandbox, borrowed from doc.  Who can't be shown how far it is asks for
 * the end alone. */
static const cJSON *post(struct cli *cli, const struct buf *body,
			 struct json_doc *doc, struct svm_err *err)
{
	auto_free struct spawning *s = xcalloc(1, sizeof(*s));
	const struct frames_reader reader = { "sandbox", on_frame, s };
	auto_buf struct buf reply = BUF_INIT;
	bool lines = cli->progress && strcmp(cli->progress, "plain") == 0 &&
		     !cli->quiet;

	if (!cli_client(cli, err))
		return NULL;
	s->ticker = lines ? NULL : ticker_start(cli, "starting");
	if (!s->ticker && !lines) {
		if (client_call(cli->client, "POST", API "/sandboxes", body,
				&reply, err) < 0 ||
		    out_parse_object(doc, &reply, err) < 0)
			return NULL;
		return doc->root;
	}
	int r = frames_post(cli, API "/sandboxes?frames=full", body, &reader,
			    doc, err);

	ticker_stop(s->ticker);
	cli_tell_started();
	free(s->said);
	return r < 0 ? NULL : json_get(doc->root, "sandbox");
}

/* Its id, borrowed from *ret as that is from doc. */
static const char *spawn(struct cli *cli, const struct spawn_opts *o,
			 struct json_doc *doc, const cJSON **ret,
			 struct svm_err *err)
{
	auto_buf struct buf body = BUF_INIT;
	const char *id = NULL;

	*ret = make_request(cli, o, &body, err) < 0 ? NULL :
						 post(cli, &body, doc, err);
	if (err->code || json_get_string(*ret, "id", &id, err) < 0)
		return NULL;
	if (id && sandbox_is_full_id(id)) /* it is printed as it is */
		return id;
	svm_err_set(err, SVM_PROVIDER,
		    "the daemon's reply has no sandbox id");
	return NULL;
}

/* Whatever happened before, and however little time is left; but one more
 * Ctrl-C, which alone arrives on `interrupts`, leaves it. */
static int destroy(struct cli *cli, const char *id, int interrupts,
		   struct svm_err *err)
{
	auto_free char *target = sandbox_path(id, "");

	client_set_cancel_fd(cli->client, interrupts);
	client_set_deadline(cli->client, clock_boot_ns() + CLEANUP_NS);
	int r = client_call(cli->client, "DELETE", target, NULL, NULL, err);

	client_set_cancel_fd(cli->client, -1);
	if (r == 0)
		return 0;
	svm_err_prefix(err, "sandbox %s could not be removed", id);
	return svm_err_hint(err, "remove it with:  stacyvm kill %s", id);
}

/* SIGINT alone, which is blocked. */
static int watch_interrupts(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int run_command(struct cli *cli, const struct spawn_opts *o,
		       const char *id, const char *start, int signals,
		       struct svm_err *err)
{
	auto_free char *target = sandbox_path(id, "/exec/ws");
	struct run r = { .id = id, .target = target, .start = start,
			 .signal_fd = signals };

	if (o->tty)
		r.flags |= RUN_TTY | RUN_STDIN;
	else
		r.flags |= RUN_TAGGED;
	if (!o->no_stdin && (o->interactive || !isatty(STDIN_FILENO)))
		r.flags |= RUN_STDIN;
	return run_session(cli, &r, err);
}

static int spawn_rm(struct cli *cli, const struct spawn_opts *o, char **argv,
		    struct svm_err *err)
{
	const struct run_command c = { .argv = argv, .workdir = o->workdir,
				       .timeout = o->exec_timeout,
				       .tty = o->tty };
	auto_buf struct buf start = BUF_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	auto_err struct svm_err left = SVM_ERR_INIT;
	const cJSON *sandbox;

	if (o->tty && !isatty(STDIN_FILENO))
		return cli_usage(cli, err, "-t needs a terminal as standard "
					   "input; leave it out in scripts");
	if (run_start_message(&c, &start, err) < 0 || !cli_client(cli, err))
		return -1;
	auto_close int signals = cli_catch_signals(cli, err);
	const char *id = signals < 0 ? NULL :
				       spawn(cli, o, &doc, &sandbox, err);

	if (!id) /* a caller that goes away takes the spawn with it */
		return -1;
	int status = run_command(cli, o, id, buf_str(&start), signals, err);

	auto_close int interrupts = watch_interrupts();

	if (destroy(cli, id, interrupts, &left) < 0) {
		int worse = cli_report(cli, &left);

		return status < 0 ? -1 : status ? status : worse;
	}
	return status;
}

static void tell(const struct cli *cli, const cJSON *sandbox, const char *id,
		 int64_t took_ns)
{
	auto_buf struct buf left = BUF_INIT;
	const cJSON *expires = out_field(sandbox, "expires_at", 10);
	int64_t at;

	if (cJSON_IsString(expires) &&
	    clock_parse_rfc3339(expires->valuestring, &at) == 0)
		out_ago(&left, at - clock_wall_ns() + 500000000);
	bool quick = took_ns < INT64_C(1000000000);

	cli_notice(cli, "running in %.1f %s%s%s%s\n  next:  stacyvm shell %s",
		   (double)took_ns / (quick ? 1e6 : 1e9), quick ? "ms" : "s",
		   !left.len ? "" : live_utf8() ? " \xc2\xb7 " : ", ",
		   left.len ? "expires in " : "", buf_str(&left), id);
}

static int run(struct cli *cli, void *values, int argc, char **args,
	       struct svm_err *err)
{
	const struct spawn_opts *o = values;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	const cJSON *sandbox;
	int64_t begun = clock_mono_ns();

	cli->passes_status = o->rm;
	if (o->rm && (cli->dashes != 0 || argc == 0)) {
		cli_usage(cli, err, "--rm needs a command after --:  stacyvm "
				    "spawn --rm -- COMMAND");
		return -1;
	}
	if (check(cli, o, err) < 0)
		return -1;
	if (o->rm)
		return spawn_rm(cli, o, args, err);
	if (argc) {
		cli_usage(cli, err, "unexpected '%s'", args[0]);
		if (cli->dashes == 0)
			svm_err_hint(err, "to run a command in a sandbox of "
					  "its own:  stacyvm spawn --rm -- "
					  "COMMAND");
		else
			svm_err_hint(err, "an image is given with --image");
		return -1;
	}
	const char *id = spawn(cli, o, &doc, &sandbox, err);

	if (!id)
		return -1;
	if (cli->json || cli->format)
		return out_object(cli, sandbox, err);
	/* In one line, where both go to the terminal. */
	fputs(id, stdout);
	putchar(cli->stdout_tty && cli->stderr_tty && !cli->quiet ? ' ' :
								    '\n');
	fflush(stdout);
	tell(cli, sandbox, id, clock_mono_ns() - begun);
	return 0;
}

const struct cmd cmd_spawn = {
	.name = "spawn",
	.aliases = "create new",
	.args = "[--rm -- COMMAND...]",
	.summary = "make a sandbox and print its id",
	.help = "Prints the id alone on standard output, so that\n"
		"  id=$(stacyvm spawn)\nworks.  With --rm the command's "
		"output and status are passed through as by `exec`,\nand the "
		"sandbox is removed when it ends, also after Ctrl-C.",
	.examples = "stacyvm spawn\n"
		    "stacyvm spawn --image python:3.12 --memory 512m --ttl 2h\n"
		    "stacyvm spawn --rm -- python3 -c 'print(1+1)'",
	.opts = spawn_options,
	.opts_size = sizeof(struct spawn_opts),
	.max_args = -1,
	.flags = CMD_TYPED,
	.gives = "Sandbox",
	.run = run,
};
