/* SPDX-License-Identifier: MIT */
/*
 * Spare boxes: made before they are asked for, so that a spawn need not wait
 * for a clone, some forty mounts and an exec.
 *
 * A spare has everything that its shape decides (limits, ids, file system, an
 * id of its own) and an agent that waits for its setup; nothing of any user
 * has been in it.  Its shape is that of the latest sandbox on the host's own
 * root: programs ask for the same again.  A keeper thread replaces what was
 * taken once that spawn has been answered, and takes the spares away when
 * nobody has spawned for SPARE_IDLE.
 *
 * The daemon that made a spare holds the other end of its setup: without that
 * daemon the agent reads the end of the file and leaves, and the next start
 * sweeps what lay around it like any half-made box.
 */
#ifndef SVM_PROVIDERS_NATIVE_SPARE_H
#define SVM_PROVIDERS_NATIVE_SPARE_H

#include <pthread.h>
#include <stdbool.h>

#include "lib/api/limits.h"
#include "lib/api/spec.h"
#include "lib/base/list.h"

struct native;
struct provider_box;
struct record;
struct spawn;

#define SPARE_IDLE SECONDS(300)
/* Whoever spawned wants the processors for his first command; unless spawns
 * come so fast that the next one would find nothing. */
#define SPARE_AFTER (SECONDS(3) / 1000)
#define SPARE_RUSH (SECONDS(10) / 1000)
#define SPARE_BLOCKS 64 /* with fewer ids the next sandbox may need a spare's */

struct spares {
	pthread_t keeper;
	pthread_cond_t wake; /* with the lock of struct native */
	bool running, stop;
	bool wanted;              /* `shape` is set; cleared by a failure */
	struct sandbox_spec shape; /* numbers and flags only */
	int64_t used_ns;           /* CLOCK_MONOTONIC: the latest spawn */
	int64_t due_ns;            /* the same: when to make the next */
	unsigned ready;            /* how many */
	struct list all;           /* struct spare: ready and reserved */
};

void spares_init(struct spares *s);

/* Take all away and end the keeper. */
void spares_close(struct native *n);

/* A sandbox of this shape was made: keep others like it.  Never fails; what
 * can't be made ahead is made when it is asked for. */
void spares_want(struct native *n, const struct sandbox_spec *spec);

/* Set a spare of exactly this shape aside for somebody, who will be called by
 * its id.  -ENOENT when there is none.  See provider_ops.reserve. */
int spares_reserve(struct native *n, const struct sandbox_spec *spec,
		   char id[LIMIT_ID + 1]);

/* The record of the reserved spare of that id; false when there is none. */
bool spares_record(struct native *n, const char *id, struct record *ret);

/* Hand the reserved spare of box->id over, process and all. */
bool spares_claim(struct native *n, struct provider_box *box,
		  struct spawn *ret);

/* The same for somebody who is about to destroy it. */
void spares_give_back(struct native *n, struct provider_box *box);

#endif
