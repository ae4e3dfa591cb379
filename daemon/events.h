/* SPDX-License-Identifier: MIT */
/*
 * The event hub: what the store committed goes to every SSE subscriber,
 * rendered once.  A subscriber that can't keep up gets ": lagged" and is
 * closed; it resumes with Last-Event-ID from the store.
 */
#ifndef SVM_DAEMON_EVENTS_H
#define SVM_DAEMON_EVENTS_H

#include <stddef.h>

#include "daemon/store.h"

struct daemon;
struct events;

/* The owner of an event about what everybody shares: images, common
 * templates, providers.  No owner's id has a '/'.  Of an event without any
 * owner know those alone who see everything. */
#define EVENTS_EVERYBODY "/"

struct events *events_new(struct daemon *d); /* d->store is open */
void events_free(struct events *e);

/* Called with what a transaction committed, in id order. */
void events_publish(struct events *e, const struct store_event *ev, size_t n);

/* Give up the copies of the newest events in memory: whoever asks for them
 * gets them from the store. */
void events_forget(struct events *e);

/* An event of its own transaction, published once stored. */
void events_emit(struct daemon *d, enum event_type type,
		 const char *sandbox_id, const char *owner, const char *data);

/* Commit t without waiting and publish its events once they are stored. */
void events_commit(struct daemon *d, struct store_txn *t);
void events_commit_soon(struct daemon *d, struct store_txn *t);

/* At shutdown: a last comment, then every stream ends. */
void events_close_all(struct events *e);

#endif
