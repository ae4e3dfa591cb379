/* SPDX-License-Identifier: MIT */
/*
 * The emulator beside libvterm: the recordings of tests/screen/streams, cell
 * by cell after every few hundred bytes.  libvterm is an oracle for tests and
 * never linked to the program: hostile output crashes it.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <vterm.h>

#include "lib/base/buf.h"
#include "lib/base/mem.h"
#include "lib/base/utf8.h"
#include "lib/base/width.h"
#include "tests/unit/streams.h"
#include "tui/emu.h"

#define ROWS 24
#define COLS 80
#define STEP 256

static VTerm *oracle_new(void)
{
	VTerm *vt = vterm_new(ROWS, COLS);

	vterm_set_utf8(vt, 1);
	vterm_screen_enable_altscreen(vterm_obtain_screen(vt), 1);
	vterm_screen_reset(vterm_obtain_screen(vt), 1);
	return vt;
}

static uint32_t their_colour(const VTermColor *c)
{
	if (VTERM_COLOR_IS_DEFAULT_FG(c) || VTERM_COLOR_IS_DEFAULT_BG(c))
		return COLOUR_DEFAULT;
	if (VTERM_COLOR_IS_INDEXED(c))
		return COLOUR_PALETTE((uint32_t)c->indexed.idx);
	return COLOUR_RGB((uint32_t)c->rgb.red << 16 |
			  (uint32_t)c->rgb.green << 8 | c->rgb.blue);
}

/* What libvterm knows of a cell, as one of ours. */
static struct cell translate(const VTermScreenCell *t)
{
	struct cell c = { 0 };

	c.cp = t->chars[0] ? t->chars[0] : ' ';
	if (t->chars[0] == (uint32_t)-1) {
		c.cp = 0;
		c.attr |= CELL_TAIL;
	}
	if (t->width == 2 && width_char(c.cp) == 2)
		c.attr |= CELL_WIDE;
	c.mark1 = t->chars[0] ? t->chars[1] : 0;
	c.attr |= (t->attrs.bold ? CELL_BOLD : 0u) |
		  (t->attrs.italic ? CELL_ITALIC : 0u) |
		  (t->attrs.underline ? CELL_UNDERLINE : 0u) |
		  (t->attrs.blink ? CELL_BLINK : 0u) |
		  (t->attrs.reverse ? CELL_REVERSE : 0u) |
		  (t->attrs.strike ? CELL_STRIKE : 0u);
	c.fg = their_colour(&t->fg);
	c.bg = their_colour(&t->bg);
	return c;
}

static struct cell their_cell(VTerm *vt, VTermPos pos)
{
	VTermScreenCell t;

	vterm_screen_get_cell(vterm_obtain_screen(vt), pos, &t);
	return translate(&t);
}

/* libvterm leaves the right half of a wide character that it overwrote. */
static bool is_leftover(VTerm *vt, VTermPos pos)
{
	struct cell left;

	if (pos.col == 0 || !(their_cell(vt, pos).attr & CELL_TAIL))
		return false;
	pos.col--;
	left = their_cell(vt, pos);
	return width_char((uint32_t)left.cp) != 2;
}

/* Leave out what can't be seen, or libvterm doesn't keep. */
static struct cell visible(struct cell c)
{
	c.attr &= ~(unsigned)(CELL_DIM | CELL_HIDDEN);
	c.mark2 = 0;
	if (c.cp == ' ' && !(c.attr & (CELL_REVERSE | CELL_UNDERLINE |
				       CELL_STRIKE)))
		c.attr = c.fg = 0;
	if (c.attr & CELL_TAIL) /* libvterm keeps no style there */
		return (struct cell){ .attr = CELL_TAIL };
	return c;
}

static void compare(const struct emu *e, VTerm *vt, const char *name,
		    size_t at)
{
	struct emu_cursor cursor = emu_cursor(e);
	VTermPos pos;

	for (pos.row = 0; pos.row < ROWS; pos.row++) {
		const struct cell *ours = emu_row(e, pos.row);

		for (pos.col = 0; pos.col < COLS; pos.col++) {
			struct cell a = visible(ours[pos.col]);
			struct cell b = visible(their_cell(vt, pos));

			if (memcmp(&a, &b, sizeof(a)) != 0 &&
			    !is_leftover(vt, pos))
				fail_msg("%s at %zu: %d,%d: U+%04x %x %x %x, "
					 "libvterm has U+%04x %x %x %x",
					 name, at, pos.row, pos.col,
					 (unsigned)a.cp, (unsigned)a.fg,
					 (unsigned)a.bg, (unsigned)a.attr,
					 (unsigned)b.cp, (unsigned)b.fg,
					 (unsigned)b.bg, (unsigned)b.attr);
		}
	}
	vterm_state_get_cursorpos(vterm_obtain_state(vt), &pos);
	if (pos.row != cursor.row || pos.col != cursor.col)
		fail_msg("%s at %zu: the cursor is at %d,%d, libvterm's at "
			 "%d,%d", name, at, cursor.row, cursor.col, pos.row,
			 pos.col);
}

static void replay(const char *name, const struct buf *stream)
{
	auto_emu struct emu *e = emu_new(ROWS, COLS,
					 &(struct emu_options){ 0 });
	VTerm *vt = oracle_new();

	for (size_t at = 0; at < stream->len;) {
		size_t n = MIN(stream->len - at, (size_t)STEP);

		/* libvterm doesn't wait for the rest of a character. */
		if (at + n < stream->len)
			n -= utf8_tail(stream->data + at, n);
		emu_write(e, stream->data + at, n);
		vterm_input_write(vt, stream->data + at, n);
		at += n;
		compare(e, vt, name, at);
	}
	vterm_free(vt);
}

static void test_emu_vterm__streams(void **state)
{
	(void)state;
	each_stream(replay);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_emu_vterm__streams),
	};

	return cmocka_run_group_tests_name("emu-vterm", tests, NULL, NULL);
}
