/* SPDX-License-Identifier: MIT */
/* Patterns of paths.  See glob.h. */
#include "lib/base/glob.h"

#include <string.h>

#define COMPONENTS_MAX (GLOB_PATTERN_MAX / 2 + 1)

struct span {
	const char *p, *end;
};

/* The next component at *p, which moves past it; false at the end. */
static bool next_component(const char **p, struct span *ret)
{
	*p += strspn(*p, "/");
	ret->p = *p;
	*p += strcspn(*p, "/");
	ret->end = *p;
	return ret->p < ret->end;
}

/* The set that begins at p[0] == '['.  Returns the byte after it, or NULL
 * when it is not closed: then '[' is itself. */
static const char *match_set(const char *p, const char *end, unsigned char c,
			     bool *ret_hit)
{
	bool not = false, hit = false, first = true;

	p++;
	if (p < end && (*p == '!' || *p == '^')) {
		not = true;
		p++;
	}
	for (; p < end && (first || *p != ']'); first = false) {
		unsigned char lo, hi;

		if (*p == '\\' && p + 1 < end)
			p++;
		lo = hi = (unsigned char)*p++;
		if (p + 1 < end && *p == '-' && p[1] != ']') {
			p++;
			if (*p == '\\' && p + 1 < end)
				p++;
			hi = (unsigned char)*p++;
		}
		hit |= lo <= c && c <= hi;
	}
	if (p >= end)
		return NULL;
	*ret_hit = hit != not;
	return p + 1;
}

/* One pattern element against one byte: the rest of the pattern, or NULL. */
static const char *match_byte(const char *p, const char *end, char c)
{
	bool hit = false;

	if (*p == '?')
		return p + 1;
	if (*p == '[') {
		const char *rest = match_set(p, end, (unsigned char)c, &hit);

		if (rest)
			return hit ? rest : NULL;
	}
	if (*p == '\\' && p + 1 < end)
		p++;
	return *p == c ? p + 1 : NULL;
}

/* Only the last star ever needs to be tried again. */
static bool match_component(struct span pat, struct span name)
{
	const char *p = pat.p, *s = name.p;
	const char *star = NULL, *retry = NULL;

	while (s < name.end) {
		const char *rest = p < pat.end && *p != '*' ?
					   match_byte(p, pat.end, *s) : NULL;

		if (p < pat.end && *p == '*') {
			star = ++p;
			retry = s;
		} else if (rest) {
			p = rest;
			s++;
		} else if (star) {
			p = star;
			s = ++retry;
		} else {
			return false;
		}
	}
	while (p < pat.end && *p == '*')
		p++;
	return p == pat.end;
}

static bool is_any_depth(struct span c)
{
	return c.end - c.p == 2 && c.p[0] == '*' && c.p[1] == '*';
}

struct glob_state {
	struct span parts[COMPONENTS_MAX];
	size_t n;
	/* at[i]: what was read so far can be followed by parts[i..]. */
	bool at[COMPONENTS_MAX + 1];
};

/* "**" may stand for nothing. */
static void skip_any_depth(struct glob_state *g)
{
	for (size_t i = 0; i < g->n; i++)
		if (g->at[i] && is_any_depth(g->parts[i]))
			g->at[i + 1] = true;
}

static void step(struct glob_state *g, struct span name)
{
	for (size_t i = g->n + 1; i-- > 0;) {
		/* From behind, so that each place is moved once. */
		bool here = g->at[i];

		g->at[i] = false;
		if (!here || i == g->n)
			continue;
		if (is_any_depth(g->parts[i]))
			g->at[i] = true;
		else if (match_component(g->parts[i], name))
			g->at[i + 1] = true;
	}
	skip_any_depth(g);
}

/* Returns false when there is no such pattern. */
static bool walk(struct glob_state *g, const char *pattern, const char *path)
{
	struct span c;

	g->n = 0;
	if (strlen(pattern) > GLOB_PATTERN_MAX)
		return false;
	while (next_component(&pattern, &c))
		g->parts[g->n++] = c;
	memset(g->at, 0, g->n + 1);
	g->at[0] = true;
	skip_any_depth(g);
	while (next_component(&path, &c))
		step(g, c);
	return true;
}

bool glob_match(const char *pattern, const char *path)
{
	struct glob_state g;

	return walk(&g, pattern, path) && g.at[g.n];
}

bool glob_match_below(const char *pattern, const char *dir)
{
	struct glob_state g;

	if (!walk(&g, pattern, dir))
		return false;
	for (size_t i = 0; i < g.n; i++)
		if (g.at[i])
			return true;
	return false;
}

size_t glob_literal_prefix(const char *pattern)
{
	const char *p = pattern, *end = pattern;
	struct span c, after;

	while (next_component(&p, &c)) {
		const char *q = p;

		if (!next_component(&q, &after) ||
		    strcspn(c.p, "*?[\\") < (size_t)(c.end - c.p))
			break;
		end = c.end;
	}
	return (size_t)(end - pattern);
}
