/* SPDX-License-Identifier: MIT */
/* What gets into the audit trail, and how long it stays.  See audit.h. */
#include "daemon/audit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/auth.h"
#include "daemon/config.h"
#include "daemon/daemon.h"
#include "daemon/http/http.h"
#include "daemon/route-info.h"
#include "daemon/sandbox.h"
#include "daemon/store.h"
#include "daemon/trim.h"
#include "lib/base/clock.h"
#include "lib/base/escape.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"

#define TRIM_EVERY SECONDS(600)
#define TRIM_RECORDS 1000 /* and after that many, whichever is first */

struct audit {
	struct daemon *daemon;
	struct loop_timer *timer;
	unsigned added;            /* since the last trim */
	struct log_limit refused;
};

/* Who. */

/* What the kernel says of the peer. */
static char *peer_of(const struct http_req *r)
{
	char address[HTTP_ADDRESS_SIZE];

	if (http_peer_uid(r) != (uid_t)-1)
		return xasprintf("uid:%ld", (long)http_peer_uid(r));
	http_peer_address(r, address);
	return xasprintf("ip:%s", address);
}

/* The owner a call is for, "admin/" before it when the admin key was shown
 * (no owner id has a slash); without an owner, or when the call was not let
 * in and so may claim what it likes, the peer. */
static char *actor_of(const struct daemon *d, const struct http_req *r)
{
	bool keyed = auth_on(d->auth) && !http_peer_is_unix(r);
	struct caller c;

	auth_caller(d, r, &c);
	if (!c.owner || http_error_code(r) == SVM_UNAUTHORIZED)
		return peer_of(r);
	return xasprintf("%s%.*s", keyed && c.admin && c.named ? "admin/" : "",
			 LIMIT_OWNER, c.owner);
}

void audit_who_init(struct audit_who *w, const struct daemon *d,
		    const struct http_req *r)
{
	w->actor = actor_of(d, r);
	w->request_id = xstrdup(http_request_id(r));
}

void audit_who_copy(struct audit_who *w, const struct audit_who *from)
{
	w->actor = xstrdup(from->actor);
	w->request_id = xstrdup(from->request_id);
}

void audit_who_release(struct audit_who *w)
{
	free(w->actor);
	free(w->request_id);
	*w = (struct audit_who)AUDIT_WHO_INIT;
}

/* What. */

/* One line that can't deceive, of bounded length. */
static char *presentable(const char *text)
{
	struct buf line = BUF_INIT;

	if (!text)
		return NULL;
	escape_line(&line, text, strnlen(text, LIMIT_AUDIT_TARGET));
	if (line.len > LIMIT_AUDIT_TARGET) {
		size_t n = LIMIT_AUDIT_TARGET;

		while (n && ((unsigned char)line.data[n] & 0xc0) == 0x80)
			n--; /* not within a character */
		buf_truncate(&line, n);
	}
	return buf_steal(&line);
}

void audit_add(struct store_txn *t, const struct audit_who *who,
	       const struct sandbox *s, const char *action,
	       const char *target, const char *result)
{
	auto_free char *shown = presentable(target);
	const struct store_audit a = {
		.actor = who && who->actor ? who->actor : "daemon",
		.owner = s ? s->spec.owner : NULL,
		.sandbox_id = s ? s->id : NULL,
		.action = action,
		.target = shown,
		.result = result,
		.request_id = who ? who->request_id : NULL,
	};

	store_add_audit(t, &a);
}

void audit_about(struct http_req *r, const struct sandbox *s)
{
	http_note(r, HTTP_NOTE_SUBJECT, s->id);
	http_note(r, HTTP_NOTE_OWNER, s->spec.owner);
	http_note(r, HTTP_NOTE_GROUP, s->provider_name);
}

/* Retention. */

static void trim(struct audit *a)
{
	struct daemon *d = a->daemon;
	int64_t keep = d->config->audit_retention;
	struct store_txn *t = store_begin(d->store);

	a->added = 0;
	store_trim_audit(t, keep ? clock_wall_ns() - keep : INT64_MIN,
			 d->config->audit_max_size);
	store_commit(t, NULL, NULL);
}

static void on_timer(struct loop *l, void *data)
{
	struct audit *a = data;

	(void)l;
	trim(a);
	loop_timer_after(a->timer, TRIM_EVERY);
}

/* Requests. */

static const char *result_of(const struct http_req *r, char number[16])
{
	int status = http_status(r);
	enum svm_code code = http_error_code(r);

	if (!status)
		return "CANCELLED";
	if (code != SVM_OK)
		return svm_code_name(code);
	if (status < 400)
		return "ok";
	snprintf(number, 16, "%d", status);
	return number;
}

/* Whether this request has to be recorded here. */
static bool wanted(struct audit *a, const struct http_req *r)
{
	const struct http_route *route = http_route_of(r);
	int status = http_status(r);

	if (status == 401 || status == 403 || status == 429)
		return log_limited(&a->refused, LIMIT_AUDIT_REFUSED);
	if (!route)
		return false;
	unsigned flags = route_info_flags(route);
	bool good = status && status < 400 && http_error_code(r) == SVM_OK;
	return (flags & ROUTE_AUDITED) &&
	       !(good && (flags & ROUTE_AUDITED_INSIDE));
}

void audit_observe(const struct http_req *r, struct daemon *d)
{
	const struct http_route *route = http_route_of(r);
	struct audit *a = d->audit;
	char number[16];

	if (!a || !wanted(a, r))
		return;
	const char *target = http_noted(r, HTTP_NOTE_TARGET);
	const char *id = http_noted(r, HTTP_NOTE_SUBJECT);
	auto_free char *action = route_info_action(route);
	auto_free char *shown = presentable(target || id ? target :
							   http_target(r));
	auto_free char *actor = actor_of(d, r);
	const struct store_audit rec = {
		.actor = actor,
		.owner = http_noted(r, HTTP_NOTE_OWNER),
		.sandbox_id = id,
		.action = action,
		.target = shown,
		.result = result_of(r, number),
		.request_id = http_request_id(r),
	};
	struct store_txn *t = store_begin(d->store);

	store_add_audit(t, &rec);
	store_commit(t, NULL, NULL);
	if (++a->added >= TRIM_RECORDS)
		trim(a);
}

struct audit *audit_new(struct daemon *d)
{
	struct audit *a = xcalloc(1, sizeof(*a));

	a->daemon = d;
	a->timer = loop_timer_new(d->loop, on_timer, a);
	loop_timer_after(a->timer, SECONDS(1));
	return a;
}

void audit_free(struct audit *a)
{
	if (!a)
		return;
	loop_timer_free(a->timer);
	free(a);
}
