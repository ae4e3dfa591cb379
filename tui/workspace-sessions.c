/* SPDX-License-Identifier: MIT */
/*
 * Terminals of the sandbox whose workspace it is: opened, found, ended, and
 * what keys do to the one shown.  See workspace.h.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/api/event-type.h"
#include "lib/base/mem.h"
#include "tui/workspace.h"

#define TERMINALS_MAX 64 /* of one sandbox */

bool workspace_owns(const struct workspace *w, const struct terminal *t)
{
	return !t->closed && w->id && strcmp(t->sandbox, w->id) == 0;
}

/* The one `step` after the shown one, around; NULL when there is none. */
static struct terminal *neighbour(const struct model *m,
				  const struct workspace *w, int step)
{
	struct terminal *ours[TERMINALS_MAX];
	struct list *pos, *tmp;
	int n = 0, at = 0;

	list_for_each_safe(pos, tmp, &m->terminals) {
		struct terminal *t = list_entry(pos, struct terminal, link);

		if (!workspace_owns(w, t) || n == ARRAY_SIZE(ours))
			continue;
		if (t == w->shown)
			at = n;
		ours[n++] = t;
	}
	return n ? ours[(at + step + n) % n] : NULL;
}

size_t workspace_count_terminals(const struct model *m,
				 const struct workspace *w)
{
	struct list *pos, *tmp;
	size_t n = 0;

	list_for_each_safe(pos, tmp, &m->terminals)
		n += workspace_owns(w, list_entry(pos, struct terminal, link));
	return n;
}

static struct terminal *by_session(const struct model *m, const char *sandbox,
				   const char *sid)
{
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &m->terminals) {
		struct terminal *t = list_entry(pos, struct terminal, link);

		if (!t->closed && t->sid && strcmp(t->sid, sid) == 0 &&
		    strcmp(t->sandbox, sandbox) == 0)
			return t;
	}
	return NULL;
}

static struct terminal *add_terminal(struct model *m,
				     const struct workspace *w,
				     const char *sid)
{
	return terminal_new(m, w->id, sid, MAX(w->terminal_area.rows, 1),
			    w->terminal_area.cols > 0 ?
				    w->terminal_area.cols : 80);
}

void workspace_open_terminal(struct model *m, struct workspace *w,
			     const char *sid)
{
	w->shown = add_terminal(m, w, sid);
	w->focus = PANE_TERMINAL;
	w->live = true;
}

/* Terminals of the daemon, whoever opened them, stand beside ours. */
static void take_session(struct model *m, struct workspace *w,
			 const cJSON *session)
{
	const char *sid = json_text(session, "id");

	if (*sid && cJSON_IsTrue(json_get(session, "tty")) &&
	    strcmp(json_text(session, "state"), "running") == 0 &&
	    !by_session(m, w->id, sid) &&
	    workspace_count_terminals(m, w) < TERMINALS_MAX)
		add_terminal(m, w, sid)->wanted = false;
}

void workspace_keep_early(struct workspace *w, const struct input_event *ev)
{
	if (ev->type == INPUT_KEY && w->n_early < ARRAY_SIZE(w->early))
		w->early[w->n_early++] = ev->key;
}

static void type_early(struct workspace *w)
{
	for (size_t i = 0; w->shown && i < w->n_early; i++)
		terminal_input(w->shown,
			       &(struct input_event){ .type = INPUT_KEY,
						      .key = w->early[i] });
	w->n_early = 0;
}

static void nothing_to_watch(struct model *m, struct workspace *w)
{
	w->focus = PANE_FILES;
	w->live = w->panes.zoomed = false;
	model_say(m, "read-only: it has no terminal to watch, and none is "
		     "begun");
}

/* Who wanted a terminal comes back to the newest, or gets a new one. */
static void sessions_arrived(struct model *m, struct request *r)
{
	auto_json struct json_doc doc = JSON_DOC_INIT;
	struct workspace *w = m->state[SCREEN_WORKSPACE];
	const cJSON *array = request_array(r, &doc), *s;

	if (!array || !w->id || strcmp(w->id, r->about) != 0)
		return;
	cJSON_ArrayForEach(s, array)
		take_session(m, w, s);
	if (w->focus == PANE_TERMINAL && !w->shown)
		w->shown = neighbour(m, w, -1);
	if (w->focus == PANE_TERMINAL && !w->shown && m->read_only)
		nothing_to_watch(m, w);
	else if (w->focus == PANE_TERMINAL && !w->shown)
		workspace_open_terminal(m, w, NULL);
	type_early(w);
}

static void ask_sessions(struct model *m, const struct workspace *w,
			 bool quiet)
{
	struct request *r = request_new("GET",
					request_sandbox(w->id, "/sessions"),
					sessions_arrived);

	r->about = xstrdup(w->id);
	r->doing = xstrdup("sessions");
	r->quiet = quiet;
	request_send(m, r);
}

static bool is_of_type(const cJSON *event, enum event_type type)
{
	return strcmp(json_text(event, "type"), event_type_name(type)) == 0;
}

/* What was never looked at has no connection that would tell. */
void workspace_event(struct model *m, void *state, const cJSON *event)
{
	struct workspace *w = state;
	const char *id = json_text(event, "sandbox_id");
	struct list *pos, *tmp;

	if (!event || m->link != LINK_LIVE)
		return;
	files_event(m, &w->files, event);
	if (m->screen == SCREEN_WORKSPACE && w->id && strcmp(w->id, id) == 0 &&
	    is_of_type(event, EVENT_EXEC_STARTED))
		ask_sessions(m, w, true);
	list_for_each_safe(pos, tmp, &m->terminals) {
		struct terminal *t = list_entry(pos, struct terminal, link);
		const char *sid = json_text(json_get(event, "data"),
					    "session_id");

		if (t->wanted || strcmp(t->sandbox, id) != 0)
			continue;
		t->closed |= is_of_type(event, EVENT_SANDBOX_DESTROYED) ||
			     (is_of_type(event, EVENT_EXEC_COMPLETED) &&
			      strcmp(t->sid, sid) == 0);
	}
}

void workspace_last_terminal(struct model *m, struct workspace *w)
{
	w->focus = PANE_TERMINAL;
	w->live = true;
	w->n_early = 0;
	if (!w->shown)
		w->shown = neighbour(m, w, 0);
	ask_sessions(m, w, w->shown);
}

void workspace_choose_terminal(struct model *m, struct workspace *w,
			       const char *name)
{
	unsigned number = *name == 's' ?
		(unsigned)strtoul(name + 1, NULL, 10) : 0;
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &m->terminals) {
		struct terminal *t = list_entry(pos, struct terminal, link);

		if (!workspace_owns(w, t) || t->number != number)
			continue;
		w->shown = t;
		w->focus = PANE_TERMINAL;
		w->live = true;
	}
}

static void close_shown(struct model *m, struct workspace *w, bool kill)
{
	struct terminal *t = w->shown;

	if (!t)
		return;
	if (terminal_waiting(t))
		model_say(m, "closed; %zu byte%s typed not sent",
			  terminal_waiting(t),
			  terminal_waiting(t) == 1 ? "" : "s");
	t->closed = true;
	t->kill = kill;
	w->shown = neighbour(m, w, 0);
	w->live = false;
	if (!w->shown)
		w->focus = PANE_FILES;
}

static void close_confirmed(struct model *m, void *data)
{
	(void)data;
	close_shown(m, m->state[SCREEN_WORKSPACE], true);
}

static void ask_close(struct model *m, struct workspace *w)
{
	if (!w->shown)
		return;
	if (terminal_is_over(w->shown)) {
		close_shown(m, w, false);
		return;
	}
	confirm_ask(m, &(struct confirm){
			       .title = "END THIS TERMINAL?",
			       .lines = (const char *const[]){
				       "What runs in it is killed.", NULL },
			       .yes = close_confirmed });
}

static void restart(struct model *m, struct workspace *w)
{
	struct terminal *t = w->shown;

	if (!t || t->state == TERMINAL_LIVE || t->state == TERMINAL_OPENING)
		return;
	if (!terminal_has_sandbox(m, t)) {
		model_say(m, "%s is gone or being destroyed", t->sandbox);
		return;
	}
	bool again = t->state == TERMINAL_FAILED && t->sid;
	if (!again && model_refuses(m, ACT_TERMINAL_NEW))
		return;
	auto_free char *sid = again ? xstrdup(t->sid) : NULL;

	close_shown(m, w, false);
	workspace_open_terminal(m, w, sid);
}

/* Keys go nowhere any more: what its status says they do is done at once,
 * without leaving first. */
bool workspace_ended_key(struct model *m, struct workspace *w, struct key k)
{
	enum action a = keymap_find(m->keymap, workspace_left_chain, k);

	if (!terminal_is_over(w->shown))
		return false;
	if (a == ACT_OPEN) { /* Enter: it was read, it can go */
		close_shown(m, w, false);
		return true;
	}
	if (a == ACT_RESTART)
		restart(m, w);
	else if (a == ACT_CLOSE_SESSION && !model_refuses(m, a))
		ask_close(m, w);
	return a == ACT_RESTART || a == ACT_CLOSE_SESSION;
}

bool workspace_act_terminal(struct model *m, struct workspace *w,
			    enum action a)
{
	switch (a) {
	case ACT_OPEN:
		if (w->shown && terminal_is_over(w->shown))
			close_shown(m, w, false);
		else
			w->live = w->shown != NULL;
		return true;
	case ACT_SCROLL_UP:
	case ACT_SCROLL_DOWN:
		if (w->shown)
			terminal_scroll(w->shown, a == ACT_SCROLL_UP ?
				-w->terminal_area.rows + 1 :
				w->terminal_area.rows - 1);
		return true;
	case ACT_COPY_MODE:
		if (w->shown)
			copy_begin(&w->copy, w->shown);
		return true;
	case ACT_CLOSE_SESSION:
		ask_close(m, w);
		return true;
	case ACT_RESTART:
		restart(m, w);
		return true;
	case ACT_NEXT_SESSION:
	case ACT_PREV_SESSION:
		w->shown = neighbour(m, w, a == ACT_NEXT_SESSION ? 1 : -1);
		return true;
	default:
		return false;
	}
}
