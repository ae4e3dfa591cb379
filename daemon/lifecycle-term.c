/* SPDX-License-Identifier: MIT */
/*
 * A new term for a sandbox that lives: extended, or a warm copy that was
 * claimed.  Its agent and the store both know before anybody is told.  See
 * lifecycle.h.
 */
#include <stdlib.h>

#include "daemon/daemon.h"
#include "daemon/lifecycle-internal.h"
#include "daemon/warm.h"
#include "lib/api/msg.h"
#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/fault.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"

/* Extending: the agent first, so that it never dies before the row says. */

struct extend {
	struct sandbox *s;
	struct life_waiter *waiter;
	int64_t wall, boot;
};

static void extend_end(void *data, const struct svm_err *err)
{
	struct extend *x = data;
	struct sandbox *s = x->s;
	auto_err struct svm_err gone = SVM_ERR_INIT;

	if (err && sandbox_taken_away(s, err, &gone)) {
		err = &gone;
	} else if (!err && s->state != SANDBOX_RUNNING) {
		svm_err_set(&gone, SVM_CONFLICT, "sandbox '%s' is %s", s->id,
			    sandbox_state_name(s->state));
		err = &gone;
	}
	if (err) {
		x->waiter->fn(x->waiter, s, err);
	} else {
		s->expires_ns = x->wall;
		s->expires_boot_ns = x->boot;
		s->box.deadline_boot_ns = sandbox_agents_end(x->boot);
		life_arm_ttl(s);
		life_commit_for(s, EVENT_SANDBOX_EXTENDED, NULL, NULL,
				x->waiter);
	}
	sandbox_unref(s);
	free(x);
}

static void extend_frame(void *data, const struct frame *f, int *fd)
{
	(void)data;
	(void)f;
	(void)fd;
}

void life_extend(struct sandbox *s, int64_t ttl_ns, struct life_waiter *w)
{
	static const struct agent_conn_events ev = {
		.on_frame = extend_frame,
		.on_end = extend_end,
	};
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_buf struct buf payload = BUF_INIT;
	struct extend *x = xcalloc(1, sizeof(*x));

	x->s = sandbox_ref(s);
	x->waiter = w;
	w->action = "sandbox.extend";
	x->wall = clock_wall_ns() + ttl_ns;
	x->boot = clock_boot_ns() + ttl_ns;
	msg_add_u64(&payload, (uint64_t)sandbox_agents_end(x->boot));
	if (!sandbox_agent(s, FRAME_DEADLINE, payload.data, payload.len, 0,
			   &ev, x, &err))
		extend_end(x, &err);
}

/* Claiming a warm copy: its agent learns the new end of life while the row is
 * stored; the answer waits for both. */

struct claim {
	struct sandbox *s;
	unsigned waits;
	struct svm_err err;
};

static void claim_step(struct claim *c, const struct svm_err *err)
{
	struct sandbox *s = c->s;

	if (err && c->err.code == SVM_OK)
		svm_err_set(&c->err, err->code, "%s", err->msg);
	if (--c->waits)
		return;
	s->claim = NULL;
	s->daemon->steps--;
	if (c->err.code == SVM_OK && s->state != SANDBOX_RUNNING)
		svm_err_set(&c->err, SVM_CONFLICT, "sandbox '%s' is %s", s->id,
			    sandbox_state_name(s->state));
	s->spawn_ns = clock_boot_ns() - s->asked_ns;
	bool broken = c->err.code != SVM_OK;
	life_answer(s, &s->makers, broken ? &c->err : NULL);
	warm_wake(s->daemon); /* who asked did not wait for another copy */
	if (broken && s->state != SANDBOX_DESTROYED)
		life_destroy(s, c->err.msg, NULL);
	svm_err_release(&c->err);
	sandbox_unref(s);
	free(c);
}

static void claim_told(void *data, const struct svm_err *err)
{
	claim_step(data, err);
}

static void claim_stored(struct sandbox *s, const struct svm_err *err)
{
	s->row_ns = clock_boot_ns() - s->asked_ns;
	fault_point("claim.row");
	claim_step(s->claim, err);
}

int life_claim_begin(struct sandbox *s, struct sandbox_spec *spec,
		     struct svm_err *err)
{
	static const struct agent_conn_events ev = {
		.on_frame = extend_frame,
		.on_end = claim_told,
	};
	auto_buf struct buf payload = BUF_INIT;
	struct claim *c = xcalloc(1, sizeof(*c));
	int64_t end = spec->ttl_ns ?
		sandbox_agents_end(clock_boot_ns() + spec->ttl_ns) : 0;

	msg_add_u64(&payload, (uint64_t)end);
	if (!sandbox_agent(s, FRAME_DEADLINE, payload.data, payload.len, 0,
			   &ev, c, err)) {
		free(c);
		return -1;
	}
	c->s = sandbox_ref(s);
	c->waits = 2;
	s->claim = c;
	s->daemon->steps++;
	sandbox_take_over(s, spec);
	return 0;
}

void life_claim(struct sandbox *s, struct life_waiter *w)
{
	list_append(&s->makers, &w->link);
	if (s->ttl)
		loop_timer_stop(s->ttl);
	life_arm_ttl(s);
	log_info("sandbox=%s claimed template=%s", s->id, s->spec.template);
	fault_point("claim.taken");
	life_commit(s, EVENT_SANDBOX_RUNNING, NULL, claim_stored);
}
