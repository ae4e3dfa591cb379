/* SPDX-License-Identifier: MIT */
/* stacyvm config: the daemon's room owns the keys, so it does the work. */
#include "cli/cli.h"
#include <stdlib.h>

#include "lib/base/mem.h"

static int run(struct cli *cli, void *opts, int argc, char **args,
	       struct svm_err *err)
{
	char **argv = xcalloc((size_t)argc + 2, sizeof(char *));

	(void)opts;
	if (!cli->entries->config) {
		free(argv);
		return svm_err_set(err, SVM_UNSUPPORTED,
				   "this build has no configuration");
	}
	argv[0] = (char *)(uintptr_t)"config";
	for (int i = 0; i < argc; i++)
		argv[i + 1] = args[i];
	int status = cli->entries->config(argc + 1, argv);

	free(argv);
	return status;
}

const struct cmd cmd_config = {
	.name = "config",
	.args = "get [--origin] [KEY] | lint [FILE] | path",
	.summary = "show or check the configuration",
	.help = "get prints the value in force, of one key or of all; with "
		"--origin also where it\ncomes from.  lint checks files "
		"without starting anything.  path prints where\n"
		"configuration is looked for.  Needs no daemon.",
	.examples = "stacyvm config get defaults.ttl\n"
		    "stacyvm config lint ./stacyvm.yaml",
	.flags = CMD_RAW,
	.max_args = -1,
	.complete = COMPLETE_WORDS,
	.complete_then = COMPLETE_FILE,
	.words = "get|lint|path",
	.run = run,
};
