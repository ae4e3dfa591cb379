/* SPDX-License-Identifier: MIT */
/*
 * What is around every screen: the ribbon, the navigation line, the footer.
 */
#ifndef SVM_TUI_FRAME_H
#define SVM_TUI_FRAME_H

#include "tui/screen.h"

/* Below this only a notice is shown. */
#define FRAME_ROWS_MIN 10
#define FRAME_COLS_MIN 40

/* What the screen in view has for itself. */
struct area frame_body(const struct model *m);

/* Is the ribbon in view, with how busy this machine is? */
bool frame_has_meters(const struct model *m);

/* A click on the navigation line; false when it was elsewhere. */
bool frame_mouse(struct model *m, const struct mouse *mouse);

/* Pieces that screens share. */

/* A pane: border and title, brighter when it has the keys; its inside. */
struct area frame_pane(struct canvas *c, struct area a, const char *title,
		       bool focused);

/* "3/17" at the right end of its lower border; nothing when there is none. */
void frame_place(struct canvas *c, struct area pane, size_t at, size_t n);

#define FRAME_TIME_SIZE 16

/*
 * Texts side by side, as many as there is room for: those of the highest rank
 * go first, or become their brief form where they have one.  Those of rank 0
 * stay; none is cut.
 */
struct frame_parts {
	struct {
		char *text, *brief;
		unsigned rank;
	} v[12];
	size_t n;
};
void frame_part(struct frame_parts *p, unsigned rank, const char *brief,
		const char *fmt, ...) PRINTF_LIKE(4, 5);
/* With `between` between them; the caller's.  The parts are released. */
char *frame_parts_fit(struct frame_parts *p, const char *between, int room);

/* "12 345" */
void frame_count(size_t n, char out[FRAME_TIME_SIZE]);

/* Text at the right end of the border's top or bottom. */
void frame_corner(struct canvas *c, struct area pane, bool bottom,
		  struct cell pen, const char *text);

/* "24m", "3h", "42s", "2d". */
void frame_left(int64_t ns, char out[FRAME_TIME_SIZE]);

/* "no answer for 7 s": of a daemon that is silent. */
#define FRAME_SILENCE_SIZE 48
void frame_silence(const struct model *m, char out[FRAME_SILENCE_SIZE]);
/* When that is another text, boot; 0: it isn't shown. */
int64_t frame_silence_wake(const struct model *m);

/* No daemon answers, and asking again starts one. */
bool frame_can_start(const struct model *m);

/* "17:38:04" of a wall time, local; with the date when it isn't today. */
#define FRAME_CLOCK_SIZE 32
void frame_clock(const struct model *m, int64_t wall_ns,
		 char out[FRAME_CLOCK_SIZE]);

/* "210 MiB" */
void frame_bytes(int64_t n, char out[FRAME_TIME_SIZE]);

/* A bar of `width` columns, `part` of 0 to 1 filled. */
void frame_bar(const struct model *m, struct canvas *c, int row, int col,
	       int width, double part, struct cell pen);

/* Samples from 0 to 100, the newest at the right end; nothing without
 * motion, for it would move. */
void frame_spark(const struct model *m, struct canvas *c, int row, int col,
		 int width, const uint8_t *samples, size_t n,
		 struct cell pen);

/* The symbol and role of a state: a dot, ROLE_OK. */
const char *frame_state(const struct model *m, const char *state,
			enum theme_role *ret_role);

#endif
