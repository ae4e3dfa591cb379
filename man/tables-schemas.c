/* SPDX-License-Identifier: MIT */
/* What routes take and give, in words, from their JSON schemas. */
#include <stdlib.h>
#include <string.h>

#include "daemon/schemas.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "man/mdoc.h"
#include "man/page.h"

static void add_type(struct buf *out, const cJSON *type);

static bool is_required(const cJSON *object, const char *name)
{
	const cJSON *one;

	cJSON_ArrayForEach(one, json_get(object, "required"))
		if (strcmp(one->valuestring, name) == 0)
			return true;
	return false;
}

/* "one of a, b" or "a or b". */
static void add_words(struct buf *out, const cJSON *list, const char *last)
{
	for (const cJSON *w = list->child; w; w = w->next)
		buf_addf(out, "%s%s",
			 w == list->child ? "" : w->next ? ", " : last,
			 w->valuestring);
}

static void add_object(struct buf *out, const cJSON *object)
{
	const cJSON *map = json_get(object, "additionalProperties");
	const cJSON *p = json_get(object, "properties");

	if (map) {
		buf_addstr(out, "map to ");
		add_type(out, map);
		return;
	}
	buf_addstr(out, "object");
	for (p = p ? p->child : NULL; p; p = p->next) {
		buf_addf(out, "%s%s: ", p->prev->next ? "; " : " of ",
			 p->string);
		add_type(out, p);
	}
}

/* In words: "list of string", "time", "one of shell, argv". */
static void add_type(struct buf *out, const cJSON *type)
{
	const cJSON *name = json_get(type, "type");
	const char *ref = json_text(type, "$ref");
	const char *text = json_text(type, "type");

	if (*ref) {
		buf_addstr(out, strrchr(ref, '/') + 1);
	} else if (json_get(type, "enum")) {
		add_words(out, json_get(type, "enum"), " or ");
	} else if (cJSON_IsArray(name) &&
		   json_get(type, "additionalProperties")) {
		add_object(out, type);
		buf_addstr(out, ", or null");
	} else if (cJSON_IsArray(name)) {
		add_words(out, name, " or ");
	} else if (strcmp(text, "array") == 0) {
		buf_addstr(out, "list of ");
		add_type(out, json_get(type, "items"));
	} else if (strcmp(text, "object") == 0) {
		add_object(out, type);
	} else if (*json_text(type, "format")) {
		buf_addstr(out, "time");
	} else if (*json_text(type, "pattern")) {
		buf_addf(out, "string like %s", json_text(type, "pattern"));
	} else {
		buf_addstr(out, *text ? text : "any value");
	}
}

static void add_part(struct table *t, const char *before, const cJSON *object,
		     const cJSON *property)
{
	auto_buf struct buf type = BUF_INIT;
	struct row *r = table_row(t, ROW_PART,
				  xasprintf("%s.%s", before, property->string),
				  NULL);

	buf_addf(&r->head, "Va %s", property->string);
	add_type(&type, property);
	if (!is_required(object, property->string))
		buf_addstr(&type, ", or not there");
	mdoc_text(&r->text, buf_str(&type));
	buf_addch(&r->text, '\n');
}

static void add_schema(struct table *t, const struct schema *s)
{
	auto_json struct json_doc doc = JSON_DOC_INIT;
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_buf struct buf type = BUF_INIT;
	struct row *r = table_row(t, ROW_ITEM, xstrdup(s->name), NULL);
	const cJSON *p;

	if (json_parse_object(&doc, s->json, strlen(s->json), &err) < 0)
		BUG("schema %s: %s", s->name, err.msg);
	buf_addf(&r->head, "Vt %s", s->name);
	p = json_get(doc.root, "properties");
	if (!p) {
		add_type(&type, doc.root);
		mdoc_sentence(&r->text, buf_str(&type));
		return;
	}
	buf_addstr(&r->text, "\\&\n");
	for (p = p->child; p; p = p->next)
		add_part(t, s->name, doc.root, p);
}

void tables_of_schemas(struct manual *m)
{
	struct table *t = manual_table(m, xstrdup("schemas"));

	for (size_t i = 0; schemas[i].name; i++)
		add_schema(t, &schemas[i]);
}
