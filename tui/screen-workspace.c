/* SPDX-License-Identifier: MIT */
/*
 * One sandbox: its files, what is in them, and terminals.  Wide enough, the
 * files stand left of the terminal; else one is shown at a time.  Here is which
 * pane has the focus, where the panes are, and where keys and actions go.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "tui/message.h"
#include "tui/sandbox-act.h"
#include "tui/workspace.h"

#define SECOND INT64_C(1000000000)
#define MINUTE (60 * SECOND)

static void *workspace_make(struct model *m)
{
	struct workspace *w = xcalloc(1, sizeof(*w));

	(void)m;
	files_init(&w->files);
	panes_init(&w->panes);
	return w;
}

static void workspace_release(struct model *m, void *state)
{
	struct workspace *w = state;

	(void)m;
	files_release(&w->files);
	copy_release(&w->copy);
	free(w->id);
	free(w);
}

struct sandbox *workspace_sandbox(const struct model *m,
				  const struct workspace *w)
{
	return w->id ? fleet_find(&m->fleet, w->id) : NULL;
}

void model_open(struct model *m, const char *id, enum workspace_focus focus)
{
	struct workspace *w = m->state[SCREEN_WORKSPACE];

	if (focus == WORKSPACE_NEW_TERMINAL &&
	    model_refuses(m, ACT_TERMINAL_NEW))
		return;
	if (w->id && strcmp(w->id, id) != 0 && files_unsaved(m, &w->files)) {
		model_show(m, SCREEN_WORKSPACE);
		w->focus = PANE_VIEWER;
		return;
	}
	if (!w->id || strcmp(w->id, id) != 0) {
		free(w->id);
		w->id = xstrdup(id);
		w->shown = NULL;
		w->focus = PANE_FILES;
		w->live = w->panes.zoomed = false;
		files_open(m, &w->files, id, "/workspace");
	}
	model_show(m, SCREEN_WORKSPACE);
	update_settle(m); /* the terminal's size */
	if (focus == WORKSPACE_NEW_TERMINAL)
		workspace_open_terminal(m, w, NULL);
	else if (focus == WORKSPACE_TERMINAL)
		workspace_last_terminal(m, w);
	else
		w->focus = PANE_FILES;
	w->live = w->focus == PANE_TERMINAL;
}

bool workspace_is_full(const struct workspace *w)
{
	return w->panes.zoomed && w->focus == PANE_TERMINAL;
}

/* -- where things are */

static struct places place(struct workspace *w, struct area a)
{
	bool terminal = (w->shown && !w->hidden) || w->focus == PANE_TERMINAL;

	if (!workspace_is_full(w))
		a.row++, a.rows--; /* the sandbox's line */
	return panes_split(&w->panes, a, w->focus, files_viewing(&w->files),
			   terminal);
}

static struct area inside(struct area a)
{
	return (struct area){ a.row + 1, a.col + 1, MAX(a.rows - 2, 0),
			      MAX(a.cols - 2, 0) };
}

/* What is done in a terminal tells no event.  Programs that have the whole
 * screen write all the time, and files seldom: those are seen when they end. */
static void follow_terminal(struct model *m, struct workspace *w)
{
	uint64_t written = w->shown ? w->shown->offset : 0;

	if (w->had == PANE_TERMINAL && w->focus != PANE_TERMINAL)
		files_look_again(m, &w->files);
	else if (written > w->written && w->at.files.rows &&
		 !(emu_modes(w->shown->emu) & EMU_MODE_ALT))
		files_look_soon(m, &w->files);
	w->written = written;
	w->had = w->focus;
}

static void workspace_settle(struct model *m, void *state, struct area a)
{
	struct workspace *w = state;
	struct places p;

	if (w->shown && w->shown->closed)
		w->shown = NULL;
	if (w->focus == PANE_TERMINAL)
		w->hidden = false;
	if (w->files.opened && w->focus == PANE_FILES)
		w->focus = PANE_VIEWER;
	if (w->files.followed && w->focus == PANE_VIEWER)
		w->focus = PANE_FILES;
	w->files.opened = w->files.followed = false;
	if (w->shown)
		w->shown->wanted = true;
	p = w->at = place(w, a);
	follow_terminal(m, w);
	if (p.terminal.rows) {
		w->terminal_area = workspace_is_full(w) ?
			(struct area){ a.row + 1, a.col, a.rows - 1, a.cols } :
			inside(p.terminal);
		if (w->shown)
			terminal_resize(w->shown, w->terminal_area.rows,
					w->terminal_area.cols);
	}
	if (w->shown && w->focus == PANE_TERMINAL)
		w->shown->bell = false;
	if (w->copy.on && (w->live || w->focus != PANE_TERMINAL ||
			   w->copy.of != w->shown))
		copy_end(&w->copy, w->shown);
	if (w->copy.on)
		copy_settle(&w->copy, w->shown, w->terminal_area.rows);
	if (w->shell)
		workspace_settle_shell(m, w);
	if (w->live)
		model_unsay(m, TOAST_LEFT);
	if (!w->copy.on)
		model_unsay(m, TOAST_LOOKING_BACK);
	files_settle(m, &w->files, inside(p.files), inside(p.viewer));
}

static uint64_t workspace_place(const struct model *m, const void *state)
{
	const struct workspace *w = state;
	uint64_t h = files_edit_serial(&w->files);

	(void)m;
	return message_place(message_place(h, w->id), w->files.view_path);
}

static bool workspace_full(const struct model *m, const void *state)
{
	const struct workspace *w = state;

	(void)m;
	return workspace_is_full(w);
}

/* -- keys */

static void workspace_contexts(const struct model *m, const void *state,
			       enum context ret[CONTEXT_CHAIN], bool *alone)
{
	const struct workspace *w = state;

	(void)m;
	if (w->focus == PANE_TERMINAL && w->live) {
		ret[0] = CTX_TERMINAL;
		*alone = true;
		return;
	}
	if (w->copy.on) {
		ret[0] = CTX_COPY;
		return;
	}
	if (w->focus == PANE_VIEWER && w->files.edit) {
		files_edit_contexts(&w->files, ret);
		*alone = true;
		return;
	}
	ret[0] = w->focus == PANE_TERMINAL ? CTX_LEFT :
		 w->focus == PANE_VIEWER   ? CTX_VIEWER :
					      CTX_FILES;
	ret[1] = CTX_WORKSPACE;
	ret[2] = CTX_PANES;
	if (w->focus != PANE_TERMINAL) /* nothing to move in */
		ret[3] = CTX_LIST;
}

static bool is_scroll(const struct model *m, struct key k, int *ret_lines)
{
	enum action a = keymap_find(m->keymap, workspace_live_chain, k);

	*ret_lines = a == ACT_SCROLL_UP ? -10 : 10;
	return a == ACT_SCROLL_UP || a == ACT_SCROLL_DOWN;
}

static void refuse_typing(struct model *m)
{
	char leave[KEY_NAME_MAX];

	keymap_key(m->keymap, workspace_live_chain, ACT_LEAVE, leave);
	model_hint(m, "read-only: nothing is typed here; %s leaves, then "
		      ":read-only allows it", leave);
}

static bool workspace_input(struct model *m, void *state,
			    const struct input_event *ev)
{
	struct workspace *w = state;
	int lines;

	if (w->copy.on && copy_input(m, &w->copy, w->shown, ev))
		return true;
	w->copy.taken &= !w->live; /* one is elsewhere since */
	if (ev->type == INPUT_MOUSE)
		return workspace_mouse(m, w, ev);
	if (ev->type == INPUT_KEY && workspace_leave_key(m, w, ev->key))
		return true;
	if (w->focus != PANE_TERMINAL)
		return files_input(m, &w->files, ev,
				   w->focus == PANE_VIEWER);
	if (!w->live)
		return false;
	if (!w->shown)
		workspace_keep_early(w, ev);
	else if (ev->type == INPUT_KEY && workspace_ended_key(m, w, ev->key))
		return true;
	else if (ev->type == INPUT_KEY && is_scroll(m, ev->key, &lines))
		terminal_scroll(w->shown, lines);
	else if (m->read_only && (ev->type == INPUT_KEY ||
				  ev->type == INPUT_PASTE_BEGIN))
		refuse_typing(m);
	else
		terminal_input(w->shown, ev);
	return true;
}

static void next_pane(struct workspace *w, int step)
{
	for (int i = 0; i < 3; i++) {
		w->focus = (enum pane)(((int)w->focus + step + 3) % 3);
		if (w->focus == PANE_FILES ||
		    (w->focus == PANE_VIEWER && files_viewing(&w->files)) ||
		    (w->focus == PANE_TERMINAL && w->shown))
			break;
	}
	w->live = false;
}

static bool act_on_panes(struct model *m, struct workspace *w, enum action a)
{
	switch (a) {
	case ACT_NEXT_PANE:
	case ACT_PREV_PANE:
		next_pane(w, a == ACT_NEXT_PANE ? 1 : -1);
		return true;
	case ACT_STRIP:
		w->hidden = w->focus == PANE_TERMINAL || !w->hidden;
		if (w->focus == PANE_TERMINAL)
			w->focus = PANE_FILES;
		return true;
	case ACT_TERMINAL:
		workspace_last_terminal(m, w);
		return true;
	case ACT_TERMINAL_NEW:
		workspace_open_terminal(m, w, NULL);
		return true;
	case ACT_FILES:
	case ACT_VIEWER:
		if (a == ACT_FILES || files_viewing(&w->files))
			w->focus = a == ACT_FILES ? PANE_FILES : PANE_VIEWER;
		w->live = false;
		return true;
	default:
		return false;
	}
}

/* What can be done with what has the focus, and with the sandbox. */
static void open_menu(struct model *m, const struct workspace *w)
{
	const enum context of[] = {
		w->focus == PANE_TERMINAL ? CTX_LEFT :
		w->focus == PANE_VIEWER   ? CTX_VIEWER :
					     CTX_FILES,
		CTX_WORKSPACE, CTX_NONE,
	};

	menu_actions(m, w->id, of);
}

/* Copying has ended the looking back, which the key was meant to end: it isn't
 * taken for the end of all. */
static bool is_late_quit(struct model *m, struct workspace *w, enum action a)
{
	bool taken = w->copy.taken;
	char key[KEY_NAME_MAX];

	w->copy.taken = false;
	if (!taken || a != ACT_QUIT || w->focus != PANE_TERMINAL)
		return false;
	keymap_key(m->keymap, (enum context[]){ CTX_GLOBAL, CTX_NONE },
		   ACT_QUIT, key);
	model_hint(m, "copied, and no longer looking back; %s again quits",
		   key);
	return true;
}

static bool workspace_act(struct model *m, void *state, enum action a)
{
	struct workspace *w = state;
	struct sandbox *s = workspace_sandbox(m, w);

	if (is_late_quit(m, w, a))
		return true;
	if (w->copy.on && copy_act(m, &w->copy, w->shown, a))
		return true;
	if (w->focus == PANE_TERMINAL && workspace_act_terminal(m, w, a))
		return true;
	/* All keys are the editor's, whatever they do elsewhere. */
	if (w->focus == PANE_VIEWER && w->files.edit &&
	    files_act(m, &w->files, a, true))
		return true;
	if (a == ACT_BACK && (w->panes.zoomed || w->focus != PANE_FILES)) {
		if (w->focus == PANE_VIEWER)
			files_close_content(&w->files);
		w->panes.zoomed = w->live = false;
		w->focus = PANE_FILES;
		return true;
	}
	if (panes_act(&w->panes, a, w->focus) || act_on_panes(m, w, a))
		return true;
	if (w->focus != PANE_TERMINAL &&
	    files_act(m, &w->files, a, w->focus == PANE_VIEWER)) {
		if ((a == ACT_OPEN || a == ACT_EDIT) &&
		    files_viewing(&w->files))
			w->focus = PANE_VIEWER;
		return true;
	}
	if (a == ACT_MENU) {
		open_menu(m, w);
		return true;
	}
	if (!s || (a != ACT_EXTEND && a != ACT_PREVIEW && a != ACT_KILL &&
		   a != ACT_LABEL))
		return false;
	sandbox_act_alone(m, s, a);
	return true;
}

/* Where what is typed goes. */
static const char *live_status(const struct model *m,
			       const struct terminal *t)
{
	if (t && (t->state == TERMINAL_EXITED ||
		  (t->state == TERMINAL_FAILED && !terminal_has_sandbox(m, t))))
		return "ended";
	if (!t || t->state != TERMINAL_LIVE)
		return "not connected";
	return m->read_only ? "watching" : "live";
}

/* What Enter did before does something else now. */
static void left_status(const struct model *m, const struct workspace *w,
			struct buf *out)
{
	static const enum context looking[] = { CTX_COPY, CTX_NONE };
	char key[KEY_NAME_MAX];

	if (w->copy.on) {
		keymap_key(m->keymap, looking, ACT_COPY, key);
		buf_addf(out, "looking back%s%s%s", *key ? ": " : "", key,
			 *key ? " copies" : "");
		return;
	}
	keymap_key(m->keymap, workspace_left_chain, ACT_OPEN, key);
	buf_addf(out, "left%s%s%s", *key ? ": " : "", key,
		 *key ? " goes back" : "");
	/* Its name for others: stacyvm attach ID/SESSION. */
	if (w->shown && w->shown->sid)
		buf_addf(out, "  s%u is %s", w->shown->number, w->shown->sid);
}

static void workspace_status(const struct model *m, const void *state,
			     struct buf *out)
{
	const struct workspace *w = state;

	if (w->focus == PANE_TERMINAL && w->live)
		buf_addstr(out, live_status(m, w->shown));
	else if (w->focus == PANE_TERMINAL)
		left_status(m, w, out);
	else
		buf_addstr(out, w->files.path ? w->files.path : "");
	if (w->focus == PANE_FILES && *field_text(&w->files.filter))
		buf_addf(out, "  filter: %s", field_text(&w->files.filter));
	if (w->focus == PANE_FILES)
		files_status(&w->files, out);
}

static const struct field *workspace_typing(const struct model *m,
					    const void *state,
					    const char **ret_label)
{
	const struct workspace *w = state;

	(void)m;
	*ret_label = "filter";
	return w->files.typing && w->focus == PANE_FILES ? &w->files.filter :
							   NULL;
}

static const char *workspace_busy(const struct model *m, const void *state)
{
	const struct workspace *w = state;
	const char *why = w->files.transfers ?
				  "A copy of a file is under way." :
				  files_edit_busy(&w->files);

	if (!why && terminals_wait(m))
		why = "What was typed into a terminal is not sent yet; it is "
		      "lost.";
	return why;
}

static void workspace_rescue(struct model *m, void *state, struct buf *say)
{
	struct workspace *w = state;

	(void)m;
	files_edit_rescue(&w->files, say);
}

/* Its line tells how long the connection is gone; while one can see it. */
static int64_t status_due(const struct model *m, const struct workspace *w)
{
	return m->screen == SCREEN_WORKSPACE && w->at.terminal.rows &&
			       w->shown && !w->copy.on && m->focused ?
		       terminal_status_wake(m, w->shown) : 0;
}

/* Its time that is left: by the minute, at last by the second. */
static int64_t countdown_due(const struct model *m, const struct workspace *w)
{
	const struct sandbox *s = workspace_sandbox(m, w);
	int64_t left = s && s->expires_ns ? s->expires_ns - m->wall_ns : 0;

	if (m->screen != SCREEN_WORKSPACE || !m->focused || left <= 0)
		return 0;
	return m->boot_ns + left % (left >= MINUTE ? MINUTE : SECOND) + 1;
}

static int64_t workspace_wake(const struct model *m, const void *state)
{
	const struct workspace *w = state;
	const int64_t due[] = { files_draft_wake(&w->files),
				files_wake(m, &w->files),
				workspace_leave_due(m, w),
				status_due(m, w),
				countdown_due(m, w) };
	int64_t first = 0;

	for (size_t i = 0; i < ARRAY_SIZE(due); i++)
		if (due[i] && (!first || due[i] < first))
			first = due[i];
	return first;
}

static void workspace_tick(struct model *m, void *state)
{
	struct workspace *w = state;
	int64_t leave = workspace_leave_due(m, w);

	files_draft_tick(m, &w->files);
	files_tick(m, &w->files);
	if (leave && m->boot_ns >= leave)
		workspace_quit_shell(m, w);
}

static const cJSON *workspace_subject(const struct model *m, const void *state)
{
	const struct workspace *w = state;
	const struct sandbox *s = w->id ? fleet_find(&m->fleet, w->id) : NULL;

	return s ? s->json : NULL;
}

static bool workspace_empty(const struct model *m, const void *state)
{
	const struct workspace *w = state;

	(void)m;
	return w->focus == PANE_FILES && !w->files.n;
}

static const char *workspace_path(const struct model *m, const void *state)
{
	const struct workspace *w = state;

	(void)m;
	return files_path(&w->files, w->focus == PANE_VIEWER);
}

static char **workspace_paths(const struct model *m, const void *state)
{
	const struct workspace *w = state;

	(void)m;
	return w->focus == PANE_FILES && w->files.n_marks ?
		       files_marked_paths(&w->files) : NULL;
}

static struct order *workspace_order(void *state)
{
	return &((struct workspace *)state)->files.order;
}

static bool workspace_size(void *state, size_t k, struct pane_size *ret)
{
	return panes_size(&((struct workspace *)state)->panes, k, ret);
}

const struct screen screen_workspace = {
	.name = "workspace",
	.make = workspace_make,
	.release = workspace_release,
	.view = workspace_view,
	.settle = workspace_settle,
	.contexts = workspace_contexts,
	.act = workspace_act,
	.input = workspace_input,
	.order = workspace_order,
	.size = workspace_size,
	.subject = workspace_subject,
	.empty = workspace_empty,
	.path = workspace_path,
	.paths = workspace_paths,
	.event = workspace_event,
	.status = workspace_status,
	.typing = workspace_typing,
	.place = workspace_place,
	.full = workspace_full,
	.busy = workspace_busy,
	.rescue = workspace_rescue,
	.wake = workspace_wake,
	.tick = workspace_tick,
	.behind = true,
};
