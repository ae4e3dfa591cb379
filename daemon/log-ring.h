/* SPDX-License-Identifier: MIT */
/*
 * The file of a sandbox's log: a header and a ring of bytes, addressed by
 * their offset since the log began.  It never grows beyond LIMIT_LOG_RING.
 */
#ifndef SVM_DAEMON_LOG_RING_H
#define SVM_DAEMON_LOG_RING_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"

struct log_ring {
	int fd;
	uint64_t begin, end; /* what is in the file */
	uint64_t agent_at;   /* sandbox_log_agent_at(), as stored */
};

/* Opens or creates DIR/log; a damaged file starts anew, one of the format
 * before this one is rewritten. */
int log_ring_open(const char *dir, struct log_ring *ret, struct svm_err *err);
void log_ring_close(struct log_ring *r);

/* At the end, instead of the oldest where there is no room; n may not be more
 * than log_ring_room().  0 or -errno; after a failure nothing was added. */
int log_ring_add(struct log_ring *r, const char *p, size_t n,
		 uint64_t agent_at);
size_t log_ring_room(void);

/* Append the bytes from `from` (begin <= from <= end) on.  0 or -errno. */
int log_ring_read(const struct log_ring *r, uint64_t from, struct buf *out);

#endif
