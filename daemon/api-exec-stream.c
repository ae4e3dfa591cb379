/* SPDX-License-Identifier: MIT */
/*
 * Streamed exec: NDJSON, a line per chunk as it happens (API.md 4).
 *
 * The head goes out when the command has started, so a failure to start is a
 * normal status.  The end is told by the trailer, or by a closing line with
 * `frames: full`; an end that is none closes the connection without the last
 * chunk, the only failure old clients understand.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/api-exec.h"
#include "daemon/exec-chunk.h"
#include "daemon/exec-request.h"
#include "daemon/exec-run.h"
#include "daemon/http/http.h"
#include "daemon/sandbox.h"
#include "lib/base/base64.h"
#include "lib/base/mem.h"

struct stream {
	struct http_req *req;
	struct exec_run *run;
	struct exec_chunk chunk;
	bool full, base64, begun, paused;
};

static void on_gone(struct http_req *r)
{
	struct stream *st = http_data(r);

	exec_run_leave(st->run);
	free(st);
}

static void on_drain(struct http_req *r)
{
	struct stream *st = http_data(r);

	if (!st->paused)
		return;
	st->paused = false;
	exec_run_pause(st->run, false);
}

static void on_started(void *data, const struct exec_started *s)
{
	struct stream *st = data;

	(void)s;
	st->begun = true;
	http_reply_header(st->req, "Cache-Control", "no-cache");
	http_reply_header(st->req, "X-Accel-Buffering", "no");
	http_reply_header(st->req, "X-Session-ID", "%s",
			  exec_run_sid(st->run));
	http_reply_header(st->req, "Trailer", "X-Exit-Code");
	http_stream_begin(st->req, 200, "application/x-ndjson", -1);
	http_stream_keepalive(st->req, "\n");
	http_on_drain(st->req, on_drain);
}

static void add_line(struct buf *out, bool is_stderr, const char *p, size_t n,
		     bool base64)
{
	auto_buf struct buf text = BUF_INIT;
	struct json_writer w = json_writer(out);

	json_open(&w, NULL, '{');
	json_str(&w, "stream", is_stderr ? "stderr" : "stdout");
	if (base64) {
		base64_encode(&text, p, n);
		json_strn(&w, "data", buf_str(&text), text.len);
		json_str(&w, "encoding", "base64");
	} else {
		json_strn(&w, "data", p, n);
	}
	json_close(&w, '}');
	buf_addch(out, '\n');
}

/* Lines of one frame go out together. */
struct lines {
	struct buf buf;
	bool base64;
};

static void emit(void *data, bool is_stderr, const char *p, size_t n)
{
	struct lines *l = data;

	add_line(&l->buf, is_stderr, p, n, l->base64);
}

static void send_lines(struct stream *st, struct lines *l)
{
	size_t queued = 0;

	if (l->buf.len)
		queued = http_stream_write(st->req, l->buf.data, l->buf.len);
	if (queued > LIMIT_QUEUE_HIGH && !st->paused) {
		st->paused = true;
		exec_run_pause(st->run, true);
	}
	buf_release(&l->buf);
}

static void on_output(void *data, bool is_stderr, const char *p, size_t n)
{
	struct stream *st = data;
	struct lines l = { BUF_INIT, st->base64 };

	if (st->base64) {
		for (; n > LIMIT_EXEC_CHUNK; p += LIMIT_EXEC_CHUNK,
					     n -= LIMIT_EXEC_CHUNK)
			emit(&l, is_stderr, p, LIMIT_EXEC_CHUNK);
		emit(&l, is_stderr, p, n);
	} else {
		exec_chunk_add(&st->chunk, is_stderr, p, n, emit, &l);
	}
	send_lines(st, &l);
}

static void add_closing(struct buf *out, const struct agent_exit *x)
{
	struct json_writer w = json_writer(out);
	bool late = x->flags & AGENT_EXIT_TIMEOUT;

	json_open(&w, NULL, '{');
	json_str(&w, "type", late ? "error" : "exit");
	if (late) {
		json_str(&w, "code", svm_code_name(SVM_TIMEOUT));
		json_str(&w, "message", "the command hit its timeout; its "
			 "process tree was killed");
	}
	api_exec_add_exit(&w, x);
	json_close(&w, '}');
	buf_addch(out, '\n');
}

static void finish(struct stream *st, const struct agent_exit *x)
{
	struct lines l = { BUF_INIT, false };

	exec_chunk_finish(&st->chunk, emit, &l);
	l.base64 = st->base64;
	if (x->flags & AGENT_EXIT_TIMEOUT) {
		auto_free char *text = xasprintf(
			"exec timeout: %s\n",
			exec_run_sandbox(st->run)->id);

		emit(&l, true, text, strlen(text));
	}
	if (st->full)
		add_closing(&l.buf, x);
	if (l.buf.len)
		http_stream_write(st->req, l.buf.data, l.buf.len);
	buf_release(&l.buf);
	http_stream_trailer(st->req, "X-Exit-Code", "%d", x->code);
	http_stream_end(st->req);
}

static void cut(struct stream *st, const struct svm_err *err)
{
	auto_buf struct buf line = BUF_INIT;

	if (st->full) {
		api_exec_add_error(&line, err);
		buf_addch(&line, '\n');
		http_stream_write(st->req, line.data, line.len);
	}
	http_stream_abort(st->req);
}

/* The daemon stops, the command goes on; so does what it writes. */
static void on_stop(struct http_req *r)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct stream *st = http_data(r);

	api_exec_stopping(st->run, &err);
	exec_run_leave(st->run);
	if (st->begun)
		cut(st, &err);
	else
		http_reply_error(r, &err);
	free(st);
}

static void on_ended(void *data, const struct agent_exit *x,
		     const struct svm_err *err)
{
	struct stream *st = data;

	if (!err)
		finish(st, x);
	else if (st->begun)
		cut(st, err);
	else
		http_reply_error(st->req, err);
	free(st);
}

static const struct exec_run_events events = {
	.started = on_started, .output = on_output, .ended = on_ended,
};

void api_exec_stream(struct http_req *r, struct sandbox *s,
		     struct exec_request *q)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct stream *st = xcalloc(1, sizeof(*st));

	st->req = r;
	st->full = q->full_frames;
	st->base64 = q->base64;
	st->run = exec_run_start(s, q, false, &events, st, &err);
	if (!st->run) {
		http_reply_error(r, &err);
		free(st);
		return;
	}
	http_set_data(r, st);
	http_on_gone(r, on_gone);
	http_on_stop(r, on_stop);
}
