/* SPDX-License-Identifier: MIT */
/* Answers to who waits for an image.  See answer.h. */
#include "daemon/image/answer.h"

#include "daemon/frames.h"
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
	return (struct image_answer){ .req = r, .frames = frames_wanted(r) };
}

void image_answer_progress(struct image_answer *a,
			   const struct image_progress *p)
{
	auto_buf struct buf line = BUF_INIT;

	if (!a->frames || frames_behind(a->req))
		return;
	struct json_writer w = frames_open(&line, "progress");
	image_progress_write(p, &w);
	frames_send(a->req, &w, &line);
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
	struct json_writer w = frames_open(&text, "image");
	if (newer)
		json_bool(&w, "newer", *newer);
	image_write(s, i, &w, "image");
	frames_end(a->req, &w, &text);
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
