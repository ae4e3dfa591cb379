/* SPDX-License-Identifier: MIT */
/* stacyvm version */
#include <stdio.h>

#include "cli/cli.h"
#include "lib/base/json.h"

static int run(struct cli *cli, void *opts, int argc, char **args,
	       struct svm_err *err)
{
	auto_buf struct buf b = BUF_INIT;

	(void)opts, (void)argc, (void)args, (void)err;
	if (cli->json) {
		struct json_writer w = json_writer(&b);

		json_open(&w, NULL, '{');
		json_str(&w, "version", SVM_VERSION);
		json_close(&w, '}');
		puts(buf_str(&b));
		return 0;
	}
	printf("stacyvm %s\n", SVM_VERSION);
	return 0;
}

const struct cmd cmd_version = {
	.name = "version",
	.summary = "print the version of this program",
	.help = "The version of a running daemon is in `stacyvm daemon "
		"status`.",
	.run = run,
};
