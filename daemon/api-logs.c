/* SPDX-License-Identifier: MIT */
/* GET /sandboxes/{id}/logs: the last lines, and following what comes. */
#include "daemon/api.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/api-call.h"
#include "daemon/daemon.h"
#include "daemon/http/http.h"
#include "daemon/log-follow.h"
#include "daemon/sandbox-log.h"
#include "daemon/sandbox.h"
#include "lib/base/clock.h"
#include "lib/base/duration.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"

#define DEFAULT_LINES 100

struct follower {
	struct list link; /* sandbox->followers */
	struct sandbox *s;
	struct http_req *r;
	uint64_t at;
	struct log_filter filter; /* of what is still to come */
};

static void add_text(void *data, const struct log_line *line)
{
	json_strn(data, NULL, line->text, line->len);
}

static void add_object(void *data, const struct log_line *line)
{
	struct json_writer *w = data;
	char when[CLOCK_RFC3339_SIZE];

	json_open(w, NULL, '{');
	if (line->seen.wall_ms) {
		clock_format_rfc3339(line->seen.wall_ms * INT64_C(1000000),
				     when);
		json_str(w, "time", when);
	} else {
		json_null(w, "time");
	}
	if (log_stream_name(line->stream))
		json_str(w, "stream", log_stream_name(line->stream));
	else
		json_null(w, "stream");
	json_strn(w, "line", line->text, line->len);
	if (line->at >= 0)
		json_int(w, "at", line->at);
	else
		json_null(w, "at");
	json_close(w, '}');
}

static void send_line(void *data, const struct log_line *line)
{
	struct follower *f = data;
	auto_buf struct buf out = BUF_INIT;
	struct json_writer w = json_writer(&out);

	add_object(&w, line);
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

/* Cut, not ended: the sandbox goes on, and so may whoever follows it. */
static void follower_stopped(struct http_req *r)
{
	follower_free(http_data(r));
	http_stream_abort(r);
}

/* A slow reader is served from the ring once it has drained; what was
 * overwritten meanwhile leaves the ring's own marker. */
static void pump(struct follower *f)
{
	struct sandbox_log *l = sandbox_log(f->s);

	if (l && http_stream_queued(f->r) < LIMIT_QUEUE_HIGH)
		(void)sandbox_log_since(l, f->at, &f->filter, send_line, f,
					&f->at);
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

static void follow(struct http_req *r, struct sandbox *s,
		   const struct log_filter *wanted)
{
	struct follower *f = xcalloc(1, sizeof(*f));
	struct sandbox_log *l = sandbox_log(s);

	f->s = sandbox_ref(s);
	f->r = r;
	/* However the clock jumps, what comes now comes after `since`. */
	f->filter = (struct log_filter){ .one_stream = wanted->one_stream,
					 .stream = wanted->stream };
	list_append(&s->followers, &f->link);
	http_set_data(r, f);
	http_on_gone(r, follower_gone);
	http_on_drain(r, follower_drained);
	http_on_stop(r, follower_stopped);
	http_reply_header(r, "Cache-Control", "no-cache");
	http_stream_begin(r, 200, "application/x-ndjson", -1);
	http_stream_keepalive(r, "\n");
	if (l)
		(void)sandbox_log_tail(l, wanted, send_line, f, &f->at);
}

static int parse_lines(const char *text, unsigned *ret, struct svm_err *err)
{
	char *end;

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

/* "10m": that long ago by the clock that never jumps; or a time of day. */
static int parse_since(const char *text, struct log_filter *f,
		       struct svm_err *err)
{
	int64_t ns;

	if (!text || !*text)
		return 0;
	f->lines = LIMIT_LOG_LINES;
	if (duration_parse(text, &ns) == 0 && ns >= 0) {
		f->from_boot_ms = MAX(clock_boot_ns() - ns, INT64_C(1000000)) /
				  1000000;
		return 0;
	}
	if (clock_parse_rfc3339(text, &ns) < 0)
		return svm_err_set(err, SVM_BAD_REQUEST, "since is a duration "
				   "or a time, such as 10m or "
				   "2026-01-31T12:00:00Z, not '%.64s'", text);
	f->from_wall_ms = MAX(ns / 1000000, INT64_C(1));
	return 0;
}

static int parse_stream(const char *text, struct log_filter *f,
			struct svm_err *err)
{
	if (!text || !*text)
		return 0;
	f->one_stream = true;
	if (log_stream_parse(text, &f->stream))
		return 0;
	return svm_err_set(err, SVM_BAD_REQUEST, "stream is stdout, stderr, "
			   "pty or system, not '%.64s'", text);
}

/* Where a line begins, as its details have it. */
static int parse_at(struct http_req *r, const char *key, bool *ret_has,
		    int64_t *ret_at, struct svm_err *err)
{
	const char *text = http_query(r, key);
	char *end;

	if (!text || !*text)
		return 0;
	errno = 0;
	long long v = strtoll(text, &end, 10);
	if (*end || text[0] < '0' || text[0] > '9' || errno)
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "%s is the 'at' of a line, a number, not "
				   "'%.64s'", key, text);
	*ret_has = true;
	*ret_at = v;
	return 0;
}

static bool is_true(struct http_req *r, const char *key)
{
	const char *v = http_query(r, key);

	return v && strcmp(v, "true") == 0;
}

static int parse_place(struct http_req *r, struct log_filter *f,
		       struct svm_err *err)
{
	if (parse_at(r, "before", &f->has_before, &f->before, err) < 0 ||
	    parse_at(r, "after", &f->has_after, &f->after, err) < 0)
		return -1;
	if (f->has_before + f->has_after + is_true(r, "follow") > 1)
		return svm_err_set(err, SVM_BAD_REQUEST, "one of before, "
				   "after and follow, not several");
	return 0;
}

static int parse_filter(struct http_req *r, struct log_filter *f,
			struct svm_err *err)
{
	*f = (struct log_filter){ .lines = DEFAULT_LINES };
	if (parse_since(http_query(r, "since"), f, err) < 0 ||
	    parse_stream(http_query(r, "stream"), f, err) < 0 ||
	    parse_place(r, f, err) < 0)
		return -1;
	return parse_lines(http_query(r, "lines"), &f->lines, err);
}

void api_sandbox_logs(struct http_req *r, void *app)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct sandbox *s = api_find_sandbox(r, app, &err);
	struct log_filter f;
	uint64_t end;

	if (!s || parse_filter(r, &f, &err) < 0) {
		http_reply_error(r, &err);
		return;
	}
	if (is_true(r, "follow")) {
		follow(r, s, &f);
		return;
	}
	auto_buf struct buf out = BUF_INIT;
	struct json_writer w = json_writer(&out);
	struct sandbox_log *l = sandbox_log(s);
	json_open(&w, NULL, '[');
	if (l)
		(void)sandbox_log_tail(l, &f,
				       is_true(r, "details") ? add_object :
								add_text,
				       &w, &end);
	json_close(&w, ']');
	http_reply_json(r, 200, &out);
}
