/* SPDX-License-Identifier: MIT */
/* list --watch: the list as it changes, painted in place on a terminal; else
 * each sandbox in a line, and again whenever something about it changed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/list.h"
#include "cli/watch.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"

struct list_view {
	const struct list_opts *o;
	struct json_doc doc; /* the picture that is shown */
	cJSON *items;
	bool told_header;
};

static int fetch(struct cli *cli, void *data, struct buf *ret,
		 struct svm_err *err)
{
	const struct list_view *v = data;

	return cli_get(cli, list_target(v->o), ret, err);
}

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

static char *cell(const struct cli *cli, const cJSON *item, size_t c,
		  enum live_role *ret_role)
{
	const struct column *col = &list_columns[c];
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
	char **cells = xcalloc(rows * LIST_COLUMNS + 1, sizeof(char *));
	auto_free enum live_role *roles = xcalloc(rows * LIST_COLUMNS,
						  sizeof(*roles));
	const struct live_table t = { .columns = LIST_COLUMNS, .rows = rows,
				      .cells = cells, .roles = roles };
	int64_t now = clock_wall_ns();
	const cJSON *item;
	int next = -1;

	for (; n < LIST_COLUMNS; n++) {
		cells[n] = xstrdup(list_columns[n].title);
		roles[n] = LIVE_BOLD;
	}
	cJSON_ArrayForEach(item, v->items) {
		int ms = until_next(item, now);

		if (n == rows * LIST_COLUMNS)
			break;
		if (ms >= 0)
			next = next < 0 ? ms : MIN(next, ms);
		for (size_t c = 0; c < LIST_COLUMNS; c++, n++)
			cells[n] = cell(cli, item, c, &roles[n]);
	}
	live_table(l, &t);
	strv_free(cells);
	return next;
}

int list_watch(struct cli *cli, const struct list_opts *o,
	       struct svm_err *err)
{
	struct list_view v = { .o = o, .doc = JSON_DOC_INIT };
	const struct watch w = {
		.feed = { .fetch = fetch, .data = &v },
		.data = &v, .take = take, .draw = draw, .count = count,
		.things = "sandboxes",
	};
	int r = watch_run(cli, &w, err);

	json_release(&v.doc);
	return r;
}
