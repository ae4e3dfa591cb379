/* SPDX-License-Identifier: MIT */
/* stacyvm serve: checks the options, then the daemon's own main takes over. */
#include <sys/stat.h>

#include "cli/cli.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"

struct serve_opts {
	const char *config;
	char **set;
	int64_t ready_fd;
	bool detached;
};

#define O(m) offsetof(struct serve_opts, m)

static const struct opt opts[] = {
	{ OPT_STRING, 0, "config", O(config), "FILE",
	  "configuration read after the usual ones", COMPLETE_FILE, false },
	{ OPT_LIST, 0, "set", O(set), "KEY=VALUE",
	  "set one configuration key; may be repeated", COMPLETE_NONE, false },
	{ OPT_NUMBER, 0, "ready-fd", O(ready_fd), "N",
	  "write to this descriptor when ready", COMPLETE_NONE,
	  false },
	{ OPT_FLAG, 0, "detached", O(detached), NULL,
	  "log to a file; leave when idle", COMPLETE_NONE, true },
	OPTS_END,
};

static void add(char ***argv, char *owned)
{
	size_t n = strv_len(*argv);

	*argv = xreallocarray(*argv, n + 2, sizeof(char *));
	(*argv)[n] = owned;
	(*argv)[n + 1] = NULL;
}

static int run(struct cli *cli, void *values, int argc, char **args,
	       struct svm_err *err)
{
	const struct serve_opts *o = values;
	char **argv = xcalloc(1, sizeof(char *));

	(void)argc, (void)args;
	if (!cli->entries->serve)
		return svm_err_set(err, SVM_UNSUPPORTED,
				   "this build has no daemon");
	add(&argv, xstrdup("serve"));
	if (o->config)
		add(&argv, xasprintf("--config=%s", o->config));
	for (char **s = o->set; s && *s; s++)
		add(&argv, xasprintf("--set=%s", *s));
	if (o->ready_fd)
		add(&argv, xasprintf("--ready-fd=%d", (int)o->ready_fd));
	if (o->detached)
		add(&argv, xstrdup("--detached"));
	umask(077);
	cli_escape_for(-1); /* what it writes is for its files */
	int status = cli->entries->serve((int)strv_len(argv), argv);

	strv_free(argv);
	return status;
}

const struct cmd cmd_serve = {
	.name = "serve",
	.summary = "run the daemon in the foreground",
	.help = "Any other command starts a daemon by itself when none "
		"answers; this one is for\nservice managers, containers and "
		"debugging.  It stops on SIGTERM or Ctrl-C and\nleaves "
		"sandboxes running for the next daemon.",
	.examples = "stacyvm serve --set server.port=0\n"
		    "stacyvm serve --config ./stacyvm.yaml",
	.opts = opts,
	.opts_size = sizeof(struct serve_opts),
	.run = run,
};
