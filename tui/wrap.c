/* SPDX-License-Identifier: MIT */
/* Breaking texts into lines.  See wrap.h. */
#include "tui/wrap.h"

#include <string.h>

#include "lib/base/defs.h"
#include "lib/base/escape.h"
#include "lib/base/mem.h"
#include "lib/base/width.h"

size_t wrap_fit(const char *text, size_t n, size_t width)
{
	/* No character takes more. */
	size_t used, at = width_fit(text, n, MAX(width, (size_t)2), &used);
	size_t blank = at;

	if (at == n)
		return n;
	while (blank && text[blank] != ' ')
		blank--;
	return blank ? blank : at;
}

/* One line of it. */
static char **add(char **lines, size_t *n, const char *text, size_t len,
		  size_t width)
{
	auto_buf struct buf safe = BUF_INIT;
	size_t at = 0;

	escape_line(&safe, text, len);
	do {
		const char *rest = buf_str(&safe) + at;
		size_t fits = wrap_fit(rest, safe.len - at, width);

		lines = xreallocarray(lines, *n + 2, sizeof(*lines));
		lines[(*n)++] = xstrndup(rest, fits);
		at += fits;
		at += safe.len > at && safe.data[at] == ' ';
	} while (at < safe.len);
	return lines;
}

char **wrap_lines(const char *text, size_t width)
{
	char **lines = NULL;
	size_t n = 0, len;

	for (;; text += len + 1) {
		len = strcspn(text, "\n");
		lines = add(lines, &n, text, len, width);
		if (!text[len])
			break;
	}
	lines[n] = NULL;
	return lines;
}
