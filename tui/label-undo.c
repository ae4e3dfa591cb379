/* SPDX-License-Identifier: MIT */
/* Taking a change of names and labels back.  See label-undo.h. */
#include "tui/label-undo.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "tui/batch.h"
#include "tui/sandbox-act.h"
#include "tui/screen.h"

struct label_undo {
	cJSON *patch; /* what was sent: {"name": ..., "metadata": {...}} */
	cJSON *old;   /* by id, the same members as they were before */
};

static void undo_free(void *data)
{
	struct label_undo *u = data;

	if (!u)
		return;
	cJSON_Delete(u->patch);
	cJSON_Delete(u->old);
	free(u);
}

void label_undo_forget(struct model *m)
{
	undo_free(m->label_undo);
	m->label_undo = NULL;
}

void label_undo_begin(struct model *m, const struct buf *body)
{
	struct label_undo *u = xcalloc(1, sizeof(*u));

	label_undo_forget(m);
	u->patch = cJSON_ParseWithLength(buf_str(body), body->len);
	u->old = cJSON_CreateObject();
	m->label_undo = u;
}

/* The value, or null for none.  A sandbox without a name has no such member,
 * and a label may be empty. */
static cJSON *value_or_null(const cJSON *v)
{
	return cJSON_IsString(v) ? cJSON_Duplicate(v, true) :
				   cJSON_CreateNull();
}

void label_undo_note(struct model *m, const char *id)
{
	const struct sandbox *s = fleet_find(&m->fleet, id);
	struct label_undo *u = m->label_undo;
	const cJSON *l, *labels;
	cJSON *was;

	if (!s || !u || cJSON_HasObjectItem(u->old, id))
		return;
	was = cJSON_AddObjectToObject(u->old, id);
	if (cJSON_HasObjectItem(u->patch, "name"))
		cJSON_AddItemToObject(was, "name", value_or_null(
					json_get(s->json, "name")));
	labels = json_get(u->patch, "metadata");
	if (!labels)
		return;
	cJSON *map = cJSON_AddObjectToObject(was, "metadata");

	cJSON_ArrayForEach(l, labels)
		cJSON_AddItemToObject(map, l->string, value_or_null(json_get(
				json_get(s->json, "metadata"), l->string)));
}

/* The member is as we left it, and not as it was before. */
static bool is_ours(const cJSON *now, const cJSON *set, const cJSON *was)
{
	cJSON *is = value_or_null(now);
	bool ours = cJSON_Compare(is, set, true) &&
		    !cJSON_Compare(is, was, true);

	cJSON_Delete(is);
	return ours;
}

/* The body, owned; NULL when nothing is to be taken back there. */
static char *body_for(const struct label_undo *u, const struct sandbox *s)
{
	const cJSON *was = json_get(u->old, s->id), *l;
	const cJSON *name = json_get(was, "name");
	cJSON *body = cJSON_CreateObject(), *map = NULL;
	char *text = NULL;

	if (name && is_ours(json_get(s->json, "name"),
			    json_get(u->patch, "name"), name))
		cJSON_AddItemToObject(body, "name",
				      cJSON_Duplicate(name, true));
	cJSON_ArrayForEach(l, json_get(was, "metadata")) {
		if (!is_ours(json_get(json_get(s->json, "metadata"),
				      l->string),
			     json_get(json_get(u->patch, "metadata"),
				      l->string), l))
			continue;
		map = map ? map : cJSON_AddObjectToObject(body, "metadata");
		cJSON_AddItemToObject(map, l->string,
				      cJSON_Duplicate(l, true));
	}
	if (body->child)
		text = cJSON_PrintUnformatted(body);
	cJSON_Delete(body);
	return text;
}

static struct request *make(struct model *m, const char *id, void *data,
			    struct svm_err *err)
{
	const struct sandbox *s = fleet_find(&m->fleet, id);
	char *body = s ? body_for(data, s) : NULL;
	struct request *r;

	(void)err;
	if (!body)
		return NULL;
	r = request_new("PATCH", request_sandbox(id, ""), NULL);
	buf_addstr(&r->body, body);
	cJSON_free(body);
	r->has_body = true;
	r->doing = xasprintf("change %s", id);
	return r;
}

bool label_undo(struct model *m)
{
	struct label_undo *u = m->label_undo;
	const cJSON *was;
	size_t n = 0;

	if (!u)
		return false;
	char **ids = xcalloc((size_t)cJSON_GetArraySize(u->old) + 1,
			     sizeof(*ids));

	cJSON_ArrayForEach(was, u->old) {
		const struct sandbox *s = fleet_find(&m->fleet, was->string);
		char *body = s ? body_for(u, s) : NULL;

		if (body)
			ids[n++] = xstrdup(was->string);
		cJSON_free(body);
	}
	m->label_undo = NULL;
	if (!n) {
		strv_free(ids);
		undo_free(u);
		return false;
	}
	batch_start(m, &(struct batch){ .doing = "taking back the labels of",
					.done = "took back the labels of",
					.make = make,
					.each = sandbox_answered,
					.data = u,
					.release = undo_free }, ids);
	return true;
}
