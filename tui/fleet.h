/* SPDX-License-Identifier: MIT */
/*
 * The sandboxes, as the daemon last told of them.
 */
#ifndef SVM_TUI_FLEET_H
#define SVM_TUI_FLEET_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Samples kept for a sparkline. */
#define FLEET_SAMPLES 24

struct sandbox {
	cJSON *json; /* all of it, owned */
	/* From it, borrowed; "" when absent, never NULL. */
	const char *id, *name, *state, *provider, *image, *owner, *template,
		*network;
	int64_t created_ns, expires_ns; /* wall; 0: none */
	long memory_mb, vcpus;

	bool marked;
	bool hidden; /* by the filter of the table that is shown: its mark
		      * stays, and counts for nothing (sandbox_is_marked) */
	int64_t going_until; /* boot time; killed then unless undone; 0: not */
	bool asked;          /* the kill was sent */

	bool has_stats, has_cpu;
	double cpu_pct; /* 100 is one vcpu; a rate, so not of the first time */
	int64_t mem, mem_limit, pids, disk;
	uint8_t cpu_samples[FLEET_SAMPLES], n_samples; /* percent, newest last */
};

struct fleet {
	struct sandbox **all; /* owned; newest first */
	size_t n;
	bool loaded;
};

void fleet_release(struct fleet *f);

/* Replace everything with an array of the daemon; marks and samples stay with
 * their ids.  Takes over the items. */
void fleet_load(struct fleet *f, cJSON *array);

/* One object, new or changed.  Takes it over. */
void fleet_put(struct fleet *f, cJSON *object);
void fleet_remove(struct fleet *f, const char *id);
static inline bool sandbox_is_marked(const struct sandbox *s)
{
	return s->marked && !s->hidden;
}

size_t fleet_marked(const struct fleet *f); /* how many are */
struct sandbox *fleet_find(const struct fleet *f, const char *id);

/* What /stats says. */
void fleet_stats(struct sandbox *s, const cJSON *stats);

bool sandbox_is(const struct sandbox *s, const char *state);

#endif
