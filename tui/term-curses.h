/* SPDX-License-Identifier: MIT */
/*
 * The terminal of the user: taken, painted, given back.  The one part that
 * knows ncurses; nothing else may write to that terminal meanwhile.
 *
 * Opening takes the terminal over: raw mode, the alternate screen, mouse,
 * focus and bracketed paste on.  Closing undoes it in the reverse order, and
 * so does a crash (SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL) before it goes
 * its way.  Only SIGKILL leaves it as it is; `reset` repairs that.
 *
 * Input is not read here: read the descriptor and give it to input.h.  Mind
 * that a terminal's standard input shares its flags with the shell, so it is
 * not made non-blocking: poll, then read once.
 */
#ifndef SVM_TUI_TERM_CURSES_H
#define SVM_TUI_TERM_CURSES_H

#include <stdbool.h>

#include "lib/base/err.h"
#include "tui/canvas.h"
#include "tui/theme.h"

struct term_curses;

struct term_curses_options {
	const struct theme *theme; /* copied; NULL: "auto" */
	bool no_color;             /* NO_COLOR and --no-color: attributes only */
	enum colour_mode colour;
	bool ascii;                /* no other characters, whatever the locale */
	bool mouse;
	int in, out;               /* descriptors of a terminal, borrowed */
};

/* NULL with err set when these are no terminal that a screen can be drawn
 * on.  One at a time. */
struct term_curses *term_curses_open(const struct term_curses_options *o,
				     struct svm_err *err);
void term_curses_close(struct term_curses *t); /* accepts NULL */

/* After SIGWINCH; then ask for the size and paint. */
void term_curses_resized(struct term_curses *t);
void term_curses_size(const struct term_curses *t, int *ret_rows,
		      int *ret_cols);

/* Show the canvas; only what changed is written.  What is beyond either's
 * size is not shown, or blank. */
void term_curses_paint(struct term_curses *t, const struct canvas *c);

/* Write everything again with the next paint: ^L. */
void term_curses_repaint(struct term_curses *t);

/*
 * Another theme (copied; mono without colours) or other characters; shown by
 * the next paint.  What was opened with no_color stays without.  Direct
 * colour takes the terminal by its other terminfo entry ("xterm-direct" for
 * "xterm-256color"); without one the palette stays, see
 * term_curses_colours().
 */
void term_curses_style(struct term_curses *t, const struct theme *theme,
		       enum colour_mode colour, bool ascii);

void term_curses_mouse(struct term_curses *t, bool on);
void term_curses_bell(struct term_curses *t);

/* Offer text to the terminal's clipboard (OSC 52).  Longer than what
 * terminals take (LIMIT_TUI_CLIPBOARD) is left out. */
void term_curses_copy(struct term_curses *t, const char *text, size_t n);

/* Give the terminal back for a while (^Z, an editor), and take it again. */
void term_curses_suspend(struct term_curses *t);
void term_curses_resume(struct term_curses *t);

/* What the terminal can do: the colours in use (0, or as theme_reduce() takes
 * them), and whether it shows more than ASCII. */
int term_curses_colours(const struct term_curses *t);
bool term_curses_utf8(const struct term_curses *t);

#endif
