/* SPDX-License-Identifier: MIT */
/*
 * The seccomp filters: one allow-list, two programs.  The agent's is what
 * commands get plus what starting them as somebody else takes (filters stack,
 * so it must allow all of theirs).
 */
#ifndef SVM_PROVIDERS_NATIVE_FILTER_H
#define SVM_PROVIDERS_NATIVE_FILTER_H

#include <stdbool.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"

/* Compile both into struct sock_filter records.  `allow_ptrace` lets debuggers
 * work inside. */
int filter_build(bool allow_ptrace, struct buf *agent, struct buf *work,
		 struct svm_err *err);

#endif
