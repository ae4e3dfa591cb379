/* SPDX-License-Identifier: MIT */
/*
 * The audit trail: who did what to which sandbox, and what came of it.
 *
 * What changes a state is recorded in the transaction of that change by
 * audit_add(); the end of every request passes audit_observe(), which records
 * what the first did not: failures, refusals, changes without a row.  The
 * store chains the records (store-audit.c).
 *
 * An environment, standard input or the content of a file never gets in;
 * commands and paths are cut to LIMIT_AUDIT_TARGET.
 */
#ifndef SVM_DAEMON_AUDIT_H
#define SVM_DAEMON_AUDIT_H

struct audit;
struct daemon;
struct http_req;
struct sandbox;
struct store_txn;

struct audit *audit_new(struct daemon *d); /* begins to apply retention */
void audit_free(struct audit *a);

/* Who called, to be kept beyond the request. */
struct audit_who {
	char *actor, *request_id;
};
#define AUDIT_WHO_INIT { NULL, NULL }
void audit_who_init(struct audit_who *w, const struct daemon *d,
		    const struct http_req *r);
void audit_who_copy(struct audit_who *w, const struct audit_who *from);
void audit_who_release(struct audit_who *w);

/* Append to t.  who NULL: the daemon by itself; s and target may be NULL. */
void audit_add(struct store_txn *t, const struct audit_who *who,
	       const struct sandbox *s, const char *action,
	       const char *target, const char *result);

/* A request is about this sandbox; before any reply. */
void audit_about(struct http_req *r, const struct sandbox *s);

/* The end of a request: http_options.observe. */
void audit_observe(const struct http_req *r, struct daemon *d);

#endif
