/* SPDX-License-Identifier: MIT */
/* Quoting for a shell.  See shell.h. */
#include "lib/base/shell.h"

#include <string.h>

#include "lib/base/escape.h"
#include "lib/base/utf8.h"

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

/* Bytes of the first character, which may be no character; *ret_plain: it is
 * seen as what it is. */
static size_t first_char(const char *s, size_t n, bool *ret_plain)
{
	uint32_t cp = 0;
	int k = utf8_decode(s, n, &cp);

	*ret_plain = k > 0 && cp >= 0x20 && cp != 0x7f &&
		     !escape_is_deceptive(cp);
	return k > 0 ? (size_t)k : 1;
}

static bool is_plain(const char *s, size_t n)
{
	bool plain = true;

	for (size_t at = 0; at < n && plain;)
		at += first_char(s + at, n - at, &plain);
	return plain;
}

bool shell_seen_word(struct buf *out, const char *word)
{
	size_t n = strlen(word), step;
	bool plain;

	if (is_plain(word, n)) {
		shell_word(out, word);
		return false;
	}
	buf_addstr(out, "$'");
	for (; n; word += step, n -= step) {
		step = first_char(word, n, &plain);
		for (size_t i = 0; i < step && !plain; i++)
			buf_addf(out, "\\%03o", (unsigned char)word[i]);
		if (plain && (*word == '\'' || *word == '\\'))
			buf_addch(out, '\\');
		if (plain)
			buf_add(out, word, step);
	}
	buf_addch(out, '\'');
	return true;
}
