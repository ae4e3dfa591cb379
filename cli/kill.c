/* SPDX-License-Identifier: MIT */
/*
 * stacyvm kill: destroy sandboxes.  Only full ids and exact names: the
 * beginning of an id is good enough to look, never to destroy.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/sandbox.h"
#include "lib/api/errmap.h"
#include "lib/api/state.h"
#include "lib/base/mem.h"

struct kill_opts {
	bool force, yes;
};

#define O(m) offsetof(struct kill_opts, m)

static const struct opt opts[] = {
	{ OPT_FLAG, 'f', "force", O(force), NULL,
	  "one that is not there is no failure", COMPLETE_NONE, false },
	{ OPT_FLAG, 'y', "yes", O(yes), NULL,
	  "accepted for scripts; nothing is asked", COMPLETE_NONE, true },
	OPTS_END,
};

struct tally {
	unsigned killed, failed;
	int status; /* of the only failure */
};

static int kill_one(struct cli *cli, const char *name, bool force,
		    struct svm_err *err)
{
	auto_free char *target = sandbox_path(name, "");

	/* DELETE succeeds for what was never there: ask first, so that a
	 * mistyped id is not reported as killed. */
	if (!force && cli_get(cli, target, NULL, err) < 0) {
		if (err->code == SVM_NOT_FOUND &&
		    !sandbox_is_full_id(name)) {
			free(err->hint);
			err->hint = NULL;
			svm_err_hint(err, "kill wants the full id or the "
					  "exact name:  stacyvm list");
		}
		return -1;
	}
	return cli_send(cli, "DELETE", target, NULL, NULL, err);
}

static void kill_and_count(struct cli *cli, const char *name, bool force,
			   struct tally *t)
{
	auto_err struct svm_err err = SVM_ERR_INIT;

	if (kill_one(cli, name, force, &err) < 0) {
		t->status = cli_report(cli, &err);
		t->failed++;
		return;
	}
	t->killed++;
	if (!cli->json)
		puts(name);
	fflush(stdout);
}

static int kill_from_stdin(struct cli *cli, bool force, struct tally *t,
			   struct svm_err *err)
{
	char *line = NULL;
	size_t cap = 0;

	while (getline(&line, &cap, stdin) >= 0) {
		line[strcspn(line, " \t\r\n")] = '\0';
		if (line[0])
			kill_and_count(cli, line, force, t);
	}
	free(line);
	if (ferror(stdin))
		return svm_err_set(err, SVM_INTERNAL,
				   "cannot read standard input");
	return 0;
}

static int run(struct cli *cli, void *values, int argc, char **args,
	       struct svm_err *err)
{
	const struct kill_opts *o = values;
	struct tally t = { 0 };

	for (int i = 0; i < argc; i++) {
		if (strcmp(args[i], "-") != 0)
			kill_and_count(cli, args[i], o->force, &t);
		else if (kill_from_stdin(cli, o->force, &t, err) < 0)
			return -1;
	}
	if (cli->json)
		printf("{\"killed\":%u,\"failed\":%u}\n", t.killed, t.failed);
	else if (t.killed + t.failed > 1 && t.failed)
		cli_warn("killed %u of %u sandboxes", t.killed,
			 t.killed + t.failed);
	if (!t.failed)
		return 0;
	return t.killed + t.failed == 1 ? t.status : EXIT_STATUS_FAILURE;
}

const struct cmd cmd_kill = {
	.name = "kill",
	.aliases = "rm destroy",
	.args = "ID... | -",
	.summary = "destroy sandboxes",
	.help = "Takes full ids or exact names; with - they are read from "
		"standard input.  Each that\nis gone is printed.  When one of "
		"several fails, the others are still destroyed and\nthe "
		"status is 1.",
	.examples = "stacyvm kill sb-7f3a91c2\n"
		    "stacyvm list -q --filter metadata.task=ci | stacyvm "
		    "kill -",
	.opts = opts,
	.opts_size = sizeof(struct kill_opts),
	.min_args = 1,
	.max_args = -1,
	.flags = CMD_DESTROYS,
	.complete = COMPLETE_SANDBOX,
	.run = run,
};
