/* SPDX-License-Identifier: MIT */
/* Spawns under way.  See spawning.h. */
#include "tui/spawning.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/client/reply.h"

/* -- stages */

static void enter(struct model *m, struct spawning *s, int stage)
{
	if (s->now == stage)
		return;
	if (s->now >= 0)
		s->stage[s->now].ended_ns = m->boot_ns;
	if (stage < SPAWNING_STAGES)
		s->stage[stage].begun_ns = m->boot_ns;
	s->now = stage;
}

static int64_t number(const cJSON *o, const char *key)
{
	const cJSON *v = json_get(o, key);

	return cJSON_IsNumber(v) && v->valuedouble >= 0 &&
	       v->valuedouble < 9e15 ? (int64_t)v->valuedouble : 0;
}

static void take_image(struct spawning *s, const cJSON *o, bool unpacking)
{
	int64_t layer = number(o, "layer");

	s->unpacking = unpacking;
	s->layers = MIN(number(o, "layers"), LIMIT_IMAGE_LAYERS);
	if (unpacking) {
		s->unpacked = number(o, "bytes");
	} else if (layer < LIMIT_IMAGE_LAYERS) {
		s->have[layer] = number(o, "bytes");
		s->whole[layer] = number(o, "total");
	}
}

static void take_progress(struct model *m, struct spawning *s,
			  const cJSON *o)
{
	const char *stage = json_text(o, "stage");
	bool unpack = strcmp(stage, "unpack") == 0;

	if (unpack || strcmp(stage, "download") == 0) {
		take_image(s, o, unpack);
		enter(m, s, SPAWNING_IMAGE);
	} else if (strcmp(stage, "queue") == 0) {
		s->waiting = number(o, "waiting");
		enter(m, s, SPAWNING_QUEUE);
	} else if (strcmp(stage, "create") == 0) {
		free(s->id);
		s->id = xstrdup(json_text(o, "id"));
		enter(m, s, SPAWNING_CREATE);
	} else if (strcmp(stage, "setup") == 0) {
		s->command = number(o, "command");
		s->commands = number(o, "commands");
		enter(m, s, SPAWNING_SETUP);
	}
}

/* -- the end */

static void end(struct model *m, struct spawning *s)
{
	enter(m, s, SPAWNING_STAGES);
	stream_close(m, s->stream);
	s->stream = NULL;
	list_remove(&s->link);
	m->effects |= EFFECT_REDRAW;
	s->ended(m, s);
}

static void take_error(struct spawning *s, const cJSON *o)
{
	enum svm_code code = svm_code_parse(json_text(o, "code"));
	const char *hint = json_text(o, "remediation");

	svm_err_set(&s->err, code == SVM_OK ? SVM_PROVIDER : code, "%s",
		    json_text(o, "message"));
	if (*hint)
		svm_err_hint(&s->err, "%s", hint);
}

static void line(struct model *m, struct stream *stream, const char *text,
		 size_t n)
{
	auto_json struct json_doc doc = JSON_DOC_INIT;
	auto_err struct svm_err bad = SVM_ERR_INIT;
	struct spawning *s = stream->data;
	cJSON *o;

	if (reply_parse(&doc, text, n, &o, &bad) < 0 || !cJSON_IsObject(o))
		return;
	const char *type = json_text(o, "type");

	if (strcmp(type, "progress") == 0) {
		take_progress(m, s, o);
	} else if (strcmp(type, "error") == 0) {
		take_error(s, o);
		end(m, s);
	} else if (strcmp(type, "sandbox") == 0) {
		if (cJSON_IsString(json_get(json_get(o, "sandbox"), "id")))
			s->sandbox = cJSON_DetachItemFromObjectCaseSensitive(
				o, "sandbox");
		else
			svm_err_set(&s->err, SVM_PROVIDER, "the daemon's "
				    "reply is no sandbox");
		end(m, s);
	}
}

/* It broke off: a daemon that goes away takes what it was making along, or
 * the next one does. */
static void changed(struct model *m, struct stream *stream)
{
	struct spawning *s = stream->data;
	const struct svm_err *why = &stream->err;

	if (stream->state != STREAM_ENDED && stream->state != STREAM_BROKEN)
		return;
	if (s->now < 0 && why->code != SVM_OK) {
		svm_err_move(&s->err, &stream->err);
	} else {
		svm_err_set(&s->err, why->code ? why->code : SVM_UNREACHABLE,
			    "%s is not made: %s", s->id ? s->id :
			    "the sandbox", why->msg ? why->msg :
			    "the daemon's reply broke off");
		svm_err_hint(&s->err, "nothing of it stays, spawn again");
	}
	end(m, s);
}

/* -- begin, cancel */

struct spawning *spawning_start(struct model *m, const struct spawn_form *form,
				const char *body,
				void (*ended)(struct model *m,
					      struct spawning *s))
{
	struct spawning *s = xcalloc(1, sizeof(*s));

	spawn_form_copy(&s->form, form);
	s->ended = ended;
	s->begun_ns = m->boot_ns;
	s->now = -1;
	list_append(&m->spawns, &s->link);
	s->stream = stream_open(m, xstrdup("/api/v1/sandboxes?frames=full"),
				false, line);
	s->stream->body = xstrdup(body);
	s->stream->once = true;
	s->stream->changed = changed;
	s->stream->data = s;
	return s;
}

void spawning_free(struct model *m, struct spawning *s)
{
	if (!s)
		return;
	stream_close(m, s->stream);
	list_remove(&s->link);
	spawn_form_release(&s->form);
	cJSON_Delete(s->sandbox);
	svm_err_release(&s->err);
	free(s->id);
	free(s);
}

/* A caller that hangs up has it destroyed, unless it was ready just then. */
void spawning_cancel(struct model *m, struct spawning *s)
{
	if (s->id) {
		struct request *r = request_new(
			"DELETE", request_sandbox(s->id, ""), NULL);

		r->doing = xasprintf("cancel the spawn of %s", s->id);
		r->cleanup = true;
		request_send(m, r);
		fleet_remove(&m->fleet, s->id);
	}
	spawning_free(m, s);
}

void spawning_cancel_all(struct model *m)
{
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &m->spawns)
		spawning_cancel(m, list_entry(pos, struct spawning, link));
}

/* -- how far it is */

double spawning_image(const struct spawning *s, int64_t *ret_have,
		      int64_t *ret_whole)
{
	double parts = 0;
	bool known = s->layers > 0;

	*ret_have = *ret_whole = 0;
	for (int64_t i = 0; i < s->layers; i++) {
		*ret_have += s->have[i];
		*ret_whole += s->whole[i];
		known &= s->whole[i] > 0;
		if (s->whole[i])
			parts += (double)s->have[i] / (double)s->whole[i];
	}
	if (known)
		return MIN((double)*ret_have / (double)*ret_whole, 1.0);
	*ret_whole = -1;
	return s->layers ? MIN(parts / (double)s->layers, 1.0) : 0;
}

void spawning_brief(const struct spawning *s, struct buf *out)
{
	int64_t have, whole;

	switch (s->now) {
	case SPAWNING_IMAGE:
		if (s->unpacking)
			buf_addstr(out, "unpack");
		else
			buf_addf(out, "pull %.0f%%",
				 100 * spawning_image(s, &have, &whole));
		break;
	case SPAWNING_QUEUE:
		buf_addstr(out, "queue");
		break;
	case SPAWNING_SETUP:
		buf_addf(out, "setup %d/%d", (int)s->command,
			 (int)s->commands);
		break;
	default:
		buf_addstr(out, "create");
	}
}
