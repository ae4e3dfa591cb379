/* SPDX-License-Identifier: MIT */
/* How tables were left.  See views.h. */
#include "tui/views.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/api/limits.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "tui/fleet-group.h"
#include "tui/panes.h"
#include "tui/state-file.h"

static void forget_folds(struct view *v)
{
	for (size_t i = 0; i < v->n_folded; i++)
		free(v->folded[i]);
	free(v->folded);
	v->folded = NULL;
	v->n_folded = 0;
}

/* As many as are kept, each once, and none that can't be the name of a
 * group. */
static void add_fold(struct view *v, const char *name)
{
	for (size_t i = 0; i < v->n_folded; i++)
		if (strcmp(v->folded[i], name) == 0)
			return;
	if (v->n_folded == LIMIT_TUI_FOLDS ||
	    strlen(name) > LIMIT_TUI_FOLD_NAME)
		return;
	v->folded = xreallocarray(v->folded, v->n_folded + 1,
				  sizeof(*v->folded));
	v->folded[v->n_folded++] = xstrdup(name);
}

static void take_folds(struct view *v, char *const *names, size_t n)
{
	forget_folds(v);
	for (size_t i = 0; i < n; i++)
		add_fold(v, names[i]);
}

static void view_release(struct view *v)
{
	forget_folds(v);
	free(v->name);
	free(v->filter);
}

static void forget_dropped(struct model *m)
{
	while (m->n_dropped)
		free(m->dropped[--m->n_dropped]);
}

void views_release(struct model *m)
{
	for (size_t i = 0; i < SCREEN_MAX; i++)
		view_release(&m->begin[i]);
	for (size_t i = 0; i < m->n_views; i++)
		view_release(&m->views[i]);
	forget_dropped(m);
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
	v->grouping = t->grouping;
	take_folds(v, t->folded, t->n_folded);
}

static bool same_folds(const struct view *v, const struct fleet_table *t)
{
	for (size_t i = 0; i < v->n_folded; i++)
		if (!fleet_group_is_folded(t, v->folded[i]))
			return false;
	return v->n_folded == t->n_folded;
}

static bool is_as(const struct view *v, const struct order *o,
		  const struct fleet_table *t)
{
	return v->sort == o->by && v->invert == o->invert &&
	       (!t || (v->hidden == t->hidden && v->grouping == t->grouping &&
		       same_folds(v, t) &&
		       strcmp(v->filter ? v->filter : "",
			      field_text(&t->filter)) == 0));
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
	t->grouping = (enum fleet_grouping)v->grouping;
	fleet_group_fold(t, v->folded, v->n_folded);
}

void views_keep(struct model *m)
{
	for (size_t i = 0; i < SCREEN_MAX; i++) {
		const struct order *o = order_of(m, i);
		const struct fleet_table *t = table_of(m, i);

		if (!o || (i != m->screen && is_as(&m->begin[i], o, t)))
			continue;
		take(&m->begin[i], o, t);
		m->begin[i].unsaved = true;
	}
	m->effects |= EFFECT_SAVE_VIEW;
}

/* -- sizes of panes */

static bool size_of(const struct model *m, size_t i, size_t k,
		    struct pane_size *ret)
{
	return k < PANE_SIZES && screens[i]->size &&
	       screens[i]->size(m->state[i], k, ret);
}

/* As the panes of a screen are now. */
static struct sizes sizes_now(const struct model *m, size_t i)
{
	struct sizes now = { { 0 } };
	struct pane_size s;

	for (size_t k = 0; size_of(m, i, k, &s); k++)
		now.percent[k] = *s.percent;
	return now;
}

void views_init(struct model *m)
{
	for (size_t i = 0; i < SCREEN_MAX; i++)
		m->sizes[i] = sizes_now(m, i);
}

void views_sized(struct model *m)
{
	struct sizes now = sizes_now(m, m->screen);

	if (memcmp(&now, &m->sizes[m->screen], sizeof(now)) == 0)
		return;
	m->sizes[m->screen] = now;
	m->sized[m->screen] = true;
	m->effects |= EFFECT_SAVE_SIZES;
}

/* What makes no sense stays as it is. */
static void load_sizes(const struct model *m, size_t i, const cJSON *from,
		       struct sizes *to)
{
	const cJSON *list = json_get(from, "sizes");
	struct pane_size s;

	if (!cJSON_IsObject(list))
		return;
	for (size_t k = 0; size_of(m, i, k, &s); k++) {
		const cJSON *v = json_get(list, s.name);

		if (cJSON_IsNumber(v) && v->valueint >= s.least &&
		    v->valueint <= s.most)
			to->percent[k] = v->valueint;
	}
}

static void apply_sizes(struct model *m, size_t i)
{
	struct pane_size s;

	for (size_t k = 0; size_of(m, i, k, &s); k++)
		*s.percent = m->sizes[i].percent[k];
}

static void write_sizes(const struct model *m, struct json_writer *w,
			size_t i, const struct sizes *sizes)
{
	struct pane_size s;

	if (!screens[i]->size)
		return;
	json_open(w, "sizes", '{');
	for (size_t k = 0; size_of(m, i, k, &s); k++)
		json_int(w, s.name, sizes->percent[k]);
	json_close(w, '}');
}

/* -- as JSON */

/* All but the end of the object. */
static void write_view(struct json_writer *w, const char *key,
		       const struct view *v, const char *const *sorts,
		       bool table)
{
	json_open(w, key, '{');
	if (v->name)
		json_str(w, "name", v->name);
	json_str(w, "sort", sorts[v->sort]);
	json_bool(w, "inverted", v->invert);
	if (!table)
		return;
	json_str(w, "filter", v->filter ? v->filter : "");
	json_str(w, "group", fleet_grouping_name(v->grouping));
	json_open(w, "hidden", '[');
	for (unsigned k = 0; fleet_column_name(k); k++)
		if (v->hidden & 1u << k)
			json_str(w, NULL, fleet_column_name(k));
	json_close(w, ']');
	json_open(w, "folded", '[');
	for (size_t i = 0; i < v->n_folded; i++)
		json_str(w, NULL, v->folded[i]);
	json_close(w, ']');
}

/* Views with names are of sandboxes. */
static const char *const *fleet_sorts(const struct model *m)
{
	return order_of(m, SCREEN_SANDBOXES)->names;
}

static void write_all(const struct model *m,
		      const struct view begin[SCREEN_MAX],
		      const struct sizes sizes[SCREEN_MAX], struct buf *out)
{
	struct json_writer w = json_writer(out);

	json_open(&w, NULL, '{');
	for (size_t i = 0; i < SCREEN_MAX; i++) {
		if (!order_of(m, i))
			continue;
		write_view(&w, screens[i]->name, &begin[i],
			   order_of(m, i)->names, table_of(m, i));
		write_sizes(m, &w, i, &sizes[i]);
		json_close(&w, '}');
	}
	json_open(&w, "views", '[');
	for (size_t i = 0; i < m->n_views; i++) {
		write_view(&w, NULL, &m->views[i], fleet_sorts(m), true);
		json_close(&w, '}');
	}
	json_close(&w, ']');
	json_close(&w, '}');
}

void views_json(const struct model *m, struct buf *out)
{
	struct sizes sizes[SCREEN_MAX];

	for (size_t i = 0; i < SCREEN_MAX; i++)
		sizes[i] = sizes_now(m, i);
	write_all(m, m->begin, sizes, out);
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
	v->grouping = fleet_grouping_find(json_text(from, "group"));
	v->hidden = 0;
	cJSON_ArrayForEach(name, json_get(from, "hidden"))
		for (unsigned k = 1; fleet_column_name(k); k++)
			if (cJSON_IsString(name) &&
			    strcmp(name->valuestring,
				   fleet_column_name(k)) == 0)
				v->hidden |= 1u << k;
	forget_folds(v);
	cJSON_ArrayForEach(name, json_get(from, "folded"))
		if (cJSON_IsString(name))
			add_fold(v, name->valuestring);
}

static struct view *find(struct model *m, const char *name)
{
	for (size_t i = 0; i < m->n_views; i++)
		if (strcmp(m->views[i].name, name) == 0)
			return &m->views[i];
	return NULL;
}

static void remove_view(struct model *m, size_t i)
{
	view_release(&m->views[i]);
	m->n_views--;
	memmove(&m->views[i], &m->views[i + 1],
		(m->n_views - i) * sizeof(m->views[0]));
}

/* The one of this name, a new one, or NULL when there is no room. */
static struct view *named(struct model *m, const char *name)
{
	struct view *v = find(m, name);

	if (v)
		return v;
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

static bool is_dropped(const struct model *m, const char *name)
{
	for (size_t i = 0; i < m->n_dropped; i++)
		if (strcmp(m->dropped[i], name) == 0)
			return true;
	return false;
}

/* But those that were changed here since.  Whether there was room. */
static bool load_named(struct model *m, const cJSON *list)
{
	const cJSON *from;

	if (!cJSON_IsArray(list))
		return true;
	cJSON_ArrayForEach(from, list) {
		auto_err struct svm_err err = SVM_ERR_INIT;
		const char *name = json_text(from, "name");
		struct view *v;

		if (!cJSON_IsObject(from) || !is_name(name, &err) ||
		    is_dropped(m, name))
			continue;
		v = named(m, name);
		if (!v) /* a file with more was made by hand */
			return cJSON_GetArraySize(list) > LIMIT_TUI_VIEWS;
		if (!v->unsaved)
			load_view(v, from, fleet_sorts(m));
	}
	return true;
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
		m->sizes[i] = sizes_now(m, i);
		load_sizes(m, i, view, &m->sizes[i]);
		apply_sizes(m, i);
	}
	(void)load_named(m, json_get(doc.root, "views"));
	update_settle(m);
	return 0;
}

/* -- choosing, saving and deleting */

/* Of the screen in view: it had the menu. */
static struct fleet_table *this_table(struct model *m)
{
	return table_of(m, m->screen);
}

static char *loses(const struct model *m, const char *name)
{
	for (size_t i = 0; i < m->n_views; i++)
		if (strcmp(m->views[i].name, name) == 0)
			return xstrdup("The view of this name is lost.");
	return NULL;
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
	v->unsaved = true;
	m->effects |= EFFECT_SAVE_VIEW;
}

static void delete(struct model *m, size_t i, void *data)
{
	(void)data;
	if (i >= m->n_views)
		return;
	if (m->n_dropped < ARRAY_SIZE(m->dropped))
		m->dropped[m->n_dropped++] = xstrdup(m->views[i].name);
	remove_view(m, i);
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
						 .past = PAST_NAME,
						 .check = is_name,
						 .loses = loses,
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

#define FILE_NAME "tui-views.json"

static bool in_list(const cJSON *list, const char *name)
{
	const cJSON *from;

	if (cJSON_IsArray(list))
		cJSON_ArrayForEach(from, list)
			if (strcmp(json_text(from, "name"), name) == 0)
				return true;
	return false;
}

/* What others have saved and deleted since. */
static int merge_named(struct model *m, const cJSON *list,
		       struct svm_err *err)
{
	for (size_t i = m->n_views; i-- > 0;)
		if (!m->views[i].unsaved && !in_list(list, m->views[i].name))
			remove_view(m, i);
	if (load_named(m, list))
		return 0;
	return svm_err_set(err, SVM_CONFLICT,
			   "there are %d views with those that another "
			   "dashboard has saved; V deletes one",
			   LIMIT_TUI_VIEWS);
}

/* How the tables begin: as they were left here, else as the file has it. */
static void write_merged(const struct model *m, const cJSON *file,
			 struct buf *out)
{
	struct view begin[SCREEN_MAX] = { { 0 } };
	struct sizes sizes[SCREEN_MAX];

	for (size_t i = 0; i < SCREEN_MAX; i++) {
		const struct order *o = order_of(m, i);
		const cJSON *from = o ? json_get(file, screens[i]->name) : NULL;

		sizes[i] = sizes_now(m, i);
		if (!m->sized[i] && cJSON_IsObject(from))
			load_sizes(m, i, from, &sizes[i]);

		begin[i] = m->begin[i];
		begin[i].filter = xstrdup(begin[i].filter ? begin[i].filter :
							    "");
		begin[i].folded = NULL;
		begin[i].n_folded = 0;
		take_folds(&begin[i], m->begin[i].folded,
			   m->begin[i].n_folded);
		if (!m->begin[i].unsaved && cJSON_IsObject(from))
			load_view(&begin[i], from, o->names);
	}
	write_all(m, begin, sizes, out);
	buf_addch(out, '\n');
	for (size_t i = 0; i < SCREEN_MAX; i++)
		view_release(&begin[i]);
}

static void all_saved(struct model *m)
{
	for (size_t i = 0; i < SCREEN_MAX; i++)
		m->begin[i].unsaved = m->sized[i] = false;
	for (size_t i = 0; i < m->n_views; i++)
		m->views[i].unsaved = false;
	forget_dropped(m);
}

/* One that makes no sense is replaced: nothing could be loaded. */
static int merge(void *data, const struct buf *old, struct buf *next,
		 struct svm_err *err)
{
	auto_err struct svm_err ignored = SVM_ERR_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	struct model *m = data;

	if (json_parse_object(&doc, buf_str(old), old->len, &ignored) == 0 &&
	    merge_named(m, json_get(doc.root, "views"), err) < 0)
		return -1;
	write_merged(m, doc.root, next);
	return 0;
}

int views_write(struct model *m, struct svm_err *err)
{
	if (state_file_change(FILE_NAME, LIMIT_TUI_VIEWS_FILE, merge, m, err) < 0)
		return -1;
	all_saved(m);
	return 0;
}

int views_read(struct model *m, struct svm_err *err)
{
	auto_buf struct buf text = BUF_INIT;

	if (state_file_read(FILE_NAME, LIMIT_TUI_VIEWS_FILE, &text, err) < 0)
		return -1;
	if (text.len && views_load(m, buf_str(&text), text.len, err) < 0)
		return svm_err_prefix(err, "%s", FILE_NAME);
	return 0;
}
