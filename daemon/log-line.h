/* SPDX-License-Identifier: MIT */
/*
 * One line of a sandbox's output: what was written, by which stream, when it
 * was seen; how it lies in the ring file; and which lines somebody wants.
 */
#ifndef SVM_DAEMON_LOG_LINE_H
#define SVM_DAEMON_LOG_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"

enum log_stream {
	LOG_STREAM_UNKNOWN, /* written by a daemon that did not note it */
	LOG_STREAM_SYSTEM,  /* said by the daemon itself */
	LOG_STREAM_STDOUT,
	LOG_STREAM_STDERR,
	LOG_STREAM_PTY,
	LOG_STREAM_MAX
};

/* NULL for UNKNOWN. */
const char *log_stream_name(enum log_stream s);
/* False when there is none of that name. */
bool log_stream_parse(const char *name, enum log_stream *ret);

/* Both clocks, in milliseconds, 0 unknown: wall time is for people, and was
 * right when the line was seen whatever was set since; the boot clock never
 * jumps, and orders. */
struct log_time {
	int64_t wall_ms, boot_ms;
};

/* What clock_boot_ns() said some time ago, as both clocks are now. */
struct log_time log_time_at(int64_t boot_ns);

struct log_line {
	const char *text; /* borrowed; no newline, else any bytes */
	size_t len;
	struct log_time seen;
	enum log_stream stream;
	int64_t at; /* where in the log it begins; -1: it isn't in it */
};

/* In the file a line is LOG_LINE_PREFIX bytes, none of them a newline, the
 * text, and a newline. */
#define LOG_LINE_PREFIX 15
void log_line_prefix(char out[LOG_LINE_PREFIX], struct log_time seen,
		     enum log_stream stream);
void log_line_add_prefix(struct buf *out, struct log_time seen,
			 enum log_stream stream);
/* From p[0..n) without the newline, at -1; what is too short for a line is all
 * text, of UNKNOWN. */
struct log_line log_line_decode(const char *p, size_t n);

/* Of the lines that fit the rest, the last `lines`; with `after` the first. */
struct log_filter {
	unsigned lines;
	int64_t from_wall_ms; /* 0: all; seen at that time or later */
	int64_t from_boot_ms; /* the same by the boot clock; 0: all */
	bool has_before, has_after;
	int64_t before, after; /* lines that begin there, and those behind or
				* before them, are not wanted */
	bool one_stream;
	enum log_stream stream;
};

/* A line with an unknown time is older than any given one. */
bool log_filter_wants(const struct log_filter *f, const struct log_line *l);

#endif
