/* SPDX-License-Identifier: MIT */
/*
 * Memory given back to the system.  What a thousand sandboxes or a hundred
 * streams took is free when they have gone, but malloc keeps what lies below
 * anything that is still in use; here it is told, once few things happen, to
 * give back every page that is free.  Once nothing happens, whoever keeps
 * what can be had again gives that up first.
 */
#ifndef SVM_DAEMON_TRIM_H
#define SVM_DAEMON_TRIM_H

#include <stdbool.h>

struct loop;
struct trim;

/* Before there is a thread: all memory is where trim_now() reaches it. */
void trim_init(void);

/* quiet(data), or NULL: a second in which nothing ended has passed, after one
 * in which something did.  Called once, then not before something ends. */
struct trim *trim_new(struct loop *l, void (*quiet)(void *data), void *data);
void trim_free(struct trim *t); /* accepts NULL */

/* Something has ended that may have freed memory.  Costs nothing; without it
 * there is no timer. */
void trim_note(struct trim *t);

bool trim_armed(const struct trim *t); /* whether its timer runs */

/* At once; for what was freed later than quiet() returned. */
void trim_now(void);

#endif
