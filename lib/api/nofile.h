/* SPDX-License-Identifier: MIT */
/*
 * How many files may be open (RLIMIT_NOFILE), for people: `ulimit -n 20` is
 * no place for a daemon, and "Too many open files" says neither how many nor
 * what to do.
 */
#ifndef SVM_API_NOFILE_H
#define SVM_API_NOFILE_H

#include "lib/base/err.h"

/* May a daemon open what it needs?  It raises its limit to the hard one, so
 * that is what counts. */
int nofile_check(struct svm_err *err);

/* What to do about an error that is EMFILE. */
int nofile_hint(struct svm_err *err);

#endif
