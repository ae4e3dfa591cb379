/* SPDX-License-Identifier: MIT */
/* Screen 6: every setting of the daemon, and where each comes from. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/api/dirs.h"
#include "lib/base/mem.h"
#include "lib/base/path.h"
#include "tui/objects.h"

struct settings {
	struct objects list;
	cJSON *all; /* an array of {name, value, origin} */
};

static void *config_make(struct model *m)
{
	(void)m;
	return xcalloc(1, sizeof(struct settings));
}

static void config_release(struct model *m, void *state)
{
	struct settings *s = state;

	(void)m;
	objects_release(&s->list);
	cJSON_Delete(s->all);
	free(s);
}

/* {"server.port": {"value": 7423, "origin": "default"}} and so on. */
static void arrived(struct model *m, struct request *r)
{
	struct settings *s = m->state[SCREEN_CONFIG];
	auto_json struct json_doc doc = JSON_DOC_INIT;
	cJSON *object = request_object(r, &doc), *member;

	if (!object)
		return;
	cJSON_Delete(s->all);
	s->all = cJSON_CreateArray();
	while ((member = cJSON_DetachItemViaPointer(object, object->child))) {
		auto_free char *name = xstrdup(member->string);

		if (!name || !cJSON_IsObject(member)) {
			cJSON_Delete(member);
			continue;
		}
		cJSON_DeleteItemFromObjectCaseSensitive(member, "name");
		cJSON_AddStringToObject(member, "name", name);
		cJSON_AddItemToArray(s->all, member);
	}
}

static void ask(struct model *m)
{
	request_send(m, request_new("GET", xstrdup("/api/v1/config"),
				    arrived));
}

static void config_enter(struct model *m, void *state)
{
	(void)state;
	ask(m);
}

static void row(const struct model *m, const cJSON *o, struct buf *out)
{
	const cJSON *v = json_get(o, "value");
	char *text = v && !cJSON_IsString(v) ? cJSON_PrintUnformatted(v) :
					       NULL;

	(void)m;
	buf_addf(out, "%-38s %-24s %s", json_text(o, "name"),
		 text ? text : json_text(o, "value"),
		 json_text(o, "origin"));
	cJSON_free(text);
}

static void config_view(const struct model *m, const void *state,
			struct canvas *c, struct area a)
{
	const struct settings *s = state;

	objects_view(m, &s->list, s->all, c, a, "SETTINGS", row);
}

static void config_settle(struct model *m, void *state, struct area a)
{
	struct settings *s = state;

	(void)m;
	objects_settle(&s->list, s->all, a);
}

static void config_contexts(const struct model *m, const void *state,
			    enum context ret[CONTEXT_CHAIN], bool *alone)
{
	(void)m, (void)state, (void)alone;
	ret[0] = CTX_CONFIG;
	ret[1] = CTX_LIST;
}

static void edited(struct model *m, void *data, bool ok)
{
	(void)data;
	if (!ok)
		return;
	model_say(m, "check it with: stacyvm config lint; the daemon reads "
		     "it on SIGHUP");
	ask(m);
}

/* The user's own file; its directory is made. */
static void edit(struct model *m)
{
	struct dirs dirs;

	dirs_init(&dirs);
	if (mkdir(dirs.config, 0700) < 0 && errno != EEXIST) {
		model_say(m, "can't make %s: %s", dirs.config,
			  strerror(errno));
	} else if (!m->editor.path) {
		m->editor.path = path_join(dirs.config, "config.yaml");
		m->editor.done = edited;
		m->editor.data = NULL;
		m->effects |= EFFECT_EDITOR;
	}
	dirs_release(&dirs);
}

static bool config_act(struct model *m, void *state, enum action a)
{
	struct settings *s = state;

	if (objects_act(m, &s->list, a))
		return true;
	switch (a) {
	case ACT_OPEN:
	case ACT_EDITOR:
		if (!model_refuses(m, ACT_EDITOR))
			edit(m);
		return true;
	case ACT_REFRESH:
		ask(m);
		return true;
	default:
		return false;
	}
}

static bool config_input(struct model *m, void *state,
			 const struct input_event *ev)
{
	struct settings *s = state;

	return objects_input(m, &s->list, ev);
}

static const struct field *config_typing(const struct model *m,
					 const void *state,
					 const char **ret_label)
{
	const struct settings *s = state;

	(void)m;
	*ret_label = "find";
	return s->list.typing ? &s->list.filter : NULL;
}

const struct screen screen_config = {
	.name = "config",
	.title = "CONFIG",
	.make = config_make,
	.release = config_release,
	.enter = config_enter,
	.view = config_view,
	.settle = config_settle,
	.contexts = config_contexts,
	.act = config_act,
	.input = config_input,
	.typing = config_typing,
};
