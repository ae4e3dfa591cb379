/* SPDX-License-Identifier: MIT */
/* Details of a sandbox.  See inspect.h. */
#include "tui/inspect.h"

#include <stdlib.h>
#include <string.h>

#include "lib/api/limits.h"
#include "lib/base/mem.h"
#include "lib/client/reply.h"
#include "tui/facts.h"
#include "tui/frame.h"

#define LOG_KEPT 200

static const char *const tabs[INSPECT_MAX] = { "Info", "Stats", "Logs",
					       "Net", "Posture", "JSON" };

/* -- logs */

static void forget_log(struct model *m, struct inspect *x)
{
	stream_close(m, x->stream);
	x->stream = NULL;
	for (size_t i = 0; i < x->n_log; i++)
		free(x->log[i]);
	free(x->log);
	x->log = NULL;
	x->n_log = 0;
	free(x->id);
	x->id = NULL;
}

void inspect_release(struct model *m, struct inspect *x)
{
	forget_log(m, x);
}

void inspect_leave(struct model *m, struct inspect *x)
{
	forget_log(m, x);
}

/* A line is {"line": "..."}, or a string. */
static void log_line(struct model *m, struct stream *s, const char *text,
		     size_t n)
{
	struct inspect *x = s->data;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	auto_err struct svm_err err = SVM_ERR_INIT;
	cJSON *v;

	(void)m;
	if (!x || reply_parse(&doc, text, n, &v, &err) < 0)
		return;
	if (cJSON_IsObject(v))
		v = cJSON_GetObjectItemCaseSensitive(v, "data");
	if (!cJSON_IsString(v))
		return;
	if (x->n_log == LOG_KEPT) {
		free(x->log[0]);
		memmove(x->log, x->log + 1, --x->n_log * sizeof(char *));
	}
	x->log = xreallocarray(x->log, x->n_log + 1, sizeof(char *));
	x->log[x->n_log++] = xstrndup(v->valuestring, LIMIT_TUI_LINE_KEPT);
}

static void follow(struct model *m, struct inspect *x,
		   const struct sandbox *s)
{
	bool wanted = s && x->tab == INSPECT_LOGS;

	if (x->id && (!wanted || strcmp(x->id, s->id) != 0))
		forget_log(m, x);
	if (!wanted || x->id)
		return;
	x->id = xstrdup(s->id);
	x->stream = stream_open(m, request_sandbox(s->id,
						   "/logs?lines=200&"
						   "follow=true"),
				false, log_line);
	x->stream->once = true;
	x->stream->data = x;
}

/* -- lines of a tab, in the order they are drawn */

static void metadata(struct facts *p, const struct sandbox *s)
{
	const cJSON *member;
	bool first = true;

	cJSON_ArrayForEach(member, json_get(s->json, "metadata")) {
		auto_free char *text = NULL;

		if (!cJSON_IsString(member) || !member->string)
			continue;
		text = xasprintf("%s=%s", member->string,
				 member->valuestring);
		facts_pair(p, first ? "metadata" : "", text);
		first = false;
	}
}

static void meter(struct facts *p, const char *label, double part,
		  const char *text)
{
	int row = facts_row(p);
	int width = MIN(16, p->a.cols - 34);

	if (row < 0)
		return;
	canvas_text(p->c, row, p->a.col + 1, 10, pen_role(ROLE_DIM), label);
	width = width > 3 ? width : 0;
	frame_bar(p->m, p->c, row, p->a.col + FACTS_LABEL, width, part,
		  pen_role(part > 0.9 ? ROLE_BAD : ROLE_OK));
	width += width > 0;
	canvas_text(p->c, row, p->a.col + FACTS_LABEL + width,
		    p->a.cols - FACTS_LABEL - width, pen_role(ROLE_VALUE),
		    text);
}

static void meters(struct facts *p, const struct sandbox *s)
{
	char used[FRAME_TIME_SIZE], most[FRAME_TIME_SIZE];
	auto_free char *cpu = NULL, *mem = NULL;

	if (!s->has_stats)
		return;
	cpu = s->has_cpu ? xasprintf("%.0f%% of %ld vCPU", s->cpu_pct,
				     s->vcpus) :
			   xasprintf("- of %ld vCPU", s->vcpus);
	meter(p, "cpu", s->cpu_pct / 100 / (double)MAX(s->vcpus, 1), cpu);
	frame_bytes(s->mem, used);
	frame_bytes(s->mem_limit, most);
	/* What its disk, which is memory, has left is no limit's. */
	mem = xasprintf("%s of %s%s", used, most,
			s->mem_limit && s->mem > s->mem_limit ?
				" + its disk" : "");
	meter(p, "memory",
	      s->mem_limit ? (double)s->mem / (double)s->mem_limit : 0, mem);
}

/* "* running  since 11:55:00" */
static void state(struct facts *p, const struct sandbox *s)
{
	enum theme_role role;
	const char *symbol = frame_state(p->m, s->state, &role);
	char when[FRAME_CLOCK_SIZE];
	auto_free char *text = NULL;

	if (sandbox_is(s, "running") && s->created_ns) {
		frame_clock(p->m, s->created_ns, when);
		text = xasprintf("%s %s  since %s", symbol, s->state, when);
	} else {
		text = xasprintf("%s %s", symbol, s->state);
	}
	facts_pair_role(p, role, "state", text);
	if (!sandbox_is(s, "running"))
		facts_when(p, "created", s->created_ns);
}

/* The key that does something about it; "" when it can't be pressed. */
static char *hint(const struct model *m, enum action a, const char *what)
{
	enum context chain[CONTEXT_CHAIN];
	char key[KEY_NAME_MAX];

	update_screen_contexts(m, chain);
	keymap_key(m->keymap, chain, a, key);
	return *key && !m->read_only ? xasprintf("%s %s", key, what) :
				       xstrdup("");
}

static void times(struct facts *p, const struct sandbox *s)
{
	auto_free char *text = NULL, *extend = NULL;
	char left[FRAME_TIME_SIZE];

	if (!s->expires_ns)
		return;
	frame_left(s->expires_ns - p->m->wall_ns, left);
	extend = hint(p->m, ACT_EXTEND, "extend");
	text = xasprintf("%s left%s%s", left, *extend ? "   " : "",
			 extend);
	facts_pair(p, "ttl", text);
	facts_when(p, "expires", s->expires_ns);
}

/* Where a port of it is reached; without a domain nowhere. */
static char *address(const struct sandbox *s)
{
	const cJSON *domain = json_get(s->json, "preview_domain");

	return cJSON_IsString(domain) ? xasprintf("http://PORT-%s.%s", s->id,
						  domain->valuestring) :
					NULL;
}

static void tab_info(struct facts *p, const struct sandbox *s)
{
	auto_free char *size = xasprintf("%ld MiB, %ld vCPU%s", s->memory_mb,
					 s->vcpus, s->vcpus == 1 ? "" : "s");
	auto_free char *ports = address(s);

	facts_pair(p, "id", s->id);
	facts_pair(p, "name", s->name);
	state(p, s);
	facts_pair(p, "problem", json_text(s->json, "reason"));
	facts_pair(p, "image", s->image);
	facts_pair(p, "template", s->template);
	facts_pair(p, "provider", s->provider);
	times(p, s);
	meters(p, s);
	facts_pair(p, "size", size);
	facts_pair(p, "network", s->network);
	facts_pair(p, "owner", s->owner);
	facts_pair(p, "ports", ports ? ports : "");
	metadata(p, s);
}

static void tab_net(struct facts *p, const struct sandbox *s)
{
	static const struct {
		const char *network, *text;
	} modes[] = {
		{ "none", "its own loopback, and nothing beyond" },
		{ "bridge", "what this machine's network lets through" },
		{ "allow", "the hosts it was allowed when it was spawned" },
	};
	const cJSON *own = json_get(json_get(s->json, "posture"),
				    "network_namespace");
	auto_free char *ports = address(s), *ask = NULL, *line = NULL;

	facts_pair(p, "network", s->network);
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++)
		if (strcmp(modes[i].network, s->network) == 0 &&
		    !cJSON_IsFalse(own))
			facts_pair(p, "reaches", modes[i].text);
	if (cJSON_IsBool(own))
		facts_pair_role(p, cJSON_IsTrue(own) ? ROLE_INK : ROLE_BAD,
				"namespace", cJSON_IsTrue(own) ?
				"its own" : "SHARED with this machine");
	if (!ports) {
		facts_pair(p, "ports", "none is reached from outside: the "
				       "daemon listens on no TCP port");
		return;
	}
	ask = hint(p->m, ACT_PREVIEW, "makes it for a port");
	facts_pair(p, "ports", ports);
	facts_pair(p, "", ask);
	line = xasprintf("stacyvm preview %s PORT", s->id);
	facts_pair(p, "command", line);
}

static void tab_stats(struct facts *p, const struct sandbox *s)
{
	auto_free char *pids = NULL;
	char used[FRAME_TIME_SIZE];
	int row;

	if (!s->has_stats) {
		facts_plain(p, ROLE_DIM, "no figures of this sandbox");
		return;
	}
	meters(p, s);
	pids = xasprintf("%lld", (long long)s->pids);
	facts_pair(p, "processes", pids);
	frame_bytes(s->disk, used);
	facts_pair(p, "disk", used);
	row = p->m->set.motion ? facts_row(p) : -1;
	if (row >= 0) {
		canvas_text(p->c, row, p->a.col + 1, 10, pen_role(ROLE_DIM),
			    "cpu lately");
		frame_spark(p->m, p->c, row, p->a.col + 12,
			    MIN(FLEET_SAMPLES, p->a.cols - 13),
			    s->cpu_samples, s->n_samples,
			    pen_role(ROLE_VALUE));
	}
}

static void tab_posture(struct facts *p, const cJSON *posture)
{
	if (cJSON_IsObject(posture))
		facts_object(p, posture);
	else
		facts_plain(p, ROLE_DIM, "this provider tells nothing");
}

static void tab_json(struct facts *p, const cJSON *value)
{
	char *text = cJSON_Print(value);
	char *rest = NULL;

	if (!text)
		return;
	for (char *l = strtok_r(text, "\n", &rest); l;
	     l = strtok_r(NULL, "\n", &rest)) {
		auto_buf struct buf line = BUF_INIT;

		/* Tabs indent, and follow the colon of a key. */
		for (; *l == '\t'; l++)
			buf_addstr(&line, "  ");
		for (; *l; l++)
			buf_addch(&line, *l == '\t' ? ' ' : *l);
		facts_plain(p, ROLE_INK, buf_str(&line));
	}
	cJSON_free(text);
}

static void tab_logs(struct facts *p, const struct inspect *x)
{
	if (!x->n_log)
		facts_plain(p, ROLE_DIM, "nothing written yet");
	for (size_t i = 0; i < x->n_log; i++)
		facts_plain(p, ROLE_INK, x->log[i]);
}

static size_t draw(const struct model *m, const struct inspect *x,
		   const struct sandbox *s, struct canvas *c, struct area a)
{
	struct facts p = { m, c, a, x->top, 0 };

	if (!s)
		facts_plain(&p, ROLE_DIM, "nothing selected");
	else if (x->tab == INSPECT_INFO)
		tab_info(&p, s);
	else if (x->tab == INSPECT_STATS)
		tab_stats(&p, s);
	else if (x->tab == INSPECT_LOGS)
		tab_logs(&p, x);
	else if (x->tab == INSPECT_NET)
		tab_net(&p, s);
	else if (x->tab == INSPECT_POSTURE)
		tab_posture(&p, json_get(s->json, "posture"));
	else
		tab_json(&p, s->json);
	return p.line;
}

void inspect_settle(struct model *m, struct inspect *x,
		    const struct sandbox *s, struct area inside)
{
	size_t before = x->lines, most;
	bool at_end = x->top + x->height >= before;

	follow(m, x, s);
	x->lines = draw(m, x, s, NULL, inside);
	x->height = (size_t)MAX(inside.rows, 1);
	most = x->lines > x->height ? x->lines - x->height : 0;
	if (x->tab == INSPECT_LOGS && at_end)
		x->top = most;
	x->top = MIN(x->top, most);
}

/* "< Logs  [Net]  Posture >": from one tab to another. */
static void add_tabs(struct buf *out, size_t from, size_t to, size_t active)
{
	buf_addstr(out, from ? "< " : "");
	for (size_t i = from; i <= to; i++)
		buf_addf(out, i == active ? "%s[%s]" : "%s%s",
			 i > from ? "  " : "", tabs[i]);
	buf_addstr(out, to < INSPECT_MAX - 1 ? " >" : "");
}

static bool tabs_fit(size_t from, size_t to, size_t active, int room)
{
	auto_buf struct buf text = BUF_INIT;

	add_tabs(&text, from, to, active);
	return (int)text.len <= room;
}

/* As many as there is room for, the one that is shown among them. */
static void title_of_tabs(const struct inspect *x, int room, struct buf *out)
{
	size_t from = x->tab, to = x->tab;

	for (;;) {
		if (to + 1 < INSPECT_MAX && tabs_fit(from, to + 1, x->tab, room))
			to++;
		else if (from && tabs_fit(from - 1, to, x->tab, room))
			from--;
		else
			break;
	}
	add_tabs(out, from, to, x->tab);
}

void inspect_view(const struct model *m, const struct inspect *x,
		  const struct sandbox *s, struct canvas *c, struct area a,
		  bool focused)
{
	auto_buf struct buf title = BUF_INIT;

	title_of_tabs(x, a.cols - 4, &title);
	/* The tabs are what can't be seen elsewhere. */
	if ((int)title.len + (int)strlen(s ? s->id : "") + 6 <= a.cols) {
		auto_buf struct buf tail = title;

		title = (struct buf)BUF_INIT;
		buf_addf(&title, "%s  %s", s ? s->id : "DETAILS",
			 buf_str(&tail));
	}
	struct area in = frame_pane(c, a, buf_str(&title), focused);

	draw(m, x, s, c, in);
	if (focused && !m->dialog)
		canvas_cursor(c, in.row, in.col);
}

bool inspect_act(struct inspect *x, enum action a, bool focused)
{
	struct list_pos pos = { x->top, 0, 0, x->height };

	if (a == ACT_NEXT_TAB || a == ACT_PREV_TAB) {
		x->tab = (x->tab + (a == ACT_NEXT_TAB ? 1 : INSPECT_MAX - 1)) %
			 INSPECT_MAX;
		x->top = x->lines = 0;
		return true;
	}
	if (!focused)
		return false;
	/* It has no selection: the first line shown is where one is. */
	pos.n = x->lines > x->height ? x->lines - x->height + 1 : 1;
	if (!list_act(&pos, a))
		return false;
	x->top = pos.at;
	return true;
}
