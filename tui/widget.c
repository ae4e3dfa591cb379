/* SPDX-License-Identifier: MIT */
/* Pieces that screens share.  See frame.h. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
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

void frame_part(struct frame_parts *p, unsigned rank, const char *brief,
		const char *fmt, ...)
{
	va_list ap;

	if (p->n == ARRAY_SIZE(p->v))
		BUG("no room for more parts");
	va_start(ap, fmt);
	p->v[p->n].text = xvasprintf(fmt, ap);
	va_end(ap);
	p->v[p->n].brief = xstrdup(brief);
	p->v[p->n++].rank = rank;
}

static char *join(const struct frame_parts *p, const char *between)
{
	struct buf out = BUF_INIT;

	for (size_t i = 0; i < p->n; i++)
		if (p->v[i].text)
			buf_addf(&out, "%s%s", out.len ? between : "",
				 p->v[i].text);
	buf_addstr(&out, "");
	return buf_steal(&out);
}

/* The part that matters least goes, or says less; false when all matter. */
static bool shorten(struct frame_parts *p)
{
	size_t least = SIZE_MAX;

	for (size_t i = 0; i < p->n; i++)
		if (p->v[i].text && (p->v[i].rank || p->v[i].brief) &&
		    (least == SIZE_MAX || p->v[i].rank >= p->v[least].rank))
			least = i;
	if (least == SIZE_MAX)
		return false;
	free(p->v[least].text);
	p->v[least].text = steal_ptr(&p->v[least].brief);
	return true;
}

char *frame_parts_fit(struct frame_parts *p, const char *between, int room)
{
	char *text = join(p, between);

	while ((int)width_text(text, strlen(text)) > room && shorten(p)) {
		free(text);
		text = join(p, between);
	}
	for (size_t i = 0; i < p->n; i++) {
		free(p->v[i].text);
		free(p->v[i].brief);
	}
	p->n = 0;
	return text;
}

void frame_count(size_t n, char out[FRAME_TIME_SIZE])
{
	unsigned some = (unsigned)MIN(n, 999999999);

	if (some < 1000)
		snprintf(out, FRAME_TIME_SIZE, "%u", some);
	else if (some < 1000000)
		snprintf(out, FRAME_TIME_SIZE, "%u %03u", some / 1000,
			 some % 1000);
	else
		snprintf(out, FRAME_TIME_SIZE, "%u %03u %03u",
			 some / 1000000, some / 1000 % 1000, some % 1000);
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
	else if (s >= 100 * 86400)
		snprintf(out, FRAME_TIME_SIZE, "%lldd", (long long)(s / 86400));
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
