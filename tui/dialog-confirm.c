/* SPDX-License-Identifier: MIT */
/* Questions.  No is the default, and where much is lost, a name is typed. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/width.h"
#include "tui/screen.h"
#include "tui/wrap.h"

struct asking {
	char *title, **lines, *name;
	struct field typed; /* with `name` */
	bool wrong;         /* it was another */
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

/* The lines, those that are longer in several; the caller's. */
static char **wrapped(char *const *lines, size_t width)
{
	char **all = xcalloc(1, sizeof(*all));
	size_t n = 0;

	for (; *lines; lines++) {
		char **of = wrap_lines(*lines, width);
		size_t more = strv_len(of);

		all = xreallocarray(all, n + more + 1, sizeof(*all));
		memcpy(all + n, of, (more + 1) * sizeof(*all));
		n += more;
		free(of);
	}
	return all;
}

/* Where not all fit, the last is still there: it says what will be lost. */
static void view_lines(char *const *lines, struct canvas *c, struct area in,
		       int room)
{
	int n = (int)strv_len(lines);

	for (int i = 0; i < MIN(n, room); i++) {
		const char *line = lines[i];

		if (n > room && i >= room - 2)
			line = i == room - 1 ? lines[n - 1] : "...";
		canvas_text(c, in.row + i, in.col, in.cols,
			    pen_role(ROLE_INK), line);
	}
}

/* What is asked; the last row of what it returns is for the answer. */
static struct area view_question(const struct asking *q, struct canvas *c)
{
	int cols = 34;
	struct area in;

	for (char **l = q->lines; *l; l++)
		cols = MAX(cols, (int)width_text(*l, strlen(*l)) + 4);
	cols = MAX(cols, (int)width_text(q->title, strlen(q->title)) + 6);
	if (q->name) /* "type NAME: ", and as much again to type it */
		cols = MAX(cols, 2 * ((int)width_text(q->name,
						      strlen(q->name)) + 8) +
					 4);
	cols = MIN(cols, c->cols - 4);
	char **lines = wrapped(q->lines, (size_t)MAX(cols - 4, 1));
	in = dialog_box(c, (int)strv_len(lines) + 4, cols, q->title);
	view_lines(lines, c, in, in.rows - 2);
	strv_free(lines);
	return in;
}

static void named_view(const struct model *m, const void *state,
		       struct canvas *c)
{
	const struct asking *q = state;
	struct area in = view_question(q, c);
	int last = in.row + in.rows - 1;
	int used = canvas_textf(c, last, in.col, in.cols / 2,
				pen_role(q->wrong ? ROLE_BAD : ROLE_DIM),
				"%s %s: ", q->wrong ? "it is" : "type",
				q->name);

	(void)m;
	field_view(&q->typed, c, last, in.col + used,
		   MAX(in.cols - used, 1), pen_role(ROLE_INK), true);
}

static void confirm_view(const struct model *m, const void *state,
			 struct canvas *c)
{
	const struct asking *q = state;
	struct area in = view_question(q, c);

	(void)m;
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
		answer(m, q, true);
		return true;
	case ACT_CHOOSE:
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

static void confirm_click(struct model *m, void *state, int row, int col,
			  struct area in)
{
	if (row != in.rows - 1)
		return;
	if (col < 6)
		answer(m, state, false);
	else if (col >= 8 && col < 15)
		answer(m, state, true);
}

static const struct dialog_ops confirm_ops = {
	.release = asking_free,
	.click = confirm_click,
	.view = confirm_view,
	.context = CTX_CONFIRM,
	.act = confirm_act,
};

/* -- with a name to type */

static bool named_act(struct model *m, void *state, enum action a)
{
	struct asking *q = state;
	bool same = strcmp(field_text(&q->typed), q->name) == 0;

	if (a == ACT_SUBMIT && !same) {
		field_set(&q->typed, "");
		q->wrong = true;
	} else if (a == ACT_SUBMIT || a == ACT_CLOSE) {
		answer(m, q, a == ACT_SUBMIT);
	} else {
		field_act(&q->typed, a);
	}
	return true;
}

/* A name has to be typed: what is pasted isn't. */
static bool named_input(struct model *m, void *state,
			const struct input_event *ev)
{
	struct asking *q = state;

	(void)m;
	return ev->type != INPUT_KEY || field_key(&q->typed, ev->key);
}

static const struct dialog_ops named_ops = {
	.release = asking_free,
	.view = named_view,
	.context = CTX_PROMPT,
	.field = true,
	.act = named_act,
	.input = named_input,
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
	dialog_push(m, q->name ? &named_ops : &confirm_ops, q);
}
