/* SPDX-License-Identifier: MIT */
/* The panel of a spawn that takes a while.  See spawning.h. */
#include <stdio.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/width.h"
#include "tui/frame.h"
#include "tui/glyph.h"
#include "tui/screen.h"
#include "tui/spawning.h"

#define TIME_SIZE 16
#define BAR_COLS 10

static const char *const names[SPAWNING_STAGES] = {
	[SPAWNING_IMAGE] = "image",
	[SPAWNING_QUEUE] = "queue",
	[SPAWNING_CREATE] = "create",
	[SPAWNING_SETUP] = "setup",
};

static const struct look {
	const char *symbol, *ascii, *word;
	enum theme_role role;
} looks[] = {
	{ GLYPH_RING, ".", "next", ROLE_DIM },
	{ GLYPH_HALF, "~", "now", ROLE_ACCENT2 },
	{ GLYPH_CHECK, "+", "done", ROLE_OK },
};

static void time_text(int64_t ns, char out[TIME_SIZE])
{
	double s = (double)MAX(ns, 0) / 1e9;

	if (s < 60)
		snprintf(out, TIME_SIZE, s < 1 ? "%.2fs" : "%.1fs", s);
	else
		snprintf(out, TIME_SIZE, "%dm%02ds", (int)(s / 60) % 10000,
			 (int)s % 60);
}

static void right(struct canvas *c, int row, struct area in, struct cell pen,
		  const char *text)
{
	int width = (int)width_text(text, strlen(text));

	canvas_text(c, row, in.col + in.cols - width, width, pen, text);
}

static void view_image(const struct model *m, const struct spawning *s,
		       struct canvas *c, int row, int col, int cols)
{
	char is[FRAME_TIME_SIZE], of[FRAME_TIME_SIZE];
	int64_t have, whole;
	double part = spawning_image(s, &have, &whole);
	int bar = MIN(MAX(cols - 22, BAR_COLS), 24);

	frame_bytes(s->unpacking ? s->unpacked : have, is);
	if (s->now != SPAWNING_IMAGE || s->unpacking) {
		canvas_textf(c, row, col, cols, pen_role(ROLE_VALUE),
			     s->now != SPAWNING_IMAGE ? "%s" : "unpacking %s",
			     is);
		return;
	}
	frame_bar(m, c, row, col, bar, part, pen_role(ROLE_ACCENT));
	if (whole >= 0)
		frame_bytes(whole, of);
	canvas_textf(c, row, col + bar + 1, cols - bar - 1,
		     pen_role(ROLE_VALUE), "%3.0f%% %s%s%s", 100 * part, is,
		     whole >= 0 ? "/" : "", whole >= 0 ? of : "");
}

static void view_detail(const struct model *m, const struct spawning *s,
			int stage, struct canvas *c, int row, int col,
			int cols)
{
	struct cell pen = pen_role(ROLE_VALUE);

	if (stage == SPAWNING_IMAGE)
		view_image(m, s, c, row, col, cols);
	else if (stage == SPAWNING_QUEUE && s->now == stage)
		canvas_textf(c, row, col, cols, pen, "%lld of yours wait%s",
			     (long long)s->waiting,
			     s->waiting == 1 ? "s" : "");
	else if (stage == SPAWNING_CREATE && s->id)
		canvas_text(c, row, col, cols, pen, s->id);
	else if (stage == SPAWNING_SETUP)
		canvas_textf(c, row, col, cols, pen, "command %lld of %lld",
			     (long long)s->command, (long long)s->commands);
}

static void view_stage(const struct model *m, const struct spawning *s,
		       int stage, struct canvas *c, int row, struct area in)
{
	int64_t begun = s->stage[stage].begun_ns;
	int64_t ended = s->stage[stage].ended_ns;
	const struct look *l = &looks[!begun ? 0 : s->now == stage ? 1 : 2];
	char took[TIME_SIZE] = "-";

	canvas_text(c, row, in.col, 1, pen_role(l->role),
		    m->set.ascii ? l->ascii : l->symbol);
	canvas_text(c, row, in.col + 2, 7, pen_role(ROLE_INK), names[stage]);
	canvas_text(c, row, in.col + 9, 5, pen_role(l->role), l->word);
	if (s->now == stage)
		canvas_cursor(c, row, in.col);
	if (begun) {
		view_detail(m, s, stage, c, row, in.col + 14, in.cols - 21);
		time_text((s->now == stage ? m->boot_ns : ended) - begun,
			  took);
	}
	right(c, row, in, pen_role(ROLE_DIM), took);
}

void spawning_view(const struct model *m, const struct spawning *s,
		   struct canvas *c)
{
	auto_free char *title = xasprintf("SPAWNING%s%s", s->id ? " " : "",
					  s->id ? s->id : "");
	char took[TIME_SIZE];
	int rows = 0;

	for (int i = 0; i < SPAWNING_STAGES; i++)
		rows += i == SPAWNING_CREATE || s->stage[i].begun_ns;
	struct area in = dialog_box(c, rows + 4, MIN(68, c->cols - 2), title);

	time_text(m->boot_ns - s->begun_ns, took);
	auto_free char *elapsed = xasprintf(" %s ", took);

	right(c, in.row - 1, in, pen_role(ROLE_INK), elapsed);
	for (int i = 0, row = in.row; i < SPAWNING_STAGES; i++)
		if (i == SPAWNING_CREATE || s->stage[i].begun_ns)
			view_stage(m, s, i, c, row++, in);
	canvas_text(c, in.row + in.rows - 1, in.col, in.cols,
		    pen_role(ROLE_DIM),
		    "Esc goes on in the background   c cancels");
}
