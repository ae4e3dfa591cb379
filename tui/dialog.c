/* SPDX-License-Identifier: MIT */
/* The stack of dialogs.  See dialog.h and screen.h. */
#include "tui/dialog.h"

#include <stdlib.h>

#include "lib/base/mem.h"
#include "tui/glyph.h"
#include "tui/screen.h"

struct dialog {
	const struct dialog_ops *ops;
	void *state;
	struct dialog *below;
};

void dialog_push(struct model *m, const struct dialog_ops *ops, void *state)
{
	struct dialog *d = xcalloc(1, sizeof(*d));

	d->ops = ops;
	d->state = state;
	d->below = m->dialog;
	m->dialog = d;
	m->effects |= EFFECT_REDRAW;
}

void dialog_pop(struct model *m)
{
	struct dialog *d = m->dialog;

	if (!d)
		return;
	m->dialog = d->below;
	if (d->ops->release)
		d->ops->release(d->state);
	free(d);
	m->effects |= EFFECT_REDRAW;
}

void dialog_release_all(struct model *m)
{
	while (m->dialog)
		dialog_pop(m);
}

void *dialog_top(const struct model *m, const struct dialog_ops *ops)
{
	return m->dialog && m->dialog->ops == ops ? m->dialog->state : NULL;
}

bool dialog_act(struct model *m, enum action a)
{
	return m->dialog->ops->act(m, m->dialog->state, a);
}

/* Where it is, only its view knows: it is drawn once more. */
static struct area box_of(const struct model *m)
{
	auto_canvas struct canvas *c = canvas_new(m->rows, m->cols);

	m->dialog->ops->view(m, m->dialog->state, c);
	return (struct area){ c->box_row, c->box_col, c->box_rows,
			      c->box_cols };
}

static void click(struct model *m, const struct mouse *mouse)
{
	const struct dialog_ops *ops = m->dialog->ops;
	struct area in = box_of(m);
	int row = mouse->row - in.row, col = mouse->col - in.col;

	if (row >= 0 && row < in.rows && col >= 0 && col < in.cols) {
		if (ops->click)
			ops->click(m, m->dialog->state, row, col, in);
	} else if (ops->light && (row < -1 || row > in.rows || col < -2 ||
				  col > in.cols + 1)) {
		dialog_pop(m);
	}
}

static bool dialog_mouse(struct model *m, const struct mouse *mouse)
{
	bool up = mouse->kind == MOUSE_WHEEL_UP;

	if (mouse->kind == MOUSE_PRESS && mouse->button == 1)
		click(m, mouse);
	else if (m->dialog->ops->light &&
		 (up || mouse->kind == MOUSE_WHEEL_DOWN))
		dialog_act(m, up ? ACT_UP : ACT_DOWN);
	return true;
}

bool dialog_input(struct model *m, const struct input_event *ev)
{
	if (ev->type == INPUT_MOUSE)
		return dialog_mouse(m, &ev->mouse);
	return m->dialog->ops->input &&
	       m->dialog->ops->input(m, m->dialog->state, ev);
}

static void view_all(const struct model *m, const struct dialog *d,
		     struct canvas *c)
{
	if (d->below)
		view_all(m, d->below, c);
	d->ops->view(m, d->state, c);
}

void dialog_view(const struct model *m, struct canvas *c)
{
	c->cursor_visible = false;
	view_all(m, m->dialog, c);
}

void dialog_contexts(const struct model *m, enum context ret[CONTEXT_CHAIN])
{
	size_t n = 0;

	ret[n++] = m->dialog->ops->context;
	if (m->dialog->ops->field)
		ret[n++] = CTX_FIELD;
	ret[n] = CTX_NONE;
}

struct area dialog_box(struct canvas *c, int rows, int cols,
		       const char *title)
{
	struct area a;

	a.rows = MIN(MAX(rows, 3), c->rows);
	a.cols = MIN(MAX(cols, 10), c->cols);
	a.row = (c->rows - a.rows) / 2;
	a.col = (c->cols - a.cols) / 2;
	canvas_fill(c, a.row, a.col, a.rows, a.cols, pen_role(ROLE_INK));
	canvas_box(c, a.row, a.col, a.rows, a.cols, pen_role(ROLE_FOCUS),
		   title);
	c->box_row = a.row + 1;
	c->box_col = a.col + 2;
	c->box_rows = a.rows - 2;
	c->box_cols = MAX(a.cols - 4, 0);
	return (struct area){ c->box_row, c->box_col, c->box_rows,
			      c->box_cols };
}

void dialog_mark(const struct model *m, struct canvas *c, int row,
		 struct area inside)
{
	canvas_shade(c, row, inside.col - 1, 1, inside.cols + 2,
		     ROLE_SELECTED);
	canvas_text(c, row, inside.col - 1, 1,
		    pen_on(pen_role(ROLE_ACCENT), ROLE_SELECTED),
		    m->set.ascii ? ">" : GLYPH_MARKER);
}
