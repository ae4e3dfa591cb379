/* SPDX-License-Identifier: MIT */
/*
 * The command palette: all actions by name, and commands with an argument:
 * `sandboxes /py`, `logs sb-7f`, `kill ID`, `spawn TEMPLATE`, `q`.  What the
 * argument can be is listed while it is typed.  The user's own commands are
 * found as well, and settings: `theme`.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/width.h"
#include "tui/batch.h"
#include "tui/list.h"
#include "tui/objects.h"
#include "tui/sandbox-act.h"
#include "tui/screen.h"
#include "tui/settings.h"

#define FOUND_MAX 200
_Static_assert(FOUND_MAX >= ACT_MAX, "all actions are found");

struct found {
	enum action action;
	char *argument; /* an id, a template; NULL: the action alone */
	char *on;       /* the sandboxes it would act on; NULL: see there */
	bool one;       /* `on` is the id of one */
	char *about;    /* what it is, beside it; NULL: of the action */
	enum { FOUND_ACTION, FOUND_OWN, FOUND_SETTING } kind; /* argument's */
};

struct palette {
	struct field typed;
	enum context chain[CONTEXT_CHAIN];
	struct list_pos pos;
	struct found found[FOUND_MAX];
	size_t n;
};

/* Commands that take an argument. */
static const struct palette_command {
	const char *name;
	enum action action;
	bool template; /* it names one; else a sandbox */
} commands[] = {
	{ "kill", ACT_KILL, false },
	{ "logs", ACT_SANDBOX_LOGS, false },
	{ "terminal", ACT_TERMINAL, false },
	{ "shell", ACT_TERMINAL, false },
	{ "files", ACT_FILES, false },
	{ "open", ACT_OPEN, false },
	{ "extend", ACT_EXTEND, false },
	{ "label", ACT_LABEL, false },
	{ "rename", ACT_LABEL, false },
	{ "exec", ACT_EXEC, false },
	{ "preview", ACT_PREVIEW, false },
	{ "spawn", ACT_SPAWN, true },
};

static void forget(struct palette *p)
{
	for (size_t i = 0; i < p->n; i++) {
		free(p->found[i].argument);
		free(p->found[i].on);
		free(p->found[i].about);
	}
	p->n = 0;
}

static void palette_free(void *state)
{
	struct palette *p = state;

	forget(p);
	field_release(&p->typed);
	free(p);
}

/* How well: 3 begins, 2 is inside, 1 the letters in order, 0 not at all. */
static int rank(const char *text, const char *wanted)
{
	if (strncasecmp(text, wanted, strlen(wanted)) == 0)
		return 3;
	if (strcasestr(text, wanted))
		return 2;
	for (; *wanted; wanted++, text++) {
		text = strcasestr(text, (char[2]){ *wanted, '\0' });
		if (!text)
			return 0;
	}
	return 1;
}

/* Every word must be in it, in the name rather than in what it does. */
static int rank_action(const struct action_info *info, const char *typed)
{
	auto_free char *words = xstrdup(typed);
	char *rest = NULL;
	int worst = 6;

	for (char *w = strtok_r(words, " ", &rest); w;
	     w = strtok_r(NULL, " ", &rest)) {
		int how = MAX(rank(info->name, w) * 2,
			      rank(info->what, w) >= 2 ? 3 : 0);

		worst = MIN(worst, how);
	}
	return worst;
}

static bool holds(const struct model *m, const struct palette *p,
		  enum action a)
{
	char key[KEY_NAME_MAX];
	const struct action_info *info = action_info(a);

	if (m->read_only && info->flags & ACTION_CHANGES)
		return false;
	return info->flags & ACTION_GLOBAL ||
	       *keymap_key(m->keymap, p->chain, a, key);
}

static bool is_move(enum action a)
{
	return (a >= ACT_UP && a <= ACT_PAGE_DOWN) || a == ACT_PALETTE ||
	       a == ACT_BACK || a == ACT_CANCEL;
}

/* The sandboxes that an action is about where they are listed: those that are
 * marked, if it takes many, or the one that is selected. */
static char *acts_on(const struct model *m, const struct palette *p,
		     enum action a, bool *ret_one)
{
	const struct screen *screen = screens[m->screen];
	const cJSON *subject = screen->subject ?
		screen->subject(m, m->state[m->screen]) : NULL;
	size_t marked = fleet_marked(&m->fleet);
	bool here = false;

	*ret_one = false;
	for (const enum context *c = p->chain; *c != CTX_NONE; c++)
		here |= *c == CTX_SANDBOXES;
	if (here && marked && batch_takes_marked(a))
		return xasprintf("marked (%zu)", marked);
	switch (here ? a : ACT_NONE) {
	case ACT_KILL:
	case ACT_EXTEND:
	case ACT_LABEL:
	case ACT_EXPORT:
	case ACT_TERMINAL:
	case ACT_TERMINAL_NEW:
	case ACT_EXEC:
	case ACT_FILES:
	case ACT_SANDBOX_LOGS:
	case ACT_PREVIEW:
		break;
	default:
		return NULL;
	}
	*ret_one = subject;
	return subject ? xstrdup(json_text(subject, "id")) : NULL;
}

static void find_actions(const struct model *m, struct palette *p)
{
	for (int want = 6; want >= 1; want--)
		for (int i = ACT_NONE + 1; i < ACT_MAX; i++) {
			enum action a = (enum action)i;

			if (is_move(a) || !holds(m, p, a) ||
			    rank_action(action_info(a),
					field_text(&p->typed)) != want)
				continue;
			struct found *f = &p->found[p->n++];

			*f = (struct found){ .action = a };
			f->on = acts_on(m, p, a, &f->one);
		}
}

/* The user's own, of where one is. */
static void find_own(const struct model *m, struct palette *p)
{
	const char *typed = field_text(&p->typed);

	for (size_t i = 0; i < m->commands.n && p->n < FOUND_MAX; i++) {
		const struct command *c = &m->commands.list[i];
		auto_buf struct buf about = BUF_INIT;
		bool here = false;

		for (const enum context *x = p->chain; *x != CTX_NONE; x++)
			here |= command_holds(c, *x);
		command_describe(c, &about);
		if (here && rank_action(&(struct action_info){
						.name = c->name,
						.what = buf_str(&about) },
					typed) > 0)
			p->found[p->n++] = (struct found){
				.argument = xstrdup(c->name),
				.about = buf_steal(&about),
				.kind = FOUND_OWN };
	}
}

/* In one spelling: who types color finds colours. */
static char *spelt(const char *text)
{
	char *s = xstrdup(text);

	for (char *at = s; (at = strcasestr(at, "colour")); at++)
		memmove(at + 4, at + 5, strlen(at + 5) + 1);
	return s;
}

/* Every word is in its name, or in what is said of it. */
static bool is_of(const struct setting *s, const char *typed)
{
	auto_free char *words = spelt(typed), *help = spelt(s->help);
	char *rest = NULL;
	size_t n = 0;

	for (char *w = strtok_r(words, " ", &rest); w;
	     w = strtok_r(NULL, " ", &rest), n++)
		if (!strcasestr(s->name, w) &&
		    (strlen(typed) <= 3 || !strcasestr(help, w)))
			return false;
	return n > 0;
}

/* Where it is changed. */
static void find_settings(const struct model *m, struct palette *p)
{
	const char *typed = field_text(&p->typed);
	struct setting s;

	for (size_t i = 0; m->settings && p->n < FOUND_MAX &&
			   m->settings->at(m->settings->data, i, &s); i++)
		if (is_of(&s, typed))
			p->found[p->n++] = (struct found){
				.action = ACT_CONFIG,
				.argument = xstrdup(s.name),
				.about = xstrdup(s.help),
				.kind = FOUND_SETTING };
}

/* The filter in `sandboxes /filter`; NULL when it is something else. */
static const char *sandboxes_argument(const char *typed)
{
	static const char command[] = "sandboxes ";
	const char *filter = typed + sizeof(command) - 1;

	if (strncmp(typed, command, sizeof(command) - 1) != 0)
		return NULL;
	filter += strspn(filter, " ");
	return *filter ? filter + (*filter == '/') : NULL;
}

/* The command typed and where its argument is; NULL when there is none. */
static const struct palette_command *typed_command(const struct palette *p,
					   const char **ret_argument)
{
	const char *text = field_text(&p->typed);
	size_t n = strcspn(text, " ");

	if (!text[n])
		return NULL;
	*ret_argument = text + n + strspn(text + n, " ");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (strlen(commands[i].name) == n &&
		    strncmp(commands[i].name, text, n) == 0)
			return &commands[i];
	return NULL;
}

static void add(struct palette *p, enum action a, const char *argument,
		char *about_owned)
{
	if (p->n < FOUND_MAX)
		p->found[p->n++] = (struct found){
			.action = a,
			.argument = xstrdup(argument),
			.about = about_owned };
	else
		free(about_owned);
}

static void find_templates(const struct model *m, struct palette *p,
			   const char *argument)
{
	const cJSON *t;

	cJSON_ArrayForEach(t, m->templates) {
		const cJSON *name = json_get(t, "name");
		const cJSON *image = json_get(t, "image");

		if (cJSON_IsString(name) &&
		    rank(name->valuestring, argument) >= 2)
			add(p, ACT_SPAWN, name->valuestring,
			    xstrdup(cJSON_IsString(image) ?
					    image->valuestring : ""));
	}
}

static void find_sandboxes(const struct model *m, struct palette *p,
			   const struct palette_command *c, const char *argument)
{
	for (size_t i = 0; i < m->fleet.n; i++) {
		const struct sandbox *s = m->fleet.all[i];

		if (rank(s->id, argument) >= 2 || rank(s->name, argument) >= 2)
			add(p, c->action, s->id,
			    xasprintf("%s%s%s %s", s->name,
				      *s->name ? " " : "", s->image,
				      s->state));
	}
}

static void find(const struct model *m, struct palette *p)
{
	const char *argument;
	const struct palette_command *c = typed_command(p, &argument);

	forget(p);
	p->pos.at = 0;
	if (sandboxes_argument(field_text(&p->typed)))
		return;
	if (!c) {
		find_actions(m, p);
		find_own(m, p);
		find_settings(m, p);
	} else if (m->read_only && action_info(c->action)->flags &
					 ACTION_CHANGES) {
		return;
	} else if (c->template) {
		find_templates(m, p, argument);
	} else {
		find_sandboxes(m, p, c, argument);
	}
}

/* -- drawing */

static int height(const struct model *m)
{
	return MIN(12, MAX(m->rows - 6, 3));
}

static char *label(const struct found *f)
{
	return xasprintf("%s%s%s", f->argument ? f->argument :
				   action_info(f->action)->name,
			 f->on ? " " : "", f->on ? f->on : "");
}

static void view_found(const struct model *m, const struct palette *p,
		       const struct found *f, struct canvas *c, int row,
		       struct area in, int left)
{
	auto_free char *name = label(f);
	char key[KEY_NAME_MAX] = "";
	int right = f->kind != FOUND_ACTION ? 0 :
		(int)strlen(keymap_key(m->keymap, p->chain, f->action, key));

	canvas_text(c, row, in.col, left, pen_role(ROLE_VALUE), name);
	canvas_text(c, row, in.col + left + 1, in.cols - left - 2 - right,
		    pen_role(ROLE_INK),
		    f->about ? f->about : action_info(f->action)->what);
	canvas_text(c, row, in.col + in.cols - right, right,
		    pen_role(ROLE_ACCENT), key);
}

/* Of the names that are seen. */
static int name_columns(const struct palette *p, size_t from, int rows,
			int room)
{
	int most = 17;

	for (size_t i = from; i < p->n && i < from + (size_t)rows; i++) {
		auto_free char *name = label(&p->found[i]);

		most = MAX(most, (int)width_text(name, strlen(name)));
	}
	return MIN(most, MAX(room, 17));
}

static void palette_view(const struct model *m, const void *state,
			 struct canvas *c)
{
	const struct palette *p = state;
	struct list_pos pos = p->pos;
	struct area in = dialog_box(c, height(m) + 3, MIN(66, c->cols - 2),
				    "COMMAND");

	canvas_text(c, in.row, in.col, 2, pen_role(ROLE_ACCENT), ":");
	field_view(&p->typed, c, in.row, in.col + 2, in.cols - 2,
		   pen_role(ROLE_INK), true);
	if (!p->n)
		canvas_text(c, in.row + 1, in.col, in.cols,
			    pen_role(ROLE_DIM),
			    sandboxes_argument(field_text(&p->typed)) ?
				    "show what the filter lets through" :
				    "nothing has this name");
	list_settle(&pos, p->n, in.rows - 1);
	int left = name_columns(p, pos.top, in.rows - 1, in.cols * 2 / 3);

	for (int i = 0; i < in.rows - 1 && pos.top + (size_t)i < p->n; i++) {
		size_t at = pos.top + (size_t)i;

		view_found(m, p, &p->found[at], c, in.row + 1 + i, in, left);
		if (at == pos.at)
			dialog_mark(m, c, in.row + 1 + i, in);
	}
}

/* -- carrying out */

static void run_on(struct model *m, enum action a, const char *argument)
{
	struct sandbox *s;

	if (model_refuses(m, a))
		return;
	if (a == ACT_SPAWN) {
		spawn_open(m, argument);
		return;
	}
	s = fleet_find(&m->fleet, argument);
	if (s)
		sandbox_act_alone(m, s, a);
	else
		model_say(m, "no sandbox %s", argument);
}

static void show_setting(struct model *m, const char *name)
{
	model_show(m, SCREEN_CONFIG);
	objects_choose(m->state[SCREEN_CONFIG], name);
	update_settle(m);
}

static void run_own(struct model *m, const char *name)
{
	for (size_t i = 0; i < m->commands.n; i++) {
		if (strcmp(m->commands.list[i].name, name) != 0)
			continue;
		command_run(m, &m->commands.list[i]);
		return;
	}
}

/* What would have to be typed to run the same again. */
static char *as_typed(const struct palette *p)
{
	const struct found *f = &p->found[p->pos.at];
	const char *argument, *text = field_text(&p->typed);
	const struct palette_command *c = typed_command(p, &argument);

	if (p->pos.at >= p->n || strcmp(text, "q") == 0)
		return xstrdup(text);
	if (f->kind != FOUND_ACTION || !f->argument)
		return xstrdup(f->argument ? f->argument :
					     action_info(f->action)->name);
	return xasprintf("%s %s", c ? c->name : "", f->argument);
}

/* An argument is never dropped: what was named must be what is acted on. */
static void run(struct model *m, struct palette *p)
{
	auto_free char *text = xstrdup(field_text(&p->typed));
	bool listed = p->pos.at < p->n;
	enum action a = listed ? p->found[p->pos.at].action : ACT_NONE;
	const struct found *f = listed ? &p->found[p->pos.at] : NULL;
	auto_free char *argument =
		xstrdup(f && f->one ? f->on : f ? f->argument : NULL);
	const char *filter = sandboxes_argument(text);
	bool own = f && f->kind == FOUND_OWN;
	bool setting = f && f->kind == FOUND_SETTING;
	auto_free char *again = as_typed(p);

	past_add(p->typed.past, again);
	dialog_pop(m);
	if (strcmp(text, "q") == 0) {
		update_act(m, ACT_QUIT);
	} else if (filter) {
		model_show(m, SCREEN_SANDBOXES);
		sandboxes_filter(m, filter);
	} else if (own) {
		run_own(m, argument);
	} else if (setting) {
		show_setting(m, argument);
	} else if (argument) {
		run_on(m, a, argument);
	} else if (listed) {
		update_act(m, a);
	} else {
		model_say(m, "no command %s", text);
	}
}

/* -- keys */

static void complete(struct palette *p)
{
	const struct found *f = &p->found[p->pos.at];
	const char *argument, *name;
	const struct palette_command *c = typed_command(p, &argument);
	auto_free char *text = NULL;

	if (p->pos.at >= p->n)
		return;
	name = f->kind != FOUND_ACTION ? f->argument :
					 action_info(f->action)->name;
	if (c && f->argument)
		text = xasprintf("%s %s", c->name, f->argument);
	for (size_t i = 0; !text && i < ARRAY_SIZE(commands); i++)
		if (strcmp(commands[i].name, name) == 0)
			text = xasprintf("%s ", name);
	field_set(&p->typed, text ? text : name);
}

/* Up goes to what was run before while there is nothing else it could mean,
 * and on from there. */
static enum action on_empty_line(const struct palette *p, enum action a)
{
	bool empty = !p->typed.text.len && p->pos.at == 0;

	if (a == ACT_UP && (empty || p->typed.back))
		return ACT_OLDER;
	return a == ACT_DOWN && p->typed.back ? ACT_NEWER : a;
}

static bool palette_act(struct model *m, void *state, enum action a)
{
	struct palette *p = state;

	list_settle(&p->pos, p->n, height(m));
	a = on_empty_line(p, a);
	if (a == ACT_CLOSE) {
		dialog_pop(m);
	} else if (a == ACT_CHOOSE) {
		run(m, p);
	} else if (!list_act(&p->pos, a)) {
		if (a == ACT_COMPLETE)
			complete(p);
		else
			field_act(&p->typed, a);
		find(m, p);
	}
	return true;
}

static bool palette_input(struct model *m, void *state,
			  const struct input_event *ev)
{
	struct palette *p = state;

	if (ev->type == INPUT_PASTE)
		field_add(&p->typed, ev->data, ev->size);
	else if (ev->type != INPUT_KEY)
		return true;
	else if (!field_key(&p->typed, ev->key))
		return false;
	find(m, p);
	return true;
}

static void palette_click(struct model *m, void *state, int row, int col,
			  struct area in)
{
	struct palette *p = state;

	(void)col;
	list_settle(&p->pos, p->n, in.rows - 1);
	if (row == 0 || p->pos.top + (size_t)row - 1 >= p->n)
		return;
	p->pos.at = p->pos.top + (size_t)row - 1;
	run(m, p);
}

static const struct dialog_ops palette_ops = {
	.click = palette_click,
	.light = true,
	.release = palette_free,
	.view = palette_view,
	.context = CTX_PALETTE,
	.field = true,
	.act = palette_act,
	.input = palette_input,
};

void palette_open(struct model *m)
{
	struct palette *p = xcalloc(1, sizeof(*p));

	p->typed.past = past_of(m, PAST_COMMAND);
	update_contexts(m, p->chain);
	find(m, p);
	dialog_push(m, &palette_ops, p);
}
