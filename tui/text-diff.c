/* SPDX-License-Identifier: MIT */
/* Where two texts differ.  See text-diff.h. */
#include "tui/text-diff.h"

#include <stdbool.h>
#include <string.h>

#include "lib/base/defs.h"

#define AROUND 2
#define LINES_MAX 1000 /* of each */

struct lines {
	const char *at, *end;
};

static struct lines lines_of(const struct buf *b)
{
	return (struct lines){ buf_str(b), buf_str(b) + b->len };
}

static const char *line_end(const struct lines *l)
{
	const char *p = memchr(l->at, '\n', (size_t)(l->end - l->at));

	return p ? p + 1 : l->end;
}

/* Where the last line of it begins. */
static const char *last_line(const struct lines *l)
{
	const char *p = l->end - 1;

	while (p > l->at && p[-1] != '\n')
		p--;
	return p;
}

static bool same(const char *a, const char *a_end, const char *b,
		 const char *b_end)
{
	return a_end - a == b_end - b && memcmp(a, b, (size_t)(a_end - a)) == 0;
}

static void add(struct buf *out, char mark, const char *p, const char *end)
{
	size_t n = (size_t)(end - p);

	buf_addch(out, mark);
	buf_add(out, p, n - (n && p[n - 1] == '\n'));
	buf_addch(out, '\n');
}

static void add_all(struct buf *out, char mark, struct lines l)
{
	for (int i = 0; l.at < l.end; i++) {
		const char *next = line_end(&l);

		if (i == LINES_MAX) {
			buf_addf(out, "%c... and %zu bytes more\n", mark,
				 (size_t)(l.end - l.at));
			return;
		}
		add(out, mark, l.at, next);
		l.at = next;
	}
}

/* Skip what both begin with; what was skipped last is in *ret. */
static size_t skip_head(struct lines *a, struct lines *b, struct lines *ret)
{
	const char *kept[AROUND + 1];
	size_t n = 0;

	while (a->at < a->end && b->at < b->end &&
	       same(a->at, line_end(a), b->at, line_end(b))) {
		kept[n++ % ARRAY_SIZE(kept)] = a->at;
		b->at = line_end(b);
		a->at = line_end(a);
	}
	ret->end = a->at;
	ret->at = n ? kept[(n - MIN(n, (size_t)AROUND)) % ARRAY_SIZE(kept)] :
		      a->at;
	return n;
}

static void skip_tail(struct lines *a, struct lines *b)
{
	while (a->at < a->end && b->at < b->end &&
	       same(last_line(a), a->end, last_line(b), b->end)) {
		a->end = last_line(a);
		b->end = last_line(b);
	}
}

void text_diff(struct buf *out, const char *old_name, const struct buf *old,
	       const char *new_name, const struct buf *new)
{
	struct lines a = lines_of(old), b = lines_of(new), before, after;
	size_t line = skip_head(&a, &b, &before);

	skip_tail(&a, &b);
	buf_addf(out, "--- %s\n+++ %s\nfrom line %zu:\n", old_name, new_name,
		 line + 1);
	add_all(out, ' ', before);
	add_all(out, '-', a);
	add_all(out, '+', b);
	after = (struct lines){ b.end, buf_str(new) + new->len };
	for (int i = 0; i < AROUND && after.at < after.end; i++) {
		add(out, ' ', after.at, line_end(&after));
		after.at = line_end(&after);
	}
}
