/* SPDX-License-Identifier: MIT */
/*
 * Spawns under way, as the daemon tells of them (stacyvm-api(7), frames=full).
 * There is a stage for what it has told of, and for the making of the sandbox,
 * which always comes.
 *
 *	s = spawning_start(m, &form, body, ended);
 *	ended(m, s)     once: s->sandbox is there, or s->err says why not;
 *	                s is its own to spawning_free() from then on
 *	spawning_cancel(m, s)  instead: what was made is taken away
 */
#ifndef SVM_TUI_SPAWNING_H
#define SVM_TUI_SPAWNING_H

#include "lib/api/limits.h"
#include "lib/base/json.h"
#include "tui/model.h"
#include "tui/spawn-form.h"

/* What is done sooner is done before one could read about it. */
#define SPAWNING_QUIET_NS (300 * INT64_C(1000000))

enum spawning_stage {
	SPAWNING_IMAGE,  /* it is fetched */
	SPAWNING_QUEUE,  /* it waits for room */
	SPAWNING_CREATE,
	SPAWNING_SETUP,  /* commands of its template */
	SPAWNING_STAGES,
};

struct spawning {
	struct list link;       /* of m->spawns */
	struct spawn_form form; /* what was asked for */
	struct stream *stream;
	void (*ended)(struct model *m, struct spawning *s);

	int64_t begun_ns;       /* boot, as all of these */
	struct {
		int64_t begun_ns, ended_ns; /* 0: not yet */
	} stage[SPAWNING_STAGES];
	int now;                /* a stage; -1: nothing was told yet */
	char *id;               /* or NULL */
	bool unpacking;
	int64_t layers, unpacked;
	int64_t have[LIMIT_IMAGE_LAYERS], whole[LIMIT_IMAGE_LAYERS];
	int64_t waiting, command, commands;

	cJSON *sandbox;
	struct svm_err err;
};

struct spawning *spawning_start(struct model *m, const struct spawn_form *form,
				const char *body,
				void (*ended)(struct model *m,
					      struct spawning *s));
void spawning_cancel(struct model *m, struct spawning *s);
void spawning_free(struct model *m, struct spawning *s); /* accepts NULL */
void spawning_cancel_all(struct model *m);

/* Of the image: bytes that are here and, once each layer's size is known, of
 * how many, else -1.  The part of it, 0 to 1. */
double spawning_image(const struct spawning *s, int64_t *ret_have,
		      int64_t *ret_whole);

/* "pull 64%", for where there is little room. */
void spawning_brief(const struct spawning *s, struct buf *out);

/* The panel: spawning-view.c. */
void spawning_view(const struct model *m, const struct spawning *s,
		   struct canvas *c);

#endif
