/* SPDX-License-Identifier: MIT */
/* Reading and verifying the audit trail.  See audit-read.h. */
#include "daemon/audit-read.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/store-internal.h"
#include "daemon/store-schema.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"

#define BATCH_ROWS 1000

#define MATCHES                                             \
	" (?2 IS NULL OR actor = ?2) AND (?3 IS NULL OR action = ?3)" \
	" AND (?4 IS NULL OR sandbox_id = ?4)"              \
	" AND (?5 IS NULL OR owner = ?5) AND wall_ns >= ?6"

enum audit_query { AUDIT_START, AUDIT_EACH, AUDIT_ALL, AUDIT_QUERY_MAX };

static const char *const sql[] = {
	[AUDIT_START] = "SELECT coalesce(min(seq), 1) - 1 FROM (SELECT seq"
			" FROM audit WHERE seq > ?1 AND" MATCHES
			" ORDER BY seq DESC LIMIT ?7)",
	[AUDIT_EACH] = "SELECT " STORE_AUDIT_COLUMNS " FROM audit"
		       " WHERE seq > ?1 AND" MATCHES
		       " ORDER BY seq LIMIT ?7",
	[AUDIT_ALL] = "SELECT " STORE_AUDIT_COLUMNS
		      " FROM audit ORDER BY seq",
};
_Static_assert(ARRAY_SIZE(sql) == AUDIT_QUERY_MAX, "a text per query");

struct audit_reader {
	sqlite3 *db;
	sqlite3_stmt *q[AUDIT_QUERY_MAX];
};

void audit_reader_close(struct audit_reader *r)
{
	if (!r)
		return;
	for (unsigned i = 0; i < AUDIT_QUERY_MAX; i++)
		sqlite3_finalize(r->q[i]);
	sqlite3_close(r->db);
	free(r);
}

int audit_reader_open(const char *path, struct audit_reader **ret,
		      struct svm_err *err)
{
	struct audit_reader *r = xcalloc(1, sizeof(*r));
	int rc = sqlite3_open_v2(path, &r->db,
				 SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX,
				 NULL);

	sqlite3_busy_timeout(r->db, 5000);
	if (rc == SQLITE_OK &&
	    store_prepare(r->db, sql, AUDIT_QUERY_MAX, r->q, err) == 0) {
		*ret = r;
		return 0;
	}
	if (rc != SQLITE_OK)
		store_db_error(r->db, rc, err, "can't read");
	audit_reader_close(r);
	return -1;
}

static void bind(sqlite3_stmt *q, const struct audit_filter *f, int64_t after,
		 int64_t limit)
{
	const char *const texts[] = { f->actor, f->action, f->sandbox_id,
				      f->owner };

	sqlite3_bind_int64(q, 1, MAX(after, f->since_seq));
	for (int i = 0; i < (int)ARRAY_SIZE(texts); i++)
		sqlite3_bind_text(q, 2 + i, texts[i], -1, SQLITE_STATIC);
	sqlite3_bind_int64(q, 6, f->since_ns);
	sqlite3_bind_int64(q, 7, limit);
}

/* A statement left open would pin the WAL. */
static int done(struct audit_reader *r, sqlite3_stmt *q, int rc,
		struct svm_err *err)
{
	sqlite3_reset(q);
	sqlite3_clear_bindings(q);
	return rc == SQLITE_DONE || rc == SQLITE_ROW ? 0 :
		       store_db_error(r->db, rc, err,
				      "can't read the audit trail");
}

int audit_reader_start(struct audit_reader *r, const struct audit_filter *f,
		       int64_t limit, int64_t *ret, struct svm_err *err)
{
	sqlite3_stmt *q = r->q[AUDIT_START];

	*ret = 0;
	if (!limit)
		return 0;
	bind(q, f, 0, limit);
	int rc = sqlite3_step(q);
	if (rc == SQLITE_ROW)
		*ret = sqlite3_column_int64(q, 0);
	return done(r, q, rc, err);
}

int audit_reader_each(struct audit_reader *r, const struct audit_filter *f,
		      int64_t after,
		      bool (*fn)(void *data, const struct store_audit *a),
		      void *data, int64_t *ret_after, bool *ret_more,
		      struct svm_err *err)
{
	sqlite3_stmt *q = r->q[AUDIT_EACH];
	struct store_audit a;
	bool stopped = false;
	int rc = SQLITE_OK, n = 0;

	bind(q, f, after, BATCH_ROWS);
	while (!stopped && (rc = sqlite3_step(q)) == SQLITE_ROW) {
		store_audit_row(q, &a);
		stopped = !fn(data, &a);
		*ret_after = a.seq;
		n++;
	}
	*ret_more = stopped || n == BATCH_ROWS;
	return done(r, q, rc, err);
}

/* Verifying. */

struct walk {
	struct audit_verdict *v;
	struct audit_mark at; /* what the next record has to follow */
	bool cut_told;        /* a record of the trail names the cut */
};

static void broken(struct audit_verdict *v, int64_t seq, const char *why)
{
	v->whole = false;
	v->broken_at = seq;
	snprintf(v->problem, sizeof(v->problem), "%s", why);
}

/* Does this record say that everything up to the cut was cut off? */
static bool tells_cut(const struct store_audit *a,
		      const struct audit_mark *cut)
{
	char hash[DIGEST_TEXT + 1];

	if (!a->action || strcmp(a->action, "audit.trim") != 0 || !a->target)
		return false;
	digest_format(&cut->hash, hash);
	auto_free char *end = xasprintf(" to %" PRId64 ", up to %s", cut->seq,
					hash);
	const char *at = strstr(a->target, end);
	return at && strlen(at) == strlen(end);
}

static void check(struct walk *w, const struct store_audit *a,
		  const struct audit_mark *cut)
{
	struct audit_verdict *v = w->v;
	struct digest want = store_audit_hash(&w->at.hash, a);

	if (a->seq != w->at.seq + 1)
		broken(v, w->at.seq + 1, "records are missing");
	else if (!digest_equal(&want, &a->hash))
		broken(v, a->seq, "the record does not match its hash");
	v->first = v->first ? v->first : a->seq;
	v->last = a->seq;
	v->records++;
	w->cut_told = w->cut_told || tells_cut(a, cut);
	w->at = (struct audit_mark){ a->seq, a->total, a->hash };
}

static void check_ends(struct walk *w, const struct audit_ends *e)
{
	struct audit_verdict *v = w->v;

	if (!v->whole)
		return;
	if (w->at.seq < e->head.seq)
		broken(v, w->at.seq + 1, "the newest records are missing");
	else if (w->at.seq > e->head.seq ||
		 !digest_equal(&w->at.hash, &e->head.hash))
		broken(v, w->at.seq,
		       "the newest record is not the one that was written");
	else if (e->cut.seq && !w->cut_told)
		broken(v, e->cut.seq + 1,
		       "no record tells of the cut before this one");
}

static int walk(struct audit_reader *r, struct audit_verdict *v,
		struct svm_err *err)
{
	sqlite3_stmt *q = r->q[AUDIT_ALL];
	struct audit_ends ends = { 0 };
	struct walk w = { .v = v };
	struct store_audit a;
	int rc = SQLITE_DONE;

	if (store_audit_ends(r->db, &ends, err) < 0)
		return -1;
	v->cut = ends.cut.seq;
	v->cut_hash = ends.cut.hash;
	w.at = ends.cut;
	while (v->whole && (rc = sqlite3_step(q)) == SQLITE_ROW) {
		store_audit_row(q, &a);
		check(&w, &a, &ends.cut);
	}
	if (done(r, q, rc, err) < 0)
		return -1;
	check_ends(&w, &ends);
	v->head = w.at.hash;
	return 0;
}

int audit_verify(struct audit_reader *r, struct audit_verdict *ret,
		 struct svm_err *err)
{
	*ret = (struct audit_verdict){ .whole = true };
	/* One moment: records and ends belong together. */
	if (store_exec(r->db, "BEGIN", err) < 0)
		return -1;
	int result = walk(r, ret, err);
	sqlite3_exec(r->db, "COMMIT", NULL, NULL, NULL);
	return result;
}

void audit_verdict_json(const struct audit_verdict *v, struct buf *out)
{
	struct json_writer w = json_writer(out);
	char hash[DIGEST_TEXT + 1];

	json_open(&w, NULL, '{');
	json_bool(&w, "ok", v->whole);
	json_int(&w, "records", v->records);
	json_int(&w, "first", v->first);
	json_int(&w, "last", v->last);
	digest_format(&v->head, hash);
	json_str(&w, "head", hash);
	if (v->cut) {
		json_open(&w, "checkpoint", '{');
		json_int(&w, "seq", v->cut);
		digest_format(&v->cut_hash, hash);
		json_str(&w, "hash", hash);
		json_close(&w, '}');
	}
	if (!v->whole) {
		json_int(&w, "broken_at", v->broken_at);
		json_str(&w, "problem", v->problem);
	}
	json_close(&w, '}');
}
