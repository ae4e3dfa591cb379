/* SPDX-License-Identifier: MIT */
/* A transition is stored, audited, published and answered for.  See
 * lifecycle-internal.h. */
#include <stdlib.h>

#include "daemon/daemon.h"
#include "daemon/events.h"
#include "daemon/lifecycle-internal.h"
#include "daemon/store.h"
#include "lib/base/duration.h"
#include "lib/base/json.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"

struct commit {
	struct sandbox *s;
	life_stored_fn then;
	struct life_waiter *waiter; /* one answer of its own, or NULL */
};

static void on_committed(void *data, const struct svm_err *err,
			 const struct store_event *ev, size_t n)
{
	struct commit *c = data;

	if (!err)
		events_publish(c->s->daemon->events, ev, n);
	else
		log_error_e(err, "sandbox=%s can't store its state", c->s->id);
	if (c->then)
		c->then(c->s, err);
	if (c->waiter)
		c->waiter->fn(c->waiter, c->s, err);
	c->s->daemon->steps--;
	sandbox_unref(c->s);
	free(c);
}

/* What a transition means to the audit trail, and by whom it was wanted. */
static void audit_transition(struct store_txn *t, const struct sandbox *s,
			     enum event_type event,
			     const struct life_waiter *asker)
{
	const struct list *leavers = &s->leavers;

	if (s->spec.warm)
		return;
	if (asker)
		audit_add(t, &asker->who, s, asker->action, asker->target,
			  "ok");
	if (event == EVENT_SANDBOX_RUNNING && !list_empty(&s->makers))
		audit_add(t, &list_entry(s->makers.next, struct life_waiter,
					 link)->who,
			  s, "sandbox.create", s->spec.image, "ok");
	if (event != EVENT_SANDBOX_DESTROYED)
		return;
	if (list_empty(leavers))
		audit_add(t, NULL, s, "sandbox.destroy", s->reason, "ok");
	for (struct list *i = leavers->next; i != leavers; i = i->next)
		audit_add(t, &list_entry(i, struct life_waiter, link)->who, s,
			  "sandbox.destroy", s->reason, "ok");
}

static void add_row(struct store_txn *t, const struct sandbox *s)
{
	struct store_sandbox row;

	/* Nobody ever knew of a warm copy: it leaves nothing. */
	if (s->spec.warm && s->state == SANDBOX_DESTROYED) {
		store_delete_sandbox(t, s->id);
		return;
	}
	sandbox_row(s, &row);
	store_put_sandbox(t, &row);
	store_sandbox_release(&row);
}

/* What was asked for: who reads it later can't ask the sandbox any more. */
static char *spec_json(const struct sandbox *s)
{
	const struct sandbox_spec *spec = &s->spec;
	struct buf out = BUF_INIT;
	struct json_writer w = json_writer(&out);
	char ttl[DURATION_SIZE];

	json_open(&w, NULL, '{');
	json_str(&w, "provider", s->provider_name);
	json_str(&w, "image", spec->image);
	if (spec->name)
		json_str(&w, "name", spec->name);
	if (spec->owner)
		json_str(&w, "owner_id", spec->owner);
	if (spec->ttl_ns) {
		duration_format(spec->ttl_ns, ttl);
		json_str(&w, "ttl", ttl);
	}
	json_close(&w, '}');
	return buf_steal(&out);
}

static void add_event(struct store_txn *t, const struct sandbox *s,
		      enum event_type event, const char *data)
{
	auto_free char *spec = NULL;

	if (event == EVENT_NONE || s->spec.warm)
		return;
	if (event == EVENT_SANDBOX_CREATED)
		data = spec = spec_json(s);
	store_add_event(t, event, s->id, s->spec.owner, data ? data : "{}");
}

void life_commit_for(struct sandbox *s, enum event_type event,
		     const char *data, life_stored_fn then,
		     struct life_waiter *waiter)
{
	struct store_txn *t = store_begin(s->daemon->store);
	struct commit *c = xcalloc(1, sizeof(*c));

	c->s = sandbox_ref(s);
	s->daemon->steps++;
	c->then = then;
	c->waiter = waiter;
	add_row(t, s);
	if (s->claim) /* it is new to everybody else */
		add_event(t, s, EVENT_SANDBOX_CREATED, NULL);
	add_event(t, s, event, data);
	audit_transition(t, s, event, waiter);
	store_commit(t, on_committed, c);
}

void life_commit(struct sandbox *s, enum event_type event, const char *data,
		 life_stored_fn then)
{
	life_commit_for(s, event, data, then, NULL);
}

void life_answer(struct sandbox *s, struct list *waiters,
		 const struct svm_err *err)
{
	while (!list_empty(waiters)) {
		struct life_waiter *w =
			list_entry(waiters->next, struct life_waiter, link);

		list_remove(&w->link);
		w->fn(w, s, err);
	}
}
