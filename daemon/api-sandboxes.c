/* SPDX-License-Identifier: MIT */
/* Routes of API.md 3: make, show, change and destroy sandboxes.  Lists are in
 * api-sandbox-list.c. */
#include "daemon/api.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/admission.h"
#include "daemon/api-call.h"
#include "daemon/auth.h"
#include "daemon/config.h"
#include "daemon/daemon.h"
#include "daemon/frames.h"
#include "daemon/http/http.h"
#include "daemon/image/image.h"
#include "daemon/lifecycle.h"
#include "daemon/quota.h"
#include "daemon/sandbox-patch.h"
#include "daemon/sandbox-request.h"
#include "daemon/sandbox.h"
#include "daemon/warm.h"
#include "lib/base/clock.h"
#include "lib/base/duration.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/work.h"

/* An answer owed to one request by the life cycle. */
struct reply {
	struct life_waiter waiter;
	struct http_req *r; /* NULL once the client has gone */
	struct sandbox *s;
	enum { REPLY_CREATED, REPLY_OBJECT, REPLY_DESTROYED } kind;
};

static void send_object(struct http_req *r, int status,
			const struct sandbox *s, bool timings)
{
	auto_buf struct buf out = BUF_INIT;
	struct json_writer w = json_writer(&out);

	sandbox_json(s, &w, timings);
	http_reply_json(r, status, &out);
}

/* How far a spawn is, to who wants to know (frames.h). */

static void tell_create(struct http_req *r, const struct sandbox *s)
{
	auto_buf struct buf line = BUF_INIT;

	if (!frames_wanted(r))
		return;
	struct json_writer w = frames_open(&line, "progress");
	json_str(&w, "stage", "create");
	json_str(&w, "id", s->id);
	frames_send(r, &w, &line);
}

static void tell_queue(struct http_req *r, const struct admission_wait *wait)
{
	auto_buf struct buf line = BUF_INIT;

	if (!frames_wanted(r))
		return;
	struct json_writer w = frames_open(&line, "progress");
	json_str(&w, "stage", "queue");
	json_int(&w, "waiting", (int64_t)admission_waiting(wait));
	frames_send(r, &w, &line);
}

static void tell_setup(struct life_waiter *waiter, size_t command)
{
	struct reply *reply = container_of(waiter, struct reply, waiter);
	auto_buf struct buf line = BUF_INIT;

	if (!reply->r || !frames_wanted(reply->r))
		return;
	struct json_writer w = frames_open(&line, "progress");
	json_str(&w, "stage", "setup");
	json_int(&w, "command", (int64_t)command);
	json_int(&w, "commands", (int64_t)strv_len(reply->s->spec.setup));
	frames_send(reply->r, &w, &line);
}

static void send_created(struct http_req *r, const struct sandbox *s)
{
	auto_buf struct buf line = BUF_INIT;

	if (!frames_wanted(r)) {
		send_object(r, 201, s, true);
		return;
	}
	struct json_writer w = frames_open(&line, "sandbox");
	auto_buf struct buf object = BUF_INIT;
	struct json_writer inner = json_writer(&object);

	sandbox_json(s, &inner, true);
	json_raw(&w, "sandbox", buf_str(&object));
	frames_end(r, &w, &line);
}

static void reply_done(struct life_waiter *waiter, struct sandbox *s,
		       const struct svm_err *err)
{
	struct reply *reply = container_of(waiter, struct reply, waiter);
	struct http_req *r = reply->r;

	if (!r && !err && reply->kind == REPLY_CREATED)
		life_destroy(s, "its caller went away before it was ready",
			     NULL);
	else if (r && err)
		frames_error(r, err);
	else if (r && reply->kind == REPLY_DESTROYED) {
		auto_buf struct buf out = BUF_INIT;

		buf_addstr(&out, "{\"status\":\"destroyed\"}");
		http_reply_json(r, 200, &out);
	} else if (r && reply->kind == REPLY_CREATED) {
		send_created(r, s);
	} else if (r) {
		send_object(r, 200, s, false);
	}
	audit_who_release(&waiter->who);
	sandbox_unref(reply->s);
	free(reply);
}

static void reply_gone(struct http_req *r)
{
	struct reply *reply = http_data(r);

	reply->r = NULL;
	if (reply->kind == REPLY_CREATED &&
	    reply->s->state == SANDBOX_CREATING)
		life_destroy(reply->s,
			     "its caller went away before it was ready", NULL);
}

/* Setup commands may take for ever; a box alone is made in a moment. */
static void reply_stop(struct http_req *r)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct reply *reply = http_data(r);

	if (!reply->s->setup)
		return;
	svm_err_set(&err, SVM_UNAVAILABLE, "the daemon is stopping; sandbox "
		    "'%s', which was being set up, is removed", reply->s->id);
	svm_err_hint(&err, "ask the next one again");
	reply_gone(r);
	frames_error(r, &err);
}

static struct reply *reply_new(struct http_req *r, struct sandbox *s, int kind)
{
	struct reply *reply = xcalloc(1, sizeof(*reply));

	audit_about(r, s);
	audit_who_init(&reply->waiter.who, s->daemon, r);
	reply->waiter.fn = reply_done;
	list_init(&reply->waiter.link);
	reply->r = r;
	reply->s = sandbox_ref(s);
	reply->kind = kind;
	http_set_data(r, reply);
	http_on_gone(r, reply_gone);
	if (kind == REPLY_CREATED) {
		reply->waiter.setup = tell_setup;
		http_on_stop(r, reply_stop);
	}
	return reply;
}

/* POST /sandboxes and /templates/{name}/spawn: parsed, then a warm copy, or
 * admitted (at once or after waiting) and made. */

static void start(struct http_req *r, struct sandbox *s, int64_t asked)
{
	struct reply *reply = reply_new(r, s, REPLY_CREATED);

	s->asked_ns = asked;
	tell_create(r, s);
	if (s->claim)
		life_claim(s, &reply->waiter);
	else
		life_create(s, &reply->waiter);
}

/* A warm copy has its place already: only its owner's limit counts. */
static bool may_claim(struct daemon *d, const struct sandbox_spec *spec)
{
	auto_err struct svm_err taken = SVM_ERR_INIT;

	return admission_may_claim(d, spec->owner) &&
	       sandbox_check_name(d, spec->name, spec->owner, NULL,
				  &taken) == 0;
}

static bool claim(struct daemon *d, struct http_req *r,
		  struct sandbox_spec *spec, struct provider *p, int64_t asked)
{
	if (!may_claim(d, spec))
		return false;
	struct sandbox *s = warm_claim(d, p, spec);
	if (s)
		start(r, s, asked);
	return s != NULL;
}

static void make(struct daemon *d, struct http_req *r,
		 struct sandbox_spec *spec, struct provider *p, int64_t asked)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct sandbox *s = sandbox_new(d, p, spec, &err);

	if (s)
		start(r, s, asked);
	else
		frames_error(r, &err);
}

struct spawn {
	struct admission_wait wait;
	struct http_req *r;
	int64_t asked;
};

static void spawn_left(struct http_req *r)
{
	struct spawn *sp = http_data(r);

	admission_leave(&sp->wait);
	free(sp);
}

/* The template may be named by the path. */
static int parse(struct daemon *d, struct http_req *r,
		 struct sandbox_spec *ret, struct provider **ret_provider,
		 struct svm_err *err)
{
	return sandbox_request_parse(d, r, http_param(r, "name"), ret,
				     ret_provider, err);
}

/* The request is taken apart anew: limits, images and providers may have
 * changed while it waited. */
static void spawn_told(struct admission_wait *w, const struct svm_err *refused)
{
	struct spawn *sp = container_of(w, struct spawn, wait);
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct sandbox_spec spec = { 0 };
	struct provider *p = NULL;

	if (refused)
		frames_error(sp->r, refused);
	else if (parse(w->daemon, sp->r, &spec, &p, &err) < 0)
		frames_error(sp->r, &err);
	else if (!claim(w->daemon, sp->r, &spec, p, sp->asked))
		make(w->daemon, sp->r, &spec, p, sp->asked);
	sandbox_spec_release(&spec);
	free(sp);
}

/* A warm copy was made while it waited. */
static bool spawn_offered(struct admission_wait *w)
{
	struct spawn *sp = container_of(w, struct spawn, wait);
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct sandbox_spec spec = { 0 };
	struct provider *p = NULL;

	bool taken = parse(w->daemon, sp->r, &spec, &p, &err) == 0 &&
		     claim(w->daemon, sp->r, &spec, p, sp->asked);
	sandbox_spec_release(&spec);
	if (!taken)
		return false;
	admission_taken(w);
	free(sp);
	return true;
}

static void admit(struct daemon *d, struct http_req *r,
		  struct sandbox_spec *spec, struct provider *p,
		  int64_t asked)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct spawn *sp = xcalloc(1, sizeof(*sp));

	sp->wait.told = spawn_told;
	if (spec->template)
		sp->wait.offered = spawn_offered;
	sp->r = r;
	sp->asked = asked;
	int waits = admission_ask(d, spec->owner, &sp->wait, &err);
	if (waits > 0) {
		http_set_data(r, sp);
		http_on_gone(r, spawn_left);
		tell_queue(r, &sp->wait);
		return;
	}
	free(sp);
	if (waits == 0)
		make(d, r, spec, p, asked);
	else
		frames_error(r, &err);
}

void api_sandbox_create(struct http_req *r, void *app)
{
	struct daemon *d = app;
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct sandbox_spec spec = { 0 };
	struct provider *p = NULL;
	int64_t asked = clock_boot_ns();

	image_pull_forget(d->images);
	if (parse(d, r, &spec, &p, &err) < 0) {
		if (!image_pull_wait(d->images, r, api_sandbox_create))
			frames_error(r, &err);
	} else if (!claim(d, r, &spec, p, asked)) {
		admit(d, r, &spec, p, asked);
	}
	sandbox_spec_release(&spec);
}

/* POST /sandboxes/admission: what would become of that spawn? */

static void reply_admission(struct http_req *r, struct daemon *d,
			    const char *owner, const struct quota_limits *l,
			    const struct svm_err *over, bool claimable)
{
	auto_buf struct buf out = BUF_INIT;
	struct json_writer w = json_writer(&out);
	char max_ttl[DURATION_SIZE];
	struct admission_view v;
	bool fits = over->code == SVM_OK;

	admission_look(d, owner, &v);
	if (claimable) { /* it has its place: the limits stay as they are */
		v.room = true;
		v.queueable = false;
		v.why = "";
	}
	duration_format(l->max_ttl_ns, max_ttl);
	json_open(&w, NULL, '{'); /* STRICT: these eight */
	json_bool(&w, "allowed", fits && v.room);
	json_bool(&w, "queueable", fits && v.queueable);
	json_str(&w, "reason", fits ? v.why : over->msg);
	json_int(&w, "active_sandboxes", (int64_t)v.active);
	json_int(&w, "max_sandboxes", v.max);
	json_int(&w, "active_owner_sandboxes", (int64_t)v.active_owner);
	json_int(&w, "max_owner_sandboxes", v.max_owner);
	json_str(&w, "max_ttl", max_ttl);
	json_close(&w, '}');
	http_reply_json(r, 200, &out);
}

void api_sandbox_admission(struct http_req *r, void *app)
{
	struct daemon *d = app;
	auto_err struct svm_err err = SVM_ERR_INIT, over = SVM_ERR_INIT;
	struct sandbox_spec spec = { 0 };
	struct provider *p = NULL;
	struct quota_limits l;

	if (sandbox_request_ask(d, r, &spec, &p, &over, &err) < 0) {
		http_reply_error(r, &err);
		return;
	}
	quota_limits(d, spec.owner, &l);
	reply_admission(r, d, spec.owner, &l, &over,
			may_claim(d, &spec) && warm_fits(d, p, &spec));
	sandbox_spec_release(&spec);
}

void api_sandbox_prune(struct http_req *r, void *app)
{
	struct daemon *d = app;
	auto_buf struct buf out = BUF_INIT;
	struct caller c;
	int64_t now = clock_boot_ns();
	unsigned pruned = 0;

	auth_caller(d, r, &c);
	const char *owner = c.admin && !c.named ? NULL : c.owner;
	for (struct sandbox *next, *s = sandbox_next(d, NULL); s; s = next) {
		next = sandbox_next(d, s);
		bool over = s->expires_boot_ns && s->expires_boot_ns <= now;

		if ((!over && s->state != SANDBOX_EXPIRED) ||
		    s->state == SANDBOX_DESTROYING ||
		    (owner && (!s->spec.owner ||
			       strcmp(owner, s->spec.owner) != 0)))
			continue;
		life_destroy(s, "pruned", NULL);
		pruned++;
	}
	buf_addf(&out, "{\"pruned\":%u}", pruned);
	http_reply_json(r, 200, &out);
}

void api_sandbox_get(struct http_req *r, void *app)
{
	struct sandbox *s = api_call_sandbox(r, app);

	if (s)
		send_object(r, 200, s, false);
}

void api_sandbox_destroy(struct http_req *r, void *app)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct sandbox *s = api_find_sandbox(r, app, &err);

	if (!s && err.code != SVM_NOT_FOUND) {
		http_reply_error(r, &err);
		return;
	}
	if (!s) { /* idempotent */
		auto_buf struct buf out = BUF_INIT;

		buf_addstr(&out, "{\"status\":\"destroyed\"}");
		http_reply_json(r, 200, &out);
		return;
	}
	life_destroy(s, NULL, &reply_new(r, s, REPLY_DESTROYED)->waiter);
}

void api_sandbox_extend(struct http_req *r, void *app)
{
	struct daemon *d = app;
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	const struct buf *body = http_body(r);
	const char *text = NULL;
	int64_t ttl = d->config->defaults_ttl;
	struct sandbox *s = api_call_sandbox(r, d);
	struct quota_limits l;

	if (!s)
		return;
	quota_limits(d, s->spec.owner, &l);
	if (json_parse_object(&doc, buf_str(body), body->len, &err) < 0 ||
	    json_get_string(doc.root, "ttl", &text, &err) < 0 ||
	    (text && sandbox_request_ttl(text, 0, &ttl, &err) < 0)) {
		http_reply_error(r, &err);
		return;
	}
	/* Whatever is asked for, no life is longer than the maximum; but what
	 * it has been given is not taken away. */
	int64_t now = clock_boot_ns();
	int64_t left = MAX(s->created_boot_ns + l.max_ttl_ns,
			   s->expires_boot_ns) - now;
	if (l.max_ttl_ns && ttl > left)
		ttl = MAX(left, (int64_t)1);
	life_extend(s, ttl, &reply_new(r, s, REPLY_OBJECT)->waiter);
}

void api_sandbox_update(struct http_req *r, void *app)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	const struct buf *body = http_body(r);
	struct sandbox *s = api_call_sandbox(r, app);
	struct sandbox_patch patch = { 0 };

	if (!s)
		return;
	if (json_parse_object(&doc, buf_str(body), body->len, &err) < 0 ||
	    sandbox_patch_parse(doc.root, &s->spec, &patch, &err) < 0)
		http_reply_error(r, &err);
	else
		life_update(s, &patch, &reply_new(r, s, REPLY_OBJECT)->waiter);
	sandbox_patch_release(&patch);
}

/* GET /sandboxes/{id}/stats. */

struct stats_job {
	struct work work;
	struct sandbox *s;
	struct http_req *r;
	struct provider_stats stats;
	int result;
	struct svm_err err;
};

static void run_stats(struct work *work)
{
	struct stats_job *j = container_of(work, struct stats_job, work);

	j->result = provider_box_stats(j->s->provider, &j->s->box, &j->stats,
				       &j->err);
}

static void stats_done(struct work *work)
{
	struct stats_job *j = container_of(work, struct stats_job, work);
	const struct provider_stats *st = &j->stats;
	auto_buf struct buf out = BUF_INIT;
	struct json_writer w = json_writer(&out);

	if (j->r && j->result < 0) {
		http_reply_error(j->r, &j->err);
	} else if (j->r) {
		json_open(&w, NULL, '{');
		json_bool(&w, "supported", st->supported);
		json_double(&w, "cpu_pct", st->cpu_pct);
		json_int(&w, "mem_bytes", (int64_t)st->mem_bytes);
		json_int(&w, "mem_limit_bytes", (int64_t)st->mem_limit_bytes);
		json_int(&w, "pids", (int64_t)st->pids);
		json_int(&w, "disk_bytes", (int64_t)st->disk_bytes);
		json_int(&w, "net_rx_bytes", (int64_t)st->net_rx_bytes);
		json_int(&w, "net_tx_bytes", (int64_t)st->net_tx_bytes);
		json_close(&w, '}');
		http_reply_json(j->r, 200, &out);
	}
	sandbox_unref(j->s);
	svm_err_release(&j->err);
	free(j);
}

static void stats_gone(struct http_req *r)
{
	((struct stats_job *)http_data(r))->r = NULL;
}

void api_sandbox_stats(struct http_req *r, void *app)
{
	struct sandbox *s = api_call_sandbox(r, app);

	if (!s)
		return;
	struct stats_job *j = xcalloc(1, sizeof(*j));
	j->work.run = run_stats;
	j->work.done = stats_done;
	j->s = sandbox_ref(s);
	j->r = r;
	http_set_data(r, j);
	http_on_gone(r, stats_gone);
	work_submit(s->daemon->workers, &j->work);
}
