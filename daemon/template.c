/* SPDX-License-Identifier: MIT */
/* One template.  See template.h; rules in API.md 1 and 6. */
#include "daemon/template.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/sandbox-request.h"
#include "lib/api/limits.h"
#include "lib/base/clock.h"
#include "lib/base/digest.h"
#include "lib/base/duration.h"
#include "lib/base/mem.h"

enum kind { TEXT, NUMBER, FLAG, DURATION, MAP, COMMANDS, NETWORK };

enum {
	SPAWN = 1u << 0, /* a field of POST /sandboxes */
	BOX = 1u << 1,   /* a warm copy is made of it */
	BLANK = 1u << 2, /* "" and 0 mean "not given" */
};

static const struct field {
	const char *name;
	enum kind kind;
	int64_t max;
	unsigned flags;
	const char *dflt; /* JSON, or NULL: left out */
} fields[] = {
	{ "version", TEXT, LIMIT_TEMPLATE_NAME, BLANK, "\"1\"" },
	{ "image", TEXT, LIMIT_IMAGE_REF, SPAWN | BOX | BLANK, NULL },
	{ "description", TEXT, LIMIT_METADATA_VALUE, 0, NULL },
	{ "provider", TEXT, LIMIT_NAME, SPAWN | BOX | BLANK, NULL },
	{ "memory_mb", NUMBER, LIMIT_MEMORY_MB, SPAWN | BOX | BLANK, "1024" },
	{ "vcpus", NUMBER, LIMIT_VCPUS, SPAWN | BOX | BLANK, "1" },
	{ "disk_mb", NUMBER, LIMIT_DISK_MB, SPAWN | BOX | BLANK, NULL },
	{ "pids", NUMBER, LIMIT_PIDS, SPAWN | BOX | BLANK, NULL },
	{ "ttl", DURATION, 0, SPAWN | BLANK, "\"30m\"" },
	{ "env", MAP, 0, SPAWN | BOX, NULL },
	{ "metadata", MAP, 0, SPAWN, NULL },
	{ "setup", COMMANDS, 0, BOX, NULL },
	{ "network", NETWORK, 0, SPAWN | BOX | BLANK, NULL },
	{ "read_only_rootfs", FLAG, 0, SPAWN | BOX, NULL },
	{ "pool_size", NUMBER, LIMIT_POOL_SIZE, 0, NULL },
};

/* Reading. */

static bool is_blank(const cJSON *v)
{
	return (cJSON_IsString(v) && !*v->valuestring) ||
	       (cJSON_IsNumber(v) && v->valuedouble == 0);
}

static const cJSON *given(const cJSON *body, const struct field *f)
{
	const cJSON *v = json_get(body, f->name);

	if (!v || cJSON_IsNull(v) || (f->flags & BLANK && is_blank(v)))
		return NULL;
	return v;
}

static const cJSON *given_name(const cJSON *body, const char *name)
{
	const struct field any = { .name = name, .flags = BLANK };

	return given(body, &any);
}

static int check_text(const struct field *f, const cJSON *v,
		      struct svm_err *err)
{
	if (!cJSON_IsString(v))
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "'%s' must be a string", f->name);
	if ((int64_t)strlen(v->valuestring) <= f->max)
		return 0;
	return svm_err_set(err, SVM_BAD_REQUEST,
			   "'%s' is longer than %lld bytes", f->name,
			   (long long)f->max);
}

static int check_duration(const struct field *f, const cJSON *v,
			  struct svm_err *err)
{
	int64_t ns = 0;

	if (cJSON_IsString(v) && duration_parse(v->valuestring, &ns) == 0 &&
	    ns > 0)
		return 0;
	svm_err_set(err, SVM_BAD_REQUEST, "'%s' must be a positive duration",
		    f->name);
	return svm_err_hint(err, "write it like 30m or 1h30m");
}

static int check_commands(const struct field *f, const cJSON *v,
			  struct svm_err *err)
{
	const cJSON *item;
	int n = cJSON_GetArraySize(v);

	if (!cJSON_IsArray(v) || n > LIMIT_SETUP_COMMANDS)
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "'%s' must be a list of at most %d "
				   "commands", f->name, LIMIT_SETUP_COMMANDS);
	cJSON_ArrayForEach(item, v)
		if (!cJSON_IsString(item) || !*item->valuestring ||
		    strlen(item->valuestring) >= LIMIT_ARG_BYTES)
			return svm_err_set(err, SVM_BAD_REQUEST,
					   "'%s' has an entry that is no "
					   "command: a string of 1 to %d "
					   "bytes", f->name,
					   LIMIT_ARG_BYTES - 1);
	return 0;
}

/* With the rules that a spawn has. */
static int check_map(const cJSON *body, const struct field *f,
		     struct svm_err *err)
{
	char **pairs = NULL;
	int r = sandbox_request_map(body, f->name, &pairs, err);

	strv_free(pairs);
	return r;
}

static int check(const cJSON *body, const struct field *f, const cJSON *v,
		 struct svm_err *err)
{
	enum spec_network network;
	int64_t number;
	bool flag;

	switch (f->kind) {
	case TEXT:
		return check_text(f, v, err);
	case NUMBER:
		return json_get_int(body, f->name, 1, f->max, &number, err);
	case FLAG:
		return json_get_bool(body, f->name, &flag, err);
	case DURATION:
		return check_duration(f, v, err);
	case MAP:
		return check_map(body, f, err);
	case COMMANDS:
		return check_commands(f, v, err);
	case NETWORK:
		return sandbox_request_network(body, "", &network, err);
	}
	BUG("field '%s' has no kind", f->name);
}

static void set(cJSON *o, const char *key, cJSON *item)
{
	cJSON_DeleteItemFromObjectCaseSensitive(o, key);
	cJSON_AddItemToObject(o, key, item);
}

/* Is the text of the new value what the old one says? */
static bool unchanged(const cJSON *body, const cJSON *old, const char *key)
{
	return old && cJSON_Compare(json_get(body, key), json_get(old, key),
				    true);
}

/* `cpu_cores` and `ttl_seconds` are other spellings.  Of two that differ the
 * one counts that is not what it was: a client may have changed either in the
 * object that it was given. */
static int respell(cJSON *body, const cJSON *old, struct svm_err *err)
{
	int64_t cores = 0, seconds = 0;
	char text[DURATION_SIZE];

	if (json_get_int(body, "cpu_cores", 1, LIMIT_VCPUS, &cores, err) < 0 ||
	    json_get_int(body, "ttl_seconds", 1, INT64_MAX / SECONDS(1),
			 &seconds, err) < 0)
		return -1;
	if (cores && (!given_name(body, "vcpus") ||
		      unchanged(body, old, "vcpus")))
		set(body, "vcpus", cJSON_CreateNumber((double)cores));
	if (!seconds || (given_name(body, "ttl") &&
			 !unchanged(body, old, "ttl")))
		return 0;
	const cJSON *ttl = given_name(body, "ttl");
	int64_t ns = 0;

	/* The same time: keep the way it was written. */
	if (cJSON_IsString(ttl) && duration_parse(ttl->valuestring, &ns) == 0 &&
	    (ns + SECONDS(1) - 1) / SECONDS(1) == seconds)
		return 0;
	duration_format(seconds * SECONDS(1), text);
	set(body, "ttl", cJSON_CreateString(text));
	return 0;
}

/* The version may be a number for them; here it is text. */
static void version_as_text(cJSON *body)
{
	const cJSON *v = json_get(body, "version");
	char text[32];

	/* 1e999 stays a number, which is refused. */
	if (!cJSON_IsNumber(v) || v->valuedouble == 0 ||
	    !isfinite(v->valuedouble))
		return;
	snprintf(text, sizeof(text), "%.15g", v->valuedouble);
	set(body, "version", cJSON_CreateString(text));
}

static cJSON *choose(cJSON *body, const cJSON *old, bool keep,
		     struct svm_err *err)
{
	cJSON *out = cJSON_CreateObject();

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		const struct field *f = &fields[i];
		const cJSON *v = given(body, f);

		if (v && check(body, f, v, err) < 0) {
			cJSON_Delete(out);
			return NULL;
		}
		if (!v && keep)
			v = json_get(old, f->name);
		if (v)
			set(out, f->name, cJSON_Duplicate(v, true));
		else if (f->dflt)
			set(out, f->name, cJSON_Parse(f->dflt));
	}
	return out;
}

static void make_key(struct template *t)
{
	struct digest_stream s;
	struct digest d;

	digest_start(&s);
	if (t->owner)
		digest_update(&s, t->owner, strlen(t->owner) + 1);
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		const cJSON *v = json_get(t->body, fields[i].name);

		if (!(fields[i].flags & BOX) || !v)
			continue;
		char *text = cJSON_PrintUnformatted(v);
		digest_update(&s, fields[i].name, strlen(fields[i].name) + 1);
		digest_update(&s, text, strlen(text) + 1);
		cJSON_free(text);
	}
	digest_finish(&s, &d);
	for (size_t i = 0; i < SPEC_WARM_KEY / 2; i++)
		snprintf(t->key + 2 * i, 3, "%02x", d.b[i]);
}

static struct template *make(const char *name, cJSON *body)
{
	struct template *t = xcalloc(1, sizeof(*t));
	const cJSON *pool = json_get(body, "pool_size");

	list_init(&t->link);
	t->name = xstrdup(name);
	t->body = body;
	t->pool_size = cJSON_IsNumber(pool) ? (uint32_t)pool->valuedouble : 0;
	make_key(t);
	return t;
}

struct template *template_new(const char *name, const cJSON *body,
			      const struct template *old, bool keep,
			      struct svm_err *err)
{
	const cJSON *before = old ? old->body : NULL;
	cJSON *work = cJSON_Duplicate(body, true), *out = NULL;

	version_as_text(work);
	if (respell(work, before, err) == 0)
		out = choose(work, before, keep, err);
	cJSON_Delete(work);
	if (out && !json_get(out, "image")) {
		svm_err_set(err, SVM_BAD_REQUEST, "'image' is missing");
		cJSON_Delete(out);
		return NULL;
	}
	return out ? make(name, out) : NULL;
}

void template_set_owner(struct template *t, const char *owner)
{
	free(t->owner);
	t->owner = xstrdup(owner);
	make_key(t);
}

struct template *template_load(const char *name, const char *text,
			       struct svm_err *err)
{
	auto_json struct json_doc doc = JSON_DOC_INIT;

	if (json_parse_object(&doc, text, strlen(text), err) < 0)
		return NULL;
	return template_new(name, doc.root, NULL, false, err);
}

char *template_text(const struct template *t)
{
	char *printed = cJSON_PrintUnformatted(t->body);
	char *text = xstrdup(printed);

	cJSON_free(printed);
	return text;
}

void template_free(struct template *t)
{
	if (!t)
		return;
	cJSON_Delete(t->body);
	free(t->owner);
	free(t->name);
	free(t);
}

/* Showing. */

static void show_strings(struct json_writer *w, const struct field *f,
			 const cJSON *v)
{
	const char *brackets = f->kind == MAP ? "{}" : "[]";
	const cJSON *item;

	json_open(w, f->name, brackets[0]);
	cJSON_ArrayForEach(item, v)
		json_str(w, item->string, item->valuestring);
	json_close(w, brackets[1]);
}

static void show_network(struct json_writer *w, const struct field *f,
			 const cJSON *v)
{
	char *text = cJSON_PrintUnformatted(v);

	json_raw(w, f->name, text);
	cJSON_free(text);
}

static void show_ttl(struct json_writer *w, const cJSON *v)
{
	int64_t ns = 0;

	json_str(w, "ttl", v->valuestring);
	(void)duration_parse(v->valuestring, &ns);
	json_int(w, "ttl_seconds", (ns + SECONDS(1) - 1) / SECONDS(1));
}

static void show(struct json_writer *w, const struct field *f, const cJSON *v)
{
	if (f->kind == MAP || f->kind == COMMANDS)
		show_strings(w, f, v);
	else if (f->kind == FLAG)
		json_bool(w, f->name, cJSON_IsTrue(v));
	else if (f->kind == NUMBER && (v || strcmp(f->name, "pool_size") == 0))
		json_int(w, f->name, v ? (int64_t)v->valuedouble : 0);
	else if (f->kind == DURATION)
		show_ttl(w, v);
	else if (cJSON_IsObject(v))
		show_network(w, f, v);
	else if (f->kind != NUMBER)
		json_str(w, f->name, v ? v->valuestring : "");
	if (strcmp(f->name, "vcpus") == 0)
		json_int(w, "cpu_cores", (int64_t)v->valuedouble);
}

void template_json(const struct template *t, struct json_writer *w)
{
	char when[CLOCK_RFC3339_SIZE];

	json_open(w, NULL, '{');
	json_str(w, "name", t->name);
	if (t->owner)
		json_str(w, "owner_id", t->owner);
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		show(w, &fields[i], json_get(t->body, fields[i].name));
	clock_format_rfc3339(t->created_ns, when);
	json_str(w, "created_at", when);
	clock_format_rfc3339(t->updated_ns, when);
	json_str(w, "updated_at", when);
	json_close(w, '}');
}

/* Using. */

char **template_setup(const struct template *t)
{
	const cJSON *list = json_get(t->body, "setup"), *item;
	int n = cJSON_GetArraySize(list);
	size_t i = 0;

	if (!n)
		return NULL;
	char **v = xcalloc((size_t)n + 1, sizeof(*v));
	cJSON_ArrayForEach(item, list)
		v[i++] = xstrdup(item->valuestring);
	return v;
}

/* What t has and the request does not; the request's own type errors stay for
 * the parser of requests to find. */
static void merge_map(cJSON *out, const struct field *f, const cJSON *ours)
{
	cJSON *theirs = cJSON_GetObjectItemCaseSensitive(out, f->name);
	const cJSON *item;

	if (!theirs || cJSON_IsNull(theirs)) {
		set(out, f->name, cJSON_Duplicate(ours, true));
		return;
	}
	if (!cJSON_IsObject(theirs))
		return;
	cJSON_ArrayForEach(item, ours)
		if (!json_get(theirs, item->string))
			cJSON_AddItemToObject(theirs, item->string,
					      cJSON_Duplicate(item, true));
}

cJSON *template_merge(const struct template *t, const cJSON *request,
		      const char *default_image)
{
	cJSON *out = request ? cJSON_Duplicate(request, true) :
			       cJSON_CreateObject();
	const cJSON *image = json_get(out, "image");
	auto_err struct svm_err ignored = SVM_ERR_INIT;

	if (default_image && cJSON_IsString(image) &&
	    strcmp(image->valuestring, default_image) == 0)
		cJSON_DeleteItemFromObjectCaseSensitive(out, "image");
	(void)respell(out, NULL, &ignored);
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		const struct field *f = &fields[i];
		const cJSON *ours = json_get(t->body, f->name);

		if (!(f->flags & SPAWN) || !ours)
			continue;
		if (f->kind == MAP)
			merge_map(out, f, ours);
		else if (!given(out, f))
			set(out, f->name, cJSON_Duplicate(ours, true));
	}
	return out;
}
