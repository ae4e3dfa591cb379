/* SPDX-License-Identifier: MIT */
/* The mouse in the workspace: of the pane that it points at. */
#include <string.h>

#include "lib/base/mem.h"
#include "tui/workspace.h"

static bool terminal_mouse(struct workspace *w, const struct input_event *ev)
{
	const struct area *a = &w->terminal_area;
	struct input_event own = *ev;

	own.mouse.row -= a->row;
	own.mouse.col -= a->col;
	if (!w->shown || !w->at.terminal.rows || own.mouse.row < 0 ||
	    own.mouse.row >= a->rows || own.mouse.col < 0 ||
	    own.mouse.col >= a->cols)
		return false;
	if (w->copy.on) { /* the wheel is its own */
		if (ev->mouse.kind == MOUSE_PRESS)
			copy_place(&w->copy, w->shown, own.mouse.row,
				   own.mouse.col);
		return true;
	}
	if (w->focus != PANE_TERMINAL || !w->live) {
		if (ev->mouse.kind == MOUSE_WHEEL_UP)
			terminal_scroll(w->shown, -3);
		else if (ev->mouse.kind == MOUSE_WHEEL_DOWN)
			terminal_scroll(w->shown, 3);
		if (ev->mouse.kind != MOUSE_PRESS)
			return true;
		w->focus = PANE_TERMINAL;
		w->live = true;
		return true;
	}
	return terminal_input(w->shown, &own);
}

static bool within(struct area a, const struct mouse *mouse)
{
	return mouse->row >= a.row && mouse->row < a.row + a.rows &&
	       mouse->col >= a.col && mouse->col < a.col + a.cols;
}

/* The pane that is pointed at has the focus, and what was clicked on. */
static bool pane_mouse(struct model *m, struct workspace *w,
		       const struct input_event *ev)
{
	bool files = within(w->at.files, &ev->mouse);
	bool viewer = within(w->at.viewer, &ev->mouse);

	if (!files && !(viewer && files_viewing(&w->files)))
		return false;
	if (ev->mouse.kind == MOUSE_PRESS) {
		w->focus = files ? PANE_FILES : PANE_VIEWER;
		w->live = false;
	}
	return files_input(m, &w->files, ev, !files) ||
	       ev->mouse.kind == MOUSE_PRESS;
}

/* On the name of a session, or on what makes a new one. */
static bool title_mouse(struct model *m, struct workspace *w,
			const struct mouse *mouse)
{
	if (mouse->kind != MOUSE_PRESS || workspace_is_full(w) ||
	    !within(w->at.terminal, mouse) || mouse->row != w->at.terminal.row)
		return false;
	auto_free char *word = workspace_title_word(m, w, mouse->col);

	if (!word)
		return false;
	if (strcmp(word, WORKSPACE_NEW) == 0)
		workspace_open_terminal(m, w, NULL);
	else
		workspace_choose_terminal(m, w, word);
	return true;
}

bool workspace_mouse(struct model *m, struct workspace *w,
		     const struct input_event *ev)
{
	return terminal_mouse(w, ev) || title_mouse(m, w, &ev->mouse) ||
	       pane_mouse(m, w, ev);
}
