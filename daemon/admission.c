/* SPDX-License-Identifier: MIT */
/*
 * The queue of spawns.  See admission.h.
 *
 * Each owner who waits has a line; the lines are in a ring.  Whoever's turn
 * it is and may go goes, and their line moves to the end of the ring.
 */
#include "daemon/admission.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/config.h"
#include "daemon/daemon.h"
#include "daemon/events.h"
#include "daemon/quota.h"
#include "daemon/sandbox.h"
#include "lib/api/limits.h"
#include "lib/base/clock.h"
#include "lib/base/duration.h"
#include "lib/base/fault.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"

struct admission_line {
	struct list link;
	char *owner;    /* NULL: nobody */
	struct list waits;
	size_t count;
};

struct admission {
	struct daemon *daemon;
	struct list lines; /* whose turn it is comes first */
	size_t count;      /* of waits */
	struct loop_timer *wake;
};

static const char *text(const char *owner)
{
	return owner ? owner : "";
}

/* Room. */

static size_t count_of(struct daemon *d, const char *owner)
{
	size_t n = 0;

	for (struct sandbox *s = NULL; (s = sandbox_next(d, s));)
		n += strcmp(text(s->spec.owner), text(owner)) == 0;
	return n;
}

static int64_t max_total(const struct daemon *d)
{
	int64_t max = d->config->defaults_max_sandboxes;

	return max ? max : LIMIT_SANDBOXES;
}

static bool is_full(struct daemon *d)
{
	return (int64_t)sandbox_count(d) >= max_total(d);
}

static bool owner_is_full(struct daemon *d, const char *owner)
{
	struct quota_limits l;

	quota_limits(d, owner, &l);
	return l.max_sandboxes &&
	       (int64_t)count_of(d, owner) >= l.max_sandboxes;
}

/* The line whose turn it is and whose owner may have one more. */
static struct admission_line *next_line(struct admission *a)
{
	struct list *pos, *tmp;

	if (is_full(a->daemon))
		return NULL;
	list_for_each_safe(pos, tmp, &a->lines) {
		struct admission_line *line =
			list_entry(pos, struct admission_line, link);

		if (!owner_is_full(a->daemon, line->owner))
			return line;
	}
	return NULL;
}

/* Lines. */

static struct admission_line *find_line(struct admission *a,
					const char *owner)
{
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &a->lines) {
		struct admission_line *line =
			list_entry(pos, struct admission_line, link);

		if (strcmp(text(line->owner), text(owner)) == 0)
			return line;
	}
	return NULL;
}

static void enter(struct admission *a, struct admission_wait *w,
		  const char *owner)
{
	struct admission_line *line = find_line(a, owner);

	if (!line) {
		line = xcalloc(1, sizeof(*line));
		line->owner = xstrdup(owner);
		list_init(&line->waits);
		list_append(&a->lines, &line->link);
	}
	w->line = line;
	list_append(&line->waits, &w->link);
	fault_point("queue.wait");
	line->count++;
	a->count++;
}

/* Out of its line, which goes too when it was the last. */
static void take_out(struct admission *a, struct admission_wait *w)
{
	struct admission_line *line = w->line;

	list_remove(&w->link);
	loop_timer_free(w->patience);
	w->patience = NULL;
	w->line = NULL;
	line->count--;
	a->count--;
	if (line->count)
		return;
	list_remove(&line->link);
	free(line->owner);
	free(line);
}

static void tell_event(const struct admission_wait *w, enum event_type type,
		       const char *why)
{
	auto_buf struct buf data = BUF_INIT;
	struct json_writer j = json_writer(&data);
	const char *owner = w->line->owner;
	char waited[DURATION_SIZE];
	int64_t ns = clock_boot_ns() - w->since_ns;

	duration_format(ns - ns % 1000000, waited);
	json_open(&j, NULL, '{');
	json_str(&j, "owner_id", text(owner));
	json_int(&j, "waiting", (int64_t)w->line->count);
	json_str(&j, "waited", waited);
	if (why)
		json_str(&j, "reason", why);
	json_close(&j, '}');
	events_emit(w->daemon, type, NULL, owner, buf_str(&data));
}

/* Coming and going. */

static int refuse(struct daemon *d, const char *owner, struct svm_err *err)
{
	if (is_full(d)) {
		svm_err_set(err, SVM_RESOURCE_LIMIT,
			    "there are %zu sandboxes, no more are allowed",
			    sandbox_count(d));
		return svm_err_hint(err, "destroy some, or raise "
				    "defaults.max_sandboxes");
	}
	svm_err_set(err, SVM_RESOURCE_LIMIT,
		    "owner '%s' has %zu sandboxes, no more are allowed",
		    text(owner), count_of(d, owner));
	return svm_err_hint(err, "destroy some, or raise the owner's quota or "
			    "defaults.max_sandboxes_per_owner");
}

static int stopping(struct svm_err *err)
{
	svm_err_set(err, SVM_UNAVAILABLE, "the daemon is stopping");
	return svm_err_hint(err, "nothing was made: ask the next one again");
}

static void on_patience(struct loop *l, void *data)
{
	struct admission_wait *w = data;
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct admission *a = w->daemon->admission;
	char waited[DURATION_SIZE];

	(void)l;
	duration_format(w->daemon->config->defaults_spawn_queue_timeout,
			waited);
	(void)refuse(w->daemon, w->line->owner, &err);
	svm_err_prefix(&err, "waited %s", waited);
	tell_event(w, EVENT_SPAWN_QUEUE_TIMEOUT, NULL);
	take_out(a, w);
	w->told(w, &err);
}

static bool queues(const struct config *c)
{
	return strcmp(c->defaults_spawn_overflow, "queue") == 0;
}

int admission_ask(struct daemon *d, const char *owner,
		  struct admission_wait *w, struct svm_err *err)
{
	const struct config *c = d->config;
	struct admission *a = d->admission;
	bool room = !is_full(d) && !owner_is_full(d, owner);

	if (d->stopping)
		return stopping(err);
	/* Who waits and may go goes first, though nobody woke them yet. */
	if (room && !next_line(a))
		return 0;
	if (!queues(c))
		return refuse(d, owner, err);
	if ((int64_t)a->count >= c->defaults_max_spawn_queue) {
		(void)svm_err_set(err, SVM_RESOURCE_LIMIT,
				  "%zu spawns are waiting, no more may",
				  a->count);
		return svm_err_hint(err, "try again later, or raise "
				    "defaults.max_spawn_queue");
	}
	w->daemon = d;
	w->since_ns = clock_boot_ns();
	enter(a, w, owner);
	w->patience = loop_timer_new(d->loop, on_patience, w);
	loop_timer_after(w->patience, c->defaults_spawn_queue_timeout);
	tell_event(w, EVENT_SPAWN_QUEUED, NULL);
	if (room)
		admission_wake(d);
	return 1;
}

bool admission_may_claim(struct daemon *d, const char *owner)
{
	return !d->stopping && !owner_is_full(d, owner);
}

size_t admission_owner_room(struct daemon *d, const char *owner)
{
	struct quota_limits l;

	quota_limits(d, owner, &l);
	if (!l.max_sandboxes)
		return SIZE_MAX;
	size_t have = count_of(d, owner), max = (size_t)l.max_sandboxes;

	return max > have ? max - have : 0;
}

bool admission_has_room(struct daemon *d)
{
	return !d->stopping && !is_full(d) && !next_line(d->admission);
}

size_t admission_waiting(const struct admission_wait *w)
{
	return w->line->count;
}

void admission_leave(struct admission_wait *w)
{
	tell_event(w, EVENT_SPAWN_DEQUEUED, "its caller went away");
	take_out(w->daemon->admission, w);
	admission_wake(w->daemon); /* those behind it may be let go now */
}

/* Others are before them now. */
static void end_turn(struct admission *a, struct admission_line *line)
{
	list_remove(&line->link);
	list_append(&a->lines, &line->link);
}

static void on_wake(struct loop *l, void *data)
{
	struct admission *a = data;
	struct admission_line *line;

	(void)l;
	while ((line = next_line(a))) {
		struct admission_wait *w =
			list_entry(line->waits.next, struct admission_wait,
				   link);

		end_turn(a, line);
		tell_event(w, EVENT_SPAWN_DEQUEUED, "admitted");
		take_out(a, w);
		w->told(w, NULL);
	}
}

void admission_wake(struct daemon *d)
{
	/* Later: whoever gave a place back is still at work. */
	if (d->admission && d->admission->count)
		loop_timer_after(d->admission->wake, 0);
}

static bool offer_to(struct admission_line *line)
{
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &line->waits) {
		struct admission_wait *w =
			list_entry(pos, struct admission_wait, link);

		if (w->offered && w->offered(w))
			return true;
	}
	return false;
}

void admission_offer(struct daemon *d)
{
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &d->admission->lines)
		if (offer_to(list_entry(pos, struct admission_line, link)))
			return; /* there was one */
}

void admission_taken(struct admission_wait *w)
{
	struct admission *a = w->daemon->admission;

	end_turn(a, w->line);
	tell_event(w, EVENT_SPAWN_DEQUEUED, "a warm copy is ready");
	take_out(a, w);
}

void admission_close(struct daemon *d)
{
	struct admission *a = d->admission;

	while (a && a->count) {
		auto_err struct svm_err err = SVM_ERR_INIT;
		struct admission_line *line = list_entry(
			a->lines.next, struct admission_line, link);
		struct admission_wait *w = list_entry(
			line->waits.next, struct admission_wait, link);

		(void)stopping(&err);
		tell_event(w, EVENT_SPAWN_DEQUEUED, err.msg);
		take_out(a, w);
		w->told(w, &err);
	}
}

struct admission *admission_new(struct daemon *d)
{
	struct admission *a = xcalloc(1, sizeof(*a));

	a->daemon = d;
	list_init(&a->lines);
	a->wake = loop_timer_new(d->loop, on_wake, a);
	return a;
}

void admission_free(struct admission *a)
{
	if (!a)
		return;
	if (a->count)
		BUG("%zu spawns still wait", a->count);
	loop_timer_free(a->wake);
	free(a);
}

void admission_look(struct daemon *d, const char *owner,
		    struct admission_view *ret)
{
	const struct config *c = d->config;
	struct admission *a = d->admission;
	const struct admission_line *line = find_line(a, owner);
	bool full = is_full(d), owner_full = owner_is_full(d, owner);
	struct quota_limits l;

	quota_limits(d, owner, &l);
	*ret = (struct admission_view){
		.active = sandbox_count(d),
		.active_owner = count_of(d, owner),
		.max = c->defaults_max_sandboxes,
		.max_owner = l.max_sandboxes,
		.waiting_owner = line ? line->count : 0,
		.why = full ? "the limit of sandboxes is reached" :
		       owner_full ? "the owner's limit of sandboxes is "
				    "reached" :
		       next_line(a) ? "others are waiting" : "",
	};
	ret->room = !*ret->why && !d->stopping;
	ret->queueable = !ret->room && !d->stopping && queues(c) &&
			 (int64_t)a->count < c->defaults_max_spawn_queue;
}
