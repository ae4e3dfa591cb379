/* SPDX-License-Identifier: MIT */
/* Routes of API.md 6.  The spawn from a template is in api-sandboxes.c. */
#include <stdlib.h>
#include <string.h>

#include "daemon/api.h"
#include "daemon/auth.h"
#include "daemon/daemon.h"
#include "daemon/http/http.h"
#include "daemon/template.h"
#include "daemon/templates.h"
#include "lib/api/template-name.h"
#include "lib/base/clock.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"

/* An answer that waits for the store. */
struct reply {
	struct http_req *r; /* NULL once the client has gone */
	int status;
	struct buf body;
};

static void reply_gone(struct http_req *r)
{
	((struct reply *)http_data(r))->r = NULL;
}

static struct reply *reply_new(struct http_req *r, int status)
{
	struct reply *reply = xcalloc(1, sizeof(*reply));

	reply->r = r;
	reply->status = status;
	http_set_data(r, reply);
	http_on_gone(r, reply_gone);
	return reply;
}

static void on_stored(void *data, const struct svm_err *err)
{
	struct reply *reply = data;

	if (reply->r && err)
		http_reply_error(reply->r, err);
	else if (reply->r)
		http_reply_json(reply->r, reply->status, &reply->body);
	buf_release(&reply->body);
	free(reply);
}

/* Takes t. */
static void put(struct http_req *r, struct daemon *d, struct template *t)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	const struct template *old = templates_find(d, t->owner, t->name);
	auto_buf struct buf body = BUF_INIT;
	struct json_writer w = json_writer(&body);

	t->updated_ns = clock_wall_ns();
	t->created_ns = old ? old->created_ns : t->updated_ns;
	template_json(t, &w);
	struct reply *reply = reply_new(r, old ? 200 : 201);
	reply->body = body;
	body = (struct buf)BUF_INIT;
	if (templates_put(d, t, on_stored, reply, &err) < 0)
		on_stored(reply, &err);
}

/* POST and PUT: the name is the route's and, or, the body's. */
static const char *get_name(struct http_req *r, const cJSON *body,
			    struct svm_err *err)
{
	const char *name = http_param(r, "name"), *in_body = NULL;

	if (json_get_string(body, "name", &in_body, err) < 0)
		return NULL;
	if (name && in_body && strcmp(name, in_body) != 0) {
		svm_err_set(err, SVM_BAD_REQUEST, "the template '%.80s' "
			    "can't be renamed to '%.80s' by editing it: clone "
			    "it under that name", name, in_body);
		svm_err_hint(err, "stacyvm template show NAME --json | "
			     "stacyvm template create NEW -f -");
		return NULL;
	}
	if (!name)
		name = in_body;
	if (!name)
		svm_err_set(err, SVM_BAD_REQUEST, "'name' is missing");
	return name && template_check_name(name, err) == 0 ? name : NULL;
}

/* To be changed, so everybody's is FORBIDDEN to who isn't everybody. */
static struct template *get_own(struct daemon *d, const struct caller *c,
				const char *name, struct svm_err *err)
{
	struct template *t = templates_get(d, c, name, err);

	if (!t || templates_may_change(c, t))
		return t;
	svm_err_set(err, SVM_FORBIDDEN, "the template '%s' is everybody's: "
		    "only the admin key changes it", name);
	svm_err_hint(err, "create one of that name: your own comes first");
	return NULL;
}

/* The template that the request describes, or NULL with err. */
static struct template *from_request(struct http_req *r, struct daemon *d,
				     bool keep, struct svm_err *err)
{
	auto_json struct json_doc doc = JSON_DOC_INIT;
	const struct buf *body = http_body(r);
	const char *match = http_header(r, "If-None-Match");
	struct caller c;

	if (json_parse_object(&doc, buf_str(body), body->len, err) < 0)
		return NULL;
	const char *name = get_name(r, doc.root, err);
	if (!name)
		return NULL;
	auth_caller(d, r, &c);
	const struct template *old = keep ? templates_find(d, c.space, name) :
					    get_own(d, &c, name, err);
	if (!old && !keep)
		return NULL;
	if (old && match && strcmp(match, "*") == 0) {
		svm_err_set(err, SVM_CONFLICT,
			    "a template '%s' is there already", name);
		return NULL;
	}
	struct template *t = template_new(name, doc.root, old, keep, err);
	const char *owner = old ? old->owner : c.space;
	if (t && owner)
		template_set_owner(t, owner);
	return t;
}

static void change(struct http_req *r, struct daemon *d, bool keep)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct template *t = from_request(r, d, keep, &err);

	if (t)
		put(r, d, t);
	else
		http_reply_error(r, &err);
}

void api_template_create(struct http_req *r, void *app)
{
	change(r, app, true);
}

void api_template_replace(struct http_req *r, void *app)
{
	change(r, app, false);
}

static struct template *find(struct http_req *r, struct daemon *d,
			     bool to_change)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	const char *name = http_param(r, "name");
	struct caller c;

	auth_caller(d, r, &c);
	struct template *t = to_change ? get_own(d, &c, name, &err) :
					 templates_get(d, &c, name, &err);
	if (!t)
		http_reply_error(r, &err);
	return t;
}

void api_template_get(struct http_req *r, void *app)
{
	const struct template *t = find(r, app, false);
	auto_buf struct buf out = BUF_INIT;
	struct json_writer w = json_writer(&out);

	if (!t)
		return;
	template_json(t, &w);
	http_reply_json(r, 200, &out);
}

void api_template_list(struct http_req *r, void *app)
{
	const struct daemon *d = app;
	struct caller c;
	auto_buf struct buf out = BUF_INIT;
	struct json_writer w = json_writer(&out);

	auth_caller(d, r, &c);
	json_open(&w, NULL, '[');
	for (struct template *t = NULL; (t = templates_next(d, t));)
		if (templates_lists(d, &c, t))
			template_json(t, &w);
	json_close(&w, ']');
	http_reply_json(r, 200, &out);
}

void api_template_delete(struct http_req *r, void *app)
{
	struct template *t = find(r, app, true);

	if (!t)
		return;
	struct reply *reply = reply_new(r, 200);
	buf_addstr(&reply->body, "{\"status\":\"deleted\"}");
	templates_delete(app, t, on_stored, reply);
}
