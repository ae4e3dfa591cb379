/* SPDX-License-Identifier: MIT */
/* Routes of quotas (API.md 7): what owners may have, and what they use. */
#include "daemon/api.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/admission.h"
#include "daemon/api-call.h"
#include "daemon/audit.h"
#include "daemon/auth.h"
#include "daemon/daemon.h"
#include "daemon/events.h"
#include "daemon/http/http.h"
#include "daemon/quota.h"
#include "daemon/sandbox.h"
#include "daemon/store.h"
#include "lib/api/limits.h"
#include "lib/base/clock.h"
#include "lib/base/duration.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"

static void add_duration(struct json_writer *w, const char *key, int64_t ns)
{
	char text[DURATION_SIZE];

	duration_format(ns, text);
	json_str(w, key, text);
}

static void add_time(struct json_writer *w, const char *key, int64_t wall_ns)
{
	char when[CLOCK_RFC3339_SIZE];

	clock_format_rfc3339(wall_ns, when);
	json_str(w, key, when);
}

static void add_quota(struct json_writer *w, const struct store_quota *q)
{
	json_open(w, NULL, '{');
	json_str(w, "owner_id", q->owner);
	json_int(w, "max_sandboxes", q->max_sandboxes);
	add_duration(w, "max_ttl", q->max_ttl_ns);
	add_duration(w, "max_exec_timeout", q->max_exec_timeout_ns);
	json_int(w, "max_memory_mb", q->max_memory_mb);
	json_int(w, "max_vcpus", q->max_vcpus);
	add_time(w, "created_at", q->created_ns);
	add_time(w, "updated_at", q->updated_ns);
	json_close(w, '}');
}

static void reply_quota(struct http_req *r, const struct store_quota *q)
{
	auto_buf struct buf out = BUF_INIT;
	struct json_writer w = json_writer(&out);

	add_quota(&w, q);
	http_reply_json(r, 200, &out);
}

/* The route's {owner}; NULL when an error was replied. */
static const char *owner_of(struct http_req *r)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	const char *owner = http_param(r, "owner");

	if (auth_check_owner(owner, &err) == 0)
		return owner;
	http_reply_error(r, &err);
	return NULL;
}

void api_quota_list(struct http_req *r, void *app)
{
	struct daemon *d = app;
	auto_buf struct buf out = BUF_INIT;
	struct json_writer w = json_writer(&out);
	const struct store_quota *q;

	json_open(&w, NULL, '[');
	for (size_t i = 0; (q = quotas_at(d->quotas, i)); i++)
		add_quota(&w, q);
	json_close(&w, ']');
	http_reply_json(r, 200, &out);
}

void api_quota_summary(struct http_req *r, void *app)
{
	struct daemon *d = app;
	auto_buf struct buf out = BUF_INIT;
	struct json_writer w = json_writer(&out);
	int64_t sandboxes = 0, ttl = 0, timeout = 0;
	const struct store_quota *q;

	for (size_t i = 0; (q = quotas_at(d->quotas, i)); i++) {
		sandboxes += q->max_sandboxes != 0;
		ttl += q->max_ttl_ns != 0;
		timeout += q->max_exec_timeout_ns != 0;
	}
	json_open(&w, NULL, '{'); /* STRICT: these four */
	json_int(&w, "total", (int64_t)quotas_count(d->quotas));
	json_int(&w, "with_max_sandboxes", sandboxes);
	json_int(&w, "with_max_ttl", ttl);
	json_int(&w, "with_max_exec_timeout", timeout);
	json_close(&w, '}');
	http_reply_json(r, 200, &out);
}

void api_quota_get(struct http_req *r, void *app)
{
	struct daemon *d = app;
	const char *owner = owner_of(r);

	if (!owner)
		return;
	const struct store_quota *q = quotas_find(d->quotas, owner);
	if (q)
		reply_quota(r, q);
	else
		api_call_refuse(r, SVM_NOT_FOUND, "owner '%s' has no quota",
				owner);
}

void api_quota_usage(struct http_req *r, void *app)
{
	struct daemon *d = app;
	auto_buf struct buf out = BUF_INIT;
	struct json_writer w = json_writer(&out);
	const char *owner = owner_of(r);
	int64_t count = 0, memory = 0, vcpus = 0;
	struct admission_view v;
	struct quota_limits l;

	if (!owner)
		return;
	for (struct sandbox *s = NULL; (s = sandbox_next(d, s));) {
		if (!s->spec.owner || strcmp(s->spec.owner, owner) != 0)
			continue;
		count++;
		memory += s->spec.memory_mb;
		vcpus += s->spec.vcpus;
	}
	quota_limits(d, owner, &l);
	admission_look(d, owner, &v);
	json_open(&w, NULL, '{');
	json_str(&w, "owner_id", owner);
	json_int(&w, "active_sandboxes", count);
	json_int(&w, "waiting_spawns", (int64_t)v.waiting_owner);
	json_int(&w, "memory_mb", memory);
	json_int(&w, "vcpus", vcpus);
	json_int(&w, "max_sandboxes", l.max_sandboxes);
	add_duration(&w, "max_ttl", l.max_ttl_ns);
	add_duration(&w, "max_exec_timeout", l.max_exec_timeout_ns);
	json_int(&w, "max_memory_mb", l.max_memory_mb);
	json_int(&w, "max_vcpus", l.max_vcpus);
	json_close(&w, '}');
	http_reply_json(r, 200, &out);
}

/* Changes: stored and told in one transaction, in force and answered after
 * it, in the order of the store. */

struct change {
	struct daemon *d;
	struct http_req *r; /* NULL once the client is gone */
	struct store_quota quota;
	bool drop;
};

static void change_gone(struct http_req *r)
{
	((struct change *)http_data(r))->r = NULL;
}

static void change_stored(void *data, const struct svm_err *err,
			  const struct store_event *ev, size_t n)
{
	struct change *c = data;
	struct daemon *d = c->d;
	auto_buf struct buf out = BUF_INIT;

	if (!err) {
		events_publish(d->events, ev, n);
		if (c->drop)
			quotas_drop(d->quotas, c->quota.owner);
		else
			quotas_put(d->quotas, &c->quota);
		admission_wake(d);
	}
	if (c->r && err) {
		http_reply_error(c->r, err);
	} else if (c->r && !c->drop) {
		reply_quota(c->r, &c->quota);
	} else if (c->r) {
		buf_addstr(&out, "{\"status\":\"deleted\"}");
		http_reply_json(c->r, 200, &out);
	}
	store_quota_release(&c->quota);
	free(c);
}

/* Takes what q holds. */
static void change(struct daemon *d, struct http_req *r,
		   struct store_quota *q, bool drop)
{
	struct store_txn *t = store_begin(d->store);
	struct change *c = xcalloc(1, sizeof(*c));
	auto_buf struct buf data = BUF_INIT;
	struct json_writer w = json_writer(&data);
	struct audit_who who;

	c->d = d;
	c->r = r;
	c->quota = *q;
	c->drop = drop;
	*q = (struct store_quota){ 0 };
	if (drop) {
		json_open(&w, NULL, '{');
		json_str(&w, "owner_id", c->quota.owner);
		json_close(&w, '}');
		store_delete_quota(t, c->quota.owner);
	} else {
		add_quota(&w, &c->quota);
		store_put_quota(t, &c->quota);
	}
	store_add_event(t, drop ? EVENT_QUOTA_DELETED : EVENT_QUOTA_SAVED, NULL,
			c->quota.owner, buf_str(&data));
	audit_who_init(&who, d, r);
	audit_add(t, &who, NULL, drop ? "quota.delete" : "quota.put",
		  buf_str(&data), "ok");
	audit_who_release(&who);
	http_set_data(r, c);
	http_on_gone(r, change_gone);
	store_commit(t, change_stored, c);
}

static int get_duration(const cJSON *body, const char *key, int64_t *ret,
			struct svm_err *err)
{
	const char *text = NULL;

	if (json_get_string(body, key, &text, err) < 0)
		return -1;
	if (!text || (duration_parse(text, ret) == 0 && *ret >= 0))
		return 0;
	return svm_err_set(err, SVM_BAD_REQUEST, "'%s' is not a duration such "
			   "as '30m' or '1h30m': '%.40s'", key, text);
}

static int parse(struct http_req *r, const char *owner,
		 struct store_quota *q, struct svm_err *err)
{
	auto_json struct json_doc doc = JSON_DOC_INIT;
	const struct buf *body = http_body(r);
	const char *said = owner;

	if (json_parse_object(&doc, buf_str(body), body->len, err) < 0 ||
	    json_get_string(doc.root, "owner_id", &said, err) < 0 ||
	    json_get_int(doc.root, "max_sandboxes", 1, LIMIT_SANDBOXES,
			 &q->max_sandboxes, err) < 0 ||
	    json_get_int(doc.root, "max_memory_mb", 1, LIMIT_MEMORY_MB,
			 &q->max_memory_mb, err) < 0 ||
	    json_get_int(doc.root, "max_vcpus", 1, LIMIT_VCPUS, &q->max_vcpus,
			 err) < 0 ||
	    get_duration(doc.root, "max_ttl", &q->max_ttl_ns, err) < 0 ||
	    get_duration(doc.root, "max_exec_timeout",
			 &q->max_exec_timeout_ns, err) < 0)
		return -1;
	if (strcmp(said, owner) != 0)
		return svm_err_set(err, SVM_BAD_REQUEST, "'owner_id' is not "
				   "the owner of the path, '%s'", owner);
	return 0;
}

void api_quota_put(struct http_req *r, void *app)
{
	struct daemon *d = app;
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct store_quota q = { 0 };
	const char *owner = owner_of(r);

	if (!owner)
		return;
	if (strcmp(owner, "summary") == 0) {
		api_call_refuse(r, SVM_BAD_REQUEST, "'summary' is no owner: "
				"GET could not tell it from the route");
		return;
	}
	const struct store_quota *old = quotas_find(d->quotas, owner);
	if (!old && quotas_count(d->quotas) >= LIMIT_QUOTAS) {
		api_call_refuse(r, SVM_RESOURCE_LIMIT,
				"there are %d quotas, no more are allowed",
				LIMIT_QUOTAS);
		return;
	}
	if (parse(r, owner, &q, &err) < 0) {
		http_reply_error(r, &err);
		return;
	}
	q.owner = xstrdup(owner);
	q.updated_ns = clock_wall_ns();
	q.created_ns = old ? old->created_ns : q.updated_ns;
	change(d, r, &q, false);
}

void api_quota_delete(struct http_req *r, void *app)
{
	struct store_quota q = { 0 };
	const char *owner = owner_of(r);

	if (!owner)
		return;
	q.owner = xstrdup(owner);
	change(app, r, &q, true);
}
