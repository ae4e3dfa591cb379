/* SPDX-License-Identifier: MIT */
/*
 * GET archive: a directory or file as a tar stream.  The other direction is
 * an upload like any other: api-file-write.c.
 */
#include <stdlib.h>

#include "daemon/api-call.h"
#include "daemon/api-files.h"
#include "daemon/api.h"
#include "daemon/http/http.h"
#include "lib/api/msg.h"
#include "lib/base/mem.h"

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
	http_stream_begin(c->req, 200, "application/x-tar", -1);
}

static void tar_frame(struct api_call *c, const struct frame *f)
{
	if (f->type != FRAME_DATA)
		return;
	begin(c);
	if (http_stream_write(c->req, f->payload, f->len) > LIMIT_QUEUE_HIGH)
		agent_conn_pause(c->conn, true);
}

static void tar_done(struct api_call *c)
{
	struct http_req *r = c->req;

	begin(c);
	c->req = NULL;
	http_stream_end(r);
}

static void tar_cut(struct api_call *c)
{
	http_stream_abort(c->req);
}

static const struct api_call_ops tar_ops = {
	.frame = tar_frame, .done = tar_done, .cut = tar_cut,
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
	struct api_call *c = xcalloc(1, sizeof(*c));
	(void)api_call_start(c, r, s, &tar_ops, FRAME_TAR_OUT, &payload);
}
