/* SPDX-License-Identifier: MIT */
/* stacyvm bench: how fast it is here, each number beside its floor. */
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/out.h"
#include "cli/sandbox.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"

struct bench_opts {
	int64_t runs;
	const char *provider, *image;
};

#define O(m) offsetof(struct bench_opts, m)
#define RUNS_MAX 100000

extern char **environ;

static const struct opt opts[] = {
	{ OPT_NUMBER, 'n', "runs", O(runs), "N",
	  "how often each is done (default 50)", COMPLETE_NONE, false },
	{ OPT_STRING, 0, "provider", O(provider), "NAME",
	  "measure this provider", COMPLETE_PROVIDER, false },
	{ OPT_STRING, 0, "image", O(image), "IMAGE", "with this image",
	  COMPLETE_IMAGE, false },
	OPTS_END,
};

struct series {
	const char *name;
	int64_t *ns;
	size_t n;
};

static int compare(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void print_series(const struct cli *cli, struct series *s, bool first)
{
	if (s->n == 0)
		return;
	qsort(s->ns, s->n, sizeof(*s->ns), compare);
	double median = (double)s->ns[s->n / 2] / 1e6;
	double p99 = (double)s->ns[(s->n * 99 + 99) / 100 - 1] / 1e6;
	double least = (double)s->ns[0] / 1e6;

	if (cli->json)
		printf("%s{\"name\":\"%s\",\"n\":%zu,\"median_ms\":%.4f,"
		       "\"p99_ms\":%.4f,\"min_ms\":%.4f}",
		       first ? "" : ",", s->name, s->n, median, p99, least);
	else
		printf("%-34s %10.3f %10.3f %10.3f\n", s->name, median, p99,
		       least);
}

/* The floor: what the machine itself takes to run `true`. */
static int spawn_true(struct svm_err *err)
{
	char *argv[] = { (char[]){ "/bin/true" }, NULL };
	int status;
	pid_t pid;
	int e = posix_spawn(&pid, argv[0], NULL, NULL, argv, environ);

	if (e || waitpid(pid, &status, 0) < 0)
		return svm_err_sys(err, SVM_INTERNAL, e, "run /bin/true");
	return 0;
}

struct bench {
	struct cli *cli;
	struct series floor, health, spawn, exec, first, destroy;
	struct buf spawn_body, exec_body;
	char *id;
};

static void record(struct series *s, int64_t begun)
{
	s->ns[s->n++] = clock_mono_ns() - begun;
}

static int bench_spawn(struct bench *b, struct svm_err *err)
{
	auto_buf struct buf reply = BUF_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	const char *id = NULL;

	if (cli_send(b->cli, "POST", API "/sandboxes", &b->spawn_body, &reply,
		     err) < 0 ||
	    out_parse_object(&doc, &reply, err) < 0 ||
	    json_get_string(doc.root, "id", &id, err) < 0)
		return -1;
	if (!id)
		return svm_err_set(err, SVM_PROVIDER, "no id in the reply");
	b->id = xstrdup(id);
	return 0;
}

static int bench_exec(struct bench *b, struct svm_err *err)
{
	auto_free char *target = sandbox_path(b->id, "/exec");
	auto_buf struct buf reply = BUF_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;

	if (cli_send(b->cli, "POST", target, &b->exec_body, &reply, err) < 0 ||
	    out_parse_object(&doc, &reply, err) < 0)
		return -1;
	const cJSON *code = out_field(doc.root, "exit_code", 9);

	if (!cJSON_IsNumber(code) || code->valuedouble != 0)
		return svm_err_set(err, SVM_PROVIDER,
				   "`true` failed in the sandbox");
	return 0;
}

static int bench_destroy(struct bench *b, struct svm_err *err)
{
	auto_free char *target = sandbox_path(b->id, "");
	int r = cli_send(b->cli, "DELETE", target, NULL, NULL, err);

	free(b->id);
	b->id = NULL;
	return r;
}

/* One round of everything, so that all rows see the same machine. */
static int round_trip(struct bench *b, struct svm_err *err)
{
	int64_t t = clock_mono_ns(), begun;

	if (spawn_true(err) < 0)
		return -1;
	record(&b->floor, t);
	t = clock_mono_ns();
	if (cli_get(b->cli, API "/health", NULL, err) < 0)
		return -1;
	record(&b->health, t);
	begun = t = clock_mono_ns();
	if (bench_spawn(b, err) < 0)
		return -1;
	record(&b->spawn, t);
	if (bench_exec(b, err) < 0)
		return -1;
	record(&b->first, begun);
	t = clock_mono_ns();
	if (bench_exec(b, err) < 0)
		return -1;
	record(&b->exec, t);
	t = clock_mono_ns();
	if (bench_destroy(b, err) < 0)
		return -1;
	record(&b->destroy, t);
	return 0;
}

static void make_bodies(struct bench *b, const struct bench_opts *o)
{
	struct json_writer w = json_writer(&b->spawn_body);

	json_open(&w, NULL, '{');
	if (o->provider)
		json_str(&w, "provider", o->provider);
	if (o->image)
		json_str(&w, "image", o->image);
	json_str(&w, "ttl", "5m");
	json_close(&w, '}');
	buf_addstr(&b->exec_body, "{\"command\":\"true\",\"mode\":\"argv\"}");
}

static void print_all(struct cli *cli, struct bench *b)
{
	struct series *all[] = { &b->floor, &b->health, &b->exec, &b->spawn,
				 &b->first, &b->destroy };

	if (cli->json)
		putchar('[');
	else
		printf("%-34s %10s %10s %10s\n", "ms", "median", "p99", "min");
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		print_series(cli, all[i], i == 0);
	if (cli->json)
		puts("]");
}

static int run(struct cli *cli, void *values, int argc, char **args,
	       struct svm_err *err)
{
	const struct bench_opts *o = values;
	size_t n = o->runs ? (size_t)o->runs : 50;
	struct bench b = {
		.cli = cli,
		.floor = { .name = "floor: posix_spawn of /bin/true" },
		.health = { .name = "floor: request and reply" },
		.spawn = { .name = "spawn" },
		.first = { .name = "spawn and first exec" },
		.exec = { .name = "exec of true" },
		.destroy = { .name = "destroy" },
	};
	struct series *all[] = { &b.floor, &b.health, &b.spawn, &b.first,
				 &b.exec, &b.destroy };
	int r = 0;

	(void)argc, (void)args;
	if (n > RUNS_MAX)
		return cli_usage(cli, err, "at most %d runs", RUNS_MAX);
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		all[i]->ns = xcalloc(n, sizeof(int64_t));
	make_bodies(&b, o);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = round_trip(&b, err);
	if (b.id) {
		auto_err struct svm_err ignored = SVM_ERR_INIT;

		(void)bench_destroy(&b, &ignored);
	}
	if (r == 0)
		print_all(cli, &b);
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		free(all[i]->ns);
	buf_release(&b.spawn_body);
	buf_release(&b.exec_body);
	return r;
}

const struct cmd cmd_bench = {
	.name = "bench",
	.summary = "measure spawn, exec and destroy on this machine",
	.help = "Milliseconds over the daemon's socket, beside what the "
		"machine itself takes to run a\nprogram and the daemon to "
		"answer at all.",
	.examples = "stacyvm bench -n 200\n"
		    "stacyvm bench --provider native --json",
	.opts = opts,
	.opts_size = sizeof(struct bench_opts),
	.flags = CMD_TYPED,
	.run = run,
};
