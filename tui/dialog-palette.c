/* SPDX-License-Identifier: MIT */
/*
 * The command palette: all actions by name, and commands with an argument:
 * `sandboxes /py`, `logs sb-7f`, `kill ID`, `spawn TEMPLATE`, `q`.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "tui/list.h"
#include "tui/sandbox-act.h"
#include "tui/screen.h"

struct palette {
	struct field typed;
	enum context chain[CONTEXT_CHAIN];
	struct list_pos pos;
	enum action found[ACT_MAX];
	size_t n;
};

static void palette_free(void *state)
{
	struct palette *p = state;

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

static void find(const struct model *m, struct palette *p)
{
	auto_free char *word = xstrdup(field_text(&p->typed));

	word[strcspn(word, " ")] = '\0';
	p->n = 0;
	for (int want = 6; want >= 1; want--)
		for (int a = ACT_NONE + 1; a < ACT_MAX; a++) {
			const struct action_info *info =
				action_info((enum action)a);
			int how = rank(info->name, word) * 2;

			how = MAX(how, rank(info->what, word) == 2);
			if (how == want && !is_move((enum action)a) &&
			    holds(m, p, (enum action)a))
				p->found[p->n++] = (enum action)a;
		}
}

static int height(const struct model *m)
{
	return MIN(12, MAX(m->rows - 6, 3));
}

static void palette_view(const struct model *m, const void *state,
			 struct canvas *c)
{
	const struct palette *p = state;
	struct list_pos pos = p->pos;
	struct area in = dialog_box(c, height(m) + 3, MIN(66, c->cols - 2),
				    "COMMAND");
	char key[KEY_NAME_MAX];

	canvas_text(c, in.row, in.col, 2, pen_role(ROLE_ACCENT), ":");
	field_view(&p->typed, c, in.row, in.col + 2, in.cols - 2,
		   pen_role(ROLE_INK), true);
	list_settle(&pos, p->n, in.rows - 1);
	for (int i = 0; i < in.rows - 1 && pos.top + (size_t)i < p->n; i++) {
		enum action a = p->found[pos.top + (size_t)i];
		const struct action_info *info = action_info(a);
		int row = in.row + 1 + i;

		keymap_key(m->keymap, p->chain, a, key);
		canvas_text(c, row, in.col, 17, pen_role(ROLE_VALUE),
			    info->name);
		canvas_text(c, row, in.col + 18,
			    in.cols - 19 - (int)strlen(key),
			    pen_role(ROLE_INK), info->what);
		canvas_text(c, row,
			    in.col + in.cols - (int)strlen(key),
			    (int)strlen(key), pen_role(ROLE_ACCENT), key);
		if (pos.top + (size_t)i == pos.at)
			dialog_mark(m, c, row, in);
	}
}

/* The one sandbox that the text is the id, the name or a prefix of. */
static struct sandbox *one_sandbox(struct model *m, const char *text,
				   bool prefix)
{
	struct sandbox *found = NULL;

	for (size_t i = 0; i < m->fleet.n; i++) {
		struct sandbox *s = m->fleet.all[i];

		if (strcmp(s->id, text) == 0 || strcmp(s->name, text) == 0)
			return s;
		if (!prefix || strncmp(s->id, text, strlen(text)) != 0)
			continue;
		if (found) {
			model_say(m, "%s is the beginning of several ids",
				  text);
			return NULL;
		}
		found = s;
	}
	if (!found)
		model_say(m, "no sandbox %s", text);
	return found;
}

/* A command with an argument; false when it is none. */
static bool run_command(struct model *m, const char *command,
			const char *argument)
{
	static const struct {
		const char *name;
		enum action action;
		bool prefix; /* enough: nothing is lost */
	} on_sandbox[] = {
		{ "kill", ACT_KILL, false },
		{ "logs", ACT_SANDBOX_LOGS, true },
		{ "terminal", ACT_TERMINAL, true },
		{ "shell", ACT_TERMINAL, true },
		{ "files", ACT_FILES, true },
		{ "open", ACT_OPEN, true },
		{ "extend", ACT_EXTEND, true },
		{ "exec", ACT_EXEC, true },
	};

	if (strcmp(command, "spawn") == 0) {
		if (!model_refuses(m, ACT_SPAWN))
			spawn_open(m, argument);
		return true;
	}
	if (strcmp(command, "sandboxes") == 0) {
		model_show(m, SCREEN_SANDBOXES);
		sandboxes_filter(m, argument + (*argument == '/'));
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(on_sandbox); i++) {
		struct sandbox *s;

		if (strcmp(on_sandbox[i].name, command) != 0)
			continue;
		s = one_sandbox(m, argument, on_sandbox[i].prefix);
		if (s && !model_refuses(m, on_sandbox[i].action))
			sandbox_act_alone(m, s, on_sandbox[i].action);
		return true;
	}
	return false;
}

static void run(struct model *m, struct palette *p)
{
	auto_free char *text = xstrdup(field_text(&p->typed));
	enum action chosen = p->pos.at < p->n ? p->found[p->pos.at] :
						ACT_NONE;
	char *argument = strchr(text, ' ');

	dialog_pop(m);
	if (argument) {
		*argument++ = '\0';
		argument += strspn(argument, " ");
	}
	if (argument && *argument && run_command(m, text, argument))
		return;
	if (strcmp(text, "q") == 0 || strcmp(text, "quit") == 0)
		chosen = ACT_QUIT;
	if (chosen != ACT_NONE)
		update_act(m, chosen);
	else
		model_say(m, "no command %s", text);
}

static bool palette_act(struct model *m, void *state, enum action a)
{
	struct palette *p = state;

	list_settle(&p->pos, p->n, height(m));
	switch (a) {
	case ACT_CLOSE:
		dialog_pop(m);
		return true;
	case ACT_CHOOSE:
		run(m, p);
		return true;
	case ACT_COMPLETE:
		if (p->pos.at < p->n)
			field_set(&p->typed,
				  action_info(p->found[p->pos.at])->name);
		break;
	default:
		if (list_act(&p->pos, a))
			return true;
		field_act(&p->typed, a);
	}
	p->pos.at = 0;
	find(m, p);
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
	p->pos.at = 0;
	find(m, p);
	return true;
}

static const struct dialog_ops palette_ops = {
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

	update_contexts(m, p->chain);
	find(m, p);
	dialog_push(m, &palette_ops, p);
}
