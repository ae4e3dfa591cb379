/* SPDX-License-Identifier: MIT */
/* Pieces that screens share.  See frame.h. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/base/mem.h"
#include "lib/base/width.h"
#include "tui/frame.h"
#include "tui/glyph.h"

#define SECOND INT64_C(1000000000)

struct area frame_pane(struct canvas *c, struct area a, const char *title,
		       bool focused)
{
	canvas_box(c, a.row, a.col, a.rows, a.cols,
		   pen_role(focused ? ROLE_FOCUS : ROLE_LINE), title);
	return (struct area){ a.row + 1, a.col + 1, MAX(a.rows - 2, 0),
			      MAX(a.cols - 2, 0) };
}

void frame_corner(struct canvas *c, struct area pane, bool bottom,
		  struct cell pen, const char *text)
{
	int width = (int)width_text(text, strlen(text));

	if (width + 4 <= pane.cols)
		canvas_text(c, bottom ? pane.row + pane.rows - 1 : pane.row,
			    pane.col + pane.cols - width - 2, width, pen,
			    text);
}

void frame_place(struct canvas *c, struct area pane, size_t at, size_t n)
{
	auto_free char *text = n ? xasprintf(" %zu/%zu ", at + 1, n) : NULL;

	if (text)
		frame_corner(c, pane, true, pen_role(ROLE_DIM), text);
}

void frame_left(int64_t ns, char out[FRAME_TIME_SIZE])
{
	int64_t s = ns / SECOND;

	if (ns <= 0)
		snprintf(out, FRAME_TIME_SIZE, "0s");
	else if (s < 60)
		snprintf(out, FRAME_TIME_SIZE, "%ds", (int)s);
	else if (s < 3600)
		snprintf(out, FRAME_TIME_SIZE, "%dm", (int)(s / 60));
	else if (s < 86400)
		snprintf(out, FRAME_TIME_SIZE, "%dh%02dm", (int)(s / 3600),
			 (int)(s / 60 % 60));
	else
		snprintf(out, FRAME_TIME_SIZE, "%lldd%02dh",
			 (long long)(s / 86400), (int)(s / 3600 % 24));
}

static struct tm local(const struct model *m, int64_t wall_ns)
{
	time_t t = (time_t)(wall_ns / SECOND) + m->utc_offset;
	struct tm tm = { 0 };

	gmtime_r(&t, &tm);
	return tm;
}

void frame_clock(const struct model *m, int64_t wall_ns,
		 char out[FRAME_CLOCK_SIZE])
{
	struct tm then = local(m, wall_ns), now = local(m, m->wall_ns);
	bool today = then.tm_yday == now.tm_yday &&
		     then.tm_year == now.tm_year;

	strftime(out, FRAME_CLOCK_SIZE,
		 today ? "%H:%M:%S" : "%Y-%m-%d %H:%M:%S", &then);
}

void frame_bytes(int64_t n, char out[FRAME_TIME_SIZE])
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	double v = (double)n;
	size_t i = 0;

	while (v >= 1024 && i < ARRAY_SIZE(units) - 1) {
		v /= 1024;
		i++;
	}
	snprintf(out, FRAME_TIME_SIZE, i && v < 10 ? "%.1f %s" : "%.0f %s", v,
		 units[i]);
}

void frame_bar(const struct model *m, struct canvas *c, int row, int col,
	       int width, double part, struct cell pen)
{
	int full = (int)(MIN(MAX(part, 0.0), 1.0) * width + 0.5);

	for (int i = 0; i < width; i++)
		canvas_text(c, row, col + i, 1,
			    i < full ? pen : pen_role(ROLE_FAINT),
			    i < full ? (m->set.ascii ? "#" : GLYPH_FULL) :
				       (m->set.ascii ? "." : GLYPH_SHADE));
}

void frame_spark(const struct model *m, struct canvas *c, int row, int col,
		 int width, const uint8_t *samples, size_t n,
		 struct cell pen)
{
	static const char *const blocks[] = { "\u2581", "\u2582", "\u2583", "\u2584",
					      "\u2585", "\u2586", "\u2587", GLYPH_FULL };
	static const char *const marks[] = { ".", ":", "-", "=",
					     "+", "*", "#", "%" };
	size_t shown = m->set.motion ? MIN(n, (size_t)MAX(width, 0)) : 0;

	for (size_t i = 0; i < shown; i++) {
		size_t level = (size_t)samples[n - shown + i] * 7 / 100;

		level = MIN(level, 7);
		canvas_text(c, row, col + width - (int)(shown - i), 1, pen,
			    (m->set.ascii ? marks : blocks)[level]);
	}
}

const char *frame_state(const struct model *m, const char *state,
			enum theme_role *ret_role)
{
	static const struct {
		const char *state, *symbol, *ascii;
		enum theme_role role;
	} states[] = {
		{ "running", GLYPH_DOT, "*", ROLE_OK },
		{ "creating", GLYPH_HALF, "~", ROLE_ACCENT2 },
		{ "paused", GLYPH_BULLSEYE, "=", ROLE_VALUE },
		{ "stopped", GLYPH_RING, "o", ROLE_DIM },
		{ "unhealthy", GLYPH_CROSS, "x", ROLE_BAD },
		{ "error", GLYPH_CROSS, "x", ROLE_BAD },
		{ "expired", GLYPH_RING, "o", ROLE_DIM },
		{ "destroying", GLYPH_HALF, "~", ROLE_ACCENT2 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(states); i++)
		if (strcmp(states[i].state, state) == 0) {
			*ret_role = states[i].role;
			return m->set.ascii ? states[i].ascii :
					      states[i].symbol;
		}
	*ret_role = ROLE_DIM;
	return " ";
}
