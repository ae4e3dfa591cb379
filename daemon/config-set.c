/* SPDX-License-Identifier: MIT */
/*
 * One value of one key: reading its text, saying what is wrong with it.  See
 * config.h.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "daemon/config-internal.h"
#include "lib/api/config-text.h"
#include "lib/api/limits.h"
#include "lib/base/duration.h"
#include "lib/base/escape.h"
#include "lib/base/mem.h"
#include "lib/base/utf8.h"

/* Problems. */

PRINTF_LIKE(2, 0)
static void add_problem(struct config_load *ld, const char *fmt, va_list ap)
{
	if (ld->n_problems++ >= LIMIT_CONFIG_PROBLEMS)
		return;
	auto_free char *text = xvasprintf(fmt, ap);
	if (ld->problems.len)
		buf_addch(&ld->problems, '\n');
	escape_line(&ld->problems, text, strlen(text));
}

void config_problem(struct config_load *ld, const char *fmt, ...)
{
	va_list ap;

	ld->bad = true;
	va_start(ap, fmt);
	add_problem(ld, fmt, ap);
	va_end(ap);
}

void config_not_yet(struct config_load *ld, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_problem(ld, fmt, ap);
	va_end(ap);
}

/* Values. */

static bool parse_bool(const char *text, bool *ret)
{
	static const char *const words[] = { "false", "true", "no", "yes",
					     "off", "on", "0", "1" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcasecmp(text, words[i]) == 0) {
			*ret = i % 2;
			return true;
		}
	}
	return false;
}

static int parse_int(const char *text, int64_t *ret)
{
	char *end;

	if (!*text || strspn(text, "+-0123456789") != strlen(text))
		return -EINVAL;
	errno = 0;
	*ret = strtoll(text, &end, 10);
	return errno ? -errno : *end || end == text ? -EINVAL : 0;
}

/* Powers of 1024, but of 1000 for the letters that promise it (kB, MB). */
static int parse_size(const char *text, int64_t *ret)
{
	static const struct {
		const char *name;
		int64_t unit;
	} units[] = { { "", 1 }, { "B", 1 },
		      { "K", KIB(1) }, { "KiB", KIB(1) }, { "kB", 1000 },
		      { "M", MIB(1) }, { "MiB", MIB(1) }, { "MB", 1000000 },
		      { "G", INT64_C(1) << 30 }, { "GiB", INT64_C(1) << 30 },
		      { "GB", 1000000000 } };
	size_t digits = strspn(text, "0123456789");
	auto_free char *number = xstrndup(text, digits);
	const char *suffix = text + digits + strspn(text + digits, " ");
	int64_t v;
	int r = parse_int(number, &v);

	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (strcasecmp(suffix, units[i].name) == 0)
			return __builtin_mul_overflow(v, units[i].unit, ret) ?
				       -ERANGE : 0;
	return -EINVAL;
}

/* A number in the words of its kind, for "must be from A to B". */
static void format_number(enum config_kind kind, int64_t v,
			  char out[DURATION_SIZE])
{
	if (kind == CONFIG_DURATION)
		duration_format(v, out);
	else
		snprintf(out, DURATION_SIZE, "%" PRId64, v);
}

static void set_number(struct config_load *ld, const char *where,
		       enum config_id id, const char *text)
{
	const struct config_key *k = config_key(id);
	char min[DURATION_SIZE], max[DURATION_SIZE];
	int64_t v;
	int r = k->kind == CONFIG_DURATION ? duration_parse(text, &v) :
		k->kind == CONFIG_SIZE ? parse_size(text, &v) :
					 parse_int(text, &v);

	if (r == -EINVAL) {
		config_problem(ld, "%s: %s: '%.64s' is not a %s", where,
			       k->name, text,
			       k->kind == CONFIG_DURATION ?
				       "duration such as 30m or 1h30m" :
			       k->kind == CONFIG_SIZE ?
				       "size such as 64KiB or 10MiB" :
				       "whole number");
		return;
	}
	if (r < 0 || v < k->min || v > k->max) {
		format_number(k->kind, k->min, min);
		format_number(k->kind, k->max, max);
		config_problem(ld, "%s: %s: '%.64s' must be from %s to %s",
			       where, k->name, text, min, max);
		return;
	}
	*(int64_t *)config_member(ld->c, id) = v;
}

static bool is_choice(const char *choices, const char *text)
{
	size_t n = strlen(text);

	for (const char *p = choices; n; p++) {
		size_t len = strcspn(p, "|");

		if (len == n && strncmp(p, text, n) == 0)
			return true;
		p += len;
		if (!*p)
			break;
	}
	return false;
}

static bool is_text(const char *s)
{
	if (!utf8_valid(s, strlen(s)) || strlen(s) > LIMIT_CONFIG_VALUE)
		return false;
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return false;
	return true;
}

static void set_text(struct config_load *ld, const char *where,
		     enum config_id id, const char *text)
{
	const struct config_key *k = config_key(id);
	char **member = config_member(ld->c, id);

	if (k->kind == CONFIG_CHOICE && !is_choice(k->choices, text)) {
		config_problem(ld, "%s: %s: '%.64s' is not one of %s", where,
			       k->name, text, k->choices);
		return;
	}
	if (k->kind == CONFIG_PATH && *text && *text != '/') {
		config_problem(ld, "%s: %s: '%.64s' must be an absolute path",
			       where, k->name, text);
		return;
	}
	free(*member);
	*member = *text ? xstrdup(text) : NULL;
}

/* "a, b" as ["a", "b"]. */
static char **split_commas(const char *text)
{
	char **v = xcalloc(strlen(text) / 2 + 2, sizeof(*v));
	size_t n = 0;

	for (const char *p = text; *p; p += *p == ',') {
		p += strspn(p, " ");
		size_t len = strcspn(p, ",");
		size_t word = len;

		while (word && p[word - 1] == ' ')
			word--;
		if (word)
			v[n++] = xstrndup(p, word);
		p += len;
	}
	return v;
}

static void set_list(struct config_load *ld, const char *where,
		     enum config_id id, char *const *values)
{
	char ***member = config_member(ld->c, id);
	char **v = strv_len(values) == 1 ? split_commas(values[0]) :
					   strv_dup(values);

	if (strv_len(v) > LIMIT_CONFIG_LIST) {
		config_problem(ld, "%s: %s: more than %d items", where,
			       config_key(id)->name, LIMIT_CONFIG_LIST);
		strv_free(v);
		return;
	}
	strv_free(*member);
	*member = v;
}

/* Every value a line of text? */
static bool check_text(struct config_load *ld, const char *where,
		       const char *key, char *const *values)
{
	for (size_t i = 0; values[i]; i++) {
		if (is_text(values[i]))
			continue;
		config_problem(ld, "%s: %.64s: must be UTF-8 text of one line "
			       "and %d bytes at most", where, key,
			       LIMIT_CONFIG_VALUE);
		return false;
	}
	return true;
}

/* A later source's takes the place of an earlier one's. */
static void set_binding(struct config_load *ld, const char *where,
			const char *key, char *const *values)
{
	struct config *c = ld->c;
	struct buf keys = BUF_INIT;
	struct config_binding *b;

	if (!check_text(ld, where, key, values))
		return;
	if (config_is_argv(key)) /* as it can be typed again */
		config_text_list(values, &keys);
	else
		for (size_t i = 0; values[i]; i++)
			buf_addf(&keys, "%s%s", i ? " " : "", values[i]);
	b = (struct config_binding *)(uintptr_t)config_find_binding(c, key);
	if (!b) {
		c->bindings = xreallocarray(c->bindings, c->n_bindings + 1,
					    sizeof(*c->bindings));
		b = &c->bindings[c->n_bindings++];
		*b = (struct config_binding){ .key = xstrdup(key) };
	}
	free(b->value);
	free(b->origin);
	strv_free(b->values);
	b->values = strv_dup(values);
	b->value = buf_steal(&keys);
	b->origin = xstrdup(where);
}

void config_set(struct config_load *ld, const char *where, const char *key,
		char *const *values)
{
	enum config_id id = 0;
	unsigned before = ld->n_problems;

	if (config_is_later(key)) {
		config_not_yet(ld, "%s: %.64s is not supported by this "
			       "version; take it out", where, key);
		return;
	}
	if (config_is_binding(key)) {
		set_binding(ld, where, key, values);
		return;
	}
	if (!config_find(key, &id)) {
		config_unknown(ld, where, key);
		return;
	}
	const struct config_key *k = config_key(id);
	if (!check_text(ld, where, key, values))
		return;
	switch (k->kind) {
	case CONFIG_LIST:
		set_list(ld, where, id, values);
		break;
	case CONFIG_BOOL:
	case CONFIG_INT:
	case CONFIG_DURATION:
	case CONFIG_SIZE:
	case CONFIG_STRING:
	case CONFIG_PATH:
	case CONFIG_CHOICE:
	case CONFIG_SECRET:
		if (strv_len(values) != 1)
			config_problem(ld, "%s: %s takes one value, not a "
				       "list", where, key);
		else if (k->kind == CONFIG_BOOL) {
			if (!parse_bool(values[0],
					config_member(ld->c, id)))
				config_problem(ld, "%s: %s: '%.64s' is not "
					       "true or false", where, key,
					       values[0]);
		} else if (k->kind == CONFIG_INT ||
			   k->kind == CONFIG_DURATION ||
			   k->kind == CONFIG_SIZE) {
			set_number(ld, where, id, values[0]);
		} else {
			set_text(ld, where, id, values[0]);
		}
		break;
	}
	if (ld->n_problems != before)
		return;
	free(ld->c->origin[id]);
	ld->c->origin[id] = xstrdup(where);
}
