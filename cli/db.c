/* SPDX-License-Identifier: MIT */
/* stacyvm db: the daemon's room owns the database, so it does the work. */
#include <stdint.h>
#include <string.h>

#include "cli/ask.h"
#include "cli/cli.h"

struct restore_opts {
	const char *confirm;
};

static int call(const struct cli *cli, const char *verb, const char *file,
		struct svm_err *err)
{
	if (!cli->entries->db)
		return svm_err_set(err, SVM_UNSUPPORTED,
				   "this build has no database");
	return cli->entries->db(verb, file, cli->json, err);
}

static int run_backup(struct cli *cli, void *values, int argc, char **args,
		      struct svm_err *err)
{
	(void)values, (void)argc;
	return call(cli, "backup", args[0], err);
}

/* What there is now can't be had back; nobody is asked for what can't be
 * done. */
static int run_restore(struct cli *cli, void *values, int argc, char **args,
		       struct svm_err *err)
{
	const struct restore_opts *o = values;
	const char *slash = strrchr(args[0], '/');
	const char *name = slash && slash[1] ? slash + 1 : args[0];

	(void)argc;
	if (call(cli, "look", args[0], err) < 0 ||
	    ask_name(cli, o->confirm, name, err,
		     "put the copy %s in the place of the whole database?",
		     name) < 0)
		return -1;
	return call(cli, "restore", args[0], err);
}

static int run_check(struct cli *cli, void *values, int argc, char **args,
		     struct svm_err *err)
{
	(void)values;
	return call(cli, "check", argc ? args[0] : NULL, err);
}

static const struct opt restore_opts[] = {
	{ OPT_STRING, 0, "confirm", offsetof(struct restore_opts, confirm),
	  "NAME", "say the file's name here instead of typing it",
	  COMPLETE_NONE, false },
	OPTS_END,
};

static const struct cmd backup = {
	.name = "backup",
	.args = "FILE",
	.summary = "copy one moment of it, also while the daemon runs",
	.min_args = 1,
	.max_args = 1,
	.complete = COMPLETE_FILE,
	.run = run_backup,
};

static const struct cmd restore = {
	.name = "restore",
	.args = "FILE",
	.summary = "put a copy back",
	.help = "The daemon must be stopped.  What the database has now is "
		"lost, and sandboxes that the\ncopy does not know are removed "
		"when it starts: so the file's name is to be typed, or\ntold "
		"by --confirm=NAME.",
	.examples = "stacyvm daemon stop && stacyvm db restore "
		    "/var/backups/stacyvm.db",
	.opts = restore_opts,
	.opts_size = sizeof(struct restore_opts),
	.min_args = 1,
	.max_args = 1,
	.complete = COMPLETE_FILE,
	.run = run_restore,
};

static const struct cmd check = {
	.name = "check",
	.args = "[FILE]",
	.summary = "look for damage, and verify the audit trail",
	.max_args = 1,
	.complete = COMPLETE_FILE,
	.run = run_check,
};

static const struct cmd *const subs[] = { &backup, &restore, &check, NULL };

const struct cmd cmd_db = {
	.name = "db",
	.summary = "back up, restore or check the database",
	.examples = "stacyvm db backup /var/backups/stacyvm.db",
	.subs = subs,
};
