/* SPDX-License-Identifier: MIT */
/* Keys, mouse and pastes for the program inside.  See emu.h. */
#include <string.h>

#include "lib/base/utf8.h"
#include "tui/emu-internal.h"

/* Numbers of CSI n ~, and letters of CSI and SS3. */
static const unsigned char tilde[KEY_CODE_MAX - KEY_NAMED] = {
	[KEY_CODE_INSERT - KEY_NAMED] = 2,
	[KEY_CODE_DELETE - KEY_NAMED] = 3,
	[KEY_CODE_PAGE_UP - KEY_NAMED] = 5,
	[KEY_CODE_PAGE_DOWN - KEY_NAMED] = 6,
	[KEY_CODE_F1 + 4 - KEY_NAMED] = 15, 17, 18, 19, 20, 21, 23, 24,
	25, 26, 28, 29, 31, 32, 33, 34,
};
static const char letter[KEY_CODE_MAX - KEY_NAMED] = {
	[KEY_CODE_UP - KEY_NAMED] = 'A',
	[KEY_CODE_DOWN - KEY_NAMED] = 'B',
	[KEY_CODE_RIGHT - KEY_NAMED] = 'C',
	[KEY_CODE_LEFT - KEY_NAMED] = 'D',
	[KEY_CODE_END - KEY_NAMED] = 'F',
	[KEY_CODE_HOME - KEY_NAMED] = 'H',
	[KEY_CODE_F1 - KEY_NAMED] = 'P', 'Q', 'R', 'S',
};

/* As xterm counts them. */
static unsigned mods_param(unsigned mods)
{
	return 1 + (mods & KEY_MOD_SHIFT ? 1u : 0u) +
	       (mods & KEY_MOD_ALT ? 2u : 0u) +
	       (mods & KEY_MOD_CTRL ? 4u : 0u);
}

static void add_letter(const struct emu *e, struct key k, char c,
		       struct buf *out)
{
	bool ss3 = k.code >= KEY_CODE_F1 || (e->modes & EMU_MODE_APP_CURSOR);

	if (k.mods)
		buf_addf(out, "\033[1;%u%c", mods_param(k.mods), c);
	else
		buf_addf(out, "\033%c%c", ss3 ? 'O' : '[', c);
}

static uint32_t control_of(uint32_t cp)
{
	if ((cp >= 'a' && cp <= 'z') || (cp >= '@' && cp <= '_'))
		return cp & 0x1f;
	if (cp == ' ')
		return 0;
	if (cp == '?')
		return 0x7f;
	return cp == '/' ? 0x1f : cp;
}

static void add_character(struct key k, struct buf *out)
{
	char utf8[4];

	if (k.mods & KEY_MOD_ALT)
		buf_addch(out, '\033');
	if (k.mods & KEY_MOD_CTRL)
		k.code = control_of(k.code);
	buf_add(out, utf8, utf8_encode(k.code, utf8));
}

static void add_simple(const struct emu *e, struct key k, struct buf *out)
{
	bool shift = k.mods & KEY_MOD_SHIFT, ctrl = k.mods & KEY_MOD_CTRL;

	if (k.code == KEY_CODE_TAB && shift) {
		buf_addstr(out, "\033[Z");
		return;
	}
	if (k.mods & KEY_MOD_ALT)
		buf_addch(out, '\033');
	if (k.code == KEY_CODE_ENTER)
		buf_addstr(out, e->modes & EMU_MODE_NEWLINE ? "\r\n" : "\r");
	else if (k.code == KEY_CODE_TAB)
		buf_addch(out, '\t');
	else if (k.code == KEY_CODE_BACKSPACE)
		buf_addch(out, ctrl ? '\b' : 0x7f);
	else
		buf_addch(out, '\033');
}

void emu_key(const struct emu *e, struct key k, struct buf *out)
{
	uint32_t i = k.code - KEY_NAMED;

	if (k.code < KEY_NAMED)
		add_character(k, out);
	else if (k.code >= KEY_CODE_ENTER && k.code <= KEY_CODE_BACKSPACE)
		add_simple(e, k, out);
	else if (k.code >= KEY_CODE_MAX)
		return;
	else if (letter[i])
		add_letter(e, k, letter[i], out);
	else if (tilde[i] && k.mods)
		buf_addf(out, "\033[%u;%u~", tilde[i], mods_param(k.mods));
	else if (tilde[i])
		buf_addf(out, "\033[%u~", tilde[i]);
}

static bool wants(const struct emu *e, enum mouse_kind kind)
{
	switch (kind) {
	case MOUSE_PRESS:
	case MOUSE_WHEEL_UP:
	case MOUSE_WHEEL_DOWN:
		return e->modes & EMU_MODE_MOUSE;
	case MOUSE_RELEASE:
		return e->modes & (EMU_MODE_MOUSE & ~EMU_MODE_MOUSE_X10);
	case MOUSE_DRAG:
		return e->modes & (EMU_MODE_MOUSE_DRAG | EMU_MODE_MOUSE_MOVE);
	case MOUSE_MOVE:
		return e->modes & EMU_MODE_MOUSE_MOVE;
	}
	return false;
}

static unsigned mouse_code(const struct emu *e, const struct mouse *m)
{
	bool sgr = e->modes & EMU_MODE_MOUSE_SGR;
	unsigned code = m->button >= 1 && m->button <= 3 ?
			(unsigned)m->button - 1 : 3;

	if (m->kind == MOUSE_WHEEL_UP || m->kind == MOUSE_WHEEL_DOWN)
		code = m->kind == MOUSE_WHEEL_UP ? 64 : 65;
	else if (m->kind == MOUSE_RELEASE && !sgr)
		code = 3; /* the old form doesn't say which */
	else if (m->kind == MOUSE_DRAG || m->kind == MOUSE_MOVE)
		code += 32;
	if (e->modes & EMU_MODE_MOUSE_X10)
		return code;
	return code + (m->mods & KEY_MOD_SHIFT ? 4u : 0u) +
	       (m->mods & KEY_MOD_ALT ? 8u : 0u) +
	       (m->mods & KEY_MOD_CTRL ? 16u : 0u);
}

static bool unwanted(const struct emu *e, const struct mouse *m,
		     struct buf *out)
{
	bool up = m->kind == MOUSE_WHEEL_UP;
	struct key arrow = { .code = up ? KEY_CODE_UP : KEY_CODE_DOWN };

	if (!(e->modes & EMU_MODE_ALT) || (e->modes & EMU_MODE_MOUSE) ||
	    (!up && m->kind != MOUSE_WHEEL_DOWN))
		return e->modes & EMU_MODE_MOUSE;
	for (int i = 0; i < 3; i++)
		emu_key(e, arrow, out);
	return true;
}

bool emu_mouse(const struct emu *e, const struct mouse *m, struct buf *out)
{
	unsigned code = mouse_code(e, m);
	int row = m->row + 1, col = m->col + 1;

	if (!wants(e, m->kind))
		return unwanted(e, m, out);
	if (row < 1 || row > e->nrows || col < 1 || col > e->ncols)
		return true;
	if (e->modes & EMU_MODE_MOUSE_SGR)
		buf_addf(out, "\033[<%u;%d;%d%c", code, col, row,
			 m->kind == MOUSE_RELEASE ? 'm' : 'M');
	else if (row <= 223 && col <= 223) /* what a byte can say */
		buf_addf(out, "\033[M%c%c%c", (char)(32 + code),
			 (char)(32 + col), (char)(32 + row));
	return true;
}

void emu_focus(const struct emu *e, bool in, struct buf *out)
{
	if (e->modes & EMU_MODE_FOCUS)
		buf_addstr(out, in ? "\033[I" : "\033[O");
}

void emu_paste_begin(struct emu *e, struct buf *out)
{
	e->paste_bracketed = e->modes & EMU_MODE_PASTE;
	e->paste_last = 0;
	if (e->paste_bracketed)
		buf_addstr(out, "\033[200~");
}

void emu_paste(struct emu *e, const char *s, size_t n, struct buf *out)
{
	for (size_t i = 0; i < n; i++) {
		char c = s[i];
		bool twice = c == '\n' && e->paste_last == '\r';

		e->paste_last = c;
		if (c == '\n' && !twice)
			buf_addch(out, '\r');
		else if (c == '\r' || c == '\t' ||
			 ((unsigned char)c >= 0x20 && c != 0x7f))
			buf_addch(out, c);
	}
}

void emu_paste_end(struct emu *e, struct buf *out)
{
	if (e->paste_bracketed)
		buf_addstr(out, "\033[201~");
	e->paste_bracketed = false;
}
