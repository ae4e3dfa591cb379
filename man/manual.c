/* SPDX-License-Identifier: MIT */
/* Tables and their rows, and what no page has.  See page.h. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/mem.h"
#include "man/page.h"

struct table *manual_table(struct manual *m, char *name)
{
	m->v = xreallocarray(m->v, m->n + 1, sizeof(*m->v));
	m->v[m->n] = (struct table){ .name = name };
	return &m->v[m->n++];
}

struct row *table_row(struct table *t, enum row_level level, char *key,
		      const char *group)
{
	t->v = xreallocarray(t->v, t->n + 1, sizeof(*t->v));
	t->v[t->n] = (struct row){ .level = level,
				   .key = key,
				   .group = xstrdup(group) };
	return &t->v[t->n++];
}

static void table_release(struct table *t)
{
	for (size_t i = 0; i < t->n; i++) {
		free(t->v[i].key);
		free(t->v[i].group);
		buf_release(&t->v[i].head);
		buf_release(&t->v[i].text);
		buf_release(&t->v[i].tail);
	}
	free(t->v);
	free(t->name);
}

void manual_release(struct manual *m)
{
	for (size_t i = 0; i < m->n; i++)
		table_release(&m->v[i]);
	free(m->v);
}

void manual_problem(struct manual *m, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	m->problems++;
}

static void check_row(struct manual *m, const struct table *t,
		      const struct row *r)
{
	if (r->level == ROW_PART)
		return; /* is where its item is */
	if (!r->used)
		manual_problem(m, "man: no page has '%s' of @%s", r->key,
			       t->name);
	else if (r->used > 1 && !t->repeats)
		manual_problem(m, "man: '%s' of @%s is there %u times", r->key,
			       t->name, r->used);
}

void manual_check(struct manual *m)
{
	for (size_t i = 0; i < m->n; i++) {
		const struct table *t = &m->v[i];

		for (size_t k = 0; k < t->n; k++)
			check_row(m, t, &t->v[k]);
	}
}
