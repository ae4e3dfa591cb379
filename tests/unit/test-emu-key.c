/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/base/mem.h"
#include "tests/unit/unit.h"
#include "tui/emu.h"

struct vector {
	const char *modes, *key, *bytes;
};

static struct emu *inside(const char *modes)
{
	struct emu *e = emu_new(24, 300, &(struct emu_options){ 0 });

	emu_write(e, modes, strlen(modes));
	return e;
}

static void test_emu_key__keys(void **state)
{
	static const struct vector vectors[] = {
		{ "", "a", "a" },
		{ "", "\xc3\xa9", "\xc3\xa9" },
		{ "", "M-a", "\033a" },
		{ "", "^A", "\001" },
		{ "", "^]", "\035" },
		{ "", "M-^A", "\033\001" },
		{ "", "Enter", "\r" },
		{ "\033[20h", "Enter", "\r\n" },
		{ "", "M-Enter", "\033\r" },
		{ "", "Tab", "\t" },
		{ "", "S-Tab", "\033[Z" },
		{ "", "Esc", "\033" },
		{ "", "Backspace", "\x7f" },
		{ "", "C-Backspace", "\b" },
		{ "", "Up", "\033[A" },
		{ "\033[?1h", "Up", "\033OA" },
		{ "\033[?1h\033[?1l", "Up", "\033[A" },
		{ "\033[?1h", "C-Up", "\033[1;5A" },
		{ "", "M-S-Left", "\033[1;4D" },
		{ "", "Home", "\033[H" },
		{ "\033[?1h", "End", "\033OF" },
		{ "", "PgUp", "\033[5~" },
		{ "", "S-PgUp", "\033[5;2~" },
		{ "", "Del", "\033[3~" },
		{ "", "Insert", "\033[2~" },
		{ "", "F1", "\033OP" },
		{ "", "F4", "\033OS" },
		{ "", "S-F1", "\033[1;2P" },
		{ "", "F5", "\033[15~" },
		{ "", "F12", "\033[24~" },
		{ "", "F20", "\033[34~" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
		auto_emu struct emu *e = inside(vectors[i].modes);
		auto_buf struct buf out = BUF_INIT;
		struct key k;

		assert_int_equal(key_parse(vectors[i].key, &k), 0);
		emu_key(e, k, &out);
		if (strcmp(buf_str(&out), vectors[i].bytes) != 0)
			fail_msg("%s is sent as '%s'", vectors[i].key,
				 buf_str(&out));
	}
}

static void test_emu_key__nul(void **state)
{
	auto_emu struct emu *e = inside("");
	auto_buf struct buf out = BUF_INIT;

	(void)state;
	emu_key(e, (struct key){ ' ', KEY_MOD_CTRL }, &out);
	assert_int_equal(out.len, 1);
	assert_int_equal(out.data[0], 0);
	emu_key(e, (struct key){ KEY_CODE_NONE, 0 }, &out);
	emu_key(e, (struct key){ KEY_CODE_MAX + 5, 0 }, &out);
	assert_int_equal(out.len, 1);
}

static void test_emu_key__mouse(void **state)
{
	static const struct {
		const char *modes;
		struct mouse m;
		bool taken;
		const char *bytes;
	} cases[] = {
		{ "", { MOUSE_PRESS, 1, 0, 2, 3 }, false, "" },
		{ "", { MOUSE_WHEEL_UP, 0, 0, 2, 3 }, false, "" },
		{ "\033[?1049h", { MOUSE_WHEEL_UP, 0, 0, 2, 3 }, true,
		  "\033[A\033[A\033[A" },
		{ "\033[?1049h\033[?1h", { MOUSE_WHEEL_DOWN, 0, 0, 2, 3 },
		  true, "\033OB\033OB\033OB" },
		{ "\033[?1000h", { MOUSE_PRESS, 1, 0, 2, 3 }, true,
		  "\033[M $#" },
		{ "\033[?1000h", { MOUSE_RELEASE, 1, 0, 2, 3 }, true,
		  "\033[M#$#" },
		{ "\033[?1000h", { MOUSE_DRAG, 1, 0, 2, 3 }, true, "" },
		{ "\033[?1000h", { MOUSE_PRESS, 1, 0, 2, 250 }, true, "" },
		{ "\033[?9h", { MOUSE_PRESS, 1, KEY_MOD_CTRL, 2, 3 }, true,
		  "\033[M $#" },
		{ "\033[?9h", { MOUSE_RELEASE, 1, 0, 2, 3 }, true, "" },
		{ "\033[?1000;1006h", { MOUSE_PRESS, 3, 0, 2, 250 }, true,
		  "\033[<2;251;3M" },
		{ "\033[?1000;1006h", { MOUSE_RELEASE, 3, 0, 2, 3 }, true,
		  "\033[<2;4;3m" },
		{ "\033[?1002;1006h", { MOUSE_DRAG, 1, KEY_MOD_ALT, 2, 3 },
		  true, "\033[<40;4;3M" },
		{ "\033[?1002;1006h", { MOUSE_MOVE, 0, 0, 2, 3 }, true, "" },
		{ "\033[?1003;1006h", { MOUSE_MOVE, 0, 0, 2, 3 }, true,
		  "\033[<35;4;3M" },
		{ "\033[?1000;1006h", { MOUSE_WHEEL_DOWN, 0, 0, 2, 3 }, true,
		  "\033[<65;4;3M" },
		{ "\033[?1000;1006h", { MOUSE_PRESS, 1, 0, 24, 3 }, true,
		  "" },
		{ "\033[?1000;1006h", { MOUSE_PRESS, 1, 0, -1, 3 }, true,
		  "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_emu struct emu *e = inside(cases[i].modes);
		auto_buf struct buf out = BUF_INIT;

		assert_int_equal(emu_mouse(e, &cases[i].m, &out),
				 cases[i].taken);
		if (strcmp(buf_str(&out), cases[i].bytes) != 0)
			fail_msg("case %zu is sent as '%s'", i,
				 buf_str(&out));
	}
}

static void paste(struct emu *e, const char *first, const char *second,
		  const char *bytes)
{
	auto_buf struct buf out = BUF_INIT;

	emu_paste_begin(e, &out);
	emu_paste(e, first, strlen(first), &out);
	emu_paste(e, second, strlen(second), &out);
	emu_paste_end(e, &out);
	assert_string_equal(buf_str(&out), bytes);
}

static void test_emu_key__paste(void **state)
{
	auto_emu struct emu *plain = inside("");
	auto_emu struct emu *wants = inside("\033[?2004h");

	(void)state;
	paste(plain, "a\nb\tc", "\r\nd\n\ne", "a\rb\tc\rd\r\re");
	paste(plain, "a\r", "\nb", "a\rb");
	paste(wants, "ab", "c", "\033[200~abc\033[201~");
	/* What is pasted can't end the brackets and go on as if typed. */
	paste(wants, "x\033[201~rm\n", "\003\x7f", "\033[200~x[201~rm\r"
						   "\033[201~");
}

static void test_emu_key__focus(void **state)
{
	auto_emu struct emu *plain = inside("");
	auto_emu struct emu *wants = inside("\033[?1004h");
	auto_buf struct buf out = BUF_INIT;

	(void)state;
	emu_focus(plain, true, &out);
	assert_int_equal(out.len, 0);
	emu_focus(wants, true, &out);
	emu_focus(wants, false, &out);
	assert_string_equal(buf_str(&out), "\033[I\033[O");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_emu_key__keys),
		cmocka_unit_test(test_emu_key__nul),
		cmocka_unit_test(test_emu_key__mouse),
		cmocka_unit_test(test_emu_key__paste),
		cmocka_unit_test(test_emu_key__focus),
	};

	return cmocka_run_group_tests_name("emu-key", tests, NULL, NULL);
}
