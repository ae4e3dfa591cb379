/* SPDX-License-Identifier: MIT */
/*
 * WebSockets on commands and sessions.  See exec-socket.h.
 */
#include "daemon/exec-socket.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/api-exec.h"
#include "daemon/daemon.h"
#include "daemon/exec-chunk.h"
#include "daemon/exec-request.h"
#include "daemon/exec-run.h"
#include "daemon/http/http.h"
#include "daemon/sandbox.h"
#include "lib/api/msg.h"
#include "lib/base/fault.h"
#include "lib/base/mem.h"
#include "lib/base/signame.h"

enum close_code {
#define CLOSE(NAME, code, what) CLOSE_##NAME = (code),
	EXEC_SOCKET_CLOSES(CLOSE)
#undef CLOSE
};


/* Those of one socket, which may be gone before they are. */
struct words {
	struct exec_socket *socket; /* NULL: gone */
	unsigned n;
};

struct exec_socket {
	struct list link; /* daemon->sockets */
	struct http_ws *ws;
	struct sandbox *sandbox;
	struct exec_run *run;      /* NULL before the start and after the end */
	struct loop_timer *start;  /* until the start message */
	struct exec_chunk chunk;
	struct audit_who who;
	struct words *words;
	struct buf held; /* input that came while words were on their way */
	bool held_eof;   /* ... and its end */
	bool input_full; /* the command takes no more for now */
	bool binary, tagged, read_only, takeover, paused, closing, full;
};

static void close_with(struct exec_socket *k, enum close_code code,
		       const char *reason)
{
	if (k->closing)
		return;
	k->closing = true;
	http_ws_close(k->ws, code, reason);
}

/* The client is read as far as what it says can be passed on. */
static void listen_on(struct exec_socket *k)
{
	if (!k->closing)
		http_ws_pause(k->ws, k->input_full || k->held.len ||
				     k->words->n >= LIMIT_EXEC_WORDS);
}

static void feed(struct exec_socket *k, const char *p, size_t n)
{
	if (k->run && !k->read_only &&
	    exec_run_input(k->run, p, n) > LIMIT_QUEUE_HIGH)
		k->input_full = true;
}

static void end_input(struct exec_socket *k)
{
	if (k->run)
		exec_run_input(k->run, NULL, 0);
}

static void let_in(struct exec_socket *k)
{
	if (k->held.len)
		feed(k, k->held.data, k->held.len);
	buf_release(&k->held);
	if (k->held_eof)
		end_input(k);
	k->held_eof = false;
}

/* What is typed finds the size that was told before it: words go by another
 * connection, which the agent may hear later. */
static void take_input(struct exec_socket *k, const char *p, size_t n)
{
	if (k->words->n)
		buf_add(&k->held, p, n);
	else
		feed(k, p, n);
	listen_on(k);
}

static void take_eof(struct exec_socket *k)
{
	if (k->words->n)
		k->held_eof = true;
	else
		end_input(k);
}

static void word_over(void *data)
{
	struct words *o = data;

	o->n--;
	if (o->socket) {
		if (!o->n)
			let_in(o->socket);
		listen_on(o->socket);
	} else if (!o->n) {
		free(o);
	}
}

/* One more is on its way: each takes a connection to the agent. */
static struct exec_word word_begins(struct exec_socket *k)
{
	k->words->n++;
	return (struct exec_word){ word_over, k->words };
}

static size_t send_text(struct exec_socket *k, const struct buf *json)
{
	return k->closing ? 0 :
			    http_ws_send(k->ws, false, json->data, json->len);
}

static void send_error(struct exec_socket *k, const struct svm_err *err)
{
	auto_buf struct buf json = BUF_INIT;

	api_exec_add_error(&json, err);
	send_text(k, &json);
}

/* An error that ends it: whose fault it is decides the code. */
static void close_error(struct exec_socket *k, const struct svm_err *err)
{
	bool ours = err->code == SVM_INTERNAL || err->code == SVM_PROVIDER;

	send_error(k, err);
	close_with(k, ours ? CLOSE_OURS : CLOSE_POLICY,
		   svm_code_name(err->code));
}

/* What the run tells. */

static void take_over(struct exec_socket *k)
{
	struct list *pos, *tmp;
	const char *sid = exec_run_sid(k->run);

	list_for_each_safe(pos, tmp, &k->sandbox->daemon->sockets) {
		struct exec_socket *other =
			list_entry(pos, struct exec_socket, link);

		if (other != k && other->run &&
		    other->sandbox == k->sandbox &&
		    strcmp(exec_run_sid(other->run), sid) == 0)
			close_with(other, CLOSE_TAKEN, "taken over");
	}
}

static void on_started(void *data, const struct exec_started *s)
{
	auto_buf struct buf json = BUF_INIT;
	struct json_writer w = json_writer(&json);
	struct exec_socket *k = data;

	if (k->takeover)
		take_over(k);
	if (!k->full && !s->tty)
		return;
	json_open(&w, NULL, '{');
	json_str(&w, "type", "started");
	json_str(&w, "session_id", exec_run_sid(k->run));
	json_int(&w, "pid", s->pid);
	json_int(&w, "offset", (int64_t)s->offset);
	json_int(&w, "end", (int64_t)s->end);
	json_bool(&w, "tty", s->tty);
	json_int(&w, "cols", s->cols);
	json_int(&w, "rows", s->rows);
	json_close(&w, '}');
	send_text(k, &json);
}

static void throttle(struct exec_socket *k, size_t queued)
{
	if (queued <= LIMIT_QUEUE_HIGH || k->paused || !k->run)
		return;
	k->paused = true;
	exec_run_pause(k->run, true);
}

static void emit(void *data, bool is_stderr, const char *p, size_t n)
{
	const char *stream = is_stderr ? "stderr" : "stdout";
	auto_buf struct buf json = BUF_INIT;
	struct json_writer w = json_writer(&json);
	struct exec_socket *k = data;

	json_open(&w, NULL, '{');
	json_str(&w, "type", stream);
	json_str(&w, "stream", stream);
	json_strn(&w, "data", p, n);
	json_close(&w, '}');
	throttle(k, send_text(k, &json));
}

/* Two streams on one socket are told apart by a first byte, if asked for. */
static size_t send_binary(struct exec_socket *k, bool is_stderr,
			  const char *p, size_t n)
{
	char tagged[1 + LIMIT_EXEC_CHUNK];

	if (!k->tagged)
		return http_ws_send(k->ws, true, p, n);
	tagged[0] = is_stderr ? 2 : 1;
	memcpy(tagged + 1, p, n);
	return http_ws_send(k->ws, true, tagged, n + 1);
}

static void on_output(void *data, bool is_stderr, const char *p, size_t n)
{
	struct exec_socket *k = data;

	if (!k->binary) {
		exec_chunk_add(&k->chunk, is_stderr, p, n, emit, k);
		return;
	}
	while (n && !k->closing) {
		size_t piece = MIN(n, (size_t)LIMIT_EXEC_CHUNK);

		throttle(k, send_binary(k, is_stderr, p, piece));
		p += piece;
		n -= piece;
	}
}

static void on_lagged(void *data, uint64_t bytes)
{
	auto_buf struct buf json = BUF_INIT;
	struct json_writer w = json_writer(&json);

	json_open(&w, NULL, '{');
	json_str(&w, "type", "lagged");
	json_int(&w, "bytes", (int64_t)bytes);
	json_close(&w, '}');
	send_text(data, &json);
}

static void on_input_drained(void *data)
{
	struct exec_socket *k = data;

	k->input_full = false;
	listen_on(k);
}

static void send_exit(struct exec_socket *k, const struct agent_exit *x)
{
	auto_buf struct buf json = BUF_INIT;
	struct json_writer w = json_writer(&json);

	json_open(&w, NULL, '{');
	json_str(&w, "type", "exit");
	api_exec_add_exit(&w, x);
	if (x->flags & AGENT_EXIT_TIMEOUT)
		json_bool(&w, "timeout", true);
	json_close(&w, '}');
	send_text(k, &json);
	buf_clear(&json);
	buf_addstr(&json, "{\"type\":\"done\"}");
	send_text(k, &json);
}

static void on_ended(void *data, const struct agent_exit *x,
		     const struct svm_err *err)
{
	struct exec_socket *k = data;

	k->run = NULL;
	if (err) {
		close_error(k, err);
		return;
	}
	exec_chunk_finish(&k->chunk, emit, k);
	if (x->flags & AGENT_EXIT_TIMEOUT) {
		auto_free char *text = xasprintf("exec timeout: %s\n",
						 k->sandbox->id);

		on_output(k, true, text, strlen(text));
	}
	send_exit(k, x);
	close_with(k, CLOSE_NORMAL, "done");
}

static const struct exec_run_events run_events = {
	.started = on_started,
	.output = on_output,
	.lagged = on_lagged,
	.drained = on_input_drained,
	.ended = on_ended,
};

/* Messages of the client. */

static void start_run(struct exec_socket *k, const struct json_doc *doc)
{
	auto_exec_request struct exec_request q = EXEC_REQUEST_INIT;
	auto_err struct svm_err err = SVM_ERR_INIT;

	if (exec_request_parse(doc, &q, &err) < 0) {
		close_error(k, &err);
		return;
	}
	loop_timer_stop(k->start);
	audit_who_copy(&q.who, &k->who);
	k->binary = q.binary;
	k->tagged = q.tagged;
	k->full = q.full_frames || q.detach;
	k->run = exec_run_start(k->sandbox, &q, true, &run_events, k, &err);
	if (!k->run)
		close_error(k, &err);
}

static void take_stdin(struct exec_socket *k, const struct json_doc *doc)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_buf struct buf data = BUF_INIT;
	bool present;

	if (json_data(doc, JSON_DATA, &data, &present, &err) < 0)
		send_error(k, &err);
	else if (data.len)
		take_input(k, data.data, data.len);
}

static void take_signal(struct exec_socket *k, const struct json_doc *doc)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	const char *name = "";

	if (json_get_string(doc->root, "signal", &name, &err) < 0) {
		send_error(k, &err);
		return;
	}
	struct exec_word w = word_begins(k);
	if (exec_session_signal(k->sandbox, exec_run_sid(k->run), name, w,
				&err) < 0) {
		w.over(w.data);
		send_error(k, &err);
	}
	listen_on(k);
}

void exec_socket_resized(struct sandbox *s, const char *sid, uint16_t cols,
			 uint16_t rows, const struct exec_socket *but)
{
	auto_buf struct buf json = BUF_INIT;
	struct json_writer w = json_writer(&json);
	struct list *pos, *tmp;

	json_open(&w, NULL, '{');
	json_str(&w, "type", "resized");
	json_int(&w, "cols", cols);
	json_int(&w, "rows", rows);
	json_close(&w, '}');
	if (!s->daemon->sockets.next)
		return; /* there never was one */
	list_for_each_safe(pos, tmp, &s->daemon->sockets) {
		struct exec_socket *k =
			list_entry(pos, struct exec_socket, link);

		if (k != but && k->run && k->binary && k->sandbox == s &&
		    strcmp(exec_run_sid(k->run), sid) == 0 &&
		    /* output alone never comes that far */
		    http_ws_queued(k->ws) < 2 * LIMIT_QUEUE_HIGH)
			send_text(k, &json);
	}
}

static void take_resize(struct exec_socket *k, const struct json_doc *doc)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	uint16_t cols, rows;

	if (exec_request_size(doc->root, &cols, &rows, &err) < 0) {
		send_error(k, &err);
		return;
	}
	exec_session_resize(k->sandbox, exec_run_sid(k->run), cols, rows,
			    word_begins(k));
	listen_on(k);
	exec_socket_resized(k->sandbox, exec_run_sid(k->run), cols, rows, k);
}

static const struct {
	const char *type;
	void (*take)(struct exec_socket *k, const struct json_doc *doc);
} kinds[] = {
	{ "stdin", take_stdin },
	{ "signal", take_signal },
	{ "resize", take_resize },
};

static void take_message(struct exec_socket *k, const struct json_doc *doc,
			 const char *type)
{
	if (k->read_only || !k->run)
		return; /* a watcher may say what it likes */
	if (strcmp(type, "eof") == 0) {
		take_eof(k);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strcmp(type, kinds[i].type) == 0) {
			kinds[i].take(k, doc);
			return;
		}
	close_with(k, CLOSE_UNSUPPORTED, "unknown message type");
}

static void on_text(struct exec_socket *k, const char *p, size_t n)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	const char *type = "start";
	bool waiting = k->start && loop_timer_armed(k->start);

	if (json_parse_object(&doc, p, n, &err) < 0) {
		send_error(k, &err);
		close_with(k, waiting ? CLOSE_POLICY : CLOSE_INVALID,
			   "not a JSON object");
		return;
	}
	if (json_get_string(doc.root, "type", &type, &err) < 0) {
		close_error(k, &err);
		return;
	}
	if (!waiting)
		take_message(k, &doc, type);
	else if (strcmp(type, "start") == 0)
		start_run(k, &doc);
	else
		close_with(k, CLOSE_POLICY, "the first message must be start");
}

static void on_message(struct http_ws *ws, void *data, bool binary,
		       const void *p, size_t n)
{
	struct exec_socket *k = data;

	(void)ws;
	if (k->closing)
		return;
	if (!binary)
		on_text(k, p, n);
	else if (k->start && loop_timer_armed(k->start))
		close_with(k, CLOSE_POLICY, "the first message must be start");
	else if (n)
		take_input(k, p, n);
}

static void on_drain(struct http_ws *ws, void *data)
{
	struct exec_socket *k = data;

	(void)ws;
	if (!k->paused)
		return;
	k->paused = false;
	if (k->run)
		exec_run_pause(k->run, false);
}

static void on_close(struct http_ws *ws, void *data, unsigned code)
{
	struct exec_socket *k = data;

	(void)ws;
	(void)code;
	let_in(k);
	if (k->run)
		exec_run_leave(k->run);
	list_remove(&k->link);
	k->words->socket = NULL;
	if (!k->words->n)
		free(k->words);
	loop_timer_free(k->start);
	audit_who_release(&k->who);
	sandbox_unref(k->sandbox);
	free(k);
}

static const struct http_ws_events ws_events = {
	on_message, on_drain, on_close,
};

static void on_no_start(struct loop *l, void *data)
{
	(void)l;
	close_with(data, CLOSE_POLICY, "no start message came");
}

static struct exec_socket *socket_new(struct http_req *r, struct sandbox *s)
{
	struct exec_socket *k = xcalloc(1, sizeof(*k));
	struct list *all = &s->daemon->sockets;

	if (!all->next)
		list_init(all);
	list_append(all, &k->link);
	k->sandbox = sandbox_ref(s);
	k->words = xcalloc(1, sizeof(*k->words));
	k->words->socket = k;
	audit_who_init(&k->who, s->daemon, r);
	k->ws = http_ws_accept(r, &ws_events, k);
	return k;
}

void exec_socket_accept(struct http_req *r, struct sandbox *s)
{
	struct exec_socket *k = socket_new(r, s);

	k->start = loop_timer_new(s->daemon->loop, on_no_start, k);
	loop_timer_after(k->start, fault_time("ws.start", LIMIT_TIME_HEAD));
}

void exec_socket_attach(struct http_req *r, struct sandbox *s,
			const struct exec_attach *a)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_free char *sid = xstrdup(a->sid); /* the request's own */
	struct exec_socket *k = socket_new(r, s); /* the request is gone */

	k->read_only = a->read_only;
	k->takeover = a->takeover;
	k->binary = a->binary;
	k->full = true;
	k->run = exec_run_attach(s, sid, a->since, a->read_only,
				 &run_events, k, &err);
	if (!k->run)
		close_error(k, &err);
}
