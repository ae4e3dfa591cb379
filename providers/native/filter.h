/* SPDX-License-Identifier: MIT */
/*
 * The seccomp filters: one allow-list, two programs.  The agent's is what
 * commands get plus what starting them as somebody else takes (filters stack,
 * so it must allow all of theirs).
 */
#ifndef SVM_PROVIDERS_NATIVE_FILTER_H
#define SVM_PROVIDERS_NATIVE_FILTER_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"

/* Compile both into struct sock_filter records.  `allow_ptrace` lets debuggers
 * work inside. */
int filter_build(bool allow_ptrace, struct buf *agent, struct buf *work,
		 struct svm_err *err);

/* What the lists have, for the manual: the i-th name, NULL past the last.
 * Calls whose arguments are looked at are in none of them. */
enum filter_list {
	FILTER_ALLOWED,
	FILTER_REFUSED, /* EPERM; what is in no list is ENOSYS */
	FILTER_TRACING, /* EPERM, or allowed with allow_ptrace */
};
const char *filter_name(enum filter_list list, size_t i);

#endif
