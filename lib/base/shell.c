/* SPDX-License-Identifier: MIT */
/* Quoting for a shell.  See shell.h. */
#include "lib/base/shell.h"

#include <stdbool.h>
#include <string.h>

static bool is_bare(const char *s)
{
	return *s && !s[strspn(s, "abcdefghijklmnopqrstuvwxyz"
				  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "0123456789_@%+=:,./-")];
}

void shell_word(struct buf *out, const char *word)
{
	if (is_bare(word)) {
		buf_addstr(out, word);
		return;
	}
	buf_addch(out, '\'');
	for (; *word; word++) {
		if (*word == '\'')
			buf_addstr(out, "'\\''");
		else
			buf_addch(out, *word);
	}
	buf_addch(out, '\'');
}
