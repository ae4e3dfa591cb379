/* SPDX-License-Identifier: MIT */
/* While the daemon isn't there yet.  See start.h. */
#include "tui/start.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/width.h"
#include "tui/frame.h"
#include "tui/message.h"

#define BAR_MAX 26
#define STEP_NS (250 * INT64_C(1000000)) /* the bar grows so often */

enum { STEP_DAEMON, STEP_SOCKET, STEP_FLEET, STEPS };

void start_begin(struct model *m)
{
	m->start_ns = m->start_step_ns = m->boot_ns;
}

void start_step(struct model *m)
{
	m->start_step_ns = m->boot_ns;
}

/* Waiting for it, and for nothing else: a list that can't be had is not on its
 * way. */
static bool is_waited_for(const struct model *m)
{
	return m->start_ns && !m->fleet.loaded && m->link != LINK_LOST &&
	       (m->link == LINK_CONNECTING || m->fleet_asked);
}

bool start_shown(const struct model *m)
{
	return is_waited_for(m) && m->boot_ns >= m->start_ns + START_AFTER_NS;
}

static int step_of(const struct model *m)
{
	if (m->link == LINK_LIVE)
		return STEP_FLEET;
	return m->events && m->events->starting ? STEP_DAEMON : STEP_SOCKET;
}

static int bar_width(const struct model *m)
{
	return MIN(BAR_MAX, m->cols - 18);
}

/* Where the step that is under way ends; it is there only when it is done. */
static int step_end(const struct model *m)
{
	return bar_width(m) * (step_of(m) + 1) / STEPS;
}

/* Where time alone brings it: columns, but the last of the step. */
static int filled(const struct model *m)
{
	int begin = bar_width(m) * step_of(m) / STEPS;
	int64_t grown = m->set.motion ?
				(m->boot_ns - m->start_step_ns) / STEP_NS : 0;

	return (int)MIN(begin + grown, (int64_t)step_end(m) - 1);
}

int64_t start_wake(const struct model *m)
{
	int64_t shown = m->start_ns + START_AFTER_NS;

	if (!is_waited_for(m))
		return 0;
	if (m->boot_ns < shown)
		return shown;
	if (!m->set.motion || !m->focused || filled(m) + 1 >= step_end(m))
		return 0;
	return m->start_step_ns +
	       ((m->boot_ns - m->start_step_ns) / STEP_NS + 1) * STEP_NS;
}

static void view_steps(const struct model *m, struct canvas *c, int row)
{
	static const char *const names[STEPS] = { "daemon", "socket",
						  "fleet" };
	bool starting = step_of(m) == STEP_DAEMON;
	auto_buf struct buf all = BUF_INIT;
	int col;

	for (int i = 0; i < STEPS; i++)
		buf_addf(&all, "%s%s%s", i ? " ... " : "",
			 !i && starting ? "starting " : "", names[i]);
	col = MAX((c->cols - (int)all.len) / 2, 0);
	for (int i = 0; i < STEPS; i++) {
		enum theme_role role = i < step_of(m)  ? ROLE_OK :
				       i == step_of(m) ? ROLE_ACCENT :
						      ROLE_DIM;

		col += canvas_textf(c, row, col, c->cols - col,
				    pen_role(ROLE_DIM), "%s",
				    i ? " ... " : "");
		col += canvas_textf(c, row, col, c->cols - col,
				    pen_role(role), "%s%s",
				    !i && starting ? "starting " : "",
				    names[i]);
	}
}

/* "^C quit" */
static void add_quit(const struct model *m, struct buf *out)
{
	static const enum context chain[] = { CTX_GLOBAL, CTX_NONE };
	char key[KEY_NAME_MAX];

	if (*keymap_key(m->keymap, chain, ACT_CANCEL, key))
		buf_addf(out, "%s quit", key);
}

void start_view(const struct model *m, struct canvas *c)
{
	auto_buf struct buf quit = BUF_INIT;
	int row = MAX(c->rows / 2 - 2, 0), width = bar_width(m), col;

	add_quit(m, &quit);
	canvas_text(c, row, MAX((c->cols - 7) / 2, 0), 7,
		    pen_role(ROLE_ACCENT), "STACYVM");
	view_steps(m, c, row + 1);
	col = MAX((c->cols - width - 2 - (int)quit.len) / 2, 0);
	frame_bar(m, c, row + 2, col, width, (double)filled(m) / width,
		  pen_role(ROLE_ACCENT));
	canvas_text(c, row + 2, col + width + 2, c->cols - col - width - 2,
		    pen_role(ROLE_DIM), buf_str(&quit));
	if (m->toast)
		message_view(m, c);
}

static void cancel(struct model *m)
{
	m->effects |= EFFECT_CANCEL | EFFECT_QUIT;
}

bool start_input(struct model *m, const struct input_event *ev)
{
	static const enum context chain[] = { CTX_GLOBAL, CTX_NONE };
	bool shown = start_shown(m);

	if (ev->type == INPUT_KEY && is_waited_for(m)) {
		m->start_ns = 0;
		if (!shown || keymap_find(m->keymap, chain, ev->key) !=
				      ACT_CANCEL)
			return false;
		cancel(m);
		return true;
	}
	if (ev->type != INPUT_MOUSE || !shown)
		return false;
	if (ev->mouse.kind == MOUSE_PRESS)
		m->start_ns = 0;
	return true; /* what it points at isn't seen */
}
