/* SPDX-License-Identifier: MIT */
/*
 * Sandboxes, as every room of the daemon knows them:
 *
 *	sandbox.c        one of them; its row, its agent
 *	sandbox-json.c   as clients see it
 *	sandbox-output.c its log
 *	registry.c       all that live
 *	lifecycle.h      how they come and go
 *
 * A sandbox is reference counted: the registry holds one while it lives, an
 * operation in flight another.  Transitions go through the table in
 * lifecycle.c; each is stored, published and logged before it is answered.
 */
#ifndef SVM_DAEMON_SANDBOX_H
#define SVM_DAEMON_SANDBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/agent-conn.h"
#include "daemon/log-line.h"
#include "lib/api/spec.h"
#include "lib/api/state.h"
#include "lib/base/list.h"
#include "providers/provider.h"

struct claim;
struct daemon;
struct sandbox_log;
struct setup;
struct store_sandbox;
struct update;

struct sandbox {
	struct list link;       /* registry, newest first */
	struct sandbox *hash_next;
	unsigned refs;
	struct daemon *daemon;
	char id[LIMIT_ID + 1];
	enum sandbox_state state;
	struct provider *provider;
	const char *provider_name;
	struct sandbox_spec spec;
	struct provider_box box;
	int64_t created_ns, expires_ns; /* wall, for people */
	int64_t created_boot_ns;
	unsigned previews;              /* open requests to its ports */
	int64_t expires_boot_ns;        /* what counts; 0 never */
	int64_t asked_ns;               /* CLOCK_BOOTTIME of the request */
	int64_t row_ns, spawn_ns;       /* stages of the spawn, for timings */
	char *reason;                   /* of error */
	bool busy;                      /* create or destroy is on a worker */
	bool destroy_wanted;            /* as soon as it is not busy */
	bool greeted;                   /* its agent is known to be ours */
	struct agent_conn *leftovers;   /* the LOGS stream, or NULL */
	int64_t leftovers_seen;         /* boot time of what follows in it */
	struct loop_timer *ttl;
	struct loop_fd *watch;          /* pidfd of the agent */
	struct sandbox_log *log;        /* sandbox-log.h, opened on use */
	struct list followers;          /* log-follow.h */
	struct list makers, leavers;    /* lifecycle.h: answers owed */
	struct setup *setup;            /* setup.h: runs now; or NULL */
	struct claim *claim;            /* lifecycle.c: on its way; or NULL */
	struct update *update;          /* lifecycle-update.c: the last that
					 * isn't stored yet; or NULL */
	struct list warm_link;          /* warm.c: not claimed yet */
};

/* A new one in state CREATING with an id of its own and the registry's
 * reference.  Takes what spec holds.  CONFLICT when its owner has a living
 * sandbox of that name. */
struct sandbox *sandbox_new(struct daemon *d, struct provider *p,
			    struct sandbox_spec *spec, struct svm_err *err);

/* Whether no living one of the owner has this name, but for s (may be NULL);
 * any may have none.  The second tells: CONFLICT. */
bool sandbox_name_is_free(struct daemon *d, const char *name,
			  const char *owner, const struct sandbox *s);
int sandbox_check_name(struct daemon *d, const char *name, const char *owner,
		       const struct sandbox *s, struct svm_err *err);

/* Bring one back from its row (adopt.c); the registry's reference. */
struct sandbox *sandbox_restore(struct daemon *d, struct provider *p,
				const struct store_sandbox *row,
				struct svm_err *err);

/* A warm copy becomes what spec asks for, beginning now: takes its name,
 * owner, environment, metadata and time to live. */
void sandbox_take_over(struct sandbox *s, struct sandbox_spec *spec);

/* Out of the registry: nobody finds it any more; drops its reference. */
void sandbox_unregister(struct sandbox *s);

/* Newest first, without warm copies; NULL starts, NULL after the last. */
struct sandbox *sandbox_next(struct daemon *d, const struct sandbox *s);
size_t sandbox_count(const struct daemon *d); /* with warm copies */
uint64_t sandbox_total(const struct daemon *d); /* since the daemon started */

/* Its row, to be stored; the strings belong to *ret. */
void sandbox_row(const struct sandbox *s, struct store_sandbox *ret);

/* The object of API.md 3.  timings: also the stages of the spawn. */
struct json_writer;
void sandbox_json(const struct sandbox *s, struct json_writer *w,
		  bool timings);
/* The same of one that is remembered only. */
void sandbox_tombstone_json(const struct store_sandbox *row,
			    const struct sandbox_spec *spec,
			    struct json_writer *w);

/* When the agent ends it by itself, should no daemon do so at that time. */
int64_t sandbox_agents_end(int64_t expires_boot_ns);

/* By full id or exact name, as far as the caller may see it; not destroyed
 * ones.  A name is the caller's own first; of others only where it is the
 * only one (else CONFLICT).  Every route looks here, and nowhere else, for
 * the sandbox it is about.  Borrowed; take a reference to keep it.  NULL with
 * err NOT_FOUND, or FORBIDDEN for another owner's. */
struct caller;
struct sandbox *sandbox_find(struct daemon *d, const char *id_or_name,
			     const struct caller *c, struct svm_err *err);
struct sandbox *sandbox_ref(struct sandbox *s);
void sandbox_unref(struct sandbox *s);

/* Begin an operation on its agent.  NULL with CONFLICT unless it is running
 * (or UNHEALTHY: tried all the same; or its setup commands run).  See
 * agent-conn.h; takes a reference only for the call. */
struct agent_conn *sandbox_agent(struct sandbox *s, enum frame_type type,
				 const void *payload, size_t n,
				 int64_t deadline_ns,
				 const struct agent_conn_events *ev,
				 void *data, struct svm_err *err);

/* An operation failed because the sandbox is being taken away, which is no
 * fault of its runtime: true, with *to for the client.  Else false. */
bool sandbox_taken_away(const struct sandbox *s, const struct svm_err *from,
			struct svm_err *to);

/* Its log ring, opened on first use; NULL when it has none. */
struct sandbox_log *sandbox_log(struct sandbox *s);

/* Append output of the command `sid` that was read just now to the sandbox's
 * log (sandbox-log.h); at its end p is NULL. */
void sandbox_log_output(struct sandbox *s, const char *sid,
			enum log_stream stream, const void *p, size_t n);

/* Tell the registry that output was left to the agent (background children,
 * detached sessions): it opens the LOGS stream if it is not open. */
void sandbox_follow_leftovers(struct sandbox *s);

#endif
