/* SPDX-License-Identifier: MIT */
/*
 * Token buckets, one per caller, in bounded memory.
 *
 * A bucket holds `burst` tokens and gains one every `interval_ns`.  The table
 * has room for LIMIT_BUCKETS callers that are not idle; a bucket that has
 * filled up again is the same as none, so forgetting one costs nothing.  When
 * more callers than that are busy the fullest buckets are forgotten first.
 */
#ifndef SVM_DAEMON_BUCKET_H
#define SVM_DAEMON_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

struct buckets;

struct bucket_state {
	unsigned left;   /* tokens that may be taken now */
	int64_t wait_ns; /* until there is one; 0 when there is */
	int64_t full_ns; /* until the bucket is full again */
};

/* interval_ns > 0, burst > 0, and their product fits int64_t. */
struct buckets *buckets_new(int64_t interval_ns, unsigned burst);
void buckets_free(struct buckets *b); /* accepts NULL */

/* Take a token of `who` at the time now_ns (a clock that never goes back);
 * false when there is none.  ret may be NULL. */
bool bucket_take(struct buckets *b, const char *who, int64_t now_ns,
		 struct bucket_state *ret);

/* What bucket_take() would find, taking nothing. */
bool bucket_peek(struct buckets *b, const char *who, int64_t now_ns,
		 struct bucket_state *ret);

#endif
