/* SPDX-License-Identifier: MIT */
/* The end of a log file, and what is added to it. */
#ifndef SVM_CLI_TAIL_H
#define SVM_CLI_TAIL_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"

/* Print the last `lines` lines, escaped, to stdout; then, with follow, what
 * is added, also after the file was rotated, until interrupted or
 * the deadline (CLOCK_BOOTTIME ns, 0: none) has come: TIMEOUT. */
int tail_file(const char *path, unsigned lines, bool follow,
	      int64_t deadline_ns, struct svm_err *err);

#endif
