/* SPDX-License-Identifier: MIT */
/* stacyvm extend: more time to live. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/out.h"
#include "cli/sandbox.h"
#include "lib/base/clock.h"
#include "lib/base/duration.h"
#include "lib/base/mem.h"

/* The daemon gives what it may, which is not always what was asked for. */
static void tell_if_clipped(const cJSON *sandbox, int64_t asked_ns)
{
	const char *expires = json_text(sandbox, "expires_at");
	int64_t at;

	if (expires && clock_parse_rfc3339(expires, &at) == 0 &&
	    duration_is_less(at - clock_wall_ns(), asked_ns))
		fputs("stacyvm: that is sooner than asked for: no sandbox "
		      "lives longer (defaults.max_ttl)\n", stderr);
}

static int run(struct cli *cli, void *values, int argc, char **args,
	       struct svm_err *err)
{
	auto_buf struct buf body = BUF_INIT, reply = BUF_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	struct json_writer w = json_writer(&body);
	int64_t ns;

	(void)values, (void)argc;
	if (duration_parse(args[1], &ns) < 0 || ns <= 0)
		return cli_usage(cli, err, "'%s' is not a duration (30m, 2h)",
				 args[1]);
	auto_free char *id = sandbox_resolve(cli, args[0], err);

	if (!id)
		return -1;
	auto_free char *target = sandbox_path(id, "/extend");

	json_open(&w, NULL, '{');
	json_str(&w, "ttl", args[1]);
	json_close(&w, '}');
	if (cli_send(cli, "POST", target, &body, &reply, err) < 0 ||
	    out_parse_object(&doc, &reply, err) < 0)
		return -1;
	if (cli->json || cli->format)
		return out_object(cli, doc.root, err);
	buf_clear(&body);
	out_template("{{id}} expires at {{expires_at}}", doc.root, &body);
	fputs(buf_str(&body), stdout);
	fflush(stdout);
	tell_if_clipped(doc.root, ns);
	return 0;
}

const struct cmd cmd_extend = {
	.name = "extend",
	.args = "ID DURATION",
	.summary = "let a sandbox live longer: from now on for DURATION",
	.examples = "stacyvm extend sb-7f3a91c2 2h",
	.min_args = 2,
	.max_args = 2,
	.complete = COMPLETE_SANDBOX,
	.flags = CMD_TYPED,
	.gives = "Sandbox",
	.run = run,
};
