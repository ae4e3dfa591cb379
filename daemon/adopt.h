/* SPDX-License-Identifier: MIT */
/*
 * After a restart: find what the last daemon left.  Living sandboxes are
 * adopted; what can't be is removed and says why in its record; then the
 * providers sweep what no row knows.  Blocking, before the sockets are open.
 */
#ifndef SVM_DAEMON_ADOPT_H
#define SVM_DAEMON_ADOPT_H

#include "lib/base/err.h"

struct daemon;

int adopt_all(struct daemon *d, struct svm_err *err);

#endif
