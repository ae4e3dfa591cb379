/* SPDX-License-Identifier: MIT */
/* How tables were left.  See views.h. */
#include "tui/views.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "lib/api/dirs.h"
#include "lib/api/limits.h"
#include "lib/base/fd.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/path.h"
#include "tui/fleet-table.h"

static struct fleet_table *table_of(const struct model *m, size_t i)
{
	return screens[i]->table ? screens[i]->table(m->state[i]) : NULL;
}

void views_json(const struct model *m, struct buf *out)
{
	struct json_writer w = json_writer(out);

	json_open(&w, NULL, '{');
	for (size_t i = 0; i < SCREEN_MAX; i++) {
		const struct fleet_table *t = table_of(m, i);

		if (!t)
			continue;
		json_open(&w, screens[i]->name, '{');
		json_str(&w, "filter", field_text(&t->filter));
		json_str(&w, "sort", fleet_sort_name(t->sort));
		json_bool(&w, "inverted", t->invert);
		json_open(&w, "hidden", '[');
		for (unsigned k = 0; fleet_column_name(k); k++)
			if (t->hidden & 1u << k)
				json_str(&w, NULL, fleet_column_name(k));
		json_close(&w, ']');
		json_close(&w, '}');
	}
	json_close(&w, '}');
}

static void load_sort(struct fleet_table *t, const char *name)
{
	for (int s = 0; s < FLEET_SORT_MAX; s++)
		if (strcmp(fleet_sort_name((enum fleet_sort)s), name) == 0)
			t->sort = (enum fleet_sort)s;
}

static void load_hidden(struct fleet_table *t, const cJSON *names)
{
	const cJSON *name;

	t->hidden = 0;
	cJSON_ArrayForEach(name, names)
		for (unsigned k = 1; fleet_column_name(k); k++)
			if (cJSON_IsString(name) &&
			    strcmp(name->valuestring,
				   fleet_column_name(k)) == 0)
				t->hidden |= 1u << k;
}

int views_load(struct model *m, const char *text, size_t n,
	       struct svm_err *err)
{
	auto_json struct json_doc doc = JSON_DOC_INIT;

	if (json_parse_object(&doc, text, n, err) < 0)
		return -1;
	for (size_t i = 0; i < SCREEN_MAX; i++) {
		struct fleet_table *t = table_of(m, i);
		const cJSON *view = t ? json_get(doc.root, screens[i]->name) :
					NULL;

		if (!cJSON_IsObject(view))
			continue;
		field_set(&t->filter, "");
		field_add(&t->filter, json_text(view, "filter"),
			  strlen(json_text(view, "filter")));
		load_sort(t, json_text(view, "sort"));
		t->invert = cJSON_IsTrue(json_get(view, "inverted"));
		load_hidden(t, json_get(view, "hidden"));
	}
	update_settle(m);
	return 0;
}

static char *file_name(struct dirs *d)
{
	dirs_init(d);
	return path_join(d->state, "tui-views.json");
}

int views_write(const struct model *m, struct svm_err *err)
{
	struct dirs d;
	auto_free char *path = file_name(&d);
	auto_buf struct buf json = BUF_INIT;
	int r = path_make_private_dir(d.state, 0700, err);

	views_json(m, &json);
	buf_addch(&json, '\n');
	if (r == 0)
		r = fd_replace_path(AT_FDCWD, path, buf_str(&json), json.len,
				    0600);
	if (r < 0 && !err->code)
		svm_err_sys(err, SVM_INTERNAL, r, "can't write %s", path);
	dirs_release(&d);
	return r < 0 ? -1 : 0;
}

int views_read(struct model *m, struct svm_err *err)
{
	struct dirs d;
	auto_free char *path = file_name(&d);
	auto_buf struct buf text = BUF_INIT;
	int r = fd_slurp_path(AT_FDCWD, path, LIMIT_CONFIG_FILE, &text);

	dirs_release(&d);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return svm_err_sys(err, SVM_INTERNAL, r, "can't read %s",
				   path);
	if (views_load(m, buf_str(&text), text.len, err) < 0)
		return svm_err_prefix(err, "%s", path);
	return 0;
}
