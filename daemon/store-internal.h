/* SPDX-License-Identifier: MIT */
/*
 * What these share:
 *
 *	store.c        opening; the writer thread; checkpoints
 *	store-txn.c    transactions, before they are written
 *	store-read.c   readers
 *	store-audit.c  the audit trail's chain
 *	store-schema.c tables, their migrations, the statements that write them
 */
#ifndef SVM_DAEMON_STORE_INTERNAL_H
#define SVM_DAEMON_STORE_INTERNAL_H

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>

#include "daemon/store.h"
#include "lib/base/err.h"
#include "lib/base/list.h"
#include "lib/base/work.h"

/* Statements of the writer; store-schema.c has their text. */
enum store_write {
	STORE_BEGIN,
	STORE_COMMIT,
	STORE_ROLLBACK,
	STORE_PUT_SANDBOX,
	STORE_DELETE_SANDBOX,
	STORE_PUT_IMAGE,
	STORE_DELETE_IMAGE,
	STORE_PUT_QUOTA,
	STORE_DELETE_QUOTA,
	STORE_PUT_TEMPLATE,
	STORE_DELETE_TEMPLATE,
	STORE_ADD_EVENT,
	STORE_TRIM_EVENTS,
	STORE_TRIM_TOMBSTONES,
	STORE_ADD_AUDIT,
	STORE_TRIM_AUDIT,
	STORE_PUT_AUDIT_ENDS,
	STORE_WRITE_MAX
};

enum store_read {
	STORE_GET_SANDBOXES,
	STORE_GET_IMAGES,
	STORE_GET_QUOTAS,
	STORE_GET_TEMPLATES,
	STORE_GET_EVENTS,
	STORE_GET_LAST_EVENT,
	STORE_READ_MAX
};

/* A place in the audit trail. */
struct audit_mark {
	int64_t seq, total;
	struct digest hash;
};

/* What was cut off last, and the newest record. */
struct audit_ends {
	struct audit_mark cut, head;
};

struct store {
	int64_t last_event; /* when it was opened */
	struct work_pool *pool; /* one thread: the writer */

	/* The writer thread's, once the store is open. */
	sqlite3 *writer;
	sqlite3_stmt *writes[STORE_WRITE_MAX];
	unsigned untrimmed; /* events since the last trim */
	struct audit_ends audit, audit_stored; /* now, and as committed */

	/* Checkpoints wait for the disk: they have a thread and a connection
	 * of their own, so that commits don't. */
	struct work_pool *sweeper;
	sqlite3 *sweep_db;
	atomic_bool sweeping;

	/* The loop's: what may wait for company, and for how long. */
	struct list soon;
	struct loop_timer *soon_timer;

	pthread_mutex_t queue_lock;
	struct list queue; /* transactions that no group took yet */

	pthread_mutex_t read_lock;
	sqlite3 *reader;
	sqlite3_stmt *reads[STORE_READ_MAX];

	atomic_bool used; /* since the last store_forget() */
	struct forget *forget; /* on its way; the loop's */
};

struct store_value {
	bool is_int;
	int64_t i;
	char *s; /* NULL: SQL NULL */
};

/* One statement and what is bound to it. */
struct store_op {
	struct list link;
	enum store_write what;
	size_t event; /* ADD_EVENT: index in the transaction's events, whose
		       * strings the values borrow */
	unsigned n;
	struct store_value v[];
};

struct store_txn {
	struct store *store;
	struct work work;
	struct list link; /* store->queue, then a group */
	struct list ops;
	struct store_event *events;
	size_t n_events;
	bool decided;        /* a group took it along; the writer's */
	struct svm_err err;  /* set: nothing was stored */
	store_done_fn done;
	void *data;
};

/* Once it was decided, or is given up. */
void store_txn_free(struct store_txn *t);

/* Prepare n statements; `text` is indexed like `ret`. */
int store_prepare(sqlite3 *db, const char *const *text, unsigned n,
		  sqlite3_stmt **ret, struct svm_err *err);

/* The audit trail (store-audit.c), on the writer thread: append and cut
 * within a transaction, note both ends before its commit, settle after. */
int store_audit_load(struct store *s, struct svm_err *err);
int store_audit_append(struct store *s, struct store_audit *a,
		       struct svm_err *err);
int store_audit_trim(struct store *s, int64_t before_ns, int64_t max_bytes,
		     struct svm_err *err);
int store_audit_note_ends(struct store *s, struct svm_err *err);
void store_audit_settle(struct store *s, bool committed);

/* For readers too: the ends, and the records from a statement's row whose
 * columns are STORE_AUDIT_COLUMNS.  Strings are borrowed. */
#define STORE_AUDIT_COLUMNS \
	"seq, wall_ns, total, actor, owner, sandbox_id, action, target," \
	" result, request_id, hash"
int store_audit_ends(sqlite3 *db, struct audit_ends *ret,
		     struct svm_err *err);
void store_audit_row(sqlite3_stmt *q, struct store_audit *ret);
struct digest store_audit_hash(const struct digest *before,
			       const struct store_audit *a);

/* store_close(): what is on its way comes home to nobody. */
void store_forget_leave(struct store *s);

int store_open_reader(struct store *s, const char *path, struct svm_err *err);
void store_close_reader(struct store *s);

#endif
