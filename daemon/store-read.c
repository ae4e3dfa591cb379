/* SPDX-License-Identifier: MIT */
/*
 * Reading the store: a connection of its own under a lock, which never waits
 * for the writer (WAL) nor makes it wait.  See store.h.
 */
#include <stdlib.h>

#include "daemon/store-internal.h"
#include "daemon/store-schema.h"
#include "lib/base/mem.h"

static const char *const read_sql[] = {
	[STORE_GET_SANDBOXES] =
		"SELECT id, state, provider, owner, name, spec, record,"
		" posture, nonce, boot_id, reason, pid, start_time,"
		" created_ns, expires_ns, expires_boot_ns, updated_ns"
		" FROM sandboxes ORDER BY created_ns, id",
	[STORE_GET_IMAGES] =
		"SELECT ref, digest, config, size_bytes, created_ns"
		" FROM images ORDER BY ref",
	[STORE_GET_QUOTAS] =
		"SELECT owner, max_sandboxes, max_ttl_ns, max_exec_timeout_ns,"
		" max_memory_mb, max_vcpus, created_ns, updated_ns"
		" FROM quotas ORDER BY owner",
	[STORE_GET_TEMPLATES] =
		"SELECT NULLIF(owner, ''), name, body, created_ns, updated_ns"
		" FROM templates"
		" ORDER BY name",
	[STORE_GET_EVENTS] =
		"SELECT id, wall_ns, type, sandbox_id, owner, data"
		" FROM events WHERE id > ?1 AND (?2 IS NULL OR type = ?2)"
		" AND (?3 IS NULL OR sandbox_id = ?3)"
		" ORDER BY id LIMIT ?4",
	[STORE_GET_LAST_EVENT] = "SELECT coalesce(max(id), 0) FROM events",
};
_Static_assert(ARRAY_SIZE(read_sql) == STORE_READ_MAX, "a text per query");

static char *text(sqlite3_stmt *q, int column)
{
	return xstrdup((const char *)sqlite3_column_text(q, column));
}

/* Under the lock: each row of a bound statement, which is reset after (a
 * statement left open would pin the WAL). */
static int each_row(struct store *s, sqlite3_stmt *q,
		    void (*row)(sqlite3_stmt *q, void *fn, void *data),
		    void *fn, void *data, struct svm_err *err)
{
	int rc;

	atomic_store(&s->used, true);
	while ((rc = sqlite3_step(q)) == SQLITE_ROW)
		row(q, fn, data);
	sqlite3_reset(q);
	sqlite3_clear_bindings(q);
	if (rc == SQLITE_DONE)
		return 0;
	return store_db_error(s->reader, rc, err, "can't read");
}

/* A function pointer behind a void pointer's back: the address of one. */
struct sandbox_fn {
	void (*call)(void *data, struct store_sandbox *row);
};

static void sandbox_row(sqlite3_stmt *q, void *fn, void *data)
{
	struct store_sandbox row = {
		.id = text(q, 0),
		.state = text(q, 1),
		.provider = text(q, 2),
		.owner = text(q, 3),
		.name = text(q, 4),
		.spec = text(q, 5),
		.record = text(q, 6),
		.posture = text(q, 7),
		.nonce = text(q, 8),
		.boot_id = text(q, 9),
		.reason = text(q, 10),
		.pid = sqlite3_column_int64(q, 11),
		.start_time = sqlite3_column_int64(q, 12),
		.created_ns = sqlite3_column_int64(q, 13),
		.expires_ns = sqlite3_column_int64(q, 14),
		.expires_boot_ns = sqlite3_column_int64(q, 15),
		.updated_ns = sqlite3_column_int64(q, 16),
	};

	((struct sandbox_fn *)fn)->call(data, &row);
	store_sandbox_release(&row);
}

int store_each_sandbox(struct store *s,
		       void (*fn)(void *data, struct store_sandbox *row),
		       void *data, struct svm_err *err)
{
	struct sandbox_fn call = { fn };

	pthread_mutex_lock(&s->read_lock);
	int r = each_row(s, s->reads[STORE_GET_SANDBOXES], sandbox_row, &call,
			 data, err);
	pthread_mutex_unlock(&s->read_lock);
	return r;
}

struct image_fn {
	void (*call)(void *data, struct store_image *row);
};

static void image_row(sqlite3_stmt *q, void *fn, void *data)
{
	struct store_image row = {
		.ref = text(q, 0),
		.digest = text(q, 1),
		.config = text(q, 2),
		.size_bytes = sqlite3_column_int64(q, 3),
		.created_ns = sqlite3_column_int64(q, 4),
	};

	((struct image_fn *)fn)->call(data, &row);
	store_image_release(&row);
}

int store_each_image(struct store *s,
		     void (*fn)(void *data, struct store_image *row),
		     void *data, struct svm_err *err)
{
	struct image_fn call = { fn };

	pthread_mutex_lock(&s->read_lock);
	int r = each_row(s, s->reads[STORE_GET_IMAGES], image_row, &call, data,
			 err);
	pthread_mutex_unlock(&s->read_lock);
	return r;
}

struct quota_fn {
	void (*call)(void *data, struct store_quota *row);
};

static void quota_row(sqlite3_stmt *q, void *fn, void *data)
{
	struct store_quota row = {
		.owner = text(q, 0),
		.max_sandboxes = sqlite3_column_int64(q, 1),
		.max_ttl_ns = sqlite3_column_int64(q, 2),
		.max_exec_timeout_ns = sqlite3_column_int64(q, 3),
		.max_memory_mb = sqlite3_column_int64(q, 4),
		.max_vcpus = sqlite3_column_int64(q, 5),
		.created_ns = sqlite3_column_int64(q, 6),
		.updated_ns = sqlite3_column_int64(q, 7),
	};

	((struct quota_fn *)fn)->call(data, &row);
	store_quota_release(&row);
}

int store_each_quota(struct store *s,
		     void (*fn)(void *data, struct store_quota *row),
		     void *data, struct svm_err *err)
{
	struct quota_fn call = { fn };

	pthread_mutex_lock(&s->read_lock);
	int r = each_row(s, s->reads[STORE_GET_QUOTAS], quota_row, &call, data,
			 err);
	pthread_mutex_unlock(&s->read_lock);
	return r;
}

struct template_fn {
	void (*call)(void *data, struct store_template *row);
};

static void template_row(sqlite3_stmt *q, void *fn, void *data)
{
	struct store_template row = {
		.owner = text(q, 0),
		.name = text(q, 1),
		.body = text(q, 2),
		.created_ns = sqlite3_column_int64(q, 3),
		.updated_ns = sqlite3_column_int64(q, 4),
	};

	((struct template_fn *)fn)->call(data, &row);
	store_template_release(&row);
}

int store_each_template(struct store *s,
			void (*fn)(void *data, struct store_template *row),
			void *data, struct svm_err *err)
{
	struct template_fn call = { fn };

	pthread_mutex_lock(&s->read_lock);
	int r = each_row(s, s->reads[STORE_GET_TEMPLATES], template_row,
			 &call, data, err);
	pthread_mutex_unlock(&s->read_lock);
	return r;
}

struct event_fn {
	void (*call)(void *data, struct store_event *e);
};

static void event_row(sqlite3_stmt *q, void *fn, void *data)
{
	struct store_event e = {
		.id = sqlite3_column_int64(q, 0),
		.wall_ns = sqlite3_column_int64(q, 1),
		.type = text(q, 2),
		.sandbox_id = text(q, 3),
		.owner = text(q, 4),
		.data = text(q, 5),
	};

	((struct event_fn *)fn)->call(data, &e);
	store_event_release(&e);
}

int store_each_event(struct store *s, int64_t since, const char *type,
		     const char *sandbox_id, unsigned limit,
		     void (*fn)(void *data, struct store_event *e),
		     void *data, struct svm_err *err)
{
	sqlite3_stmt *q = s->reads[STORE_GET_EVENTS];
	struct event_fn call = { fn };

	pthread_mutex_lock(&s->read_lock);
	sqlite3_bind_int64(q, 1, since);
	sqlite3_bind_text(q, 2, type, -1, SQLITE_STATIC);
	sqlite3_bind_text(q, 3, sandbox_id, -1, SQLITE_STATIC);
	sqlite3_bind_int64(q, 4, limit);
	int r = each_row(s, q, event_row, &call, data, err);
	pthread_mutex_unlock(&s->read_lock);
	return r;
}

/* Opening. */

static void id_row(sqlite3_stmt *q, void *fn, void *data)
{
	(void)fn;
	*(int64_t *)data = sqlite3_column_int64(q, 0);
}

int store_open_reader(struct store *s, const char *path, struct svm_err *err)
{
	int rc = sqlite3_open_v2(path, &s->reader,
				 SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX,
				 NULL);

	if (rc != SQLITE_OK)
		return store_db_error(s->reader, rc, err, "can't read");
	sqlite3_busy_timeout(s->reader, 5000);
	if (store_exec(s->reader, "PRAGMA cache_size = -256;"
		       "PRAGMA trusted_schema = OFF;", err) < 0)
		return -1;
	if (store_prepare(s->reader, read_sql, STORE_READ_MAX, s->reads,
			  err) < 0)
		return -1;
	return each_row(s, s->reads[STORE_GET_LAST_EVENT], id_row, NULL,
			&s->last_event, err);
}

void store_close_reader(struct store *s)
{
	for (unsigned i = 0; i < STORE_READ_MAX; i++)
		sqlite3_finalize(s->reads[i]);
	sqlite3_close(s->reader);
}

int64_t store_last_event(const struct store *s)
{
	return s->last_event;
}
