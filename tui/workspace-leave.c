/* SPDX-License-Identifier: MIT */
/*
 * Out of a live terminal: the leave key and what its second press does, and
 * `shell --ui`, where leaving it, or its end, is the end of the program.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/api/errmap.h"
#include "lib/base/mem.h"
#include "tui/workspace.h"

#define LEAVE_TWICE_NS (500 * INT64_C(1000000))

const enum context workspace_live_chain[] = { CTX_TERMINAL, CTX_NONE };
const enum context workspace_left_chain[] = { CTX_LEFT, CTX_NONE };

static void leave_terminal(struct model *m, struct workspace *w)
{
	char name[KEY_NAME_MAX], back[KEY_NAME_MAX];

	w->live = false;
	w->left_at = m->boot_ns;
	keymap_key(m->keymap, workspace_live_chain, ACT_LEAVE, name);
	keymap_key(m->keymap, workspace_left_chain, ACT_OPEN, back);
	model_hint(m, "left; %s sends the key itself%s%s%s", name,
		   *back ? ", " : "", back, *back ? " goes back" : "");
	model_said_while(m, TOAST_LEFT);
}

bool workspace_leave_key(struct model *m, struct workspace *w, struct key k)
{
	if (keymap_find(m->keymap, workspace_live_chain, k) != ACT_LEAVE)
		return false;
	if (w->live) {
		leave_terminal(m, w);
		return true;
	}
	if (w->focus != PANE_TERMINAL || !w->shown ||
	    m->boot_ns - w->left_at > LEAVE_TWICE_NS)
		return false;
	/* The second press: the key itself. */
	w->live = true;
	terminal_input(w->shown, &(struct input_event){ .type = INPUT_KEY,
							.key = k });
	return true;
}

void model_shell(struct model *m, const char *id)
{
	struct workspace *w = m->state[SCREEN_WORKSPACE];

	m->start_ns = 0; /* what is typed is the shell's */
	model_open(m, id, WORKSPACE_TERMINAL);
	w->shell = w->panes.zoomed = true;
	update_settle(m);
}

/* They haven't left, or do something else there: 0. */
int64_t workspace_leave_due(const struct model *m, const struct workspace *w)
{
	return w->shell && workspace_is_full(w) && !w->live && !w->copy.on &&
	       !m->dialog && m->screen == SCREEN_WORKSPACE ?
		       w->left_at + LEAVE_TWICE_NS : 0;
}

static char *farewell(const struct terminal *t, const char *id)
{
	auto_buf struct buf say = BUF_INIT;

	if (terminal_waiting(t))
		buf_addf(&say, "%zu byte%s typed not sent: no connection\n",
			 terminal_waiting(t),
			 terminal_waiting(t) == 1 ? "" : "s");
	buf_addf(&say, "left; it goes on.  Come back with:  "
		       "stacyvm shell --ui %s\n", id);
	return xstrdup(buf_str(&say));
}

void workspace_quit_shell(struct model *m, const struct workspace *w)
{
	const struct terminal *t = w->shown;

	m->effects |= EFFECT_QUIT;
	free(m->farewell);
	m->farewell = xstrdup("");
	if (t && t->state == TERMINAL_EXITED) {
		m->status = t->exit_code;
	} else if (t && t->state == TERMINAL_FAILED) {
		m->status = EXIT_STATUS_OURS;
	} else if (t) {
		free(m->farewell);
		m->farewell = farewell(t, w->id);
	}
}

/* The end of the shell is the end of all. */
void workspace_settle_shell(struct model *m, struct workspace *w)
{
	if (w->looked_back && !w->copy.on)
		w->live = true;
	w->looked_back = w->copy.on;
	if (workspace_is_full(w) && !w->copy.on && w->shown &&
	    w->shown->state == TERMINAL_EXITED)
		workspace_quit_shell(m, w);
}
