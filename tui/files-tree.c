/* SPDX-License-Identifier: MIT */
/* Directories: asked for, taken in, forgotten.  See files-tree.h. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "tui/files.h"

/* -- those that are known */

/* Where it is, or would be. */
static size_t place_of(const struct files_tree *t, const char *path,
		       bool *ret_there)
{
	size_t from = 0, to = t->n;

	*ret_there = false;
	while (from < to) {
		size_t mid = from + (to - from) / 2;
		int r = strcmp(t->dirs[mid]->path, path);

		if (r == 0) {
			*ret_there = true;
			return mid;
		}
		if (r < 0)
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

struct files_dir *files_tree_find(const struct files_tree *t,
				  const char *path)
{
	bool there;
	size_t at = place_of(t, path, &there);

	return there ? t->dirs[at] : NULL;
}

/* What it held, not what it was first. */
static void drop_entries(struct files_dir *d)
{
	cJSON_Delete(d->entries);
	free(d->rows);
	d->entries = NULL;
	d->rows = NULL;
	d->n = 0;
	d->cut = d->changed = d->changed_hidden = false;
}

static void dir_free(struct files_dir *d)
{
	drop_entries(d);
	files_dir_forget_seen(d);
	free(d->path);
	free(d);
}

void files_tree_clear(struct files_tree *t)
{
	while (t->n)
		dir_free(t->dirs[--t->n]);
	free(t->dirs);
	t->dirs = NULL;
}

/* Below this path, at whatever depth; what follows it, else NULL. */
static const char *below(const char *dir, const char *path)
{
	size_t n = strcmp(dir, "/") == 0 ? 0 : strlen(dir);

	return strncmp(path, dir, n) == 0 && path[n] == '/' && path[n + 1] ?
		       path + n + 1 : NULL;
}

bool files_tree_is_in(const struct files_dir *d, const cJSON *e)
{
	const char *name = below(d->path, json_text(e, "path"));

	return name && !strchr(name, '/') &&
	       strcmp(name, json_text(e, "name")) == 0;
}

/* All directories down to it are open. */
static bool can_be_seen(const struct files *f, const struct files_dir *d)
{
	auto_free char *path = xstrdup(d->path);

	while (strcmp(path, f->path) != 0) {
		const struct files_dir *x = files_tree_find(&f->tree, path);
		char *slash = strrchr(path, '/');

		if (!x || !x->open || !below(f->path, path))
			return false;
		slash[slash == path] = '\0';
	}
	return true;
}

static void forget(struct files_tree *t, size_t at)
{
	dir_free(t->dirs[at]);
	memmove(t->dirs + at, t->dirs + at + 1,
		(--t->n - at) * sizeof(*t->dirs));
}

/* Of those that can't be seen, the one that wasn't used the longest. */
static bool make_room(struct files *f)
{
	struct files_tree *t = &f->tree;
	size_t oldest = t->n;

	if (t->n < LIMIT_TUI_TREE_DIRS)
		return true;
	for (size_t i = 0; i < t->n; i++)
		if (!can_be_seen(f, t->dirs[i]) &&
		    (oldest == t->n ||
		     t->dirs[i]->used < t->dirs[oldest]->used))
			oldest = i;
	if (oldest == t->n)
		return false;
	f->n = 0; /* a row may be of it, until all is settled */
	forget(t, oldest);
	return true;
}

struct files_dir *files_tree_get(struct files *f, const char *path)
{
	struct files_tree *t = &f->tree;
	struct files_dir *d = files_tree_find(t, path);
	bool there;
	size_t at;

	if (d || !make_room(f))
		return d;
	at = place_of(t, path, &there);
	t->dirs = xreallocarray(t->dirs, t->n + 1, sizeof(*t->dirs));
	memmove(t->dirs + at + 1, t->dirs + at,
		(t->n++ - at) * sizeof(*t->dirs));
	d = t->dirs[at] = xcalloc(1, sizeof(*d));
	d->path = xstrdup(path);
	d->used = ++t->serial;
	return d;
}

/* -- what they hold */

static size_t kept(const struct files_tree *t, const struct files_dir *but)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++)
		n += t->dirs[i] == but ? 0 : t->dirs[i]->n;
	return n;
}

/* What can't be seen goes first: it is asked for when it is opened again. */
static size_t room_for(struct files *f, const struct files_dir *d, size_t n)
{
	struct files_tree *t = &f->tree;
	size_t used = kept(t, d);

	for (size_t i = 0; i < t->n && used + n > LIMIT_TUI_TREE_ENTRIES; i++)
		if (t->dirs[i] != d && !can_be_seen(f, t->dirs[i])) {
			used -= t->dirs[i]->n;
			drop_entries(t->dirs[i]);
		}
	return used < LIMIT_TUI_TREE_ENTRIES ? LIMIT_TUI_TREE_ENTRIES - used :
					       0;
}

/* The daemon has sorted them by name. */
static void cut_off(cJSON *array, size_t keep)
{
	cJSON *rest = cJSON_GetArrayItem(array, (int)keep);

	if (!rest)
		return;
	if (keep) { /* the first one knows the last */
		array->child->prev = rest->prev;
		rest->prev->next = NULL;
	} else {
		array->child = NULL;
	}
	rest->prev = NULL;
	cJSON_Delete(rest);
}

static void fill_rows(struct files_dir *d)
{
	const cJSON *e;

	d->rows = xcalloc((size_t)cJSON_GetArraySize(d->entries) + 1,
			  sizeof(*d->rows));
	cJSON_ArrayForEach(e, d->entries)
		if (*json_text(e, "name"))
			d->rows[d->n++].e = e;
	d->sorted = false;
}

struct files_dir *files_tree_at(const struct files_tree *t,
				const struct files_dir *d, const cJSON *e)
{
	return file_is_dir(e) && files_tree_is_in(d, e) ?
		       files_tree_find(t, json_text(e, "path")) : NULL;
}

static void set_present(struct files_tree *t, const struct files_dir *d,
			bool present)
{
	for (size_t i = 0; i < d->n; i++) {
		struct files_dir *x = files_tree_at(t, d, d->rows[i].e);

		if (x)
			x->present = present;
	}
}

/* What was in it and no longer is goes, with all below; what it was first is
 * kept, for it may come back. */
static void prune(struct files_tree *t, const struct files_dir *d)
{
	set_present(t, d, true);
	for (size_t i = 0; i < t->n; i++) {
		struct files_dir *x = t->dirs[i];
		const char *rest = below(d->path, x->path);

		if (!rest)
			continue;
		auto_free char *top = xstrndup(
			x->path, (size_t)(rest - x->path) +
					 strcspn(rest, "/"));
		const struct files_dir *in_it = files_tree_find(t, top);

		if (!in_it || in_it->present)
			continue;
		drop_entries(x);
		x->open = false;
		x->error = SVM_OK;
	}
	set_present(t, d, false);
}

/* A link leads there: what it was says nothing of the directory. */
static bool is_link(const struct files_dir *parent, const char *path)
{
	for (size_t i = 0; i < parent->n; i++)
		if (strcmp(json_text(parent->rows[i].e, "path"), path) == 0)
			return !file_is_dir(parent->rows[i].e);
	return false;
}

static bool is_new(const struct files_tree *t, const struct files_dir *d)
{
	auto_free char *up = files_dirname(d->path);
	const struct files_dir *parent = files_tree_find(t, up);

	return parent && parent != d && !is_link(parent, d->path) &&
	       !files_dir_knew(parent, strrchr(d->path, '/') + 1);
}

static void take(struct model *m, struct files *f, struct files_dir *d,
		 cJSON *entries, bool quiet)
{
	size_t n = (size_t)cJSON_GetArraySize(entries), keep;
	bool was_cut = d->cut;

	drop_entries(d);
	keep = MIN(n, room_for(f, d, n));
	d->entries = entries;
	d->cut = keep < n || n >= LIMIT_LIST_ENTRIES;
	cut_off(entries, keep);
	fill_rows(d);
	files_dir_compare(d, is_new(&f->tree, d));
	prune(&f->tree, d);
	if (d->cut && !was_cut && !quiet)
		model_say(m, "%s: only the first %zu entries are shown",
			  d->path, keep);
}

static void ask_parent(struct model *m, struct files *f,
		       const struct files_dir *d)
{
	auto_free char *path = files_dirname(d->path);
	struct files_dir *up = files_tree_find(&f->tree, path);

	if (up && up != d && can_be_seen(f, up))
		files_tree_ask(m, f, up, true);
}

static void refused(struct model *m, struct files *f, struct files_dir *d,
		    enum svm_code code)
{
	d->error = code;
	/* BAD_REQUEST: it is no directory any more. */
	if (code != SVM_FILE_NOT_FOUND && code != SVM_BAD_REQUEST)
		return; /* what it held was not said to be gone */
	drop_entries(d);
	ask_parent(m, f, d);
}

static void arrived(struct model *m, struct request *r)
{
	struct files *f = r->data;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	cJSON *array = request_array(r, &doc);
	struct files_dir *d = f->id && files_is_for(f, r) ?
		files_tree_find(&f->tree, r->about) : NULL;

	if (!d) {
		svm_err_release(&r->err); /* of no matter by now */
		return;
	}
	f->n = 0; /* until it is settled */
	d->asked = false;
	d->error = SVM_OK;
	if (array)
		take(m, f, d, request_steal(&doc, array), r->quiet);
	else
		refused(m, f, d, r->err.code);
	if (r->quiet)
		svm_err_release(&r->err);
	if (d->again)
		files_tree_ask(m, f, d, !d->loud);
}

void files_tree_ask(struct model *m, struct files *f, struct files_dir *d,
		    bool quiet)
{
	struct request *r;

	d->used = ++f->tree.serial;
	if (d->asked) { /* what is on its way may be from before a change */
		d->again = true;
		d->loud |= !quiet;
		return;
	}
	d->asked = true;
	d->again = d->loud = false;
	r = files_request(f, "GET", "list", d->path, arrived);
	r->quiet = quiet;
	r->doing = xasprintf("list %s", d->path);
	request_send(m, r);
}

static bool lists(const struct files_dir *d, const char *path)
{
	for (size_t i = 0; i < d->n; i++)
		if (strcmp(json_text(d->rows[i].e, "path"), path) == 0)
			return true;
	return false;
}

enum files_known files_tree_knows(const struct files_tree *t, const char *path)
{
	auto_free char *at = xstrdup(path);
	bool itself = true;

	for (;; itself = false) {
		auto_free char *up = files_dirname(at);
		const struct files_dir *d = files_tree_find(t, up);

		if (strcmp(up, at) == 0)
			return FILES_UNKNOWN;
		if (d && d->error == SVM_FILE_NOT_FOUND)
			return FILES_GONE;
		if (d && d->entries && lists(d, at))
			return itself ? FILES_THERE : FILES_UNKNOWN;
		if (d && d->entries)
			return d->cut || d->error ? FILES_UNKNOWN : FILES_GONE;
		free(at);
		at = steal_ptr(&up);
	}
}

void files_tree_refresh(struct model *m, struct files *f, bool quiet)
{
	for (size_t i = 0; i < f->tree.n; i++)
		if (can_be_seen(f, f->tree.dirs[i]))
			files_tree_ask(m, f, f->tree.dirs[i], quiet);
}

bool files_tree_changed(const struct files_tree *t,
			const struct files_dir *d, bool hidden)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct files_dir *x = t->dirs[i];
		const char *rest = x == d ? "" : below(d->path, x->path);

		if (!rest || (!hidden && (*rest == '.' || strstr(rest, "/."))))
			continue;
		if (x->changed || (hidden && x->changed_hidden))
			return true;
	}
	return false;
}
