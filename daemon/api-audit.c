/* SPDX-License-Identifier: MIT */
/*
 * GET /audit and /audit/verify.
 *
 * Workers read and render a batch, the loop sends it, and the next batch is
 * read when the client has taken most of it: any number of records goes
 * through a bounded amount of memory.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/api.h"
#include "daemon/audit-read.h"
#include "daemon/daemon.h"
#include "daemon/http/http.h"
#include "daemon/store.h"
#include "lib/api/limits.h"
#include "lib/base/clock.h"
#include "lib/base/duration.h"
#include "lib/base/json.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/work.h"

#define DEFAULT_LIMIT 100

enum format { FORMAT_JSON, FORMAT_CSV, FORMAT_JSONL };

struct listing {
	struct work work;
	struct daemon *d;
	struct http_req *r; /* NULL once the client is gone */
	struct audit_reader *reader;
	struct audit_filter filter; /* borrows from `texts` */
	char *texts[4];
	enum format format;
	int64_t limit, sent, after;
	bool started, more, any, busy, begun;
	struct buf out;
	struct svm_err err;
};

static void listing_free(struct listing *l)
{
	audit_reader_close(l->reader);
	for (size_t i = 0; i < ARRAY_SIZE(l->texts); i++)
		free(l->texts[i]);
	buf_release(&l->out);
	svm_err_release(&l->err);
	free(l);
}

/* Rendering. */

static void add_optional(struct json_writer *w, const char *key,
			 const char *text)
{
	if (text)
		json_str(w, key, text);
	else
		json_null(w, key);
}

static void add_json(struct buf *out, const struct store_audit *a)
{
	struct json_writer w = json_writer(out);
	char text[DIGEST_TEXT + 1];

	json_open(&w, NULL, '{');
	json_int(&w, "seq", a->seq);
	clock_format_rfc3339(a->wall_ns, text);
	json_str(&w, "time", text);
	add_optional(&w, "actor", a->actor);
	add_optional(&w, "owner_id", a->owner);
	add_optional(&w, "sandbox_id", a->sandbox_id);
	json_str(&w, "action", a->action);
	add_optional(&w, "target", a->target);
	json_str(&w, "result", a->result);
	add_optional(&w, "request_id", a->request_id);
	digest_format(&a->hash, text);
	json_str(&w, "hash", text);
	json_close(&w, '}');
}

/* RFC 4180; a spreadsheet must not take a cell for a formula. */
static void add_cell(struct buf *out, const char *s, char end)
{
	bool quote = s && (strpbrk(s, "\",\r\n") || strchr("=+-@", *s));

	if (quote) {
		buf_addch(out, '"');
		if (*s && strchr("=+-@", *s))
			buf_addch(out, '\'');
		for (; *s; s++) {
			if (*s == '"')
				buf_addch(out, '"');
			buf_addch(out, *s);
		}
		buf_addch(out, '"');
	} else if (s) {
		buf_addstr(out, s);
	}
	buf_addch(out, end);
}

#define CSV_HEAD "seq,time,actor,owner_id,sandbox_id,action,target,result," \
		 "request_id,hash\r\n"

static void add_csv(struct buf *out, const struct store_audit *a)
{
	char when[CLOCK_RFC3339_SIZE], hash[DIGEST_TEXT + 1];

	clock_format_rfc3339(a->wall_ns, when);
	digest_format(&a->hash, hash);
	buf_addf(out, "%lld,%s,", (long long)a->seq, when);
	add_cell(out, a->actor, ',');
	add_cell(out, a->owner, ',');
	add_cell(out, a->sandbox_id, ',');
	add_cell(out, a->action, ',');
	add_cell(out, a->target, ',');
	add_cell(out, a->result, ',');
	add_cell(out, a->request_id, ',');
	buf_addf(out, "%s\r\n", hash);
}

static bool take(void *data, const struct store_audit *a)
{
	struct listing *l = data;

	if (l->limit && l->sent == l->limit)
		return false;
	if (l->format == FORMAT_CSV) {
		add_csv(&l->out, a);
	} else {
		if (l->format == FORMAT_JSON && l->any)
			buf_addch(&l->out, ',');
		add_json(&l->out, a);
		if (l->format == FORMAT_JSONL)
			buf_addch(&l->out, '\n');
	}
	l->any = true;
	l->sent++;
	return l->out.len < LIMIT_TURN_BYTES;
}

/* Batches. */

static void run_batch(struct work *w)
{
	struct listing *l = container_of(w, struct listing, work);

	if (!l->reader && audit_reader_open(store_path(l->d->store),
					    &l->reader, &l->err) < 0)
		return;
	if (!l->started &&
	    audit_reader_start(l->reader, &l->filter, l->limit, &l->after,
			       &l->err) < 0)
		return;
	l->started = true;
	(void)audit_reader_each(l->reader, &l->filter, l->after, take, l,
				&l->after, &l->more, &l->err);
	if (l->limit && l->sent == l->limit)
		l->more = false;
}

static void begin(struct listing *l)
{
	static const char *const types[] = {
		[FORMAT_JSON] = "application/json",
		[FORMAT_CSV] = "text/csv; charset=utf-8",
		[FORMAT_JSONL] = "application/x-ndjson",
	};

	l->begun = true;
	http_stream_begin(l->r, 200, types[l->format], -1);
	if (l->format == FORMAT_JSON)
		http_stream_write(l->r, "[", 1);
	else if (l->format == FORMAT_CSV)
		http_stream_write(l->r, CSV_HEAD, strlen(CSV_HEAD));
}

static void fail(struct listing *l)
{
	if (l->begun) {
		log_warn_e(&l->err, "an audit export was cut off");
		http_stream_abort(l->r);
	} else {
		http_reply_error(l->r, &l->err);
	}
	listing_free(l);
}

static void go_on(struct listing *l)
{
	if (l->busy || http_stream_queued(l->r) > LIMIT_QUEUE_LOW)
		return;
	l->busy = true;
	work_submit(l->d->workers, &l->work);
}

static void batch_done(struct work *w)
{
	struct listing *l = container_of(w, struct listing, work);

	l->busy = false;
	if (!l->r) {
		listing_free(l);
		return;
	}
	if (l->err.code) {
		fail(l);
		return;
	}
	if (!l->begun)
		begin(l);
	if (l->out.len)
		http_stream_write(l->r, l->out.data, l->out.len);
	buf_clear(&l->out);
	if (l->more) {
		go_on(l);
		return;
	}
	if (l->format == FORMAT_JSON)
		http_stream_write(l->r, "]", 1);
	http_stream_end(l->r);
	listing_free(l);
}

/* What was done before is in the list. */
static void settled(void *data, const struct svm_err *err,
		    const struct store_event *events, size_t n)
{
	struct listing *l = data;

	(void)err;
	(void)events;
	(void)n;
	l->busy = false;
	if (l->r)
		go_on(l);
	else
		listing_free(l);
}

static void on_drain(struct http_req *r)
{
	go_on(http_data(r));
}

static void on_gone(struct http_req *r)
{
	struct listing *l = http_data(r);

	l->r = NULL;
	if (!l->busy)
		listing_free(l);
}

/* Parameters. */

static int parse_format(struct http_req *r, enum format *ret,
			struct svm_err *err)
{
	static const char *const names[] = { "json", "csv", "jsonl" };
	const char *text = http_query(r, "format");

	if (!text || !*text)
		return 0;
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(text, names[i]) == 0) {
			*ret = (enum format)i;
			return 0;
		}
	}
	return svm_err_set(err, SVM_BAD_REQUEST,
			   "'format' must be json, csv or jsonl");
}

static int parse_number(const char *text, int64_t *ret)
{
	char *end;

	if (!*text || strspn(text, "0123456789") != strlen(text))
		return -EINVAL;
	errno = 0;
	*ret = strtoll(text, &end, 10);
	return -errno;
}

/* An array is for one screen unless its size is said; exports are whole. */
static int parse_limit(struct http_req *r, struct listing *l,
		       struct svm_err *err)
{
	const char *text = http_query(r, "limit");
	int64_t max = l->format == FORMAT_JSON ? LIMIT_AUDIT_LIST : INT64_MAX;

	if (text && *text && (parse_number(text, &l->limit) < 0 ||
			      l->limit > max))
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "'limit' must be a number up to %lld",
				   (long long)max);
	if (!l->limit && l->format == FORMAT_JSON)
		l->limit = DEFAULT_LIMIT;
	return 0;
}

/* "123": after that record; "10m": that long ago; or a time. */
static int parse_since(struct http_req *r, struct audit_filter *f,
		       struct svm_err *err)
{
	const char *text = http_query(r, "since");
	int64_t ns;

	if (!text || !*text || parse_number(text, &f->since_seq) == 0)
		return 0;
	if (duration_parse(text, &ns) == 0 && ns >= 0) {
		f->since_ns = clock_wall_ns() - ns;
		return 0;
	}
	if (clock_parse_rfc3339(text, &f->since_ns) == 0)
		return 0;
	return svm_err_set(err, SVM_BAD_REQUEST, "since is the number of a "
			   "record, a duration or a time, not '%.64s'", text);
}

static void take_filter(struct http_req *r, struct listing *l)
{
	static const char *const names[] = { "actor", "action", "sandbox_id",
					     "owner" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *text = http_query(r, names[i]);

		l->texts[i] = text && *text ? xstrdup(text) : NULL;
	}
	l->filter.actor = l->texts[0];
	l->filter.action = l->texts[1];
	l->filter.sandbox_id = l->texts[2];
	l->filter.owner = l->texts[3];
}

void api_audit_list(struct http_req *r, void *app)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct listing *l = xcalloc(1, sizeof(*l));

	l->d = app;
	l->r = r;
	l->work.run = run_batch;
	l->work.done = batch_done;
	if (parse_format(r, &l->format, &err) < 0 ||
	    parse_limit(r, l, &err) < 0 ||
	    parse_since(r, &l->filter, &err) < 0) {
		http_reply_error(r, &err);
		listing_free(l);
		return;
	}
	take_filter(r, l);
	http_set_data(r, l);
	http_on_gone(r, on_gone);
	http_on_drain(r, on_drain);
	l->busy = true;
	store_settle(l->d->store, settled, l);
}

/* Verifying. */

struct verify {
	struct work work;
	struct daemon *d;
	struct http_req *r;
	struct audit_verdict verdict;
	int result;
	struct svm_err err;
};

static void run_verify(struct work *w)
{
	struct verify *v = container_of(w, struct verify, work);
	struct audit_reader *reader = NULL;

	v->result = audit_reader_open(store_path(v->d->store), &reader,
				      &v->err);
	if (v->result == 0)
		v->result = audit_verify(reader, &v->verdict, &v->err);
	audit_reader_close(reader);
}

static void verify_done(struct work *w)
{
	struct verify *v = container_of(w, struct verify, work);
	auto_buf struct buf out = BUF_INIT;

	if (v->result == 0 && !v->verdict.whole)
		log_error("the audit trail is broken at record %lld: %s",
			  (long long)v->verdict.broken_at,
			  v->verdict.problem);
	if (v->result < 0) {
		http_reply_error(v->r, &v->err);
	} else {
		audit_verdict_json(&v->verdict, &out);
		http_reply_json(v->r, 200, &out);
	}
	svm_err_release(&v->err);
	free(v);
}

static void verify_settled(void *data, const struct svm_err *err,
			   const struct store_event *events, size_t n)
{
	struct verify *v = data;

	(void)err;
	(void)events;
	(void)n;
	work_submit(v->d->workers, &v->work);
}

/* Without on_gone the request stays until it is answered. */
void api_audit_verify(struct http_req *r, void *app)
{
	struct verify *v = xcalloc(1, sizeof(*v));

	v->work.run = run_verify;
	v->work.done = verify_done;
	v->d = app;
	v->r = r;
	store_settle(v->d->store, verify_settled, v);
}
