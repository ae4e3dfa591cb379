/* SPDX-License-Identifier: MIT */
/* Candidates as text.  See offers.h. */
#include "cli/offers.h"

#include <stdlib.h>
#include <string.h>

#include "cli/words.h"
#include "lib/base/mem.h"
#include "lib/base/utf8.h"
#include "lib/base/width.h"

#define SHOWN_MAX 200
#define WORD_WIDTH 24 /* beside what it is */

void offers_add(struct offers *o, const char *word, const char *about)
{
	o->v = xreallocarray(o->v, o->n + 1, sizeof(*o->v));
	o->v[o->n++] = (struct offer){ xstrdup(word), xstrdup(about) };
}

void offers_release(struct offers *o)
{
	for (size_t i = 0; i < o->n; i++) {
		free(o->v[i].word);
		free(o->v[i].about);
	}
	free(o->v);
	*o = (struct offers){ 0 };
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct offer *)a)->word,
		      ((const struct offer *)b)->word);
}

void offers_sort(struct offers *o, size_t first)
{
	if (o->n > first)
		qsort(o->v + first, o->n - first, sizeof(*o->v), compare);
}

void offers_common(const struct offers *o, struct buf *out)
{
	const char *first = o->n ? o->v[0].word : "";
	size_t n = strlen(first);

	for (size_t i = 1; i < o->n; i++) {
		size_t k = 0;

		while (k < n && o->v[i].word[k] == first[k])
			k++;
		n = k;
	}
	buf_add(out, first, n - utf8_tail(first, n));
}

bool offers_complete(const struct offers *o, const char *line,
		     struct buf *out)
{
	auto_buf struct buf word = BUF_INIT;

	offers_common(o, &word);
	bool whole = o->n == 1 &&
		     !strchr("/:=", word.len ? word.data[word.len - 1] : '=');

	buf_add(out, line, o->at);
	words_quote(out, buf_str(&word), o->quote, whole);
	return whole;
}

static void pad(struct buf *out, size_t n)
{
	while (n--)
		buf_addch(out, ' ');
}

static void show_lines(const struct offers *o, size_t skip, size_t columns,
		       struct buf *out)
{
	size_t widest = 0;

	for (size_t i = 0; i < MIN(o->n, SHOWN_MAX); i++) {
		const char *word = o->v[i].word + skip;

		widest = MAX(widest, MIN(width_text(word, strlen(word)),
					 WORD_WIDTH));
	}
	for (size_t i = 0; i < MIN(o->n, SHOWN_MAX); i++) {
		const char *word = o->v[i].word + skip;
		const char *about = o->v[i].about;
		size_t width = width_text(word, strlen(word)), fits = 0;
		size_t at = MAX(width, widest) + 2;

		buf_addstr(out, word);
		if (about[0] && at < columns) {
			pad(out, at - width);
			buf_add(out, about, width_fit(about, strlen(about),
						      columns - at, &fits));
		}
		buf_addch(out, '\n');
	}
}

static void show_table(const struct offers *o, size_t skip, size_t columns,
		       struct buf *out)
{
	size_t n = MIN(o->n, SHOWN_MAX), widest = 1;

	for (size_t i = 0; i < n; i++)
		widest = MAX(widest, width_text(o->v[i].word + skip,
						strlen(o->v[i].word + skip)));
	size_t across = MAX(columns / (widest + 2), 1);
	size_t rows = (n + across - 1) / across;

	for (size_t row = 0; row < rows; row++) {
		for (size_t i = row; i < n; i += rows) {
			const char *word = o->v[i].word + skip;

			buf_addstr(out, word);
			if (i + rows < n)
				pad(out, widest + 2 -
						 width_text(word,
							    strlen(word)));
		}
		buf_addch(out, '\n');
	}
}

void offers_show(const struct offers *o, size_t columns, struct buf *out)
{
	auto_buf struct buf common = BUF_INIT;
	bool told = false;

	offers_common(o, &common);
	/* The directory that all are in has just been typed. */
	const char *slash = strrchr(buf_str(&common), '/');
	size_t skip = slash ? (size_t)(slash + 1 - buf_str(&common)) : 0;

	for (size_t i = 0; i < o->n; i++) {
		told |= o->v[i].about[0] != '\0';
		if (!o->v[i].word[skip]) /* the directory itself */
			skip = 0;
	}
	if (told)
		show_lines(o, skip, columns, out);
	else
		show_table(o, skip, columns, out);
	if (o->n > SHOWN_MAX)
		buf_addf(out, "and %zu more\n", o->n - SHOWN_MAX);
}
