/* SPDX-License-Identifier: MIT */
/*
 * The program's entry.  The only file that may name every room: it hands the
 * internal commands (__launcher, __unpack, __pull) to their rooms and
 * everything else to the command line.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "daemon/config-edit.h"
#include "daemon/config.h"
#include "daemon/image/image.h"
#include "daemon/reload.h"
#include "daemon/schemas.h"
#include "daemon/serve.h"
#include "lib/api/dirs.h"
#include "lib/base/defs.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "providers/native/native.h"
#include "tui/theme-file.h"
#include "tui/tui.h"

extern char **environ;

/* Processes we start ourselves.  They get argv from their own name on, and end
 * without exit handlers: a confined one may not do what those do. */
static const struct {
	const char *name;
	int (*main)(int argc, char **argv);
} internal[] = {
	{ "__launcher", native_launcher_main },
	{ "__unpack", image_unpack_main },
	{ "__pull", image_pull_main },
};

/* What the dashboard goes by: the user's own file and the environment.  A
 * ./stacyvm.yaml is left out: where one happens to be doesn't change keys. */
static int load_config(struct config **ret, struct svm_err *err)
{
	struct dirs d;

	dirs_init(&d);
	int r = config_load(&(struct config_source){ .dir = d.config,
						     .env = environ },
			    ret, err);
	dirs_release(&d);
	return r;
}

/* ui.leave_key and keys.*, all or none: two actions can change places. */
static int set_keys(struct keymap *keys, const struct config *c,
		    struct svm_err *err)
{
	struct keymap_change *changes =
		xcalloc(c->n_bindings + 1, sizeof(*changes));
	size_t n = 0;

	if (c->ui_leave_key)
		changes[n++] = (struct keymap_change){
			"terminal.leave", c->ui_leave_key,
			c->origin[CONFIG_ID_ui_leave_key], "ui.leave_key" };
	for (size_t i = 0; i < c->n_bindings; i++)
		if (strncmp(c->bindings[i].key, "keys.", 5) == 0)
			changes[n++] = (struct keymap_change){
				c->bindings[i].key + 5, c->bindings[i].value,
				c->bindings[i].origin, NULL };
	int r = keymap_change(keys, changes, n, err);
	free(changes);
	return r;
}

/* commands.*, beside the keys they must not take. */
static int set_commands(struct commands *all, const struct keymap *keys,
			const struct config *c, struct svm_err *err)
{
	static const char prefix[] = "commands.";

	for (size_t i = 0; i < c->n_bindings; i++) {
		const struct config_binding *b = &c->bindings[i];

		if (strncmp(b->key, prefix, sizeof(prefix) - 1) == 0 &&
		    commands_set(all, b->key + sizeof(prefix) - 1, b->values,
				 b->origin, err) < 0)
			return -1;
	}
	return commands_check(all, keys, err);
}

/* What a configuration makes of keys and commands; replaced whole. */
static int load_keys(const struct config *c, struct keymap **ret_keys,
		     struct commands *ret_commands, struct svm_err *err)
{
	struct keymap *keys = keymap_new();
	struct commands commands = { NULL, 0 };

	if (set_keys(keys, c, err) < 0 ||
	    set_commands(&commands, keys, c, err) < 0) {
		commands_release(&commands);
		keymap_free(keys);
		return -1;
	}
	*ret_keys = keys;
	*ret_commands = commands;
	return 0;
}

static int find_theme(const char *name, struct theme *ret, struct svm_err *err)
{
	struct dirs d;

	dirs_init(&d);
	int r = theme_load(d.config, name ? name : "auto", ret, err);
	dirs_release(&d);
	return r;
}

/* What the dashboard would not start with. */
static int check_ui(const struct config *c, struct svm_err *err)
{
	struct keymap *keys;
	struct commands commands;
	struct theme theme;

	if (load_keys(c, &keys, &commands, err) < 0)
		return -1;
	keymap_free(keys);
	commands_release(&commands);
	return find_theme(c->ui_theme, &theme, err);
}

/* "auto|mission|...|mine"; owned. */
static char *theme_list(void)
{
	struct dirs d;

	dirs_init(&d);
	char *names = theme_names(d.config);
	dirs_release(&d);
	return names;
}

/* The configuration the dashboard goes by, and its doors to it. */
struct dashboard {
	const struct tui_args *args;
	struct config *c; /* NULL before the first time */
	char *themes;     /* "auto|mission|..." */
};

/* What this dashboard was started with stays, whatever the file says. */
static const char *option_over(enum config_id id, const struct tui_args *a)
{
	switch (id) {
	case CONFIG_ID_ui_theme:
		return a->theme ? "--theme" : NULL;
	case CONFIG_ID_ui_color:
		return a->no_color ? "NO_COLOR or --no-color" : NULL;
	case CONFIG_ID_ui_glyphs:
		return a->ascii ? "--ascii" : NULL;
	case CONFIG_ID_ui_mouse:
		return a->no_mouse ? "--no-mouse" : NULL;
	case CONFIG_ID_ui_read_only:
		return a->read_only ? "--read-only" : NULL;
	default:
		return NULL;
	}
}

static bool setting_at(void *data, size_t i, struct setting *ret)
{
	const struct dashboard *d = data;

	if (i >= CONFIG_ID_MAX)
		return false;
	const struct config_key *k = config_key((enum config_id)i);
	*ret = (struct setting){
		.name = k->name,
		.choices = i == CONFIG_ID_ui_theme ? d->themes :
			   k->kind == CONFIG_BOOL ? "true|false" : k->choices,
		.def = k->def,
		.help = k->help,
		.secret = k->kind == CONFIG_SECRET,
		.restart = !settings_is_ours(k->name) &&
			   !reload_is_live(k->name),
		.next = i == CONFIG_ID_ui_bare,
		.over = option_over((enum config_id)i, d->args),
	};
	return true;
}

/* The parts of a command come after what it runs. */
static int check_command(const struct dashboard *d, const char *key,
			 struct svm_err *err)
{
	const char *name = key + strlen("commands.");
	size_t n = (size_t)(strrchr(key, '.') - key);
	auto_free char *run = xasprintf("%.*s.run", (int)n, key);
	auto_free char *is = config_value(d->c, run);

	if (commands_check_key(name, err) < 0)
		return -1;
	return is || strcmp(key, run) == 0 ? 0 :
	       svm_err_set(err, SVM_BAD_REQUEST, "there is no %.64s yet: set "
			   "that first", run);
}

static int check_setting(void *data, const char *key, struct svm_err *err)
{
	const struct dashboard *d = data;

	if (config_edit_check_key(key, err) < 0)
		return -1;
	if (strncmp(key, "commands.", 9) == 0)
		return check_command(d, key, err);
	struct keymap *keys = keymap_new();
	bool known = strncmp(key, "keys.", 5) != 0 ||
		     keymap_has(keys, key + 5);

	keymap_free(keys);
	return known ? 0 :
	       svm_err_set(err, SVM_BAD_REQUEST, "%.64s: no such context and "
			   "action; stacyvm help keys lists them", key);
}

static int show_settings(void *data, struct buf *json, struct svm_err *err)
{
	const struct dashboard *d = data;

	(void)err;
	config_json(d->c, json);
	return 0;
}

static int change_setting(void *data, const char *key, const char *value,
			  struct config_change *ret, struct svm_err *err)
{
	struct dirs d;

	(void)data;
	dirs_init(&d);
	int r = config_edit(&(struct config_source){ .dir = d.config,
						     .env = environ },
			    key, value, check_ui, ret, err);
	dirs_release(&d);
	return r;
}

static int read_settings(void *data, struct buf *ret, struct svm_err *err)
{
	struct dirs d;

	(void)data;
	dirs_init(&d);
	int r = config_edit_read(&(struct config_source){ .dir = d.config },
				 ret, err);
	dirs_release(&d);
	return r;
}

static int replace_settings(void *data, const char *before, const char *text,
			    size_t n, struct svm_err *err)
{
	struct dirs d;

	(void)data;
	dirs_init(&d);
	int r = config_edit_text(&(struct config_source){ .dir = d.config,
							  .env = environ },
				 before, text, n, check_ui, err);
	dirs_release(&d);
	return r;
}

static int configure(struct model *m, const struct dashboard *d,
		     const struct config *c, struct svm_err *err)
{
	const char *name = d->args->theme ? d->args->theme : c->ui_theme;

	if (find_theme(name, &m->set.theme, err) < 0)
		return -1;
	m->set.scrollback = (unsigned)c->ui_scrollback;
	m->set.confirm = strcmp(c->ui_confirm, "never") == 0 ? CONFIRM_NEVER :
			 strcmp(c->ui_confirm, "bulk") == 0 ? CONFIRM_BULK :
							      CONFIRM_ALWAYS;
	m->set.ascii = d->args->ascii || strcmp(c->ui_glyphs, "ascii") == 0;
	m->set.colour = strcmp(c->ui_color, "never") == 0 ? COLOUR_MODE_NEVER :
			strcmp(c->ui_color, "direct") == 0 ?
							    COLOUR_MODE_DIRECT :
							    COLOUR_MODE_AUTO;
	m->set.motion = c->ui_motion && !c->ui_accessible;
	m->set.words = c->ui_accessible;
	/* What a key has switched since stays. */
	if (!d->c || d->c->ui_read_only != c->ui_read_only)
		m->read_only = c->ui_read_only || d->args->read_only;
	if (!d->c || d->c->ui_mouse != c->ui_mouse)
		m->mouse = c->ui_mouse && !d->args->no_mouse;
	return 0;
}

static int apply_settings(void *data, struct model *m, struct svm_err *err)
{
	struct dashboard *d = data;
	struct config *c = NULL;
	struct keymap *keys = NULL;
	struct commands commands = { NULL, 0 };

	if (load_config(&c, err) < 0 ||
	    load_keys(c, &keys, &commands, err) < 0 ||
	    configure(m, d, c, err) < 0) {
		keymap_free(keys);
		commands_release(&commands);
		config_free(c);
		return -1;
	}
	keymap_free(m->keymap);
	m->keymap = keys;
	commands_release(&m->commands);
	m->commands = commands;
	config_free(d->c);
	d->c = c;
	free(d->themes);
	d->themes = theme_list();
	return 0;
}

static int open_dashboard(const struct tui_args *args, struct svm_err *err)
{
	struct dashboard d = { .args = args };
	const struct settings_ops settings = { .at = setting_at,
					       .check = check_setting,
					       .show = show_settings,
					       .change = change_setting,
					       .read = read_settings,
					       .replace = replace_settings,
					       .apply = apply_settings,
					       .data = &d };

	int r = tui_main(&(struct tui_options){
				 .server = args->server,
				 .api_key = args->api_key,
				 .shell = args->shell,
				 .no_color = args->no_color,
				 .frames = (unsigned)args->frames,
				 .dump = args->dump,
				 .settings = &settings },
			 err);
	config_free(d.c);
	free(d.themes);
	return r;
}

static int config_main(const char *verb, bool json, bool origin,
		       char *const *args, struct svm_err *err)
{
	return daemon_config_main(verb,
				  (json ? CONFIG_MAIN_JSON : 0) |
					  (origin ? CONFIG_MAIN_ORIGIN : 0),
				  args, check_ui, err);
}

static const char *setting_name(size_t i, const char **ret_about,
				const char **ret_choices)
{
	if (i >= CONFIG_ID_MAX)
		return NULL;
	const struct config_key *k = config_key((enum config_id)i);
	*ret_about = k->help;
	*ret_choices = k->kind == CONFIG_BOOL ? "true|false" : k->choices;
	if (i == CONFIG_ID_ui_theme) {
		static char *themes; /* read once */

		themes = themes ? themes : theme_list();
		*ret_choices = themes;
	}
	return k->name;
}

/* ui.bare: nothing was said, on a terminal. */
static bool bare_is_dashboard(void)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct config *c = NULL;
	bool is = false;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return false;
	if (load_config(&c, &err) == 0)
		is = strcmp(c->ui_bare, "tui") == 0;
	config_free(c);
	return is;
}

/* A configuration that can't be read must not take it away. */
static bool is_accessible(void)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	const char *v = getenv("ACCESSIBLE");
	struct config *c = NULL;

	if (load_config(&c, &err) < 0)
		return v && v[0] && strcmp(v, "0") != 0;
	bool is = c->ui_accessible;

	config_free(c);
	return is;
}

static void print_keys(void)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct keymap *keys = keymap_new();
	struct buf text = BUF_INIT;
	struct config *c = NULL;

	if (load_config(&c, &err) < 0 || set_keys(keys, c, &err) < 0)
		fprintf(stderr, "stacyvm: %s\n", err.msg);
	config_free(c);
	keymap_print(keys, &text);
	fputs(buf_str(&text), stdout);
	buf_release(&text);
	keymap_free(keys);
}

int main(int argc, char **argv)
{
	const struct entries entries = {
		.serve = daemon_main,
		.config = config_main,
		.setting = setting_name,
		.db = daemon_db_main,
		.tui = open_dashboard,
		.keys = print_keys,
		.accessible = is_accessible,
		.fields = schemas_fields,
	};

	if (fd_sanitise_std() < 0)
		return 1;
	for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(internal); i++) {
		if (strcmp(argv[1], internal[i].name) == 0) {
			umask(077);
			_exit(internal[i].main(argc - 1, argv + 1));
		}
	}
	if (argc == 1 && bare_is_dashboard()) {
		char *tui[] = { argv[0], (char *)(uintptr_t)"tui", NULL };

		return cli_main(&entries, 2, tui);
	}
	return cli_main(&entries, argc, argv);
}
