/* SPDX-License-Identifier: MIT */
/* Printing results.  See out.h. */
#include "cli/out.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/paging.h"
#include "lib/base/escape.h"
#include "lib/base/mem.h"
#include "lib/base/utf8.h"
#include "lib/base/width.h"
#include "lib/client/reply.h"

#define COLUMNS_MAX 16

int out_parse_array(struct json_doc *doc, struct buf *body, cJSON **ret,
		    struct svm_err *err)
{
	if (reply_parse(doc, buf_str(body), body->len, ret, err) < 0)
		return -1;
	if (!cJSON_IsArray(*ret))
		return svm_err_set(err, SVM_PROVIDER,
				   "the daemon's reply is not a list");
	return 0;
}

int out_parse_object(struct json_doc *doc, struct buf *body,
		     struct svm_err *err)
{
	cJSON *wrapper, *object;

	if (!body->len)
		buf_addstr(body, "{}");
	if (reply_parse(doc, buf_str(body), body->len, &object, err) < 0)
		return -1;
	if (!cJSON_IsObject(object))
		return svm_err_set(err, SVM_PROVIDER,
				   "the daemon's reply is not an object");
	wrapper = doc->root;
	doc->root = cJSON_DetachItemViaPointer(wrapper, object);
	cJSON_Delete(wrapper);
	return 0;
}

const cJSON *out_field(const cJSON *item, const char *path, size_t n)
{
	while (item) {
		size_t step = 0;

		while (step < n && path[step] != '.')
			step++;
		auto_free char *key = xstrndup(path, step);

		item = cJSON_GetObjectItemCaseSensitive(item, key);
		if (step == n)
			return item;
		path += step + 1;
		n -= step + 1;
	}
	return NULL;
}

static void value_text(const cJSON *v, struct buf *out)
{
	if (!v || cJSON_IsNull(v))
		return;
	if (cJSON_IsString(v)) {
		buf_addstr(out, v->valuestring);
		return;
	}
	char *text = cJSON_PrintUnformatted(v);

	buf_addstr(out, text ? text : "");
	cJSON_free(text);
}

void out_field_text(const cJSON *item, const char *path, size_t n,
		    struct buf *out)
{
	value_text(out_field(item, path, n), out);
}

void out_template(const char *t, const cJSON *item, struct buf *out)
{
	auto_buf struct buf value = BUF_INIT;

	while (*t) {
		const char *end = strncmp(t, "{{", 2) == 0 ? strstr(t, "}}") :
							     NULL;

		if (end) {
			const char *name = t + 2;

			while (*name == ' ' || *name == '.')
				name++;
			size_t n = (size_t)(end - name);

			while (n && name[n - 1] == ' ')
				n--;
			buf_clear(&value);
			out_field_text(item, name, n, &value);
			escape_line(out, buf_str(&value), value.len);
			t = end + 2;
		} else if (t[0] == '\\' && (t[1] == 't' || t[1] == 'n')) {
			buf_addch(out, t[1] == 't' ? '\t' : '\n');
			t += 2;
		} else {
			buf_addch(out, *t++);
		}
	}
	buf_addch(out, '\n');
}

void out_bytes(struct buf *out, double n)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	size_t i = 0;

	while (n >= 1024 && i + 1 < ARRAY_SIZE(units)) {
		n /= 1024;
		i++;
	}
	buf_addf(out, i && n < 100 ? "%.1f %s" : "%.0f %s", n, units[i]);
}

void out_ago(struct buf *out, int64_t ns)
{
	int64_t s = MAX(ns / 1000000000, 0);

	if (s < 60)
		buf_addf(out, "%ds", (int)s);
	else if (s < 3600)
		buf_addf(out, "%dm", (int)(s / 60));
	else if (s < 86400)
		buf_addf(out, "%dh%dm", (int)(s / 3600),
			 (int)(s / 60 % 60));
	else
		buf_addf(out, "%lldd", (long long)(s / 86400));
}

static bool is_forced(const char *name)
{
	const char *v = getenv(name);

	return v && v[0] && strcmp(v, "0") != 0;
}

bool out_color(const struct cli *cli)
{
	const char *term = getenv("TERM"), *no = getenv("NO_COLOR");

	if (cli->no_color || (cli->color && strcmp(cli->color, "never") == 0))
		return false;
	if (cli->color && strcmp(cli->color, "always") == 0)
		return true;
	if (no && no[0])
		return false;
	if (is_forced("FORCE_COLOR") || is_forced("CLICOLOR_FORCE"))
		return true;
	return cli->stdout_tty && term && strcmp(term, "dumb") != 0;
}

/* Append s cut or padded to `width` columns. */
static void add_cell(struct buf *out, const char *s, size_t width, bool right)
{
	size_t have = width_text(s, strlen(s)), used = 0;

	if (right)
		for (size_t i = have; i < width; i++)
			buf_addch(out, ' ');
	if (have <= width) {
		buf_addstr(out, s);
		used = have;
	} else {
		buf_add(out, s, width_fit(s, strlen(s), width ? width - 1 : 0,
					  &used));
		buf_addch(out, '~');
		used++;
	}
	for (size_t i = MAX(used, have > width ? 0 : have);
	     !right && i < width; i++)
		buf_addch(out, ' ');
}

static size_t screen_width(const struct cli *cli)
{
	struct winsize ws;

	if (!cli->stdout_tty)
		return 0;
	/* Before a pager standard output is a pipe. */
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) < 0 &&
	    ioctl(STDIN_FILENO, TIOCGWINSZ, &ws) < 0)
		return 0;
	return ws.ws_col < 20 ? 0 : ws.ws_col;
}

char *out_escaped(struct buf *raw)
{
	struct buf text = BUF_INIT;

	escape_line(&text, buf_str(raw), raw->len);
	buf_release(raw);
	return buf_steal(&text);
}

char *out_cell(const struct cli *cli, const struct column *c,
	       const cJSON *item)
{
	struct buf raw = BUF_INIT;

	if (c->show)
		c->show(cli, item, &raw);
	else
		out_field_text(item, c->key, strlen(c->key), &raw);
	return out_escaped(&raw);
}

struct table {
	const struct cli *cli;
	const struct column *columns;
	size_t ncolumns, nrows;
	char **cells; /* nrows * ncolumns, owned */
	size_t width[COLUMNS_MAX];
};

static void measure(struct table *t)
{
	size_t total = 0, room = screen_width(t->cli);

	for (size_t c = 0; c < t->ncolumns; c++) {
		t->width[c] = t->cli->no_header ?
				      0 : strlen(t->columns[c].title);
		for (size_t r = 0; r < t->nrows; r++) {
			const char *s = t->cells[r * t->ncolumns + c];

			t->width[c] = MAX(t->width[c],
					  width_text(s, strlen(s)));
		}
		total += t->width[c] + (c ? 2 : 0);
	}
	/* The widest gives first; ids (column 0) are never cut. */
	while (room && total > room) {
		size_t widest = 1;

		for (size_t c = 2; c < t->ncolumns; c++)
			if (t->width[c] > t->width[widest])
				widest = c;
		if (t->ncolumns < 2 || t->width[widest] <= 8)
			break;
		t->width[widest]--;
		total--;
	}
}

static const char *state_color(const char *state)
{
	if (strcmp(state, "running") == 0)
		return "\033[32m";
	if (strcmp(state, "error") == 0 || strcmp(state, "unhealthy") == 0)
		return "\033[31m";
	return "\033[33m";
}

static void print_row(const struct table *t, char *const *cells, bool head)
{
	auto_buf struct buf line = BUF_INIT;
	bool color = out_color(t->cli);

	for (size_t c = 0; c < t->ncolumns; c++) {
		const struct column *col = &t->columns[c];
		const char *text = head ? col->title : cells[c];
		bool paint = color && !head && col->kind == COLUMN_STATE;

		if (c)
			buf_addstr(&line, "  ");
		if (paint)
			buf_addstr(&line, state_color(text));
		add_cell(&line, text, t->width[c], col->kind == COLUMN_RIGHT);
		if (paint)
			buf_addstr(&line, "\033[0m");
	}
	while (line.len && line.data[line.len - 1] == ' ')
		buf_truncate(&line, line.len - 1);
	puts(buf_str(&line));
}

static void print_plain(const struct table *t)
{
	for (size_t c = 0; c < t->ncolumns && !t->cli->no_header; c++)
		printf("%s%s", c ? "\t" : "", t->columns[c].title);
	if (!t->cli->no_header)
		putchar('\n');
	for (size_t i = 0; i < t->nrows * t->ncolumns; i++)
		printf("%s%c", t->cells[i],
		       (i + 1) % t->ncolumns ? '\t' : '\n');
}

static void print_table(const struct cli *cli, const cJSON *items,
			const struct column *columns, size_t ncolumns)
{
	struct table t = { .cli = cli, .columns = columns,
			   .ncolumns = MIN(ncolumns, COLUMNS_MAX),
			   .nrows = (size_t)cJSON_GetArraySize(items) };
	const cJSON *item;
	size_t i = 0;

	t.cells = xcalloc(t.nrows * t.ncolumns + 1, sizeof(char *));
	cJSON_ArrayForEach(item, items) {
		for (size_t c = 0; c < t.ncolumns; c++)
			t.cells[i++] = out_cell(cli, &columns[c], item);
	}
	if (cli->plain) {
		print_plain(&t);
	} else {
		measure(&t);
		if (!cli->no_header)
			print_row(&t, NULL, true);
		for (size_t r = 0; r < t.nrows; r++)
			print_row(&t, t.cells + r * t.ncolumns, false);
	}
	strv_free(t.cells);
}

/* Only the fields of "a,b"; an unknown one is null. */
static cJSON *pick_fields(const cJSON *item, const char *fields)
{
	cJSON *picked = cJSON_CreateObject();

	while (*fields) {
		size_t n = strcspn(fields, ",");
		auto_free char *name = xstrndup(fields, n);
		const cJSON *v = out_field(item, fields, n);

		if (n)
			cJSON_AddItemToObject(picked, name,
					      v ? cJSON_Duplicate(v, true) :
						  cJSON_CreateNull());
		fields += n + (fields[n] == ',');
	}
	return picked;
}

void out_removed(const struct cli *cli, const char *name, struct buf *all)
{
	struct json_writer w = json_writer(all);

	if (!cli->json) {
		puts(name);
		return;
	}
	if (all->len)
		buf_addch(all, ',');
	json_str(&w, NULL, name);
}

void out_removed_end(const struct cli *cli, const struct buf *all)
{
	auto_free char *text = xasprintf("{\"removed\":[%s]}", buf_str(all));

	if (cli->json && all->len)
		out_json(text);
}

void out_json(const char *text)
{
	auto_buf struct buf b = BUF_INIT;

	escape_json(&b, text, strlen(text));
	puts(buf_str(&b));
}

int out_text(struct buf *raw, bool last)
{
	auto_buf struct buf text = BUF_INIT;
	size_t n = raw->len - (last ? 0 : utf8_tail(buf_str(raw), raw->len));

	escape_text(&text, buf_str(raw), n);
	buf_consume(raw, n);
	return fwrite(buf_str(&text), 1, text.len, stdout) == text.len ? 0 :
									 -1;
}

static void print_json(const struct cli *cli, const cJSON *v)
{
	char *text = cli->stdout_tty ? cJSON_Print(v) :
				       cJSON_PrintUnformatted(v);

	out_json(text ? text : "null");
	cJSON_free(text);
}

static void print_picked(const struct cli *cli, const cJSON *items)
{
	cJSON *list = cJSON_CreateArray();
	const cJSON *item;

	cJSON_ArrayForEach(item, items)
		cJSON_AddItemToArray(list, pick_fields(item, cli->json));
	print_json(cli, list);
	cJSON_Delete(list);
}

int out_items(const struct cli *cli, const cJSON *items,
	      const struct column *columns, size_t ncolumns,
	      const char *id_key, struct svm_err *err)
{
	auto_buf struct buf b = BUF_INIT;
	const cJSON *item;

	(void)err;
	paging_begin(cli);
	if (cli->json && cli->json[0]) {
		print_picked(cli, items);
	} else if (cli->json) {
		print_json(cli, items);
	} else if (cli->format || cli->quiet) {
		auto_free char *ids = xasprintf("{{%s}}", id_key);

		cJSON_ArrayForEach(item, items)
			out_template(cli->format ? cli->format : ids, item,
				     &b);
		fputs(buf_str(&b), stdout);
	} else {
		print_table(cli, items, columns, ncolumns);
	}
	return 0;
}

int out_list(struct cli *cli, const char *path, const struct column *columns,
	     size_t ncolumns, const char *id_key, struct svm_err *err)
{
	auto_buf struct buf body = BUF_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	cJSON *items;

	if (cli_get(cli, path, &body, err) < 0 ||
	    out_parse_array(&doc, &body, &items, err) < 0)
		return -1;
	return out_items(cli, items, columns, ncolumns, id_key, err);
}

void out_lines(const struct cli *cli, const cJSON *items,
	       const struct column *columns, size_t ncolumns,
	       const char *id_key, bool heading)
{
	struct cli plain = *cli;
	auto_err struct svm_err none = SVM_ERR_INIT;
	const cJSON *item;

	plain.plain = true;
	plain.no_header = cli->no_header || !heading;
	plain.stdout_tty = false; /* whole times and JSON in one line */
	if (!cli->json) {
		(void)out_items(&plain, items, columns, ncolumns, id_key,
				&none);
		return;
	}
	cJSON_ArrayForEach(item, items)
		(void)out_object(&plain, item, &none);
}

static void print_members(const cJSON *object, const char *indent)
{
	const cJSON *m;

	cJSON_ArrayForEach(m, object) {
		auto_buf struct buf raw = BUF_INIT, text = BUF_INIT;

		escape_line(&text, m->string, strlen(m->string));
		if (cJSON_IsObject(m) && m->child) {
			auto_free char *deeper = xasprintf("%s  ", indent);

			printf("%s%s:\n", indent, buf_str(&text));
			print_members(m, deeper);
			continue;
		}
		buf_addstr(&text, ": ");
		value_text(m, &raw);
		escape_line(&text, buf_str(&raw), raw.len);
		printf("%s%s\n", indent, buf_str(&text));
	}
}

int out_object(const struct cli *cli, const cJSON *object, struct svm_err *err)
{
	auto_buf struct buf b = BUF_INIT;

	(void)err;
	paging_begin(cli);
	if (cli->json && cli->json[0]) {
		cJSON *picked = pick_fields(object, cli->json);

		print_json(cli, picked);
		cJSON_Delete(picked);
	} else if (cli->json) {
		print_json(cli, object);
	} else if (cli->format) {
		out_template(cli->format, object, &b);
		fputs(buf_str(&b), stdout);
	} else {
		print_members(object, "");
	}
	return 0;
}
