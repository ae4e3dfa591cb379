/* SPDX-License-Identifier: MIT */
/*
 * Configuration as a whole: the table, the order of the sources, checks that
 * take more than one key, and showing it.  See config.h.
 */
#include "daemon/config.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "daemon/config-internal.h"
#include "lib/api/limits.h"
#include "lib/base/duration.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/path.h"

static const struct {
	struct config_key key;
	size_t offset;
} table[] = {
#define CONFIG(kind, member, name, def, min, max, choices, help) \
	{ { name, CONFIG_##kind, def, min, max, choices, help }, \
	  offsetof(struct config, member) },
#include "daemon/config.def"
#undef CONFIG
};
_Static_assert(ARRAY_SIZE(table) == CONFIG_ID_MAX, "a row per key");

const struct config_key *config_key(enum config_id id)
{
	return &table[id].key;
}

void *config_member(const struct config *c, enum config_id id)
{
	return (char *)(uintptr_t)c + table[id].offset;
}

void config_free(struct config *c)
{
	if (!c)
		return;
	for (unsigned i = 0; i < CONFIG_ID_MAX; i++) {
		void *member = config_member(c, (enum config_id)i);

		free(c->origin[i]);
		switch (table[i].key.kind) {
		case CONFIG_STRING:
		case CONFIG_PATH:
		case CONFIG_CHOICE:
			free(*(char **)member);
			break;
		case CONFIG_SECRET:
			mem_free_secret(*(char **)member,
					*(char **)member ?
					strlen(*(char **)member) : 0);
			break;
		case CONFIG_LIST:
			strv_free(*(char ***)member);
			break;
		case CONFIG_BOOL:
		case CONFIG_INT:
		case CONFIG_DURATION:
		case CONFIG_SIZE:
			break;
		}
	}
	for (size_t i = 0; i < c->n_bindings; i++) {
		free(c->bindings[i].key);
		free(c->bindings[i].value);
		free(c->bindings[i].origin);
		strv_free(c->bindings[i].values);
	}
	free(c->bindings);
	free(c);
}

struct config *config_defaults(void)
{
	struct config_load loading = { .c = xcalloc(1, sizeof(struct config)) };
	struct config_load *ld = &loading;

	for (unsigned i = 0; i < CONFIG_ID_MAX; i++) {
		const struct config_key *k = &table[i].key;
		char *values[] = { (char *)(uintptr_t)k->def, NULL };

		config_set(ld, "default", k->name, values);
	}
	if (ld->n_problems)
		BUG("config.def: %s", buf_str(&ld->problems));
	return ld->c;
}

/* Checks across keys. */

static const char *where(const struct config *c, enum config_id id)
{
	return c->origin[id];
}

/* The same within a message. */
static const char *other(const struct config *c, enum config_id id)
{
	const char *at = where(c, id);

	return strcmp(at, CONFIG_TO_BE_SET) == 0 ? "to be set" : at;
}

static bool is_loopback(const char *host)
{
	return strcasecmp(host, "localhost") == 0 ||
	       strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0 ||
	       strcmp(host, "[::1]") == 0;
}

static void check_hosts(struct config_load *ld)
{
	const struct config *c = ld->c;

	if (!c->server_host[0] && c->server_port)
		config_problem(ld, "%s: server.host is empty; server.port: 0 "
			       "is how to have no TCP",
			       where(c, CONFIG_ID_server_host));
	for (char **h = c->server_host; *h; h++)
		if (!is_loopback(*h) && c->server_port &&
		    !config_auth_on(c) && !c->server_allow_unauthenticated)
			config_problem(ld, "%s: server.host: '%.64s' can be "
				       "reached by others without a key; "
				       "server.allow_unauthenticated: true "
				       "overrides",
				       where(c, CONFIG_ID_server_host), *h);
}

/* auth.enabled was written, wherever; its default was not. */
static bool auth_written(const struct config *c)
{
	return strcmp(where(c, CONFIG_ID_auth_enabled), "default") != 0;
}

bool config_auth_on(const struct config *c)
{
	bool key = c->auth_api_key || c->auth_admin_api_key;

	return key && (c->auth_enabled || !auth_written(c));
}

/* A header must be able to carry it as it is. */
static void check_key(struct config_load *ld, enum config_id id,
		      const char *key)
{
	for (; key && *key; key++) {
		if (*key > ' ' && *key < 0x7f)
			continue;
		config_problem(ld, "%s: %s: a key must be printable ASCII "
			       "without spaces", where(ld->c, id),
			       config_key(id)->name);
		return;
	}
}

static void check_auth(struct config_load *ld)
{
	const struct config *c = ld->c;

	if (c->auth_enabled && !c->auth_api_key && !c->auth_admin_api_key)
		config_problem(ld, "%s: auth.enabled: true needs a key; set "
			       "auth.api_key, for example to the output of "
			       "'openssl rand -hex 32'",
			       where(c, CONFIG_ID_auth_enabled));
	check_key(ld, CONFIG_ID_auth_api_key, c->auth_api_key);
	check_key(ld, CONFIG_ID_auth_admin_api_key, c->auth_admin_api_key);
	if (c->auth_api_key && c->auth_admin_api_key &&
	    strcmp(c->auth_api_key, c->auth_admin_api_key) == 0)
		config_problem(ld, "%s: auth.admin_api_key is the same as "
			       "auth.api_key (%s): every caller would be an "
			       "administrator",
			       where(c, CONFIG_ID_auth_admin_api_key),
			       other(c, CONFIG_ID_auth_api_key));
}

/* "https://name[:port]", as a browser says it. */
static bool is_origin(const char *s)
{
	size_t scheme = strcspn(s, ":");

	if (!scheme || strncmp(s + scheme, "://", 3) != 0)
		return false;
	s += scheme + 3;
	return *s && !strpbrk(s, "/?#@* ");
}

static void check_origins(struct config_load *ld)
{
	const struct config *c = ld->c;
	const char *at = where(c, CONFIG_ID_server_cors_allowed_origins);

	for (char **o = c->server_cors_allowed_origins; *o; o++) {
		if (strcmp(*o, "*") == 0 && !config_auth_on(c))
			config_problem(ld, "%s: server.cors_allowed_origins: "
				       "'*' would let every web page drive "
				       "the API; it needs authentication",
				       at);
		else if (strcmp(*o, "*") != 0 && !is_origin(*o))
			config_problem(ld, "%s: server.cors_allowed_origins: "
				       "'%.64s' is not an origin such as "
				       "https://example.org", at, *o);
	}
}

static void check_limits(struct config_load *ld)
{
	const struct config *c = ld->c;

	if (c->defaults_ttl > c->defaults_max_ttl)
		config_problem(ld, "%s: defaults.ttl is longer than "
			       "defaults.max_ttl (%s)",
			       where(c, CONFIG_ID_defaults_ttl),
			       other(c, CONFIG_ID_defaults_max_ttl));
	if (c->defaults_max_exec_timeout &&
	    c->defaults_default_exec_timeout > c->defaults_max_exec_timeout)
		config_problem(ld, "%s: defaults.default_exec_timeout is "
			       "longer than defaults.max_exec_timeout (%s)",
			       where(c,
				     CONFIG_ID_defaults_default_exec_timeout),
			       other(c, CONFIG_ID_defaults_max_exec_timeout));
}

static void check_provider(struct config_load *ld)
{
	const struct config *c = ld->c;
	const char *name = c->providers_default;

	if ((strcmp(name, "mock") == 0 && !c->providers_mock_enabled) ||
	    (strcmp(name, "native") == 0 && !c->providers_native_enabled))
		config_problem(ld, "%s: providers.default: '%s' is switched "
			       "off; providers.%s.enabled: true turns it on",
			       where(c, CONFIG_ID_providers_default), name,
			       name);
}

static int report(struct config_load *ld, struct svm_err *err)
{
	unsigned more = ld->n_problems > LIMIT_CONFIG_PROBLEMS ?
				ld->n_problems - LIMIT_CONFIG_PROBLEMS : 0;

	if (more)
		buf_addf(&ld->problems, "\n... and %u more", more);
	return svm_err_set(err, ld->bad ? SVM_BAD_REQUEST : SVM_UNSUPPORTED,
			   "%s", buf_str(&ld->problems));
}

static void check_together(struct config_load *ld)
{
	check_auth(ld);
	check_hosts(ld);
	check_origins(ld);
	check_limits(ld);
	check_provider(ld);
}

int config_check(struct config *c, struct svm_err *err)
{
	struct config_load ld = { .c = c };

	check_together(&ld);
	int r = ld.n_problems ? report(&ld, err) : 0;
	buf_release(&ld.problems);
	return r;
}

static void read_file(struct config_load *ld, const struct config_source *src,
		      const char *path, bool must_exist)
{
	const struct config_instead *i = &src->instead;

	if (i->path && strcmp(i->path, path) == 0)
		config_read_instead(ld, i);
	else
		config_read_file(ld, path, must_exist);
}

int config_load(const struct config_source *src, struct config **ret,
		struct svm_err *err)
{
	struct config_load ld = { .c = config_defaults() };
	int r = 0;

	if (src->dir) {
		auto_free char *path = path_join(src->dir, "config.yaml");

		read_file(&ld, src, path, false);
	}
	if (src->cwd_file)
		read_file(&ld, src, src->cwd_file, false);
	if (src->file)
		read_file(&ld, src, src->file, true);
	config_set_env(&ld, src->env);
	config_set_flags(&ld, src->flags);
	if (!ld.n_problems)
		check_together(&ld);
	if (ld.n_problems)
		r = report(&ld, err);
	else
		*ret = steal_ptr(&ld.c);
	config_free(ld.c);
	buf_release(&ld.problems);
	return r;
}

/* Two configurations. */

static size_t size_of(enum config_id id)
{
	switch (config_key(id)->kind) {
	case CONFIG_BOOL:
		return sizeof(bool);
	case CONFIG_INT:
	case CONFIG_DURATION:
	case CONFIG_SIZE:
		return sizeof(int64_t);
	case CONFIG_STRING:
	case CONFIG_PATH:
	case CONFIG_CHOICE:
	case CONFIG_LIST:
	case CONFIG_SECRET:
		break;
	}
	return sizeof(char *);
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

bool config_equal(const struct config *a, const struct config *b,
		  enum config_id id)
{
	const void *x = config_member(a, id), *y = config_member(b, id);
	enum config_kind kind = config_key(id)->kind;

	if (kind == CONFIG_LIST) {
		char *const *v = *(char **const *)x, *const *w = *(char **const *)y;

		while (*v && *w && strcmp(*v, *w) == 0)
			v++, w++;
		return !*v && !*w;
	}
	if (kind == CONFIG_STRING || kind == CONFIG_PATH ||
	    kind == CONFIG_CHOICE || kind == CONFIG_SECRET)
		return same_text(*(char *const *)x, *(char *const *)y);
	return memcmp(x, y, size_of(id)) == 0;
}

void config_swap(struct config *a, struct config *b, enum config_id id)
{
	void *x = config_member(a, id), *y = config_member(b, id);
	unsigned char t[sizeof(int64_t)];
	char *origin = a->origin[id];
	size_t n = size_of(id);

	memcpy(t, x, n);
	memcpy(x, y, n);
	memcpy(y, t, n);
	a->origin[id] = b->origin[id];
	b->origin[id] = origin;
}

/* Showing. */

void config_add_value(const struct config *c, enum config_id id,
		      const char *name, struct json_writer *w)
{
	const struct config_key *k = config_key(id);
	const void *member = config_member(c, id);
	char text[DURATION_SIZE];

	switch (k->kind) {
	case CONFIG_BOOL:
		json_bool(w, name, *(const bool *)member);
		return;
	case CONFIG_INT:
	case CONFIG_SIZE:
		json_int(w, name, *(const int64_t *)member);
		return;
	case CONFIG_DURATION:
		duration_format(*(const int64_t *)member, text);
		json_str(w, name, text);
		return;
	case CONFIG_LIST:
		json_open(w, name, '[');
		for (char *const *v = *(char **const *)member; *v; v++)
			json_str(w, NULL, *v);
		json_close(w, ']');
		return;
	case CONFIG_SECRET:
	case CONFIG_STRING:
	case CONFIG_PATH:
	case CONFIG_CHOICE:
		break;
	}
	const char *s = *(char *const *)member;
	json_str(w, name, s && k->kind == CONFIG_SECRET ? "***" : s);
}

void config_json(const struct config *c, struct buf *out)
{
	struct json_writer w = json_writer(out);

	json_open(&w, NULL, '{');
	for (unsigned i = 0; i < CONFIG_ID_MAX; i++) {
		json_open(&w, table[i].key.name, '{');
		config_add_value(c, (enum config_id)i, "value", &w);
		json_str(&w, "origin", c->origin[i]);
		json_close(&w, '}');
	}
	for (size_t i = 0; i < c->n_bindings; i++) {
		json_open(&w, c->bindings[i].key, '{');
		json_str(&w, "value", c->bindings[i].value);
		json_str(&w, "origin", c->bindings[i].origin);
		json_close(&w, '}');
	}
	json_close(&w, '}');
}

char *config_value(const struct config *c, const char *key)
{
	const struct config_binding *b = config_find_binding(c, key);
	enum config_id id;

	if (b)
		return xstrdup(b->value);
	if (!config_find(key, &id))
		return NULL;
	enum config_kind kind = config_key(id)->kind;
	const void *member = config_member(c, id);
	struct buf out = BUF_INIT;
	char text[DURATION_SIZE];
	if (kind == CONFIG_BOOL) {
		buf_addstr(&out, *(const bool *)member ? "true" : "false");
	} else if (kind == CONFIG_INT || kind == CONFIG_SIZE) {
		buf_addf(&out, "%" PRId64, *(const int64_t *)member);
	} else if (kind == CONFIG_DURATION) {
		duration_format(*(const int64_t *)member, text);
		buf_addstr(&out, text);
	} else if (kind == CONFIG_LIST) {
		for (char *const *v = *(char **const *)member; *v; v++)
			buf_addf(&out, "%s%s", out.len ? "," : "", *v);
	} else {
		const char *s = *(char *const *)member;

		buf_addstr(&out, !s ? "" : kind == CONFIG_SECRET ? "***" : s);
	}
	return buf_steal(&out);
}

const char *config_origin(const struct config *c, const char *key)
{
	const struct config_binding *b = config_find_binding(c, key);
	enum config_id id;

	if (b)
		return b->origin;
	return config_find(key, &id) ? c->origin[id] : NULL;
}
