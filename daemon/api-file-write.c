/* SPDX-License-Identifier: MIT */
/*
 * Writing files: POST with the content in JSON, PUT with the raw body, and
 * archives, which are uploads too.
 *
 * An upload goes piece by piece from the client to the agent; when the agent
 * is slow the client's socket is not read.  A client that leaves in the
 * middle closes the channel before END, and so leaves nothing behind.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/api-call.h"
#include "daemon/api-files.h"
#include "daemon/api.h"
#include "daemon/daemon.h"
#include "daemon/file-etag.h"
#include "daemon/http/http.h"
#include "daemon/sandbox.h"
#include "lib/api/msg.h"
#include "lib/base/base64.h"
#include "lib/base/mem.h"
#include "lib/base/path.h"
#include "lib/base/work.h"

struct write_call {
	struct api_call call;
	char *path;
	struct buf content; /* of a POST */
	size_t pos;
	bool archive;
	uint64_t entries;
};

static struct write_call *write_call(struct api_call *c)
{
	return container_of(c, struct write_call, call);
}

static size_t send_data(struct api_call *c, const char *p, size_t n)
{
	size_t queued = 0;

	while (n) {
		size_t piece = MIN(n, (size_t)LIMIT_FRAME);

		queued = agent_conn_send(c->conn, FRAME_DATA, p, piece);
		p += piece;
		n -= piece;
	}
	return queued;
}

/* What the file is now, for whoever writes it again. */
static void take_file(struct api_call *c, const struct frame *f)
{
	char etag[FILE_ETAG_SIZE];
	struct agent_file file;

	if (agent_file_decode(f->payload, f->len, &file) < 0) {
		api_call_fail_broken(c, "a bad description of a file");
		return;
	}
	file_etag(&file, etag);
	agent_file_release(&file);
	if (c->req)
		http_reply_header(c->req, "ETag", "%s", etag);
}

static void write_frame(struct api_call *c, const struct frame *f)
{
	struct msg_reader r = msg_reader(f->payload, f->len);

	if (f->type == FRAME_FILE)
		take_file(c, f);
	else
		write_call(c)->entries = msg_u64(&r);
}

static void write_done(struct api_call *c)
{
	auto_buf struct buf json = BUF_INIT;
	struct json_writer w = json_writer(&json);
	struct write_call *wc = write_call(c);

	api_files_changed(c, wc->archive ? "archive.write" : "file.write",
			  EVENT_FILE_WRITTEN, wc->path, NULL);
	if (!wc->archive) {
		api_call_reply_status(c, "written");
		return;
	}
	json_open(&w, NULL, '{');
	json_str(&w, "status", "extracted");
	json_int(&w, "entries", (int64_t)MIN(wc->entries,
					     (uint64_t)INT64_MAX));
	json_close(&w, '}');
	api_call_reply(c, &json);
}

static void write_release(struct api_call *c)
{
	struct write_call *wc = write_call(c);

	free(wc->path);
	buf_release(&wc->content);
}

static int write_request(struct http_req *r, const char *path, uint32_t mode,
			 struct buf *payload, enum frame_type *ret,
			 struct svm_err *err)
{
	msg_add_str(payload, path);
	msg_add_u32(payload, mode);
	msg_add_u32(payload, 0);
	return file_etag_condition(r, payload, ret, err);
}

/* POST: the content is here; it leaves at the agent's pace. */

static void pump(struct api_call *c)
{
	struct write_call *wc = write_call(c);
	size_t queued = 0;

	while (wc->pos < wc->content.len && queued <= LIMIT_QUEUE_HIGH) {
		size_t n = MIN(wc->content.len - wc->pos,
			       (size_t)LIMIT_FRAME);

		queued = send_data(c, wc->content.data + wc->pos, n);
		wc->pos += n;
	}
	if (wc->pos < wc->content.len)
		return;
	buf_release(&wc->content);
	wc->pos = 0;
	agent_conn_send(c->conn, FRAME_END, NULL, 0);
}

static void post_drain(struct api_call *c)
{
	if (write_call(c)->content.len)
		pump(c);
}

static const struct api_call_ops post_ops = {
	.frame = write_frame, .drain = post_drain, .done = write_done,
	.release = write_release,
};

/* Tools that make base64 break its lines. */
static int decode_base64(struct buf *content, struct svm_err *err)
{
	struct buf bytes = BUF_INIT;
	size_t n = 0;

	for (size_t i = 0; i < content->len; i++)
		if (content->data[i] != '\n' && content->data[i] != '\r')
			content->data[n++] = content->data[i];
	if (base64_decode(&bytes, content->data, n) < 0) {
		buf_release(&bytes);
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "'content' is not valid base64");
	}
	buf_release(content);
	*content = bytes;
	return 0;
}

static int parse_write(struct http_req *r, struct write_call *wc,
		       uint32_t *mode, struct svm_err *err)
{
	auto_json struct json_doc doc = JSON_DOC_INIT;
	const struct buf *body = http_body(r);
	const char *path = NULL, *text = NULL, *encoding = "utf-8";
	bool present;

	if (json_parse_object(&doc, buf_str(body), body->len, err) < 0 ||
	    json_get_string(doc.root, "path", &path, err) < 0 ||
	    json_get_string(doc.root, "mode", &text, err) < 0 ||
	    json_get_string(doc.root, "encoding", &encoding, err) < 0)
		return -1;
	if (!path)
		return svm_err_set(err, SVM_BAD_REQUEST, "'path' is missing");
	if (path_validate(path, strlen(path), err) < 0)
		return svm_err_prefix(err, "'path'");
	wc->path = xstrdup(path);
	if (api_files_mode(text, mode, err) < 0 ||
	    json_data(&doc, JSON_CONTENT, &wc->content, &present, err) < 0)
		return -1;
	if (strcmp(encoding, "base64") == 0)
		return wc->content.len ? decode_base64(&wc->content, err) : 0;
	if (strcmp(encoding, "utf-8") != 0)
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "'encoding' must be 'utf-8' or 'base64'");
	return 0;
}

/* A large body is taken apart on a worker: nobody else waits for it.  The
 * request has no on_gone, so it and its body stay until it is answered. */
struct write_job {
	struct work work;
	struct http_req *r;
	struct sandbox *s;
	struct write_call *wc;
	uint32_t mode;
	int result;
	struct svm_err err;
};

static void run_write(struct work *w)
{
	struct write_job *j = container_of(w, struct write_job, work);

	j->result = parse_write(j->r, j->wc, &j->mode, &j->err);
}

static void write_parsed(struct work *w)
{
	struct write_job *j = container_of(w, struct write_job, work);
	struct write_call *wc = j->wc;
	auto_buf struct buf payload = BUF_INIT;
	enum frame_type type = FRAME_WRITE;

	http_note(j->r, HTTP_NOTE_TARGET, wc->path);
	if (j->result == 0)
		j->result = write_request(j->r, wc->path, j->mode, &payload,
					  &type, &j->err);
	if (j->result < 0) {
		http_reply_error(j->r, &j->err);
		write_release(&wc->call);
		free(wc);
	} else if (api_call_start(&wc->call, j->r, j->s, &post_ops, type,
				  &payload) == 0) {
		pump(&wc->call);
	}
	sandbox_unref(j->s);
	svm_err_release(&j->err);
	free(j);
}

void api_file_write(struct http_req *r, void *app)
{
	struct sandbox *s = api_call_sandbox(r, app);

	if (!s)
		return;
	struct write_job *j = xcalloc(1, sizeof(*j));
	j->r = r;
	j->s = sandbox_ref(s);
	j->wc = xcalloc(1, sizeof(*j->wc));
	j->mode = 0644;
	j->work.run = run_write;
	j->work.done = write_parsed;
	if (http_body(r)->len > LIMIT_TURN_BYTES) {
		work_submit(s->daemon->workers, &j->work);
	} else {
		run_write(&j->work);
		write_parsed(&j->work);
	}
}

/* PUT: from the client's socket to the agent's. */

static void put_drain(struct api_call *c)
{
	if (c->req)
		http_body_pause(c->req, false);
}

static const struct api_call_ops put_ops = {
	.frame = write_frame, .drain = put_drain, .done = write_done,
	.release = write_release, .drop_when_gone = true,
};

static void put_data(struct http_req *r, const void *p, size_t n)
{
	struct api_call *c = http_data(r);

	if (send_data(c, p, n) > LIMIT_QUEUE_HIGH)
		http_body_pause(r, true);
}

static void put_end(struct http_req *r)
{
	struct api_call *c = http_data(r);

	agent_conn_send(c->conn, FRAME_END, NULL, 0);
}

static const struct http_body_sink put_sink = { put_data, put_end };

static void start_put(struct http_req *r, struct sandbox *s,
		      enum frame_type type, const char *path,
		      const struct buf *payload)
{
	struct write_call *wc = xcalloc(1, sizeof(*wc));

	wc->path = xstrdup(path);
	wc->archive = type == FRAME_TAR_IN;
	if (api_call_start(&wc->call, r, s, &put_ops, type, payload) == 0)
		http_body_read(r, &put_sink);
}

void api_file_put(struct http_req *r, void *app)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_buf struct buf payload = BUF_INIT;
	enum frame_type type;
	uint32_t mode = 0644;
	struct sandbox *s = api_call_sandbox(r, app);
	const char *path = s ? api_files_path(r, NULL) : NULL;

	if (!path)
		return;
	if (api_files_mode(http_query(r, "mode"), &mode, &err) < 0 ||
	    write_request(r, path, mode, &payload, &type, &err) < 0) {
		http_reply_error(r, &err);
		return;
	}
	start_put(r, s, type, path, &payload);
}

void api_archive_put(struct http_req *r, void *app)
{
	auto_buf struct buf payload = BUF_INIT;
	struct sandbox *s = api_call_sandbox(r, app);
	const char *path = s ? api_files_path(r, NULL) : NULL;

	if (!path)
		return;
	msg_add_str(&payload, path);
	start_put(r, s, FRAME_TAR_IN, path, &payload);
}
