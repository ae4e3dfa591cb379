/* SPDX-License-Identifier: MIT */
/*
 * GET archive: a directory or file as a tar stream.  What of it can't be read
 * is left out, and told in trailers.  The other direction is an upload like
 * any other: api-file-write.c.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/api-call.h"
#include "daemon/api-files.h"
#include "daemon/api.h"
#include "daemon/http/http.h"
#include "lib/api/msg.h"
#include "lib/base/mem.h"
#include "lib/base/urlenc.h"
#include "lib/base/utf8.h"

struct archive {
	struct api_call call;
	uint32_t omitted;
	int why;          /* errno of the first that was */
	struct buf first; /* its path, percent-encoded */
};

static struct archive *archive_of(struct api_call *c)
{
	return container_of(c, struct archive, call);
}

static void on_http_drain(struct http_req *r)
{
	struct api_call *c = http_data(r);

	agent_conn_pause(c->conn, false);
}

/* The head waits for the first bytes, so that a failure is a status. */
static void begin(struct api_call *c)
{
	if (c->begun)
		return;
	c->begun = true;
	http_on_drain(c->req, on_http_drain);
	http_reply_header(c->req, "Trailer",
			  "X-Omitted, X-Omitted-First, X-Omitted-Reason");
	http_stream_begin(c->req, 200, "application/x-tar", -1);
}

/* A name may be of any bytes and, with its directories, of any length. */
static void take_first(struct archive *a, const char *path, size_t n)
{
	bool cut = n > LIMIT_OMITTED_PATH;

	n = cut ? LIMIT_OMITTED_PATH : n;
	urlenc_encode(&a->first, path, cut ? n - utf8_tail(path, n) : n);
	buf_addstr(&a->first, cut ? "..." : "");
}

/* An agent of before says nothing. */
static void take_end(struct api_call *c, const struct frame *f)
{
	struct archive *a = archive_of(c);
	struct msg_reader m = msg_reader(f->payload, f->len);
	size_t n = 0;

	if (!f->len)
		return;
	a->omitted = msg_u32(&m);
	a->why = (int)(msg_u32(&m) & 0xfff); /* no errno is larger */
	const char *path = msg_bytes(&m, LIMIT_FRAME, &n);
	if (!msg_ok(&m))
		api_call_fail_broken(c, "an end without its fields");
	else if (path)
		take_first(a, path, n);
}

static void tar_frame(struct api_call *c, const struct frame *f)
{
	if (f->type == FRAME_END)
		take_end(c, f);
	if (f->type != FRAME_DATA)
		return;
	begin(c);
	if (http_stream_write(c->req, f->payload, f->len) > LIMIT_QUEUE_HIGH)
		agent_conn_pause(c->conn, true);
}

static void tar_done(struct api_call *c)
{
	struct archive *a = archive_of(c);
	struct http_req *r = c->req;

	begin(c);
	c->req = NULL;
	http_stream_trailer(r, "X-Omitted", "%u", a->omitted);
	if (a->omitted) {
		http_stream_trailer(r, "X-Omitted-First", "%s",
				    buf_str(&a->first));
		http_stream_trailer(r, "X-Omitted-Reason", "%s",
				    strerror(a->why));
	}
	http_stream_end(r);
}

static void tar_cut(struct api_call *c)
{
	http_stream_abort(c->req);
}

static void tar_release(struct api_call *c)
{
	buf_release(&archive_of(c)->first);
}

static const struct api_call_ops tar_ops = {
	.frame = tar_frame, .done = tar_done, .cut = tar_cut,
	.release = tar_release,
	.drop_when_gone = true,
};

void api_archive_get(struct http_req *r, void *app)
{
	auto_buf struct buf payload = BUF_INIT;
	struct sandbox *s = api_call_sandbox(r, app);
	const char *path = s ? api_files_path(r, NULL) : NULL;

	if (!path)
		return;
	msg_add_str(&payload, path);
	struct archive *a = xcalloc(1, sizeof(*a));
	(void)api_call_start(&a->call, r, s, &tar_ops, FRAME_TAR_OUT, &payload);
}
