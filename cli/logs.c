/* SPDX-License-Identifier: MIT */
/* stacyvm logs: what the commands of a sandbox wrote. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/out.h"
#include "cli/sandbox.h"
#include "lib/base/escape.h"
#include "lib/base/mem.h"

struct logs_opts {
	bool follow;
	int64_t tail;
};

#define O(m) offsetof(struct logs_opts, m)

static const struct opt opts[] = {
	{ OPT_FLAG, 'f', "follow", O(follow), NULL,
	  "go on with what comes", COMPLETE_NONE, false },
	{ OPT_NUMBER, 'n', "tail", O(tail), "N",
	  "begin with the last N lines (default 100)", COMPLETE_NONE, false },
	OPTS_END,
};

/* Escaped also in a pipe: a log is text, and `logs | less -R` is a
 * terminal too.  The bytes themselves are in --json. */
static void print_line(const char *s)
{
	auto_buf struct buf line = BUF_INIT;

	escape_text(&line, s, strlen(s));
	puts(buf_str(&line));
}

static int print_all(struct cli *cli, const char *target, struct svm_err *err)
{
	auto_buf struct buf body = BUF_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	const cJSON *item;
	cJSON *items;

	if (cli_get(cli, target, &body, err) < 0)
		return -1;
	if (cli->json) {
		puts(buf_str(&body));
		return 0;
	}
	if (out_parse_array(&doc, &body, &items, err) < 0)
		return -1;
	cJSON_ArrayForEach(item, items)
		if (cJSON_IsString(item))
			print_line(item->valuestring);
	return 0;
}

/* A line of the stream: a JSON string, or an object with the text. */
static void print_streamed(const struct cli *cli, const char *raw)
{
	auto_buf struct buf wrapped = BUF_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	auto_err struct svm_err bad = SVM_ERR_INIT;
	static const char *const keys[] = { "line", "line.line", "line.data" };

	if (cli->json) {
		puts(raw);
		fflush(stdout);
		return;
	}
	buf_addf(&wrapped, "{\"line\":%s}", raw);
	if (out_parse_object(&doc, &wrapped, &bad) < 0)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const cJSON *v = out_field(doc.root, keys[i],
					   strlen(keys[i]));

		if (cJSON_IsString(v)) {
			print_line(v->valuestring);
			fflush(stdout);
			return;
		}
	}
}

static int follow(struct cli *cli, const char *target, struct svm_err *err)
{
	auto_exchange struct exchange *x =
		exchange_new(cli->client, "GET", target, CLIENT_NO_BODY, err);
	bool end = false;
	char *line;
	size_t n;

	if (!x || exchange_reply(x, err) < 0)
		return -1;
	while ((line = exchange_line(x, true, &n, &end, err)))
		print_streamed(cli, line);
	return end ? 0 : -1;
}

static int run(struct cli *cli, void *values, int argc, char **args,
	       struct svm_err *err)
{
	const struct logs_opts *o = values;
	auto_free char *id = sandbox_resolve(cli, args[0], err);
	auto_buf struct buf target = BUF_INIT;
	char lines[24];

	(void)argc;
	if (!id || !cli_client(cli, err))
		return -1;
	auto_free char *base = sandbox_path(id, "/logs");

	buf_addstr(&target, base);
	snprintf(lines, sizeof(lines), "%lld",
		 (long long)(o->tail ? o->tail : 100));
	query_add(&target, "lines", lines);
	if (!o->follow)
		return print_all(cli, buf_str(&target), err);
	query_add(&target, "follow", "true");
	return follow(cli, buf_str(&target), err);
}

const struct cmd cmd_logs = {
	.name = "logs",
	.args = "ID",
	.summary = "show what the commands of a sandbox wrote",
	.help = "Also of background processes.  Control characters are shown "
		"as text.  With -f it ends\nwhen the sandbox does.",
	.examples = "stacyvm logs ID --tail 20\n"
		    "stacyvm logs -f ID",
	.opts = opts,
	.opts_size = sizeof(struct logs_opts),
	.min_args = 1,
	.max_args = 1,
	.complete = COMPLETE_SANDBOX,
	.run = run,
};
