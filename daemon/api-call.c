/* SPDX-License-Identifier: MIT */
/* REST requests that are one operation of the agent.  See api-call.h. */
#include "daemon/api-call.h"

#include <stdarg.h>
#include <stdlib.h>

#include "daemon/auth.h"
#include "daemon/http/http.h"
#include "daemon/sandbox.h"
#include "lib/base/json.h"
#include "lib/base/log.h"

struct sandbox *api_find_sandbox(struct http_req *r, struct daemon *d,
				 struct svm_err *err)
{
	struct caller c;

	auth_caller(d, r, &c);
	return sandbox_find(d, http_param(r, "id"), &c, err);
}

struct sandbox *api_call_sandbox(struct http_req *r, void *app)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct sandbox *s = api_find_sandbox(r, app, &err);

	if (s)
		audit_about(r, s);
	else
		http_reply_error(r, &err);
	return s;
}

static void call_free(struct api_call *c)
{
	agent_conn_drop(c->conn);
	if (c->ops->release)
		c->ops->release(c);
	audit_who_release(&c->who);
	if (c->sandbox)
		sandbox_unref(c->sandbox);
	free(c);
}

static void reply_error(struct api_call *c, const struct svm_err *err)
{
	static struct log_limit limit;
	struct http_req *r = c->req;

	if (!r)
		return;
	if (c->begun) {
		/* Whoever reads it can't be told any more. */
		if (log_limited(&limit, 20))
			log_warn_e(err, "sandbox=%s req=%s %s %s was cut off",
				   c->sandbox->id, http_request_id(r),
				   http_method(r), http_target(r));
		c->ops->cut(c);
		c->req = NULL;
		return;
	}
	c->req = NULL;
	http_reply_error(r, err);
}

void api_call_fail(struct api_call *c, const struct svm_err *err)
{
	reply_error(c, err);
	call_free(c);
}

void api_call_fail_broken(struct api_call *c, const char *what)
{
	auto_err struct svm_err err = SVM_ERR_INIT;

	svm_err_set(&err, SVM_PROVIDER, "the agent broke the protocol: %s",
		    what);
	api_call_fail(c, &err);
}

static void on_frame(void *data, const struct frame *f, int *fd)
{
	struct api_call *c = data;

	(void)fd;
	if (c->ops->frame)
		c->ops->frame(c, f);
}

static void on_drain(void *data)
{
	struct api_call *c = data;

	if (c->ops->drain)
		c->ops->drain(c);
}

static void on_end(void *data, const struct svm_err *err)
{
	auto_err struct svm_err taken = SVM_ERR_INIT;
	struct api_call *c = data;

	c->conn = NULL;
	if (err && sandbox_taken_away(c->sandbox, err, &taken))
		err = &taken;
	if (err)
		reply_error(c, err);
	else
		c->ops->done(c);
	call_free(c);
}

static const struct agent_conn_events conn_events = {
	on_frame, on_drain, on_end,
};

static void on_gone(struct http_req *r)
{
	struct api_call *c = http_data(r);

	c->req = NULL;
	if (c->ops->drop_when_gone)
		call_free(c);
	else
		agent_conn_pause(c->conn, false);
}

int api_call_start(struct api_call *c, struct http_req *r, struct sandbox *s,
		   const struct api_call_ops *ops, enum frame_type type,
		   const struct buf *payload)
{
	auto_err struct svm_err err = SVM_ERR_INIT;

	c->req = r;
	c->ops = ops;
	c->conn = sandbox_agent(s, type, payload->data, payload->len, 0,
				&conn_events, c, &err);
	if (!c->conn) {
		api_call_fail(c, &err);
		return -1;
	}
	c->sandbox = sandbox_ref(s);
	if (!r)
		return 0;
	audit_who_init(&c->who, s->daemon, r);
	http_set_data(r, c);
	http_on_gone(r, on_gone);
	return 0;
}

void api_call_reply(struct api_call *c, struct buf *json)
{
	struct http_req *r = c->req;

	c->req = NULL;
	if (r)
		http_reply_json(r, 200, json);
}

void api_call_reply_status(struct api_call *c, const char *status)
{
	auto_buf struct buf b = BUF_INIT;
	struct json_writer w = json_writer(&b);

	json_open(&w, NULL, '{');
	json_str(&w, "status", status);
	json_close(&w, '}');
	api_call_reply(c, &b);
}

void api_call_refuse(struct http_req *r, enum svm_code code, const char *fmt,
		     ...)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_buf struct buf text = BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(&text, fmt, ap);
	va_end(ap);
	svm_err_set(&err, code, "%s", buf_str(&text));
	http_reply_error(r, &err);
}
