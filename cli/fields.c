/* SPDX-License-Identifier: MIT */
/* What --json=FIELDS may name.  See fields.h. */
#include "cli/fields.h"

#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "lib/base/mem.h"

/* Owned; of `gives`, "Sandbox stats". */
static char **known_fields(const struct cli *cli)
{
	char **all = xcalloc(1, sizeof(char *));

	for (const char *w = cli->cmd->gives; *w;) {
		size_t n = strcspn(w, " "), have = strv_len(all);
		auto_free char *word = xstrndup(w, n);
		char **of = cli->entries->fields ? cli->entries->fields(word) :
						   NULL;
		size_t more = of ? strv_len(of) : 1;

		all = xreallocarray(all, have + more + 1, sizeof(char *));
		if (of)
			memcpy(all + have, of, more * sizeof(char *));
		else
			all[have] = steal_ptr(&word);
		all[have + more] = NULL;
		free(of); /* its strings are in `all` now */
		w += n + (w[n] == ' ');
	}
	return all;
}

static bool is_one_of(char *const *all, const char *name, size_t n)
{
	for (; *all; all++)
		if (strlen(*all) == n && strncmp(*all, name, n) == 0)
			return true;
	return false;
}

static int unknown(const struct cli *cli, const char *name, size_t n,
		   char *const *known, struct svm_err *err)
{
	auto_buf struct buf list = BUF_INIT;

	for (char *const *k = known; *k; k++)
		buf_addf(&list, "%s%s", k == known ? "" : ", ", *k);
	return cli_usage(cli, err, "there is no field '%.*s': there are %s",
			 (int)n, name, buf_str(&list));
}

/* Of "metadata.task" the first word alone can be known. */
int fields_check(const struct cli *cli, struct svm_err *err)
{
	int r = 0;

	if (!cli->json || !cli->cmd->gives)
		return 0;
	char **known = known_fields(cli);

	for (const char *f = cli->json; *f && r == 0;) {
		size_t n = strcspn(f, ".,");

		if (n && !is_one_of(known, f, n))
			r = unknown(cli, f, n, known, err);
		f += strcspn(f, ",");
		f += *f == ',';
	}
	strv_free(known);
	return r;
}
