/* SPDX-License-Identifier: MIT */
/* Schema, migration, what writes to it, and SQLite's errors as ours.  See
 * store-schema.h. */
#include "daemon/store-schema.h"

#include <errno.h>
#include <stdint.h>

#include "daemon/store-internal.h"
#include "lib/base/fault.h"
#include "lib/base/mem.h"

const char *const store_schema[] = {
	/* 1: sandboxes, their events, and small facts.  An event's id is
	 * max + 1: the newest always stays, so an id never comes again. */
	"CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)"
	" WITHOUT ROWID;"
	"CREATE TABLE sandboxes ("
	" id TEXT PRIMARY KEY NOT NULL, state TEXT NOT NULL,"
	" provider TEXT, owner TEXT, name TEXT, spec TEXT, record TEXT,"
	" posture TEXT, nonce TEXT, boot_id TEXT, reason TEXT,"
	" pid INTEGER NOT NULL, start_time INTEGER NOT NULL,"
	" created_ns INTEGER NOT NULL, expires_ns INTEGER NOT NULL,"
	" expires_boot_ns INTEGER NOT NULL, updated_ns INTEGER NOT NULL);"
	"CREATE INDEX tombstones ON sandboxes (updated_ns)"
	" WHERE state = 'destroyed';"
	"CREATE TABLE events ("
	" id INTEGER PRIMARY KEY, wall_ns INTEGER NOT NULL,"
	" type TEXT NOT NULL, sandbox_id TEXT, owner TEXT, data TEXT);",

	/* 2: images */
	"CREATE TABLE images ("
	" ref TEXT PRIMARY KEY NOT NULL, digest TEXT NOT NULL, config TEXT,"
	" size_bytes INTEGER NOT NULL, created_ns INTEGER NOT NULL);",

	/* 3: the audit trail, and what is known of its two ends: the record
	 * that was cut off last and the newest (store-audit.c). */
	"CREATE TABLE audit ("
	" seq INTEGER PRIMARY KEY, wall_ns INTEGER NOT NULL, actor TEXT,"
	" owner TEXT, sandbox_id TEXT, action TEXT NOT NULL, target TEXT,"
	" result TEXT NOT NULL, request_id TEXT, total INTEGER NOT NULL,"
	" hash BLOB NOT NULL);"
	"CREATE TABLE audit_ends ("
	" id INTEGER PRIMARY KEY CHECK (id = 1),"
	" cut_seq INTEGER NOT NULL, cut_total INTEGER NOT NULL,"
	" cut_hash BLOB NOT NULL,"
	" head_seq INTEGER NOT NULL, head_hash BLOB NOT NULL);"
	"INSERT INTO audit_ends VALUES"
	" (1, 0, 0, zeroblob(32), 0, zeroblob(32));",

	/* 4: quotas */
	"CREATE TABLE quotas ("
	" owner TEXT PRIMARY KEY NOT NULL, max_sandboxes INTEGER NOT NULL,"
	" max_ttl_ns INTEGER NOT NULL, max_exec_timeout_ns INTEGER NOT NULL,"
	" max_memory_mb INTEGER NOT NULL, max_vcpus INTEGER NOT NULL,"
	" created_ns INTEGER NOT NULL, updated_ns INTEGER NOT NULL)"
	" WITHOUT ROWID;",

	/* 5: templates */
	"CREATE TABLE templates ("
	" name TEXT PRIMARY KEY NOT NULL, body TEXT NOT NULL,"
	" created_ns INTEGER NOT NULL, updated_ns INTEGER NOT NULL)"
	" WITHOUT ROWID;",

	/* 6: whose a template is; '': everybody's */
	"ALTER TABLE templates RENAME TO templates_5;"
	"CREATE TABLE templates ("
	" owner TEXT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL,"
	" created_ns INTEGER NOT NULL, updated_ns INTEGER NOT NULL,"
	" PRIMARY KEY (owner, name)) WITHOUT ROWID;"
	"INSERT INTO templates SELECT '', name, body, created_ns, updated_ns"
	" FROM templates_5;"
	"DROP TABLE templates_5;",
};
const unsigned store_schema_steps = ARRAY_SIZE(store_schema);

int store_db_error(sqlite3 *db, int rc, struct svm_err *err, const char *what)
{
	const char *path = sqlite3_db_filename(db, "main");
	int e = sqlite3_system_errno(db);

	path = path && *path ? path : "the database";
	switch (rc & 0xff) {
	case SQLITE_FULL:
		return svm_err_sys(err, SVM_NO_SPACE, ENOSPC, "%s in '%s'",
				   what, path);
	case SQLITE_READONLY:
		svm_err_set(err, SVM_UNAVAILABLE, "%s in '%s': %s", what, path,
			    sqlite3_errmsg(db));
		return svm_err_hint(err, "make '%s' and its directory "
				    "writable for this user", path);
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		svm_err_set(err, SVM_UNAVAILABLE, "%s in '%s': %s", what, path,
			    sqlite3_errmsg(db));
		return svm_err_hint(err, "the database is damaged; move '%s' "
				    "away to start with an empty one", path);
	default:
		break;
	}
	if (e == ENOSPC || e == EDQUOT)
		return svm_err_sys(err, SVM_NO_SPACE, e, "%s in '%s'", what,
				   path);
	if ((rc & 0xff) == SQLITE_CANTOPEN || (rc & 0xff) == SQLITE_PERM ||
	    (rc & 0xff) == SQLITE_BUSY) {
		svm_err_set(err, SVM_UNAVAILABLE, "%s in '%s': %s", what, path,
			    sqlite3_errmsg(db));
		return svm_err_hint(err, "look who else uses '%s', and whether "
				    "this user may write its directory", path);
	}
	return svm_err_set(err, SVM_INTERNAL, "%s in '%s': %s", what, path,
			   sqlite3_errmsg(db));
}

int store_exec(sqlite3 *db, const char *sql, struct svm_err *err)
{
	int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);

	if (rc == SQLITE_OK)
		return 0;
	auto_free char *what = xasprintf("can't run '%.40s'", sql);
	return store_db_error(db, rc, err, what);
}

static int get_version(sqlite3 *db, int64_t *ret, struct svm_err *err)
{
	sqlite3_stmt *q = NULL;
	int rc = sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &q, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(q);
	if (rc == SQLITE_ROW)
		*ret = sqlite3_column_int64(q, 0);
	sqlite3_finalize(q);
	if (rc == SQLITE_ROW)
		return 0;
	return store_db_error(db, rc, err, "can't read the schema version");
}

static int run_step(sqlite3 *db, const char *sql, unsigned version,
		    struct svm_err *err)
{
	auto_free char *set = xasprintf("PRAGMA user_version = %u", version);

	if (store_exec(db, "BEGIN IMMEDIATE", err) < 0)
		return -1;
	if (store_exec(db, sql, err) == 0 && store_exec(db, set, err) == 0) {
		fault_point("migrate.step");
		if (store_exec(db, "COMMIT", err) == 0)
			return 0;
	}
	sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return svm_err_prefix(err, "migrating to schema %u", version);
}

int store_migrate(sqlite3 *db, const char *const *steps, unsigned n,
		  struct svm_err *err)
{
	int64_t have = 0;

	if (get_version(db, &have, err) < 0)
		return -1;
	if (have < 0 || have > (int64_t)n) {
		svm_err_set(err, SVM_UNAVAILABLE, "'%s' has schema %lld, this "
			    "version knows up to %u",
			    sqlite3_db_filename(db, "main"), (long long)have,
			    n);
		return svm_err_hint(err, "run the stacyvm that wrote it, or a "
				    "newer one");
	}
	for (unsigned i = (unsigned)have; i < n; i++)
		if (run_step(db, steps[i], i + 1, err) < 0)
			return -1;
	return 0;
}

const char *const store_write_sql[] = {
	[STORE_BEGIN] = "BEGIN IMMEDIATE",
	[STORE_COMMIT] = "COMMIT",
	[STORE_ROLLBACK] = "ROLLBACK",
	[STORE_PUT_SANDBOX] =
		"INSERT INTO sandboxes (id, state, provider, owner, name,"
		" spec, record, posture, nonce, boot_id, reason, pid,"
		" start_time, created_ns, expires_ns, expires_boot_ns,"
		" updated_ns) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
		" ON CONFLICT (id) DO UPDATE SET state = excluded.state,"
		" provider = excluded.provider, owner = excluded.owner,"
		" name = excluded.name, spec = excluded.spec,"
		" record = excluded.record, posture = excluded.posture,"
		" nonce = excluded.nonce, boot_id = excluded.boot_id,"
		" reason = excluded.reason, pid = excluded.pid,"
		" start_time = excluded.start_time,"
		" created_ns = excluded.created_ns,"
		" expires_ns = excluded.expires_ns,"
		" expires_boot_ns = excluded.expires_boot_ns,"
		" updated_ns = excluded.updated_ns",
	[STORE_DELETE_SANDBOX] = "DELETE FROM sandboxes WHERE id = ?",
	[STORE_PUT_IMAGE] =
		"INSERT INTO images (ref, digest, config, size_bytes,"
		" created_ns) VALUES (?,?,?,?,?)"
		" ON CONFLICT (ref) DO UPDATE SET digest = excluded.digest,"
		" config = excluded.config, size_bytes = excluded.size_bytes,"
		" created_ns = excluded.created_ns",
	[STORE_DELETE_IMAGE] = "DELETE FROM images WHERE ref = ?",
	[STORE_PUT_QUOTA] =
		"INSERT INTO quotas (owner, max_sandboxes, max_ttl_ns,"
		" max_exec_timeout_ns, max_memory_mb, max_vcpus, created_ns,"
		" updated_ns) VALUES (?,?,?,?,?,?,?,?)"
		" ON CONFLICT (owner) DO UPDATE SET"
		" max_sandboxes = excluded.max_sandboxes,"
		" max_ttl_ns = excluded.max_ttl_ns,"
		" max_exec_timeout_ns = excluded.max_exec_timeout_ns,"
		" max_memory_mb = excluded.max_memory_mb,"
		" max_vcpus = excluded.max_vcpus,"
		" updated_ns = excluded.updated_ns",
	[STORE_DELETE_QUOTA] = "DELETE FROM quotas WHERE owner = ?",
	[STORE_PUT_TEMPLATE] =
		"INSERT INTO templates (owner, name, body, created_ns,"
		" updated_ns) VALUES (?,?,?,?,?)"
		" ON CONFLICT (owner, name) DO UPDATE SET"
		" body = excluded.body, created_ns = excluded.created_ns,"
		" updated_ns = excluded.updated_ns",
	[STORE_DELETE_TEMPLATE] =
		"DELETE FROM templates WHERE owner = ? AND name = ?",
	[STORE_ADD_EVENT] =
		"INSERT INTO events (wall_ns, type, sandbox_id, owner, data)"
		" VALUES (?,?,?,?,?)",
	[STORE_TRIM_EVENTS] =
		"DELETE FROM events WHERE id <="
		" (SELECT max(id) FROM events) - ?",
	[STORE_TRIM_TOMBSTONES] =
		"DELETE FROM sandboxes WHERE rowid IN (SELECT rowid"
		" FROM sandboxes WHERE state = 'destroyed'"
		" ORDER BY updated_ns DESC LIMIT -1 OFFSET ?)",
	[STORE_ADD_AUDIT] = /* these three: store-audit.c */
		"INSERT INTO audit (seq, wall_ns, total, actor, owner,"
		" sandbox_id, action, target, result, request_id, hash)"
		" VALUES (?,?,?,?,?,?,?,?,?,?,?)",
	[STORE_TRIM_AUDIT] = "DELETE FROM audit WHERE seq <= ?",
	[STORE_PUT_AUDIT_ENDS] =
		"UPDATE audit_ends SET cut_seq = ?, cut_total = ?,"
		" cut_hash = ?, head_seq = ?, head_hash = ?",
};
_Static_assert(ARRAY_SIZE(store_write_sql) == STORE_WRITE_MAX, "a text per write");
