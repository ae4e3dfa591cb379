/* SPDX-License-Identifier: MIT */
/*
 * The audit trail, as the writer thread appends to it and cuts it.
 *
 * Each record's hash is over the hash before it and the record in a form
 * that has one reading (lengths before texts), so whoever changes, removes
 * or inserts a record must redo all that follow.  What retention cuts off
 * leaves the hash of the last record that went, in audit_ends and in a record
 * "audit.trim" of the trail itself: the rest verifies from there.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "daemon/store-internal.h"
#include "daemon/store-schema.h"
#include "lib/base/clock.h"
#include "lib/base/fault.h"
#include "lib/base/mem.h"

#define TRIM_ROWS 2000 /* per transaction: others wait for it */
#define ROW_BYTES 100  /* of a record besides its texts, about */

/* The hash. */

static void add_number(struct digest_stream *d, int64_t v)
{
	unsigned char b[8];

	for (int i = 0; i < 8; i++)
		b[i] = (unsigned char)((uint64_t)v >> (8 * i));
	digest_update(d, b, sizeof(b));
}

/* NULL is not "". */
static void add_text(struct digest_stream *d, const char *s)
{
	size_t n = s ? strlen(s) : 0;

	add_number(d, s ? (int64_t)n : -1);
	digest_update(d, s, n);
}

struct digest store_audit_hash(const struct digest *before,
			       const struct store_audit *a)
{
	struct digest_stream d;
	struct digest ret;

	digest_start(&d);
	digest_update(&d, before->b, sizeof(before->b));
	add_number(&d, a->seq);
	add_number(&d, a->wall_ns);
	add_number(&d, a->total);
	add_text(&d, a->actor);
	add_text(&d, a->owner);
	add_text(&d, a->sandbox_id);
	add_text(&d, a->action);
	add_text(&d, a->target);
	add_text(&d, a->result);
	add_text(&d, a->request_id);
	digest_finish(&d, &ret);
	return ret;
}

/* Reading. */

static void take_digest(sqlite3_stmt *q, int column, struct digest *ret)
{
	*ret = (struct digest){ 0 };
	if (sqlite3_column_bytes(q, column) == DIGEST_BYTES)
		memcpy(ret->b, sqlite3_column_blob(q, column), DIGEST_BYTES);
}

static const char *text(sqlite3_stmt *q, int column)
{
	return (const char *)sqlite3_column_text(q, column);
}

void store_audit_row(sqlite3_stmt *q, struct store_audit *ret)
{
	*ret = (struct store_audit){
		.seq = sqlite3_column_int64(q, 0),
		.wall_ns = sqlite3_column_int64(q, 1),
		.total = sqlite3_column_int64(q, 2),
		.actor = text(q, 3),
		.owner = text(q, 4),
		.sandbox_id = text(q, 5),
		.action = text(q, 6),
		.target = text(q, 7),
		.result = text(q, 8),
		.request_id = text(q, 9),
	};
	take_digest(q, 10, &ret->hash);
}

int store_audit_ends(sqlite3 *db, struct audit_ends *ret, struct svm_err *err)
{
	sqlite3_stmt *q = NULL;
	int rc = sqlite3_prepare_v2(db, "SELECT cut_seq, cut_total, cut_hash,"
				    " head_seq, head_hash FROM audit_ends"
				    " WHERE id = 1", -1, &q, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(q);
	if (rc == SQLITE_ROW) {
		ret->cut.seq = sqlite3_column_int64(q, 0);
		ret->cut.total = sqlite3_column_int64(q, 1);
		take_digest(q, 2, &ret->cut.hash);
		ret->head.seq = sqlite3_column_int64(q, 3);
		take_digest(q, 4, &ret->head.hash);
	}
	sqlite3_finalize(q);
	if (rc == SQLITE_ROW)
		return 0;
	if (rc == SQLITE_DONE)
		return svm_err_set(err, SVM_INTERNAL,
				   "the ends of the audit trail are missing");
	return store_db_error(db, rc, err, "can't read the audit trail");
}

/* Go on after the newest record that was written, also when it is not there
 * any more: the gap stays for verify to tell.  A damaged trail is no reason
 * not to start. */
int store_audit_load(struct store *s, struct svm_err *err)
{
	auto_err struct svm_err ignored = SVM_ERR_INIT;
	struct audit_ends *e = &s->audit;
	struct store_audit last;
	sqlite3_stmt *q = NULL;
	int rc;

	(void)store_audit_ends(s->writer, e, &ignored);
	rc = sqlite3_prepare_v2(s->writer, "SELECT " STORE_AUDIT_COLUMNS
				" FROM audit ORDER BY seq DESC LIMIT 1", -1,
				&q, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(q);
	if (rc == SQLITE_ROW) {
		store_audit_row(q, &last);
		e->head.total = last.total;
		if (last.seq > e->head.seq) {
			e->head.seq = last.seq;
			e->head.hash = last.hash;
		}
	} else {
		e->head.total = e->cut.total;
	}
	sqlite3_finalize(q);
	s->audit_stored = s->audit;
	if (rc == SQLITE_ROW || rc == SQLITE_DONE)
		return 0;
	return store_db_error(s->writer, rc, err,
			      "can't read the audit trail");
}

/* Writing. */

static int run(struct store *s, enum store_write what, struct svm_err *err)
{
	sqlite3_stmt *q = s->writes[what];
	int rc = sqlite3_step(q);

	sqlite3_reset(q);
	sqlite3_clear_bindings(q);
	return rc == SQLITE_DONE ? 0 :
		       store_db_error(s->writer, rc, err,
				      "can't write the audit trail");
}

static int64_t size_of(const struct store_audit *a)
{
	const char *const texts[] = { a->actor, a->owner, a->sandbox_id,
				      a->action, a->target, a->result,
				      a->request_id };
	size_t n = ROW_BYTES;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		n += texts[i] ? strlen(texts[i]) : 0;
	return (int64_t)n;
}

int store_audit_append(struct store *s, struct store_audit *a,
		       struct svm_err *err)
{
	struct audit_mark *head = &s->audit.head;
	sqlite3_stmt *q = s->writes[STORE_ADD_AUDIT];

	a->seq = head->seq + 1;
	a->total = head->total + size_of(a);
	a->hash = store_audit_hash(&head->hash, a);
	const char *const texts[] = { a->actor, a->owner, a->sandbox_id,
				      a->action, a->target, a->result,
				      a->request_id };
	sqlite3_bind_int64(q, 1, a->seq);
	sqlite3_bind_int64(q, 2, a->wall_ns);
	sqlite3_bind_int64(q, 3, a->total);
	for (int i = 0; i < (int)ARRAY_SIZE(texts); i++)
		sqlite3_bind_text(q, 4 + i, texts[i], -1, SQLITE_STATIC);
	sqlite3_bind_blob(q, 11, a->hash.b, DIGEST_BYTES, SQLITE_STATIC);
	if (run(s, STORE_ADD_AUDIT, err) < 0)
		return -1;
	fault_point("audit.append");
	*head = (struct audit_mark){ a->seq, a->total, a->hash };
	return 0;
}

/* The last record that has to go, within what one transaction may cost. */
static int find_cut(struct store *s, int64_t before_ns, int64_t max_bytes,
		    struct audit_mark *ret, struct svm_err *err)
{
	int64_t end = s->audit.head.total;
	sqlite3_stmt *q = NULL;
	struct store_audit a;
	int rc = sqlite3_prepare_v2(s->writer, "SELECT " STORE_AUDIT_COLUMNS
				    " FROM audit ORDER BY seq LIMIT ?1", -1,
				    &q, NULL);

	sqlite3_bind_int(q, 1, TRIM_ROWS);
	while (rc == SQLITE_OK || rc == SQLITE_ROW) {
		rc = sqlite3_step(q);
		if (rc != SQLITE_ROW)
			break;
		store_audit_row(q, &a);
		/* max_bytes is what may be left behind this record. */
		if (a.wall_ns >= before_ns &&
		    (!max_bytes || end - ret->total <= max_bytes)) {
			rc = SQLITE_DONE;
			break;
		}
		*ret = (struct audit_mark){ a.seq, a.total, a.hash };
	}
	sqlite3_finalize(q);
	return rc == SQLITE_DONE ? 0 :
		       store_db_error(s->writer, rc, err,
				      "can't read the audit trail");
}

int store_audit_trim(struct store *s, int64_t before_ns, int64_t max_bytes,
		     struct svm_err *err)
{
	struct audit_mark cut = s->audit.cut;
	char hash[DIGEST_TEXT + 1], target[160];

	if (find_cut(s, before_ns, max_bytes, &cut, err) < 0)
		return -1;
	if (cut.seq <= s->audit.cut.seq)
		return 0;
	digest_format(&cut.hash, hash);
	snprintf(target, sizeof(target), "records %" PRId64 " to %" PRId64
		 ", up to %s", s->audit.cut.seq + 1, cut.seq, hash);
	struct store_audit a = {
		.wall_ns = clock_wall_ns(), .actor = "daemon",
		.action = "audit.trim", .target = target, .result = "ok",
	};
	if (store_audit_append(s, &a, err) < 0)
		return -1;
	sqlite3_bind_int64(s->writes[STORE_TRIM_AUDIT], 1, cut.seq);
	s->audit.cut = cut;
	return run(s, STORE_TRIM_AUDIT, err);
}

int store_audit_note_ends(struct store *s, struct svm_err *err)
{
	sqlite3_stmt *q = s->writes[STORE_PUT_AUDIT_ENDS];
	const struct audit_ends *e = &s->audit;

	if (e->head.seq == s->audit_stored.head.seq)
		return 0;
	sqlite3_bind_int64(q, 1, e->cut.seq);
	sqlite3_bind_int64(q, 2, e->cut.total);
	sqlite3_bind_blob(q, 3, e->cut.hash.b, DIGEST_BYTES, SQLITE_STATIC);
	sqlite3_bind_int64(q, 4, e->head.seq);
	sqlite3_bind_blob(q, 5, e->head.hash.b, DIGEST_BYTES, SQLITE_STATIC);
	return run(s, STORE_PUT_AUDIT_ENDS, err);
}

void store_audit_settle(struct store *s, bool committed)
{
	if (committed)
		s->audit_stored = s->audit;
	else
		s->audit = s->audit_stored;
}
