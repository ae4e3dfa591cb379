/* SPDX-License-Identifier: MIT */
/* One daemon per state directory, and the id that names what it makes. */
#ifndef SVM_DAEMON_INSTANCE_H
#define SVM_DAEMON_INSTANCE_H

#include "lib/base/err.h"

/* Take STATE/lock and write our pid into it.  The lock is held as long as the
 * returned fd is open (no child inherits it).  CONFLICT names the holder. */
int instance_lock(const char *state_dir, struct svm_err *err);

/* Read STATE/instance-id, or make it: 16 hex digits and NUL. */
int instance_id(const char *state_dir, char out[17], struct svm_err *err);

#endif
