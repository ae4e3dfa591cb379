/* SPDX-License-Identifier: MIT */
/*
 * The life of a sandbox: one table of states and events, and the few
 * functions that walk it.  Everything runs on the loop's thread; provider
 * work goes to a worker and comes back.
 */
#ifndef SVM_DAEMON_LIFECYCLE_H
#define SVM_DAEMON_LIFECYCLE_H

#include "daemon/audit.h"
#include "daemon/sandbox.h"

enum life_event {
	LIFE_READY,         /* create() succeeded */
	LIFE_FAILED,        /* create() failed; nothing is left */
	LIFE_SILENT,        /* the agent missed a deadline */
	LIFE_ANSWERED,      /* it answers again */
	LIFE_GONE,          /* the agent ended without being asked to */
	LIFE_EXPIRE,        /* time to live is over */
	LIFE_DESTROY,       /* somebody wants it gone */
	LIFE_REMOVED,       /* destroy() left nothing */
	LIFE_REMOVE_FAILED, /* something could not be removed */
	LIFE_EVENT_MAX
};

/* The state that follows, or -1 when the event is not allowed (CONFLICT). */
int life_next(enum sandbox_state state, enum life_event event);
const char *life_event_name(enum life_event event);

/* An answer owed to somebody.  fn is called once, on the loop: err is NULL
 * when what was asked for is done and stored.  The waiter is the caller's
 * and must live until then. */
struct life_waiter {
	struct list link;
	struct audit_who who; /* for the audit trail; may be zero */
	const char *action;   /* ... of life_commit_for() */
	char *target;         /* ... or NULL; the waiter's */
	void (*fn)(struct life_waiter *w, struct sandbox *s,
		   const struct svm_err *err);
	/* Before that: this setup command (from 1) begins.  May be NULL. */
	void (*setup)(struct life_waiter *w, size_t command);
};

/* Begin to create s, which is CREATING and registered: row, then box, then
 * row again, then the waiter. */
void life_create(struct sandbox *s, struct life_waiter *w);

/* Of a sandbox that is created: this setup command (from 1) begins. */
void life_setting_up(struct sandbox *s, size_t command);

/* Begin to hand out a warm copy: it takes what spec holds.  -1: its agent
 * can't be reached, and nothing has changed.  Then life_claim() stores it and
 * tells the waiter. */
int life_claim_begin(struct sandbox *s, struct sandbox_spec *spec,
		     struct svm_err *err);
void life_claim(struct sandbox *s, struct life_waiter *w);

/* Take it away; the waiter may be NULL.  While it is being created this
 * happens as soon as create() has come back. */
void life_destroy(struct sandbox *s, const char *why, struct life_waiter *w);

/* Set a new end of life (boot and wall clock): tells the agent, then the
 * store, then the waiter. */
void life_extend(struct sandbox *s, int64_t ttl_ns, struct life_waiter *w);

/* Another name and metadata, which are taken out of *p: the store, then the
 * waiter.  CONFLICT when the name is taken or the state does not allow it. */
struct sandbox_patch;
void life_update(struct sandbox *s, struct sandbox_patch *p,
		 struct life_waiter *w);

/* After adoption: watch the agent, arm the timer. */
void life_resume(struct sandbox *s);

/* The agent of s did or did not answer in time. */
void life_heard(struct sandbox *s, bool answered);

#endif
