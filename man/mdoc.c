/* SPDX-License-Identifier: MIT */
/* What roff takes for its own, and usage lines.  See mdoc.h. */
#include "man/mdoc.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#define PUNCTUATION "=/:,"
#define COLUMNS 80

static void add_char(struct buf *out, const char *start, const char *c)
{
	bool inside = c > start && isalnum((unsigned char)c[-1]) &&
		      isalpha((unsigned char)c[1]);

	switch (*c) {
	case '\\':
		buf_addstr(out, "\\e");
		break;
	case '^':
		buf_addstr(out, "\\(ha");
		break;
	case '~':
		buf_addstr(out, "\\(ti");
		break;
	case '`':
		buf_addstr(out, "\\(ga");
		break;
	case '"':
		buf_addstr(out, "\\(dq");
		break;
	case '\'': /* an apostrophe, or what a shell quotes with */
		buf_addstr(out, inside ? "'" : "\\(aq");
		break;
	case '-': /* of an option, or a hyphen */
		buf_addstr(out, inside ? "-" : "\\-");
		break;
	default:
		buf_addch(out, *c);
	}
}

/* At a blank: whether its word would go over the end of the line. */
static bool is_full(const struct buf *out, const char *blank)
{
	size_t line = out->len;

	while (line && out->data[line - 1] != '\n')
		line--;
	return out->len - line + 1 + strcspn(blank + 1, " ") > COLUMNS - 8 &&
	       blank[1] != '.' && blank[1] != '\'';
}

static void add_text(struct buf *out, const char *s, bool lines)
{
	if (*s == '.')
		buf_addstr(out, "\\&");
	for (const char *c = s; *c; c++) {
		if (strncmp(c, ".  ", 3) == 0) {
			buf_addstr(out, ".\n"); /* a line per sentence */
			c += 2;
		} else if (lines && *c == ' ' && is_full(out, c)) {
			buf_addch(out, '\n');
		} else {
			add_char(out, s, c);
		}
	}
}

void mdoc_text(struct buf *out, const char *s)
{
	add_text(out, s, true);
}

void mdoc_sentence(struct buf *out, const char *s)
{
	size_t at = out->len;

	mdoc_text(out, s);
	out->data[at] = (char)toupper((unsigned char)out->data[at]);
	if (out->data[out->len - 1] != '.')
		buf_addch(out, '.');
	buf_addch(out, '\n');
}

void mdoc_word(struct buf *out, const char *s)
{
	/* \& keeps what roff takes for punctuation a word. */
	buf_addstr(out, "\"\\&");
	add_text(out, s, false);
	buf_addstr(out, "\\&\"");
}

static void add_macro(struct buf *out, const char *macro, const char *s,
		      size_t n)
{
	bool more = n > 3 && memcmp(s + n - 3, "...", 3) == 0;

	buf_addf(out, "%s%s%.*s%s", out->len ? " " : "", macro,
		 (int)(n - (more ? 3 : 0)), s, more ? " ..." : "");
}

/* A word without brackets: "--rm", "KEY=VALUE", "ID...". */
static void add_word(struct buf *out, const char *s, size_t n)
{
	if (n > 2 && s[0] == '-' && s[1] == '-') {
		add_macro(out, "Fl ", s + 1, n - 1);
		return;
	}
	if (*s == '-') {
		add_macro(out, "Cm ", s, n);
		return;
	}
	for (const char *end = s + n; s < end;) {
		size_t part = strcspn(s, PUNCTUATION);

		part = MIN(part, (size_t)(end - s));
		if (part)
			add_macro(out, isupper((unsigned char)*s) ? "Ar " :
								    "Cm ",
				  s, part);
		else
			add_macro(out, "", s, part = 1);
		s += part;
		if (s < end)
			buf_addstr(out, " Ns");
	}
}

void mdoc_args(struct buf *out, const char *s)
{
	struct buf line = BUF_INIT; /* add_macro() looks at its beginning */

	for (const char *c = s; *c;) {
		bool glued = c > s && c[-1] != ' ' && c[-1] != '[' &&
			     c[-1] != '|' && *c != ']' && *c != '|';

		if (*c == ' ') {
			c++;
			continue;
		}
		if (glued)
			add_macro(&line, "", "Ns", 2);
		if (*c == '[' || *c == ']') {
			add_macro(&line, "", *c == '[' ? "Oo" : "Oc", 2);
			c++;
		} else if (*c == '|') {
			add_macro(&line, "", c++, 1);
		} else {
			size_t n = strcspn(c, " []|");

			add_word(&line, c, n);
			c += n;
		}
	}
	buf_addstr(out, buf_str(&line));
	buf_release(&line);
}

void mdoc_choices(struct buf *out, const char *s)
{
	buf_addstr(out, "Cm ");
	for (; *s; s++)
		if (*s == '|')
			buf_addstr(out, " | ");
		else
			buf_addch(out, *s);
}
