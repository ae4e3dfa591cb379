/* SPDX-License-Identifier: MIT */
/* The dashboard's state.  See model.h. */
#include "tui/model.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "tui/dialog.h"
#include "tui/label-undo.h"
#include "tui/message.h"
#include "tui/screen.h"
#include "tui/spawning.h"
#include "tui/views.h"

const struct screen *const screens[SCREEN_MAX] = {
	[SCREEN_DASH] = &screen_dash,
	[SCREEN_SANDBOXES] = &screen_sandboxes,
	[SCREEN_TEMPLATES] = &screen_templates,
	[SCREEN_PROVIDERS] = &screen_providers,
	[SCREEN_LOGS] = &screen_logs,
	[SCREEN_CONFIG] = &screen_config,
	[SCREEN_EVENTS] = &screen_events,
	[SCREEN_WORKSPACE] = &screen_workspace,
};

struct model *model_new(int rows, int cols)
{
	struct model *m = xcalloc(1, sizeof(*m));

	m->rows = rows;
	m->cols = cols;
	m->keymap = keymap_new();
	m->set = (struct tui_settings){
		.scrollback = 5000,
		.confirm = CONFIRM_ALWAYS,
		.motion = true,
		.theme = *theme_find("auto"),
	};
	m->mouse = m->focused = true;
	m->server = xstrdup("");
	list_init(&m->requests);
	list_init(&m->streams);
	list_init(&m->terminals);
	list_init(&m->spawns);
	for (size_t i = 0; i < SCREEN_MAX; i++)
		if (screens[i]->make)
			m->state[i] = screens[i]->make(m);
	views_init(m);
	m->effects = EFFECT_REDRAW;
	update_settle(m);
	return m;
}

/* It will not be opened any more: whoever waits for it cleans up. */
static void forget_editor(struct model *m)
{
	if (!m->editor.path)
		return;
	free(m->editor.path);
	m->editor.path = NULL;
	if (m->editor.done)
		m->editor.done(m, m->editor.data, false);
}

void model_free(struct model *m)
{
	struct list *pos, *tmp;

	if (!m)
		return;
	forget_editor(m);
	dialog_release_all(m);
	for (size_t i = 0; i < SCREEN_MAX; i++)
		if (screens[i]->release)
			screens[i]->release(m, m->state[i]);
	list_for_each_safe(pos, tmp, &m->spawns)
		spawning_free(m, list_entry(pos, struct spawning, link));
	spawning_free(m, m->spawn_failed);
	free(m->made);
	list_for_each_safe(pos, tmp, &m->requests)
		request_free(list_entry(pos, struct request, link));
	list_for_each_safe(pos, tmp, &m->streams)
		stream_free(list_entry(pos, struct stream, link));
	fleet_release(&m->fleet);
	cJSON_Delete(m->providers);
	cJSON_Delete(m->templates);
	cJSON_Delete(m->metrics);
	keymap_free(m->keymap);
	buf_release(&m->clipboard);
	settings_forget(m);
	label_undo_forget(m);
	views_release(m);
	pasts_release(m);
	commands_release(&m->commands);
	strv_free(m->command);
	for (char ***c = m->commands_more; c && *c; c++)
		strv_free(*c);
	free(m->commands_more);
	free(m->editor.path);
	svm_err_release(&m->editor.err);
	free(m->farewell);
	message_release(m);
	free(m->version);
	free(m->server);
	free(m);
}

void model_free_cleanup(struct model **m)
{
	model_free(*m);
}

void model_resize(struct model *m, int rows, int cols)
{
	m->rows = rows;
	m->cols = cols;
	m->effects |= EFFECT_REDRAW;
	update_settle(m);
}

void model_show(struct model *m, enum screen_id screen)
{
	const struct screen *from = screens[m->screen];
	const struct screen *to = screens[screen];

	m->effects |= EFFECT_REDRAW;
	if (m->screen == screen)
		return;
	model_unsay_here(m);
	if (from->leave)
		from->leave(m, m->state[m->screen]);
	m->previous = m->screen;
	m->screen = screen;
	if (to->enter)
		to->enter(m, m->state[screen]);
}

void model_copy(struct model *m, const char *text, size_t n,
		const char *what)
{
	buf_clear(&m->clipboard);
	buf_add(&m->clipboard, text, n);
	m->effects |= EFFECT_COPY;
	model_hint(m, "copied %s", what);
}

void model_copy_json(struct model *m, const cJSON *o, const char *what)
{
	char *text = cJSON_Print(o);

	if (text)
		model_copy(m, text, strlen(text), what);
	cJSON_free(text);
}
