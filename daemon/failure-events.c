/* SPDX-License-Identifier: MIT */
/* Failures as events.  See failure-events.h. */
#include "daemon/failure-events.h"

#include <string.h>

#include "daemon/api.h"
#include "daemon/auth.h"
#include "daemon/daemon.h"
#include "daemon/events.h"
#include "daemon/http/http.h"
#include "daemon/route-info.h"
#include "daemon/runtimes.h"
#include "lib/api/limits.h"
#include "lib/base/json.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"

static void add_optional(struct json_writer *w, const char *key,
			 const char *text)
{
	if (text && *text)
		json_str(w, key, text);
}

static void tell(struct daemon *d, const struct http_req *r,
		 enum event_type type)
{
	auto_buf struct buf data = BUF_INIT;
	struct json_writer w = json_writer(&data);
	auto_free char *action = route_info_action(http_route_of(r));
	const char *owner = http_noted(r, HTTP_NOTE_OWNER);
	struct caller c;

	auth_caller(d, r, &c);
	json_open(&w, NULL, '{');
	json_str(&w, "operation", action);
	json_str(&w, "code", svm_code_name(http_error_code(r)));
	json_int(&w, "status", http_status(r));
	add_optional(&w, "provider", http_noted(r, HTTP_NOTE_GROUP));
	add_optional(&w, "owner_id", owner ? owner : c.owner);
	json_str(&w, "request_id", http_request_id(r));
	json_close(&w, '}');
	events_emit(d, type, http_noted(r, HTTP_NOTE_SUBJECT),
		    owner ? owner : c.owner, buf_str(&data));
}

void failure_events_observe(const struct http_req *r, struct daemon *d)
{
	static struct log_limit failed, provider, limit;
	enum svm_code code = http_error_code(r);
	const struct http_route *route = http_route_of(r);

	/* Who was not let in (scope 0) can't write into anybody's stream. */
	if (!d->events || d->stopping || !route || !http_scope(r))
		return;
	/* Asked every few seconds by whoever waits for it to become true. */
	if (route->handler == api_ready)
		return;
	if (code == SVM_RESOURCE_LIMIT &&
	    log_limited(&limit, LIMIT_FAILURE_EVENTS))
		tell(d, r, EVENT_RESOURCE_LIMIT);
	if (http_status(r) >= 500 && log_limited(&failed, LIMIT_FAILURE_EVENTS))
		tell(d, r, EVENT_OPERATION_FAILED);
	if (code != SVM_PROVIDER)
		return;
	if (log_limited(&provider, LIMIT_FAILURE_EVENTS))
		tell(d, r, EVENT_PROVIDER_FAILED);
	/* Is it that call alone, or the runtime? */
	struct runtime *rt = runtimes_find(d, http_noted(r, HTTP_NOTE_GROUP));
	if (rt)
		runtimes_probe(rt);
}

void failure_events_provider(struct daemon *d, const char *name,
			     const struct svm_err *why)
{
	auto_buf struct buf data = BUF_INIT;
	struct json_writer w = json_writer(&data);

	if (!d->events || d->stopping)
		return;
	json_open(&w, NULL, '{');
	json_str(&w, "operation", "provider.probe");
	json_str(&w, "code", svm_code_name(why->code));
	json_str(&w, "provider", name);
	add_optional(&w, "error", why->msg);
	add_optional(&w, "remediation", why->hint);
	json_close(&w, '}');
	events_emit(d, EVENT_PROVIDER_FAILED, NULL, EVENTS_EVERYBODY,
		    buf_str(&data));
}
