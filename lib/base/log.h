/* SPDX-License-Identifier: MIT */
/*
 * The log: one line per event, text or JSON, to stderr or a rotated file.
 *
 * Only main-level code logs above debug; a function either returns an error
 * or logs it.  Fields are key=value with sandbox=, req=, uid= first.  Every
 * message is escaped on its way out, so bytes of a sandbox or client are safe
 * to log.  Thread safe.  The agent and the launcher don't use it.
 */
#ifndef SVM_BASE_LOG_H
#define SVM_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/defs.h"
#include "lib/base/err.h"

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN,
		 LOG_LEVEL_ERROR, LOG_LEVEL_MAX };

struct log_options {
	enum log_level level;
	bool json;
	const char *file;  /* NULL: stderr */
	uint64_t max_size; /* rotate past this many bytes; 0: never */
	unsigned keep;     /* rotated files kept: file.1 .. file.N */
};

int log_open(const struct log_options *o, struct svm_err *err);
void log_close(void);
bool log_level_parse(const char *name, enum log_level *ret);

void log_at(enum log_level level, const char *fmt, ...) PRINTF_LIKE(2, 3);
void log_at_e(enum log_level level, const struct svm_err *e, const char *fmt,
	      ...) PRINTF_LIKE(3, 4);

#define log_error(...) log_at(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...) log_at(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...) log_at(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_at(LOG_LEVEL_DEBUG, __VA_ARGS__)
/* The same with ": message of the error" appended. */
#define log_error_e(e, ...) log_at_e(LOG_LEVEL_ERROR, e, __VA_ARGS__)
#define log_warn_e(e, ...) log_at_e(LOG_LEVEL_WARN, e, __VA_ARGS__)
#define log_info_e(e, ...) log_at_e(LOG_LEVEL_INFO, e, __VA_ARGS__)
#define log_debug_e(e, ...) log_at_e(LOG_LEVEL_DEBUG, e, __VA_ARGS__)

/* For what a client can trigger at will: true at most `burst` times per
 * minute and place; the first true after a pause says how many were lost. */
struct log_limit {
	int64_t window_ns;
	unsigned seen;
};
bool log_limited(struct log_limit *limit, unsigned burst);

#endif
