/* SPDX-License-Identifier: MIT */
/* Screen 5: what the commands of a sandbox write, or of several. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/client/reply.h"
#include "tui/fleet-table.h"
#include "tui/frame.h"
#include "tui/textlog.h"

#define SOURCES_MAX 16

struct source {
	struct logs *logs;
	char *id;
	struct stream *stream;
};

struct logs {
	struct textlog text;
	struct source *sources[SOURCES_MAX];
	size_t n;
};

static void *logs_make(struct model *m)
{
	(void)m;
	return xcalloc(1, sizeof(struct logs));
}

static void close_sources(struct model *m, struct logs *g)
{
	for (size_t i = 0; i < g->n; i++) {
		stream_close(m, g->sources[i]->stream);
		free(g->sources[i]->id);
		free(g->sources[i]);
	}
	g->n = 0;
}

static void logs_release(struct model *m, void *state)
{
	struct logs *g = state;

	close_sources(m, g);
	textlog_release(&g->text);
	free(g);
}

/* A JSON string, or an object with the line and its stream. */
static void log_line(struct model *m, struct stream *s, const char *text,
		     size_t n)
{
	struct source *from = s->data;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	auto_err struct svm_err err = SVM_ERR_INIT;
	const cJSON *stream = NULL, *line;
	cJSON *v;

	(void)m;
	if (!from || reply_parse(&doc, text, n, &v, &err) < 0)
		return;
	line = v;
	if (cJSON_IsObject(v)) {
		stream = json_get(v, "stream");
		line = json_get(v, "line");
		line = line ? line : json_get(v, "data");
	}
	if (cJSON_IsString(line))
		textlog_add(&from->logs->text, line->valuestring,
			    strlen(line->valuestring),
			    from->logs->n > 1 ? from->id : NULL,
			    cJSON_IsString(stream) &&
				    strcmp(stream->valuestring, "stderr") ==
					    0);
}

static void add_source(struct model *m, struct logs *g, const char *id)
{
	struct source *s;

	if (g->n == SOURCES_MAX)
		return;
	s = xcalloc(1, sizeof(*s));
	s->logs = g;
	s->id = xstrdup(id);
	s->stream = stream_open(
		m, request_sandbox(id, "/logs?lines=1000&follow=true"),
		false, log_line);
	s->stream->once = true;
	s->stream->data = s;
	g->sources[g->n++] = s;
}

void model_logs(struct model *m, const char *id)
{
	struct logs *g = m->state[SCREEN_LOGS];
	auto_free char *wanted = xstrdup(id);

	if (g->n != 1 || strcmp(g->sources[0]->id, wanted) != 0) {
		close_sources(m, g);
		textlog_clear(&g->text);
		g->text.paused = false;
		add_source(m, g, wanted);
	}
	model_show(m, SCREEN_LOGS);
}

/* Without a source: the newest that runs. */
static void logs_enter(struct model *m, void *state)
{
	struct logs *g = state;

	for (size_t i = 0; !g->n && i < m->fleet.n; i++)
		if (sandbox_is(m->fleet.all[i], "running"))
			add_source(m, g, m->fleet.all[i]->id);
}

static void logs_title(const struct logs *g, struct buf *out)
{
	buf_addstr(out, "LOGS");
	for (size_t i = 0; i < g->n && i < 4; i++)
		buf_addf(out, "  %s", g->sources[i]->id);
	if (g->n > 4)
		buf_addf(out, " and %zu more", g->n - 4);
	if (!g->n)
		buf_addstr(out, "  i chooses a sandbox");
}

static void logs_view(const struct model *m, const void *state,
		      struct canvas *c, struct area a)
{
	const struct logs *g = state;
	auto_buf struct buf title = BUF_INIT;

	logs_title(g, &title);
	textlog_view(m, &g->text, c, a, buf_str(&title), true);
}

static void logs_settle(struct model *m, void *state, struct area a)
{
	struct logs *g = state;

	(void)m;
	a.rows -= 2;
	a.cols -= 2;
	textlog_settle(&g->text, a);
}

static void logs_contexts(const struct model *m, const void *state,
			  enum context ret[CONTEXT_CHAIN], bool *alone)
{
	(void)m, (void)state, (void)alone;
	ret[0] = CTX_LOGS;
	ret[1] = CTX_LIST;
}

static void chosen(struct model *m, size_t i, void *data)
{
	char **ids = data;

	model_logs(m, ids[i]);
}

static void free_ids(void *data)
{
	strv_free(data);
}

static void choose(struct model *m)
{
	struct menu_item *items;
	char **ids = xcalloc(m->fleet.n + 1, sizeof(*ids));
	char **labels = xcalloc(m->fleet.n + 1, sizeof(*labels));

	items = xcalloc(m->fleet.n + 1, sizeof(*items));
	for (size_t i = 0; i < m->fleet.n; i++) {
		const struct sandbox *s = m->fleet.all[i];

		ids[i] = xstrdup(s->id);
		labels[i] = xasprintf("%s %s %s", s->id, s->name, s->image);
		items[i].label = labels[i];
	}
	menu_open(m, "LOGS OF", items, m->fleet.n, chosen, ids, free_ids);
	free(items);
	strv_free(labels);
}

static void merge(struct model *m, struct logs *g)
{
	size_t marked = 0;

	for (size_t i = 0; i < m->fleet.n; i++)
		marked += m->fleet.all[i]->marked;
	if (!marked) {
		model_say(m, "mark sandboxes first, with Space in their list");
		return;
	}
	close_sources(m, g);
	textlog_clear(&g->text);
	for (size_t i = 0; i < m->fleet.n; i++)
		if (m->fleet.all[i]->marked)
			add_source(m, g, m->fleet.all[i]->id);
}

static void save(struct model *m, const char *path, void *data)
{
	struct logs *g = data;

	textlog_save(m, &g->text, path);
}

static bool logs_act(struct model *m, void *state, enum action a)
{
	struct logs *g = state;

	switch (a) {
	case ACT_SOURCE:
		choose(m);
		return true;
	case ACT_MERGE:
		merge(m, g);
		return true;
	case ACT_SAVE:
		prompt_open(m, &(struct prompt){
				       .title = "SAVE LOGS",
				       .label = "local file",
				       .text = g->n ? g->sources[0]->id : "",
				       .done = save,
				       .data = g });
		return true;
	case ACT_OPEN:
		if (g->n)
			model_open(m, g->sources[0]->id, WORKSPACE_FILES);
		return true;
	default:
		return textlog_act(m, &g->text, a);
	}
}

static bool logs_input(struct model *m, void *state,
		       const struct input_event *ev)
{
	struct logs *g = state;

	return textlog_input(m, &g->text, ev);
}

static const struct field *logs_typing(const struct model *m,
				       const void *state,
				       const char **ret_label)
{
	const struct logs *g = state;

	(void)m;
	return textlog_typing(&g->text, ret_label);
}

static void logs_status(const struct model *m, const void *state,
			struct buf *out)
{
	const struct logs *g = state;

	(void)m;
	textlog_status(&g->text, out);
}

const struct screen screen_logs = {
	.name = "logs",
	.title = "LOGS",
	.make = logs_make,
	.release = logs_release,
	.enter = logs_enter,
	.view = logs_view,
	.settle = logs_settle,
	.contexts = logs_contexts,
	.act = logs_act,
	.input = logs_input,
	.typing = logs_typing,
	.status = logs_status,
};
