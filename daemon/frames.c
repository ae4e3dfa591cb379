/* SPDX-License-Identifier: MIT */
/* Replies that tell how far it is.  See frames.h. */
#include "daemon/frames.h"

#include <string.h>

#include "daemon/http/http.h"
#include "lib/api/limits.h"

bool frames_wanted(const struct http_req *r)
{
	const char *frames = http_query(r, "frames");

	return frames && strcmp(frames, "full") == 0;
}

struct json_writer frames_open(struct buf *line, const char *type)
{
	struct json_writer w = json_writer(line);

	json_open(&w, NULL, '{');
	json_str(&w, "type", type);
	return w;
}

static void begin(struct http_req *r)
{
	if (http_stream_begun(r))
		return;
	http_reply_header(r, "Cache-Control", "no-cache");
	http_reply_header(r, "X-Accel-Buffering", "no");
	http_stream_begin(r, 200, "application/x-ndjson", -1);
	http_stream_keepalive(r, "\n");
}

void frames_send(struct http_req *r, struct json_writer *w, struct buf *line)
{
	begin(r);
	json_close(w, '}');
	buf_addch(line, '\n');
	http_stream_write(r, line->data, line->len);
}

bool frames_behind(const struct http_req *r)
{
	return http_stream_begun(r) &&
	       http_stream_queued(r) > LIMIT_QUEUE_HIGH;
}

void frames_end(struct http_req *r, struct json_writer *w, struct buf *line)
{
	frames_send(r, w, line);
	http_stream_end(r);
}

void frames_error(struct http_req *r, const struct svm_err *err)
{
	auto_buf struct buf line = BUF_INIT;

	if (!http_stream_begun(r)) {
		http_reply_error(r, err);
		return;
	}
	struct json_writer w = frames_open(&line, "error");
	json_str(&w, "code", svm_code_name(err->code));
	json_str(&w, "message", err->msg);
	if (err->hint)
		json_str(&w, "remediation", err->hint);
	http_stream_failed(r, err->code);
	frames_end(r, &w, &line);
}
