/* SPDX-License-Identifier: MIT */
/*
 * What the files of the emulator share, and nobody else includes but its
 * tests.  emu-parse.c takes bytes apart, emu-csi.c carries sequences out,
 * emu-screen.c changes cells, emu-history.c keeps lines, emu.c has the rest.
 */
#ifndef SVM_TUI_EMU_INTERNAL_H
#define SVM_TUI_EMU_INTERNAL_H

#include "lib/api/limits.h"
#include "tui/emu.h"

#define EMU_PARAMS 32
#define EMU_STRING 512 /* of an OSC; the rest of it is dropped */

/*
 * Cells from `used` on are not written down: they are all `fill`, which is
 * never part of a wide character.  So a screen is erased in the time its rows
 * take, not its cells: hostile output can ask for that every few bytes.
 */
struct emu_line {
	struct cell *cells; /* ncols of them */
	struct cell fill;
	int used;
	bool wrapped; /* goes on in the next line */
};

struct emu_screen {
	struct emu_line *lines; /* nrows, in order */
	struct cell *store;     /* of all lines, in any order */
};

/* Lines that left the screen, oldest first, in a ring of bytes. */
struct emu_history {
	unsigned char *ring, *scratch;
	struct emu_record {
		uint32_t at, size;
	} *index; /* of line n at n % max_lines */
	size_t size, head;
	unsigned max_lines;
	uint64_t first, next; /* line numbers */
};

struct emu_saved {
	int row, col;
	struct cell pen;
	bool pending, origin;
	bool line_drawing[2];
	unsigned shift;
};

enum emu_state {
	EMU_GROUND,
	EMU_ESC,
	EMU_ESC_MORE, /* after an intermediate byte */
	EMU_CSI,
	EMU_OSC,
	EMU_STRING_SKIP, /* DCS, SOS, PM, APC */
	EMU_STRING_ESC,  /* ESC in one of these: ST or the next sequence */
};

struct emu_parser {
	enum emu_state state;
	bool in_osc; /* in EMU_STRING_ESC */
	char leader, inter; /* 0: none */
	bool bad;           /* more of these than any sequence has */
	unsigned nparams;
	bool overflow; /* of params */
	uint16_t params[EMU_PARAMS];
	uint32_t colon; /* bit n: param n was joined with a colon */
	size_t string_len;
	char string[EMU_STRING];
	unsigned utf8_len;
	char utf8[4];
};

struct emu {
	int nrows, ncols;
	struct emu_screen main, alt, *screen;
	struct emu_history history;

	int row, col;
	bool pending; /* the last column was written: wrap before the next */
	int top, bottom; /* scrolling region, both inside */
	struct cell pen; /* a blank in the style of what comes */
	struct cell last; /* what REP repeats; cp 0: nothing */
	bool line_drawing[2]; /* G0, G1 */
	unsigned shift;       /* which of them is used */
	unsigned modes, events;
	enum emu_cursor_shape shape;
	bool blink;
	struct emu_saved saved[2]; /* of main and alt */
	bool tabs[LIMIT_EMU_COLS];
	bool paste_bracketed; /* the one that is being pasted */
	char paste_last;

	char title[LIMIT_EMU_TITLE + 1], title_saved[LIMIT_EMU_TITLE + 1];
	char reply[LIMIT_EMU_REPLY];
	size_t reply_len;
	struct emu_parser parser;
};

/* The style half of a cell as one number. */
static inline uint64_t emu_style(const struct cell *c)
{
	return (uint64_t)c->fg | (uint64_t)c->bg << 26 |
	       (uint64_t)(c->attr & CELL_STYLE_ATTRS) << 52;
}

/* emu-screen.c */
void emu_screen_init(struct emu_screen *s, int rows, int cols);
void emu_screen_release(struct emu_screen *s);
void emu_screen_clear(struct emu *e, struct emu_screen *s);
/* Write cells down up to column n. */
void emu_line_reach(struct emu_line *l, int n);
void emu_put(struct emu *e, uint32_t cp);
void emu_put_ascii(struct emu *e, const char *s, size_t n);
void emu_insert_cells(struct emu *e, int n);
void emu_delete_cells(struct emu *e, int n);
void emu_erase(struct emu *e, int row, int from, int to); /* [from, to) */
void emu_erase_rows(struct emu *e, int from, int to);
void emu_scroll(struct emu *e, int top, int bottom, int n); /* n < 0: down */
void emu_index(struct emu *e); /* one row down, scrolling at the bottom */
void emu_reverse_index(struct emu *e);
void emu_align(struct emu *e);

/* emu-resize.c: *s becomes rows x cols; the cursor of it is in *row, *col. */
void emu_screen_resize(struct emu *e, struct emu_screen *s, int rows,
		       int cols, int *row, int *col);

/* emu-history.c */
void emu_history_init(struct emu_history *h, const struct emu_options *o);
void emu_history_release(struct emu_history *h);
void emu_history_limit(struct emu_history *h, const struct emu_options *o);
void emu_history_push(struct emu_history *h, const struct emu_line *l);
/* The newest back into l, of ncols cells; false when there is none. */
bool emu_history_pop(struct emu_history *h, struct emu_line *l, int ncols);
/* As emu_line_reach()ed line; false when it isn't there. */
bool emu_history_get(const struct emu_history *h, uint64_t number,
		     struct emu_line *l, int ncols);
void emu_history_clear(struct emu_history *h);

/* emu-csi.c */
void emu_csi(struct emu *e, char final);
void emu_soft_reset(struct emu *e);
void emu_full_reset(struct emu *e);
void emu_save(struct emu *e);
void emu_restore(struct emu *e);
void emu_set_mode(struct emu *e, unsigned mode, bool on);
void emu_move(struct emu *e, int row, int col); /* clamped; ends pending */
void emu_tab(struct emu *e, int n);             /* n < 0: back */

/* emu-sgr.c */
void emu_sgr(struct emu *e);

/* emu-mode.c */
void emu_private_mode(struct emu *e, unsigned number, bool on);
void emu_report_mode(struct emu *e, bool private, unsigned number);
void emu_answer(struct emu *e, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* emu-title.c: an OSC, whole or cut at EMU_STRING. */
void emu_osc(struct emu *e, const char *s, size_t n);

/* What must hold at any time: NULL, or which of it doesn't. */
const char *emu_check(const struct emu *e);

#endif
