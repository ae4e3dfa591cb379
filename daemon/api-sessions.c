/* SPDX-License-Identifier: MIT */
/*
 * Sessions: running or remembered commands that have a terminal, were
 * detached, or lost their caller with an earlier daemon.  The agent keeps
 * them; nothing is cached here.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/api-call.h"
#include "daemon/api-exec.h"
#include "daemon/api.h"
#include "daemon/exec-request.h"
#include "daemon/exec-socket.h"
#include "daemon/http/http.h"
#include "daemon/sandbox.h"
#include "lib/api/msg.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/signame.h"

struct session_call {
	struct api_call call;
	char *sid; /* the one that is wanted, or NULL */
	struct agent_session *v;
	size_t n;
};

static struct session_call *session_call(struct api_call *c)
{
	return container_of(c, struct session_call, call);
}

bool api_exec_sid_ok(const char *sid)
{
	size_t n = strlen(sid);

	return n == 11 && strncmp(sid, "ex-", 3) == 0 &&
	       strspn(sid + 3, "0123456789abcdef") == 8;
}

static void list_frame(struct api_call *c, const struct frame *f)
{
	struct session_call *sc = session_call(c);
	struct agent_session m;

	if (f->type != FRAME_SESSION)
		return;
	if (sc->n >= LIMIT_AGENT_SESSIONS * 2 ||
	    agent_session_decode(f->payload, f->len, &m) < 0) {
		api_call_fail_broken(c, "a bad description of a session");
		return;
	}
	bool attachable = m.flags & (AGENT_SESSION_TTY |
				     AGENT_SESSION_DETACHED) || !m.attached;
	if (!api_exec_sid_ok(m.sid) || !attachable ||
	    (sc->sid && strcmp(sc->sid, m.sid) != 0)) {
		agent_session_release(&m);
		return;
	}
	sc->v = xreallocarray(sc->v, sc->n + 1, sizeof(*sc->v));
	sc->v[sc->n++] = m;
}

static void add_session(struct json_writer *w, const struct agent_session *m)
{
	bool running = m->flags & AGENT_SESSION_RUNNING;
	char started[CLOCK_RFC3339_SIZE];
	int64_t age = (int64_t)MIN(m->age_ns, (uint64_t)clock_wall_ns());

	clock_format_rfc3339(clock_wall_ns() - age, started);
	json_open(w, NULL, '{');
	json_str(w, "id", m->sid);
	json_str(w, "command", m->command);
	json_str(w, "state", running ? "running" : "exited");
	json_bool(w, "tty", m->flags & AGENT_SESSION_TTY);
	json_bool(w, "detached", m->flags & AGENT_SESSION_DETACHED);
	json_int(w, "pid", m->pid);
	json_str(w, "started_at", started);
	json_int(w, "attached", m->attached);
	json_int(w, "cols", m->cols);
	json_int(w, "rows", m->rows);
	json_int(w, "output_bytes", (int64_t)MIN(m->output,
						 (uint64_t)INT64_MAX));
	if (!running)
		api_exec_add_exit(w, &m->exit);
	json_close(w, '}');
}

static void list_done(struct api_call *c)
{
	struct session_call *sc = session_call(c);
	auto_buf struct buf json = BUF_INIT;
	struct json_writer w = json_writer(&json);

	json_open(&w, NULL, '[');
	for (size_t i = 0; i < sc->n; i++)
		add_session(&w, &sc->v[i]);
	json_close(&w, ']');
	api_call_reply(c, &json);
}

static void get_done(struct api_call *c)
{
	struct session_call *sc = session_call(c);
	auto_buf struct buf json = BUF_INIT;
	struct json_writer w = json_writer(&json);

	if (sc->n) {
		add_session(&w, &sc->v[0]);
		api_call_reply(c, &json);
		return;
	}
	struct http_req *r = c->req;
	c->req = NULL;
	api_call_refuse(r, SVM_NOT_FOUND, "there is no session '%s'",
			sc->sid);
}

static void session_release(struct api_call *c)
{
	struct session_call *sc = session_call(c);

	for (size_t i = 0; i < sc->n; i++)
		agent_session_release(&sc->v[i]);
	free(sc->v);
	free(sc->sid);
}

static const struct api_call_ops list_ops = {
	.frame = list_frame, .done = list_done, .release = session_release,
	.drop_when_gone = true,
};

static const struct api_call_ops get_ops = {
	.frame = list_frame, .done = get_done, .release = session_release,
	.drop_when_gone = true,
};

static void start_list(struct http_req *r, struct sandbox *s, const char *sid)
{
	const struct buf none = BUF_INIT;
	struct session_call *sc = xcalloc(1, sizeof(*sc));

	sc->sid = xstrdup(sid);
	(void)api_call_start(&sc->call, r, s, sid ? &get_ops : &list_ops,
			     FRAME_SESSIONS, &none);
}

void api_session_list(struct http_req *r, void *app)
{
	struct sandbox *s = api_call_sandbox(r, app);

	if (s)
		start_list(r, s, NULL);
}

/* The sandbox, when {sid} may be a session of it; else an error was sent. */
static struct sandbox *find(struct http_req *r, void *app, const char **ret)
{
	struct sandbox *s;

	*ret = http_param(r, "sid"); /* an error reply ends r */
	s = api_call_sandbox(r, app);
	if (s && !api_exec_sid_ok(*ret)) {
		api_call_refuse(r, SVM_NOT_FOUND, "there is no such session");
		return NULL;
	}
	return s;
}

void api_session_get(struct http_req *r, void *app)
{
	const char *sid;
	struct sandbox *s = find(r, app, &sid);

	if (s)
		start_list(r, s, sid);
}

/* Requests whose answer is one word. */

static void signal_done(struct api_call *c)
{
	api_call_reply_status(c, "signalled");
}

static void resize_done(struct api_call *c)
{
	api_call_reply_status(c, "resized");
}

static void kill_done(struct api_call *c)
{
	api_call_reply_status(c, "killed");
}

static const struct api_call_ops signal_ops = { .done = signal_done };
static const struct api_call_ops resize_ops = { .done = resize_done };
static const struct api_call_ops kill_ops = { .done = kill_done };

static int signal_payload(struct buf *out, const char *sid, const char *name,
			  struct svm_err *err)
{
	int signo = signame_parse(name);

	if (signo < 0) {
		svm_err_set(err, SVM_BAD_REQUEST,
			    "'signal' is no signal: '%.40s'", name);
		return svm_err_hint(err, "name it like INT, TERM or KILL");
	}
	msg_add_str(out, sid);
	msg_add_u32(out, (uint32_t)signo);
	return 0;
}

static void resize_payload(struct buf *out, const char *sid, uint16_t cols,
			   uint16_t rows)
{
	msg_add_str(out, sid);
	msg_add_u16(out, cols);
	msg_add_u16(out, rows);
}

static void start_word(struct http_req *r, struct sandbox *s,
		       const struct api_call_ops *ops, enum frame_type type,
		       const struct buf *payload)
{
	struct api_call *c = xcalloc(1, sizeof(*c));

	(void)api_call_start(c, r, s, ops, type, payload);
}

static int parse_body(struct http_req *r, struct json_doc *doc,
		      struct svm_err *err)
{
	const struct buf *body = http_body(r);

	return json_parse_object(doc, buf_str(body), body->len, err);
}

void api_session_signal(struct http_req *r, void *app)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	auto_buf struct buf payload = BUF_INIT;
	const char *sid, *name = "";
	struct sandbox *s = find(r, app, &sid);

	if (!s)
		return;
	if (parse_body(r, &doc, &err) < 0 ||
	    json_get_string(doc.root, "signal", &name, &err) < 0 ||
	    signal_payload(&payload, sid, name, &err) < 0)
		http_reply_error(r, &err);
	else
		start_word(r, s, &signal_ops, FRAME_SIGNAL, &payload);
}

void api_session_resize(struct http_req *r, void *app)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	auto_buf struct buf payload = BUF_INIT;
	uint16_t cols, rows;
	const char *sid;
	struct sandbox *s = find(r, app, &sid);

	if (!s)
		return;
	if (parse_body(r, &doc, &err) < 0 ||
	    exec_request_size(doc.root, &cols, &rows, &err) < 0) {
		http_reply_error(r, &err);
		return;
	}
	resize_payload(&payload, sid, cols, rows);
	exec_socket_resized(s, sid, cols, rows, NULL);
	start_word(r, s, &resize_ops, FRAME_RESIZE, &payload);
}

void api_session_delete(struct http_req *r, void *app)
{
	auto_buf struct buf payload = BUF_INIT;
	const char *sid;
	struct sandbox *s = find(r, app, &sid);

	if (!s)
		return;
	msg_add_str(&payload, sid);
	start_word(r, s, &kill_ops, FRAME_KILL, &payload);
}

/* The same for a WebSocket: a signal that came too late hits nobody. */

struct word {
	struct api_call base;
	struct exec_word word;
};

static void nothing(struct api_call *c)
{
	(void)c;
}

static void word_release(struct api_call *c)
{
	struct word *w = (struct word *)c;

	w->word.over(w->word.data);
}

static const struct api_call_ops word_ops = { .done = nothing,
					      .release = word_release };

static void start_for_socket(struct sandbox *s, enum frame_type type,
			     const struct buf *payload, struct exec_word word)
{
	struct word *w = xcalloc(1, sizeof(*w));

	w->word = word;
	(void)api_call_start(&w->base, NULL, s, &word_ops, type, payload);
}

int exec_session_signal(struct sandbox *s, const char *sid, const char *signal,
			struct exec_word w, struct svm_err *err)
{
	auto_buf struct buf payload = BUF_INIT;

	if (signal_payload(&payload, sid, signal, err) < 0)
		return -1;
	start_for_socket(s, FRAME_SIGNAL, &payload, w);
	return 0;
}

void exec_session_resize(struct sandbox *s, const char *sid, uint16_t cols,
			 uint16_t rows, struct exec_word w)
{
	auto_buf struct buf payload = BUF_INIT;

	resize_payload(&payload, sid, cols, rows);
	start_for_socket(s, FRAME_RESIZE, &payload, w);
}
