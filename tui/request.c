/* SPDX-License-Identifier: MIT */
/* Requests and streams, the model's side.  See request.h. */
#include "tui/request.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/urlenc.h"
#include "lib/client/reply.h"
#include "tui/model.h"

struct request *request_new(const char *method, char *target, request_fn done)
{
	struct request *r = xcalloc(1, sizeof(*r));

	r->method = method;
	r->target = target;
	r->done = done;
	list_init(&r->link);
	return r;
}

void request_free(struct request *r)
{
	if (!r)
		return;
	list_remove(&r->link);
	if (r->forget)
		r->forget(r->data);
	free(r->target);
	buf_release(&r->body);
	free(r->upload);
	free(r->download);
	free(r->about);
	free(r->doing);
	free(r->if_match);
	free(r->etag);
	strv_free(r->argv);
	buf_release(&r->reply);
	svm_err_release(&r->err);
	free(r);
}

void request_done(struct model *m, struct request *r)
{
	r->forget = NULL; /* done() has the data now */
	if (r->done)
		r->done(m, r);
}

void request_send(struct model *m, struct request *r)
{
	list_append(&m->requests, &r->link);
	m->waiting += !r->quiet;
}

char *request_sandbox(const char *id, const char *rest)
{
	struct buf b = BUF_INIT;

	buf_addstr(&b, "/api/v1/sandboxes/");
	urlenc_encode(&b, id, strlen(id));
	buf_addstr(&b, rest);
	return buf_steal(&b);
}

cJSON *request_json(struct request *r, struct json_doc *doc)
{
	cJSON *value;

	if (r->err.code != SVM_OK ||
	    reply_parse(doc, buf_str(&r->reply), r->reply.len, &value,
			&r->err) < 0)
		return NULL;
	return value;
}

cJSON *request_array(struct request *r, struct json_doc *doc)
{
	cJSON *value = request_json(r, doc);

	if (!value || cJSON_IsArray(value))
		return value;
	svm_err_set(&r->err, SVM_PROVIDER, "the daemon's reply is not a list");
	return NULL;
}

cJSON *request_object(struct request *r, struct json_doc *doc)
{
	cJSON *value = request_json(r, doc);

	if (!value || cJSON_IsObject(value))
		return value;
	svm_err_set(&r->err, SVM_PROVIDER,
		    "the daemon's reply is not an object");
	return NULL;
}

cJSON *request_steal(struct json_doc *doc, cJSON *value)
{
	return cJSON_DetachItemViaPointer(doc->root, value);
}

struct stream *stream_open(struct model *m, char *target, bool sse,
			   void (*line)(struct model *m, struct stream *s,
					const char *text, size_t n))
{
	struct stream *s = xcalloc(1, sizeof(*s));

	s->target = target;
	s->sse = sse;
	s->line = line;
	list_append(&m->streams, &s->link);
	return s;
}

void stream_close(struct model *m, struct stream *s)
{
	(void)m;
	if (!s)
		return;
	s->closed = true;
	s->data = NULL;
}

void stream_free(struct stream *s)
{
	list_remove(&s->link);
	free(s->target);
	free(s->body);
	svm_err_release(&s->err);
	free(s);
}
