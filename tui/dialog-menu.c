/* SPDX-License-Identifier: MIT */
/* A list to choose from. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/width.h"
#include "tui/batch.h"
#include "tui/list.h"
#include "tui/screen.h"

struct menu {
	char *title;
	struct menu_item *items; /* labels owned */
	size_t n;
	struct list_pos pos;
	void (*run)(struct model *m, size_t i, void *data);
	void (*release)(void *data);
	void *data;
};

static void menu_free(void *state)
{
	struct menu *u = state;

	if (u->release)
		u->release(u->data);
	for (size_t i = 0; i < u->n; i++)
		free((char *)u->items[i].label);
	free(u->items);
	free(u->title);
	free(u);
}

static int height(const struct menu *u, int rows)
{
	return MIN((int)u->n, MAX(rows - 6, 1));
}

static void menu_view(const struct model *m, const void *state,
		      struct canvas *c)
{
	const struct menu *u = state;
	struct list_pos pos = u->pos;
	int cols = (int)strlen(u->title) + 6;
	struct area in;

	for (size_t i = 0; i < u->n; i++)
		cols = MAX(cols, (int)width_text(u->items[i].label,
						 strlen(u->items[i].label)) +
					 16);
	in = dialog_box(c, height(u, c->rows) + 2, MIN(cols, c->cols - 2),
			u->title);
	list_settle(&pos, u->n, in.rows);
	for (int i = 0; i < in.rows && pos.top + (size_t)i < u->n; i++) {
		const struct menu_item *item = &u->items[pos.top + (size_t)i];
		int row = in.row + i;
		int right = (int)strlen(item->key);

		canvas_text(c, row, in.col, in.cols - right - 1,
			    pen_role(ROLE_INK), item->label);
		canvas_text(c, row, in.col + in.cols - right, right,
			    pen_role(ROLE_ACCENT), item->key);
		if (pos.top + (size_t)i != pos.at)
			continue;
		dialog_mark(m, c, row, in);
		canvas_cursor(c, row, in.col - 1);
	}
}

static void choose(struct model *m, struct menu *u)
{
	size_t i = u->pos.at;
	enum action a = i < u->n ? u->items[i].action : ACT_NONE;
	size_t own = i < u->n ? u->items[i].own : 0;
	struct menu kept = *u;

	if (i >= u->n)
		return;
	u->release = NULL;
	dialog_pop(m);
	if (a != ACT_NONE)
		update_act(m, a);
	else if (own && own <= m->commands.n)
		command_run(m, &m->commands.list[own - 1]);
	else if (kept.run)
		kept.run(m, i, kept.data);
	if (kept.release)
		kept.release(kept.data);
}

static bool menu_act(struct model *m, void *state, enum action a)
{
	struct menu *u = state;

	list_settle(&u->pos, u->n, height(u, m->rows));
	if (a == ACT_CLOSE)
		dialog_pop(m);
	else if (a == ACT_CHOOSE)
		choose(m, u);
	else
		list_act(&u->pos, a);
	return true;
}

/* The key of an item chooses it. */
static bool menu_input(struct model *m, void *state,
		       const struct input_event *ev)
{
	struct menu *u = state;
	char name[KEY_NAME_MAX];

	if (ev->type != INPUT_KEY)
		return true;
	key_name(ev->key, name);
	for (size_t i = 0; i < u->n; i++)
		if (*u->items[i].key && strcmp(u->items[i].key, name) == 0) {
			u->pos.at = i;
			choose(m, u);
			return true;
		}
	return false;
}

static void menu_click(struct model *m, void *state, int row, int col,
		       struct area in)
{
	struct menu *u = state;

	(void)col;
	list_settle(&u->pos, u->n, in.rows);
	if (u->pos.top + (size_t)row >= u->n)
		return;
	u->pos.at = u->pos.top + (size_t)row;
	choose(m, u);
}

static const struct dialog_ops menu_ops = {
	.click = menu_click,
	.light = true,
	.release = menu_free,
	.view = menu_view,
	.context = CTX_MENU,
	.act = menu_act,
	.input = menu_input,
};

void menu_open(struct model *m, const char *title,
	       const struct menu_item *items, size_t n,
	       void (*run)(struct model *m, size_t i, void *data), void *data,
	       void (*release)(void *data))
{
	struct menu *u = xcalloc(1, sizeof(*u));

	u->title = xstrdup(title);
	u->items = xcalloc(n ? n : 1, sizeof(*u->items));
	for (size_t i = 0; i < n; i++) {
		u->items[i] = items[i];
		u->items[i].label = xstrdup(items[i].label);
		if (items[i].begin)
			u->pos.at = i;
	}
	u->n = n;
	u->run = run;
	u->data = data;
	u->release = release;
	dialog_push(m, &menu_ops, u);
}

/* The user's own commands of this context, behind the n items there are;
 * labels are the caller's to free.  How many there are then. */
static size_t add_own(const struct model *m, enum context of,
		      struct menu_item *items, size_t n)
{
	for (size_t i = 0; i < m->commands.n && n < MENU_MAX; i++) {
		const struct command *own = &m->commands.list[i];
		struct buf label = BUF_INIT;

		if (own->scope != of || (m->read_only && own->changes))
			continue;
		buf_addf(&label, "%s: ", own->name);
		command_describe(own, &label);
		items[n] = (struct menu_item){ .label = buf_steal(&label),
					       .own = i + 1 };
		snprintf(items[n].key, sizeof(items[n].key), "%s",
			 own->key_name);
		n++;
	}
	return n;
}

static void free_labels(struct menu_item *items, size_t from, size_t n)
{
	while (from < n)
		free((char *)(uintptr_t)items[from++].label);
}

void menu_open_own(struct model *m, const char *title,
		   const struct menu_item *items, size_t n, enum context of)
{
	struct menu_item all[MENU_MAX];

	memcpy(all, items, n * sizeof(*all));
	size_t end = of == CTX_NONE ? n : add_own(m, of, all, n);

	menu_open(m, title, all, end, NULL, NULL, NULL);
	free_labels(all, n, end);
}

/* Not on the one that the menu is of. */
static char *label_of(const struct model *m, enum context of, enum action a)
{
	size_t marked = of == CTX_SANDBOXES && batch_takes_marked(a) ?
				fleet_marked(&m->fleet) : 0;

	return marked ? xasprintf("%s: %zu marked", action_info(a)->what,
				  marked) :
			xstrdup(action_info(a)->what);
}

void menu_actions(struct model *m, const char *title, const enum context *of)
{
	struct menu_item items[MENU_MAX];
	enum context chain[CONTEXT_CHAIN];
	const enum context *all = of;
	size_t n = 0;

	update_contexts(m, chain);
	for (; *of != CTX_NONE; of++) {
		auto_buf struct buf keys = BUF_INIT;
		enum action a;

		for (size_t i = 0; n < ARRAY_SIZE(items) &&
				   keymap_binding(m->keymap, *of, i, &keys,
						  &a); i++) {
			if (m->read_only &&
			    action_info(a)->flags & ACTION_CHANGES)
				continue;
			items[n] = (struct menu_item){ .action = a };
			keymap_key(m->keymap, chain, a, items[n].key);
			if (*items[n].key)
				items[n++].label = label_of(m, *of, a);
		}
	}
	for (; *all != CTX_NONE; all++)
		n = add_own(m, *all, items, n);
	menu_open(m, title, items, n, NULL, NULL, NULL);
	free_labels(items, 0, n);
}
