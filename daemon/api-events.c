/* SPDX-License-Identifier: MIT */
/*
 * GET /events: those who read them.
 *
 * A reader is replaying or live.  Replaying, a worker reads the store in
 * batches, at the reader's pace; `last` is the id up to which the reader was
 * served.  It turns live once the newest events, which the hub keeps in
 * memory for a while, hold all that comes after `last`.  Ids decide, so an
 * event that is in a batch and published later is sent once.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/api.h"
#include "daemon/auth.h"
#include "daemon/daemon.h"
#include "daemon/events-internal.h"
#include "daemon/events.h"
#include "daemon/http/http.h"
#include "lib/api/limits.h"
#include "lib/base/clock.h"
#include "lib/base/duration.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/work.h"

#define BATCH_ROWS 500

/* Which events a reader wants. */
struct filter {
	char *type, *sandbox_id; /* NULL: any */
	char *owner;
	bool all;                /* whoever the owner is */
	int64_t from_wall_ns;
};

struct reader {
	struct list link;
	struct events *hub;
	struct store *store;  /* a batch may outlive the hub */
	struct http_req *req; /* NULL once the client is */
	struct filter filter;
	int64_t last;
	size_t limit;         /* queued bytes that count as lagging */
	bool live;
	bool brief;           /* ?follow=false: only what is on record */

	/* A batch; the worker's while busy. */
	bool busy;
	struct work work;
	int64_t mark;  /* what had been published when it was started */
	int64_t batch_last;
	unsigned rows;
	bool more;
	struct buf out;
	struct svm_err err;
};

static bool visible(const struct filter *f, const char *owner)
{
	const struct caller c = { .owner = f->owner, .all = f->all };

	return auth_may_see(&c, owner) ||
	       (owner && strcmp(owner, EVENTS_EVERYBODY) == 0);
}

static bool wanted(const struct filter *f, int64_t wall_ns, const char *type,
		   const char *sandbox_id, const char *owner)
{
	return wall_ns >= f->from_wall_ns && visible(f, owner) &&
	       (!f->type || strcmp(f->type, type) == 0) &&
	       (!f->sandbox_id ||
		(sandbox_id && strcmp(f->sandbox_id, sandbox_id) == 0));
}

/* Readers. */

static void reader_free(struct reader *rd)
{
	list_remove(&rd->link);
	free(rd->filter.type);
	free(rd->filter.sandbox_id);
	free(rd->filter.owner);
	buf_release(&rd->out);
	svm_err_release(&rd->err);
	free(rd);
}

/* The stream is over; a batch that is out comes home first. */
static void reader_leave(struct reader *rd)
{
	rd->req = NULL;
	list_remove(&rd->link);
	if (!rd->busy)
		reader_free(rd);
}

static void on_gone(struct http_req *r)
{
	if (http_data(r))
		reader_leave(http_data(r));
}

/* Say a last word and end the stream. */
static void reader_close(struct reader *rd, const char *comment)
{
	struct http_req *r = rd->req;

	http_set_data(r, NULL);
	reader_leave(rd);
	http_stream_write(r, comment, strlen(comment));
	http_stream_end(r);
}

/* False when that was too much and the reader is gone. */
static bool give(struct reader *rd, const struct event *e)
{
	size_t queued = http_stream_queued(rd->req);

	if (e->id <= rd->last)
		return true;
	rd->last = e->id;
	if (!wanted(&rd->filter, e->wall_ns, e->type, e->sandbox_id,
		    e->owner))
		return true;
	if (queued < LIMIT_QUEUE_SSE)
		rd->limit = LIMIT_QUEUE_SSE;
	if (queued > rd->limit) {
		reader_close(rd, ": lagged\n\n");
		return false;
	}
	http_stream_write_blob(rd->req, e->blob);
	return true;
}

void event_readers_give(struct list *readers, const struct event *e)
{
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, readers) {
		struct reader *rd = list_entry(pos, struct reader, link);

		if (rd->live)
			(void)give(rd, e);
	}
}

void event_readers_close(struct list *readers)
{
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, readers)
		reader_close(list_entry(pos, struct reader, link),
			     ": closing\n\n");
}

/* Replay. */

static void take_row(void *data, struct store_event *e)
{
	struct reader *rd = data;

	if (rd->out.len >= LIMIT_TURN_BYTES) {
		rd->more = true;
		return;
	}
	rd->rows++;
	rd->batch_last = e->id;
	if (e->wall_ns >= rd->filter.from_wall_ns &&
	    visible(&rd->filter, e->owner))
		events_render(&rd->out, e);
}

static void read_batch(struct work *w)
{
	struct reader *rd = container_of(w, struct reader, work);

	(void)store_each_event(rd->store, rd->last, rd->filter.type,
			       rd->filter.sandbox_id, BATCH_ROWS, take_row, rd,
			       &rd->err);
}

static void go_on(struct reader *rd);

static void batch_done(struct work *w)
{
	struct reader *rd = container_of(w, struct reader, work);

	rd->busy = false;
	if (!rd->req) {
		reader_free(rd);
		return;
	}
	if (rd->err.code) {
		struct http_req *r = rd->req;

		log_warn_e(&rd->err, "an event replay was cut off");
		reader_leave(rd);
		http_stream_abort(r);
		return;
	}
	rd->last = MAX(rd->last, rd->batch_last);
	/* A batch with room left saw everything there was at its start. */
	if (!rd->more && rd->rows < BATCH_ROWS)
		rd->last = MAX(rd->last, rd->mark);
	if (rd->out.len)
		http_stream_write(rd->req, rd->out.data, rd->out.len);
	buf_clear(&rd->out);
	go_on(rd);
}

static void start_batch(struct reader *rd)
{
	rd->busy = true;
	rd->mark = rd->hub->published;
	rd->batch_last = 0;
	rd->rows = 0;
	rd->more = false;
	rd->work.run = read_batch;
	rd->work.done = batch_done;
	work_submit(rd->hub->daemon->workers, &rd->work);
}

/* Live if the newest bridge what is missing, else another batch once the
 * reader has room. */
static void go_on(struct reader *rd)
{
	struct events *h = rd->hub;
	struct list *pos, *tmp;

	if (rd->busy || rd->live)
		return;
	if (rd->last < h->base) {
		if (http_stream_queued(rd->req) <= LIMIT_QUEUE_HIGH)
			start_batch(rd);
		return;
	}
	rd->live = true;
	list_for_each_safe(pos, tmp, &h->newest)
		if (!give(rd, list_entry(pos, struct event, link)))
			return;
	if (rd->brief)
		reader_close(rd, ": end\n\n");
}

static void settled(void *data, const struct svm_err *err,
		    const struct store_event *events, size_t n)
{
	struct reader *rd = data;

	(void)err;
	(void)events;
	(void)n;
	rd->busy = false;
	if (rd->req)
		go_on(rd);
	else
		reader_free(rd);
}

/* Who asks for what there is means what he has done himself, too. */
static void settle(struct reader *rd)
{
	rd->busy = true;
	store_settle(rd->store, settled, rd);
}

static void on_drain(struct http_req *r)
{
	go_on(http_data(r));
}

/* "123": an id; "10m": that long ago; or a time. */
static int parse_since(const char *text, struct reader *rd,
		       struct svm_err *err)
{
	int64_t ns;
	char *end;

	if (strspn(text, "0123456789") == strlen(text)) {
		/* An id from before the database was replaced would wait
		 * for ever. */
		errno = 0;
		rd->last = MIN(strtoll(text, &end, 10), rd->hub->published);
		if (!errno && *text)
			return 0;
	} else if (duration_parse(text, &ns) == 0 && ns >= 0) {
		rd->filter.from_wall_ns = clock_wall_ns() - ns;
		return 0;
	} else if (clock_parse_rfc3339(text, &ns) == 0) {
		rd->filter.from_wall_ns = ns;
		return 0;
	}
	return svm_err_set(err, SVM_BAD_REQUEST, "since is the id of an "
			   "event, a duration or a time, not '%.64s'", text);
}

/* A type there is not would be waited for in vain. */
static int check_type(const char *type, struct svm_err *err)
{
	enum event_type ignored;

	if (!type || !*type || event_type_parse(type, &ignored))
		return 0;
	svm_err_set(err, SVM_BAD_REQUEST, "there is no event of type '%.80s'",
		    type);
	return svm_err_hint(err, "stacyvm-events(1) lists the types");
}

static char *text_or_null(const char *text)
{
	return text && *text ? xstrdup(text) : NULL;
}

/* What is asked for, and from where on. */
static int take_query(struct reader *rd, const struct http_req *r,
		      struct svm_err *err)
{
	const char *since = http_header(r, "Last-Event-ID");
	const char *type = http_query(r, "type");
	const char *follow = http_query(r, "follow");

	/* A client that comes back repeats its first query: the id it saw
	 * last is newer. */
	if (!since || !*since)
		since = http_query(r, "since");
	if ((since && *since && parse_since(since, rd, err) < 0) ||
	    check_type(type, err) < 0)
		return -1;
	if (rd->filter.from_wall_ns)
		rd->last = 0;
	rd->filter.type = text_or_null(type);
	rd->filter.sandbox_id = text_or_null(http_query(r, "sandbox_id"));
	rd->brief = follow && strcmp(follow, "false") == 0;
	rd->live = !rd->brief && (!since || !*since);
	rd->limit = rd->live ? LIMIT_QUEUE_SSE :
			       LIMIT_QUEUE_HIGH + LIMIT_QUEUE_SSE;
	return 0;
}

static struct reader *reader_new(struct daemon *d, struct http_req *r)
{
	struct reader *rd = xcalloc(1, sizeof(*rd));
	struct caller c;

	auth_caller(d, r, &c);
	list_init(&rd->link);
	rd->hub = d->events;
	rd->store = d->store;
	rd->req = r;
	rd->last = rd->hub->published;
	rd->filter.owner = xstrdup(c.owner);
	rd->filter.all = c.all;
	return rd;
}

void api_events(struct http_req *r, void *app)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct reader *rd = reader_new(app, r);

	if (take_query(rd, r, &err) < 0) {
		reader_free(rd);
		http_reply_error(r, &err);
		return;
	}
	list_append(&rd->hub->readers, &rd->link);
	http_set_data(r, rd);
	http_on_gone(r, on_gone);
	http_on_drain(r, on_drain);
	http_reply_header(r, "Cache-Control", "no-cache");
	http_reply_header(r, "X-Accel-Buffering", "no");
	http_stream_begin(r, 200, "text/event-stream", -1);
	http_stream_keepalive(r, ":\n\n");
	if (rd->brief)
		settle(rd);
	else
		go_on(rd);
}
