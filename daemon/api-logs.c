/* SPDX-License-Identifier: MIT */
/* GET /sandboxes/{id}/logs: the last lines, and following what comes. */
#include "daemon/api.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/api-call.h"
#include "daemon/daemon.h"
#include "daemon/http/http.h"
#include "daemon/log-follow.h"
#include "daemon/sandbox-log.h"
#include "daemon/sandbox.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"

#define DEFAULT_LINES 100

struct follower {
	struct list link; /* sandbox->followers */
	struct sandbox *s;
	struct http_req *r;
	uint64_t at;
};

static void add_line(void *data, const char *line, size_t n)
{
	json_strn(data, NULL, line, n);
}

static void send_line(void *data, const char *line, size_t n)
{
	struct follower *f = data;
	auto_buf struct buf out = BUF_INIT;
	struct json_writer w = json_writer(&out);

	json_open(&w, NULL, '{');
	json_strn(&w, "line", line, n);
	json_close(&w, '}');
	buf_addch(&out, '\n');
	http_stream_write(f->r, out.data, out.len);
}

static void follower_free(struct follower *f)
{
	list_remove(&f->link);
	sandbox_unref(f->s);
	free(f);
}

static void follower_gone(struct http_req *r)
{
	follower_free(http_data(r));
}

/* A slow reader is served from the ring once it has drained; what was
 * overwritten meanwhile leaves the ring's own marker. */
static void pump(struct follower *f)
{
	struct sandbox_log *l = sandbox_log(f->s);

	if (l && http_stream_queued(f->r) < LIMIT_QUEUE_HIGH)
		(void)sandbox_log_since(l, f->at, send_line, f, &f->at);
}

static void follower_drained(struct http_req *r)
{
	pump(http_data(r));
}

void log_followers_wake(struct sandbox *s)
{
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &s->followers)
		pump(list_entry(pos, struct follower, link));
}

void log_followers_end(struct sandbox *s)
{
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &s->followers) {
		struct follower *f = list_entry(pos, struct follower, link);
		struct http_req *r = f->r;

		pump(f);
		follower_free(f);
		http_stream_end(r);
	}
}

static void follow(struct http_req *r, struct sandbox *s, unsigned lines)
{
	struct follower *f = xcalloc(1, sizeof(*f));
	struct sandbox_log *l = sandbox_log(s);

	f->s = sandbox_ref(s);
	f->r = r;
	list_append(&s->followers, &f->link);
	http_set_data(r, f);
	http_on_gone(r, follower_gone);
	http_on_drain(r, follower_drained);
	http_reply_header(r, "Cache-Control", "no-cache");
	http_stream_begin(r, 200, "application/x-ndjson", -1);
	http_stream_keepalive(r, "\n");
	if (l)
		(void)sandbox_log_tail(l, lines, send_line, f, &f->at);
}

static int parse_lines(const char *text, unsigned *ret, struct svm_err *err)
{
	char *end;

	*ret = DEFAULT_LINES;
	if (!text || !*text)
		return 0;
	unsigned long v = strtoul(text, &end, 10);
	if (*end || text[0] < '0' || text[0] > '9' || v > LIMIT_LOG_LINES)
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "lines must be from 0 to %d",
				   LIMIT_LOG_LINES);
	*ret = (unsigned)v;
	return 0;
}

void api_sandbox_logs(struct http_req *r, void *app)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct sandbox *s = api_find_sandbox(r, app, &err);
	const char *want = http_query(r, "follow");
	unsigned lines = 0;
	uint64_t end;

	if (!s || parse_lines(http_query(r, "lines"), &lines, &err) < 0) {
		http_reply_error(r, &err);
		return;
	}
	if (want && strcmp(want, "true") == 0) {
		follow(r, s, lines);
		return;
	}
	auto_buf struct buf out = BUF_INIT;
	struct json_writer w = json_writer(&out);
	struct sandbox_log *l = sandbox_log(s);
	json_open(&w, NULL, '[');
	if (l)
		(void)sandbox_log_tail(l, lines, add_line, &w, &end);
	json_close(&w, ']');
	http_reply_json(r, 200, &out);
}
