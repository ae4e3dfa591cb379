/* SPDX-License-Identifier: MIT */
/*
 * GET files: bytes with Content-Length, one Range, an ETag.
 *
 * A range is measured first (a read of nothing, which follows links as STAT
 * does not), then read; the FILE frame of the read is what counts, so a file
 * that changed in between is told by its ETag.  A file
 * that shrinks while it is sent cuts the connection: a clean end would lie.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/api-call.h"
#include "daemon/api-files.h"
#include "daemon/api.h"
#include "daemon/file-etag.h"
#include "daemon/http/http.h"
#include "daemon/sandbox.h"
#include "lib/api/msg.h"
#include "lib/base/mem.h"

#define TYPE "application/octet-stream"

struct range {
	bool given, suffix;
	uint64_t first, last; /* inclusive; suffix: last is the length */
};

struct read_call {
	struct api_call call;
	char *path;
	struct range range;
	bool ranged;     /* reply 206 */
	uint64_t offset, length, size, sent;
	char etag[FILE_ETAG_SIZE];
};

static struct read_call *read_call(struct api_call *c)
{
	return container_of(c, struct read_call, call);
}

static bool digits(const char **p, uint64_t *ret)
{
	uint64_t v = 0;
	const char *start = *p;

	for (; **p >= '0' && **p <= '9'; (*p)++) {
		if (v > (UINT64_MAX - 9) / 10)
			return false;
		v = v * 10 + (uint64_t)(**p - '0');
	}
	*ret = v;
	return *p > start;
}

/* One byte range.  Anything else is ignored, as RFC 9110 14.2 allows. */
static struct range parse_range(const char *text)
{
	struct range r = { .given = true, .last = UINT64_MAX };

	if (!text || strncmp(text, "bytes=", 6) != 0)
		return (struct range){ 0 };
	text += 6;
	if (*text == '-') {
		text++;
		r.suffix = true;
		if (!digits(&text, &r.last) || *text)
			return (struct range){ 0 };
		return r;
	}
	if (!digits(&text, &r.first) || *text++ != '-')
		return (struct range){ 0 };
	if (*text && (!digits(&text, &r.last) || *text || r.last < r.first))
		return (struct range){ 0 };
	return r;
}

static void refuse_range(struct api_call *c, uint64_t size)
{
	auto_err struct svm_err err = SVM_ERR_INIT;

	svm_err_set(&err, SVM_RANGE,
		    "the range lies outside the file of %" PRIu64 " bytes",
		    size);
	if (c->req)
		http_reply_header(c->req, "Content-Range",
				  "bytes */%" PRIu64, size);
	api_call_fail(c, &err);
}

/* Resolve a range against the size; false when it can't be met. */
static bool apply_range(struct read_call *rc, uint64_t size)
{
	const struct range *r = &rc->range;

	if (r->suffix) {
		if (!r->last || !size)
			return false;
		rc->length = MIN(r->last, size);
		rc->offset = size - rc->length;
		return true;
	}
	if (r->first >= size)
		return false;
	rc->offset = r->first;
	rc->length = MIN(r->last, size - 1) - r->first + 1;
	return true;
}

static void on_http_drain(struct http_req *r)
{
	struct api_call *c = http_data(r);

	agent_conn_pause(c->conn, false);
}

static void begin(struct read_call *rc)
{
	struct http_req *r = rc->call.req;

	rc->call.begun = true;
	http_reply_header(r, "ETag", "%s", rc->etag);
	http_reply_header(r, "Accept-Ranges", "bytes");
	if (rc->ranged)
		http_reply_header(r, "Content-Range",
				  "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64,
				  rc->offset, rc->offset + rc->length - 1,
				  rc->size);
	http_on_drain(r, on_http_drain);
	http_stream_begin(r, rc->ranged ? 206 : 200, TYPE,
			  (int64_t)rc->length);
}

/* The description that comes before the bytes. */
static void take_file(struct read_call *rc, const struct frame *f)
{
	struct api_call *c = &rc->call;
	struct agent_file file;

	if (agent_file_decode(f->payload, f->len, &file) < 0) {
		api_call_fail_broken(c, "a bad description of a file");
		return;
	}
	file_etag(&file, rc->etag);
	rc->size = file.size;
	agent_file_release(&file);
	if (rc->size > INT64_MAX) {
		api_call_fail_broken(c, "an impossible size");
		return;
	}
	if (rc->ranged) {
		if (rc->offset >= rc->size) {
			refuse_range(c, rc->size);
			return;
		}
		rc->length = MIN(rc->length, rc->size - rc->offset);
	} else {
		rc->length = rc->size;
	}
	begin(rc);
}

static void take_data(struct read_call *rc, const struct frame *f)
{
	struct http_req *r = rc->call.req;
	uint64_t n = MIN((uint64_t)f->len, rc->length - rc->sent);

	/* A file that grows meanwhile is cut where it was promised. */
	if (!n)
		return;
	rc->sent += n;
	if (http_stream_write(r, f->payload, (size_t)n) > LIMIT_QUEUE_HIGH)
		agent_conn_pause(rc->call.conn, true);
}

static void read_frame(struct api_call *c, const struct frame *f)
{
	struct read_call *rc = read_call(c);

	if (f->type == FRAME_FILE)
		take_file(rc, f);
	else if (f->type == FRAME_DATA)
		take_data(rc, f);
}

static void read_done(struct api_call *c)
{
	struct http_req *r = c->req;

	c->req = NULL;
	http_stream_end(r); /* of a file that shrank it is a cut */
}

static void read_cut(struct api_call *c)
{
	http_stream_abort(c->req);
}

static void read_release(struct api_call *c)
{
	free(read_call(c)->path);
}

static const struct api_call_ops read_ops = {
	.frame = read_frame, .done = read_done, .cut = read_cut,
	.release = read_release, .drop_when_gone = true,
};

static void start_read(struct http_req *r, struct sandbox *s, const char *path,
		       const struct read_call *ranged)
{
	auto_buf struct buf payload = BUF_INIT;
	struct read_call *rc = xcalloc(1, sizeof(*rc));

	rc->path = xstrdup(path);
	rc->length = UINT64_MAX;
	if (ranged) {
		rc->ranged = true;
		rc->offset = ranged->offset;
		rc->length = ranged->length;
	}
	msg_add_str(&payload, path);
	msg_add_u64(&payload, rc->offset);
	msg_add_u64(&payload, rc->length);
	(void)api_call_start(&rc->call, r, s, &read_ops, FRAME_READ,
			     &payload);
}

/* The first step of a range: how large is it? */

static void size_frame(struct api_call *c, const struct frame *f)
{
	struct read_call *rc = read_call(c);
	struct agent_file file;

	if (f->type != FRAME_FILE)
		return;
	if (agent_file_decode(f->payload, f->len, &file) < 0) {
		api_call_fail_broken(c, "a bad description of a file");
		return;
	}
	file_etag(&file, rc->etag);
	rc->size = file.size;
	agent_file_release(&file);
}

static void size_done(struct api_call *c)
{
	struct read_call *rc = read_call(c);
	struct http_req *r = c->req;
	const char *if_range = http_header(r, "If-Range");

	c->req = NULL;
	if (if_range && strcmp(if_range, rc->etag) != 0) {
		start_read(r, c->sandbox, rc->path, NULL);
		return;
	}
	if (!apply_range(rc, rc->size)) {
		auto_err struct svm_err err = SVM_ERR_INIT;

		svm_err_set(&err, SVM_RANGE, "the range lies outside the "
			    "file of %" PRIu64 " bytes", rc->size);
		http_reply_header(r, "Content-Range", "bytes */%" PRIu64,
				  rc->size);
		http_reply_error(r, &err);
		return;
	}
	start_read(r, c->sandbox, rc->path, rc);
}

static const struct api_call_ops size_ops = {
	.frame = size_frame, .done = size_done, .release = read_release,
	.drop_when_gone = true,
};

void api_file_read(struct http_req *r, void *app)
{
	auto_buf struct buf payload = BUF_INIT;
	struct sandbox *s = api_call_sandbox(r, app);
	const char *path = s ? api_files_path(r, NULL) : NULL;
	struct range range;

	if (!path)
		return;
	range = parse_range(http_header(r, "Range"));
	if (!range.given) {
		start_read(r, s, path, NULL);
		return;
	}
	struct read_call *rc = xcalloc(1, sizeof(*rc));
	rc->path = xstrdup(path);
	rc->range = range;
	msg_add_str(&payload, path);
	msg_add_u64(&payload, 0);
	msg_add_u64(&payload, 0);
	(void)api_call_start(&rc->call, r, s, &size_ops, FRAME_READ,
			     &payload);
}
