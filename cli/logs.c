/* SPDX-License-Identifier: MIT */
/* stacyvm logs: what the commands of a sandbox wrote. */
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/out.h"
#include "cli/paging.h"
#include "cli/sandbox.h"
#include "lib/api/limits.h"
#include "lib/base/clock.h"
#include "lib/base/duration.h"
#include "lib/base/escape.h"
#include "lib/base/mem.h"
#include "lib/client/reply.h"

struct logs_opts {
	bool follow, times;
	const char *tail, *since, *stream, *grep;
};

#define O(m) offsetof(struct logs_opts, m)

static const struct opt opts[] = {
	{ OPT_FLAG, 'f', "follow", O(follow), NULL,
	  "go on with what comes", COMPLETE_NONE, false },
	{ OPT_STRING, 'n', "tail", O(tail), "N",
	  "begin with the last N lines (default 100, at most "
	  OPTS_DIGITS(LIMIT_LOG_LINES) ")", COMPLETE_NONE, false },
	{ OPT_STRING, 0, "since", O(since), "WHEN",
	  "all since then: a duration back (10m), or a time "
	  "(2026-01-31T12:00:00Z)", COMPLETE_NONE, false },
	{ OPT_STRING, 0, "stream", O(stream), "NAME",
	  "only that: stdout, stderr, pty or system", COMPLETE_NONE, false },
	{ OPT_FLAG, 't', "timestamps", O(times), NULL,
	  "begin each line with the time at which it was written",
	  COMPLETE_NONE, false },
	{ OPT_STRING, 0, "grep", O(grep), "RE",
	  "of those only lines that match (extended expression)",
	  COMPLETE_NONE, false },
	OPTS_END,
};

/* What is printed, and how. */
struct printer {
	const struct cli *cli;
	const regex_t *wanted; /* NULL: every line */
	bool times;
};

/* What the daemon sent: an object, or from one that is older than times only
 * the text. */
static const char *text_of(const cJSON *item)
{
	const char *line = cJSON_IsString(item) ? item->valuestring :
						  json_text(item, "line");

	return line ? line : "";
}

static void print_json(const cJSON *item)
{
	static const char *const keys[] = { "time", "stream" };
	auto_buf struct buf out = BUF_INIT;
	struct json_writer w = json_writer(&out);

	json_open(&w, NULL, '{');
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const char *v = json_text(item, keys[i]);

		if (v)
			json_str(&w, keys[i], v);
		else
			json_null(&w, keys[i]);
	}
	json_str(&w, "line", text_of(item));
	json_close(&w, '}');
	out_json(buf_str(&out));
}

/* Escaped also in a pipe: a log is text, and `logs | less -R` is a
 * terminal too.  The bytes themselves are in --json. */
static void print_text(const struct printer *p, const cJSON *item)
{
	auto_buf struct buf line = BUF_INIT;
	const char *when = json_text(item, "time"), *s = text_of(item);

	when = when ? when : "-";
	if (p->times) {
		escape_line(&line, when, strlen(when));
		buf_addch(&line, ' ');
	}
	escape_text(&line, s, strlen(s));
	puts(buf_str(&line));
}

static void print_line(const struct printer *p, const cJSON *item)
{
	auto_buf struct buf line = BUF_INIT;

	if (p->wanted && regexec(p->wanted, text_of(item), 0, NULL, 0) != 0)
		return;
	if (p->cli->json) {
		print_json(item);
	} else if (p->cli->format) {
		out_template(p->cli->format, item, &line);
		fputs(buf_str(&line), stdout);
	} else {
		print_text(p, item);
	}
}

static int print_all(const struct printer *p, struct cli *cli,
		     const char *target, struct svm_err *err)
{
	auto_buf struct buf body = BUF_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	const cJSON *item;
	cJSON *items;

	if (cli_get(cli, target, &body, err) < 0 ||
	    out_parse_array(&doc, &body, &items, err) < 0)
		return -1;
	paging_begin(cli);
	cJSON_ArrayForEach(item, items)
		print_line(p, item);
	return 0;
}

static void print_streamed(const struct printer *p, const char *raw, size_t n)
{
	auto_json struct json_doc doc = JSON_DOC_INIT;
	auto_err struct svm_err bad = SVM_ERR_INIT;
	cJSON *item;

	if (reply_parse(&doc, raw, n, &item, &bad) == 0)
		print_line(p, item);
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
		print_streamed(p, line, n);
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
	if (o->tail || !o->since)
		query_add(&target, "lines", o->tail ? o->tail : "100");
	if (o->since)
		query_add(&target, "since", o->since);
	if (o->stream)
		query_add(&target, "stream", o->stream);
	query_add(&target, "details", "true");
	if (!o->follow)
		return print_all(p, cli, buf_str(&target), err);
	query_add(&target, "follow", "true");
	return follow(p, cli, buf_str(&target), err);
}

static bool is_moment(const char *text)
{
	int64_t ns;

	return (duration_parse(text, &ns) == 0 && ns >= 0) ||
	       clock_parse_rfc3339(text, &ns) == 0;
}

static bool is_line_count(const char *text)
{
	size_t n = strspn(text, "0123456789");

	return n && !text[n] && n < 10 && atol(text) <= LIMIT_LOG_LINES;
}

static bool is_stream(const char *text)
{
	static const char *const names[] = { "stdout", "stderr", "pty",
					     "system" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i], text) == 0)
			return true;
	return false;
}

static int check(struct cli *cli, const struct logs_opts *o,
		 struct svm_err *err)
{
	if (o->tail && !is_line_count(o->tail))
		return cli_usage(cli, err, "bad value '%s' for --tail: not a "
				 "whole number up to %d", o->tail,
				 LIMIT_LOG_LINES);
	if (o->since && !is_moment(o->since))
		return cli_usage(cli, err, "bad value '%s' for --since: not a "
				 "duration such as 10m, nor a time such as "
				 "2026-01-31T12:00:00Z", o->since);
	if (o->stream && !is_stream(o->stream))
		return cli_usage(cli, err, "bad value '%s' for --stream: not "
				 "stdout, stderr, pty or system", o->stream);
	return 0;
}

static int run(struct cli *cli, void *values, int argc, char **args,
	       struct svm_err *err)
{
	const struct logs_opts *o = values;
	struct printer p = { .cli = cli, .times = o->times };
	regex_t re;

	(void)argc;
	if (check(cli, o, err) < 0)
		return -1;
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
		"as text.  With -f it ends\nwhen the sandbox does.  With "
		"--json one object per line: time, stream, line.",
	.examples = "stacyvm logs ID --tail 20\n"
		    "stacyvm logs ID -t --since 10m --stream stderr\n"
		    "stacyvm logs -f ID --tail 0 --grep 'ERROR|WARN'",
	.opts = opts,
	.opts_size = sizeof(struct logs_opts),
	.min_args = 1,
	.max_args = 1,
	.complete = COMPLETE_SANDBOX,
	.flags = CMD_PAGED | CMD_TYPED,
	.run = run,
};
