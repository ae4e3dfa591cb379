/* SPDX-License-Identifier: MIT */
/*
 * SIGHUP: read the configuration again and apply what can change while the
 * daemon runs.  What can't is said in the log and keeps its old value; a
 * configuration that is not valid changes nothing at all.
 */
#ifndef SVM_DAEMON_RELOAD_H
#define SVM_DAEMON_RELOAD_H

#include <stdbool.h>

#include "daemon/config.h"
#include "lib/base/err.h"

struct daemon;

/* A change of this key needs no restart. */
bool reload_is_live(const char *key);

void reload_config(struct daemon *d, const struct config_source *src,
		   bool detached);

/* Open the log as configured; a detached daemon has a file by default.  Also
 * at start, and at each SIGHUP for who rotates the file himself. */
int reload_log(const struct daemon *d, bool detached, struct svm_err *err);

#endif
