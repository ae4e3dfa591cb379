/* SPDX-License-Identifier: MIT */
/*
 * Memory given back to the system.  What a thousand sandboxes or a hundred
 * streams took is free when they have gone, but malloc keeps what lies below
 * anything that is still in use; here it is told, once it has become quiet,
 * to give back every page that is free.
 */
#ifndef SVM_DAEMON_TRIM_H
#define SVM_DAEMON_TRIM_H

struct loop;
struct trim;

struct trim *trim_new(struct loop *l);
void trim_free(struct trim *t); /* accepts NULL */

/* Something has ended that may have freed memory.  Costs nothing; without it
 * there is no timer. */
void trim_note(struct trim *t);

#endif
