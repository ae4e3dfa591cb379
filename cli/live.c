/* SPDX-License-Identifier: MIT */
/* Painting a few lines in place.  See live.h. */
#include "cli/live.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <tickit.h>
#include <unistd.h>

#include "cli/cli.h"
#include "lib/base/buf.h"
#include "lib/base/escape.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "lib/base/width.h"

#define TABLE_COLUMNS 16
#define NARROWEST 8 /* a column that is cut keeps this much */

struct live {
	int fd;
	TickitTerm *tt;
	TickitPen *pens[LIVE_ROLE_MAX];
	bool mute;         /* drop what the painter says by itself */
	struct buf out;    /* what it painted, not written yet */

	size_t *widths;    /* of the rows of the picture being made */
	size_t rows, shown_rows; /* made; on the terminal */
	size_t *shown;     /* their widths */
	size_t used;       /* columns of the row being made */
	bool hide;         /* the cursor */
	bool begun;        /* there is such a row */
	size_t cols, lines;
};

static void on_output(TickitTerm *tt, const char *bytes, size_t n, void *user)
{
	struct live *l = user;

	(void)tt;
	if (bytes && !l->mute)
		buf_add(&l->out, bytes, n);
}

static void measure(struct live *l)
{
	struct winsize ws = { 0 };

	(void)ioctl(l->fd, TIOCGWINSZ, &ws);
	l->cols = ws.ws_col ? ws.ws_col : 80;
	l->lines = ws.ws_row ? ws.ws_row : 24;
}

bool live_possible(const struct cli *cli, int fd)
{
	const char *term = getenv("TERM");

	return isatty(fd) && term && term[0] && strcmp(term, "dumb") != 0 &&
	       !cli->quiet && !cli->json && !cli->format && !cli->plain &&
	       !cli_accessible(cli);
}

bool live_utf8(void)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *v = getenv(names[i]);

		if (v && v[0])
			return strcasestr(v, "utf-8") || strcasestr(v, "utf8");
	}
	return false;
}

const char *live_state_mark(const char *state, enum live_role *ret_role)
{
	bool utf8 = live_utf8();

	if (strcmp(state, "running") == 0) {
		*ret_role = LIVE_GOOD;
		return utf8 ? "\xe2\x97\x8f" : "*"; /* black circle */
	}
	if (strcmp(state, "error") == 0 || strcmp(state, "unhealthy") == 0) {
		*ret_role = LIVE_BAD;
		return utf8 ? "\xe2\x9c\x97" : "x"; /* ballot x */
	}
	*ret_role = LIVE_BUSY;
	if (strcmp(state, "paused") == 0 || strcmp(state, "stopped") == 0)
		return utf8 ? "\xe2\x97\x8b" : "-"; /* white circle */
	return utf8 ? "\xe2\x97\x90" : "o"; /* half black */
}

static void make_pens(struct live *l, bool color)
{
	static const int colors[LIVE_ROLE_MAX] = {
		[LIVE_PLAIN] = -1, [LIVE_BOLD] = -1, [LIVE_DIM] = -1,
		[LIVE_GOOD] = 2, [LIVE_BUSY] = 3, [LIVE_BAD] = 1,
	};

	for (size_t i = 0; i < LIVE_ROLE_MAX; i++) {
		l->pens[i] = tickit_pen_new();
		if (color && colors[i] >= 0)
			tickit_pen_set_colour_attr(l->pens[i], TICKIT_PEN_FG,
						   colors[i]);
		if (color && i == LIVE_BOLD)
			tickit_pen_set_bool_attr(l->pens[i], TICKIT_PEN_BOLD,
						 true);
	}
}

struct live *live_new(int fd, bool color)
{
	struct live *l = xcalloc(1, sizeof(*l));
	/* Its driver for terminfo aborts on some terminals, and the little
	 * that is used here is the same on all of them. */
	const struct TickitTermBuilder build = {
		.termtype = "xterm", .open = TICKIT_NO_OPEN,
		.output_func = on_output, .output_func_user = l,
	};

	l->fd = fd;
	l->mute = true;
	l->tt = tickit_term_build(&build);
	if (!l->tt) {
		free(l);
		return NULL;
	}
	tickit_term_set_utf8(l->tt, true);
	l->mute = false;
	make_pens(l, color);
	measure(l);
	return l;
}

/* To the first row of the last picture.  A terminal that was made narrower
 * may have broken its rows in several. */
static void go_home(struct live *l)
{
	size_t up = 0;

	for (size_t i = 0; i < l->shown_rows; i++)
		up += MAX((l->shown[i] + l->cols - 1) / l->cols, 1);
	up = MIN(up, l->lines);
	buf_addstr(&l->out, l->hide ? "\033[?25l\r" : "\r");
	if (up > 1)
		tickit_term_move(l->tt, -(int)(up - 1), 0);
}

void live_leave(struct live *l)
{
	if (l->shown_rows)
		buf_addstr(&l->out, "\r\n");
	if (l->hide)
		buf_addstr(&l->out, "\033[?25h");
	(void)fd_write_full(l->fd, buf_str(&l->out), l->out.len);
	buf_clear(&l->out);
	l->shown_rows = 0;
}

void live_erase(struct live *l)
{
	measure(l);
	go_home(l);
	buf_addstr(&l->out, "\033[J");
	l->shown_rows = 0;
	live_leave(l);
}

void live_free(struct live *l)
{
	if (!l)
		return;
	live_leave(l);
	l->mute = true;
	for (size_t i = 0; i < LIVE_ROLE_MAX; i++)
		tickit_pen_unref(l->pens[i]);
	tickit_term_unref(l->tt);
	buf_release(&l->out);
	free(l->widths);
	free(l->shown);
	free(l);
}

void live_hide_cursor(struct live *l)
{
	l->hide = true;
}

size_t live_room(const struct live *l)
{
	return l->lines;
}

size_t live_cols(const struct live *l)
{
	return l->cols > 1 ? l->cols - 1 : 0;
}

static void begin_row(struct live *l)
{
	if (l->begun)
		return;
	l->begun = true;
	if (l->rows == 0) {
		measure(l);
		go_home(l);
	} else {
		buf_addstr(&l->out, "\r\n");
	}
}

static void add_text(struct live *l, enum live_role role, const char *s,
		     size_t n)
{
	size_t room = l->cols > 1 ? l->cols - 1 : 0, width;

	begin_row(l);
	room = room > l->used ? room - l->used : 0;
	n = width_fit(s, n, room, &width);
	if (n) {
		tickit_term_setpen(l->tt, l->pens[role]);
		tickit_term_printn(l->tt, s, n);
	}
	l->used += width;
}

void live_text(struct live *l, enum live_role role, const char *text)
{
	auto_escape bool before = cli_escape_for(l->fd);
	auto_buf struct buf shown = BUF_INIT;

	escape_line(&shown, text, strlen(text));
	add_text(l, role, buf_str(&shown), shown.len);
}

void live_row(struct live *l)
{
	begin_row(l);
	tickit_term_setpen(l->tt, l->pens[LIVE_PLAIN]);
	tickit_term_flush(l->tt);
	buf_addstr(&l->out, "\033[K");
	l->widths = xreallocarray(l->widths, l->rows + 1, sizeof(size_t));
	l->widths[l->rows++] = MIN(l->used, l->cols);
	l->used = 0;
	l->begun = false;
}

void live_paint(struct live *l)
{
	size_t *old = l->shown;

	buf_addstr(&l->out, "\033[J");
	(void)fd_write_full(l->fd, buf_str(&l->out), l->out.len);
	buf_clear(&l->out);
	l->shown = l->widths;
	l->shown_rows = l->rows;
	l->widths = old;
	l->rows = 0;
}

static void table_widths(const struct live *l, const struct live_table *t,
			 size_t width[TABLE_COLUMNS])
{
	size_t total = 0, room = l->cols > 1 ? l->cols - 1 : 0;

	for (size_t c = 0; c < t->columns; c++) {
		width[c] = 0;
		for (size_t r = 0; r < t->rows; r++) {
			const char *s = t->cells[r * t->columns + c];

			width[c] = MAX(width[c], width_text(s, strlen(s)));
		}
		total += width[c] + (c ? 2 : 0);
	}
	for (size_t c = t->columns; c-- > 1 && total > room;)
		if (t->optional >> c & 1) {
			total -= width[c] + 2;
			width[c] = 0;
		}
	for (size_t c = t->columns; c-- > 1 && total > room;) {
		size_t cut = width[c] - MIN(width[c], NARROWEST);

		if (!(t->spare >> c & 1))
			continue;
		cut = total - room > cut ? width[c] : total - room;
		total -= cut + (cut == width[c] ? 2 : 0);
		width[c] -= cut;
	}
	while (total > room && t->columns > 1) {
		size_t widest = 1;

		for (size_t c = 2; c < t->columns; c++)
			if (width[c] > width[widest])
				widest = c;
		if (width[widest] <= NARROWEST)
			break;
		width[widest]--;
		total--;
	}
}

static void table_cell(struct live *l, enum live_role role, const char *s,
		       size_t width, bool right)
{
	size_t fits, n = width_fit(s, strlen(s), width, &fits);
	bool cut = s[n] != '\0';

	if (cut)
		n = width_fit(s, strlen(s), width ? width - 1 : 0, &fits);
	size_t pad = width - MIN(width, fits + cut);
	auto_free char *blank = xasprintf("%*s", (int)pad, "");

	if (right)
		add_text(l, LIVE_PLAIN, blank, pad);
	add_text(l, role, s, n);
	if (cut)
		add_text(l, LIVE_DIM, "~", 1);
	if (!right)
		add_text(l, LIVE_PLAIN, blank, pad);
}

void live_table(struct live *l, const struct live_table *t)
{
	size_t width[TABLE_COLUMNS];

	if (l->rows == 0 && !l->begun)
		measure(l);
	table_widths(l, t, width);
	for (size_t r = 0; r < t->rows; r++) {
		for (size_t c = 0; c < t->columns; c++) {
			size_t i = r * t->columns + c;

			if (!width[c])
				continue;
			if (c)
				add_text(l, LIVE_PLAIN, "  ", 2);
			table_cell(l, t->roles ? t->roles[i] : LIVE_PLAIN,
				   t->cells[i], width[c], t->right >> c & 1);
		}
		live_row(l);
	}
}
