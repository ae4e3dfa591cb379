/* SPDX-License-Identifier: MIT */
/* One daemon per state directory, and the id that names what it makes. */
#ifndef SVM_DAEMON_INSTANCE_H
#define SVM_DAEMON_INSTANCE_H

#include "lib/base/err.h"

/* Take STATE/lock and write our pid into it.  The process holds the lock, no
 * child of it does, until the returned fd or any other of that file is
 * closed: nobody else here may open it.  CONFLICT names the holder. */
int instance_lock(const char *state_dir, struct svm_err *err);

/* Read STATE/instance-id, or make it: 16 hex digits and NUL. */
int instance_id(const char *state_dir, char out[17], struct svm_err *err);

#endif
