/* SPDX-License-Identifier: MIT */
/* stacyvm label: set and remove labels of a sandbox that lives. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/out.h"
#include "cli/sandbox.h"
#include "lib/base/escape.h"
#include "lib/base/mem.h"
#include "lib/base/utf8.h"

/* KEY=VALUE or KEY-: the length of KEY, 0 for another. */
static size_t key_of(const char *word)
{
	size_t n = strcspn(word, "=");

	if (!word[n]) /* no "=": the last character is a dash */
		return n && word[n - 1] == '-' ? n - 1 : 0;
	return n;
}

static int add_change(struct cli *cli, struct json_writer *w,
		      char *const *words, size_t i, struct svm_err *err)
{
	size_t n = key_of(words[i]);
	auto_free char *key = xstrndup(words[i], n);

	if (!n || !utf8_valid(words[i], strlen(words[i])))
		return cli_usage(cli, err, "'%s' is neither KEY=VALUE nor "
					   "KEY-", words[i]);
	for (size_t k = 0; k < i; k++)
		if (key_of(words[k]) == n && strncmp(words[k], key, n) == 0)
			return cli_usage(cli, err, "'%s' is there twice", key);
	if (words[i][n] == '=')
		json_str(w, key, words[i] + n + 1);
	else
		json_null(w, key);
	return 0;
}

static int make_body(struct cli *cli, char *const *words, struct buf *out,
		     struct svm_err *err)
{
	struct json_writer w = json_writer(out);

	json_open(&w, NULL, '{');
	json_open(&w, "metadata", '{');
	for (size_t i = 0; words[i]; i++)
		if (add_change(cli, &w, words, i, err) < 0)
			return -1;
	json_close(&w, '}');
	json_close(&w, '}');
	return 0;
}

static void show(const cJSON *sandbox)
{
	const cJSON *map = json_get(sandbox, "metadata"), *item;
	auto_buf struct buf text = BUF_INIT, shown = BUF_INIT;

	buf_addf(&text, "%s has %slabels", json_text(sandbox, "id"),
		 cJSON_GetArraySize(map) ? "the " : "no ");
	cJSON_ArrayForEach(item, map)
		if (item->string && cJSON_IsString(item))
			buf_addf(&text, " %s=%s", item->string,
				 item->valuestring);
	escape_line(&shown, buf_str(&text), text.len);
	puts(buf_str(&shown));
	fflush(stdout);
}

static int run(struct cli *cli, void *values, int argc, char **args,
	       struct svm_err *err)
{
	auto_buf struct buf body = BUF_INIT, reply = BUF_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	const char *id = args[0];
	char *const *changes = args + 1;

	(void)values, (void)argc;
	/* In the console what is no id is about the sandbox in use. */
	if (cli->in_use && key_of(id)) {
		id = cli->in_use;
		changes = args;
	}
	if (make_body(cli, changes, &body, err) < 0 ||
	    sandbox_change(cli, id, &body, &reply, err) < 0 ||
	    out_parse_object(&doc, &reply, err) < 0)
		return -1;
	if (cli->json || cli->format)
		return out_object(cli, doc.root, err);
	show(doc.root);
	return 0;
}

const struct cmd cmd_label = {
	.name = "label",
	.args = "ID KEY=VALUE|KEY-...",
	.summary = "set labels of a sandbox, and remove them",
	.help = "KEY=VALUE sets a label, KEY- removes it; what is not named "
		"stays.  Labels are the\nmetadata that spawn and list know.",
	.examples = "stacyvm label sb-7f3a91c2 task=ci branch=main\n"
		    "stacyvm label web task-",
	.min_args = 2,
	.max_args = -1,
	.complete = COMPLETE_SANDBOX,
	.complete_then = COMPLETE_LABEL,
	.flags = CMD_TYPED,
	.gives = "Sandbox",
	.run = run,
};
