/* SPDX-License-Identifier: MIT */
/*
 * One sandbox: its files, what is in them, and terminals.  Wide enough, the
 * files stand left of the terminal; else one is shown at a time.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/api/errmap.h"
#include "lib/api/event-type.h"
#include "lib/base/mem.h"
#include "lib/base/width.h"
#include "tui/copy-mode.h"
#include "tui/files.h"
#include "tui/frame.h"
#include "tui/panes.h"
#include "tui/sandbox-act.h"
#include "tui/terminal.h"

#define TERMINALS_NAMED 3 /* of more, the title has the shown one alone */
#define TERMINALS_MAX 64 /* of one sandbox */
#define LEAVE_TWICE_NS (500 * INT64_C(1000000))

/* The keys that the program in a live terminal doesn't get. */
static const enum context live_chain[] = { CTX_TERMINAL, CTX_NONE };

struct workspace {
	char *id;
	enum pane focus;
	bool live;        /* keys go to the terminal */
	bool shell;       /* model_shell(): leaving it quits */
	bool hidden;      /* the terminal, until it has the focus */
	bool looked_back; /* in copy mode, as of the last settle */
	int64_t left_at;  /* when the leave key was pressed; boot */
	struct terminal *shown; /* or NULL */
	struct key early[LIMIT_TUI_EARLY_KEYS]; /* typed before it was there */
	size_t n_early;
	struct files files;
	struct copy copy;
	struct panes panes;
	struct places at; /* as of the last settle */
	struct area terminal_area;
};

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

static struct sandbox *its_sandbox(const struct model *m,
				   const struct workspace *w)
{
	return w->id ? fleet_find(&m->fleet, w->id) : NULL;
}

/* -- terminals of this sandbox */

static bool is_ours(const struct workspace *w, const struct terminal *t)
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

		if (!is_ours(w, t) || n == ARRAY_SIZE(ours))
			continue;
		if (t == w->shown)
			at = n;
		ours[n++] = t;
	}
	return n ? ours[(at + step + n) % n] : NULL;
}

static size_t count_terminals(const struct model *m,
			      const struct workspace *w)
{
	struct list *pos, *tmp;
	size_t n = 0;

	list_for_each_safe(pos, tmp, &m->terminals)
		n += is_ours(w, list_entry(pos, struct terminal, link));
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

static void open_terminal(struct model *m, struct workspace *w,
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
	    count_terminals(m, w) < TERMINALS_MAX)
		add_terminal(m, w, sid)->wanted = false;
}

static void keep_early(struct workspace *w, const struct input_event *ev)
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
	if (w->focus == PANE_TERMINAL && !w->shown)
		open_terminal(m, w, NULL);
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
static void workspace_event(struct model *m, void *state, const cJSON *event)
{
	struct workspace *w = state;
	const char *id = json_text(event, "sandbox_id");
	struct list *pos, *tmp;

	if (!event || m->link != LINK_LIVE)
		return;
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

static void last_terminal(struct model *m, struct workspace *w)
{
	w->focus = PANE_TERMINAL;
	w->live = true;
	w->n_early = 0;
	if (!w->shown)
		w->shown = neighbour(m, w, 0);
	ask_sessions(m, w, w->shown);
}

static void close_shown(struct model *m, struct workspace *w, bool kill)
{
	struct terminal *t = w->shown;

	if (!t)
		return;
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
	bool again = t->state == TERMINAL_FAILED && t->sid;
	auto_free char *sid = again ? xstrdup(t->sid) : NULL;

	close_shown(m, w, false);
	open_terminal(m, w, sid);
}

/* Keys go nowhere any more: what its status says they do is done at once,
 * without leaving first. */
static bool ended_key(struct model *m, struct workspace *w, struct key k)
{
	static const enum context chain[] = { CTX_LEFT, CTX_NONE };
	enum action a = keymap_find(m->keymap, chain, k);

	if (!terminal_is_over(w->shown))
		return false;
	if (a == ACT_OPEN) { /* Enter: it was read, it can go */
		close_shown(m, w, false);
		return true;
	}
	if (a != ACT_RESTART && a != ACT_CLOSE_SESSION)
		return false;
	if (model_refuses(m, a))
		return true;
	if (a == ACT_RESTART)
		restart(m, w);
	else
		ask_close(m, w);
	return true;
}

/* -- opening and leaving */

void model_open(struct model *m, const char *id, enum workspace_focus focus)
{
	struct workspace *w = m->state[SCREEN_WORKSPACE];

	if ((focus == WORKSPACE_TERMINAL || focus == WORKSPACE_NEW_TERMINAL) &&
	    model_refuses(m, ACT_TERMINAL))
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
		open_terminal(m, w, NULL);
	else if (focus == WORKSPACE_TERMINAL)
		last_terminal(m, w);
	else
		w->focus = PANE_FILES;
	w->live = w->focus == PANE_TERMINAL;
}

static void leave_terminal(struct model *m, struct workspace *w)
{
	char name[KEY_NAME_MAX];

	w->live = false;
	w->left_at = m->boot_ns;
	model_say(m, "left; %s sends the key itself, Enter goes back",
		  keymap_key(m->keymap, live_chain, ACT_LEAVE, name));
}

/* A zoomed terminal has the whole screen but one line, and no border. */
static bool is_full(const struct workspace *w)
{
	return w->panes.zoomed && w->focus == PANE_TERMINAL;
}

void model_shell(struct model *m, const char *id)
{
	struct workspace *w = m->state[SCREEN_WORKSPACE];

	model_open(m, id, WORKSPACE_TERMINAL);
	w->shell = w->panes.zoomed = true;
	update_settle(m);
}

/* When who left will not come back within the time of a second press; 0: they
 * haven't left, or do something else there. */
static int64_t leave_due(const struct model *m, const struct workspace *w)
{
	return w->shell && is_full(w) && !w->live && !w->copy.on && !m->dialog &&
	       m->screen == SCREEN_WORKSPACE ?
		       w->left_at + LEAVE_TWICE_NS : 0;
}

static void quit_shell(struct model *m, const struct workspace *w)
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
		m->farewell = xasprintf("left; it goes on.  Come back with:  "
					"stacyvm shell --ui %s\n", w->id);
	}
}

/* The end of the shell is the end of all. */
static void settle_shell(struct model *m, struct workspace *w)
{
	if (w->looked_back && !w->copy.on)
		w->live = true;
	w->looked_back = w->copy.on;
	if (is_full(w) && !w->copy.on && w->shown &&
	    w->shown->state == TERMINAL_EXITED)
		quit_shell(m, w);
}

/* -- where things are */

static struct places place(struct workspace *w, struct area a)
{
	bool terminal = (w->shown && !w->hidden) || w->focus == PANE_TERMINAL;

	if (!is_full(w))
		a.row++, a.rows--; /* the sandbox's line */
	return panes_split(&w->panes, a, w->focus, files_viewing(&w->files),
			   terminal);
}

static struct area inside(struct area a)
{
	return (struct area){ a.row + 1, a.col + 1, MAX(a.rows - 2, 0),
			      MAX(a.cols - 2, 0) };
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
	w->files.opened = false;
	if (w->shown)
		w->shown->wanted = true;
	p = w->at = place(w, a);
	if (p.terminal.rows) {
		w->terminal_area = is_full(w) ?
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
		settle_shell(m, w);
	files_settle(m, &w->files, inside(p.files), inside(p.viewer));
}

/* -- drawing */

static void view_line(const struct model *m, const struct workspace *w,
		      struct canvas *c, struct area a)
{
	const struct sandbox *s = its_sandbox(m, w);
	char left[FRAME_TIME_SIZE] = "";
	enum theme_role role;
	int col = a.col + 1;

	if (!s) {
		canvas_textf(c, a.row, col, a.cols - 2, pen_role(ROLE_BAD),
			     "%s is gone", w->id ? w->id : "?");
		return;
	}
	col += canvas_textf(c, a.row, col, a.cols / 2, pen_role(ROLE_ACCENT),
			    "%s%s%s ", s->id, *s->name ? " " : "", s->name);
	const char *symbol = frame_state(m, s->state, &role);

	col += canvas_textf(c, a.row, col, 16, pen_role(role), "%s %s  ",
			    symbol, s->state);
	if (s->expires_ns)
		frame_left(s->expires_ns - m->wall_ns, left);
	canvas_textf(c, a.row, col, a.cols - col, pen_role(ROLE_DIM),
		     "%s  %s%s%s", s->image, s->provider,
		     *left ? "  ttl " : "", left);
}

/* All of few, the shown one of many. */
static void add_sessions(const struct model *m, const struct workspace *w,
			 struct buf *out)
{
	size_t n = count_terminals(m, w), at = 0, place = 0;
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &m->terminals) {
		const struct terminal *t =
			list_entry(pos, struct terminal, link);

		if (!is_ours(w, t))
			continue;
		at++;
		if (t == w->shown)
			place = at;
		if (n <= TERMINALS_NAMED || t == w->shown)
			buf_addf(out, " %s%s", t->sid ? t->sid : "new",
				 t == w->shown ? "*" : t->bell ? "!" : "");
	}
	if (n > TERMINALS_NAMED)
		buf_addf(out, " %zu of %zu", place, n);
}

static void terminal_title(const struct model *m, const struct workspace *w,
			   bool leave, struct buf *out)
{
	char key[KEY_NAME_MAX];

	add_sessions(m, w, out);
	if (w->shown && *emu_title(w->shown->emu))
		buf_addf(out, "  %s", emu_title(w->shown->emu));
	if (w->live && leave)
		buf_addf(out, "  %s leaves",
			 keymap_key(m->keymap, live_chain, ACT_LEAVE, key));
}

/* The keys that lead on from a terminal without a footer. */
static void full_hints(const struct model *m, const struct workspace *w,
		       struct buf *out)
{
	static const struct {
		enum action action;
		const char *what;
	} left[] = {
		{ ACT_OPEN, "back" },
		{ ACT_COPY_MODE, "copy" },
		{ ACT_ZOOM, "smaller" },
	};
	enum context chain[CONTEXT_CHAIN];
	char key[KEY_NAME_MAX];

	update_screen_contexts(m, chain);
	if (w->live) {
		keymap_key(m->keymap, live_chain, ACT_LEAVE, key);
		buf_addf(out, "%s leaves  %s%s sends %s", key, key, key, key);
	}
	for (size_t i = 0; !w->live && i < ARRAY_SIZE(left); i++)
		if (*keymap_key(m->keymap, chain, left[i].action, key))
			buf_addf(out, "%s%s %s", out->len ? "  " : "", key,
				 left[i].what);
}

/* All that a zoomed terminal has beside itself: whose it is, how it is, and
 * how one gets out of it. */
static void view_full_line(const struct model *m, const struct workspace *w,
			   struct canvas *c, struct area a,
			   const char *status)
{
	const struct sandbox *s = its_sandbox(m, w);
	auto_buf struct buf title = BUF_INIT, hints = BUF_INIT;
	struct cell pen = pen_role(w->live ? ROLE_ACCENT : ROLE_DIM);
	int right = a.col + a.cols - 1, width;

	buf_addf(&title, "%s%s%s", w->id, s && *s->name ? " " : "",
		 s ? s->name : "");
	terminal_title(m, w, false, &title);
	full_hints(m, w, &hints);
	canvas_fill(c, a.row, a.col, 1, a.cols, pen_role(ROLE_INK));
	width = (int)width_text(buf_str(&hints), hints.len);
	canvas_text(c, a.row, right - width, width, pen_role(ROLE_DIM),
		    buf_str(&hints));
	right -= width + 2;
	if (*status) {
		width = (int)width_text(status, strlen(status));
		canvas_text(c, a.row, MAX(right - width, a.col), width,
			    pen_role(ROLE_ACCENT2), status);
		right -= width + 2;
	}
	canvas_text(c, a.row, a.col + 1, right - a.col - 1, pen,
		    buf_str(&title));
}

static void view_terminal(const struct model *m, const struct workspace *w,
			  struct canvas *c, struct area a)
{
	bool focused = w->focus == PANE_TERMINAL && !m->dialog;
	auto_buf struct buf title = BUF_INIT, status = BUF_INIT;
	struct area in = w->terminal_area;

	if (w->shown && w->copy.on)
		copy_status(&w->copy, w->shown, &status);
	else if (w->shown)
		terminal_status(w->shown, &status);
	if (is_full(w)) {
		view_full_line(m, w, c, a, buf_str(&status));
	} else {
		buf_addf(&title, "TERMINAL");
		terminal_title(m, w, true, &title);
		frame_pane(c, a, buf_str(&title), focused);
		frame_corner(c, a, false, pen_role(ROLE_ACCENT2),
			     buf_str(&status));
	}
	if (w->shown)
		terminal_view(w->shown, c, in.row, in.col, in.rows, in.cols,
			      focused && w->live);
	else
		canvas_text(c, in.row, in.col + 1, in.cols - 1,
			    pen_role(ROLE_DIM), "opening");
	if (w->shown && w->copy.on)
		copy_view(&w->copy, w->shown, c, in, focused);
}

static void workspace_view(const struct model *m, const void *state,
			   struct canvas *c, struct area a)
{
	const struct workspace *w = state;
	const struct places p = w->at;

	if (!is_full(w))
		view_line(m, w, c, a);
	if (p.files.rows)
		files_view(m, &w->files, c, p.files,
			   w->focus == PANE_FILES && !m->dialog);
	if (p.viewer.rows)
		files_view_content(m, &w->files, c, p.viewer,
				   w->focus == PANE_VIEWER && !m->dialog);
	if (p.terminal.rows)
		view_terminal(m, w, c, p.terminal);
}

static bool workspace_full(const struct model *m, const void *state)
{
	const struct workspace *w = state;

	(void)m;
	return is_full(w);
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

static bool leave_key(struct model *m, struct workspace *w, struct key k)
{
	if (keymap_find(m->keymap, live_chain, k) != ACT_LEAVE)
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

static bool terminal_mouse(struct workspace *w, const struct input_event *ev)
{
	const struct area *a = &w->terminal_area;
	struct input_event own = *ev;

	own.mouse.row -= a->row;
	own.mouse.col -= a->col;
	if (!w->shown || !w->at.terminal.rows || own.mouse.row < 0 || own.mouse.row >= a->rows ||
	    own.mouse.col < 0 || own.mouse.col >= a->cols)
		return false;
	if (w->focus != PANE_TERMINAL || !w->live) {
		if (ev->mouse.kind != MOUSE_PRESS) {
			terminal_scroll(w->shown,
					ev->mouse.kind == MOUSE_WHEEL_UP ? -3 :
					ev->mouse.kind == MOUSE_WHEEL_DOWN ?
									   3 :
									   1);
			return true;
		}
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

static bool is_scroll(const struct model *m, struct key k, int *ret_lines)
{
	enum action a = keymap_find(m->keymap, live_chain, k);

	*ret_lines = a == ACT_SCROLL_UP ? -10 : 10;
	return a == ACT_SCROLL_UP || a == ACT_SCROLL_DOWN;
}

static bool workspace_input(struct model *m, void *state,
			    const struct input_event *ev)
{
	struct workspace *w = state;
	int lines;

	if (w->copy.on && copy_input(m, &w->copy, w->shown, ev))
		return true;
	if (ev->type == INPUT_MOUSE)
		return terminal_mouse(w, ev) || pane_mouse(m, w, ev);
	if (ev->type == INPUT_KEY && leave_key(m, w, ev->key))
		return true;
	if (w->focus != PANE_TERMINAL)
		return files_input(m, &w->files, ev,
				   w->focus == PANE_VIEWER);
	if (!w->live)
		return false;
	if (!w->shown)
		keep_early(w, ev);
	else if (ev->type == INPUT_KEY && ended_key(m, w, ev->key))
		return true;
	else if (ev->type == INPUT_KEY && is_scroll(m, ev->key, &lines))
		terminal_scroll(w->shown, lines);
	else
		terminal_input(w->shown, ev);
	return true;
}

static bool act_on_terminal(struct model *m, struct workspace *w,
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
		last_terminal(m, w);
		return true;
	case ACT_TERMINAL_NEW:
		open_terminal(m, w, NULL);
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

static bool workspace_act(struct model *m, void *state, enum action a)
{
	struct workspace *w = state;
	struct sandbox *s = its_sandbox(m, w);

	if (w->copy.on && copy_act(m, &w->copy, w->shown, a))
		return true;
	if (w->focus == PANE_TERMINAL && act_on_terminal(m, w, a))
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
	return s && (a == ACT_EXTEND || a == ACT_PREVIEW || a == ACT_KILL) &&
	       sandbox_act(m, s, a);
}

static void workspace_status(const struct model *m, const void *state,
			     struct buf *out)
{
	const struct workspace *w = state;

	(void)m;
	if (w->focus == PANE_TERMINAL)
		buf_addstr(out, w->live ? "live" : "left: Enter goes back");
	else
		buf_addstr(out, w->files.path ? w->files.path : "");
	if (w->focus == PANE_FILES && *field_text(&w->files.filter))
		buf_addf(out, "  filter: %s", field_text(&w->files.filter));
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

	(void)m;
	return w->files.transfers ? "A copy of a file is under way." :
				    files_edit_busy(&w->files);
}

static void workspace_rescue(struct model *m, void *state, struct buf *say)
{
	struct workspace *w = state;

	(void)m;
	files_edit_rescue(&w->files, say);
}

static int64_t workspace_wake(const struct model *m, const void *state)
{
	const struct workspace *w = state;
	int64_t draft = files_draft_wake(&w->files), leave = leave_due(m, w);

	return draft && leave ? MIN(draft, leave) : MAX(draft, leave);
}

static void workspace_tick(struct model *m, void *state)
{
	struct workspace *w = state;
	int64_t leave = leave_due(m, w);

	files_draft_tick(m, &w->files);
	if (leave && m->boot_ns >= leave)
		quit_shell(m, w);
}

static const cJSON *workspace_subject(const struct model *m, const void *state)
{
	const struct workspace *w = state;
	const struct sandbox *s = w->id ? fleet_find(&m->fleet, w->id) : NULL;

	return s ? s->json : NULL;
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
	.subject = workspace_subject,
	.path = workspace_path,
	.paths = workspace_paths,
	.event = workspace_event,
	.status = workspace_status,
	.typing = workspace_typing,
	.full = workspace_full,
	.busy = workspace_busy,
	.rescue = workspace_rescue,
	.wake = workspace_wake,
	.tick = workspace_tick,
	.behind = true,
};
