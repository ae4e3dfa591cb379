/* SPDX-License-Identifier: MIT */
/*
 * What the hub (events.c) and its readers (api-events.c) share: the newest
 * events in memory, and how one is written.
 */
#ifndef SVM_DAEMON_EVENTS_INTERNAL_H
#define SVM_DAEMON_EVENTS_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/list.h"

struct daemon;
struct http_blob;
struct store_event;

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
	struct list readers;
	int64_t published;  /* the newest id */
	int64_t base;       /* `newest` holds every event with a larger id */
	struct list newest; /* oldest first */
	size_t count, bytes;
};

/* The event as it goes to every reader: an id and a line of JSON. */
void events_render(struct buf *out, const struct store_event *e);

/* api-events.c: e, the newest, to those who are up to date; and the end of
 * all. */
void event_readers_give(struct list *readers, const struct event *e);
void event_readers_close(struct list *readers);

#endif
