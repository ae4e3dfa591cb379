/* SPDX-License-Identifier: MIT */
/* Configuration, routes, errors and limits: the tables of the daemon. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "daemon/config-internal.h"
#include "daemon/exec-socket.h"
#include "daemon/http/http.h"
#include "daemon/reload.h"
#include "daemon/route-info.h"
#include "daemon/routes.h"
#include "lib/api/errmap.h"
#include "lib/api/limits.h"
#include "lib/base/duration.h"
#include "lib/base/mem.h"
#include "man/mdoc.h"
#include "man/page.h"
#include "providers/native/filter.h"
#include "providers/provider.h"

/* 16384 as 16 KiB, 3600 s as 1h0m0s. */
static void add_size(struct buf *out, int64_t n)
{
	static const char *const units[] = { "bytes", "KiB", "MiB", "GiB",
					     "TiB" };
	size_t i = 0;

	while (n && n % 1024 == 0 && i + 1 < ARRAY_SIZE(units)) {
		n /= 1024;
		i++;
	}
	buf_addf(out, "%" PRId64 " %s", n, units[i]);
}

static void add_time(struct buf *out, int64_t ns)
{
	char text[DURATION_SIZE];

	duration_format(ns, text);
	buf_addstr(out, text);
}

/* Configuration. */

static void add_bound(struct buf *out, enum config_kind kind, int64_t n)
{
	if (kind == CONFIG_DURATION)
		add_time(out, n);
	else if (kind == CONFIG_SIZE)
		add_size(out, n);
	else
		buf_addf(out, "%" PRId64, n);
}

static void add_type(struct buf *out, const struct config_key *k)
{
	static const char *const names[] = {
		[CONFIG_BOOL] = "",
		[CONFIG_INT] = "A number",
		[CONFIG_DURATION] = "A duration",
		[CONFIG_SIZE] = "A size",
		[CONFIG_STRING] = "Text",
		[CONFIG_PATH] = "A path",
		[CONFIG_CHOICE] = "",
		[CONFIG_LIST] = "A list",
		[CONFIG_SECRET] = "A secret",
	};

	if (k->kind == CONFIG_BOOL)
		mdoc_choices(out, "true|false");
	else if (k->kind == CONFIG_CHOICE)
		mdoc_choices(out, k->choices);
	else
		buf_addstr(out, names[k->kind]);
	if (k->max > k->min) {
		buf_addstr(out, " from ");
		add_bound(out, k->kind, k->min);
		buf_addstr(out, " to ");
		add_bound(out, k->kind, k->max);
	}
}

static void add_key(struct table *t, enum config_id id)
{
	const struct config_key *k = config_key(id);
	struct row *r = table_row(t, ROW_ITEM, xstrdup(k->name), NULL);
	char env[CONFIG_NAME_MAX + 1];

	config_env_name(k->name, env);
	buf_addf(&r->head, "Cm %s Pq Ev STACYVM_%s", k->name, env);
	mdoc_sentence(&r->text, k->help);
	buf_addstr(&r->tail, k->kind == CONFIG_BOOL ||
					k->kind == CONFIG_CHOICE ?
				".br\n." : ".br\n.No ");
	add_type(&r->tail, k);
	if (*k->def) {
		buf_addstr(&r->tail, " , No default Cm ");
		mdoc_word(&r->tail, k->def);
	}
	buf_addf(&r->tail, " ; No %s .\n",
		 reload_is_live(k->name) ? "on reload" : "at start");
}

/* Routes. */

static void add_list(struct buf *out, const char *title, const char *list)
{
	buf_addf(out, ".br\n%s:\n", title);
	while (*list) {
		size_t n = strcspn(list, " "), name = strcspn(list, ":! ");
		const char *rest = list + n + strspn(list + n, " ");

		buf_addf(out, ".Cm %.*s", (int)name, list);
		if (list[name] == ':')
			buf_addf(out, " Pq %.*s", (int)(n - name - 1),
				 list + name + 1);
		if (list[n - 1] == '!')
			buf_addstr(out, " Pq required");
		buf_addstr(out, *rest ? " ,\n" : " .\n");
		list = rest;
	}
}

static void add_reply(struct buf *out, const char *reply)
{
	const char *what = reply + 3 + strspn(reply + 3, " ");
	size_t n = strlen(what);

	buf_addf(out, ".br\nReply: %.3s", reply);
	if (strncmp(reply, "101", 3) == 0)
		buf_addstr(out, ", a WebSocket.\n");
	else if (*what == '[')
		buf_addf(out, ", a list of\n.Vt %.*s .\n", (int)n - 2,
			 what + 1);
	else if (strchr(what, '/'))
		buf_addf(out, ",\n.Li %s .\n", what);
	else
		buf_addf(out, ",\n.Vt %s .\n", what);
}

static void add_body(struct buf *out, const struct http_route *route,
		     const struct route_info *i)
{
	uint64_t max = route->max_body ? route->max_body :
					 LIMIT_HTTP_BODY_JSON;

	if (!i->body)
		return;
	if (*i->body == '*')
		buf_addstr(out, ".br\nBody: raw bytes, ");
	else
		buf_addf(out, ".br\nBody:\n.Vt %s ,\n", i->body);
	if (max == ~UINT64_C(0)) {
		buf_addstr(out, "of any size");
	} else {
		buf_addstr(out, "up to ");
		add_size(out, (int64_t)max);
	}
	buf_addstr(out, ".\n");
}

static void add_route(struct table *t, const struct http_route *route)
{
	const struct route_info *i = route_info(route);
	const char *path = route->pattern + strlen("/api/v1");

	if (!i)
		BUG("%s %s is not in route-info.c", route->method,
		    route->pattern);
	struct row *r = table_row(t, ROW_ITEM,
				  xasprintf("%s %s", route->method, path),
				  i->action);

	buf_addf(&r->head, "Li %s Ar %s", route->method, path);
	mdoc_sentence(&r->text, i->summary);
	if (route->flags & HTTP_ADMIN)
		buf_addstr(&r->text, "Needs the admin key where keys are "
				     "configured.\n");
	if (route->flags & HTTP_NO_AUTH)
		buf_addstr(&r->text, "Never needs a key.\n");
	if (i->query)
		add_list(&r->tail, "Query", i->query);
	if (route_info_headers(i))
		add_list(&r->tail, "Headers", route_info_headers(i));
	add_body(&r->tail, route, i);
	add_reply(&r->tail, i->reply);
}

/* Errors and how a WebSocket ends. */

static void add_error(struct table *t, enum svm_code code, const char *name,
		      const char *what)
{
	struct row *r = table_row(t, ROW_ITEM, xstrdup(name), NULL);

	buf_addf(&r->head, "Er %s Pq %d ; exit status %d", name,
		 errmap_http_status(code), errmap_exit_status(code));
	mdoc_sentence(&r->text, what);
}

static void add_errors(struct manual *m)
{
	struct table *t = manual_table(m, xstrdup("errors"));

#define SVM_CODE(NAME, name, what) add_error(t, SVM_##NAME, name, what);
#include "lib/base/errcode.def"
#undef SVM_CODE
}

static void add_event(struct table *t, const char *name, const char *what)
{
	struct row *r = table_row(t, ROW_ITEM, xstrdup(name), NULL);

	buf_addf(&r->head, "Cm %s", name);
	mdoc_sentence(&r->text, what);
}

static void add_events(struct manual *m)
{
	struct table *t = manual_table(m, xstrdup("events"));

#define EVENT_TYPE(NAME, name, what) add_event(t, name, what);
#include "lib/api/event-type.def"
#undef EVENT_TYPE
}

static void add_closes(struct manual *m)
{
	static const struct {
		unsigned code;
		const char *what;
	} closes[] = {
#define CLOSE(NAME, code, what) { code, what },
		EXEC_SOCKET_CLOSES(CLOSE)
#undef CLOSE
	};
	struct table *t = manual_table(m, xstrdup("closes"));

	for (size_t i = 0; i < ARRAY_SIZE(closes); i++) {
		struct row *r = table_row(t, ROW_ITEM,
					  xasprintf("%u", closes[i].code),
					  NULL);

		buf_addf(&r->head, "Li %u", closes[i].code);
		mdoc_sentence(&r->text, closes[i].what);
	}
}

/* Limits that a caller can meet; the page says of what. */

enum unit { COUNT, BYTES, TIME, MEBIBYTES };

#define LIMIT(group, name, unit) { #name, group, unit, LIMIT_##name }
static const struct {
	const char *name, *group;
	enum unit unit;
	int64_t n;
} limits[] = {
	LIMIT("http", HTTP_HEAD, BYTES),
	LIMIT("http", HTTP_TARGET, BYTES),
	LIMIT("http", HTTP_HEADERS, COUNT),
	LIMIT("http", HTTP_CONNECTIONS, COUNT),
	LIMIT("http", HTTP_SSE, COUNT),
	LIMIT("http", HTTP_WS, COUNT),
	LIMIT("http", HTTP_STREAMS, COUNT),
	LIMIT("http", WS_MESSAGE, BYTES),
	LIMIT("http", TIME_HEAD, TIME),
	LIMIT("http", TIME_BODY, TIME),
	LIMIT("http", TIME_IDLE_TCP, TIME),
	LIMIT("http", TIME_IDLE_UNIX, TIME),
	LIMIT("http", TIME_WRITE, TIME),
	LIMIT("http", TIME_KEEPALIVE, TIME),
	LIMIT("sandbox", SANDBOXES, COUNT),
	LIMIT("sandbox", MEMORY_MB, MEBIBYTES),
	LIMIT("sandbox", DISK_MB, MEBIBYTES),
	LIMIT("sandbox", VCPUS, COUNT),
	LIMIT("sandbox", PIDS, COUNT),
	LIMIT("sandbox", NAME, BYTES),
	LIMIT("sandbox", OWNER, BYTES),
	LIMIT("sandbox", METADATA_KEYS, COUNT),
	LIMIT("sandbox", METADATA_KEY, BYTES),
	LIMIT("sandbox", METADATA_VALUE, BYTES),
	LIMIT("sandbox", ENV_VARS, COUNT),
	LIMIT("sandbox", ENV_BYTES, BYTES),
	LIMIT("sandbox", TEMPLATES, COUNT),
	LIMIT("sandbox", TEMPLATES_OWNER, COUNT),
	LIMIT("sandbox", SETUP_COMMANDS, COUNT),
	LIMIT("sandbox", TIME_SETUP, TIME),
	LIMIT("sandbox", POOL_SIZE, COUNT),
	LIMIT("sandbox", TOMBSTONES, COUNT),
	LIMIT("inside", ARGS, COUNT),
	LIMIT("inside", ARG_BYTES, BYTES),
	LIMIT("inside", EXEC_OUTPUT, BYTES),
	LIMIT("inside", EXEC_CHUNK, BYTES),
	LIMIT("inside", AGENT_SESSIONS, COUNT),
	LIMIT("inside", AGENT_RING, BYTES),
	LIMIT("inside", TTY_SIZE, COUNT),
	LIMIT("inside", PATH, BYTES),
	LIMIT("inside", LIST_ENTRIES, COUNT),
	LIMIT("inside", GLOB_RESULTS, COUNT),
	LIMIT("inside", LOG_RING, BYTES),
	LIMIT("inside", EVENTS_KEPT, COUNT),
	LIMIT("inside", PREVIEWS, COUNT),
	LIMIT("inside", PREVIEWS_SANDBOX, COUNT),
};
#undef LIMIT

static void add_limits(struct manual *m)
{
	struct table *t = manual_table(m, xstrdup("limits"));

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		struct row *r = table_row(t, ROW_ITEM, xstrdup(limits[i].name),
					  limits[i].group);

		if (limits[i].unit == TIME)
			add_time(&r->head, limits[i].n);
		else if (limits[i].unit == COUNT)
			buf_addf(&r->head, "%" PRId64, limits[i].n);
		else
			add_size(&r->head, limits[i].unit == MEBIBYTES ?
						   limits[i].n * MIB(1) :
						   limits[i].n);
	}
}

/* Providers. */

static void add_provider(struct table *t, const struct provider_ops *ops)
{
	struct row *r = table_row(t, ROW_ITEM, xstrdup(ops->name), NULL);
	const char *sep = "";

	buf_addf(&r->head, "Cm %s", ops->name);
	mdoc_sentence(&r->text, ops->label);
	buf_addstr(&r->text, "Capabilities:\n.Cm");
	for (const struct provider_capability *c = provider_capabilities;
	     c->name; c++) {
		if (ops->caps & c->bit) {
			buf_addf(&r->text, "%s %s", sep, c->name);
			sep = " ,";
		}
	}
	buf_addstr(&r->text, " .\n");
}

/* "mount, umount2, ..." */
static void add_calls(struct table *t, const char *key, enum filter_list list)
{
	struct row *r = table_row(t, ROW_ITEM, xstrdup(key), NULL);
	const char *name;

	buf_addf(&r->head, "No %s", key);
	for (size_t i = 0; (name = filter_name(list, i)); i++)
		buf_addf(&r->tail, "%s%s", i ? ",\n" : "", name);
	buf_addstr(&r->tail, ".\n");
}

static void add_filter(struct manual *m)
{
	struct table *t = manual_table(m, xstrdup("calls"));

	add_calls(t, "refused", FILTER_REFUSED);
	add_calls(t, "tracing", FILTER_TRACING);
	add_calls(t, "allowed", FILTER_ALLOWED);
}

static void add_providers(struct manual *m)
{
	struct table *t = manual_table(m, xstrdup("providers"));

	for (size_t i = 0; provider_builtin[i]; i++)
		add_provider(t, provider_builtin[i]);
	t = manual_table(m, xstrdup("capabilities"));
	for (const struct provider_capability *c = provider_capabilities;
	     c->name; c++) {
		struct row *r = table_row(t, ROW_ITEM, xstrdup(c->name), NULL);

		buf_addf(&r->head, "Cm %s", c->name);
	}
}

void tables_of_daemon(struct manual *m)
{
	struct table *t = manual_table(m, xstrdup("config"));

	for (unsigned i = 0; i < CONFIG_ID_MAX; i++)
		add_key(t, (enum config_id)i);
	t = manual_table(m, xstrdup("routes"));
	for (const struct http_route *r = daemon_routes; r->method; r++)
		add_route(t, r);
	add_errors(m);
	add_events(m);
	add_closes(m);
	add_limits(m);
	add_providers(m);
	add_filter(m);
}
