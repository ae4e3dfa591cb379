/* SPDX-License-Identifier: MIT */
#include "tui/emu.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "lib/api/limits.h"
#include "lib/base/buf.h"
#include "lib/base/mem.h"
#include "tests/unit/unit.h"
#include "tui/emu-internal.h"

#define KANJI "\xe6\xbc\xa2"

static void add_cells(struct buf *out, const struct cell *cells, int n)
{
	while (n && cells[n - 1].cp == ' ')
		n--;
	for (int i = 0; i < n; i++) {
		char text[CELL_TEXT_MAX];

		buf_add(out, text, cell_text(&cells[i], text));
	}
}

/* The rows, joined by '|', blanks and empty rows at the end left out. */
static char *show(const struct emu *e)
{
	auto_buf struct buf out = BUF_INIT;

	for (int r = 0; r < emu_rows(e); r++) {
		add_cells(&out, emu_row(e, r), emu_cols(e));
		buf_addch(&out, '|');
	}
	while (out.len && out.data[out.len - 1] == '|')
		buf_truncate(&out, out.len - 1);
	return buf_steal(&out);
}

static void check(const struct emu *e, const char *when)
{
	const char *why = emu_check(e);

	if (why)
		fail_msg("%s: %s", when, why);
}

static void feed(struct emu *e, const char *s)
{
	emu_write(e, s, strlen(s));
	check(e, s);
}

struct vector {
	const char *in, *screen;
	int row, col; /* of the cursor */
};

/* On 4 rows of 8 columns: whole, byte by byte, and cut in two anywhere. */
static void run_vector(const struct vector *v)
{
	size_t n = strlen(v->in);

	for (size_t cut = 0; cut <= n; cut++) {
		auto_emu struct emu *e =
			emu_new(4, 8, &(struct emu_options){ 0 });
		auto_free char *screen = NULL;

		for (size_t i = 0; cut == n && i < n; i++)
			emu_write(e, v->in + i, 1);
		if (cut < n) {
			emu_write(e, v->in, cut);
			emu_write(e, v->in + cut, n - cut);
		}
		check(e, v->in);
		screen = show(e);
		if (strcmp(screen, v->screen) != 0)
			fail_msg("'%s', cut at %zu, shows '%s', not '%s'",
				 v->in, cut, screen, v->screen);
		if (e->row != v->row || e->col != v->col)
			fail_msg("'%s' leaves the cursor at %d,%d", v->in,
				 e->row, e->col);
	}
}

static void run_vectors(const struct vector *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		run_vector(&v[i]);
}

#define RUN(vectors) run_vectors(vectors, ARRAY_SIZE(vectors))

static void test_emu__text(void **state)
{
	static const struct vector vectors[] = {
		{ "", "", 0, 0 },
		{ "hello", "hello", 0, 5 },
		{ "ab\r\ncd", "ab|cd", 1, 2 },
		{ "ab\ncd", "ab|  cd", 1, 4 },
		{ "\033[20hab\ncd", "ab|cd", 1, 2 },
		{ "12345678", "12345678", 0, 7 },
		{ "123456789", "12345678|9", 1, 1 },
		{ "12345678\r9", "92345678", 0, 1 },
		{ "12345678\b9", "12345698", 0, 7 },
		{ "\033[?7l123456789", "12345679", 0, 7 },
		{ "12345678\r\n9", "12345678|9", 1, 1 },
		{ "a\r\nb\r\nc\r\nd\r\ne", "b|c|d|e", 3, 1 },
		{ "a\bb\b\b\bc", "c", 0, 1 },
		{ "a\tb", "a      b", 0, 7 },
		{ "\x7f" "a", "a", 0, 1 },
		{ "abc\033[4h\r\033[4hX", "Xabc", 0, 1 },
		{ "1234567\033[4h\033[HXY", "XY123456", 0, 2 },
		{ "\033[3g\033[3G\033H\ra\tb\tc", "a b    c", 0, 7 },
		{ "\033[8G\033[Zx", "x", 0, 1 },
		{ "\033[3G\033H\033[8G\033[2Zx\033[Iy", "x y", 0, 3 },
	};

	(void)state;
	RUN(vectors);
}

static void test_emu__utf8(void **state)
{
	static const struct vector vectors[] = {
		{ "\xc3\xa9", "\xc3\xa9", 0, 1 },
		{ "e\xcc\x81x", "e\xcc\x81x", 0, 2 },
		{ "e\xcc\x81\xcc\x82\xcc\x83x", "e\xcc\x81\xcc\x82x", 0, 2 },
		{ "\xcc\x81x", "x", 0, 1 },
		{ KANJI "\xcc\x81x", KANJI "\xcc\x81x", 0, 3 },
		{ "a\xff" "b", "a\xef\xbf\xbd" "b", 0, 3 },
		{ "a\xe6\xbc" "b", "a\xef\xbf\xbd" "b", 0, 3 },
		{ "a\xe6\033[1Cb", "a\xef\xbf\xbd b", 0, 4 },
		{ "\xc2\x9b" "31m", "31m", 0, 3 },        /* C1 CSI */
		{ "a\xe2\x80\x8d" "b", "ab", 0, 2 },      /* ZWJ */
		{ "a\xe2\x80\xae" "b", "ab", 0, 2 },      /* bidi override */
		{ "\xe2\x9d\xa4\xef\xb8\x8f" "b", "\xe2\x9d\xa4" "b", 0, 2 },
		{ "12345678\xcc\x81", "12345678\xcc\x81", 0, 7 },
	};

	(void)state;
	RUN(vectors);
}

static void test_emu__wide(void **state)
{
	static const struct vector vectors[] = {
		{ KANJI "x", KANJI "x", 0, 3 },
		{ "1234567" KANJI, "1234567|" KANJI, 1, 2 },
		{ "123456" KANJI "x", "123456" KANJI "|x", 1, 1 },
		{ "\033[?7l1234567" KANJI, "123456" KANJI, 0, 7 },
		{ KANJI "\rx", "x", 0, 1 },
		{ KANJI "\033[2Gx", " x", 0, 2 },
		{ "a" KANJI "\033[3G" KANJI, "a " KANJI, 0, 4 },
		{ KANJI KANJI "\033[2G" KANJI, " " KANJI, 0, 3 },
		{ KANJI "\033[2G\033[K", "", 0, 1 },
		{ KANJI "b\033[2G\033[1K", "  b", 0, 1 },
		{ KANJI "b\033[2G\033[X", "  b", 0, 1 },
		{ KANJI "b\033[2G\033[P", " b", 0, 1 },
		{ KANJI "b\r\033[P", " b", 0, 0 },
		{ KANJI "b\033[2G\033[@", "   b", 0, 1 },
		{ "123456" KANJI "\033[3G\033[@", "12 3456", 0, 2 },
		{ "\033[7G" KANJI "\r\033[4hx", "x", 0, 1 },
	};

	(void)state;
	RUN(vectors);
}

static void test_emu__cursor(void **state)
{
	static const struct vector vectors[] = {
		{ "\033[2;3Hx", "|  x", 1, 3 },
		{ "\033[2;3fx", "|  x", 1, 3 },
		{ "\033[;3Hx", "  x", 0, 3 },
		{ "\033[99;99Hx", "|||       x", 3, 7 },
		{ "\033[99999999999;0Hx", "|||x", 3, 1 },
		{ "\033[3;3H\033[Ax", "|  x", 1, 3 },
		{ "\033[3;3H\033[9Ax", "  x", 0, 3 },
		{ "\033[3;3H\033[Bx", "|||  x", 3, 3 },
		{ "\033[3;3H\033[ex", "|||  x", 3, 3 },
		{ "\033[3;3H\033[2Cx", "||    x", 2, 5 },
		{ "\033[3;3H\033[2ax", "||    x", 2, 5 },
		{ "\033[3;3H\033[Dx", "|| x", 2, 2 },
		{ "\033[3;3H\033[9Dx", "||x", 2, 1 },
		{ "\033[2;3H\033[Ex", "||x", 2, 1 },
		{ "\033[2;3H\033[Fx", "x", 0, 1 },
		{ "ab\033[5Gx", "ab  x", 0, 5 },
		{ "ab\033[5`x", "ab  x", 0, 5 },
		{ "ab\033[3dx", "ab||  x", 2, 3 },
		{ "ab\0337\033[3;3Hx\0338y", "aby||  x", 0, 3 },
		{ "ab\033[s\033[3;3Hx\033[uy", "aby||  x", 0, 3 },
		{ "a\033Eb", "a|b", 1, 1 },
		{ "a\033Db", "a| b", 1, 2 },
		{ "a\r\nb\033Mc", "ac|b", 0, 2 },
		{ "a\033Mb", " b|a", 0, 2 },
		{ "12345678\0337\033[H\0338x", "12345678|x", 1, 1 },
	};

	(void)state;
	RUN(vectors);
}

#define FULL "aaaa\r\nbbbb\r\ncccc\r\ndddd"

static void test_emu__erase(void **state)
{
	static const struct vector vectors[] = {
		{ FULL "\033[2;3H\033[J", "aaaa|bb", 1, 2 },
		{ FULL "\033[2;3H\033[1J", "|   b|cccc|dddd", 1, 2 },
		{ FULL "\033[2;3H\033[2J", "", 1, 2 },
		{ FULL "\033[2;3H\033[?2J", "", 1, 2 },
		{ FULL "\033[2;3H\033[7J", "aaaa|bbbb|cccc|dddd", 1, 2 },
		{ FULL "\033[2;3H\033[K", "aaaa|bb|cccc|dddd", 1, 2 },
		{ FULL "\033[2;3H\033[1K", "aaaa|   b|cccc|dddd", 1, 2 },
		{ FULL "\033[2;3H\033[2K", "aaaa||cccc|dddd", 1, 2 },
		{ FULL "\033[2;2H\033[2X", "aaaa|b  b|cccc|dddd", 1, 1 },
		{ FULL "\033[2;2H\033[99X", "aaaa|b|cccc|dddd", 1, 1 },
		{ "abcdef\033[2G\033[2P", "adef", 0, 1 },
		{ "abcdef\033[2G\033[99P", "a", 0, 1 },
		{ "abcdef\033[2G\033[2@", "a  bcdef", 0, 1 },
		{ "abcdef\033[2G\033[99@", "a", 0, 1 },
		{ "ab\033[3b", "abbbb", 0, 5 },
		{ "ab\033[65535b", "abbbbbbb|bb", 1, 2 },
		{ "\033[3b", "", 0, 0 },
		{ FULL "\033[2H\033[L", "aaaa||bbbb|cccc", 1, 0 },
		{ FULL "\033[2H\033[99L", "aaaa", 1, 0 },
		{ FULL "\033[2H\033[M", "aaaa|cccc|dddd", 1, 0 },
		{ FULL "\033[2H\033[99M", "aaaa", 1, 0 },
		{ FULL "\033[2S", "cccc|dddd", 3, 4 },
		{ FULL "\033[2T", "||aaaa|bbbb", 3, 4 },
		{ FULL "\033[1;2;3;4;5T", "aaaa|bbbb|cccc|dddd", 3, 4 },
		{ "\033#8", "EEEEEEEE|EEEEEEEE|EEEEEEEE|EEEEEEEE", 0, 0 },
		{ "\033#8\033[2;2H\033[J", "EEEEEEEE|E", 1, 1 },
		{ FULL "\033c", "", 0, 0 },
	};

	(void)state;
	RUN(vectors);
}

static void test_emu__region(void **state)
{
	static const struct vector vectors[] = {
		{ FULL "\033[2;3r", "aaaa|bbbb|cccc|dddd", 0, 0 },
		{ FULL "\033[2;3r\033[3Hx\r\ny", "aaaa|xccc|y|dddd", 2, 1 },
		{ FULL "\033[2;3r\033[2H\033M", "aaaa||bbbb|dddd", 1, 0 },
		{ FULL "\033[2;3r\033[4Hx\r\ny", "aaaa|bbbb|cccc|yddd",
		  3, 1 },
		{ FULL "\033[2;3r\033[S", "aaaa|cccc||dddd", 0, 0 },
		{ FULL "\033[2;3r\033[2H\033[L", "aaaa||bbbb|dddd", 1, 0 },
		{ FULL "\033[2;3r\033[1H\033[L", "aaaa|bbbb|cccc|dddd", 0, 0 },
		{ FULL "\033[2;3r\033[3H\033[9A", "aaaa|bbbb|cccc|dddd",
		  1, 0 },
		{ FULL "\033[2;3r\033[2H\033[9B", "aaaa|bbbb|cccc|dddd",
		  2, 0 },
		{ FULL "\033[2;3r\033[?6hx", "aaaa|xbbb|cccc|dddd", 1, 1 },
		{ FULL "\033[2;3r\033[?6h\033[9;1Hx", "aaaa|bbbb|xccc|dddd",
		  2, 1 },
		{ FULL "\033[2;3r\033[?6h\033[?6lx", "xaaa|bbbb|cccc|dddd",
		  0, 1 },
		{ FULL "\033[3;2rx", "aaaa|bbbb|cccc|ddddx", 3, 5 },
		{ FULL "\033[2;2rx", "aaaa|bbbb|cccc|ddddx", 3, 5 },
		{ FULL "\033[2;3r\033[r\033[4H\n", "bbbb|cccc|dddd", 3, 0 },
		{ FULL "\033[2;3r\033[!p\033[4H\n", "bbbb|cccc|dddd", 3, 0 },
	};

	(void)state;
	RUN(vectors);
}

/* Every string is dropped whole, and what follows it is shown. */
static void test_emu__strings(void **state)
{
	static const struct vector vectors[] = {
		{ "a\033]0;title\ab", "ab", 0, 2 },
		{ "a\033]0;title\033\\b", "ab", 0, 2 },
		{ "a\033]52;c;aGVsbG8=\ab", "ab", 0, 2 },
		{ "a\033]8;;http://x\033\\b\033]8;;\033\\", "ab", 0, 2 },
		{ "a\033P+q544e\033\\b", "ab", 0, 2 },
		{ "a\033P1$r\a0m\033\\b", "ab", 0, 2 },
		{ "a\033_Gf=1;AA\033\\b", "ab", 0, 2 },
		{ "a\033^pm\033\\b", "ab", 0, 2 },
		{ "a\033Xsos\033\\b", "ab", 0, 2 },
		{ "a\033]0;never ended\033[1Cb", "a b", 0, 3 },
		{ "a\033]0;x\x18" "b", "ab", 0, 2 },
		{ "a\033[1\x18" "b", "ab", 0, 2 },
		{ "a\033[1\033[1Cb", "a b", 0, 3 },
		{ "a\033[1\nCb", "a|  b", 1, 3 },      /* control inside */
		{ "a\033[?1;2;$%#qb", "ab", 0, 2 },
		{ "a\033[1 $qb", "ab", 0, 2 },
		{ "a\033[>4;2mb", "ab", 0, 2 },
		{ "a\033[=1;1ub", "ab", 0, 2 },
		{ "a\033%Gb\033 Fc", "abc", 0, 3 },
		{ "\033(0qx\033(Bq", "\xe2\x94\x80\xe2\x94\x82q", 0, 3 },
		{ "\033)0\x0eq\x0fq", "\xe2\x94\x80q", 0, 2 },
	};

	(void)state;
	RUN(vectors);
}

struct style_case {
	const char *sgr;
	uint32_t fg, bg;
	unsigned attr;
};

static void test_emu__sgr(void **state)
{
	static const struct style_case cases[] = {
		{ "", 0, 0, 0 },
		{ "1;3;4;5;7;8;9", 0, 0, 0xfd },
		{ "2", 0, 0, CELL_DIM },
		{ "1;2;22", 0, 0, 0 },
		{ "3;4;5;7;8;9;23;24;25;27;28;29", 0, 0, 0 },
		{ "21", 0, 0, CELL_UNDERLINE },
		{ "4:3", 0, 0, CELL_UNDERLINE },
		{ "4;4:0", 0, 0, 0 },
		{ "1;31;42", COLOUR_PALETTE(1), COLOUR_PALETTE(2), CELL_BOLD },
		{ "91;102", COLOUR_PALETTE(9), COLOUR_PALETTE(10), 0 },
		{ "31;41;39;49", 0, 0, 0 },
		{ "31;1;0", 0, 0, 0 },
		{ "31;1;", 0, 0, 0 },
		{ "38;5;200", COLOUR_PALETTE(200), 0, 0 },
		{ "38;5;200;1", COLOUR_PALETTE(200), 0, CELL_BOLD },
		{ "38:5:200;1", COLOUR_PALETTE(200), 0, CELL_BOLD },
		{ "38;5;256", 0, 0, 0 },
		{ "48;2;1;2;3", 0, COLOUR_RGB(0x010203), 0 },
		{ "48;2;1;2;256;1", 0, 0, CELL_BOLD },
		{ "38:2:1:2:3", COLOUR_RGB(0x010203), 0, 0 },
		{ "38:2::1:2:3", COLOUR_RGB(0x010203), 0, 0 },
		{ "38:2:0:1:2:3:0:0", COLOUR_RGB(0x010203), 0, 0 },
		{ "38;2;1;2", 0, 0, 0 },
		{ "38", 0, 0, 0 },
		{ "38:5", 0, 0, 0 },
		{ "38:5;1", 0, 0, CELL_BOLD },
		{ "58:2:224:175:104;1", 0, 0, CELL_BOLD },
		{ "58;5;1;1", 0, 0, CELL_BOLD },
		{ "38:2:59:66:97;48:2:36:40:59;58:2:224:175:104;4:3",
		  COLOUR_RGB(0x3b4261), COLOUR_RGB(0x24283b),
		  CELL_UNDERLINE },
		{ "0;0;0;0;0;0;0;0;0;0;0;0;0;0;0;0;0;0;0;0;0;0;0;0;0;0;0;0;0;"
		  "0;0;0;0;0;0;31", 0, 0, 0 },
		{ "99;1", 0, 0, CELL_BOLD },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_emu struct emu *e =
			emu_new(2, 4, &(struct emu_options){ 0 });
		auto_free char *in = xasprintf("\033[%smx", cases[i].sgr);
		struct cell c;

		feed(e, in);
		c = *emu_row(e, 0);
		if (c.fg != cases[i].fg || c.bg != cases[i].bg ||
		    c.attr != cases[i].attr)
			fail_msg("'%s' gives fg %x bg %x attr %x",
				 cases[i].sgr, (unsigned)c.fg,
				 (unsigned)c.bg, (unsigned)c.attr);
	}
}

/* What is erased has the background of the pen and nothing else of it. */
static void test_emu__erase_colour(void **state)
{
	static const char *const ways[] = {
		"\033[2J", "\033[2K", "\033[J", "\033[4X", "\033[4P",
		"\033[4@", "\033[M", "\033[L", "\033[S", "\033[T",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		auto_emu struct emu *e =
			emu_new(1, 4, &(struct emu_options){ 0 });
		struct cell c;

		feed(e, "abcd\r\033[1;4;31;42m");
		feed(e, ways[i]);
		c = emu_row(e, 0)[0];
		assert_int_equal(c.bg, COLOUR_PALETTE(2));
		assert_int_equal(c.fg, COLOUR_DEFAULT);
		assert_int_equal(c.attr, 0);
	}
}

static void test_emu__modes(void **state)
{
	static const struct {
		const char *set, *reset;
		unsigned mode;
	} cases[] = {
		{ "\033[?1h", "\033[?1l", EMU_MODE_APP_CURSOR },
		{ "\033=", "\033>", EMU_MODE_APP_KEYPAD },
		{ "\033[?5h", "\033[?5l", EMU_MODE_REVERSE },
		{ "\033[?9h", "\033[?9l", EMU_MODE_MOUSE_X10 },
		{ "\033[?1000h", "\033[?1000l", EMU_MODE_MOUSE_CLICK },
		{ "\033[?1002h", "\033[?1002l", EMU_MODE_MOUSE_DRAG },
		{ "\033[?1000;1003h", "\033[?1003l", EMU_MODE_MOUSE_MOVE },
		{ "\033[?1004h", "\033[?1004l", EMU_MODE_FOCUS },
		{ "\033[?1006h", "\033[?1006l", EMU_MODE_MOUSE_SGR },
		{ "\033[?1049h", "\033[?1049l", EMU_MODE_ALT },
		{ "\033[?47h", "\033[?47l", EMU_MODE_ALT },
		{ "\033[?2004h", "\033[?2004l", EMU_MODE_PASTE },
		{ "\033[?2026h", "\033[?2026l", EMU_MODE_SYNC },
		{ "\033[20h", "\033[20l", EMU_MODE_NEWLINE },
	};
	const unsigned base = EMU_MODE_WRAP | EMU_MODE_VISIBLE;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_emu struct emu *e =
			emu_new(2, 4, &(struct emu_options){ 0 });

		emu_events(e);
		feed(e, cases[i].set);
		assert_int_equal(emu_modes(e), base | cases[i].mode);
		assert_true(emu_events(e) & EMU_MODES);
		feed(e, cases[i].set);
		assert_int_equal(emu_modes(e), base | cases[i].mode);
		feed(e, cases[i].reset);
		assert_int_equal(emu_modes(e), base);
		feed(e, cases[i].set);
		feed(e, "\033c");
		assert_int_equal(emu_modes(e), base);
	}
}

static void test_emu__cursor_shape(void **state)
{
	auto_emu struct emu *e = emu_new(2, 4, &(struct emu_options){ 0 });

	(void)state;
	assert_true(emu_cursor(e).visible);
	feed(e, "\033[?25l\033[4 q");
	assert_false(emu_cursor(e).visible);
	assert_int_equal(emu_cursor(e).shape, EMU_CURSOR_UNDERLINE);
	assert_false(emu_cursor(e).blink);
	feed(e, "\033[?25h\033[5 q");
	assert_true(emu_cursor(e).visible);
	assert_int_equal(emu_cursor(e).shape, EMU_CURSOR_BAR);
	assert_true(emu_cursor(e).blink);
	feed(e, "\033[7 q\033[65535 q");
	assert_int_equal(emu_cursor(e).shape, EMU_CURSOR_BAR);
	feed(e, "\033[0 q");
	assert_int_equal(emu_cursor(e).shape, EMU_CURSOR_DEFAULT);
}

static void test_emu__alternate(void **state)
{
	auto_emu struct emu *e = emu_new(4, 8, &(struct emu_options){ 0 });
	auto_free char *inside = NULL, *after = NULL, *again = NULL;

	(void)state;
	feed(e, "shell\033[31m\033[?1049h\033[2;2Hvim\033[m");
	inside = show(e);
	assert_string_equal(inside, "| vim");
	feed(e, "\033[?1049l!");
	after = show(e);
	assert_string_equal(after, "shell!");
	assert_int_equal(emu_row(e, 0)[5].fg, COLOUR_PALETTE(1));
	feed(e, "\033[?1049h");
	again = show(e);
	assert_string_equal(again, "");
}

static void assert_reply(struct emu *e, const char *in, const char *out)
{
	size_t n;
	const char *reply;

	feed(e, in);
	reply = emu_reply(e, &n);
	if (n != strlen(out) || memcmp(reply, out, n) != 0)
		fail_msg("'%s' is answered by '%.*s'", in, (int)n, reply);
	emu_reply_clear(e);
}

static void test_emu__answers(void **state)
{
	static const char *const silent[] = {
		"\033]0;rm -rf /\n\a\033[21t", "\033[20t", "\033[11t",
		"\033]10;?\a", "\033]11;?\033\\", "\033]4;1;?\a",
		"\033]52;c;?\a", "\033P$qm\033\\", "\033P+q544e\033\\",
		"\033[>q", "\033[=c", "\033[?15n", "\033[?26n", "\033[x",
		"\033[14t", "\033[1c", "\033Z", "\005", "\033[?u",
	};
	auto_emu struct emu *e = emu_new(24, 80, &(struct emu_options){ 0 });
	size_t n;

	(void)state;
	assert_reply(e, "\033[c", "\033[?62;22c");
	assert_reply(e, "\033[>c", "\033[>0;277;0c");
	assert_reply(e, "\033[5n", "\033[0n");
	assert_reply(e, "\033[3;7H\033[6n", "\033[3;7R");
	assert_reply(e, "\033[?6n", "\033[?3;7R");
	assert_reply(e, "\033[2;5r\033[?6h\033[2;1H\033[6n", "\033[2;1R");
	assert_reply(e, "\033[18t", "\033[8;24;80t");
	assert_reply(e, "\033[?7$p", "\033[?7;1$y");
	assert_reply(e, "\033[?1$p", "\033[?1;2$y");
	assert_reply(e, "\033[?69$p", "\033[?69;0$y");
	assert_reply(e, "\033[4$p", "\033[4;2$y");
	for (size_t i = 0; i < ARRAY_SIZE(silent); i++)
		assert_reply(e, silent[i], "");
	for (int i = 0; i < 10000; i++)
		feed(e, "\033[c");
	emu_reply(e, &n);
	assert_true(n <= LIMIT_EMU_REPLY && n > LIMIT_EMU_REPLY - 20);
	assert_int_equal(n % strlen("\033[?62;22c"), 0);
}

static void test_emu__title(void **state)
{
	auto_emu struct emu *e = emu_new(2, 4, &(struct emu_options){ 0 });
	char big[2000];

	(void)state;
	emu_events(e);
	feed(e, "\033]2;vim a.c\a");
	assert_string_equal(emu_title(e), "vim a.c");
	assert_true(emu_events(e) & EMU_TITLE);
	feed(e, "\033]0;x\ry\xe2\x80\xaez\xff\a");
	assert_string_equal(emu_title(e), "x^My\\u{202e}z\\xff");
	feed(e, "\033]1;icon\a\033]7;file:///\a");
	assert_string_equal(emu_title(e), "x^My\\u{202e}z\\xff");
	feed(e, "\033[22;0t\033]2;other\a\033[23;0t");
	assert_string_equal(emu_title(e), "x^My\\u{202e}z\\xff");
	emu_events(e);
	feed(e, "\033]52;c;aGVsbG8=\a");
	assert_true(emu_events(e) & EMU_CLIPBOARD);
	memset(big, 'x', sizeof(big));
	for (size_t i = 0; i + 3 < sizeof(big); i += 3)
		memcpy(big + i, KANJI, 3);
	feed(e, "\033]0;");
	emu_write(e, big, sizeof(big));
	feed(e, "\a");
	assert_int_equal(strlen(emu_title(e)), LIMIT_EMU_TITLE / 3 * 3);
	feed(e, "\033]0;\a");
	assert_string_equal(emu_title(e), "");
}

static void assert_line(const struct emu *e, uint64_t number, int goes_on,
			const char *text)
{
	struct cell cells[8];
	auto_buf struct buf out = BUF_INIT;

	assert_int_equal(emu_line(e, number, cells, 8), goes_on);
	add_cells(&out, cells, 8);
	assert_string_equal(buf_str(&out), text);
}

static void test_emu__history(void **state)
{
	auto_emu struct emu *e = emu_new(2, 8, &(struct emu_options){
		.history_lines = 3, .history_bytes = 1 });
	struct cell cells[8];

	(void)state;
	feed(e, "12345678abc\r\n\033[31m" KANJI "\033[me\xcc\x81\r\n\r\n");
	assert_int_equal(emu_first(e), 0);
	assert_int_equal(emu_top(e), 3);
	assert_line(e, 0, 1, "12345678");
	assert_line(e, 1, 0, "abc");
	assert_line(e, 2, 0, KANJI "e\xcc\x81");
	assert_line(e, 3, 0, "");
	assert_int_equal(emu_line(e, 5, cells, 8), -1);
	assert_int_equal(emu_line(e, 2, cells, 8), 0);
	assert_int_equal(cells[0].fg, COLOUR_PALETTE(1));
	assert_int_equal(cells[0].attr, CELL_WIDE);
	assert_int_equal(cells[1].attr, CELL_TAIL);
	assert_int_equal(cells[2].fg, COLOUR_DEFAULT);
	assert_int_equal(emu_line(e, 2, cells, 1), 0); /* cut in half */
	assert_int_equal(cells[0].cp, ' ');
	feed(e, "x\r\n");
	assert_int_equal(emu_first(e), 1);
	assert_int_equal(emu_line(e, 0, cells, 8), -1);
	assert_line(e, 1, 0, "abc");
	feed(e, "\033[?1049h\r\n\r\n\r\n\r\n\033[?1049l");
	assert_int_equal(emu_top(e), 4);
	feed(e, "\033[3J");
	assert_int_equal(emu_first(e), 4);
	assert_int_equal(emu_top(e), 4);
}

/* A region below the first row keeps nothing, one at the top does. */
/* What stays is the newest, under its own number, and there is room again. */
static void test_emu__history_of_another_length(void **state)
{
	static const unsigned lengths[] = { 2, 9, 3, 0, 5 };
	auto_emu struct emu *e = emu_new(2, 8, &(struct emu_options){
		.history_lines = 4, .history_bytes = 1 });
	struct cell cells[8];
	uint64_t had = 0;
	unsigned kept = 4;

	(void)state;
	for (size_t k = 0; k < ARRAY_SIZE(lengths); k++) {
		char line[16];

		for (int i = 0; i < 7; i++) {
			int n = snprintf(line, sizeof(line), "%d\r\n", i);

			emu_write(e, line, (size_t)n);
		}
		had = emu_top(e);
		assert_int_equal(had - emu_first(e), MIN(had, kept));
		kept = lengths[k];
		emu_keep(e, &(struct emu_options){ .history_lines = kept,
						   .history_bytes = 1 });
		assert_null(emu_check(e));
		assert_int_equal(emu_top(e), had);
		assert_true(had - emu_first(e) <= kept);
		/* The last line that left the screen is the sixth. */
		if (had > emu_first(e)) {
			assert_int_equal(emu_line(e, had - 1, cells, 8), 0);
			assert_int_equal(cells[0].cp, '5');
		}
	}
}

static void test_emu__history_region(void **state)
{
	auto_emu struct emu *e = emu_new(4, 8, &(struct emu_options){
		.history_lines = 3, .history_bytes = 1 });

	(void)state;
	feed(e, "a\r\nb\033[2;3r\033[3H\r\n\r\n\r\n\033[S\033[r");
	assert_int_equal(emu_top(e), 0);
	feed(e, "\033[1;3r\033[S");
	assert_int_equal(emu_top(e), 1);
	assert_line(e, 0, 0, "a");
}

/* As many lines as the bytes hold, and each of them is what it was. */
static void test_emu__history_bytes(void **state)
{
	auto_emu struct emu *e = emu_new(2, 40, &(struct emu_options){
		.history_lines = 100000, .history_bytes = 64 * 1024 });
	struct cell cells[40];

	(void)state;
	for (int i = 0; i < 20000; i++) {
		auto_free char *s = xasprintf("\033[38;5;%dm%d%.*s\r\n",
					      i % 256, i, i % 30,
					      "..............................");

		emu_write(e, s, strlen(s));
	}
	check(e, "flood");
	assert_int_equal(emu_top(e), 19999);
	assert_in_range(emu_top(e) - emu_first(e), 600, 2000);
	for (uint64_t n = emu_first(e); n < emu_top(e); n++) {
		auto_buf struct buf out = BUF_INIT;
		auto_free char *want = xasprintf(
			"%d%.*s", (int)n, (int)(n % 30),
			"..............................");

		assert_int_equal(emu_line(e, n, cells, 40), 0);
		add_cells(&out, cells, 40);
		assert_string_equal(buf_str(&out), want);
		assert_int_equal(cells[0].fg, COLOUR_PALETTE(n % 256));
	}
}

static void assert_shows(const struct emu *e, const char *want, int row,
			 int col)
{
	auto_free char *screen = show(e);

	check(e, want);
	assert_string_equal(screen, want);
	assert_int_equal(e->row, row);
	assert_int_equal(e->col, col);
}

static void test_emu__resize(void **state)
{
	auto_emu struct emu *e = emu_new(4, 8, &(struct emu_options){
		.history_lines = 10, .history_bytes = 1 });

	(void)state;
	feed(e, "a\r\nb\r\nc\r\nd\r\n$ ");
	assert_shows(e, "b|c|d|$", 3, 2);
	emu_resize(e, 2, 8);
	assert_shows(e, "d|$", 1, 2);
	emu_resize(e, 6, 8); /* and all of it comes back */
	assert_shows(e, "a|b|c|d|$", 4, 2);
	assert_int_equal(emu_top(e), 0);
	emu_resize(e, 5, 8); /* a blank line below the cursor goes first */
	assert_shows(e, "a|b|c|d|$", 4, 2);
	feed(e, "\033[2H12345" KANJI);
	emu_resize(e, 5, 6);
	assert_shows(e, "a|12345|c|d|$", 1, 5);
	emu_resize(e, 5, 8);
	assert_shows(e, "a|12345|c|d|$", 1, 5);
	emu_resize(e, 1, 1);
	assert_shows(e, "1", 0, 0);
	feed(e, KANJI "xy\033[99;99Hz\033M\033[L\033[M\033[@\033[P\tq");
	emu_resize(e, 0, -5);
	assert_int_equal(emu_rows(e), 1);
	emu_resize(e, 100000, 100000);
	assert_int_equal(emu_rows(e), LIMIT_EMU_ROWS);
	assert_int_equal(emu_cols(e), LIMIT_EMU_COLS);
	feed(e, "\033[999;999Hx\t\033[Z");
}

static void test_emu__resize_alternate(void **state)
{
	auto_emu struct emu *e = emu_new(4, 8, &(struct emu_options){
		.history_lines = 10, .history_bytes = 1 });

	(void)state;
	feed(e, "a\r\nb\r\nc\r\nd\r\n$ \033[?1049h\033[H1\r\n2\r\n3\r\n4");
	emu_resize(e, 2, 8);
	assert_shows(e, "1|2", 1, 1);
	emu_resize(e, 4, 8);
	assert_shows(e, "1|2", 1, 1);
	feed(e, "\033[?1049l");
	assert_shows(e, "b|c|d|$", 3, 2);
}

/* Nothing an inhabitant writes makes a number of ours wrap or a loop long. */
static void test_emu__hostile(void **state)
{
	static const char finals[] =
		"@ABCDEFGHIJKLMPSTXZ`abcdefghlmnpqrstu";
	static const char *const heads[] = { "", "?", ">", "=", "<" };
	static const char *const middles[] = { "", "$", " ", "!", "\"" };
	auto_emu struct emu *e = emu_new(3, 5, &(struct emu_options){
		.history_lines = 10, .history_bytes = 1 });

	(void)state;
	for (size_t h = 0; h < ARRAY_SIZE(heads); h++)
		for (size_t m = 0; m < ARRAY_SIZE(middles); m++)
			for (const char *f = finals; *f; f++) {
				auto_free char *s = xasprintf(
					KANJI KANJI KANJI
					"\033[%s4294967297;65535;0;%s%c"
					"\033[%s99999999999999999999%s%c",
					heads[h], middles[m], *f, heads[h],
					middles[m], *f);

				feed(e, s);
			}
}

/* Output never takes memory, however much there is of it. */
static void test_emu__memory(void **state)
{
	static const char piece[] =
		"\033]0;title \xe2\x80\xae of it\a\033[38;5;9m" KANJI
		"\033[?1049hx\033[?1049l\033[c\033P+q\033\\\r\n\033[3S";
	auto_emu struct emu *e = emu_new(24, 80, &(struct emu_options){
		.history_lines = 1000, .history_bytes = 1 << 20 });
	struct mallinfo2 before, after;

	(void)state;
	for (int i = 0; i < 1000; i++)
		emu_write(e, piece, sizeof(piece) - 1);
	before = mallinfo2();
	for (int i = 0; i < 100000; i++)
		emu_write(e, piece, sizeof(piece) - 1);
	after = mallinfo2();
	assert_in_range(after.uordblks, 0, before.uordblks + 1024);
	assert_in_range(after.hblkhd, 0, before.hblkhd);
	check(e, "flood");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_emu__text),
		cmocka_unit_test(test_emu__utf8),
		cmocka_unit_test(test_emu__wide),
		cmocka_unit_test(test_emu__cursor),
		cmocka_unit_test(test_emu__erase),
		cmocka_unit_test(test_emu__region),
		cmocka_unit_test(test_emu__strings),
		cmocka_unit_test(test_emu__sgr),
		cmocka_unit_test(test_emu__erase_colour),
		cmocka_unit_test(test_emu__modes),
		cmocka_unit_test(test_emu__cursor_shape),
		cmocka_unit_test(test_emu__alternate),
		cmocka_unit_test(test_emu__answers),
		cmocka_unit_test(test_emu__title),
		cmocka_unit_test(test_emu__history),
		cmocka_unit_test(test_emu__history_of_another_length),
		cmocka_unit_test(test_emu__history_region),
		cmocka_unit_test(test_emu__history_bytes),
		cmocka_unit_test(test_emu__resize),
		cmocka_unit_test(test_emu__resize_alternate),
		cmocka_unit_test(test_emu__hostile),
		cmocka_unit_test(test_emu__memory),
	};

	return cmocka_run_group_tests_name("emu", tests, NULL, NULL);
}
