/* SPDX-License-Identifier: MIT */
/*
 * The event hub.  See events.h.
 *
 * A subscriber is replaying or live.  Replaying, a worker reads the store in
 * batches, at the reader's pace; `last` is the id up to which the subscriber
 * was served.  It turns live once the newest events, which are kept in memory
 * for a while, hold all that comes after `last`.  Ids decide, so an event that
 * is in a batch and published later is sent once.
 */
#include "daemon/events.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/auth.h"
#include "daemon/daemon.h"
#include "daemon/http/http.h"
#include "lib/api/limits.h"
#include "lib/base/clock.h"
#include "lib/base/duration.h"
#include "lib/base/json.h"
#include "lib/base/list.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/work.h"

#define BATCH_ROWS 500

/* Which events a subscriber wants. */
struct filter {
	char *type, *sandbox_id; /* NULL: any */
	char *owner;
	bool all;                /* whoever the owner is */
	int64_t from_wall_ns;
};

/* One of the newest. */
struct event {
	struct list link;
	int64_t id, wall_ns;
	const char *type, *sandbox_id, *owner; /* in text; NULL: none */
	struct http_blob *blob;
	size_t bytes; /* of all that, about */
	char text[];
};

struct events {
	struct daemon *daemon;
	struct list subs;
	int64_t published;  /* the newest id */
	int64_t base;       /* `newest` holds every event with a larger id */
	struct list newest; /* oldest first */
	size_t count, bytes;
};

struct sub {
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

/* Rendering. */

/* Newlines in JSON are only ever white space; in SSE they end the event. */
static void add_one_line(struct buf *out, const char *json)
{
	for (; *json; json++)
		buf_addch(out, *json == '\n' || *json == '\r' ? ' ' : *json);
}

static void render(struct buf *out, const struct store_event *e)
{
	struct json_writer w = json_writer(out);
	char when[CLOCK_RFC3339_SIZE];

	clock_format_rfc3339(e->wall_ns, when);
	buf_addf(out, "id: %lld\ndata: ", (long long)e->id);
	json_open(&w, NULL, '{');
	json_int(&w, "id", e->id);
	json_str(&w, "type", e->type);
	json_str(&w, "sandbox_id", e->sandbox_id);
	json_str(&w, "timestamp", when);
	json_raw(&w, "data", "");
	add_one_line(out, e->data && *e->data ? e->data : "{}");
	json_close(&w, '}');
	buf_addstr(out, "\n\n");
}

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

/* Subscribers. */

static void sub_free(struct sub *s)
{
	list_remove(&s->link);
	free(s->filter.type);
	free(s->filter.sandbox_id);
	free(s->filter.owner);
	buf_release(&s->out);
	svm_err_release(&s->err);
	free(s);
}

/* The stream is over; a batch that is out comes home first. */
static void sub_leave(struct sub *s)
{
	s->req = NULL;
	list_remove(&s->link);
	if (!s->busy)
		sub_free(s);
}

static void on_gone(struct http_req *r)
{
	if (http_data(r))
		sub_leave(http_data(r));
}

/* Say a last word and end the stream. */
static void sub_close(struct sub *s, const char *comment)
{
	struct http_req *r = s->req;

	http_set_data(r, NULL);
	sub_leave(s);
	http_stream_write(r, comment, strlen(comment));
	http_stream_end(r);
}

/* False when that was too much and the subscriber is gone. */
static bool give(struct sub *s, const struct event *e)
{
	size_t queued = http_stream_queued(s->req);

	if (e->id <= s->last)
		return true;
	s->last = e->id;
	if (!wanted(&s->filter, e->wall_ns, e->type, e->sandbox_id,
		    e->owner))
		return true;
	if (queued < LIMIT_QUEUE_SSE)
		s->limit = LIMIT_QUEUE_SSE;
	if (queued > s->limit) {
		sub_close(s, ": lagged\n\n");
		return false;
	}
	http_stream_write_blob(s->req, e->blob);
	return true;
}

/* The newest. */

/* A copy of a text behind those before it. */
static const char *put(char **at, const char *text)
{
	char *here = *at;

	if (!text)
		return NULL;
	*at = stpcpy(here, text) + 1;
	return here;
}

static size_t room(const char *text)
{
	return text ? strlen(text) + 1 : 0;
}

static void keep(struct events *h, struct event *e)
{
	list_append(&h->newest, &e->link);
	h->count++;
	h->bytes += e->bytes;
}

static void forget_oldest(struct events *h)
{
	struct event *e = list_entry(h->newest.next, struct event, link);

	h->base = e->id;
	h->count--;
	h->bytes -= e->bytes;
	list_remove(&e->link);
	http_blob_unref(e->blob);
	free(e);
}

static struct event *event_new(const struct store_event *ev)
{
	auto_buf struct buf text = BUF_INIT;
	size_t n = room(ev->type) + room(ev->sandbox_id) + room(ev->owner);
	struct event *e = xmalloc(sizeof(*e) + n);
	char *at = e->text;

	render(&text, ev);
	*e = (struct event){
		.id = ev->id,
		.wall_ns = ev->wall_ns,
		.type = put(&at, ev->type),
		.sandbox_id = put(&at, ev->sandbox_id),
		.owner = put(&at, ev->owner),
		.blob = http_blob_new(text.data, text.len),
		.bytes = sizeof(*e) + n + text.len,
	};
	return e;
}

void events_publish(struct events *h, const struct store_event *ev, size_t n)
{
	struct list *pos, *tmp;

	for (size_t i = 0; i < n; i++) {
		struct event *e = event_new(&ev[i]);

		keep(h, e);
		h->published = e->id;
		list_for_each_safe(pos, tmp, &h->subs) {
			struct sub *s = list_entry(pos, struct sub, link);

			if (s->live)
				(void)give(s, e);
		}
		while (h->count > LIMIT_EVENTS_NEWEST ||
		       h->bytes > LIMIT_EVENTS_NEWEST_BYTES)
			forget_oldest(h);
	}
}

void events_forget(struct events *h)
{
	while (h->count)
		forget_oldest(h);
}

/* Replay. */

static void take_row(void *data, struct store_event *e)
{
	struct sub *s = data;

	if (s->out.len >= LIMIT_TURN_BYTES) {
		s->more = true;
		return;
	}
	s->rows++;
	s->batch_last = e->id;
	if (e->wall_ns >= s->filter.from_wall_ns &&
	    visible(&s->filter, e->owner))
		render(&s->out, e);
}

static void read_batch(struct work *w)
{
	struct sub *s = container_of(w, struct sub, work);

	(void)store_each_event(s->store, s->last, s->filter.type,
			       s->filter.sandbox_id, BATCH_ROWS, take_row, s,
			       &s->err);
}

static void go_on(struct sub *s);

static void batch_done(struct work *w)
{
	struct sub *s = container_of(w, struct sub, work);

	s->busy = false;
	if (!s->req) {
		sub_free(s);
		return;
	}
	if (s->err.code) {
		struct http_req *r = s->req;

		log_warn_e(&s->err, "an event replay was cut off");
		sub_leave(s);
		http_stream_abort(r);
		return;
	}
	s->last = MAX(s->last, s->batch_last);
	/* A batch with room left saw everything there was at its start. */
	if (!s->more && s->rows < BATCH_ROWS)
		s->last = MAX(s->last, s->mark);
	if (s->out.len)
		http_stream_write(s->req, s->out.data, s->out.len);
	buf_clear(&s->out);
	go_on(s);
}

static void start_batch(struct sub *s)
{
	s->busy = true;
	s->mark = s->hub->published;
	s->batch_last = 0;
	s->rows = 0;
	s->more = false;
	s->work.run = read_batch;
	s->work.done = batch_done;
	work_submit(s->hub->daemon->workers, &s->work);
}

/* Live if the newest bridge what is missing, else another batch once the
 * reader has room. */
static void go_on(struct sub *s)
{
	struct events *h = s->hub;
	struct list *pos, *tmp;

	if (s->busy || s->live)
		return;
	if (s->last < h->base) {
		if (http_stream_queued(s->req) <= LIMIT_QUEUE_HIGH)
			start_batch(s);
		return;
	}
	s->live = true;
	list_for_each_safe(pos, tmp, &h->newest)
		if (!give(s, list_entry(pos, struct event, link)))
			return;
	if (s->brief)
		sub_close(s, ": end\n\n");
}

static void settled(void *data, const struct svm_err *err,
		    const struct store_event *events, size_t n)
{
	struct sub *s = data;

	(void)err;
	(void)events;
	(void)n;
	s->busy = false;
	if (s->req)
		go_on(s);
	else
		sub_free(s);
}

/* Who asks for what there is means what he has done himself, too. */
static void settle(struct sub *s)
{
	s->busy = true;
	store_settle(s->store, settled, s);
}

static void on_drain(struct http_req *r)
{
	go_on(http_data(r));
}

/* "123": an id; "10m": that long ago; or a time. */
static int parse_since(const char *text, struct sub *s, struct svm_err *err)
{
	int64_t ns;
	char *end;

	if (strspn(text, "0123456789") == strlen(text)) {
		/* An id from before the database was replaced would wait
		 * for ever. */
		errno = 0;
		s->last = MIN(strtoll(text, &end, 10), s->hub->published);
		if (!errno && *text)
			return 0;
	} else if (duration_parse(text, &ns) == 0 && ns >= 0) {
		s->filter.from_wall_ns = clock_wall_ns() - ns;
		return 0;
	} else if (clock_parse_rfc3339(text, &ns) == 0) {
		s->filter.from_wall_ns = ns;
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

void api_events(struct http_req *r, void *app)
{
	struct daemon *d = app;
	auto_err struct svm_err err = SVM_ERR_INIT;
	const char *since = http_header(r, "Last-Event-ID");
	const char *type = http_query(r, "type");
	struct sub *s = xcalloc(1, sizeof(*s));

	/* A client that comes back repeats its first query: the id it saw
	 * last is newer. */
	if (!since || !*since)
		since = http_query(r, "since");
	list_init(&s->link);
	s->hub = d->events;
	s->last = s->hub->published;
	s->store = d->store;
	if ((since && *since && parse_since(since, s, &err) < 0) ||
	    check_type(type, &err) < 0) {
		sub_free(s);
		http_reply_error(r, &err);
		return;
	}
	if (s->filter.from_wall_ns)
		s->last = 0;
	const char *id = http_query(r, "sandbox_id");
	s->filter.type = type && *type ? xstrdup(type) : NULL;
	s->filter.sandbox_id = id && *id ? xstrdup(id) : NULL;
	struct caller c;
	auth_caller(d, r, &c);
	s->filter.owner = xstrdup(c.owner);
	s->filter.all = c.all;
	s->req = r;
	const char *follow = http_query(r, "follow");
	s->brief = follow && strcmp(follow, "false") == 0;
	s->live = !s->brief && (!since || !*since);
	s->limit = s->live ? LIMIT_QUEUE_SSE :
			     LIMIT_QUEUE_HIGH + LIMIT_QUEUE_SSE;
	list_append(&s->hub->subs, &s->link);
	http_set_data(r, s);
	http_on_gone(r, on_gone);
	http_on_drain(r, on_drain);
	http_reply_header(r, "Cache-Control", "no-cache");
	http_reply_header(r, "X-Accel-Buffering", "no");
	http_stream_begin(r, 200, "text/event-stream", -1);
	http_stream_keepalive(r, ":\n\n");
	if (s->brief)
		settle(s);
	else
		go_on(s);
}

/* The hub. */

struct events *events_new(struct daemon *d)
{
	struct events *h = xcalloc(1, sizeof(*h));

	h->daemon = d;
	h->published = h->base = d->store ? store_last_event(d->store) : 0;
	list_init(&h->subs);
	list_init(&h->newest);
	return h;
}

void events_close_all(struct events *h)
{
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &h->subs)
		sub_close(list_entry(pos, struct sub, link), ": closing\n\n");
}

void events_free(struct events *h)
{
	if (!h)
		return;
	events_close_all(h);
	events_forget(h);
	free(h);
}

static void on_stored(void *data, const struct svm_err *err,
		      const struct store_event *events, size_t n)
{
	static struct log_limit limit;
	struct daemon *d = data;

	if (!err)
		events_publish(d->events, events, n);
	else if (log_limited(&limit, 10))
		log_error_e(err, "an event was lost");
}

void events_emit(struct daemon *d, enum event_type type,
		 const char *sandbox_id, const char *owner, const char *data)
{
	struct store_txn *t = store_begin(d->store);

	store_add_event(t, type, sandbox_id, owner, data);
	events_commit(d, t);
}

void events_commit(struct daemon *d, struct store_txn *t)
{
	store_commit(t, on_stored, d);
}

void events_commit_soon(struct daemon *d, struct store_txn *t)
{
	store_commit_soon(t, on_stored, d);
}
