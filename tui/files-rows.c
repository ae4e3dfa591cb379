/* SPDX-License-Identifier: MIT */
/*
 * Which lines the list of files has: the tree as far as it is open, or what a
 * pattern found.  Each directory is sorted for itself, directories before
 * files.  A filter leaves what matches, and the directories that lead there.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "tui/files.h"

static double size_of(const cJSON *e)
{
	const cJSON *size = json_get(e, "size");

	return cJSON_IsNumber(size) ? size->valuedouble : -1;
}

/* The largest and the newest first.  Sizes of directories aren't shown. */
static int compare(const cJSON *a, const cJSON *b, enum files_sort by)
{
	switch (by) {
	case FILES_BY_SIZE:
		if (file_is_dir(a))
			return 0;
		return (size_of(a) < size_of(b)) - (size_of(a) > size_of(b));
	case FILES_BY_CHANGED: /* RFC 3339 in UTC: in order as text */
		return strcmp(json_text(b, "mod_time"),
			      json_text(a, "mod_time"));
	case FILES_BY_MODE:
		return strcmp(json_text(a, "mode"), json_text(b, "mode"));
	default:
		return strcmp(json_text(a, "name"), json_text(b, "name"));
	}
}

/* Directories first, in any order. */
static int in_order(const void *pa, const void *pb, void *pf)
{
	const struct files *f = pf;
	const cJSON *a = ((const struct file_row *)pa)->e;
	const cJSON *b = ((const struct file_row *)pb)->e;
	int r;

	if (file_is_dir(a) != file_is_dir(b))
		return file_is_dir(a) ? -1 : 1;
	r = compare(a, b, (enum files_sort)f->order.by);
	if (r == 0 && f->order.by != FILES_BY_NAME)
		return compare(a, b, FILES_BY_NAME);
	return f->order.invert ? -r : r;
}

static void sort(struct files *f, struct files_dir *d)
{
	if (d->sorted && d->by == f->order.by && d->invert == f->order.invert)
		return;
	if (d->n)
		qsort_r(d->rows, d->n, sizeof(*d->rows), in_order, f);
	d->sorted = true;
	d->by = f->order.by;
	d->invert = f->order.invert;
}

static struct file_row *add_row(struct files *f)
{
	if (f->n == f->room) {
		f->room = f->room ? f->room * 2 : 64;
		f->rows = xreallocarray(f->rows, f->room, sizeof(*f->rows));
	}
	f->rows[f->n] = (struct file_row){ 0 };
	return &f->rows[f->n++];
}

static bool matches(const struct files *f, const cJSON *e)
{
	return strcasestr(json_text(e, "name"), field_text(&f->filter));
}

/* Its path is longer than that of the one above it: this ends. */
static void add_dir(struct files *f, struct files_dir *d, unsigned depth)
{
	sort(f, d);
	for (size_t i = 0; i < d->n; i++) {
		const cJSON *e = d->rows[i].e;
		size_t at = f->n;
		struct file_row *row;
		struct files_dir *sub;

		if (!f->hidden && json_text(e, "name")[0] == '.')
			continue;
		sub = files_tree_at(&f->tree, d, e);
		row = add_row(f);
		*row = d->rows[i];
		row->depth = depth;
		row->dir = sub;
		if (sub && !sub->open && row->change == FILE_SAME &&
		    files_tree_changed(&f->tree, sub, f->hidden))
			row->change = FILE_CHANGED;
		if (sub && sub->open)
			add_dir(f, sub, depth + 1);
		if (f->n == at + 1 && !matches(f, e))
			f->n = at;
	}
}

static void add_found(struct files *f)
{
	const cJSON *e;

	cJSON_ArrayForEach(e, f->found)
		if (matches(f, e))
			add_row(f)->e = e;
	if (f->n)
		qsort_r(f->rows, f->n, sizeof(*f->rows), in_order, f);
}

/* A closed directory that holds a change is none itself. */
static void count(struct files *f)
{
	f->n_new = f->n_changed = 0;
	for (size_t i = 0; i < f->n; i++) {
		f->n_new += f->rows[i].change == FILE_NEW;
		f->n_changed += f->rows[i].change == FILE_CHANGED &&
				!file_is_dir(f->rows[i].e);
	}
}

void files_fill_rows(struct files *f)
{
	struct files_dir *root = f->path && !f->glob ?
		files_tree_find(&f->tree, f->path) : NULL;

	f->n = 0;
	if (root)
		add_dir(f, root, 0);
	else
		add_found(f);
	count(f);
}
