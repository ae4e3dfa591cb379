/* SPDX-License-Identifier: MIT */
/* stacyvm top: what sandboxes use. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/out.h"
#include "cli/sandbox.h"
#include "cli/watch.h"
#include "lib/base/clock.h"
#include "lib/base/duration.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"

#define INTERVAL "2s"
#define COLUMNS 7

struct top_opts {
	const char *interval;
	int64_t count;
};

#define O(m) offsetof(struct top_opts, m)

static const struct opt opts[] = {
	{ OPT_DURATION, 'd', "interval", O(interval), "D",
	  "measure this often (default " INTERVAL ")", COMPLETE_NONE, false },
	{ OPT_NUMBER, 'n', "count", O(count), "N",
	  "end after N measurements (1, where it is not a terminal)",
	  COMPLETE_NONE, false },
	OPTS_END,
};

struct top {
	const struct top_opts *o;
	char **ids;      /* chosen ones, or NULL */
	int64_t left;    /* measurements to go; 0: no end */
	bool begun;      /* there was a picture before this one */
	char **seen;     /* the sandboxes in it, or NULL */
	char *told;      /* what the last block said, or NULL */
	struct json_doc doc;
	cJSON *items;
};

static bool is_chosen(const struct top *t, const char *id)
{
	for (char **p = t->ids; p && *p; p++)
		if (strcmp(*p, id) == 0)
			return true;
	return !t->ids;
}

/* The sandbox with what it uses, where that can be told. */
static int add_stats(struct cli *cli, cJSON *item, struct svm_err *err)
{
	const char *id = cJSON_GetObjectItem(item, "id")->valuestring;
	auto_free char *target = sandbox_path(id, "/stats");
	auto_buf struct buf body = BUF_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	auto_err struct svm_err e = SVM_ERR_INIT;

	if (cli_get(cli, target, &body, &e) < 0)
		return sandbox_stats_lost(&e) ? svm_err_move(err, &e) : 0;
	if (out_parse_object(&doc, &body, err) < 0)
		return -1;
	cJSON_AddItemToObject(item, "stats", cJSON_Duplicate(doc.root, true));
	return 0;
}

static int fetch(struct cli *cli, void *data, struct buf *ret,
		 struct svm_err *err)
{
	const struct top *t = data;
	auto_buf struct buf body = BUF_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	cJSON *items, *item, *next;

	if (cli_get(cli, API "/sandboxes", &body, err) < 0 ||
	    out_parse_array(&doc, &body, &items, err) < 0)
		return -1;
	for (item = items->child; item; item = next) {
		const cJSON *id = out_field(item, "id", 2);

		next = item->next;
		if (!cJSON_IsString(id) || !is_chosen(t, id->valuestring))
			cJSON_Delete(cJSON_DetachItemViaPointer(items, item));
		else if (add_stats(cli, item, err) < 0)
			return -1;
	}
	char *text = cJSON_PrintUnformatted(items);

	buf_addstr(ret, text ? text : "[]");
	cJSON_free(text);
	return 0;
}

static double number(const cJSON *item, const char *key)
{
	const cJSON *v = out_field(item, key, strlen(key));

	return cJSON_IsNumber(v) ? v->valuedouble : -1;
}

static void show_cpu(const struct cli *cli, const cJSON *item, struct buf *out)
{
	double pct = number(item, "stats.cpu_pct");

	(void)cli;
	if (pct >= 0)
		buf_addf(out, "%.1f%%", pct);
	else
		buf_addch(out, '-');
}

static void show_bytes(const struct cli *cli, const cJSON *item,
		       const char *key, struct buf *out)
{
	double n = number(item, key);

	if (n < 0)
		buf_addch(out, '-');
	else if (cli->plain)
		buf_addf(out, "%.0f", n);
	else
		out_bytes(out, n);
}

static void show_mem(const struct cli *cli, const cJSON *item, struct buf *out)
{
	show_bytes(cli, item, "stats.mem_bytes", out);
}

static void show_limit(const struct cli *cli, const cJSON *item,
		       struct buf *out)
{
	if (number(item, "stats.mem_limit_bytes") > 0)
		show_bytes(cli, item, "stats.mem_limit_bytes", out);
	else
		buf_addch(out, '-');
}

static void show_disk(const struct cli *cli, const cJSON *item,
		      struct buf *out)
{
	show_bytes(cli, item, "stats.disk_bytes", out);
}

static const struct column columns[COLUMNS] = {
	{ "ID", "id", NULL, COLUMN_LEFT },
	{ "NAME", "name", NULL, COLUMN_LEFT },
	{ "CPU", NULL, show_cpu, COLUMN_RIGHT },
	{ "MEMORY", NULL, show_mem, COLUMN_RIGHT },
	{ "LIMIT", NULL, show_limit, COLUMN_RIGHT },
	{ "PIDS", "stats.pids", NULL, COLUMN_RIGHT },
	{ "DISK", NULL, show_disk, COLUMN_RIGHT },
};

/* Those behind the memory go where there is no room, the last first. */
#define FIGURES (1u << 4 | 1u << 5 | 1u << 6)

/* CPU is a rate: what wasn't looked at before has none.  What the daemon then
 * says goes back to somebody else's question, or to the start with all that
 * starting took. */
static void drop_first_rates(struct top *t)
{
	char **seen = xcalloc((size_t)cJSON_GetArraySize(t->items) + 1,
			      sizeof(*seen));
	size_t n = 0;
	cJSON *item;

	cJSON_ArrayForEach(item, t->items) {
		const char *id = json_text(item, "id");
		bool known = false;

		for (char **p = t->seen; p && *p && !known; p++)
			known = strcmp(*p, id) == 0;
		if (!known)
			cJSON_DeleteItemFromObject(
				cJSON_GetObjectItem(item, "stats"), "cpu_pct");
		seen[n++] = xstrdup(id);
	}
	if (t->seen)
		strv_free(t->seen);
	t->seen = seen;
}

/* For who listens: a table of its own, when it says something else than the
 * last. */
static int tell_block(struct cli *cli, struct top *t, struct svm_err *err)
{
	auto_buf struct buf text = BUF_INIT;
	const cJSON *item;

	cJSON_ArrayForEach(item, t->items) {
		for (size_t c = 0; c < COLUMNS; c++) {
			auto_free char *cell = out_cell(cli, &columns[c],
							item);

			buf_addf(&text, "%s\t", cell);
		}
	}
	if (t->told && strcmp(t->told, buf_str(&text)) == 0)
		return 0;
	if (t->told)
		putchar('\n');
	free(t->told);
	t->told = xstrdup(buf_str(&text));
	return out_items(cli, t->items, columns, COLUMNS, "id", err);
}

static int tell(struct cli *cli, struct top *t, struct svm_err *err)
{
	if (watch_is_blocks(cli) && !t->o->count)
		return tell_block(cli, t, err);
	return out_items(cli, t->items, columns, COLUMNS, "id", err);
}

static int take(struct cli *cli, void *data, struct buf *picture, bool live,
		struct svm_err *err)
{
	struct top *t = data;

	json_release(&t->doc);
	t->doc = (struct json_doc)JSON_DOC_INIT;
	if (out_parse_array(&t->doc, picture, &t->items, err) < 0)
		return -1;
	drop_first_rates(t);
	if (!t->begun) { /* shown where it is live, but not one of -n */
		t->begun = true;
		return 0;
	}
	if (!live && tell(cli, t, err) < 0)
		return -1;
	fflush(stdout);
	return t->left && --t->left == 0;
}

static size_t count(void *data)
{
	return (size_t)cJSON_GetArraySize(((struct top *)data)->items);
}

static int draw(struct cli *cli, void *data, struct live *l, size_t room)
{
	const struct top *t = data;
	size_t rows = MIN(count(data) + 1, MAX(room, 1)), n = 0;
	char **cells = xcalloc(rows * COLUMNS + 1, sizeof(char *));
	auto_free enum live_role *roles = xcalloc(rows * COLUMNS,
						  sizeof(*roles));
	struct live_table table = { .columns = COLUMNS, .rows = rows,
				    .cells = cells, .roles = roles,
				    .optional = FIGURES, .spare = 1u << 1 };
	const cJSON *item;

	for (; n < COLUMNS; n++) {
		cells[n] = xstrdup(columns[n].title);
		roles[n] = LIVE_BOLD;
		if (columns[n].kind == COLUMN_RIGHT)
			table.right |= 1u << n;
	}
	cJSON_ArrayForEach(item, t->items) {
		if (n == rows * COLUMNS)
			break;
		for (size_t c = 0; c < COLUMNS; c++)
			cells[n++] = out_cell(cli, &columns[c], item);
	}
	live_table(l, &table);
	strv_free(cells);
	return -1;
}

static int choose(struct cli *cli, struct top *t, int argc, char **args,
		  struct svm_err *err)
{
	if (!argc)
		return 0;
	t->ids = xcalloc((size_t)argc + 1, sizeof(char *));
	for (int i = 0; i < argc; i++) {
		t->ids[i] = sandbox_resolve(cli, args[i], err);
		if (!t->ids[i])
			return -1;
	}
	return 0;
}

static int run(struct cli *cli, void *values, int argc, char **args,
	       struct svm_err *err)
{
	const struct top_opts *o = values;
	struct top t = { .o = o, .left = o->count, .doc = JSON_DOC_INIT };
	struct watch w = {
		.feed = { .fetch = fetch, .data = &t },
		.data = &t, .take = take, .draw = draw, .count = count,
		.thing = "sandbox", .things = "sandboxes",
		.note = "100% is one processor",
	};
	int r = -1;

	(void)duration_parse(o->interval ? o->interval : INTERVAL,
			     &w.feed.period_ns); /* was checked */
	if (w.feed.period_ns < 100000000)
		return cli_usage(cli, err, "--interval is at least 100ms");
	if (!t.left && !watch_is_blocks(cli) &&
	    !(cli->stdout_tty && live_possible(cli, 1)))
		t.left = 1;
	if (choose(cli, &t, argc, args, err) == 0)
		r = watch_run(cli, &w, err);
	free(t.told);
	if (t.seen)
		strv_free(t.seen);
	if (t.ids)
		strv_free(t.ids);
	json_release(&t.doc);
	return r;
}

const struct cmd cmd_top = {
	.name = "top",
	.args = "[ID...]",
	.summary = "show what sandboxes use, as it changes",
	.help = "On a terminal until q or Ctrl-C; else, and with -n, a table "
		"for each measurement.\n100% of CPU is one processor.",
	.examples = "stacyvm top\n"
		    "stacyvm top -n 1 --json=id,stats",
	.opts = opts,
	.opts_size = sizeof(struct top_opts),
	.max_args = -1,
	.complete = COMPLETE_SANDBOX,
	.gives = "Sandbox stats",
	.run = run,
};
