/* SPDX-License-Identifier: MIT */
/*
 * POST exec: the plain form, answered when the command has ended, and the
 * detached one, answered when it has started.  The streamed form is in
 * api-exec-stream.c.
 */
#include "daemon/api-exec.h"

#include <stdlib.h>

#include "daemon/api-call.h"
#include "daemon/api.h"
#include "daemon/daemon.h"
#include "daemon/exec-request.h"
#include "daemon/exec-run.h"
#include "daemon/http/http.h"
#include "daemon/sandbox.h"
#include "lib/base/base64.h"
#include "lib/base/duration.h"
#include "lib/base/mem.h"
#include "lib/base/work.h"
#include "lib/base/signame.h"

struct plain {
	struct http_req *req;
	struct exec_run *run;
	bool base64, detach, tty, truncated;
	char timeout[DURATION_SIZE];
	struct buf out[2]; /* stdout, stderr */
};

void api_exec_add_exit(struct json_writer *w, const struct agent_exit *x)
{
	json_int(w, "exit_code", x->code);
	if (x->signal) {
		const char *name = signame((int)x->signal);
		auto_free char *number = xasprintf("%u", x->signal);

		json_str(w, "signal", name ? name : number);
	}
	if (x->flags & AGENT_EXIT_OOM)
		json_bool(w, "oom", true);
}

void api_exec_add_error(struct buf *out, const struct svm_err *err)
{
	struct json_writer w = json_writer(out);

	json_open(&w, NULL, '{');
	json_str(&w, "type", "error");
	json_str(&w, "code", svm_code_name(err->code));
	json_str(&w, "message", err->msg);
	if (err->hint)
		json_str(&w, "remediation", err->hint);
	json_close(&w, '}');
}

void api_exec_stopping(const struct exec_run *run, struct svm_err *err)
{
	svm_err_set(err, SVM_UNAVAILABLE, "the daemon is stopping; the "
		    "command goes on without a caller");
	svm_err_hint(err, "start the daemon and see what it writes:  "
		     "stacyvm attach %s/%s", exec_run_sandbox(run)->id,
		     exec_run_sid(run));
}

static void plain_free(struct plain *p)
{
	buf_release(&p->out[0]);
	buf_release(&p->out[1]);
	free(p);
}

static void reply_json(struct plain *p, struct buf *json)
{
	struct http_req *r = p->req;

	p->req = NULL;
	http_reply_json(r, 200, json);
}

static void on_started(void *data, const struct exec_started *s)
{
	auto_buf struct buf json = BUF_INIT;
	struct json_writer w = json_writer(&json);
	struct plain *p = data;

	if (!p->detach)
		return;
	json_open(&w, NULL, '{');
	json_str(&w, "session_id", exec_run_sid(p->run));
	json_int(&w, "pid", s->pid);
	json_close(&w, '}');
	exec_run_detach(p->run);
	reply_json(p, &json);
	plain_free(p);
}

/* What is over the limit is read and dropped: the command must not block. */
static void on_output(void *data, bool is_stderr, const char *s, size_t n)
{
	struct plain *p = data;
	struct buf *b = &p->out[is_stderr];
	size_t room = LIMIT_EXEC_OUTPUT - b->len;

	if (n > room) {
		n = room;
		p->truncated = true;
	}
	buf_add(b, s, n);
}

static void add_output(struct json_writer *w, const char *key,
		       const struct buf *b, bool base64)
{
	auto_buf struct buf text = BUF_INIT;

	if (!base64) {
		json_strn(w, key, b->data ? b->data : "", b->len);
		return;
	}
	base64_encode(&text, b->data, b->len);
	json_strn(w, key, buf_str(&text), text.len);
}

static void reply_exit(struct plain *p, const struct agent_exit *x)
{
	auto_buf struct buf json = BUF_INIT;
	struct json_writer w = json_writer(&json);
	char took[DURATION_SIZE];

	json_open(&w, NULL, '{');
	api_exec_add_exit(&w, x);
	add_output(&w, "stdout", &p->out[0], p->base64);
	add_output(&w, "stderr", &p->out[1], p->base64);
	duration_format((int64_t)MIN(x->duration_ns, (uint64_t)INT64_MAX),
			took);
	json_str(&w, "duration", took);
	if (p->truncated)
		json_bool(&w, "truncated", true);
	if (p->base64)
		json_str(&w, "encoding", "base64");
	if (p->tty)
		json_str(&w, "session_id", exec_run_sid(p->run));
	json_close(&w, '}');
	reply_json(p, &json);
}

static void on_ended(void *data, const struct agent_exit *x,
		     const struct svm_err *err)
{
	struct plain *p = data;

	if (err)
		http_reply_error(p->req, err);
	else if (x->flags & AGENT_EXIT_TIMEOUT)
		api_call_refuse(p->req, SVM_TIMEOUT,
				"the command did not end within %s; its "
				"process tree was killed", p->timeout);
	else
		reply_exit(p, x);
	plain_free(p);
}

static const struct exec_run_events events = {
	.started = on_started, .output = on_output, .ended = on_ended,
};

static void on_gone(struct http_req *r)
{
	struct plain *p = http_data(r);

	exec_run_leave(p->run);
	plain_free(p);
}

/* Not to wait for it: its end may be hours away. */
static void on_stop(struct http_req *r)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct plain *p = http_data(r);

	api_exec_stopping(p->run, &err);
	exec_run_leave(p->run);
	http_reply_error(r, &err);
	plain_free(p);
}

static void start_plain(struct http_req *r, struct sandbox *s,
			struct exec_request *q)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct plain *p = xcalloc(1, sizeof(*p));

	p->req = r;
	p->base64 = q->base64;
	p->detach = q->detach;
	p->tty = q->tty;
	p->run = exec_run_start(s, q, false, &events, p, &err);
	duration_format(q->timeout_ns, p->timeout);
	if (!p->run) {
		http_reply_error(r, &err);
		plain_free(p);
		return;
	}
	http_set_data(r, p);
	http_on_gone(r, on_gone);
	http_on_stop(r, on_stop);
}

/* A large body is taken apart on a worker: nobody else waits for it.  The
 * request has no on_gone yet, so it and its body stay until it is answered. */
struct exec_job {
	struct work work;
	struct http_req *r;
	struct sandbox *s;
	struct exec_request q; /* borrows from doc, which does from the body */
	struct json_doc doc;
	int result;
	struct svm_err err;
};

static void run_parse(struct work *w)
{
	struct exec_job *j = container_of(w, struct exec_job, work);
	const struct buf *body = http_body(j->r);

	j->result = json_parse_object(&j->doc, buf_str(body), body->len,
				      &j->err);
	if (j->result == 0)
		j->result = exec_request_parse(&j->doc, &j->q, &j->err);
}

static void exec_parsed(struct work *w)
{
	struct exec_job *j = container_of(w, struct exec_job, work);

	if (j->result == 0) {
		http_note(j->r, HTTP_NOTE_TARGET, j->q.shown);
		audit_who_init(&j->q.who, j->s->daemon, j->r);
	}
	if (j->result < 0)
		http_reply_error(j->r, &j->err);
	else if (j->q.stream)
		api_exec_stream(j->r, j->s, &j->q);
	else
		start_plain(j->r, j->s, &j->q);
	exec_request_release(&j->q);
	json_release(&j->doc);
	svm_err_release(&j->err);
	sandbox_unref(j->s);
	free(j);
}

void api_exec(struct http_req *r, void *app)
{
	struct sandbox *s = api_call_sandbox(r, app);

	if (!s)
		return;
	struct exec_job *j = xcalloc(1, sizeof(*j));
	j->r = r;
	j->s = sandbox_ref(s);
	j->q = (struct exec_request)EXEC_REQUEST_INIT;
	j->work.run = run_parse;
	j->work.done = exec_parsed;
	if (http_body(r)->len > LIMIT_TURN_BYTES) {
		work_submit(s->daemon->workers, &j->work);
	} else {
		run_parse(&j->work);
		exec_parsed(&j->work);
	}
}
