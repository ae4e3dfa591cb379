/* SPDX-License-Identifier: MIT */
/*
 * Writing the store: the writer thread commits all transactions that wait
 * (store-txn.c) as one group.  See store.h.
 */
#include "daemon/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "daemon/store-internal.h"
#include "daemon/store-schema.h"
#include "lib/api/limits.h"
#include "lib/base/fault.h"
#include "lib/base/fd.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/work.h"

#define GROUP_MAX 256  /* transactions in one commit */
#define TRIM_EVERY 256 /* events between two trims of our own */
#define WAL_PAGES 1000 /* checkpoint past this many */
#define WAL_FULL 8000  /* the writer waits past this many */
#define BUSY SECONDS(5) /* for who writes beside us */

/* The writer thread. */

static int step(struct store *s, enum store_write what,
		const struct store_value *v, unsigned n, struct svm_err *err)
{
	sqlite3_stmt *q = s->writes[what];

	for (unsigned i = 0; i < n; i++) {
		if (v[i].is_int)
			sqlite3_bind_int64(q, (int)i + 1, v[i].i);
		else
			sqlite3_bind_text(q, (int)i + 1, v[i].s, -1,
					  SQLITE_STATIC);
	}
	int rc = sqlite3_step(q);
	sqlite3_reset(q);
	sqlite3_clear_bindings(q);
	return rc == SQLITE_DONE ?
		       0 : store_db_error(s->writer, rc, err, "can't write");
}

static int apply_op(struct store *s, const struct store_op *op,
		    struct svm_err *err)
{
	const struct store_value *v = op->v;

	if (op->what == STORE_TRIM_AUDIT)
		return store_audit_trim(s, v[0].i, v[1].i, err);
	if (op->what != STORE_ADD_AUDIT)
		return step(s, op->what, v, op->n, err);
	struct store_audit a = {
		.actor = v[0].s, .owner = v[1].s, .sandbox_id = v[2].s,
		.action = v[3].s, .target = v[4].s, .result = v[5].s,
		.request_id = v[6].s, .wall_ns = v[7].i,
	};
	return store_audit_append(s, &a, err);
}

static int apply(struct store *s, struct store_txn *t, struct svm_err *err)
{
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &t->ops) {
		struct store_op *op = list_entry(pos, struct store_op, link);

		if (apply_op(s, op, err) < 0)
			return -1;
		if (op->what == STORE_ADD_EVENT)
			t->events[op->event].id =
				sqlite3_last_insert_rowid(s->writer);
	}
	s->untrimmed += (unsigned)t->n_events;
	return 0;
}

static int trim_now_and_then(struct store *s, struct svm_err *err)
{
	const struct store_value events = { true, LIMIT_EVENTS_KEPT, NULL };
	const struct store_value tombstones = { true, LIMIT_TOMBSTONES, NULL };

	if (s->untrimmed < TRIM_EVERY)
		return 0;
	if (step(s, STORE_TRIM_EVENTS, &events, 1, err) < 0 ||
	    step(s, STORE_TRIM_TOMBSTONES, &tombstones, 1, err) < 0)
		return -1;
	s->untrimmed = 0;
	return 0;
}

static int commit(struct store *s, struct svm_err *err)
{
	int e = fault_errno("store.commit.before");

	if (e < 0)
		return svm_err_sys(err, SVM_INTERNAL, e, "can't commit");
	if (step(s, STORE_COMMIT, NULL, 0, err) < 0)
		return -1;
	fault_point("store.commit.after");
	return 0;
}

/* All of the list in one transaction of SQLite, or nothing of it. */
static int write_together(struct store *s, struct list *group,
			  struct svm_err *err)
{
	struct list *pos, *tmp;
	int r = step(s, STORE_BEGIN, NULL, 0, err);

	if (r < 0)
		return r;
	list_for_each_safe(pos, tmp, group)
		if (r == 0)
			r = apply(s, list_entry(pos, struct store_txn, link),
				  err);
	if (r == 0)
		r = trim_now_and_then(s, err);
	if (r == 0)
		r = store_audit_note_ends(s, err);
	if (r == 0)
		r = commit(s, err);
	store_audit_settle(s, r == 0);
	/* SQLite may have rolled back by itself (disk full). */
	if (r < 0 && !sqlite3_get_autocommit(s->writer))
		sqlite3_exec(s->writer, "ROLLBACK", NULL, NULL, NULL);
	return r;
}

/* A member that can't be stored must not take the others with it, so a group
 * that failed is done again one by one. */
static void write_group(struct store *s, struct list *group)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct list *pos, *tmp;
	bool together = write_together(s, group, &err) == 0;

	list_for_each_safe(pos, tmp, group) {
		struct store_txn *t = list_entry(pos, struct store_txn, link);
		struct list alone = LIST_INIT(alone);

		t->decided = true;
		list_remove(&t->link);
		if (together)
			continue;
		list_append(&alone, &t->link);
		(void)write_together(s, &alone, &t->err);
		list_remove(&t->link);
	}
}

/* The work item of one transaction.  The first of a group writes them all;
 * the rest find it done, and their callbacks follow in order. */
static void run(struct work *w)
{
	struct store_txn *t = container_of(w, struct store_txn, work);
	struct store *s = t->store;
	struct list group = LIST_INIT(group);

	if (t->decided)
		return;
	pthread_mutex_lock(&s->queue_lock);
	for (int n = 0; n < GROUP_MAX && !list_empty(&s->queue); n++) {
		struct list *first = s->queue.next;

		list_remove(first);
		list_append(&group, first);
	}
	pthread_mutex_unlock(&s->queue_lock);
	write_group(s, &group);
}

static void done(struct work *w)
{
	struct store_txn *t = container_of(w, struct store_txn, work);
	bool failed = t->err.code != SVM_OK;

	if (t->done)
		t->done(t->data, failed ? &t->err : NULL,
			failed ? NULL : t->events, failed ? 0 : t->n_events);
	else if (failed)
		log_error_e(&t->err, "a record was lost");
	store_txn_free(t);
}

static void hand_over(struct store_txn *t)
{
	struct store *s = t->store;

	list_remove(&t->link);
	atomic_store(&s->used, true);
	pthread_mutex_lock(&s->queue_lock);
	list_append(&s->queue, &t->link);
	pthread_mutex_unlock(&s->queue_lock);
	work_submit(s->pool, &t->work);
}

static void hand_over_all(struct store *s)
{
	struct list *pos, *tmp;

	loop_timer_stop(s->soon_timer);
	list_for_each_safe(pos, tmp, &s->soon)
		hand_over(list_entry(pos, struct store_txn, link));
}

static void on_soon(struct loop *l, void *data)
{
	(void)l;
	hand_over_all(data);
}

void store_commit_soon(struct store_txn *t, store_done_fn fn, void *data)
{
	struct store *s = t->store;

	t->done = fn;
	t->data = data;
	t->work.run = run;
	t->work.done = done;
	list_append(&s->soon, &t->link);
	if (!loop_timer_armed(s->soon_timer))
		loop_timer_after(s->soon_timer, STORE_SOON_NS);
}

void store_commit(struct store_txn *t, store_done_fn fn, void *data)
{
	struct store *s = t->store;

	store_commit_soon(t, fn, data);
	hand_over_all(s);
}

void store_settle(struct store *s, store_done_fn fn, void *data)
{
	store_commit(store_begin(s), fn, data);
}

/* Checkpoints. */

struct sweep {
	struct work work;
	struct store *store;
};

static void sweep_run(struct work *w)
{
	struct store *s = container_of(w, struct sweep, work)->store;

	(void)sqlite3_wal_checkpoint_v2(s->sweep_db, NULL,
					SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	atomic_store(&s->sweeping, false);
}

static void sweep_done(struct work *w)
{
	free(container_of(w, struct sweep, work));
}

/* After each commit, on the writer's thread. */
static int on_wal(void *data, sqlite3 *db, const char *name, int pages)
{
	struct store *s = data;

	if (pages >= WAL_FULL)
		(void)sqlite3_wal_checkpoint_v2(db, name,
						SQLITE_CHECKPOINT_PASSIVE,
						NULL, NULL);
	else if (pages >= WAL_PAGES && !atomic_exchange(&s->sweeping, true)) {
		struct sweep *c = xcalloc(1, sizeof(*c));

		c->store = s;
		c->work.run = sweep_run;
		c->work.done = sweep_done;
		work_submit(s->sweeper, &c->work);
	}
	return SQLITE_OK;
}

static int open_sweeper(struct store *s, const char *path, struct svm_err *err)
{
	int rc = sqlite3_open_v2(path, &s->sweep_db,
				 SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
				 NULL);

	if (rc != SQLITE_OK)
		return store_db_error(s->sweep_db, rc, err, "can't open");
	return store_exec(s->sweep_db, "PRAGMA synchronous = NORMAL;"
			  "PRAGMA cache_size = -64;", err);
}

/* Opening and closing. */

int store_prepare(sqlite3 *db, const char *const *text, unsigned n,
		  sqlite3_stmt **ret, struct svm_err *err)
{
	for (unsigned i = 0; i < n; i++) {
		int rc = sqlite3_prepare_v3(db, text[i], -1,
					    SQLITE_PREPARE_PERSISTENT, &ret[i],
					    NULL);

		if (rc != SQLITE_OK)
			return store_db_error(db, rc, err, "can't prepare");
	}
	return 0;
}

/* SQLite would follow a link and create with 0644. */
static int create_file(const char *path, struct svm_err *err)
{
	auto_close int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW |
					       O_CLOEXEC, 0600);

	if (fd >= 0)
		return 0;
	svm_err_sys(err, SVM_UNAVAILABLE, errno,
		    "can't open the database '%s'", path);
	return svm_err_hint(err, "its directory must exist and be writable "
			    "for this user");
}

static int open_writer(struct store *s, const char *path, struct svm_err *err)
{
	if (create_file(path, err) < 0)
		return -1;
	int rc = sqlite3_open_v2(path, &s->writer,
				 SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
				 NULL);
	if (rc != SQLITE_OK)
		return store_db_error(s->writer, rc, err, "can't open");
	sqlite3_busy_timeout(s->writer,
			     (int)(fault_time("store.busy", BUSY) / 1000000));
	if (store_exec(s->writer, "PRAGMA journal_mode = WAL;"
		       "PRAGMA synchronous = NORMAL;"
		       "PRAGMA cache_size = -512;"
		       "PRAGMA journal_size_limit = 4194304;"
		       "PRAGMA trusted_schema = OFF;", err) < 0 ||
	    store_migrate(s->writer, store_schema, store_schema_steps, err) < 0)
		return -1;
	if (store_prepare(s->writer, store_write_sql, STORE_WRITE_MAX,
			  s->writes, err) < 0)
		return -1;
	return store_audit_load(s, err);
}

const char *store_path(const struct store *s)
{
	return sqlite3_db_filename(s->sweep_db, "main");
}

static void close_all(struct store *s)
{
	store_close_reader(s);
	for (unsigned i = 0; i < STORE_WRITE_MAX; i++)
		sqlite3_finalize(s->writes[i]);
	/* The last connection checkpoints and removes the WAL. */
	sqlite3_close(s->sweep_db);
	sqlite3_close(s->writer);
	pthread_mutex_destroy(&s->queue_lock);
	pthread_mutex_destroy(&s->read_lock);
	free(s);
}

int store_open(const char *path, struct loop *l, struct store **ret,
	       struct svm_err *err)
{
	struct store *s = xcalloc(1, sizeof(*s));

	list_init(&s->queue);
	list_init(&s->soon);
	pthread_mutex_init(&s->queue_lock, NULL);
	pthread_mutex_init(&s->read_lock, NULL);
	if (open_writer(s, path, err) < 0 ||
	    open_sweeper(s, path, err) < 0 ||
	    store_open_reader(s, path, err) < 0) {
		close_all(s);
		return -1;
	}
	s->untrimmed = TRIM_EVERY;
	s->soon_timer = loop_timer_new(l, on_soon, s);
	s->pool = work_pool_new(l, 1, "stacyvm-db");
	s->sweeper = work_pool_new(l, 1, "stacyvm-wal");
	sqlite3_wal_hook(s->writer, on_wal, s);
	*ret = s;
	return 0;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	hand_over_all(s);
	loop_timer_free(s->soon_timer);
	work_pool_free(s->pool);
	work_pool_free(s->sweeper);
	store_forget_leave(s);
	close_all(s);
}
