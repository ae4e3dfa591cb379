/* SPDX-License-Identifier: MIT */
/* Words of KEY=VALUE.  See pairs.h. */
#include "tui/pairs.h"

#include <string.h>

#include "lib/base/escape.h"
#include "lib/base/mem.h"

char *pairs_next(const char **at, bool *ret_open)
{
	struct buf word = BUF_INIT;
	const char *s = *at + strspn(*at, " ");
	bool begins = true; /* something that may be in quotes */

	*ret_open = false;
	if (!*s)
		return NULL;
	while (*s && *s != ' ') {
		if (begins && (*s == '\'' || *s == '"')) {
			const char *end = strchr(s + 1, *s);

			*ret_open = !end;
			end = end ? end : s + strlen(s);
			buf_add(&word, s + 1, (size_t)(end - s) - 1);
			s = *end ? end + 1 : end;
			begins = false;
			continue;
		}
		begins = *s == '=' && !memchr(buf_str(&word), '=', word.len);
		buf_addch(&word, *s++);
	}
	*at = s;
	buf_addstr(&word, "");
	return buf_steal(&word);
}

static bool is_plain(const char *text)
{
	auto_buf struct buf shown = BUF_INIT;

	escape_line(&shown, text, strlen(text));
	return strcmp(buf_str(&shown), text) == 0;
}

/* Which of the two quotes it needs, if any; -1: none would do. */
static int quote_for(const char *s)
{
	bool blank = strchr(s, ' ');

	if (!blank && *s != '\'' && *s != '"')
		return 0;
	return !strchr(s, '\'') ? '\'' : !strchr(s, '"') ? '"' : -1;
}

static void add_quoted(struct buf *out, const char *s, int quote)
{
	if (quote)
		buf_addf(out, "%c%s%c", quote, s, quote);
	else
		buf_addstr(out, s);
}

bool pairs_write(struct buf *out, const char *key, const char *value)
{
	int around = quote_for(key), within = quote_for(value);

	if (around < 0 || within < 0 || !is_plain(key) || !is_plain(value))
		return false;
	if (out->len)
		buf_addch(out, ' ');
	add_quoted(out, key, around);
	buf_addch(out, '=');
	add_quoted(out, value, within);
	return true;
}
