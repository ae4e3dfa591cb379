/* SPDX-License-Identifier: MIT */
/*
 * One bounded ring file per sandbox: STATE/boxes/ID/log (LIMIT_LOG_RING),
 * written by the daemon, never larger than its limit.  Bytes that were
 * overwritten before a reader came leave a marker line.
 */
#ifndef SVM_DAEMON_SANDBOX_LOG_H
#define SVM_DAEMON_SANDBOX_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

struct sandbox_log;

/* Opens or creates; a damaged file starts anew.  Buffered: written at most
 * LIMIT_TURN_BYTES later or on sandbox_log_flush(), which keeps no room for
 * more. */
int sandbox_log_open(const char *dir, struct sandbox_log **ret,
		     struct svm_err *err);
void sandbox_log_close(struct sandbox_log *l);
void sandbox_log_add(struct sandbox_log *l, bool is_stderr, const void *p,
		     size_t n);
void sandbox_log_flush(struct sandbox_log *l);

/* Offset after the last byte; grows for ever. */
uint64_t sandbox_log_end(const struct sandbox_log *l);

/* The last `lines` whole lines, oldest first: fn for each, without the
 * newline. *ret_end is where a follower goes on.  */
int sandbox_log_tail(struct sandbox_log *l, unsigned lines,
		     void (*fn)(void *data, const char *line, size_t n),
		     void *data, uint64_t *ret_end);
/* Whole lines from offset on; *ret_next where to go on. */
int sandbox_log_since(struct sandbox_log *l, uint64_t offset,
		      void (*fn)(void *data, const char *line, size_t n),
		      void *data, uint64_t *ret_next);

#endif
