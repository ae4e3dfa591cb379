/* SPDX-License-Identifier: MIT */
/* Answers to who waits for an image.  See answer.h. */
#include "daemon/image/answer.h"

#include <string.h>

#include "daemon/http/http.h"
#include "daemon/image/internal.h"
#include "lib/api/limits.h"
#include "lib/base/buf.h"
#include "lib/base/err.h"

int image_progress_read(struct image_progress *p, const cJSON *o,
			struct svm_err *err)
{
	/* What a double can hold: many a client reads it as one. */
	const int64_t max = INT64_C(1) << 52;

	if (json_get_int(o, "layer", 0, LIMIT_IMAGE_LAYERS, &p->layer, err) <
		    0 ||
	    json_get_int(o, "layers", 0, LIMIT_IMAGE_LAYERS, &p->layers,
			 err) < 0 ||
	    json_get_int(o, "bytes", 0, max, &p->bytes, err) < 0)
		return -1;
	return json_get_int(o, "total", 0, max, &p->total, err);
}

void image_progress_write(const struct image_progress *p,
			  struct json_writer *w)
{
	json_str(w, "stage", p->stage);
	json_int(w, "layer", p->layer);
	json_int(w, "layers", p->layers);
	json_int(w, "bytes", p->bytes);
	if (p->total)
		json_int(w, "total", p->total);
}

struct image_answer image_answer_new(struct http_req *r)
{
	const char *frames = http_query(r, "frames");

	return (struct image_answer){
		.req = r,
		.frames = frames && strcmp(frames, "full") == 0,
	};
}

static void begin(struct image_answer *a)
{
	if (a->begun)
		return;
	http_reply_header(a->req, "Cache-Control", "no-cache");
	http_reply_header(a->req, "X-Accel-Buffering", "no");
	http_stream_begin(a->req, 200, "application/x-ndjson", -1);
	http_stream_keepalive(a->req, "\n");
	a->begun = true;
}

static struct json_writer open_frame(struct buf *line, const char *type)
{
	struct json_writer w = json_writer(line);

	json_open(&w, NULL, '{');
	json_str(&w, "type", type);
	return w;
}

static void send_frame(struct image_answer *a, struct json_writer *w,
		       struct buf *line)
{
	begin(a);
	json_close(w, '}');
	buf_addch(line, '\n');
	http_stream_write(a->req, line->data, line->len);
}

void image_answer_progress(struct image_answer *a,
			   const struct image_progress *p)
{
	auto_buf struct buf line = BUF_INIT;

	if (!a->frames ||
	    (a->begun && http_stream_queued(a->req) > LIMIT_QUEUE_HIGH))
		return;
	struct json_writer w = open_frame(&line, "progress");
	image_progress_write(p, &w);
	send_frame(a, &w, &line);
}

void image_answer_error(struct image_answer *a, const struct svm_err *err)
{
	auto_buf struct buf line = BUF_INIT;

	if (!a->begun) {
		http_reply_error(a->req, err);
		return;
	}
	struct json_writer w = open_frame(&line, "error");
	json_str(&w, "code", svm_code_name(err->code));
	json_str(&w, "message", err->msg);
	if (err->hint)
		json_str(&w, "remediation", err->hint);
	send_frame(a, &w, &line);
	http_stream_end(a->req);
}

static void answer_image(struct image_answer *a, const struct image_store *s,
			 const struct image *i, int status, const bool *newer)
{
	auto_buf struct buf text = BUF_INIT;

	if (!a->frames) {
		struct json_writer w = json_writer(&text);

		image_write(s, i, &w, NULL);
		http_reply_json(a->req, status, &text);
		return;
	}
	struct json_writer w = open_frame(&text, "image");
	if (newer)
		json_bool(&w, "newer", *newer);
	image_write(s, i, &w, "image");
	send_frame(a, &w, &text);
	http_stream_end(a->req);
}

void image_answer_pulled(struct image_answer *a, const struct image_store *s,
			 const struct image *i, bool newer)
{
	answer_image(a, s, i, newer ? 201 : 200, &newer);
}

void image_answer_imported(struct image_answer *a,
			   const struct image_store *s, const struct image *i)
{
	answer_image(a, s, i, 201, NULL);
}
