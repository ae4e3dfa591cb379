/* SPDX-License-Identifier: MIT */
/* stacyvm db: the daemon's room owns the database, so it does the work. */
#include <stdlib.h>

#include "cli/cli.h"
#include "lib/base/mem.h"

static int run(struct cli *cli, void *opts, int argc, char **args,
	       struct svm_err *err)
{
	(void)opts;
	if (!cli->entries->db)
		return svm_err_set(err, SVM_UNSUPPORTED,
				   "this build has no database");
	char **argv = xcalloc((size_t)argc + 2, sizeof(char *));

	argv[0] = (char *)(uintptr_t)"db";
	for (int i = 0; i < argc; i++)
		argv[i + 1] = args[i];
	int status = cli->entries->db(argc + 1, argv);

	free(argv);
	return status;
}

const struct cmd cmd_db = {
	.name = "db",
	.args = "backup FILE | restore FILE | check [FILE]",
	.summary = "back up, restore or check the database",
	.help = "backup copies one moment of it, also while the daemon runs.  "
		"restore puts a copy\nback and needs the daemon stopped: "
		"sandboxes the copy does not know are removed\nwhen it "
		"starts.  check looks for damage and verifies the audit "
		"trail.",
	.examples = "stacyvm db backup /var/backups/stacyvm.db\n"
		    "stacyvm daemon stop && stacyvm db restore "
		    "/var/backups/stacyvm.db",
	.flags = CMD_RAW,
	.max_args = -1,
	.complete = COMPLETE_WORDS,
	.complete_then = COMPLETE_FILE,
	.words = "backup|restore|check",
	.run = run,
};
