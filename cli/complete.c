/* SPDX-License-Identifier: MIT */
/*
 * stacyvm __complete WORD...: candidates for the last word, one per line with
 * a tab and a description.  A last line with nothing but a tab and "files"
 * says that local files are candidates too.  Nothing else is ever printed,
 * whatever goes wrong.
 */
#include <stdio.h>

#include "cli/candidates.h"

static void print(void *data, const char *word, const char *about)
{
	(void)data;
	printf("%s%s%s\n", word, about[0] ? "\t" : "", about);
}

static int run(struct cli *cli, void *values, int argc, char **args,
	       struct svm_err *err)
{
	(void)values, (void)err;
	if (candidates_offer(cli, argc, args, print, NULL))
		puts("\tfiles");
	return 0;
}

const struct cmd cmd_complete = {
	.name = "__complete",
	.summary = "candidates for shell completion",
	.args = "WORD...",
	.max_args = -1,
	.flags = CMD_HIDDEN | CMD_RAW,
	.run = run,
};
