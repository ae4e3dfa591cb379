/* SPDX-License-Identifier: MIT */
/* What stands above a terminal.  See terminal-line.h. */
#include "tui/terminal-line.h"

#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/width.h"
#include "tui/frame.h"
#include "tui/message.h"

#define GAP 2         /* columns between two pieces */
#define FRAME_TITLE 2 /* where a border's title begins */
#define PIECE_MIN 8   /* a title that is cut has at least as many */
#define STATUS_MIN 44 /* "[reconnecting 59 min  4096 bytes waiting]" */

static const enum context live_chain[] = { CTX_TERMINAL, CTX_NONE };

/* What is on it, the texts empty when there is no room. */
struct line {
	struct buf leave, status, sessions, add, name, life, more, title;
	int left; /* columns that are free */
};

static void line_release(struct line *x)
{
	struct buf *all[] = { &x->leave, &x->status, &x->sessions, &x->add,
			      &x->name, &x->life, &x->more, &x->title };

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		buf_release(all[i]);
}

static int width_of(const struct buf *b)
{
	return (int)width_text(buf_str(b), b->len);
}

/* As much of it as these columns hold, and a sign that there was more. */
static void cut(struct buf *b, int width)
{
	if (width_of(b) <= width)
		return;
	while (b->len && width_of(b) >= width) {
		size_t n = b->len - 1;

		while (n && ((unsigned char)b->data[n] & 0xc0) == 0x80)
			n--;
		buf_truncate(b, n);
	}
	if (width > 0)
		buf_addch(b, '~');
}

/* Its room is taken, or it is not there. */
static void take(struct line *x, struct buf *b)
{
	int width = width_of(b);

	if (b->len && width <= x->left)
		x->left -= width + GAP;
	else
		buf_clear(b);
}

struct hint {
	enum action action;
	const char *what;
};

/* The keys that lead on: the first of them always, the others with the
 * room. */
static void add_hints(const struct model *m, const struct terminal_line *l,
		      const struct hint *hints, size_t n, struct line *x)
{
	char key[KEY_NAME_MAX];

	for (size_t i = 0; i < n; i++) {
		struct buf *to = i ? &x->more : &x->leave;

		if (*keymap_key(m->keymap, l->chain, hints[i].action, key))
			buf_addf(to, "%s%s %s", to->len ? "  " : "", key,
				 hints[i].what);
	}
}

/* "^] then ^R starts the daemon", in place of how one leaves: every key is the
 * program's, and what has the whole screen has no ribbon.  Not where how long
 * the connection is gone, and what waits for it, would have no room. */
static void add_start(const struct model *m, const struct terminal_line *l,
		      struct line *x)
{
	static const enum context left[] = { CTX_LEFT, CTX_WORKSPACE,
					     CTX_PANES, CTX_GLOBAL, CTX_NONE };
	char leave[KEY_NAME_MAX], key[KEY_NAME_MAX];
	auto_buf struct buf text = BUF_INIT;

	if (!frame_can_start(m) || l->copying ||
	    !*keymap_key(m->keymap, left, ACT_REFRESH, key))
		return;
	keymap_key(m->keymap, live_chain, ACT_LEAVE, leave);
	buf_addf(&text, "%s%s%s starts the daemon", l->live ? leave : "",
		 l->live ? " then " : "", key);
	if (width_of(&text) + STATUS_MIN > x->left)
		return;
	buf_clear(&x->leave);
	buf_addstr(&x->leave, buf_str(&text));
}

static void add_keys(const struct model *m, const struct terminal_line *l,
		     struct line *x)
{
	static const struct hint left[] = {
		{ ACT_OPEN, "back" },
		{ ACT_COPY_MODE, "copy" },
		{ ACT_ZOOM, "smaller" },
	}, looking[] = {
		{ ACT_CLOSE, "live" },	 { ACT_SELECT, "select" },
		{ ACT_SELECT_LINES, "lines" }, { ACT_COPY, "copy" },
		{ ACT_SAVE, "save" },	 { ACT_SEARCH, "search" },
	};
	char key[KEY_NAME_MAX];

	if (l->live) {
		keymap_key(m->keymap, live_chain, ACT_LEAVE, key);
		buf_addf(&x->leave, "%s leaves", key);
		buf_addf(&x->more, "%s%s sends %s", key, key, key);
	} else if (l->copying) {
		add_hints(m, l, looking, ARRAY_SIZE(looking), x);
	} else {
		add_hints(m, l, left, ARRAY_SIZE(left), x);
	}
	add_start(m, l, x);
}

/* The program inside has chosen it, as long as it likes. */
static void take_title(struct line *x)
{
	if (x->left >= PIECE_MIN)
		cut(&x->title, x->left);
	take(x, &x->title);
}

/* From what matters most to what does least. */
static void fit(const struct model *m, const struct terminal_line *l,
		struct line *x)
{
	if (l->copying)
		buf_addstr(&x->status, l->copying);
	else if (l->t)
		terminal_status(m, l->t, x->left, &x->status);
	cut(&x->status, x->left);
	take(x, &x->status);
	buf_addstr(&x->sessions, l->sessions);
	take(x, &x->sessions);
	buf_addstr(&x->name, l->name);
	take(x, &x->name);
	buf_addstr(&x->life, l->life);
	take(x, &x->life);
	if (x->sessions.len)
		buf_addstr(&x->add, l->add);
	take(x, &x->add);
	take(x, &x->more);
	if (l->t)
		buf_addstr(&x->title, emu_title(l->t->emu));
	take_title(x);
}

static void add(struct buf *out, const struct buf *piece, int gap)
{
	if (piece->len)
		buf_addf(out, "%*s%s", out->len ? gap : 0, "",
			 buf_str(piece));
}

static int put_right(struct canvas *c, int row, int right,
		     enum theme_role role, const struct buf *piece)
{
	int width = width_of(piece);

	if (!width)
		return right;
	canvas_text(c, row, right - width, width, pen_role(role),
		    buf_str(piece));
	return right - width - GAP;
}

void terminal_line_view(const struct model *m, const struct terminal_line *l,
			struct canvas *c, struct area a)
{
	struct line x = { .left = a.cols - 2 };
	auto_buf struct buf left = BUF_INIT;
	struct cell pen = pen_role(l->live ? ROLE_ACCENT : ROLE_DIM);
	int right = a.col + a.cols - 1;

	canvas_fill(c, a.row, a.col, 1, a.cols, pen_role(ROLE_INK));
	add_keys(m, l, &x);
	take(&x, &x.leave);
	if (m->toast) {
		pen = pen_role(m->toast_bad ? ROLE_BAD : ROLE_VALUE);
		auto_free char *said = message_line(m, x.left);

		buf_addstr(&left, said);
		buf_clear(&x.more);
	} else {
		fit(m, l, &x);
		add(&left, &x.name, 0);
		add(&left, &x.sessions, 1);
		add(&left, &x.title, GAP);
	}
	right = put_right(c, a.row, right, ROLE_DIM, &x.more);
	right = put_right(c, a.row, right, ROLE_DIM, &x.leave);
	right = put_right(c, a.row, right, ROLE_ACCENT2, &x.status);
	right = put_right(c, a.row, right, ROLE_DIM, &x.life);
	canvas_text(c, a.row, a.col + 1, MAX(right - a.col - 1, 0), pen,
		    buf_str(&left));
	line_release(&x);
}

static void fit_pane(const struct model *m, const struct terminal_line *l,
		     struct area a, struct line *x)
{
	x->left = a.cols - 5;
	if (l->live)
		add_keys(m, l, x);
	buf_clear(&x->more); /* the footer has them */
	take(x, &x->leave);
	fit(m, l, x);
}

char *terminal_line_word(const struct model *m, const struct terminal_line *l,
			 struct area a, int col)
{
	auto_buf struct buf title = BUF_INIT;
	struct line x = { 0 };
	size_t from, to, at;

	fit_pane(m, l, a, &x);
	add(&title, &x.name, 0);
	from = title.len;
	add(&title, &x.sessions, 1);
	add(&title, &x.add, 1);
	line_release(&x);
	/* No bytes but ASCII are in it. */
	at = (size_t)MAX(col - a.col - FRAME_TITLE, 0);
	if (at < from || at >= title.len || title.data[at] == ' ')
		return NULL;
	for (from = at; from && title.data[from - 1] != ' '; from--)
		continue;
	to = at + strcspn(title.data + at, " ");
	return xstrndup(title.data + from, to - from);
}

void terminal_line_pane(const struct model *m, const struct terminal_line *l,
			struct canvas *c, struct area a, bool focused)
{
	auto_buf struct buf title = BUF_INIT;
	struct line x = { 0 };

	fit_pane(m, l, a, &x);
	add(&title, &x.name, 0);
	add(&title, &x.sessions, 1);
	add(&title, &x.add, 1);
	add(&title, &x.title, GAP);
	add(&title, &x.leave, GAP);
	frame_pane(c, a, buf_str(&title), focused);
	frame_corner(c, a, false, pen_role(ROLE_ACCENT2),
		     buf_str(&x.status));
	line_release(&x);
}
