/* SPDX-License-Identifier: MIT */
/*
 * What views draw on: a grid of cells, and where the cursor goes.  A view is
 * a function from a model to a canvas; the painter shows canvases, tests read
 * them as text.
 *
 * Rows and columns count from 0.  What lies outside, above and left of 0 too,
 * is cut off: nothing needs to fit.  A wide character that would be cut in
 * half is a blank instead.
 *
 * A pen is a blank cell in the style of what is drawn.
 *
 *	struct canvas *c = canvas_new(24, 80);
 *	canvas_box(c, 0, 0, 10, 40, pen_role(ROLE_FOCUS), "SANDBOXES");
 *	canvas_text(c, 1, 2, 36, pen_role(ROLE_INK), name);
 */
#ifndef SVM_TUI_CANVAS_H
#define SVM_TUI_CANVAS_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/buf.h"
#include "lib/base/defs.h"
#include "tui/cell.h"
#include "tui/theme.h"

struct canvas {
	int rows, cols;
	struct cell *cells; /* rows * cols, owned */
	int cursor_row, cursor_col;
	bool cursor_visible;
	/* The inside of the dialog drawn last, for the mouse. */
	int box_row, box_col, box_rows, box_cols;
};

struct canvas *canvas_new(int rows, int cols);
void canvas_free(struct canvas *c); /* accepts NULL */
void canvas_resize(struct canvas *c, int rows, int cols); /* blanks it */
void canvas_clear(struct canvas *c);

static inline struct cell pen_role(enum theme_role role)
{
	struct cell pen = CELL_BLANK;

	pen.fg = COLOUR_ROLE((uint32_t)role);
	return pen;
}

/* The same on the background of another role: ROLE_SELECTED. */
static inline struct cell pen_on(struct cell pen, enum theme_role background)
{
	pen.bg = COLOUR_ROLE((uint32_t)background);
	return pen;
}

/*
 * Text, one line, at most `width` columns; what doesn't fit ends in '~'.
 * Anything may be in it: it is escaped as by escape_line().  Returns the
 * columns it takes.
 */
int canvas_text(struct canvas *c, int row, int col, int width,
		struct cell pen, const char *text);
int canvas_textf(struct canvas *c, int row, int col, int width,
		 struct cell pen, const char *fmt, ...) PRINTF_LIKE(6, 7);

void canvas_fill(struct canvas *c, int row, int col, int rows, int cols,
		 struct cell pen);

/* Cells as they are: of an emulator's screen. */
void canvas_cells(struct canvas *c, int row, int col,
		  const struct cell *cells, int n);

/* A border and, if it isn't NULL, a title in it.  Less than 2x2 is nothing. */
void canvas_box(struct canvas *c, int row, int col, int rows, int cols,
		struct cell pen, const char *title);

/* Give what is there a background: of the selected row. */
void canvas_shade(struct canvas *c, int row, int col, int rows, int cols,
		  enum theme_role background);

/* The same with a foreground. */
void canvas_tint(struct canvas *c, int row, int col, int rows, int cols,
		 enum theme_role role);

void canvas_cursor(struct canvas *c, int row, int col);

/* The rows as lines of UTF-8, blanks at their ends left out. */
void canvas_dump(const struct canvas *c, struct buf *out);

void canvas_free_cleanup(struct canvas **c);
#define auto_canvas CLEANUP(canvas_free_cleanup)

#endif
