/* SPDX-License-Identifier: MIT */
/* The registry of living sandboxes and what every room asks of one. */
#include "daemon/sandbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/admission.h"
#include "daemon/auth.h"
#include "daemon/config.h"
#include "daemon/daemon.h"
#include "daemon/image/image.h"
#include "daemon/lifecycle.h"
#include "daemon/log-follow.h"
#include "daemon/sandbox-log.h"
#include "daemon/spec-json.h"
#include "daemon/store.h"
#include "daemon/warm.h"
#include "lib/api/msg.h"
#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/json.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/proc.h"
#include "lib/base/rand.h"

#define BUCKETS 4096 /* a power of two; ids are random */

struct registry {
	struct list all; /* newest first */
	size_t count;
	uint64_t total;
	struct sandbox *by_id[BUCKETS]; /* chained by hash_next */
};

struct registry *registry_new(struct daemon *d)
{
	struct registry *r = xcalloc(1, sizeof(*r));

	(void)d;
	list_init(&r->all);
	return r;
}

void registry_free(struct registry *r)
{
	struct list *pos, *tmp;

	if (!r)
		return;
	list_for_each_safe(pos, tmp, &r->all) {
		struct sandbox *s = list_entry(pos, struct sandbox, link);

		sandbox_unregister(s);
	}
	free(r);
}

void registry_quiet(struct registry *r)
{
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &r->all) {
		struct sandbox *s = list_entry(pos, struct sandbox, link);

		if (s->ttl)
			loop_timer_stop(s->ttl);
		loop_fd_del(s->watch);
		s->watch = NULL;
		if (s->leftovers)
			agent_conn_drop(s->leftovers);
		s->leftovers = NULL;
	}
}

static struct sandbox **bucket(struct registry *r, const char *id)
{
	uint32_t h = 2166136261u; /* FNV-1a */

	for (; *id; id++)
		h = (h ^ (unsigned char)*id) * 16777619u;
	return &r->by_id[h & (BUCKETS - 1)];
}

static struct sandbox *by_id(struct registry *r, const char *id)
{
	for (struct sandbox *s = *bucket(r, id); s; s = s->hash_next)
		if (strcmp(s->id, id) == 0)
			return s;
	return NULL;
}

static bool is_named(const struct sandbox *s, const char *name)
{
	return s->spec.name && !s->spec.warm && strcmp(s->spec.name, name) == 0;
}

static struct sandbox *by_name(struct registry *r, const char *name,
			       const char *owner)
{
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &r->all) {
		struct sandbox *s = list_entry(pos, struct sandbox, link);

		if (is_named(s, name) &&
		    strcmp(owner, s->spec.owner ? s->spec.owner : "") == 0)
			return s;
	}
	return NULL;
}

/* Of any owner, but of one only: what is destroyed by name must not be a
 * matter of luck. */
static struct sandbox *by_name_anywhere(struct registry *r, const char *name,
					struct svm_err *err)
{
	struct sandbox *found = NULL;
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &r->all) {
		struct sandbox *s = list_entry(pos, struct sandbox, link);

		if (!is_named(s, name))
			continue;
		if (found) {
			svm_err_set(err, SVM_CONFLICT, "several owners have a "
				    "sandbox named '%s'", name);
			svm_err_hint(err, "use its id");
			return NULL;
		}
		found = s;
	}
	return found;
}

struct sandbox *sandbox_find(struct daemon *d, const char *id_or_name,
			     const struct caller *c, struct svm_err *err)
{
	struct sandbox *s = by_id(d->registry, id_or_name);

	if (s && s->spec.warm)
		s = NULL;
	if (s && !auth_may_see(c, s->spec.owner)) {
		svm_err_set(err, SVM_FORBIDDEN,
			    "sandbox '%s' belongs to another owner",
			    id_or_name);
		return NULL;
	}
	if (!s && (c->all || c->owner))
		s = by_name(d->registry, id_or_name, c->owner ? c->owner : "");
	if (!s && c->all)
		s = by_name_anywhere(d->registry, id_or_name, err);
	if (s || err->code != SVM_OK)
		return s;
	svm_err_set(err, SVM_NOT_FOUND, "no sandbox '%.80s'", id_or_name);
	svm_err_hint(err, "see what there is with: stacyvm list");
	return NULL;
}

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

static void enter(struct registry *r, struct sandbox *s)
{
	struct sandbox **head = bucket(r, s->id);

	s->hash_next = *head;
	*head = s;
	list_append(r->all.next, &s->link); /* before the first: newest */
	r->count++;
	r->total++;
}

int sandbox_check_name(struct daemon *d, const struct sandbox_spec *spec,
		       struct svm_err *err)
{
	if (!spec->name ||
	    !by_name(d->registry, spec->name, spec->owner ? spec->owner : ""))
		return 0;
	svm_err_set(err, SVM_CONFLICT, "a sandbox named '%s' is there already",
		    spec->name);
	return svm_err_hint(err, "choose another name, or: stacyvm kill %s",
			    spec->name);
}

/* Its life begins now. */
static void set_times(struct sandbox *s)
{
	s->created_ns = clock_wall_ns();
	s->expires_ns = s->expires_boot_ns = s->box.deadline_boot_ns = 0;
	if (!s->spec.ttl_ns)
		return;
	s->expires_ns = s->created_ns + s->spec.ttl_ns;
	s->expires_boot_ns = clock_boot_ns() + s->spec.ttl_ns;
	s->box.deadline_boot_ns = s->expires_boot_ns + LIMIT_TIME_TTL_GRACE;
}

/* That of a box made ahead, or a new one.  A warm copy is made ahead itself:
 * it need not be quick. */
static void choose_id(struct sandbox *s, struct provider *p,
		      const struct sandbox_spec *spec)
{
	struct registry *all = s->daemon->registry;

	if (!spec->warm && provider_reserve(p, spec, s->id) == 0 &&
	    !by_id(all, s->id))
		return;
	do {
		memcpy(s->id, "sb-", 3);
		rand_hex(s->id + 3, 8);
	} while (by_id(all, s->id));
}

struct sandbox *sandbox_new(struct daemon *d, struct provider *p,
			    struct sandbox_spec *spec, struct svm_err *err)
{
	if (sandbox_check_name(d, spec, err) < 0)
		return NULL;
	struct sandbox *s = make(d, p);
	choose_id(s, p, spec);
	rand_bytes(s->box.nonce, sizeof(s->box.nonce));
	s->spec = *spec;
	*spec = (struct sandbox_spec){ 0 };
	set_times(s);
	if (s->spec.layers && *s->spec.layers)
		image_layers_hold(d->images, s->spec.layers);
	enter(d->registry, s);
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
	list_remove(&s->link);
	list_append(s->daemon->registry->all.next, &s->link);
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
	s->expires_ns = row->expires_ns;
	s->expires_boot_ns = row->expires_boot_ns;
	s->reason = xstrdup(row->reason);
	s->box.record = xstrdup(row->record);
	s->box.posture = xstrdup(row->posture);
	s->box.pid = (pid_t)row->pid;
	s->box.start_time = row->start_time;
	if (s->expires_boot_ns)
		s->box.deadline_boot_ns =
			s->expires_boot_ns + LIMIT_TIME_TTL_GRACE;
	if (s->spec.layers && *s->spec.layers)
		image_layers_hold(d->images, s->spec.layers);
	enter(d->registry, s);
	return s;
}

void sandbox_unregister(struct sandbox *s)
{
	struct registry *r = s->daemon->registry;
	struct sandbox **at = bucket(r, s->id);

	while (*at && *at != s)
		at = &(*at)->hash_next;
	if (!*at)
		BUG("sandbox '%s' is not registered", s->id);
	*at = s->hash_next;
	list_remove(&s->link);
	list_remove(&s->warm_link);
	r->count--;
	warm_wake(s->daemon);
	if (s->spec.layers && *s->spec.layers)
		image_layers_release(s->daemon->images, s->spec.layers);
	if (s->leftovers)
		agent_conn_drop(s->leftovers);
	s->leftovers = NULL;
	admission_wake(s->daemon);
	sandbox_unref(s);
}

struct sandbox *sandbox_next(struct daemon *d, const struct sandbox *s)
{
	struct list *head = &d->registry->all;
	struct list *next = s ? s->link.next : head->next;

	while (next != head &&
	       list_entry(next, struct sandbox, link)->spec.warm)
		next = next->next;
	return next == head ? NULL : list_entry(next, struct sandbox, link);
}

size_t sandbox_count(const struct daemon *d)
{
	return d->registry->count;
}

uint64_t sandbox_total(const struct daemon *d)
{
	return d->registry->total;
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

/* Its output. */

static struct sandbox_log *log_of(struct sandbox *s)
{
	if (s->log || s->state == SANDBOX_DESTROYING ||
	    s->state == SANDBOX_DESTROYED ||
	    (s->state == SANDBOX_CREATING && !s->setup))
		return s->log;
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_free char *dir =
		xasprintf("%s/boxes/%s", s->daemon->dirs.state, s->id);
	static struct log_limit limit;
	if (sandbox_log_open(dir, &s->log, &err) < 0 &&
	    log_limited(&limit, 5))
		log_warn_e(&err, "sandbox=%s its output is not logged", s->id);
	return s->log;
}

struct sandbox_log *sandbox_log(struct sandbox *s)
{
	return log_of(s);
}

void sandbox_log_output(struct sandbox *s, const char *sid,
			enum log_stream stream, const void *p, size_t n)
{
	struct sandbox_log *l = p ? log_of(s) : s->log;

	if (!l)
		return;
	if (p)
		sandbox_log_add(l, sid, stream, 0, p, n);
	else
		sandbox_log_finish(l, sid);
	log_followers_wake(s);
}

/* Output the agent has kept: nobody knows any more whose it is. */
static void leftover_output(struct sandbox *s, enum log_stream stream,
			    const struct frame *f)
{
	struct sandbox_log *l = log_of(s);

	if (!l)
		return;
	sandbox_log_add(l, "", stream, s->leftovers_seen, f->payload, f->len);
	sandbox_log_set_agent_at(l, sandbox_log_agent_at(l) + f->len);
	log_followers_wake(s);
}

static void leftover_lost(struct sandbox *s, uint64_t n)
{
	struct sandbox_log *l = log_of(s);

	if (!l)
		return;
	sandbox_log_finish(l, "");
	sandbox_log_lost(l, n);
	sandbox_log_set_agent_at(l, sandbox_log_agent_at(l) + n);
	log_followers_wake(s);
}

static void leftover_frame(void *data, const struct frame *f, int *fd)
{
	struct sandbox *s = data;
	struct msg_reader m = msg_reader(f->payload, f->len);

	(void)fd;
	switch (f->type) {
	case FRAME_SEEN:
		s->leftovers_seen = (int64_t)msg_u64(&m);
		break;
	case FRAME_LAGGED:
		leftover_lost(s, msg_u64(&m));
		break;
	case FRAME_STDOUT:
		leftover_output(s, LOG_STREAM_STDOUT, f);
		break;
	case FRAME_STDERR:
		leftover_output(s, LOG_STREAM_STDERR, f);
		break;
	case FRAME_TTY:
		leftover_output(s, LOG_STREAM_PTY, f);
		break;
	default:
		break;
	}
}

static void leftover_end(void *data, const struct svm_err *err)
{
	struct sandbox *s = data;

	s->leftovers = NULL;
	if (err)
		log_debug_e(err, "sandbox=%s the stream of leftovers ended",
			    s->id);
}

void sandbox_follow_leftovers(struct sandbox *s)
{
	static const struct agent_conn_events ev = {
		.on_frame = leftover_frame,
		.on_end = leftover_end,
	};
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_buf struct buf request = BUF_INIT;
	struct sandbox_log *l = log_of(s);

	if (s->leftovers || !l)
		return;
	s->leftovers_seen = 0;
	msg_add_u64(&request, sandbox_log_agent_at(l));
	msg_add_u32(&request, 1); /* timed */
	s->leftovers = sandbox_agent(s, FRAME_LOGS, request.data, request.len,
				     INT64_MAX, &ev, s, &err);
}

/* Its row and its object. */

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

static void timings_json(const struct sandbox *s, struct json_writer *w)
{
	const struct provider_timings *t = &s->box.timings;

	json_open(w, "timings", '{');
	json_double(w, "row_ms", (double)s->row_ns / 1e6);
	json_double(w, "clone_ms", (double)t->clone / 1e6);
	json_double(w, "mounts_ms", (double)t->mounts / 1e6);
	json_double(w, "agent_ms", (double)t->agent / 1e6);
	json_double(w, "total_ms", (double)s->spawn_ns / 1e6);
	json_close(w, '}');
}

static void add_time(struct json_writer *w, const char *key, int64_t wall_ns)
{
	char when[CLOCK_RFC3339_SIZE];

	clock_format_rfc3339(wall_ns, when);
	json_str(w, key, when);
}

/* What both the living and the dead have; the owner and the name of a row
 * count even when its spec can't be read. */
static void object_json(struct json_writer *w, const char *id,
			const char *state, const char *provider,
			const struct sandbox_spec *spec, const char *name,
			const char *owner)
{
	static const char *const networks[] = {
		[SPEC_NETWORK_NONE] = "none",
		[SPEC_NETWORK_BRIDGE] = "bridge",
		[SPEC_NETWORK_ALLOW] = "allow",
	};

	json_str(w, "id", id);
	json_str(w, "state", state);
	json_str(w, "provider", provider);
	json_str(w, "image", spec->image);
	json_int(w, "memory_mb", spec->memory_mb);
	json_int(w, "vcpus", spec->vcpus);
	json_int(w, "disk_mb", spec->disk_mb);
	json_int(w, "pids", spec->pids);
	if (name)
		json_str(w, "name", name);
	json_strmap(w, "metadata", spec->metadata);
	if (owner)
		json_str(w, "owner_id", owner);
	if (spec->template)
		json_str(w, "template", spec->template);
	json_str(w, "network", spec->network < ARRAY_SIZE(networks) ?
				       networks[spec->network] : "none");
}

static void times_json(struct json_writer *w, int64_t created, int64_t expires)
{
	add_time(w, "created_at", created);
	if (expires)
		add_time(w, "expires_at", expires);
}

void sandbox_json(const struct sandbox *s, struct json_writer *w, bool timings)
{
	json_open(w, NULL, '{');
	object_json(w, s->id, sandbox_state_name(s->state), s->provider_name,
		    &s->spec, s->spec.name, s->spec.owner);
	times_json(w, s->created_ns, s->expires_ns);
	if (s->daemon->preview_domain)
		json_str(w, "preview_domain", s->daemon->preview_domain);
	json_raw(w, "posture", s->box.posture ? s->box.posture : "{}");
	if (s->reason)
		json_str(w, "reason", s->reason);
	if (timings)
		timings_json(s, w);
	json_close(w, '}');
}

void sandbox_tombstone_json(const struct store_sandbox *row,
			    const struct sandbox_spec *spec,
			    struct json_writer *w)
{
	json_open(w, NULL, '{');
	object_json(w, row->id, row->state, row->provider, spec, row->name,
		    row->owner);
	times_json(w, row->created_ns, row->expires_ns);
	json_raw(w, "posture", "{}");
	if (row->reason)
		json_str(w, "reason", row->reason);
	json_close(w, '}');
}
