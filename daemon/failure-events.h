/* SPDX-License-Identifier: MIT */
/*
 * What went wrong, for those who watch the stream of events:
 *
 *	operation.failed  a call ended in a 5xx of ours or of the runtime
 *	provider.failed   it was the runtime that failed, in a call or in the
 *			  probe that first found it unhealthy
 *	resource.limit    a call was refused by a limit, quota or full queue
 *
 * A limited number of each a minute: a storm of failures must not push the
 * rest of the history out of the store.
 */
#ifndef SVM_DAEMON_FAILURE_EVENTS_H
#define SVM_DAEMON_FAILURE_EVENTS_H

struct daemon;
struct http_req;
struct svm_err;

/* The end of a request: http_options.observe. */
void failure_events_observe(const struct http_req *r, struct daemon *d);

/* A probe found that a provider, which worked, does not any more. */
void failure_events_provider(struct daemon *d, const char *name,
			     const struct svm_err *why);

#endif
