/* SPDX-License-Identifier: MIT */
/*
 * Bytes into characters, controls and sequences, as ECMA-48 and the VT500
 * take them apart: controls inside of a sequence are carried out, ESC begins
 * another, CAN and SUB end it.  State is kept between writes, so they may be
 * cut anywhere.
 */
#include <string.h>

#include "lib/base/utf8.h"
#include "tui/emu-internal.h"

#define ESC 0x1b

static void control(struct emu *e, unsigned char c)
{
	switch (c) {
	case '\a':
		e->events |= EMU_BELL;
		break;
	case '\b':
		if (e->col > 0)
			emu_move(e, e->row, e->col - 1);
		break;
	case '\t':
		emu_tab(e, 1);
		break;
	case '\n':
	case '\v':
	case '\f':
		emu_index(e);
		if (e->modes & EMU_MODE_NEWLINE)
			e->col = 0;
		e->pending = false;
		break;
	case '\r':
		emu_move(e, e->row, 0);
		break;
	case 0x0e: /* SO */
		e->shift = 1;
		break;
	case 0x0f: /* SI */
		e->shift = 0;
		break;
	}
}

static void escape(struct emu *e, char final)
{
	switch (final) {
	case '7':
		emu_save(e);
		break;
	case '8':
		emu_restore(e);
		break;
	case '=':
	case '>':
		emu_set_mode(e, EMU_MODE_APP_KEYPAD, final == '=');
		break;
	case 'D':
		emu_index(e);
		e->pending = false;
		break;
	case 'E':
		emu_index(e);
		emu_move(e, e->row, 0);
		break;
	case 'H':
		e->tabs[e->col] = true;
		break;
	case 'M':
		emu_reverse_index(e);
		e->pending = false;
		break;
	case 'c':
		emu_full_reset(e);
		break;
	}
}

/* After one intermediate byte. */
static void escape_more(struct emu *e, char inter, char final)
{
	if (inter == '#' && final == '8')
		emu_align(e);
	else if (inter == '(' || inter == ')')
		e->line_drawing[inter == ')'] = final == '0';
}

static void enter(struct emu_parser *p, enum emu_state state)
{
	p->state = state;
	p->leader = p->inter = 0;
	p->bad = p->overflow = false;
	p->nparams = 0;
	p->colon = 0;
	p->string_len = 0;
}

static void in_escape(struct emu *e, char c)
{
	struct emu_parser *p = &e->parser;

	if (c >= 0x20 && c <= 0x2f) {
		p->bad = p->state == EMU_ESC_MORE;
		p->inter = c;
		p->state = EMU_ESC_MORE;
	} else if (p->state == EMU_ESC_MORE) {
		p->state = EMU_GROUND;
		if (!p->bad)
			escape_more(e, p->inter, c);
	} else if (c == '[') {
		enter(p, EMU_CSI);
	} else if (c == ']') {
		enter(p, EMU_OSC);
	} else if (strchr("PX^_", c)) {
		enter(p, EMU_STRING_SKIP);
	} else {
		p->state = EMU_GROUND;
		escape(e, c);
	}
}

static void add_digit(struct emu_parser *p, unsigned digit)
{
	unsigned v;

	if (!p->nparams)
		p->params[p->nparams++] = 0;
	if (p->overflow)
		return;
	v = p->params[p->nparams - 1] * 10u + digit;
	p->params[p->nparams - 1] = (uint16_t)MIN(v, 65535u);
}

static void next_param(struct emu_parser *p, bool colon)
{
	if (!p->nparams)
		p->params[p->nparams++] = 0;
	if (p->nparams == EMU_PARAMS) {
		p->overflow = true;
		return;
	}
	p->params[p->nparams] = 0;
	if (colon)
		p->colon |= UINT32_C(1) << p->nparams;
	p->nparams++;
}

static void in_csi(struct emu *e, char c)
{
	struct emu_parser *p = &e->parser;

	if (c >= '0' && c <= ';') {
		p->bad |= p->inter != 0;
		if (c <= '9')
			add_digit(p, (unsigned)(c - '0'));
		else
			next_param(p, c == ':');
	} else if (c >= '<' && c <= '?') {
		p->bad |= p->leader || p->inter || p->nparams;
		p->leader = c;
	} else if (c <= 0x2f) {
		p->bad |= p->inter != 0;
		p->inter = c;
	} else {
		p->state = EMU_GROUND;
		emu_csi(e, c);
	}
}

static void end_string(struct emu *e, bool whole)
{
	struct emu_parser *p = &e->parser;
	bool osc = p->state == EMU_OSC || (p->state == EMU_STRING_ESC &&
					   p->in_osc);

	p->state = EMU_GROUND;
	if (osc && whole)
		emu_osc(e, p->string, p->string_len);
}

/* OSC ends with BEL too; the other strings only with ST. */
static void in_string(struct emu *e, unsigned char c)
{
	struct emu_parser *p = &e->parser;

	if (c == ESC) {
		p->in_osc = p->state == EMU_OSC;
		p->state = EMU_STRING_ESC;
	} else if (c == 0x18 || c == 0x1a) {
		end_string(e, false);
	} else if (c == '\a' && p->state == EMU_OSC) {
		end_string(e, true);
	} else if (p->state == EMU_OSC && p->string_len < EMU_STRING) {
		p->string[p->string_len++] = (char)c;
	}
}

/* A byte that is not text, or that belongs to a sequence. */
static void other(struct emu *e, unsigned char c)
{
	struct emu_parser *p = &e->parser;

	if (p->state == EMU_OSC || p->state == EMU_STRING_SKIP) {
		in_string(e, c);
		return;
	}
	if (p->state == EMU_STRING_ESC) {
		end_string(e, c == '\\');
		if (c == '\\')
			return;
		enter(p, EMU_ESC);
	}
	if (c == ESC) {
		enter(p, EMU_ESC);
	} else if (c == 0x18 || c == 0x1a) {
		p->state = EMU_GROUND;
	} else if (c < 0x20) {
		control(e, c);
	} else if (c >= 0x7f) {
		if (c > 0x7f) /* no part of any sequence */
			p->state = EMU_GROUND;
	} else if (p->state == EMU_ESC || p->state == EMU_ESC_MORE) {
		in_escape(e, (char)c);
	} else if (p->state == EMU_CSI) {
		in_csi(e, (char)c);
	}
}

/* One character that begins with a byte >= 0x80; how many bytes of s it took.
 * What is only a beginning waits for the rest. */
static size_t text(struct emu *e, const char *s, size_t n)
{
	struct emu_parser *p = &e->parser;
	size_t had = p->utf8_len, more = MIN(n, sizeof(p->utf8) - had);
	uint32_t cp = 0xfffd;
	int k;

	memcpy(p->utf8 + had, s, more);
	k = utf8_decode(p->utf8, had + more, &cp);
	if (k == 0) {
		p->utf8_len = (unsigned)(had + more);
		return more;
	}
	p->utf8_len = 0;
	emu_put(e, k > 0 ? cp : 0xfffd);
	/* Invalid parts that waited were valid beginnings: they count once. */
	k = k > 0 ? k : -k;
	return (size_t)k > had ? (size_t)k - had : 0;
}

void emu_write(struct emu *e, const void *data, size_t n)
{
	const char *s = data, *end = s + n;
	struct emu_parser *p = &e->parser;

	if (n)
		e->events |= EMU_DAMAGE;
	while (s < end) {
		const char *run = s;

		if (p->state != EMU_GROUND) {
			other(e, (unsigned char)*s++);
			continue;
		}
		if (p->utf8_len || (unsigned char)*s >= 0x80) {
			s += text(e, s, (size_t)(end - s));
			continue;
		}
		while (s < end && *s >= 0x20 && *s < 0x7f)
			s++;
		if (s > run)
			emu_put_ascii(e, run, (size_t)(s - run));
		else
			other(e, (unsigned char)*s++);
	}
}
