/* SPDX-License-Identifier: MIT */
/* What an OSC can do here: name the window.  See emu.h. */
#include <string.h>

#include "lib/base/escape.h"
#include "lib/base/utf8.h"
#include "tui/emu-internal.h"

static void set_title(struct emu *e, const char *s, size_t n)
{
	auto_buf struct buf shown = BUF_INIT;
	size_t len;

	escape_line(&shown, s, n);
	len = MIN(shown.len, (size_t)LIMIT_EMU_TITLE);
	if (len < shown.len)
		len -= utf8_tail(shown.data, len);
	if (len)
		memcpy(e->title, shown.data, len);
	e->title[len] = '\0';
	e->events |= EMU_TITLE;
}

void emu_osc(struct emu *e, const char *s, size_t n)
{
	const char *semicolon = n ? memchr(s, ';', n) : NULL;
	size_t name = semicolon ? (size_t)(semicolon - s) : n;

	if (!semicolon)
		return;
	if (name == 1 && (s[0] == '0' || s[0] == '2'))
		set_title(e, semicolon + 1, n - name - 1);
	else if (name == 2 && memcmp(s, "52", 2) == 0)
		e->events |= EMU_CLIPBOARD;
}
