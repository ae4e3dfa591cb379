/* SPDX-License-Identifier: MIT */
/*
 * What the files of a sandbox's life share:
 *
 *	lifecycle-table.c  states and events
 *	lifecycle.c        from created to destroyed
 *	lifecycle-term.c   a new end of life: extended, claimed
 *	lifecycle-update.c another name, other metadata
 *	lifecycle-commit.c how each step is stored and answered for
 */
#ifndef SVM_DAEMON_LIFECYCLE_INTERNAL_H
#define SVM_DAEMON_LIFECYCLE_INTERNAL_H

#include "daemon/lifecycle.h"
#include "lib/api/event-type.h"

typedef void (*life_stored_fn)(struct sandbox *s, const struct svm_err *err);

/* Store the row as it is now, with one event (or EVENT_NONE) and its data
 * (NULL: none), in one transaction; then `then`, which may be NULL. */
void life_commit(struct sandbox *s, enum event_type event, const char *data,
		 life_stored_fn then);
/* And then the waiter's own answer; its action is what is audited. */
void life_commit_for(struct sandbox *s, enum event_type event,
		     const char *data, life_stored_fn then,
		     struct life_waiter *waiter);

/* To all of s->makers or s->leavers, who leave the list. */
void life_answer(struct sandbox *s, struct list *waiters,
		 const struct svm_err *err);

/* The timer of s->expires_boot_ns. */
void life_arm_ttl(struct sandbox *s);

#endif
