/* SPDX-License-Identifier: MIT */
/*
 * The keeper of spare boxes and those who take them.  A spare is in the list
 * from the moment it can be given away until it is claimed; only the keeper
 * makes and destroys, and never with the lock held.
 */
#include "providers/native/spare.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "lib/base/clock.h"
#include "lib/base/fault.h"
#include "lib/base/fd.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/rand.h"
#include "providers/native/box.h"

struct spare {
	struct list link;
	char id[LIMIT_ID + 1];
	bool reserved;
	struct sandbox_spec shape;
	struct provider_box box;
	struct spawn spawn;
};

void spares_init(struct spares *s)
{
	pthread_condattr_t attr;

	*s = (struct spares){ 0 };
	list_init(&s->all);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->wake, &attr);
	pthread_condattr_destroy(&attr);
}

/* What the clone, the mounts and the cgroups depend on. */
static struct sandbox_spec shape_of(const struct sandbox_spec *spec)
{
	return (struct sandbox_spec){
		.memory_mb = spec->memory_mb,
		.vcpus = spec->vcpus,
		.disk_mb = spec->disk_mb,
		.pids = spec->pids,
		.inodes = spec->inodes,
		.read_only_rootfs = spec->read_only_rootfs,
		.network = spec->network,
		.rootfs = spec->rootfs,
	};
}

static bool same_shape(const struct sandbox_spec *a,
		       const struct sandbox_spec *b)
{
	return a->memory_mb == b->memory_mb && a->vcpus == b->vcpus &&
	       a->disk_mb == b->disk_mb && a->pids == b->pids &&
	       a->inodes == b->inodes && a->network == b->network &&
	       a->read_only_rootfs == b->read_only_rootfs &&
	       a->rootfs == b->rootfs;
}

/* Images come and go, and hold their layers by the sandboxes of the table.  A
 * warm copy tells nothing of what somebody will ask for next. */
static bool can_be_spare(const struct sandbox_spec *spec)
{
	return !spec->warm && spec->rootfs == SPEC_ROOTFS_HOST &&
	       spec->network == SPEC_NETWORK_NONE;
}

static void spare_free(struct spare *sp)
{
	spawn_release(&sp->spawn);
	provider_box_release(&sp->box);
	free(sp);
}

/* Not with the lock: it waits for processes to end. */
static void spare_destroy(struct native *n, struct spare *sp)
{
	auto_err struct svm_err err = SVM_ERR_INIT;

	spawn_release(&sp->spawn);
	sp->spawn = (struct spawn)SPAWN_INIT;
	if (native_destroy(&n->base, &sp->box, &err) < 0)
		log_warn("the spare box %s stays behind: %s", sp->id, err.msg);
	spare_free(sp);
}

static int make(struct native *n, struct spare *sp, struct svm_err *err)
{
	sp->spawn.rec.disk_mb = sp->shape.disk_mb;
	sp->spawn.rec.tmpfs = true;
	if (native_take_ids(n, &sp->spawn.rec.block, &sp->spawn.lock, err) < 0)
		return -1;
	sp->box.record = record_format(&sp->spawn.rec);
	return box_lay_out(n, &sp->box, &sp->shape, &sp->spawn, err) < 0 ||
	       box_launch(n, &sp->box, &sp->shape, &sp->spawn, err) < 0 ||
	       box_wait_mounted(&sp->box, &sp->spawn, err) < 0 ? -1 : 0;
}

static struct spare *spare_new(struct native *n,
			       const struct sandbox_spec *shape)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct spare *sp = xcalloc(1, sizeof(*sp));

	sp->shape = *shape;
	sp->box = (struct provider_box)PROVIDER_BOX_INIT;
	sp->spawn = (struct spawn)SPAWN_INIT;
	memcpy(sp->id, "sb-", 3);
	rand_hex(sp->id + 3, 8);
	sp->box.id = sp->id;
	/* Somebody is called so: one of a billion, but it is his. */
	if (mkdirat(n->boxes, sp->id, 0700) < 0) {
		spare_free(sp);
		return NULL;
	}
	if (make(n, sp, &err) == 0) {
		fault_point("spare.made");
		log_debug("sandbox=%s is made ahead", sp->id);
		return sp;
	}
	log_info("no spare box: %s", err.msg);
	spare_destroy(n, sp);
	return NULL;
}

/* With the lock: one that is not as it should be now, out of the list. */
static struct spare *take_stale(struct spares *s, bool idle)
{
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &s->all) {
		struct spare *sp = list_entry(pos, struct spare, link);

		if (sp->reserved || (!idle && !s->stop &&
				     same_shape(&sp->shape, &s->shape)))
			continue;
		list_remove(&sp->link);
		s->ready--;
		return sp;
	}
	return NULL;
}

static void add(struct native *n, const struct sandbox_spec *shape)
{
	struct spares *s = &n->spares;

	pthread_mutex_unlock(&n->lock);
	struct spare *sp = spare_new(n, shape);
	pthread_mutex_lock(&n->lock);
	if (!sp) {
		s->wanted = false; /* the next spawn asks again */
		return;
	}
	list_append(&s->all, &sp->link);
	s->ready++;
}

static void wait_until(struct native *n, int64_t ns)
{
	const struct timespec t = { ns / SECONDS(1), ns % SECONDS(1) };

	(void)pthread_cond_timedwait(&n->spares.wake, &n->lock, &t);
}

/* When nobody wants any more. */
static int64_t idle_at(const struct spares *s)
{
	return s->used_ns + fault_time("spare.idle", SPARE_IDLE);
}

static void *keep(void *data)
{
	struct native *n = data;
	struct spares *s = &n->spares;

	pthread_mutex_lock(&n->lock);
	for (;;) {
		int64_t now = clock_mono_ns();
		bool idle = now >= idle_at(s);
		struct spare *stale = take_stale(s, idle);
		const struct sandbox_spec shape = s->shape;

		if (stale) {
			pthread_mutex_unlock(&n->lock);
			spare_destroy(n, stale);
			pthread_mutex_lock(&n->lock);
		} else if (s->stop) {
			break;
		} else if (s->wanted && !idle &&
			   s->ready < n->base.host->native_spares) {
			if (now < s->due_ns)
				wait_until(n, s->due_ns);
			else
				add(n, &shape);
		} else if (s->ready) {
			wait_until(n, idle_at(s));
		} else {
			pthread_cond_wait(&s->wake, &n->lock);
		}
	}
	pthread_mutex_unlock(&n->lock);
	return NULL;
}

/* With the lock. */
static void start_keeper(struct native *n)
{
	struct spares *s = &n->spares;
	sigset_t all, old;

	if (s->running)
		return;
	sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	s->running = pthread_create(&s->keeper, NULL, keep, n) == 0;
	if (s->running)
		pthread_setname_np(s->keeper, "spares");
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
}

void spares_want(struct native *n, const struct sandbox_spec *spec)
{
	struct spares *s = &n->spares;

	if (!n->base.host->native_spares || !can_be_spare(spec) ||
	    (n->mode != NATIVE_SINGLE && n->ids.blocks < SPARE_BLOCKS))
		return;
	pthread_mutex_lock(&n->lock);
	s->shape = shape_of(spec);
	s->wanted = true;
	int64_t now = clock_mono_ns();
	s->due_ns = now - s->used_ns > SPARE_RUSH ? now + SPARE_AFTER : now;
	s->used_ns = now;
	start_keeper(n);
	pthread_cond_signal(&s->wake);
	pthread_mutex_unlock(&n->lock);
}

/* Somebody may have ended it meanwhile. */
static bool is_alive(const struct spare *sp)
{
	struct pollfd p[2] = {
		{ .fd = sp->box.pidfd, .events = POLLIN },
		{ .fd = sp->spawn.setup, .events = POLLIN },
	};

	return poll(p, 2, 0) == 0;
}

int spares_reserve(struct native *n, const struct sandbox_spec *spec,
		   char id[LIMIT_ID + 1])
{
	struct spares *s = &n->spares;
	struct list *pos, *tmp;
	int r = -ENOENT;

	pthread_mutex_lock(&n->lock);
	list_for_each_safe(pos, tmp, &s->all) {
		struct spare *sp = list_entry(pos, struct spare, link);

		if (sp->reserved || !same_shape(&sp->shape, spec))
			continue;
		if (!is_alive(sp)) {
			sp->shape.memory_mb = 0; /* nobody's: the keeper's */
			continue;
		}
		sp->reserved = true;
		s->ready--;
		snprintf(id, LIMIT_ID + 1, "%s", sp->id);
		r = 0;
		break;
	}
	pthread_mutex_unlock(&n->lock);
	if (r == 0)
		fault_point("spare.reserved");
	return r;
}

/* With the lock. */
static struct spare *find_reserved(struct spares *s, const char *id)
{
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &s->all) {
		struct spare *sp = list_entry(pos, struct spare, link);

		if (sp->reserved && strcmp(sp->id, id) == 0)
			return sp;
	}
	return NULL;
}

bool spares_record(struct native *n, const char *id, struct record *ret)
{
	pthread_mutex_lock(&n->lock);
	const struct spare *sp = find_reserved(&n->spares, id);
	if (sp)
		*ret = sp->spawn.rec;
	pthread_mutex_unlock(&n->lock);
	return sp != NULL;
}

bool spares_claim(struct native *n, struct provider_box *box,
		  struct spawn *ret)
{
	pthread_mutex_lock(&n->lock);
	struct spare *sp = find_reserved(&n->spares, box->id);
	if (sp)
		list_remove(&sp->link);
	pthread_mutex_unlock(&n->lock);
	if (!sp)
		return false;
	box->pid = sp->box.pid;
	box->start_time = sp->box.start_time;
	box->pidfd = steal_fd(&sp->box.pidfd);
	*ret = sp->spawn;
	sp->spawn = (struct spawn)SPAWN_INIT;
	spare_free(sp);
	fault_point("spare.claimed");
	return true;
}

void spares_give_back(struct native *n, struct provider_box *box)
{
	struct spawn s = SPAWN_INIT;

	if (spares_claim(n, box, &s))
		spawn_release(&s);
}

void spares_close(struct native *n)
{
	struct spares *s = &n->spares;
	struct list *pos, *tmp;

	pthread_mutex_lock(&n->lock);
	s->stop = true;
	/* Nobody is there any more who could come for these. */
	list_for_each_safe(pos, tmp, &s->all) {
		struct spare *sp = list_entry(pos, struct spare, link);

		s->ready += sp->reserved;
		sp->reserved = false;
	}
	pthread_cond_signal(&s->wake);
	pthread_mutex_unlock(&n->lock);
	if (s->running)
		pthread_join(s->keeper, NULL);
	pthread_cond_destroy(&s->wake);
}
