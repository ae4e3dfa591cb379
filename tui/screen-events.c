/* SPDX-License-Identifier: MIT */
/* Screen 7: what happened, and what happens. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/client/reply.h"
#include "tui/event-text.h"
#include "tui/frame.h"
#include "tui/glyph.h"
#include "tui/objects.h"
#include "tui/textlog.h"

#define GONE_MAX 100 /* sandboxes that are no more, offered */

struct events {
	struct textlog text; /* first; its groups are of kinds[] */
};

/* How types begin; 0: all, and what none of these is. */
static const char *const kinds[] = {
	"all", "sandbox", "exec", "file", "spawn", "quota", "template",
	"image", "operation", "provider",
};

static void *events_make(struct model *m)
{
	(void)m;
	return xcalloc(1, sizeof(struct events));
}

static void events_release(struct model *m, void *state)
{
	struct events *e = state;

	(void)m;
	textlog_release(&e->text);
	free(e);
}

static size_t kind_of(const char *type)
{
	size_t n = strcspn(type, "."), i = ARRAY_SIZE(kinds) - 1;

	while (i && (strlen(kinds[i]) != n || memcmp(kinds[i], type, n) != 0))
		i--;
	return i;
}

static void events_event(struct model *m, void *state, const cJSON *event)
{
	struct events *e = state;
	auto_buf struct buf line = BUF_INIT;
	const cJSON *type = event ? json_get(event, "type") : NULL;
	const char *id = json_text(event, "sandbox_id");
	char *json;

	if (!cJSON_IsString(type))
		return;
	json = cJSON_PrintUnformatted(event);
	size_t outcome = event_text(m, event, &line);

	textlog_add_line(&e->text, buf_str(&line), line.len,
			 &(struct textlog_line){
				 .bad = event_is_bad(event),
				 .group = kind_of(type->valuestring),
				 .about = *id ? (char *)(uintptr_t)id : NULL,
				 .json = json,
				 .outcome = outcome,
			 });
	cJSON_free(json);
}

static void events_view(const struct model *m, const void *state,
			struct canvas *c, struct area a)
{
	const struct events *e = state;
	struct frame_parts title = { .n = 0 }, corner = { .n = 0 };

	frame_part(&title, 0, NULL, "EVENTS");
	frame_part(&title, e->text.group ? 2 : 6, NULL, "kind: %s " GLYPH_DOWN,
		   kinds[e->text.group]);
	frame_part(&title, e->text.about ? 2 : 5, e->text.about,
		   "sandbox: %s " GLYPH_DOWN,
		   e->text.about ? e->text.about : "all");
	textlog_view(m, &e->text, c, a, &title, &corner, true);
}

static void events_settle(struct model *m, void *state, struct area a)
{
	struct events *e = state;

	e->text.over = m->link != LINK_LIVE;
	e->text.live = e->text.over ? "waiting for the daemon" : "live";
	textlog_screen_settle(m, state, a);
}

/* -- of one sandbox */

static void show_all(struct events *e)
{
	size_t cursor = textlog_cursor(&e->text);

	free(e->text.about);
	e->text.about = NULL;
	textlog_refilter(&e->text, cursor);
}

static void chosen(struct model *m, size_t i, void *data)
{
	struct events *e = m->state[SCREEN_EVENTS];
	char **ids = data;

	show_all(e);
	if (i)
		e->text.about = xstrdup(ids[i]);
}

static void free_ids(void *data)
{
	strv_free(data);
}

static bool has(char *const *ids, size_t n, const char *id)
{
	while (n)
		if (strcmp(ids[--n], id) == 0)
			return true;
	return false;
}

/* Those there are, and those that are gone, as long as one tells of them. */
static size_t list_ids(const struct model *m, const struct events *e,
		       char **ids, char **labels)
{
	size_t n = 0;

	ids[n] = xstrdup("");
	labels[n++] = xstrdup("all");
	for (size_t i = 0; i < m->fleet.n; i++) {
		const struct sandbox *s = m->fleet.all[i];

		ids[n] = xstrdup(s->id);
		labels[n++] = xasprintf("%s %s %s", s->id, s->name, s->image);
	}
	for (size_t i = e->text.n; i-- && n < m->fleet.n + 1 + GONE_MAX;) {
		const char *id = textlog_line(&e->text, i)->about;

		if (!id || has(ids, n, id))
			continue;
		ids[n] = xstrdup(id);
		labels[n++] = xasprintf("%s (gone)", id);
	}
	return n;
}

static void choose(struct model *m, const struct events *e)
{
	size_t room = m->fleet.n + 2 + GONE_MAX, n;
	char **ids = xcalloc(room, sizeof(*ids));
	char **labels = xcalloc(room, sizeof(*labels));
	const struct textlog_line *here = textlog_current(&e->text);
	const char *now = e->text.about ? e->text.about :
			  here ? here->about : NULL;

	n = list_ids(m, e, ids, labels);
	struct menu_item *items = xcalloc(n, sizeof(*items));

	for (size_t i = 0; i < n; i++) {
		items[i].label = labels[i];
		items[i].begin = now && strcmp(ids[i], now) == 0;
	}
	menu_open(m, "EVENTS OF", items, n, chosen, ids, free_ids);
	free(items);
	strv_free(labels);
}

/* -- to what it is about */

/* Of templates and providers: their screen, and which it is. */
static bool jump_to_object(struct model *m, const cJSON *event)
{
	static const struct {
		const char *kind, *member;
		enum screen_id screen;
	} kinds_of[] = {
		{ "template.", "name", SCREEN_TEMPLATES },
		{ "provider.", "provider", SCREEN_PROVIDERS },
	};
	const char *type = json_text(event, "type");
	const cJSON *data = json_get(event, "data");

	for (size_t i = 0; i < ARRAY_SIZE(kinds_of); i++) {
		const char *name = json_text(data, kinds_of[i].member);

		if (strncmp(type, kinds_of[i].kind,
			    strlen(kinds_of[i].kind)) != 0 || !*name)
			continue;
		objects_choose(m->state[kinds_of[i].screen], name);
		model_show(m, kinds_of[i].screen);
		return true;
	}
	return false;
}

static void jump(struct model *m, const struct events *e)
{
	const struct textlog_line *l = textlog_current(&e->text);
	auto_json struct json_doc doc = JSON_DOC_INIT;
	auto_err struct svm_err bad = SVM_ERR_INIT;
	cJSON *event;

	if (l && l->about && fleet_find(&m->fleet, l->about))
		model_open(m, l->about, WORKSPACE_FILES);
	else if (l && l->about)
		model_say(m, "%s is gone", l->about);
	else if (!l || !l->json ||
		 reply_parse(&doc, l->json, strlen(l->json), &event, &bad) < 0 ||
		 !jump_to_object(m, event))
		model_say(m, "nothing to go to");
}

static bool back(struct model *m, struct events *e)
{
	if (textlog_act(m, &e->text, ACT_BACK))
		return true;
	if (!e->text.group && !e->text.about)
		return false;
	e->text.group = 0;
	show_all(e);
	return true;
}

static bool events_act(struct model *m, void *state, enum action a)
{
	struct events *e = state;
	size_t cursor = textlog_cursor(&e->text);

	switch (a) {
	case ACT_KIND:
		e->text.group = (e->text.group + 1) % ARRAY_SIZE(kinds);
		textlog_refilter(&e->text, cursor);
		return true;
	case ACT_SOURCE:
		choose(m, e);
		return true;
	case ACT_OPEN:
		jump(m, e);
		return true;
	case ACT_BACK:
		return back(m, e);
	default:
		return textlog_act(m, &e->text, a);
	}
}

const struct screen screen_events = {
	.name = "events",
	.title = "EVENTS",
	.make = events_make,
	.release = events_release,
	.view = events_view,
	.settle = events_settle,
	.context = CTX_EVENTS,
	.act = events_act,
	.input = textlog_screen_input,
	.event = events_event,
	.typing = textlog_screen_typing,
	.status = textlog_screen_status,
	.empty = textlog_screen_empty,
};
