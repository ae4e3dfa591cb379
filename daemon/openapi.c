/* SPDX-License-Identifier: MIT */
/*
 * GET /openapi.json: OpenAPI 3.1, made from the table of routes and what
 * route-info.c knows of them, so that it has exactly the routes there are.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/api.h"
#include "daemon/http/http.h"
#include "daemon/route-info.h"
#include "daemon/routes.h"
#include "daemon/schemas.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"

/* Words of a list: "a b:integer c!". */
static bool next_word(const char **p, const char **ret, size_t *ret_n)
{
	*p += strspn(*p, " ");
	*ret = *p;
	*ret_n = strcspn(*p, " ");
	*p += *ret_n;
	return *ret_n;
}

static void add_schema(struct json_writer *w, const char *key,
		       const char *name, size_t n)
{
	bool array = *name == '[';

	json_open(w, key, '{');
	if (array) {
		json_str(w, "type", "array");
		json_open(w, "items", '{');
		name++;
		n -= 2;
	}
	auto_free char *ref = xasprintf("#/components/schemas/%.*s", (int)n,
					name);
	json_str(w, "$ref", ref);
	if (array)
		json_close(w, '}');
	json_close(w, '}');
}

static void add_content(struct json_writer *w, const char *type,
			const char *schema, size_t n)
{
	json_open(w, "content", '{');
	json_open(w, type, '{');
	if (schema)
		add_schema(w, "schema", schema, n);
	json_close(w, '}');
	json_close(w, '}');
}

/* Parameters. */

static void add_parameter(struct json_writer *w, const char *where,
			  const char *name, size_t n, const char *type,
			  size_t type_n, bool required)
{
	json_open(w, NULL, '{');
	json_strn(w, "name", name, n);
	json_str(w, "in", where);
	json_bool(w, "required", required);
	json_open(w, "schema", '{');
	json_strn(w, "type", type, type_n);
	json_close(w, '}');
	json_close(w, '}');
}

static void add_path_parameters(struct json_writer *w, const char *pattern)
{
	for (const char *p = pattern; (p = strchr(p, '{')); p++)
		add_parameter(w, "path", p + 1, strcspn(p + 1, "}"), "string",
			      6, true);
}

static void add_parameters(struct json_writer *w, const char *where,
			   const char *list)
{
	const char *word;
	size_t n;

	while (list && next_word(&list, &word, &n)) {
		bool required = word[n - 1] == '!';
		size_t name = strcspn(word, ":! ");
		bool typed = name < n && word[name] == ':';

		add_parameter(w, where, word, name,
			      typed ? word + name + 1 : "string",
			      typed ? n - name - 1 - required : 6, required);
	}
}

/* One route. */

static void add_replies(struct json_writer *w, const struct route_info *i)
{
	const char *reply = i ? i->reply : "200";
	auto_free char *status = xstrndup(reply, 3);
	const char *what = reply + 3 + strspn(reply + 3, " ");

	json_open(w, "responses", '{');
	json_open(w, status, '{');
	json_str(w, "description",
		 strcmp(status, "101") == 0 ? "a WebSocket" : "done");
	if (strchr(what, '/'))
		add_content(w, what, NULL, 0);
	else if (*what)
		add_content(w, "application/json", what, strlen(what));
	json_close(w, '}');
	json_open(w, "default", '{');
	json_str(w, "description", "it was refused, or it failed");
	add_content(w, "application/json", "Error", 5);
	json_close(w, '}');
	json_close(w, '}');
}

static void add_body(struct json_writer *w, const struct route_info *i)
{
	if (!i || !i->body)
		return;
	json_open(w, "requestBody", '{');
	if (*i->body == '*')
		add_content(w, "application/octet-stream", NULL, 0);
	else
		add_content(w, "application/json", i->body, strlen(i->body));
	json_close(w, '}');
}

/* "file.write" of a PUT and of a POST need ids of their own. */
static void add_operation_id(struct json_writer *w,
			     const struct http_route *t,
			     const struct route_info *i)
{
	const struct route_info *other = route_infos;

	while (i && other->method &&
	       (other == i || strcmp(other->action, i->action) != 0))
		other++;
	auto_free char *id =
		!i || other->method ?
			xasprintf("%s.%s", i ? i->action : t->pattern,
				  t->method) :
			xstrdup(i->action);
	json_str(w, "operationId", id);
}

static void add_route(struct json_writer *w, const struct http_route *t)
{
	const struct route_info *i = route_info(t);
	char method[16] = "";

	for (size_t k = 0; t->method[k] && k + 1 < sizeof(method); k++)
		method[k] = (char)tolower((unsigned char)t->method[k]);
	json_open(w, method, '{');
	add_operation_id(w, t, i);
	if (i)
		json_str(w, "summary", i->summary);
	json_open(w, "parameters", '[');
	add_path_parameters(w, t->pattern);
	if (i) {
		add_parameters(w, "query", i->query);
		add_parameters(w, "header", route_info_headers(i));
	}
	json_close(w, ']');
	add_body(w, i);
	add_replies(w, i);
	if (t->flags & HTTP_NO_AUTH) {
		json_open(w, "security", '[');
		json_close(w, ']');
	}
	json_close(w, '}');
}

/* A path holds all its methods, so its other lines are looked for. */
static bool seen_before(const struct http_route *t)
{
	for (const struct http_route *u = daemon_routes; u < t; u++)
		if (strcmp(u->pattern, t->pattern) == 0)
			return true;
	return false;
}

static void add_paths(struct json_writer *w)
{
	json_open(w, "paths", '{');
	for (const struct http_route *t = daemon_routes; t->method; t++) {
		if (seen_before(t))
			continue;
		json_open(w, t->pattern, '{');
		for (const struct http_route *u = t; u->method; u++)
			if (strcmp(u->pattern, t->pattern) == 0)
				add_route(w, u);
		json_close(w, '}');
	}
	json_close(w, '}');
}

static void add_components(struct json_writer *w)
{
	json_open(w, "components", '{');
	json_open(w, "schemas", '{');
	for (size_t i = 0; schemas[i].name; i++)
		json_raw(w, schemas[i].name, schemas[i].json);
	json_close(w, '}');
	json_open(w, "securitySchemes", '{');
	json_raw(w, "key", "{\"type\":\"apiKey\",\"in\":\"header\","
			   "\"name\":\"X-API-Key\"}");
	json_raw(w, "bearer", "{\"type\":\"http\",\"scheme\":\"bearer\"}");
	json_close(w, '}');
	json_close(w, '}');
}

void api_openapi(struct http_req *r, void *app)
{
	auto_buf struct buf out = BUF_INIT;
	struct json_writer w = json_writer(&out);

	(void)app;
	json_open(&w, NULL, '{');
	json_str(&w, "openapi", "3.1.0");
	json_open(&w, "info", '{');
	json_str(&w, "title", "stacyvm");
	json_str(&w, "version", SVM_VERSION);
	json_close(&w, '}');
	/* Without authentication no key is needed. */
	json_raw(&w, "security", "[{},{\"key\":[]},{\"bearer\":[]}]");
	add_paths(&w);
	add_components(&w);
	json_close(&w, '}');
	http_reply_json(r, 200, &out);
}
