/* SPDX-License-Identifier: MIT */
/* What is new in a directory, and what changed: see files-tree.h. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "tui/files.h"

static int by_name(const void *pa, const void *pb)
{
	const struct file_seen *a = pa, *b = pb;

	return strcmp(a->name, b->name);
}

static double size_of(const cJSON *e)
{
	const cJSON *size = json_get(e, "size");

	return cJSON_IsNumber(size) ? size->valuedouble : -1;
}

static void see(struct files_dir *d)
{
	d->seen = xcalloc(d->n + 1, sizeof(*d->seen));
	for (size_t i = 0; i < d->n; i++) {
		const cJSON *e = d->rows[i].e;

		d->seen[d->n_seen++] = (struct file_seen){
			.name = xstrdup(json_text(e, "name")),
			.changed = xstrdup(json_text(e, "mod_time")),
			.size = size_of(e),
			.dir = file_is_dir(e),
		};
	}
	qsort(d->seen, d->n_seen, sizeof(*d->seen), by_name);
}

static const struct file_seen *find(const struct files_dir *d,
				    const char *name)
{
	const struct file_seen key = { .name = (char *)(uintptr_t)name };

	return d->n_seen ? bsearch(&key, d->seen, d->n_seen,
				   sizeof(*d->seen), by_name) : NULL;
}

static enum file_change change_of(const struct files_dir *d, const cJSON *e)
{
	const struct file_seen *s = find(d, json_text(e, "name"));
	double size = size_of(e);

	if (!s)
		return d->whole ? FILE_NEW : FILE_SAME;
	if (s->dir != file_is_dir(e))
		return FILE_CHANGED;
	/* A directory's own time says that names came or went: those tell. */
	if (s->dir)
		return FILE_SAME;
	return s->size < size || s->size > size ||
	       strcmp(s->changed, json_text(e, "mod_time")) != 0 ?
		       FILE_CHANGED : FILE_SAME;
}

void files_dir_compare(struct files_dir *d, bool anew)
{
	if (!d->first) {
		d->first = true;
		d->whole = anew || !d->cut;
		if (!anew)
			see(d);
	}
	d->changed = d->changed_hidden = false;
	for (size_t i = 0; i < d->n; i++) {
		struct file_row *row = &d->rows[i];

		row->change = change_of(d, row->e);
		if (row->change == FILE_SAME)
			continue;
		if (json_text(row->e, "name")[0] == '.')
			d->changed_hidden = true;
		else
			d->changed = true;
	}
}

bool files_dir_knew(const struct files_dir *parent, const char *name)
{
	const struct file_seen *s = find(parent, name);

	return s ? s->dir : !parent->first || !parent->whole;
}

void files_dir_forget_seen(struct files_dir *d)
{
	while (d->n_seen) {
		struct file_seen *s = &d->seen[--d->n_seen];

		free(s->name);
		free(s->changed);
	}
	free(d->seen);
	d->seen = NULL;
	d->first = d->whole = false;
}
