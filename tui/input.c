/* SPDX-License-Identifier: MIT */
/* The guard before libtickit's decoder.  See input.h. */
#include "tui/input.h"

#include <stdlib.h>
#include <string.h>
#include <tickit.h>

#include "lib/base/mem.h"
#include "lib/base/utf8.h"

#define ESC 0x1b
#define SEQUENCE_MAX 48 /* more than any that is passed on */
#define STRING_MAX 4096 /* of an OSC or the like, before it is given up */
#define PARAMS_MAX 3
#define DIGITS_MAX 5

enum state {
	GROUND,
	AFTER_ESC,
	IN_CSI,
	IN_SS3,
	IN_STRING,
	IN_PASTE,
	LINUX_FN,  /* after CSI [ */
	OLD_MOUSE, /* the three bytes after CSI M */
};

struct input {
	input_event_fn *fn;
	void *data;
	TickitTerm *term;
	enum state state;
	char seq[SEQUENCE_MAX]; /* the sequence so far */
	size_t len;
	bool in_string; /* the ESC that seq has came in the middle of one */
	size_t dropped; /* bytes of a string, or of an old mouse report */
	size_t marker;  /* how much of the end of a paste was seen */
};

static const char paste_end[] = "\033[201~";

static void emit(struct input *in, const struct input_event *ev)
{
	in->fn(in->data, ev);
}

static void emit_type(struct input *in, enum input_type type)
{
	emit(in, &(struct input_event){ .type = type });
}

static void emit_key(struct input *in, uint32_t code, unsigned mods)
{
	emit(in, &(struct input_event){
			 .type = INPUT_KEY,
			 .key = { .code = code, .mods = mods } });
}

static unsigned from_tickit_mods(int mod)
{
	return (mod & TICKIT_MOD_SHIFT ? KEY_MOD_SHIFT : 0u) |
	       (mod & TICKIT_MOD_ALT ? KEY_MOD_ALT : 0u) |
	       (mod & TICKIT_MOD_CTRL ? KEY_MOD_CTRL : 0u);
}

static int on_key(TickitTerm *term, TickitEventFlags flags, void *info,
		  void *user)
{
	const TickitKeyEventInfo *key = info;
	struct input_event ev = { .type = INPUT_KEY };

	(void)term;
	(void)flags;
	/* A text is one character here, as one was passed on; a name has its
	 * modifiers in front.  What key.h has no name for is nobody's. */
	if (key->type == TICKIT_KEYEV_TEXT && strcmp(key->str, " ") == 0)
		ev.key.code = ' ';
	else if (key_parse(key->str, &ev.key) < 0)
		return 1;
	emit(user, &ev);
	return 1;
}

static bool mouse_kind(const TickitMouseEventInfo *m, enum mouse_kind *ret)
{
	switch (m->type) {
	case TICKIT_MOUSEEV_PRESS:
		*ret = MOUSE_PRESS;
		return true;
	case TICKIT_MOUSEEV_RELEASE:
		*ret = MOUSE_RELEASE;
		return true;
	case TICKIT_MOUSEEV_DRAG:
		*ret = m->button >= 1 && m->button <= 3 ? MOUSE_DRAG :
							  MOUSE_MOVE;
		return true;
	case TICKIT_MOUSEEV_WHEEL:
		if (m->button != TICKIT_MOUSEWHEEL_UP &&
		    m->button != TICKIT_MOUSEWHEEL_DOWN)
			return false;
		*ret = m->button == TICKIT_MOUSEWHEEL_UP ? MOUSE_WHEEL_UP :
							   MOUSE_WHEEL_DOWN;
		return true;
	default:
		return false;
	}
}

static int on_mouse(TickitTerm *term, TickitEventFlags flags, void *info,
		    void *user)
{
	const TickitMouseEventInfo *m = info;
	struct input_event ev = { .type = INPUT_MOUSE };
	bool button = m->type != TICKIT_MOUSEEV_WHEEL && m->button >= 1 &&
		      m->button <= 3;

	(void)term;
	(void)flags;
	if (!mouse_kind(m, &ev.mouse.kind) || m->line < 0 || m->col < 0)
		return 1;
	ev.mouse.button = button ? m->button : 0;
	ev.mouse.mods = from_tickit_mods(m->mod);
	ev.mouse.row = m->line;
	ev.mouse.col = m->col;
	emit(user, &ev);
	return 1;
}

/* What terminfo says of keys is not wanted: for xterm that mouse reports begin
 * with CSI <, which libtickit takes for the old form, and that Shift-F3 is
 * F15.  The forms that were passed on are decoded right without it. */
static const char *no_keys(const char *name, const char *value, void *data)
{
	(void)data;
	return strncmp(name, "key_", 4) == 0 ? NULL : value;
}

struct input *input_new(input_event_fn *fn, void *data)
{
	static const struct TickitTerminfoHook hook = {
		.getstr = no_keys,
	};
	/* Never $TERM: for some of its values libtickit aborts. */
	const struct TickitTermBuilder builder = {
		.termtype = "xterm",
		.open = TICKIT_NO_OPEN,
		.ti_hook = &hook,
	};
	struct input *in = xcalloc(1, sizeof(*in));

	in->fn = fn;
	in->data = data;
	in->term = tickit_term_build(&builder);
	if (!in->term) {
		free(in);
		return NULL;
	}
	tickit_term_set_utf8(in->term, true);
	tickit_term_bind_event(in->term, TICKIT_TERM_ON_KEY, 0, on_key, in);
	tickit_term_bind_event(in->term, TICKIT_TERM_ON_MOUSE, 0, on_mouse,
			       in);
	return in;
}

void input_free(struct input *in)
{
	if (!in)
		return;
	tickit_term_unref(in->term);
	free(in);
}

void input_free_cleanup(struct input **in)
{
	input_free(*in);
}

/* What is in seq is whole and known: let it be decoded. */
static void pass(struct input *in)
{
	size_t n = in->len;

	in->state = GROUND;
	in->len = 0;
	tickit_term_input_push_bytes(in->term, in->seq, n);
}

static void drop(struct input *in)
{
	in->state = GROUND;
	in->len = 0;
}

/* The numbers between CSI and its final byte, all of them there; how many, or
 * -1 when there is anything else. */
static int numbers(const char *s, size_t n, unsigned out[PARAMS_MAX])
{
	unsigned digits = 0;
	int count = 0;

	if (!n)
		return 0;
	out[0] = 0;
	for (size_t i = 0; i < n; i++) {
		if (s[i] == ';') {
			if (!digits || ++count == PARAMS_MAX)
				return -1;
			out[count] = digits = 0;
		} else if (s[i] >= '0' && s[i] <= '9' &&
			   ++digits <= DIGITS_MAX) {
			out[count] = out[count] * 10 + (unsigned)(s[i] - '0');
		} else {
			return -1;
		}
	}
	return digits ? count + 1 : -1;
}

static bool is_mods(unsigned n)
{
	return n >= 1 && n <= 16;
}

/* Is it a key?  What is left out or out of range sends libtickit beyond its
 * tables, or comes out as garbage. */
static bool is_key(const char *body, size_t n, char final)
{
	unsigned p[PARAMS_MAX] = { 0 };
	int count = numbers(body, n, p);

	if (count < 0 || (count >= 2 && !is_mods(p[1])))
		return false;
	if (final == '~') /* modifyOtherKeys is CSI 27;m;cp ~ */
		return p[0] && (count == 3 ? p[0] == 27 && p[2] :
				count >= 1 && count <= 2 && p[0] != 27);
	if (final == 'u')
		return count >= 1 && count <= 2 && p[0] &&
		       (p[0] < 0xd800 || p[0] > 0xdfff);
	/* So F3 is, and the place of a cursor isn't. */
	return strchr("ABCDEFGHPQRSZ", final) &&
	       (count == 0 || (count == 2 && p[0] == 1));
}

static bool is_mouse(const char *body, size_t n, char final)
{
	unsigned p[PARAMS_MAX];

	return (final == 'M' || final == 'm') && n && *body == '<' &&
	       numbers(body + 1, n - 1, p) == 3 && p[1] && p[2];
}

static bool body_is(const struct input *in, const char *body)
{
	return in->len == strlen(body) + 2 &&
	       memcmp(in->seq + 2, body, in->len - 2) == 0;
}

static void end_csi(struct input *in)
{
	const char *body = in->seq + 2;
	size_t n = in->len - 3;
	char final = in->seq[in->len - 1];

	if (body_is(in, "I") || body_is(in, "O")) {
		drop(in);
		emit_type(in, final == 'I' ? INPUT_FOCUS_IN : INPUT_FOCUS_OUT);
	} else if (body_is(in, "200~")) {
		drop(in);
		in->state = IN_PASTE;
		in->marker = 0;
		emit_type(in, INPUT_PASTE_BEGIN);
	} else if (body_is(in, "M")) {
		drop(in);
		in->state = OLD_MOUSE;
		in->dropped = 0;
	} else if (is_mouse(body, n, final) || is_key(body, n, final)) {
		pass(in);
	} else {
		drop(in);
	}
}

static void in_csi(struct input *in, char c)
{
	if (c == '[' && in->len == 2) {
		in->state = LINUX_FN;
		return;
	}
	if (in->len < SEQUENCE_MAX)
		in->seq[in->len++] = c;
	if (c < 0x40)
		return;
	if (in->len == SEQUENCE_MAX)
		drop(in);
	else
		end_csi(in);
}

/* Alt with a character of several bytes: they are waited for. */
static void alt_character(struct input *in)
{
	uint32_t cp;
	int k = utf8_decode(in->seq + 1, in->len - 1, &cp);

	if (k == 0)
		return;
	drop(in);
	if (k > 0 && cp >= 0xa0)
		emit_key(in, cp, KEY_MOD_ALT);
}

static void after_esc(struct input *in, char c)
{
	in->seq[in->len++] = c;
	if (in->len > 2 || (unsigned char)c >= 0x80) {
		alt_character(in);
	} else if (c == '[') {
		in->state = IN_CSI;
	} else if (c == 'O') {
		in->state = IN_SS3;
	} else if (c && strchr("]PX^_", c)) {
		in->state = IN_STRING;
		in->dropped = 0;
	} else if (c == '\\' && in->in_string) {
		drop(in); /* ST: the string's end, not Alt-\ */
	} else {
		pass(in);
	}
}

static void in_ss3(struct input *in, char c)
{
	in->seq[in->len++] = c;
	if (strchr("ABCDEFGHPQRSM", c))
		pass(in);
	else
		drop(in);
}

static void in_string(struct input *in, char c)
{
	if (c == '\a' || ++in->dropped > STRING_MAX)
		drop(in);
}

/* The content of a paste goes on as it came; the end is looked for across
 * reads.  Returns how much of s was used. */
static size_t in_paste(struct input *in, const char *s, size_t n)
{
	struct input_event ev = { .type = INPUT_PASTE, .data = s };
	const char *esc;

	if (!in->marker) {
		esc = memchr(s, ESC, n);
		ev.size = esc ? (size_t)(esc - s) : n;
		if (ev.size)
			emit(in, &ev);
		in->marker = esc != NULL;
		return ev.size + in->marker;
	}
	if (*s == paste_end[in->marker]) {
		if (!paste_end[++in->marker]) {
			in->state = GROUND;
			emit_type(in, INPUT_PASTE_END);
		}
		return 1;
	}
	ev.data = paste_end; /* it was content after all */
	ev.size = in->marker;
	in->marker = 0;
	emit(in, &ev);
	return 0;
}

/* A character or a C0 control.  One of several bytes waits until it is whole;
 * an invalid part becomes nothing.  Returns whether c was used. */
static size_t in_ground(struct input *in, char c)
{
	uint32_t cp;
	size_t had = in->len;
	int k;

	in->seq[in->len++] = c;
	k = utf8_decode(in->seq, in->len, &cp);
	if (k == 0)
		return 1;
	if (k < 0) {
		in->len = 0;
		return had ? 0 : 1;
	}
	if (cp >= 0x80 && cp < 0xa0) /* C1 */
		drop(in);
	else
		pass(in);
	return 1;
}

static void linux_fn(struct input *in, char c)
{
	drop(in);
	if (c >= 'A' && c <= 'E')
		emit_key(in, KEY_CODE_F1 + (uint32_t)(c - 'A'), 0);
}

/* ESC, CAN and SUB end whatever there was.  True when c is done with. */
static bool interrupts(struct input *in, unsigned char c)
{
	if (c == ESC) {
		if (in->state == AFTER_ESC && in->len == 1)
			emit_key(in, KEY_CODE_ESCAPE, 0);
		in->in_string = in->state == IN_STRING;
		in->seq[0] = ESC;
		in->len = 1;
		in->state = AFTER_ESC;
		return true;
	}
	if (in->state == GROUND || in->state == AFTER_ESC)
		return false;
	if (c == 0x18 || c == 0x1a) {
		drop(in);
		return true;
	}
	/* No other control, nor a byte of UTF-8, is inside of a sequence. */
	if ((c < 0x20 || c >= 0x7f) && in->state != IN_STRING)
		drop(in);
	return false;
}

static size_t step(struct input *in, const char *s, size_t n)
{
	if (in->state == IN_PASTE)
		return in_paste(in, s, n);
	if (in->state == OLD_MOUSE) { /* any bytes */
		if (++in->dropped == 3)
			in->state = GROUND;
		return 1;
	}
	if (interrupts(in, (unsigned char)*s))
		return 1;
	switch (in->state) {
	case AFTER_ESC:
		after_esc(in, *s);
		return 1;
	case IN_CSI:
		in_csi(in, *s);
		return 1;
	case IN_SS3:
		in_ss3(in, *s);
		return 1;
	case IN_STRING:
		in_string(in, *s);
		return 1;
	case LINUX_FN:
		linux_fn(in, *s);
		return 1;
	default:
		return in_ground(in, *s);
	}
}

void input_write(struct input *in, const void *data, size_t n)
{
	const char *s = data;

	while (n) {
		size_t used = step(in, s, n);

		s += used;
		n -= used;
	}
}

bool input_waits(const struct input *in)
{
	return in->state == AFTER_ESC || in->state == IN_CSI ||
	       in->state == IN_SS3 || in->state == LINUX_FN ||
	       (in->state == IN_STRING && !in->dropped);
}

void input_expire(struct input *in)
{
	size_t len = in->len;
	char last = len ? in->seq[len - 1] : 0;

	if (!input_waits(in))
		return;
	drop(in);
	if (len == 1)
		emit_key(in, KEY_CODE_ESCAPE, 0);
	else if (len == 2 && last > 0) /* Alt with a key that begins sequences */
		emit_key(in, (unsigned char)last, KEY_MOD_ALT);
}
