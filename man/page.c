/* SPDX-License-Identifier: MIT */
/* A page from its source.  See page.h. */
#include "man/page.h"

#include <stdlib.h>
#include <string.h>

#include "cli/cmd.h"
#include "lib/base/mem.h"
#include "man/mdoc.h"

/* A source, line by line. */
struct reader {
	struct manual *m;
	const char *name;
	const struct cmd *cmd; /* that it is about, or NULL */
	const char *rest;
	unsigned line;         /* of the one read last */
};

#define PROBLEM(r, fmt, ...)                                           \
	manual_problem((r)->m, "man/%s.in:%u: " fmt, (r)->name, (r)->line, \
		       ##__VA_ARGS__)

/* What an @about says. */
struct about {
	char *key;
	struct buf text;
	unsigned line;
	bool used;
};

struct abouts {
	struct about *v;
	size_t n;
};

static char *next_line(struct reader *r)
{
	size_t n = strcspn(r->rest, "\n");

	if (!*r->rest)
		return NULL;
	char *line = xstrndup(r->rest, n);

	r->rest += n + (r->rest[n] == '\n');
	r->line++;
	return line;
}

static bool at(const struct reader *r, const char *word)
{
	return strncmp(r->rest, word, strlen(word)) == 0;
}

static void read_abouts(struct reader *r, struct abouts *a)
{
	bool block = at(r, "@about "), ended = !block;

	while (!ended) {
		auto_free char *line = next_line(r);

		if (!line) {
			PROBLEM(r, "@about without an @end");
			return;
		}
		ended = strcmp(line, "@end") == 0;
		if (strncmp(line, "@about ", 7) == 0) {
			a->v = xreallocarray(a->v, a->n + 1, sizeof(*a->v));
			a->v[a->n++] = (struct about){
				.key = xstrdup(line + 7), .line = r->line };
		} else if (!ended && line[0] == '@') {
			PROBLEM(r, "'%s' inside of @about", line);
		} else if (!ended) {
			buf_addf(&a->v[a->n - 1].text, "%s\n", line);
		}
	}
}

static void add_about(struct reader *r, struct abouts *a, struct row *row,
		      struct buf *out)
{
	bool words = row->text.len;

	buf_add(out, row->text.data, row->text.len);
	for (size_t i = 0; i < a->n; i++) {
		if (strcmp(a->v[i].key, row->key) != 0)
			continue;
		if (a->v[i].used)
			PROBLEM(r, "two @about %s", row->key);
		a->v[i].used = words = true;
		buf_add(out, a->v[i].text.data, a->v[i].text.len);
	}
	buf_add(out, row->tail.data, row->tail.len);
	if (!words && row->level != ROW_HEADING)
		PROBLEM(r, "'%s' wants an @about: nothing is said of it",
			row->key);
}

/* "server" is a group of "server.port", as is a row's own. */
static bool belongs(const struct row *row, const char *group)
{
	const char *is = row->group ? row->group : row->key;
	size_t n = strlen(group);

	return strcmp(row->key, group) == 0 ||
	       (strncmp(is, group, n) == 0 && (!is[n] || is[n] == '.'));
}

/* Words of a directive's line; without any, every row. */
static bool wanted(const struct row *row, const char *words)
{
	if (!*words)
		return true;
	while (*words) {
		size_t n = strcspn(words, " ");
		auto_free char *word = xstrndup(words, n);

		if (belongs(row, word))
			return true;
		words += n + strspn(words + n, " ");
	}
	return false;
}

static void check_words(struct reader *r, const struct table *t,
			const char *words)
{
	while (*words) {
		size_t n = strcspn(words, " "), found = 0;
		auto_free char *word = xstrndup(words, n);

		for (size_t i = 0; i < t->n; i++)
			found += belongs(&t->v[i], word);
		if (!found)
			PROBLEM(r, "@%s has no '%s'", t->name, word);
		words += n + strspn(words + n, " ");
	}
}

/* Lists are opened and closed as the level of rows asks for. */
static void to_level(unsigned *open, unsigned level, struct buf *out)
{
	for (; *open > level; --*open)
		buf_addstr(out, ".El\n");
	for (; *open < level; ++*open)
		buf_addf(out, ".Bl -tag -width Ds%s\n",
			 *open ? " -compact" : "");
}

static void add_rows(struct reader *r, struct table *t, const char *words,
		     struct buf *out)
{
	struct abouts a = { 0 };
	unsigned open = 0;
	bool with = true; /* parts follow their item */

	check_words(r, t, words);
	read_abouts(r, &a);
	for (size_t i = 0; i < t->n; i++) {
		struct row *row = &t->v[i];

		if (row->level != ROW_PART)
			with = wanted(row, words);
		if (!with)
			continue;
		to_level(&open, row->level, out);
		buf_addf(out, ".%s %s\n",
			 row->level == ROW_HEADING ? "Ss" : "It",
			 buf_str(&row->head));
		add_about(r, &a, row, out);
		row->used++;
	}
	to_level(&open, 0, out);
	for (size_t i = 0; i < a.n; i++) {
		if (!a.v[i].used)
			manual_problem(r->m, "man/%s.in:%u: @%s has no '%s'",
				       r->name, a.v[i].line, t->name,
				       a.v[i].key);
		free(a.v[i].key);
		buf_release(&a.v[i].text);
	}
	free(a.v);
}

static struct table *find_table(struct reader *r, const char *name)
{
	auto_free char *own = r->cmd ? xasprintf("%s %s", name, r->cmd->name) :
				       NULL;

	for (size_t i = 0; i < r->m->n; i++)
		if (strcmp(r->m->v[i].name, name) == 0 ||
		    (own && strcmp(r->m->v[i].name, own) == 0))
			return &r->m->v[i];
	return NULL;
}

static void add_name(struct reader *r, struct buf *out)
{
	const struct cmd *cmd = r->cmd;

	buf_addstr(out, ".Dt STACYVM-");
	for (const char *c = cmd->name; *c; c++)
		buf_addch(out, *c == '-' ? '-' : (char)(*c - 'a' + 'A'));
	buf_addf(out, " 1\n.Os\n.Sh NAME\n.Nm stacyvm-%s\n.Nd ", cmd->name);
	mdoc_text(out, cmd->summary);
	buf_addch(out, '\n');
}

static void directive(struct reader *r, const char *line, struct buf *out)
{
	size_t n = strcspn(line, " ");
	auto_free char *name = xstrndup(line + 1, n - 1);
	struct table *t = find_table(r, name);

	if (r->cmd && strcmp(name, "name") == 0)
		add_name(r, out);
	else if (r->cmd && strcmp(name, "synopsis") == 0)
		page_synopsis(r->cmd, out);
	else if (t)
		add_rows(r, t, line + n + strspn(line + n, " "), out);
	else
		PROBLEM(r, "there is no table '%s'", name);
}

void page_make(struct manual *m, const char *name, const char *source,
	       struct buf *out)
{
	struct reader r = { .m = m, .name = name, .rest = source,
			    .cmd = page_command(name) };
	bool named = false, used = false;
	char *line;

	buf_addf(out, ".\\\" Made from man/%s.in.\n", name);
	while ((line = next_line(&r))) {
		named |= strcmp(line, "@name") == 0;
		used |= strcmp(line, "@synopsis") == 0;
		if (line[0] == '@')
			directive(&r, line, out);
		else
			buf_addf(out, "%s\n", line);
		free(line);
	}
	if (r.cmd && !(named && used))
		PROBLEM(&r, "a command's page has @name and @synopsis");
}
