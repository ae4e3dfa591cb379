/* SPDX-License-Identifier: MIT */
/* From what happened to what is so now.  See model.h. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "tui/dialog.h"
#include "tui/frame.h"
#include "tui/message.h"
#include "tui/sandbox-act.h"
#include "tui/sandbox-bulk.h"
#include "tui/screen.h"
#include "tui/spawning.h"
#include "tui/start.h"
#include "tui/terminal.h"
#include "tui/views.h"

#define SECOND INT64_C(1000000000)
#define METERS_NS (3 * SECOND)

static const struct screen *current(const struct model *m, void **ret_state)
{
	*ret_state = m->state[m->screen];
	return screens[m->screen];
}

void update_contexts(const struct model *m, enum context ret[CONTEXT_CHAIN])
{
	if (!m->dialog) {
		update_screen_contexts(m, ret);
		return;
	}
	memset(ret, 0, CONTEXT_CHAIN * sizeof(*ret));
	dialog_contexts(m, ret);
}

void update_screen_contexts(const struct model *m,
			    enum context ret[CONTEXT_CHAIN])
{
	const struct screen *s = screens[m->screen];
	bool alone = false;
	size_t n = 0;

	memset(ret, 0, CONTEXT_CHAIN * sizeof(*ret));
	if (s->contexts)
		s->contexts(m, m->state[m->screen], ret, &alone);
	else
		ret[0] = s->context, ret[1] = CTX_LIST;
	while (n < CONTEXT_CHAIN && ret[n] != CTX_NONE)
		n++;
	if (!alone && n < CONTEXT_CHAIN - 1)
		ret[n] = CTX_GLOBAL;
}

/* Sure or not: what isn't saved stays as a draft. */
static void quit_now(struct model *m, void *data)
{
	auto_buf struct buf say = BUF_INIT;

	(void)data;
	for (size_t i = 0; i < SCREEN_MAX; i++)
		if (screens[i]->rescue)
			screens[i]->rescue(m, m->state[i], &say);
	sandbox_act_finish(m);
	spawning_cancel_all(m);
	m->effects |= EFFECT_QUIT;
}

static void quit(struct model *m, bool ask)
{
	const char *lines[7] = { NULL };
	size_t n = 0;

	for (size_t i = 0; i < SCREEN_MAX; i++) {
		const char *why = screens[i]->busy ?
					  screens[i]->busy(m, m->state[i]) :
					  NULL;

		if (why && n < ARRAY_SIZE(lines) - 5)
			lines[n++] = why;
	}
	if (m->batches)
		lines[n++] = "What was begun for many is finished first.";
	if (!list_empty(&m->spawns))
		lines[n++] = "A spawn is under way; it is cancelled.";
	if (m->commands_running)
		lines[n++] = "A command of yours still runs; it is ended.";
	if (!n && !ask) {
		quit_now(m, NULL);
		return;
	}
	lines[n] = "Sandboxes go on running.";
	confirm_ask(m, &(struct confirm){ .title = "QUIT?",
					  .lines = lines,
					  .yes = quit_now });
}

/* ^C: first what waits, then the question. */
static void cancel(struct model *m)
{
	if (m->quitting) {
		m->quitting = false;
		quit(m, true);
		return;
	}
	m->quitting = true;
	if (m->waiting || !list_empty(&m->spawns)) {
		spawning_cancel_all(m);
		m->effects |= EFFECT_CANCEL;
		model_say(m, "cancelled; ^C again quits");
	} else {
		model_say(m, "^C again quits; sandboxes go on running");
	}
}

static void pruned(struct model *m, struct request *r)
{
	auto_json struct json_doc doc = JSON_DOC_INIT;
	cJSON *object = request_object(r, &doc);
	const cJSON *n = object ? json_get(object, "pruned") : NULL;

	if (cJSON_IsNumber(n))
		model_say(m, "pruned %d", n->valueint);
}

static void prune(struct model *m, void *data)
{
	struct request *r = request_new("DELETE", xstrdup("/api/v1/sandboxes"),
					pruned);

	(void)data;
	r->doing = xstrdup("prune");
	request_send(m, r);
}

static void back(struct model *m)
{
	if (m->screen == SCREEN_WORKSPACE)
		model_show(m, m->previous);
	else if (m->screen != SCREEN_DASH)
		model_show(m, SCREEN_DASH);
}

static void toggle_mouse(struct model *m)
{
	m->mouse = !m->mouse;
	m->effects |= EFFECT_MOUSE;
	model_say(m, m->mouse ? "mouse on (Shift+drag selects text)" :
				"mouse off");
}

static void allow_changes(struct model *m, void *data)
{
	(void)data;
	m->read_only = false;
	model_say(m, "changes are allowed");
}

/* Into it at once; out of it only by a word, which no slip types. */
static void toggle_read_only(struct model *m)
{
	if (m->read_only) {
		confirm_ask(m, &(struct confirm){
			.title = "ALLOW CHANGES?",
			.lines = (const char *const[]){
				"Read-only ends for this dashboard.", NULL },
			.name = "write",
			.yes = allow_changes });
		return;
	}
	m->read_only = true;
	model_say(m, "read-only");
}

static bool act_globally(struct model *m, enum action a)
{
	static const struct {
		enum action action;
		enum effect effect;
	} effects[] = {
		{ ACT_REPAINT, EFFECT_REPAINT | EFFECT_REDRAW },
		{ ACT_SUSPEND, EFFECT_SUSPEND },
	};

	if (a >= ACT_DASH && a <= ACT_EVENTS) {
		model_show(m, (enum screen_id)(a - ACT_DASH));
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(effects); i++)
		if (effects[i].action == a) {
			m->effects |= effects[i].effect;
			return true;
		}
	switch (a) {
	case ACT_HELP:
		help_open(m);
		return true;
	case ACT_PALETTE:
		palette_open(m);
		return true;
	case ACT_BACK:
		back(m);
		return true;
	case ACT_MESSAGES:
		messages_open(m);
		return true;
	case ACT_REFRESH:
		model_refresh(m);
		return true;
	case ACT_MOUSE:
		toggle_mouse(m);
		return true;
	case ACT_WRITE_MODE:
		toggle_read_only(m);
		return true;
	case ACT_CANCEL:
		cancel(m);
		return true;
	case ACT_QUIT:
		quit(m, false);
		return true;
	case ACT_SPAWN:
		spawn_open(m, NULL);
		return true;
	case ACT_PRUNE_ALL:
		sandbox_prune_all_ask(m);
		return true;
	case ACT_KILL_EXPIRED:
		confirm_ask(m, &(struct confirm){
			.title = "KILL WHAT HAS EXPIRED?",
			.lines = (const char *const[]){
				"Files inside are lost.", NULL },
			.yes = prune });
		return true;
	default:
		return false;
	}
}
_Static_assert(SCREEN_EVENTS == ACT_EVENTS - ACT_DASH,
	       "screens and their actions are in one order");

void update_act(struct model *m, enum action a)
{
	void *state;
	const struct screen *s = current(m, &state);

	m->effects |= EFFECT_REDRAW;
	if (a != ACT_CANCEL)
		m->quitting = false;
	if (m->dialog) {
		dialog_act(m, a);
	} else if (!model_refuses(m, a)) {
		if (!s->act || !s->act(m, state, a))
			act_globally(m, a);
		if (a == ACT_BIGGER || a == ACT_SMALLER || a == ACT_EQUAL)
			views_sized(m);
	}
	update_settle(m);
}

static bool take_raw(struct model *m, const struct input_event *ev)
{
	void *state;
	const struct screen *s = current(m, &state);

	if (m->dialog)
		return dialog_input(m, ev);
	if (ev->type == INPUT_MOUSE && frame_mouse(m, &ev->mouse))
		return true;
	return s->input && s->input(m, state, ev);
}

/* These two work over a dialog as well. */
static bool act_on_program(struct model *m, struct key k)
{
	static const enum context chain[] = { CTX_GLOBAL, CTX_NONE };
	enum action a = keymap_find(m->keymap, chain, k);

	return (a == ACT_REPAINT || a == ACT_SUSPEND) && act_globally(m, a);
}

/* And so they do while a line is typed on a screen, whose keys they aren't. */
static bool act_above_line(struct model *m, struct key k)
{
	static const enum context line[] = { CTX_FIELD, CTX_NONE };
	enum context chain[CONTEXT_CHAIN];
	bool text = k.code < KEY_NAMED && !(k.mods & ~KEY_MOD_SHIFT);
	enum action a;

	if (m->dialog || text || keymap_find(m->keymap, line, k) != ACT_NONE)
		return false;
	update_screen_contexts(m, chain);
	a = keymap_find(m->keymap, chain, k);
	return (a == ACT_REPAINT || a == ACT_SUSPEND) && act_globally(m, a);
}

void update_input(struct model *m, const struct input_event *ev)
{
	enum context chain[CONTEXT_CHAIN];
	const struct command *own = NULL;
	enum action a = ACT_NONE;

	m->effects |= EFFECT_REDRAW;
	m->toast_new = false;
	m->toast_whole &= ev->type != INPUT_KEY;
	if (ev->type == INPUT_KEY && m->toast_brief)
		model_unsay_all(m);
	if (ev->type == INPUT_FOCUS_IN || ev->type == INPUT_FOCUS_OUT)
		m->focused = ev->type == INPUT_FOCUS_IN;
	if (start_input(m, ev))
		return;
	if (ev->type == INPUT_KEY && act_above_line(m, ev->key))
		return;
	if (!take_raw(m, ev) && ev->type == INPUT_KEY) {
		update_contexts(m, chain);
		a = keymap_find(m->keymap, chain, ev->key);
		if (a == ACT_NONE && m->dialog && act_on_program(m, ev->key))
			return;
		if (a == ACT_NONE && !m->dialog)
			own = commands_find(&m->commands, chain, ev->key);
	}
	if (own)
		command_run(m, own);
	if (a != ACT_NONE)
		update_act(m, a);
	else
		update_settle(m);
}

void update_settle(struct model *m)
{
	void *state;
	const struct screen *s = current(m, &state);

	if (s->settle)
		s->settle(m, state, frame_body(m));
	message_settle(m);
	pasts_settle(m);
	terminals_settle(m);
}

/* When this screen is to be woken; 0: not, or it isn't in view. */
static int64_t screen_wake(const struct model *m, size_t i)
{
	const struct screen *s = screens[i];

	return s->wake && (s->behind || i == m->screen) ?
		       s->wake(m, m->state[i]) : 0;
}

/* When the meters of the ribbon are to be read.  While nothing runs they go
 * with the clock. */
static int64_t meters_wake(const struct model *m)
{
	bool runs = false;

	if (m->link != LINK_LIVE || !m->focused || !m->set.motion ||
	    !frame_has_meters(m))
		return 0;
	for (size_t i = 0; i < m->fleet.n && !runs; i++)
		runs = sandbox_is(m->fleet.all[i], "running");
	return runs ? m->host.at + METERS_NS : 0;
}

void update_tick(struct model *m)
{
	int64_t meters = meters_wake(m);

	if (m->toast && m->boot_ns >= m->toast_until)
		model_unsay_all(m);
	sandbox_act_tick(m);
	spawn_tick(m);
	if (m->boot_ns >= m->host.at + 60 * SECOND ||
	    (meters && m->boot_ns >= meters))
		m->effects |= EFFECT_HOST; /* at least with the clock */
	for (size_t i = 0; i < SCREEN_MAX; i++) {
		int64_t due = screen_wake(m, i);

		if (due && m->boot_ns >= due)
			screens[i]->tick(m, m->state[i]);
	}
	m->effects |= EFFECT_REDRAW;
	update_settle(m);
}

static void earlier(int64_t *at, int64_t other)
{
	if (other && (!*at || other < *at))
		*at = other;
}

int64_t update_wake(const struct model *m)
{
	/* The clock in the ribbon. */
	int64_t at = m->boot_ns + 60 * SECOND - m->wall_ns % (60 * SECOND);

	if (m->toast)
		earlier(&at, m->toast_until);
	earlier(&at, start_wake(m));
	earlier(&at, sandbox_act_wake(m));
	earlier(&at, spawn_wake(m));
	earlier(&at, meters_wake(m));
	earlier(&at, frame_silence_wake(m));
	for (size_t i = 0; i < SCREEN_MAX; i++)
		earlier(&at, screen_wake(m, i));
	return at;
}
