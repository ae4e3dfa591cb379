/* SPDX-License-Identifier: MIT */
/* stacyvm preview: the address of a port inside a sandbox. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/out.h"
#include "cli/sandbox.h"
#include "lib/base/mem.h"
#include "lib/base/proc.h"

struct preview_opts {
	bool open;
};

#define O(m) offsetof(struct preview_opts, m)

static const struct opt opts[] = {
	{ OPT_FLAG, 0, "open", O(open), NULL,
	  "open it in a browser (xdg-open)", COMPLETE_NONE, false },
	OPTS_END,
};

extern char **environ;

static int open_browser(const char *url, struct svm_err *err)
{
	static const int fds[] = { -1, -1, -1 };
	const char *const argv[] = { "/usr/bin/xdg-open", url, NULL };
	pid_t pid = proc_spawn((char *const *)argv, environ, fds, 3,
			       PROC_SPAWN_SETSID, NULL);

	if (pid > 0)
		return 0;
	svm_err_sys(err, SVM_UNSUPPORTED, (int)pid, "can't open a browser");
	return svm_err_hint(err, "sudo apt-get install xdg-utils");
}

/* It goes to a terminal and a browser. */
static bool is_address(const char *url)
{
	if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)
		return false;
	for (; *url; url++)
		if (*url <= ' ' || *url > '~')
			return false;
	return true;
}

static int run(struct cli *cli, void *values, int argc, char **args,
	       struct svm_err *err)
{
	const struct preview_opts *o = values;
	char *end;
	long port = strtol(args[1], &end, 10);
	auto_buf struct buf body = BUF_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;

	(void)argc;
	if (args[1][0] < '0' || args[1][0] > '9' || *end || port < 1 ||
	    port > 65535)
		return cli_usage(cli, err, "'%s' is no port: 1 to 65535",
				 args[1]);
	auto_free char *id = cli_client(cli, err) ?
				     sandbox_resolve(cli, args[0], err) :
				     NULL;
	if (!id)
		return -1;
	auto_free char *rest = xasprintf("/preview?port=%ld", port);
	auto_free char *target = sandbox_path(id, rest);

	if (cli_get(cli, target, &body, err) < 0 ||
	    out_parse_object(&doc, &body, err) < 0)
		return -1;
	if (cli->json || cli->format)
		return out_object(cli, doc.root, err);
	auto_buf struct buf url = BUF_INIT;

	out_field_text(doc.root, "url", 3, &url);
	if (!is_address(buf_str(&url)))
		return svm_err_set(err, SVM_PROVIDER, "the daemon sent no "
						      "address");
	puts(buf_str(&url));
	return o->open ? open_browser(buf_str(&url), err) : 0;
}

const struct cmd cmd_preview = {
	.name = "preview",
	.args = "ID PORT",
	.summary = "show the address of a port in a sandbox",
	.help = "What listens on PORT of the sandbox's loopback answers under "
		"this address, WebSockets\nincluded.  Where the daemon wants "
		"keys, the address carries a token that opens this\nport "
		"alone and ends with the sandbox.",
	.examples = "stacyvm preview sb-7f3a91c2 3000\n"
		    "stacyvm preview web 8080 --open",
	.opts = opts,
	.opts_size = sizeof(struct preview_opts),
	.min_args = 2,
	.max_args = 2,
	.complete = COMPLETE_SANDBOX,
	.flags = CMD_TYPED,
	.gives = "Preview",
	.run = run,
};
