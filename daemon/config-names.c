/* SPDX-License-Identifier: MIT */
/*
 * Names of keys: finding one, saying what was probably meant by an unknown
 * one.  See config.h.
 */
#include <string.h>

#include "daemon/config-internal.h"
#include "lib/base/defs.h"

/* See config-internal.h. */
const char *const config_later[] = {
	"providers.docker.", "providers.firecracker.", "providers.e2b.",
	"providers.custom.", "providers.proot.", "pool.", NULL
};

bool config_find(const char *name, enum config_id *ret)
{
	for (unsigned i = 0; i < CONFIG_ID_MAX; i++) {
		if (strcmp(config_key((enum config_id)i)->name, name) == 0) {
			*ret = (enum config_id)i;
			return true;
		}
	}
	return false;
}

static bool begins_section(const char *name, const char *path, size_t n)
{
	return strncmp(name, path, n) == 0 && name[n] == '.';
}

/* What is behind "keys." or "commands."; NULL: it is neither's. */
static const char *below_ours(const char *key)
{
	static const char *const sections[] = { "keys.", "commands." };

	for (size_t i = 0; i < ARRAY_SIZE(sections); i++)
		if (strncmp(key, sections[i], strlen(sections[i])) == 0)
			return key + strlen(sections[i]);
	return NULL;
}

bool config_is_binding(const char *key)
{
	const char *name = below_ours(key);
	const char *dot = name ? strchr(name, '.') : NULL;

	return dot && dot > name && dot[1];
}

bool config_is_group(const char *path)
{
	const char *name = below_ours(path);

	return name && *name && !strchr(name, '.');
}

bool config_is_argv(const char *key)
{
	size_t n = strlen(key);

	return strncmp(key, "commands.", 9) == 0 && n > 13 &&
	       strcmp(key + n - 4, ".run") == 0;
}

const struct config_binding *config_find_binding(const struct config *c,
						 const char *key)
{
	for (size_t i = 0; i < c->n_bindings; i++)
		if (strcmp(c->bindings[i].key, key) == 0)
			return &c->bindings[i];
	return NULL;
}

bool config_is_section(const char *path)
{
	size_t n = strlen(path);

	if (strcmp(path, "keys") == 0 || strcmp(path, "commands") == 0)
		return true;
	for (unsigned i = 0; i < CONFIG_ID_MAX; i++)
		if (begins_section(config_key((enum config_id)i)->name, path,
				   n))
			return true;
	for (size_t i = 0; config_later[i]; i++)
		if (begins_section(config_later[i], path, n))
			return true;
	return false;
}

bool config_is_later(const char *key)
{
	for (size_t i = 0; config_later[i]; i++)
		if (strncmp(key, config_later[i], strlen(config_later[i])) == 0)
			return true;
	return false;
}

unsigned config_distance(const char *a, const char *b)
{
	unsigned rows[3][CONFIG_NAME_MAX + 1];
	size_t na = strlen(a), nb = strlen(b);

	if (na > CONFIG_NAME_MAX || nb > CONFIG_NAME_MAX)
		return ~0u;
	for (unsigned j = 0; j <= nb; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= na; i++) {
		unsigned *row = rows[i % 3], *up = rows[(i + 2) % 3];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= nb; j++) {
			unsigned d = up[j - 1] + (a[i - 1] != b[j - 1]);

			d = MIN(d, up[j] + 1);
			d = MIN(d, row[j - 1] + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1])
				d = MIN(d, rows[(i + 1) % 3][j - 2] + 1);
			row[j] = d;
		}
	}
	return rows[na % 3][nb];
}

/* The known key that was probably meant, or NULL: a typo, or the right last
 * word in the wrong section. */
static const char *nearest(const char *key)
{
	const char *best = NULL, *dot = strrchr(key, '.');
	unsigned least = (unsigned)MIN(strlen(key) / 4 + 1, (size_t)3) + 1;

	for (unsigned i = 0; i < CONFIG_ID_MAX; i++) {
		const char *name = config_key((enum config_id)i)->name;
		unsigned d = config_distance(key, name);

		if (d < least) {
			least = d;
			best = name;
		}
	}
	for (unsigned i = 0; i < CONFIG_ID_MAX && !best; i++) {
		const char *name = config_key((enum config_id)i)->name;

		if (strcmp(strrchr(name, '.') + 1, dot ? dot + 1 : key) == 0)
			best = name;
	}
	return best;
}

void config_unknown(struct config_load *ld, const char *where,
		    const char *key)
{
	const char *meant = nearest(key);

	if (meant)
		config_problem(ld, "%s: unknown key '%.64s'; did you mean "
			       "'%s'?", where, key, meant);
	else
		config_problem(ld, "%s: unknown key '%.64s'; known are the "
			       "keys of stacyvm config get", where, key);
}

void config_env_name(const char *key, char out[CONFIG_NAME_MAX + 1])
{
	size_t i = 0;

	for (; key[i] && i < CONFIG_NAME_MAX; i++)
		out[i] = key[i] == '.' ? '_' :
			 key[i] >= 'a' && key[i] <= 'z' ?
				 (char)(key[i] - 'a' + 'A') : key[i];
	out[i] = '\0';
}
