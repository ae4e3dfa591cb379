/* SPDX-License-Identifier: MIT */
/*
 * One sandbox: made, brought back from its row, spoken to, let go.  See
 * sandbox.h.
 */
#include "daemon/sandbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/admission.h"
#include "daemon/daemon.h"
#include "daemon/image/image.h"
#include "daemon/lifecycle.h"
#include "daemon/registry.h"
#include "daemon/sandbox-log.h"
#include "daemon/spec-json.h"
#include "daemon/store.h"
#include "daemon/warm.h"
#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/fault.h"
#include "lib/base/mem.h"
#include "lib/base/proc.h"
#include "lib/base/rand.h"

struct sandbox *sandbox_ref(struct sandbox *s)
{
	s->refs++;
	return s;
}

void sandbox_unref(struct sandbox *s)
{
	if (!s || --s->refs)
		return;
	loop_timer_free(s->ttl);
	loop_fd_del(s->watch);
	sandbox_log_close(s->log);
	provider_box_release(&s->box);
	sandbox_spec_release(&s->spec);
	free(s->reason);
	free(s);
}

static struct sandbox *make(struct daemon *d, struct provider *p)
{
	struct sandbox *s = xcalloc(1, sizeof(*s));

	s->refs = 1;
	s->daemon = d;
	s->provider = p;
	s->provider_name = provider_name(p);
	s->box = (struct provider_box)PROVIDER_BOX_INIT;
	s->box.id = s->id;
	list_init(&s->followers);
	list_init(&s->makers);
	list_init(&s->leavers);
	list_init(&s->warm_link);
	return s;
}

bool sandbox_name_is_free(struct daemon *d, const char *name,
			  const char *owner, const struct sandbox *s)
{
	const struct sandbox *has =
		name ? registry_by_name(d->registry, name,
					owner ? owner : "") : NULL;

	return !has || has == s;
}

int sandbox_check_name(struct daemon *d, const char *name, const char *owner,
		       const struct sandbox *s, struct svm_err *err)
{
	if (sandbox_name_is_free(d, name, owner, s))
		return 0;
	svm_err_set(err, SVM_CONFLICT, "a sandbox named '%s' is there already",
		    name);
	return svm_err_hint(err, "choose another name, or: stacyvm kill %s",
			    name);
}

int64_t sandbox_agents_end(int64_t expires_boot_ns)
{
	return expires_boot_ns + fault_time("ttl.grace",
					    LIMIT_TIME_TTL_GRACE);
}

/* Its life begins now. */
static void set_times(struct sandbox *s)
{
	s->created_ns = clock_wall_ns();
	s->created_boot_ns = clock_boot_ns();
	s->expires_ns = s->expires_boot_ns = s->box.deadline_boot_ns = 0;
	if (!s->spec.ttl_ns)
		return;
	s->expires_ns = s->created_ns + s->spec.ttl_ns;
	s->expires_boot_ns = clock_boot_ns() + s->spec.ttl_ns;
	s->box.deadline_boot_ns = sandbox_agents_end(s->expires_boot_ns);
}

/* That of a box made ahead, or a new one.  A warm copy is made ahead itself:
 * it need not be quick. */
static void choose_id(struct sandbox *s, struct provider *p,
		      const struct sandbox_spec *spec)
{
	struct registry *all = s->daemon->registry;

	if (!spec->warm && provider_reserve(p, spec, s->id) == 0 &&
	    !registry_by_id(all, s->id))
		return;
	do {
		memcpy(s->id, "sb-", 3);
		rand_hex(s->id + 3, 8);
	} while (registry_by_id(all, s->id));
}

struct sandbox *sandbox_new(struct daemon *d, struct provider *p,
			    struct sandbox_spec *spec, struct svm_err *err)
{
	if (sandbox_check_name(d, spec->name, spec->owner, NULL, err) < 0)
		return NULL;
	struct sandbox *s = make(d, p);
	choose_id(s, p, spec);
	rand_bytes(s->box.nonce, sizeof(s->box.nonce));
	s->spec = *spec;
	*spec = (struct sandbox_spec){ 0 };
	set_times(s);
	if (s->spec.layers && *s->spec.layers)
		image_layers_hold(d->images, s->spec.layers);
	registry_add(d->registry, s);
	return s;
}

void sandbox_take_over(struct sandbox *s, struct sandbox_spec *spec)
{
	struct sandbox_spec old = s->spec;

	/* The layers stay the ones that are held. */
	s->spec = *spec;
	s->spec.layers = old.layers;
	old.layers = spec->layers;
	*spec = (struct sandbox_spec){ 0 };
	sandbox_spec_release(&old);
	s->box.timings = (struct provider_timings){ 0 };
	set_times(s);
	registry_renew(s->daemon->registry, s);
}

static int nonce_parse(const char *hex, unsigned char out[FRAME_NONCE])
{
	if (!hex || strlen(hex) != 2 * FRAME_NONCE)
		return -1;
	for (size_t i = 0; i < FRAME_NONCE; i++) {
		unsigned v;

		if (sscanf(hex + 2 * i, "%2x", &v) != 1)
			return -1;
		out[i] = (unsigned char)v;
	}
	return 0;
}

struct sandbox *sandbox_restore(struct daemon *d, struct provider *p,
				const struct store_sandbox *row,
				struct svm_err *err)
{
	struct sandbox *s = make(d, p);

	if (strlen(row->id) > LIMIT_ID ||
	    nonce_parse(row->nonce, s->box.nonce) < 0 ||
	    !sandbox_state_parse(row->state, &s->state)) {
		svm_err_set(err, SVM_INTERNAL, "the row of '%.20s' is damaged",
			    row->id);
		sandbox_unref(s);
		return NULL;
	}
	if (spec_from_json(row->spec, &s->spec, err) < 0) {
		sandbox_unref(s);
		return NULL;
	}
	memcpy(s->id, row->id, strlen(row->id) + 1);
	s->created_ns = row->created_ns;
	/* As far as the wall's clock is to be believed. */
	s->created_boot_ns = clock_boot_ns() -
			     MAX(clock_wall_ns() - s->created_ns, (int64_t)0);
	s->expires_ns = row->expires_ns;
	s->expires_boot_ns = row->expires_boot_ns;
	s->reason = xstrdup(row->reason);
	s->box.record = xstrdup(row->record);
	s->box.posture = xstrdup(row->posture);
	s->box.pid = (pid_t)row->pid;
	s->box.start_time = row->start_time;
	if (s->expires_boot_ns)
		s->box.deadline_boot_ns =
			sandbox_agents_end(s->expires_boot_ns);
	if (s->spec.layers && *s->spec.layers)
		image_layers_hold(d->images, s->spec.layers);
	registry_add(d->registry, s);
	return s;
}

static void add_hex(struct buf *b, const unsigned char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_addf(b, "%02x", p[i]);
}

void sandbox_row(const struct sandbox *s, struct store_sandbox *ret)
{
	struct buf nonce = BUF_INIT;

	add_hex(&nonce, s->box.nonce, sizeof(s->box.nonce));
	*ret = (struct store_sandbox){
		.id = xstrdup(s->id),
		.state = xstrdup(sandbox_state_name(s->state)),
		.provider = xstrdup(s->provider_name),
		.owner = xstrdup(s->spec.owner),
		.name = xstrdup(s->spec.name),
		.spec = spec_to_json(&s->spec),
		.record = xstrdup(s->box.record),
		.posture = xstrdup(s->box.posture),
		.nonce = buf_steal(&nonce),
		.boot_id = xstrdup(proc_boot_id()),
		.reason = xstrdup(s->reason),
		.pid = s->box.pid,
		.start_time = s->box.start_time,
		.created_ns = s->created_ns,
		.expires_ns = s->expires_ns,
		.expires_boot_ns = s->expires_boot_ns,
		.updated_ns = clock_wall_ns(),
	};
}

void sandbox_unregister(struct sandbox *s)
{
	registry_remove(s->daemon->registry, s);
	list_remove(&s->warm_link);
	warm_wake(s->daemon);
	if (s->spec.layers && *s->spec.layers)
		image_layers_release(s->daemon->images, s->spec.layers);
	if (s->leftovers)
		agent_conn_drop(s->leftovers);
	s->leftovers = NULL;
	admission_wake(s->daemon);
	sandbox_unref(s);
}

/* Its agent. */

static void on_heard(void *owner, bool answered)
{
	struct sandbox *s = owner;

	s->greeted = answered;
	life_heard(owner, answered);
}

struct agent_conn *sandbox_agent(struct sandbox *s, enum frame_type type,
				 const void *payload, size_t n,
				 int64_t deadline_ns,
				 const struct agent_conn_events *ev,
				 void *data, struct svm_err *err)
{
	if (s->state != SANDBOX_RUNNING && s->state != SANDBOX_UNHEALTHY &&
	    !s->setup) {
		svm_err_set(err, SVM_CONFLICT, "sandbox '%s' is %s", s->id,
			    sandbox_state_name(s->state));
		if (s->state == SANDBOX_ERROR)
			svm_err_hint(err, "%s; remove it with: stacyvm kill %s",
				     s->reason ? s->reason : "it failed",
				     s->id);
		return NULL;
	}
	int fd = provider_open_channel(s->provider, &s->box, err);
	if (fd < 0)
		return NULL;
	/* Whoever waits for it holds a reference to s. */
	struct agent_conn *c = agent_conn_start(s->daemon->loop, fd,
						s->box.nonce, type, payload, n,
						deadline_ns, ev, data);
	agent_conn_on_heard(c, on_heard, s);
	if (s->greeted)
		agent_conn_hurry(c);
	return c;
}

bool sandbox_taken_away(const struct sandbox *s, const struct svm_err *from,
			struct svm_err *to)
{
	if (from->code != SVM_PROVIDER || s->state == SANDBOX_RUNNING ||
	    s->state == SANDBOX_UNHEALTHY || s->state == SANDBOX_CREATING)
		return false;
	svm_err_set(to, SVM_CONFLICT, "sandbox '%s' is %s", s->id,
		    sandbox_state_name(s->state));
	return true;
}

