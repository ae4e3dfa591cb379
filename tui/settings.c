/* SPDX-License-Identifier: MIT */
/* Changing the user's configuration file.  See settings.h. */
#include "tui/settings.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "tui/screen.h"
#include "tui/terminal.h"

bool settings_is_ours(const char *key)
{
	static const char *const ours[] = { "ui.", "keys.", "commands." };

	for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
		if (strncmp(key, ours[i], strlen(ours[i])) == 0)
			return true;
	return false;
}

bool settings_find(const struct model *m, const char *key, struct setting *ret)
{
	struct setting s;

	for (size_t i = 0; m->settings &&
			   m->settings->at(m->settings->data, i, &s); i++) {
		if (strcmp(s.name, key) == 0) {
			*ret = s;
			return true;
		}
	}
	return false;
}

/* The daemon has read it, or can't be told to. */
static void reread(struct model *m, struct request *r)
{
	if (r->err.code == SVM_OK)
		config_ask(m);
	else
		model_say(m, "written; the daemon reads it when it starts");
	svm_err_release(&r->err);
}

void settings_spread(struct model *m, const char *key)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct setting s;

	if (m->settings->apply(m->settings->data, m, &err) < 0)
		model_complain(m, &err, "use the configuration");
	terminals_keep(m);
	m->effects |= EFFECT_STYLE | EFFECT_REDRAW;
	config_changed(m);
	if (settings_is_ours(key))
		return;
	if (settings_find(m, key, &s) && s.restart) {
		model_say(m, "%s: written; needs stacyvm daemon restart", key);
		return;
	}
	struct request *r = request_new(REQUEST_HANGUP, xstrdup("daemon"),
					reread);

	request_send(m, r);
}

static void remember(struct model *m, struct config_change *c)
{
	if (m->n_undo == ARRAY_SIZE(m->undo)) {
		config_change_release(&m->undo[0]);
		memmove(m->undo, m->undo + 1, sizeof(m->undo) -
						      sizeof(m->undo[0]));
		m->n_undo--;
	}
	m->undo[m->n_undo++] = *c;
	*c = (struct config_change)CONFIG_CHANGE_INIT;
}

/* Over HTTP it reads a file of its own, wherever that is. */
static bool is_elsewhere(const struct model *m)
{
	return strncmp(m->server, "http:", 5) == 0 ||
	       strncmp(m->server, "https:", 6) == 0;
}

static int check_place(const struct model *m, const char *key,
		       struct svm_err *err)
{
	if (!m->settings)
		return svm_err_set(err, SVM_UNSUPPORTED,
				   "the configuration can't be changed here");
	if (is_elsewhere(m) && !settings_is_ours(key))
		return svm_err_set(err, SVM_UNSUPPORTED, "the daemon at %s has "
				   "a configuration of its own; from here ui, "
				   "keys and commands can be changed",
				   m->server);
	return 0;
}

int settings_check(const struct model *m, const char *key,
		   struct svm_err *err)
{
	return check_place(m, key, err) < 0 ? -1 :
	       m->settings->check(m->settings->data, key, err);
}

int settings_set(struct model *m, const char *key, const char *value,
		 struct svm_err *err)
{
	auto_config_change struct config_change c = CONFIG_CHANGE_INIT;

	if (check_place(m, key, err) < 0)
		return -1;
	int r = m->settings->change(m->settings->data, key, value, &c, err);
	if (r < 0)
		return -1;
	if (r == 0) {
		model_say(m, value ? "%s: it says so already" :
				     "%s: your file says nothing about it",
			  key);
		return 0;
	}
	remember(m, &c);
	model_say(m, "%s: written; u takes it back", key);
	settings_spread(m, key);
	return 1;
}

int settings_undo(struct model *m, struct svm_err *err)
{
	if (!m->n_undo)
		return 0;
	auto_config_change struct config_change c = m->undo[--m->n_undo];

	if (config_file_undo(&c, err) < 0)
		return -1;
	model_say(m, "taken back");
	settings_spread(m, "");
	return 1;
}

void settings_forget(struct model *m)
{
	while (m->n_undo)
		config_change_release(&m->undo[--m->n_undo]);
}
