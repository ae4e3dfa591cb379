/* SPDX-License-Identifier: MIT */
/*
 * Between the files of the native provider: what it is made of, and a box on
 * its way to life.
 *
 * A box is laid out and launched with what its shape decides, which can be
 * done before anybody has asked for it (spare.h); its agent then waits for its
 * setup, which is what one sandbox decides.
 */
#ifndef SVM_PROVIDERS_NATIVE_BOX_H
#define SVM_PROVIDERS_NATIVE_BOX_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/list.h"
#include "providers/native/cgroup.h"
#include "providers/native/client.h"
#include "providers/native/ids.h"
#include "providers/native/spare.h"
#include "providers/provider.h"

struct native {
	struct provider base;
	enum native_mode mode;
	struct ids ids;
	struct cgroups cgroups;
	struct launch_client launcher;
	struct buf agent_filter, work_filter;
	int boxes; /* STATE/boxes */
	bool landlock;
	bool tmpfs_upper;  /* a rootless overlay may write to a tmpfs */
	pthread_mutex_t lock; /* of ids and all below */
	struct list held; /* struct held: blocks whose box isn't made yet */
	struct list cpu;  /* struct cpu_sample; see stats.c */
	struct spares spares;
};

/* What the record says.  See provider.h. */
struct record {
	uint32_t block, disk_mb;
	bool tmpfs; /* disk_mb is in force */
};

/* Text as the record has it.  -EINVAL when it is damaged. */
int record_parse(const char *text, struct record *ret);
char *record_format(const struct record *rec);

/* What a spawn holds until the agent lives. */
struct spawn {
	struct record rec;
	int setup, child; /* the two ends of the setup pair */
	int listener, work, lock;
	int enter[CGROUP_MAX];
	size_t nenter;
	int64_t mounted_ns; /* CLOCK_MONOTONIC; 0 until it said so */
};

#define SPAWN_INIT \
	{ .setup = -1, .child = -1, .listener = -1, .work = -1, .lock = -1 }
void spawn_release(struct spawn *s);

struct native *native_of(struct provider *p);

/* Ids for one more box.  See ids_take(); from any thread. */
int native_take_ids(struct native *n, uint32_t *ret_block, int *ret_lock,
		    struct svm_err *err);

/* What lies on the host before there is a process: the socket, the cgroups,
 * the setup pair. */
int box_lay_out(struct native *n, const struct provider_box *box,
		const struct sandbox_spec *spec, struct spawn *s,
		struct svm_err *err);

/* Queue the agent's instructions.  Before the launch it finds them when it is
 * there, which saves everybody a turn. */
int box_send_setup(struct native *n, const struct provider_box *box,
		   const struct sandbox_spec *spec, struct spawn *s,
		   struct svm_err *err);

/* Clone it.  Fills pid, start_time, pidfd and the clone's time. */
int box_launch(struct native *n, struct provider_box *box,
	       const struct sandbox_spec *spec, struct spawn *s,
	       struct svm_err *err);

/* Wait until it has its file system; until its agent can be spoken to. */
int box_wait_mounted(struct provider_box *box, struct spawn *s,
		     struct svm_err *err);
int box_wait_ready(struct provider_box *box, struct spawn *s,
		   struct svm_err *err);

/* Fill the box's posture. */
int box_read_posture(struct native *n, struct provider_box *box,
		     const struct record *rec, struct svm_err *err);

/* stats.c */
int native_stats(struct provider *p, struct provider_box *box,
		 struct provider_stats *ret, struct svm_err *err);
void stats_forget(struct native *n, const char *id);
void stats_close(struct native *n);

/* Take a box away; see provider_ops.destroy. */
int native_destroy(struct provider *p, struct provider_box *box,
		   struct svm_err *err);

#endif
