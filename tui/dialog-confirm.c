/* SPDX-License-Identifier: MIT */
/* Questions.  No is the default, and where much is lost, a name is typed. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/width.h"
#include "tui/screen.h"

struct asking {
	char *title, **lines, *name;
	struct field typed; /* with `name` */
	bool yes;           /* what is highlighted */
	void (*then)(struct model *m, void *data);
	void (*release)(void *data);
	void *data;
};

static void asking_free(void *state)
{
	struct asking *q = state;

	if (q->release)
		q->release(q->data);
	free(q->title);
	strv_free(q->lines);
	free(q->name);
	field_release(&q->typed);
	free(q);
}

static void answer(struct model *m, struct asking *q, bool yes)
{
	struct asking kept = *q;

	/* The question is gone before what follows from it may ask another. */
	q->release = NULL;
	dialog_pop(m);
	if (yes)
		kept.then(m, kept.data);
	if (kept.release)
		kept.release(kept.data);
}

static void confirm_view(const struct model *m, const void *state,
			 struct canvas *c)
{
	const struct asking *q = state;
	int rows = (int)strv_len(q->lines) + 4, cols = 34;
	struct area in;

	(void)m;
	for (char **l = q->lines; *l; l++)
		cols = MAX(cols, (int)width_text(*l, strlen(*l)) + 4);
	cols = MAX(cols, (int)width_text(q->title, strlen(q->title)) + 6);
	in = dialog_box(c, rows, MIN(cols, c->cols - 4), q->title);
	for (int i = 0; q->lines[i] && i < in.rows - 2; i++)
		canvas_text(c, in.row + i, in.col, in.cols,
			    pen_role(ROLE_INK), q->lines[i]);
	if (q->name) {
		int used = canvas_textf(c, in.row + in.rows - 1, in.col,
					in.cols / 2, pen_role(ROLE_DIM),
					"type %s: ", q->name);

		field_view(&q->typed, c, in.row + in.rows - 1, in.col + used,
			   MAX(in.cols - used, 1), pen_role(ROLE_INK), true);
		return;
	}
	canvas_text(c, in.row + in.rows - 1, in.col, 6,
		    q->yes ? pen_role(ROLE_DIM) : pen_role(ROLE_ACCENT),
		    q->yes ? "  No  " : "[ No ]");
	canvas_text(c, in.row + in.rows - 1, in.col + 8, 7,
		    q->yes ? pen_role(ROLE_ACCENT) : pen_role(ROLE_DIM),
		    q->yes ? "[ Yes ]" : "  Yes  ");
	canvas_text(c, in.row + in.rows - 1, in.col + 18, 5,
		    pen_role(ROLE_DIM), "(y/N)");
	canvas_cursor(c, in.row + in.rows - 1, in.col + (q->yes ? 10 : 2));
}

static bool confirm_act(struct model *m, void *state, enum action a)
{
	struct asking *q = state;

	switch (a) {
	case ACT_YES:
	case ACT_ALL:
		answer(m, q, true);
		return true;
	case ACT_OPEN:
		answer(m, q, q->yes);
		return true;
	case ACT_LEFT:
	case ACT_RIGHT:
		q->yes = a == ACT_RIGHT ? !q->yes : false;
		return true;
	default:
		answer(m, q, false);
		return true;
	}
}

/* With a name to type, keys are text. */
static bool confirm_input(struct model *m, void *state,
			  const struct input_event *ev)
{
	static const enum context chain[] = { CTX_FIELD, CTX_NONE };
	struct asking *q = state;

	if (!q->name || ev->type != INPUT_KEY)
		return false;
	if (key_is(ev->key, KEY_CODE_ENTER, 0))
		answer(m, q, strcmp(field_text(&q->typed), q->name) == 0);
	else if (key_is(ev->key, KEY_CODE_ESCAPE, 0) ||
		 key_is(ev->key, 'c', KEY_MOD_CTRL))
		answer(m, q, false);
	else if (!field_key(&q->typed, ev->key))
		field_act(&q->typed, keymap_find(m->keymap, chain, ev->key));
	return true;
}

static const struct dialog_ops confirm_ops = {
	.release = asking_free,
	.view = confirm_view,
	.context = CTX_CONFIRM,
	.act = confirm_act,
	.input = confirm_input,
};

void confirm_ask(struct model *m, const struct confirm *c)
{
	struct asking *q = xcalloc(1, sizeof(*q));

	q->title = xstrdup(c->title);
	q->lines = strv_dup((char *const *)c->lines);
	q->name = xstrdup(c->name);
	q->then = c->yes;
	q->release = c->release;
	q->data = c->data;
	dialog_push(m, &confirm_ops, q);
}
