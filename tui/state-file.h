/* SPDX-License-Identifier: MIT */
/*
 * A small file in the state directory, for its owner alone (0600), that all
 * dashboards of a user share: what one has changed is brought into what is
 * there by then, under a lock.
 */
#ifndef SVM_TUI_STATE_FILE_H
#define SVM_TUI_STATE_FILE_H

#include <stddef.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"

/* STATE/name, appended; a missing one is empty. */
int state_file_read(const char *name, size_t max, struct buf *text,
		    struct svm_err *err);

/* From what is there (empty when it can't be read) to what is to be there
 * (in an empty buffer); -1 with err leaves it as it is. */
typedef int state_file_fn(void *data, const struct buf *old, struct buf *next,
			  struct svm_err *err);
int state_file_change(const char *name, size_t max, state_file_fn *fn,
		      void *data, struct svm_err *err);

#endif
