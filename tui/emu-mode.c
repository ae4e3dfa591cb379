/* SPDX-License-Identifier: MIT */
/*
 * Modes: what sets them, what tells them.  And the answers, each of a fixed
 * form with numbers in it: never text that came from inside.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tui/emu-internal.h"

static const struct {
	unsigned number, mode;
} private_modes[] = {
	{ 1, EMU_MODE_APP_CURSOR },
	{ 5, EMU_MODE_REVERSE },
	{ 6, EMU_MODE_ORIGIN },
	{ 7, EMU_MODE_WRAP },
	{ 9, EMU_MODE_MOUSE_X10 },
	{ 25, EMU_MODE_VISIBLE },
	{ 47, EMU_MODE_ALT },
	{ 66, EMU_MODE_APP_KEYPAD },
	{ 1000, EMU_MODE_MOUSE_CLICK },
	{ 1002, EMU_MODE_MOUSE_DRAG },
	{ 1003, EMU_MODE_MOUSE_MOVE },
	{ 1004, EMU_MODE_FOCUS },
	{ 1006, EMU_MODE_MOUSE_SGR },
	{ 1047, EMU_MODE_ALT },
	{ 1049, EMU_MODE_ALT },
	{ 2004, EMU_MODE_PASTE },
	{ 2026, EMU_MODE_SYNC },
};

static unsigned mode_of(unsigned number)
{
	for (size_t i = 0; i < ARRAY_SIZE(private_modes); i++)
		if (private_modes[i].number == number)
			return private_modes[i].mode;
	return 0;
}

void emu_set_mode(struct emu *e, unsigned mode, bool on)
{
	unsigned before = e->modes;

	if (mode & EMU_MODE_MOUSE) /* one at a time */
		e->modes &= ~(unsigned)EMU_MODE_MOUSE;
	if (on)
		e->modes |= mode;
	else
		e->modes &= ~mode;
	if (e->modes != before)
		e->events |= EMU_MODES;
}

static void show_screen(struct emu *e, bool alt)
{
	e->screen = alt ? &e->alt : &e->main;
	e->pending = false;
	emu_set_mode(e, EMU_MODE_ALT, alt);
}

static void alternate(struct emu *e, unsigned number, bool on)
{
	if (on == (e->screen == &e->alt))
		return;
	if (on) {
		if (number == 1049)
			emu_save(e);
		show_screen(e, true);
		if (number == 1049)
			emu_screen_clear(e, &e->alt);
	} else {
		if (number == 1047)
			emu_screen_clear(e, &e->alt);
		show_screen(e, false);
		if (number == 1049)
			emu_restore(e);
	}
}

void emu_private_mode(struct emu *e, unsigned number, bool on)
{
	unsigned mode = mode_of(number);

	if (number == 12) {
		e->blink = on;
	} else if (number == 1048) {
		if (on)
			emu_save(e);
		else
			emu_restore(e);
	} else if (mode == EMU_MODE_ALT) {
		alternate(e, number, on);
	} else if (mode) {
		emu_set_mode(e, mode, on);
		if (mode == EMU_MODE_ORIGIN)
			emu_move(e, on ? e->top : 0, 0);
		if (mode == EMU_MODE_WRAP && !on)
			e->pending = false;
	}
}

void emu_report_mode(struct emu *e, bool private, unsigned number)
{
	unsigned mode = private ? mode_of(number) :
			number == 4 ? EMU_MODE_INSERT :
			number == 20 ? EMU_MODE_NEWLINE : 0;
	bool known = mode || (private && number == 12);
	bool on = mode ? e->modes & mode : e->blink;

	emu_answer(e, "\033[%s%u;%d$y", private ? "?" : "", number,
		   !known ? 0 : on ? 1 : 2);
}

void emu_answer(struct emu *e, const char *fmt, ...)
{
	char text[64];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(text) ||
	    e->reply_len + (size_t)n > sizeof(e->reply))
		return;
	memcpy(e->reply + e->reply_len, text, (size_t)n);
	e->reply_len += (size_t)n;
}
