/* SPDX-License-Identifier: MIT */
/* stacyvm list: the sandboxes there are. */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/list.h"
#include "cli/out.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"

#define O(m) offsetof(struct list_opts, m)

static const struct opt opts[] = {
	{ OPT_LIST, 0, "filter", O(filter), "KEY=VALUE",
	  "only those whose field is VALUE (an id: begins with it)",
	  COMPLETE_NONE, false },
	{ OPT_STRING, 0, "sort", O(sort), "KEY",
	  "sort by this field, or by ttl, age, memory or owner (default: "
	  "newest first)", COMPLETE_NONE, false },
	{ OPT_FLAG, 'a', "all", O(all), NULL,
	  "destroyed ones too, as far as they are remembered",
	  COMPLETE_NONE, false },
	{ OPT_FLAG, 'w', "watch", O(watch), NULL,
	  "go on: show what changes as it happens", COMPLETE_NONE, false },
	OPTS_END,
};

static void show_left(const struct cli *cli, const cJSON *item,
		      struct buf *out)
{
	const cJSON *v = out_field(item, "expires_at", 10);
	int64_t at;

	if (!cJSON_IsString(v))
		return;
	if (!cli->stdout_tty || clock_parse_rfc3339(v->valuestring, &at) < 0)
		buf_addstr(out, v->valuestring);
	else
		out_ago(out, at - clock_wall_ns());
}

const struct column list_columns[LIST_COLUMNS] = {
	{ "ID", "id", NULL, COLUMN_LEFT },
	{ "NAME", "name", NULL, COLUMN_LEFT },
	{ "STATE", "state", NULL, COLUMN_STATE },
	{ "IMAGE", "image", NULL, COLUMN_LEFT },
	{ "PROVIDER", "provider", NULL, COLUMN_LEFT },
	{ "EXPIRES", NULL, show_left, COLUMN_LEFT },
};

static bool matches(const cJSON *item, const char *filter)
{
	const char *eq = strchr(filter, '=');
	size_t n = (size_t)(eq - filter);
	auto_buf struct buf have = BUF_INIT;

	out_field_text(item, filter, n, &have);
	if (n == 2 && strncmp(filter, "id", 2) == 0)
		return strncmp(buf_str(&have), eq + 1, strlen(eq + 1)) == 0;
	return strcmp(buf_str(&have), eq + 1) == 0;
}

static void apply_filters(cJSON *items, char *const *filters)
{
	cJSON *item = items->child;

	while (item) {
		cJSON *next = item->next;
		bool keep = true;

		for (char *const *f = filters; f && *f; f++)
			keep = keep && matches(item, *f);
		if (!keep)
			cJSON_Delete(cJSON_DetachItemViaPointer(items, item));
		item = next;
	}
}

static int compare(const cJSON *a, const cJSON *b, const char *key)
{
	const cJSON *x = out_field(a, key, strlen(key));
	const cJSON *y = out_field(b, key, strlen(key));
	auto_buf struct buf s = BUF_INIT, t = BUF_INIT;

	if (cJSON_IsNumber(x) && cJSON_IsNumber(y))
		return (x->valuedouble > y->valuedouble) -
		       (x->valuedouble < y->valuedouble);
	out_field_text(a, key, strlen(key), &s);
	out_field_text(b, key, strlen(key), &t);
	return strcmp(buf_str(&s), buf_str(&t));
}

struct sortable {
	cJSON *item;
	const char *key;
};

static int compare_items(const void *a, const void *b)
{
	const struct sortable *x = a, *y = b;

	return compare(x->item, y->item, x->key);
}

static void sort_items(cJSON *items, const char *key)
{
	size_t n = (size_t)cJSON_GetArraySize(items);
	struct sortable *v = xcalloc(n + 1, sizeof(*v));

	for (size_t i = 0; i < n; i++) {
		v[i].item = cJSON_DetachItemFromArray(items, 0);
		v[i].key = key;
	}
	qsort(v, n, sizeof(*v), compare_items);
	for (size_t i = 0; i < n; i++)
		cJSON_AddItemToArray(items, v[i].item);
	free(v);
}

const char *list_target(const struct list_opts *o)
{
	return o->all ? API "/sandboxes?all=true" : API "/sandboxes";
}

/* What the dashboard calls its orders, else a field of the API. */
static const char *sort_field(const char *key)
{
	static const char *const names[][2] = {
		{ "ttl", "expires_at" },   { "age", "created_at" },
		{ "memory", "memory_mb" }, { "owner", "owner_id" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(key, names[i][0]) == 0)
			return names[i][1];
	return key;
}

void list_select(const struct list_opts *o, cJSON *items)
{
	apply_filters(items, o->filter);
	if (o->sort)
		sort_items(items, sort_field(o->sort));
}

/* A field may be missing from some; one that all lack is misspelt, or rare. */
static void warn_of_sort(const char *key, const cJSON *items)
{
	const cJSON *item;

	if (!key || !items->child)
		return;
	cJSON_ArrayForEach(item, items)
		if (out_field(item, sort_field(key),
			      strlen(sort_field(key))))
			return;
	cli_warn("none of them has '%s' to be sorted by; fields are shown by:  "
		 "stacyvm list --json", key);
}

static int run(struct cli *cli, void *values, int argc, char **args,
	       struct svm_err *err)
{
	const struct list_opts *o = values;
	auto_buf struct buf body = BUF_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	cJSON *items;

	(void)argc, (void)args;
	for (char *const *f = o->filter; f && *f; f++)
		if (!strchr(*f, '=') || **f == '=')
			return cli_usage(cli, err,
					 "filter '%s' is not KEY=VALUE", *f);
	if (o->watch)
		return list_watch(cli, o, err);
	if (cli_get(cli, list_target(o), &body, err) < 0 ||
	    out_parse_array(&doc, &body, &items, err) < 0)
		return -1;
	list_select(o, items);
	warn_of_sort(o->sort, items);
	return out_items(cli, items, list_columns, LIST_COLUMNS, "id", err);
}

const struct cmd cmd_list = {
	.name = "list",
	.aliases = "ls ps",
	.summary = "list sandboxes",
	.help = "With --watch on a terminal the table is kept up to date until "
		"q or Ctrl-C; else each\nsandbox is a line, and one again "
		"whenever something about it changes (with --json one\n"
		"object each); one that is gone has the state destroyed.",
	.examples = "stacyvm list\n"
		    "stacyvm list --watch\n"
		    "stacyvm list --filter state=running --filter "
		    "metadata.task=ci\n"
		    "stacyvm list --json=id,state,expires_at\n"
		    "stacyvm list -q | stacyvm kill -",
	.opts = opts,
	.opts_size = sizeof(struct list_opts),
	.flags = CMD_PAGED | CMD_TYPED,
	.gives = "Sandbox",
	.run = run,
};
