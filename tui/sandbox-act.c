/* SPDX-License-Identifier: MIT */
/* Actions on sandboxes.  See sandbox-act.h. */
#include "tui/label-undo.h"
#include "tui/sandbox-act.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/duration.h"
#include "lib/base/mem.h"
#include "tui/batch.h"
#include "tui/event-text.h"
#include "tui/frame.h"
#include "tui/output.h"
#include "tui/sandbox-bulk.h"
#include "tui/screen.h"

void sandbox_describe(const struct model *m, const struct sandbox *s,
		      struct buf *out)
{
	char left[FRAME_TIME_SIZE];

	buf_addf(out, "%s (%s%s%s", s->id, s->name, *s->name ? ", " : "",
		 s->image);
	if (s->expires_ns) {
		frame_left(s->expires_ns - m->wall_ns, left);
		buf_addf(out, ", %s left", left);
	}
	buf_addch(out, ')');
}

/* -- extend */

struct extension {
	char *ttl;
	char **ids;
	size_t n_less; /* that got less than was asked for */
	char left[FRAME_TIME_SIZE]; /* of the last of them */
};

static void extension_free(void *data)
{
	struct extension *e = data;

	strv_free(e->ids);
	free(e->ttl);
	free(e);
}

static struct request *make_extend(struct model *m, const char *id,
				   void *data, struct svm_err *err)
{
	const struct extension *e = data;
	struct request *r = request_new("POST",
					request_sandbox(id, "/extend"), NULL);
	struct json_writer w = json_writer(&r->body);

	(void)m, (void)err;
	json_open(&w, NULL, '{');
	json_str(&w, "ttl", e->ttl);
	json_close(&w, '}');
	r->has_body = true;
	r->doing = xasprintf("extend %s", id);
	return r;
}

void sandbox_answered(struct model *m, struct request *r, void *data,
		      struct buf *report)
{
	auto_json struct json_doc doc = JSON_DOC_INIT;
	cJSON *object = request_object(r, &doc);

	(void)data, (void)report;
	if (object)
		fleet_put(&m->fleet, request_steal(&doc, object));
}

/* The daemon gives what it may. */
static void extended(struct model *m, struct request *r, void *data,
		     struct buf *report)
{
	struct extension *e = data;
	const struct sandbox *s;
	int64_t asked;

	sandbox_answered(m, r, NULL, report);
	s = r->err.code == SVM_OK ? fleet_find(&m->fleet, r->about) : NULL;
	if (!s || !s->expires_ns || duration_parse(e->ttl, &asked) < 0 ||
	    !duration_is_less(s->expires_ns - m->wall_ns, asked))
		return;
	e->n_less++;
	frame_left(s->expires_ns - m->wall_ns, e->left);
}

static void tell_less(const void *data, struct buf *say)
{
	const struct extension *e = data;

	if (e->n_less == 1)
		buf_addf(say, "; only %s left", e->left);
	else if (e->n_less)
		buf_addf(say, "; %zu got less", e->n_less);
	if (e->n_less)
		buf_addstr(say, ": no sandbox lives longer (defaults.max_ttl)");
}

static bool is_duration(const char *text, struct svm_err *err)
{
	int64_t ns;

	if (duration_parse(text, &ns) == 0 && ns > 0)
		return true;
	svm_err_set(err, SVM_BAD_REQUEST, "not a duration: 30m, 1h30m, 90s");
	return false;
}

static void extend(struct model *m, const char *ttl, void *data)
{
	struct extension *asked = data;
	struct extension *e = xcalloc(1, sizeof(*e));

	e->ttl = xstrdup(ttl);
	batch_start(m, &(struct batch){ .doing = "extending",
					.done = "extended",
					.make = make_extend,
					.each = extended,
					.then = tell_less,
					.data = e,
					.release = extension_free },
		    steal_ptr(&asked->ids));
}

static void ask_extend(struct model *m, char **ids)
{
	size_t n = strv_len(ids);
	auto_free char *title = n == 1 ?
		xasprintf("EXTEND %s", ids[0]) :
		xasprintf("EXTEND %zu SANDBOXES", n);
	struct extension *e = xcalloc(1, sizeof(*e));

	e->ids = ids;
	if (!n) {
		extension_free(e);
		return;
	}
	prompt_open(m, &(struct prompt){ .title = title,
					 .label = "from now on",
					 .text = "30m",
					 .past = PAST_DURATION,
					 .check = is_duration,
					 .done = extend,
					 .release = extension_free,
					 .data = e });
}

/* -- one command */

static void ran(struct model *m, struct request *r)
{
	auto_json struct json_doc doc = JSON_DOC_INIT;
	cJSON *object = request_object(r, &doc);
	auto_buf struct buf text = BUF_INIT, title = BUF_INIT;

	if (!object)
		return;
	const cJSON *code = json_get(object, "exit_code");
	const char *const streams[] = { "stdout", "stderr" };

	for (size_t i = 0; i < ARRAY_SIZE(streams); i++) {
		const cJSON *s = json_get(object, streams[i]);

		if (cJSON_IsString(s))
			buf_addstr(&text, s->valuestring);
	}
	if (cJSON_IsTrue(json_get(object, "truncated")))
		buf_addstr(&text, "\n(cut: there was more)\n");
	buf_addf(&title, "%s: exit %d", r->about,
		 cJSON_IsNumber(code) ? code->valueint : -1);
	event_took(json_get(object, "duration"), &title);
	output_open(m, buf_str(&title), buf_str(&text));
}

static void exec(struct model *m, const char *command, void *data)
{
	const char *id = data;
	struct request *r = request_new("POST", request_sandbox(id, "/exec"),
					ran);
	struct json_writer w = json_writer(&r->body);

	json_open(&w, NULL, '{');
	json_str(&w, "command", command);
	json_close(&w, '}');
	r->has_body = true;
	r->about = xstrdup(id);
	r->doing = xasprintf("exec in %s", id);
	request_send(m, r);
	model_hint(m, "running %s", command);
}

static bool is_given(const char *text, struct svm_err *err)
{
	if (*text)
		return true;
	svm_err_set(err, SVM_BAD_REQUEST, "a command is needed");
	return false;
}

/* -- preview */

static void previewed(struct model *m, struct request *r)
{
	auto_json struct json_doc doc = JSON_DOC_INIT;
	cJSON *object = request_object(r, &doc);
	const cJSON *url = object ? json_get(object, "url") : NULL;

	if (cJSON_IsString(url))
		model_copy(m, url->valuestring, strlen(url->valuestring),
			   url->valuestring);
}

static void preview(struct model *m, const char *port, void *data)
{
	auto_free char *rest = xasprintf("/preview?port=%s", port);
	struct request *r = request_new("GET", request_sandbox(data, rest),
					previewed);

	r->doing = xasprintf("preview %s", (const char *)data);
	request_send(m, r);
}

static bool is_port(const char *text, struct svm_err *err)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (*text >= '0' && *text <= '9' && !*end && n >= 1 && n <= 65535)
		return true;
	svm_err_set(err, SVM_BAD_REQUEST, "a port is a number, 1 to 65535");
	return false;
}

/* -- all of them */

static void ask_line(struct model *m, const struct sandbox *s,
		     enum action a)
{
	auto_free char *title = xasprintf(
		"%s %s", a == ACT_EXEC ? "RUN IN" : "PREVIEW", s->id);
	struct prompt p = { .title = title,
			    .label = a == ACT_EXEC ? "command" : "port",
			    .text = a == ACT_EXEC ? "" : "3000",
			    .past = a == ACT_EXEC ? PAST_EXEC : PAST_PORT,
			    .check = a == ACT_EXEC ? is_given : is_port,
			    .done = a == ACT_EXEC ? exec : preview,
			    .release = free,
			    .data = xstrdup(s->id) };

	prompt_open(m, &p);
}

static bool act_on_one(struct model *m, struct sandbox *s, enum action a)
{
	switch (a) {
	case ACT_OPEN:
	case ACT_FILES:
		model_open(m, s->id, WORKSPACE_FILES);
		return true;
	case ACT_TERMINAL:
		model_open(m, s->id, WORKSPACE_TERMINAL);
		return true;
	case ACT_TERMINAL_NEW:
		model_open(m, s->id, WORKSPACE_NEW_TERMINAL);
		return true;
	case ACT_SANDBOX_LOGS:
		model_logs(m, s->id);
		return true;
	case ACT_EXEC:
	case ACT_PREVIEW:
		ask_line(m, s, a);
		return true;
	case ACT_COPY:
		model_copy(m, s->id, strlen(s->id), s->id);
		return true;
	case ACT_COPY_JSON:
		model_copy_json(m, s->json, "the sandbox as JSON");
		return true;
	default:
		return false;
	}
}

bool sandbox_act_many(struct model *m, char **ids, enum action a)
{
	switch (a) {
	case ACT_KILL:
		sandbox_kill_ask(m, ids);
		return true;
	case ACT_EXTEND:
		ask_extend(m, ids);
		return true;
	case ACT_LABEL:
		label_open(m, ids);
		return true;
	case ACT_EXPORT:
		sandbox_export_ask(m, ids);
		return true;
	default:
		strv_free(ids);
		return false;
	}
}

/* What would come first is what can't be undone later. */
static void undo(struct model *m, const struct sandbox *s)
{
	if (sandbox_kill_undo(m, s))
		return;
	if (m->label_undo && model_refuses(m, ACT_LABEL))
		return;
	if (!label_undo(m))
		model_say(m, "nothing to undo");
}

bool sandbox_act(struct model *m, struct sandbox *s, enum action a)
{
	if (batch_takes_marked(a))
		return sandbox_act_many(m, batch_targets(m, s, false), a);
	switch (a) {
	case ACT_MERGE:
		model_logs_marked(m);
		return true;
	case ACT_BULK:
		sandbox_bulk_menu(m);
		return true;
	case ACT_UNDO:
		undo(m, s);
		return true;
	case ACT_SPAWN:
		spawn_open(m, NULL);
		return true;
	case ACT_MENU:
		menu_actions(m, s ? s->id : "SANDBOXES",
			     (const enum context[]){ CTX_SANDBOXES,
						     CTX_NONE });
		return true;
	default:
		return s && act_on_one(m, s, a);
	}
}

void sandbox_act_alone(struct model *m, struct sandbox *s, enum action a)
{
	if (!sandbox_act_many(m, batch_targets(m, s, true), a))
		act_on_one(m, s, a);
}
