/* SPDX-License-Identifier: MIT */
/*
 * Screen 6: every setting, where each comes from, and changing one.  What the
 * daemon goes by is shown as it says; what the dashboard goes by as this
 * program has it.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "tui/config-edit.h"
#include "tui/config-view.h"

static void *config_make(struct model *m)
{
	struct config_screen *s = xcalloc(1, sizeof(*s));

	(void)m;
	s->list.wide = true;
	return s;
}

static void config_release(struct model *m, void *state)
{
	struct config_screen *s = state;

	(void)m;
	objects_release(&s->list);
	cJSON_Delete(s->all);
	cJSON_Delete(s->remote);
	cJSON_Delete(s->local);
	field_release(&s->edit);
	free(s->key);
	free(s->draft);
	free(s->error);
	free(s);
}

static void drop_draft(struct config_screen *s)
{
	mem_free_cleanup(&s->draft);
	s->draft = NULL;
	mem_free_cleanup(&s->error);
	s->error = NULL;
}

/* Those of `from` that are (not) the dashboard's own. */
static void add_rows(struct config_screen *s, const cJSON *from, bool ours)
{
	const cJSON *member;

	cJSON_ArrayForEach(member, from) {
		if (!member->string || !cJSON_IsObject(member) ||
		    settings_is_ours(member->string) != ours)
			continue;
		cJSON *row = cJSON_Duplicate(member, true);

		cJSON_DeleteItemFromObjectCaseSensitive(row, "name");
		cJSON_AddStringToObject(row, "name", member->string);
		cJSON_AddItemToArray(s->all, row);
	}
}

static void put_together(struct model *m, struct config_screen *s)
{
	const cJSON *ours = s->local ? s->local : s->remote;

	s->list.n = 0; /* they point into what goes */
	cJSON_Delete(s->all);
	s->all = s->remote || s->local ? cJSON_CreateArray() : NULL;
	add_rows(s, s->remote ? s->remote : s->local, false);
	add_rows(s, ours, true);
	if (m->screen == SCREEN_CONFIG)
		update_settle(m);
}

/* {"server.port": {"value": 7423, "origin": "default"}} and so on. */
static void arrived(struct model *m, struct request *r)
{
	struct config_screen *s = m->state[SCREEN_CONFIG];
	auto_json struct json_doc doc = JSON_DOC_INIT;
	cJSON *object = request_object(r, &doc);

	if (!object)
		return;
	cJSON_Delete(s->remote);
	s->remote = cJSON_Duplicate(object, true);
	put_together(m, s);
}

void config_ask(struct model *m)
{
	request_send(m, request_new("GET", xstrdup("/api/v1/config"),
				    arrived));
}

void config_changed(struct model *m)
{
	struct config_screen *s = m->state[SCREEN_CONFIG];
	auto_json struct json_doc doc = JSON_DOC_INIT;
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_buf struct buf text = BUF_INIT;

	if (!m->settings)
		return;
	if (m->settings->show(m->settings->data, &text, &err) < 0 ||
	    json_parse_object(&doc, buf_str(&text), text.len, &err) < 0) {
		model_complain(m, &err, "read the configuration");
		return;
	}
	cJSON_Delete(s->local);
	s->local = cJSON_Duplicate(doc.root, true);
	put_together(m, s);
}

static void config_enter(struct model *m, void *state)
{
	drop_draft(state);
	config_changed(m);
	config_ask(m);
}

/* What is being changed stays selected, whatever the daemon says meanwhile. */
static void config_settle(struct model *m, void *state, struct area a)
{
	struct config_screen *s = state;

	(void)m;
	objects_settle(&s->list, s->all, config_rows(a));
	if (!s->editing && !s->draft)
		return;
	for (size_t i = 0; i < s->list.n; i++)
		if (strcmp(json_text(s->list.shown[i], "name"), s->key) == 0)
			s->list.pos.at = i;
	list_settle(&s->list.pos, s->list.n, s->list.rows.rows);
}

static void config_contexts(const struct model *m, const void *state,
			    enum context ret[CONTEXT_CHAIN], bool *alone)
{
	const struct config_screen *s = state;

	(void)m;
	ret[0] = s->editing ? CTX_PROMPT : CTX_CONFIG;
	ret[1] = s->editing ? CTX_FIELD : CTX_LIST;
	*alone = s->editing;
}

static void begin(struct config_screen *s, const cJSON *o)
{
	char *key = xstrdup(json_text(o, "name"));

	drop_draft(s);
	free(s->key);
	s->key = key;
}

/* The choices of the selected setting; NULL when it has none. */
static const char *choices_of(const struct model *m, const cJSON *o)
{
	struct setting about;

	return settings_find(m, json_text(o, "name"), &about) ?
		       about.choices : NULL;
}

/* The word before or after `now` of "a|b|c", around. */
static char *neighbour(const char *choices, const char *now, bool back)
{
	auto_free char *words = xstrdup(choices);
	const char *list[32];
	size_t n = 0, at = 0;
	char *rest = NULL;

	for (char *w = strtok_r(words, "|", &rest); w && n < ARRAY_SIZE(list);
	     w = strtok_r(NULL, "|", &rest)) {
		if (strcmp(w, now) == 0)
			at = n;
		list[n++] = w;
	}
	return xstrdup(list[(at + (back ? n - 1 : 1)) % n]);
}

static bool choose(struct model *m, struct config_screen *s, bool back)
{
	const cJSON *o = objects_selected(&s->list);
	const char *choices = o ? choices_of(m, o) : NULL;
	auto_free char *text = config_text(json_get(o, "value"));

	if (!choices)
		return false;
	char *draft = neighbour(choices, s->draft ? s->draft : text, back);

	begin(s, o);
	s->draft = draft;
	return true;
}

static void set(struct model *m, const char *key, const char *value)
{
	auto_err struct svm_err err = SVM_ERR_INIT;

	if (settings_set(m, key, value, &err) < 0)
		model_complain(m, &err, NULL);
}

static void apply(struct model *m, struct config_screen *s)
{
	auto_free char *draft = steal_ptr(&s->draft);

	drop_draft(s);
	if (draft)
		set(m, s->key, draft);
}

static void edit_value(struct model *m, struct config_screen *s)
{
	const cJSON *o = objects_selected(&s->list);
	auto_free char *text = config_text(json_get(o, "value"));
	struct setting about = { 0 };

	if (!o)
		return;
	if (s->draft) {
		apply(m, s);
		return;
	}
	settings_find(m, json_text(o, "name"), &about);
	field_set(&s->edit, about.secret ? "" : text);
	begin(s, o);
	s->editing = true;
}

/* The line is refused, with the reason beside it, until it is good. */
static void submit(struct model *m, struct config_screen *s)
{
	auto_free char *value = xstrdup(field_text(&s->edit));
	auto_err struct svm_err err = SVM_ERR_INIT;

	drop_draft(s);
	if (settings_set(m, s->key, value, &err) < 0)
		s->error = xstrdup(err.msg);
	else
		s->editing = false;
}

static void ask_value(struct model *m, const char *key, const char *text,
		      const char *error);

/* What is refused stays to be mended. */
static void value_typed(struct model *m, const char *text, void *data)
{
	auto_err struct svm_err err = SVM_ERR_INIT;

	if (settings_set(m, data, text, &err) < 0)
		ask_value(m, data, text, err.msg);
}

static void ask_value(struct model *m, const char *key, const char *text,
		      const char *error)
{
	prompt_open(m, &(struct prompt){ .title = "NEW SETTING",
					 .label = key,
					 .text = text,
					 .error = error,
					 .done = value_typed,
					 .release = free,
					 .data = xstrdup(key) });
}

static void key_typed(struct model *m, const char *text, void *data)
{
	(void)data;
	ask_value(m, text, "", NULL);
}

static void undo(struct model *m)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	int r = settings_undo(m, &err);

	if (r < 0)
		model_complain(m, &err, "take it back");
	else if (r == 0)
		model_say(m, "nothing was changed here");
}

static bool config_act(struct model *m, void *state, enum action a)
{
	struct config_screen *s = state;
	const cJSON *o = objects_selected(&s->list);

	switch (a) {
	case ACT_LEFT:
	case ACT_RIGHT:
		choose(m, s, a == ACT_LEFT);
		return true;
	case ACT_SET:
		edit_value(m, s);
		return true;
	case ACT_APPLY:
		apply(m, s);
		return true;
	case ACT_RESET:
		drop_draft(s);
		if (o) {
			auto_free char *key = xstrdup(json_text(o, "name"));

			set(m, key, NULL);
		}
		return true;
	case ACT_UNDO:
		drop_draft(s);
		if (!model_refuses(m, ACT_APPLY))
			undo(m);
		return true;
	case ACT_NEW:
		/* Checked before its value is typed, maybe for nothing. */
		prompt_open(m, &(struct prompt){ .title = "NEW SETTING",
						 .label = "key",
						 .text = "keys.",
						 .past = PAST_SETTING,
						 .fits = settings_check,
						 .done = key_typed });
		return true;
	case ACT_EDITOR:
		config_edit_open(m);
		return true;
	case ACT_REFRESH:
		config_changed(m);
		config_ask(m);
		return true;
	default:
		break;
	}
	if (s->draft && a == ACT_BACK) {
		drop_draft(s);
		return true;
	}
	if (!objects_act(m, &s->list, a))
		return false;
	drop_draft(s);
	return true;
}

static bool config_input(struct model *m, void *state,
			 const struct input_event *ev)
{
	struct config_screen *s = state;

	if (!s->editing && !objects_input(m, &s->list, ev))
		return false;
	if (!s->editing) {
		drop_draft(s);
		return true;
	}
	if (ev->type == INPUT_MOUSE)
		return true;
	enum field_typed r = field_type(&s->edit, m->keymap, ev);

	if (r == FIELD_DONE)
		submit(m, s);
	else if (r == FIELD_LEFT)
		s->editing = false;
	return true;
}

static const struct field *config_typing(const struct model *m,
					 const void *state,
					 const char **ret_label)
{
	const struct config_screen *s = state;

	(void)m;
	*ret_label = "find";
	return s->list.typing ? &s->list.filter : NULL;
}

static bool config_empty(const struct model *m, const void *state)
{
	const struct config_screen *s = state;

	(void)m;
	return !objects_selected(&s->list);
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
	.empty = config_empty,
	.typing = config_typing,
};
