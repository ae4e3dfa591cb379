/* SPDX-License-Identifier: MIT */
/*
 * The store: SQLite in WAL mode with synchronous=NORMAL, which survives any
 * kill of the daemon.  One writer thread; a transaction is a list of changes
 * that are committed together, and its callback runs on the loop once they
 * are.  Transactions that wait are committed as a group.
 *
 * What must survive is committed before the answer is sent.
 */
#ifndef SVM_DAEMON_STORE_H
#define SVM_DAEMON_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/api/event-type.h"
#include "lib/base/digest.h"
#include "lib/base/err.h"
#include "lib/base/loop.h"

struct store;
struct store_txn;

/* A row of `sandboxes`.  Strings are owned; NULL where not known. */
struct store_sandbox {
	char *id, *state, *provider, *owner, *name;
	char *spec;    /* JSON: everything needed to show and adopt it */
	char *record;  /* the provider's */
	char *posture; /* JSON */
	char *nonce;   /* hex */
	char *boot_id;
	char *reason;  /* why it is in error, or was removed */
	int64_t pid, start_time;
	int64_t created_ns, expires_ns;  /* wall */
	int64_t expires_boot_ns;         /* 0: never */
	int64_t updated_ns;
};
void store_sandbox_release(struct store_sandbox *s);

struct store_event {
	int64_t id;    /* given in the transaction; grows */
	int64_t wall_ns;
	char *type, *sandbox_id, *owner;
	char *data;    /* JSON object */
};
void store_event_release(struct store_event *e);

struct store_image {
	char *ref;     /* name:tag as the user imports it */
	char *digest;  /* sha256:... of the manifest or config */
	char *config;  /* JSON: env, cmd, layers (digests), architecture */
	int64_t size_bytes, created_ns;
};
void store_image_release(struct store_image *i);

/* What an owner may have; 0: what everybody may. */
struct store_quota {
	char *owner;
	int64_t max_sandboxes, max_ttl_ns, max_exec_timeout_ns;
	int64_t max_memory_mb, max_vcpus;
	int64_t created_ns, updated_ns;
};
void store_quota_release(struct store_quota *q);

struct store_template {
	char *owner; /* or NULL: everybody's */
	char *name;
	char *body; /* JSON: what was chosen */
	int64_t created_ns, updated_ns;
};
void store_template_release(struct store_template *t);

/* One thing that somebody did, or was refused. */
struct store_audit {
	int64_t seq;     /* 1, 2, ... without gaps; given in the transaction */
	int64_t wall_ns;
	int64_t total;   /* bytes of all records up to this one, ever */
	const char *actor, *owner, *sandbox_id; /* NULL where not known */
	const char *action, *target, *result, *request_id;
	struct digest hash; /* of this record and the hash before it */
};

/* Opens or creates, migrates (each step one transaction, schema version in
 * user_version; a newer one than ours is an error that says so). */
int store_open(const char *path, struct loop *l, struct store **ret,
	       struct svm_err *err);
/* Commits what is queued, checkpoints, closes. */
void store_close(struct store *s);

/* The newest event's id when the store was opened, 0 without any. */
int64_t store_last_event(const struct store *s);

/* Build a transaction; strings are copied. */
struct store_txn *store_begin(struct store *s);
void store_put_sandbox(struct store_txn *t, const struct store_sandbox *row);
void store_delete_sandbox(struct store_txn *t, const char *id);
void store_put_image(struct store_txn *t, const struct store_image *row);
void store_delete_image(struct store_txn *t, const char *ref);
void store_put_quota(struct store_txn *t, const struct store_quota *row);
void store_delete_quota(struct store_txn *t, const char *owner);
void store_put_template(struct store_txn *t, const struct store_template *row);
void store_delete_template(struct store_txn *t, const char *owner,
			   const char *name);
void store_add_event(struct store_txn *t, enum event_type type,
		     const char *sandbox_id, const char *owner,
		     const char *data);

/* Append to the audit trail; the time, seq, total and hash are given here.
 * Strings are copied. */
void store_add_audit(struct store_txn *t, const struct store_audit *a);

/* Cut off the audit records that are older than `before_ns` and, from the
 * oldest, what is over `max_bytes` (0: any size); a number of them at most.
 * Leaves a record of the cut. */
void store_trim_audit(struct store_txn *t, int64_t before_ns,
		      int64_t max_bytes);

/* Hand it to the writer.  `done` (may be NULL) runs on the loop with err NULL
 * or why nothing of it was stored (NO_SPACE, UNAVAILABLE when read-only).
 * The events carry their ids; they are borrowed for the call. */
typedef void (*store_done_fn)(void *data, const struct svm_err *err,
			      const struct store_event *events, size_t n);
void store_commit(struct store_txn *t, store_done_fn done, void *data);

/* The same for what nobody waits for: it goes along with the next that is
 * committed, or after STORE_SOON_NS.  To wake the writer takes a processor
 * from whoever is to run now. */
#define STORE_SOON_NS 5000000
void store_commit_soon(struct store_txn *t, store_done_fn done, void *data);

/* Calls `done` once everything that was handed in before is decided, in the
 * database or lost, and its callbacks have run. */
void store_settle(struct store *s, store_done_fn done, void *data);

/* Reading: any thread, blocking, own connection under a lock.  The callback
 * gets each row; it may steal strings. */
int store_each_sandbox(struct store *s,
		       void (*fn)(void *data, struct store_sandbox *row),
		       void *data, struct svm_err *err);
int store_each_image(struct store *s,
		     void (*fn)(void *data, struct store_image *row),
		     void *data, struct svm_err *err);
int store_each_quota(struct store *s, /* by owner */
		     void (*fn)(void *data, struct store_quota *row),
		     void *data, struct svm_err *err);
int store_each_template(struct store *s, /* by name */
			void (*fn)(void *data, struct store_template *row),
			void *data, struct svm_err *err);
/* Events with id > since, oldest first, at most limit; type and sandbox_id
 * filter when not NULL. */
int store_each_event(struct store *s, int64_t since, const char *type,
		     const char *sandbox_id, unsigned limit,
		     void (*fn)(void *data, struct store_event *e),
		     void *data, struct svm_err *err);

/* Give up the pages of the database that are kept in memory, on the threads
 * that use them, and the threads.  done(data) runs on the loop after that,
 * unless the store is closed first.  False, and nothing happens, when the
 * store was not used since. */
bool store_forget(struct store *s, void (*done)(void *data), void *data);

/* Where the database is. */
const char *store_path(const struct store *s);

#endif
