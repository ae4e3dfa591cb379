/* SPDX-License-Identifier: MIT */
/* Foreign bytes made visible.  See escape.h. */
#include "lib/base/escape.h"

#include <string.h>

#include "lib/base/utf8.h"

static _Thread_local bool ascii;

bool escape_ascii(bool on)
{
	bool before = ascii;

	ascii = on;
	return before;
}

bool escape_is_deceptive(uint32_t cp)
{
	return (cp >= 0x80 && cp <= 0x9f) ||       /* C1 */
	       cp == 0xad || cp == 0x61c ||        /* soft hyphen, ALM */
	       cp == 0x34f || cp == 0x180e ||      /* joiner, separator */
	       cp == 0x115f || cp == 0x1160 ||     /* fillers: blank */
	       cp == 0x3164 || cp == 0xffa0 ||
	       (cp >= 0x200b && cp <= 0x200f) ||   /* zero width, marks */
	       (cp >= 0x2028 && cp <= 0x202e) ||   /* separators, bidi */
	       (cp >= 0x2060 && cp <= 0x206f) ||   /* joiners, isolates */
	       cp == 0xfeff || (cp >= 0xfff9 && cp <= 0xfffb) ||
	       (cp >= 0x1d173 && cp <= 0x1d17a) || /* musical format */
	       (cp >= 0xe0000 && cp <= 0xe007f);   /* tags */
}

static void escape(struct buf *out, const char *s, size_t n, bool keep_lines)
{
	while (n) {
		uint32_t cp = 0;
		int k = utf8_decode(s, n, &cp);
		size_t step = k > 0 ? (size_t)k : 1;

		if (k <= 0)
			buf_addf(out, "\\x%02x", (unsigned char)*s);
		else if (keep_lines && (cp == '\n' || cp == '\t'))
			buf_addch(out, (char)cp);
		else if (cp < 0x20)
			buf_addf(out, "^%c", (char)(cp + '@'));
		else if (cp == 0x7f)
			buf_addstr(out, "^?");
		else if (escape_is_deceptive(cp) || (ascii && cp >= 0x80))
			buf_addf(out, "\\u{%x}", cp);
		else
			buf_add(out, s, step);
		s += step;
		n -= step;
	}
}

void escape_line(struct buf *out, const char *s, size_t n)
{
	escape(out, s, n, false);
}

void escape_text(struct buf *out, const char *s, size_t n)
{
	escape(out, s, n, true);
}

/* \uXXXX, two of them (a surrogate pair) beyond the first plane. */
static void add_json_escape(struct buf *out, uint32_t cp)
{
	if (cp > 0xffff) {
		cp -= 0x10000;
		buf_addf(out, "\\u%04x", 0xd800 + (cp >> 10));
		cp = 0xdc00 + (cp & 0x3ff);
	}
	buf_addf(out, "\\u%04x", cp);
}

/* Past the first byte from `from` to 0x7e; ESC begins another. */
static const char *past_final(const char *s, const char *end, char from)
{
	while (s < end && *s != 0x1b && !(*s >= from && *s <= 0x7e))
		s++;
	return s < end && *s != 0x1b ? s + 1 : s;
}

/* Past BEL or ST; another ESC cuts it short and begins the next. */
static const char *past_string(const char *s, const char *end)
{
	while (s < end && *s != '\a' && *s != 0x1b)
		s++;
	if (s < end && *s == '\a')
		return s + 1;
	return end - s >= 2 && s[1] == '\\' ? s + 2 : s;
}

/* Past the sequence that begins here, with ESC. */
static const char *past_sequence(const char *s, const char *end)
{
	if (++s == end)
		return s;
	if (*s == '[')
		return past_final(s + 1, end, '@');
	if (*s && strchr("]PX^_", *s))
		return past_string(s + 1, end);
	return past_final(s, end, '0');
}

void escape_strip(char *s)
{
	const char *end = s + strlen(s), *from = s;

	while (from < end) {
		size_t n = strcspn(from, "\033\r");

		memmove(s, from, n);
		s += n;
		from += n;
		if (*from == '\r')
			from++;
		else if (from < end)
			from = past_sequence(from, end);
	}
	*s = '\0';
}

/* A position whose column is the first: "", "7", ";1", "7;1". */
static bool is_row_start(const char *params, size_t n)
{
	size_t row = strspn(params, "0123456789");

	return row == n || (params[row] == ';' &&
			    (row + 1 == n || (row + 2 == n &&
					      strchr("01", params[n - 1]))));
}

static bool is_repaint(const char *s, size_t n)
{
	const char *params = s + 2;

	if (*s == '\r' || (n == 2 && s[1] == 'c'))
		return true;
	if (n < 3 || s[1] != '[')
		return false;
	n -= 3;
	switch (params[n]) {
	case 'H':
	case 'f':
		return is_row_start(params, n);
	case 'J':
		return n == 1 && strchr("23", *params);
	case 'h':
	case 'l':
		return n == 5 && strncmp(params, "?1049", n) == 0;
	default:
		return false;
	}
}

size_t escape_repaint(const char *s, size_t n)
{
	const char *end = s + n, *at = s, *next;

	for (; at < end; at = next) {
		next = *at == 0x1b ? past_sequence(at, end) : at + 1;
		if (at > s && is_repaint(at, (size_t)(next - at)))
			break;
	}
	return (size_t)(at - s);
}

void escape_json(struct buf *out, const char *json, size_t n)
{
	while (n) {
		uint32_t cp = 0;
		int k = utf8_decode(json, n, &cp);
		size_t step = k > 0 ? (size_t)k : 1;
		bool blank = cp == '\n' || cp == '\t' || cp == '\r';

		/* Those below a blank are in no JSON that could be read. */
		if (k <= 0 || (cp < 0x20 && !blank) || cp == 0x7f ||
		    escape_is_deceptive(cp) || (ascii && cp >= 0x80))
			add_json_escape(out, k > 0 ? cp : 0xfffd);
		else
			buf_add(out, json, step);
		json += step;
		n -= step;
	}
}
