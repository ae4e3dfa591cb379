/* SPDX-License-Identifier: MIT */
/*
 * Admission: whether one more sandbox may be made, and the queue of spawns
 * that wait until it may.
 *
 * What counts is the registry: a place is taken by sandbox_new() and given
 * back by sandbox_unregister(), so no path can lose one.  Nothing is reserved
 * while a spawn waits.  Owners take turns; within an owner it is first come,
 * first served; an owner at its own limit stands in nobody's way.
 */
#ifndef SVM_DAEMON_ADMISSION_H
#define SVM_DAEMON_ADMISSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/list.h"

struct admission;
struct admission_line;
struct daemon;
struct loop_timer;

/* A spawn that may have to wait; zeroed by its maker, who owns it and keeps
 * it until it was told or has left. */
struct admission_wait {
	struct list link; /* in its owner's line */
	struct admission_line *line;
	struct loop_timer *patience;
	struct daemon *daemon;
	int64_t since_ns;
	/* Called once, on the loop: err NULL when there is room now, to be
	 * taken (sandbox_new()) before this returns or not at all; else
	 * RESOURCE_LIMIT (waited too long) or UNAVAILABLE (stopping).  The
	 * wait is no longer ours then. */
	void (*told)(struct admission_wait *w, const struct svm_err *err);
	/* There may be something that is had without a place (a warm copy).
	 * True when it was taken, after admission_taken().  NULL: nothing but
	 * a place will do. */
	bool (*offered)(struct admission_wait *w);
};

struct admission *admission_new(struct daemon *d);
void admission_free(struct admission *a); /* accepts NULL; nobody waits */

/* 0: there is room, take it now.  1: w waits.  -1: refused with err
 * RESOURCE_LIMIT (full and no queue, or the queue is full too) or
 * UNAVAILABLE (stopping).  owner NULL: nobody. */
int admission_ask(struct daemon *d, const char *owner,
		  struct admission_wait *w, struct svm_err *err);

/* May this owner have one that is there already (a warm copy)? */
bool admission_may_claim(struct daemon *d, const char *owner);

/* How many more may this owner have? */
size_t admission_owner_room(struct daemon *d, const char *owner);

/* Is there a place that nobody waits for? */
bool admission_has_room(struct daemon *d);

/* How many of its owner wait, this one included. */
size_t admission_waiting(const struct admission_wait *w);

/* The caller does not want it any more. */
void admission_leave(struct admission_wait *w);

/* A place became free, or a limit changed: look who may go, soon. */
void admission_wake(struct daemon *d);

/* One more is there already: whoever waits for such gets it, in turn. */
void admission_offer(struct daemon *d);

/* It was had without a place: it waits no longer and is its owner's. */
void admission_taken(struct admission_wait *w);

/* The daemon stops: everybody is told so. */
void admission_close(struct daemon *d);

/* For POST /sandboxes/admission and /quotas/{owner}/usage. */
struct admission_view {
	size_t active, active_owner;
	int64_t max, max_owner; /* 0: no limit */
	bool room;       /* a spawn would be admitted at once */
	bool queueable;  /* ... or could wait */
	size_t waiting_owner;
	const char *why; /* there is no room; "" when there is */
};
void admission_look(struct daemon *d, const char *owner,
		    struct admission_view *ret);

#endif
