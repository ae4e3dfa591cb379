/* SPDX-License-Identifier: MIT */
/* list --watch: the list as it changes, painted in place on a terminal; else
 * each sandbox in a line, and again whenever something about it changed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/list.h"
#include "cli/sandbox.h"
#include "cli/term.h"
#include "cli/watch.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"

#define FIGURES_NS (2 * INT64_C(1000000000))

/* What is asked about those that have a row on the terminal; of the feed's
 * thread. */
struct figures {
	bool wanted;
	cJSON *cpu;     /* id: number; null where it was asked the first time */
	int64_t at;     /* boot; 0: nothing was asked */
	bool any;       /* somebody is there to be asked about */
};

struct list_view {
	const struct list_opts *o;
	struct figures figures;
	struct json_doc doc; /* the picture that is shown */
	cJSON *items;
	bool told_header;
};

/* -- fetching */

static bool is_running(const cJSON *item)
{
	return strcmp(json_text(item, "state"), "running") == 0;
}

/* CPU is a rate between two looks: the first has none. */
static int ask_figure(struct cli *cli, const struct figures *f,
		      const cJSON *item, cJSON *ret, struct svm_err *err)
{
	const char *id = json_text(item, "id");
	auto_buf struct buf body = BUF_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	auto_err struct svm_err e = SVM_ERR_INIT;
	auto_free char *target = sandbox_path(id, "/stats");
	const cJSON *cpu;

	if (cli_get(cli, target, &body, &e) < 0)
		return sandbox_stats_lost(&e) ? svm_err_move(err, &e) : 0;
	if (out_parse_object(&doc, &body, err) < 0)
		return -1;
	cpu = json_get(doc.root, "cpu_pct");
	if (cJSON_IsNumber(cpu) && f->cpu && json_get(f->cpu, id))
		cJSON_AddNumberToObject(ret, id, cpu->valuedouble);
	else
		cJSON_AddNullToObject(ret, id);
	return 0;
}

/* Of the rows that fit, as they will be drawn. */
static int ask_figures(struct cli *cli, struct list_view *v,
		       const cJSON *items, struct svm_err *err)
{
	struct figures *f = &v->figures;
	cJSON *cpu = cJSON_CreateObject();
	uint16_t cols, rows;
	size_t n = 0;
	int r = 0;

	term_size(&cols, &rows);
	f->any = false;
	for (const cJSON *i = items->child; i && !r && n + 2 < rows;
	     i = i->next, n++) {
		if (!is_running(i))
			continue;
		f->any = true;
		r = ask_figure(cli, f, i, cpu, err);
	}
	cJSON_Delete(f->cpu);
	f->cpu = cpu;
	f->at = clock_boot_ns();
	return r;
}

static void add_figures(const struct figures *f, cJSON *items)
{
	cJSON *item;

	cJSON_ArrayForEach(item, items) {
		const cJSON *cpu = json_get(f->cpu, json_text(item, "id"));

		if (cJSON_IsNumber(cpu) && is_running(item))
			cJSON_AddNumberToObject(item, "cpu", cpu->valuedouble);
	}
}

static int fetch(struct cli *cli, void *data, struct buf *ret,
		 struct svm_err *err)
{
	struct list_view *v = data;
	struct figures *f = &v->figures;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	auto_buf struct buf body = BUF_INIT;
	cJSON *items;

	if (!f->wanted)
		return cli_get(cli, list_target(v->o), ret, err);
	if (cli_get(cli, list_target(v->o), &body, err) < 0 ||
	    out_parse_array(&doc, &body, &items, err) < 0)
		return -1;
	list_select(v->o, items);
	/* However often something happens. */
	if ((!f->at || !f->any || clock_boot_ns() - f->at >= FIGURES_NS) &&
	    ask_figures(cli, v, items, err) < 0)
		return -1;
	add_figures(f, items);
	char *text = cJSON_PrintUnformatted(items);

	buf_addstr(ret, text ? text : "[]");
	cJSON_free(text);
	return 0;
}

/* Nobody to be asked about: only when something happened. */
static int64_t period(void *data)
{
	const struct figures *f = &((struct list_view *)data)->figures;
	int64_t left = f->at + FIGURES_NS - clock_boot_ns();

	return f->wanted && f->any ? MAX(left, INT64_C(1000000)) : 0;
}

/* -- telling */

static const cJSON *find(const cJSON *items, const char *id)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, items) {
		const cJSON *have = out_field(item, "id", 2);

		if (cJSON_IsString(have) && strcmp(have->valuestring, id) == 0)
			return item;
	}
	return NULL;
}

static const char *id_of(const cJSON *item)
{
	const cJSON *id = out_field(item, "id", 2);

	return cJSON_IsString(id) ? id->valuestring : "";
}

/* For who listens: what is new in a table of its own, and how many there are
 * then. */
static void tell_block(struct cli *cli, const struct list_view *v,
		       const cJSON *changed)
{
	auto_err struct svm_err none = SVM_ERR_INIT;
	int n = cJSON_GetArraySize(v->items);

	if (v->told_header && !changed->child)
		return;
	if (v->told_header)
		putchar('\n');
	if (changed->child)
		(void)out_items(cli, changed, list_columns, LIST_COLUMNS,
				"id", &none);
	printf("%d %s\n", n, n == 1 ? "sandbox" : "sandboxes");
}

/* What is there now and was not so before. */
static void tell_changes(struct cli *cli, struct list_view *v,
			 const cJSON *old)
{
	const cJSON *item;
	cJSON *changed = cJSON_CreateArray();

	cJSON_ArrayForEach(item, old) {
		if (find(v->items, id_of(item)))
			continue;
		cJSON *gone = cJSON_Duplicate(item, true);

		cJSON_DeleteItemFromObjectCaseSensitive(gone, "state");
		cJSON_AddStringToObject(gone, "state", "destroyed");
		cJSON_AddItemToArray(changed, gone);
	}
	cJSON_ArrayForEach(item, v->items) {
		const cJSON *before = find(old, id_of(item));

		if (!before || !cJSON_Compare(before, item, true))
			cJSON_AddItemToArray(changed,
					     cJSON_Duplicate(item, true));
	}
	if (watch_is_blocks(cli))
		tell_block(cli, v, changed);
	else
		out_lines(cli, changed, list_columns, LIST_COLUMNS, "id",
			  !v->told_header);
	v->told_header = true;
	fflush(stdout);
	cJSON_Delete(changed);
}

static int take(struct cli *cli, void *data, struct buf *picture, bool live,
		struct svm_err *err)
{
	struct list_view *v = data;
	auto_json struct json_doc old = v->doc;
	cJSON *old_items = v->items;

	v->doc = (struct json_doc)JSON_DOC_INIT;
	v->items = NULL;
	if (out_parse_array(&v->doc, picture, &v->items, err) < 0)
		return -1;
	list_select(v->o, v->items);
	if (!live)
		tell_changes(cli, v, old_items);
	return 0;
}

static size_t count(void *data)
{
	return (size_t)cJSON_GetArraySize(((struct list_view *)data)->items);
}

/* In how many ms the text of what is left will be another. */
static int until_next(const cJSON *item, int64_t now)
{
	const cJSON *expires = out_field(item, "expires_at", 10);
	int64_t at, unit = INT64_C(1000000000);

	if (!cJSON_IsString(expires) ||
	    clock_parse_rfc3339(expires->valuestring, &at) < 0 || at <= now)
		return -1;
	if (at - now >= 61 * unit)
		unit *= 60;
	return (int)((at - now) % unit / 1000000) + 1;
}

/* -- drawing */

static void show_cpu(const struct cli *cli, const cJSON *item, struct buf *out)
{
	const cJSON *cpu = json_get(item, "cpu");

	(void)cli;
	if (cJSON_IsNumber(cpu))
		buf_addf(out, "%.0f%%", cpu->valuedouble);
	else
		buf_addstr(out, live_utf8() ? "\xe2\x80\x94" : "-"); /* dash */
}

static const struct column cpu_column = { "CPU", NULL, show_cpu,
					  COLUMN_RIGHT };

/* The list's own, with what is used before the last, which is short. */
#define DRAWN (LIST_COLUMNS + 1)
#define CPU_AT (DRAWN - 2)
#define LEFT_AT (DRAWN - 1)
#define NAME_AT 1
#define PROVIDER_AT 4

static const struct column *drawn(size_t c)
{
	return c == CPU_AT ? &cpu_column :
	       &list_columns[c == LEFT_AT ? LIST_COLUMNS - 1 : c];
}

static char *cell(const struct cli *cli, const cJSON *item, size_t c,
		  enum live_role *ret_role)
{
	const struct column *col = drawn(c);
	struct buf text = BUF_INIT;

	*ret_role = LIVE_PLAIN;
	if (col->kind == COLUMN_STATE) {
		auto_buf struct buf state = BUF_INIT;

		out_field_text(item, col->key, strlen(col->key), &state);
		buf_addf(&text, "%s %s",
			 live_state_mark(buf_str(&state), ret_role),
			 buf_str(&state));
	} else if (col->show) {
		col->show(cli, item, &text);
	} else {
		out_field_text(item, col->key, strlen(col->key), &text);
	}
	return out_escaped(&text);
}

static int draw(struct cli *cli, void *data, struct live *l, size_t room)
{
	struct list_view *v = data;
	size_t rows = MIN(count(v) + 1, MAX(room, 1)), n = 0;
	char **cells = xcalloc(rows * DRAWN + 1, sizeof(char *));
	auto_free enum live_role *roles = xcalloc(rows * DRAWN,
						  sizeof(*roles));
	const struct live_table t = { .columns = DRAWN, .rows = rows,
				      .cells = cells, .roles = roles,
				      .right = 1u << CPU_AT | 1u << LEFT_AT,
				      .optional = 1u << PROVIDER_AT,
				      .spare = 1u << NAME_AT };
	int64_t now = clock_wall_ns();
	const cJSON *item;
	int next = -1;

	for (; n < DRAWN; n++) {
		cells[n] = xstrdup(n == LEFT_AT ? "TTL" : drawn(n)->title);
		roles[n] = LIVE_BOLD;
	}
	cJSON_ArrayForEach(item, v->items) {
		int ms = until_next(item, now);

		if (n == rows * DRAWN)
			break;
		if (ms >= 0)
			next = next < 0 ? ms : MIN(next, ms);
		for (size_t c = 0; c < DRAWN; c++, n++)
			cells[n] = cell(cli, item, c, &roles[n]);
	}
	live_table(l, &t);
	strv_free(cells);
	return next;
}

int list_watch(struct cli *cli, const struct list_opts *o,
	       struct svm_err *err)
{
	struct list_view v = { .o = o, .doc = JSON_DOC_INIT,
			       .figures.wanted = watch_is_live(cli) };
	const struct watch w = {
		.feed = { .fetch = fetch, .data = &v, .period = period },
		.data = &v, .take = take, .draw = draw, .count = count,
		.thing = "sandbox", .things = "sandboxes",
		.note = "100% is one processor",
	};
	int r = watch_run(cli, &w, err);

	cJSON_Delete(v.figures.cpu);
	json_release(&v.doc);
	return r;
}
