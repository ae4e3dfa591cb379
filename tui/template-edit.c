/* SPDX-License-Identifier: MIT */
/* A template in $EDITOR.  See template-edit.h. */
#include "tui/template-edit.h"

#include <stdlib.h>
#include <string.h>

#include "lib/api/template-form.h"
#include "lib/api/yaml.h"
#include "lib/base/mem.h"
#include "lib/base/urlenc.h"
#include "tui/editor-copy.h"
#include "tui/screen.h"

/* A template on its way through the editor. */
struct editing {
	struct editor_copy copy;
	char *name, *stamp; /* stamp: its updated_at */
	struct buf body;    /* what the daemon is to take */
};

static void release(struct editor_copy *c)
{
	struct editing *e = container_of(c, struct editing, copy);

	editor_copy_release(c);
	free(e->name);
	free(e->stamp);
	buf_release(&e->body);
	free(e);
}

/* Of a request that isn't answered any more; the copy stays. */
static void forget(void *data)
{
	struct editing *e = data;

	release(&e->copy);
}

char *template_target(const char *name)
{
	struct buf b = BUF_INIT;

	buf_addstr(&b, "/api/v1/templates/");
	urlenc_encode(&b, name, strlen(name));
	return buf_steal(&b);
}

/* The editing goes along, and is ours again in `done`. */
static void ask(struct model *m, struct editing *e, const char *method,
		request_fn done)
{
	struct request *r = request_new(method, template_target(e->name), done);

	r->doing = xasprintf("edit %s", e->name);
	r->data = e;
	r->forget = forget;
	if (e->body.len && strcmp(method, "PUT") == 0) {
		buf_add(&r->body, buf_str(&e->body), e->body.len);
		r->has_body = true;
	}
	request_send(m, r);
}

/* -- back from the editor */

static void put_done(struct model *m, struct request *r)
{
	struct editing *e = r->data;

	if (r->err.code != SVM_OK) {
		editor_copy_refuse(m, &e->copy, r->err.msg);
		svm_err_release(&r->err);
		return;
	}
	model_say(m, "changed %s", e->name);
	sync_templates(m);
	editor_copy_finish(&e->copy);
}

/* Somebody else's change must not be written over. */
static void compared(struct model *m, struct request *r)
{
	struct editing *e = r->data;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	cJSON *now = request_object(r, &doc);

	if (now && strcmp(json_text(now, "updated_at"), e->stamp) == 0) {
		ask(m, e, "PUT", put_done);
		return;
	}
	editor_copy_refuse(m, &e->copy, now ?
			   "It was changed by another since." : r->err.msg);
	svm_err_release(&r->err);
}

static void take(struct model *m, struct editor_copy *c,
		 const struct buf *text)
{
	struct editing *e = container_of(c, struct editing, copy);
	auto_err struct svm_err err = SVM_ERR_INIT;
	cJSON *fields = yaml_read("template.yaml", buf_str(text), text->len,
				  &err);

	if (!fields) {
		editor_copy_refuse(m, c, err.msg);
		return;
	}
	buf_clear(&e->body);
	template_form_json(fields, &e->body);
	cJSON_Delete(fields);
	ask(m, e, "GET", compared);
}

/* -- to the editor */

static void fetched(struct model *m, struct request *r)
{
	struct editing *e = r->data;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	cJSON *object = request_object(r, &doc);

	if (!object || editor_copy_is_busy(m)) {
		release(&e->copy);
		return;
	}
	e->stamp = xstrdup(json_text(object, "updated_at"));
	template_form_write(object, false, &e->copy.shown);
	(void)editor_copy_open(m, &e->copy, "template.yaml", &r->err);
}

void template_edit_open(struct model *m, const char *name)
{
	struct editing *e = xcalloc(1, sizeof(*e));

	e->name = xstrdup(name);
	e->copy.refused = "It is as it was.  What you wrote is kept as";
	e->copy.take = take;
	e->copy.release = release;
	ask(m, e, "GET", fetched);
}
