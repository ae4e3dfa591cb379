/* SPDX-License-Identifier: MIT */
/*
 * Where things are kept.  State survives a reboot; runtime may vanish at
 * logout.  Both are 0700 and ours, checked with lstat.
 *
 * State: $STACYVM_STATE_DIR, else /var/lib/stacyvm for root, else
 * $XDG_STATE_HOME/stacyvm, else ~/.local/state/stacyvm.
 * Runtime: $STACYVM_RUNTIME_DIR, else $XDG_RUNTIME_DIR/stacyvm, else
 * /run/stacyvm for root, else /tmp/stacyvm-UID.
 * Config: $XDG_CONFIG_HOME/stacyvm, else ~/.config/stacyvm (not made).
 */
#ifndef SVM_API_DIRS_H
#define SVM_API_DIRS_H

#include "lib/base/err.h"

struct dirs {
	char *state;
	char *runtime;
	char *config;
	char *socket; /* RUNTIME/stacyvm.sock */
};

/* Compute the names; touches nothing. */
void dirs_init(struct dirs *d);

/* What to do about a directory that can't be made, which these variables can
 * name (own may be NULL): the cause may be HOME. */
int dirs_hint(const char *xdg, const char *own, struct svm_err *err);

int dirs_make_runtime(const struct dirs *d, struct svm_err *err);
/* Make state and runtime with what is below: images/ boxes/ logs/. */
int dirs_make(const struct dirs *d, struct svm_err *err);
void dirs_release(struct dirs *d);

#endif
