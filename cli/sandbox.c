/* SPDX-License-Identifier: MIT */
/* Naming sandboxes.  See sandbox.h. */
#include "cli/sandbox.h"

#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/out.h"
#include "lib/api/state.h"
#include "lib/base/mem.h"
#include "lib/base/shell.h"
#include "lib/base/urlenc.h"

static int ambiguous(const char *text, unsigned count, const struct buf *list,
		     struct svm_err *err)
{
	auto_buf struct buf word = BUF_INIT;

	shell_word(&word, text);
	svm_err_set(err, SVM_CONFLICT,
		    "sandbox '%s' matches %u sandboxes: %s", text, count,
		    buf_str(list));
	return svm_err_hint(err, "use the full id, or see them with:  "
				 "stacyvm list --filter id=%s", buf_str(&word));
}

static char *match(const cJSON *items, const char *text, struct svm_err *err)
{
	auto_buf struct buf list = BUF_INIT;
	const char *found = NULL;
	const cJSON *item;
	unsigned count = 0;

	cJSON_ArrayForEach(item, items) {
		const cJSON *id = cJSON_GetObjectItemCaseSensitive(item, "id");
		const cJSON *name =
			cJSON_GetObjectItemCaseSensitive(item, "name");

		if (!cJSON_IsString(id))
			continue;
		if (strcmp(id->valuestring, text) == 0 ||
		    (cJSON_IsString(name) &&
		     strcmp(name->valuestring, text) == 0))
			return xstrdup(id->valuestring);
		if (text[0] && strncmp(id->valuestring, text,
				       strlen(text)) == 0) {
			found = id->valuestring;
			if (count++ < 8)
				buf_addf(&list, "%s%s", list.len ? ", " : "",
					 found);
		}
	}
	if (count == 1)
		return xstrdup(found);
	if (count > 1) {
		ambiguous(text, count, &list, err);
	} else {
		svm_err_set(err, SVM_NOT_FOUND, "no sandbox '%s'", text);
		svm_err_hint(err, "see them with:  stacyvm list");
	}
	return NULL;
}

char *sandbox_resolve(struct cli *cli, const char *text, struct svm_err *err)
{
	auto_buf struct buf body = BUF_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	cJSON *items;

	if (sandbox_is_full_id(text))
		return xstrdup(text);
	if (cli_get(cli, API "/sandboxes", &body, err) < 0 ||
	    out_parse_array(&doc, &body, &items, err) < 0)
		return NULL;
	return match(items, text, err);
}

bool sandbox_stats_lost(const struct svm_err *err)
{
	return err->code == SVM_UNREACHABLE || err->code == SVM_CANCELLED;
}

char *sandbox_path(const char *id, const char *suffix)
{
	struct buf b = BUF_INIT;

	buf_addstr(&b, API "/sandboxes/");
	urlenc_encode(&b, id, strlen(id));
	buf_addstr(&b, suffix);
	return buf_steal(&b);
}

int sandbox_change(struct cli *cli, const char *text, const struct buf *body,
		   struct buf *ret, struct svm_err *err)
{
	auto_free char *id = sandbox_resolve(cli, text, err);
	auto_free char *target = id ? sandbox_path(id, "") : NULL;

	return id ? cli_send(cli, "PATCH", target, body, ret, err) : -1;
}

void query_add(struct buf *target, const char *key, const char *value)
{
	buf_addf(target, "%c%s=", strchr(buf_str(target), '?') ? '&' : '?',
		 key);
	urlenc_encode(target, value, strlen(value));
}

char *sandbox_split(const struct cli *cli, const char *text,
		    const char **ret_path)
{
	size_t n = strcspn(text, ":/");

	/* A local file with a colon can be written ./a:b. */
	if (text[n] != ':' || text[0] == '.' || (n == 0 && !cli->in_use))
		return NULL;
	*ret_path = text + n + 1;
	return n ? xstrndup(text, n) : xstrdup(cli->in_use);
}

int sandbox_fill_in(struct cli *cli, int argc, char **argv)
{
	const struct cmd *cmd = cli->cmd;
	char *id = (char *)(uintptr_t)cli->in_use;

	if (!id || cmd->complete != COMPLETE_SANDBOX)
		return argc;
	if (argc && cli->dashes != 0 && strcmp(argv[0], ".") == 0) {
		argv[0] = id;
		return argc;
	}
	/* Before "--" too, in exec. */
	bool lacks = argc + 1 == cmd->min_args ||
		     (cmd->command_at && cli->dashes == 0);

	if (!lacks || cmd->flags & CMD_DESTROYS)
		return argc;
	memmove(argv + 1, argv, (size_t)(argc + 1) * sizeof(*argv));
	argv[0] = id;
	cli->dashes += cli->dashes >= 0;
	return argc + 1;
}

const char *sandbox_dir(const struct cli *cli, const char *id)
{
	return cli->in_use && id && strcmp(id, cli->in_use) == 0 ?
		       cli->in_dir : NULL;
}

char *sandbox_abs_path(const struct cli *cli, const char *id,
		       const char *path)
{
	const char *dir = sandbox_dir(cli, id);

	if (path[0] == '/')
		return xstrdup(path);
	if (!dir)
		dir = "/workspace";
	return xasprintf("%s/%s", strcmp(dir, "/") == 0 ? "" : dir, path);
}
