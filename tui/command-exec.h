/* SPDX-License-Identifier: MIT */
/* Programs of this machine, run for the user: found as a shell finds them. */
#ifndef SVM_TUI_COMMAND_EXEC_H
#define SVM_TUI_COMMAND_EXEC_H

#include <stddef.h>
#include <sys/types.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"

/* Whether there is such a program; -1 with err set when not. */
int command_check(const char *name, struct svm_err *err);

/* Start it with these descriptors as 0, 1 and 2 (-1: /dev/null); `flags` as
 * for proc_spawn().  The pid, or -1 with err set. */
pid_t command_spawn(char *const *argv, const int fds[3], unsigned flags,
		    int *ret_pidfd, struct svm_err *err);

/*
 * Run it without input until it ends, and keep the first LIMIT_TUI_OUTPUT
 * bytes it prints.  When cancel_fd becomes readable it is killed, with all it
 * started.  *ret_status as a shell has it.
 */
int command_exec(char *const *argv, int cancel_fd, struct buf *output,
		 int *ret_status, struct svm_err *err);

#endif
