/* SPDX-License-Identifier: MIT */
/* stacyvm logs: what the commands of a sandbox wrote. */
#include <regex.h>
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
	const char *tail, *grep;
};

#define O(m) offsetof(struct logs_opts, m)

static const struct opt opts[] = {
	{ OPT_FLAG, 'f', "follow", O(follow), NULL,
	  "go on with what comes", COMPLETE_NONE, false },
	{ OPT_STRING, 'n', "tail", O(tail), "N",
	  "begin with the last N lines (default 100)", COMPLETE_NONE, false },
	{ OPT_STRING, 0, "grep", O(grep), "RE",
	  "of those only lines that match (extended expression)",
	  COMPLETE_NONE, false },
	OPTS_END,
};

/* What is printed, and how. */
struct printer {
	const struct cli *cli;
	const regex_t *wanted; /* NULL: every line */
};

static bool is_wanted(const struct printer *p, const char *s)
{
	return !p->wanted || regexec(p->wanted, s, 0, NULL, 0) == 0;
}

/* Escaped also in a pipe: a log is text, and `logs | less -R` is a
 * terminal too.  The bytes themselves are in --json. */
static void print_line(const struct printer *p, const char *s)
{
	auto_buf struct buf line = BUF_INIT;

	if (!is_wanted(p, s))
		return;
	escape_text(&line, s, strlen(s));
	puts(buf_str(&line));
}

static int print_all(const struct printer *p, struct cli *cli,
		     const char *target, struct svm_err *err)
{
	auto_buf struct buf body = BUF_INIT, json = BUF_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	struct json_writer w = json_writer(&json);
	const cJSON *item;
	cJSON *items;

	if (cli_get(cli, target, &body, err) < 0)
		return -1;
	if (cli->json && !p->wanted) {
		puts(buf_str(&body));
		return 0;
	}
	if (out_parse_array(&doc, &body, &items, err) < 0)
		return -1;
	json_open(&w, NULL, '[');
	cJSON_ArrayForEach(item, items) {
		if (!cJSON_IsString(item))
			continue;
		if (!cli->json)
			print_line(p, item->valuestring);
		else if (is_wanted(p, item->valuestring))
			json_str(&w, NULL, item->valuestring);
	}
	json_close(&w, ']');
	if (cli->json)
		puts(buf_str(&json));
	return 0;
}

/* A line of the stream: a JSON string, or an object with the text. */
static void print_streamed(const struct printer *p, const char *raw)
{
	auto_buf struct buf wrapped = BUF_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	auto_err struct svm_err bad = SVM_ERR_INIT;
	static const char *const keys[] = { "line", "line.line", "line.data" };
	const cJSON *text = NULL;

	buf_addf(&wrapped, "{\"line\":%s}", raw);
	if (out_parse_object(&doc, &wrapped, &bad) < 0)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(keys) && !cJSON_IsString(text); i++)
		text = out_field(doc.root, keys[i], strlen(keys[i]));
	if (!cJSON_IsString(text))
		return;
	if (!p->cli->json)
		print_line(p, text->valuestring);
	else if (is_wanted(p, text->valuestring))
		puts(raw);
	fflush(stdout);
}

static int follow(const struct printer *p, struct cli *cli,
		  const char *target, struct svm_err *err)
{
	auto_exchange struct exchange *x =
		exchange_new(cli->client, "GET", target, CLIENT_NO_BODY, err);
	bool end = false;
	char *line;
	size_t n;

	if (!x || exchange_reply(x, err) < 0)
		return -1;
	while ((line = exchange_line(x, true, &n, &end, err)))
		print_streamed(p, line);
	return end ? 0 : -1;
}

static int show(struct cli *cli, const struct logs_opts *o, const char *name,
		const struct printer *p, struct svm_err *err)
{
	auto_free char *id = sandbox_resolve(cli, name, err);
	auto_buf struct buf target = BUF_INIT;

	if (!id || !cli_client(cli, err))
		return -1;
	auto_free char *base = sandbox_path(id, "/logs");

	buf_addstr(&target, base);
	query_add(&target, "lines", o->tail ? o->tail : "100");
	if (!o->follow)
		return print_all(p, cli, buf_str(&target), err);
	query_add(&target, "follow", "true");
	return follow(p, cli, buf_str(&target), err);
}

static int run(struct cli *cli, void *values, int argc, char **args,
	       struct svm_err *err)
{
	const struct logs_opts *o = values;
	struct printer p = { .cli = cli };
	regex_t re;

	(void)argc;
	if (o->tail && (!*o->tail ||
			o->tail[strspn(o->tail, "0123456789")]))
		return cli_usage(cli, err, "bad value '%s' for --tail: not a "
					   "whole number", o->tail);
	if (!o->grep)
		return show(cli, o, args[0], &p, err);
	int bad = regcomp(&re, o->grep, REG_EXTENDED | REG_NOSUB);

	if (bad) {
		char why[128];

		regerror(bad, &re, why, sizeof(why));
		return cli_usage(cli, err, "bad expression '%s' for --grep: "
					   "%s", o->grep, why);
	}
	p.wanted = &re;
	int r = show(cli, o, args[0], &p, err);

	regfree(&re);
	return r;
}

const struct cmd cmd_logs = {
	.name = "logs",
	.args = "ID",
	.summary = "show what the commands of a sandbox wrote",
	.help = "Also of background processes.  Control characters are shown "
		"as text.  With -f it ends\nwhen the sandbox does.",
	.examples = "stacyvm logs ID --tail 20\n"
		    "stacyvm logs -f ID --tail 0 --grep 'ERROR|WARN'",
	.opts = opts,
	.opts_size = sizeof(struct logs_opts),
	.min_args = 1,
	.max_args = 1,
	.complete = COMPLETE_SANDBOX,
	.run = run,
};
