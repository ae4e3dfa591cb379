/* SPDX-License-Identifier: MIT */
/*
 * The event hub.  See events.h.
 *
 * It keeps copies of the newest events for a while, written once for all who
 * read; the store has the rest.  Who reads, and how far they are, is the
 * matter of api-events.c.
 */
#include "daemon/events.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/daemon.h"
#include "daemon/events-internal.h"
#include "daemon/http/http.h"
#include "lib/api/limits.h"
#include "lib/base/clock.h"
#include "lib/base/json.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"

/* Rendering. */

/* Newlines in JSON are only ever white space; in SSE they end the event. */
static void add_one_line(struct buf *out, const char *json)
{
	for (; *json; json++)
		buf_addch(out, *json == '\n' || *json == '\r' ? ' ' : *json);
}

void events_render(struct buf *out, const struct store_event *e)
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

	events_render(&text, ev);
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
	for (size_t i = 0; i < n; i++) {
		struct event *e = event_new(&ev[i]);

		keep(h, e);
		h->published = e->id;
		event_readers_give(&h->readers, e);
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

/* The hub. */

struct events *events_new(struct daemon *d)
{
	struct events *h = xcalloc(1, sizeof(*h));

	h->daemon = d;
	h->published = h->base = d->store ? store_last_event(d->store) : 0;
	list_init(&h->readers);
	list_init(&h->newest);
	return h;
}

void events_close_all(struct events *h)
{
	event_readers_close(&h->readers);
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
