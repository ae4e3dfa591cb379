/* SPDX-License-Identifier: MIT */
/*
 * What can be done with sandboxes, from whatever screen: the actions of
 * CTX_SANDBOXES, and what they ask.
 *
 * A kill waits KILL_GRACE_NS, in which `undo` takes it back: of several, all.
 */
#ifndef SVM_TUI_SANDBOX_ACT_H
#define SVM_TUI_SANDBOX_ACT_H

#include "tui/model.h"

#define KILL_GRACE_NS (5 * INT64_C(1000000000))

/* On the sandbox, or for KILL, EXTEND, LABEL and EXPORT on all that are
 * marked when there are any.  s may be NULL: nothing is selected.  False for
 * another action. */
bool sandbox_act(struct model *m, struct sandbox *s, enum action a);

/* KILL, EXTEND, LABEL or EXPORT of these; takes the ids.  False for another
 * action. */
bool sandbox_act_many(struct model *m, char **ids, enum action a);

/* The same on this one, whatever is marked. */
void sandbox_act_alone(struct model *m, struct sandbox *s, enum action a);

/* Of a batch whose answers are the sandboxes as they are now. */
void sandbox_answered(struct model *m, struct request *r, void *data,
		      struct buf *report);

/* The kills whose grace is over; when the next is. */
void sandbox_act_tick(struct model *m);
int64_t sandbox_act_wake(const struct model *m);

/* Carry out all kills that wait: the user is going. */
void sandbox_act_finish(struct model *m);

/* "sb-7f3a91c2 (web, alpine, 24m left)": appended. */
void sandbox_describe(const struct model *m, const struct sandbox *s,
		      struct buf *out);

#endif
