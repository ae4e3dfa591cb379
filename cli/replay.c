/* SPDX-License-Identifier: MIT */
/* Output of the past without its questions.  See replay.h. */
#include "cli/replay.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "lib/base/defs.h"
#include "lib/base/utf8.h"

enum {
	ENQ = 0x05,
	CAN = 0x18,
	SUB = 0x1a,
	ESC = 0x1b,
	DEL = 0x7f,
	UTF8_C1 = 0xc2, /* before 0x80 to 0x9f: a control of ISO 6429 */
};

static void hold(struct replay *r, unsigned char c)
{
	if (r->len < sizeof(r->held))
		r->held[r->len] = (char)c;
	r->len = MIN(r->len + 1, sizeof(r->held) + 1);
}

static bool is_whole(const struct replay *r)
{
	return r->len <= sizeof(r->held);
}

static void begin(struct replay *r)
{
	r->at = REPLAY_ESC;
	r->len = r->more = 0;
	hold(r, ESC);
}

/* What was held is shown or not, and text follows. */
static void end(struct replay *r, bool shown, struct buf *out)
{
	if (shown && is_whole(r))
		buf_add(out, r->held, r->len);
	r->at = REPLAY_TEXT;
	r->len = 0;
}

static bool is_c1(unsigned char c)
{
	return c >= 0x80 && c < 0xa0;
}

static unsigned following(unsigned char c)
{
	return c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc0 ? 1 : 0;
}

static void character(struct replay *r, unsigned char c, struct buf *out)
{
	bool follows = c >= 0x80 && c < 0xc0;
	bool goes_on = follows && r->more;
	bool control = is_c1(c) && (r->len || !goes_on);

	if (r->len) /* UTF8_C1 was */
		end(r, !(control && goes_on), out);
	r->more = goes_on ? r->more - 1 : following(c);
	if (c == UTF8_C1)
		hold(r, c);
	else if (!control)
		buf_addch(out, (char)c);
}

static void control(struct replay *r, unsigned char c, struct buf *out)
{
	if (c == ESC)
		begin(r);
	else if (c == CAN || c == SUB)
		end(r, false, out);
	else if (c != '\a' && c != ENQ && c != DEL)
		buf_addch(out, (char)c);
}

static void text(struct replay *r, unsigned char c, struct buf *out)
{
	if (c >= 0x20 && c != DEL) {
		character(r, c, out);
		return;
	}
	if (r->len)
		end(r, true, out);
	r->more = 0;
	control(r, c, out);
}

/* ESC Z asks what we are; ESC SP chooses how that would be said. */
static void escape(struct replay *r, unsigned char c, struct buf *out)
{
	hold(r, c);
	if (r->len == 2 && strchr("]PX^_", c))
		r->at = REPLAY_STRING;
	else if (r->len == 2 && c == '[')
		r->at = REPLAY_CSI;
	else if (c >= '0')
		end(r, r->held[1] != 'Z' && r->held[1] != ' ', out);
}

/* Draws, or sets a mode that is asked for with another sequence. */
static bool csi_is_shown(const char *s, size_t n, char final)
{
	char leader = n && s[0] >= '<' && s[0] <= '?' ? s[0] : 0;
	char inter = n && s[n - 1] >= ' ' && s[n - 1] <= '/' ? s[n - 1] : 0;

	if (leader == '?')
		return !inter && strchr("hlrsJK", final);
	if (leader)
		return !inter && strchr(leader == '>' ? "mu" : "u", final);
	if (inter)
		return (inter == ' ' && final == 'q') ||
		       (inter == '!' && final == 'p');
	return strchr("@ABCDEFGHIJKLMPSTXZ^`abdefghlmrsu", final);
}

static void csi(struct replay *r, unsigned char c, struct buf *out)
{
	hold(r, c);
	if (c < '@')
		return;
	end(r, is_whole(r) && csi_is_shown(r->held + 2, r->len - 3, (char)c),
	    out);
}

/* As a character, or as a byte that goes on none. */
static bool has_c1(const char *s, size_t n)
{
	while (n) {
		uint32_t cp = 0;
		int k = utf8_decode(s, n, &cp);
		size_t step = k > 0 ? (size_t)k : 1;

		if (k > 0 ? cp >= 0x80 && cp < 0xa0 : is_c1((unsigned char)*s))
			return true;
		s += step;
		n -= step;
	}
	return false;
}

/* Titles and links as they are; colours when they are set. */
static bool osc_is_shown(const char *s, size_t n)
{
	static const int always[] = { 0, 1, 2, 8, 104, 110, 111, 112 };
	static const int set[] = { 4, 10, 11, 12 };
	size_t i;
	int ps = 0;

	for (i = 0; i < n && i < 3 && isdigit((unsigned char)s[i]); i++)
		ps = ps * 10 + s[i] - '0';
	if (i == 0 || (i < n && s[i] != ';' && s[i] != '\a' && s[i] != ESC))
		return false;
	if (has_c1(s, n))
		return false;
	for (i = 0; i < ARRAY_SIZE(always); i++)
		if (ps == always[i])
			return true;
	for (i = 0; i < ARRAY_SIZE(set); i++)
		if (ps == set[i])
			return !memchr(s, '?', n);
	return false;
}

static void end_string(struct replay *r, struct buf *out)
{
	end(r, is_whole(r) && r->held[1] == ']' &&
		       osc_is_shown(r->held + 2, r->len - 2), out);
}

/* OSC ends with BEL too; the other strings only with ST. */
static void string(struct replay *r, unsigned char c, struct buf *out)
{
	if (c == CAN || c == SUB) {
		end(r, false, out);
		return;
	}
	hold(r, c);
	if (c == ESC)
		r->at = REPLAY_STRING_ESC;
	else if (c == '\a' && r->held[1] == ']')
		end_string(r, out);
}

static void string_escape(struct replay *r, unsigned char c, struct buf *out)
{
	if (c == '\\') {
		hold(r, c);
		end_string(r, out);
		return;
	}
	begin(r);
	escape(r, c, out);
}

static void add(struct replay *r, unsigned char c, struct buf *out)
{
	if (r->at == REPLAY_TEXT) {
		text(r, c, out);
	} else if (r->at == REPLAY_STRING) {
		string(r, c, out);
	} else if (c < 0x20 || c == DEL) {
		control(r, c, out);
	} else if (r->at == REPLAY_STRING_ESC) {
		string_escape(r, c, out);
	} else if (c >= 0x80) { /* no part of any sequence */
		end(r, false, out);
		text(r, c, out);
	} else if (r->at == REPLAY_ESC) {
		escape(r, c, out);
	} else {
		csi(r, c, out);
	}
}

void replay_add(struct replay *r, const char *p, size_t n, struct buf *out)
{
	for (size_t i = 0; i < n; i++)
		add(r, (unsigned char)p[i], out);
}

void replay_end(struct replay *r, struct buf *out)
{
	end(r, true, out);
	r->more = 0;
}
