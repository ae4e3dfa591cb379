/* SPDX-License-Identifier: MIT */
/*
 * One bounded ring file per sandbox: STATE/boxes/ID/log (LIMIT_LOG_RING),
 * written by the daemon, never larger than its limit.  Every line has its time
 * and its stream (log-line.h).  Bytes that were overwritten before a reader
 * came leave a marker line.
 */
#ifndef SVM_DAEMON_SANDBOX_LOG_H
#define SVM_DAEMON_SANDBOX_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/log-line.h"
#include "lib/base/err.h"

struct sandbox_log;

/* Opens or creates; a damaged file starts anew, one from before lines had
 * times is carried over.  Buffered: written at most LIMIT_TURN_BYTES later or
 * on sandbox_log_flush(), which keeps no room for more. */
int sandbox_log_open(const char *dir, struct sandbox_log **ret,
		     struct svm_err *err);
void sandbox_log_close(struct sandbox_log *l);
/*
 * Output of `source`, the id of a command: the unfinished lines of each are
 * kept apart.  A line has the time at which its end was seen.  seen_boot_ns is
 * when p was, or 0 for now; what lies in the future or before the last line is
 * corrected, so that the boot times of a log never go back.
 */
void sandbox_log_add(struct sandbox_log *l, const char *source,
		     enum log_stream stream, int64_t seen_boot_ns,
		     const void *p, size_t n);
/* Nothing follows from it: what it left unfinished is a line. */
void sandbox_log_finish(struct sandbox_log *l, const char *source);
/* A line of the daemon's own that says n bytes are missing here. */
void sandbox_log_lost(struct sandbox_log *l, uint64_t n);
void sandbox_log_flush(struct sandbox_log *l);

/* How far the agent's own ring has been read into this log; kept with what
 * was flushed, so that the next daemon goes on there. */
uint64_t sandbox_log_agent_at(const struct sandbox_log *l);
void sandbox_log_set_agent_at(struct sandbox_log *l, uint64_t at);

/* Offset after the last byte; grows for ever. */
uint64_t sandbox_log_end(const struct sandbox_log *l);

typedef void sandbox_log_fn(void *data, const struct log_line *line);

/* The whole lines that f wants, oldest first: fn for each.  *ret_end is where
 * a follower goes on. */
int sandbox_log_tail(struct sandbox_log *l, const struct log_filter *f,
		     sandbox_log_fn *fn, void *data, uint64_t *ret_end);
/* Those from offset on, however many; *ret_next where to go on. */
int sandbox_log_since(struct sandbox_log *l, uint64_t offset,
		      const struct log_filter *f, sandbox_log_fn *fn,
		      void *data, uint64_t *ret_next);

#endif
