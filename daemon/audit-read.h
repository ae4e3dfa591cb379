/* SPDX-License-Identifier: MIT */
/*
 * Reading and verifying the audit trail, on a connection of its own: for
 * workers, and for a program without a daemon.  Everything here blocks.
 */
#ifndef SVM_DAEMON_AUDIT_READ_H
#define SVM_DAEMON_AUDIT_READ_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/digest.h"
#include "lib/base/err.h"

struct audit_reader;
struct store_audit;

int audit_reader_open(const char *path, struct audit_reader **ret,
		      struct svm_err *err);
void audit_reader_close(struct audit_reader *r); /* accepts NULL */

/* Borrowed; NULL members match everything. */
struct audit_filter {
	const char *actor, *action, *sandbox_id, *owner;
	int64_t since_seq, since_ns; /* records after; 0: all */
};

/* The seq before the newest `limit` records that match (0: before all). */
int audit_reader_start(struct audit_reader *r, const struct audit_filter *f,
		       int64_t limit, int64_t *ret, struct svm_err *err);

/* Records with seq > after that match, oldest first; fn returns false to
 * stop.  *ret_after: where to go on; *ret_more: whether that is worth it. */
int audit_reader_each(struct audit_reader *r, const struct audit_filter *f,
		      int64_t after,
		      bool (*fn)(void *data, const struct store_audit *a),
		      void *data, int64_t *ret_after, bool *ret_more,
		      struct svm_err *err);

struct audit_verdict {
	bool whole;
	int64_t records, first, last; /* seq; 0 when there are none */
	int64_t cut;                  /* seq of the last that was cut off */
	struct digest cut_hash, head;
	int64_t broken_at;            /* seq of the first that is wrong */
	char problem[128];            /* "" when whole */
};

/* Walk the whole trail.  -1 only when it can't be read. */
int audit_verify(struct audit_reader *r, struct audit_verdict *ret,
		 struct svm_err *err);
void audit_verdict_json(const struct audit_verdict *v, struct buf *out);

#endif
