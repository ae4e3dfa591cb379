/* SPDX-License-Identifier: MIT */
/*
 * A terminal for what sandboxes write: bytes in, a screen of cells out.
 *
 * The bytes are hostile.  Whatever they are, the emulator reads and writes
 * its own memory only, never calls out, and takes time in proportion to their
 * number and the size of the screen.  All memory is taken by emu_new() and
 * emu_resize(); output never makes it grow.
 *
 *	struct emu *e = emu_new(24, 80, &(struct emu_options){ 0 });
 *	emu_write(e, bytes, n);
 *	for (int r = 0; r < emu_rows(e); r++)
 *		draw(emu_row(e, r), emu_cols(e));
 *	send(emu_reply(e)); emu_reply_clear(e);
 *
 * What it understands: UTF-8 (invalid parts become U+FFFD), C0, and of
 * ECMA-48, DEC and xterm what vim, less, top, tmux and shells need: cursor
 * movement, erasing, inserting and deleting, scrolling regions, tabs, REP,
 * SGR with 256 and true colours in both spellings, the alternate screen,
 * origin, insert and wrap modes, DEC line drawing, cursor shapes, soft and
 * full reset.  Everything else is parsed to its end and dropped.  8-bit C1
 * controls are characters of UTF-8 here and dropped too.
 *
 * Numbers of a sequence: at most 32, each at most 65535; a sequence with more
 * is carried out with the first 32.  REP repeats at most a row's worth.  The
 * text of OSC, DCS and the like is dropped but for a title.
 *
 * What it never does:
 * - answer what could carry text of the sandbox's choosing to a program that
 *   reads the terminal: titles, selections, colours, settings, fonts.  The
 *   answers it gives are listed at emu_reply().
 * - touch the clipboard.  OSC 52 is dropped, EMU_CLIPBOARD tells of it.
 * - load, print, log or record.
 * - let a title out unescaped.
 *
 * Characters.  Widths are those of lib/base/width.h.  ZWJ and variation
 * selectors are not kept, nor are marks beyond the second or other characters
 * without width, so that columns are the same in every terminal the cells are
 * painted on (and no bidirectional override reaches one).  A wide character
 * is never split: overwriting, erasing or cutting one half blanks the other.
 *
 * Resizing doesn't reflow: a line is cut at the right edge, and stays so.  On
 * the main screen, fewer rows push lines from the top into the history when
 * the cursor would be lost, and more rows bring them back; blank lines below
 * the cursor go first.  The alternate screen keeps its top left corner.  Tab
 * stops past the old width are every eight columns, and scrolling regions end.
 *
 * Lines are numbered from 0, the first the emulator ever had, on and on:
 * those of [emu_first(), emu_top()) are history, those of [emu_top(),
 * emu_top() + rows) are the screen.  A number goes on meaning the same line
 * while output arrives, so a view that scrolled up stays where it is.  Only
 * the main screen has history, and only what leaves at the very top of it.
 */
#ifndef SVM_TUI_EMU_H
#define SVM_TUI_EMU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/defs.h"
#include "tui/cell.h"
#include "tui/key.h"

struct emu;

struct emu_options {
	/* How much history: both hold; 0 lines is none, whatever the bytes.
	 * A line of plain text takes its bytes and about 20 more.  More than
	 * LIMIT_EMU_HISTORY_* is brought down to that, and fewer bytes than
	 * the longest line can take up to those. */
	unsigned history_lines;
	size_t history_bytes;
};

/* Sizes outside 1..LIMIT_EMU_ROWS, 1..LIMIT_EMU_COLS are brought inside. */
struct emu *emu_new(int rows, int cols, const struct emu_options *options);
void emu_free(struct emu *e); /* accepts NULL */
void emu_resize(struct emu *e, int rows, int cols);

/* Keep so many lines of history from here on; the newest stay. */
void emu_keep(struct emu *e, const struct emu_options *options);

/* Any bytes, cut anywhere: the rest of a sequence may come with the next. */
void emu_write(struct emu *e, const void *data, size_t n);

/* Forget everything but the size and the history: for another session. */
void emu_reset(struct emu *e);

/* The screen now.  Rows and columns count from 0. */
int emu_rows(const struct emu *e);
int emu_cols(const struct emu *e);

/* emu_cols() cells, borrowed until the next write or resize. */
const struct cell *emu_row(const struct emu *e, int row);

enum emu_cursor_shape {
	EMU_CURSOR_DEFAULT,
	EMU_CURSOR_BLOCK,
	EMU_CURSOR_UNDERLINE,
	EMU_CURSOR_BAR,
};

struct emu_cursor {
	int row, col; /* always a cell of the screen */
	bool visible;
	bool blink;
	enum emu_cursor_shape shape;
};
struct emu_cursor emu_cursor(const struct emu *e);

/* What the program inside has asked for. */
enum emu_mode {
	EMU_MODE_ALT = 1u << 0,         /* the alternate screen is shown */
	EMU_MODE_APP_CURSOR = 1u << 1,  /* arrows are SS3 (DECCKM) */
	EMU_MODE_APP_KEYPAD = 1u << 2,
	EMU_MODE_PASTE = 1u << 3,       /* wants pastes bracketed */
	EMU_MODE_FOCUS = 1u << 4,       /* wants focus in and out */
	EMU_MODE_MOUSE_X10 = 1u << 5,   /* presses only (9) */
	EMU_MODE_MOUSE_CLICK = 1u << 6, /* and releases (1000) */
	EMU_MODE_MOUSE_DRAG = 1u << 7,  /* and moves while pressed (1002) */
	EMU_MODE_MOUSE_MOVE = 1u << 8,  /* all moves (1003) */
	EMU_MODE_MOUSE_SGR = 1u << 9,   /* in the form of 1006 */
	EMU_MODE_REVERSE = 1u << 10,    /* the screen is inverse (DECSCNM) */
	EMU_MODE_NEWLINE = 1u << 11,    /* Enter is CR LF (LNM) */
	EMU_MODE_SYNC = 1u << 12,       /* a frame is not finished (2026) */
	/* Of no use outside. */
	EMU_MODE_WRAP = 1u << 16,
	EMU_MODE_ORIGIN = 1u << 17,
	EMU_MODE_INSERT = 1u << 18,
	EMU_MODE_VISIBLE = 1u << 19,    /* see emu_cursor() */
};
#define EMU_MODE_MOUSE                                     \
	(EMU_MODE_MOUSE_X10 | EMU_MODE_MOUSE_CLICK |       \
	 EMU_MODE_MOUSE_DRAG | EMU_MODE_MOUSE_MOVE)
unsigned emu_modes(const struct emu *e);

/* The title, one line, escaped as by escape_line(), at most
 * LIMIT_EMU_TITLE bytes; "" when there is none.  Borrowed. */
const char *emu_title(const struct emu *e);

/* What happened since the last call. */
enum emu_event {
	EMU_DAMAGE = 1u << 0,    /* cells or the cursor may have changed */
	EMU_TITLE = 1u << 1,
	EMU_BELL = 1u << 2,
	EMU_MODES = 1u << 3,
	EMU_CLIPBOARD = 1u << 4, /* an OSC 52 was refused */
};
unsigned emu_events(struct emu *e);

/*
 * Bytes for the program inside: answers to DA1 (a VT220 with colours), DA2,
 * DSR 5 and 6, DECRQM, and the size in cells (CSI 18 t).  Nothing else is
 * answered.  At most LIMIT_EMU_REPLY bytes wait; answers past that are
 * dropped whole.  Borrowed until the next write.
 */
const char *emu_reply(const struct emu *e, size_t *ret_n);
void emu_reply_clear(struct emu *e);

/*
 * What the user does, as bytes for the program inside: appended to out in the
 * form that its modes ask for, or nothing where there is none.
 *
 * emu_mouse() returns false when the program doesn't want the mouse, which is
 * then the dashboard's: to scroll back, for one.  On the alternate screen,
 * which has no history, an unwanted wheel is three arrows.
 *
 * A paste is made of any number of emu_paste() between begin and end.  Ends
 * of lines become CR as if typed, other controls but tabs are left out: it
 * can't end the brackets that the program may have asked for.
 */
void emu_key(const struct emu *e, struct key key, struct buf *out);
bool emu_mouse(const struct emu *e, const struct mouse *m, struct buf *out);
void emu_focus(const struct emu *e, bool in, struct buf *out);
void emu_paste_begin(struct emu *e, struct buf *out);
void emu_paste(struct emu *e, const char *s, size_t n, struct buf *out);
void emu_paste_end(struct emu *e, struct buf *out);

/* Lines by number; see above. */
uint64_t emu_first(const struct emu *e);
uint64_t emu_top(const struct emu *e);

/* Copy line `number` to out[0..cols), cut or blank at the right.  Returns -1
 * when there is no such line (any more), 1 when it goes on in the next one
 * without a newline, else 0. */
int emu_line(const struct emu *e, uint64_t number, struct cell *out, int cols);

void emu_free_cleanup(struct emu **e);
#define auto_emu CLEANUP(emu_free_cleanup)

#endif
