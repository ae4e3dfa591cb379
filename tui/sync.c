/* SPDX-License-Identifier: MIT */
/*
 * Keeping the model as the daemon is: everything is asked for once, then
 * changed by the events.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/api/event-type.h"
#include "lib/base/mem.h"
#include "lib/client/reply.h"
#include "tui/model.h"
#include "tui/screen.h"
#include "tui/start.h"

/* More objects than this at once are asked for as a list. */
#define SINGLES_MAX 4

static void tell_screens(struct model *m, const cJSON *event)
{
	for (size_t i = 0; i < SCREEN_MAX; i++)
		if (screens[i]->event)
			screens[i]->event(m, m->state[i], event);
	m->effects |= EFFECT_REDRAW;
}

static void ask_fleet(struct model *m);

static void fleet_arrived(struct model *m, struct request *r)
{
	auto_json struct json_doc doc = JSON_DOC_INIT;
	cJSON *array = request_array(r, &doc);

	m->fleet_asked = false;
	if (array) {
		fleet_load(&m->fleet, array);
		tell_screens(m, NULL);
	}
	if (array && m->fleet_stale)
		ask_fleet(m);
}

static void ask_fleet(struct model *m)
{
	m->fleet_stale = m->fleet_asked;
	if (m->fleet_asked)
		return;
	m->fleet_asked = true;
	request_send(m, request_new("GET", xstrdup("/api/v1/sandboxes"),
				    fleet_arrived));
}

static void sandbox_arrived(struct model *m, struct request *r)
{
	auto_json struct json_doc doc = JSON_DOC_INIT;
	cJSON *object = request_object(r, &doc);

	m->singles--;
	if (object) {
		fleet_put(&m->fleet, request_steal(&doc, object));
	} else if (r->err.code == SVM_NOT_FOUND) {
		fleet_remove(&m->fleet, r->about);
		svm_err_release(&r->err);
	}
	tell_screens(m, NULL);
}

void sync_sandbox(struct model *m, const char *id)
{
	if (m->singles >= SINGLES_MAX || m->fleet_asked) {
		ask_fleet(m);
		return;
	}
	struct request *r = request_new("GET", request_sandbox(id, ""),
					sandbox_arrived);

	r->about = xstrdup(id);
	m->singles++;
	request_send(m, r);
}

static void keep(struct model *m, struct request *r, cJSON **where)
{
	auto_json struct json_doc doc = JSON_DOC_INIT;
	cJSON *value = request_json(r, &doc);

	if (!value)
		return;
	cJSON_Delete(*where);
	*where = request_steal(&doc, value);
	tell_screens(m, NULL);
}

static void providers_arrived(struct model *m, struct request *r)
{
	keep(m, r, &m->providers);
	if (!r->quiet)
		return;
	m->providers_asked = false;
	svm_err_release(&r->err); /* nobody asked for it */
}

static void templates_arrived(struct model *m, struct request *r)
{
	keep(m, r, &m->templates);
}

static void ask_metrics(struct model *m);

static void metrics_arrived(struct model *m, struct request *r)
{
	m->metrics_asked = false;
	m->metrics_at = m->boot_ns;
	keep(m, r, &m->metrics);
	if (m->metrics_stale)
		ask_metrics(m);
}

/* Of many events, once while it is under way and once after. */
static void ask_metrics(struct model *m)
{
	struct request *r;

	m->metrics_stale = m->metrics_asked;
	if (m->metrics_asked)
		return;
	m->metrics_asked = true;
	r = request_new("GET", xstrdup("/api/v1/metrics"), metrics_arrived);
	r->quiet = true;
	request_send(m, r);
}

static void health_arrived(struct model *m, struct request *r)
{
	auto_json struct json_doc doc = JSON_DOC_INIT;
	cJSON *object = request_object(r, &doc);
	const cJSON *version = object ? json_get(object, "version") : NULL;

	if (cJSON_IsString(version)) {
		free(m->version);
		m->version = xstrdup(version->valuestring);
	}
}

void sync_templates(struct model *m)
{
	request_send(m, request_new("GET", xstrdup("/api/v1/templates"),
				    templates_arrived));
}

void sync_providers(struct model *m)
{
	request_send(m, request_new("GET", xstrdup("/api/v1/providers"),
				    providers_arrived));
}

void sync_providers_quietly(struct model *m)
{
	struct request *r;

	if (m->providers_asked)
		return;
	r = request_new("GET", xstrdup("/api/v1/providers"),
			providers_arrived);
	r->quiet = m->providers_asked = true;
	request_send(m, r);
}

void model_refresh(struct model *m)
{
	ask_fleet(m);
	sync_templates(m);
	sync_providers(m);
	request_send(m, request_new("GET", xstrdup("/api/v1/health"),
				    health_arrived));
	ask_metrics(m);
}

/* What an event means for what is shown, of every type there is: no default,
 * so that the compiler asks for each new one. */
static void heed(struct model *m, enum event_type type, const char *id)
{
	switch (type) {
	case EVENT_SANDBOX_CREATED:
		ask_metrics(m); /* it counts them */
		sync_sandbox(m, id);
		break;
	case EVENT_SANDBOX_RUNNING:
	case EVENT_SANDBOX_EXTENDED:
	case EVENT_SANDBOX_UPDATED:
	case EVENT_SANDBOX_ERROR:
		sync_sandbox(m, id);
		break;
	case EVENT_SANDBOX_EXPIRED:
	case EVENT_SANDBOX_DESTROYED:
		fleet_remove(&m->fleet, id);
		break;
	case EVENT_TEMPLATE_SAVED:
	case EVENT_TEMPLATE_DELETED:
		sync_templates(m);
		break;
	case EVENT_PROVIDER_FAILED:
		sync_providers(m);
		break;
	case EVENT_NONE:
	case EVENT_EXEC_STARTED:
	case EVENT_EXEC_COMPLETED:
	case EVENT_EXEC_FAILED:
	case EVENT_EXEC_TIMEOUT:
	case EVENT_FILE_WRITTEN:
	case EVENT_FILE_DELETED:
	case EVENT_FILE_MOVED:
	case EVENT_SPAWN_QUEUED:
	case EVENT_SPAWN_DEQUEUED:
	case EVENT_SPAWN_QUEUE_TIMEOUT:
	case EVENT_QUOTA_SAVED:
	case EVENT_QUOTA_DELETED:
	case EVENT_IMAGE_PROGRESS:
	case EVENT_IMAGE_SAVED:
	case EVENT_IMAGE_FAILED:
	case EVENT_IMAGE_DELETED:
	case EVENT_OPERATION_FAILED:
	case EVENT_RESOURCE_LIMIT:
	case EVENT_RECONCILE_ACTION:
	case EVENT_TYPE_MAX:
		break;
	}
}

static void take_event(struct model *m, const cJSON *event)
{
	const char *name = json_text(event, "type");
	enum event_type type;

	if (!*name)
		return;
	/* What is on record is all asked for when that is over.  A type that
	 * we don't know, of a newer daemon, is shown and changes nothing. */
	if (m->link == LINK_LIVE && event_type_parse(name, &type))
		heed(m, type, json_text(event, "sandbox_id"));
	tell_screens(m, event);
}

static void event_line(struct model *m, struct stream *s, const char *text,
		       size_t n)
{
	auto_json struct json_doc doc = JSON_DOC_INIT;
	auto_err struct svm_err err = SVM_ERR_INIT;
	cJSON *event;

	(void)s;
	if (reply_parse(&doc, text, n, &event, &err) == 0 &&
	    cJSON_IsObject(event))
		take_event(m, event);
}

void sync_heard(struct model *m, int64_t at_ns)
{
	m->heard_ns = MAX(m->heard_ns, at_ns);
	if (m->silent) {
		m->effects |= EFFECT_REDRAW;
		model_unsay(m, TOAST_NO_DAEMON);
	}
	m->silent = false;
}

void sync_silent(struct model *m, int64_t since_ns, int64_t now_ns)
{
	m->heard_ns = MAX(m->heard_ns, since_ns);
	if (now_ns < m->heard_ns + LIMIT_TUI_SILENCE)
		return;
	m->silent = true;
	m->start_ns = 0; /* nobody waits for that */
	m->effects |= EFFECT_REDRAW;
}

static void events_changed(struct model *m, struct stream *s)
{
	bool was_live = m->link == LINK_LIVE;

	m->link = s->state == STREAM_LIVE    ? LINK_LIVE :
		  s->state == STREAM_OPENING ? m->link :
					       LINK_LOST;
	m->effects |= EFFECT_REDRAW;
	m->silent &= s->state == STREAM_OPENING;
	if (m->link == LINK_LOST)
		m->start_ns = 0;
	if (m->link != LINK_LOST)
		start_step(m);
	if (m->link == LINK_LIVE && !was_live) {
		model_unsay(m, TOAST_NO_DAEMON);
		model_refresh(m);
	}
}

void model_start(struct model *m)
{
	m->events = stream_open(m, xstrdup("/api/v1/events?since=15m"), true,
				event_line);
	m->events->changed = events_changed;
	m->events->pulse = true;
	m->effects |= EFFECT_HOST;
	start_begin(m);
	if (screens[m->screen]->enter)
		screens[m->screen]->enter(m, m->state[m->screen]);
}
