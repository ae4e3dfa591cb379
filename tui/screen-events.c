/* SPDX-License-Identifier: MIT */
/* Screen 7: what happened, and what happens. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "tui/event-text.h"
#include "tui/frame.h"
#include "tui/glyph.h"
#include "tui/textlog.h"

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

	if (!cJSON_IsString(type))
		return;
	event_text(m, event, &line);
	textlog_add_line(&e->text, buf_str(&line), line.len,
			 &(struct textlog_line){
				 .bad = event_is_bad(event),
				 .group = kind_of(type->valuestring),
			 });
}

static void events_view(const struct model *m, const void *state,
			struct canvas *c, struct area a)
{
	const struct events *e = state;
	struct frame_parts title = { .n = 0 }, corner = { .n = 0 };

	frame_part(&title, 0, NULL, "EVENTS");
	frame_part(&title, 2, NULL, "kind: %s " GLYPH_DOWN,
		   kinds[e->text.group]);
	textlog_view(m, &e->text, c, a, &title, &corner, true);
}

/* The sandbox that the line names, if it is still there. */
static void jump(struct model *m, const struct events *e)
{
	const struct textlog_line *l = textlog_current(&e->text);
	const char *at = l ? strstr(l->text, " sb-") : NULL;
	auto_free char *id = at ? xstrndup(at + 1, strcspn(at + 1, " ")) :
				  NULL;

	if (id && fleet_find(&m->fleet, id))
		model_open(m, id, WORKSPACE_FILES);
	else
		model_say(m, id ? "%s is gone" : "%snothing to go to",
			  id ? id : "");
}

static bool events_act(struct model *m, void *state, enum action a)
{
	struct events *e = state;

	switch (a) {
	case ACT_KIND:
		e->text.group = (e->text.group + 1) % ARRAY_SIZE(kinds);
		textlog_refilter(&e->text);
		return true;
	case ACT_OPEN:
		jump(m, e);
		return true;
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
	.settle = textlog_screen_settle,
	.context = CTX_EVENTS,
	.act = events_act,
	.input = textlog_screen_input,
	.event = events_event,
	.typing = textlog_screen_typing,
	.status = textlog_screen_status,
};
