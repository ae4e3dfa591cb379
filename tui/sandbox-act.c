/* SPDX-License-Identifier: MIT */
/* Actions on sandboxes.  See sandbox-act.h. */
#include "tui/sandbox-act.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/duration.h"
#include "lib/base/mem.h"
#include "tui/frame.h"
#include "tui/output.h"
#include "tui/screen.h"

/* Lines of a question; the rest is a number. */
#define DESCRIBED_MAX 6

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

/* -- kill */

static void killed(struct model *m, struct request *r)
{
	struct sandbox *s = fleet_find(&m->fleet, r->about);

	if (r->err.code == SVM_OK) {
		model_say(m, "killed %s", r->about);
		fleet_remove(&m->fleet, r->about);
	} else if (s) {
		s->asked = false;
	}
}

static void send_kill(struct model *m, struct sandbox *s)
{
	struct request *r = request_new("DELETE", request_sandbox(s->id, ""),
					killed);

	r->about = xstrdup(s->id);
	r->doing = xasprintf("kill %s", s->id);
	s->going_until = 0;
	s->asked = true;
	request_send(m, r);
}

struct targets {
	char **ids;
	bool grace;
};

static void targets_free(void *data)
{
	struct targets *t = data;

	strv_free(t->ids);
	free(t);
}

static void kill_confirmed(struct model *m, void *data)
{
	struct targets *t = data;

	for (char **id = t->ids; *id; id++) {
		struct sandbox *s = fleet_find(&m->fleet, *id);

		if (!s || s->asked)
			continue;
		s->marked = false;
		if (!t->grace) {
			send_kill(m, s);
			continue;
		}
		s->going_until = m->boot_ns + KILL_GRACE_NS;
		model_say(m, "killing %s in 5 s; u undoes", s->id);
	}
}

static struct targets *marked_or(struct model *m, struct sandbox *s,
				 bool alone)
{
	struct targets *t = xcalloc(1, sizeof(*t));
	size_t n = 0;

	t->ids = xcalloc(m->fleet.n + 2, sizeof(char *));
	for (size_t i = 0; !alone && i < m->fleet.n; i++)
		if (m->fleet.all[i]->marked)
			t->ids[n++] = xstrdup(m->fleet.all[i]->id);
	if (!n && s)
		t->ids[n++] = xstrdup(s->id);
	t->grace = n == 1;
	return t;
}

static void ask_kill(struct model *m, struct targets *t)
{
	size_t n = strv_len(t->ids), shown = 0;
	char *lines[DESCRIBED_MAX + 3] = { NULL };
	auto_free char *title = NULL;

	if (!n) {
		targets_free(t);
		return;
	}
	if (m->set.confirm == CONFIRM_NEVER ||
	    (m->set.confirm == CONFIRM_BULK && n == 1)) {
		kill_confirmed(m, t);
		targets_free(t);
		return;
	}
	for (; shown < MIN(n, DESCRIBED_MAX); shown++) {
		struct sandbox *s = fleet_find(&m->fleet, t->ids[shown]);
		struct buf b = BUF_INIT;

		sandbox_describe(m, s, &b);
		lines[shown] = buf_steal(&b);
	}
	if (n > shown) {
		lines[shown] = xasprintf("and %zu more", n - shown);
		shown++;
	}
	lines[shown] = xstrdup("Files inside are lost.");
	title = n == 1 ? xasprintf("KILL %s?", t->ids[0]) :
			 xasprintf("KILL %zu SANDBOXES?", n);
	confirm_ask(m, &(struct confirm){
			       .title = title,
			       .lines = (const char *const *)lines,
			       .yes = kill_confirmed,
			       .release = targets_free,
			       .data = t });
	for (size_t i = 0; lines[i]; i++)
		free(lines[i]);
}

static void undo(struct model *m, struct sandbox *selected)
{
	struct sandbox *s = selected && selected->going_until ? selected :
								NULL;

	for (size_t i = 0; !s && i < m->fleet.n; i++)
		if (m->fleet.all[i]->going_until)
			s = m->fleet.all[i];
	if (!s) {
		model_say(m, "nothing to undo");
		return;
	}
	s->going_until = 0;
	model_say(m, "%s stays", s->id);
}

void sandbox_act_tick(struct model *m)
{
	for (size_t i = 0; i < m->fleet.n; i++) {
		struct sandbox *s = m->fleet.all[i];

		if (s->going_until && m->boot_ns >= s->going_until)
			send_kill(m, s);
	}
}

int64_t sandbox_act_wake(const struct model *m)
{
	int64_t at = 0;

	for (size_t i = 0; i < m->fleet.n; i++) {
		int64_t until = m->fleet.all[i]->going_until;

		if (until && (!at || until < at))
			at = until;
	}
	return at;
}

void sandbox_act_finish(struct model *m)
{
	for (size_t i = 0; i < m->fleet.n; i++)
		if (m->fleet.all[i]->going_until)
			send_kill(m, m->fleet.all[i]);
}

/* -- extend */

static void extended(struct model *m, struct request *r)
{
	auto_json struct json_doc doc = JSON_DOC_INIT;
	cJSON *object = request_object(r, &doc);

	if (!object)
		return;
	fleet_put(&m->fleet, request_steal(&doc, object));
	model_say(m, "extended %s", r->about);
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
	struct targets *t = data;

	for (char **id = t->ids; *id; id++) {
		struct request *r = request_new(
			"POST", request_sandbox(*id, "/extend"), extended);
		struct json_writer w = json_writer(&r->body);

		json_open(&w, NULL, '{');
		json_str(&w, "ttl", ttl);
		json_close(&w, '}');
		r->has_body = true;
		r->about = xstrdup(*id);
		r->doing = xasprintf("extend %s", *id);
		request_send(m, r);
	}
}

static void ask_extend(struct model *m, struct targets *t)
{
	size_t n = strv_len(t->ids);
	auto_free char *title = n == 1 ?
		xasprintf("EXTEND %s", t->ids[0]) :
		xasprintf("EXTEND %zu SANDBOXES", n);

	if (!n) {
		targets_free(t);
		return;
	}
	prompt_open(m, &(struct prompt){ .title = title,
					 .label = "from now on",
					 .text = "30m",
					 .check = is_duration,
					 .done = extend,
					 .release = targets_free,
					 .data = t });
}

/* -- one command */

static void ran(struct model *m, struct request *r)
{
	auto_json struct json_doc doc = JSON_DOC_INIT;
	cJSON *object = request_object(r, &doc);
	auto_buf struct buf text = BUF_INIT;
	auto_free char *title = NULL;

	if (!object)
		return;
	const cJSON *code = json_get(object, "exit_code");
	const cJSON *took = json_get(object, "duration");
	const char *const streams[] = { "stdout", "stderr" };

	for (size_t i = 0; i < ARRAY_SIZE(streams); i++) {
		const cJSON *s = json_get(object, streams[i]);

		if (cJSON_IsString(s))
			buf_addstr(&text, s->valuestring);
	}
	if (cJSON_IsTrue(json_get(object, "truncated")))
		buf_addstr(&text, "\n(cut: there was more)\n");
	title = xasprintf("%s: exit %d in %s", r->about,
			  cJSON_IsNumber(code) ? code->valueint : -1,
			  cJSON_IsString(took) ? took->valuestring : "?");
	output_open(m, title, buf_str(&text));
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
	model_say(m, "running %s", command);
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
			    .check = a == ACT_EXEC ? is_given : is_port,
			    .done = a == ACT_EXEC ? exec : preview,
			    .release = free,
			    .data = xstrdup(s->id) };

	prompt_open(m, &p);
}

static void copy_json(struct model *m, const struct sandbox *s)
{
	char *text = cJSON_Print(s->json);

	if (text)
		model_copy(m, text, strlen(text), "the sandbox as JSON");
	cJSON_free(text);
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
		copy_json(m, s);
		return true;
	default:
		return false;
	}
}

bool sandbox_act(struct model *m, struct sandbox *s, enum action a)
{
	switch (a) {
	case ACT_KILL:
		ask_kill(m, marked_or(m, s, false));
		return true;
	case ACT_EXTEND:
		ask_extend(m, marked_or(m, s, false));
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
	if (a == ACT_KILL)
		ask_kill(m, marked_or(m, s, true));
	else if (a == ACT_EXTEND)
		ask_extend(m, marked_or(m, s, true));
	else
		act_on_one(m, s, a);
}
