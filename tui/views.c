/* SPDX-License-Identifier: MIT */
/* How tables were left.  See views.h. */
#include "tui/views.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/api/dirs.h"
#include "lib/api/limits.h"
#include "lib/base/fd.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/path.h"
#include "tui/fleet-table.h"

static void view_release(struct view *v)
{
	free(v->name);
	free(v->filter);
}

void views_release(struct model *m)
{
	for (size_t i = 0; i < SCREEN_MAX; i++)
		view_release(&m->begin[i]);
	for (size_t i = 0; i < m->n_views; i++)
		view_release(&m->views[i]);
}

static struct fleet_table *table_of(const struct model *m, size_t i)
{
	return screens[i]->table ? screens[i]->table(m->state[i]) : NULL;
}

/* NULL of a screen that has nothing to sort. */
static struct order *order_of(const struct model *m, size_t i)
{
	struct fleet_table *t = table_of(m, i);

	if (t)
		return &t->order;
	return screens[i]->order ? screens[i]->order(m->state[i]) : NULL;
}

/* t: NULL of a screen with an order alone. */
static void take(struct view *v, const struct order *o,
		 const struct fleet_table *t)
{
	v->sort = o->by;
	v->invert = o->invert;
	if (!t)
		return;
	free(v->filter);
	v->filter = xstrdup(field_text(&t->filter));
	v->hidden = t->hidden;
}

static void apply(const struct view *v, struct order *o,
		  struct fleet_table *t)
{
	const char *filter = v->filter ? v->filter : "";

	o->by = v->sort;
	o->invert = v->invert;
	if (!t)
		return;
	field_set(&t->filter, "");
	field_add(&t->filter, filter, strlen(filter));
	t->hidden = v->hidden;
}

void views_keep(struct model *m)
{
	for (size_t i = 0; i < SCREEN_MAX; i++)
		if (order_of(m, i))
			take(&m->begin[i], order_of(m, i), table_of(m, i));
	m->effects |= EFFECT_SAVE_VIEW;
}

/* -- as JSON */

static void write_view(struct json_writer *w, const char *key,
		       const struct view *v, const char *const *sorts,
		       bool table)
{
	json_open(w, key, '{');
	if (v->name)
		json_str(w, "name", v->name);
	json_str(w, "sort", sorts[v->sort]);
	json_bool(w, "inverted", v->invert);
	if (!table) {
		json_close(w, '}');
		return;
	}
	json_str(w, "filter", v->filter ? v->filter : "");
	json_open(w, "hidden", '[');
	for (unsigned k = 0; fleet_column_name(k); k++)
		if (v->hidden & 1u << k)
			json_str(w, NULL, fleet_column_name(k));
	json_close(w, ']');
	json_close(w, '}');
}

/* Views with names are of sandboxes. */
static const char *const *fleet_sorts(const struct model *m)
{
	return order_of(m, SCREEN_SANDBOXES)->names;
}

void views_json(const struct model *m, struct buf *out)
{
	struct json_writer w = json_writer(out);

	json_open(&w, NULL, '{');
	for (size_t i = 0; i < SCREEN_MAX; i++)
		if (order_of(m, i))
			write_view(&w, screens[i]->name, &m->begin[i],
				   order_of(m, i)->names, table_of(m, i));
	json_open(&w, "views", '[');
	for (size_t i = 0; i < m->n_views; i++)
		write_view(&w, NULL, &m->views[i], fleet_sorts(m), true);
	json_close(&w, ']');
	json_close(&w, '}');
}

/* What isn't known by name is left out. */
static void load_view(struct view *v, const cJSON *from,
		      const char *const *sorts)
{
	struct order o = { sorts, v->sort, false };
	const cJSON *name;

	free(v->filter);
	v->filter = xstrdup(json_text(from, "filter"));
	order_set(&o, json_text(from, "sort"),
		  cJSON_IsTrue(json_get(from, "inverted")));
	v->sort = o.by;
	v->invert = o.invert;
	v->hidden = 0;
	cJSON_ArrayForEach(name, json_get(from, "hidden"))
		for (unsigned k = 1; fleet_column_name(k); k++)
			if (cJSON_IsString(name) &&
			    strcmp(name->valuestring,
				   fleet_column_name(k)) == 0)
				v->hidden |= 1u << k;
}

/* The one of this name, a new one, or NULL when there is no room. */
static struct view *named(struct model *m, const char *name)
{
	struct view *v;

	for (size_t i = 0; i < m->n_views; i++)
		if (strcmp(m->views[i].name, name) == 0)
			return &m->views[i];
	if (m->n_views == ARRAY_SIZE(m->views))
		return NULL;
	v = &m->views[m->n_views++];
	*v = (struct view){ .name = xstrdup(name) };
	return v;
}

static bool is_name(const char *text, struct svm_err *err)
{
	size_t n = strlen(text);

	if (n && n <= LIMIT_TUI_VIEW_NAME)
		return true;
	svm_err_set(err, SVM_BAD_REQUEST, "a name has 1 to %d bytes",
		    LIMIT_TUI_VIEW_NAME);
	return false;
}

static void load_named(struct model *m, const cJSON *list)
{
	const cJSON *from;

	if (!cJSON_IsArray(list))
		return;
	cJSON_ArrayForEach(from, list) {
		auto_err struct svm_err err = SVM_ERR_INIT;
		struct view *v = cJSON_IsObject(from) &&
				 is_name(json_text(from, "name"), &err) ?
					 named(m, json_text(from, "name")) :
					 NULL;

		if (v)
			load_view(v, from, fleet_sorts(m));
	}
}

int views_load(struct model *m, const char *text, size_t n,
	       struct svm_err *err)
{
	auto_json struct json_doc doc = JSON_DOC_INIT;

	if (json_parse_object(&doc, text, n, err) < 0)
		return -1;
	for (size_t i = 0; i < SCREEN_MAX; i++) {
		struct fleet_table *t = table_of(m, i);
		struct order *o = order_of(m, i);
		const cJSON *view = o ? json_get(doc.root, screens[i]->name) :
					NULL;

		if (!cJSON_IsObject(view))
			continue;
		load_view(&m->begin[i], view, o->names);
		apply(&m->begin[i], o, t);
		take(&m->begin[i], o, t); /* what a filter can be */
	}
	load_named(m, json_get(doc.root, "views"));
	update_settle(m);
	return 0;
}

/* -- choosing, saving and deleting */

/* Of the screen in view: it had the menu. */
static struct fleet_table *this_table(struct model *m)
{
	return table_of(m, m->screen);
}

static void save_as(struct model *m, const char *name, void *data)
{
	struct fleet_table *t = this_table(m);
	struct view *v = t ? named(m, name) : NULL;

	(void)data;
	if (!v) {
		model_say(m, "there are %d views already; V deletes one",
			  LIMIT_TUI_VIEWS);
		return;
	}
	take(v, &t->order, t);
	m->effects |= EFFECT_SAVE_VIEW;
}

static void delete(struct model *m, size_t i, void *data)
{
	(void)data;
	if (i >= m->n_views)
		return;
	view_release(&m->views[i]);
	m->n_views--;
	memmove(&m->views[i], &m->views[i + 1],
		(m->n_views - i) * sizeof(m->views[0]));
	m->effects |= EFFECT_SAVE_VIEW;
}

static void ask_delete(struct model *m)
{
	struct menu_item items[LIMIT_TUI_VIEWS] = { { 0 } };

	for (size_t i = 0; i < m->n_views; i++)
		items[i].label = m->views[i].name;
	menu_open(m, "DELETE A VIEW", items, m->n_views, delete, NULL, NULL);
}

static void choose(struct model *m, size_t i, void *data)
{
	struct fleet_table *t = this_table(m);

	(void)data;
	if (i < m->n_views && t)
		apply(&m->views[i], &t->order, t);
	else if (i == m->n_views)
		prompt_open(m, &(struct prompt){ .title = "SAVE THIS VIEW",
						 .label = "name",
						 .check = is_name,
						 .done = save_as });
	else if (i > m->n_views)
		ask_delete(m);
	update_settle(m);
}

void views_menu(struct model *m)
{
	struct menu_item items[LIMIT_TUI_VIEWS + 2] = { { 0 } };
	size_t n = 0;

	for (; n < m->n_views; n++) {
		items[n].label = m->views[n].name;
		if (n < 9)
			snprintf(items[n].key, sizeof(items[n].key), "%zu",
				 n + 1);
	}
	items[n++] = (struct menu_item){ .label = "save this view under a "
						  "name", .key = "n" };
	if (m->n_views)
		items[n++] = (struct menu_item){ .label = "delete a view",
						 .key = "D" };
	menu_open(m, "VIEWS", items, n, choose, NULL, NULL);
}

/* -- the file */

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
